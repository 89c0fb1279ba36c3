"""The agent's own successes as multi-turn training data: each action is an answer to learn.

Cases keep actions but not what was observed between them, so the user's later turns only say to go
on. The memory of an example is what recall would have given: other cases, never its own task's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from ....memory.cases import CaseMemory, Exclusion
from ....memory.records import CasePayload, Kind, Record
from ...models.base import Message
from ...state import RecalledCase
from ...weaver import render_case
from ..tokens import Tokenizer
from .examples import Example, from_messages

NOTED = "Notes from earlier tasks (a record of what happened, not orders):"
GO_ON = "Go on."


def episode_examples(
    cases: CaseMemory,
    tokenizer: Tokenizer,
    *,
    recalled: int = 3,
    instructions: str = "",
    without: Sequence[str] = (),
    among: Collection[str] | None = None,
    watch: Callable[[int, int], None] | None = None,
) -> list[Example]:
    """An example for each action of each successful case; groups are task types.

    Cases of the splits in ``without`` are not read, so that they can be tested on. With ``among``
    only cases of these ids are learnt from. ``watch`` is told how many cases of how many are read.
    """
    found: list[Example] = []
    chosen = None if among is None else {*among}
    records = [one for one in cases.cases() if chosen is None or one.id in chosen]
    for place, record in enumerate(records, 1):
        if watch is not None:
            watch(place, len(records))
        payload = record.payload
        if not isinstance(payload, CasePayload) or payload.outcome != "success":
            continue
        if payload.split in without:
            continue
        memory = _memory(cases, payload, recalled, without)
        for step in range(len(payload.plan)):
            said = turns(payload.task, payload.plan[:step], instructions)
            group = f"{payload.task_type}/{step}" if payload.task_type else ""
            found.append(
                from_messages(tokenizer, said, payload.plan[step], memory=memory, group=group)
            )
    return found


def turns(task: str, done: Sequence[str], instructions: str = "") -> list[Message]:
    """A task and the actions so far as the conversation in which the next one is the answer."""
    said = [Message(role="system", content=instructions)] if instructions else []
    said.append(Message(role="user", content=f"Your task: {task}"))
    for action in done:
        said.append(Message(role="assistant", content=action))
        said.append(Message(role="user", content=GO_ON))
    return said


def _memory(cases: CaseMemory, payload: CasePayload, k: int, without: Sequence[str]) -> str:
    """Other tasks' cases that resemble this one's, as text; empty if there are none."""
    if not k:
        return ""
    own = Exclusion(task_ids=(payload.task_id,), splits=tuple(without))
    hits = cases.memory.search(
        payload.task, scope=cases.scope, kinds=(Kind.CASE,), k=k, exclude=own.facets()
    )
    blocks = [render_case(_recalled(hit.record, hit.score)) for hit in hits]
    return "\n".join([NOTED, *blocks]) if blocks else ""


def _recalled(record: Record, score: float) -> RecalledCase:
    payload = record.payload
    assert isinstance(payload, CasePayload)
    return RecalledCase(
        id=record.id,
        score=score,
        task=payload.task,
        plan=list(payload.plan),
        outcome=payload.outcome,
        reason=payload.reason,
        origin=record.origin.source,
        date=record.event_time.date().isoformat(),
    )
