"""Reverie: agents that get better with use while their language model stays frozen.

This folder is the package: what lies in ``memory/`` is imported as ``reverie.memory``. The names
below are brought in when they are first asked for; importing ``reverie`` loads nothing else.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .agent.agent import Agent as Agent
    from .agent.environment import Environment as Environment
    from .agent.environment import Observation as Observation
    from .agent.environment import Outcome as Outcome
    from .agent.environment import StepResult as StepResult
    from .agent.environment import Task as Task
    from .agent.models import open_model as open_model
    from .agent.models.base import ChatModel as ChatModel
    from .agent.models.base import Message as Message
    from .agent.state import Episode as Episode
    from .agent.state import Limits as Limits
    from .envs.runner import run as run
    from .envs.runs import RunSpec as RunSpec
    from .envs.statistics import Summary as Summary
    from .errors import ReverieError as ReverieError
    from .memory.embed import Embedder as Embedder
    from .memory.embed import open_embedder as open_embedder
    from .memory.memory import Memory as Memory
    from .memory.recollection import Hit as Hit
    from .memory.recollection import Recollection as Recollection
    from .memory.records import CasePayload as CasePayload
    from .memory.records import Kind as Kind
    from .memory.records import Origin as Origin
    from .memory.records import Record as Record
    from .memory.records import Scope as Scope

__version__ = "0.1.0"

_HOME = {
    "Agent": "agent.agent",
    "CasePayload": "memory.records",
    "ChatModel": "agent.models.base",
    "Embedder": "memory.embed",
    "Environment": "agent.environment",
    "Episode": "agent.state",
    "Hit": "memory.recollection",
    "Kind": "memory.records",
    "Limits": "agent.state",
    "Memory": "memory.memory",
    "Message": "agent.models.base",
    "Observation": "agent.environment",
    "Origin": "memory.records",
    "Outcome": "agent.environment",
    "Recollection": "memory.recollection",
    "Record": "memory.records",
    "ReverieError": "errors",
    "RunSpec": "envs.runs",
    "Scope": "memory.records",
    "StepResult": "agent.environment",
    "Summary": "envs.statistics",
    "Task": "agent.environment",
    "open_embedder": "memory.embed",
    "open_model": "agent.models",
    "run": "envs.runner",
}
__all__ = [
    "Agent",
    "CasePayload",
    "ChatModel",
    "Embedder",
    "Environment",
    "Episode",
    "Hit",
    "Kind",
    "Limits",
    "Memory",
    "Message",
    "Observation",
    "Origin",
    "Outcome",
    "Recollection",
    "Record",
    "ReverieError",
    "RunSpec",
    "Scope",
    "StepResult",
    "Summary",
    "Task",
    "open_embedder",
    "open_model",
    "run",
]


def __getattr__(name: str) -> Any:
    """Bring a public name in when it is first asked for."""
    if name not in _HOME:
        raise AttributeError(f"module 'reverie' has no attribute {name!r}")
    # Absolute on purpose: pytest imports this file a second time under the checkout's name.
    value = getattr(import_module(f"reverie.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, whether they were asked for or not."""
    return sorted({*globals(), *__all__})
