"""The generated lives: their gold follows from what is said, and what is said carries it."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, timedelta
from typing import get_args

import pytest

from reverie.envs.life import MOMENT, STATES, Act, Life, ProbeKind, ask, generate
from reverie.envs.life_judge import named, names, plain
from reverie.envs.life_plot import OF_RELATIVES, USER, Kind
from reverie.envs.life_speech import DEV, Phrases, part, templates
from reverie.envs.life_words import ATTRIBUTES, RELATIVES, STRANGERS, USERS

LIVES = generate(12, seed=5)
TOLD: tuple[Kind, ...] = ("set", "change", "revert", "negate")
_BACK = ("revert", False)
PHRASED: tuple[Kind, ...] = (*TOLD, "false_claim", "correct", "chatter", "confirm", "question_only")


def texts(life: Life) -> dict[str, str]:
    return {spoken.id: spoken.text for spoken in life.utterances}


def acts(*kinds: Kind) -> list[tuple[Life, Act]]:
    return [(life, act) for life in LIVES for act in life.acts if not kinds or act.kind in kinds]


def test_a_life_follows_from_its_seed() -> None:
    assert generate(3, seed=7) == generate(3, seed=7)
    assert generate(3, seed=7)[0].utterances != generate(3, seed=8)[0].utterances
    assert generate(1, seed=7)[0] == generate(3, seed=7)[0], "more lives leave the first as it is"


def test_sessions_alternate_and_spread_over_a_year() -> None:
    for life in LIVES:
        sessions = list(life.sessions())
        assert 8 <= len(sessions) <= 15
        assert tuple(u for session in sessions for u in session) == life.utterances
        for session in sessions:
            assert 6 <= len(session) <= 20
            assert [u.role for u in session] == ["user", "assistant"] * (len(session) // 2)
            assert [u.turn for u in session] == list(range(len(session)))
        moments = [u.at for u in life.utterances]
        assert moments == sorted(set(moments))
        assert all(moment.tzinfo is UTC for moment in moments)
        assert timedelta(days=90) < moments[-1] - moments[0] <= timedelta(days=366)
    ids = [u.id for life in LIVES for u in life.utterances]
    assert len(ids) == len(set(ids))


def test_every_kind_of_act_and_probe_occurs() -> None:
    kinds = Counter(act.kind for _, act in acts())
    assert set(kinds) == set(get_args(Kind))
    assert {probe.kind for life in LIVES for probe in life.probes} == set(get_args(ProbeKind))
    assert all(any(act.kind == "false_claim" for act in life.acts) for life in LIVES)
    assert any(act.subject != USER for _, act in acts("revert"))


def test_every_act_is_said_in_its_message() -> None:
    for life, act in acts():
        said = " ".join(texts(life)[source] for source in act.utterances)
        assert act.value.lower() in said.lower(), (act, said)
        assert "{" not in said
    for life, act in acts("correct"):
        assert names(texts(life)[act.utterance], act.value)


def test_the_assistant_claims_and_the_user_tells() -> None:
    for life, act in acts():
        roles = {u.id: u.role for u in life.utterances}
        told_by = [roles[source] for source in act.utterances]
        expected = {"false_claim": ["assistant"], "confirm": ["assistant", "user"]}
        assert told_by == expected.get(act.kind, ["user"])


def test_the_assistant_repeats_only_what_was_just_said() -> None:
    for life in LIVES:
        claims = {a.utterances[0] for a in life.acts if a.kind in ("false_claim", "confirm")}
        for before, reply in zip(life.utterances[::2], life.utterances[1::2], strict=True):
            for attribute in ATTRIBUTES if reply.id not in claims else ():
                assert named(reply.text, attribute) <= named(before.text, attribute)


def test_acts_change_the_state_as_they_say() -> None:
    for life, act in acts(*STATES):
        before = life.values_at(act.key, act.at - MOMENT)
        now = life.values_at(act.key, act.at)
        many = ATTRIBUTES[act.attribute].many
        kept = tuple(value for value in before if value != act.old) if many else ()
        assert now == (*kept, act.value) if act.value else now == kept
        assert bool(act.old) == (act.kind in ("change", "negate") or (act.kind, many) == _BACK)
        assert not act.old or act.old in before
        earlier = {a.value for a in life.acts if a.key == act.key and a.at < act.at}
        assert (act.value in earlier) == (act.kind == "revert") or act.kind == "negate"


def test_nothing_but_telling_and_agreeing_changes_the_state() -> None:
    for life in LIVES:
        moments = {act.at for act in life.acts if act.kind in STATES}
        for spoken in life.utterances:
            if spoken.at not in moments:
                assert life.state_at(spoken.at) == life.state_at(spoken.at - MOMENT)


def test_a_row_knows_since_when_it_holds() -> None:
    for life in LIVES:
        for row in life.state_at(life.end):
            key = (row.subject, row.attribute)
            assert row.values == life.values_at(key, row.since)
            assert row.values != life.values_at(key, row.since - MOMENT)


def test_false_claims_and_small_talk_are_never_true() -> None:
    for life, act in acts("false_claim", "chatter"):
        true = {a.value for a in life.acts if a.key == act.key and a.kind in STATES}
        assert act.value not in true


def test_one_claim_in_a_life_is_about_what_was_never_told() -> None:
    for life in LIVES:
        told = {act.key for act in life.acts if act.kind in STATES}
        claims = [act for act in life.acts if act.kind == "false_claim"]
        assert len({act.key for act in claims} - told) == 1
        assert any(act.key in told for act in claims)


def test_a_correction_names_what_is_true_and_follows_the_claim() -> None:
    for life, act in acts("correct"):
        assert act.value in life.values_at(act.key, act.at)
        ids = [u.id for u in life.utterances]
        claimed = ids[ids.index(act.utterance) - 1]
        claim = next(a for a in life.acts if a.utterance == claimed)
        assert (claim.kind, claim.value) == ("false_claim", act.old)


def test_a_session_changes_an_attribute_once() -> None:
    for life in LIVES:
        session = {u.id: u.session for u in life.utterances}
        seen = Counter((a.key, session[a.utterance]) for a in life.acts if a.kind in STATES)
        assert set(seen.values()) == {1}


def test_probes_ask_for_what_was_true() -> None:
    for life in LIVES:
        assert len({probe.id for probe in life.probes}) == len(life.probes)
        claimed = {act.key for act in life.acts if act.kind == "false_claim"}
        for probe in life.probes:
            key = (probe.subject, probe.attribute)
            assert probe.gold == life.values_at(key, probe.about)
            ever = any(life.values_at(key, act.at) for act in life.acts)
            assert probe.gold or probe.kind in ("conflict", "boundary", "ended")
            assert ever or probe.kind in ("conflict", "boundary")
            assert not (ever and probe.kind == "boundary")
            assert (key in claimed) == (probe.kind == "conflict") or probe.kind == "history"
            if probe.kind != "history":
                assert probe.at == probe.about == life.end
            elif probe.at == life.end:
                assert probe.gold != life.values_at(key, life.end)


def test_every_attribute_has_values_that_cannot_be_confused() -> None:
    for attribute in ATTRIBUTES.values():
        assert len(attribute.values) >= 20
        for value in attribute.values:
            assert named(f"so it is {value} for me", attribute.name) == {value}
    people = [*USERS, *(p.name for p in (*RELATIVES, *STRANGERS)), *ATTRIBUTES["partner"].values]
    people += ATTRIBUTES["pet"].values
    assert len({plain(name) for name in people}) == len(people)


@pytest.mark.parametrize("kind", PHRASED)
def test_every_act_can_be_said_in_five_ways(kind: Kind) -> None:
    for name in ATTRIBUTES:
        told = [templates(kind, name)]
        if kind in TOLD and name in OF_RELATIVES:
            told.append(templates(kind, name, relative=True))
        for phrases in told:
            assert len(set(phrases)) >= 5
            assert len(part(phrases, "held")) >= 2
            assert part(phrases, "dev") == phrases[:DEV]
            assert not set(part(phrases, "dev")) & set(part(phrases, "held"))
            if kind not in ("negate", "confirm", "question_only"):
                assert all("value}" in phrase.lower() for phrase in phrases)


@pytest.mark.parametrize(("wanted", "other"), [("dev", "held"), ("held", "dev")])
def test_phrases_are_drawn_from_the_part_asked_for(wanted: Phrases, other: Phrases) -> None:
    strange = 0
    for life in generate(2, seed=3, phrases=wanted):
        for act in life.acts:
            relative = act.subject != USER and act.kind in TOLD
            phrases = templates(act.kind, act.attribute, relative=relative)
            text = texts(life)[act.utterance]
            assert any(_fits(phrase, text) for phrase in part(phrases, wanted)), text
            strange += not any(_fits(phrase, text) for phrase in part(phrases, other))
    assert strange, "the two parts can be told apart"


def _fits(phrase: str, text: str) -> bool:
    """True if the text holds the phrase with its slots filled, whatever stands around it."""
    pattern = ".+".join(re.escape(piece) for piece in re.split(r"\{\w+\}", phrase))
    return re.search(pattern, text, re.IGNORECASE) is not None


def test_questions_for_relatives_name_them() -> None:
    for name in OF_RELATIVES:
        attribute = ATTRIBUTES[name]
        assert "my aunt Wendy" in ask(attribute, "my aunt Wendy")
        assert "{who}" in attribute.before_of
        assert ask(attribute, USER, form=1) == attribute.ask[1]
