"""Grains: each session of dialogue once more as a whole, in keywords, and in a few sentences.

The rows are made of what was said by rule alone, name the utterances they were made from, and carry
a digest of them, by which a session that changed is told from one that did not. Nothing here runs
while somebody talks. MemGAS (arXiv 2505.19549) makes its coarser grains with a language model; so
can `agent.enrich`, over these.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .keywords import keywords, stems_of, summary
from .memory import Memory
from .records import (
    DerivedPayload,
    Kind,
    Origin,
    Record,
    Scope,
    Status,
    UtterancePayload,
)
from .when import date_words

MOST_CHARACTERS = 16_000
"""The longest text of a session row, about three times a long session of LoCoMo."""
MOST_DAYS = 7
"""So many of the days of a session are named in its text."""

COARSE = (Kind.KEYWORDS, Kind.SUMMARY, Kind.SESSION)
"""The kinds of row, in the order in which they are written: the session row ends a session."""

_MARK = "grains "

Watch = Callable[[int, int], None]
"""Told how many of how many are done."""


@dataclass(frozen=True, slots=True)
class Sitting:
    """A session as it stands: its utterances in order, and a digest of what they say."""

    scope: Scope
    turns: tuple[Record, ...]
    digest: str

    @property
    def session(self) -> str:
        """Its name."""
        return self.scope.session or ""

    @property
    def lines(self) -> list[str]:
        """Who said what, a line each."""
        return [f"{_said(turn).speaker}: {turn.text}" for turn in self.turns]


class Grains:
    """The coarser rows of one scope's dialogue."""

    def __init__(self, memory: Memory, scope: Scope) -> None:
        self.memory = memory
        self.scope = scope

    def derive(self, progress: Watch | None = None) -> int:
        """Make the rows of every session that is new or has changed; how many sessions those were.

        Rows of what a session was before are superseded, and so are those of a session of which
        nothing is left. Doing it again changes nothing; stopped in between, it goes on where it
        was. Utterances without a session are passed over.
        """
        found = sittings(self.memory, self.scope)
        known = self._known()
        due = [one for one in found if not _settled(one, known.get(_key(one.scope), []))]
        words = _Words.of(found if due else [])
        for place, sitting in enumerate(due, 1):
            self._settle(sitting, words, known.get(_key(sitting.scope), []))
            if progress is not None:
                progress(place, len(due))
        left = {_key(one.scope) for one in found}
        for key in known.keys() - left:
            self._set_aside([row for row in known[key] if row.status is Status.ACTIVE])
        return len(due)

    # -- parts -----------------------------------------------------------------------------------

    def _known(self) -> dict[tuple[str | None, str | None], list[Record]]:
        """Every row of this sort, also what a model wrote, by agent and session."""
        known: dict[tuple[str | None, str | None], list[Record]] = {}
        for kind in COARSE:
            for row in everything(self.memory, self.scope, kind, status=None):
                if digest_of(row):
                    known.setdefault(_key(row.scope), []).append(row)
        return known

    def _settle(self, sitting: Sitting, words: _Words, known: Sequence[Record]) -> None:
        """Write the rows of a session, each in place of the one it had; the session row last."""
        by_id = {row.id: row for row in known}
        stale = [row for row in known if _stale(row, sitting)]
        fresh: list[Record] = []
        replaced: list[tuple[Record, Record]] = []
        for row in _rows(sitting, words):
            old = next((one for one in stale if _same_sort(one, row)), None)
            if row.id in by_id:
                continue
            if old is None:
                fresh.append(row)
            else:
                replaced.append((old, row))
                stale.remove(old)
        self.memory.add(fresh)
        for old, row in replaced:
            self.memory.supersede(old.id, row)
        for row in known:
            if digest_of(row) == sitting.digest and row.status is Status.SUPERSEDED:
                self._mark(row, Status.ACTIVE, "said so again")
        self._set_aside(stale)

    def _set_aside(self, rows: Sequence[Record]) -> None:
        for row in rows:
            self._mark(row, Status.SUPERSEDED, "its session changed")

    def _mark(self, row: Record, status: Status, note: str) -> None:
        self.memory.update(row.id, scope=row.scope, status=status, note=note)


def sittings(memory: Memory, scope: Scope) -> list[Sitting]:
    """The sessions of a scope, each with what was said in it, by the time of their first turns."""
    turns: dict[tuple[str | None, str | None], list[Record]] = {}
    for record in everything(memory, scope, Kind.UTTERANCE):
        if record.scope.session is not None:
            turns.setdefault(_key(record.scope), []).append(record)
    found: list[Sitting] = []
    for told in turns.values():
        told.sort(key=lambda record: (_said(record).turn, record.id))
        found.append(Sitting(told[0].scope, tuple(told), _digest(told)))
    return sorted(found, key=lambda one: (one.turns[0].event_time, one.session))


