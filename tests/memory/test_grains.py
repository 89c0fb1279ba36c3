"""Grains of dialogue: made of what was said, made once, and gone with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reverie.memory.dialogue import DialogueMemory, Message
from reverie.memory.grains import MOST_CHARACTERS, Grains, everything, sittings
from reverie.memory.memory import Memory
from reverie.memory.records import DerivedPayload, Kind, Record, Scope, Status

ANN = Scope(user="ann")
START = datetime(2024, 3, 4, 9, tzinfo=UTC)
SECRET = "the safe combination is heptagon-seventeen under the cellar stairs"
COARSE = (Kind.SESSION, Kind.SUMMARY, Kind.KEYWORDS)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory.open(tmp_path / "store", embedder="hashing:32") as opened:
        yield opened


def say(memory: Memory, session: str, *texts: str, day: int = 0, scope: Scope = ANN) -> list[str]:
    at = START + timedelta(days=day)
    messages = [
        Message(text=text, speaker="Ann", at=at + timedelta(minutes=place))
        for place, text in enumerate(texts)
    ]
    return list(DialogueMemory(memory, scope).add(messages, session=session).ids)


def rows(memory: Memory, kind: Kind, status: Status | None = Status.ACTIVE) -> list[Record]:
    return everything(memory, ANN, kind, status=status)


def state(memory: Memory) -> list[tuple[str, str, str]]:
    found = [row for kind in COARSE for row in rows(memory, kind, None)]
    return [(row.id, row.text, row.status.value) for row in found]


def two_sessions(memory: Memory) -> None:
    say(
        memory,
        "one",
        "I planted tomatoes on the balcony this spring.",
        "The tomatoes need water every evening.",
        "My neighbour Rosa waters the tomatoes when I travel.",
    )
    say(
        memory,
        "two",
        "I bought a sailing boat last weekend.",
        "The boat needs a coat of paint before summer.",
        day=3,
    )


def test_every_session_gets_its_rows_with_pointers_to_what_they_were_made_from(
    memory: Memory,
) -> None:
    two_sessions(memory)
    ids = {
        record.id for record in everything(memory, Scope(user="ann", session="one"), Kind.UTTERANCE)
    }
    assert Grains(memory, ANN).derive() == 2
    for kind in COARSE:
        first, second = sorted(rows(memory, kind), key=lambda row: row.event_time)
        assert isinstance(first.payload, DerivedPayload)
        assert first.payload.title == first.scope.session == "one"
        assert set(first.sources) == ids
        assert first.origin.source == "reflection"
        assert second.scope.session == "two"


def test_a_session_row_tells_its_day_and_its_turns(memory: Memory) -> None:
    two_sessions(memory)
    Grains(memory, ANN).derive()
    text = rows(memory, Kind.SESSION)[0].text
    assert text.startswith("2024-03-04 4 March 2024 Monday\n")
    assert "Ann: The tomatoes need water every evening." in text


def test_a_word_that_no_other_session_has_is_a_better_keyword_than_one_said_more_often(
    memory: Memory,
) -> None:
    say(memory, "one", "Rosa brought quinces.", "Rosa and I cooked the quinces.", "Rosa laughed.")
    say(memory, "two", "Rosa phoned about the choir.", day=1)
    say(memory, "three", "Rosa is on holiday.", day=2)
    Grains(memory, ANN).derive()
    words = rows(memory, Kind.KEYWORDS)[0].text.split("; ")
    assert words.index("quinces") < words.index("Rosa")


def test_deriving_again_changes_nothing(memory: Memory) -> None:
    two_sessions(memory)
    Grains(memory, ANN).derive()
    before = state(memory)
    assert Grains(memory, ANN).derive() == 0
    assert state(memory) == before


def test_two_stores_with_the_same_dialogue_have_the_same_rows() -> None:
    found: list[list[tuple[str, str, str]]] = []
    for _ in range(2):
        with Memory.open("ephemeral:", embedder="hashing:32") as memory:
            two_sessions(memory)
            Grains(memory, ANN).derive()
            found.append(state(memory))
    assert found[0] == found[1]


def test_only_the_session_that_changed_is_made_anew_and_its_old_rows_are_no_longer_found(
    memory: Memory,
) -> None:
    two_sessions(memory)
    Grains(memory, ANN).derive()
    kept = {row.id for kind in COARSE for row in rows(memory, kind) if row.scope.session == "two"}
    say(memory, "one", "Now the zucchini has mildew, and the zucchini will not recover.", day=1)
    assert Grains(memory, ANN).derive() == 1
    for kind in COARSE:
        assert len(rows(memory, kind)) == 2
        assert len(rows(memory, kind, Status.SUPERSEDED)) == 1
    active = {row.id for kind in COARSE for row in rows(memory, kind)}
    assert kept < active
    assert "zucchini" in rows(memory, Kind.KEYWORDS)[-1].text


def test_a_session_that_is_as_it_was_before_gets_its_old_rows_back(memory: Memory) -> None:
    two_sessions(memory)
    Grains(memory, ANN).derive()
    before = {row.id for kind in COARSE for row in rows(memory, kind)}
    (added,) = say(memory, "one", "A slip of the tongue about pelicans.", day=1)
    Grains(memory, ANN).derive()
    memory.delete(added, scope=ANN)
    assert Grains(memory, ANN).derive() == 1
    assert {row.id for kind in COARSE for row in rows(memory, kind)} == before
    assert Grains(memory, ANN).derive() == 0


def test_nothing_is_lost_when_it_is_stopped_after_any_write(memory: Memory) -> None:
    two_sessions(memory)
    grains = Grains(memory, ANN)
    grains.derive()
    say(memory, "one", "The tomatoes are ripe.", day=1)
    say(memory, "three", "A third evening, about chess openings.", day=5)
    stopped = 0
    for allowed in range(10):
        with pytest.MonkeyPatch.context() as patch:
            writes = _Failing(memory, allowed)
            patch.setattr(memory, "add", writes.add)
            patch.setattr(memory, "supersede", writes.supersede)
            try:
                grains.derive()
            except _Stopped:
                stopped += 1
    assert stopped >= 3
    assert grains.derive() == 0
    for kind in COARSE:
        assert [row.scope.session for row in rows(memory, kind)].count("one") == 1
    assert {row.scope.session for row in rows(memory, Kind.SESSION)} == {"one", "two", "three"}


def test_stopped_between_the_rows_of_a_session_it_makes_the_others_the_next_time(
    memory: Memory,
) -> None:
    say(memory, "one", "Hi!")  # no keywords and no summary yet
    grains = Grains(memory, ANN)
    grains.derive()
    say(memory, "one", "The tomatoes on the balcony are ripe by now.", day=1)
    with pytest.MonkeyPatch.context() as patch:
        writes = _Failing(memory, 1)
        patch.setattr(memory, "add", writes.add)
        patch.setattr(memory, "supersede", writes.supersede)
        with pytest.raises(_Stopped):
            grains.derive()
    assert grains.derive() == 1
    assert [len(rows(memory, kind)) for kind in COARSE] == [1, 1, 1]


def test_a_row_of_what_a_session_was_is_set_aside_whenever_it_is_met(memory: Memory) -> None:
    two_sessions(memory)
    grains = Grains(memory, ANN)
    grains.derive()
    say(memory, "one", "The tomatoes are ripe.", day=1)
    grains.derive()
    (old,) = rows(memory, Kind.SUMMARY, Status.SUPERSEDED)
    memory.update(old.id, scope=ANN, status=Status.ACTIVE)
    assert grains.derive() == 1
    assert memory.get(old.id, scope=ANN).status is Status.SUPERSEDED


class _Stopped(Exception):
    pass


class _Failing:
    """A memory that stops at the write after the first ``allowed``."""

    def __init__(self, memory: Memory, allowed: int) -> None:
        self._add, self._supersede, self._left = memory.add, memory.supersede, allowed

    def add(self, records: list[Record]) -> list[str]:
        self._count(bool(records))
        return self._add(records)

    def supersede(self, old: str, new: Record) -> str:
        self._count(True)
        return self._supersede(old, new)

    def _count(self, writes: bool) -> None:
        if writes and self._left == 0:
            raise _Stopped
        self._left -= writes


def test_the_rows_of_a_session_of_which_nothing_is_left_are_set_aside(memory: Memory) -> None:
    two_sessions(memory)
    Grains(memory, ANN).derive()
    for record in DialogueMemory(memory, ANN).transcript("two"):
        memory.delete(record.id, scope=ANN)
    Grains(memory, ANN).derive()
    assert {row.scope.session for kind in COARSE for row in rows(memory, kind)} == {"one"}


def test_forgetting_an_utterance_removes_every_row_made_from_it_from_every_file(
    memory: Memory,
) -> None:
    two_sessions(memory)
    (secret,) = say(memory, "one", SECRET, day=1)
    Grains(memory, ANN).derive()
    say(memory, "one", "And the roses bloom.", day=2)
    Grains(memory, ANN).derive()  # so that there are superseded rows, too
    assert memory.verify(absent="heptagon-seventeen").found
    DialogueMemory(memory, ANN).forget([secret])
    report = memory.verify(absent="heptagon-seventeen")
    assert report.found == () and report.problems == ()
    assert {row.scope.session for kind in COARSE for row in rows(memory, kind, None)} == {"two"}
    assert Grains(memory, ANN).derive() == 1
    assert memory.verify(absent="heptagon-seventeen").found == ()
    assert "The tomatoes need water" in rows(memory, Kind.SESSION)[-1].text


def test_agents_sessions_of_one_name_stay_apart(memory: Memory) -> None:
    cook, coach = Scope(user="ann", agent="cook"), Scope(user="ann", agent="coach")
    say(memory, "one", "Lentil soup with cumin again.", scope=cook)
    say(memory, "one", "Ten kilometres before breakfast.", scope=coach)
    assert Grains(memory, ANN).derive() == 2
    (row,) = everything(memory, cook, Kind.SESSION)
    assert "Lentil" in row.text and "kilometres" not in row.text


def test_no_other_user_gets_rows(memory: Memory) -> None:
    two_sessions(memory)
    assert Grains(memory, Scope(user="bob")).derive() == 0
    assert everything(memory, Scope(user="bob"), Kind.SESSION, status=None) == []


def test_a_long_session_is_cut_where_it_is_longest_and_every_turn_keeps_its_part(
    memory: Memory,
) -> None:
    say(memory, "one", "A short first line.", "word " * 20_000, "The last line is short.")
    Grains(memory, ANN).derive()
    (row,) = rows(memory, Kind.SESSION)
    assert len(row.text) <= MOST_CHARACTERS
    assert "A short first line." in row.text and row.text.endswith("The last line is short.")


def test_a_session_without_a_telling_word_has_no_keywords_and_is_not_made_twice(
    memory: Memory,
) -> None:
    say(memory, "one", "Hi!", "ok")
    assert Grains(memory, ANN).derive() == 1
    assert rows(memory, Kind.KEYWORDS) == []
    assert Grains(memory, ANN).derive() == 0


def test_a_row_that_was_retracted_stays_so(memory: Memory) -> None:
    two_sessions(memory)
    Grains(memory, ANN).derive()
    wrong = rows(memory, Kind.SUMMARY)[0]
    memory.retract(wrong.id, "it misses the point", scope=ANN)
    assert Grains(memory, ANN).derive() == 0
    assert memory.get(wrong.id, scope=ANN).status is Status.RETRACTED


def test_progress_is_told_of_each_session(memory: Memory) -> None:
    two_sessions(memory)
    told: list[tuple[int, int]] = []
    Grains(memory, ANN).derive(lambda done, of: told.append((done, of)))
    assert told == [(1, 2), (2, 2)]


def test_sessions_come_in_order_of_time(memory: Memory) -> None:
    say(memory, "later", "Second.", day=9)
    say(memory, "earlier", "First.", day=1)
    assert [one.session for one in sittings(memory, ANN)] == ["earlier", "later"]
