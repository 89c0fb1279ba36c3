"""The loop: an agent with memory does better, stops where it must, and goes on where it stopped."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reverie.agent.actor import ScoringActor
from reverie.agent.agent import Agent
from reverie.agent.arms import AgentOptions, build_agent, seed_memory
from reverie.agent.environment import StepResult, Task
from reverie.agent.learned_trigger import LearnedTrigger
from reverie.agent.models.base import Usage
from reverie.agent.state import Limits, add_usage, nothing_spent
from reverie.agent.trigger import KEPT_TRIGGER, FirstStep
from reverie.errors import EnvironmentFault, SettingsError
from reverie.memory.cases import CaseMemory
from reverie.memory.memory import Memory
from reverie.memory.records import CasePayload, Kind, Payload, Scope
from reverie.tests.agent.worlds import Fixed, KeyAndDoor

SCOPE = Scope(user="ann")


@pytest.fixture
def memory() -> Iterator[Memory]:
    with Memory.open("ephemeral:", embedder="hashing") as opened:
        yield opened


def seeded(memory: Memory) -> Memory:
    world = KeyAndDoor()
    assert len(list(seed_memory(memory, SCOPE, world, world.tasks("train")))) == 3
    return memory


def contents(memory: Memory) -> dict[str, Payload]:
    """What a memory holds; its use counters apart, which every recall moves."""
    return {record.id: record.payload for record in memory.list(scope=SCOPE, limit=1000)}


def test_memory_solves_what_the_same_model_alone_does_not(memory: Memory) -> None:
    task = Task(id="valid/2", split="valid", type="fetch")
    off = build_agent("off", Fixed()).play(KeyAndDoor(), task)
    frozen = build_agent("frozen", Fixed(), seeded(memory), scope=SCOPE).play(KeyAndDoor(), task)
    assert not off.success and off.steps == 8 and off.recalled == ()
    assert frozen.success and frozen.steps < 8 and frozen.recalled


def test_a_frozen_memory_is_not_written_and_an_online_one_is(memory: Memory) -> None:
    seeded(memory)
    task = Task(id="valid/2", split="valid")
    before = contents(memory)
    frozen = build_agent("frozen", Fixed(), memory, scope=SCOPE)
    assert frozen.play(KeyAndDoor(), task).written == ()
    assert contents(memory) == before
    episode = build_agent("online", Fixed(), memory, scope=SCOPE).play(KeyAndDoor(), task, run="r")
    assert episode.written
    assert memory.get(episode.written[0], scope=SCOPE).kind is Kind.CASE


def test_playing_an_episode_twice_under_one_name_counts_it_once(memory: Memory) -> None:
    agent = build_agent("online", Fixed(), memory, scope=SCOPE)
    task = Task(id="valid/2", split="valid")
    for _ in range(2):
        agent.play(KeyAndDoor(), task, run="r", seed=1)
    (case,) = CaseMemory(memory, SCOPE).cases()
    assert isinstance(case.payload, CasePayload) and case.payload.attempts == 1
    agent.play(KeyAndDoor(), task, run="r", seed=2)
    (case,) = CaseMemory(memory, SCOPE).cases()
    assert isinstance(case.payload, CasePayload) and case.payload.attempts == 2


def test_recalls_are_logged_and_rewarded(memory: Memory) -> None:
    agent = build_agent("online", Fixed(), seeded(memory), scope=SCOPE)
    episode = agent.play(KeyAndDoor(), Task(id="valid/2", split="valid"))
    logs = {log.id: log for log in memory.recalls(scope=SCOPE)}
    assert set(episode.recall_ids) == set(logs)
    for log in logs.values():
        assert log.reward == episode.reward and log.candidates and log.policy == "similarity"


def test_a_task_never_reads_its_own_case(memory: Memory) -> None:
    task = Task(id="train/1", split="train")
    episode = build_agent("frozen", Fixed(), seeded(memory), scope=SCOPE).play(KeyAndDoor(), task)
    for name in episode.recalled:
        payload = memory.get(name, scope=SCOPE).payload
        assert getattr(payload, "task_id", None) != "train/1"


def test_an_episode_stops_at_its_step_limit(memory: Memory) -> None:
    agent = Agent(Fixed(), memory, scope=SCOPE, limits=Limits(steps=3))
    episode = agent.play(KeyAndDoor(), Task(id="valid/2", split="valid"))
    assert episode.steps == 3 and episode.stop_reason == "steps" and not episode.success


def test_an_episode_stops_at_its_token_limit() -> None:
    agent = Agent(Fixed(), limits=Limits(tokens=25))
    episode = agent.play(KeyAndDoor(), Task(id="valid/2", split="valid"))
    assert episode.stop_reason == "tokens" and episode.tokens == 33


def test_an_unknown_price_makes_the_sum_unknown_and_is_never_zero() -> None:
    spent = add_usage(nothing_spent(), Usage(prompt_tokens=3, usd=0.5))
    assert spent["usd"] == 0.5
    assert add_usage(spent, Usage(prompt_tokens=3))["usd"] is None


def test_the_trigger_decides_when_memory_is_asked(memory: Memory) -> None:
    agent = Agent(Fixed(), seeded(memory), scope=SCOPE, trigger=FirstStep())
    episode = agent.play(KeyAndDoor(), Task(id="valid/2", split="valid"))
    assert [step.trigger for step in episode.trajectory][:2] == ["first", ""]


def test_what_was_recalled_is_held_and_read_only_once(memory: Memory) -> None:
    agent = Agent(Fixed(), seeded(memory), scope=SCOPE, trigger=FirstStep())
    first, *later = agent.play(KeyAndDoor(), Task(id="valid/2", split="valid")).trajectory
    assert first.read > 0 and not any(step.read for step in later)
    assert all(step.recalled for step in later)


def test_an_episode_counts_the_tokens_that_it_read(memory: Memory) -> None:
    agent = Agent(Fixed(), seeded(memory), scope=SCOPE)
    episode = agent.play(KeyAndDoor(), Task(id="valid/2", split="valid"))
    assert episode.recalled_tokens == sum(step.read for step in episode.trajectory) > 0
    assert Agent(Fixed()).play(KeyAndDoor(), Task(id="valid/2", split="valid")).recalled_tokens == 0


def test_a_trigger_learns_from_every_episode_and_goes_on_after_a_restart(memory: Memory) -> None:
    task = Task(id="valid/2", split="valid")
    agent = Agent(Fixed(), seeded(memory), scope=SCOPE, trigger="learned")
    agent.play(KeyAndDoor(), task, run="r")
    kept = memory.learned(KEPT_TRIGGER, scope=SCOPE)
    again = Agent(Fixed(), memory, scope=SCOPE, trigger="learned", learn=False)
    assert isinstance(again.parts.trigger, LearnedTrigger)
    assert again.parts.trigger.dump() == kept != LearnedTrigger().dump()
    again.play(KeyAndDoor(), task, run="s")
    assert memory.learned(KEPT_TRIGGER, scope=SCOPE) == kept


def test_who_is_stuck_gets_another_case(memory: Memory) -> None:
    model = Fixed({"look": 0.0})
    idle = ScoringActor(model, repeat=0.0)
    agent = Agent(model, seeded(memory), scope=SCOPE, trigger="stuck", actor=idle, recall_steps=0)
    agent.play(KeyAndDoor(), Task(id="valid/2", split="valid"))
    first, second, *_ = memory.recalls(scope=SCOPE)
    assert first.chosen and second.chosen and first.chosen != second.chosen
    assert first.chosen[0] not in [one.id for one in second.candidates]


def test_plans_of_chosen_cases_are_enough_to_win(memory: Memory) -> None:
    options = AgentOptions(weaver="plan", recall_cases=3, trigger="first")
    seeded(memory)
    agent = build_agent("frozen", Fixed(), memory, scope=SCOPE, options=options)
    episode = agent.play(KeyAndDoor(), Task(id="valid/2", split="valid"))
    assert episode.success and {memory.get(one, scope=SCOPE).kind for one in episode.recalled} == {
        Kind.CASE
    }


def test_watchers_see_the_nodes_in_order(memory: Memory) -> None:
    agent = Agent(Fixed(), seeded(memory), scope=SCOPE)
    nodes = [e.node for e in agent.stream(KeyAndDoor(), Task(id="valid/2", split="valid"))]
    assert nodes[:6] == ["observe", "trigger", "recall", "weave", "act", "step"]
    assert nodes[-3:] == ["reflect", "write", "learn"]


def test_playing_asynchronously_gives_the_same_episode(memory: Memory) -> None:
    task = Task(id="valid/2", split="valid")
    agent = build_agent("frozen", Fixed(), seeded(memory), scope=SCOPE)
    one, two = agent.play(KeyAndDoor(), task), asyncio.run(agent.aplay(KeyAndDoor(), task))
    assert [s.action for s in one.trajectory] == [s.action for s in two.trajectory]


def test_an_arm_with_memory_needs_one() -> None:
    with pytest.raises(SettingsError, match="needs a memory"):
        build_agent("online", Fixed())


def test_options_choose_how_memory_acts(memory: Memory) -> None:
    seeded(memory)
    task = Task(id="valid/2", split="valid")
    model = Fixed()
    build_agent("frozen", model, memory, scope=SCOPE, options=AgentOptions(weaver="prior")).play(
        KeyAndDoor(), task
    )
    assert "Notes from" not in model.prompts[0][1].content
    model = Fixed()
    episode = build_agent(
        "frozen", model, memory, scope=SCOPE, options=AgentOptions(weaver="text")
    ).play(KeyAndDoor(), task)
    assert "Notes from" in model.prompts[0][1].content and not episode.success


KILLED = """
import os, sys
from langgraph.checkpoint.sqlite import SqliteSaver
from reverie.agent.actor import ScoringActor
from reverie.agent.agent import Agent
from reverie.agent.environment import Task
from reverie.tests.agent.worlds import Fixed, KeyAndDoor

