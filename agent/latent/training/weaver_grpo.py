"""Group-relative policy optimisation of the weaver: it learns from what its answers earn.

Roll-outs are sampled with the weaver on; which points had latents is kept with them. Then the same
plan is read with gradients, so that log-probabilities are those of the very policy that answered.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import torch
from pydantic import Field
from torch import Tensor

from ....memory.records import Frozen
from ..forced import forced, token_logprobs
from ..generation import Always, Decider, Generated, Sampling, generate
from ..net import WovenNet
from ..plan import Plan, Point
from .examples import Example, answers_wanted
from .trigger_training import Reward, advantages, clipped, exact
from .weaver_loss import Draw


class WeaverRL(Frozen):
    """How to reinforce the weaver."""

    prompts: int = Field(default=8, ge=1, description="questions a step")
    group: int = Field(default=8, ge=2, description="roll-outs a question (G)")
    temperature: float = Field(default=1.0, gt=0)
    clip: float = Field(default=0.2, gt=0)
    kl: float = Field(default=0.0, ge=0, description="β, against the reasoner without latents")
    max_tokens: int = Field(default=64, ge=1)


class WeaverGRPO:
    """The loss of a step. ``reward`` is the last roll-outs' mean, ``skipped`` the groups left out.

    J = 1/N Σ_t min(ρ_t A, clip(ρ_t) A) − β KL(π ‖ π_0) (GRPO, arXiv 2402.03300, eq. 3; tokens
    weigh alike), where π_0 is the reasoner with nothing inserted, and the KL is estimated by
    exp(δ) − δ − 1 with δ = log π_0 − log π (its eq. 4).
    """

    def __init__(
        self,
        net: WovenNet,
        draw: Draw,
        options: WeaverRL,
        reward: Reward = exact,
        decider: Decider | None = None,
    ) -> None:
        net.open_gate()
        self._net, self._draw, self._options, self._reward = net, draw, options, reward
        self._decider = decider or Always()
        self.reward, self.skipped = 0.0, 0

    def state_dict(self) -> dict[str, float]:
        """The last step's reward."""
        return {"reward": self.reward}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Go on from what ``state_dict`` gave."""
        self.reward = state["reward"]

    def __call__(self, rng: random.Random) -> Tensor:
        """Roll out, then the loss; zero if every group's rewards are all the same."""
        options = self._options
        drawn = [self._draw(rng) for _ in range(options.prompts)]
        examples = [one for one in drawn for _ in range(options.group)]
        answers = self._answers(examples, rng.getrandbits(31))
        rewards = [self._reward(one, told) for one, told in zip(examples, answers, strict=True)]
        self.reward, self.skipped = sum(rewards) / len(rewards), 0
        rows: list[int] = []
        gained: list[float] = []
        for begin in range(0, len(rewards), options.group):
            group = advantages(rewards[begin : begin + options.group])
            if group is None:
                self.skipped += 1
                continue
            rows += range(begin, begin + options.group)
            gained += group
        if not rows:
            return torch.zeros(())
        return self._loss([examples[i] for i in rows], [answers[i] for i in rows], gained)

    def _answers(self, examples: Sequence[Example], seed: int) -> list[Generated]:
        memories = [one.memory for one in examples]
        sampling = Sampling(
            max_tokens=self._options.max_tokens,
            temperature=self._options.temperature,
            seed=seed,
        )
        return generate(
            self._net,
            [one.prompt for one in examples],
            decider=self._decider,
            sampling=sampling,
            memories=memories if any(memories) else None,
        )

    def _loss(
        self, examples: Sequence[Example], answers: Sequence[Generated], gained: Sequence[float]
    ) -> Tensor:
        rows = [(*one.prompt, *told.tokens) for one, told in zip(examples, answers, strict=True)]
        prompts = [len(one.prompt) for one in examples]
        wanted = answers_wanted(rows, prompts)
        plan: Plan = tuple(decided(told) for told in answers)
        memories = [one.memory for one in examples]
        read = forced(self._net, rows, plan, memories=memories if any(memories) else None)
        now = token_logprobs(self._net, read, wanted)
        then = torch.zeros_like(now)
        for row, told in enumerate(answers):
            begin = prompts[row] - 1
            then[row, begin : begin + len(told.logprobs)] = torch.tensor(told.logprobs)
        weights = torch.tensor(gained, device=now.device)[:, None]
        score = clipped(now - then, weights, self._options.clip)
        if self._options.kl:
            with torch.no_grad():
                bare = forced(self._net, rows, ((),) * len(rows))
                plain = token_logprobs(self._net, bare, wanted)
            apart = plain - now
            score = score - self._options.kl * (apart.exp() - apart - 1)
        at = wanted.to(now.device)
        return -score[at].mean()


def decided(answer: Generated) -> tuple[Point, ...]:
    """The points of an answer that had latents, in order."""
    return tuple(Point(one.at, one.kind) for one in answer.decisions if one.inserted)
