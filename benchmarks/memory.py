"""The memory's costs beside raw Chroma's, on the same records and vectors, in one run.

    python benchmarks/memory.py [--quick] [--json] [--records N] [--embed] [--keep FOLDER]

Both stores get 100,000 records of 100 people with their vectors. Then writes, and after them
recalls, alternate between the two, so that whatever else the machine does slows both. The full run
adds growth from 10,000 to 1,000,000 records. ``vs_chroma`` is Reverie's figure over Chroma's for
times, and Chroma's time over Reverie's for ingest: how many times as fast.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import ParamSpec

import numpy as np
from rich.console import Console
from rich.progress import Progress, TaskID, TimeElapsedColumn

from reverie.benchmarks.chroma import RawChroma
from reverie.benchmarks.crowd import DIM, Batch, Crowd, Questions
from reverie.benchmarks.machine import print_json, print_table
from reverie.memory.memory import Memory
from reverie.memory.records import Kind, Scope

KINDS = (Kind.UTTERANCE,)
K = 10
SEED = 7
BATCH = 1_000
TARGETS = {
    "write_p95_vs_chroma": "at most 0.25",
    "ingest_vs_chroma": "at least 5",
    "scoped_recall_p95_vs_chroma_where": "at most 0.2",
    "recall_p95_vs_chroma": "at most 3",
    "growth_10k_to_1m": "under 10",
    "open_first_recall_s": "under 3",
}

Metrics = dict[str, float]
P = ParamSpec("P")


class Bench:
    """One run: its stores, its figures and its progress bar."""

    def __init__(self, folder: Path, records: int, calls: int, progress: Progress) -> None:
        self.folder = folder
        self.records = records
        self.calls = calls
        self.progress = progress
        self.crowd = Crowd(seed=SEED)
        self.questions = Questions(self.crowd, calls, seed=SEED)
        self.metrics: Metrics = {"records": float(records), "calls": float(calls)}
        self.written = 0

    def run(self, growth: Sequence[int]) -> Metrics:
        """Everything, in the order in which a store lives."""
        with Memory.open(self.folder / "reverie", embedder=self.questions) as memory:
            chroma = RawChroma(self.folder / "chroma")
            self.ingest(memory, chroma)
            self.write(memory, chroma)
            self.recall(memory, chroma)
        self.sizes()
        self.open_and_recall()
        if growth:
            self.grow(growth)
        return self.metrics

    def ingest(self, memory: Memory, chroma: RawChroma) -> None:
        """Both stores take the same batches, turn about."""
        ours = theirs = 0.0
        task = self.bar("ingest", self.records)
        for batch in self.crowd.batches(self.records, BATCH):
            ours += seconds(memory.add, batch.records, vectors=batch.vectors)
            theirs += seconds(chroma.add, batch)
            self.progress.advance(task, len(batch.records))
        self.written = self.records
        self.metrics |= {
            "ingest_per_s": self.records / ours,
            "chroma_ingest_per_s": self.records / theirs,
            "ingest_vs_chroma": theirs / ours,
        }

    def write(self, memory: Memory, chroma: RawChroma) -> None:
        """Single records, each on the disk when its call returns."""
        ours: list[float] = []
        theirs: list[float] = []
        for _ in self.steps("write one", self.calls):
            batch = self.next_batch(1)
            ours.append(seconds(memory.add, batch.records[0], vectors=batch.vectors))
            theirs.append(seconds(chroma.upsert, batch))
        self.put("write", ours)
        self.put("chroma_upsert", theirs)
        self.metrics["write_p95_vs_chroma"] = p95(ours) / p95(theirs)

    def recall(self, memory: Memory, chroma: RawChroma) -> None:
        """Hybrid search of one person's memories; Chroma with the same filter, and with none."""
        first: list[float] = []
        for person in self.steps("first recall of each person", self.crowd.people):
            first.append(seconds(self.search, memory, person, person))
        for number in range(20):
            self.nearest(chroma, number, filtered=True)
            self.nearest(chroma, number, filtered=False)
        ours: list[float] = []
        logged: list[float] = []
        where: list[float] = []
        free: list[float] = []
        for number in self.steps("recall", self.calls):
            person = self.questions.people[number]
            ours.append(seconds(self.search, memory, number, person))
            where.append(seconds(self.nearest, chroma, number, filtered=True))
            free.append(seconds(self.nearest, chroma, number, filtered=False))
            logged.append(seconds(self.logged, memory, number, person))
        self.put("recall", ours)
        self.put("chroma_where", where)
        self.put("chroma_unfiltered", free)
        self.put("recall_logged", logged)
        self.put("recall_first_of_person", first)
        self.metrics |= {
            "scoped_recall_p95_vs_chroma_where": p95(ours) / p95(where),
            "recall_p95_vs_chroma": p95(ours) / p95(free),
            "logged_recall_p95_vs_chroma_where": p95(logged) / p95(where),
            "logged_recall_p95_vs_chroma": p95(logged) / p95(free),
        }

    def sizes(self) -> None:
        """Bytes on the disk and, in a process of its own that asks everybody, in memory."""
        for name in ("reverie", "chroma"):
            size = sum(f.stat().st_size for f in (self.folder / name).rglob("*") if f.is_file())
            self.metrics[f"{name}_disk_bytes_per_record"] = size / self.written
            grown = _output([sys.executable, __file__, "--probe", str(self.folder / name)])
            self.metrics[f"{name}_rss_bytes_per_record"] = float(grown) / self.written
        self.metrics["vector_bytes_per_record"] = 4.0 * DIM

    def open_and_recall(self) -> None:
        """A new process: import, open, embed a question with the default embedder, recall."""
        program = _OPEN.format(folder=str(self.folder / "reverie"), user=self.crowd.user(0))
        seen = [_output([sys.executable, "-c", program]).split() for _ in self.steps("open", 3)]
        self.metrics["open_first_recall_s"] = float(np.median([float(wall) for wall, _ in seen]))
        self.metrics["open_first_recall_cpu_s"] = float(np.median([float(cpu) for _, cpu in seen]))

    def grow(self, totals: Sequence[int]) -> None:
        """Recall and write at each total, in stores of their own with as many people."""
        for total in totals:
            self.grow_to(total)
        low, high = totals[0], totals[-1]
        name = f"growth_{_short(low)}_to_{_short(high)}"
        for key, figure in (
            (name, "recall_{}_p95_ms"),
            (f"{name}_in_cpu_time", "recall_{}_cpu_ms"),
            (f"write_{name}", "write_{}_p95_ms"),
        ):
            self.metrics[key] = self.metrics[figure.format(high)] / self.metrics[figure.format(low)]

    def grow_to(self, total: int) -> None:
        """A store of ``total`` records: what a recall and a write cost in it."""
        folder = self.folder / f"grown-{total}"
        with Memory.open(folder, embedder=self.questions) as memory:
            task = self.bar(f"grow to {total:,}", total)
            for batch in self.crowd.batches(total, BATCH):
                memory.add(batch.records, vectors=batch.vectors)
                self.progress.advance(task, len(batch.records))
            for person in self.steps("first recall of each person", self.crowd.people):
                self.search(memory, person, person)
            used = time.process_time()
            times = [
                seconds(self.search, memory, number, self.questions.people[number])
                for number in self.steps(f"recall among {total:,}", self.calls)
            ]
            used = time.process_time() - used
            self.written = total
            writes: list[float] = []
            for _ in self.steps(f"write to {total:,}", self.calls):
                batch = self.next_batch(1)
                writes.append(seconds(memory.add, batch.records[0], vectors=batch.vectors))
        self.put(f"recall_{total}", times)
        self.put(f"write_{total}", writes)
        self.metrics[f"recall_{total}_cpu_ms"] = 1000 * used / self.calls
        shutil.rmtree(folder)

    def search(self, memory: Memory, question: int, person: int) -> list[str]:
        """One hybrid search of a person's memories."""
        scope = Scope(user=self.crowd.user(person))
        text = self.questions.texts[question % self.calls]
        return [hit.record.id for hit in memory.search(text, scope=scope, kinds=KINDS, k=K)]

    def logged(self, memory: Memory, question: int, person: int) -> None:
        """One recall: a search whose candidates and choice are written down."""
        scope = Scope(user=self.crowd.user(person))
        memory.recall(self.questions.texts[question], scope=scope, kinds=KINDS, k=K)

    def nearest(self, chroma: RawChroma, question: int, *, filtered: bool) -> list[str]:
        """One query of Chroma, of the question's person or of all."""
        user = self.crowd.user(self.questions.people[question]) if filtered else None
        return chroma.query(self.questions.vectors[question], K, user)

    def next_batch(self, count: int) -> Batch:
        """Memories that were not written yet."""
        batch = self.crowd.batch(self.written, count)
        self.written += count
        return batch

    def put(self, name: str, times: list[float]) -> None:
        """Median and 95th percentile, in milliseconds."""
        self.metrics[f"{name}_p50_ms"] = 1000 * float(np.median(times))
        self.metrics[f"{name}_p95_ms"] = 1000 * p95(times)

    def bar(self, label: str, total: int) -> TaskID:
        """A new progress bar."""
        return self.progress.add_task(label, total=total)

    def steps(self, label: str, count: int) -> Iterable[int]:
        """0 to ``count``, on a progress bar."""
        return self.progress.track(range(count), description=label)


