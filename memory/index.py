"""The vector index: one Chroma collection for each kind, rebuilt from the journal at any time.

It holds row numbers and vectors and nothing else: no text, no user. It is used for scopes too large
to be scored exactly. Chroma's own embedding functions are never used: it would download a model,
and forget which one it was.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol, TypeVar, cast
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

PAGE = 500
"""Rows a call; Chroma refuses more than 5,461, and a search waits for a call to end."""

_T = TypeVar("_T")


class _Collection(Protocol):
    """What is used of a Chroma collection."""

    @property
    def name(self) -> str: ...
    @property
    def metadata(self) -> Mapping[str, object] | None: ...
    def count(self) -> int: ...
    def upsert(self, ids: list[str], embeddings: NDArray[np.float32]) -> None: ...
    def query(
        self, *, query_embeddings: list[NDArray[np.float32]], n_results: int, include: list[str]
    ) -> Mapping[str, list[list[str]]]: ...


class _Client(Protocol):
    """What is used of a Chroma client."""

    def get_or_create_collection(
        self,
        name: str,
        *,
        embedding_function: None,
        metadata: dict[str, str | int],
        configuration: Mapping[str, Mapping[str, str]],
    ) -> _Collection: ...
    def list_collections(self) -> Sequence[_Collection]: ...
    def delete_collection(self, name: str) -> None: ...
    def close(self) -> None: ...


class IndexBroken(Exception):
    """The index cannot be used. Never leaves the package: it is set aside and rebuilt."""


def remove_folder(folder: Path) -> bool:
    """Delete a folder; False if something stays. Chroma's threads may still write into it a while:
    it is tried again for a second.
    """
    for pause in (0.0, 0.05, 0.2, 1.0):
        time.sleep(pause)
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return True
    return False


class VectorIndex:
    """The collections of one store and generation. A generation ends when something is forgotten.

    ``place`` is the folder of an embedded Chroma, or the URL of a Chroma server. Opened, and
    chromadb imported, at first use.
    """

    def __init__(
        self, place: Path | str, *, store: str, generation: int, embedder: str, dim: int
    ) -> None:
        self.place = place
        self.generation = generation
        self.dim = dim
        self._store = f"reverie-{store.lower()}-g"
        self._prefix = f"{self._store}{generation}-"
        self._metadata: dict[str, str | int] = {"store": store, "embedder": embedder, "dim": dim}
        self._client: _Client | None = None
        self._collections: dict[str, _Collection] = {}
        self._lock = threading.RLock()

    def count(self, kind: str) -> int:
        """How many vectors of a kind it holds."""
        return self._guarded(lambda: self._collection(kind).count())

    def upsert(self, kind: str, rows: Sequence[int], vectors: NDArray[np.float32]) -> None:
        """Put vectors (n, dim) under their rows; doing it twice is harmless."""
        for start in range(0, len(rows), PAGE):
            page = slice(start, start + PAGE)
            ids = [str(row) for row in rows[page]]
            self._guarded(
                lambda ids=ids, page=page: self._collection(kind).upsert(
                    ids=ids, embeddings=vectors[page]
                )
            )

    def nearest(self, kind: str, vector: NDArray[np.float32], count: int) -> list[int]:
        """About the ``count`` rows whose vectors lie nearest to ``vector`` (dim,)."""
        found = self._guarded(
            lambda: self._collection(kind).query(
                query_embeddings=[vector], n_results=count, include=[]
            )
        )
        return [int(row) for row in found["ids"][0]]

    def close(self) -> None:
        """Let the client go."""
        with self._lock:
            self._collections.clear()
            if self._client is not None:
                with suppress(Exception):
                    self._client.close()
                self._client = None

    def destroy(self) -> None:
        """Delete the folder of an embedded index."""
        self.close()
        if isinstance(self.place, Path):
            remove_folder(self.place)

    def destroy_others(self) -> None:
        """Delete the collections that other generations of this store left on a server."""
        if not isinstance(self.place, Path):
            self._guarded(self._destroy_others)

    def _destroy_others(self) -> None:
        client = self._opened()
        for collection in client.list_collections():
            if collection.name.startswith(self._store) and not collection.name.startswith(
                self._prefix
            ):
                client.delete_collection(collection.name)

    def _guarded(self, call: Callable[[], _T]) -> _T:
        """Call Chroma; IndexBroken if it fails twice (after a crash its first read may fail)."""
        failure: BaseException | None = None
        for _ in range(2):
            try:
                return call()
            except IndexBroken:
                raise
            except BaseException as error:  # Chroma's Rust side panics past Exception
                if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
                    raise
                failure = error
        raise IndexBroken(f"{type(failure).__name__}: {failure}") from failure

    def _collection(self, kind: str) -> _Collection:
        with self._lock:
            if kind not in self._collections:
                self._collections[kind] = self._checked(kind)
            return self._collections[kind]

    def _checked(self, kind: str) -> _Collection:
        collection = self._opened().get_or_create_collection(
            f"{self._prefix}{kind}",
            embedding_function=None,
            metadata=dict(self._metadata),
            configuration={"hnsw": {"space": "cosine"}},
        )
        for name, expected in self._metadata.items():
            actual = (collection.metadata or {}).get(name)
            if actual != expected:
                raise IndexBroken(f"its {name} is {actual!r}, the journal's {expected!r}")
        return collection

    def _opened(self) -> _Client:
        if self._client is None:
            import chromadb
            from chromadb.config import Settings

            settings = Settings(anonymized_telemetry=False)
            if isinstance(self.place, Path):
                client = chromadb.PersistentClient(str(self.place), settings=settings)
            else:
                parts = urlsplit(self.place)
                client = chromadb.HttpClient(
                    host=parts.hostname or "localhost",
                    port=parts.port or 8000,
                    ssl=parts.scheme == "https",
                    settings=settings,
                )
            self._client = cast(_Client, client)
        return self._client
