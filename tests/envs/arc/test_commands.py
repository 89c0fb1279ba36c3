"""What is done with a run of ARC: its report, its pictures, and the solvers a command can name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reverie.agent.search_solver import SearchSolver
from reverie.cli import call
from reverie.envs.arc.lines import read_arc_lines
from reverie.envs.arc.run import rebuild_arc, run_arc
from reverie.envs.arc.scorer import Scorer, load_puzzles
from reverie.envs.arc.solvers import solver_for
from reverie.envs.runs import Arm, read_header
from reverie.errors import SettingsError
from reverie.tests.envs.arc.symmetries import solver, spec_for, told, write_data

ALL = (Arm.OFF, Arm.FROZEN, Arm.ONLINE, Arm.SHUFFLED)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("arc") / "data")


@pytest.fixture(scope="module")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run of two arms."""
    out = tmp_path_factory.mktemp("whole") / "run"
    run_arc(spec_for(data, out, arms=(Arm.OFF, Arm.ONLINE)), solver=solver)
    return out


# -- afterwards ----------------------------------------------------------------------------------


def test_the_report_and_the_curve_can_be_made_again(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = rebuild_arc(whole)
    assert json.loads((whole / "summary.json").read_text()) == again.model_dump(mode="json")
    curve = tmp_path / "curve.svg"
    assert call(["report", str(whole), "--curve", str(curve)]) == 0
    assert "two attempts per test input" in capsys.readouterr().out
    assert curve.read_text().startswith("<svg")


def test_a_puzzle_is_shown_with_what_a_run_tried_at_it(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = next(x.task_id for x in read_arc_lines(whole) if x.phase == "exam")
    picture = tmp_path / "p.png"
    given = ["run", "arc", "--show", name, "--out", str(whole), "--answers", "--png", str(picture)]
    assert call(given) == 0
    shown = capsys.readouterr().out
    assert "hidden output" in shown and "online, order 0 (exam)" in shown
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_what_the_scorer_sends_of_a_puzzle_is_the_puzzle(data: Path) -> None:
    with Scorer(str(data)) as scorer:
        assert [told(one) for one in scorer.puzzles("training")] == [
            told(one) for one in load_puzzles(str(data), "training")
        ]


# -- the solvers that a run can name -------------------------------------------------------------


def test_options_go_to_the_part_of_a_solver_that_has_them() -> None:
    spec = spec_for(Path("data"), Path("out"), solver="search", nodes=7)
    found = solver_for(spec.model_copy(update={"options": {"routines": 3, "reach": 0.5}}))
    assert isinstance(found, SearchSolver)
    assert (found.nodes, found.routines, found.strength.reach) == (7, 3, 0.5)
    for options, said in (
        ({"wings": 2}, "no option wings; it has"),
        ({"seed": "x"}, "option seed"),
    ):
        with pytest.raises(SettingsError, match=said):
            solver_for(spec.model_copy(update={"options": options}))
    with pytest.raises(SettingsError, match="needs a model"):
        solver_for(spec.model_copy(update={"solver": "llm"}))
    with pytest.raises(SettingsError, match="search, llm"):
        solver_for(spec.model_copy(update={"solver": "luck"}))


def test_the_search_solver_plays_and_shuffles(data: Path, tmp_path: Path) -> None:
    spec = spec_for(
        data, tmp_path / "run", solver="search", nodes=60, limit=3, study_limit=4, arms=ALL
    )
    summary = run_arc(spec)
    assert summary.run.status == "complete"
    assert {name: arm.puzzles for name, arm in summary.puzzles.items()} == dict.fromkeys(ALL, 3)


def test_a_model_that_writes_programs_plays_in_a_sandbox_that_the_run_names(
    data: Path, tmp_path: Path
) -> None:
    reply = "```python\ndef transform(grid):\n    return grid[::-1]\n```"
    spec = spec_for(data, tmp_path / "run", solver="llm", model=f"scripted:{reply}", study="none",
                    limit=2, arms=(Arm.OFF,), options={"samples": 1, "retries": 0})  # fmt: skip
    summary = run_arc(spec)
    assert summary.run.status == "complete"
    assert summary.puzzles["off"].tokens > 0
    assert read_header(spec.out).agent["sandbox"] in ("bubblewrap", "landlock", "interpreter")


def test_the_command_plays_and_prints_one_object(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = f"run arc --data {data} --limit 2 --study-limit 2 --nodes 40 --batch-size all --out"
    assert call([*line.split(), str(tmp_path / "run"), "--json", "-q"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert set(printed["puzzles"]) == {"off", "frozen", "online"}
    for bad in ("--batch-size 0", "--arms off,tired", "--order-seeds x", "--study training"):
        assert call(["run", "arc", "--data", str(data), *bad.split()]) == 2
