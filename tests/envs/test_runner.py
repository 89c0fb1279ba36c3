"""The runner: paired arms, resuming after kill -9, budgets, workers, errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from reverie.envs.cells import percent
from reverie.envs.meter import Meter
from reverie.envs.plan import episode_seed, order, plan, sample
from reverie.envs.pool import Pool
from reverie.envs.runner import Event, run
from reverie.envs.runs import PLAYED, Arm, Budget, EpisodeLine, RunSpec, read_header, read_lines
from reverie.envs.statistics import Summary
from reverie.errors import DataMissing, EnvironmentFault, SettingsError
from reverie.tests.envs.world import Doors, spec_for, stage

CLOCKS = {"seconds", "started", "trajectory"}


def played(out: Path) -> dict[tuple[Arm, int, int], object]:
    """What a run's episodes were, without what the clock decides."""
    return compared(read_lines(out))


def compared(lines: Sequence[EpisodeLine]) -> dict[tuple[Arm, int, int], object]:
    """Lines by their place."""
    return {(line.arm, line.seed, line.index): line.model_dump(exclude=CLOCKS) for line in lines}


def notes(out: Path) -> dict[str, object]:
    """What the memories of the online arm hold."""
    return {
        file.parent.name: json.loads(file.read_text())
        for file in sorted(out.glob("memory/online-s*/notes.json"))
    }


