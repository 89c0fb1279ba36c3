"""Turns are found with the turns around them and their session, whatever order they arrived in."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverie.memory.lexical import K1, B, idf
from reverie.memory.memory import Memory
from reverie.memory.newest import asks_of_now
from reverie.memory.order import NOBODY
from reverie.memory.records import Origin, Record, Scope, Status, UtterancePayload
from reverie.memory.terms import terms_of
from reverie.memory.turn_features import TurnWeights

ANN = Scope(user="ann")
START = datetime(2025, 3, 1, tzinfo=UTC)
WORDS_ONLY = TurnWeights(**dict.fromkeys(TurnWeights.__slots__, 0.0) | {"words": 1.0})


def turn(
    session: str, number: int, text: str, *, speaker: str = "ann", day: int = 0, user: str = "ann"
) -> Record:
    return Record(
        id=f"{session}/{number}",
        scope=Scope(user=user, session=session),
        text=text,
        payload=UtterancePayload(speaker=speaker, turn=number),
        origin=Origin(source="user"),
        event_time=START + timedelta(days=day),
    )


def only(**weights: float) -> TurnWeights:
    return TurnWeights(**dict.fromkeys(TurnWeights.__slots__, 0.0) | weights)


def found(memory: Memory, question: str, weights: TurnWeights | None = None) -> list[str]:
    hits = memory.turns(question, scope=ANN, weights=weights, newest=False)
    return [hit.record.id for hit in hits]


def test_a_turn_is_found_by_the_words_around_it(memory: Memory) -> None:
    memory.add(
        [
            turn("a", 0, "Which instrument did your grandmother teach you?"),
            turn("a", 1, "The cello, every Sunday."),
            turn("b", 0, "It rained all morning."),
            turn("b", 1, "We stayed inside."),
        ]
    )
    hits = memory.turns("What instrument did the grandmother teach?", scope=ANN)
    by_id = {hit.record.id: hit for hit in hits}
    assert by_id["a/1"].features["words"] == 0
    assert by_id["a/1"].features["window"] > 0.9
    assert by_id["b/1"].features["window"] == 0
    assert by_id["a/1"].score > by_id["b/1"].score


def test_neighbours_follow_turn_numbers_and_not_arrival(memory: Memory) -> None:
    turns = [turn("a", number, f"word{number}") for number in range(30)]
    random.Random(1).shuffle(turns)
    for one in turns:
        memory.add(one)
        memory.turns("word3", scope=ANN)  # the order is followed as it grows
    hits = memory.turns("word10", scope=ANN, weights=only(window=1.0), newest=False)
    near = {hit.record.id for hit in hits if hit.features["window"] > 0}
    assert near == {f"a/{number}" for number in range(8, 13)}


def test_a_rewritten_turn_keeps_its_place(memory: Memory) -> None:
    memory.add([turn("a", number, f"word{number}") for number in range(5)])
    memory.turns("word1", scope=ANN)
    memory.update("a/2", scope=ANN, text="changed")
    hits = memory.turns("changed", scope=ANN, weights=only(window=1.0), newest=False)
    assert {hit.record.id for hit in hits if hit.features["window"] > 0} == {
        f"a/{number}" for number in range(5)
    }
    assert "a/2" not in [
        hit.record.id
        for hit in memory.turns("word2", scope=ANN, weights=WORDS_ONLY)
        if hit.features["words"] > 0
    ]


def test_a_window_stops_at_its_session(memory: Memory) -> None:
    memory.add([turn("a", 0, "harbour"), turn("b", 1, "castle")])
    hits = memory.turns("harbour", scope=ANN)
    assert {hit.record.id: hit.features["window"] > 0 for hit in hits} == {
        "a/0": True,
        "b/1": False,
    }


def test_what_is_retracted_lends_its_words_to_nobody(memory: Memory) -> None:
    memory.add([turn("a", 0, "the cello"), turn("a", 1, "yes"), turn("b", 0, "no")])
    memory.retract("a/0", "wrong", scope=ANN)
    hits = memory.turns("cello", scope=ANN)
    assert {hit.record.id for hit in hits} == {"a/1", "b/0"}
    assert all(hit.features["window"] == 0 and hit.features["session"] == 0 for hit in hits)


def test_of_two_who_speak_the_one_who_is_named_comes_first(memory: Memory) -> None:
    memory.add(
        [
            turn("a", 0, "I adopted a greyhound.", speaker="Ben"),
            turn("b", 0, "I adopted a greyhound.", speaker="Eve"),
        ]
    )
    for name, first in (("Ben", "a/0"), ("Eve", "b/0")):
        assert found(memory, f"What did {name} adopt?")[0] == first


def test_a_question_that_names_a_day_prefers_what_was_said_of_it(memory: Memory) -> None:
    memory.add(
        [
            turn("a", 0, "I went sailing.", day=0),
            turn("b", 0, "I went sailing.", day=40),
            turn("c", 0, "I went sailing yesterday.", day=21),
        ]
    )
    assert found(memory, "What did I do on 21 March 2025?")[0] == "c/0"
    assert found(memory, "What did I do in April 2025?")[0] == "b/0"


def test_of_turns_that_say_the_same_thing_the_newest_comes_first(memory: Memory) -> None:
    memory.add(
        [
            turn("new", 0, "My bike count is five now, bikes are great.", day=200),
            turn("old", 0, "I own three bikes, bikes bikes bikes.", day=1),
            turn("x", 0, "The weather was fine.", day=300),
        ]
    )
    question = "How many bikes do I own?"
    assert memory.turns(question, scope=ANN, newest=False)[0].record.id == "old/0"
    assert memory.turns(question, scope=ANN)[0].record.id == "new/0"
    assert memory.turns("How many bikes did I own before?", scope=ANN)[0].record.id == "old/0"


@pytest.mark.parametrize(
    ("question", "now"),
    [
        ("Where do I live?", True),
        ("Where did I live before?", False),
        ("What was my previous job?", False),
        ("When did I move?", False),
        ("How many cups do I drink?", True),
    ],
)
def test_a_question_of_now_is_told_from_one_of_then(question: str, now: bool) -> None:
    assert asks_of_now(question) is now


def test_words_score_as_bm25_does_by_hand(memory: Memory) -> None:
    texts = ["red apple pie", "green apple", "red red wine and cheese and bread", "nothing else"]
    memory.add([turn(f"s{place}", 0, text) for place, text in enumerate(texts)])
    bags = [terms_of(text) for text in texts]
    mean = sum(sum(bag.values()) for bag in bags) / len(bags)
    scores: list[float] = []
    for bag in bags:
        norm = K1 * (1 - B + B * sum(bag.values()) / mean)
        scores.append(
            sum(
                idf(len(bags), sum(term in other for other in bags))
                * bag.get(term, 0)
                * (K1 + 1)
                / (bag.get(term, 0) + norm)
                for term in terms_of("red apple")
            )
        )
    hits = memory.turns("red apple", scope=ANN, weights=WORDS_ONLY, newest=False)
    by_session = {hit.record.scope.session: hit.features["words"] for hit in hits}
    for place, score in enumerate(scores):
        assert by_session[f"s{place}"] == pytest.approx(score / max(scores), abs=1e-4)


@settings(max_examples=25, deadline=None)
@given(
    st.permutations(range(12)),
    st.lists(st.integers(0, 2), min_size=12, max_size=12),
)
def test_arrival_order_changes_nothing(order: list[int], sessions: list[int]) -> None:
    turns = [
        turn(f"s{sessions[place]}", place, f"word{place % 4} other{place % 3}", day=place)
        for place in range(12)
    ]
    answers: list[list[tuple[str, float]]] = []
    for arrangement, asks_between in ((range(12), False), (order, False), (order, True)):
        with Memory.open(embedder="hashing:32") as memory:
            for place in arrangement:
                memory.add(turns[place])
                if asks_between:
                    memory.turns("word1", scope=ANN)
            hits = memory.turns("word1 other2", scope=ANN)
            answers.append([(hit.record.id, round(hit.score, 3)) for hit in hits])
    assert answers[0] == answers[1] == answers[2]


def test_nobody_sees_another_users_turns(memory: Memory) -> None:
    memory.add([turn("a", 0, "my secret is blue"), turn("a2", 0, "hers is red", user="eve")])
    hits = memory.turns("secret blue red", scope=Scope(user="eve"))
    assert [hit.record.id for hit in hits] == ["a2/0"]
    assert memory.turns("secret", scope=Scope(user="nobody")) == []


def test_an_empty_question_finds_nothing(memory: Memory) -> None:
    memory.add(turn("a", 0, "something"))
    assert memory.turns("   ", scope=ANN) == []


def test_every_good_session_is_represented(memory: Memory) -> None:
    memory.add([turn("long", place, "apple apple pear") for place in range(300)])
    memory.add(turn("short", 0, "apple"))
    sessions = {hit.record.scope.session for hit in memory.turns("apple pear", scope=ANN)}
    assert sessions == {"long", "short"}


def test_a_status_is_seen_after_a_reopening(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("store")
    with Memory.open(folder, embedder="hashing:32") as memory:
        memory.add([turn("a", 0, "one"), turn("a", 1, "two")])
        memory.update("a/0", scope=ANN, status=Status.ARCHIVED)
    with Memory.open(folder, embedder="hashing:32") as memory:
        assert [hit.record.id for hit in memory.turns("one two", scope=ANN)] == ["a/1"]


def test_scores_are_finite_and_ordered(memory: Memory) -> None:
    memory.add([turn("a", place, "日本語 🙂 text" * (place + 1)) for place in range(20)])
    scores = [hit.score for hit in memory.turns("日本語 🙂", scope=ANN, newest=False)]
    assert scores == sorted(scores, reverse=True)
    assert all(math.isfinite(score) for score in scores)
    assert np.int32(NOBODY) == -1
