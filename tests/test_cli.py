"""The command line: exit codes, what goes to which stream, and how light it starts."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import reverie
from reverie.cli import call
from reverie.envs.runs import read_header
from reverie.errors import (
    BudgetExceeded,
    DataMissing,
    MissingExtra,
    ReverieError,
    SettingsError,
)
from reverie.tests.envs import world

HEAVY = (
    "torch", "transformers", "sentence_transformers", "chromadb", "litellm", "langgraph",
    "onnxruntime", "openai", "textworld", "alfworld", "xllamacpp",
)  # fmt: skip
PUBLIC = """
Agent CasePayload ChatModel Embedder Environment Episode Hit Kind Limits Memory Message Observation
Origin Outcome Recollection Record ReverieError RunSpec Scope StepResult Summary Task open_embedder
open_model run
""".split()


@pytest.fixture(autouse=True)
def doors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The command line plays the doors instead of ALFWorld, in an empty folder."""
    monkeypatch.setattr("reverie.envs.runner.stage_for", world.stage)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("ALFWORLD_DATA", raising=False)
    return tmp_path


def run(*more: str) -> int:
    """``reverie run alfworld`` over the doors, into ./out."""
    given = ["--split", "valid", "--seed-cases", "2", "--out", "out"]
    return call(["run", "alfworld", *given, *more])


def last_object(text: str) -> Any:
    """Standard output, which must be one JSON object on one line."""
    assert text.count("\n") == 1
    return json.loads(text)


@pytest.mark.parametrize(
    "line", ["import reverie", "from reverie.cli import call; call(['--help'])"]
)
def test_the_face_and_the_help_load_nothing_heavy(line: str) -> None:
    code = f"{line}\nimport sys\nprint([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_importing_reverie_imports_no_other_module_of_it() -> None:
    code = "import reverie, sys; print([m for m in sys.modules if m.startswith('reverie.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "argv",
    [["run", "--help"], ["run", "alfworld", "-h"], ["report", "--help"], ["demo", "--help"],
     ["doctor", "--help"], ["config", "show", "--help"]],
)  # fmt: skip
def test_every_command_explains_itself(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert call(argv) == 0
    out = capsys.readouterr().out
    assert f"Usage: reverie {' '.join(argv[:-1])}" in out
    if argv[0] in ("report", "demo", "doctor") or argv[1] == "alfworld":
        assert "Example" in out


def test_the_public_names_are_these_and_all_can_be_had() -> None:
    assert sorted(reverie.__all__) == sorted(PUBLIC)
    for name in PUBLIC:
        assert getattr(reverie, name) is not None
    assert set(PUBLIC) <= set(dir(reverie))
    with pytest.raises(AttributeError, match="no attribute 'agnet'"):
        _ = reverie.agnet


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["--version"]) == 0
    assert capsys.readouterr().out == f"reverie {reverie.__version__}\n"
    pyproject = Path(__file__).parents[1] / "pyproject.toml"
    assert f'version = "{reverie.__version__}"' in pyproject.read_text()


