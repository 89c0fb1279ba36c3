"""One concept as a model or a person wrote it down, read into a payload. It never raises.

Keys are known in any case and with spaces or underscores; "N/A" and null say nothing; a value of
the wrong shape is taken as what it can be. What means nothing here is kept in ``extra``, and what
cannot be kept at all is told in the problems.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast

from pydantic import JsonValue

from .concept_merge import settled
from .records import ConceptParameter, ConceptPayload, NegativeCue
from .types.parsing import parse

_ABSENT = frozenset({"", "n/a", "na", "none", "null", "nil", "-", "unknown", "tbd"})
_TITLE = ("concept", "name", "title")
_TEXTS = {
    "description": "body",
    "body": "body",
    "routine subtype": "subtype",
    "subtype": "subtype",
    "output typing": "output_type",
    "output type": "output_type",
    "output": "output_type",
    "returns": "output_type",
    "situation": "situation",
    "suggestion": "suggestion",
    "code": "code",
    "language": "language",
}
_LISTS = {
    "cues": "cues",
    "cue": "cues",
    "implementation": "notes",
    "implementation notes": "notes",
    "notes": "notes",
    "used in": "used_in",
    "aliases": "aliases",
    "evidence": "evidence",
}
_ROLES: dict[str, tuple[Literal["", "structure", "routine"], str]] = {
    "structure": ("structure", ""),
    "term definition": ("structure", ""),
    "routine": ("routine", ""),
    "grid manipulation": ("routine", "grid manipulation"),
    "intermediate": ("routine", "intermediate"),
    "intermediate operation": ("routine", "intermediate"),
    "parameter selection": ("routine", "parameter selection"),
}
_INLINE = re.compile(
    r"^(?P<name>[^|]+?)\s*\|\s*(?P<typing>.+?)\s+-\s+(?P<description>.+)$", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read: the concepts (more than one where one was written inside another)."""

    concepts: tuple[ConceptPayload, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass
class _Fields:
    """The fields of one concept as they come in."""

    texts: dict[str, str] = field(default_factory=dict[str, str])
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    role: Literal["", "structure", "routine"] = ""
    parameters: tuple[ConceptParameter, ...] = ()
    types: dict[str, str] = field(default_factory=dict[str, str])
    negative: tuple[NegativeCue, ...] = ()
    extra: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    inside: list[tuple[str, Mapping[str, object]]] = field(
        default_factory=list[tuple[str, Mapping[str, object]]]
    )


def read_concept(written: object, *, title: str = "") -> Reading:
    """Read a mapping of fields, or a name alone. ``title`` is its name if it says none itself."""
    if isinstance(written, str | int | float) and not isinstance(written, bool):
        written = {"concept": str(written)}
    if written is None and title:
        written = {}
    if not isinstance(written, Mapping):
        return Reading((), (f"{_short(written)} is no concept: give a name or fields by name",))
    said = cast("Mapping[object, object]", written)
    given = _by_key(said)
    named = next((text for key in _TITLE if (text := _text(given.pop(key, _NOTHING)[1]))), title)
    fields = _Fields()
    for key, (original, value) in given.items():
        _take(fields, key, original, value)
    situation = fields.texts.get("situation", "")
    open_ = bool(situation and (fields.texts.get("suggestion") or not named))
    named = " ".join((named or situation).split())
    if not named:
        return Reading((), (f"{_short(said)} has no name",))
    payload = ConceptPayload(
        title=named,
        form="open" if open_ else "program",
        role=fields.role,
        parameters=fields.parameters,
        types=fields.types,
        negative_cues=fields.negative,
        extra=fields.extra,
        body=fields.texts.get("body", ""),
        situation=situation,
        suggestion=fields.texts.get("suggestion", ""),
        subtype=fields.texts.get("subtype", ""),
        output_type=fields.texts.get("output_type", ""),
        code=fields.texts.get("code", ""),
        language=fields.texts.get("language", ""),
        cues=fields.lists.get("cues", ()),
        notes=fields.lists.get("notes", ()),
        used_in=fields.lists.get("used_in", ()),
        aliases=fields.lists.get("aliases", ()),
        evidence=fields.lists.get("evidence", ()),
    )
    inner = [read_concept(fields_, title=name) for name, fields_ in fields.inside]
    return Reading(
        (settled(payload), *(one for part in inner for one in part.concepts)),
        tuple(why for part in inner for why in part.problems),
    )


def read_parameters(value: object) -> tuple[ConceptParameter, ...]:
    """Parameters from a list of mappings or texts, or from a mapping of names to types."""
    found: list[ConceptParameter] = []
    if isinstance(value, Mapping):
        given = cast("Mapping[object, object]", value)
        for name, said in given.items():
            inner: Mapping[object, object] = {"typing": said}
            if isinstance(said, Mapping):
                inner = cast("Mapping[object, object]", said)
            found.append(_parameter({"name": name, **inner}))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for one in cast("Sequence[object]", value):
            found.append(_parameter(one))
    elif text := _text(value):
        found.append(_parameter(text))
    return tuple(one for one in found if one.name)


def _take(fields: _Fields, key: str, original: str, value: object) -> None:
    """Put one field where it belongs."""
    if key == "kind":
        said = _text(value).casefold()
        role, subtype = _ROLES.get(said, ("", ""))
        fields.role = role
        if subtype:
            fields.texts.setdefault("subtype", subtype)
        if said and said not in ("structure", "routine"):
            fields.extra["kind"] = _text(value)
    elif key in ("parameters", "parameter"):
        fields.parameters = read_parameters(value)
    elif key in _TEXTS:
        if text := _text(value):
            fields.texts[_TEXTS[key]] = text
    elif key in _LISTS:
        name = _LISTS[key]
        fields.lists[name] = (*fields.lists.get(name, ()), *_texts(value))
    elif key == "negative cues":
        fields.negative = tuple(NegativeCue(text=one) for one in _texts(value))
    elif key in ("types", "custom types") and isinstance(value, Mapping):
        given = cast("Mapping[object, object]", value)
        fields.types = {_text(name): _text(typing) for name, typing in given.items()}
    elif inner := _concept_inside(value):
        fields.inside.append((original, inner))
    elif value is not None:
        fields.extra[original] = _json(value)


def _concept_inside(value: object) -> Mapping[str, object] | None:
    """A concept that was written inside another, by a slip of the indentation."""
    if not isinstance(value, Mapping):
        return None
    given = cast("Mapping[object, object]", value)
    if not {"kind", "routine subtype", "output typing"} & _by_key(given).keys():
        return None
    return {str(name): inner for name, inner in given.items()}


def _by_key(given: Mapping[object, object]) -> dict[str, tuple[str, object]]:
    """Fields, as they are called and what they hold, by their key in lower case with spaces.

    Of two of one key the first that says something counts.
    """
    found: dict[str, tuple[str, object]] = {}
    for name, value in given.items():
        key = " ".join(re.split(r"[\s_]+", str(name).strip().casefold()))
        if key not in found or found[key][1] is None:
            found[key] = str(name), value
    return found


_NOTHING = ("", None)


def _parameter(one: object) -> ConceptParameter:
    if isinstance(one, Mapping):
        given = _by_key(cast("Mapping[object, object]", one))
        name = _popped(given, "name", "parameter")
        typing = _popped(given, "typing", "type", "annotation")
        said = [_popped(given, "description")]
        if not name and len(given) == 1:  # "- object: grid" is a mapping to YAML
            ((name, value),) = given.values()
            typing = typing or _text(value)
        else:
            said += [f"{key}: {_text(value)}" for key, value in given.values() if _text(value)]
        return ConceptParameter(name=name, typing=typing, description="; ".join(filter(None, said)))
    text = _text(one)
    inline = _INLINE.match(text)
    if inline and not parse(inline["typing"]).problem:
        return ConceptParameter(**inline.groupdict())
    return ConceptParameter(name=text)


def _popped(given: dict[str, tuple[str, object]], *keys: str) -> str:
    """The first of these fields that says something; all of them are taken out."""
    said = [_text(given.pop(key, _NOTHING)[1]) for key in keys]
    return next(filter(None, said), "")


def _text(value: object) -> str:
    """A value as text; empty where it says nothing."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        given = cast("Mapping[object, object]", value)
        return "; ".join(f"{name}: {_text(inner)}" for name, inner in given.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(filter(None, map(_text, cast("Sequence[object]", value))))
    text = str(value).strip()
    return "" if text.casefold() in _ABSENT else text


def _texts(value: object) -> tuple[str, ...]:
    """A value as a list of texts."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(filter(None, map(_text, cast("Sequence[object]", value))))
    text = _text(value)
    return (text,) if text else ()


def _json(value: object) -> JsonValue:
    if isinstance(value, Mapping):
        given = cast("Mapping[object, object]", value)
        return {str(name): _json(inner) for name, inner in given.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_json(one) for one in cast("Sequence[object]", value)]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
