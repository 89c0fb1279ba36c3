"""The agent's own successes as multi-turn training data: each action is an answer to learn.

The prompt is what the actor would read before the action. Of cases that did not keep what was seen
the user's later turns only say to go on. The memory of an example is what recall would have given:
other cases, never its own task's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from ....memory.cases import CaseMemory, Exclusion
from ....memory.records import CasePayload, Kind
from ...actor import turns
from ...models.base import Message
from ...recall import recalled_case
from ...weaver import TextWeaver
from ..tokens import Tokenizer
from .examples import Example, from_messages

GO_ON = "Go on."


def episode_examples(
    cases: CaseMemory,
    tokenizer: Tokenizer,
    *,
    recalled: int = 1,
    memory_tokens: int = 400,
    without: Sequence[str] = (),
    among: Collection[str] | None = None,
    watch: Callable[[int, int], None] | None = None,
) -> list[Example]:
    """An example for each action of each successful case; groups are task types.

    Cases of the splits in ``without`` are not read, so that they can be tested on. With ``among``
    only cases of these ids are learnt from. ``recalled`` other cases are the memory, in at most
    ``memory_tokens`` tokens. ``watch`` is told how many cases of how many are read.
    """
    found: list[Example] = []
    weaver = TextWeaver(lambda text: len(tokenizer.encode(text)), memory_tokens)
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
        memory = _memory(cases, payload, recalled, without, weaver)
        for step in range(len(payload.plan)):
            group = f"{payload.task_type}/{step}" if payload.task_type else ""
            prompt, action = said(payload, step), payload.plan[step]
            found.append(from_messages(tokenizer, prompt, action, memory=memory, group=group))
    return found


def said(case: CasePayload, step: int) -> list[Message]:
    """The conversation in which a case's action number ``step`` is the answer."""
    found = [Message(role="system", content=case.instructions)] if case.instructions else []
    seen = case.seen or ("", *[GO_ON] * len(case.plan))
    return found + turns(case.task, seen[: step + 1], case.plan[:step])


def _memory(
    cases: CaseMemory,
    case: CasePayload,
    k: int,
    without: Sequence[str],
    weaver: TextWeaver,
) -> str:
    """Other tasks' cases that resemble this one's, as text; empty if there are none."""
    if not k:
        return ""
    own = Exclusion(task_ids=(case.task_id,), splits=tuple(without))
    hits = cases.memory.search(
        case.task, scope=cases.scope, kinds=(Kind.CASE,), k=k, exclude=own.facets()
    )
    return weaver.render([recalled_case(hit) for hit in hits])["text"]
