"""Case memory: episodes and steps that were lived, found again by what they resemble.

Memento's case bank at two levels. An episode-level case says what was tried for a goal and what it
earned, successes and failures alike; a step-level case says what was done in which state on the
way to a success. Retrieval has two stages: a shortlist by hybrid search, then the caller's choice.
Equal outcomes are one record that counts its episodes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

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


@dataclass(frozen=True, slots=True)
class Lived:
    """An episode to keep: its name, its case, and its steps (searched text, payload)."""

    episode: str
    case: CasePayload
    steps: Sequence[tuple[str, StepPayload]] = ()


Fate = Literal["new", "counted", "known"]


@dataclass(frozen=True, slots=True)
class Kept:
    """What keeping an episode did: the ids of its case and steps, and what became of the case.

    It is ``new``, or ``counted`` by the record of an equal outcome, or ``known`` from before.
    """

    ids: tuple[str, ...]
    case: Fate


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
        without: Collection[str] = (),
        context: Mapping[str, str] | None = None,
    ) -> Recollection:
        """Episodes whose goal resembles ``goal``; the choice among the shortlist is logged.

        The ids in ``without`` are no candidates.
        """
        return self.memory.recall(
            goal,
            scope=self.scope,
            kinds=(Kind.CASE,),
            choose=choose,
            shortlist=shortlist,
            exclude=exclude.facets(),
            without=without,
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
        (kept,) = self.keep([Lived(episode, case, steps)], origin=origin)
        return list(kept.ids)

    def keep(self, lived: Sequence[Lived], *, origin: Origin) -> list[Kept]:
        """`write` for many episodes at once; what became of each, in order.

        New records are written together, all or none.
        """
        fresh: dict[str, Record] = {}
        done: list[Kept] = []
        for one in lived:
            records = self._records(one, origin)
            fates: list[Fate] = [self._count(record, one.episode, fresh) for record in records]
            ids = tuple(dict.fromkeys(record.id for record in records))
            done.append(Kept(ids, fates[0]))
        if fresh:
            self.memory.add(list(fresh.values()))
        return done

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

    def _count(self, record: Record, episode: str, fresh: dict[str, Record]) -> Fate:
        """Put a new record among the ``fresh``, or count the episode where it is kept already."""
        waiting = fresh.get(record.id)
        kept = waiting or self._known(record.id)
        payload = (kept or record).payload
        assert isinstance(payload, CasePayload | StepPayload)
        if kept is not None and episode in payload.episodes:
            return "known"
        changes: dict[str, object] = {"episodes": (*payload.episodes, episode)}
        if isinstance(payload, CasePayload) and isinstance(record.payload, CasePayload):
            changes |= _longer_search(payload, record.payload)
        counted = payload.model_copy(update=changes)
        if kept is None or waiting is not None:
            fresh[record.id] = (waiting or record).model_copy(update={"payload": counted})
        else:
            self.memory.update(record.id, scope=self.scope, payload=counted)
        return "new" if kept is None else "counted"

    def _known(self, record_id: str) -> Record | None:
        try:
            return self.memory.get(record_id, scope=self.scope)
        except RecordNotFound:
            return None

    def _records(self, lived: Lived, origin: Origin) -> list[Record]:
        """The case of an episode, then its steps."""
        case = lived.case.model_copy(update={"episodes": ()})
        case_id = _digest(self.scope, case.task, case.outcome, *case.plan)
        records = [self._record(case_id, case.task, case, origin, sources=())]
        for text, step in lived.steps:
            step_id = _digest(self.scope, *step.state.values(), step.action, step.outcome)
            unnamed = step.model_copy(update={"episodes": ()})
            records.append(self._record(step_id, text, unnamed, origin, sources=(case_id,)))
        return records

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


def _longer_search(kept: CasePayload, new: CasePayload) -> dict[str, object]:
    """The turns of the episode that looked around more, and what its agent was told.

    A demonstration by one who knows where all lies teaches no search.
    """
    more = max(kept, new, key=lambda case: sum(turn.good for turn in case.lived))
    return {"lived": more.lived, "instructions": more.instructions}


def _digest(scope: Scope, *parts: str) -> str:
    """An id that equal content always gets: 32 hexadecimal digits."""
    owner = (scope.user, scope.agent or "", scope.session or "")
    return hashlib.sha256("\x1f".join((*owner, *parts)).encode()).hexdigest()[:32]
