"""A generated world of conversations: what people told an assistant over a year, and what is true.

Shaped like HaluMem's: lives in sessions, facts that are set, change, return and end, false claims
by the assistant that the user never confirms, and questions about the state. Nothing here calls a
language model: a life follows from its seed, and its gold from the acts that its texts carry.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from random import Random
from typing import Literal

from .life_plot import USER, Beat, Key, Kind, Plot, Step, after, plot
from .life_speech import Phrases, Speech
from .life_words import ATTRIBUTES, USERS, Attribute, Person

STATES: tuple[Kind, ...] = ("set", "change", "revert", "negate", "confirm")
"""The kinds of act that say what is true."""

ProbeKind = Literal["basic", "update", "history", "conflict", "boundary", "ended"]
"""What a question is about: a value never changed, one that changed, an earlier one, one that the
assistant made a false claim on, one never told, or one that ended."""

START = datetime(2024, 1, 8, tzinfo=UTC)
MOMENT = timedelta(seconds=1)
"""Less than what lies between any two messages."""


@dataclass(frozen=True)
class Persona:
    """Who talks to the assistant, and the relatives they tell of."""

    id: str
    name: str
    relatives: tuple[Person, ...]


@dataclass(frozen=True)
class Act:
    """Something a message does to an attribute of a subject, or only seems to.

    ``value`` is what is said, empty where an end or a question names none; ``old`` is what it
    replaces, ends or denies. ``utterances`` carry it: two for a ``confirm``, the assistant's claim
    and the user's yes, else one. The last of them is when it happened.
    """

    kind: Kind
    subject: str
    attribute: str
    value: str
    old: str
    at: datetime
    utterances: tuple[str, ...]

    @property
    def key(self) -> Key:
        """Its subject and attribute."""
        return self.subject, self.attribute

    @property
    def utterance(self) -> str:
        """The id of the message it happened in."""
        return self.utterances[-1]


@dataclass(frozen=True)
class Utterance:
    """One message; ``turn`` counts from 0 within the session."""

    id: str
    session: int
    turn: int
    at: datetime
    role: Literal["user", "assistant"]
    speaker: str
    text: str


@dataclass(frozen=True)
class StateRow:
    """What is true of an attribute, and since when these values are."""

    subject: str
    attribute: str
    values: tuple[str, ...]
    since: datetime


@dataclass(frozen=True)
class Probe:
    """A question, and the values its answer must name: none (``gold`` empty), or all of them.

    It asks as of ``at``; ``about`` is the moment whose state answers it, which lies before ``at``
    for questions like "where did I live before?".
    """

    id: str
    question: str
    at: datetime
    about: datetime
    kind: ProbeKind
    subject: str
    attribute: str
    gold: tuple[str, ...]


@dataclass(frozen=True)
class Life:
    """A persona, everything that was said, what it did, and questions about it."""

    persona: Persona
    utterances: tuple[Utterance, ...]
    acts: tuple[Act, ...]
    probes: tuple[Probe, ...] = ()

    @cached_property
    def end(self) -> datetime:
        """Just after the last message."""
        return self.utterances[-1].at + MOMENT

    def sessions(self) -> Iterator[tuple[Utterance, ...]]:
        """The messages of each session, in order."""
        for number in range(self.utterances[-1].session + 1):
            yield tuple(u for u in self.utterances if u.session == number)

    def state_at(self, moment: datetime) -> tuple[StateRow, ...]:
        """What is true at ``moment``; attributes with no value have no row."""
        rows: dict[Key, StateRow] = {}
        for act in self.acts:
            if act.at > moment or act.kind not in STATES:
                continue
            before = rows[act.key].values if act.key in rows else ()
            values = after(before, _step(act))
            if values != before:
                rows[act.key] = StateRow(*act.key, values, act.at)
        return tuple(row for row in rows.values() if row.values)

    def values_at(self, key: Key, moment: datetime) -> tuple[str, ...]:
        """What is true of one attribute at ``moment``, in the order it became so."""
        values: tuple[str, ...] = ()
        for act in self.acts:
            if act.key == key and act.at <= moment:
                values = after(values, _step(act))
        return values


def generate(personas: int, *, seed: int, phrases: Phrases = "all") -> list[Life]:
    """``personas`` lives, the same ones for the same arguments."""
    return [_live(number, Random(f"life {seed} {number}"), phrases) for number in range(personas)]


def ask(attribute: Attribute, subject: str, *, form: int = 0) -> str:
    """The question for the value of an attribute."""
    forms = attribute.ask if subject == USER else (attribute.ask_of.format(who=subject),)
    return forms[form % len(forms)]


def _live(number: int, rng: Random, phrases: Phrases) -> Life:
    story = plot(rng)
    persona = Persona(
        f"p{number}", USERS[(number + rng.randrange(2)) % len(USERS)], story.relatives
    )
    utterances, acts = _talk(persona, story, Speech(rng, story.relatives, phrases), rng)
    life = Life(persona, tuple(utterances), tuple(acts))
    return replace(life, probes=tuple(_probes(life, rng)))


def _talk(
    persona: Persona, story: Plot, speech: Speech, rng: Random
) -> tuple[list[Utterance], list[Act]]:
    """Every session in words, on days spread over a year."""
    utterances: list[Utterance] = []
    acts: list[Act] = []
    days = sorted(rng.sample(range(365), len(story.sessions)))
    for session, (day, beats) in enumerate(zip(days, story.sessions, strict=True)):
        start = START + timedelta(days=day, hours=rng.randint(7, 21), minutes=rng.randrange(60))
        log = _Log(persona, session, start, rng, utterances, acts)
        for beat in beats:
            _exchange(beat, speech, log)
    return utterances, acts


@dataclass
class _Log:
    """Writes down the messages of one session, and the acts they carry."""

    persona: Persona
    session: int
    clock: datetime
    rng: Random
    utterances: list[Utterance]
    acts: list[Act]
    turn: int = 0

    def write(self, role: Literal["user", "assistant"], text: str, steps: Sequence[Step]) -> None:
        """One message, some seconds after the one before."""
        self.clock += timedelta(seconds=self.rng.randint(15, 90))
        name = f"{self.persona.id}.s{self.session:02}.t{self.turn:02}"
        speaker = self.persona.name if role == "user" else "assistant"
        self.utterances.append(
            Utterance(name, self.session, self.turn, self.clock, role, speaker, text)
        )
        for step in steps:
            ids = (self.utterances[-2].id, name) if step.kind == "confirm" else (name,)
            key = (step.subject, step.attribute)
            self.acts.append(Act(step.kind, *key, step.value, step.old, self.clock, ids))
        self.turn += 1


def _exchange(beat: Beat, speech: Speech, log: _Log) -> None:
    """A message and its reply. A claim that will be confirmed is no act until it is."""
    text, said = speech.told(beat.says)
    log.write("user", text, said)
    if beat.claim is None:
        log.write("assistant", speech.replied(said), ())
        return
    false = () if beat.claim.kind == "confirm" else (beat.claim,)
    log.write("assistant", speech.claimed(beat.claim), false)


def _step(act: Act) -> Step:
    return Step(act.kind, act.subject, act.attribute, act.value, act.old)


def _probes(life: Life, rng: Random) -> Iterator[Probe]:
    """Questions for every attribute at the end, and for some as of a moment on the way."""
    keys = [(USER, name) for name in ATTRIBUTES]
    keys += sorted({act.key for act in life.acts if act.kind in STATES and act.subject != USER})
    number = 0
    for key in keys:
        told = [act for act in life.acts if act.key == key and act.kind in STATES]
        for probe in _about(life, key, told, rng):
            yield replace(probe, id=f"{life.persona.id}.q{number:02}")
            number += 1


def _about(life: Life, key: Key, told: Sequence[Act], rng: Random) -> Iterator[Probe]:
    """The questions for one attribute, without ids."""
    attribute = ATTRIBUTES[key[1]]
    question = ask(attribute, key[0], form=rng.randrange(2))

    def put(kind: ProbeKind, text: str, at: datetime, about: datetime) -> Probe:
        return Probe("", text, at, about, kind, *key, life.values_at(key, about))

    yield put(_kind(life, key, told), question, life.end, life.end)
    if len(told) < 2:
        return
    if not attribute.many and told[-1].kind in ("change", "revert"):
        before = attribute.before if key[0] == USER else attribute.before_of.format(who=key[0])
        yield put("history", before, life.end, told[-1].at - MOMENT)
    midway = rng.choice([act for act in told[:-1] if act.kind != "negate"]).at + MOMENT
    yield put("history", question, midway, midway)


def _kind(life: Life, key: Key, told: Sequence[Act]) -> ProbeKind:
    """What sort of question the one for the value now is."""
    if any(act.kind == "false_claim" and act.key == key for act in life.acts):
        return "conflict"
    if not told:
        return "boundary"
    if not life.values_at(key, life.end):
        return "ended"
    return "update" if len(told) > 1 else "basic"
