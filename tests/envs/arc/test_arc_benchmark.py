"""The script in benchmarks/ that measures concept memory on ARC, on made-up puzzles."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reverie.benchmarks import arc
from reverie.envs.arc.data import Task, TaskSet
from reverie.tools.grids.puzzle import Pair, Puzzle, grid

SIZE = arc.Size(nodes=30, puzzles=3, orders=1, batch_orders=1, transfer=2, visits=2)


def tasks(data: str, split: str) -> TaskSet:
    """Three puzzles: two that no search of 30 nodes solves, and one to turn around."""
    rng = np.random.default_rng(0)
    found: list[Task] = []
    for number in range(3):
        inputs = [grid(rng.integers(0, 3, (3, 3), dtype=np.int8)) for _ in range(3)]
        outputs = [rng.integers(0, 3, (3, 3), dtype=np.int8) for _ in inputs]
        if number == 2:
            outputs = [np.rot90(one) for one in inputs]
        pairs = [Pair(a, grid(b)) for a, b in zip(inputs, outputs, strict=True)]
        puzzle = Puzzle(f"{data}-{split}-{number}", tuple(pairs[:-1]), (inputs[-1],))
        found.append(Task(puzzle, (pairs[-1].output,)))
    return TaskSet("made up", tuple(found))


@pytest.fixture(autouse=True)
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arc, "open_tasks", tasks)


def test_transfer_gives_both_arms_one_budget(tmp_path: Path) -> None:
    benchmark = arc.Benchmark(SIZE, tmp_path / "arc.json")
    benchmark.transfer()
    for name in ("arcagi1_off", "arcagi1_frozen", "arcagi2_off", "arcagi2_frozen"):
        assert [one.nodes for one in benchmark.arms[name]] == [SIZE.nodes] * SIZE.transfer
    again = arc.Benchmark(SIZE, tmp_path / "arc.json")
    assert again.arms == benchmark.arms


@pytest.mark.parametrize("other", [{"nodes": 40}, {"passes": 2}, {"visits": 3}, {"puzzles": 2}])
def test_results_of_other_settings_are_not_mixed_in(tmp_path: Path, other: dict[str, int]) -> None:
    out = tmp_path / "arc.json"
    arc.Benchmark(SIZE, out).save()
    before = out.read_bytes()
    with pytest.raises(arc.SettingsError, match=r"was measured with .*another --out"):
        arc.Benchmark(replace(SIZE, **other), out)
    assert out.read_bytes() == before
    arc.Benchmark(replace(SIZE, orders=2), out)


def test_results_that_do_not_say_their_settings_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "arc.json"
    out.write_text(json.dumps({"metrics": {}, "arms": {}}))
    with pytest.raises(SystemExit):
        arc.main(["--quick", "--out", str(out)])
    assert "does not say its settings" in capsys.readouterr().err
