"""Dialogue memory: what was said, kept word for word, and found again turn by turn.

Every message is one record, written at once and readable at once; no language model is asked. All
else (facts, summaries, keywords) is derived from these records and names them as its sources, so
losing it loses nothing. What was recalled, and what a system or a tool says, is not taken in again.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Sequence, Set
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Literal

from pydantic import Field

from ..errors import RecordNotFound
from .evidence import Verdict, judge
from .facts import FactMemory
from .forget import Receipt
from .memory import Memory
from .packing import Packed, pack, without_blocks
from .records import Frozen, Kind, Origin, Record, Scope, Status, UtterancePayload, now
from .rows import to_us
from .store import Values
from .turn_features import TurnWeights
from .turn_search import TurnHit

Role = Literal["user", "assistant", "system", "tool"]

MOST_REPEATS = 16
"""So many repeats of one message in one session are noted; more change nothing."""


class Message(Frozen):
    """One thing said. ``at`` is when (by default now), ``turn`` its place in its session.

    Without ``turn`` messages are placed by time. ``speaker`` is by default the role.
    """

    text: str
    role: Role = "user"
    speaker: str = ""
    at: datetime | None = None
    turn: int | None = None


class Added(Frozen):
    """What became of some messages: ``ids`` of their records, in order, "" for one not taken in.

    ``skipped`` says why, by place.
    """

    ids: tuple[str, ...]
    skipped: dict[int, str] = Field(default_factory=dict[int, str])


class Recalled(Frozen):
    """The turns that may answer a question, best first, and what they are worth as evidence."""

    question: str
    hits: tuple[TurnHit, ...]
    verdict: Verdict

    def sessions(self) -> list[str]:
        """The sessions of the turns, each once, best first."""
        return list(dict.fromkeys(hit.record.scope.session or "" for hit in self.hits))

    def pack(self, count: Callable[[str], int], budget: int) -> Packed:
        """A block of at most ``budget`` tokens for a model to read; see `packing.pack`."""
        return pack([hit.record for hit in self.hits], count, budget)


class DialogueMemory:
    """The conversations of one scope (a user, or what one agent had with them)."""

    def __init__(
        self, memory: Memory, scope: Scope, *, clock: Callable[[], datetime] = now
    ) -> None:
        self.memory = memory
        self.scope = scope
        self._clock = clock

    def add(self, messages: Sequence[Message], *, session: str) -> Added:
        """Keep messages of one session; all of them, or none if one cannot be kept.

        Adding the same again changes nothing. What one person says again in the same words in one
        session is one record that counts. Not taken in: system and tool messages, empty ones, and
        blocks of recalled memory within a message.
        """
        scope = self.scope.model_copy(update={"session": session})
        fresh: dict[str, Record] = {}
        counted: list[tuple[str, int]] = []
        ids: list[str] = []
        skipped: dict[int, str] = {}
        start = self._clock()
        for place, message in enumerate(messages):
            text = without_blocks(message.text).strip()
            reason = _unwanted(message.role, text, message.text)
            if reason:
                skipped[place] = reason
                ids.append("")
                continue
            record = _record(scope, message, text, message.at or start, place)
            ids.append(record.id)
            kept = fresh.get(record.id) or self._known(record.id)
            if kept is None:
                fresh[record.id] = record
            elif _turn(kept) != _turn(record):
                counted.append((record.id, _turn(record)))
        self.memory.add(list(fresh.values()))
        for name, turn in counted:
            self._repeat(name, turn)
        return Added(ids=tuple(ids), skipped=skipped)

    def recall(
        self,
        question: str,
        *,
        k: int = 10,
        asked: datetime | None = None,
        as_of: datetime | None = None,
        session: str | None = None,
        newest: bool | None = None,
        weights: TurnWeights | None = None,
    ) -> Recalled:
        """The ``k`` turns that fit a question best, and whether they are evidence at all.

        ``asked`` is when the question is put (by default now, or ``as_of``); ``as_of`` answers from
        what had been said until then. Turns that say the same in the same words are shown once,
        the latest.
        """
        scope = self.scope.model_copy(update={"session": session or self.scope.session})
        hits = self.memory.turns(
            question,
            scope=scope,
            asked=asked or as_of or self._clock(),
            until=as_of,
            newest=newest,
            weights=weights,
        )
        return Recalled(
            question=question, hits=tuple(_once(hits)[:k]), verdict=judge(hits, weights)
        )

    def transcript(self, session: str) -> list[Record]:
        """Every message of a session in order, each once."""
        scope = self.scope.model_copy(update={"session": session})
        return sorted(self._all(scope), key=lambda record: (_turn(record), record.id))

    def latest(self, most: int) -> list[Record]:
        """The last messages by the time they were said, oldest first."""
        said = sorted(self._all(self.scope), key=lambda record: (record.event_time, _turn(record)))
        return said[-most:] if most > 0 else []

    def named(self, start: str) -> Record | None:
        """The message or fact whose id is, or alone begins with, ``start``; None if there is none.

        Fewer than six characters name nothing.
        """
        if len(start) < 6 or not start.isalnum():
            return None
        kinds = (Kind.UTTERANCE, Kind.FACT, Kind.SUMMARY, Kind.KEYWORDS)
        found = [one for kind in kinds for one in self._all(self.scope, kind, status=None)]
        alike = [record for record in found if record.id.startswith(start)]
        return alike[0] if len(alike) == 1 else None

    def forget(
        self,
        ids: Sequence[str] = (),
        *,
        where: Values | None = None,
        everything: bool = False,
        dry_run: bool = False,
    ) -> Receipt:
        """Remove messages for good, with every fact, summary or keyword row made from them.

        `Memory.forget` on messages; but a summary that had other sources too goes as well, since
        its text may tell what was forgotten, and what forgotten facts had closed holds again.
        Raises RecordNotFound.
        """
        remove = partial(
            self.memory.forget, ids, scope=self.scope, where=where, everything=everything
        )
        planned = remove(dry_run=True)
        known = {*planned.forgotten, *planned.derived}
        derived = self._made_from(known)
        told = [
            *derived,
            *(one for one in self._all(self._whole, Kind.FACT, None) if one.id in known),
        ]
        besides = [record.id for record in derived if record.id not in known]
        if besides:
            also = self.memory.forget(besides, scope=self._whole, dry_run=dry_run)
            planned = _together(remove(dry_run=dry_run), also)
        elif not dry_run:
            planned = remove()
        if not dry_run:
            self._settle(told)
        return planned

    def retract(self, id: str, reason: str) -> None:
        """Say that a message was wrong: it and its facts are kept for the record, and not found."""
        self.memory.retract(id, reason, scope=self.scope)
        facts = [record for record in self._made_from({id}) if record.kind is Kind.FACT]
        for fact in facts:
            self.memory.retract(fact.id, reason, scope=self.scope)
        self._settle(facts)

    def decay(self, before: datetime, *, least_used: int = 1) -> list[str]:
        """Move old messages that were shown fewer than ``least_used`` times to the archive.

        `Memory.shown` counts it. They are not found any more, and can still be listed and read by
        id. The ids.
        """
        old = [
            record.id
            for record in self._all(self.scope)
            if record.event_time < before and record.counters.get("chosen", 0) < least_used
        ]
        for name in old:
            self.memory.delete(name, scope=self.scope, note="decay")
        return old

    # -- parts -----------------------------------------------------------------------------------

    @property
    def _whole(self) -> Scope:
        """The scope over all sessions: what a session told may matter beyond it."""
        return self.scope.model_copy(update={"session": None})

    def _made_from(self, ids: Set[str]) -> list[Record]:
        """The facts, summaries and the like that name any of these messages as a source."""
        return [
            record
            for kind in (Kind.FACT, Kind.SUMMARY, Kind.KEYWORDS, Kind.SESSION)
            for record in self._all(self._whole, kind, status=None)
            if not ids.isdisjoint(record.sources)
        ]

    def _settle(self, gone: Sequence[Record]) -> None:
        facts = [record for record in gone if record.kind is Kind.FACT]
        FactMemory(self.memory, self._whole).settle(facts)

    def _all(
        self, scope: Scope, kind: Kind = Kind.UTTERANCE, status: Status | None = Status.ACTIVE
    ) -> list[Record]:
        found: list[Record] = []
        after: str | None = None
        while True:
            page = self.memory.list(scope=scope, kind=kind, status=status, limit=500, after=after)
            found += page
            if len(page) < 500:
                return found
            after = page[-1].id

    def _known(self, name: str) -> Record | None:
        try:
            return self.memory.get(name, scope=self.scope)
        except RecordNotFound:
            return None

    def _repeat(self, name: str, turn: int) -> None:
        payload = self.memory.get(name, scope=self.scope).payload
        assert isinstance(payload, UtterancePayload)
        if turn not in payload.repeats and len(payload.repeats) < MOST_REPEATS:
            repeats = (*payload.repeats, turn)
            noted = payload.model_copy(update={"repeats": repeats})
            self.memory.update(name, scope=self.scope, payload=noted, note="said again")


def _together(one: Receipt, other: Receipt) -> Receipt:
    """What two forgets did; what the second removed had been derived."""
    gone = (*other.forgotten, *other.derived)
    return replace(
        one,
        derived=(*one.derived, *gone),
        kept=tuple(name for name in one.kept if name not in gone),
        recalls=one.recalls + other.recalls,
    )


def _unwanted(role: Role, text: str, given: str) -> str:
    """Why a message is not taken in; empty if it is."""
    if role in ("system", "tool"):
        return f"{role} messages are not memories"
    if not text:
        return "nothing but recalled memory" if given.strip() else "empty"
    return ""


def _record(scope: Scope, message: Message, text: str, at: datetime, place: int) -> Record:
    speaker = message.speaker or message.role
    text = text.encode("utf-8", "replace").decode()
    turn = to_us(at) + place if message.turn is None else message.turn
    key = "\x1f".join((scope.agent or "", scope.session or "", message.role, speaker, _plain(text)))
    return Record(
        id="u" + hashlib.sha256(key.encode()).hexdigest()[:31],
        scope=scope,
        text=text,
        payload=UtterancePayload(speaker=speaker, turn=turn),
        origin=Origin(source="assistant" if message.role == "assistant" else "user"),
        event_time=at,
        trust=0.5 if message.role == "assistant" else 1.0,
    )


def _turn(record: Record) -> int:
    assert isinstance(record.payload, UtterancePayload)
    return record.payload.turn


def _plain(text: str) -> str:
    """The text without differences that nobody means."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _once(hits: Sequence[TurnHit]) -> list[TurnHit]:
    """The hits without those that repeat another one's words, of which the latest is kept."""
    latest: dict[tuple[str, str], TurnHit] = {}
    for hit in hits:
        payload = hit.record.payload
        assert isinstance(payload, UtterancePayload)
        key = (payload.speaker, _plain(hit.record.text))
        if key not in latest:
            latest[key] = hit
        elif hit.record.event_time > latest[key].record.event_time:
            latest = {k: hit if k == key else one for k, one in latest.items()}
    return list(latest.values())
