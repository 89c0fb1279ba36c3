"""What happens in a life, before anybody says it: which attribute takes which value when.

Every (subject, attribute) has a chain: it is set, then perhaps changed, changed back, ended and set
again. A session holds one step of a chain at most, so the order within a session does not matter.
False claims, small talk and questions fill what room is left. No value is drawn twice for the same
(subject, attribute) unless it is meant to return: what was never true stays recognisable.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from .life_words import ATTRIBUTES, RELATIVES, Person

Kind = Literal[
    "set",
    "change",
    "revert",
    "negate",
    "confirm",
    "false_claim",
    "correct",
    "chatter",
    "question_only",
]
"""What an act does: the first five change what is true, the others don't.

``confirm`` is a claim of the assistant's that the user agrees to; ``correct`` denies a false claim.
"""

USER = "user"
"""The subject of what users tell of themselves."""

OF_RELATIVES = ("city", "employer", "job", "car")
"""The attributes that people tell of their relatives."""

Key = tuple[str, str]
"""A subject and an attribute."""


@dataclass(frozen=True)
class Step:
    """One thing that happens to an attribute. ``old`` is what it replaces, ends or denies."""

    kind: Kind
    subject: str
    attribute: str
    value: str = ""
    old: str = ""


@dataclass(frozen=True)
class Beat:
    """One message of the user and its reply.

    ``says`` is empty for small talk; ``claim`` is what the assistant asserts in the reply.
    """

    says: tuple[Step, ...] = ()
    claim: Step | None = None


@dataclass(frozen=True)
class Plot:
    """A whole life: the relatives in it, and its sessions."""

    relatives: tuple[Person, ...]
    sessions: tuple[tuple[Beat, ...], ...]


def plot(rng: Random) -> Plot:
    """A life of 8 to 15 sessions, each of 3 to 10 messages by the user."""
    rooms = [rng.randint(3, 10) for _ in range(rng.randint(8, 15))]
    draft = _Draft(rng, rooms)
    untold = tuple(rng.sample(list(ATTRIBUTES), rng.randint(2, 3)))
    relatives = _relatives(rng)
    keys = [(USER, name) for name in ATTRIBUTES if name not in untold]
    for person in relatives:
        told = rng.sample(OF_RELATIVES, rng.randint(1, 3))
        keys += [(person.phrase, name) for name in told]
    rng.shuffle(keys)
    for key in keys:
        draft.place(_chain(rng, draft, key))
    draft.claim(untold[0])
    for _ in range(rng.randint(3, 5)):
        draft.claim()
    draft.talk()
    return Plot(relatives, tuple(draft.beats(session) for session in range(len(rooms))))


def _relatives(rng: Random) -> tuple[Person, ...]:
    """One or two relatives of different relation, so that either name or relation tells them."""
    first, second = rng.sample(RELATIVES, 2)
    same = first.phrase.split()[:-1] == second.phrase.split()[:-1]
    return (first,) if same or rng.random() < 0.4 else (first, second)


@dataclass
class _Draft:
    """The sessions while they are filled: steps by session, and the messages each has room for."""

    rng: Random
    rooms: list[int]
    steps: dict[int, list[Step]] = field(default_factory=lambda: defaultdict(list))
    pairs: dict[int, list[tuple[Beat, Beat]]] = field(default_factory=lambda: defaultdict(list))
    used: dict[Key, set[str]] = field(default_factory=lambda: defaultdict(set))

    def draw(self, key: Key) -> str:
        """A value that was not yet drawn for ``key``."""
        values = ATTRIBUTES[key[1]].values
        value = self.rng.choice([value for value in values if value not in self.used[key]])
        self.used[key].add(value)
        return value

    def free(self, session: int) -> int:
        """How many more messages the session has room for."""
        return self.rooms[session] - len(self.steps[session]) - 2 * len(self.pairs[session])

    def place(self, chain: Sequence[Step]) -> None:
        """Put the chain's steps in order into sessions with room; what finds none is dropped."""
        open_ = [n for n in range(len(self.rooms)) if self.free(n) > 1]
        chosen = sorted(self.rng.sample(open_, min(len(open_), len(chain))))
        for session, step in zip(chosen, chain, strict=False):
            if step.kind == "confirm":
                self.pairs[session].append((Beat(claim=step), Beat((step,))))
            else:
                self.steps[session].append(step)

    def claim(self, attribute: str = "") -> None:
        """A claim about the user that isn't true; some of those that can be are corrected.

        Without ``attribute`` it is about one that the user has told of by then.
        """
        session = self._roomy()
        *told, taken = [
            {step.attribute for step in self._all(number) if step.subject == USER}
            for number in range(session + 1)
        ]
        names = {attribute} if attribute else set[str]().union(*told)
        if not names - taken:
            return
        key = (USER, self.rng.choice(sorted(names - taken)))
        value = self.draw(key)
        true = self._current(key, session)
        answer = Beat()
        if true and self.rng.random() < 0.4:
            answer = Beat((Step("correct", *key, self.rng.choice(true), value),))
        self.pairs[session].append((Beat(claim=Step("false_claim", *key, value)), answer))

    def _roomy(self) -> int:
        """A session with room for a claim and its answer, the shortest made longer if need be."""
        open_ = [n for n in range(len(self.rooms)) if self.free(n) >= 2]
        if open_:
            return self.rng.choice(open_)
        shortest = min(range(len(self.rooms)), key=lambda n: self.rooms[n])
        self.rooms[shortest] += 2
        return shortest

    def talk(self) -> None:
        """Small talk and questions about attributes, in about half of the room that is left."""
        for session in range(len(self.rooms)):
            for _ in range(self.free(session)):
                chance = self.rng.random()
                name = self.rng.choice(list(ATTRIBUTES))
                if chance < 0.4:
                    value = self.draw((USER, name))
                    self.steps[session].append(Step("chatter", USER, name, value))
                elif chance < 0.55:
                    self.steps[session].append(Step("question_only", USER, name))

    def beats(self, session: int) -> tuple[Beat, ...]:
        """The session's messages in a random order, some with two facts; small talk fills up."""
        facts = [step for step in self.steps[session] if step.kind in _TOLD]
        rest = [step for step in self.steps[session] if step.kind not in _TOLD]
        units: list[list[Beat]] = [list(pair) for pair in self.pairs[session]]
        units += [[Beat((step,))] for step in rest]
        self.rng.shuffle(facts)
        while facts:
            both = len(facts) > 1 and self.rng.random() < 0.2
            units.append([Beat(tuple(facts.pop() for _ in range(2 if both else 1)))])
        while sum(len(unit) for unit in units) < self.rooms[session]:
            units.append([Beat()])
        self.rng.shuffle(units)
        return tuple(beat for unit in units for beat in unit)

    def _all(self, session: int) -> list[Step]:
        """Every step of the session about what is true or claimed."""
        said = [step for pair in self.pairs[session] for step in (pair[0].claim, *pair[1].says)]
        return [*self.steps[session], *(step for step in said if step is not None)]

    def _current(self, key: Key, session: int) -> tuple[str, ...]:
        """What is true of ``key`` after the sessions before ``session``."""
        values: tuple[str, ...] = ()
        for number in range(session):
            for step in self._all(number):
                if (step.subject, step.attribute) == key:
                    values = after(values, step)
        return values