def with_embedding(folder: Path, progress: Progress, count: int) -> Metrics:
    """Writes and recalls with texts that the default embedder must first turn into vectors."""
    crowd = Crowd(seed=SEED)
    texts = [text for batch in crowd.batches(3 * count, BATCH) for text in batch.texts]
    metrics: Metrics = {}
    with Memory.open(folder / "embedded") as memory:
        batch = crowd.batch(0, count)
        metrics["ingest_with_embedding_per_s"] = count / seconds(memory.add, batch.records)
        writes = [
            seconds(memory.add, crowd.batch(count + number, 1).records)
            for number in progress.track(range(count), description="write with embedding")
        ]
        recalls = [
            seconds(memory.search, texts[number], scope=Scope(user=crowd.user(number % 100)))
            for number in progress.track(range(count), description="recall with embedding")
        ]
    for name, times in (("write", writes), ("recall", recalls)):
        metrics[f"{name}_with_embedding_p50_ms"] = 1000 * float(np.median(times))
        metrics[f"{name}_with_embedding_p95_ms"] = 1000 * p95(times)
    return metrics


def probe(folder: Path) -> None:
    """Runs in a process of its own: the memory that a store takes once everybody was asked."""
    crowd = Crowd(seed=SEED)
    questions = Questions(crowd, crowd.people, seed=SEED)
    before = _resident_bytes()
    if folder.name == "chroma":
        chroma = RawChroma(folder)
        for person in range(crowd.people):
            chroma.query(questions.vectors[person], K, crowd.user(person))
        print(_resident_bytes() - before)
    else:
        with Memory.open(folder, embedder=questions) as memory:
            for person in range(crowd.people):
                memory.search(questions.texts[person], scope=Scope(user=crowd.user(person)), k=K)
            print(_resident_bytes() - before)


