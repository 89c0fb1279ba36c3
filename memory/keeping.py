"""The verbs that look after a store."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import MemoryFault, RecordNotFound, ScopeError, StoreLocked
from .finder import Query
from .forget import Plan, Receipt, carry_out, drop_empty_owner, drop_recalls, plan, shows
from .indexer import next_generation
from .inspection import (
    Report,
    Stats,
    check_index,
    check_journal,
    places_of,
    read_stats,
    sample_rows,
)
from .listing import select_where
from .migration import embed_again
from .records import Kind, Scope
from .rows import Draft, check_texts, draft, fetch_records, to_us, unit_rows
from .search import Filters, FusionWeights
from .shelf import read_vectors
from .store import Store, Values, checked
from .transfer import Imported, Line, read_head, read_lines, restore, unpacked, write_export
from .writing import owner_of, rows_in_scope

if TYPE_CHECKING:
    from .embed import Embedder


class KeepVerbs(Store):
    """forget, verify, reindex, stats, export, import_."""

    def forget(
        self,
        ids: Sequence[str] = (),
        *,
        scope: Scope,
        where: Values | None = None,
        everything: bool = False,
        dry_run: bool = False,
    ) -> Receipt:
        """Remove records for good, with what was derived from them alone.

        Name them by ``ids``, by ``where`` (payload fields), or take ``everything`` of the scope.
        Their text, versions, vectors and mentions in the log of recalls leave every file of the
        store; `verify` with ``absent`` proves it. ``dry_run`` changes nothing and says what would
        go. Raises RecordNotFound, or StoreLocked while another process owns the vector index.
        """
        if not (ids or where or everything):
            raise MemoryFault("forget what? Give ids, where, or everything=True")
        checked(scope)
        with self._journal.reading() as connection:
            owner, todo = self._plan(connection, ids, scope, where, everything)
        if dry_run or owner is None:
            return Receipt(
                tuple(todo.asked), tuple(todo.derived), tuple(todo.kept), dry_run=dry_run
            )
        self._index_is_ours()
        with self._journal.writing() as connection:
            owner, todo = self._plan(connection, ids, scope, where, everything)
            if owner is None:
                return Receipt(())
            receipt = carry_out(connection, owner, todo, to_us(self._clock()))
            if everything:
                drop_recalls(connection, owner, scope)
            drop_empty_owner(connection, owner)
        self._finder.shelves.clear()
        if self._indexer is not None:
            self._indexer.begin_again()
        self._clean(receipt)
        return replace(receipt, traces=())

    def verify(self, absent: str | None = None, *, sample: int = 20) -> Report:
        """Check that the store is whole: every page, law, and count, and the index beside it.

        ``sample`` records must find themselves. With ``absent``, every file and table is searched
        for that text too. Changes nothing.
        """
        with self._journal.reading() as connection:
            checked_, problems = check_journal(connection)
            problems += self._strangers(connection, sample)
            if self._indexer is not None:
                problems += check_index(connection, self._indexer, sample)
        found = None
        if absent is not None:
            if not absent:
                raise MemoryFault("which text should be absent? It is empty")
            self._journal.checkpoint()
            with self._journal.reading() as connection:
                found = tuple(places_of(absent, connection, self.address.folder))
        return Report(checked_, tuple(problems), found)

    def stats(self) -> Stats:
        """What the store holds."""
        with self._journal.reading() as connection:
            return read_stats(connection, self.address.folder)

    def reindex(self, embedder: Embedder | str | None = None) -> int:
        """Build the vector index anew from the journal, all kinds; how many vectors went in.

        With an ``embedder`` (or its name) every text is embedded again first and the store belongs
        to that embedder from then on. A store that has no index (``ephemeral:``) has none after.
        """
        if self._lock is None and self.address.folder is not None:
            raise StoreLocked(_NEEDS_OWNER)
        if embedder is not None:
            self._migrate(embedder)
        if self._indexer is None:
            return 0
        with self._journal.writing() as connection:
            next_generation(connection)
        self._indexer.begin_again()
        self._indexer.catch_up(everything=True)
        return sum(self.stats().indexed.values())

    def export(self, path: str | Path, *, scope: Scope) -> int:
        """Write a scope's records, vectors, history and use counts as JSON lines; how many.

        The format is described in docs/memory.md. The file appears whole or not at all.
        """
        filters = _everything_of(checked(scope))
        with self._journal.reading() as connection:
            return write_export(connection, filters, Path(path))

    def import_(self, path: str | Path, *, scope: Scope) -> Imported:
        """Take in an export, in one transaction; importing twice changes nothing.

        Records keep their ids, times, agents and sessions. Their user must be the scope's, and
        ``scope`` must cover them. Vectors of another embedder are made anew.
        """
        source = Path(path)
        wanted, _ = read_head(source)
        keep = wanted == self.embedder.id
        entries = [line for _, line in read_lines(source)]
        for place, line in enumerate(entries):
            if not checked(scope).covers(line.record.scope):
                raise ScopeError(
                    f"line {place + 2} of {source} belongs to {line.record.scope.user!r}, not to "
                    f"the scope of {scope.user!r}"
                )
        if not entries:
            return Imported(0, 0)
        drafts = [d for batch in _batches(entries, 1000) for d in self._restored(batch, keep)]
        with self._journal.writing() as connection:
            self._binding.bind(connection)
            pairs = list(zip(drafts, entries, strict=True))
            return restore(connection, pairs, keep_vectors=keep, at=self._clock())

    # -- parts -----------------------------------------------------------------------------------

    def _plan(
        self,
        connection: sqlite3.Connection,
        ids: Sequence[str],
        scope: Scope,
        where: Values | None,
        everything: bool,
    ) -> tuple[int | None, Plan]:
        owner = owner_of(connection, scope.user)
        asked: dict[str, int] = {}
        if owner is not None:
            asked = rows_in_scope(connection, owner, scope, list(dict.fromkeys(ids)))
        missing = [one for one in ids if one not in asked]
        if missing:
            raise RecordNotFound(f"no record {missing[0]!r} in the scope of {scope.user!r}")
        if owner is None:
            return None, Plan({}, {}, {})
        if where or everything:
            condition, values = select_where(_everything_of(scope, where), owner)
            asked.update(
                connection.execute(f"SELECT r.id, r.row FROM records r WHERE {condition}", values)
            )
        return owner, plan(connection, owner, asked)

    def _index_is_ours(self) -> None:
        folder = self.address.folder
        if self._indexer is not None or folder is None:
            return
        if self.address.server or any(folder.glob("index-*[0-9]")):
            raise StoreLocked(_NEEDS_OWNER)

    def _clean(self, receipt: Receipt) -> None:
        """Make sure that no page or log keeps what was deleted."""
        path = self._journal.path
        if path is None:
            return
        deadline = time.monotonic() + 30
        while not self._journal.checkpoint() and time.monotonic() < deadline:
            time.sleep(0.05)
        if len(receipt.traces) > 60 or shows(path, receipt.traces):
            self._journal.vacuum()

    def _migrate(self, embedder: Embedder | str) -> None:
        name = embedder if isinstance(embedder, str) else ""
        if isinstance(embedder, str):
            from .embed import open_embedder

            embedder = open_embedder(embedder)
        embed_again(self._journal, embedder, name)
        self._binding.rebind(embedder, name)
        self._finder.shelves.clear()

    def _strangers(self, connection: sqlite3.Connection, sample: int) -> list[str]:
        """Records that a search for their own vector does not find."""
        lost: list[str] = []
        written = self._binding.written()
        rows = sample_rows(connection, sample)
        for row, record in fetch_records(connection, rows).items() if written else ():
            assert written is not None
            vector = read_vectors(connection, [row], written.dim)[0]
            filters = Filters(record.scope, (record.kind,))
            weights = FusionWeights(dense=1.0, lexical=1e-9)
            hits = self._finder.search(
                Query(record.text, vector, filters, 50, weights), written.dim
            )
            alike = [hit for hit in hits if hit.dense is not None and hit.dense > 0.999]
            if record.id not in {hit.record.id for hit in hits} and len(alike) < 50:
                lost.append(f"journal: record {record.id!r} is not found by its own vector")
        return lost

    def _restored(self, lines: Sequence[Line], keep: bool) -> list[Draft]:
        records = [line.record for line in lines]
        check_texts(records)
        if keep:
            given = [unpacked(line.vector).tolist() for line in lines]
        else:
            given = self.embedder.embed([record.text for record in records])
        matrix = unit_rows(given, len(records), self.embedder.dim)
        return [draft(record, matrix[i], i) for i, record in enumerate(records)]


_NEEDS_OWNER = (
    "this store was opened with shared=True and has a vector index, which only its owner may "
    "change: do this where the store is open without shared, or close it there first"
)


def _everything_of(scope: Scope, where: Values | None = None) -> Filters:
    return Filters.of(
        scope, tuple(Kind), status=None, where=where, exclude=None, since=None, until=None
    )


def _batches(lines: Sequence[Line], size: int) -> Iterator[Sequence[Line]]:
    for start in range(0, len(lines), size):
        yield lines[start : start + size]
