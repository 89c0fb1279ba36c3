"""Study in several visits: what is unsolved is searched on, and nothing is evaluated twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from reverie.agent.puzzles import Aid
from reverie.agent.search_solver import SearchSolver
from reverie.agent.synthesis_study import Study
from reverie.memory.concepts import ConceptMemory
from reverie.memory.memory import Memory
from reverie.memory.records import Scope
from reverie.tools.grids.puzzle import Pair, Puzzle, grid
from reverie.tools.synthesis.search import evaluate
from reverie.tools.synthesis.terms import parse

EASY = "stamp_at_cells(input, input)"
HARD = "stamp_at_cells(input, rot90(input))"


def puzzle(rule: str, seed: int) -> Puzzle:
    """A puzzle whose outputs a program makes of random grids of three by three."""
    rng = np.random.default_rng(seed)
    inputs = [grid(rng.choice([0, 0, 1, 2], (3, 3)).astype(np.int8)) for _ in range(5)]
    outputs = [np.asarray(one) for one in evaluate(parse(rule), inputs, [])]
    pairs = tuple(Pair(a, grid(b)) for a, b in zip(inputs, outputs, strict=True))
    return Puzzle(f"{rule}-{seed}", pairs[:-1], (pairs[-1].input,))


@pytest.fixture
def concepts(tmp_path: Path) -> Iterator[ConceptMemory]:
    with Memory.open(tmp_path / "memory") as memory:
        yield ConceptMemory(memory, Scope(user="arc"))


def alone(nodes: int, given: Puzzle) -> int | None:
    """The node at which a search without memory solves a puzzle."""
    return SearchSolver(nodes).solve_with_node(given, Aid())[1]


def test_easy_puzzles_teach_to_solve_harder_ones_on_the_next_visit(
    concepts: ConceptMemory,
) -> None:
    hard = puzzle(HARD, 9)
    solver = SearchSolver(400)
    study = Study(solver, [hard, *(puzzle(EASY, seed) for seed in range(4))], concepts)
    first = list(study.visit())
    assert [one.node is not None for one in first] == [False, True, True, True, True]
    assert study.unsolved == (hard,)
    (second,) = study.visit()
    assert second.puzzle is hard
    assert second.node is not None
    assert 400 < second.node <= second.nodes <= 800
    assert study.unsolved == ()
    assert list(study.visit()) == []
    assert alone(second.nodes, hard) is None


def test_without_learning_visits_are_one_longer_search(concepts: ConceptMemory) -> None:
    given = puzzle(EASY, 9)
    study = Study(SearchSolver(20), [given], concepts, learn=False)
    nodes = [one.node for _ in range(4) for one in study.visit()]
    assert nodes[:2] == [None, None]
    assert nodes[-1] == alone(80, given) is not None
    assert len(concepts) == 0


def test_a_study_that_is_left_in_the_middle_loses_no_puzzle(concepts: ConceptMemory) -> None:
    puzzles = [puzzle(EASY, 1), puzzle(HARD, 2), puzzle(HARD, 3)]
    study = Study(SearchSolver(400), puzzles, concepts)
    assert next(study.visit()).node is not None
    assert study.unsolved == tuple(puzzles[1:])
    assert len(concepts) == 0
    seen = [one.puzzle for one in study.visit()]
    assert seen == puzzles[1:]
    assert (puzzles[0].id,) in [one.payload.used_in for one in concepts.all()]
