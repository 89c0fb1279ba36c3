"""Experience as a prior over actions: what similar steps did, weighed by a kernel over states.

This is non-parametric policy evaluation in the manner of episodic control (Blundell et al. 2016):
each remembered step of a successful episode votes for its lifted action with weight
exp(κ(s, s_i)), and a lifted action's votes are shared by the admissible actions it stands for.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence

from ..memory.records import Frozen
from .abstraction import LiftedState, Lifter
from .state import RecalledStep


class KernelWeights(Frozen):
    """How much each facet of a state counts, in nats."""

    goal: float = 4.0
    fillers: float = 2.0
    done: float = 6.0
    last: float = 1.5
    here: float = 2.0
    signs: float = 1.0


def similarity(a: LiftedState, b: LiftedState, weights: KernelWeights) -> float:
    """κ(a, b): the weighted sum of facet similarities, each in [0, 1]; in nats."""
    return (
        weights.goal * _goal(a.goal, b.goal)
        + weights.fillers * _aligned(a.fillers, b.fillers)
        + weights.done * _progress(a.done, b.done)
        + weights.last * float(a.last == b.last)
        + weights.here * _jaccard(a.here, b.here)
        + weights.signs * _jaccard(a.signs, b.signs)
    )


LEAST_DOUBT = 1e-4


def doubt_after(wins: int) -> float:
    """How much a memory of ``wins`` successes is doubted, in observations of the very state.

    A few successes, most of them luck, are no ground to stop trying other things; of a hundred,
    steps in states nine nats less similar still outweigh the doubt.
    """
    return max(LEAST_DOUBT, 1.0 / (1 + wins) ** 2)


def action_prior(
    state: LiftedState,
    actions: Sequence[str],
    neighbours: Iterable[RecalledStep],
    *,
    lifter: Lifter,
    weights: KernelWeights,
    doubt: float = LEAST_DOUBT,
) -> dict[str, float]:
    """Log-probability of each admissible action under the neighbours' votes.

    The posterior mean of a Dirichlet prior that is flat over the actions: a step remembered in
    this very state counts as one observation, one in a state d nats less similar as exp(-d), and
    ``doubt`` is the prior's concentration in the same unit. So a few dissimilar steps leave the
    choice to the model, and many similar ones can still be overruled by it. Empty if there are no
    neighbours or none of their actions is admissible.
    """
    lifted = {action: lifter.lift_action(action, state.fillers) for action in actions}
    instances = Counter(lifted.values())
    votes: dict[str, float] = {}
    for step, likeness in _alike(state, neighbours, instances, weights):
        form = step["action"]
        votes[form] = votes.get(form, 0.0) + likeness * (1.0 + math.log(step["attempts"]))
    if not votes:
        return {}
    evidence = sum(votes.values()) + doubt
    return {
        action: math.log((votes.get(form, 0.0) / instances[form] + doubt / len(actions)) / evidence)
        for action, form in lifted.items()
    }


def novelty(
    state: LiftedState,
    actions: Sequence[str],
    neighbours: Iterable[RecalledStep],
    *,
    lifter: Lifter,
    weights: KernelWeights,
) -> float:
    """How unlike the state is to the nearest step whose action is admissible, in [0, 1].

    1 - exp(-d/4) for one that is d nats less similar than the state itself, 1 for none: what is
    two nats off has a seventh of the vote, and mostly the same to say.
    """
    possible = {lifter.lift_action(action, state.fillers) for action in actions}
    alike = (one for _, one in _alike(state, neighbours, possible, weights))
    return 1.0 - max(alike, default=0.0) ** 0.25


def _alike(
    state: LiftedState,
    neighbours: Iterable[RecalledStep],
    possible: Container[str],
    weights: KernelWeights,
) -> Iterator[tuple[RecalledStep, float]]:
    """Each neighbour whose action is possible, with exp(κ(s, s_i) - κ(s, s))."""
    itself = similarity(state, state, weights)
    for step in neighbours:
        if step["action"] in possible:
            kappa = similarity(state, LiftedState.from_facets(step["state"]), weights)
            yield step, math.exp(kappa - itself)


def _jaccard(a: Sequence[str], b: Sequence[str]) -> float:
    left, right = set(a), set(b)
    return len(left & right) / len(left | right) if left | right else 1.0


def _goal(a: str, b: str) -> float:
    """1 for the same goal; shared words count a little less, for want of their order."""
    return 1.0 if a == b else 0.8 * _jaccard(a.split(), b.split())


def _aligned(a: Sequence[str], b: Sequence[str]) -> float:
    """The share of slots with the same filler; the first slot, mostly the object, counts twice."""
    if not a or not b:
        return float(not a and not b)
    hits = sum(x == y for x, y in zip(a, b, strict=False)) + (a[0] == b[0])
    return hits / (max(len(a), len(b)) + 1)


def _progress(a: Sequence[str], b: Sequence[str]) -> float:
    """1 for the same deeds in the same order; else by the length of the common beginning."""
    if tuple(a) == tuple(b):
        return 1.0
    common = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        common += 1
    return 0.7 * (common + 1) / (max(len(a), len(b)) + 1)
