"""Concepts as text, in the shape of ArcMemo's prompts, and that text read back.

    ## structure concepts            ## types
    - concept: container             - axis := Literal["x", "y"]
      description: …
      cues:                          ## grid manipulation routines
        - if …                       - concept: slide object
    - lower usage concepts: [hole]     output_typing: grid
                                       parameters:
    ## other routines                    - object (type: object) - what slides
    ### stopping criteria              implementation:
    - concept: collision                 - …

Fields that ArcMemo does not know (aliases, negative cues, where it was used) stand under keys of
their own, and lessons under ``## lessons``. A text with line breaks, or one that would be read as
something else, is written as a JSON string. `read_rendered` reads what `render` wrote.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from .concept_types import aliases_of, typings
from .records import ConceptParameter, ConceptPayload, NegativeCue
from .types.aliases import Aliases
from .types.normal import type_name
from .types.parsing import parse
from .types.terms import Named, walk

STRUCTURES = "structure concepts"
TYPES = "types"
GRIDS = "grid manipulation routines"
OTHERS = "other routines"
REST = "other concepts"
LESSONS = "lessons"
GRID_SUBTYPE = "grid manipulation"
NO_SUBTYPE = "(no subtype)"

_LOW = "lower usage concepts"
_PARAMETER = re.compile(r"^(?P<name>.*?) \(type: (?P<rest>.*)$", re.DOTALL)
_KEYS = {
    "description": "body",
    "output_typing": "output_type",
    "suggestion": "suggestion",
    "language": "language",
    "code": "code",
}
_LISTS = {
    "cues": "cues",
    "negative cues": "negative_cues",
    "implementation": "notes",
    "used in": "used_in",
    "aliases": "aliases",
}


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a rendered text holds. ``names`` are concepts of which it gives the name alone."""

    concepts: tuple[ConceptPayload, ...]
    names: tuple[ConceptPayload, ...]
    types: Aliases
    problems: tuple[str, ...] = ()


# -- writing -------------------------------------------------------------------------------------


def render(
    concepts: Sequence[ConceptPayload],
    *,
    names: Sequence[ConceptPayload] = (),
    aliases: Aliases | None = None,
    all_fields: bool = True,
) -> str:
    """The concepts whole, and ``names`` by their names alone.

    ``aliases`` are the types to list (None: those of the concepts). Without ``all_fields`` only
    what ArcMemo shows is written: no cues of other routines, no fields it does not know.
    """
    blocks: list[str] = []
    if aliases is None:
        aliases = aliases_of(concepts)
    for section in (STRUCTURES, TYPES, GRIDS, OTHERS, REST, LESSONS):
        if section == TYPES:
            lines = [f"- {name} := {body}" for name, body in sorted(aliases.bodies.items())]
        else:
            lines = _section(
                section,
                [one for one in concepts if _section_of(one) == section],
                [one for one in names if _section_of(one) == section],
                all_fields,
            )
        if lines:
            blocks.append("\n".join([f"## {section}", *lines]))
    return "\n\n".join(blocks)


def render_one(payload: ConceptPayload, *, all_fields: bool = True) -> str:
    """One concept as it stands in its section."""
    lines = [f"- {'situation' if payload.form == 'open' else 'concept'}: {_said(_name(payload))}"]
    shown = all_fields or _section_of(payload) != OTHERS
    for key, name in _KEYS.items():
        value = str(getattr(payload, name))
        if value and (all_fields or key not in ("language", "code")):
            lines.append(f"  {key}: {_said(value)}")
    if payload.parameters:
        lines += ["  parameters:", *(f"    - {_parameter(one)}" for one in payload.parameters)]
    for key, name in _LISTS.items():
        known = key in ("cues", "implementation")
        if not (all_fields or known) or (key == "cues" and not shown):
            continue
        values = [
            one.text if isinstance(one, NegativeCue) else str(one) for one in getattr(payload, name)
        ]
        if values:
            lines += [f"  {key}:", *(f"    - {_said(value)}" for value in values)]
    return "\n".join(lines)


