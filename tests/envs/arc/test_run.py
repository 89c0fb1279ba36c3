"""Runs of ARC with a small real solver: paired, resumable, batched, closed to hidden outputs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from reverie.envs.arc import scorer as scorer_module
from reverie.envs.arc.lines import ArcLine, ArcSpec, Learned, read_arc_lines
from reverie.envs.arc.plan import courses
from reverie.envs.arc.run import run_arc
from reverie.envs.arc.scorer import load_puzzles
from reverie.envs.folder import read_whole_lines
from reverie.envs.runs import Arm, Budget, read_header
from reverie.errors import SettingsError
from reverie.memory.concepts import ConceptMemory
from reverie.memory.memory import Memory
from reverie.memory.records import Scope
from reverie.tests.envs.arc.symmetries import (
    Symmetries,
    deadly,
    solver,
    spec_for,
    write_data,
)

ALL = (Arm.OFF, Arm.FROZEN, Arm.ONLINE, Arm.SHUFFLED)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("arc") / "data")


@pytest.fixture(scope="module")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of all arms and two orders, from beginning to end."""
    out = tmp_path_factory.mktemp("whole") / "run"
    run_arc(spec_for(data, out, arms=ALL, orders=(0, 1), study_off=True), solver=solver)
    return out


def facts(line: ArcLine) -> dict[str, Any]:
    """A line without what differs from play to play."""
    return line.model_dump(exclude={"run", "started", "seconds", "aid_seconds", "concepts"}) | {
        "answer": line.answer.model_dump(exclude={"seconds", "programs"}),
        "programs": [program.text for program in line.answer.programs],
    }


def played(out: Path) -> list[dict[str, Any]]:
    """All lines of a run, in an order of their own."""
    found = sorted(read_arc_lines(out), key=lambda x: (x.phase, x.seed, x.arm, x.index))
    return [facts(line) for line in found]


def concepts(folder: Path) -> dict[str, tuple[str, ...]]:
    """What a memory holds: each concept and where it was used."""
    with Memory.open(folder, embedder="hashing") as memory:
        held = ConceptMemory(memory, Scope(user="run")).all()
        return {one.title: one.payload.used_in for one in held}


def journal(folder: Path) -> list[str]:
    """The text of every record that a memory's journal holds."""
    with closing(sqlite3.connect(folder / "journal.db")) as connection:
        rows = connection.execute("SELECT payload, text FROM records ORDER BY row").fetchall()
    return [json.dumps(row) for row in rows]


# -- what is played ------------------------------------------------------------------------------


def test_arms_share_puzzles_and_orders_and_no_puzzle_is_both_studied_and_scored(
    whole: Path,
) -> None:
    lines = read_arc_lines(whole)
    for order in (0, 1):
        orders = {
            (phase, arm): [
                x.task_id
                for x in sorted(lines, key=lambda x: x.index)
                if (x.phase, x.arm, x.seed) == (phase, arm, order)
            ]
            for phase in ("study", "exam")
            for arm in ALL
        }
        assert orders["exam", Arm.OFF] == orders["exam", Arm.ONLINE] == orders["exam", Arm.FROZEN]
        assert orders["study", Arm.OFF] == orders["study", Arm.ONLINE]
        assert not orders["study", Arm.FROZEN]
        assert len({*orders["exam", Arm.OFF], *orders["study", Arm.OFF]}) == 24


def test_memory_makes_more_puzzles_solvable_and_shuffled_memory_does_not(whole: Path) -> None:
    summary = json.loads((whole / "summary.json").read_text())
    solved = {arm: found["strict"] for arm, found in summary["puzzles"].items()}
    assert solved["online"] > solved["off"] > solved["shuffled"]
    assert solved["frozen"] > solved["off"]


