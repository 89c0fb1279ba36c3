"""The LoCoMo benchmark on a conversation made up here, in the data's own format."""

from __future__ import annotations

import json
import math
from itertools import permutations
from pathlib import Path

import pytest

from reverie.benchmarks import locomo, locomo_retrieval
from reverie.memory.records import Kind

SAMPLE: dict[str, object] = {
    "sample_id": "made-1",
    "conversation": {
        "speaker_a": "Ann",
        "speaker_b": "Bob",
        "session_1_date_time": "1:56 pm on 8 May, 2023",
        "session_1": [
            {"speaker": "Ann", "dia_id": "D1:1", "text": "I adopted a grey kitten!"},
            {"speaker": "Bob", "dia_id": "D1:2", "text": "Lovely, Ann.", "blip_caption": "a bowl"},
        ],
        "session_2_date_time": "10:05 am on 1 June, 2023",
        "session_2": [
            {"speaker": "Bob", "dia_id": "D2:1", "text": "I sold my old motorcycle."},
            {"speaker": "Ann", "dia_id": "D2:2", "text": "The kitten broke a vase."},
        ],
        "session_3_date_time": "9:00 pm on 2 June, 2023",
    },
    "qa": [
        {"question": "What did Ann adopt?", "answer": "x", "evidence": ["D1:1"], "category": 4},
        {"question": "What of the kitten?", "evidence": ["D1:1", "D2:2"], "category": 1},
        {"question": "What did Bob sell?", "evidence": ["D1:2; D2:1"], "category": 5},
        {"question": "Who?", "evidence": ["D:2:1", "D9:9", "D"], "category": 3},
        {"question": "Nothing?", "evidence": [], "category": 3},
    ],
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "made.json"
    path.write_text(json.dumps([SAMPLE]))
    return path


def test_a_conversation_becomes_records_with_dates_captions_and_sources(data: Path) -> None:
    (talk,) = locomo.read(data)
    sessions, turns = talk.session_records(), talk.turn_records()
    assert [record.id for record in sessions] == ["made-1/1", "made-1/2"]
    assert sessions[0].text == (
        "1:56 pm on 8 May, 2023\nAnn: I adopted a grey kitten!\n"
        "Bob: Lovely, Ann. [shares a photo: a bowl]"
    )
    assert sessions[0].event_time.isoformat() == "2023-05-08T13:56:00+00:00"
    assert sessions[1].sources == ("made-1/D2:1", "made-1/D2:2")
    assert [record.kind for record in turns] == [Kind.UTTERANCE] * 4


def test_gold_sessions_are_read_as_memgas_reads_them(data: Path) -> None:
    (talk,) = locomo.read(data)
    assert [set(question.gold_sessions) for question in talk.questions] == [
        {"session_1"},
        {"session_1", "session_2"},
        set(),  # two ids in one string are skipped
        {"session_", "session_9"},  # one that can never be found
        set(),
    ]


def test_gold_turns_are_cleaned(data: Path) -> None:
    (talk,) = locomo.read(data)
    assert [set(question.gold_turns) for question in talk.questions] == [
        {"D1:1"},
        {"D1:1", "D2:2"},
        {"D1:2", "D2:1"},
        {"D2:1"},
        set(),
    ]


@pytest.mark.parametrize("memgas", [False, True])
def test_ndcg_is_the_gain_over_the_best_order(memgas: bool) -> None:
    def gain(ranking: tuple[str, ...], k: int) -> float:
        discounts = [1.0 if rank < 2 else math.log2(rank) for rank in range(1, 9)]
        if not memgas:
            discounts = [math.log2(rank + 1) for rank in range(1, 9)]
        hits = [float(one in {"a", "c"}) for one in ranking[:k]]
        return sum(hit / discount for hit, discount in zip(hits, discounts, strict=False))

    orders = list(permutations("abcd"))
    for k in (1, 2, 3, 10):
        best = max(gain(order, k) for order in orders)
        for order in orders:
            found = locomo.ndcg(list(order), frozenset("ac"), k, memgas=memgas)
            assert found == pytest.approx(gain(order, k) / best)


def test_recall_counts_all_or_a_share() -> None:
    ranking = ["a", "b", "c"]
    assert locomo.recall_all(ranking, frozenset("ac"), 2) == 0.0
    assert locomo.recall_all(ranking, frozenset("ac"), 3) == 1.0
    assert locomo.recall_all(ranking, frozenset(), 1) == 1.0
    assert locomo.recall(ranking, frozenset("ac"), 2) == 0.5


def test_the_interval_of_a_constant_difference_is_that_difference() -> None:
    groups = ["x", "x", "y", "z"]
    assert locomo.paired_interval([0.5] * 4, groups) == (0.5, 0.5)
    low, high = locomo.paired_interval([1.0, 1.0, 0.0, -1.0], groups)
    assert low == -1.0
    assert high == 1.0


def test_the_benchmark_ranks_with_the_memory_and_prints_one_object(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    locomo_retrieval.main(["--data", str(data), "--embedder", "hashing", "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert printed["name"] == "locomo_retrieval"
    metrics = printed["metrics"]
    assert metrics["memory.sessions.session.recall_all@3"] == 80.0
    assert metrics["memory.turns.turn.recall@5"] == 100.0
    assert metrics["bm25_over_sessions.session.recall_all@3"] == 80.0


def test_the_benchmark_says_why_it_is_skipped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    locomo_retrieval.main(["--data", str(tmp_path / "none.json")])
    assert "skipped" in capsys.readouterr().out
