"""What an agent is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..memory.cases import CaseMemory
from .abstraction import Lifter
from .actor import Actor
from .policy import Policy
from .reflect import Reflector
from .state import Limits
from .trigger import Trigger
from .weaver import Weaver


@dataclass(frozen=True)
class Parts:
    """What an agent is made of; each is a protocol that can be replaced."""

    trigger: Trigger
    policy: Policy
    weaver: Weaver
    actor: Actor
    reflector: Reflector
    lifter: Lifter
    cases: CaseMemory | None
    limits: Limits
    recall_cases: int
    recall_steps: int
    shortlist: int
    exclude_splits: tuple[str, ...]
    model_id: str
    count_tokens: Callable[[str], int]
