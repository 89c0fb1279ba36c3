"""The verbs that recall, and learn what recalling led to."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from ..errors import MemoryFault, RecordNotFound
from .credit import Credit, credit, trial_of
from .reads import Hits, ReadVerbs
from .recollection import (
    Choice,
    RecallLog,
    Recollection,
    Utility,
    check_choice,
    log_recall,
    log_reward,
    read_offers,
    read_recall,
    read_recalls,
    read_utility,
)
from .records import Kind, Scope, Status, new_id
from .rows import to_us
from .search import Filters, FusionWeights, Hit
from .shelf import read_vectors
from .store import Values, checked
from .writing import ensure_owner, owner_of, rows_in_scope


@dataclass(frozen=True, slots=True)
class Shortlist:
    """What a recall found: candidates, best first, and the query's vector (dim,), if embedded."""

    query: str
    hits: Hits
    vector: NDArray[np.float32] | None


Chooser = Callable[[Shortlist], Choice]
"""Chooses among candidates."""

Logs = list[RecallLog]


class RecallVerbs(ReadVerbs):
    """recall, noted, reward, utility, credit, recalls."""

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
        without: Collection[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
        as_of: datetime | None = None,
        weights: FusionWeights | None = None,
    ) -> Recollection:
        """Search for a shortlist, let ``choose`` choose from it, and log both.

        Without ``choose`` the best ``k`` are taken. The ids in ``without`` are no candidates.
        ``context`` (task, step, run) is logged too.
        Give the reward it led to with `reward`.
        """
        filters = Filters.of(
            checked(scope),
            kinds,
            status=Status.ACTIVE,
            where=where,
            exclude=exclude,
            since=since,
            until=until,
        )
        size = max(shortlist, k if choose is None else 0)
        found, vector = self._search(query, filters, size + len(without), as_of, weights)
        candidates = [hit for hit in found if hit.record.id not in without][:size]
        if choose is not None:
            choice = choose(Shortlist(query, candidates, vector))
        else:
            choice = _most_similar(candidates, k)
        check_choice(choice, candidates)
        by_id = {hit.record.id: hit for hit in candidates}
        chosen = [by_id[one] for one in choice.chosen]
        recollection = Recollection(new_id(), query, chosen, candidates, choice, vector)
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

    def noted(
        self,
        query: str,
        choice: Choice,
        *,
        scope: Scope,
        offered: Sequence[str] = (),
        context: Mapping[str, str] | None = None,
        reward: float | None = None,
    ) -> str:
        """Log a choice that was made elsewhere, with the reward if it is known; the recall's id.

        ``offered`` are ids of candidates beside those chosen and dropped. Ids that this scope does
        not have are left out of the log.
        """
        if reward is not None:
            _check_reward(reward)
        named = dict.fromkeys((*choice.chosen, *choice.dropped, *offered))
        candidates = [Hit(record, 0.0) for record in self.get_many(list(named), scope=scope)]
        known = {hit.record.id: hit for hit in candidates}
        choice = replace(
            choice,
            chosen=tuple(one for one in choice.chosen if one in known),
            dropped=tuple(one for one in choice.dropped if one in known),
        )
        check_choice(choice, candidates)
        chosen = [known[one] for one in choice.chosen]
        recollection = Recollection(new_id(), query, chosen, candidates, choice)
        at_us = to_us(self._clock())
        with self._journal.writing(flush=False) as connection:
            log_recall(
                connection,
                owner=ensure_owner(connection, scope.user),
                scope=scope,
                recollection=recollection,
                context=context or {},
                at_us=at_us,
            )
            if reward is not None:
                log_reward(connection, recollection.id, reward, at_us)
        return recollection.id

    def reward(self, recall_id: str, value: float) -> None:
        """Say what a recall led to. A second reward for one recall replaces the first.

        Counts for every record that the recall chose. Raises RecordNotFound for an unknown recall.
        """
        _check_reward(value)
        with self._journal.writing(flush=False) as connection:
            log_reward(connection, recall_id, value, to_us(self._clock()))

    def utility(self, ids: Sequence[str], *, scope: Scope) -> dict[str, Utility]:
        """How each of these records has served; ids this scope does not have are left out."""
        with self._journal.reading() as connection:
            owner = owner_of(connection, checked(scope).user)
            if owner is None:
                return {}
            return read_utility(connection, rows_in_scope(connection, owner, scope, ids))

    def credit(self, ids: Sequence[str], *, scope: Scope) -> dict[str, Credit]:
        """What showing each of these records changed, by the recalls logged in this scope.

        Ids this scope does not have are left out. See `credit.Contrast`.
        """
        with self._journal.reading() as connection:
            owner = owner_of(connection, checked(scope).user)
            if owner is None:
                return {}
            rows = rows_in_scope(connection, owner, scope, ids)
            logs = read_offers(connection, owner, scope, list(rows.values()))
        return credit(rows, [trial_of(log) for log in logs])

    def logged(self, recall_id: str, *, scope: Scope) -> RecallLog:
        """One logged recall. Raises RecordNotFound."""
        with self._journal.reading() as connection:
            owner = owner_of(connection, checked(scope).user)
            if owner is None:
                raise RecordNotFound(f"no recall {recall_id!r} was logged in this scope")
            return read_recall(connection, owner, scope, recall_id)

    def vectors(self, ids: Sequence[str], *, scope: Scope) -> dict[str, NDArray[np.float32]]:
        """The vectors (dim,) of these records; ids this scope does not have are left out."""
        written = self._binding.written()
        with self._journal.reading() as connection:
            owner = owner_of(connection, checked(scope).user)
            if owner is None or written is None:
                return {}
            rows = rows_in_scope(connection, owner, scope, ids)
            matrix = read_vectors(connection, list(rows.values()), written.dim)
        return dict(zip(rows, matrix, strict=True))

    def keep_learned(self, name: str, data: bytes, *, scope: Scope) -> None:
        """Keep what a policy or trigger has learnt under a name; the newest of a name counts.

        Forgetting anything of the user forgets it, for it may have been learnt from that.
        """
        with self._journal.writing(flush=False) as connection:
            owner = ensure_owner(connection, checked(scope).user)
            connection.execute(
                "INSERT OR REPLACE INTO learned VALUES (?, ?, ?, ?, ?)",
                (owner, scope.agent or "", name, data, to_us(self._clock())),
            )

    def learned(self, name: str, *, scope: Scope) -> bytes | None:
        """What `keep_learned` kept under this name; None if nothing was, or it was forgotten."""
        with self._journal.reading() as connection:
            found = connection.execute(
                "SELECT data FROM learned WHERE owner = ? AND agent = ? AND name = ?",
                (owner_of(connection, checked(scope).user), scope.agent or "", name),
            ).fetchone()
        return None if found is None else found[0]

    def recalls(self, *, scope: Scope, limit: int = 100, after: str | None = None) -> Logs:
        """The recalls logged in this scope, oldest first, from the one after the id ``after``."""
        with self._journal.reading() as connection:
            owner = owner_of(connection, checked(scope).user)
            if owner is None:
                return []
            return read_recalls(connection, owner, scope, limit, after)


def _check_reward(value: float) -> None:
    if not math.isfinite(value):
        raise MemoryFault(f"a reward of {value} has no meaning: give a finite number")


def _most_similar(candidates: Hits, k: int) -> Choice:
    chosen = tuple(hit.record.id for hit in candidates[:k])
    return Choice(chosen, dict.fromkeys(chosen, 1.0), "similarity")