class Dies(KeyAndDoor):
    def step(self, action):
        if self.steps == 3:
            os._exit(9)
        return super().step(action)

with SqliteSaver.from_conn_string(sys.argv[1]) as saver:
    Agent(Fixed(), checkpointer=saver).play(Dies(), Task(id="valid/2", split="valid"), thread="t")
"""


def test_an_episode_killed_in_one_process_goes_on_in_another(tmp_path: Path) -> None:
    from langgraph.checkpoint.sqlite import SqliteSaver

    file = str(tmp_path / "checkpoints.sqlite")
    killed = subprocess.run([sys.executable, "-c", KILLED, file], timeout=120, check=False)
    assert killed.returncode == 9
    task = Task(id="valid/2", split="valid")
    whole = Agent(Fixed()).play(KeyAndDoor(), task)
    model = Fixed()
    with SqliteSaver.from_conn_string(file) as saver:
        resumed = Agent(model, checkpointer=saver).play(KeyAndDoor(), task, thread="t")
    assert [s.action for s in resumed.trajectory] == [s.action for s in whole.trajectory]
    # Three steps were acted before; the action of the fourth was saved, its step was not.
    assert len(model.prompts) == len(whole.trajectory) - 4


class Repainted(KeyAndDoor):
    """The same world in other words, as a new version of a game might be."""

    def step(self, action: str) -> StepResult:
        result = super().step(action)
        seen = result.observation.model_copy(update={"text": result.observation.text + " Red."})
        return result.model_copy(update={"observation": seen})


def test_a_world_that_does_not_repeat_itself_is_not_resumed(tmp_path: Path) -> None:
    from langgraph.checkpoint.sqlite import SqliteSaver

    file = str(tmp_path / "checkpoints.sqlite")
    subprocess.run([sys.executable, "-c", KILLED, file], timeout=120, check=False)
    with SqliteSaver.from_conn_string(file) as saver:
        agent = Agent(Fixed(), checkpointer=saver)
        with pytest.raises(EnvironmentFault, match="looks different"):
            agent.play(Repainted(), Task(id="valid/2", split="valid"), thread="t")
