"""LongMemEval read from instances made up here, in both forms of its data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reverie.envs.dialogues import DialogueData
from reverie.envs.longmemeval import read_longmemeval
from reverie.errors import DataMissing

SHARED = Path(__file__).resolve().parents[3] / "shared/data/longmemeval"
POOL, INSTANCE = SHARED / "evidence-dev.json", SHARED / "instance-1.json"

HAYSTACK: dict[str, Any] = {
    "question_id": "q1",
    "question_type": "knowledge-update",
    "question": "How many ferns do I have?",
    "question_date": "2023/06/30 (Fri) 10:00",
    "answer": "five",
    "answer_session_ids": ["answer_a_1", "answer_a_2"],
    "haystack_session_ids": ["answer_a_2", "chat_7", "answer_a_1", "chat_7"],
    "haystack_dates": [
        "2023/06/01 (Thu) 08:00",
        "2023/05/20 (Sat) 02:21",
        "2023/05/01 (Mon) 09:30",
        "2023/06/02 (Fri) 08:00",
    ],
    "haystack_sessions": [
        [
            {"role": "user", "content": "Now I have five ferns.", "has_answer": True},
            {"role": "assistant", "content": "Well done.", "has_answer": False},
        ],
        [{"role": "user", "content": "A riddle, please."}],
        [{"role": "user", "content": "I have three ferns.", "has_answer": True}],
        [{"role": "user", "content": "Another riddle."}],
    ],
}


def evidence(
    name: str, kind: str, question: str, *told: tuple[str, str, str], answer: object = "x"
) -> dict[str, Any]:
    return {
        "question_id": name,
        "question_type": kind,
        "question": question,
        "question_date": "2023/06/30 (Fri) 10:00",
        "answer": answer,
        "gold_session_ids": [session for session, _, _ in told],
        "evidence": [
            {"session_date": date, "turns": [{"role": "user", "content": text}]}
            for _, date, text in told
        ],
    }


OLD, NEW = "2023/05/01 (Mon) 09:30", "2023/06/01 (Thu) 08:00"
FERNS_OLD = ("answer_f_1", OLD, "I have three ferns.")
FERNS_NEW = ("answer_f_2", NEW, "Now I have five ferns.")
DENTIST = ("answer_d", NEW, "Dr Vale is my dentist.")
EVIDENCE = [
    evidence("u1", "knowledge-update", "How many ferns do I have?", FERNS_OLD, FERNS_NEW),
    evidence("u2", "knowledge-update", "How many ferns did I have before?", FERNS_OLD, FERNS_NEW),
    evidence("s1", "single-session-user", "Who is my dentist?", DENTIST, answer=7),
    evidence("n1_abs", "multi-session", "How many cacti do I have?", FERNS_OLD, FERNS_NEW),
]


def written(tmp_path: Path, items: object) -> Path:
    path = tmp_path / "made.json"
    path.write_text(json.dumps(items))
    return path


@pytest.fixture
def haystack(tmp_path: Path) -> DialogueData:
    return read_longmemeval(written(tmp_path, [HAYSTACK]))


@pytest.fixture
def pool(tmp_path: Path) -> DialogueData:
    return read_longmemeval(written(tmp_path, EVIDENCE))


def test_a_haystack_is_ordered_by_date_and_its_ids_tell_nothing(haystack: DialogueData) -> None:
    (talk,) = haystack.conversations
    assert [session.id for session in talk.sessions] == ["a_1", "chat_7", "a_2", "chat_7#2"]
    assert not [session for session in talk.sessions if "answer" in session.id]
    first = talk.sessions[0].turns[0]
    assert (first.id, first.message.role) == ("a_1:0", "user")
    assert first.message.at is not None
    assert first.message.at.isoformat() == "2023-05-01T09:30:00+00:00"


def test_gold_is_what_holds_the_answer(haystack: DialogueData) -> None:
    (question,) = haystack.conversations[0].questions
    assert question.gold.sessions == {"a_1", "a_2"}
    assert question.gold.turns == {"a_1:0", "a_2:0"}
    assert question.gold.newest == {"a_2:0"}
    assert question.gold.stale == {"a_1:0"}
    assert haystack.unit == "turn"
    assert haystack.cluster == "question"


def test_a_pool_holds_each_evidence_turn_once(pool: DialogueData) -> None:
    (talk,) = pool.conversations
    assert len(talk.turns) == 3
    assert pool.unit == "pool"
    first, second, third, last = talk.questions
    assert first.gold == second.gold
    assert len(first.gold.newest) == len(first.gold.stale) == 1
    assert first.gold.sessions is None
    assert third.gold.answer == "7"
    assert not third.gold.newest
    assert (last.answerable, last.gold.turns) == (False, frozenset())


def test_a_limit_takes_the_first_questions(pool: DialogueData, haystack: DialogueData) -> None:
    assert pool.limited(2).questions == 2
    assert haystack.limited(5).questions == 1


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("haystack_dates", r"made\.json\[0\] has no key 'haystack_dates'"),
        ("haystack_sessions", r"has no key 'haystack_sessions'"),
        ("question_type", r"has no key 'question_type'"),
    ],
)
def test_a_missing_key_is_named_with_the_file_expected(
    tmp_path: Path, key: str, message: str
) -> None:
    item = {name: value for name, value in HAYSTACK.items() if name != key}
    with pytest.raises(DataMissing, match=message) as caught:
        read_longmemeval(written(tmp_path, [item]))
    assert "longmemeval_s_cleaned.json" in str(caught.value)


def test_lists_that_do_not_fit_together_are_an_error(tmp_path: Path) -> None:
    item = HAYSTACK | {"haystack_dates": ["2023/05/20 (Sat) 02:21"]}
    with pytest.raises(DataMissing, match=r"4 sessions for 4 ids and 1 dates"):
        read_longmemeval(written(tmp_path, [item]))
    short: dict[str, Any] = EVIDENCE[0] | {"gold_session_ids": []}
    with pytest.raises(DataMissing, match=r"has 2 sessions for 0 ids"):
        read_longmemeval(written(tmp_path, [short]))


def test_files_that_are_something_else_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match=r"reverie run locomo"):
        read_longmemeval(written(tmp_path, [{"qa": 1, "conversation": 2}]))
    with pytest.raises(DataMissing, match=r"is empty"):
        read_longmemeval(written(tmp_path, []))
    with pytest.raises(DataMissing, match=r"question_date should be a time such as"):
        read_longmemeval(written(tmp_path, [HAYSTACK | {"question_date": "today"}]))
    with pytest.raises(DataMissing, match=r"question_type should be one of"):
        read_longmemeval(written(tmp_path, [HAYSTACK | {"question_type": "riddle"}]))


@pytest.mark.skipif(not POOL.is_file(), reason=f"{POOL} is not there")
def test_the_real_pool_is_read() -> None:
    data = read_longmemeval(POOL)
    assert data.questions == 245
    (talk,) = data.conversations
    assert sum(bool(question.gold.turns) for question in talk.questions) == 239


@pytest.mark.skipif(not INSTANCE.is_file(), reason=f"{INSTANCE} is not there")
def test_a_real_instance_is_read() -> None:
    (talk,) = read_longmemeval(INSTANCE).conversations
    assert (len(talk.sessions), len(talk.turns)) == (53, 550)
    assert talk.questions[0].gold.sessions == {"280352e9"}
