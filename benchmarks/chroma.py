"""Raw Chroma, used as its documentation says: what the memory is measured against."""

from __future__ import annotations

from pathlib import Path

import chromadb
from chromadb.api.types import Metadata
from chromadb.config import Settings

from reverie.benchmarks.crowd import Batch, Vectors, speaker_of


class RawChroma:
    """One collection in a folder; cosine, own vectors, documents and metadata."""

    def __init__(self, folder: Path) -> None:
        self._client = chromadb.PersistentClient(
            str(folder), settings=Settings(anonymized_telemetry=False)
        )
        self._collection = self._client.get_or_create_collection(
            "memories", embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )

    def add(self, batch: Batch) -> None:
        """Add many at once."""
        self._collection.add(
            ids=batch.ids,
            embeddings=batch.vectors,
            documents=batch.texts,
            metadatas=_metadata(batch),
        )

    def upsert(self, batch: Batch) -> None:
        """Write some, new or not."""
        self._collection.upsert(
            ids=batch.ids,
            embeddings=batch.vectors,
            documents=batch.texts,
            metadatas=_metadata(batch),
        )

    def query(self, vector: Vectors, k: int, user: str | None) -> list[str]:
        """Ids of the nearest ``k``, of one person's or of all."""
        found = self._collection.query(
            query_embeddings=vector[None], n_results=k, where={"user": user} if user else None
        )
        return found["ids"][0]

    def count(self) -> int:
        """How many it has."""
        return self._collection.count()


def _metadata(batch: Batch) -> list[Metadata]:
    """What Chroma filters on: the person, the kind, the speaker and the time."""
    return [
        {
            "user": record.scope.user,
            "kind": record.kind.value,
            "speaker": speaker_of(record),
            "time": record.event_time.timestamp(),
        }
        for record in batch.records
    ]
