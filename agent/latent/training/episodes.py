"""The agent's own successes as multi-turn training data: each action is an answer to learn.

The prompt is what the actor read before the action (of an episode beyond the model's context the
actor leaves out turns; here those prompts are whole, and too long to be learnt). Actions that
hindsight does not call good stand in later prompts and are not learnt. Of cases that did not keep
their turns the plan is learnt, and the user's later turns only say to go on. The memory of an
example is what recall would have given: other cases, never its own task's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from ....memory.cases import CaseMemory, Exclusion
from ....memory.records import CasePayload, Kind, LivedTurn
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
    without: Sequence[str] = (),
    among: Collection[str] | None = None,
    watch: Callable[[int, int], None] | None = None,
) -> list[Example]:
    """The examples of each successful case; see `case_examples`.

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
        if payload.split not in without:
            found += case_examples(payload, cases, tokenizer, recalled=recalled, without=without)
    return found


def case_examples(
    case: CasePayload,
    cases: CaseMemory,
    tokenizer: Tokenizer,
    *,
    recalled: int = 1,
    memory_tokens: int = 400,
    without: Sequence[str] = (),
) -> list[Example]:
    """An example for each good action of a case; groups are task types and places in the plan.

    The memory is ``recalled`` of ``cases`` that resemble it, in at most ``memory_tokens`` tokens.
    """
    weaver = TextWeaver(lambda text: len(tokenizer.encode(text)), memory_tokens)
    memory = _memory(cases, case, recalled, without, weaver)
    lived = turns_of(case)
    return [
        from_messages(
            tokenizer,
            said(case, step),
            turn.did,
            memory=memory,
            group=f"{case.task_type}/{place}" if case.task_type else "",
        )
        for step, (turn, place) in enumerate(zip(lived, _places(lived, case.plan), strict=True))
        if turn.good
    ]


def turns_of(case: CasePayload) -> tuple[LivedTurn, ...]:
    """The turns of a case, or what is known of them: its plan."""
    return case.lived or tuple(
        LivedTurn(saw=GO_ON if place else "", did=action) for place, action in enumerate(case.plan)
    )


def said(case: CasePayload, step: int) -> list[Message]:
    """The conversation in which a case's action number ``step`` is the answer."""
    found = [Message(role="system", content=case.instructions)] if case.instructions else []
    lived = turns_of(case)[: step + 1]
    seen = [turn.saw for turn in lived]
    return found + turns(case.task, seen, [turn.did for turn in lived[:-1]])


def _places(lived: Sequence[LivedTurn], plan: Sequence[str]) -> list[int]:
    """How much of the plan is done before each turn."""
    places = [0]
    for turn in lived[:-1]:
        place = places[-1]
        places.append(place + (place < len(plan) and turn.did == plan[place]))
    return places


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
