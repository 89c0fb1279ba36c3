"""Facts with the time in which they hold: a newer value closes the older, nothing is deleted.

A fact is one value of one attribute of one subject, said by one message, its source. Of an
attribute that has one value at a time the newest holds, by when it was said and not by when it
arrived; one that has many keeps each until it is ended. What an assistant claims of its user is
kept as claimed and believed only once the user confirms it. Somebody named in several ways ("my
brother Kofi", then "Kofi") is one person as long as nobody else can be meant.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

from .intervals import closing, end_of, payload_of, plain, said_at
from .memory import Memory
from .mirror import Mirror
from .people import USER, alike, one_person
from .reading.confirmation import answer_to_claim, as_first_person
from .reading.statements import PETS, Statement, family, read_statements
from .records import FactPayload, Kind, Origin, Record, Scope, Status, UtterancePayload

__all__ = ["USER", "FactMemory", "fact", "values"]

_STANDING = (Status.ACTIVE, Status.SUPERSEDED)


class FactMemory:
    """The facts of one scope."""

    def __init__(self, memory: Memory, scope: Scope) -> None:
        self.memory = memory
        self.scope = scope
        self._mirror = Mirror(memory, scope, Kind.FACT)

    def read(self, turns: Sequence[Record]) -> list[str]:
        """Read turns of one session, in order, and keep what they state; the facts' ids.

        Reading the same turns again changes nothing. A claim that an assistant makes is believed
        if the user's next turn confirms it, so give a claim and its answer together.
        """
        facts: list[Record] = []
        claims: list[Record] = []
        for turn in turns:
            assert isinstance(turn.payload, UtterancePayload)
            if turn.origin.source == "assistant":
                claims = [
                    self._fact(turn, one, confirmed=False)
                    for one in read_statements(as_first_person(turn.text))
                ]
                facts += claims
                continue
            about = list(dict.fromkeys(payload_of(claim).attribute for claim in claims))
            told = [
                self._fact(turn, one, confirmed=True)
                for one in read_statements(turn.text, about=about)
            ]
            if claims and answer_to_claim(turn.text) == "yes":
                facts += [
                    _confirmed_by(claim, turn)
                    for claim in claims
                    if not any(_contradicts(one, claim) for one in told)
                ]
            claims = []
            facts += told
        return self.keep(facts)

    def keep(self, facts: Sequence[Record]) -> list[str]:
        """Keep facts made elsewhere (`fact`), as a language model may; the ids, new or known."""
        given = {fact.id: fact for fact in facts}
        if not given:
            return []
        known = {one.id for one in self.memory.get_many(list(given), scope=self.scope)}
        fresh = [fact for name, fact in given.items() if name not in known]
        before = self._subjects() if any(_about(one) != USER for one in fresh) else []
        self.memory.add(fresh)
        for subject, attribute in self._touched(fresh, before):
            self._settle(subject, attribute)
        return [fact.id for fact in facts]

    def settle(self, gone: Sequence[Record]) -> None:
        """Let hold again what facts that are gone, or no longer stand, had closed."""
        for subject, attribute in self._touched(gone, self._subjects()):
            self._settle(subject, attribute)

    def current(
        self, subject: str = USER, attribute: str | None = None, *, as_of: datetime | None = None
    ) -> list[Record]:
        """The facts believed of a subject, newest first, now or at a past moment.

        Asked for ``pet`` it tells every animal, for ``dog`` those that are or may be dogs.
        """
        held = [
            record
            for record in self._told(subject, attribute)
            if payload_of(record).confirmed and payload_of(record).value and _holds(record, as_of)
        ]
        held.sort(key=said_at, reverse=True)
        newest: dict[tuple[str, str], Record] = {}
        for record in held:
            payload = payload_of(record)
            newest.setdefault((family(payload.attribute), plain(payload.value)), record)
        return list(newest.values())

    def subjects(self) -> list[str]:
        """Everybody of whom a fact is kept, in order of the first, by their fullest name."""
        known = self._subjects()
        return list(dict.fromkeys(one_person(name, known)[0] for name in known))

    def history(self, subject: str, attribute: str) -> list[Record]:
        """Every fact kept of an attribute, also what holds no longer and what was only claimed."""
        return sorted(self._told(subject, attribute), key=said_at)

    def all(self) -> list[Record]:
        """Every fact of the scope, also past and unconfirmed ones, in the order they were kept."""
        return [one for one in self._mirror.records() if one.status in _STANDING]

    # -- parts -----------------------------------------------------------------------------------

    def _told(self, subject: str, attribute: str | None) -> list[Record]:
        names = {subject} if subject == USER else {*one_person(subject, self._subjects())}
        kin = None if attribute is None else _kin_of(attribute)
        return [
            one
            for one in self.all()
            if _about(one) in names and (kin is None or payload_of(one).attribute in kin)
        ]

    def _subjects(self) -> list[str]:
        return list(dict.fromkeys(_about(one) for one in self.all()))

    def _touched(self, fresh: Sequence[Record], before: Sequence[str]) -> list[tuple[str, str]]:
        """The subjects and attributes whose intervals new facts may change.

        A person not known before may also change who is meant by a name alone.
        """
        touched = dict.fromkeys((_about(one), family(payload_of(one).attribute)) for one in fresh)
        unmet = {_about(one) for one in fresh} - {USER, *before}
        if unmet:
            for record in self.all():
                subject = _about(record)
                if any(alike(subject, one) for one in unmet):
                    touched[subject, family(payload_of(record).attribute)] = None
        return list(touched)

    def _fact(self, turn: Record, statement: Statement, *, confirmed: bool) -> Record:
        return fact(
            self.scope,
            turn,
            subject=statement.subject,
            attribute=statement.attribute,
            value=statement.value,
            ends=statement.polarity == "end",
            many=statement.many,
            confirmed=confirmed,
        )

    def _settle(self, subject: str, attribute: str) -> None:
        """Set the intervals of an attribute's facts anew, from all that was said of it."""
        told = [one for one in self.history(subject, attribute) if payload_of(one).confirmed]
        for place, record in enumerate(told):
            closed = closing(record, told[place + 1 :])
            ends = end_of(record, closed)
            status = Status.ACTIVE if ends is None else Status.SUPERSEDED
            if payload_of(record).valid_to != ends or record.status != status:
                self.memory.update(
                    record.id,
                    scope=self.scope,
                    payload=payload_of(record).model_copy(update={"valid_to": ends}),
                    status=status,
                    note=f"closed by {closed.id}" if closed else "",
                )


