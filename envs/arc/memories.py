"""The concept memories of a run, in step with what it has recorded.

A stream that learns is a folder and a ledger of the batches it has learnt from. Before each batch
the folder is copied to ``<stream>.before-<batch>``; when a batch is found begun but not in the
ledger, the folder is put back to that copy first. So what a killed run had half learnt is learnt
anew, and every batch exactly once, whatever a solver writes.

What memory gave for the puzzles of a batch that learns is kept beside it until the batch is
learnt: the lesson of a puzzle solved before a crash must say what it was solved with.
"""

from __future__ import annotations

import os
import pickle
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self, cast

from ...agent.puzzles import Aid, Lesson, Solver
from ...errors import SettingsError, StoreCorrupt, StoreLocked
from ...memory.concepts import ConceptMemory
from ...memory.embed import Embedder
from ...memory.memory import Memory
from ...memory.records import Scope
from ...tools.grids.puzzle import Puzzle
from ..folder import drop_torn_line, read_whole_lines, write_line
from ..snapshots import JOURNAL, copy_store
from .lines import LEARNED, Learned
from .solvers import learning_cost

LOCK_PATIENCE = 10.0
"""Seconds to wait for a killed predecessor to let go of a store."""


class Ledger:
    """``learned.jsonl``: the batches that each stream has learnt from."""

    def __init__(self, out: Path) -> None:
        file = out / LEARNED
        drop_torn_line(file, Learned)
        self._known = {(one.stream, one.batch): one for one in read_whole_lines(file, Learned)}
        self._fd = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def has(self, stream: str, batch: int) -> bool:
        """Whether a stream has learnt from a batch."""
        return (stream, batch) in self._known

    def entries(self) -> list[Learned]:
        """All that was learnt, in the order it was."""
        return list(self._known.values())

    def add(self, entry: Learned) -> None:
        """Record that a batch is learnt; it is on the disk when this returns."""
        write_line(self._fd, entry)
        self._known[entry.stream, entry.batch] = entry

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class Memories:
    """Opens the memories of a run folder, one embedder for all of them."""

    def __init__(self, out: Path, scope: Scope, embedder: Embedder) -> None:
        self.folder = out / "memory"
        self._scope = scope
        self._embedder = embedder
        self._open: dict[str, Memory] = {}

    def concepts(self, name: str) -> ConceptMemory:
        """The concepts in the folder ``name``."""
        if name not in self._open:
            self._open[name] = self._patiently(self.folder / name)
        return ConceptMemory(self._open[name], self._scope)

    def shut(self, name: str) -> None:
        """Close one memory."""
        memory = self._open.pop(name, None)
        if memory is not None:
            memory.close()

    def close(self) -> None:
        """Close all of them."""
        for name in list(self._open):
            self.shut(name)

    def copy(self, base: Path | None, name: str) -> None:
        """Make the memory ``name`` a copy of the one in ``base``, or an empty one."""
        self.shut(name)
        target = self.folder / name
        if base is not None:
            copy_store(base, target)
        else:
            shutil.rmtree(target, ignore_errors=True)
            self.folder.mkdir(parents=True, exist_ok=True)

    def keep(self, given: Path) -> Path:
        """A copy of a memory that the user gave, made once: later changes of it change no run."""
        kept = self.folder / "given"
        if not kept.exists():
            if not (given / JOURNAL).exists():
                raise SettingsError(f"--memory {given}: there is no memory in that folder")
            self.folder.mkdir(parents=True, exist_ok=True)
            copy_store(given, kept)
        return kept

    def tidy(self) -> None:
        """Drop what only a resume needs."""
        for pattern in ("*.before-*", "*.new"):
            for folder in self.folder.glob(pattern):
                shutil.rmtree(folder, ignore_errors=True)
        for file in self.folder.glob("*.aids-*"):
            file.unlink()

    def _patiently(self, folder: Path) -> Memory:
        deadline = time.monotonic() + LOCK_PATIENCE
        while True:
            try:
                return Memory.open(folder, embedder=self._embedder)
            except StoreLocked:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)


