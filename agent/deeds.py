"""Deeds: the actions of a text world that change it, and which of them still count.

A *thing* is a word that the world writes with a number behind it ("drawer 3"), the usual form of
text worlds. An action on one thing changes the view; an action that relates two ("take mug 1 from
desk 2") changes the world and is a *deed*. To take a thing out and to put it back is no progress,
and of a success only those deeds matter that touch what the goal names.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

_THING = re.compile(r"\b([a-z][a-z_]*) (\d+)\b")
_OUT = frozenset("from off out".split())
_IN = frozenset("to in on into onto".split())


@dataclass(frozen=True)
class Deed:
    """A deed taken apart: what it was done to, with or at what else, and the words around.

    ``way`` is ``out`` or ``in`` where the deed moves its thing from or to a place, else ``with``.
    """

    verb: str
    thing: str
    others: tuple[str, ...]
    way: str

    @property
    def kind(self) -> str:
        """The class of the thing: ``mug`` of ``mug 1``."""
        return self.thing.rsplit(" ", 1)[0]


@lru_cache(4096)
def things(text: str) -> frozenset[str]:
    """The classes of the numbered things a text names: ``{"drawer", "mug"}``.

    Kept, as ``deed`` is: what an episode has seen so far is read again at each of its steps.
    """
    return frozenset(match[1] for match in _THING.finditer(text.lower()))


def numbered(text: str) -> set[str]:
    """The things a text names, with their numbers: ``{"drawer 3", "mug 1"}``."""
    return {match[0] for match in _THING.finditer(text.lower())}


def unnumbered(text: str) -> str:
    """The text with classes in place of things: "take mug from desk"."""
    return _THING.sub(lambda match: match[1], text.lower())


def without_things(text: str) -> str:
    """The text's other words."""
    return _THING.sub(" ", text.lower())


@lru_cache(4096)
def deed(action: str) -> Deed | None:
    """The action as a deed; None if it relates no two things."""
    text = action.lower()
    found = list(_THING.finditer(text))
    if len(found) < 2:
        return None
    between = set(re.findall(r"[a-z]+", text[found[0].end() : found[1].start()]))
    way = "out" if between & _OUT else "in" if between & _IN else "with"
    return Deed(
        verb=text[: found[0].start()].strip(),
        thing=found[0][0],
        others=tuple(match[0] for match in found[1:]),
        way=way,
    )


def is_deed(action: str) -> bool:
    """True if the action relates two things, as in "take mug 1 from desk 2"."""
    return deed(action) is not None


def in_force(actions: Sequence[str], wanted: Collection[str] | None = None) -> list[int]:
    """The places of the deeds that were not undone.

    A thing taken out and put back, or put in and taken out again, is where it was. A thing whose
    class is not ``wanted`` need not even go back: moved anywhere, it is out of the way.
    """
    standing: dict[str, list[tuple[int, Deed]]] = {}
    for place, action in enumerate(actions):
        now = deed(action)
        if now is None:
            continue
        before = standing.setdefault(now.thing, [])
        if before and _undoes(now, before[-1][1], wanted):
            before.pop()
        else:
            before.append((place, now))
    return sorted(place for deeds in standing.values() for place, _ in deeds)


def _undoes(now: Deed, before: Deed, wanted: Collection[str] | None) -> bool:
    if {now.way, before.way} != {"in", "out"}:
        return False
    return now.others == before.others or (wanted is not None and now.kind not in wanted)


def that_mattered(actions: Sequence[str], wanted: Collection[str]) -> list[int]:
    """The places of a success's deeds without which it would not have been one, by hindsight.

    Backwards from the last action: a deed matters if it was done to a thing whose class is
    ``wanted`` (what the goal names), or to one that a later such action used.
    """
    used = numbered(actions[-1]) if actions else set[str]()
    kept: list[int] = []
    for place in reversed(in_force(actions)):
        now = deed(actions[place])
        assert now is not None, "only deeds are in force"
        if now.kind in wanted or now.thing in used or not wanted:
            kept.append(place)
            used.update(now.others)
    return kept[::-1]
