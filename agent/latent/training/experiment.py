"""The rule-table experiment: all arms learn the same new ids and are tested on the same strings."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence

import torch
from pydantic import Field

from ....memory.records import Frozen
from ..backbone import Backbone
from ..config import LatentConfig, LoraConfig, TriggerConfig, WeaverConfig
from ..net import WovenNet
from .arms import ARMS, Arm, make_arm
from .evaluation import (
    auroc,
    calibration_error,
    chances,
    collapse,
    dropped,
    follows,
    noise,
    score,
    shuffled,
    swapped,
)
from .examples import Example, encode, make_batch
from .rules import Table, apply, draw_letters, new_table, recalling, telling
from .trainer import Loss, TrainOptions, train
from .trigger_training import TriggerGRPO, TriggerRL, warm_start_loss
from .weaver_grpo import WeaverGRPO, WeaverRL
from .weaver_loss import Draw, WeaverLosses, loss_of, mixed, weaver_loss


class RuleSettings(Frozen):
    """The experiment's size. The defaults are those of the benchmark."""

    ids: int = Field(default=20, ge=2, description="new ids to learn")
    latents: int = Field(default=8, ge=1)
    rank: int = Field(default=16, ge=1)
    steps: int = Field(default=600, ge=1)
    looks: tuple[int, ...] = Field(default=(50, 100, 200, 400), description="tested after these")
    batch: int = Field(default=32, ge=1)
    rate: float = Field(default=1.5e-3, gt=0)
    exchange: float = Field(default=0.5, ge=0, le=1)
    retention: float = Field(default=0.25, ge=0, lt=1, description="share of old questions")
    two_steps: float = Field(default=0.0, ge=0, le=1, description="share of two-step questions")
    inner: bool = Field(default=True, description="latents in mid-answer of two-step questions")
    tables: float = Field(default=0.0, ge=0, le=1, description="share of old questions on tables")
    trigger_steps: int = Field(default=300, ge=1)
    tests: int = Field(default=200, ge=1)
    reads: str = "cache"
    writes: str = "cache"
    seed: int = 0

    def latent_config(self) -> LatentConfig:
        """The nets' configuration."""
        inner = self.latents if self.two_steps and self.inner else 0
        weaver = WeaverConfig.model_validate(
            {
                "prompt_latents": self.latents,
                "inner_latents": inner,
                "inner_points": 1 if inner else 0,
                "lora": LoraConfig(rank=self.rank, alpha=2.0 * self.rank),
                "reads": self.reads,
                "writes": self.writes,
            }
        )
        return LatentConfig(weaver=weaver, trigger=TriggerConfig(), seed=self.seed)


class World:
    """New ids, and what is drawn from them: to learn, to test, and what must not be forgotten."""

    def __init__(
        self, backbone: Backbone, settings: RuleSettings, without: Table | None = None
    ) -> None:
        assert backbone.tokenizer is not None, "the rule task needs its tokenizer"
        self.tokenizer = backbone.tokenizer
        self.settings = settings
        rng = random.Random(f"{settings.seed}/table")
        self.table: Table = new_table(settings.ids, rng, without)

    def new(self, rng: random.Random, *, test: bool = False, steps: int | None = None) -> Example:
        """A question about new ids."""
        if steps is None:
            steps = 2 if rng.random() < self.settings.two_steps else 1
        return encode(self.tokenizer, recalling(self.table, rng, steps=steps, test=test))

    def old(self, rng: random.Random, *, test: bool = False) -> Example:
        """A question that says all that is needed: what the reasoner could always answer."""
        steps = 2 if rng.random() < self.settings.two_steps else 1
        return encode(
            self.tokenizer,
            telling(rng, steps=steps, tables=self.settings.tables, test=test),
            needless=True,
        )

    def either(self, rng: random.Random) -> Example:
        """One or the other, as likely."""
        return self.new(rng) if rng.random() < 0.5 else self.old(rng)

    def tests(self, draw: Callable[..., Example], **options: object) -> list[Example]:
        """So many test questions, the same for every arm."""
        rng = random.Random(f"{self.settings.seed}/test")
        return [draw(rng, test=True, **options) for _ in range(self.settings.tests)]

    def pairs(self, *, same: bool) -> tuple[list[tuple[Example, Example]], list[tuple[int, ...]]]:
        """Pairs to swap latents between, and what each must then answer.

        Of the same id with other letters, the own answer; of another id with the same letters, the
        donor's.
        """
        rng = random.Random(f"{self.settings.seed}/pairs/{same}")
        pairs: list[tuple[Example, Example]] = []
        wanted: list[tuple[int, ...]] = []
        while len(pairs) < self.settings.tests // 2:
            one, other = rng.sample(sorted(self.table), 2)
            if not same and self.table[one] == self.table[other]:
                continue
            letters = draw_letters(rng, test=True)
            asked = ((one, letters), (one if same else other, letters))
            if same:
                asked = (asked[0], (one, draw_letters(rng, test=True)))
            made = [self._asked(*each) for each in asked]
            pairs.append((made[0], made[1]))
            wanted += [x.answer for x in (made if same else made[::-1])]
        return pairs, wanted

    def _asked(self, name: str, letters: str) -> Example:
        from .rules import Problem

        answer = apply(self.table[name], letters)
        return encode(self.tokenizer, Problem(f"{name} {letters}", answer, (name,), letters))