class Stream:
    """A memory that learns, batch by batch."""

    def __init__(self, memories: Memories, ledger: Ledger, name: str, base: Path | None) -> None:
        self.name = name
        self._memories = memories
        self._ledger = ledger
        self._base = base
        self._batch = -1
        self._aids: dict[str, Aid] = {}

    @property
    def folder(self) -> Path:
        """Where its memory lies."""
        return self._memories.folder / self.name

    def concepts(self) -> ConceptMemory:
        """The memory as it stands."""
        return self._memories.concepts(self.name)

    def learnt(self, batch: int) -> bool:
        """Whether a batch is in the ledger."""
        return self._ledger.has(self.name, batch)

    def begin(self, batch: int) -> ConceptMemory:
        """The memory as it is before a batch that is yet to be learnt."""
        if self._batch != batch:
            self._put_back(batch)
            self._batch = batch
            self._aids = _read_aids(self._aid_file(batch))
        return self._memories.concepts(self.name)

    def aid(self, batch: int, solver: Solver, puzzle: Puzzle) -> Aid:
        """What memory gives for a puzzle of a batch; the same when asked again after a crash."""
        concepts = self.begin(batch)
        if puzzle.id not in self._aids:
            found = solver.aid(puzzle, concepts)
            _append_aid(self._aid_file(batch), puzzle.id, found)
            self._aids[puzzle.id] = found
        return self._aids[puzzle.id]

    def learn(
        self, batch: int, solver: Solver, lessons: Sequence[Lesson]
    ) -> tuple[int, float | None]:
        """Learn from a batch and record it; the tokens and dollars it cost."""
        concepts = self.begin(batch)
        began = time.perf_counter()
        before, paid = learning_cost(solver)
        touched = solver.learn(lessons, concepts)
        tokens, price = learning_cost(solver)
        tokens -= before
        usd = None if price is None else price - (paid or 0.0)
        self._ledger.add(
            Learned(
                stream=self.name,
                batch=batch,
                puzzles=tuple(one.puzzle.id for one in lessons),
                records=tuple(touched),
                seconds=round(time.perf_counter() - began, 4),
                tokens=tokens,
                usd=usd,
            )
        )
        self._aid_file(batch).unlink(missing_ok=True)
        return tokens, usd

    def _put_back(self, batch: int) -> None:
        """Make the folder what it was before ``batch``, and keep a copy of that."""
        before = self._memories.folder / f"{self.name}.before-{batch}"
        if before.exists():
            self._memories.copy(before, self.name)
        elif batch == 0:
            self._memories.copy(self._base, self.name)
        elif not (self.folder / JOURNAL).exists():
            raise StoreCorrupt(
                f"{self.folder} is gone, and {batch} batches that it learnt are recorded: restore "
                "the folder, or run into another --out"
            )
        if not before.exists():
            self._memories.concepts(self.name)  # an empty one has a journal from here on
            copy_store(self.folder, before)
        for old in self._memories.folder.glob(f"{self.name}.before-*"):
            if old != before:
                shutil.rmtree(old, ignore_errors=True)

    def _aid_file(self, batch: int) -> Path:
        return self._memories.folder / f"{self.name}.aids-{batch}"


def _append_aid(file: Path, puzzle: str, aid: Aid) -> None:
    with file.open("ab") as handle:
        handle.write(pickle.dumps((puzzle, aid)))
        handle.flush()
        os.fsync(handle.fileno())


def _read_aids(file: Path) -> dict[str, Aid]:
    """The aids that were kept; one that a crash cut off is dropped with all behind it."""
    found: dict[str, Aid] = {}
    if not file.exists():
        return found
    with file.open("r+b") as handle:
        whole = 0
        while True:
            try:
                puzzle, aid = cast("tuple[str, Aid]", pickle.load(handle))
            except (EOFError, pickle.UnpicklingError):
                break
            found[puzzle] = aid
            whole = handle.tell()
        handle.truncate(whole)
    return found