def fact(
    scope: Scope,
    turn: Record,
    *,
    subject: str,
    attribute: str,
    value: str,
    ends: bool = False,
    many: bool = False,
    confirmed: bool = True,
) -> Record:
    """A fact that ``turn`` states: a value, or (``ends``) that the attribute or value is over."""
    key = "\x1f".join((turn.id, subject, attribute, plain(value), str(ends), str(confirmed)))
    word = "no longer" if ends else "is" if confirmed else "is said to be"
    return Record(
        id="f" + hashlib.sha256(key.encode()).hexdigest()[:31],
        scope=scope.model_copy(update={"session": turn.scope.session}),
        text=f"{subject}: {attribute} {word} {value}".strip(),
        payload=FactPayload(
            subject=subject,
            attribute=attribute,
            value=value,
            valid_from=turn.event_time,
            ends=ends,
            many=many,
            confirmed=confirmed,
        ),
        origin=Origin(source=turn.origin.source, detail="statement"),
        event_time=turn.event_time,
        sources=(turn.id,),
        trust=1.0 if confirmed else 0.2,
    )


def values(facts: Iterable[Record]) -> list[str]:
    """The values of facts, in order, each once."""
    return list(dict.fromkeys(payload_of(one).value for one in facts))


def _confirmed_by(claim: Record, turn: Record) -> Record:
    payload = payload_of(claim).model_copy(
        update={"confirmed": True, "valid_from": turn.event_time}
    )
    return claim.model_copy(
        update={
            "id": "f" + hashlib.sha256(f"{claim.id}\x1f{turn.id}".encode()).hexdigest()[:31],
            "payload": payload,
            "sources": (*claim.sources, turn.id),
            "event_time": turn.event_time,
            "trust": 0.9,
            "text": claim.text.replace("is said to be", "is"),
        }
    )


def _contradicts(told: Record, claim: Record) -> bool:
    """True if what a user says along with a yes leaves the claim untrue."""
    said, claimed = payload_of(told), payload_of(claim)
    if (said.subject, family(said.attribute)) != (claimed.subject, family(claimed.attribute)):
        return False
    same = plain(said.value) == plain(claimed.value)
    if said.ends:
        return same or not said.value
    return not same and not claimed.many and not claimed.ends


def _holds(record: Record, as_of: datetime | None) -> bool:
    payload = payload_of(record)
    if as_of is None:
        return payload.valid_to is None
    begun = payload.valid_from is None or payload.valid_from <= as_of
    return begun and (payload.valid_to is None or as_of < payload.valid_to)


def _kin_of(attribute: str) -> list[str]:
    """The attributes under which the values of one are kept."""
    if attribute == "pet":
        return sorted(PETS)
    return [attribute, "pet"] if attribute in PETS else [attribute]


def _about(record: Record) -> str:
    return payload_of(record).subject
