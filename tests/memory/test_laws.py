"""Laws that hold for any records, in any order; many writers at once; kill -9."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reverie.memory.memory import Memory
from reverie.memory.records import Origin, Record, Scope, UtterancePayload
from reverie.memory.search import FusionWeights

ROOT = Path(__file__).resolve().parents[2]
QUICK = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=60).filter(
    lambda text: bool(text.strip())
)
NAMES = st.sampled_from(["ann", "bob", "carol"])
SCOPES = st.builds(
    Scope,
    user=NAMES,
    agent=st.sampled_from([None, "cook", "maid"]),
    session=st.sampled_from([None, "monday", "friday"]),
)
BATCHES = st.lists(st.tuples(TEXTS, SCOPES), min_size=1, max_size=12)


def record(text: str, scope: Scope, id: str) -> Record:
    return Record(
        id=id,
        scope=scope,
        text=text,
        payload=UtterancePayload(speaker="x"),
        origin=Origin(source="user"),
    )


def written(memory: Memory, batch: list[tuple[str, Scope]]) -> list[Record]:
    records = [record(text, scope, f"r{i}") for i, (text, scope) in enumerate(batch)]
    memory.add(records)
    return records


@QUICK
@given(BATCHES)
def test_what_is_written_is_found(batch: list[tuple[str, Scope]]) -> None:
    with Memory.open(embedder="hashing:64") as memory:
        records = written(memory, batch)
        for one in records:
            hits = memory.search(one.text, scope=one.scope, k=len(records))
            assert one.id in {hit.record.id for hit in hits}
            best = max(hit.dense or 0.0 for hit in hits)
            (own,) = [hit for hit in hits if hit.record.id == one.id]
            assert own.dense == pytest.approx(best, abs=1e-4)


@QUICK
@given(BATCHES, SCOPES, TEXTS)
def test_no_scope_sees_another(batch: list[tuple[str, Scope]], asked: Scope, query: str) -> None:
    with Memory.open(embedder="hashing:64") as memory:
        records = written(memory, batch)
        expected = {one.id for one in records if asked.covers(one.scope)}
        hits = memory.search(query, scope=asked, k=100)
        assert {hit.record.id for hit in hits} == expected
        assert {one.id for one in memory.list(scope=asked)} == expected
        assert {hit.record.id for hit in memory.recall(query, scope=asked, k=100).hits} == expected


@QUICK
@given(BATCHES, TEXTS)
def test_scores_do_not_depend_on_what_other_users_wrote(
    batch: list[tuple[str, Scope]], query: str
) -> None:
    ann = Scope(user="ann")
    hers = [pair for pair in batch if pair[1].user == "ann"]
    with (
        Memory.open(embedder="hashing:64") as alone,
        Memory.open(embedder="hashing:64") as together,
    ):
        together.add([record(t, s, f"o{i}") for i, (t, s) in enumerate(batch) if s.user != "ann"])
        for memory in (alone, together):
            memory.add([record(t, s, f"r{i}") for i, (t, s) in enumerate(hers)])
        first, second = (
            [(hit.record.id, hit.score) for hit in memory.search(query, scope=ann, k=100)]
            for memory in (alone, together)
        )
        assert first == second


@QUICK
@given(BATCHES)
def test_adding_and_merging_twice_is_adding_and_merging_once(
    batch: list[tuple[str, Scope]],
) -> None:
    scope = Scope(user="ann")
    pairs = [(text, scope) for text, _ in batch]
    with Memory.open(embedder="hashing:64") as memory:
        records = written(memory, pairs)
        into = record("all of them", scope, "into")
        memory.add(records)
        memory.merge([one.id for one in records], into)
        once = memory.list(scope=scope, status=None, limit=1000)
        memory.merge([one.id for one in records], into)
        memory.add(records)
        assert memory.list(scope=scope, status=None, limit=1000) == once
        assert [one.id for one in memory.list(scope=scope)] == ["into"]
        assert len(memory.history(records[0].id, scope=scope)) == 2
        assert memory.verify().ok


@QUICK
@given(BATCHES)
def test_export_and_import_are_inverse(batch: list[tuple[str, Scope]]) -> None:
    with (
        tempfile.TemporaryDirectory() as scratch,
        Memory.open(embedder="hashing:64") as memory,
        Memory.open(embedder="hashing:64") as other,
    ):
        written(memory, batch)
        for user in ("ann", "bob", "carol"):
            scope, path = Scope(user=user), Path(scratch) / user
            memory.export(path, scope=scope)
            other.import_(path, scope=scope)
            assert other.list(scope=scope, status=None) == memory.list(scope=scope, status=None)


@QUICK
@given(BATCHES, st.data())
def test_forgetting_some_leaves_the_others_as_they_were(
    batch: list[tuple[str, Scope]], data: st.DataObject
) -> None:
    scope = Scope(user="ann")
    with Memory.open(embedder="hashing:64") as memory:
        records = written(memory, [(text, scope) for text, _ in batch])
        gone = data.draw(st.sets(st.sampled_from([one.id for one in records]), min_size=1))
        kept = [one for one in memory.list(scope=scope) if one.id not in gone]
        memory.search("anything", scope=scope)
        memory.forget(sorted(gone), scope=scope)
        assert memory.list(scope=scope) == kept
        hits = memory.search("anything", scope=scope, k=100)
        assert {hit.record.id for hit in hits} == {one.id for one in kept}
        assert memory.verify().ok


@QUICK
@given(st.lists(st.tuples(TEXTS, TEXTS, st.booleans()), min_size=1, max_size=10), TEXTS)
def test_a_store_that_lived_scores_like_one_just_opened(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, str, bool]], query: str
) -> None:
    scope = Scope(user="ann")
    folder = tmp_path_factory.mktemp("store")
    weights = FusionWeights()
    with Memory.open(folder, embedder="hashing:64") as memory:
        for i, (before, after, archived) in enumerate(changes):
            memory.add(record(before, scope, f"r{i}"))
            memory.search(query, scope=scope)
            memory.update(f"r{i}", scope=scope, text=after)
            if archived:
                memory.delete(f"r{i}", scope=scope)
        lived = [
            (h.record.id, h.score) for h in memory.search(query, scope=scope, k=99, weights=weights)
        ]
    with Memory.open(folder, embedder="hashing:64") as memory:
        opened = [
            (h.record.id, h.score) for h in memory.search(query, scope=scope, k=99, weights=weights)
        ]
    assert [name for name, _ in lived] == [name for name, _ in opened]
    assert [s for _, s in lived] == pytest.approx([s for _, s in opened], abs=2e-6)


WRITER = """
import sys, threading
from reverie.memory.memory import Memory
from reverie.memory.records import *
folder, name = sys.argv[1:]
scope = Scope(user="ann")
memory = Memory.open(folder, embedder="hashing:64", shared=True)
def write(thread):
    for i in range(4):
        memory.add([Record(id=f"{name}-{thread}-{i}-{j}", scope=scope,
            text=f"note p{name}t{thread}i{i}j{j} by p{name}t{thread}",
            payload=UtterancePayload(speaker="x"), origin=Origin(source="user")) for j in range(2)])
        memory.recall("note", scope=scope, k=1)