Watch = Callable[[str, int, int, float], None]
"""Told the arm, the step, how many there are, and the loss."""


def train_arm(
    arm: Arm, world: World, watch: Watch | None = None, looks: dict[int, float] | None = None
) -> list[float]:
    """Every arm learns by the same batches in the same order.

    ``looks`` is given the exact match on new questions after the steps of ``settings.looks``.
    """
    settings = world.settings
    losses = WeaverLosses(
        batch=settings.batch,
        retention=settings.retention,
        exchange=settings.exchange if arm.name in ("weaver", "learned", "embedded") else 0.0,
    )
    if arm.woven:
        loss = weaver_loss(arm.net, world.new, losses, world.old)
    else:
        loss = plain_loss(arm, world.new, losses, world.old)
    options = TrainOptions(
        steps=settings.steps, rate=settings.rate, seed=settings.seed, save_every=10**9
    )

    def told(step: int, steps: int, value: float) -> None:
        if looks is not None and step in settings.looks:
            looks[step] = score(arm, world.tests(world.new)).exact
        if watch is not None:
            watch(arm.name, step, steps, value)

    return train(arm.net, loss, options, parameters=arm.parameters(), watch=told)


def plain_loss(arm: Arm, draw: Draw, losses: WeaverLosses, retention: Draw) -> Loss:
    """The same loss for a delta on the reasoner."""

    def loss(rng: random.Random) -> torch.Tensor:
        batch = make_batch(arm.net, mixed(draw, losses, retention, rng), woven=False)
        with arm.on():
            return loss_of(arm.net, batch)

    return loss


def train_trigger(net: WovenNet, world: World) -> None:
    """The warm start."""
    loss = warm_start_loss(net, world.either, seed=world.settings.seed)
    options = TrainOptions(
        steps=world.settings.trigger_steps, rate=0.05, seed=world.settings.seed, save_every=10**9
    )
    train(net, loss, options, parameters=net.trigger.heads.parameters())


def reinforce_trigger(
    net: WovenNet, world: World, penalties: Iterable[float], steps: int = 60
) -> dict[float, dict[str, float]]:
    """From a trigger that knows nothing, once for each λ: the rates at which it comes to insert.

    Not from the warm start: that is sure of itself, and where all roll-outs of a group do the same
    there is nothing to learn from.
    """
    start = {name: one.clone() for name, one in net.trigger.state_dict().items()}
    fresh = WovenNet(net.backbone, net.config).trigger.state_dict()
    found: dict[float, dict[str, float]] = {}
    for penalty in penalties:
        net.trigger.load_state_dict(fresh)
        loss = TriggerGRPO(net, world.either, TriggerRL(penalty=penalty, max_tokens=12))
        options = TrainOptions(steps=steps, rate=0.05, seed=world.settings.seed, save_every=10**9)
        train(net, loss, options, parameters=net.trigger.heads.parameters())
        new, old = world.tests(world.new), world.tests(world.old)
        rates = {
            "rate_new": sum(chances(net, new)) / len(new),
            "rate_old": sum(chances(net, old)) / len(old),
        }
        rates["rate"] = (rates["rate_new"] + rates["rate_old"]) / 2
        found[penalty] = rates
    net.trigger.load_state_dict(start)
    return found


