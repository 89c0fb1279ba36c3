"""Case memory: episodes and steps that were lived, found again by what they resemble.

Memento's case bank at two levels. An episode-level case says what was tried for a goal and what it
earned, successes and failures alike; a step-level case says what was done in which state on the
way to a success. Retrieval has two stages: a shortlist by hybrid search, then the caller's choice.
Equal outcomes are one record that counts its episodes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import RecordNotFound
from .memory import Memory
from .recalls import Chooser
from .recollection import Recollection
from .records import CasePayload, Kind, Origin, Record, Scope, StepPayload
from .search import Hit


@dataclass(frozen=True)
class Exclusion:
    """What an evaluation must not read: a task's own cases, and whole splits."""

    task_ids: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()

    def facets(self) -> dict[str, Sequence[str]]:
        """The filter as the search takes it."""
        found = {"task_id": self.task_ids, "split": self.splits}
        return {name: values for name, values in found.items() if values}


class CaseMemory:
    """The cases of one scope."""

    def __init__(self, memory: Memory, scope: Scope) -> None:
        self.memory = memory
        self.scope = scope

    def similar_cases(
        self,
        goal: str,
        choose: Chooser,
        *,
        shortlist: int = 32,
        exclude: Exclusion = Exclusion(),
        context: Mapping[str, str] | None = None,
    ) -> Recollection:
        """Episodes whose goal resembles ``goal``; the choice among the shortlist is logged."""
        return self.memory.recall(
            goal,
            scope=self.scope,
            kinds=(Kind.CASE,),
            choose=choose,
            shortlist=shortlist,
            exclude=exclude.facets(),
            context=dict(context or {}),
        )

    def similar_steps(
        self,
        state: str,
        *,
        k: int = 64,
        exclude: Exclusion = Exclusion(),
    ) -> list[Hit]:
        """Steps of successful episodes taken in states that resemble ``state``."""
        return self.memory.search(
            state,
            scope=self.scope,
            kinds=(Kind.STEP,),
            k=k,
            where={"outcome": "success"},
            exclude=exclude.facets(),
        )

    def write(
        self,
        case: CasePayload,
        steps: Sequence[tuple[str, StepPayload]],
        *,
        episode: str,
        origin: Origin,
    ) -> list[str]:
        """Keep an episode and its steps (searched text, payload); returns the ids, new or counted.

        Writing the same ``episode`` again changes nothing, so an interrupted write is simply
        repeated.
        """
        case_id = _digest(self.scope, case.task, case.outcome, *case.plan)
        records = [self._record(case_id, case.task, case, origin, sources=())]
        for text, step in steps:
            step_id = _digest(self.scope, *step.state.values(), step.action, step.outcome)
            records.append(self._record(step_id, text, step, origin, sources=(case_id,)))
        fresh: dict[str, Record] = {}
        for record in records:
            payload = record.payload
            assert isinstance(payload, CasePayload | StepPayload)
            known = self._known(record.id)
            if known is None:
                counted = payload.model_copy(update={"episodes": (episode,)})
                fresh[record.id] = record.model_copy(update={"payload": counted})
            elif episode not in known.episodes:
                counted = known.model_copy(update={"episodes": (*known.episodes, episode)})
                self.memory.update(record.id, scope=self.scope, payload=counted)
        if fresh:
            self.memory.add(list(fresh.values()))
        return list(dict.fromkeys(record.id for record in records))

    def cases(self, page: int = 500) -> list[Record]:
        """Every episode-level case, oldest first."""
        found: list[Record] = []
        after: str | None = None
        while True:
            part = self.memory.list(scope=self.scope, kind=Kind.CASE, limit=page, after=after)
            found += part
            if len(part) < page:
                return found
            after = part[-1].id

    def _known(self, record_id: str) -> CasePayload | StepPayload | None:
        try:
            payload = self.memory.get(record_id, scope=self.scope).payload
        except RecordNotFound:
            return None
        assert isinstance(payload, CasePayload | StepPayload)
        return payload

    def _record(
        self,
        record_id: str,
        text: str,
        payload: CasePayload | StepPayload,
        origin: Origin,
        sources: tuple[str, ...],
    ) -> Record:
        return Record(
            id=record_id,
            scope=self.scope,
            text=text,
            payload=payload,
            origin=origin,
            sources=sources,
        )


def _digest(scope: Scope, *parts: str) -> str:
    """An id that equal content always gets: 32 hexadecimal digits."""
    owner = (scope.user, scope.agent or "", scope.session or "")
    return hashlib.sha256("\x1f".join((*owner, *parts)).encode()).hexdigest()[:32]