def test_the_run_folder_says_what_was_run_on_what(whole: Path, data: Path) -> None:
    header = read_header(whole)
    facts = header.environment["training"]
    assert isinstance(facts, dict) and facts["tasks"] == 24
    assert len(str(facts["puzzles_sha256"])) == len(str(facts["outputs_sha256"])) == 64
    assert header.agent == {"solver": "symmetries", "symmetries": 8}
    assert "12 studied puzzles" in header.memory["frozen"]
    summary = json.loads((whole / "summary.json").read_text())
    assert {"arms", "deltas"} <= set(summary)
    assert set(summary["arms"]["online"]) >= {"success", "reward", "steps", "cost", "by_type"}
    assert set(summary["ratios"]) >= {"online/off", "frozen/shuffled"}
    page = (whole / "report.html").read_text()
    assert "data:image/png;base64," in page and "oracle@" in page and "hidden output" in page
    assert "http" not in page.replace("http://www.w3.org", "")


def test_a_memory_learns_each_batch_once_and_only_from_what_came_before(whole: Path) -> None:
    learned = read_whole_lines(whole / "learned.jsonl", Learned)
    assert len({(one.stream, one.batch) for one in learned}) == len(learned) == 2 * (3 + 3)
    lines = read_arc_lines(whole)
    for one in (x for x in lines if x.arm == Arm.ONLINE and x.phase == "study"):
        earlier = {
            x.answer.programs[0].text
            for x in lines
            if x.lane == one.lane and x.batch < one.batch and x.answer.programs
        }
        assert len(one.concepts) == len(earlier), "what memory gave is of earlier batches alone"


