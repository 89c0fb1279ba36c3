"""The trigger's training: a warm start from what an insertion was worth, then reinforcement.

Reasoner and weaver stay as they are. What the trigger's heads read does not depend on them, so the
states noted in a roll-out serve every update upon it.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from pydantic import Field
from torch import Tensor, nn

from ....errors import SettingsError
from ....memory.records import Frozen
from ..config import KINDS, Kind
from ..forced import forced, token_logprobs
from ..generation import ByTrigger, Generated, Place, Sampling, generate
from ..net import WovenNet
from ..tensors import numbers
from .examples import Batch, Example, make_batch
from .processes import mean
from .trainer import Loss
from .weaver_loss import Draw

Reward = Callable[[Example, Generated], float]
"""What an answer earns."""


def exact(example: Example, answer: Generated) -> float:
    """1 for the answer wanted, else 0. See ``Example.compared``."""
    return float(example.answered_by(answer.tokens))


@dataclass(frozen=True)
class Judged:
    """Points of one kind: what the trigger reads there (N, d), and what an insertion gained (N,).

    The gain is in nats of the whole answer.
    """

    kind: Kind
    states: Tensor
    gains: Tensor


@torch.no_grad()
def judge(net: WovenNet, batch: Batch) -> list[Judged]:
    """The worth of each point of a batch: Δ_j = log π(y | plan) − log π(y | plan without j).

    The labels are counterfactual: everything but the one insertion stays as it is.
    """
    whole, before = _likelihood(net, batch)
    found: dict[Kind, list[tuple[Tensor, float]]] = {kind: [] for kind in KINDS}
    for place in range(max(map(len, batch.plan))):
        rows = [row for row, one in enumerate(batch.plan) if place < len(one)]
        without = tuple(
            one[:place] + one[place + 1 :] if place < len(one) else one for one in batch.plan
        )
        left, _ = _likelihood(net, replace(batch, plan=without))
        for row in rows:
            gain = float(whole[row] - left[row])
            found[batch.plan[row][place].kind].append((before[row, place], gain))
    return [
        Judged(kind, torch.stack([s for s, _ in points]), torch.tensor([g for _, g in points]))
        for kind, points in found.items()
        if points
    ]


def _likelihood(net: WovenNet, batch: Batch) -> tuple[Tensor, Tensor]:
    """log π(y | x, plan) (B,) in nats, and the states before the points (B, P, d)."""
    read = forced(net, batch.rows, batch.plan, memories=batch.memories, unasked=batch.unasked)
    return token_logprobs(net, read, batch.wanted).sum(-1), read.before


def warm_start_loss(
    net: WovenNet,
    draw: Draw,
    *,
    batch: int = 64,
    batches: int = 8,
    worth: float = 0.1,
    seed: int = 0,
) -> Loss:
    """Binary cross-entropy on whether an insertion gained over ``worth`` nats.

    The points of ``batches`` batches are judged once. A trigger with a delta of its own is trained
    on the states that it had at first, its heads alone.
    """
    rng = random.Random(seed)
    judged = [
        one
        for _ in range(batches)
        for one in judge(net, make_batch(net, [draw(rng) for _ in range(batch)]))
    ]

    def loss(rng: random.Random) -> Tensor:
        parts = [
            nn.functional.binary_cross_entropy_with_logits(
                net.trigger.logits(one.kind, one.states),
                (one.gains > worth).float().to(one.states.device),
            )
            for one in rng.sample(judged, min(len(judged), 8))
        ]
        return torch.stack(parts).mean()

    return loss


class TriggerRL(Frozen):
    """Group-relative policy optimisation of the trigger's decisions."""

    prompts: int = Field(default=8, ge=1, description="questions a step")
    group: int = Field(default=8, ge=2, description="roll-outs a question (G)")
    penalty: float = Field(default=0.1, ge=0, description="λ, for each insertion over the norm")
    target: float | None = Field(
        default=None, gt=0, lt=1, description="the rate of insertions that λ is steered to"
    )
    steering: float = Field(default=0.05, ge=0, description="how fast λ follows the rate")
    clip: float = Field(default=0.2, gt=0)
    max_tokens: int = Field(default=64, ge=1)


@dataclass(frozen=True)
class Rolled:
    """A roll-out: its answer, the states (D, d) and kinds of its decisions, and its reward."""

    answer: Generated
    states: Tensor
    kinds: tuple[Kind, ...]
    reward: float

    @property
    def decisions(self) -> Tensor:
        """d_j ∈ {0, 1} (D,)."""
        return torch.tensor([float(one.inserted) for one in self.answer.decisions])


class _Noting:
    """`ByTrigger` that samples, and keeps what the trigger read."""

    def __init__(self, net: WovenNet) -> None:
        self._inner = ByTrigger(net, sample=True)
        self.seen: dict[int, list[Tensor]] = {}

    def decide(
        self, places: Sequence[Place], states: Callable[[Sequence[int]], Tensor]
    ) -> list[float | None]:
        found = self._inner.decide(places, states)
        asked = [i for i, chance in enumerate(found) if chance is not None]
        if asked:
            for i, state in zip(asked, states(asked), strict=True):
                self.seen.setdefault(places[i].row, []).append(state)
        return found


