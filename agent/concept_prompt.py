"""Concepts as a model reads them: numbered, typed, with their origin, within a token budget.

What was recalled is data. Every value stands on its own line without line breaks of its own, so
that no recalled text can open or close a block, and every block begins with its number and tells
where it came from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from ..memory.records import ConceptPayload

FEW = 3
"""Cues, hints or negative cues of one concept that are shown."""
LONGEST = 300
"""Characters of one value; a longer one ends in dots."""


@dataclass(frozen=True)
class Candidate:
    """A concept that memory offers; plain data, without the memory it came from."""

    id: str
    payload: ConceptPayload
    score: float = 0.0
    origin: str = ""
    """Who wrote it, and how far it is trusted."""
    uses: int = 1
    """Puzzles it is known to have helped with."""

    @property
    def name(self) -> str:
        """What it is called; of a lesson the beginning of its situation if it has no title."""
        return _line(self.payload.title or self.payload.situation, 80)


@dataclass(frozen=True)
class Fit:
    """What ``giver`` makes fits the parameter of ``taker``: ids and the parameter's name."""

    giver: str
    taker: str
    parameter: str


class Depth(IntEnum):
    """How much of a concept is shown."""

    NAME = 0
    BRIEF = 1
    FULL = 2


@dataclass(frozen=True)
class Rendered:
    """What is shown. ``numbers`` maps the number of a concept to its id; folded ones have none."""

    text: str
    numbers: Mapping[int, str]
    folded: tuple[str, ...] = ()


def notes(
    candidates: Sequence[Candidate],
    fits: Sequence[Fit] = (),
    *,
    count: Callable[[str], int],
    budget: int,
    least_uses: int = 0,
    others: Sequence[str] = (),
) -> Rendered:
    """The concepts in their order, best first, each as fully as it fits ``budget`` tokens.

    One used less than ``least_uses`` times is folded: its name alone is told. So is one that does
    not fit, as long as names do; ``others`` are more names to tell. Numbers are places in
    ``candidates`` from 1. However small the budget, the best one's name is told.
    """
    places = {one.id: number for number, one in enumerate(candidates, 1)}
    left = budget
    depths: dict[int, Depth] = {}
    names: list[Candidate] = []
    for number, one in enumerate(candidates, 1):
        tried = [] if one.uses < least_uses else [Depth.FULL, Depth.BRIEF]
        for depth in tried:
            need = count(shown(one, number, depth, _taken(one, fits, places))) + 1
            if need <= left:
                depths[number] = depth
                left -= need
                break
        else:
            names.append(one)
    numbers = {number: candidates[number - 1].id for number in depths}
    seen = {one: number for number, one in numbers.items()}  # hints name only what is shown
    blocks = [
        shown(one, number, depth, _taken(one, fits, seen))
        for number, depth in depths.items()
        for one in (candidates[number - 1],)
    ]
    told = [one.name for one in names] + [_line(name, 80) for name in others]
    folded = _names_line(told, count, left)
    if not blocks and not folded and told:
        folded = told[0]
    text = "\n\n".join([*blocks, folded] if folded else blocks)
    return Rendered(text, numbers, tuple(one.id for one in names))


def listing(
    candidates: Sequence[Candidate],
    fits: Sequence[Fit] = (),
    *,
    count: Callable[[str], int],
    budget: int,
) -> Rendered:
    """The numbered list to choose from: all briefly, then the best ones fully while it fits.

    What does not fit even briefly is left out; one is always there.
    """
    places = {one.id: number for number, one in enumerate(candidates, 1)}
    hints = [_taken(one, fits, places) for one in candidates]
    brief = [
        shown(one, n, Depth.BRIEF, hint)
        for n, (one, hint) in enumerate(zip(candidates, hints, strict=True), 1)
    ]
    kept: dict[int, str] = {}
    left = budget
    for number, block in enumerate(brief, 1):
        if count(block) + 1 <= left or number == 1:
            kept[number] = block
            left -= count(block) + 1
    for number in list(kept):
        full = shown(candidates[number - 1], number, Depth.FULL, hints[number - 1])
        more = count(full) - count(kept[number])
        if more <= left:
            kept[number] = full
            left -= more
    numbers = {number: candidates[number - 1].id for number in kept}
    return Rendered("\n".join(kept.values()), numbers)


