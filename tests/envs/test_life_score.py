"""The scorer, against memories whose faults are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from reverie.envs.life import MOMENT, STATES, Act, Life, Persona, Utterance, generate
from reverie.envs.life_judge import Outcome, Tally, about, judge, judge_values, names
from reverie.envs.life_plot import USER, Key
from reverie.envs.life_score import KnownFact, LifeReport, Rememberer, score, total
from reverie.envs.life_words import ATTRIBUTES, RELATIVES, STRANGERS

LIVES = generate(6, seed=11)
BY_ID = {life.persona.id: life for life in LIVES}


class Oracle:
    """Knows the gold of a life as far as it has heard it."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self.now = life.utterances[0].at - MOMENT
        self.questions: dict[str, tuple[Key, bool]] = {}
        for attribute in ATTRIBUTES.values():
            key = (USER, attribute.name)
            self.questions |= dict.fromkeys(attribute.ask, (key, False))
            self.questions[attribute.before] = (key, True)
            for person in life.persona.relatives if attribute.ask_of else ():
                of = (person.phrase, attribute.name)
                self.questions[attribute.ask_of.format(who=person.phrase)] = (of, False)
                self.questions[attribute.before_of.format(who=person.phrase)] = (of, True)

    def hear(self, utterances: Sequence[Utterance]) -> None:
        self.now = utterances[-1].at

    def heard(self) -> list[Act]:
        return [act for act in self.life.acts if act.at <= self.now]

    def facts(self) -> Sequence[KnownFact]:
        return [self.fact(act) for act in self.heard() if act.kind in STATES and act.value]

    def fact(self, act: Act) -> KnownFact:
        later = [a for a in self.heard() if a.key == act.key and a.at > act.at]
        ends = [a.at for a in later if act.value not in self.life.values_at(act.key, a.at)]
        until = ends[0] if ends else None
        return KnownFact(*act.key, act.value, act.at, until, act.utterances, True)

    def values(self, key: Key, as_of: datetime | None, *, before: bool = False) -> tuple[str, ...]:
        moment = min(as_of or self.now, self.now)
        if before:
            moment = max(a.at for a in self.heard() if a.key == key and a.kind in STATES) - MOMENT
        return self.life.values_at(key, moment)

    def current(
        self, subject: str, attribute: str, *, as_of: datetime | None = None
    ) -> tuple[str, ...]:
        return self.values((subject, attribute), as_of)

    def answer(self, question: str, *, as_of: datetime | None = None) -> str | None:
        key, before = self.questions[question]
        return ", ".join(self.values(key, as_of, before=before)) or None

    def key(self, question: str) -> Key:
        return self.questions[question][0]

    def claims(self, key: Key) -> tuple[str, ...]:
        claims = [a for a in self.heard() if a.kind == "false_claim" and a.key == key]
        return tuple(act.value for act in claims)


class Empty(Oracle):
    """Holds nothing."""

    def facts(self) -> Sequence[KnownFact]:
        return ()

    def values(self, key: Key, as_of: datetime | None, *, before: bool = False) -> tuple[str, ...]:
        return ()


class ClaimsAsFacts(Oracle):
    """Stores what the assistant claims."""

    def facts(self) -> Sequence[KnownFact]:
        claims = [self.fact(act) for act in self.heard() if act.kind == "false_claim"]
        return [*super().facts(), *claims]


class ClaimsAsCurrent(Oracle):
    """Takes claims for the current state."""

    def current(
        self, subject: str, attribute: str, *, as_of: datetime | None = None
    ) -> tuple[str, ...]:
        claims = self.claims((subject, attribute))
        return (*super().current(subject, attribute, as_of=as_of), *claims)


class ClaimsAsAnswers(Oracle):
    """Answers with claims."""

    def answer(self, question: str, *, as_of: datetime | None = None) -> str | None:
        told = (super().answer(question, as_of=as_of), *self.claims(self.key(question)))
        return ", ".join(text for text in told if text) or None


class ClaimsForgotten(Oracle):
    """Believes a claim until the next session."""

    def answer(self, question: str, *, as_of: datetime | None = None) -> str | None:
        last = max(u.session for u in self.life.utterances if u.at <= self.now)
        recent = {u.id for u in self.life.utterances if u.session == last}
        key = self.key(question)
        for act in self.heard() if self.now < self.life.utterances[-1].at else ():
            if act.kind == "false_claim" and act.key == key and act.utterance in recent:
                return act.value
        return super().answer(question, as_of=as_of)


class Stale(Oracle):
    """Keeps the first value of everything."""

    def values(self, key: Key, as_of: datetime | None, *, before: bool = False) -> tuple[str, ...]:
        told = [act for act in self.heard() if act.key == key and act.kind in STATES]
        return self.life.values_at(key, told[0].at) if told else ()