def _section(
    section: str,
    full: Sequence[ConceptPayload],
    names: Sequence[ConceptPayload],
    all_fields: bool,
) -> list[str]:
    if section != OTHERS:
        lines = [render_one(one, all_fields=all_fields) for one in full]
    else:
        lines = list[str]()
        subtypes = dict.fromkeys(one.subtype for one in full)
        for subtype in sorted(subtypes):
            lines.append(f"### {_said(subtype) if subtype else NO_SUBTYPE}")
            lines += [
                render_one(one, all_fields=all_fields) for one in full if one.subtype == subtype
            ]
    if names:
        listed = sorted(_listed(_name(one)) for one in names)
        lines.append(f"- {_LOW}: [{', '.join(listed)}]")
    return lines


def _section_of(payload: ConceptPayload) -> str:
    if payload.form == "open":
        return LESSONS
    if payload.role == "structure":
        return STRUCTURES
    if payload.role == "":
        return REST
    return GRIDS if payload.subtype == GRID_SUBTYPE else OTHERS


def _name(payload: ConceptPayload) -> str:
    return (payload.situation or payload.title) if payload.form == "open" else payload.title


def _parameter(one: ConceptParameter) -> str:
    name = one.name
    if " (type: " in name or " - " in name or _said(name) != name:
        name = json.dumps(name, ensure_ascii=False)
    typing = _said(one.typing)
    if typing == one.typing and _bracketed(f"{typing})") != (typing, ""):
        typing = json.dumps(typing, ensure_ascii=False)
    line = f"{name} (type: {typing})" if one.typing else name
    return f"{line} - {_said(one.description)}" if one.description else line


def _said(text: str) -> str:
    plain = text == text.strip() and text.isprintable() and text and text[0] != '"'
    return text if plain else json.dumps(text, ensure_ascii=False)


def _listed(name: str) -> str:
    return json.dumps(name, ensure_ascii=False) if set('",[]') & {*name} else _said(name)


# -- reading -------------------------------------------------------------------------------------


@dataclass
class _Open:
    """The concept that is being read."""

    title: str
    section: str
    subtype: str
    texts: dict[str, str] = field(default_factory=dict[str, str])
    lists: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    parameters: list[ConceptParameter] = field(default_factory=list[ConceptParameter])
    key: str = ""


def read_rendered(text: str) -> Rendered:
    """Read a rendered text, this module's or ArcMemo's. A line that says nothing is a problem."""
    section, subtype = "", ""
    current: _Open | None = None
    done: list[ConceptPayload] = []
    names: list[ConceptPayload] = []
    types: list[str] = []
    problems: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.strip()
        start = len(line) - len(line.lstrip())
        if not stripped:
            continue
        if line.startswith(("##", "- ")):
            if current is not None:
                done.append(_closed(current))
            current = None
        if line.startswith("### "):
            subtype = "" if stripped[4:] == NO_SUBTYPE else _meant(stripped[4:])
        elif line.startswith("## "):
            section, subtype = stripped[3:].strip().casefold(), ""
        elif line.startswith("- ") and section == TYPES:
            types.append(stripped[2:])
        elif line.startswith(("- concept: ", "- situation: ")):
            key, _, value = stripped[2:].partition(": ")
            kind = LESSONS if key == "situation" else section
            current = _Open(_meant(value), kind, subtype)
        elif line.startswith("- ") and stripped.endswith("]") and ": [" in stripped:
            listed = stripped.partition(": [")[2][:-1]
            names += [_closed(_Open(name, section, "")) for name in _split(listed)]
        elif current is None or not _taken(current, stripped, start):
            problems.append(f"line {number}: {stripped[:60]!r} stands in no concept")
    if current is not None:
        done.append(_closed(current))
    aliases = Aliases.read(types)
    for one in types:
        if why := parse(one).problem:
            problems.append(f"the type {one!r} cannot be read: {why}")
    return Rendered(tuple(done), tuple(names), aliases, tuple(problems))


def with_types(rendered: Rendered) -> tuple[ConceptPayload, ...]:
    """The concepts, each with the definitions of the names its annotations mention.

    A type that no concept mentions becomes a structure of its name, so that it is not lost.
    """
    left = dict(rendered.types.bodies)
    found: list[ConceptPayload] = []
    for one in rendered.concepts:
        mentioned = {
            type_name(inner.name)
            for text in typings(one)
            for inner in walk(parse(text).type)
            if isinstance(inner, Named)
        }
        own = {name: str(rendered.types.bodies[name]) for name in mentioned & {*left}}
        found.append(one.model_copy(update={"types": {**one.types, **dict(sorted(own.items()))}}))
    defined = aliases_of(found).bodies
    orphans = [
        ConceptPayload(title=name, role="structure", types={name: str(body)})
        for name, body in left.items()
        if name not in defined
    ]
    return (*found, *orphans)