@pytest.mark.parametrize(("batch", "gifts"), [(1, 12), (0, 1)])
def test_a_batch_sees_one_memory(batch: int, gifts: int, data: Path, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    spec = spec_for(data, tmp_path / "run", batch=batch, study="none", arms=(Arm.ONLINE,),
                    split="evaluation", options={"seen": str(seen)})  # fmt: skip
    run_arc(spec, solver=solver)
    told_ = [json.loads(line) for line in seen.read_text().splitlines()]
    kinds = [what for what, _ in told_]
    if batch == 0:
        assert kinds == ["aid", "solve"] * 10 + ["learn"]
        assert all(facts[1] == [] for what, facts in told_ if what == "aid")
    else:
        assert kinds == ["aid", "solve", "learn"] * 10


def test_two_workers_play_what_one_plays(whole: Path, data: Path, tmp_path: Path) -> None:
    spec = spec_for(data, tmp_path / "run", arms=ALL, orders=(0, 1), study_off=True, workers=2)
    run_arc(spec, solver=solver)
    assert played(tmp_path / "run") == played(whole)
    assert concepts(tmp_path / "run/memory/online-s0") == concepts(whole / "memory/online-s0")


@pytest.mark.parametrize("workers", [1, 2])
def test_memory_can_study_at_length_for_short_searches(
    workers: int, data: Path, tmp_path: Path
) -> None:
    spec = spec_for(data, tmp_path / "run", nodes=2, study_nodes=8, workers=workers)
    run_arc(spec, solver=solver)
    lines = read_arc_lines(tmp_path / "run")
    assert {line.steps for line in lines if line.phase == "study"} == {8}
    assert {line.steps for line in lines if line.phase == "exam"} == {2}
    assert all(line.fits for line in lines if line.phase == "study")


def test_a_given_memory_is_where_every_arm_begins_and_stays_as_it_is(
    whole: Path, data: Path, tmp_path: Path
) -> None:
    given = tmp_path / "given"
    shutil.copytree(whole / "memory/study-s0", given)
    before = concepts(given)
    spec = spec_for(data, tmp_path / "run", study="none", split="evaluation", memory=given)
    summary = run_arc(spec, solver=solver)
    assert summary.puzzles["frozen"].strict > summary.puzzles["off"].strict
    assert concepts(given) == before == concepts(tmp_path / "run/memory/frozen-s0")
    assert concepts(tmp_path / "run/memory/online-s0") != before


# -- no leak -------------------------------------------------------------------------------------


def test_random_hidden_outputs_change_nothing_that_a_solver_sees_or_a_memory_holds(
    tmp_path: Path,
) -> None:
    seen: dict[str, str] = {}
    held: dict[str, list[str]] = {}
    for name, poison in (("clean", False), ("poisoned", True)):
        home = tmp_path / name
        data = write_data(home / "data", poison=poison)
        spec = spec_for(data, home / "run", options={"seen": str(home / "seen")})
        summary = run_arc(spec, solver=solver)
        seen[name] = (home / "seen").read_text()
        held[name] = journal(home / "run/memory/online-s0")
        assert (summary.puzzles["online"].strict == 0) == poison
        assert concepts(home / "run/memory/online-s0")
    assert seen["clean"] == seen["poisoned"]
    assert [_timeless(row) for row in held["clean"]] == [_timeless(row) for row in held["poisoned"]]


def _timeless(row: str) -> str:
    """A record without the moments at which it was written."""
    payload, text = json.loads(row)
    told = json.loads(payload)
    for said in told.get("said", []):
        said.pop("at", None)
    return json.dumps([told, text], sort_keys=True)


def test_only_the_scorers_process_ever_opens_the_data(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and str(data) in str(arguments[0]):
            opened.append(str(arguments[0]))

    sys.addaudithook(watch)
    run_arc(spec_for(data, tmp_path / "run", limit=2, study_limit=2), solver=solver)
    assert opened == []


def test_no_module_but_the_scorers_reads_outputs() -> None:
    folder = Path(scorer_module.__file__).parent
    readers = {
        file.stem
        for file in folder.glob("*.py")
        if "open_tasks(" in file.read_text() and file.stem != "data"
    }
    assert readers == {"scorer"}


# -- interruptions -------------------------------------------------------------------------------


def test_a_run_killed_again_and_again_is_the_run_that_was_not(data: Path, tmp_path: Path) -> None:
    calm, hard = tmp_path / "calm", tmp_path / "hard"
    run_arc(spec_for(data, calm, batch=4), solver=solver)
    command = [sys.executable, "-m", "reverie.tests.envs.arc.symmetries", str(data), str(hard), "4"]
    kills = 0
    for delay in (0.02, 0.3, 0.1):
        with subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"}) as process:
            lines = hard / "episodes.jsonl"
            before = lines.stat().st_size if lines.exists() else 0
            deadline = time.monotonic() + 60
            while process.poll() is None and time.monotonic() < deadline:
                if lines.exists() and lines.stat().st_size > before:
                    time.sleep(delay)
                    break
                time.sleep(0.01)
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                kills += 1
            process.wait()
        if process.returncode == 0:
            break
    assert kills >= 2
    run_arc(spec_for(data, hard, batch=4), solver=solver)
    assert played(hard) == played(calm)
    for name in ("study-s0", "online-s0", "frozen-s0"):
        assert concepts(hard / "memory" / name) == concepts(calm / "memory" / name)
    learned = read_whole_lines(hard / "learned.jsonl", Learned)
    assert len({(one.stream, one.batch) for one in learned}) == len(learned)


class Stumbling(Symmetries):
    """Fails the first time it learns the second batch, after it has written."""

    stumbled = False

    def learn(self, lessons: Any, concepts: ConceptMemory) -> Any:
        found = super().learn(lessons, concepts)
        if len(concepts) > 1 and not Stumbling.stumbled:
            Stumbling.stumbled = True
            raise KeyboardInterrupt
        return found


def test_what_was_half_learnt_is_learnt_anew_and_once(data: Path, tmp_path: Path) -> None:
    def stumbling(spec: ArcSpec) -> Symmetries:
        return Stumbling(spec.nodes)

    spec = spec_for(data, tmp_path / "run")
    with pytest.raises(KeyboardInterrupt):
        run_arc(spec, solver=stumbling)
    assert json.loads((spec.out / "summary.json").read_text())["run"]["status"] == "interrupted"
    run_arc(spec, solver=stumbling)
    run_arc(spec_for(data, tmp_path / "calm"), solver=solver)
    assert played(spec.out) == played(tmp_path / "calm")
    assert concepts(spec.out / "memory/online-s0") == concepts(tmp_path / "calm/memory/online-s0")


def test_a_budget_stops_a_run_and_more_of_it_goes_on(
    whole: Path, data: Path, tmp_path: Path
) -> None:
    given: Mapping[str, Any] = {"arms": ALL, "orders": (0, 1), "study_off": True}
    spec = spec_for(data, tmp_path / "run", **given, limits=Budget(tokens=500))
    summary = run_arc(spec, solver=solver)
    assert (summary.run.status, summary.run.done) == ("budget", 50)
    assert summary.run.reason == "the budget of 500 tokens is reached"
    run_arc(spec_for(data, tmp_path / "run", **given), solver=solver)
    assert played(tmp_path / "run") == played(whole)


def test_other_settings_or_other_data_are_another_run(
    whole: Path, data: Path, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="nodes: 3 there, 4 now"):
        run_arc(spec_for(data, whole, arms=ALL, orders=(0, 1), study_off=True, nodes=4),
                solver=solver)  # fmt: skip
    home = write_data(tmp_path / "data", {"training": 4})
    spec = spec_for(home, tmp_path / "run", study="none", arms=(Arm.OFF,))
    run_arc(spec, solver=solver)
    shutil.rmtree(home)
    write_data(home, {"training": 4}, poison=True)
    with pytest.raises(SettingsError, match="outputs_sha256"):
        run_arc(spec, solver=solver)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_puzzle_that_fails_is_a_failed_puzzle(workers: int, data: Path, tmp_path: Path) -> None:
    spec = spec_for(data, tmp_path / "run", study="none", arms=(Arm.OFF, Arm.ONLINE),
                    options={"faulty": "t003"}, workers=workers)  # fmt: skip
    summary = run_arc(spec, solver=solver)
    assert summary.run.status == "partial"
    errors = {x.task_id: x.error for x in read_arc_lines(spec.out) if x.error}
    assert errors == {"t003": "MalformedReply: nothing comes to mind"}


def test_a_puzzle_that_kills_its_process_is_a_failed_puzzle(data: Path, tmp_path: Path) -> None:
    spec = spec_for(data, tmp_path / "run", study="none", arms=(Arm.OFF,), workers=2,
                    options={"faulty": "t003"})  # fmt: skip
    summary = run_arc(spec, solver=deadly)
    assert summary.puzzles["off"].puzzles == 24
    (error,) = [x.error for x in read_arc_lines(spec.out) if x.error]
    assert "died twice (exit code -9)" in error


# -- what makes no sense -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"arms": ()}, "name each arm once"),
        ({"arms": (Arm.OFF, Arm.OFF)}, "name each arm once"),
        ({"orders": (1, 1)}, "each once"),
        ({"study": "training"}, "would study the split it is scored on"),
        ({"study": "none", "arms": (Arm.FROZEN,)}, "a memory that nothing fills"),
        ({"solver": "llm", "model": "local", "study_nodes": 9}, "only the search solver"),
        ({"arms": (Arm.OFF,), "study_nodes": 9}, "nothing is studied"),
        ({"arms": (Arm.ONLINE,), "study": "none", "study_nodes": 9}, "nothing is studied"),
    ],
)
def test_settings_without_sense_are_refused(more: Mapping[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        spec_for(Path("data"), Path("out"), **more)


def test_the_same_puzzles_cannot_be_studied_and_scored(data: Path) -> None:
    spec = spec_for(data, Path("out"), study="training", split="evaluation")
    puzzles = load_puzzles(str(data), "training")
    with pytest.raises(SettingsError, match="24 puzzles would be both studied and scored"):
        courses(spec, lambda _: puzzles)


def test_a_memory_that_is_not_there_is_an_error(data: Path, tmp_path: Path) -> None:
    spec = spec_for(data, tmp_path / "run", study="none", memory=tmp_path / "nothing")
    with pytest.raises(SettingsError, match="there is no memory in that folder"):
        run_arc(spec, solver=solver)
