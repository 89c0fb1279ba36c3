"""Forgetting, checking, exporting, migrating; the vector index beside the journal."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from reverie.errors import (
    EmbedderMismatch,
    MemoryFault,
    RecordNotFound,
    ScopeError,
    StoreCorrupt,
    StoreLocked,
)
from reverie.memory.index import VectorIndex
from reverie.memory.memory import Memory
from reverie.memory.records import Origin, Record, Scope, Status, UtterancePayload

ANN = Scope(user="ann")
BOB = Scope(user="bob")
CANARY = "xylophone-4711 under the floor"


def said(text: str, id: str, *, scope: Scope = ANN, sources: tuple[str, ...] = ()) -> Record:
    return Record(
        id=id,
        scope=scope,
        text=text,
        payload=UtterancePayload(speaker=scope.user),
        origin=Origin(source="user"),
        sources=sources,
    )


def many(count: int) -> list[Record]:
    return [said(f"note {i} about thing{i} and thing{i // 7}", f"n{i}") for i in range(count)]


@pytest.fixture
def indexed(folder: Path) -> Iterator[Memory]:
    """A store whose vector index is in use from the first records on."""
    with Memory.open(folder, embedder="hashing:64", exact_limit=20) as memory:
        memory.add(many(300))
        assert memory.reindex() == 300
        yield memory


def texts(memory: Memory, query: str, scope: Scope = ANN) -> list[str]:
    return [hit.record.text for hit in memory.search(query, scope=scope, k=5)]


def test_forgetting_takes_what_was_derived_and_leaves_no_byte(memory: Memory) -> None:
    memory.add([said(CANARY, "secret"), said("coffee at nine", "plain")])
    memory.add(said(f"the summary: {CANARY}", "summary", sources=("secret",)))
    memory.add(said("of both", "both", sources=("secret", "plain")))
    memory.update("secret", scope=ANN, text=f"{CANARY}, again")
    memory.recall(CANARY, scope=ANN)
    assert memory.verify(absent=CANARY).found

    preview = memory.forget(["secret"], scope=ANN, dry_run=True)
    assert (preview.forgotten, preview.derived, preview.kept) == (
        ("secret",),
        ("summary",),
        ("both",),
    )
    assert memory.get("secret", scope=ANN)

    receipt = memory.forget(["secret"], scope=ANN)
    assert (receipt.derived, receipt.kept, receipt.recalls) == (("summary",), ("both",), 1)
    report = memory.verify(absent=CANARY)
    assert report.ok, report
    assert report.found == ()
    assert memory.get("both", scope=ANN).sources == ("plain",)
    assert set(texts(memory, "xylophone")) == {"coffee at nine", "of both"}
    (log,) = memory.recalls(scope=ANN)
    assert log.query == ""
    assert "secret" not in {candidate.id for candidate in log.candidates}


def test_forgetting_reaches_the_files_of_the_index(indexed: Memory, folder: Path) -> None:
    indexed.add(said(CANARY, "secret"))
    indexed.reindex()
    with sqlite3.connect(folder / "journal.db") as reader:
        vector = reader.execute("SELECT vector FROM vectors ORDER BY row DESC").fetchone()[0][-80:]
    reader.close()
    files = [path for path in folder.rglob("index-*/*") if path.is_file()]
    assert any(vector in path.read_bytes() for path in files)
    indexed.forget(["secret"], scope=ANN)
    assert indexed.verify(absent=CANARY).ok
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert not [str(path) for path in files if vector in path.read_bytes()]
    assert indexed.reindex() == 300
    assert indexed.verify().ok


def test_forgetting_a_user_leaves_not_even_the_name(memory: Memory) -> None:
    carol = Scope(user="carol-the-unforgettable")
    memory.add([said("a", "1", scope=carol), said("b", "2", scope=carol), said("c", "3")])
    memory.recall("a", scope=carol)
    assert len(memory.forget(scope=carol, everything=True).forgotten) == 2
    assert memory.verify(absent=carol.user).ok
    assert memory.list(scope=carol) == []
    assert len(memory.list(scope=ANN)) == 1


def test_forgetting_asks_what_and_stays_in_its_scope(memory: Memory) -> None:
    memory.add([said("hers", "1"), said("his", "1", scope=BOB)])
    with pytest.raises(MemoryFault, match="forget what"):
        memory.forget(scope=ANN)
    with pytest.raises(RecordNotFound):
        memory.forget(["2"], scope=ANN)
    assert memory.forget(where={"speaker": "ann"}, scope=ANN).forgotten == ("1",)
    assert memory.get("1", scope=BOB).text == "his"


def test_forgetting_the_old_of_a_pair_keeps_what_superseded_it(memory: Memory) -> None:
    memory.add(said("lives in Berlin", "old"))
    memory.supersede("old", said("lives in Madrid", "new"))
    memory.forget(["old"], scope=ANN)
    assert memory.get("new", scope=ANN).status is Status.ACTIVE


def test_large_scopes_are_found_through_the_index(indexed: Memory) -> None:
    for i in (0, 123, 299):
        assert texts(indexed, f"about thing{i} note {i}")[0].startswith(f"note {i} ")
    indexed.add(said("a fresh pelican", "late"))
    assert texts(indexed, "pelican")[0] == "a fresh pelican"
    indexed.update("n5", scope=ANN, text="an ostrich instead")
    assert texts(indexed, "ostrich")[0] == "an ostrich instead"
    indexed.delete("n5", scope=ANN)
    assert "an ostrich instead" not in texts(indexed, "ostrich")
    stats = indexed.stats()
    assert stats.indexed["utterance"] + stats.pending.get("utterance", 0) == 301
    assert indexed.verify().ok


def test_a_narrow_filter_on_a_large_scope_finds_all_that_pass(indexed: Memory) -> None:
    monday = Scope(user="ann", session="monday")
    indexed.add([said(f"lunch {i}", f"m{i}", scope=monday) for i in range(3)])
    assert sorted(texts(indexed, "note", monday)) == ["lunch 0", "lunch 1", "lunch 2"]


def test_the_index_is_taken_up_again_after_reopening(indexed: Memory, folder: Path) -> None:
    indexed.add(many(310))
    indexed.close()
    with Memory.open(folder, embedder="hashing:64", exact_limit=20) as memory:
        assert texts(memory, "about thing305 note 305")[0].startswith("note 305 ")
        assert memory.verify().ok


def test_the_index_catches_up_between_searches_and_never_waits_for_ever(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Memory.open(folder, embedder="hashing:64") as memory:
        memory.add(many(300))
        indexer = memory._indexer  # pyright: ignore[reportPrivateUsage]
        assert indexer is not None
        reached = threading.Event()
        upsert = VectorIndex.upsert

        def watched(self: VectorIndex, *rest: Any) -> None:
            reached.set()
            upsert(self, *rest)

        monkeypatch.setattr(VectorIndex, "upsert", watched)
        monkeypatch.setattr("reverie.memory.indexer.PATIENCE_S", 60.0)
        thread = threading.Thread(target=indexer.catch_up, kwargs={"everything": True})
        with indexer.undisturbed():
            thread.start()
            assert not reached.wait(0.3)
        thread.join()
        assert reached.is_set() and memory.stats().indexed == {"utterance": 300}
        monkeypatch.setattr("reverie.memory.indexer.PATIENCE_S", 0.01)
        memory.add(said("one more", "late"))
        with indexer.undisturbed():
            assert indexer.catch_up() == 1


@pytest.mark.parametrize("damage", ["garbage", "missing", "truncated"])
def test_a_damaged_index_is_rebuilt_from_the_journal(
    indexed: Memory, folder: Path, damage: str
) -> None:
    indexed.close()
    (index,) = folder.glob("index-*")
    if not index.is_dir():
        (index,) = [path for path in folder.glob("index-*") if path.is_dir()]
    if damage == "missing":
        shutil.rmtree(index)
    for path in index.rglob("*") if damage != "missing" else ():
        if path.is_file():
            data = path.read_bytes()
            path.write_bytes(
                os.urandom(len(data)) if damage == "garbage" else data[: len(data) // 3]
            )
    with Memory.open(folder, embedder="hashing:64", exact_limit=20) as memory:
        assert memory._indexer is not None  # pyright: ignore[reportPrivateUsage]
        memory._indexer.catch_up()  # pyright: ignore[reportPrivateUsage]
        assert texts(memory, "about thing250 note 250")[0].startswith("note 250 ")
        report = memory.verify()
        assert report.ok, report
        assert memory.stats().indexed == {"utterance": 300}


def test_a_second_process_is_told_who_has_the_store(folder: Path) -> None:
    with Memory.open(folder, embedder="hashing:64") as memory:
        memory.add(said("one", "1"))
        with pytest.raises(StoreLocked, match=f"process, in another Memory|process {os.getpid()}"):
            Memory.open(folder)
        with Memory.open(folder, embedder="hashing:64", shared=True) as beside:
            beside.add(said("two", "2"))
            assert {r.id for r in memory.list(scope=ANN)} == {"1", "2"}
            assert set(texts(memory, "two")) == {"one", "two"}
            memory.forget(["1"], scope=ANN)
            assert texts(beside, "one") == ["two"]
    Memory.open(folder, embedder="hashing:64").close()


def test_only_the_owner_of_the_index_forgets_what_is_in_it(indexed: Memory, folder: Path) -> None:
    with Memory.open(folder, shared=True) as beside:
        with pytest.raises(StoreLocked, match="only its owner may"):
            beside.forget(["n1"], scope=ANN)
        with pytest.raises(StoreLocked, match="only its owner may"):
            beside.reindex()
    assert indexed.get("n1", scope=ANN)


def test_another_embedder_is_refused_and_the_message_names_the_way(folder: Path) -> None:
    with Memory.open(folder, embedder="hashing:64") as memory:
        memory.add(said("one", "1"))
    with pytest.raises(EmbedderMismatch, match="reverie memory reindex --embedder"):
        Memory.open(folder, embedder="hashing:32")
    with Memory.open(folder) as memory:
        assert memory.embedder.dim == 64


def test_a_store_that_moved_meanwhile_is_not_searched_with_the_old_embedder(folder: Path) -> None:
    with Memory.open(folder, embedder="hashing:64") as memory:
        memory.add(said("one", "1"))
        with Memory.open(folder, shared=True) as beside:
            assert texts(beside, "one") == ["one"]
            memory.reindex("hashing:32")
            assert texts(memory, "one") == ["one"]
            with pytest.raises(EmbedderMismatch):
                beside.search("one", scope=ANN)
            with pytest.raises(EmbedderMismatch):
                beside.add(said("two", "2"))


def test_a_store_moves_to_another_embedder(indexed: Memory, folder: Path) -> None:
    indexed.update("n7", scope=ANN, text="seven changed")
    indexed.reindex("hashing:32")
    assert texts(indexed, "seven changed")[0] == "seven changed"
    report = indexed.verify()
    assert report.ok, report
    indexed.close()
    with Memory.open(folder) as memory:
        assert memory.embedder.dim == 32
        assert memory.stats().indexed == {"utterance": 300}
        moment = memory.history("n7", scope=ANN)[0].changed
        then = memory.search("note 7 about thing7", scope=ANN, as_of=moment)
        assert then[0].record.text.startswith("note 7 ")


def test_an_export_is_imported_the_same_and_only_once(memory: Memory, tmp_path: Path) -> None:
    agent = Scope(user="ann", agent="cook")
    memory.add([said("one", "1"), said("two", "2", scope=agent, sources=("1",)), said("b", "3")])
    memory.update("1", scope=ANN, text="one, better")
    memory.retract("3", "wrong", scope=ANN)
    recall = memory.recall("one", scope=ANN, k=1)
    memory.reward(recall.id, 0.5)
    assert memory.export(tmp_path / "ann.jsonl", scope=ANN) == 3
    with Memory.open("ephemeral:", embedder="hashing:64") as other:
        assert other.import_(tmp_path / "ann.jsonl", scope=ANN).written == 3
        assert other.import_(tmp_path / "ann.jsonl", scope=ANN).known == 3
        assert other.list(scope=ANN, status=None) == memory.list(scope=ANN, status=None)
        assert other.history("1", scope=ANN) == memory.history("1", scope=ANN)
        assert other.utility(["1", "2"], scope=ANN) == memory.utility(["1", "2"], scope=ANN)
        assert other.verify().ok
        with pytest.raises(ScopeError, match="belongs to 'ann'"):
            other.import_(tmp_path / "ann.jsonl", scope=BOB)


def test_an_export_of_another_embedder_is_embedded_anew(memory: Memory, tmp_path: Path) -> None:
    memory.add(said("one", "1"))
    memory.export(tmp_path / "x.jsonl", scope=ANN)
    with Memory.open("ephemeral:", embedder="hashing:32") as other:
        other.import_(tmp_path / "x.jsonl", scope=ANN)
        assert other.verify().ok


def test_what_is_no_export_is_refused(memory: Memory, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("hello\n")
    with pytest.raises(MemoryFault, match="no memory export"):
        memory.import_(tmp_path / "x", scope=ANN)


def test_a_truncated_journal_is_reported_and_never_opened_empty(folder: Path) -> None:
    with Memory.open(folder, embedder="hashing:64") as memory:
        memory.add(many(200))
    journal = folder / "journal.db"
    data = journal.read_bytes()
    journal.write_bytes(data[: len(data) - 5000])
    with pytest.raises(StoreCorrupt, match="cut short"):
        Memory.open(folder)


def test_a_damaged_page_is_reported(folder: Path) -> None:
    with Memory.open(folder, embedder="hashing:64") as memory:
        memory.add(many(400))
    journal = folder / "journal.db"
    data = bytearray(journal.read_bytes())
    data[3 * 8192 :] = b"\xff" * (len(data) - 3 * 8192)
    journal.write_bytes(data)
    with pytest.raises(StoreCorrupt, match="damaged"), Memory.open(folder) as memory:
        memory.list(scope=ANN, limit=1000)


def test_a_journal_of_a_later_version_is_refused(folder: Path) -> None:
    Memory.open(folder, embedder="hashing:64").close()
    connection = sqlite3.connect(folder / "journal.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreCorrupt, match="newer Reverie"):
        Memory.open(folder)


def test_a_full_disk_changes_nothing(folder: Path) -> None:
    from reverie.errors import StoreFull

    with Memory.open(folder, embedder="hashing:64") as memory:
        memory.add(many(50))
        journal = memory._journal  # pyright: ignore[reportPrivateUsage]
        with journal.writing() as connection:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
        writer = journal._writer  # pyright: ignore[reportPrivateUsage]
        writer.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(StoreFull, match="nothing was changed"):
            memory.add([said("x" * 50_000, f"big{i}") for i in range(20)])
        assert len(memory.list(scope=ANN, limit=100)) == 50
        assert memory.verify().ok
        writer.execute("PRAGMA max_page_count = 1000000")
        memory.add(said("fits again", "small"))
        assert texts(memory, "fits")[0] == "fits again"


def test_vectors_given_are_used_and_scaled_to_length_one(memory: Memory) -> None:
    vectors: NDArray[np.float32] = np.eye(2, 64, dtype=np.float32) * 5
    memory.add([said("a", "a"), said("b", "b")], vectors=vectors)
    assert memory.verify().ok
