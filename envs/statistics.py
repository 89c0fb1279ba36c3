"""What the episodes say: means with 95 % intervals, paired differences, learning curves.

Every task is one cluster: a task played at several seeds is not several independent tasks.
Everything here is deterministic; the bootstrap draws from a fixed seed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from math import sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..memory.records import Frozen
from .runs import Arm, EpisodeLine

Z95 = 1.959963984540054
RESAMPLES = 10_000
Floats = NDArray[np.float64]


class Estimate(Frozen):
    """A mean over ``n`` episodes with its 95 % interval; None where there is nothing to average."""

    mean: float | None
    ci: tuple[float, float] | None
    n: int


class TypeSummary(Frozen):
    """One arm on one type of task."""

    success: Estimate
    reward: Estimate
    steps: Estimate


class ArmSummary(Frozen):
    """One arm over its first attempts. ``cost`` is in dollars, None when any price is unknown.

    ``steps_success`` averages over successes only; ``invalid_rate`` is per action; ``errors``
    counts episodes that ended in an error, which are failures like any other.
    """

    success: Estimate
    reward: Estimate
    steps: Estimate
    tokens: Estimate
    recalled_tokens: Estimate
    cost: Estimate | None
    seconds: Estimate
    steps_success: Estimate
    invalid_rate: float
    errors: int
    by_type: dict[str, TypeSummary]


class Delta(Frozen):
    """A paired difference in success, over ``n`` pairs on ``tasks`` tasks.

    ``by_type`` holds the mean difference of each type.
    """

    mean: float
    ci: tuple[float, float]
    n: int
    tasks: int
    by_type: dict[str, float] = Field(default_factory=dict)


class Progress(Frozen):
    """How far a run has come, and why it stopped."""

    id: str
    status: Literal["complete", "budget", "interrupted", "partial"]
    reason: str = ""
    done: int
    planned: int


class Summary(Frozen):
    """``summary.json``. ``deltas`` are of success; attempts beyond the first are in neither.

    ``later_attempts`` holds success by arm and attempt, apart from the first pass.
    """

    run: Progress
    arms: dict[str, ArmSummary]
    deltas: dict[str, Delta]
    retrieval: dict[str, float] = Field(default_factory=dict)
    later_attempts: dict[str, dict[str, Estimate]] = Field(default_factory=dict)


class Point(Frozen):
    """One point of a learning curve: a rate after ``episode`` episodes, with its 95 % band."""

    episode: int
    rate: float
    low: float
    high: float


def wilson(successes: float, n: float) -> tuple[float, float]:
    """Wilson's score interval (Wilson 1927) at 95 % for a rate ``successes / n``, n > 0.

    Neither needs to be whole: ``n`` may be an effective sample size.
    """
    p = successes / n
    centre = (p + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 / (1 + Z95**2 / n) * sqrt(p * (1 - p) / n + Z95**2 / (4 * n * n))
    return (max(0.0, centre - half), min(1.0, centre + half))


def rate(values: Sequence[float], clusters: Sequence[str]) -> Estimate:
    """A success rate with Wilson's interval on the effective sample size n / deff.

    deff is Kish's design effect: the variance of the mean over whole clusters against that of
    independent draws, at least 1. Where every value is equal no variance can be seen; each cluster
    then counts once.
    """
    n = len(values)
    if n == 0:
        return Estimate(mean=None, ci=None, n=0)
    sums, counts = _by_cluster(values, clusters)
    p = float(sums.sum() / n)
    groups = len(counts)
    if groups == n:
        effective = float(n)
    elif p in (0.0, 1.0) or groups < 2:
        effective = float(groups)
    else:
        residual = sums - p * counts
        variance = groups / (groups - 1) * float((residual**2).sum()) / n**2
        effective = n / max(1.0, variance / (p * (1 - p) / n))
    return Estimate(mean=p, ci=wilson(p * effective, effective), n=n)


def mean(values: Sequence[float], clusters: Sequence[str]) -> Estimate:
    """A mean with the percentile interval of a bootstrap over whole clusters."""
    if not values:
        return Estimate(mean=None, ci=None, n=0)
    sums, counts = _by_cluster(values, clusters)
    return Estimate(
        mean=float(sums.sum() / counts.sum()), ci=bootstrap(sums, counts), n=len(values)
    )


def bootstrap(sums: Floats, counts: Floats, resamples: int = RESAMPLES) -> tuple[float, float]:
    """The 2.5 and 97.5 percentiles of sum(sums) / sum(counts) over resampled clusters.

    ``sums[i]`` and ``counts[i]`` are the total and the number of values of cluster i.
    """
    generator = np.random.default_rng(0)
    groups = len(sums)
    even = np.full(groups, 1 / groups)
    means: list[Floats] = []
    for begin in range(0, resamples, 1000):
        weights = generator.multinomial(groups, even, size=min(1000, resamples - begin))
        means.append((weights @ sums) / (weights @ counts))
    low, high = np.percentile(np.concatenate(means), [2.5, 97.5])
    return (float(low), float(high))


def won(line: EpisodeLine) -> float:
    """Success as a number."""
    return float(line.success)


def paired(
    a: Sequence[EpisodeLine],
    b: Sequence[EpisodeLine],
    value: Callable[[EpisodeLine], float] = won,
) -> Delta | None:
    """Success of ``a`` minus that of ``b`` over the episodes both have played; None without any.

    ``value`` is what is compared, in [0, 1]. A pair shares task, seed and attempt. The interval is
    a bootstrap over tasks. If every task differs by the same amount the bootstrap can see no
    variance; the interval is then Newcombe's (1998, method 10 without correlation) from the two
    arms' Wilson intervals over the tasks.
    """
    other = {(line.seed, line.attempt, line.task_id): line for line in b}
    pairs = [
        (line, other[key])
        for line in a
        if (key := (line.seed, line.attempt, line.task_id)) in other
    ]
    if not pairs:
        return None
    values = [value(x) - value(y) for x, y in pairs]
    sums, counts = _by_cluster(values, [x.task_id for x, _ in pairs])
    tasks = len(sums)
    low, high = bootstrap(sums, counts)
    if high == low:
        low, high = newcombe(
            sum(value(x) for x, _ in pairs) / len(pairs),
            sum(value(y) for _, y in pairs) / len(pairs),
            tasks,
        )
    types: dict[str, list[float]] = defaultdict(list)
    for (x, _), gain in zip(pairs, values, strict=True):
        types[x.task_type].append(gain)
    return Delta(
        mean=sum(values) / len(values),
        ci=(low, high),
        n=len(pairs),
        tasks=tasks,
        by_type={kind: sum(found) / len(found) for kind, found in sorted(types.items())},
    )


def newcombe(p: float, q: float, n: float) -> tuple[float, float]:
    """Newcombe's square-and-add interval for p - q, both rates over ``n`` (correlation 0)."""
    low_p, high_p = wilson(p * n, n)
    low_q, high_q = wilson(q * n, n)
    d = p - q
    return (
        d - sqrt((p - low_p) ** 2 + (high_q - q) ** 2),
        d + sqrt((high_p - p) ** 2 + (q - low_q) ** 2),
    )


