"""Names that tell nothing: those of the people who speak in most of a user's conversations.

Every turn of a conversation begins with a speaker's name or greets one, and so does every question
about it. A sentence embedder then finds all turns near, whatever they say. Left out of the text
that is embedded (the words search keeps them), names cost nothing and hide nothing: on LoCoMo the
share of gold turns among the first ten rose by three points (benchmarks/RESULTS.md).
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from .records import Kind

ROLES = frozenset(("user", "assistant", "system", "tool"))
"""Speakers that are words as well: a question that has one of them need not name anybody."""

SHARE = 0.25
"""A speaker of at least this share of a user's utterances is one of a conversation's people."""


@dataclass(frozen=True)
class _Known:
    """The names, when the user had so many utterances and purges."""

    count: int
    purges: int
    names: tuple[str, ...]

    @cached_property
    def pattern(self) -> re.Pattern[str] | None:
        """What finds any of the names in a text."""
        return _either(self.names)


class Speakers:
    """The constant speakers of each user, read from the journal now and then."""

    def __init__(self) -> None:
        self._known: dict[int, _Known] = {}

    def without(self, connection: sqlite3.Connection, owner: int, query: str) -> str:
        """``query`` without the constant speakers' names; as it was if nothing else is in it."""
        known = self._of(connection, owner)
        pattern = known.pattern if known else None
        if pattern is None:
            return query
        rest = re.sub(r"\s+", " ", pattern.sub(" ", query)).strip()
        return rest if any(letter.isalnum() for letter in rest) else query

    def named(self, connection: sqlite3.Connection, owner: int, query: str) -> list[str]:
        """Those of the constant speakers that ``query`` names."""
        known = self._of(connection, owner)
        patterns = [(name, _either([name])) for name in (known.names if known else ())]
        return [name for name, pattern in patterns if pattern and pattern.search(query)]

    def _of(self, connection: sqlite3.Connection, owner: int) -> _Known | None:
        head = connection.execute(
            "SELECT count, purges FROM heads WHERE owner = ? AND kind = ?",
            (owner, Kind.UTTERANCE.value),
        ).fetchone()
        if head is None:
            return None
        count, purges = head
        known = self._known.get(owner)
        # Shares change slowly: counting again at every write would cost more than it tells.
        if known is None or purges != known.purges or not _near(count, known.count):
            known = _Known(count, purges, _names(connection, owner))
            self._known[owner] = known
        return known


def _near(count: int, before: int) -> bool:
    return before <= count <= before * 1.1


def _names(connection: sqlite3.Connection, owner: int) -> tuple[str, ...]:
    spoken = connection.execute(
        "SELECT value, COUNT(*) FROM facets WHERE owner = ? AND name = 'speaker' GROUP BY value",
        (owner,),
    ).fetchall()
    least = SHARE * sum(times for _, times in spoken)
    return tuple(
        str(name) for name, times in spoken if times >= least and name.lower() not in ROLES
    )


def _either(names: Sequence[str]) -> re.Pattern[str] | None:
    stripped = [name.strip() for name in names]
    words = sorted({word for name in stripped for word in [name, *name.split()] if len(word) > 1})
    if not words:
        return None
    longest_first = sorted(words, key=len, reverse=True)
    either = "|".join(re.escape(word) for word in longest_first)
    return re.compile(rf"(?<!\w)(?:{either})(?:['’]s)?(?!\w)", re.IGNORECASE)
