"""An untrained weaver changes nothing, and one that is not asked is not there."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch", reason="it needs torch: pip install 'reverie[latent]'")
pytest.importorskip("transformers", reason="it needs transformers: 'reverie[latent]'")

import torch

from reverie.agent.latent.forced import forced
from reverie.agent.latent.generation import Always, Never, Planned, Sampling, generate
from reverie.agent.latent.plan import Point
from reverie.agent.latent.tensors import integers
from reverie.tests.agent.latent.nets import FLOWS, VOCABULARY, Flow, random_case, tiny, woven


def _rows() -> list[list[int]]:
    random_ = torch.Generator().manual_seed(0)
    return [integers(torch.randint(VOCABULARY, (20,), generator=random_)) for _ in range(3)]


def _vanilla(rows: list[list[int]]) -> Any:
    model: Any = tiny().model
    return model(input_ids=torch.tensor(rows)).logits


@pytest.mark.parametrize("opened", [False, True], ids=["untrained", "trained"])
def test_without_insertions_the_logits_are_the_reasoners(opened: bool) -> None:
    net = woven(opened=opened)
    with torch.no_grad():
        logits = net.backbone.logits(forced(net, _rows(), ((), (), ())).hidden)
        assert (logits - _vanilla(_rows())).abs().max() <= 1e-6


@pytest.mark.parametrize("flow", FLOWS, ids="-".join)
def test_an_untrained_weaver_inserts_latents_that_change_nothing(flow: Flow) -> None:
    net = woven(flow=flow, opened=False)
    points = (Point(4, "prompt"), Point(9), Point(10), Point(20))
    with torch.no_grad():
        read = forced(net, _rows(), (points, points[:1], ()), memories=[[1, 2], [3], []])
        assert read.latents
        logits = net.backbone.logits(read.hidden)
        assert (logits - _vanilla(_rows())).abs().max() <= 1e-6


@pytest.mark.parametrize("flow", FLOWS, ids="-".join)
def test_an_untrained_weaver_leaves_the_greedy_text_as_it_is(flow: Flow) -> None:
    net = woven(flow=flow, opened=False)
    for number in range(10):
        case = random_case(number)
        sampling = Sampling(max_tokens=case.steps)
        plain = generate(net, case.prompts, decider=Never(), sampling=sampling)
        latent = generate(net, case.prompts, decider=Planned(case.plan), sampling=sampling)
        assert [one.tokens for one in plain] == [one.tokens for one in latent]


def test_greedy_text_without_insertions_is_that_of_transformers() -> None:
    net = woven()
    row = _rows()[0][:7]
    model: Any = tiny().model
    theirs = model.generate(
        input_ids=torch.tensor([row]),
        attention_mask=torch.ones(1, 7, dtype=torch.long),
        max_new_tokens=12,
        do_sample=False,
        pad_token_id=0,
    )[0, 7:].tolist()
    (ours,) = generate(net, [row], decider=Never(), sampling=Sampling(max_tokens=12))
    assert ours.tokens == theirs
    assert not ours.decisions


def test_latents_take_no_positions_so_that_a_full_context_still_takes_them() -> None:
    net = woven()
    row = [1] * (tiny().context_tokens - 4)
    (answer,) = generate(net, [row], decider=Always(), sampling=Sampling(max_tokens=4))
    assert len(answer.tokens) == 4
