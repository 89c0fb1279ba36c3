"""Merging concepts: nothing said is lost, in whichever order and however often it is said."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverie.memory.concept_merge import merged, settled, stamped
from reverie.memory.concept_names import canonical
from reverie.memory.concept_reading import read_concept
from reverie.memory.records import ConceptParameter, ConceptPayload, NegativeCue
from reverie.memory.types.normal import normal, widen
from reverie.memory.types.parsing import parse

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FEW = settings(max_examples=50)
WORDS = st.sampled_from(["", "a hole", "A  hole", "slide it", "of one colour", "at the edge"])
TYPINGS = st.sampled_from(
    ["", "grid", "object", "grid | object", "list[Grid]", "d := Literal['up']", "d", "int >= 0"]
)
LISTS = st.lists(WORDS, max_size=3).map(tuple)
PARAMETERS = st.lists(
    st.builds(
        ConceptParameter,
        name=st.sampled_from(["object", "Objects", "direction", "stop"]),
        typing=TYPINGS,
        description=WORDS,
    ),
    max_size=3,
).map(tuple)
CONCEPTS = st.builds(
    ConceptPayload,
    title=st.sampled_from(["slide object", "Slide Objects"]),
    body=WORDS,
    role=st.sampled_from(["", "routine"]),
    subtype=st.sampled_from(["", "intermediate"]),
    parameters=PARAMETERS,
    output_type=TYPINGS,
    types=st.dictionaries(st.sampled_from(["d", "D", "e"]), TYPINGS.filter(bool), max_size=2),
    cues=LISTS,
    notes=LISTS,
    used_in=st.lists(st.sampled_from(["p1", "p2"]), max_size=2).map(tuple),
    aliases=st.lists(st.sampled_from(["glide", "push"]), max_size=2).map(tuple),
    negative_cues=st.lists(
        st.builds(NegativeCue, text=WORDS.filter(bool), trust=st.sampled_from([0.1, 0.3])),
        max_size=2,
    ).map(tuple),
    code=st.sampled_from(["", "def f(): ...", "def g(): ..."]),
    passed=st.sampled_from([(), ("p1",), ("p1", "p2")]),
    extra=st.dictionaries(st.sampled_from(["kind", "x"]), st.integers(0, 3), max_size=2),
)


def signed(one: ConceptPayload, puzzle: str) -> ConceptPayload:
    return settled(stamped(one, puzzle=puzzle, run="r", at=NOON))


@FEW
@given(CONCEPTS, CONCEPTS)
def test_merging_the_same_twice_changes_nothing(a: ConceptPayload, b: ConceptPayload) -> None:
    a, b = signed(a, "p1"), signed(b, "p2")
    once = merged(a, b)
    assert merged(a, a) == a
    assert merged(once, b) == once
    assert merged(once, a) == once


FIELDS = ("body", "subtype", "parameters", "output_type", "types", "cues", "notes", "aliases")


@FEW
@given(CONCEPTS, st.data())
def test_the_order_of_what_says_different_fields_does_not_matter(
    whole: ConceptPayload, data: st.DataObject
) -> None:
    mine = set(data.draw(st.lists(st.sampled_from(FIELDS), unique=True)))
    empty = ConceptPayload(title=whole.title)
    a, b = (
        stamped(
            empty.model_copy(update={name: getattr(whole, name) for name in names}),
            puzzle="p1",
            run="r",
            at=NOON,
        )
        for names in (mine, {*FIELDS} - mine)
    )
    assert merged(a, b) == merged(b, a)


@FEW
@given(CONCEPTS, CONCEPTS, CONCEPTS)
def test_merging_in_any_grouping_comes_to_the_same(
    a: ConceptPayload, b: ConceptPayload, c: ConceptPayload
) -> None:
    a, b, c = (
        signed(one.model_copy(update={"code": "", "passed": ()}), name)
        for one, name in ((a, "p1"), (b, "p2"), (c, "p3"))
    )
    left, right = merged(merged(a, b), c), merged(a, merged(b, c))
    texts = {"parameters", "output_type", "types"}
    assert left.model_dump(exclude=texts) == right.model_dump(exclude=texts)
    assert typings(left) == typings(right)


def typings(one: ConceptPayload) -> dict[str, object]:
    """What a concept says of types, however it is written."""
    found = {canonical(p.name): p.typing for p in one.parameters} | {"": one.output_type}
    found |= {f"type {name}": typing for name, typing in one.types.items()}
    return {name: normal(parse(text).type) if text else "" for name, text in found.items()}


@FEW
@given(CONCEPTS, CONCEPTS)
def test_no_typing_is_ever_lost(a: ConceptPayload, b: ConceptPayload) -> None:
    both = merged(signed(a, "p1"), signed(b, "p2"))
    held = {canonical(one.name): one.typing for one in both.parameters}
    for one in (*a.parameters, *b.parameters):
        if one.typing:
            after = parse(held[canonical(one.name)]).type
            assert widen(after, parse(one.typing).type) == normal(after)
    said = {(one.field, one.value.casefold()) for one in both.said}
    for text in filter(None, (a.output_type, b.output_type)):
        assert ("output_type", text.casefold()) in said


@FEW
@given(CONCEPTS, CONCEPTS)
def test_every_value_that_was_said_stands_with_who_said_it(
    a: ConceptPayload, b: ConceptPayload
) -> None:
    both = merged(signed(a, "p1"), signed(b, "p2"))
    told = {(one.field, " ".join(one.value.split()).casefold()) for one in both.said}
    for one in (a, b):
        for name in ("body", "subtype"):
            if value := " ".join(str(getattr(one, name)).split()).casefold():
                assert (name, value) in told
    assert {one.puzzle for one in both.said} <= {"p1", "p2"}


# -- what the released merge got wrong ------------------------------------------------------------


def written(**fields: object) -> ConceptPayload:
    (found,) = read_concept({"concept": "slide object", "kind": "routine", **fields}).concepts
    return found


def test_a_null_typing_erases_neither_the_typing_nor_its_description() -> None:
    first = written(
        parameters=[{"name": "direction", "typing": "Literal['up']", "description": "whither"}]
    )
    second = written(parameters=[{"name": "direction", "typing": None, "description": None}])
    (kept,) = merged(first, second).parameters
    assert kept == ConceptParameter(name="direction", typing="Literal['up']", description="whither")


def test_a_second_typing_widens_the_first_instead_of_replacing_it() -> None:
    first = written(parameters=[{"name": "direction", "typing": "d := Literal['up']"}])
    second = written(parameters=[{"name": "Direction", "typing": "d := Literal['down']"}])
    (kept,) = merged(first, second).parameters
    assert kept.typing == 'd := Literal["down", "up"]'


def test_a_later_output_type_and_description_are_not_ignored() -> None:
    first = stamped(written(output_typing="grid", description="moves"), puzzle="a", run="", at=NOON)
    second = stamped(
        written(output_typing="object", description="moves until it stops"),
        puzzle="b",
        run="",
        at=NOON,
    )
    both = merged(first, second)
    assert both.output_type == "grid | object"
    assert both.body == "moves"
    assert [one.puzzle for one in both.said if one.value == "moves until it stops"] == ["b"]


@pytest.mark.parametrize("name", ["Slide Object", "slide  objects", "SLIDE_OBJECT", "slide-object"])
def test_one_name_in_many_spellings_is_one_concept(name: str) -> None:
    assert canonical(name) == canonical("slide object")


@pytest.mark.parametrize(
    ("one", "other"), [("axis", "axes"), ("stopping criteria", "stop"), ("is", "i"), ("", "s")]
)
def test_different_names_stay_different(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)


@pytest.mark.parametrize(
    "fields",
    [
        {"parameters": None},
        {"parameters": "N/A", "cues": "N/A", "output_typing": "N/A"},
        {"parameters": [{"name": "grid", "type": "grid", "unit": "cells"}], "colour": 3},
        {"parameters": {"grid": "grid"}, "cues": None, "implementation": None},
        {"parameters": ["grid", None, 7], "cues": "one cue", "implementation": {"slice": "[::2]"}},
    ],
)
def test_null_and_unknown_keys_do_not_raise(fields: dict[str, object]) -> None:
    one = written(**fields)
    assert one.title == "slide object"
    assert one.output_type == ""


def test_unknown_keys_are_kept() -> None:
    assert written(colour=3, kind="term definition").extra == {
        "colour": 3,
        "kind": "term definition",
    }


def test_a_name_with_a_colon_is_a_name() -> None:
    (one,) = read_concept({"concept": "case: empty", "cues": ["if: nothing"]}).concepts
    assert (one.title, one.cues) == ("case: empty", ("if: nothing",))
    (other,) = read_concept("case: empty").concepts
    assert canonical(other.title) == canonical(one.title)


def test_what_is_no_concept_is_told() -> None:
    assert read_concept(None).problems and read_concept([1]).problems
    assert read_concept({"kind": "routine"}).problems == ("{'kind': 'routine'} has no name",)


def test_a_concept_written_inside_another_is_taken_out() -> None:
    outer, inner = read_concept(
        {
            "concept": "move object",
            "Kind": "routine",
            "select guide": {"Kind": "parameter selection", "Output Typing": "object"},
        }
    ).concepts
    assert (outer.title, inner.title, inner.output_type) == (
        "move object",
        "select guide",
        "object",
    )


def test_negative_cues_of_one_text_add_up() -> None:
    later = datetime(2027, 1, 1, tzinfo=UTC)
    a = ConceptPayload(
        title="x", negative_cues=(NegativeCue(text="Looks so", evidence=("p1",), expires=NOON),)
    )
    b = ConceptPayload(
        title="x", negative_cues=(NegativeCue(text="looks so", evidence=("p2",), expires=later),)
    )
    (cue,) = merged(a, b).negative_cues
    assert (cue.evidence, cue.expires, cue.trust) == (("p1", "p2"), later, 0.3)


def test_of_two_codes_the_one_that_passed_on_more_puzzles_stays() -> None:
    few = ConceptPayload(title="x", code="f", passed=("p1",), language="python")
    more = ConceptPayload(title="x", code="g", passed=("p1", "p2"))
    assert merged(few, more).code == merged(more, few).code == "g"
    assert merged(few, few.model_copy(update={"passed": ("p3",)})).passed == ("p1", "p3")
