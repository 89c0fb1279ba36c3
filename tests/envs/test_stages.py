"""The seats that ship: Reverie's agent and memory under the runner, in the world of doors."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from pydantic import JsonValue

from reverie.agent.environment import Observation, Task
from reverie.agent.models.base import Message, Reply, Scores, ToolSpec
from reverie.envs.plan import plan
from reverie.envs.runner import Event, run
from reverie.envs.runs import Arm, Budget, EpisodeLine, RunSpec, read_header, read_lines
from reverie.envs.stages import (
    GENERATED,
    AgentSeat,
    agent_options,
    brief,
    episode_limits,
    stage_for,
)
from reverie.envs.worker import Worker
from reverie.errors import SettingsError
from reverie.memory.memory import Memory
from reverie.memory.records import CasePayload, Origin, Record, Scope
from reverie.tests.envs.world import KEYS, Doors, Hall, spec_for

FREE = {"seconds", "model_seconds", "env_seconds", "started", "recall_ids"}


class Indifferent:
    """A model without preference: all actions are equally likely, in an order of its own."""

    id = "indifferent"
    context_tokens = 10_000

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def score(self, messages: Sequence[Message], candidates: Sequence[str]) -> Scores:
        return Scores(
            logprobs=tuple(random.Random(text).random() / 100 for text in candidates),
            lengths=(1,) * len(candidates),
        )

    def chat(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[ToolSpec] = (),
        schema: dict[str, JsonValue] | None = None,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int | None = None,
        stop: Sequence[str] = (),
    ) -> Reply:
        raise AssertionError("this model only scores")

    async def achat(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[ToolSpec] = (),
        schema: dict[str, JsonValue] | None = None,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int | None = None,
        stop: Sequence[str] = (),
    ) -> Reply:
        raise AssertionError("this model only scores")

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int | None = None,
        stop: Sequence[str] = (),
    ) -> Iterator[str]:
        raise AssertionError("this model only scores")


class GoalDoors(Doors):
    """Doors whose wood stands in the goal, so that it can be searched for."""

    def reset(self, task: Task) -> Observation:
        super().reset(task)
        return self._see("You face a door.")

    def _see(self, text: str) -> Observation:
        wood = self._task.type if self._task else ""
        actions = (*(f"take {key}" for key in KEYS), "open door")
        return Observation(text=text, goal=f"open the {wood} door", actions=actions)


class Study(Hall):
    """The hall of doors with Reverie's own agent on the chairs."""

    def __init__(self, spec: RunSpec) -> None:
        super().__init__(spec)
        self.environment = GoalDoors()
        self._spec = spec

    def seat(self, arm: Arm, seed: int, folder: Path | None) -> AgentSeat:  # type: ignore[override]
        memory = Memory.open(folder, embedder="hashing") if folder is not None else None
        return AgentSeat(
            arm,
            memory,
            environment=self.environment,
            model=Indifferent,
            options=agent_options(self._spec),
            limits=episode_limits(self._spec),
        )


def small(out: Path) -> RunSpec:
    return spec_for(out, seeds=(1,), episodes=8, seed_cases=3)


def facts(lines: Sequence[EpisodeLine]) -> dict[tuple[Arm, int], object]:
    """Episodes without clocks and without the ids of recalls, which are drawn anew."""
    return {(x.arm, x.index): x.model_dump(exclude=FREE) for x in lines}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("study") / "run"
    run(small(out), stage=Study)
    return out


def test_the_arms_differ_in_memory_alone(whole: Path) -> None:
    lines = read_lines(whole)
    for line in lines:
        assert bool(line.recalled) == (line.arm != Arm.OFF)
        assert bool(line.written) == (line.arm == Arm.ONLINE)
        assert len(line.draws) == len(line.recall_ids) == (line.arm != Arm.OFF)
        for draw in line.draws:
            assert draw.chosen and set(draw.chosen) <= set(draw.offered) and not draw.dropped
    assert len({x.memory["records"] for x in lines if x.arm == Arm.FROZEN}) == 1
    rewards = [x.memory["rewards"] for x in lines if x.arm == Arm.ONLINE]
    assert rewards == sorted(rewards) and rewards[-1] > 0


