"""The gist: the few lines an assistant always has in mind of the one it talks to.

HEMA keeps a running summary beside the verbatim memory. Here it is made of what is known to hold
(current facts, newest first) and what was talked of lately, so that nothing in it is made up, each
part of it has a source, and it is never longer than its budget.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..memory.facts import FactMemory
from ..memory.keywords import keywords
from ..memory.records import FactPayload, Record


def gist(facts: FactMemory, lately: Sequence[str], count: Callable[[str], int], budget: int) -> str:
    """What is known of the user, and the topics of the messages ``lately`` said, in few words.

    At most ``budget`` tokens by ``count``; empty where nothing is known.
    """
    lines: list[str] = []
    known = [_told(record) for record in facts.current()]
    topics = keywords(lately, most=8)
    for title, items in (("Known about this person", known), ("Talked of lately", topics)):
        taken: list[str] = []
        for item in items:
            if count("\n".join([*lines, f"{title}: {'; '.join([*taken, item])}."])) > budget:
                break
            taken.append(item)
        if taken:
            lines.append(f"{title}: {'; '.join(taken)}.")
    return "\n".join(lines)


def _told(record: Record) -> str:
    payload = record.payload
    assert isinstance(payload, FactPayload)
    return f"{payload.attribute} {payload.value} (since {record.event_time:%Y-%m-%d})"
