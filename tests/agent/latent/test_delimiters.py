"""Where a clause ends, and where a number goes on."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverie.agent.latent.delimiters import Delimiters

MARKS = (",", ".", "\n")
PIECES = ["", *"3142. ,\na", ").", "1.", ".5", "ab", ".\n", "3,", " 7", "..", ".)"]
TABLE = Delimiters(PIECES, MARKS)


def _ids(pieces: Sequence[str]) -> list[int]:
    return [PIECES.index(piece) for piece in pieces]


def _points(*pieces: str) -> list[int]:
    return TABLE.points(_ids(pieces))


@pytest.mark.parametrize(
    ("pieces", "points"),
    [
        (["a", ",", " ", "a", ".", "\n"], [2, 5, 6]),
        (["3", ".", "1", "4"], []),
        (["3", ".", "1", "4", ".", " ", "a"], [6]),
        (["1", ",", "4", "4", "2"], []),
        (["1.", "4", ".", "a"], [4]),
        (["ab", ").", "a"], [2]),
        (["3", ".", "\n"], [3]),
        (["3", ".", " 7"], [3]),
        (["3,", "a"], [2]),
        (["3", ".\n", "1"], [2]),
        ([".", ".5", "."], [1]),
        (["..", "1"], [1]),
    ],
)
def test_points_stand_behind_clauses_and_outside_numbers(
    pieces: list[str], points: list[int]
) -> None:
    assert _points(*pieces) == points


@given(st.lists(st.sampled_from(PIECES), max_size=20))
def test_asking_token_by_token_finds_the_same_points(pieces: list[str]) -> None:
    ids = _ids(pieces)
    asked = [n for n in range(1, len(ids) + 1) if TABLE.at(ids[:n])]
    assert asked == TABLE.points(ids)


@given(st.text(alphabet="0123456789.,", max_size=12))
def test_a_number_has_no_point_within(number: str) -> None:
    """A mark between two digits is never a point, nor makes the digit behind it one."""
    table = Delimiters(list("0123456789.,"), MARKS)
    ids = ["0123456789.,".index(letter) for letter in number]
    for place in table.points(ids):
        before, here = number[place - 2 : place - 1], number[place - 1]
        assert (here in ".," and not before.isdigit()) or not here.isdigit()


def test_a_point_before_the_answer_begins_is_none_of_its() -> None:
    ids = _ids(["a", ".", "a", ",", "a"])
    assert TABLE.points(ids, begin=2) == [4]


def test_ids_without_a_text_are_no_delimiters() -> None:
    assert not TABLE.at([len(PIECES) + 5])
    assert not TABLE.at([])