class Timeless(Oracle):
    """Has no past."""

    def values(self, key: Key, as_of: datetime | None, *, before: bool = False) -> tuple[str, ...]:
        return super().values(key, None, before=before)


class Selfish(Oracle):
    """Takes everything to be about the user."""

    def fact(self, act: Act) -> KnownFact:
        return replace(super().fact(act), subject="user")


class Doubtful(Oracle):
    """Confirms nothing."""

    def fact(self, act: Act) -> KnownFact:
        return replace(super().fact(act), confirmed=False)


class Rootless(Oracle):
    """Gives the first message as the source of everything."""

    def fact(self, act: Act) -> KnownFact:
        return replace(super().fact(act), sources=(self.life.utterances[0].id,))


class Gossip(Oracle):
    """Takes small talk for facts, ``closed`` or not."""

    closed = False

    def facts(self) -> Sequence[KnownFact]:
        talk = [act for act in self.heard() if act.kind == "chatter"]
        until = self.now if self.closed else None
        return [replace(self.fact(act), valid_to=until) for act in talk]


class Historian(Gossip):
    """Takes small talk for what once was."""

    closed = True


class Liar(Oracle):
    """Names for everything a value that the user never said."""

    def values(self, key: Key, as_of: datetime | None, *, before: bool = False) -> tuple[str, ...]:
        said = " ".join(u.text for u in self.life.utterances if u.role == "user").lower()
        values = ATTRIBUTES[key[1]].values
        return (next((value for value in values if value.lower() not in said), "Atlantis"),)


def run(kind: Callable[[Life], Rememberer]) -> LifeReport:
    def make(persona: Persona) -> Rememberer:
        return kind(BY_ID[persona.id])

    return score(LIVES, make)


def test_a_perfect_memory_scores_everything() -> None:
    report = run(Oracle)
    for name, value, cases in report.rows():
        expected = 0.0 if name.endswith(("hallucination", "omission", "fabricated")) else 1.0
        assert value == expected, name
        assert cases > 0, name


def test_every_case_has_a_fixed_place_in_the_report() -> None:
    counted = [(run(kind), kind) for kind in (Oracle, Empty, Liar)]
    acts = [act for life in LIVES for act in life.acts]
    for report, kind in counted:
        assert report.told == sum(a.kind in STATES and bool(a.value) for a in acts), kind
        assert report.claims == sum(a.kind == "false_claim" for a in acts)
        for updates in (report.updates, report.updates_late):
            assert {k: updates[k].n for k in updates} == {
                k: sum(a.kind == k for a in acts) for k in ("change", "revert", "negate")
            }
        probes = [probe for life in LIVES for probe in life.probes]
        assert total(report.questions.values()).n == len(probes)
        assert report.asked == len(probes) + report.state.n


def test_an_empty_memory_recalls_nothing_and_resists_everything() -> None:
    report = run(Empty)
    assert report.recall == report.weighted_recall == 0.0
    assert report.precision is report.target_precision is None
    assert report.resistance == 1.0
    assert report.fabricated == 0.0
    for tallies in (report.updates, report.updates_late):
        assert total(tallies.values()).share("omission") == 1.0, "an end is no credit either"
    assert report.questions["boundary"].share("correct") == 1.0
    assert report.questions["basic"].share("omission") == 1.0


@pytest.mark.parametrize(
    "kind", [ClaimsAsFacts, ClaimsAsCurrent, ClaimsAsAnswers], ids=lambda kind: kind.__name__
)
def test_a_gullible_memory_resists_nothing(kind: Callable[[Life], Rememberer]) -> None:
    report = run(kind)
    assert report.resistance == 0.0
    assert report.recall == 1.0


def test_a_claim_believed_for_one_session_counts_as_believed() -> None:
    resistance = run(ClaimsForgotten).resistance
    assert resistance is not None
    assert resistance < 0.2, "only claims in a life's last session escape"


def test_claims_taken_for_facts_cost_precision_and_conflict_questions() -> None:
    precision = run(ClaimsAsFacts).precision
    assert precision is not None
    assert precision < 1.0
    report = run(ClaimsAsAnswers)
    assert report.questions["conflict"].share("hallucination") == 1.0
    assert report.questions["basic"].share("correct") == 1.0
    assert report.fabricated is not None
    assert report.fabricated > 0.0


def test_a_stale_memory_hallucinates_after_changes_and_ends() -> None:
    report = run(Stale)
    changed = report.updates["change"].share("hallucination")
    assert changed is not None
    assert changed > 0.5
    assert report.updates["change"].correct == 0
    assert report.questions["basic"].share("correct") == 1.0
    assert report.questions["ended"].correct < report.questions["ended"].n
    assert report.fabricated == 0.0, "what it names was said once"


