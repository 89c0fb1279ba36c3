"""What a write of many drafts makes of the concepts it touches."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from .concept_merge import merged
from .concept_names import canonical, squeezed
from .concept_text import searched_text
from .concept_view import ConceptView
from .records import ConceptPayload, Origin, Record, Scope, Status
from .writes import Change

Fate = Literal["new", "extended", "known", "revived"]


@dataclass(frozen=True, slots=True)
class Draft:
    """Something to be written of a concept, and where it comes from.

    ``puzzle`` joins the concept's ``used_in``. ``evidence`` says what admits it, as "train pairs".
    """

    concept: ConceptPayload
    puzzle: str = ""
    run: str = ""
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a draft.

    It is ``new``, or it ``extended`` a concept, or all of it was ``known``, or it ``revived`` one
    that was archived. ``problems`` are those of its types (they are kept as they stand), and why
    its code was not taken.
    """

    id: str
    title: str
    fate: Fate
    problems: tuple[str, ...] = ()


class Batch:
    """The concepts that a write touches, as they will be."""

    def __init__(
        self,
        scope: Scope,
        view: ConceptView,
        records: Mapping[str, Record],
        origin: Origin,
        at: datetime,
    ) -> None:
        self._scope, self._view, self._origin, self._at = scope, view, origin, at
        self._records = records
        self._after: dict[str, ConceptPayload] = {}
        self._names: dict[str, str] = {}

    def take(self, new: ConceptPayload) -> Written:
        """Merge one concept into what there will be."""
        name = self._id_of(new)
        held = self._after.get(name)
        record = self._records.get(name)
        archived = record is not None and record.status is not Status.ACTIVE
        if held is None and record is not None:
            held = payload_of(record)
        after = new if held is None else merged(held, new)
        fate: Fate = "new"
        if held is not None:
            fate = "revived" if archived else "known" if after == held else "extended"
        self._after[name] = after
        for title in (after.title, *after.aliases):
            self._names.setdefault(_key(after.form, title, after), name)
        said = (*self._view.problems_of(new), *(f"code: {why}" for why in new.refused))
        return Written(name, after.title, fate, said)

    def changes(self) -> list[Change]:
        """What has to be written."""
        found: list[Change] = []
        for name, payload in self._after.items():
            before = self._records.get(name)
            if before is None:
                found.append(Change(None, self._record(name, payload)))
            elif payload_of(before) != payload or before.status is not Status.ACTIVE:
                after = record_with(before, payload)
                found.append(Change(before, after.model_copy(update={"status": Status.ACTIVE})))
        return found

    def _id_of(self, new: ConceptPayload) -> str:
        key = _key(new.form, new.title, new)
        if key in self._names:
            return self._names[key]
        if new.form == "program":
            found = self._view.find(new.title)
            if found is not None and found.payload.form == "program":
                return found.id
        return _digest(self._scope, key)

    def _record(self, id: str, payload: ConceptPayload) -> Record:
        return Record(
            id=id,
            scope=self._scope,
            text=searched_text(payload),
            payload=payload,
            origin=self._origin,
            event_time=self._at,
        )


def _key(form: str, name: str, payload: ConceptPayload) -> str:
    """What makes two concepts one: a name, or a situation with its suggestion."""
    if form == "open":
        return f"open\x1f{squeezed(payload.situation or name)}\x1f{squeezed(payload.suggestion)}"
    return f"program\x1f{canonical(name)}"


def _digest(scope: Scope, key: str) -> str:
    """An id that equal names always get: 32 hexadecimal digits."""
    owner = (scope.user, scope.agent or "", scope.session or "")
    return hashlib.sha256("\x1f".join((*owner, "concept", key)).encode()).hexdigest()[:32]


def payload_of(record: Record) -> ConceptPayload:
    assert isinstance(record.payload, ConceptPayload)
    return record.payload


def record_with(record: Record, payload: ConceptPayload) -> Record:
    return record.model_copy(update={"payload": payload, "text": searched_text(payload)})