def test_an_interrupted_run_goes_on_with_exactly_the_memory_it_had(
    whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    for stop in (2, 3, 7, 12):

        def press(event: Event, stop: int = stop) -> None:
            if event.line is not None and event.done == stop:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run(small(out), stage=Study, watch=press)
    run(small(out), stage=Study)
    assert facts(read_lines(out)) == facts(read_lines(whole))


def test_half_an_episode_is_undone_before_it_is_played_again(tmp_path: Path) -> None:
    out = tmp_path / "run"
    spec = small(out).model_copy(update={"arms": (Arm.ONLINE,)})
    run(spec.model_copy(update={"limits": Budget(steps=1)}), stage=Study)
    (first,) = read_lines(out)
    worker = Worker(spec, Study(spec))
    jobs = plan(spec, Doors().tasks("valid"))
    lost = worker.play(jobs[1])  # its line is never written: the process dies here
    worker.close()
    again = Worker(spec, Study(spec))
    try:
        assert again.play(jobs[1]).model_dump(exclude=FREE) == lost.model_dump(exclude=FREE)
    finally:
        again.close()
    assert lost.memory["rewards"] > first.memory["rewards"]


def test_a_brief_is_short_and_says_what_the_record_is() -> None:
    payload = CasePayload(
        task="open the oak door",
        task_id="t",
        task_type="oak",
        plan=("take red",) * 50,
        outcome="success",
        reward=1.0,
    )
    record = Record(
        scope=Scope(user="u"), text="x", payload=payload, origin=Origin(source="environment")
    )
    found = brief(record)
    assert (found.kind, found.task_type, found.outcome) == ("case", "oak", "success")
    assert found.text.startswith("open the oak door: take red, take red")
    assert len(found.text) == 160


def test_an_option_of_the_agent_without_meaning_is_named_with_those_there_are(
    tmp_path: Path,
) -> None:
    spec = small(tmp_path).model_copy(update={"agent": {"triger": "always"}})
    with pytest.raises(SettingsError, match=r"agent option triger: .*The options are trigger, "):
        agent_options(spec)


def test_the_thoughts_of_react_are_free_turns(tmp_path: Path) -> None:
    spec = small(tmp_path)
    assert episode_limits(spec).steps == 50
    options: dict[str, JsonValue] = {"protocol": "react", "max_steps": 30}
    assert episode_limits(spec.model_copy(update={"options": options})).steps == 60


def test_an_environment_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no environment 'doors'; there is alfworld"):
        stage_for(small(tmp_path))


def test_alfworld_is_played_from_generated_games_to_a_report(tmp_path: Path) -> None:
    pytest.importorskip("textworld")
    spec = RunSpec(
        out=tmp_path / "run",
        model="scripted:look|inventory",
        episodes=1,
        seed_cases=2,
        embedder="hashing",
        options={
            "data": GENERATED,
            "games": {"train": 2, "valid_unseen": 1},
            "max_steps": 20,
        },
    )
    notes: list[str] = []
    summary = run(spec, watch=lambda event: notes.append(event.note))
    assert summary.run.status == "complete"
    assert "made 1 of 1 games" in notes
    header = read_header(spec.out)
    assert header.environment["protocol"] == "rl"
    assert header.agent["trigger"] == "always" and header.agent["embedder"] == "hashing"
    assert str(header.environment["data"]).startswith("generated-")
    lines = {line.arm: line for line in read_lines(spec.out)}
    assert all(line.steps == 20 and not line.success for line in lines.values())
    assert lines[Arm.FROZEN].recalled and lines[Arm.ONLINE].written and not lines[Arm.OFF].recalled
    assert lines[Arm.OFF].goal in (spec.out / "report.html").read_text()
