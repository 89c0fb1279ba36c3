"""What another policy would have earned, told from the log of one that drew by chance.

Every logged choice i is an action: the sequence of draws, with the stop if there was one, and which
slots were left out. It was logged with a probability μ_i; the target would have taken it with
π_i, and wᵢ = πᵢ/μᵢ. With reward rᵢ and a reward model r̂ fitted on other episodes,

    IPS    Σ wᵢrᵢ / n                                   (Horvitz and Thompson 1952)
    SNIPS  Σ wᵢrᵢ / Σ wᵢ                                (Swaminathan and Joachims 2015)
    DR     Σ [E_π r̂(sᵢ, ·) + wᵢ(rᵢ − r̂(sᵢ, aᵢ))] / n   (Dudík, Langford and Li 2011).

Every recall is judged as one decision, the others of its episode being as they were logged. A
policy is never judged by rewards it has learnt from: a learner's fold is judged by what it learnt
from the others (`evaluate_learner`).
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from ..errors import MemoryFault
from ..memory.recollection import RecallLog
from ..memory.records import Frozen
from .intervals import Estimate, by_episode, effective, ratio
from .policy import Floats, Policy, Selection, learn_episode, selection_of
from .propensities import Counts, Evaluable, Target
from .reward_model import RewardModel

LEAST_EFFECTIVE = 25.0
"""Episodes, by Kish's effective sample size, below which the intervals don't hold what they say."""

FARTHEST_MEAN = 0.1
"""How far from 1 the mean weight may surely lie: that share of the target's choices is unseen."""


@runtime_checkable
class Learnable(Evaluable, Policy, Protocol):
    """A policy that learns and can be judged."""


@dataclass(frozen=True, slots=True)
class Example:
    """A logged choice and what it earned; ``episode`` names those that share one reward."""

    selection: Selection
    reward: float
    episode: str


Learner = Callable[[Sequence[Example]], Evaluable]
"""Makes the policy to be judged from the examples that it may learn from."""


class Overlap(Frozen):
    """How far the log speaks for the target.

    ``effective`` is the effective number of episodes. ``mean_weight`` is 1 up to chance where the
    log could have drawn all that the target draws. Of ``logged`` recalls ``used`` were rewarded
    and had propensities (``share``), and ``matched`` is the share of these that the target might
    have chosen too.
    """

    effective: float
    largest_weight: float
    mean_weight: Estimate
    logged: int
    used: int
    share: float
    matched: float


class Evaluation(Frozen):
    """The value of ``policy`` per recall, and of what was ``logged``, each with a 95 % interval."""

    policy: str
    k: int
    dropout: float
    logged: Estimate
    ips: Estimate
    snips: Estimate
    dr: Estimate
    overlap: Overlap


def evaluate(
    logs: Sequence[RecallLog | Example],
    policy: Evaluable,
    *,
    k: int | None = None,
    dropout: float | None = None,
    folds: int = 4,
    samples: int = 256,
    seed: int = 0,
) -> Evaluation:
    """Judge a policy as it is, which has learnt nothing from these logs.

    ``k`` and ``dropout`` are the target's; None takes the most that was drawn in a logged recall,
    and the policy's own. The reward model is fitted in ``folds`` over episodes; its expectation
    is exact for k = 1 or no temperature, else over ``samples`` slates drawn from ``seed``. The
    counts that a policy by utility needs are those of the other folds.

    Raises MemoryFault where the log can't tell: no rewards or all alike, no propensities, or too
    few choices that the target might have made.
    """
    return evaluate_learner(
        logs, lambda _: policy, k=k, dropout=dropout, folds=folds, samples=samples, seed=seed
    )


def evaluate_learner(
    logs: Sequence[RecallLog | Example],
    learner: Learner,
    *,
    k: int | None = None,
    dropout: float | None = None,
    folds: int = 4,
    samples: int = 256,
    seed: int = 0,
) -> Evaluation:
    """Judge what ``learner`` makes of a log of this sort: see `evaluate`.

    Each fold of episodes is judged by the policy made from the other folds, so the estimate is of
    policies that have learnt from (folds − 1)/folds of the log.
    """
    if folds < 2:
        raise ValueError("what a fold is judged by comes from the others: give at least 2 folds")
    examples = _usable(logs)
    k = _slate(examples, k)
    episodes = [one.episode for one in examples]
    rewards = np.array([one.reward for one in examples])
    scores = _Scores(len(examples))
    for inside, outside in _folds(episodes, folds, seed):
        others = [examples[place] for place in outside]
        target = Target(learner(others), _counts(others), k, dropout, samples)
        scores.fill(inside, [examples[place].selection for place in inside], others, target, seed)
    weights = scores.weights
    overlap = _overlap(weights, episodes, len(logs), seed)
    bounds = (float(rewards.min()), float(rewards.max()))

    def estimate(top: Floats, bottom: Floats) -> Estimate:
        return ratio(top, bottom, episodes, bounds, seed=seed)

    each = np.ones(len(examples))
    return Evaluation(
        policy=scores.policy,
        k=k,
        dropout=scores.dropout,
        logged=estimate(rewards, each),
        ips=estimate(weights * rewards, each),
        snips=estimate(weights * rewards, weights),
        dr=estimate(scores.expected + weights * (rewards - scores.modelled), each),
        overlap=overlap,
    )


def learning(make: Callable[[], Learnable]) -> Learner:
    """A learner whose policies are made new and learn from the examples, episode by episode."""

    def learner(examples: Sequence[Example]) -> Evaluable:
        policy = make()
        episodes: dict[str, list[Example]] = defaultdict(list)
        for one in examples:
            episodes[one.episode].append(one)
        for together in episodes.values():
            learn_episode(policy, [one.selection for one in together], together[-1].reward)
        return policy

    return learner


