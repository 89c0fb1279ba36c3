"""The nodes of the loop: each takes the episode's state and returns what it changes.

observe → trigger → recall → weave → act → step → (observe | reflect) → write → learn
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from langgraph.runtime import Runtime
from pydantic import JsonValue

from ..memory.records import Origin
from .environment import Environment, Outcome
from .parts import Parts
from .policy import learn_episode, selection_of
from .recall import Recaller
from .reflect import Lesson
from .state import (
    Decision,
    EpisodeState,
    Limits,
    Spent,
    StopReason,
    TraceStep,
    add_usage,
    episode_id,
    nothing_spent,
    steps_of,
    task_of,
    view_of,
)
from .trigger import KEPT_TRIGGER, LearningTrigger
from .weaver import nothing_woven


class Nodes:
    """One episode in one environment, node by node."""

    def __init__(
        self,
        parts: Parts,
        env: Environment,
        *,
        write: bool,
        learn: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.parts = parts
        self.env = env
        self._write = write
        self._learn = learn
        self._clock = clock
        self._mark = clock()
        self._instructions = env.instructions()
        self._recaller = Recaller(parts, parts.cases) if parts.cases is not None else None

    def observe(self, state: EpisodeState, runtime: Runtime[None]) -> EpisodeState:
        """Begin the episode if it has not begun; the observation enters the state."""
        if "observation" in state:
            return {}
        started = self._mark = self._clock()
        first = self.env.reset(task_of(state))
        spent = nothing_spent()
        spent["env_seconds"] = self._clock() - started
        emit(runtime, "observe", state, goal=first.goal, observation=first.text)
        return {
            "goal": first.goal,
            "observation": first.model_dump(mode="json"),
            "spent": spent,
            "cases": [],
            "neighbours": [],
        }

    def trigger(self, state: EpisodeState, runtime: Runtime[None]) -> EpisodeState:
        """Is recalling worth it now?"""
        if self._recaller is None:
            return {"trigger": "", "read": 0}
        view = view_of(state)
        if isinstance(self.parts.trigger, LearningTrigger):
            view = replace(view, glance=self._recaller.glance(view, state))
        decision = self.parts.trigger.decide(view)
        if decision.reason:
            emit(
                runtime,
                "trigger",
                state,
                reason=decision.reason,
                probability=decision.probability,
            )
        return {
            "trigger": decision.reason,
            "read": 0,
            "decisions": [decision.model_dump(mode="json")],
        }

    def recall(self, state: EpisodeState, runtime: Runtime[None]) -> EpisodeState:
        """Ask memory; what it gives is held until something newer takes its place."""
        assert self._recaller is not None, "the trigger fires only where there is a memory"
        update = self._recaller.recall(view_of(state), state)
        for selection in update.get("selections", []):
            emit(
                runtime,
                "recall",
                state,
                recall_id=selection["recall_id"],
                chosen=list(selection["chosen"]),
                probabilities=dict(selection["probabilities"]),
            )
        return update

    def weave(self, state: EpisodeState, runtime: Runtime[None]) -> EpisodeState:
        """Turn the recollection into what the model gets."""
        woven = nothing_woven()
        if state.get("cases") or state.get("neighbours"):
            # What was recalled is held until the next recall; how far a step still fits the state,
            # the weaver's kernel tells.
            woven = self.parts.weaver.weave(
                view_of(state), state.get("cases", []), state.get("neighbours", [])
            )
            emit(runtime, "weave", state, sources=list(woven["sources"]))
        return {"woven": woven}

    def act(self, state: EpisodeState, runtime: Runtime[None]) -> EpisodeState:
        """The model answers."""
        act = self.parts.actor.act(
            view_of(state), state.get("woven", nothing_woven()), self._instructions
        )
        spent = add_usage(_spent(state), act.usage)
        emit(runtime, "act", state, action=act.action)
        return {"action": act.action, "spent": spent, "uncertainty": act.uncertainty}

    def step(self, state: EpisodeState, runtime: Runtime[None]) -> EpisodeState:
        """The world moves."""
        started = self._clock()
        action = state.get("action", "")
        view = view_of(state)
        result = self.env.step(action)
        spent = self._lap(_spent(state))
        spent["env_seconds"] += self._clock() - started
        lived = TraceStep(
            observation=view.observation.text,
            action=action,
            reward=result.reward,
            valid=result.valid,
            trigger=state.get("trigger", ""),
            read=state.get("read", 0),
            recalled=tuple(state.get("woven", nothing_woven())["sources"]),
        )
        steps = len(view.steps) + 1
        stop = "done" if result.done else limit_reached(self.parts.limits, steps, spent)
        emit(runtime, "step", state, observation=result.observation.text, reward=result.reward)
        return {
            "observation": result.observation.model_dump(mode="json"),
            "steps": [lived.model_dump(mode="json")],
            "spent": spent,
            "done": stop is not None,
            "stop": stop or "",
        }

    def reflect(self, state: EpisodeState, runtime: Runtime[None]) -> EpisodeState:
        """Score the episode; find what was learnt."""
        outcome = self.env.score()
        update: EpisodeState = {"outcome": outcome.model_dump(mode="json")}
        if self.parts.cases is not None and self._write:
            view = view_of(state, self._instructions)
            lesson = self.parts.reflector.reflect(view, outcome)
            update["lesson"] = lesson.model_dump(mode="json")
            update["spent"] = self._lap(add_usage(_spent(state), lesson.usage))
        emit(runtime, "reflect", state, success=outcome.success, reward=outcome.reward)
        return update

    def write(self, state: EpisodeState, runtime: Runtime[None]) -> EpisodeState:
        """Keep the lesson in memory."""
        if self.parts.cases is None or "lesson" not in state:
            return {"written": []}
        lesson = Lesson.model_validate(state["lesson"])
        written = self.parts.cases.write(
            lesson.case,
            list(lesson.steps),
            episode=episode_id(state),
            origin=Origin(source="reflection", model=self.parts.model_id),
        )
        emit(runtime, "write", state, ids=list(written))
        return {"written": written}

    def learn(self, state: EpisodeState, runtime: Runtime[None]) -> EpisodeState:
        """Give the reward to the journal, the policy and the trigger."""
        if self.parts.cases is None or not self._learn:
            return {}
        reward = Outcome.model_validate(state.get("outcome")).reward
        bank = self.parts.cases
        recalls = [logged["recall_id"] for logged in state.get("selections", [])]
        for recall_id in recalls:
            bank.memory.reward(recall_id, reward)
        learn_episode(
            self.parts.policy,
            [selection_of(bank.memory.logged(one, scope=bank.scope)) for one in recalls],
            reward,
        )
        trigger = self.parts.trigger
        if isinstance(trigger, LearningTrigger):
            decisions = [Decision.model_validate(one) for one in state.get("decisions", [])]
            trigger.learn(decisions, [step.read for step in steps_of(state)], reward)
            bank.memory.keep_learned(KEPT_TRIGGER, trigger.dump(), scope=bank.scope)
        emit(runtime, "learn", state, reward=reward)
        return {}

    def _lap(self, spent: Spent) -> Spent:
        """A copy with the wall time since the last lap added."""
        before, self._mark = self._mark, self._clock()
        copy = spent.copy()
        copy["seconds"] += self._mark - before
        return copy


def limit_reached(limits: Limits, steps: int, spent: Spent) -> StopReason | None:
    """The first limit that is reached, if any."""
    if steps >= limits.steps:
        return "steps"
    if limits.tokens is not None and spent["tokens"] >= limits.tokens:
        return "tokens"
    if limits.usd is not None and (spent["usd"] or 0.0) >= limits.usd:
        return "usd"
    if limits.seconds is not None and spent["seconds"] >= limits.seconds:
        return "seconds"
    return None


def emit(runtime: Runtime[None], node: str, state: EpisodeState, **data: JsonValue) -> None:
    """Tell whoever watches (stream mode ``custom``)."""
    runtime.stream_writer({"node": node, "step": len(state.get("steps", [])), "data": data})


def _spent(state: EpisodeState) -> Spent:
    return state.get("spent", nothing_spent())
