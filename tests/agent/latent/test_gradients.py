"""Training moves the weaver and the trigger, all of them, and nothing of the reasoner."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch", reason="it needs torch: pip install 'reverie[latent]'")
pytest.importorskip("transformers", reason="it needs transformers: 'reverie[latent]'")

import torch

from reverie.agent.latent.forced import forced, token_logprobs
from reverie.agent.latent.net import WovenNet
from reverie.agent.latent.plan import Point
from reverie.tests.agent.latent.nets import FLOWS, Flow, tiny, woven

ROWS = [[3, 1, 4, 1, 5, 9, 2, 6], [2, 7, 1, 8, 2, 8]]
PLAN = ((Point(3, "prompt"), Point(5), Point(7)), (Point(2, "prompt"), Point(4)))


def _backward(loss: Any) -> None:
    loss.backward()


def _descend(net: WovenNet, rate: float = 0.03) -> float:
    """A step on the text's likelihood, and on a made-up label for the trigger."""
    read = forced(net, ROWS, PLAN, memories=[[1, 2], [3]])
    loss = -token_logprobs(net, read)[:, 2:].sum() / 8
    for place, kind in enumerate(("prompt", "inner")):
        loss = loss + net.trigger.logits(kind, read.before[:, place]).sum()
    net.zero_grad()
    _backward(loss)
    with torch.no_grad():
        for weight in net.parameters():
            assert weight.grad is not None
            weight -= rate * weight.grad
    return loss.item()


@pytest.mark.parametrize("flow", FLOWS, ids="-".join)
def test_every_trainable_gets_a_gradient_and_the_reasoner_none(flow: Flow) -> None:
    """C5. A low-rank A has none at first, because B is zero."""
    net = woven(flow=flow, opened=False, trigger=True)
    net.open_gate()
    before = tiny().digest()
    losses = [_descend(net) for _ in range(5)]
    still = [
        name
        for name, weight in net.named_parameters()
        if weight.grad is None or not bool(weight.grad.abs().sum() > 0)
    ]
    assert not still
    assert tiny().digest() == before
    assert all(one.grad is None for one in tiny().model.parameters())
    assert losses[-1] < losses[0]


def test_the_parameters_are_those_of_weaver_and_trigger_alone() -> None:
    net = woven(opened=False)
    assert {name.partition(".")[0] for name in net.state_dict()} == {"weaver", "trigger"}
    assert len(list(net.parameters())) == len(list(net.named_parameters()))


def test_a_closed_gate_lets_no_gradient_through_and_makes_no_nan() -> None:
    net = woven(opened=False)
    read = forced(net, ROWS, PLAN)
    _backward(-token_logprobs(net, read).sum())
    grads = [one.grad for one in net.weaver.parameters() if one.grad is not None]
    assert all(not bool(grad.abs().sum()) for grad in grads)


def test_steps_are_repeatable_to_the_bit() -> None:
    runs: list[list[float]] = []
    for _ in range(2):
        net = woven(opened=False)
        net.open_gate()
        runs.append([_descend(net) for _ in range(3)])
    assert runs[0] == runs[1]


@pytest.mark.parametrize("flow", FLOWS, ids="-".join)
def test_gradient_checkpointing_keeps_less_and_changes_no_gradient(flow: Flow) -> None:
    found: list[list[torch.Tensor]] = []
    kept: list[int] = []
    for checkpointing in (False, True):
        net = woven(flow=flow, trigger=True)
        net.checkpointing = checkpointing
        sizes: list[int] = []

        def pack(one: torch.Tensor, sizes: list[int] = sizes) -> torch.Tensor:
            sizes.append(one.numel())
            return one

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda one: one):
            _descend(net, rate=0.0)
        found.append([one.grad for one in net.parameters() if one.grad is not None])
        kept.append(sum(sizes))
    assert kept[1] < 0.6 * kept[0]
    for plain, again in zip(*found, strict=True):
        torch.testing.assert_close(again, plain)
