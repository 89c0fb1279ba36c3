"""The scripts in benchmarks/ that measure and fit the dialogue memory, on made-up files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from reverie.benchmarks import dialogue, dialogue_fit
from reverie.tests.envs.test_locomo import SAMPLE
from reverie.tests.envs.test_longmemeval import EVIDENCE


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    locomo, pool = tmp_path / "locomo.json", tmp_path / "pool.json"
    locomo.write_text(json.dumps([SAMPLE, SAMPLE | {"sample_id": "made-2"}]))
    pool.write_text(json.dumps(EVIDENCE))
    return ["--locomo", str(locomo), "--longmemeval", str(pool), "--embedder", "hashing"]


def test_the_benchmark_prints_one_object(
    files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    dialogue.main([*files, "--json", "--quick"])
    printed = json.loads(capsys.readouterr().out)
    assert printed["name"] == "dialogue"
    assert printed["metrics"]["locomo.ours.session.recall_all@3"] == 80.0
    assert printed["metrics"]["locomo.bm25.session.recall_all@3"] == 80.0
    assert printed["metrics"]["longmemeval.ours.pool.recall_all@3"] == 100.0
    assert "locomo.ours-bm25.turn.ndcg@10.low" in printed["metrics"]


def test_the_benchmarks_say_why_they_are_skipped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    none = str(tmp_path / "none.json")
    dialogue.main(["--locomo", none, "--longmemeval", none, "--json"])
    assert "skipped" in capsys.readouterr().err
    dialogue_fit.main(["--locomo", none])
    assert "skipped" in capsys.readouterr().out


def test_the_fit_prints_weights_and_what_they_find_held_out(
    files: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialogue_fit.turn_search, "LOOKED_AT", 200)
    dialogue_fit.main([*files, "--json"])
    metrics = json.loads(capsys.readouterr().out)["metrics"]
    assert metrics["held_out.turn.recall@10"] == 100.0
    assert "weight.window" in metrics
    assert "premise.slope" in metrics


def test_the_logistic_fit_finds_the_slope_that_made_the_data() -> None:
    rng = np.random.default_rng(0)
    margins = rng.normal(size=20_000)
    holds = rng.random(20_000) < 1 / (1 + np.exp(-(2.0 * margins - 0.5)))
    slope, shift = dialogue_fit.logistic(margins, holds)
    assert slope == pytest.approx(2.0, abs=0.15)
    assert shift == pytest.approx(-0.5, abs=0.1)
