"""Tiny woven nets, and a reference that computes what they do without any cache."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import torch
from torch import Tensor, nn

from reverie.agent.latent.backbone import Backbone, tiny_backbone
from reverie.agent.latent.config import (
    LatentConfig,
    LoraConfig,
    TriggerConfig,
    WeaverConfig,
)
from reverie.agent.latent.loom import ReadingWeaver, unit
from reverie.agent.latent.lora import Lora
from reverie.agent.latent.net import WovenNet
from reverie.agent.latent.plan import Plan, Point
from reverie.agent.latent.tensors import numbers
from reverie.agent.latent.tokens import byte_tokenizer

VOCABULARY = 40
Rows = list[list[int]]
Flow = tuple[
    Literal["cache", "hidden", "embeddings"],
    Literal["embeddings", "cache"],
    Literal["learned", "reread"],
]
FLOWS: tuple[Flow, ...] = (
    ("cache", "embeddings", "learned"),
    ("cache", "cache", "reread"),
    ("hidden", "embeddings", "learned"),
    ("embeddings", "embeddings", "learned"),
    ("cache", "cache", "learned"),
    ("cache", "embeddings", "reread"),
)
"""What a weaver reads, where it writes, and what its queries are."""


@cache
def tiny(seed: int = 0) -> Backbone:
    """A reasoner of two layers with no tokenizer."""
    return tiny_backbone(vocabulary=VOCABULARY, dim=32, layers=2, context_tokens=96, seed=seed)


@cache
def speaking() -> Backbone:
    """A reasoner that knows bytes and a chat template."""
    return tiny_backbone(byte_tokenizer(), dim=32, layers=2, context_tokens=1024)


def woven(
    backbone: Backbone | None = None,
    flow: Flow = FLOWS[0],
    *,
    opened: bool = True,
    trigger: bool = False,
    **options: Any,
) -> WovenNet:
    """A net with a few latents; ``opened`` stirs its weights and lets the latents be seen."""
    lora = LoraConfig(rank=4)
    options = {"prompt_latents": 3, "inner_latents": 2, "inner_points": 4, "lora": lora} | options
    config = LatentConfig(
        weaver=WeaverConfig(reads=flow[0], writes=flow[1], queries=flow[2], **options),
        trigger=TriggerConfig(lora=lora if trigger else None),
    )
    net = WovenNet(backbone or tiny(), config)
    return stir(net) if opened else net


@torch.no_grad()
def stir(net: WovenNet, scale: float = 0.2) -> WovenNet:
    """As if it had been trained, to nothing in particular."""
    random_ = torch.Generator().manual_seed(1)
    for weight in net.parameters():
        weight.add_(torch.randn(weight.shape, generator=random_) * scale)
    net.open_gate()
    return net


@dataclass(frozen=True)
class Case:
    """A ragged batch: prompts, where to insert, and the weaver's memories."""

    prompts: Rows
    plan: Plan
    memories: Rows
    steps: int


def random_case(number: int) -> Case:
    """The ``number``-th batch of 1 to 4 rows with 0 to 4 points each."""
    rng = random.Random(number)
    rows, steps = rng.randint(1, 4), rng.randint(1, 8)

    def tokens(least: int, most: int) -> list[int]:
        return [rng.randrange(VOCABULARY) for _ in range(rng.randint(least, most))]

    prompts = [tokens(1, 9) for _ in range(rows)]
    plan: list[tuple[Point, ...]] = []
    for prompt in prompts:
        begin = len(prompt)
        inner = sorted(rng.sample(range(begin + 1, begin + 9), rng.randint(0, 3)))
        points = [Point(begin, "prompt")] if rng.random() < 0.6 else []
        points += [Point(at) for at in inner if at < begin + steps]
        plan.append(tuple(points))
    remembers = rng.random() < 0.5
    memories = [tokens(0, 5) if remembers else [] for _ in prompts]
    return Case(prompts, tuple(plan), memories, steps)


TEXT, LATENT, MEMORY, QUERY = range(4)
SEEN_BY = {TEXT: {TEXT, LATENT}, LATENT: {TEXT, LATENT}, MEMORY: {MEMORY}}
SEEN_BY[QUERY] = {TEXT, LATENT, MEMORY, QUERY}


@dataclass
class Slot:
    """One position. ``asks`` is its role as a query, ``role`` as a key for those behind it."""

    vector: Tensor
    position: int
    asks: int
    role: int
    gate: float = 0.0
    adapted: bool = False
    until: int = 10**6


