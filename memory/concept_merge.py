"""Merging what is said of one concept, field by field, so that nothing said is lost.

Types widen, lists are ordered unions, of single values the first one that says something stays;
whatever came later is kept in ``said``, with the puzzle and the run that said it. Merging the same
twice changes nothing; where two say different fields the order does not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from pydantic import JsonValue

from .concept_names import canonical, squeezed
from .records import ConceptParameter, ConceptPayload, NegativeCue, Said
from .types.normal import type_name, widen_text

_T = TypeVar("_T")

_TEXTS = ("title", "body", "situation", "suggestion", "role", "subtype", "output_type", "code")
_LISTS = ("cues", "notes", "aliases")


def merged(held: ConceptPayload, new: ConceptPayload) -> ConceptPayload:
    """What both say, ``held`` first. They are taken for one concept, whatever their titles."""
    code = _better_code(held, new)
    return ConceptPayload(
        title=held.title,
        form=held.form,
        body=held.body or new.body,
        situation=held.situation or new.situation,
        suggestion=held.suggestion or new.suggestion,
        role=held.role or new.role,
        subtype=held.subtype or new.subtype,
        parameters=parameters_of((*held.parameters, *new.parameters)),
        output_type=widen_text(held.output_type, new.output_type),
        types=_types(held.types, new.types),
        cues=union(held.cues, new.cues),
        negative_cues=_negative(held.negative_cues, new.negative_cues),
        notes=union(held.notes, new.notes),
        used_in=union(held.used_in, new.used_in, str),
        aliases=_aliases(held, new),
        code=code.code,
        language=code.language,
        passed=code.passed,
        refused=union(held.refused, new.refused),
        evidence=union(held.evidence, new.evidence),
        said=_said((*held.said, *new.said)),
        extra=_extra(held.extra, new.extra),
    )


def settled(payload: ConceptPayload) -> ConceptPayload:
    """A concept without doubles in itself: what `merged` would leave of it."""
    return merged(payload, payload)


def stamped(
    payload: ConceptPayload, *, puzzle: str, run: str, at: datetime | None
) -> ConceptPayload:
    """The concept with every value signed by who says it now; older signatures stay."""
    signed = {(one.field, squeezed(one.value)) for one in payload.said}
    fresh = [
        Said(field=field, value=value, puzzle=puzzle, run=run, at=at)
        for field, value in values_of(payload)
        if (field, squeezed(value)) not in signed
    ]
    used = union(payload.used_in, (puzzle,), str) if puzzle else payload.used_in
    return payload.model_copy(update={"said": _said((*payload.said, *fresh)), "used_in": used})


def values_of(payload: ConceptPayload) -> list[tuple[str, str]]:
    """Every value that a concept's fields say, with the name of its field."""
    found = [(name, str(getattr(payload, name))) for name in _TEXTS]
    for name in _LISTS:
        found += [(name, str(value)) for value in getattr(payload, name)]
    for one in payload.parameters:
        found.append((f"parameters.{one.name}", one.typing or one.name))
        found.append((f"parameters.{one.name}.description", one.description))
    found += [(f"types.{name}", typing) for name, typing in payload.types.items()]
    found += [("negative_cues", one.text) for one in payload.negative_cues]
    found += [(f"extra.{name}", repr(value)) for name, value in payload.extra.items()]
    return [(name, value) for name, value in found if value]


def union(
    held: Iterable[str], new: Iterable[str], key: Callable[[str], str] = squeezed
) -> tuple[str, ...]:
    """Both in order, without empty ones and without doubles by ``key``."""
    unique: dict[str, str] = {}
    for one in (*held, *new):
        if one.strip():
            unique.setdefault(key(one), one)
    return tuple(unique.values())


def parameters_of(given: Sequence[ConceptParameter]) -> tuple[ConceptParameter, ...]:
    """Parameters of one name as one, in the order of their first: its type is that of all."""
    unique: dict[str, ConceptParameter] = {}
    for one in given:
        key = canonical(one.name)
        held = unique.get(key)
        if held is None:
            unique[key] = one
            continue
        unique[key] = ConceptParameter(
            name=held.name,
            typing=widen_text(held.typing, one.typing),
            description=held.description or one.description,
        )
    return tuple(unique.values())


def _types(held: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, tuple[str, str]] = {}
    for name, typing in (*held.items(), *new.items()):
        known, before = found.get(type_name(name), (name, ""))
        found[type_name(name)] = known, widen_text(before, typing)
    return dict(sorted(found.values()))


def _negative(held: Sequence[NegativeCue], new: Sequence[NegativeCue]) -> tuple[NegativeCue, ...]:
    unique: dict[str, NegativeCue] = {}
    for one in (*held, *new):
        key = squeezed(one.text)
        other = unique.get(key)
        if other is None:
            unique[key] = one
            continue
        ends = None
        if one.expires is not None and other.expires is not None:
            ends = max(one.expires, other.expires)
        unique[key] = NegativeCue(
            text=other.text,
            evidence=union(other.evidence, one.evidence, str),
            trust=max(other.trust, one.trust),
            expires=ends,
        )
    return tuple(unique.values())


def _aliases(held: ConceptPayload, new: ConceptPayload) -> tuple[str, ...]:
    """Other names of the concept: those of both, and the title that is not kept."""
    own = canonical(held.title)
    named = union(held.aliases, (new.title, *new.aliases), canonical)
    return tuple(name for name in named if canonical(name) != own)


def _better_code(held: ConceptPayload, new: ConceptPayload) -> ConceptPayload:
    """The code that passed on more puzzles; of equals the first. Equal code sums up."""
    if held.code.strip() and held.code == new.code:
        passed = union(held.passed, new.passed, str)
        return held.model_copy(update={"passed": passed, "language": held.language or new.language})
    if not held.code or (new.code and len(new.passed) > len(held.passed)):
        return new if new.code else held
    return held


def _said(given: Iterable[Said]) -> tuple[Said, ...]:
    """Each value once, by who said it first; in an order that does not depend on the writes'."""
    first: dict[tuple[str, str], Said] = {}
    for one in given:
        key = (one.field, squeezed(one.value))
        held = first.get(key)
        if held is None or _signature(one) < _signature(held):
            first[key] = one
    return tuple(sorted(first.values(), key=lambda one: (one.field, one.value)))


def _signature(one: Said) -> tuple[bool, str, str, str, str]:
    at = "" if one.at is None else one.at.isoformat()
    return one.at is None, at, one.puzzle, one.run, one.value


def _extra(held: Mapping[str, JsonValue], new: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Both; of two values of one name the first, the other stands in ``said``."""
    return dict(sorted({**new, **held}.items()))