def penalised(rolled: Sequence[Rolled], penalty: float) -> list[float]:
    """R_i − λ Σ_j max(0, d_ij − p̄), the reward-adaptive penalty (arXiv 2509.24704, eq. 8, 9).

    p̄ is the mean rate of insertion of the roll-outs whose reward is at least the median: what the
    good ones needed is free.
    """
    middle = statistics.median(one.reward for one in rolled)
    rates = [
        float(one.decisions.mean()) for one in rolled if one.reward >= middle and len(one.decisions)
    ]
    norm = statistics.fmean(rates) if rates else 0.0
    return [
        one.reward - penalty * float((one.decisions - norm).clamp(min=0).sum()) for one in rolled
    ]


def advantages(rewards: Sequence[float]) -> list[float] | None:
    """A_i = (r_i − mean) / (std + 1e-4) in a group; None if all are the same and teach nothing."""
    if max(rewards) - min(rewards) < 1e-9:
        return None
    mean, spread = statistics.fmean(rewards), statistics.stdev(rewards)
    return [(one - mean) / (spread + 1e-4) for one in rewards]


class TriggerGRPO:
    """The loss of a step: roll-outs with sampled decisions, then the clipped ratio.

    Answers are greedy; only decisions are drawn. ``penalty`` is λ as it stands: with a target rate
    it moves by steering × (rate − target) after each step. ``rate`` is the last step's, over all
    processes.
    """

    def __init__(
        self, net: WovenNet, draw: Draw, options: TriggerRL, reward: Reward = exact
    ) -> None:
        if net.trigger.lora is not None:
            raise SettingsError(
                "Reinforcement trains the heads of a trigger that reads the reasoner's own states:"
                " set TriggerConfig(lora=None), or stay with the warm start."
            )
        self._net, self._draw, self._options, self._reward = net, draw, options, reward
        self.penalty = options.penalty
        self.rate = 0.0

    def state_dict(self) -> dict[str, float]:
        """The last step's rate, and λ where it follows a target."""
        steered = {} if self._options.target is None else {"penalty": self.penalty}
        return {"rate": self.rate, **steered}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Go on from what ``state_dict`` gave."""
        self.penalty, self.rate = state.get("penalty", self.penalty), state["rate"]

    def __call__(self, rng: random.Random) -> Tensor:
        """−1/N Σ_ij min(ρ A, clip(ρ, 1 ± ε) A) over the decisions j of roll-outs i."""
        groups = self._roll(rng)
        self._steer([one for group in groups for one in group])
        parts: list[Tensor] = []
        for group in groups:
            gained = advantages(penalised(group, self.penalty))
            if gained is None:
                continue
            parts += [self._part(one, a) for one, a in zip(group, gained, strict=True)]
        if not parts:
            return torch.zeros(())
        return torch.cat(parts).mean()

    def _part(self, one: Rolled, advantage: float) -> Tensor:
        done = one.decisions.to(one.states.device)
        logits = torch.stack(
            [
                self._net.trigger.logits(kind, state[None])[0]
                for kind, state in zip(one.kinds, one.states, strict=True)
            ]
        )
        said = torch.tensor([d.probability for d in one.answer.decisions], device=done.device)
        now = -nn.functional.binary_cross_entropy_with_logits(logits, done, reduction="none")
        then = torch.where(done > 0, said, 1 - said).clamp(min=1e-9).log()
        return -clipped(now - then, advantage, self._options.clip)

    @torch.no_grad()
    def _roll(self, rng: random.Random) -> list[list[Rolled]]:
        options, net = self._options, self._net
        examples = [self._draw(rng) for _ in range(options.prompts)]
        rows = [one for one in examples for _ in range(options.group)]
        noting = _Noting(net)
        memories = [one.memory for one in rows]
        answers = generate(
            net,
            [one.prompt for one in rows],
            decider=noting,
            sampling=Sampling(max_tokens=options.max_tokens, seed=rng.getrandbits(31)),
            memories=memories if any(memories) else None,
        )
        rolled = [
            Rolled(
                answer,
                torch.stack(noting.seen[row]) if row in noting.seen else torch.zeros(0, 1),
                tuple(one.kind for one in answer.decisions),
                self._reward(rows[row], answer),
            )
            for row, answer in enumerate(answers)
        ]
        size = options.group
        groups = [rolled[i : i + size] for i in range(0, len(rolled), size)]
        return [
            [one for one in group if one.kinds] for group in groups if any(o.kinds for o in group)
        ]

    def _steer(self, rolled: Sequence[Rolled]) -> None:
        done = torch.cat([one.decisions for one in rolled]) if rolled else torch.zeros(1)
        counts = torch.tensor([float(done.sum()), len(done)], device=self._net.backbone.device)
        inserted, asked = numbers(mean(counts))  # of all processes: λ is the same in each
        self.rate = inserted / asked
        if self._options.target is not None:
            change = self._options.steering * (self.rate - self._options.target)
            self.penalty = max(0.0, self.penalty + change)


def clipped(log_ratio: Tensor, advantage: float | Tensor, clip: float) -> Tensor:
    """min(ρ A, clip(ρ, 1 − ε, 1 + ε) A), ρ = exp(log_ratio) (PPO, arXiv 1707.06347, eq. 7)."""
    ratio = log_ratio.exp()
    return torch.minimum(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage)
