"""The search solver with concept memory: what it reads, what it writes, and what it must not."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from reverie.agent.puzzles import Aid, Lesson, Solver
from reverie.agent.search_solver import SearchAid, SearchSolver
from reverie.agent.synthesis_concepts import WorkedExamples, program_draft, read
from reverie.memory.concepts import ConceptMemory
from reverie.memory.memory import Memory
from reverie.memory.records import Scope
from reverie.tools.grids.puzzle import Pair, Puzzle, grid
from reverie.tools.synthesis.search import evaluate
from reverie.tools.synthesis.terms import parse

NODES = 400


def puzzle(rule: str, seed: int, *, number: int = 5) -> Puzzle:
    """A puzzle whose outputs a program makes of random grids; its id names rule and seed."""
    rng = np.random.default_rng(seed)
    inputs = [grid(rng.choice([0, 0, 0, 1, 2], (5, 5)).astype(np.int8)) for _ in range(number + 1)]
    outputs = [np.asarray(one) for one in evaluate(parse(rule), inputs, [])]
    pairs = tuple(Pair(a, grid(b)) for a, b in zip(inputs, outputs, strict=True))
    return Puzzle(f"{rule}-{seed}", pairs[:-1], (pairs[-1].input,))


@pytest.fixture
def concepts(tmp_path: Path) -> Iterator[ConceptMemory]:
    with Memory.open(tmp_path / "memory") as memory:
        yield ConceptMemory(memory, Scope(user="arc"))


def lesson(solver: SearchSolver, given: Puzzle, concepts: ConceptMemory | None = None) -> Lesson:
    aid = solver.aid(given, concepts)
    return Lesson(given, aid, solver.solve(given, aid))


def test_it_is_a_solver() -> None:
    assert isinstance(SearchSolver(), Solver)


def test_it_says_how_it_is_set() -> None:
    assert SearchSolver(77).describe()["nodes"] == 77


def test_an_easy_puzzle_is_solved_without_memory() -> None:
    given = puzzle("flip_down(input)", 0)
    answer = SearchSolver(NODES).solve(given, Aid())
    assert answer.programs[0].fits
    assert np.array_equal(answer.guesses[0][0], given.tests[0][::-1])
    assert 0 < answer.nodes <= NODES


def test_a_puzzle_beyond_the_budget_gets_no_guess_for_any_test() -> None:
    given = puzzle("flip_down(roll(sort_rows(input), left))", 0)
    answer = SearchSolver(30).solve(given, Aid())
    assert answer.guesses == ((),)
    assert answer.nodes == 30


def test_what_is_learnt_stands_in_typed_concepts(concepts: ConceptMemory) -> None:
    solver = SearchSolver(NODES)
    given = puzzle("fill_holes(input, c4)", 1)
    ring = grid([[1, 1, 1], [1, 0, 1], [1, 1, 1]])
    done = grid([[1, 1, 1], [1, 4, 1], [1, 1, 1]])
    given = Puzzle("ring", (Pair(ring, done),), (ring,))
    ids = solver.learn([lesson(solver, given)], concepts)
    payload = concepts.get(ids[0]).payload
    assert payload.code == payload.title
    assert payload.output_type == "Grid"
    assert payload.used_in == ("ring",)
    assert payload.passed == ("ring",)
    assert not concepts.problems()


def test_memory_makes_the_same_program_come_earlier(concepts: ConceptMemory) -> None:
    solver = SearchSolver(1000)
    rule = "stamp_at_cells(input, input)"
    known, fresh = puzzle(rule, 1), puzzle(rule, 2)
    concepts.write(program_draft(known, parse(rule)), checker=WorkedExamples([known]))
    _, without = solver.solve_with_node(fresh, Aid())
    answer, node = solver.solve_with_node(fresh, solver.aid(fresh, concepts))
    assert node is not None
    assert without is None or node * 2 < without
    assert answer.programs[0].cited


def test_an_empty_memory_is_no_aid(concepts: ConceptMemory) -> None:
    assert SearchSolver().aid(puzzle("rot90(input)", 0), concepts) == Aid()


def test_an_aid_travels_to_another_process(concepts: ConceptMemory) -> None:
    solver = SearchSolver(NODES)
    given = puzzle("flip_down(input)", 0)
    solver.learn([lesson(solver, given)], concepts)
    aid = solver.aid(given, concepts)
    again = pickle.loads(pickle.dumps(aid))
    assert isinstance(again.prior, SearchAid)
    first, second = solver.solve(given, aid), solver.solve(given, again)
    assert first.nodes == second.nodes
    assert [one.text for one in first.programs] == [one.text for one in second.programs]


def test_nothing_is_learnt_from_a_puzzle_that_was_not_explained(concepts: ConceptMemory) -> None:
    solver = SearchSolver(20)
    assert not solver.learn([lesson(solver, puzzle("sort_rows(rot90(input))", 0))], concepts)
    assert not len(concepts)


def test_learning_twice_is_learning_once(concepts: ConceptMemory) -> None:
    solver = SearchSolver(NODES)
    known = lesson(solver, puzzle("flip_down(input)", 0))
    solver.learn([known], concepts)
    before = concepts.all()
    solver.learn([known], concepts)
    assert concepts.all() == before


def test_two_puzzles_of_one_program_are_one_concept_with_two_cues(
    concepts: ConceptMemory,
) -> None:
    solver = SearchSolver(NODES)
    small = puzzle("flip_down(input)", 0)
    tiny = Puzzle("tiny", tuple(Pair(p.input[:, :2], p.output[:, :2]) for p in small.train), ())
    solver.learn([lesson(solver, small), lesson(solver, tiny)], concepts)
    assert len(concepts) == 1
    assert len(read(concepts.snapshot()).uses) == 2


def test_a_program_that_does_not_explain_its_puzzle_is_not_admitted(
    concepts: ConceptMemory,
) -> None:
    given = puzzle("flip_down(input)", 0)
    draft = program_draft(given, parse("rot90(input)"))
    concepts.write(draft, checker=WorkedExamples([given]))
    assert not concepts.all()[0].payload.code
    assert not read(concepts.snapshot()).uses


def test_scrambled_memory_speaks_of_other_words(concepts: ConceptMemory) -> None:
    solver = SearchSolver(NODES)
    given = puzzle("flip_down(input)", 0)
    solver.learn([lesson(solver, given)], concepts)
    right = solver.aid(given, concepts).prior
    wrong = SearchSolver(NODES, scramble=3).aid(given, concepts).prior
    assert isinstance(right, SearchAid)
    assert isinstance(wrong, SearchAid)
    assert right.prior != wrong.prior
