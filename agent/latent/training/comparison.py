"""A trained weaver against its own reasoner: off, always on, behind its trigger; and best-of-n."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence

from ..generation import ByTrigger, Generated, Never, Sampling, generate
from ..net import WovenNet
from .arms import Arm
from .evaluation import chances, collapse, score
from .examples import Example

Watch = Callable[[int, int], None]


def compare(
    net: WovenNet,
    new: Sequence[Example],
    old: Sequence[Example] = (),
    *,
    best_of: int = 0,
    watch: Watch | None = None,
) -> dict[str, dict[str, float]]:
    """Scores on the new, and (``old_exact``) on what should not be forgotten, by arm.

    ``best_of`` 0 takes as many samples as cost what the weaver always on does, at least one.
    """
    arms = {
        "vanilla": (Arm("vanilla", net), False),
        "weaver": (Arm("weaver", net, woven=True), False),
        "weaver, trigger": (Arm("weaver", net, woven=True), True),
    }
    found: dict[str, dict[str, float]] = {}
    for place, (name, (arm, gated)) in enumerate(arms.items()):
        found[name] = _scored(arm, new, gated=gated)
        found[name]["old_exact"] = _scored(arm, old, gated=gated)["exact"] if old else math.nan
        if watch is not None:
            watch(place + 1, len(arms) + 1)
    n = best_of or max(1, round(found["weaver"]["flops"] / max(1.0, found["vanilla"]["flops"])))
    right = sum(one.answered_by(majority(net, one, n)) for one in new) / len(new)
    blank = dict.fromkeys(found["vanilla"], math.nan)
    found[f"vanilla, most frequent of {n}"] = blank | {"exact": right}
    if net.opened:
        for key, value in collapse(net, new).items():
            found["weaver"][f"latents_{key}"] = value
            for other in found.values():
                other.setdefault(f"latents_{key}", math.nan)
    if watch is not None:
        watch(len(arms) + 1, len(arms) + 1)
    return found


def majority(net: WovenNet, example: Example, n: int) -> tuple[int, ...]:
    """The answer that n samples of the bare reasoner agree on most often; greedy for one."""
    sampling = Sampling(
        max_tokens=2 * len(example.answer) + 1, temperature=1.0 if n > 1 else 0.0, seed=0
    )
    told: list[Generated] = generate(net, [example.prompt] * n, decider=Never(), sampling=sampling)
    votes = [(example.compared(one.tokens), tuple(one.tokens)) for one in told]
    count = Counter(vote for vote, _ in votes if vote is not None)
    best = count.most_common(1)[0][0] if count else None
    return next(tokens for vote, tokens in votes if vote == best)


def _scored(arm: Arm, examples: Sequence[Example], *, gated: bool) -> dict[str, float]:
    if not gated:
        return score(arm, examples).fields()
    fires = [one >= 0.5 for one in chances(arm.net, examples)]
    return score(arm, examples, fires=fires, decider=ByTrigger(arm.net)).fields()
