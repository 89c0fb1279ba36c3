"""Between a record and its row in the journal: the checks on the way in, and the way back."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, TypeAdapter

from ..errors import InvalidRecord
from .records import Origin, Payload, Record, Scope, Status
from .schema import FACETS
from .terms import pack_terms

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PAYLOAD: TypeAdapter[Payload] = TypeAdapter(Payload)

COLUMNS = (
    "r.id, o.name, r.agent, r.session, r.status, r.text, r.payload, r.origin, r.event_us, "
    "r.ingest_us, r.sources, r.trust, r.counters, u.recalled, u.chosen, u.rewarded, u.reward_sum, "
    "r.row"
)
"""What `record_of` needs, from ``records r JOIN owners o LEFT JOIN utility u``."""

JOINED = "records r JOIN owners o ON o.owner = r.owner LEFT JOIN utility u ON u.row = r.row"


@dataclass(frozen=True, slots=True)
class Draft:
    """A record ready to be written: every check passed, every column computed."""

    record: Record
    payload: str
    origin: str
    digest: bytes
    terms: bytes
    length: int
    vector: bytes


def to_us(moment: datetime) -> int:
    """Microseconds since 1970; a moment without a time zone is read as UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - EPOCH) // _MICROSECOND


def from_us(microseconds: int) -> datetime:
    """The moment `to_us` came from, in UTC."""
    return EPOCH + timedelta(microseconds=microseconds)


def unit_rows(
    vectors: Sequence[Sequence[float]] | NDArray[np.float32], count: int, dim: int | None
) -> NDArray[np.float32]:
    """The vectors as float32 rows of length 1 (a zero row stays zero), shape (count, dim).

    Raises InvalidRecord, with the position, for a wrong dimension, NaN or infinity.
    """
    if len(vectors) != count:
        raise InvalidRecord(f"{count} records came with {len(vectors)} vectors: give one each")
    wrong = dim or (len(vectors[0]) if count else 0)
    for position, vector in enumerate(vectors if not isinstance(vectors, np.ndarray) else ()):
        if len(vector) != wrong:
            raise InvalidRecord(
                f"record {position} of the batch has a vector of {len(vector)} numbers, "
                f"this store keeps {wrong}",
                position,
            )
    matrix = np.asarray(vectors, dtype=np.float32).reshape(count, -1)
    if count and matrix.shape[1] != wrong:
        raise InvalidRecord(f"vectors have {matrix.shape[1]} numbers, this store keeps {wrong}")
    finite = np.isfinite(matrix).all(axis=1)
    if not finite.all():
        position = int(np.argmin(finite))
        raise InvalidRecord(
            f"record {position} of the batch has NaN or infinity in its vector", position
        )
    norms = np.linalg.norm(matrix.astype(np.float64), axis=1, keepdims=True)
    return (matrix / np.where(norms > 0, norms, 1.0)).astype(np.float32)


def check_texts(records: Sequence[Record]) -> None:
    """Raise InvalidRecord, with the position, for what cannot be stored or searched."""
    for position, record in enumerate(records):
        if not record.text.strip():
            raise InvalidRecord(
                f"record {position} of the batch ({record.id}) has no text: a memory without "
                "text cannot be found again",
                position,
            )
        try:
            record.text.encode()
            record.id.encode()
        except UnicodeEncodeError as error:
            raise InvalidRecord(
                f"record {position} of the batch holds a lone surrogate, which no UTF-8 file can "
                "keep: text.encode('utf-8', 'replace').decode() removes it",
                position,
            ) from error


def draft(record: Record, vector: NDArray[np.float32], position: int = 0) -> Draft:
    """Everything the journal keeps of a record. ``vector`` is a float32 unit row."""
    try:
        payload = record.payload.model_dump_json()
        origin = record.origin.model_dump_json()
        digest = _digest(record, payload, origin)
    except ValueError as error:
        raise InvalidRecord(
            f"record {position} of the batch ({record.id}) cannot be written: {error}", position
        ) from error
    terms, length = pack_terms(record.text)
    return Draft(record, payload, origin, digest, terms, length, vector.tobytes())


def _digest(record: Record, payload: str, origin: str) -> bytes:
    """What makes two adds of one id the same add: all but times, counters and status."""
    scope = record.scope
    names = repr([scope.agent, scope.session, *record.sources])
    parts = [names, record.text, payload, origin, repr(record.trust)]
    hashed = hashlib.sha256()
    for part in parts:
        data = part.encode()
        hashed.update(b"%d:" % len(data))
        hashed.update(data)
    return hashed.digest()[:16]


def facets_of(payload: str) -> list[tuple[str, str]]:
    """The (name, value) pairs of a payload that can be filtered on."""
    fields: dict[str, object] = json.loads(payload)
    found = [(name, fields[name]) for name in FACETS if name in fields]
    return [(name, value) for name, value in found if isinstance(value, str) and value]


def facets_in(payload: Payload) -> list[tuple[str, str]]:
    """`facets_of`, from the payload itself."""
    found = [(name, getattr(payload, name, None)) for name in _fields(type(payload))]
    return [(name, value) for name, value in found if isinstance(value, str) and value]


@lru_cache
def _fields(payload: type[BaseModel]) -> tuple[str, ...]:
    return tuple(name for name in FACETS if name in payload.model_fields)


def fetch_records(connection: sqlite3.Connection, rows: Iterable[int]) -> dict[int, Record]:
    """The records of these rows, by row; rows that are gone are left out."""
    wanted = list(rows)
    found: dict[int, Record] = {}
    for start in range(0, len(wanted), 500):
        page = wanted[start : start + 500]
        marks = ",".join("?" * len(page))
        for values in connection.execute(
            f"SELECT {COLUMNS} FROM {JOINED} WHERE r.row IN ({marks})", page
        ):
            found[int(values[17])] = record_of(values)
    return found


def ids_of(connection: sqlite3.Connection, rows: Sequence[int]) -> dict[int, str]:
    """The id of each of these rows; rows that are gone are left out."""
    found: dict[int, str] = {}
    for start in range(0, len(rows), 500):
        page = list(rows[start : start + 500])
        marks = ",".join("?" * len(page))
        found.update(
            connection.execute(f"SELECT row, id FROM records WHERE row IN ({marks})", page)
        )
    return found


def record_of(values: Sequence[object]) -> Record:
    """The record of a row selected with `COLUMNS`; use counts join its counters."""
    counters: dict[str, float] = {} if values[12] == "{}" else json.loads(str(values[12]))
    names = ("recalled", "chosen", "rewarded", "reward_sum")
    for name, value in zip(names, values[13:17], strict=True):
        if value:
            counters[name] = float(str(value))
    return Record.model_validate(
        {
            "id": values[0],
            "scope": _scope(*values[1:4]),
            "status": Status(str(values[4])),
            "text": values[5],
            "payload": _PAYLOAD.validate_json(str(values[6])),
            "origin": _origin(str(values[7])),
            "event_time": from_us(int(str(values[8]))),
            "ingest_time": from_us(int(str(values[9]))),
            "sources": () if values[10] == "[]" else tuple(json.loads(str(values[10]))),
            "trust": values[11],
            "counters": counters,
        }
    )


@lru_cache(maxsize=1024)
def _scope(user: object, agent: object, session: object) -> Scope:
    return Scope.model_validate({"user": user, "agent": agent, "session": session})


@lru_cache(maxsize=1024)
def _origin(text: str) -> Origin:
    return Origin.model_validate_json(text)
