"""Intervals: when a fact ends, given what was said later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from .records import FactPayload, Record


def payload_of(record: Record) -> FactPayload:
    """The payload of a fact."""
    assert isinstance(record.payload, FactPayload)
    return record.payload


def said_at(record: Record) -> tuple[datetime, str]:
    """When a fact was said; facts of one moment stand in a fixed order."""
    return record.event_time, record.id


def closing(record: Record, later: Sequence[Record]) -> Record | None:
    """The first of the facts said later that leaves this one no longer true."""
    return next((one for one in later if _closes(one, record)), None)


def end_of(record: Record, closed_by: Record | None) -> datetime | None:
    """When a fact ends. One that says that something is over holds at no time itself."""
    if payload_of(record).ends:
        return payload_of(record).valid_from
    return closed_by.event_time if closed_by is not None else None


def plain(value: str) -> str:
    """A value without differences that nobody means."""
    words = value.casefold().replace("’", "'").split()
    return " ".join(words[1:] if len(words) > 1 and words[0] in ("the", "a", "an") else words)


def same_thing(one: str, other: str) -> bool:
    """True if two values are the same, or one is short for the other: "Golf" for "VW Golf"."""
    left, right = set(plain(one).split()), set(plain(other).split())
    return left == right or (bool(left) and bool(right) and (left <= right or right <= left))


def _closes(later: Record, earlier: Record) -> bool:
    new, old = payload_of(later), payload_of(earlier)
    kinds = {new.attribute, old.attribute}
    if len(kinds) > 1 and "pet" not in kinds:
        return False  # a cat doesn't take a dog's place
    if new.ends:
        return not new.value or same_thing(new.value, old.value)
    return not new.many and plain(new.value) != plain(old.value)