def shown(one: Candidate, number: int, depth: Depth, taken: Mapping[str, Sequence[int]]) -> str:
    """One concept under its number. ``taken`` maps a parameter to the numbers of what fits it."""
    if depth is Depth.NAME:
        return f"{number}. {one.name}"
    payload = one.payload
    lines = _lesson(payload) if payload.form == "open" else _routine(payload, depth, taken)
    if payload.negative_cues and (depth is Depth.FULL or payload.form == "open"):
        seen = sorted(payload.negative_cues, key=lambda cue: -cue.trust)[:FEW]
        lines.append("not if (unsure): " + "; ".join(_line(cue.text) for cue in seen))
    origin = f" [{_line(one.origin, 120)}]" if one.origin and depth is Depth.FULL else ""
    first, rest = lines[0], lines[1:]
    return "\n".join([f"{number}. {first}{origin}", *(f"   {line}" for line in rest)])


def _lesson(payload: ConceptPayload) -> list[str]:
    return [f"when: {_line(payload.situation)}", f"try: {_line(payload.suggestion)}"]


def _routine(
    payload: ConceptPayload, depth: Depth, taken: Mapping[str, Sequence[int]]
) -> list[str]:
    lines = [_head(payload)]
    if payload.body:
        lines.append(_line(payload.body))
    for parameter in payload.parameters:
        fitting = ", ".join(map(str, taken.get(parameter.name, ())))
        said = f" – {_line(parameter.description)}" if parameter.description else ""
        if depth is Depth.FULL:
            typing = _line(parameter.typing) or "any"
            hint = f" (what {fitting} gives fits here)" if fitting else ""
            lines.append(f"{_line(parameter.name, 60)}: {typing}{said}{hint}")
        elif fitting:
            lines.append(f"{_line(parameter.name, 60)}: may come from {fitting}")
    if payload.cues:
        some = payload.cues[: FEW if depth is Depth.FULL else 1]
        lines.append("seen by: " + "; ".join(_line(cue) for cue in some))
    if payload.notes and depth is Depth.FULL:
        lines.append("how: " + "; ".join(_line(note) for note in payload.notes[:FEW]))
    if payload.types and depth is Depth.FULL:
        named = "; ".join(f"{_line(k, 60)} := {_line(v)}" for k, v in sorted(payload.types.items()))
        lines.append(f"types: {named}")
    return lines


def _head(payload: ConceptPayload) -> str:
    """Name, parameters and output: ``slide object(object, direction) -> grid (routine, …)``."""
    names = ", ".join(_line(p.name, 60) for p in payload.parameters)
    called = f"({names})" if payload.parameters else ""
    gives = f" -> {_line(payload.output_type)}" if payload.output_type else ""
    kinds = ", ".join(_line(kind, 60) for kind in (payload.role, payload.subtype) if kind)
    return f"{_line(payload.title, 80)}{called}{gives}{f' ({kinds})' if kinds else ''}"


def _taken(one: Candidate, fits: Sequence[Fit], places: Mapping[str, int]) -> dict[str, list[int]]:
    """For each parameter the numbers of the concepts shown that give what it takes."""
    found: dict[str, list[int]] = {}
    for fit in fits:
        if fit.taker == one.id and fit.giver in places and fit.giver != one.id:
            found.setdefault(fit.parameter, []).append(places[fit.giver])
    return {parameter: sorted(set(numbers)) for parameter, numbers in found.items()}


def _names_line(names: Sequence[str], count: Callable[[str], int], left: int) -> str:
    """As many of the names as fit, in one line; empty if none does."""
    head = "Also known, by name only: "
    kept: list[str] = []
    for name in dict.fromkeys(names):
        if count(head + "; ".join([*kept, name])) + 1 <= left:
            kept.append(name)
    return head + "; ".join(kept) if kept else ""


def _line(text: str, longest: int = LONGEST) -> str:
    """The text on one line, cut at ``longest`` characters."""
    joined = " ".join(text.split())
    return joined if len(joined) <= longest else joined[: longest - 1].rstrip() + "…"
