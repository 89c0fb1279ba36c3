"""The nodes of the loop: each takes the episode's state and returns what it changes.

observe → trigger → recall → weave → act → step → (observe | reflect) → write → learn
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from langgraph.runtime import Runtime
from pydantic import JsonValue

from ..memory.cases import CaseMemory, Exclusion
from ..memory.recalls import Shortlist
from ..memory.recollection import Choice
from ..memory.records import CasePayload, Origin, StepPayload
from ..memory.search import Hit
from .abstraction import Lifter
from .actor import Actor
from .environment import Environment, Outcome, Task
from .policy import Candidate, Policy, State, learn_episode, selection_of
from .reflect import Lesson, Reflector
from .state import (
    EpisodeState,
    Limits,
    LoggedSelection,
    RecalledCase,
    RecalledStep,
    Spent,
    StopReason,
    TraceStep,
    View,
    add_usage,
    nothing_spent,
    view_of,
)
from .trigger import Trigger
from .weaver import Weaver, lift_view, nothing_woven


@dataclass(frozen=True)
class Parts:
    """What an agent is made of; each is a protocol that can be replaced."""

    trigger: Trigger
    policy: Policy
    weaver: Weaver
    actor: Actor
    reflector: Reflector
    lifter: Lifter
    cases: CaseMemory | None
    limits: Limits
    recall_cases: int
    recall_steps: int
    shortlist: int
    exclude_splits: tuple[str, ...]
    model_id: str


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
        reason = self.parts.trigger.decide(view_of(state)) if self.parts.cases else ""
        if reason:
            emit(runtime, "trigger", state, reason=reason)
        return {"trigger": reason}

    def recall(self, state: EpisodeState, runtime: Runtime[None]) -> EpisodeState:
        """Cases for the goal (once, and again when stuck) and steps for the state."""
        bank = self.parts.cases
        assert bank is not None, "the trigger fires only where there is a memory"
        view = view_of(state)
        update: EpisodeState = {"neighbours": self._neighbours(bank, view)}
        wanted = self.parts.recall_cases > 0
        if wanted and (not state.get("selections") or state.get("trigger") in ("stuck", "invalid")):
            cases, selection = self._cases(bank, view, state)
            update["cases"] = cases
            update["selections"] = [selection]
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
            # Cases stay in the prompt between recalls; steps speak only for the state they fit.
            fresh = state.get("neighbours", []) if state.get("trigger") else []
            woven = self.parts.weaver.weave(view_of(state), state.get("cases", []), fresh)
            emit(runtime, "weave", state, sources=list(woven["sources"]))
        return {"woven": woven}

    def act(self, state: EpisodeState, runtime: Runtime[None]) -> EpisodeState:
        """The model answers."""
        act = self.parts.actor.act(
            view_of(state), state.get("woven", nothing_woven()), self._instructions
        )
        spent = add_usage(_spent(state), act.usage)
        emit(runtime, "act", state, action=act.action)
        return {"action": act.action, "spent": spent}

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
            lesson = self.parts.reflector.reflect(view_of(state), outcome)
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
        """Give the reward to the journal and the policy, with the logged probabilities."""
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
        emit(runtime, "learn", state, reward=reward)
        return {}

    def _lap(self, spent: Spent) -> Spent:
        """A copy with the wall time since the last lap added."""
        before, self._mark = self._mark, self._clock()
        copy = spent.copy()
        copy["seconds"] += self._mark - before
        return copy

    def _neighbours(self, bank: CaseMemory, view: View) -> list[RecalledStep]:
        if self.parts.recall_steps == 0:
            return []
        query = lift_view(self.parts.lifter, view).text()
        hits = bank.similar_steps(query, k=self.parts.recall_steps, exclude=self._excluded(view))
        return [_recalled_step(hit) for hit in hits]

    def _cases(
        self, bank: CaseMemory, view: View, state: EpisodeState
    ) -> tuple[list[RecalledCase], LoggedSelection]:
        rng = random.Random(f"{view.seed}/{view.task.id}/{len(view.steps)}")

        def choose(found: Shortlist) -> Choice:
            hits = found.hits
            used = bank.memory.utility([hit.record.id for hit in hits], scope=bank.scope)
            candidates = [
                Candidate(
                    id=hit.record.id,
                    similarity=hit.score,
                    chosen=used[hit.record.id].chosen,
                    rewarded=used[hit.record.id].rewarded,
                    reward_mean=used[hit.record.id].reward_mean,
                )
                for hit in hits
            ]
            selection = self.parts.policy.select(
                State(found.query, found.vector), candidates, self.parts.recall_cases, rng
            )
            return Choice(
                chosen=selection.chosen,
                probabilities=selection.probabilities,
                policy=selection.policy,
                dropped=selection.dropped,
                dropout=selection.dropout,
            )

        context = {"episode": episode_id(state), "task": view.task.id, "step": str(len(view.steps))}
        found = bank.similar_cases(
            view.goal,
            choose,
            shortlist=self.parts.shortlist,
            exclude=self._excluded(view),
            context=context,
        )
        logged = LoggedSelection(
            recall_id=found.id,
            chosen=list(found.choice.chosen),
            probabilities=dict(found.choice.probabilities),
            policy=found.choice.policy,
        )
        return [_recalled_case(hit) for hit in found.hits], logged

    def _excluded(self, view: View) -> Exclusion:
        return Exclusion(task_ids=(view.task.id,), splits=self.parts.exclude_splits)


def task_of(state: EpisodeState) -> Task:
    """The task of an episode, also of one that has not begun."""
    return Task.model_validate(state.get("task"))


def episode_id(state: EpisodeState) -> str:
    """Names an episode by what it is, so that a repeated write is recognised."""
    return f"{state.get('run', '')}/{task_of(state).id}/{state.get('seed', 0)}"


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


def _recalled_case(hit: Hit) -> RecalledCase:
    record = hit.record
    payload = record.payload
    assert isinstance(payload, CasePayload)
    return RecalledCase(
        id=record.id,
        score=hit.score,
        task=payload.task,
        plan=list(payload.plan),
        outcome=payload.outcome,
        reason=payload.reason,
        origin=record.origin.source,
        date=record.event_time.date().isoformat(),
    )


def _recalled_step(hit: Hit) -> RecalledStep:
    payload = hit.record.payload
    assert isinstance(payload, StepPayload)
    return RecalledStep(
        id=hit.record.id,
        score=hit.score,
        state=payload.state,
        action=payload.action,
        attempts=payload.attempts,
    )