def run_rules(
    backbone: Backbone,
    settings: RuleSettings,
    names: Sequence[str] = ARMS,
    watch: Watch | None = None,
) -> tuple[dict[str, float], dict[str, Arm], World]:
    """Train and test the arms; numbers by ``arm.measure``."""
    world = World(backbone, settings)
    new, old = world.tests(world.new), world.tests(world.old)
    found: dict[str, float] = {}
    arms = {name: make_arm(name, backbone, settings.latent_config()) for name in names}
    for name, arm in arms.items():
        if arm.parameters():
            looks: dict[int, float] = {}
            losses = train_arm(arm, world, watch, looks)
            found |= {f"{name}.new_after_{step}": exact for step, exact in looks.items()}
            found[f"{name}.loss"] = sum(losses[-20:]) / len(losses[-20:])
        found[f"{name}.parameters"] = arm.size
        for what, tests in (("new", new), ("old_always_on", old)):
            scores = score(arm, tests)
            found[f"{name}.{what}"] = scores.exact
            found[f"{name}.{what}_likelihood"] = scores.likelihood
    if "weaver" in arms:
        found |= causes(arms["weaver"], world)
        train_trigger(arms["weaver"].net, world)
        found |= gated(arms, world)
    return found, arms, world


def causes(arm: Arm, world: World) -> dict[str, float]:
    """Swaps, shuffled, dropped and random latents, and collapse, of single questions."""
    found: dict[str, float] = {}
    for name, same in (("same_id", True), ("other_id", False)):
        pairs, wanted = world.pairs(same=same)
        found[f"swap.{name}"] = follows(arm, pairs, wanted, swapped)
    pairs, wanted = world.pairs(same=True)
    none = {
        "own": None,
        "shuffled": shuffled(0),
        "random": noise(0),
        "dropped_half": dropped(world.settings.latents // 2),
        "dropped": dropped(world.settings.latents),
    }
    for name, edit in none.items():
        found[f"latents.{name}"] = follows(arm, pairs, wanted, edit)
    rng = random.Random(world.settings.seed)
    shown = [world.new(rng, test=True, steps=1) for _ in range(world.settings.tests)]
    return found | {f"collapse.{name}": x for name, x in collapse(arm.net, shown).items()}


def gated(arms: dict[str, Arm], world: World) -> dict[str, float]:
    """All arms behind the weaver's trigger: the new, and the old in units of vanilla's."""
    trigger = arms["weaver"].net
    new, old = world.tests(world.new), world.tests(world.old)
    needed, needless = chances(trigger, new), chances(trigger, old)
    both = [*needed, *needless]
    truth = [True] * len(needed) + [False] * len(needless)
    found = {
        "trigger.auroc": auroc(needed, needless),
        "trigger.ece": calibration_error(both, truth),
        "trigger.rate_new": sum(one >= 0.5 for one in needed) / len(needed),
        "trigger.rate_old": sum(one >= 0.5 for one in needless) / len(needless),
    }
    vanilla = score(arms["vanilla"], old).exact if "vanilla" in arms else 1.0
    for name, arm in arms.items():
        if not arm.parameters():
            continue
        on_new = score(arm, new, fires=[one >= 0.5 for one in needed])
        on_old = score(arm, old, fires=[one >= 0.5 for one in needless])
        found[f"{name}.gated_new"] = on_new.exact
        found[f"{name}.retention"] = on_old.exact / max(vanilla, 1e-9)
    return found


def reinforce_weaver(
    backbone: Backbone, settings: RuleSettings, steps: int, *, kl: float = 0.0
) -> dict[str, float]:
    """Held-out reward after teaching, and after ``steps`` of reinforcement from there."""
    world = World(backbone, settings)
    arm = make_arm("weaver", backbone, settings.latent_config())
    train_arm(arm, world)
    new = world.tests(world.new)
    before = score(arm, new).exact
    rl = WeaverGRPO(arm.net, world.new, WeaverRL(prompts=16, group=8, kl=kl, max_tokens=12))
    options = TrainOptions(
        steps=steps, rate=settings.rate / 5, seed=settings.seed, save_every=10**9
    )
    train(arm.net, rl, options, parameters=arm.parameters())
    return {"taught": before, "reinforced": score(arm, new).exact, "sampled": rl.reward}


def continual(
    backbone: Backbone, settings: RuleSettings, name: str, watch: Watch | None = None
) -> dict[str, float]:
    """One arm learns a table, then another: what it knows of both after each."""
    arm = make_arm(name, backbone, settings.latent_config())
    first = World(backbone, settings)
    later = settings.model_copy(update={"seed": settings.seed + 1000})
    second = World(backbone, later, first.table)
    train_arm(arm, first, watch)
    found = {f"{name}.first": score(arm, first.tests(first.new)).exact}
    train_arm(arm, second, watch)
    found[f"{name}.first_after"] = score(arm, first.tests(first.new)).exact
    found[f"{name}.second"] = score(arm, second.tests(second.new)).exact
    return found
