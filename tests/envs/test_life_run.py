"""The memory knows generated lives that are told in plain words."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from reverie.envs.commands import run_app
from reverie.envs.life_run import run_life
from reverie.envs.life_score import total


def test_plain_lives_are_known() -> None:
    report = run_life(2, seed=3, phrases="dev")
    updates = total(report.updates.values())
    assert updates.n > 20
    assert updates.correct >= 0.9 * updates.n
    assert report.resistance == 1.0
    assert report.fabricated == 0.0
    assert report.target_precision is not None
    assert report.target_precision >= 0.95


def test_nothing_is_made_up_of_words_the_rules_never_saw() -> None:
    report = run_life(2, seed=3, phrases="held")
    assert report.fabricated == 0.0
    assert report.recall is not None
    assert 0.0 < report.recall < 1.0


def test_the_command_prints_and_writes(tmp_path: Path) -> None:
    line = ["life", "--personas", "1", "--json", "--out", str(tmp_path / "run")]
    result = CliRunner().invoke(run_app, line)
    assert result.exit_code == 0, result.output
    shown = json.loads(result.stdout)
    assert shown["personas"] == 1
    assert shown == json.loads((tmp_path / "run/summary.json").read_text())
    table = CliRunner().invoke(run_app, ["life", "--personas", "1"])
    assert "false-memory resistance" in table.stdout
