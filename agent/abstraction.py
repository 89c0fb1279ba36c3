"""Lifting: how one step of an episode is written so that it fits other episodes.

Two games never share the mug or the shelf, but they share the shape "take what the goal names
first from where it lies". ``Lifter`` writes goals, states and actions in that shape: things the
goal names become slots (``<1>``, ``<2>`` in the order of the goal), instance numbers go, other
things stay as their class. Nothing here knows a benchmark: a *thing* is a word that the world
writes with a number behind it ("drawer 3"), the usual form of text worlds.

Where a world numbers nothing, lifting leaves the words as they are, and memory still matches on
them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict

_THING = re.compile(r"\b([a-z][a-z_]*) (\d+)\b")
_WORD = re.compile(r"[a-z<][a-z0-9_>]*")
_GLUE = frozenset("a an the some of to in on at it and you your with from under is are".split())


class LiftedState(BaseModel):
    """A state in lifted form; each field is one facet that the step kernel compares.

    ``goal`` is the goal with slots, ``fillers`` what the slots stand for, ``done`` the actions so
    far that related two things (they change the world; an action on one thing changes the view),
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
        done = facets.get("done", "")
        return cls(
            goal=facets.get("goal", ""),
            fillers=tuple(facets.get("fillers", "").split()),
            done=tuple(done.split(" ; ")) if done else (),
            last=facets.get("last", ""),
            here=tuple(facets.get("here", "").split()),
            signs=tuple(facets.get("signs", "").split()),
        )

    def text(self) -> str:
        """What is searched: the goal as it was said, then where in the task this is."""
        goal = self.goal
        for number, filler in enumerate(self.fillers, start=1):
            goal = goal.replace(f"<{number}>", filler)
        done = ", ".join(self.done) or "nothing"
        return f"{goal}. done: {done}. last: {self.last or 'start'}. {' '.join(self.signs)}"


def things(text: str) -> set[str]:
    """The classes of the numbered things a text names: ``{"drawer", "mug"}``."""
    return {match[1] for match in _THING.finditer(text.lower())}


def numbered(text: str) -> set[str]:
    """The things a text names, with their numbers: ``{"drawer 3", "mug 1"}``."""
    return {match[0] for match in _THING.finditer(text.lower())}


class Lifter:
    """Writes goals, actions and states in lifted form.

    It learns from what it is shown which goal words are things and which are fixed ("put",
    "clean"): a goal word is a slot if it was ever seen as a thing, or if it was never seen as a
    fixed word of a goal, so that a thing never met before is a slot too.
    """

    def __init__(self) -> None:
        self.things: set[str] = set()
        self.fixed: set[str] = set()

    def learn(self, goal: str, texts: Iterable[str]) -> None:
        """Take in a finished episode: the texts in which things were named, and its goal.

        Give the goal of a success only: a failure may never have met the things its goal names.
        """
        for text in texts:
            self.things |= things(text)
        self.fixed |= set(_WORD.findall(goal.lower()))
        self.fixed -= self.things

    def slots(self, goal: str, seen: Iterable[str] = ()) -> tuple[str, ...]:
        """The goal's things in the order in which the goal names them."""
        known = self.things.union(seen)
        found: list[str] = []
        for word in _WORD.findall(goal.lower()):
            unknown = bool(self.fixed) and word not in self.fixed and word not in _GLUE
            if (word in known or unknown) and word not in found:
                found.append(word)
        return tuple(found)

    def lift_goal(self, goal: str, slots: Sequence[str]) -> str:
        """The goal with slots for its things, without punctuation and articles."""
        words = (w for w in _WORD.findall(goal.lower()) if w not in {"a", "an", "the", "some"})
        return " ".join(_slot(word, slots) for word in words)

    def lift_action(self, action: str, slots: Sequence[str]) -> str:
        """The action with slots for the goal's things and classes for the others."""
        words = _THING.sub(lambda match: match[1], action.lower()).split()
        return " ".join(_slot(word, slots) for word in words)

    def lift_state(
        self, goal: str, observation: str, history: Sequence[str], slots: Sequence[str]
    ) -> LiftedState:
        """The state after ``history`` (the actions so far, oldest first)."""
        seen = things(observation)
        signs = [
            word
            for word in _WORD.findall(_THING.sub(" ", observation.lower()))
            if word not in _GLUE and word not in slots
        ]
        return LiftedState(
            goal=self.lift_goal(goal, slots),
            fillers=tuple(slots),
            done=tuple(_deed(action, slots) for action in history if is_deed(action)),
            last=self.lift_action(history[-1], slots) if history else "",
            here=tuple(_slot(thing, slots) for thing in slots if thing in seen),
            signs=tuple(dict.fromkeys(signs))[:12],
        )


def is_deed(action: str) -> bool:
    """True if the action relates two things, as in "take mug 1 from desk 2"."""
    return len(_THING.findall(action.lower())) >= 2


def _slot(word: str, slots: Sequence[str]) -> str:
    return f"<{slots.index(word) + 1}>" if word in slots else word


def _deed(action: str, slots: Sequence[str]) -> str:
    """Verb and first thing: "take <1>"; the place it came from is not part of the progress."""
    match = _THING.search(action.lower())
    assert match is not None, "a deed names things"
    verb = action.lower()[: match.start()].strip()
    return f"{verb} {_slot(match[1], slots)}"
