"""Training: what is learnt, what is kept when it stops, and what is said when it fails."""

import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch

from reverie.agent.latent.backbone import Backbone, tiny_backbone
from reverie.agent.latent.config import LatentConfig, LoraConfig, WeaverConfig
from reverie.agent.latent.generation import Always, Generated, Sampling, generate
from reverie.agent.latent.net import WovenNet
from reverie.agent.latent.stream import Latents
from reverie.agent.latent.tensors import numbers
from reverie.agent.latent.training.examples import Example, encode, make_batch
from reverie.agent.latent.training.reasoner import widen
from reverie.agent.latent.training.rules import new_table, recalling, rule_tokenizer, telling
from reverie.agent.latent.training.teaching import drawn, teach_weaver
from reverie.agent.latent.training.trainer import TrainOptions, resumed, train
from reverie.agent.latent.training.trigger_training import (
    TriggerGRPO,
    TriggerRL,
    advantages,
    clipped,
    judge,
    warm_start_loss,
)
from reverie.agent.latent.training.weaver_grpo import WeaverGRPO, WeaverRL, decided
from reverie.agent.latent.training.weaver_loss import (
    WeaverLosses,
    divergence,
    exchange,
    loss_of,
    mixed,
    teacher_logprobs,
    weaver_loss,
)
from reverie.errors import ModelError, SettingsError

TABLE = new_table(3, random.Random(0))


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    tiny = tiny_backbone(rule_tokenizer(), dim=32, layers=2, heads=2)
    widen(tiny.model, seed=0)
    return tiny


@pytest.fixture
def net(backbone: Backbone) -> WovenNet:
    weaver = WeaverConfig(
        prompt_latents=2, inner_latents=2, inner_points=1, lora=LoraConfig(rank=4, alpha=8)
    )
    return WovenNet(backbone, LatentConfig(weaver=weaver))


def new(rng: random.Random) -> Example:
    return encode(rule_tokenizer(), recalling(TABLE, rng, steps=1 + rng.randrange(2), lines=2))


def old(rng: random.Random) -> Example:
    return encode(rule_tokenizer(), telling(rng), needless=True)


def some(draw: Callable[[random.Random], Example], n: int) -> list[Example]:
    rng = random.Random(5)
    return [draw(rng) for _ in range(n)]


SMALL = WeaverLosses(batch=6, retention=0.3)


def test_training_lowers_the_loss_and_leaves_the_reasoner_as_it_was(net: WovenNet) -> None:
    before = net.backbone.digest()
    losses = train(net, weaver_loss(net, new, SMALL, old), TrainOptions(steps=25, rate=1e-2))
    assert sum(losses[-5:]) < sum(losses[:5])
    assert net.backbone.digest() == before


def test_points_of_training_are_those_of_generation(net: WovenNet) -> None:
    net.open_gate()
    examples = some(new, 8)
    told = generate(
        net,
        [one.prompt for one in examples],
        decider=Always(),
        sampling=Sampling(max_tokens=30, temperature=2.0),
    )
    answered = [
        replace(one, answer=tuple(answer.tokens))
        for one, answer in zip(examples, told, strict=True)
    ]
    plans = make_batch(net, answered).plan
    assert [decided(one) for one in told] == list(plans)
    assert max(map(len, plans)) == 2


def test_an_interrupted_run_ends_as_if_it_had_not_been(backbone: Backbone, tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def stop(step: int, steps: int, loss: float) -> None:
        if step == 5:
            raise Stop

    options = TrainOptions(steps=8, save_every=2)
    whole, parts = WovenNet(backbone), WovenNet(backbone)
    train(whole, weaver_loss(whole, new, SMALL, old), options)
    with pytest.raises(Stop):
        train(parts, weaver_loss(parts, new, SMALL, old), options, folder=tmp_path, watch=stop)
    assert resumed(tmp_path) == 4
    again = WovenNet(backbone)
    losses = train(again, weaver_loss(again, new, SMALL, old), options, folder=tmp_path)
    assert len(losses) == 4
    for name, weight in whole.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name]), name


