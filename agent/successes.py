"""Which of the agent's successes may be learnt from: those of no split that is tested on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ..memory.cases import CaseMemory
from ..memory.records import CasePayload

LEARNT = ("", "train", "training")
"""The splits that are learnt from unless told otherwise: those to train on, and none at all."""


@dataclass(frozen=True, slots=True)
class Successes:
    """Ids of the successful cases that may be learnt from, oldest first.

    ``held_out`` names the splits in the memory of which nothing may be read.
    """

    ids: tuple[str, ...]
    held_out: tuple[str, ...]


def successes(cases: CaseMemory, splits: Collection[str] = ()) -> Successes:
    """The successes of the splits in `LEARNT`, and of ``splits``."""
    allowed = {*LEARNT, *splits}
    ids: list[str] = []
    held_out: set[str] = set()
    for record in cases.cases():
        payload = record.payload
        if not isinstance(payload, CasePayload):
            continue
        if payload.split not in allowed:
            held_out.add(payload.split)
        elif payload.outcome == "success" and payload.plan:
            ids.append(record.id)
    return Successes(tuple(ids), tuple(sorted(held_out)))