def curve(lines: Sequence[EpisodeLine], window: int | None = None) -> list[Point]:
    """Success after 1, 2, ... episodes, the mean over seeds, of one arm's first attempts.

    With ``window`` each point covers the last ``window`` episodes (fewer at the start), otherwise
    all so far. The band is Wilson's interval of the pooled rate. A curve ends where the shortest
    seed ends, so that every point averages over the same seeds.
    """
    by_seed: dict[int, list[EpisodeLine]] = defaultdict(list)
    for line in lines:
        by_seed[line.seed].append(line)
    rows = [sorted(seed, key=lambda line: line.index) for seed in by_seed.values()]
    length = min((len(row) for row in rows), default=0)
    if length == 0:
        return []
    success = np.array([[float(line.success) for line in row[:length]] for row in rows])
    total = np.concatenate([[0.0], np.cumsum(success.sum(axis=0))])
    points: list[Point] = []
    for end in range(1, length + 1):
        begin = 0 if window is None else max(0, end - window)
        n = (end - begin) * len(rows)
        hits = float(total[end] - total[begin])
        low, high = wilson(hits, n)
        points.append(Point(episode=end, rate=hits / n, low=low, high=high))
    return points


def summarise(lines: Sequence[EpisodeLine], arms: Sequence[Arm], run: Progress) -> Summary:
    """The summary of a run from its episodes. ``arms`` gives the order of arms and deltas."""
    first = {arm: [line for line in lines if line.arm == arm and line.attempt == 1] for arm in arms}
    deltas: dict[str, Delta] = {}
    for a, b in (
        (Arm.ONLINE, Arm.OFF),
        (Arm.FROZEN, Arm.OFF),
        (Arm.ONLINE, Arm.FROZEN),
        (Arm.FROZEN, Arm.SHUFFLED),
        (Arm.SHUFFLED, Arm.OFF),
    ):
        delta = paired(first.get(a, []), first.get(b, []))
        if delta is not None:
            deltas[f"{a}-{b}"] = delta
    later: dict[str, dict[str, Estimate]] = {}
    for arm in arms:
        attempts = sorted({line.attempt for line in lines if line.arm == arm} - {1})
        if attempts:
            later[arm] = {
                str(k): _success([x for x in lines if x.arm == arm and x.attempt == k])
                for k in attempts
            }
    return Summary(
        run=run,
        arms={arm: _arm_summary(found) for arm, found in first.items() if found},
        deltas=deltas,
        later_attempts=later,
    )