def example_of(log: RecallLog) -> Example | None:
    """What a logged recall tells; None without a reward, or where part of it was forgotten."""
    if log.reward is None or not log.query:
        return None
    return Example(selection_of(log), log.reward, log.context.get("episode") or log.id)


class _Scores:
    """Of each example: w, r̂(s, a), and E_π r̂(s, ·), each (n,)."""

    def __init__(self, size: int) -> None:
        self.weights, self.modelled, self.expected = np.zeros((3, size))
        self.policy = ""
        self.dropout = 0.0

    def fill(
        self,
        places: Sequence[int],
        part: Sequence[Selection],
        others: Sequence[Example],
        target: Target,
        seed: int,
    ) -> None:
        """Judge one fold, at ``places``, with a reward model of the others."""
        self.policy, self.dropout = target.policy.name, target.dropout
        rewards = np.array([one.reward for one in others])
        base, effects = RewardModel([one.selection for one in others], rewards).effects(part)
        for row, (place, one) in enumerate(zip(places, part, strict=True)):
            logits = target.offer(one)
            known = math.fsum(effects[row][name] for name in one.chosen)
            random_here = np.random.default_rng([seed, place])
            self.weights[place] = target.weight(one, logits)
            self.modelled[place] = base[row] + known
            self.expected[place] = base[row] + target.expectation(logits, effects[row], random_here)


def _usable(logs: Sequence[RecallLog | Example]) -> list[Example]:
    """The examples with a reward and with propensities. Raises MemoryFault if they can't do."""
    found = [one if isinstance(one, Example) else example_of(one) for one in logs]
    rewarded = [one for one in found if one is not None and math.isfinite(one.reward)]
    if not rewarded:
        raise MemoryFault(
            f"none of {len(logs)} logged recalls was rewarded: give each its reward with "
            "Memory.reward, or let the agent learn, and evaluate then"
        )
    examples = [one for one in rewarded if _has_propensities(one.selection)]
    if not examples:
        raise MemoryFault(
            f"none of {len(rewarded)} rewarded recalls was logged with the probability of its "
            "choice: recall with a policy that logs them (any of reverie.agent.policy)"
        )
    if len({one.reward for one in examples}) == 1:
        raise MemoryFault(
            f"all {len(examples)} rewarded recalls earned {examples[0].reward:g}: nothing tells "
            "policies apart; play until some earn more than others"
        )
    episodes = len({one.episode for one in examples})
    if episodes < LEAST_EFFECTIVE:
        raise MemoryFault(
            f"{episodes} rewarded episodes are too few to judge a policy by: play until there "
            f"are at least {LEAST_EFFECTIVE:.0f}"
        )
    return examples


def _has_propensities(selection: Selection) -> bool:
    drawn = [name for name in selection.drawn if name]
    if not selection.drawn and selection.offered:
        return False
    return (
        set(drawn) == {*selection.chosen, *selection.dropped}
        and set(drawn) <= set(selection.offered)
        and all(0 < chance <= 1 for chance in selection.probabilities.values())
        and not (selection.dropped and selection.dropout == 0)
    )


def _counts(examples: Sequence[Example]) -> dict[str, Counts]:
    counts: dict[str, Counts] = defaultdict(Counts)
    for one in examples:
        for name in one.selection.chosen:
            counts[name].rewarded += 1
            counts[name].reward_sum += one.reward
    return counts


def _slate(examples: Sequence[Example], k: int | None) -> int:
    drawn = max(1, *(len(one.selection.drawn) for one in examples))
    if k is not None and drawn > k:
        raise MemoryFault(
            f"the log has choices of {drawn} memories; it can't tell what {k} would have earned: "
            f"evaluate with k={drawn}, or log recalls with k={k}"
        )
    return drawn if k is None else k


def _folds(episodes: Sequence[str], folds: int, seed: int) -> Iterator[tuple[list[int], list[int]]]:
    """The places of each fold, and those of all others; an episode is never split."""
    names = sorted(set(episodes))
    random.Random(seed).shuffle(names)
    fold = {name: place % folds for place, name in enumerate(names)}
    for number in range(folds):
        inside = [place for place, name in enumerate(episodes) if fold[name] == number]
        outside = [place for place, name in enumerate(episodes) if fold[name] != number]
        yield inside, outside


def _overlap(weights: Floats, episodes: Sequence[str], logged: int, seed: int) -> Overlap:
    """Raises MemoryFault where the log has too little of what the target would do."""
    size = effective(by_episode(weights, episodes))
    if size < LEAST_EFFECTIVE:
        raise MemoryFault(
            f"the log says too little of this policy: {len(weights)} rewarded recalls are worth "
            f"{size:.1f} episodes, and at least {LEAST_EFFECTIVE:.0f} are needed. Log more, at a "
            "higher temperature, or evaluate a policy nearer to the one that was logged"
        )
    most = float(weights.max())
    mean = ratio(weights, np.ones(len(weights)), episodes, (0.0, max(most, 1.0)), seed=seed)
    if mean.ci[1] < 1 - FARTHEST_MEAN or mean.ci[0] > 1 + FARTHEST_MEAN:
        raise MemoryFault(
            f"the mean weight is {mean.mean:.2f} (95 %: {mean.ci[0]:.2f} to {mean.ci[1]:.2f}) and "
            "should be 1: the log could not have drawn part of what this policy draws. Log with "
            "a temperature above 0 and every choice possible (to stop, too, if this policy may), "
            "with the k that is evaluated"
        )
    return Overlap(
        effective=size,
        largest_weight=most,
        mean_weight=mean,
        logged=logged,
        used=len(weights),
        share=len(weights) / logged,
        matched=float((weights > 0).mean()),
    )