def everything(
    memory: Memory, scope: Scope, kind: Kind, *, status: Status | None = Status.ACTIVE
) -> list[Record]:
    """Every record of a kind in a scope, as they were written; of any status if it is None."""
    found: list[Record] = []
    after: str | None = None
    while True:
        page = memory.list(scope=scope, kind=kind, status=status, limit=500, after=after)
        found += page
        if len(page) < 500:
            return found
        after = page[-1].id


def row_of(sitting: Sitting, kind: Kind, text: str, *, model: str | None = None) -> Record:
    """A row of a session, made by a model or (None) by rule.

    It is dated by the last turn and trusted as the least of them is.
    """
    return Record(
        id=row_id(sitting, kind, model=model),
        scope=sitting.scope,
        text=text,
        payload=DerivedPayload.model_validate({"kind": kind.value, "title": sitting.session}),
        origin=Origin(source="reflection", model=model, detail=_MARK + sitting.digest),
        event_time=max(turn.event_time for turn in sitting.turns),
        sources=tuple(turn.id for turn in sitting.turns),
        trust=min(turn.trust for turn in sitting.turns),
    )


def row_id(sitting: Sitting, kind: Kind, *, model: str | None = None) -> str:
    """The id that `row_of` gives; it tells, too, whether that row was made already."""
    agent, session = _key(sitting.scope)
    key = "\x1f".join((kind, agent or "", session or "", model or "", sitting.digest))
    return "g" + hashlib.sha256(key.encode()).hexdigest()[:31]


def digest_of(row: Record) -> str:
    """The digest of the session that a row was made from; empty for a row of another sort."""
    detail = row.origin.detail or ""
    return detail.removeprefix(_MARK) if detail.startswith(_MARK) else ""


@dataclass(frozen=True, slots=True)
class _Words:
    """How many of so many ``sessions`` hold each stem."""

    held: Counter[str]
    sessions: int

    @classmethod
    def of(cls, found: Sequence[Sitting]) -> _Words:
        held: Counter[str] = Counter()
        for sitting in found:
            held.update(_stems(sitting))
        return cls(held, len(found))

    def elsewhere(self, sitting: Sitting) -> dict[str, int]:
        """How many of the other sessions hold each stem of this one."""
        return {root: self.held[root] - 1 for root in _stems(sitting)}


def _rows(sitting: Sitting, words: _Words) -> list[Record]:
    """The rows of a session in the order of `COARSE`; none of keywords where no word tells."""
    texts = [turn.text for turn in sitting.turns]
    telling = keywords(texts, held=words.elsewhere(sitting), of=words.sessions - 1)
    written = {
        Kind.KEYWORDS: "; ".join(telling),
        Kind.SUMMARY: summary(texts),
        Kind.SESSION: session_text(sitting),
    }
    return [row_of(sitting, kind, written[kind]) for kind in COARSE if written[kind]]


def session_text(sitting: Sitting) -> str:
    """The days and the turns of a session, at most `MOST_CHARACTERS`; the longest turns are cut."""
    days = dict.fromkeys(date_words(turn.event_time) for turn in sitting.turns)
    head = " ".join(list(days)[:MOST_DAYS])
    lines = sitting.lines
    level = _level([len(line) + 1 for line in lines], MOST_CHARACTERS - len(head))
    cut = [line[: level - 1] for line in lines] if level > 0 else []
    return "\n".join([head, *cut])[:MOST_CHARACTERS]


def _level(lengths: Sequence[int], room: int) -> int:
    """The greatest length to which all can be cut so that they fit the room together."""
    left = room
    for place, length in enumerate(sorted(lengths)):
        share = left // (len(lengths) - place)
        if length > share:
            return share
        left -= length
    return max(lengths, default=0)


def _settled(sitting: Sitting, known: Sequence[Record]) -> bool:
    mine = [row for row in known if digest_of(row) == sitting.digest]
    ended = any(row.kind is Kind.SESSION for row in mine)
    whole = ended and all(row.status is not Status.SUPERSEDED for row in mine)
    return whole and not any(_stale(row, sitting) for row in known)


def _stale(row: Record, sitting: Sitting) -> bool:
    return row.status is Status.ACTIVE and digest_of(row) != sitting.digest


def _same_sort(old: Record, row: Record) -> bool:
    return old.kind is row.kind and old.origin.model == row.origin.model


def _digest(turns: Sequence[Record]) -> str:
    parts = [
        (turn.id, _said(turn).speaker, turn.text, turn.event_time.isoformat()) for turn in turns
    ]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:20]


def _stems(sitting: Sitting) -> set[str]:
    return set[str]().union(*(stems_of(turn.text) for turn in sitting.turns))


def _key(scope: Scope) -> tuple[str | None, str | None]:
    return scope.agent, scope.session


def _said(record: Record) -> UtterancePayload:
    assert isinstance(record.payload, UtterancePayload)
    return record.payload