_OPEN = """
import time
started = time.perf_counter()
from reverie.memory.memory import Memory
from reverie.memory.records import Scope
with Memory.open({folder!r}) as memory:
    assert memory.search("ba ce di fo gu", scope=Scope(user={user!r}))
print(time.perf_counter() - started, time.process_time())
"""


def _output(command: Sequence[str]) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.splitlines()[-1]


def _resident_bytes() -> float:
    """Memory that this process holds now; its peak where /proc does not say."""
    pages = Path("/proc/self/statm")
    if pages.exists():
        return float(pages.read_text().split()[1]) * resource.getpagesize()
    return 1024.0 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def seconds(call: Callable[P, object], *args: P.args, **options: P.kwargs) -> float:
    """How long a call took."""
    started = time.perf_counter()
    call(*args, **options)
    return time.perf_counter() - started


def p95(times: Sequence[float]) -> float:
    """The 95th percentile."""
    return float(np.percentile(np.asarray(times), 95))


def _short(count: int) -> str:
    return f"{count // 1_000_000}m" if count >= 1_000_000 else f"{count // 1_000}k"


def table_rows(metrics: Metrics) -> list[list[str]]:
    """Every figure, those that the design holds us to first, with their targets."""
    order = [*(key for key in TARGETS if key in metrics), *(k for k in metrics if k not in TARGETS)]
    return [[key, f"{metrics[key]:,.3f}", TARGETS.get(key, "")] for key in order]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print a table, or with ``--json`` one object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="under ten minutes: growth to 100k")
    parser.add_argument("--records", type=int, default=100_000, help="records in both stores")
    parser.add_argument("--calls", type=int, default=400, help="writes and recalls to time")
    parser.add_argument("--only-growth", action="store_true", help="leave out all but growth")
    parser.add_argument("--probe", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.probe:
        probe(options.probe)
        return
    calls = options.calls // 2 if options.quick else options.calls
    growth = (10_000, 100_000) if options.quick else (10_000, 1_000_000)
    columns = ["{task.description}", "{task.completed}/{task.total}"]
    with (
        tempfile.TemporaryDirectory(prefix="reverie-bench-") as folder,
        Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as progress,
    ):
        bench = Bench(Path(folder), options.records, calls, progress)
        if options.only_growth:
            bench.grow(growth)
        else:
            bench.run(growth)
            bench.metrics |= with_embedding(Path(folder), progress, calls // 2)
    if options.json:
        print_json("memory", bench.metrics)
    else:
        print_table(
            "Memory beside raw Chroma", ["figure", "value", "target"], table_rows(bench.metrics)
        )


if __name__ == "__main__":
    main()
