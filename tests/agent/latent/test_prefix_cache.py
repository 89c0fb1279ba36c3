"""What was read of a prompt before is not read again, and nothing else changes."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

pytest.importorskip("torch", reason="it needs torch: pip install 'reverie[latent]'")
pytest.importorskip("transformers", reason="it needs transformers: 'reverie[latent]'")

import torch
from torch import Tensor

from reverie.agent.latent.backbone import tiny_backbone
from reverie.agent.latent.forced import forced, token_logprobs
from reverie.agent.latent.lora import Lora
from reverie.agent.latent.net import WovenNet
from reverie.agent.latent.plan import Plan, Point
from reverie.agent.latent.prefix_cache import BLOCK, PrefixCache
from reverie.agent.latent.slots import Block, Slots
from reverie.tests.agent.latent.nets import VOCABULARY, Flow, woven

BACKBONE = tiny_backbone(vocabulary=VOCABULARY, dim=32, layers=2, context_tokens=512)
BEGINNING = [random.Random(0).randrange(VOCABULARY) for _ in range(2 * BLOCK + 5)]
LENGTHS = (3, BLOCK, BLOCK + 1, 2 * BLOCK + 9, 4 * BLOCK)


def rows(seed: int = 1) -> list[list[int]]:
    """Prompts of `LENGTHS` that begin alike, an answer of four tokens behind each."""
    rng = random.Random(seed)
    return [
        BEGINNING[:length]
        + [rng.randrange(VOCABULARY) for _ in range(length - len(BEGINNING[:length]) + 4)]
        for length in LENGTHS
    ]


PLAN: Plan = (
    (Point(LENGTHS[0], "prompt"),),
    (Point(LENGTHS[1], "prompt"), Point(LENGTHS[1] + 2)),
    (),
    (Point(LENGTHS[3] + 1),),
    (Point(LENGTHS[4], "prompt"),),
)
MEMORIES: list[list[int]] = [[], [1, 2, 3], [4], [], [5] * 9]


def said(net: WovenNet, given: Sequence[Sequence[int]]) -> Tensor:
    """Log-probabilities of the answers' tokens (B, 4)."""
    unasked = [length - 1 for length in LENGTHS]
    read = forced(net, given, PLAN, memories=MEMORIES, unasked=unasked)
    logprobs = token_logprobs(net, read)
    return torch.stack(
        [row[length - 1 : length + 3] for row, length in zip(logprobs, LENGTHS, strict=True)]
    )


def gradients(net: WovenNet) -> list[Tensor]:
    net.zero_grad()
    total: Any = said(net, rows()).sum()
    total.backward()
    return [one.grad for one in net.weaver.parameters() if one.grad is not None]


FLOWS: tuple[Flow, ...] = (("cache", "cache", "reread"), ("cache", "embeddings", "learned"))


@pytest.mark.parametrize("flow", FLOWS, ids="-".join)
def test_what_begins_from_the_cache_says_the_same_and_learns_the_same(flow: Flow) -> None:
    net = woven(BACKBONE, flow=flow)
    plain, slopes = said(net, rows()).detach(), gradients(net)
    net.prefixes = PrefixCache(BACKBONE, 10**9)
    for _ in range(2):
        assert torch.allclose(said(net, rows()), plain, atol=1e-5)
        assert len(slopes) > 4
        for mine, other in zip(gradients(net), slopes, strict=True):
            assert torch.allclose(mine, other, atol=1e-4 * float(other.abs().max() + 1))


def test_what_begins_alike_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    net = woven(BACKBONE, flow=FLOWS[0])
    net.prefixes = PrefixCache(BACKBONE, 10**9)
    tokens: list[int] = []
    write = Slots.write

    def counted(slots: Slots, rows: Tensor, block: Block) -> Tensor:
        tokens.append(int(block.counts.sum()))
        return write(slots, rows, block)

    monkeypatch.setattr(Slots, "write", counted)
    blocks = [(length - 1) // BLOCK for length in LENGTHS]
    with torch.no_grad():
        said(net, rows())
        first, tokens[:] = sum(tokens), []
        said(net, rows())
        again, tokens[:] = sum(tokens), []
        said(net, rows(seed=2))
        other = sum(tokens)
    assert blocks == [0, 0, 1, 2, 3]
    assert first - again == 3 * BLOCK  # the longest row's: the others begin as it does
    assert other - again == BLOCK  # what both begin with was known
    assert net.prefixes.size == 4 * BLOCK * 2 * 2 * 32 * 4


def test_bits_do_not_depend_on_what_was_read_before() -> None:
    fresh, used = woven(BACKBONE, flow=FLOWS[0]), woven(BACKBONE, flow=FLOWS[0])
    fresh.prefixes, used.prefixes = PrefixCache(BACKBONE, 10**9), PrefixCache(BACKBONE, 10**9)
    with torch.no_grad():
        said(used, rows(seed=2))
        said(used, rows(seed=3))
    for mine, other in zip(gradients(fresh), gradients(used), strict=True):
        assert torch.equal(mine, other)


def test_room_is_kept_and_costs_nothing_but_time() -> None:
    small, large = woven(BACKBONE, flow=FLOWS[0]), woven(BACKBONE, flow=FLOWS[0])
    block = BLOCK * 2 * 2 * 32 * 4
    small.prefixes, large.prefixes = PrefixCache(BACKBONE, 2 * block), PrefixCache(BACKBONE, 10**9)
    for seed in (1, 2, 1):
        assert torch.equal(said(small, rows(seed)), said(large, rows(seed)))
        assert small.prefixes.size == 2 * block
    assert large.prefixes.size == 4 * block


def test_a_weaver_that_reads_the_states_itself_takes_nothing_from_the_cache() -> None:
    net = woven(BACKBONE, flow=("hidden", "embeddings", "learned"))
    plain = said(net, rows()).detach()
    net.prefixes = PrefixCache(BACKBONE, 10**9)
    assert torch.equal(said(net, rows()), plain) and net.prefixes.size == 0


def test_an_answer_without_a_prompt_is_read_whole() -> None:
    net = woven(BACKBONE, flow=FLOWS[0])
    row = rows()[3]
    with torch.no_grad():
        plain = forced(net, [row], ((),)).hidden
        net.prefixes = PrefixCache(BACKBONE, 10**9)
        assert torch.equal(forced(net, [row], ((),), unasked=[-1]).hidden, plain)


def test_under_a_delta_on_the_reasoner_nothing_is_taken_from_the_cache() -> None:
    net = woven(BACKBONE, flow=FLOWS[0])
    lora = net.weaver.lora
    assert isinstance(lora, Lora)
    with torch.no_grad():
        with lora.on():
            without = said(net, rows())
        net.prefixes = PrefixCache(BACKBONE, 10**9)
        said(net, rows())
        size = net.prefixes.size
        with lora.on():
            assert torch.equal(said(net, rows()), without)
    assert net.prefixes.size == size > 0
