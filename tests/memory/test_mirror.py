"""A mirror shows what every writer wrote, and nothing that was forgotten."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from reverie.memory.memory import Memory
from reverie.memory.mirror import Mirror
from reverie.memory.records import Kind, Origin, Record, Scope, Status, UtterancePayload

ANN = Scope(user="ann")


def note(number: int, text: str) -> Record:
    return Record(
        id=f"n{number}",
        scope=ANN,
        text=text,
        payload=UtterancePayload(speaker="ann", turn=number),
        origin=Origin(source="user"),
    )


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["add", "update", "archive", "forget", "look"]), st.integers(0, 5)
        ),
        max_size=25,
    )
)
def test_it_shows_what_the_store_lists(steps: list[tuple[str, int]]) -> None:
    with Memory.open(embedder="hashing:8") as memory:
        mirror = Mirror(memory, ANN, Kind.UTTERANCE)
        memory.add(note(9, "of eve").model_copy(update={"scope": Scope(user="eve")}))
        for place, (verb, number) in enumerate(steps):
            name = f"n{number}"
            there = bool(memory.get_many([name], scope=ANN))
            if verb == "add" and not there:
                memory.add(note(number, f"text {place}"))
            elif verb == "update" and there:
                memory.update(name, scope=ANN, text=f"text {place}")
            elif verb == "archive" and there:
                memory.update(name, scope=ANN, status=Status.ARCHIVED)
            elif verb == "forget" and there:
                memory.forget([name], scope=ANN)
            elif verb == "look":
                mirror.records()
        assert mirror.records() == memory.list(scope=ANN, status=None)


def test_it_forgets_the_last_record_too() -> None:
    with Memory.open(embedder="hashing:8") as memory:
        mirror = Mirror(memory, ANN, Kind.UTTERANCE)
        memory.add(note(1, "secret"))
        assert len(mirror.records()) == 1
        memory.forget(["n1"], scope=ANN)
        memory.add(note(2, "else"))
        assert [record.id for record in mirror.records()] == ["n2"]
