"""Questions about facts: whose, of what, now or before, and no answer where nothing holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverie.memory.dialogue import DialogueMemory, Message
from reverie.memory.fact_questions import FactQuestion, answer, read_question, resolve_subject
from reverie.memory.facts import FactMemory
from reverie.memory.memory import Memory
from reverie.memory.records import Scope

START = datetime(2024, 1, 1, tzinfo=UTC)

ASKED = """
Where do I live? => user, home
What city am I living in these days? => user, home
Where did I live before? => user, home, before
Which company do I work for? => user, employer
What's my job? => user, job
What do I do for a living? => user, job
What did I do for a living before? => user, job, before
Who am I dating? => user, partner
Who is my wife? => user, partner
What's my girlfriend's name? => user, partner
Where does my wife work? => wife, employer
What do I drive? => user, car
What car did I have before this one? => user, car, before
What phone do I use? => user, phone
What's my favorite dish? => user, favourite food
What is my favourite colour? => user, favourite colour
When do I get up? => user, wake-up time
Which days do I go to the gym? => user, gym days
How do I get to work? => user, commute
What am I allergic to? => user, allergy
Which languages am I learning? => user, language
What's my dog called? => user, dog
What pets do I have? => user, pet
What book am I reading? => user, book
What are my hobbies? => user, hobby
What diet am I on? => user, diet
Where does my sister Ana live? => sister Ana, home
What is my brother's job? => brother, job
Where does Kofi work? => Kofi, employer
"""


@pytest.mark.parametrize("row", ASKED.strip().splitlines())
def test_a_question_is_understood(row: str) -> None:
    question, _, wanted = row.partition(" => ")
    subject, attribute, *before = wanted.split(", ")
    assert read_question(question) == FactQuestion(subject, attribute, bool(before))


@pytest.mark.parametrize("question", ["What is the capital of Peru?", "Tell me a joke", ""])
def test_a_question_of_another_sort_is_none(question: str) -> None:
    assert read_question(question) is None


@given(st.text())
def test_any_question_can_be_read(question: str) -> None:
    read_question(question)


@pytest.fixture(scope="module")
def facts() -> Iterator[FactMemory]:
    told = (
        "I live in Oslo.",
        "I moved to Bergen.",
        "I work at Bosch.",
        "I left Bosch.",
        "My sister Ana drives a Kia Rio.",
    )
    with Memory.open(embedder="hashing:32") as memory:
        scope = Scope(user="ann")
        added = DialogueMemory(memory, scope).add(
            [Message(text=text, at=START + timedelta(days=n)) for n, text in enumerate(told)],
            session="s",
        )
        kept = FactMemory(memory, scope)
        kept.read(memory.get_many(list(added.ids), scope=scope))
        yield kept


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("Where do I live?", ["Bergen"]),
        ("Where did I live before?", ["Oslo"]),
        ("Who do I work for?", []),
        ("Who did I work for before?", ["Bosch"]),
        ("What does my sister drive?", ["Kia Rio"]),
        ("What does Ana drive?", ["Kia Rio"]),
        ("What do I drive?", []),
        ("What does my brother drive?", []),
    ],
)
def test_facts_answer_and_abstain(facts: FactMemory, question: str, wanted: list[str]) -> None:
    asked = read_question(question)
    assert asked is not None
    assert answer(facts, asked) == wanted


def test_an_answer_can_be_asked_as_of_a_moment(facts: FactMemory) -> None:
    asked = FactQuestion("user", "home", False)
    assert answer(facts, asked, as_of=START + timedelta(hours=1)) == ["Oslo"]
    assert answer(facts, asked, as_of=START - timedelta(hours=1)) == []


def test_somebody_is_found_by_relation_or_name(facts: FactMemory) -> None:
    assert resolve_subject(facts, "sister") == "sister Ana"
    assert resolve_subject(facts, "Ana") == "sister Ana"
    assert resolve_subject(facts, "user") == "user"
    assert resolve_subject(facts, "uncle") == "uncle"
