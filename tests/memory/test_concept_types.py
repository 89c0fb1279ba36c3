"""The type language: read, printed, put in normal form, widened, fitted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverie.memory.types.aliases import Aliases, problems
from reverie.memory.types.fitting import fits
from reverie.memory.types.normal import normal, same, widen, widen_text
from reverie.memory.types.parsing import Annotation, parse
from reverie.memory.types.terms import (
    Anything,
    Defined,
    Either,
    Function,
    Generic,
    Named,
    Nothing,
    Rest,
    Type,
    Values,
    Verbatim,
    literal,
)

NAMES = st.sampled_from(
    ["grid", "object", "color", "int", "stopping criteria", "Grid", "region_grid", "2d array"]
)
VALUES = st.one_of(
    st.text(max_size=5), st.integers(-9, 9), st.booleans(), st.sampled_from([0.5, -1.25])
).map(literal)


def _types(inner: st.SearchStrategy[Type]) -> st.SearchStrategy[Type]:
    several = st.lists(inner, min_size=1, max_size=3).map(tuple)
    members = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Generic, st.sampled_from(["list", "dict", "ndarray"]), several),
        inner.map(lambda one: Generic("tuple", (one, Rest()))),
        st.builds(Function, st.one_of(st.none(), st.just(()), several), inner),
        st.builds(Either, members),
        st.builds(Defined, NAMES, inner),
    )


TYPES: st.SearchStrategy[Type] = st.recursive(
    st.one_of(
        st.just(Anything()),
        st.just(Nothing()),
        st.builds(Named, NAMES),
        st.builds(Values, st.lists(VALUES, min_size=1, max_size=3).map(tuple)),
        st.builds(Verbatim, st.text(min_size=1, max_size=6)),
    ),
    _types,
    max_leaves=8,
)


def read(text: str) -> Type:
    found = parse(text)
    assert not found.problem, found.problem
    return found.type


@given(TYPES)
def test_a_type_prints_as_text_that_reads_as_the_same_type(one: Type) -> None:
    assert parse(str(one)) == Annotation(str(one), one)


@given(st.text(max_size=40))
def test_any_text_is_read_or_kept_as_it_stands(text: str) -> None:
    found = parse(text)
    assert found.text == text
    if found.problem:
        assert found.type == Verbatim(text.strip())


@given(TYPES)
def test_the_normal_form_is_its_own_normal_form(one: Type) -> None:
    assert normal(normal(one)) == normal(one)
    assert parse(str(normal(one))).type == normal(one)


@given(TYPES, TYPES, TYPES)
def test_widening_is_idempotent_commutative_and_associative(a: Type, b: Type, c: Type) -> None:
    assert widen(a, a) == normal(a)
    assert widen(a, b) == widen(b, a)
    assert widen(widen(a, b), c) == widen(a, widen(b, c))


@given(TYPES, TYPES)
def test_each_type_fits_what_it_was_widened_to(a: Type, b: Type) -> None:
    assert fits(a, a)
    assert fits(a, widen(a, b))
    assert fits(a, Anything()) and fits(Anything(), a)


@given(TYPES, TYPES)
def test_widening_a_text_twice_is_widening_it_once(a: Type, b: Type) -> None:
    once = widen_text(str(a), str(b))
    assert widen_text(once, str(b)) == once
    assert widen_text(once, str(a)) == once
    assert widen_text("", once) == widen_text(once, " ") == once


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("grid | object", "grid | object"),
        ("List[Object]", "list[Object]"),
        ("tuple[int, ...]", "tuple[int, ...]"),
        ("Optional[grid]", "grid | None"),
        ("Union[a, b]", "a | b"),
        ("4 | 8", "Literal[4] | Literal[8]"),
        ("Literal['up', \"down\"]", 'Literal["up", "down"]'),
        ("Callable", "Callable[..., Any]"),
        ("Callable[[], int]", "Callable[[], int]"),
        ("Callable[grid, bool]", "Callable[[grid], bool]"),
        ("stop := Callable[[object, grid], bool]", "stop := Callable[[object, grid], bool]"),
        ("bool | rule := Literal['a']", 'bool | (rule := Literal["a"])'),
        ("list[symmetry := Callable[[p], p]]", "list[symmetry := Callable[[p], p]]"),
        ("ndarray[bool]", "ndarray[bool]"),
    ],
)
def test_annotations_are_read_as_they_are_written_in_the_wild(text: str, printed: str) -> None:
    assert str(read(text)) == printed


@pytest.mark.parametrize("text", ["int >= 0", "list[", "color (int)", "", "a: b", "[" * 500])
def test_what_is_no_type_is_kept_with_the_reason(text: str) -> None:
    found = parse(text)
    assert found.problem
    assert found.type == Verbatim(text.strip())


def test_the_normal_form_is_flat_sorted_and_without_doubles() -> None:
    one = read("None | object | (grid | object) | Literal['b'] | Literal['a'] | Grid")
    assert str(normal(one)) == 'Literal["a", "b"] | grid | object | None'


def test_two_definitions_of_a_name_become_one() -> None:
    assert widen_text("axis := Literal['x']", "axis := Literal['y']") == 'axis := Literal["x", "y"]'
    assert widen_text("axis := Literal['x']", "axis") == "axis := Literal['x']"
    assert widen_text("axis", "axis := Literal['x']") == 'axis := Literal["x"]'


def test_what_is_known_stays_known_beside_any() -> None:
    assert widen_text("grid", "Any") == "Any | grid"


def test_names_are_the_same_in_any_case_and_spacing() -> None:
    assert same("Stopping_Criteria", "stopping  criteria")
    assert not same("grid", "")


@pytest.mark.parametrize(
    ("provided", "needed", "does"),
    [
        ("grid", "grid | object", True),
        ("grid | object", "grid", False),
        ("list[grid]", "list[grid | object]", True),
        ("list[object]", "list", True),
        ("list", "list[object]", False),
        ("tuple[int, int]", "tuple[int, ...]", True),
        ("tuple[int, str]", "tuple[int, ...]", False),
        ("dict[color, int]", "dict[color, float]", True),
        ("Literal['up']", "Literal['up', 'down']", True),
        ("Literal['up']", "str", True),
        ("Literal[1]", "bool", False),
        ("bool", "int", True),
        ("int", "bool", False),
        ("Callable[[grid | object], bool]", "Callable[[object], bool]", True),
        ("Callable[[object], bool]", "Callable[[grid | object], bool]", False),
        ("Callable[[object], bool]", "Callable[[object], bool | None]", True),
        ("Callable[[object], bool]", "Callable[[object, grid], bool]", False),
        ("Callable[[object], bool]", "Callable[..., bool]", True),
        ("Callable[[object], bool]", "Callable", True),
        ("grid", "Callable", False),
        ("rule := list[grid]", "list[grid]", True),
        ("rule", "rule := list[grid]", True),
        ("`what?`", "`what?`", True),
        ("`what?`", "grid", False),
    ],
)
def test_what_fits_where(provided: str, needed: str, does: bool) -> None:
    assert fits(read(provided), read(needed)) is does


def test_functions_that_take_functions_vary_twice() -> None:
    taker = "Callable[[Callable[[object], bool]], grid]"
    wider = "Callable[[Callable[[object | grid], bool]], grid]"
    assert fits(read(taker), read(wider))
    assert not fits(read(wider), read(taker))


def test_an_alias_fits_what_it_stands_for_and_the_other_way() -> None:
    aliases = Aliases.read(["test := Callable[[object], bool]", "tests := list[test]"])
    assert fits(read("Callable[[object], bool]"), read("test"), aliases)
    assert fits(read("tests"), read("list[Callable[[object], bool]]"), aliases)
    assert not fits(read("test"), read("tests"), aliases)


def test_aliases_that_go_round_are_found_and_end() -> None:
    aliases = Aliases.read(["a := b", "b := list[c]", "c := a | int", "tree := list[tree]"])
    assert aliases.cycles() == [("a", "b", "c"), ("tree",)]
    assert not fits(read("a"), read("int"), aliases)
    assert fits(read("tree"), read("list[tree]"), aliases)


def test_problems_name_what_is_not_well_formed() -> None:
    assert problems(read("list[a, b]"), ["a", "b"]) == ["list[a, b]: list takes 1 types"]
    assert problems(read("dict[int, colur]")) == ["'colur' is not defined"]
    assert problems(parse("int >= 0").type) == ["'int >= 0' could not be read"]
    aliases = Aliases.read(["direction := Literal['up']"])
    assert problems(read("Direction | int"), aliases=aliases) == []