def reference(
    net: WovenNet, tokens: Sequence[int], points: Sequence[Point], memory: Sequence[int]
) -> Tensor:
    """Log-probabilities (L, vocabulary) after each token of one row, all computed anew each time.

    Masks are built entry by entry, and the delta is added by position, not by switching.
    """
    backbone = net.backbone
    shared = not isinstance(net.weaver, ReadingWeaver)
    embedded = backbone.embed(torch.tensor(tokens))
    remembered = [
        Slot(one, place - len(memory), MEMORY, MEMORY, adapted=True)
        for place, one in enumerate(backbone.embed(torch.tensor(list(memory), dtype=torch.long)))
    ]
    slots: list[Slot] = list(remembered) if shared else []
    at_token: dict[int, int] = {}
    begin = 0
    for point in points:
        _read(slots, at_token, embedded, begin, point.at)
        if shared:
            _weave_shared(net, slots, point, embedded)
        else:
            _weave_reading(net, slots, remembered, point)
        begin = point.at - 1
    _read(slots, at_token, embedded, begin, len(tokens))
    states = _run(backbone, slots, _lora(net))
    wanted = torch.stack([states[at_token[place]] for place in range(len(tokens))])
    return torch.log_softmax(backbone.logits(wanted), -1)


def _read(
    slots: list[Slot], at_token: dict[int, int], embedded: Tensor, begin: int, end: int
) -> None:
    for place in range(begin, end):
        at_token[place] = len(slots)
        slots.append(Slot(embedded[place], place, TEXT, TEXT))


def _weave_shared(net: WovenNet, slots: list[Slot], point: Point, embedded: Tensor) -> None:
    head, count = net.weaver.head, net.config.weaver.latents(point.kind)
    again = net.config.weaver.queries == "reread"
    start = point.at - (count if head.outward is None or again else 0)
    places = [max(start + k, 0) for k in range(count)]
    asked = [
        Slot(query + embedded[place] if again else query, place, QUERY, QUERY, adapted=True)
        for place, query in zip(places, head.queries[point.kind], strict=True)
    ]
    states = _run(net.backbone, [*slots, *asked], _lora(net))[-count:]
    gates = numbers(head.log_gates(point.kind, states[None])[0])
    values = head.values(point.kind, states[None])
    if values is None:
        slots[-1].until = len(slots) + count
        for slot, gate in zip(asked, gates, strict=True):
            slot.role, slot.gate = LATENT, gate
        slots += asked
    else:
        slots.pop()
        slots += _latents(values[0], gates, point)


def _weave_reading(net: WovenNet, slots: list[Slot], remembered: list[Slot], point: Point) -> None:
    weaver = net.weaver
    assert isinstance(weaver, ReadingWeaver)
    states = _run(net.backbone, slots, None)
    if net.config.weaver.reads == "embeddings":
        states = torch.stack([slot.vector for slot in slots])
    inputs = unit(weaver.inward(states)) * net.backbone.embedding_rms
    context = [
        Slot(vector, slot.position, slot.asks, slot.role, slot.gate, adapted=True)
        for vector, slot in zip(inputs, slots, strict=True)
    ]
    asked = [
        Slot(query, point.at + k, QUERY, QUERY, adapted=True)
        for k, query in enumerate(weaver.head.queries[point.kind])
    ]
    found = _run(net.backbone, [*remembered, *context, *asked], _lora(net))[-len(asked) :]
    values = weaver.head.values(point.kind, found[None])
    assert values is not None
    slots.pop()
    gates = numbers(weaver.head.log_gates(point.kind, found[None])[0])
    slots += _latents(values[0], gates, point)


def _latents(values: Tensor, gates: list[float], point: Point) -> list[Slot]:
    first = point.at - 1 - len(values)
    return [
        Slot(value, max(first + k, 0), LATENT, LATENT, gate)
        for k, (value, gate) in enumerate(zip(values, gates, strict=True))
    ]


def _lora(net: WovenNet) -> Lora | None:
    return net.weaver.lora


def _run(backbone: Backbone, slots: Sequence[Slot], lora: Lora | None) -> Tensor:
    count = len(slots)
    entries = [[-math.inf] * count for _ in slots]
    for i, asking in enumerate(slots):
        for j, key in enumerate(slots[:i]):
            if key.role in SEEN_BY[asking.asks] and i < key.until:
                entries[i][j] = key.gate if asking.asks == TEXT and key.role == LATENT else 0.0
        entries[i][i] = 0.0
    mask = torch.tensor(entries)
    decoder: Any = backbone.model.get_submodule("model")
    with _adapted(lora, torch.tensor([slot.adapted for slot in slots])):
        return decoder(
            inputs_embeds=torch.stack([slot.vector for slot in slots])[None],
            attention_mask=mask[None, None],
            position_ids=torch.tensor([[slot.position for slot in slots]]),
            use_cache=False,
        ).last_hidden_state[0]


@contextmanager
def _adapted(lora: Lora | None, where: Tensor) -> Any:
    hooks: list[Any] = []
    reasoner: Any = tiny().model
    for name, layer in reasoner.named_modules():
        key = name.replace(".", "/")
        if lora is not None and key in lora.a:

            def add(
                _: nn.Module,
                inputs: tuple[Tensor, ...],
                output: Tensor,
                a: Tensor = lora.a[key],
                b: Tensor = lora.b[key],
                scale: float = lora.scale,
            ) -> Tensor:
                return output + scale * where[:, None] * (inputs[0] @ a.T @ b.T)

            hooks.append(layer.register_forward_hook(add))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
