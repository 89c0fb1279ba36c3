"""LoCoMo read from a conversation made up here, in the data's own format."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from reverie.envs.answers import contains, declines, f1, f1_of_parts, locomo_f1
from reverie.envs.dialogues import DialogueData
from reverie.envs.locomo import read_locomo
from reverie.errors import DataMissing

REAL = Path(__file__).resolve().parents[3] / "shared/data/locomo/locomo-dev5.json"

SAMPLE: dict[str, Any] = {
    "sample_id": "made-1",
    "conversation": {
        "speaker_a": "Ann",
        "speaker_b": "Bob",
        "session_1_date_time": "1:56 pm on 8 May, 2023",
        "session_1": [
            {"speaker": "Ann", "dia_id": "D1:1", "text": "I adopted a grey kitten!"},
            {
                "speaker": "Bob",
                "dia_id": "D1:2",
                "text": "Lovely, Ann.",
                "blip_caption": "a bowl",
                "query": "porcelain dish",
            },
        ],
        "session_2_date_time": "10:05 am on 1 June, 2023",
        "session_2": [
            {"speaker": "Bob", "dia_id": "D2:1", "text": "I sold my old motorcycle."},
            {"speaker": "Ann", "dia_id": "D2:2", "text": "The kitten broke a vase."},
        ],
        "session_3_date_time": "9:00 pm on 2 June, 2023",
    },
    "qa": [
        {
            "question": "What did Ann adopt?",
            "answer": "kitten",
            "evidence": ["D1:1"],
            "category": 4,
        },
        {
            "question": "What of the kitten?",
            "answer": 2023,
            "evidence": ["D1:1", "D2:2"],
            "category": 1,
        },
        {
            "question": "What did Ann sell?",
            "adversarial_answer": "her old motorcycle",
            "evidence": ["D1:2; D2:1"],
            "category": 5,
        },
        {"question": "Who?", "evidence": ["D:2:1", "D9:9", "D"], "category": 3, "answer": "x"},
        {"question": "Nothing?", "evidence": [], "category": 3, "answer": "x"},
    ],
}


def written(tmp_path: Path, *samples: object) -> Path:
    path = tmp_path / "made.json"
    path.write_text(json.dumps(list(samples)))
    return path


@pytest.fixture
def data(tmp_path: Path) -> DialogueData:
    return read_locomo(written(tmp_path, SAMPLE))


def test_a_conversation_becomes_messages_with_speakers_dates_and_captions(
    data: DialogueData,
) -> None:
    (talk,) = data.conversations
    assert [session.id for session in talk.sessions] == ["session_1", "session_2"]
    first, second = (turn.message for turn in talk.sessions[0].turns)
    assert (first.speaker, first.text, first.turn) == ("Ann", "I adopted a grey kitten!", 0)
    assert first.at is not None
    assert first.at.isoformat() == "2023-05-08T13:56:00+00:00"
    assert (second.text, second.turn) == ("Lovely, Ann. [shares a photo: a bowl]", 1)


def test_the_image_search_is_never_read(data: DialogueData) -> None:
    assert "porcelain" not in repr(data)


def test_the_trap_answer_is_never_read(data: DialogueData) -> None:
    (talk,) = data.conversations
    assert "her old motorcycle" not in repr(data)
    assert [question.answerable for question in talk.questions] == [True, True, False, True, True]


def test_gold_sessions_are_read_as_memgas_reads_them(data: DialogueData) -> None:
    (talk,) = data.conversations
    assert [set(question.gold.sessions or ()) for question in talk.questions] == [
        {"session_1"},
        {"session_1", "session_2"},
        set(),  # two ids in one string are skipped
        {"session_", "session_9"},  # one that can never be found
        set(),
    ]


def test_gold_turns_are_cleaned_and_what_was_not_an_id_is_told(data: DialogueData) -> None:
    (talk,) = data.conversations
    assert [set(question.gold.turns) for question in talk.questions] == [
        {"D1:1"},
        {"D1:1", "D2:2"},
        {"D1:2", "D2:1"},
        {"D2:1"},
        set(),
    ]
    assert data.repairs == (
        "made-1/q2: evidence 'D1:2; D2:1' read as D1:2, D2:1",
        "made-1/q3: evidence 'D:2:1' read as D2:1",
        "made-1/q3: evidence 'D9:9' names no turn and is left out",
        "made-1/q3: evidence 'D' names no turn and is left out",
    )


def test_questions_are_asked_when_the_last_session_was(data: DialogueData) -> None:
    (talk,) = data.conversations
    assert {f"{question.asked:%Y-%m-%d}" for question in talk.questions} == {"2023-06-01"}


def test_a_limit_takes_the_first_questions_of_each_conversation(data: DialogueData) -> None:
    assert data.limited(2).questions == 2
    assert data.limited(None).questions == 5


@pytest.mark.parametrize(
    ("where", "key", "message"),
    [
        ((), "sample_id", r"made\.json\[0\] has no key 'sample_id'"),
        ((), "qa", r"made\.json\[0\] has no key 'qa' \(its keys: sample_id, conversation\)"),
        (("conversation", "session_1", 0), "text", r"session_1\[0\] has no key 'text'"),
        (("conversation",), "session_1_date_time", r"no key 'session_1_date_time'"),
        (("qa", 1), "category", r"qa\[1\] has no key 'category'"),
    ],
)
def test_a_missing_key_is_named_with_its_place_and_the_file_expected(
    tmp_path: Path, where: tuple[str | int, ...], key: str, message: str
) -> None:
    sample: Any = copy.deepcopy(SAMPLE)
    part = sample
    for step in where:
        part = part[step]
    del part[key]
    with pytest.raises(DataMissing, match=message) as caught:
        read_locomo(written(tmp_path, sample))
    assert "locomo10.json" in str(caught.value)
    assert "--data" in str(caught.value)


def test_files_that_are_something_else_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match=r"none\.json is not there.*locomo10"):
        read_locomo(tmp_path / "none.json")
    with pytest.raises(DataMissing, match=r"reverie run longmemeval"):
        read_locomo(written(tmp_path, {"question_id": "1", "haystack_sessions": []}))
    with pytest.raises(DataMissing, match=r"is empty"):
        read_locomo(written(tmp_path))
    broken = tmp_path / "made.json"
    broken.write_text("{")
    with pytest.raises(DataMissing, match=r"is no JSON"):
        read_locomo(broken)
    broken.write_text('{"a": 1}')
    with pytest.raises(DataMissing, match=r"should be a list, not an object"):
        read_locomo(broken)


def test_dates_and_categories_must_mean_something(tmp_path: Path) -> None:
    sample: Any = copy.deepcopy(SAMPLE)
    sample["conversation"]["session_2_date_time"] = "yesterday"
    with pytest.raises(DataMissing, match=r"session_2_date_time should be a time such as"):
        read_locomo(written(tmp_path, sample))
    sample = copy.deepcopy(SAMPLE)
    sample["qa"][0]["category"] = 7
    with pytest.raises(DataMissing, match=r"qa\[0\]\.category should be one of 1, 2, 3, 4, 5"):
        read_locomo(written(tmp_path, sample))


def test_f1_compares_stems_without_case_commas_articles_and_punctuation() -> None:
    assert f1("The dogs, and a Cat!", "dog cat") == 1.0
    assert f1("running shoes", "shoe") == pytest.approx(2 / 3)
    assert f1("blue", "red") == 0.0
    assert f1("", "red") == 0.0
    assert f1("1,000", "1000") == 1.0
    assert f1("red red", "red") == pytest.approx(2 / 3)  # a bag, not a set


def test_multi_hop_answers_are_compared_part_by_part() -> None:
    assert f1_of_parts("tea, red wine", "red wine, tea") == 1.0
    assert f1_of_parts("tea", "tea, wine") == 0.5
    assert locomo_f1("wine and tea", "tea", "1") == pytest.approx(2 / 3)


def test_open_domain_gold_ends_at_the_semicolon() -> None:
    assert locomo_f1("likely yes", "likely yes; she says so in May", "3") == 1.0
    assert locomo_f1("likely yes", "likely yes; she says so in May", "4") < 1.0


def test_adversarial_answers_are_right_if_they_say_so() -> None:
    assert locomo_f1("Not mentioned.", "", "5") == 1.0
    assert locomo_f1("There is No information available on it", "", "5") == 1.0
    assert locomo_f1("her old motorcycle", "", "5") == 0.0
    assert declines("It is not mentioned")


def test_containment_wants_the_tokens_together_and_in_order() -> None:
    assert contains("She adopted a grey kitten in May", "grey kittens")
    assert not contains("a kitten that is grey", "grey kitten")
    assert not contains("anything", "")


@pytest.mark.skipif(not REAL.is_file(), reason=f"{REAL} is not there")
def test_the_real_file_has_its_known_counts() -> None:
    data = read_locomo(REAL)
    assert [talk.id for talk in data.conversations] == [
        f"conv-{number}" for number in (26, 30, 41, 42, 43)
    ]
    assert data.questions == 999
    assert [len(talk.turns) for talk in data.conversations] == [419, 369, 663, 629, 680]
    with_turns = [q for talk in data.conversations for q in talk.questions if q.gold.turns]
    assert len(with_turns) == 997
    assert len(data.repairs) == 4