def in_process(out: Path, workers: int = 1, **environ: str) -> subprocess.Popen[bytes]:
    """The same run, in a process that can be killed."""
    return subprocess.Popen(
        [sys.executable, "-m", "reverie.tests.envs.world", str(out), str(workers)],
        env={**os.environ, **environ},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing interrupted."""
    out = tmp_path_factory.mktemp("whole") / "run"
    run(spec_for(out), stage=stage)
    return out


def test_every_arm_plays_the_same_tasks_with_the_same_seeds_in_the_same_order(whole: Path) -> None:
    lines = read_lines(whole)
    orders = {
        (arm, seed): [
            (x.task_id, x.attempt)
            for x in sorted(lines, key=lambda x: x.index)
            if (x.arm, x.seed) == (arm, seed)
        ]
        for arm in PLAYED
        for seed in (1, 2)
    }
    assert orders[Arm.OFF, 1] == orders[Arm.FROZEN, 1] == orders[Arm.ONLINE, 1]
    assert orders[Arm.OFF, 1] != orders[Arm.OFF, 2]
    assert sorted(orders[Arm.OFF, 1]) == sorted(orders[Arm.OFF, 2])


def test_the_run_folder_holds_the_four_files_and_the_memories(whole: Path) -> None:
    header = read_header(whole)
    assert header.environment == {"name": "doors", "protocol": "doors", "keys": 3}
    assert header.tasks["n"] == 12
    assert header.attempts == 1
    assert header.memory["off"] == "none"
    assert header.memory["frozen"] == "2 demonstrations of train, read only"
    assert header.versions["python"]
    assert "</svg>" in (whole / "report.html").read_text()
    summary = Summary.model_validate_json((whole / "summary.json").read_text())
    assert summary.run.status == "complete"
    assert list(summary.arms) == ["off", "frozen", "online"]
    assert summary.deltas["online-off"].n == 24
    kept = sorted(folder.name for folder in (whole / "memory").iterdir())
    assert kept == [
        "frozen-s1", "frozen-s2", "online-s1", "online-s2", "seed-s1", "seed-s2"
    ]  # fmt: skip


def test_only_the_online_arm_writes_its_memory(whole: Path) -> None:
    for line in read_lines(whole):
        if line.arm == Arm.ONLINE:
            assert line.memory["records"] == 2 + 2 * (line.index + 1)
        elif line.arm == Arm.FROZEN:
            assert line.memory["records"] == 2
        else:
            assert line.memory == {}


def test_a_run_killed_at_any_write_goes_on_to_the_same_result(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    deaths = 0
    for write in ("3", "6", "9", "14", "1", "2"):
        process = in_process(out, DOORS_DIE=write)
        deaths += process.wait(60) == -9
    assert deaths == 6
    assert 0 < len(read_lines(out)) < 72
    assert in_process(out).wait(60) == 0
    assert played(out) == played(whole)
    assert notes(out) == notes(whole)


def test_a_run_killed_with_its_workers_leaves_none_behind_and_goes_on(
    whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    process = in_process(out, workers=2, DOORS_PAUSE="0.05")
    deadline = time.monotonic() + 60
    while not ((out / "episodes.jsonl").exists() and len(read_lines(out)) > 9):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert in_process(out, workers=2).wait(60) == 0
    assert played(out) == played(whole)
    assert notes(out) == notes(whole)


def test_a_worker_that_dies_is_replaced_and_the_result_is_the_same(
    whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    assert in_process(out, workers=2, DOORS_DIE="20").wait(60) == 0
    assert played(out) == played(whole)
    assert notes(out) == notes(whole)


def test_a_pool_that_renews_its_processes_plays_the_same(whole: Path, tmp_path: Path) -> None:
    spec = spec_for(tmp_path / "run", workers=2)
    pool = Pool(spec, stage, recycle=20)
    try:
        assert dict(pool.prepare(spec.seeds)) == {1: 2, 2: 2}
        jobs = plan(spec, Doors().tasks("valid"))
        lines = list(pool.results(jobs, lambda job: True))
    finally:
        pool.close()
    assert compared(lines) == played(whole)


def test_a_job_that_kills_its_worker_twice_ends_the_run_and_keeps_what_was_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOORS_DIE", "1")
    with pytest.raises(EnvironmentFault, match="died twice"):
        run(spec_for(tmp_path / "run", workers=2), stage=stage)


def test_giving_a_finished_run_again_plays_nothing_and_says_the_same(
    whole: Path, tmp_path: Path
) -> None:
    events: list[Event] = []
    before = (whole / "summary.json").read_text()
    summary = run(spec_for(whole), stage=stage, watch=events.append)
    assert all(event.line is None for event in events)
    assert summary.run.status == "complete"
    assert (whole / "summary.json").read_text() == before


def test_a_torn_last_line_is_dropped_and_its_episode_played_again(
    whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    run(spec_for(out, limits=Budget(steps=30)), stage=stage)
    file = out / "episodes.jsonl"
    text = file.read_bytes()
    file.write_bytes(text + text.splitlines()[-1][:100])
    run(spec_for(out), stage=stage)
    assert played(out) == played(whole)


def test_a_damaged_line_in_the_middle_is_an_error_that_names_it(
    whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    run(spec_for(out, limits=Budget(steps=30)), stage=stage)
    lines = (out / "episodes.jsonl").read_bytes().splitlines(keepends=True)
    lines[3] = b"\x00" * 20 + b"\n"
    (out / "episodes.jsonl").write_bytes(b"".join(lines))
    with pytest.raises(Exception, match=r"line 4 of .*episodes.jsonl"):
        run(spec_for(out), stage=stage)


def test_other_settings_in_an_existing_folder_are_refused_by_name(whole: Path) -> None:
    with pytest.raises(SettingsError, match=r"seeds: \[1, 2\] there, \[1, 3\] now"):
        run(spec_for(whole, seeds=(1, 3)), stage=stage)


def test_another_budget_or_number_of_workers_is_no_other_run(tmp_path: Path, whole: Path) -> None:
    a = spec_for(tmp_path / "a", workers=1)
    b = spec_for(tmp_path / "b", workers=2, limits=Budget(tokens=5))
    assert a.run_id() == b.run_id()
    assert a.run_id() != spec_for(tmp_path / "a", seeds=(3,)).run_id()


def test_a_second_process_in_the_same_folder_is_told_so(tmp_path: Path) -> None:
    out = tmp_path / "run"
    process = in_process(out, DOORS_PAUSE="0.2")
    try:
        deadline = time.monotonic() + 60
        while not (out / "episodes.jsonl").exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        with pytest.raises(SettingsError, match="another process is running"):
            run(spec_for(out), stage=stage)
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_budget_stops_the_run_paired_and_the_same_command_with_more_goes_on(
    workers: int, whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    summary = run(spec_for(out, workers=workers, limits=Budget(tokens=180)), stage=stage)
    assert summary.run.status == "budget"
    assert summary.run.reason == "the budget of 180 tokens is reached"
    assert 18 <= summary.run.done <= 19
    counts = [sum(x.arm == arm for x in read_lines(out)) for arm in PLAYED]
    assert max(counts) - min(counts) <= 2
    again = run(spec_for(out, workers=workers, limits=Budget(tokens=180)), stage=stage)
    assert again.run.done == summary.run.done
    run(spec_for(out, workers=workers), stage=stage)
    assert played(out) == played(whole)


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Budget(usd=0.0105), "0.0105 dollars"),
        (Budget(steps=7), "7 steps"),
        (Budget(seconds=1e-9), "1e-09 seconds"),
    ],
)
def test_each_limit_stops_a_run(limits: Budget, reason: str, tmp_path: Path) -> None:
    summary = run(spec_for(tmp_path / "run", limits=limits), stage=stage)
    assert summary.run.status == "budget"
    assert reason in summary.run.reason


def test_time_stops_a_run_between_rounds_before_one_that_would_not_end_in_time(
    tmp_path: Path,
) -> None:
    now = [0.0]
    spec = spec_for(tmp_path)
    meter = Meter(Budget(seconds=30), len(spec.arms) * len(spec.seeds), clock=lambda: now[0])
    jobs = plan(spec, Doors().tasks("valid"))
    now[0] = 5  # setting up
    played = 0
    for job in jobs:
        if not meter.begin(job.index):
            break
        now[0] += 1
        played += 1
        meter.ended(EpisodeLine(run="", arm=job.arm, seed=job.seed, index=job.index,
                                task_id="", success=True, reward=1.0, steps=1))  # fmt: skip
    assert played == 24  # four rounds of three arms and two seeds; a fifth would end at 35
    assert meter.reason == "another round would go beyond the budget of 30 seconds"


def test_a_round_that_takes_longer_than_thought_is_still_finished(tmp_path: Path) -> None:
    now = [0.0]
    spec = spec_for(tmp_path)
    meter = Meter(Budget(seconds=30), len(spec.arms) * len(spec.seeds), clock=lambda: now[0])
    jobs = plan(spec, Doors().tasks("valid"))
    assert meter.begin(jobs[0].index)
    now[0] = 100.0
    assert [meter.begin(job.index) for job in jobs[1:8]] == [True] * 5 + [False] * 2


def test_an_episode_that_fails_with_an_error_counts_as_a_failure(tmp_path: Path) -> None:
    summary = run(spec_for(tmp_path / "run", faulty="valid/4"), stage=stage)
    assert summary.run.status == "partial"
    assert summary.arms["off"].errors == 2
    assert summary.arms["off"].success.n == 24
    broken = [x for x in read_lines(tmp_path / "run") if x.error]
    assert {x.task_id for x in broken} == {"valid/4"}
    assert broken[0].error == "EnvironmentFault: the door of valid/4 is stuck in the wall"


def test_ctrl_c_leaves_a_summary_and_a_folder_that_can_be_resumed(
    whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"

    def press(event: Event) -> None:
        if event.done == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(spec_for(out), stage=stage, watch=press)
    summary = Summary.model_validate_json((out / "summary.json").read_text())
    assert (summary.run.status, summary.run.done) == ("interrupted", 20)
    run(spec_for(out), stage=stage)
    assert played(out) == played(whole)


def test_a_memory_that_went_missing_is_not_silently_begun_anew(tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(spec_for(out, limits=Budget(steps=40)), stage=stage)
    for folder in (out / "memory").glob("online-s1*"):
        (folder / "notes.json").unlink()
        folder.rmdir()
    with pytest.raises(Exception, match="online-s1 is gone"):
        run(spec_for(out), stage=stage)


def test_tasks_met_again_are_later_attempts_and_stay_out_of_the_summary(tmp_path: Path) -> None:
    spec = spec_for(tmp_path / "run", episodes=18, seeds=(1,))
    summary = run(spec, stage=stage)
    assert summary.arms["online"].success.n == 12
    assert summary.later_attempts["online"]["2"].n == 6
    assert {x.attempt for x in read_lines(spec.out)} == {1, 2}


def test_a_sample_has_the_types_in_proportion_and_does_not_depend_on_the_seed() -> None:
    tasks = Doors().tasks("valid")
    assert len({task.type for task in sample(tasks, 3)}) == 3
    assert {task.id for task in sample(tasks, 6)} > {task.id for task in sample(tasks, 3)}
    first = {task.id for _, task in order(tasks, 6, seed=1)}
    assert first == {task.id for _, task in order(tasks, 6, seed=2)}
    assert [t.id for t in sample(tasks, 5, "a")] != [t.id for t in sample(tasks, 5, "b")]


def test_an_episodes_seed_is_the_same_in_every_arm_and_differs_between_seeds() -> None:
    assert episode_seed(1, "valid/3", 1) == episode_seed(1, "valid/3", 1)
    assert episode_seed(1, "valid/3", 1) != episode_seed(2, "valid/3", 1)
    assert 0 <= episode_seed(1, "valid/3", 1) < 2**31


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed_cases": 0}, "the frozen arm reads a memory that nothing fills"),
        ({"arms": ()}, "arms"),
        ({"seeds": (1, 1)}, "seeds"),
        ({"split": "train"}, "scored on"),
        ({"model": "https://user:key@host/v1#m"}, "REVERIE_API_KEY"),
    ],
)
def test_a_spec_without_sense_is_refused(
    change: Mapping[str, object], message: str, tmp_path: Path
) -> None:
    good = spec_for(tmp_path / "run").model_dump()
    with pytest.raises(SettingsError, match=message):
        RunSpec.model_validate({**good, **change})


def test_a_split_without_tasks_is_missing_data(tmp_path: Path) -> None:
    spec = spec_for(tmp_path / "run").model_copy(update={"split": "nowhere"})
    with pytest.raises(DataMissing, match="nowhere"):
        run(spec, stage=stage)


def test_a_line_reads_back_as_it_was_written(whole: Path) -> None:
    for line in read_lines(whole):
        assert EpisodeLine.model_validate_json(line.model_dump_json()) == line


def test_retries_of_known_failures_raise_success_without_any_memory_and_are_kept_apart(
    tmp_path: Path,
) -> None:
    """The artefact: who tries again what failed, and keeps the best, wins more with no memory."""
    spec = spec_for(tmp_path / "run", arms=(Arm.OFF,), seeds=(1, 2, 3, 4), episodes=48)
    summary = run(spec, stage=stage)
    lines = read_lines(spec.out)
    assert not any(line.memory or line.recall_ids for line in lines)

    won = {line.seed: set[str]() for line in lines}
    union: list[float] = []
    for attempt in (1, 2, 3, 4):
        for line in lines:
            if line.attempt == attempt and line.success:
                won[line.seed].add(line.task_id)
        union.append(sum(map(len, won.values())) / (12 * len(won)))
    assert union[0] < union[1] < union[2] < union[3]
    assert union[3] - union[0] > 0.3

    first = summary.arms["off"].success
    assert (first.mean, first.n) == (union[0], 48)
    later = summary.later_attempts["off"]
    assert list(later) == ["2", "3", "4"] and all(one.n == 48 for one in later.values())
    for attempt, one in later.items():
        own = [x.success for x in lines if str(x.attempt) == attempt]
        assert one.mean == sum(own) / len(own) < union[3]
    report = (spec.out / "report.html").read_text(encoding="utf-8")
    assert percent(union[0]) in report
    assert not any(percent(mixed) in report for mixed in union[1:])
