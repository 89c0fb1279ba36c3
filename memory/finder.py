"""Finding: which shelves a query needs, kept in step with the journal, scored and ordered."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .indexer import Indexer
from .journal import Journal
from .nearest import score_with_index
from .newest import newest_first
from .past import records_as_of, shelf_as_of
from .records import Kind, Record, Scope
from .rows import fetch_records, ids_of
from .search import Filters, Found, FusionWeights, Hit, best, dots, fuse, score_exactly
from .shelf import Head, Shelf, Shelves
from .speakers import Speakers
from .turn_search import NEAREST, TurnHit, TurnQuery, look, see
from .writing import owner_of


@dataclass(frozen=True, slots=True)
class Query:
    """A search, with its text embedded: ``vector`` has shape (dim,), None for lexical only.

    ``held`` are records by id that the caller has at hand: they alone are found, and not read.
    """

    text: str
    vector: NDArray[np.float32] | None
    filters: Filters
    k: int
    weights: FusionWeights
    as_of_us: int | None = None
    held: Mapping[str, Record] | None = None


class Finder:
    """Search over one journal. Safe to share between threads."""

    def __init__(
        self, journal: Journal, indexer: Indexer | None, *, cache_bytes: int, exact_limit: int
    ) -> None:
        self._journal = journal
        self._indexer = indexer
        self._exact_limit = exact_limit
        self.shelves = Shelves(cache_bytes)
        self._speakers = Speakers()

    def embeddable(self, text: str, filters: Filters) -> str:
        """What of a question is worth embedding: for utterances, not the names of all who speak."""
        if Kind.UTTERANCE not in filters.kinds:
            return text
        with self._journal.reading() as connection:
            owner = owner_of(connection, filters.scope.user)
            return text if owner is None else self._speakers.without(connection, owner, text)

    def named(self, text: str, scope: Scope) -> tuple[str, ...]:
        """Those who speak in most of the user's conversations and are named in ``text``."""
        with self._journal.reading() as connection:
            owner = owner_of(connection, scope.user)
            return () if owner is None else tuple(self._speakers.named(connection, owner, text))

    def turns(self, query: TurnQuery, dim: int, as_of_us: int | None) -> list[TurnHit]:
        """The turns worth a look for a question, best first, at least one of each good session."""
        with (
            self._indexer.undisturbed() if self._indexer else nullcontext(),
            self._journal.reading(snapshot=as_of_us is not None) as connection,
        ):
            owner = owner_of(connection, query.filters.scope.user)
            heads = [] if owner is None else read_heads(connection, owner, (Kind.UTTERANCE,))
            if not heads:
                return []
            (head,) = heads
            shelf = self._shelf(connection, head, dim, as_of_us)
            with shelf.lock:
                if as_of_us is None or head.changed_us <= as_of_us:
                    shelf.sync(connection, head)
                seen = see(shelf, connection, query, self._cosines(connection, shelf, query))
            rows: list[int] = seen.rows.tolist()
            if as_of_us is None:
                records = fetch_records(connection, rows)
            else:
                records = records_as_of(connection, rows, as_of_us)
        hits = look(seen, records, query)
        return newest_first(hits, seen.idfs) if query.newest else hits

    def _cosines(
        self, connection: sqlite3.Connection, shelf: Shelf, query: TurnQuery
    ) -> NDArray[np.float32]:
        """The cosine of each slot, shape (slots,); of a large shelf only of the candidates."""
        if query.vector is None:
            return np.full(shelf.size, np.nan, np.float32)
        if shelf.size <= self._exact_limit:
            return dots(shelf.load_vectors(connection), query.vector)
        asked = Query(query.content, query.vector, query.filters, NEAREST, FusionWeights())
        part = self._scored(connection, shelf, asked)
        cosines = np.full(shelf.size, np.nan, np.float32)
        cosines[shelf.slots_of(part.rows.tolist())] = part.dense
        return cosines

    def search(self, query: Query, dim: int) -> list[Hit]:
        """The ``k`` best hits, best first; equal scores are ordered by id."""
        with self._indexer.undisturbed() if self._indexer else nullcontext():
            return self._search(query, dim)

    def _search(self, query: Query, dim: int) -> list[Hit]:
        with self._journal.reading(snapshot=query.as_of_us is not None) as connection:
            found = self._found(connection, query, dim)
            if not found:
                return []
            rows = np.concatenate([part.rows for part in found])
            dense = np.concatenate([part.dense for part in found])
            lexical = np.concatenate([part.lexical for part in found])
            scores = np.round(fuse(dense, lexical, query.weights), 6)
            places = best(scores, query.k)
            picked: list[int] = rows[places].tolist()
            if query.as_of_us is not None:
                records = records_as_of(connection, picked, query.as_of_us)
            elif query.held is not None:
                names = ids_of(connection, picked)
                records = {row: query.held[one] for row, one in names.items() if one in query.held}
            else:
                records = fetch_records(connection, picked)
        hits = [
            Hit(
                records[row],
                round(float(scores[place]), 6),
                None if np.isnan(dense[place]) else round(float(dense[place]), 6),
                round(float(lexical[place]), 6),
            )
            for row, place in zip(picked, places.tolist(), strict=True)
            if row in records
        ]
        hits.sort(key=lambda hit: (-hit.score, hit.record.id))
        return hits[: query.k]

    def _found(self, connection: sqlite3.Connection, query: Query, dim: int) -> list[Found]:
        owner = owner_of(connection, query.filters.scope.user)
        if owner is None:
            return []
        found: list[Found] = []
        for head in read_heads(connection, owner, query.filters.kinds):
            shelf = self._shelf(connection, head, dim, query.as_of_us)
            with shelf.lock:
                if query.as_of_us is None or head.changed_us <= query.as_of_us:
                    shelf.sync(connection, head)
                part = self._scored(connection, shelf, query)
            if len(part.rows):
                found.append(part)
        return found

    def _scored(self, connection: sqlite3.Connection, shelf: Shelf, query: Query) -> Found:
        if self._indexer is not None and query.as_of_us is None:
            if shelf.size >= self._indexer.index_from:
                self._indexer.wake()
            if shelf.size > self._exact_limit and query.vector is not None:
                part = score_with_index(
                    shelf,
                    query.filters,
                    connection,
                    query.vector,
                    query.text,
                    self._indexer,
                    max(256, 8 * query.k),
                )
                if part is not None:
                    return part
        return score_exactly(shelf, query.filters, connection, query.vector, query.text)

    def _shelf(
        self, connection: sqlite3.Connection, head: Head, dim: int, as_of_us: int | None
    ) -> Shelf:
        if as_of_us is not None and head.changed_us > as_of_us:
            return shelf_as_of(connection, head.owner, head.kind, dim, as_of_us)
        return self.shelves.get(head.owner, head.kind, dim)


def read_heads(
    connection: sqlite3.Connection, owner: int, kinds: Sequence[Kind], *, empty: bool = False
) -> list[Head]:
    """How far the journal has come for each of these kinds that the user has any of.

    ``empty`` asks for those too of which nothing is left.
    """
    heads = {
        kind: Head(owner, kind, seq, count, changed_us, purges)
        for kind, seq, count, changed_us, purges in connection.execute(
            "SELECT kind, seq, count, changed_us, purges FROM heads WHERE owner = ?", (owner,)
        )
    }
    held = [heads[kind.value] for kind in kinds if kind.value in heads]
    return [head for head in held if head.count or empty]
