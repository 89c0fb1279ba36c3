"""The verbs that read records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from ..errors import MemoryFault
from .finder import Query, read_heads
from .listing import list_records
from .records import Kind, Record, Scope, Status
from .rows import fetch_records, to_us
from .search import Filters, FusionWeights, Hit
from .store import Store, Values, checked
from .writing import Version, find, owner_of, read_history, rows_in_scope

Records = list[Record]
Hits = list[Hit]
Versions = list[Version]


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed in a scope since a reader last looked, of any status, in the order written.

    ``seq`` is where to look from the next time. ``era`` differs from the last time where records of
    the kind were forgotten: everything has to be read again.
    """

    records: list[Record]
    seq: int
    era: tuple[int, int]


class ReadVerbs(Store):
    """get, list, changes, search, history."""

    def get(self, id: str, *, scope: Scope) -> Record:
        """One record by id, whatever its status. Raises RecordNotFound."""
        with self._journal.reading() as connection:
            return find(connection, checked(scope), id)[2]

    def get_many(self, ids: Sequence[str], *, scope: Scope) -> Records:
        """Those of the records that this scope has, of any status, in the order of ``ids``."""
        with self._journal.reading() as connection:
            owner = owner_of(connection, checked(scope).user)
            rows = {} if owner is None else rows_in_scope(connection, owner, scope, list(ids))
            found = fetch_records(connection, rows.values())
        return [found[rows[one]] for one in ids if one in rows]

    def history(self, id: str, *, scope: Scope) -> Versions:
        """Every version of a record, oldest first; the last is the present one."""
        with self._journal.reading() as connection:
            _, row, record = find(connection, checked(scope), id)
            return read_history(connection, row, record)

    def list(
        self,
        *,
        scope: Scope,
        kind: Kind | None = None,
        status: Status | None = Status.ACTIVE,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
        after: str | None = None,
        where: Values | None = None,
    ) -> Records:
        """Records in the order they were written, from the one after the id ``after``.

        ``status`` None lists all. ``since`` and ``until`` bound the event time, inclusive.
        """
        filters = Filters.of(
            checked(scope),
            tuple(Kind) if kind is None else (kind,),
            status=status,
            where=where,
            exclude=None,
            since=since,
            until=until,
        )
        with self._journal.reading() as connection:
            return list_records(connection, filters, limit, after)

    def changes(self, *, scope: Scope, kind: Kind, after: int = -1) -> Changes:
        """The records of a kind written or changed after the change numbered ``after``.

        A reader that holds the records of a scope keeps up with every writer by it.
        """
        with self._journal.reading() as connection:
            owner = owner_of(connection, checked(scope).user)
            heads = [] if owner is None else read_heads(connection, owner, (kind,), empty=True)
            if owner is None or not heads:
                return Changes([], -1, (0, 0))
            (head,) = heads
            rows = [
                row
                for (row,) in connection.execute(
                    "SELECT row FROM records WHERE owner = ? AND kind = ? AND seq > ? ORDER BY row",
                    (owner, kind.value, after),
                )
            ]
            found = fetch_records(connection, rows)
        records = [found[row] for row in rows if scope.covers(found[row].scope)]
        return Changes(records, max(after, head.seq), (owner, head.purges))

    def search(
        self,
        query: str,
        *,
        scope: Scope,
        kinds: Sequence[Kind] = tuple(Kind),
        k: int = 10,
        where: Values | None = None,
        exclude: Values | None = None,
        status: Sequence[Status] | Status | None = (Status.ACTIVE,),
        since: datetime | None = None,
        until: datetime | None = None,
        as_of: datetime | None = None,
        weights: FusionWeights | None = None,
        held: Mapping[str, Record] | None = None,
    ) -> Hits:
        """The ``k`` records that fit ``query`` best, best first, by meaning and by words.

        ``where`` and ``exclude`` filter on payload fields (`schema.FACETS`), ``since`` and
        ``until`` on event time, inclusive. ``as_of`` answers as the store stood at that moment.
        An empty query or ``k=0`` finds nothing. ``held`` are records by id that the caller keeps
        up with by `changes`: they alone are found, and are not read again.
        """
        filters = Filters.of(
            checked(scope),
            kinds,
            status=status,
            where=where,
            exclude=exclude,
            since=since,
            until=until,
        )
        return self._search(query, filters, k, as_of, weights, held)[0]

    def _search(
        self,
        query: str,
        filters: Filters,
        k: int,
        as_of: datetime | None,
        weights: FusionWeights | None,
        held: Mapping[str, Record] | None = None,
    ) -> tuple[Hits, NDArray[np.float32] | None]:
        """The hits, and the query's vector (dim,) if it was embedded."""
        if k < 0:
            raise MemoryFault(f"k={k}: ask for 0 or more records")
        written = self._binding.written()
        if k == 0 or not query.strip() or written is None:
            return [], None
        weights = weights or FusionWeights()
        vector = None
        if weights.dense > 0:
            text = self._finder.embeddable(query, filters)
            embedder = self._binding.embedder(written)
            vector = np.asarray(embedder.embed_query(text), np.float32)
        as_of_us = None if as_of is None else to_us(as_of)
        asked = Query(query, vector, filters, k, weights, as_of_us, held)
        return self._finder.search(asked, written.dim), vector
