"""How well a memory keeps a generated life: what it extracts, resists, updates and answers.

HaluMem's questions, with one fixed denominator for each number: every act, claim and probe counts,
whether or not the system has anything to say about it. Facts are matched by their value and the
message they come from, never by the name a system gives to an attribute.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from .life import MOMENT, STATES, Act, Life, Persona, Probe, Utterance, ask
from .life_judge import (
    Outcome,
    Tally,
    about,
    denies,
    judge,
    judge_values,
    named,
    names,
    plain,
    tally,
)
from .life_plot import USER, Key
from .life_words import ATTRIBUTES, STRANGERS, Person

UPDATES = ("change", "revert", "negate")
"""The kinds of act that a memory has to update for."""


@dataclass(frozen=True)
class KnownFact:
    """Something a memory holds. ``valid_to`` is None while it holds; ``sources`` are message ids.

    An unconfirmed fact is held in doubt: it is counted neither for nor against the memory.
    """

    subject: str
    attribute: str
    value: str
    valid_from: datetime
    valid_to: datetime | None
    sources: tuple[str, ...]
    confirmed: bool


class Rememberer(Protocol):
    """A memory under test. Sessions come in order; ``as_of`` asks for an earlier moment."""

    def hear(self, utterances: Sequence[Utterance]) -> None:
        """Take in one session."""
        ...

    def facts(self) -> Sequence[KnownFact]:
        """All that it holds, past and present."""
        ...

    def current(
        self, subject: str, attribute: str, *, as_of: datetime | None = None
    ) -> tuple[str, ...]:
        """What holds of "user" or of a relative ("my sister Ana"); none if nothing is known."""
        ...

    def answer(self, question: str, *, as_of: datetime | None = None) -> str | None:
        """A short answer that names the values and no others, or None to abstain."""
        ...


@dataclass(frozen=True)
class LifeReport:
    """The numbers over all lives; shares are None where there is nothing to share.

    ``recall``: facts told that are held with their source; ``weighted_recall`` by importance.
    ``precision``: held facts that were true when told, of all held; ``target_precision`` of those
    whose value is a word of this world. ``resistance``: false claims that are not believed, neither
    after their session nor at the end. ``updates`` are asked after their session, ``updates_late``
    at the end as of that moment; a negation that ends what was not known is an omission.
    ``state`` is what is current at the end, ``fabricated`` the share of all questions and current
    attributes for which something is named that the user never said.
    """

    lives: int
    told: int
    recall: float | None
    weighted_recall: float | None
    facts: int
    precision: float | None
    target_facts: int
    target_precision: float | None
    claims: int
    resistance: float | None
    updates: Mapping[str, Tally]
    updates_late: Mapping[str, Tally]
    questions: Mapping[str, Tally]
    state: Tally
    asked: int
    fabricated: float | None

    def rows(self) -> list[tuple[str, float | None, int]]:
        """Name, value between 0 and 1, and how many cases it is a share of."""
        found: list[tuple[str, float | None, int]] = [
            ("extraction recall", self.recall, self.told),
            ("extraction recall, weighted", self.weighted_recall, self.told),
            ("precision", self.precision, self.facts),
            ("precision, on target", self.target_precision, self.target_facts),
            ("false-memory resistance", self.resistance, self.claims),
            ("fabricated", self.fabricated, self.asked),
            *_shares("state", self.state),
        ]
        groups = (
            ("update", self.updates),
            ("late update", self.updates_late),
            ("question", self.questions),
        )
        for name, tallies in groups:
            found += _shares(f"{name}, all", total(tallies.values()))
            for kind, counted in sorted(tallies.items()):
                found += _shares(f"{name}, {kind}", counted)
        return found


def total(tallies: Iterable[Tally]) -> Tally:
    """Several tallies as one."""
    listed = list(tallies)
    return Tally(
        sum(one.correct for one in listed),
        sum(one.hallucination for one in listed),
        sum(one.omission for one in listed),
    )


def score(lives: Sequence[Life], make: Callable[[Persona], Rememberer]) -> LifeReport:
    """Lets a fresh memory hear each life, questions it on the way and at the end."""
    counts = _Counts()
    for life in lives:
        _Hearing(life, make(life.persona), counts).run()
    return counts.report(len(lives))


def _shares(name: str, counted: Tally) -> list[tuple[str, float | None, int]]:
    kinds: tuple[Outcome, ...] = ("correct", "hallucination", "omission")
    return [(f"{name}: {kind}", counted.share(kind), counted.n) for kind in kinds]


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _outcomes() -> dict[str, list[Outcome]]:
    return defaultdict(list)


@dataclass
class _Counts:
    """What has been seen so far, over all lives."""

    told: list[tuple[bool, float]] = field(default_factory=list[tuple[bool, float]])
    facts: list[tuple[bool, bool]] = field(default_factory=list[tuple[bool, bool]])
    resisted: list[bool] = field(default_factory=list[bool])
    updates: dict[str, list[Outcome]] = field(default_factory=_outcomes)
    late: dict[str, list[Outcome]] = field(default_factory=_outcomes)
    questions: dict[str, list[Outcome]] = field(default_factory=_outcomes)
    state: list[Outcome] = field(default_factory=list[Outcome])
    fabricated: list[bool] = field(default_factory=list[bool])

    def report(self, lives: int) -> LifeReport:
        """The numbers."""
        weight = sum(importance for _, importance in self.told)
        target = [true for true, on_target in self.facts if on_target]
        return LifeReport(
            lives=lives,
            told=len(self.told),
            recall=_share(sum(hit for hit, _ in self.told), len(self.told)),
            weighted_recall=_share(sum(w for hit, w in self.told if hit), weight),
            facts=len(self.facts),
            precision=_share(sum(true for true, _ in self.facts), len(self.facts)),
            target_facts=len(target),
            target_precision=_share(sum(target), len(target)),
            claims=len(self.resisted),
            resistance=_share(sum(self.resisted), len(self.resisted)),
            updates={kind: tally(seen) for kind, seen in self.updates.items()},
            updates_late={kind: tally(seen) for kind, seen in self.late.items()},
            questions={kind: tally(seen) for kind, seen in self.questions.items()},
            state=tally(self.state),
            asked=len(self.fabricated),
            fabricated=_share(sum(self.fabricated), len(self.fabricated)),
        )


class _Hearing:
    """One life told to one memory."""

    def __init__(self, life: Life, memory: Rememberer, counts: _Counts) -> None:
        self._life = life
        self._memory = memory
        self._counts = counts
        self._people: tuple[Person, ...] = (*life.persona.relatives, *STRANGERS)
        self._session = {u.id: u.session for u in life.utterances}
        self._ends = {u.session: u.at + MOMENT for u in life.utterances}

    def run(self) -> None:
        """Session by session, then everything that is asked at the end."""
        believed: set[Act] = set()
        for number, session in enumerate(self._life.sessions()):
            acts = [act for act in self._life.acts if self._session[act.utterance] == number]
            updates = [act for act in acts if act.kind in UPDATES]
            knew = [self._knew(act, None) for act in updates]
            self._memory.hear(session)
            for act, known in zip(updates, knew, strict=True):
                self._counts.updates[act.kind].append(self._updated(act, None, known))
            claims = [act for act in acts if act.kind == "false_claim"]
            believed.update(act for act in claims if self._believes(act))
        self._late_updates()
        self._claims(believed)
        self._facts()
        self._state()
        self._questions()

    def _knew(self, act: Act, as_of: datetime | None) -> bool:
        """True unless ``act`` ends something that the memory doesn't hold to be so."""
        question = ask(ATTRIBUTES[act.attribute], act.subject)
        return act.kind != "negate" or names(self._memory.answer(question, as_of=as_of), act.old)

    def _updated(self, act: Act, as_of: datetime | None, knew: bool) -> Outcome:
        """The answer after the act's session, which must name what the act made true."""
        attribute = ATTRIBUTES[act.attribute]
        gold = self._life.values_at(act.key, self._ends[self._session[act.utterance]])
        needed = (act.value,) if act.value else ()
        answer = self._memory.answer(ask(attribute, act.subject), as_of=as_of)
        outcome = judge(answer, gold, attribute.name, needed=needed)
        return "omission" if outcome == "correct" and not knew else outcome

    def _late_updates(self) -> None:
        for act in self._life.acts:
            if act.kind in UPDATES:
                knew = self._knew(act, act.at - MOMENT)
                then = self._ends[self._session[act.utterance]]
                self._counts.late[act.kind].append(self._updated(act, then, knew))

    def _claims(self, believed: set[Act]) -> None:
        for act in self._life.acts:
            if act.kind == "false_claim":
                self._counts.resisted.append(act not in believed and not self._believes(act))

    def _believes(self, claim: Act) -> bool:
        """True if the claimed value is held as a fact, is current, or is answered."""
        attribute = ATTRIBUTES[claim.attribute]
        held = any(
            fact.confirmed
            and names(fact.value, claim.value)
            and about(fact.subject, claim.subject, self._people)
            for fact in self._memory.facts()
        )
        answer = self._memory.answer(ask(attribute, claim.subject))
        return held or any(names(text, claim.value) for text in (*self._current(claim.key), answer))

    def _current(self, key: Key) -> tuple[str, ...]:
        """What the memory knows under the attribute's name, or else under a synonym."""
        attribute = ATTRIBUTES[key[1]]
        for word in (attribute.name, *attribute.synonyms):
            if values := tuple(self._memory.current(key[0], word)):
                return values
        return ()

    def _facts(self) -> None:
        held = [fact for fact in self._memory.facts() if fact.confirmed]
        for act in self._life.acts:
            if act.kind in STATES and act.value:
                hit = any(self._carries(fact, act) for fact in held)
                self._counts.told.append((hit, ATTRIBUTES[act.attribute].importance))
        said = _statements(self._life)
        for fact in held:
            true = any(
                names(fact.value, value)
                and about(fact.subject, subject, self._people)
                and (fact.valid_to is not None or not past)
                for source in fact.sources
                for subject, value, past in said[source]
            )
            known = any(named(fact.value, attribute) for attribute in ATTRIBUTES)
            self._counts.facts.append((true, known))

    def _carries(self, fact: KnownFact, act: Act) -> bool:
        return (
            not set(fact.sources).isdisjoint(act.utterances)
            and names(fact.value, act.value)
            and about(fact.subject, act.subject, self._people)
        )

    def _state(self) -> None:
        for key in dict.fromkeys((probe.subject, probe.attribute) for probe in self._life.probes):
            values = self._current(key)
            gold = self._life.values_at(key, self._life.end)
            self._counts.state.append(judge_values(values, gold, key[1]))
            self._counts.fabricated.append(self._fabricates(values, key[1]))

    def _questions(self) -> None:
        for probe in self._life.probes:
            answer = self._memory.answer(probe.question, as_of=self._moment(probe))
            self._counts.questions[probe.kind].append(judge(answer, probe.gold, probe.attribute))
            texts = () if answer is None else (answer,)
            self._counts.fabricated.append(self._fabricates(texts, probe.attribute))

    def _moment(self, probe: Probe) -> datetime | None:
        return None if probe.at == self._life.end else probe.at

    def _fabricates(self, texts: Iterable[str], attribute: str) -> bool:
        """True if a text names a value, or is one itself, that the user never said or agreed to."""
        said = _said(self._life)
        return any(
            plain(value) not in said
            for text in texts
            for value in named(text, attribute) or (() if denies(text) else (text,))
        )


def _said(life: Life) -> str:
    """All the user's words, and the values of claims the user agreed to."""
    texts = [u.text for u in life.utterances if u.role == "user"]
    texts += [act.value for act in life.acts if act.kind == "confirm"]
    return "|".join(plain(text) for text in texts)


def _statements(life: Life) -> Mapping[str, list[tuple[str, str, bool]]]:
    """What each message lets one hold to be true: a subject, a value, and whether only as past.

    That is what holds at the time, what the user agrees to, strangers' facts, and as past what is
    replaced or mentioned ("when I lived in …").
    """
    said: dict[str, list[tuple[str, str, bool]]] = defaultdict(list)
    for spoken in life.utterances:
        rows = life.state_at(spoken.at)
        said[spoken.id] = [(row.subject, value, False) for row in rows for value in row.values]
    for act in life.acts:
        for source in act.utterances:
            if act.kind == "confirm":
                said[source].append((act.subject, act.value, False))
            elif act.kind == "chatter":
                said[source].append((act.subject, act.value, act.subject == USER))
            elif act.kind in STATES and act.old:
                said[source].append((act.subject, act.old, True))
    return said