def default_window(lines: Sequence[EpisodeLine]) -> int:
    """A window for the moving curve: a fifth of an arm's episodes, from 3 to 20."""
    length = max((line.index + 1 for line in lines), default=0)
    return max(3, min(20, length // 5))


def _arm_summary(lines: Sequence[EpisodeLine]) -> ArmSummary:
    tasks = [line.task_id for line in lines]
    prices = [line.usd for line in lines if line.usd is not None]
    won = [line for line in lines if line.success]
    actions = sum(line.steps for line in lines)

    def of(read: Callable[[EpisodeLine], float]) -> Estimate:
        return mean([read(line) for line in lines], tasks)

    types: Mapping[str, list[EpisodeLine]] = {
        kind: [line for line in lines if line.task_type == kind]
        for kind in sorted({line.task_type for line in lines})
    }
    return ArmSummary(
        success=_success(lines),
        reward=of(lambda line: line.reward),
        steps=of(lambda line: line.steps),
        tokens=of(lambda line: line.tokens),
        recalled_tokens=of(lambda line: line.recalled_tokens),
        cost=mean(prices, tasks) if len(prices) == len(lines) else None,
        seconds=of(lambda line: line.seconds),
        steps_success=mean([float(x.steps) for x in won], [x.task_id for x in won]),
        invalid_rate=sum(line.invalid_actions for line in lines) / actions if actions else 0.0,
        errors=sum(line.error is not None for line in lines),
        by_type={
            kind: TypeSummary(
                success=_success(found),
                reward=mean([x.reward for x in found], [x.task_id for x in found]),
                steps=mean([float(x.steps) for x in found], [x.task_id for x in found]),
            )
            for kind, found in types.items()
        },
    )


def _success(lines: Sequence[EpisodeLine]) -> Estimate:
    return rate([float(line.success) for line in lines], [line.task_id for line in lines])


def _by_cluster(values: Sequence[float], clusters: Sequence[str]) -> tuple[Floats, Floats]:
    """The sum and the number of the values of each cluster, clusters in sorted order."""
    names, member = np.unique(np.asarray(clusters), return_inverse=True)
    sums = np.bincount(member, weights=np.asarray(values, dtype=np.float64), minlength=len(names))
    counts = np.bincount(member, minlength=len(names)).astype(np.float64)
    return sums.astype(np.float64), counts
