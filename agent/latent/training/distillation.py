"""Context distillation on the rule-table task: latents in the place of a recalled text.

Every question comes with a table of its own, so that nothing can be learnt by heart: the weaver has
to read the memory, find the line that is asked for, and hand on what it says. The teacher reads the
same table as text. Tables grow as they are understood.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from pydantic import Field

from ....memory.records import Frozen
from ..backbone import Backbone
from ..config import LatentConfig, LoraConfig, WeaverConfig
from ..net import WovenNet
from .arms import Arm
from .evaluation import Scores, score
from .examples import Example, encode
from .reasoner import Curriculum
from .rules import new_table, recalling, telling
from .trainer import TrainOptions, train
from .weaver_loss import WeaverLosses, weaver_loss


class DistillSettings(Frozen):
    """The size of the experiment."""

    lines: int = Field(default=28, ge=1, description="ids in a memory, from one at first")
    latents: int = Field(default=8, ge=1)
    rank: int = Field(default=16, ge=1)
    steps: int = Field(default=400, ge=1)
    batch: int = Field(default=32, ge=1)
    rate: float = Field(default=1.5e-3, gt=0)
    retention: float = Field(default=0.25, ge=0, lt=1)
    weight: float = Field(default=0.5, ge=0, le=1, description="of the teacher")
    tests: int = Field(default=200, ge=1)
    seed: int = 0


def run_distillation(
    backbone: Backbone,
    settings: DistillSettings,
    watch: Callable[[int, int, float], None] | None = None,
) -> dict[str, float]:
    """Exact match with nothing, with the text, and with latents woven from it.

    ``recovered`` is the share of the text's gain that the latents have, ``untrained`` the same
    before training with the gate open, ``tokens`` their number over the text's.
    """
    assert backbone.tokenizer is not None, "the rule task needs its tokenizer"
    tokenizer = backbone.tokenizer

    lessons = Curriculum([*doubled(settings.lines)], least=0.1)

    def draw(rng: random.Random, *, test: bool = False) -> Example:
        lines = settings.lines if test else rng.randint(1, lessons.lesson)
        table = new_table(lines, rng)
        return encode(tokenizer, recalling(table, rng, lines=lines, test=test))

    def told(step: int, steps: int, loss: float) -> None:
        lessons.note(loss)
        if watch is not None:
            watch(step, steps, loss)

    weaver = WeaverConfig(
        prompt_latents=settings.latents,
        inner_latents=0,
        inner_points=0,
        lora=LoraConfig(rank=settings.rank, alpha=2.0 * settings.rank),
    )
    net = WovenNet(backbone, LatentConfig(weaver=weaver, seed=settings.seed))

    def old(rng: random.Random) -> Example:
        return encode(tokenizer, telling(rng, tables=0.0), needless=True)

    losses = WeaverLosses(
        batch=settings.batch,
        exchange=0.0,
        retention=settings.retention,
        distillation=settings.weight,
    )
    options = TrainOptions(
        steps=settings.steps, rate=settings.rate, seed=settings.seed, save_every=10**9
    )
    rng = random.Random(f"{settings.seed}/distillation")
    tests = [draw(rng, test=True) for _ in range(settings.tests)]
    loss = weaver_loss(net, draw, losses, old)
    untrained = recovery(net, tests)["recovered"]
    train(net, loss, options, watch=told)
    return recovery(net, tests) | {"untrained": untrained}


def doubled(most: int) -> Iterator[int]:
    """1, 2, 4 and so on, and at last ``most``."""
    one = 1
    while one < most:
        yield one
        one *= 2
    yield most


def recovery(net: WovenNet, tests: list[Example]) -> dict[str, float]:
    """The three figures on examples with memories, and what follows from them."""
    told = [Example(one.teacher, one.answer) for one in tests]
    nothing = [Example(one.prompt, one.answer) for one in tests]
    vanilla = Arm("vanilla", net)
    scores: dict[str, Scores] = {
        "nothing": score(vanilla, nothing),
        "text": score(vanilla, told),
        "latents": score(Arm("weaver", net, woven=True), tests),
    }
    gain = scores["text"].exact - scores["nothing"].exact
    text = sum(len(one.teacher) - len(one.prompt) for one in tests) / len(tests)
    return {name: one.exact for name, one in scores.items()} | {
        "recovered": (scores["latents"].exact - scores["nothing"].exact) / gain if gain else 0.0,
        "tokens": net.config.weaver.prompt_latents / text,
        "text_tokens": text,
    }
