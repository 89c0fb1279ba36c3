"""Policies by name, and how one learns again, from the journal, what it had learnt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from typing import Literal

import numpy as np

from ..memory.memory import Memory
from ..memory.recollection import RecallLog
from ..memory.records import Scope
from .kernel_q import KernelOptions, KernelQPolicy
from .neural_q import NeuralQPolicy, Vectors
from .policy import (
    Policy,
    SimilarityPolicy,
    UtilityPolicy,
    learn_episode,
    selection_of,
)

PolicyName = Literal["similarity", "utility", "kernel-q", "neural-q"]

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
