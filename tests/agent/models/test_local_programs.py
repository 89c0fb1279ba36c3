"""Plumbing: the real local model writes programs. It is far too small to solve a puzzle."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

import pytest

from reverie.agent.models.local import LocalModel
from reverie.agent.models.weights import INSTALL, PACKAGE
from reverie.agent.program_attempts import Effort
from reverie.agent.program_solver import ProgramSolver
from reverie.agent.puzzles import Aid
from reverie.tests.agent.puzzle_world import FLIP


def _installed() -> bool:
    try:
        return bool(version(PACKAGE))
    except PackageNotFoundError:
        return False


pytestmark = pytest.mark.skipif(not _installed(), reason=f"no local weights: {INSTALL}")


def test_what_the_local_model_says_is_run_or_told(local: LocalModel) -> None:
    effort = Effort(samples=1, retries=0, max_tokens=16, temperature=0.0)
    with ProgramSolver(local, effort=effort) as solver:
        answer = solver.solve(FLIP, Aid())
    assert len(answer.guesses) == 1 and answer.tokens > 100 and answer.cost == 0.0
    assert len(answer.programs) + len(answer.errors) >= 1
    assert not any("no reply" in error for error in answer.errors)
