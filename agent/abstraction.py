"""Lifting: how one step of an episode is written so that it fits other episodes.

Two games never share the mug or the shelf, but they share the shape "take what the goal names
first from where it lies". ``Lifter`` writes goals, states and actions in that shape: things the
goal names become slots (``<1>``, ``<2>`` in the order of the goal), instance numbers go, other
things stay as their class. Nothing here knows a benchmark; ``deeds`` says what a thing is.

Where a world numbers nothing, lifting leaves the words as they are, and memory still matches on
them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

from pydantic import BaseModel, ConfigDict

from .deeds import deed, in_force, things, unnumbered, without_things

_WORD = re.compile(r"[a-z<][a-z0-9_>]*")
_GLUE = frozenset("a an the some of to in on at it and you your with from under is are".split())


class LiftedState(BaseModel):
    """A state in lifted form; each field is one facet that the step kernel compares.

    ``goal`` is the goal with slots, ``fillers`` what the slots stand for, ``done`` the actions so
    far that changed the world and were not undone,
    ``last`` the last action, ``here`` the slots in sight, ``signs`` the words of the observation
    that are neither things nor glue.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    goal: str
    fillers: tuple[str, ...]
    done: tuple[str, ...]
    last: str
    here: tuple[str, ...]
    signs: tuple[str, ...]

    def facets(self) -> dict[str, str]:
        """The fields as plain strings, for the journal."""
        return {
            "goal": self.goal,
            "fillers": " ".join(self.fillers),
            "done": " ; ".join(self.done),
            "last": self.last,
            "here": " ".join(self.here),
            "signs": " ".join(self.signs),
        }

    @classmethod
    def from_facets(cls, facets: dict[str, str]) -> LiftedState:
        """The inverse of ``facets``."""
        return _parse(*(facets.get(name, "") for name in cls.model_fields))

    def text(self) -> str:
        """What is searched: the goal as it was said, then where in the task this is."""
        goal = self.goal
        for number, filler in enumerate(self.fillers, start=1):
            goal = goal.replace(f"<{number}>", filler)
        done = ", ".join(self.done) or "nothing"
        return f"{goal}. done: {done}. last: {self.last or 'start'}. {' '.join(self.signs)}"


@lru_cache(8192)
def _parse(goal: str, fillers: str, done: str, last: str, here: str, signs: str) -> LiftedState:
    """A state from its facets; the steps that are held are read again at every step."""
    return LiftedState(
        goal=goal,
        fillers=tuple(fillers.split()),
        done=tuple(done.split(" ; ")) if done else (),
        last=last,
        here=tuple(here.split()),
        signs=tuple(signs.split()),
    )


class Lifter:
    """Writes goals, actions and states in lifted form.

    It learns from what it is shown which goal words are things and which are fixed ("put",
    "clean"). A word seen with a number is a thing. A word that was not, in an episode whose goal
    names it, is fixed: at once if the episode was a success, which met everything its goal names,
    and after ``patience`` failures, which may have missed it. A goal word never met before is
    taken for a thing. ``wins`` counts the successes it was shown.
    """

    def __init__(self, patience: int = 3) -> None:
        self.patience = patience
        self.things: set[str] = set()
        self.missed: Counter[str] = Counter()
        self.wins = 0

    def learn(self, goal: str, texts: Iterable[str], *, success: bool) -> None:
        """Take in a finished episode: its goal, and the texts in which things were named."""
        self.wins += success
        for text in texts:
            self.things |= things(text)
        unseen = set(_WORD.findall(goal.lower())) - self.things
        self.missed.update(dict.fromkeys(unseen, self.patience if success else 1))

    def fixed(self, word: str) -> bool:
        """True if a goal word is known to stand for itself."""
        return word in _GLUE or (word not in self.things and self.missed[word] >= self.patience)

    def slots(self, goal: str, seen: Iterable[str] = ()) -> tuple[str, ...]:
        """The goal's things in the order in which the goal names them."""
        met = self.things.union(seen)
        found: list[str] = []
        for word in _WORD.findall(goal.lower()):
            unknown = bool(self.missed) and not self.fixed(word)
            if (word in met or unknown) and word not in found:
                found.append(word)
        return tuple(found)

    def lift_goal(self, goal: str, slots: Sequence[str]) -> str:
        """The goal with slots for its things, without punctuation and articles."""
        words = (w for w in _WORD.findall(goal.lower()) if w not in {"a", "an", "the", "some"})
        return " ".join(_slot(word, slots) for word in words)

    def lift_action(self, action: str, slots: Sequence[str]) -> str:
        """The action with slots for the goal's things and classes for the others."""
        words = unnumbered(action).split()
        return " ".join(_slot(word, slots) for word in words)

    def lift_state(
        self, goal: str, observation: str, history: Sequence[str], slots: Sequence[str]
    ) -> LiftedState:
        """The state after ``history`` (the actions so far, oldest first)."""
        seen = things(observation)
        signs = [
            word
            for word in _WORD.findall(without_things(observation))
            if word not in _GLUE and word not in slots
        ]
        return LiftedState(
            goal=self.lift_goal(goal, slots),
            fillers=tuple(slots),
            done=_progress(history, slots),
            last=self.lift_action(history[-1], slots) if history else "",
            here=tuple(_slot(thing, slots) for thing in slots if thing in seen),
            signs=tuple(dict.fromkeys(signs))[:12],
        )


def _slot(word: str, slots: Sequence[str]) -> str:
    return f"<{slots.index(word) + 1}>" if word in slots else word


def _progress(history: Sequence[str], slots: Sequence[str]) -> tuple[str, ...]:
    """Verb and thing of each deed in force: "take <1>"; the place is not part of the progress."""
    found: list[str] = []
    for place in in_force(history, slots or None):
        now = deed(history[place])
        assert now is not None, "only deeds are in force"
        found.append(f"{now.verb} {_slot(now.kind, slots)}")
    return tuple(found)