def test_a_run_shows_a_table_on_stdout_and_its_progress_on_stderr(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("--seeds", "1,2") == 0
    out, err = capsys.readouterr()
    assert "online" in out and "out/report.html" in out
    assert "72/72" in err and "72/72" not in out


def test_on_a_terminal_the_progress_is_a_bar_with_each_arms_success(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "120")
    assert run() == 0
    out, err = capsys.readouterr()
    assert re.search(r"off \d+/12  frozen \d+/12  online \d+/12 .* 36/36 episodes", err)
    assert "episodes" not in out.split("out/report.html")[1]


def test_a_run_with_json_prints_one_object_of_the_fixed_shape(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("--json", "--quiet") == 0
    out, err = capsys.readouterr()
    data = last_object(out)
    assert err == ""
    assert {"arms", "deltas", "retrieval", "run", "out", "report"} <= set(data)
    assert list(data["arms"]) == ["off", "frozen", "online"]
    success = data["arms"]["online"]["success"]
    assert set(success) == {"mean", "ci", "n"} and len(success["ci"]) == 2
    assert data["deltas"]["online-off"]["n"] == 12
    assert data["run"]["status"] == "complete"


def test_options_of_the_command_reach_the_record_of_the_run() -> None:
    given = "--seed 3 --seed 4 --seeds 5 --arms online,off --trigger stuck --agent recall_steps=5"
    assert run(*given.split(), "--max-steps", "30", "--no-admissible") == 0
    settings = read_header(Path("out")).settings
    assert settings["seeds"] == [3, 4, 5]
    assert settings["arms"] == ["online", "off"]
    assert settings["agent"] == {"trigger": "stuck", "recall_steps": 5}
    assert settings["options"] == {"protocol": "rl", "admissible": False, "max_steps": 30}


def test_without_out_the_folder_is_named_by_the_settings_so_that_it_is_resumed(
    doors: Path,
) -> None:
    line = ["run", "alfworld", "--split", "valid", "--seed-cases", "2", "-q"]
    assert call(line) == 0
    assert call(line) == 0
    (folder,) = (doors / "runs").iterdir()
    assert folder.name.startswith("alfworld-")


def test_a_budget_that_is_reached_is_exit_code_3_and_more_goes_on() -> None:
    assert run("--limit-steps", "10", "-q") == 3
    assert run("-q") == 0


def test_a_run_with_errors_in_it_is_exit_code_4(monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(spec: reverie.RunSpec) -> world.Hall:
        return world.Hall(spec.model_copy(update={"options": {"faulty": "valid/4"}}))

    monkeypatch.setattr("reverie.envs.runner.stage_for", faulty)
    assert run("-q") == 4


def test_ctrl_c_is_exit_code_130_and_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    played = world.Chair.play
    count = 0

    def interrupted(self: world.Chair, *args: Any, **more: Any) -> reverie.Episode:
        nonlocal count
        count += 1
        if count == 8:
            raise KeyboardInterrupt
        return played(self, *args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(world.Chair, "play", interrupted)
        assert run("-q") == 130
    assert "give the same command to go on" in capsys.readouterr().err
    assert json.loads(Path("out/summary.json").read_text())["run"]["status"] == "interrupted"
    assert run("-q") == 0


def test_ctrl_c_at_a_terminal_reaches_runner_and_workers_and_ends_them_in_order(
    doors: Path,
) -> None:
    line = ["run", "alfworld", "--split", "valid", "--seed-cases", "2", "--out", "out"]
    code = f"""
import signal
import sys
import reverie.envs.runner
from reverie.cli import call
from reverie.tests.envs import world

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also under nohup
    reverie.envs.runner.stage_for = world.stage
    sys.exit(call({[*line, "--workers", "2"]}))
"""
    script = doors / "play.py"
    script.write_text(code)
    with subprocess.Popen(
        [sys.executable, str(script)],
        env={**os.environ, "DOORS_PAUSE": "0.5"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        for text in process.stderr:
            if text.startswith("5/36"):
                break
        os.killpg(process.pid, signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait(60) == 130
    assert "Traceback" not in rest
    assert "Interrupted. What was played is in out; give the same command to go on." in rest
    assert run("-q") == 0


@pytest.mark.parametrize(
    "line",
    [
        ["nothing"],
        ["run", "alfworld", "--episodes", "many"],
        ["run", "alfworld", "--arms", "off,sometimes"],
        ["run", "alfworld", "--seeds", "1,x"],
        ["run", "alfworld", "--arms", "frozen", "--seed-cases", "0"],
        ["run", "alfworld", "--agent", "trigger"],
        ["report", "nowhere"],
    ],
)
def test_what_cannot_be_meant_is_exit_code_2_with_no_traceback(
    line: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(line) == 2
    out, err = capsys.readouterr()
    assert out == "" and err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DataMissing("no games"), 1),
        (MissingExtra("textworld", "alfworld"), 1),
        (SettingsError("no such thing"), 2),
        (BudgetExceeded("out of tokens", "tokens"), 3),
    ],
)
def test_an_error_is_one_line_and_with_json_one_object(
    error: ReverieError,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(spec: reverie.RunSpec) -> world.Hall:
        raise error

    monkeypatch.setattr("reverie.envs.runner.stage_for", fail)
    assert run("-q", "--json") == code
    out, err = capsys.readouterr()
    assert last_object(out) == {"error": {"type": type(error).__name__, "message": str(error)}}
    assert err == f"Error: {error}\n"
    with pytest.raises(type(error)):
        run("-q", "--debug")


def test_a_report_is_made_again_from_the_episodes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("-q") == 0
    before = Path("out/summary.json").read_text()
    for name in ("summary.json", "report.html"):
        Path("out", name).unlink()
    capsys.readouterr()
    assert call(["report", "out", "--curve", "curve.svg", "--json"]) == 0
    assert last_object(capsys.readouterr().out)["run"]["status"] == "complete"
    assert Path("out/summary.json").read_text() == before
    assert Path("out/report.html").exists()
    assert Path("curve.svg").read_text().startswith("<svg")


def test_a_report_of_a_run_that_was_killed_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("-q") == 0
    file = Path("out/episodes.jsonl")
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:20]))
    capsys.readouterr()
    assert call(["report", "out", "--json"]) == 0
    assert last_object(capsys.readouterr().out)["run"] == {
        "id": read_header(Path("out")).run, "status": "interrupted",
        "reason": "it has not come to its end", "done": 20, "planned": 36,
    }  # fmt: skip


def test_secrets_are_not_in_the_run_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REVERIE_API_KEY", "sk-very-secret")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    assert run("-q") == 0
    for file in Path("out").rglob("*"):
        assert not file.is_file() or b"sk-very-secret" not in file.read_bytes()


def test_the_settings_are_shown_with_their_origin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REVERIE_MODEL", "openai/x")
    assert call(["config", "show", "--json"]) == 0
    data = last_object(capsys.readouterr().out)
    assert data["model"] == {"value": "openai/x", "from": "environment"}
    assert data["runs"] == {"value": "runs", "from": "default"}
    assert call(["config", "show"]) == 0
    assert "openai/x  (environment)" in capsys.readouterr().out


def test_the_memory_commands_take_their_defaults_from_the_settings(
    doors: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("reverie.toml").write_text("memory = 'mine'\nuser = 'ann'\nembedder = 'hashing'")
    assert call(["memory", "add", "keys lie in drawers"]) == 0
    assert (doors / "mine").is_dir()
    capsys.readouterr()
    for user, count in (("ann", 1), ("bob", 0)):
        assert call(["memory", "list", "--user", user, "--json"]) == 0
        assert len(json.loads(capsys.readouterr().out)["records"]) == count


def test_an_error_of_a_memory_command_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["memory", "show", "nothing", "--memory", "mine", "--json"]) == 1
    out, err = capsys.readouterr()
    assert last_object(out)["error"]["type"] == "RecordNotFound"
    assert err.startswith("Error: ") and err.count("\n") == 1


def test_doctor_names_what_it_looked_at_and_how_to_mend_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = call(["doctor", "--json"])
    data = last_object(capsys.readouterr().out)
    assert code == (0 if data["ok"] else 1)
    groups = {finding["group"] for finding in data["findings"]}
    assert {"python", "packages", "models", "alfworld", "places", "machine"} <= groups
    for finding in data["findings"]:
        assert set(finding) == {"group", "what", "grade", "found", "mend"}
        assert finding["mend"] or finding["grade"] == "ok", finding
    assert call(["doctor"]) == code
    assert "SQLite with FTS5" in capsys.readouterr().out


def test_doctor_shows_no_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    call(["doctor", "--json"])
    out = capsys.readouterr().out
    assert "OPENAI_API_KEY" in out and "sk-very-secret" not in out


def test_the_demo_explains_plays_shows_and_is_quick_the_second_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(world.SIZE, "valid_unseen", 12)
    assert call(["demo", "--games", "8", "--workers", "1"]) == 0
    out, err = capsys.readouterr()
    assert "What you are about to see" in err and "24/24" in err
    assert "runs/demo/report.html" in out
    assert "without memory (2 steps, lost)" in out
    assert call(["demo", "--games", "8", "--workers", "1"]) == 0
    out, err = capsys.readouterr()
    assert "--fresh plays it anew" in err and "1/24" not in err
    assert "runs/demo/report.html" in out
    assert call(["demo", "--games", "4", "--fresh", "--workers", "1", "--json"]) == 0
    assert last_object(capsys.readouterr().out)["run"]["planned"] == 12


def test_fresh_deletes_nothing_but_a_run_folder(doors: Path) -> None:
    (doors / "precious").mkdir()
    (doors / "precious" / "thesis.txt").write_text("years of work")
    assert call(["demo", "--fresh", "--out", "precious"]) == 2
    assert (doors / "precious" / "thesis.txt").exists()
