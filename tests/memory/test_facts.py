"""Facts: what holds, since when and until when, whatever order the messages arrive in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverie.memory.dialogue import DialogueMemory, Message
from reverie.memory.facts import FactMemory, values
from reverie.memory.intervals import payload_of
from reverie.memory.memory import Memory
from reverie.memory.records import Record, Scope

START = datetime(2024, 1, 1, tzinfo=UTC)
_USERS = count()

SAID = (
    "I live in Oslo.",
    "I moved to Bergen.",
    "I've moved back to Oslo.",
    "I don't live in Bergen any more.",
    "I work at Bosch.",
    "I left Bosch and started at Siemens.",
    "I quit my job.",
    "My brother Kofi lives in Leeds.",
    "Kofi moved to Lagos.",
    "My sister Kofi works at Lego.",
    "I've taken up chess.",
    "I gave up chess.",
    "We have a dog called Rex.",
    "We have a cat called Mimi.",
    "Rex passed away.",
    "I get up at 6:30.",
)


@pytest.fixture(scope="module")
def store() -> Iterator[Memory]:
    with Memory.open(embedder="hashing:32") as opened:
        yield opened


class Chat:
    """One user's conversation, told a sentence a day."""

    def __init__(self, memory: Memory) -> None:
        self.scope = Scope(user=f"facts{next(_USERS)}")
        self.memory = memory
        self.dialogue = DialogueMemory(memory, self.scope)
        self.facts = FactMemory(memory, self.scope)

    def turns(self, texts: Sequence[str]) -> list[Record]:
        """Keep messages, one a day; those that begin with "> " are the assistant's."""
        added = self.dialogue.add(
            [
                Message(
                    text=text.removeprefix("> "),
                    role="assistant" if text.startswith("> ") else "user",
                    at=day(number),
                    turn=number,
                )
                for number, text in enumerate(texts)
            ],
            session="s",
        )
        return self.memory.get_many(list(added.ids), scope=self.scope)

    def tell(self, *texts: str) -> Chat:
        self.facts.read(self.turns(texts))
        return self

    def now(self, attribute: str, subject: str = "user", at: int | None = None) -> list[str]:
        as_of = None if at is None else day(at) + timedelta(hours=1)
        return values(self.facts.current(subject, attribute, as_of=as_of))

    def state(self) -> list[tuple[object, ...]]:
        return sorted(
            (p.subject, p.attribute, p.value, p.ends, str(p.valid_from), str(p.valid_to))
            for p in map(payload_of, self.facts.all())
        )


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def test_a_newer_value_closes_the_older(store: Memory) -> None:
    chat = Chat(store).tell("I live in Oslo.", "I moved to Bergen.")
    assert chat.now("home") == ["Bergen"]
    assert chat.now("home", at=0) == ["Oslo"]
    assert [payload_of(one).valid_to for one in chat.facts.history("user", "home")] == [
        day(1),
        None,
    ]


def test_what_has_ended_is_not_current_and_what_it_ends_must_be_named(store: Memory) -> None:
    chat = Chat(store).tell("I work at Bosch.", "I don't work at Siemens any more.")
    assert chat.now("employer") == ["Bosch"]
    chat = Chat(store).tell("I work at Bosch.", "I don't work at Bosch any more.")
    assert chat.now("employer") == []


def test_hobbies_stand_side_by_side_until_one_is_given_up(store: Memory) -> None:
    chat = Chat(store).tell("I've taken up chess.", "I've taken up knitting.", "I gave up chess.")
    assert chat.now("hobby") == ["knitting"]
    assert set(chat.now("hobby", at=1)) == {"chess", "knitting"}


def test_a_cat_does_not_take_a_dogs_place(store: Memory) -> None:
    chat = Chat(store).tell("We have a dog called Rex.", "We have a cat called Mimi.")
    assert set(chat.now("pet")) == {"Rex", "Mimi"}
    assert chat.now("dog") == ["Rex"]
    chat = Chat(store).tell("We have a dog called Rex.", "Rex passed away.")
    assert chat.now("pet") == []


def test_a_claim_is_believed_only_once_it_is_confirmed(store: Memory) -> None:
    chat = Chat(store).tell("> Since you live in Oslo, take the tram.", "Thanks!")
    assert chat.now("home") == []
    assert len(chat.facts.history("user", "home")) == 1
    chat = Chat(store).tell("> Since you live in Oslo, take the tram.", "Yes, that's right.")
    assert chat.now("home") == ["Oslo"]
    chat = Chat(store).tell("> Since you live in Oslo, take the tram.", "No, it's Bergen.")
    assert chat.now("home") == ["Bergen"]


def test_a_claim_that_the_user_corrects_is_not_believed(store: Memory) -> None:
    chat = Chat(store).tell(
        "> As a chef you work late, and you work as a chef.",
        "Right, but I work as an electrician, not as a chef.",
    )
    assert chat.now("job") == ["electrician"]


def test_somebody_named_in_two_ways_is_one_person(store: Memory) -> None:
    chat = Chat(store).tell("My brother Kofi lives in Leeds.", "Kofi moved to Lagos.")
    assert chat.now("home", "brother Kofi") == ["Lagos"]
    assert chat.now("home", "Kofi") == ["Lagos"]
    assert chat.now("home", "brother") == ["Lagos"]
    assert chat.facts.subjects() == ["brother Kofi"]


def test_two_of_a_name_are_kept_apart(store: Memory) -> None:
    chat = Chat(store).tell("My brother Sam lives in Leeds.", "My friend Sam lives in Lagos.")
    assert chat.now("home", "brother Sam") == ["Leeds"]
    assert chat.now("home", "friend Sam") == ["Lagos"]


@settings(max_examples=12, deadline=None)
@given(st.lists(st.sampled_from(SAID), min_size=2, max_size=7), st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(
    store: Memory, told: list[str], random: Random
) -> None:
    texts = list(dict.fromkeys(told))
    ordered, mixed = Chat(store), Chat(store)
    ordered.tell(*texts)
    turns = mixed.turns(texts)
    random.shuffle(turns)
    for turn in turns:
        mixed.facts.read([turn])
    assert mixed.state() == ordered.state()
    assert set(mixed.facts.subjects()) == set(ordered.facts.subjects())


@settings(max_examples=8, deadline=None)
@given(st.lists(st.sampled_from(SAID), min_size=1, max_size=6, unique=True))
def test_reading_twice_changes_nothing(store: Memory, texts: list[str]) -> None:
    chat = Chat(store)
    turns = chat.turns(texts)
    first = chat.facts.read(turns)
    before = chat.state()
    assert chat.facts.read(turns) == first
    assert chat.state() == before


@settings(max_examples=8, deadline=None)
@given(st.lists(st.sampled_from(SAID), min_size=1, max_size=8, unique=True))
def test_at_every_moment_one_value_at_most_is_current(store: Memory, texts: list[str]) -> None:
    chat = Chat(store).tell(*texts)
    for attribute in ("home", "employer", "wake-up time", "dog"):
        assert len(chat.now(attribute)) <= 1
        for number in range(len(texts)):
            known = chat.now(attribute, at=number)
            assert len(known) <= 1
            assert known == Chat(store).tell(*texts[: number + 1]).now(attribute)