def _taken(current: _Open, stripped: str, start: int) -> bool:
    """Put an indented line into its concept; False if it fits nowhere."""
    if stripped.startswith("- ") and start >= 4 and current.key:
        value = stripped[2:]
        if current.key == "parameters":
            current.parameters.append(_read_parameter(value))
        else:
            current.lists.setdefault(current.key, []).append(_meant(value))
        return True
    key, mark, value = stripped.partition(":")
    key = _key(key)
    if mark and not value.strip() and (key in _LISTS or key == "parameters"):
        current.key = key
        return True
    if mark and value.strip() and (key in _KEYS or key == "kind"):
        current.key = ""
        current.texts[key] = _meant(value.strip())
        return True
    return False


def _key(key: str) -> str:
    """A field's key as this module writes it: ArcMemo writes one with an underscore."""
    spaced = key.strip().casefold().replace("_", " ")
    return "output_typing" if spaced in ("output typing", "output type") else spaced


def _closed(current: _Open) -> ConceptPayload:
    open_ = current.section == LESSONS
    roles: dict[str, Literal["structure", "routine"]] = {
        STRUCTURES: "structure",
        GRIDS: "routine",
        OTHERS: "routine",
    }
    lists = {name: tuple(current.lists.get(key, ())) for key, name in _LISTS.items()}
    negative = tuple(NegativeCue(text=text) for text in lists.pop("negative_cues"))
    texts = {name: current.texts.get(key, "") for key, name in _KEYS.items()}
    payload = ConceptPayload(
        title=" ".join(current.title.split()) if open_ else current.title,
        form="open" if open_ else "program",
        situation=current.title if open_ else "",
        role=roles.get(current.section, ""),
        subtype=GRID_SUBTYPE if current.section == GRIDS else current.subtype,
        parameters=tuple(current.parameters),
        negative_cues=negative,
    )
    return payload.model_copy(update={**texts, **lists})


def _read_parameter(text: str) -> ConceptParameter:
    name, rest = _leading(text)
    if name is None:
        found = _PARAMETER.match(text)
        if found is None:
            name, _, description = text.partition(" - ")
            return ConceptParameter(name=name, description=_meant(description))
        name, rest = found["name"], f" (type: {found['rest']}"
    typing = ""
    if rest.startswith(" (type: "):
        typing, rest = _bracketed(rest.removeprefix(" (type: "))
    return ConceptParameter(
        name=name, typing=_meant(typing), description=_meant(rest.removeprefix(" - "))
    )


def _leading(text: str) -> tuple[str | None, str]:
    """A JSON string at the start of a text, and what follows it; None if there is none."""
    if not text.startswith('"'):
        return None, text
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except ValueError:
        return None, text
    return (value, text[end:]) if isinstance(value, str) else (None, text)


def _bracketed(text: str) -> tuple[str, str]:
    """Up to the parenthesis that closes, and what follows it; quoted text is passed over."""
    value, rest = _leading(text)
    if value is not None and rest.startswith(")"):
        return json.dumps(value), rest[1:]
    depth, quote = 1, ""
    for place, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'`":
            quote = sign
        elif sign in "()":
            depth += 1 if sign == "(" else -1
            if depth == 0:
                return text[:place], text[place + 1 :]
    cut = text.rfind(")")
    return (text[:cut], text[cut + 1 :]) if cut >= 0 else (text, "")


def _meant(text: str) -> str:
    value, rest = _leading(text)
    return value if value is not None and not rest.strip() else text


def _split(listed: str) -> list[str]:
    """The names of a list, of which those with signs of their own are JSON strings."""
    found: list[str] = []
    rest = listed.strip()
    while rest:
        value, after = _leading(rest)
        if value is None:
            value, _, after = rest.partition(",")
            value = value.strip()
        else:
            after = after.strip().removeprefix(",")
        if value:
            found.append(value)
        rest = after.strip()
    return found