threads = [threading.Thread(target=write, args=(t,)) for t in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
memory.close()
"""


def test_four_processes_of_eight_threads_lose_nothing(folder: Path) -> None:
    scope = Scope(user="ann")
    with Memory.open(folder, embedder="hashing:64") as memory:
        memory.add(record("the first", scope, "first"))
        writers = [
            subprocess.Popen([sys.executable, "-c", WRITER, str(folder), str(n)]) for n in range(4)
        ]
        while any(writer.poll() is None for writer in writers):
            memory.search("note", scope=scope)
        assert [writer.returncode for writer in writers] == [0, 0, 0, 0]
        records = memory.list(scope=scope, limit=10_000)
        assert len(records) == 4 * 8 * 4 * 2 + 1
        for one in records[:: len(records) // 40]:
            assert memory.search(one.text, scope=scope, k=1)[0].record.text == one.text
        assert memory.stats().recalls == 4 * 8 * 4
        assert memory.verify().ok


def test_threads_read_while_others_write(folder: Path) -> None:
    scope = Scope(user="ann")
    failures: list[BaseException] = []
    with Memory.open(folder, embedder="hashing:64") as memory:

        def work(thread: int) -> None:
            try:
                for i in range(15):
                    name = f"{thread}-{i}"
                    memory.add(record(f"thread {thread} number {i}", scope, name))
                    found = memory.search(f"thread {thread} number {i}", scope=scope, k=200)
                    assert name in {hit.record.id for hit in found}
                    memory.update(name, scope=scope, text=f"changed {thread} at {i}")
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert len(memory.list(scope=scope, limit=1000)) == 120
        assert memory.verify().ok


def test_kill_9_at_random_points_loses_nothing_acknowledged() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "durability.py", "--kills", "6", "--seed", "1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