def test_a_memory_without_a_past_fails_late_updates_only() -> None:
    report = run(Timeless)
    assert total(report.updates.values()).share("correct") == 1.0
    assert total(report.updates_late.values()).correct < total(report.updates.values()).correct
    assert report.questions["history"].correct < report.questions["history"].n


def test_facts_count_for_the_one_they_are_about() -> None:
    report = run(Selfish)
    relatives = sum(
        act.subject != USER and act.kind in STATES and bool(act.value)
        for life in LIVES
        for act in life.acts
    )
    assert report.recall == pytest.approx(1 - relatives / report.told)
    assert report.precision is not None
    assert report.precision < 1.0


def test_doubted_facts_count_neither_way() -> None:
    report = run(Doubtful)
    assert (report.recall, report.facts, report.precision) == (0.0, 0, None)


def test_facts_without_their_source_are_not_recalled() -> None:
    report = run(Rootless)
    assert report.recall is not None
    assert report.recall < 0.05


def test_small_talk_is_true_of_the_past_and_of_strangers_only() -> None:
    gossip, historian = run(Gossip).precision, run(Historian).precision
    talk = [act for life in LIVES for act in life.acts if act.kind == "chatter"]
    assert gossip == pytest.approx(sum(act.subject != USER for act in talk) / len(talk))
    assert historian == 1.0


def test_what_was_never_said_is_fabricated() -> None:
    report = run(Liar)
    assert report.fabricated == 1.0
    assert report.state.share("hallucination") == 1.0
    assert report.questions["boundary"].share("hallucination") == 1.0


def test_importance_weighs_recall() -> None:
    class OnlyCities(Oracle):
        def facts(self) -> Sequence[KnownFact]:
            return [fact for fact in super().facts() if fact.attribute == "city"]

    report = run(OnlyCities)
    assert report.recall is not None
    assert report.weighted_recall is not None
    assert 0.0 < report.recall < report.weighted_recall


@pytest.mark.parametrize(
    ("answer", "gold", "outcome"),
    [
        ("You live in Oslo.", ("Oslo",), "correct"),
        ("oslo", ("Oslo",), "correct"),
        (None, ("Oslo",), "omission"),
        ("I don't know", ("Oslo",), "omission"),
        ("Oslo or Leeds", ("Oslo",), "hallucination"),
        ("On the moon", ("Oslo",), "hallucination"),
        (None, (), "correct"),
        ("You never told me.", (), "correct"),
        ("Oslo", (), "hallucination"),
        ("Not Oslo", (), "hallucination"),
        ("Oslo", ("Oslo", "Leeds"), "omission"),
        ("Leeds and Oslo", ("Oslo", "Leeds"), "correct"),
    ],
)
def test_an_answer_is_judged_by_the_values_it_names(
    answer: str | None, gold: tuple[str, ...], outcome: Outcome
) -> None:
    assert judge(answer, gold, "city") == outcome


def test_an_answer_after_an_update_needs_only_what_became_true() -> None:
    gold = ("Greek", "Welsh")
    assert judge("Welsh", gold, "language", needed=("Welsh",)) == "correct"
    assert judge("Greek", gold, "language", needed=("Welsh",)) == "omission"


def test_current_values_must_each_be_so() -> None:
    assert judge_values(("Oslo",), ("Oslo",), "city") == "correct"
    assert judge_values(("Oslo", "somewhere"), ("Oslo",), "city") == "hallucination"
    assert judge_values((), ("Oslo",), "city") == "omission"
    assert judge_values((), (), "city") == "correct"


@pytest.mark.parametrize(
    ("text", "value", "named"),
    [
        ("Mondays & Thursdays", "Monday and Thursday", True),
        ("up at 06:15", "6:15", True),
        ("at 16:15", "6:15", False),
        ("a peanut", "peanuts", True),
        ("The Hobbit!", "the hobbit", True),
        ("busy", "bus", False),
        ("", "", False),
        (None, "bus", False),
    ],
)
def test_a_value_is_named_in_plain_words(text: str | None, value: str, named: bool) -> None:
    assert names(text, value) is named


def test_a_subject_is_meant_by_name_or_relation() -> None:
    people = (RELATIVES[0], *STRANGERS)
    assert about("Ana", "my sister Ana", people)
    assert about("user's sister", "my sister Ana", people)
    assert not about("user", "my sister Ana", people)
    assert about("I", USER, people)
    assert about("my dog", USER, people)
    assert not about("my sister", USER, people)


def test_a_tally_shares_nothing_without_cases() -> None:
    assert Tally().share("correct") is None
    assert Tally(1, 0, 3).share("omission") == 0.75