def test_what_was_read_before_a_run_stopped_changes_no_bit_of_its_end(tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def stop(step: int, steps: int, loss: float) -> None:
        if step == 3:
            raise Stop

    reasoner = tiny_backbone(vocabulary=40, dim=32, layers=2, context_tokens=256)
    rng = random.Random(0)
    told = [rng.randrange(40) for _ in range(200)]
    learn = drawn([Example((*told[:n], n % 40), (1, 2)) for n in range(60, 200, 20)])
    options = TrainOptions(steps=4, save_every=2)
    nets = [WovenNet(reasoner) for _ in range(3)]
    teach = partial(teach_weaver, learn=learn, keep=None, losses=SMALL, options=options)
    teach(nets[0], folder=tmp_path / "whole")
    with pytest.raises(Stop):
        teach(nets[1], folder=tmp_path / "parts", watch=stop)
    assert nets[1].prefixes is None
    assert len(teach(nets[2], folder=tmp_path / "parts")) == 2
    for name, weight in nets[0].state_dict().items():
        assert torch.equal(weight, nets[2].state_dict()[name]), name


def test_a_folder_of_another_run_is_refused(net: WovenNet, tmp_path: Path) -> None:
    loss = weaver_loss(net, new, SMALL)
    train(net, loss, TrainOptions(steps=1), folder=tmp_path)
    with pytest.raises(SettingsError, match="other options"):
        train(net, loss, TrainOptions(steps=2), folder=tmp_path)


def test_a_loss_that_is_not_finite_stops_training_and_keeps_the_last_good_weights(
    net: WovenNet, tmp_path: Path
) -> None:
    good = weaver_loss(net, new, SMALL)
    calls = iter(range(100))

    def broken(rng: random.Random) -> torch.Tensor:
        return good(rng) * (float("nan") if next(calls) == 3 else 1.0)

    with pytest.raises(ModelError, match=r"step 4 is not finite.*checkpoint"):
        train(net, broken, TrainOptions(steps=9, save_every=1), folder=tmp_path)
    assert resumed(tmp_path) == 3
    assert all(bool(one.isfinite().all()) for one in net.parameters())


@pytest.mark.parametrize("options", [{"bf16": True}, {"offload": True}, {"accumulate": 2}])
def test_options_that_save_memory_still_learn(net: WovenNet, options: dict[str, object]) -> None:
    chosen = TrainOptions.model_validate({"steps": 2, **options})
    losses = train(net, weaver_loss(net, new, SMALL), chosen)
    assert all(0 < loss < 20 for loss in losses)


@given(st.integers(1, 40), st.floats(0, 0.9))
def test_a_batch_has_its_share_of_retention_whatever_its_size(size: int, share: float) -> None:
    losses = WeaverLosses(batch=size, retention=share)
    kept = Example((1,), (2,), needless=True)
    rng, shares = random.Random(0), list[float]()
    for _ in range(400):
        batch = mixed(lambda _: Example((1,), (2,)), losses, lambda _: kept, rng)
        assert len(batch) == size
        shares.append(sum(one.needless for one in batch) / size)
    assert sum(shares) / len(shares) == pytest.approx(share, abs=0.12 / size)


@pytest.mark.parametrize("cached", [False, True])
def test_exchanged_latents_stay_within_their_groups_and_at_their_place(
    net: WovenNet, cached: bool
) -> None:
    examples = [Example((1,), (2,), group=one) for one in "abab"] + [Example((1,), (2,))]
    examples.append(Example((1, 1), (2,), group="a"))
    values, gates = torch.arange(6.0).reshape(6, 1, 1), torch.zeros(6, 1)
    kept = values.reshape(1, 6, 1, 1, 1)
    latents = Latents(None, gates, (kept, kept)) if cached else Latents(values, gates)
    batch = make_batch(net, examples)
    seen: set[tuple[float, ...]] = set()
    for seed in range(20):
        swapped = exchange(batch, random.Random(seed))(latents, torch.arange(6))
        moved = swapped.values if swapped.cached is None else swapped.cached[0]
        assert moved is not None
        found = tuple(numbers(moved.flatten()))
        first = {0.0, 2.0} if cached else {0.0, 2.0, 5.0}
        assert {found[0], found[2]} <= first and {found[1], found[3]} == {1.0, 3.0}
        assert found[4] == 4.0 and (found[5] == 5.0 or not cached)
        seen.add(found)
    assert len(seen) > 1


def test_the_teacher_reads_the_memory_and_a_student_like_it_has_no_loss(net: WovenNet) -> None:
    examples = some(new, 5)
    taught = teacher_logprobs(net, examples)
    assert len(taught) == sum(len(one.answer) for one in examples)
    assert float(divergence(taught, taught)) == pytest.approx(0, abs=1e-6)
    net.open_gate()
    assert float(loss_of(net, make_batch(net, examples), distillation=1.0).detach()) > 0


def test_what_is_too_long_to_be_told_with_its_memory_has_no_teacher(net: WovenNet) -> None:
    net.open_gate()
    told = some(new, 2)
    untold = [replace(one, teacher=()) for one in some(new, 2)]
    assert all(one.memory for one in untold)
    alone, mixed_ = make_batch(net, told), make_batch(net, [*told, *untold])
    kl = [float(loss_of(net, one, distillation=1.0).detach()) for one in (alone, mixed_)]
    assert kl[0] == pytest.approx(kl[1], rel=1e-4)


def test_a_point_is_judged_by_what_its_insertion_gained(net: WovenNet) -> None:
    net.open_gate()
    batch = make_batch(net, some(new, 6))
    judged = judge(net, batch)
    assert sum(len(one.gains) for one in judged) == sum(map(len, batch.plan))
    closed = WovenNet(net.backbone, net.config)
    assert all(float(one.gains.abs().max()) < 1e-4 for one in judge(closed, batch))


def test_the_warm_start_learns_where_insertions_paid(net: WovenNet) -> None:
    net.open_gate()
    loss = warm_start_loss(net, new, batch=8, batches=2, worth=0.0)
    heads = list(net.trigger.parameters())
    losses = train(net, loss, TrainOptions(steps=30, rate=0.1), parameters=heads)
    assert losses[-1] < losses[0]


def test_equal_rewards_teach_nothing_and_others_are_centred() -> None:
    assert advantages([1.0, 1.0, 1.0]) is None
    found = advantages([1.0, 0.0, 0.0, 1.0])
    assert found is not None and sum(found) == pytest.approx(0)


def test_the_clipped_ratio_is_pessimistic() -> None:
    ratio = torch.tensor([2.0, 0.5]).log()
    assert numbers(clipped(ratio, 1.0, 0.2)) == pytest.approx([1.2, 0.5])
    assert numbers(clipped(ratio, -1.0, 0.2)) == pytest.approx([-2.0, -0.8])


def test_the_trigger_is_steered_to_its_rate(net: WovenNet) -> None:
    options = TriggerRL(prompts=2, group=4, penalty=0.0, target=0.1, steering=1.0, max_tokens=3)
    loss = TriggerGRPO(net, new, options, reward=lambda example, answer: 0.0)
    loss(random.Random(0))
    assert loss.rate > 0.1
    assert loss.penalty == pytest.approx(loss.rate - 0.1)


def test_a_run_that_stopped_goes_on_with_the_price_it_had_come_to(
    net: WovenNet, tmp_path: Path
) -> None:
    price = TriggerRL(prompts=2, group=4, penalty=0.0, target=0.1, steering=1.0, max_tokens=3)
    heads = list(net.trigger.parameters())
    options = TrainOptions(steps=2, rate=1e-2)

    def made() -> TriggerGRPO:
        return TriggerGRPO(net, new, price, reward=lambda example, answer: 0.0)

    done, again = made(), made()
    train(net, done, options, parameters=heads, folder=tmp_path)
    assert train(net, again, options, parameters=heads, folder=tmp_path) == []
    assert done.penalty > 0 and (again.penalty, again.rate) == (done.penalty, done.rate)
    fixed = TriggerGRPO(net, new, TriggerRL(penalty=2.0))
    fixed.load_state_dict(TriggerGRPO(net, new, TriggerRL(penalty=1.0)).state_dict())
    assert fixed.penalty == 2.0, "a price that does not move is what was asked for"


def test_a_price_without_a_gain_lowers_the_rate(net: WovenNet) -> None:
    options = TriggerRL(prompts=4, group=8, penalty=1.0, max_tokens=2)
    loss = TriggerGRPO(net, new, options, reward=lambda example, answer: 0.0)
    heads = list(net.trigger.parameters())
    train(net, loss, TrainOptions(steps=15, rate=0.1), parameters=heads)
    assert loss.rate < 0.3


def test_reinforcement_of_the_weaver_raises_what_is_rewarded(net: WovenNet) -> None:
    def reward(example: Example, answer: Generated) -> float:
        return float(answer.tokens[0] % 2)

    loss = WeaverGRPO(net, new, WeaverRL(prompts=4, group=8, kl=0.01, max_tokens=2), reward=reward)
    earned: list[float] = []
    options = TrainOptions(steps=30, rate=2e-2)
    train(net, loss, options, watch=lambda s, n, v: earned.append(loss.reward))
    assert sum(earned[-5:]) / 5 > sum(earned[:5]) / 5 + 0.1


def test_groups_without_a_difference_are_skipped(net: WovenNet) -> None:
    options = WeaverRL(prompts=3, group=2, max_tokens=2)
    loss = WeaverGRPO(net, new, options, reward=lambda example, answer: 1.0)
    assert float(loss(random.Random(0))) == 0
    assert loss.skipped == 3
