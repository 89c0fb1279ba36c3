"""The search: complete in order of cost, equal programs once, within its budget."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from reverie.errors import Inapplicable
from reverie.tools.grids.library import Type
from reverie.tools.grids.puzzle import Grid, Pair, Puzzle, grid
from reverie.tools.synthesis.prior import ROOT, UNIFORM, Costs, Prior, sensible
from reverie.tools.synthesis.routines import routine, type_of
from reverie.tools.synthesis.search import (
    Evaluated,
    Search,
    evaluate,
    explains,
    spoken_colours,
    vocabulary,
)
from reverie.tools.synthesis.terms import Term, parse


def puzzle(rule: str, *, seed: int = 0, number: int = 3) -> Puzzle:
    """A puzzle whose outputs a program makes of random grids."""
    rng = np.random.default_rng(seed)
    inputs = [grid(rng.choice([0, 0, 1, 2, 3], (4, 5)).astype(np.int8)) for _ in range(number + 1)]
    outputs = [np.asarray(one) for one in evaluate(parse(rule), inputs, [])]
    pairs = tuple(Pair(a, grid(b)) for a, b in zip(inputs, outputs, strict=True))
    return Puzzle(rule, pairs[:-1], (pairs[-1].input,))


def answer(rule: str, given: Puzzle) -> Grid:
    return cast("Grid", evaluate(parse(rule), list(given.tests), [])[0])


@pytest.mark.parametrize(
    "rule",
    [
        "rot90(input)",
        "mirror_beside(input, right)",
        "flip_across(trim(input))",
        "replace(input, c1, c2)",
    ],
)
def test_a_program_is_found_and_its_answer_is_right(rule: str) -> None:
    given = puzzle(rule, number=6)
    found = Search(given, sensible(vocabulary(given))).run(20_000)
    assert found.solutions
    assert np.array_equal(found.guesses()[0][0], answer(rule, given))
    assert explains(found.solutions[0].term, given)


def test_a_search_stops_at_its_budget() -> None:
    given = puzzle("rot90(sort_rows(roll(shift(input, up), left)))")
    assert Search(given, UNIFORM).run(50).nodes == 50


def test_the_same_seed_finds_the_same_programs_at_the_same_nodes() -> None:
    given = puzzle("flip_down(input)")
    first, second = (Search(given, UNIFORM, seed=3).run(2000) for _ in range(2))
    assert [(s.term, s.node) for s in first.solutions] == [
        (s.term, s.node) for s in second.solutions
    ]


def test_programs_are_tried_in_the_order_of_their_cost() -> None:
    given = puzzle("rot180(input)")
    search = Search(given, UNIFORM)
    search.run(3000)
    costs = [one.cost for one in search.solutions]
    assert costs == sorted(costs)


def test_a_word_the_prior_favours_is_tried_earlier() -> None:
    given = puzzle("stamp_at_cells(input, input)", number=2)
    favoured = Prior({"stamp_at_cells": 100.0, "input": 100.0})
    late = Search(given, UNIFORM).run(30_000)
    early = Search(given, favoured).run(30_000)
    assert early.solutions
    assert not late.solutions or early.solutions[0].node < late.solutions[0].node


def test_values_that_were_made_before_are_made_no_further() -> None:
    given = puzzle("rot90(input)")
    search = Search(given, UNIFORM)
    search.run(3000)
    shelves = {id(shelf): shelf for shelf in search.shelves.values()}.values()
    kept = {id(one): one for shelf in shelves for level in shelf.values() for one in level}
    made = [
        tuple(value.tobytes() + bytes(value.shape) for value in cast("list[Grid]", one.values))
        for one in kept.values()
        if type_of(one.term) is Type.GRID
    ]
    assert len(made) > 20
    assert len(made) == len(set(made))


def test_the_constants_of_a_puzzle_are_the_colours_all_examples_show() -> None:
    pairs = (
        Pair(grid([[0, 1, 7]]), grid([[4, 0, 1]])),
        Pair(grid([[0, 1, 8]]), grid([[4, 0, 1]])),
    )
    assert spoken_colours(Puzzle("p", pairs, ())) == [0, 1, 4]


def test_costs_are_those_of_the_probabilities() -> None:
    given = puzzle("rot90(input)")
    words = vocabulary(given)
    costs = Costs(UNIFORM, words)
    grids = sum(word.output == "Grid" for word in words)
    total = sum(np.exp(-cost / 5) for cost in costs.places[ROOT].values())
    assert len(costs.places[ROOT]) == grids
    assert abs(total - 1) < 0.1


def test_a_program_explains_by_any_colour_that_plays_its_role() -> None:
    pairs = (Pair(grid([[0, 1], [1, 0]]), grid([[0, 4], [4, 0]])),)
    given = Puzzle("p", pairs, ())
    assert explains(parse("replace(input, lost, new)"), given)
    assert not explains(parse("replace(input, new, lost)"), given)


def test_a_text_is_read_back_as_the_program_it_came_from() -> None:
    text = "crop_first(keep_most(objects4(input), size))"
    assert str(parse(text)) == text
    assert parse(text).size() == 5


@pytest.mark.parametrize("text", ["", "a(", "a)b", "a(b", "a(b,)", "a b", "(a)"])
def test_a_text_that_is_no_program_is_refused(text: str) -> None:
    with pytest.raises(Inapplicable):
        parse(text)


def test_an_unknown_word_is_refused() -> None:
    with pytest.raises(Inapplicable, match="nonsense"):
        evaluate(Term("nonsense", (Term("input"),)), [grid([[1]])], [])


HARD = "rot90(sort_rows(roll(shift(input, up), left)))"


def test_a_search_evaluates_nothing_that_was_evaluated_before() -> None:
    given = puzzle(HARD)
    evaluated: Evaluated = {}
    assert Search(given, UNIFORM, evaluated=evaluated).run(200).nodes == 200
    assert len(evaluated) == 200
    other = sensible(vocabulary(given))
    assert Search(given, other, evaluated=evaluated).run(200).nodes == 200
    assert len(evaluated) == 400


def test_two_searches_under_one_prior_are_one_search_of_both_budgets() -> None:
    given = puzzle(HARD)
    halves: Evaluated = {}
    whole: Evaluated = {}
    for _ in range(2):
        Search(given, UNIFORM, evaluated=halves).run(150)
    Search(given, UNIFORM, evaluated=whole).run(300)
    assert list(halves) == list(whole)


def test_what_is_remembered_leads_to_the_programs_that_evaluation_leads_to() -> None:
    given = puzzle("mirror_beside(input, right)", number=6)
    prior = sensible(vocabulary(given))
    anew = Search(given, prior).run(20_000)
    evaluated: Evaluated = {}
    Search(given, UNIFORM, evaluated=evaluated).run(anew.solutions[0].node // 2)
    after = Search(given, prior, evaluated=evaluated).run(20_000)
    assert after.solutions[0].term == anew.solutions[0].term
    assert after.solutions[0].node <= anew.solutions[0].node


def test_a_program_is_known_again_when_it_is_written_with_a_routine() -> None:
    given = puzzle(HARD)
    evaluated: Evaluated = {}
    Search(given, UNIFORM, evaluated=evaluated).run(3000)
    start = (Term("input"),)
    known = next(t for t in evaluated if t.size() == 3 and t.arguments[0].arguments == start)
    made = routine("#twice", known.filled({"input": Term("?0")}))
    favoured = Prior({"#twice": 1e6, "input": 1e6})
    search = Search(given, favoured, routines=[made], evaluated=evaluated)
    before = dict(evaluated)
    search.run(50)
    assert not any(one.head == "#twice" for term in evaluated for one in term.walk())
    assert len(evaluated) == len(before) + 50
