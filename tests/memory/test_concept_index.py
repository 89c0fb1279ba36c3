"""Names and types of concepts, kept in step with changes: never other than if built anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from reverie.memory.concept_types import aliases_of
from reverie.memory.concept_view import Concept, ConceptView
from reverie.memory.concepts import ConceptMemory, Draft
from reverie.memory.memory import Memory
from reverie.memory.records import ConceptParameter, ConceptPayload, Scope, Status
from reverie.memory.types.parsing import parse
from reverie.memory.writes import Change

SCOPE = Scope(user="arc")
TITLES = ("slide object", "Slide Objects", "hole", "holes", "stop", "touch", "path", "criterion")
TYPES = (
    "",
    "grid",
    "object",
    "grid | object",
    "list[object]",
    "hole",
    "stop",
    "criterion := Callable[[object, grid], bool]",
    "criterion := path",
    "criterion",
    "path := list[hole]",
    "Any",
    "bool",
    "tuple[grid, ...]",
)
NEEDED = tuple(parse(text).type for text in TYPES if text)

parameters = st.lists(
    st.builds(
        ConceptParameter, name=st.sampled_from(("a", "b", "c")), typing=st.sampled_from(TYPES)
    ),
    max_size=2,
    unique_by=lambda one: one.name,
).map(tuple)
payloads = st.builds(
    ConceptPayload,
    title=st.sampled_from(TITLES),
    form=st.sampled_from(("program", "program", "program", "open")),
    role=st.sampled_from(("", "structure", "routine")),
    subtype=st.sampled_from(("", "grid manipulation", "stop", "criterion")),
    parameters=parameters,
    output_type=st.sampled_from(TYPES),
    types=st.dictionaries(
        st.sampled_from(("path", "way")), st.sampled_from(TYPES[1:6]), max_size=1
    ),
    aliases=st.lists(st.sampled_from(TITLES), max_size=1).map(tuple),
)


def same_as_anew(view: ConceptView) -> None:
    """All that a view says of names and types is what one made from its concepts alone says."""
    anew = ConceptView(dict(view.concepts), view.uses, view.at, view.seq)
    assert view.all() == anew.all()
    for title in TITLES:
        assert view.find(title) == anew.find(title)
    assert view.aliases == anew.aliases
    assert view.aliases == aliases_of(one.payload for one in view.all())
    for held, made in (
        (view.types.offers, anew.types.offers),
        (view.types.needs, anew.types.needs),
        (view.types.definitions, anew.types.definitions),
    ):
        assert held.rows == made.rows
    for needed in NEEDED:
        assert view.types.providers(needed) == anew.types.providers(needed)
    held, made = view.graph(), anew.graph()
    assert dict(held.nodes(data=True)) == dict(made.nodes(data=True))
    assert held.adj == made.adj
    assert view.problems() == anew.problems()


changes = st.dictionaries(
    st.sampled_from([f"id{n}" for n in range(6)]), st.one_of(st.none(), payloads), max_size=3
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(changes, st.booleans()), max_size=6))
def test_a_view_that_follows_changes_says_what_one_made_anew_says(
    steps: list[tuple[dict[str, ConceptPayload | None], bool]],
) -> None:
    view = ConceptView({})
    for changed, asked in steps:
        concepts: dict[str, Concept] = {**view.concepts}
        for name, payload in changed.items():
            if payload is None:
                concepts.pop(name, None)
            else:
                concepts[name] = Concept(name, payload)
        view = view.followed(concepts, changed, uses={}, at=None, seq=view.seq + 1)
        if asked:  # what is remembered of answers must not go stale
            same_as_anew(view)
    same_as_anew(view)


def test_an_older_view_does_not_change_with_a_newer_one() -> None:
    slide = ConceptPayload(title="slide", role="routine", output_type="grid")
    old = ConceptView({"a": Concept("a", slide)})
    kept = replace(old)
    same_as_anew(old)
    hole = Concept("b", slide.model_copy(update={"title": "hole"}))
    new = old.followed({**old.concepts, "b": hole}, ["b"], uses={}, at=None, seq=1)
    assert [one.concept.id for one in new.providers("grid")] == ["a", "b"]
    assert [one.concept.id for one in old.providers("grid")] == ["a"]
    assert old.find("hole") is None
    assert old == kept


def change(concepts: ConceptMemory, number: int, payload: ConceptPayload) -> None:
    """Do one thing to a memory: write, unite, archive, mislead or forget."""
    held = concepts.all()
    if number < 5 or len(held) < 2:
        concepts.write(Draft(payload, puzzle=f"p{number}"))
        return
    one = held[number % len(held)]
    if number == 5:
        other = held[(number + 1) % len(held)]
        if one.payload.form == other.payload.form:
            concepts.unite(one.id, other.id)
    elif number == 6:
        record = concepts.memory.get(one.id, scope=SCOPE)
        archived = record.model_copy(update={"status": Status.ARCHIVED})
        assert concepts.memory.swap([Change(record, archived)])
    elif number == 7:
        concepts.misled(one.id, "looked like it", puzzle="p")
    else:
        concepts.memory.forget([one.id], scope=SCOPE)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 8), payloads), min_size=1, max_size=8))
def test_a_memory_that_follows_its_journal_says_what_one_that_reads_it_anew_says(
    steps: list[tuple[int, ConceptPayload]],
) -> None:
    with Memory.open("ephemeral:", embedder="hashing:16") as memory:
        concepts = ConceptMemory(memory, SCOPE)
        for number, payload in steps:
            change(concepts, number, payload)
            same_as_anew(concepts.snapshot())
        ours: Mapping[str, Concept] = concepts.snapshot().concepts
        anew = ConceptMemory(memory, SCOPE).snapshot().concepts
        assert list(ours.items()) == list(anew.items())


def test_a_revived_concept_stands_where_it_was_first_written() -> None:
    with Memory.open("ephemeral:", embedder="hashing:16") as memory:
        concepts = ConceptMemory(memory, SCOPE)
        drafts = [Draft(ConceptPayload(title=title)) for title in ("hole", "path")]
        first = concepts.write(drafts)[0].id
        record = memory.get(first, scope=SCOPE)
        archived = record.model_copy(update={"status": Status.ARCHIVED})
        assert memory.swap([Change(record, archived)])
        assert [one.title for one in concepts.all()] == ["path"]
        assert concepts.write(drafts[0])[0].fate == "revived"
        assert [one.title for one in concepts.all()] == ["hole", "path"]
        same_as_anew(concepts.snapshot())