_TOLD = ("set", "change", "revert", "negate")
"""Facts that a user tells unasked."""


def after(values: tuple[str, ...], step: Step) -> tuple[str, ...]:
    """What is true of an attribute after ``step``, given what was."""
    if step.kind not in (*_TOLD, "confirm"):
        return values
    if not ATTRIBUTES[step.attribute].many:
        return () if step.kind == "negate" else (step.value,)
    kept = tuple(value for value in values if value not in (step.old, step.value))
    return kept if step.kind == "negate" else (*kept, step.value)


def _chain(rng: Random, draft: _Draft, key: Key) -> list[Step]:
    """What happens to one attribute over a life, with a rare claim that turns out true."""
    chain = (_many if ATTRIBUTES[key[1]].many else _single)(rng, draft, key)
    if key[0] == USER and rng.random() < 0.12:
        chain[0] = Step("confirm", *key, chain[0].value)
    return chain


def _single(rng: Random, draft: _Draft, key: Key) -> list[Step]:
    """Set; changed up to three times; perhaps changed back, ended, and set again."""
    seen = [draft.draw(key)]
    chain = [Step("set", *key, seen[0])]
    for _ in range(rng.choice((0, 0, 1, 1, 2, 3))):
        value = draft.draw(key)
        chain.append(Step("change", *key, value, seen[-1]))
        seen.append(value)
    if len(seen) > 1 and rng.random() < 0.35:
        value = rng.choice(seen[:-1])
        chain.append(Step("revert", *key, value, seen[-1]))
        seen.append(value)
    if rng.random() < 0.25:
        chain.append(Step("negate", *key, old=seen[-1]))
        if rng.random() < 0.3:
            chain.append(Step("set", *key, draft.draw(key)))
    return chain


def _many(rng: Random, draft: _Draft, key: Key) -> list[Step]:
    """Values come, go, are swapped and come back."""
    held = [draft.draw(key)]
    gone: list[str] = []
    chain = [Step("set", *key, held[0])]
    for _ in range(rng.randint(1, 4)):
        chance = rng.random()
        if gone and chance < 0.3:
            step = Step("revert", *key, gone.pop(rng.randrange(len(gone))))
        elif held and chance < 0.5:
            step = Step("negate", *key, old=held[rng.randrange(len(held))])
        elif held and chance < 0.7:
            step = Step("change", *key, draft.draw(key), held[rng.randrange(len(held))])
        else:
            step = Step("set", *key, draft.draw(key))
        if step.old:
            gone.append(step.old)
        held = list(after(tuple(held), step))
        chain.append(step)
    return chain
