"""Policies and triggers by name, and how each comes by what it had learnt before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import Literal

import numpy as np

from ..memory.memory import Memory
from ..memory.recollection import RecallLog
from ..memory.records import Scope
from .kernel_q import KernelOptions, KernelQPolicy
from .learned_trigger import LearnedTrigger, TriggerOptions
from .neural_q import NeuralQPolicy, Vectors
from .policy import (
    Policy,
    SimilarityPolicy,
    UtilityPolicy,
    learn_episode,
    selection_of,
)
from .trigger import KEPT_TRIGGER, RULES, LearningTrigger, Trigger

PolicyName = Literal["similarity", "utility", "kernel-q", "neural-q"]

TriggerName = Literal["always", "never", "first", "stuck", "learned"]

PAGE = 500


def make_policy(
    name: PolicyName,
    *,
    temperature: float | None = None,
    dropout: float = 0.0,
    vectors: Vectors | None = None,
    seed: int = 0,
) -> Policy:
    """A policy that has learnt nothing yet; ``temperature`` None takes the policy's own.

    ``dropout`` leaves each drawn memory out with that probability, to learn what it changes.
    ``vectors`` and ``seed`` are for the network.
    """
    if name == "similarity":
        return SimilarityPolicy(temperature or 0.0, dropout=dropout)
    if name == "utility":
        return UtilityPolicy(0.02 if temperature is None else temperature, dropout=dropout)
    options = KernelOptions()
    if temperature is not None:
        options = options.model_copy(update={"temperature": temperature})
    if name == "kernel-q":
        return KernelQPolicy(options, dropout=dropout)
    return NeuralQPolicy(options, vectors=vectors, dropout=dropout, seed=seed)


def ready_policy(
    name: PolicyName,
    memory: Memory | None,
    scope: Scope,
    *,
    temperature: float | None = None,
    dropout: float = 0.0,
) -> Policy:
    """A policy that has learnt all that the log of a scope can teach it; see ``make_policy``."""
    vectors = partial(memory.vectors, scope=scope) if memory is not None else None
    policy = make_policy(name, temperature=temperature, dropout=dropout, vectors=vectors)
    if memory is not None:
        replay(policy, memory, scope)
    return policy


def ready_trigger(
    trigger: TriggerName | Trigger,
    memory: Memory | None,
    scope: Scope,
    *,
    price: float | None = None,
) -> Trigger:
    """A trigger by its name or as it is; one that learns, with what the memory kept of it.

    ``price`` is what 1,000 recalled tokens cost one that learns, in reward; None takes its own.
    """
    if isinstance(trigger, str):
        if trigger == "learned":
            options = {} if price is None else {"price": price}
            trigger = LearnedTrigger(TriggerOptions(**options))
        else:
            trigger = RULES[trigger]()
    if memory is not None and isinstance(trigger, LearningTrigger):
        kept = memory.learned(KEPT_TRIGGER, scope=scope)
        if kept is not None:
            trigger.restore(kept)
    return trigger


def replay(policy: Policy, memory: Memory, scope: Scope) -> int:
    """Let a new policy learn from every rewarded recall of a scope; how many there were.

    Recalls of one episode are learnt together, in their order, as they were when it ended. Queries
    that were embedded by an embedder the store no longer uses are embedded again.
    """
    learnt = 0
    for _, together in groupby(_rewarded(memory, scope), _episode):
        logs = [with_vector(log, memory) for log in together]
        reward = logs[-1].reward
        assert reward is not None, "only rewarded recalls are read"
        learn_episode(policy, [selection_of(log) for log in logs], reward)
        learnt += len(logs)
    return learnt


def _rewarded(memory: Memory, scope: Scope) -> Iterator[RecallLog]:
    after: str | None = None
    while logs := memory.recalls(scope=scope, limit=PAGE, after=after):
        yield from (log for log in logs if log.reward is not None)
        after = logs[-1].id


def _episode(log: RecallLog) -> str:
    return log.context.get("episode") or log.id


def with_vector(log: RecallLog, memory: Memory) -> RecallLog:
    """The recall with its query's vector, embedded again if the one it had is of no use now."""
    if log.vector is not None or not log.query:
        return log
    return replace(log, vector=np.asarray(memory.embedder.embed_query(log.query), np.float32))
