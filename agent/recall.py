"""What is recalled, and what of it is held until later steps of the episode."""

from __future__ import annotations

import random

from ..memory.cases import CaseMemory, Exclusion
from ..memory.recalls import Shortlist
from ..memory.recollection import Choice
from ..memory.records import CasePayload, StepPayload
from ..memory.search import Hit
from .parts import Parts
from .policy import Candidate, State
from .state import (
    EpisodeState,
    Glance,
    LoggedSelection,
    RecalledCase,
    RecalledStep,
    View,
    episode_id,
)
from .weaver import FittingWeaver, lift_view, render_case

HELD = 4
"""Recalls whose steps are held at most; beyond that the oldest go."""


class Recaller:
    """Asks an agent's memory, and keeps what it gave until something newer takes its place."""

    def __init__(self, parts: Parts, bank: CaseMemory) -> None:
        self.parts = parts
        self.bank = bank
        self._sizes: dict[str, int] = {}

    def recall(self, view: View, state: EpisodeState) -> EpisodeState:
        """Steps for the state in ``view``, and cases for its goal where they are wanted."""
        fresh = self._neighbours(view)
        read = sum(self._tokens(step["id"], _text(step)) for step in fresh)
        update: EpisodeState = {"neighbours": self._held(fresh, state)}
        if self._wants_cases(state):
            cases, selection = self._cases(view, state)
            read += sum(self._tokens(case["id"], render_case(case)) for case in cases)
            update["selections"] = [selection]
            if cases or not state.get("cases"):
                update["cases"] = cases
        update["read"] = read
        return update

    def glance(self, view: View, state: EpisodeState) -> Glance:
        """What a trigger may know before anything is recalled."""
        selections = state.get("selections", [])
        cases, steps = state.get("cases", []), state.get("neighbours", [])
        weaver = self.parts.weaver
        new = float(not cases and not steps)
        if isinstance(weaver, FittingWeaver):
            new = weaver.novelty(view, cases, steps)
        return Glance(
            novelty=new,
            uncertainty=state.get("uncertainty", 0.0),
            value=selections[-1]["value"] if selections else 0.0,
        )

    def _wants_cases(self, state: EpisodeState) -> bool:
        """Once, and again when stuck; where no steps are recalled, whenever recalling pays."""
        if self.parts.recall_cases == 0:
            return False
        reason = state.get("trigger", "")
        again = reason in ("stuck", "invalid") or (reason == "pays" and not self.parts.recall_steps)
        return again or not state.get("selections")

    def _held(self, fresh: list[RecalledStep], state: EpisodeState) -> list[RecalledStep]:
        """What was just recalled, then what is still held, newest first."""
        newest = {step["id"]: step for step in fresh}
        for step in state.get("neighbours", []):
            newest.setdefault(step["id"], step)
        return [*newest.values()][: HELD * self.parts.recall_steps]

    def _tokens(self, name: str, text: str) -> int:
        if name not in self._sizes:
            self._sizes[name] = self.parts.count_tokens(text)
        return self._sizes[name]

    def _neighbours(self, view: View) -> list[RecalledStep]:
        if self.parts.recall_steps == 0:
            return []
        query = lift_view(self.parts.lifter, view).text()
        hits = self.bank.similar_steps(
            query, k=self.parts.recall_steps, exclude=self._excluded(view)
        )
        return [_recalled_step(hit) for hit in hits]

    def _cases(self, view: View, state: EpisodeState) -> tuple[list[RecalledCase], LoggedSelection]:
        rng = random.Random(f"{view.seed}/{view.task.id}/{len(view.steps)}")
        expected = 0.0

        def choose(found: Shortlist) -> Choice:
            nonlocal expected
            selection = self.parts.policy.select(
                State(found.query, found.vector),
                self._candidates(found),
                self.parts.recall_cases,
                rng,
            )
            expected = selection.value
            return Choice(
                chosen=selection.chosen,
                probabilities=selection.probabilities,
                policy=selection.policy,
                dropped=selection.dropped,
                dropout=selection.dropout,
            )

        found = self.bank.similar_cases(
            view.goal,
            choose,
            shortlist=self.parts.shortlist,
            exclude=self._excluded(view),
            # What is held did not help enough; others have their turn.
            without=[case["id"] for case in state.get("cases", [])],
            context={
                "episode": episode_id(state),
                "task": view.task.id,
                "step": str(len(view.steps)),
            },
        )
        logged = LoggedSelection(
            recall_id=found.id,
            chosen=list(found.choice.chosen),
            probabilities=dict(found.choice.probabilities),
            policy=found.choice.policy,
            value=expected,
        )
        return [recalled_case(hit) for hit in found.hits], logged

    def _candidates(self, found: Shortlist) -> list[Candidate]:
        ids = [hit.record.id for hit in found.hits]
        used = self.bank.memory.utility(ids, scope=self.bank.scope)
        return [
            Candidate(
                id=hit.record.id,
                similarity=hit.score,
                chosen=used[hit.record.id].chosen,
                rewarded=used[hit.record.id].rewarded,
                reward_mean=used[hit.record.id].reward_mean,
            )
            for hit in found.hits
        ]

    def _excluded(self, view: View) -> Exclusion:
        return Exclusion(task_ids=(view.task.id,), splits=self.parts.exclude_splits)


def _text(step: RecalledStep) -> str:
    """A step as a model would read it."""
    return f"{'; '.join(step['state'].values())} > {step['action']}"


def recalled_case(hit: Hit) -> RecalledCase:
    """A case that was found, as far as a weaver needs it."""
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
