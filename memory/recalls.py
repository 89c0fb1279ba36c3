"""The verbs that recall, and learn what recalling led to."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from ..errors import MemoryFault
from .reads import ReadVerbs
from .recollection import (
    Choice,
    RecallLog,
    Recollection,
    Utility,
    check_choice,
    log_recall,
    log_reward,
    read_recalls,
    read_utility,
)
from .records import Kind, Scope, new_id
from .rows import to_us
from .search import FusionWeights, Hit
from .store import Values, checked
from .writing import ensure_owner, owner_of, rows_in_scope

Chooser = Callable[[list[Hit]], Choice]
"""Chooses among candidates, best first."""

Logs = list[RecallLog]


class RecallVerbs(ReadVerbs):
    """recall, reward, utility, recalls."""

    def recall(
        self,
        query: str,
        *,
        scope: Scope,
        kinds: Sequence[Kind] = tuple(Kind),
        choose: Chooser | None = None,
        shortlist: int = 32,
        k: int = 4,
        context: Mapping[str, str] | None = None,
        where: Values | None = None,
        exclude: Values | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        as_of: datetime | None = None,
        weights: FusionWeights | None = None,
    ) -> Recollection:
        """Search for a shortlist, let ``choose`` choose from it, and log both.

        Without ``choose`` the best ``k`` are taken. ``context`` (task, step, run) is logged too.
        Give the reward it led to with `reward`.
        """
        candidates = self.search(
            query,
            scope=scope,
            kinds=kinds,
            k=max(shortlist, k if choose is None else 0),
            where=where,
            exclude=exclude,
            since=since,
            until=until,
            as_of=as_of,
            weights=weights,
        )
        choice = choose(candidates) if choose is not None else _most_similar(candidates, k)
        check_choice(choice, candidates)
        by_id = {hit.record.id: hit for hit in candidates}
        chosen = [by_id[one] for one in choice.chosen]
        recollection = Recollection(new_id(), query, chosen, candidates, choice)
        with self._journal.writing(flush=False) as connection:
            log_recall(
                connection,
                owner=ensure_owner(connection, scope.user),
                scope=scope,
                recollection=recollection,
                context=context or {},
                at_us=to_us(self._clock()),
            )
        return recollection

    def reward(self, recall_id: str, value: float) -> None:
        """Say what a recall led to. A second reward for one recall replaces the first.

        Counts for every record that the recall chose. Raises RecordNotFound for an unknown recall.
        """
        if not math.isfinite(value):
            raise MemoryFault(f"a reward of {value} has no meaning: give a finite number")
        with self._journal.writing(flush=False) as connection:
            log_reward(connection, recall_id, value, to_us(self._clock()))

    def utility(self, ids: Sequence[str], *, scope: Scope) -> dict[str, Utility]:
        """How each of these records has served; ids this scope does not have are left out."""
        with self._journal.reading() as connection:
            owner = owner_of(connection, checked(scope).user)
            if owner is None:
                return {}
            return read_utility(connection, rows_in_scope(connection, owner, scope, ids))

    def recalls(self, *, scope: Scope, limit: int = 100, after: str | None = None) -> Logs:
        """The recalls logged in this scope, oldest first, from the one after the id ``after``."""
        with self._journal.reading() as connection:
            owner = owner_of(connection, checked(scope).user)
            if owner is None:
                return []
            return read_recalls(connection, owner, scope, limit, after)


def _most_similar(candidates: Sequence[Hit], k: int) -> Choice:
    chosen = tuple(hit.record.id for hit in candidates[:k])
    return Choice(chosen, dict.fromkeys(chosen, 1.0), "similarity")
