"""The figures: what they say of cases worked out by hand, and that every arm can be measured."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("torch", reason="it needs torch: pip install 'reverie[latent]'")
pytest.importorskip("transformers", reason="it needs transformers: 'reverie[latent]'")

import torch
from torch import Tensor

from reverie.agent.latent.backbone import Backbone, tiny_backbone
from reverie.agent.latent.stream import Latents
from reverie.agent.latent.tensors import numbers
from reverie.agent.latent.tokens import byte_tokenizer
from reverie.agent.latent.training.arms import ARMS, make_arm
from reverie.agent.latent.training.distillation import DistillSettings, run_distillation
from reverie.agent.latent.training.evaluation import (
    auroc,
    calibration_error,
    dropped,
    noise,
    shuffled,
    swapped,
    wilson,
)
from reverie.agent.latent.training.examples import from_messages
from reverie.agent.latent.training.experiment import RuleSettings, reinforce_trigger, run_rules
from reverie.agent.latent.training.rules import rule_tokenizer
from reverie.agent.latent.training.weaver_loss import taken
from reverie.agent.models.base import Message


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return tiny_backbone(rule_tokenizer(), dim=32, layers=2, heads=2)


def three() -> Latents:
    return Latents(torch.arange(6.0).reshape(3, 2, 1), torch.zeros(3, 2))


def test_rankings_and_calibration_by_hand() -> None:
    assert auroc([0.9, 0.4], [0.1, 0.4]) == pytest.approx(3.5 / 4)
    assert calibration_error([0.9, 0.9, 0.1], [True, False, False]) == pytest.approx(0.9 / 3)
    low, high = wilson(8, 10)
    assert low == pytest.approx(0.490, abs=1e-3) and high == pytest.approx(0.943, abs=1e-3)


def test_swapped_rows_are_pairs_and_a_row_alone_keeps_its_own() -> None:
    found = swapped(three(), torch.tensor([0, 1, 2])).values
    assert found is not None and numbers(found[:, 0, 0]) == [2, 0, 4]


def test_shuffled_latents_change_places_and_dropped_ones_are_not_seen() -> None:
    found = shuffled(0)(three(), torch.arange(3)).values
    assert found is not None and numbers(found[0].flatten()) == [1, 0]
    gates = dropped(1)(three(), torch.arange(3)).gates
    assert numbers(gates[0]) == [0, -math.inf]


def test_a_plain_delta_as_large_as_the_weaver_is_not_smaller(backbone: Backbone) -> None:
    config = RuleSettings().latent_config()
    weaver, lora = (make_arm(name, backbone, config) for name in ("weaver", "lora_params"))
    assert weaver.size <= lora.size < 1.1 * weaver.size


def test_every_arm_is_trained_and_measured_and_the_reasoner_stays(backbone: Backbone) -> None:
    before = backbone.digest()
    settings = RuleSettings(
        ids=3, latents=2, rank=2, steps=2, batch=4, trigger_steps=2, tests=8, two_steps=0.5
    )
    found, arms, world = run_rules(backbone, settings)
    for name in ARMS:
        assert {f"{name}.new", f"{name}.old_always_on"} < set(found)
    assert {"swap.same_id", "swap.other_id", "trigger.auroc", "weaver.retention"} < set(found)
    assert all(math.isfinite(value) for value in found.values())
    rates = reinforce_trigger(arms["weaver"].net, world, (0.0, 1.0), steps=1)
    assert all(0 <= one["rate"] <= 1 for one in rates.values())
    assert backbone.digest() == before


def test_distillation_counts_the_tokens_it_saves(backbone: Backbone) -> None:
    found = run_distillation(backbone, DistillSettings(steps=1, batch=2, tests=6, rank=2))
    assert found["text_tokens"] == 84 and found["tokens"] == pytest.approx(8 / 84)


@pytest.mark.parametrize("cached", [False, True])
def test_edits_change_latents_wherever_they_stand(cached: bool) -> None:
    shape = (2, 4, 3)
    drawn = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    kept = (drawn.reshape(1, 2, 4, 1, 3), 2 * drawn.reshape(1, 2, 4, 1, 3))
    latents = Latents(None if cached else drawn, torch.zeros(2, 4), kept if cached else None)
    rows = torch.arange(2)

    def parts(one: Latents) -> list[Tensor]:
        return list(one.cached or ()) if one.values is None else [one.values]

    for edit in (shuffled(0), noise(0)):
        for before, after in zip(parts(latents), parts(edit(latents, rows)), strict=True):
            assert before.shape == after.shape and not torch.equal(before, after)
    assert dropped(2)(latents, rows).gates[:, 2:].isneginf().all()
    assert parts(dropped(2)(latents, rows))[0].equal(parts(latents)[0])
    assert not parts(taken(latents, [1, 0]))[0].equal(parts(latents)[0])


def test_of_a_reasoned_answer_the_final_number_is_compared() -> None:
    tokenizer = byte_tokenizer()
    asked = [Message(role="user", content="How many?")]
    example = from_messages(tokenizer, asked, "Two and 1,040 make 1042.\n#### 1,042")
    for said, right in (
        ("1042 in all #### 1042", True),
        ("#### $1,042.", True),
        ("#### 1042.0 apples", True),
        ("#### 1042\nAnother: #### 7", True),
        ("#### 1041", False),
        ("1042", False),
    ):
        assert example.answered_by(tokenizer.encode(said)) is right
    whole = from_messages(tokenizer, asked, "1042 #### End")
    assert whole.answered_by(whole.answer) and not whole.answered_by(tokenizer.encode("1042"))
