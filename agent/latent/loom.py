"""The weaver: reads the reasoner's state and a memory, and emits latent vectors.

K queries are read behind the context (MemGen, arXiv 2509.24704, eq. 5 and 6); their last
states, mapped to the reasoner's width and brought to the scale of its embeddings, are the latents.
Beside the paper: the weaver is the reasoner itself with a low-rank delta, and reads the keys and
values that the reasoner has computed anyway, so that weaving costs K positions; and a gate.
"""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torch import Tensor, nn

from ...errors import ModelError
from .backbone import Backbone
from .config import KINDS, Kind, WeaverConfig
from .lora import Lora
from .slots import LATENT, MEMORY, QUERY, TEXT, Block, Slots
from .stream import Latents, Memories, Reader, Stream
from .tensors import pad


class WeaverModel(Protocol):
    """What makes latents: `SharedWeaver`, `ReadingWeaver`, or your own."""

    config: WeaverConfig

    def weave(self, stream: Stream, rows: Tensor, kind: Kind) -> Latents:
        """Latents for ``rows`` (R,) at where they stand; the stream reads on as if not asked.

        What the stream has been given to remember is read at the first point.
        """
        ...


class LatentHead(nn.Module):
    """What is learnt of the queries for each kind of point, and the way from states to latents.

    Queries are learned vectors (K, d), the embeddings of random tokens at first; where tokens are
    read again they are added to those tokens' own, and 0 at first.

    M = s · rms(E) · U h / rms(U h) per query, with h (R, K, d) the states, U a linear map that
    starts as the identity where widths agree, E the reasoner's embeddings, and s learned, 1 at
    first. The gate is g = σ(w · ĥ + b), ĥ = h / rms(h), with w = 0 at first. A new gate is closed,
    g = 0, whatever w and b are, and ``open_gate`` is the first step of training: at g = 0 the bias
    log g has no gradient.
    """

    opened: Tensor

    def __init__(
        self,
        config: WeaverConfig,
        reader: Backbone,
        reasoner: Backbone,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.rms = reasoner.embedding_rms
        self.queries, self.scale = nn.ParameterDict(), nn.ParameterDict()
        self.gate = nn.ModuleDict()
        for kind in KINDS:
            if not (count := config.latents(kind)):
                continue
            tokens = torch.randint(reader.vocabulary, (count,), generator=generator)
            start = reader.embed(tokens).detach().float().cpu()
            if config.queries == "reread":
                start = torch.zeros_like(start)  # beside the tokens' own embeddings
            self.queries[kind] = nn.Parameter(start.clone())
            if config.writes == "embeddings":
                self.scale[kind] = nn.Parameter(torch.zeros(()))
            self.gate[kind] = scalar_head(reader.dim, config.gate)
        self.outward: nn.Linear | None = None
        if config.writes == "embeddings":
            self.outward = nn.Linear(reader.dim, reasoner.dim, bias=False)
            start_map(self.outward, generator)
        self.register_buffer("opened", torch.tensor(False))

    def log_gates(self, kind: Kind, states: Tensor) -> Tensor:
        """log g (R, K) from states (R, K, d)."""
        if not self.opened:
            return states.new_full(states.shape[:2], -torch.inf, dtype=torch.float32)
        logits = self.gate[kind](unit(states.float())).squeeze(-1)
        return nn.functional.logsigmoid(logits)

    def values(self, kind: Kind, states: Tensor) -> Tensor | None:
        """Latents (R, K, d) from states (R, K, d_weaver); None if they stay in the cache."""
        if self.outward is None:
            return None
        return unit(self.outward(states.float())) * (self.rms * self.scale[kind].exp())


class SharedWeaver(nn.Module):
    """The reasoner with a delta, reading the reasoner's own cache (``reads="cache"``).

    The delta is on at the memory's tokens and at the queries only. What the queries leave in the
    cache is taken back, or (``writes="cache"``) stays there as the latents.
    """

    def __init__(
        self, config: WeaverConfig, reasoner: Backbone, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.config = config
        self.head = LatentHead(config, reasoner, reasoner, generator)
        lora = config.lora
        self.lora = None if lora is None else Lora(reasoner.model, lora, generator)

    def weave(self, stream: Stream, rows: Tensor, kind: Kind) -> Latents:
        """See `WeaverModel`."""
        stream.recall(lambda memories: _write_memories(stream.slots, memories, self.lora))
        queries = self.head.queries[kind].expand(len(rows), -1, -1)
        count, at = queries.shape[1], stream.text[rows][:, None]
        stays, again = self.head.outward is None, self.config.queries == "reread"
        # Queries that stay must not lie ahead of the text that will see them.
        positions = at + torch.arange(count) - (count if stays or again else 0)
        if again and kind == "prompt":
            positions = positions - self._template(stream, rows)[:, None]
        positions = positions.clamp(min=0)
        if again:
            tokens = stream.tokens[rows[:, None], positions]
            queries = stream.backbone.embed(tokens) + queries
        slots, start = stream.slots, stream.slots.length[rows]
        block = _query_block(queries, positions)
        states = _write(slots, rows, block, self.lora)
        gates = self.head.log_gates(kind, states)
        if stays:
            slots.assign(rows, start[:, None] + torch.arange(count), LATENT, gates)
        else:
            slots.rewind(rows, count)
        return Latents(self.head.values(kind, states), gates)

    def _template(self, stream: Stream, rows: Tensor) -> Tensor:
        """How many tokens (R,) the chat template wrote at the end: they say nothing of a question.

        All or none of its tail; none of a text that is nothing else.
        """
        tail = stream.backbone.prompt_tail
        at = stream.text[rows][:, None] - len(tail) + torch.arange(len(tail))
        written = stream.tokens[rows[:, None], at.clamp(min=0)] == torch.tensor(tail)
        there = written.all(1) & (stream.text[rows] > len(tail))
        return there * len(tail)


class ReadingWeaver(nn.Module):
    """A weaver with a cache of its own, over the reasoner's last states or input embeddings.

    It may be the reasoner with a delta or a model of another size, and then reads through a linear
    map. What it has read is kept: a point costs the positions since the last one, and K.
    """

    def __init__(
        self,
        config: WeaverConfig,
        reasoner: Backbone,
        generator: torch.Generator,
        reader: Backbone | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self._reader = reader = reader or reasoner
        self.head = LatentHead(config, reader, reasoner, generator)
        self.inward = nn.Linear(reasoner.dim, reader.dim, bias=False)
        start_map(self.inward, generator)
        lora = config.lora
        self.lora = None if lora is None else Lora(reader.model, lora, generator)

    def weave(self, stream: Stream, rows: Tensor, kind: Kind) -> Latents:
        """See `WeaverModel`."""
        reader = stream.reader = stream.reader or self._begin(stream)
        self._catch_up(stream, reader, rows)
        queries = self.head.queries[kind]
        positions = stream.text[rows][:, None] + torch.arange(len(queries))
        block = _query_block(queries.expand(len(rows), -1, -1), positions)
        states = _write(reader.slots, rows, block, self.lora)
        # The last token will be read again, behind the latents.
        reader.slots.rewind(rows, len(queries) + 1)
        reader.seen[rows] -= 1
        values = self.head.values(kind, states)
        return Latents(values, self.head.log_gates(kind, states))

    def _begin(self, stream: Stream) -> Reader:
        """A cache with the rows' memories at its beginning."""
        memories = stream.recalled()
        longest = max(len(queries) for queries in self.head.queries.values())
        slots = Slots(
            self._reader,
            stream.rows,
            stream.slots.columns + longest,
            differentiable=stream.slots.differentiable,
            checkpointing=stream.slots.checkpointing,
        )
        if memories is not None:
            _write_memories(slots, memories, self.lora)
        return Reader(slots, torch.zeros(stream.rows, dtype=torch.long), slots.length.clone())

    def _catch_up(self, stream: Stream, reader: Reader, rows: Tensor) -> None:
        """Read what the stream has read since."""
        source = stream.states if self.config.reads == "hidden" else stream.inputs
        assert source is not None, "a reading weaver needs a traced stream"
        held = stream.slots
        counts = held.length[rows] - reader.seen[rows]
        at = reader.seen[rows][:, None] + torch.arange(int(counts.max()))
        at = at.clamp(max=held.columns)
        where = (rows[:, None].to(source.device), at.to(source.device))
        context = self.inward(source[where].float())
        block = Block(
            unit(context) * self._reader.embedding_rms,
            counts,
            held.position[where].cpu(),
            held.role[where].cpu(),
            held.bias[:, TEXT][where],
        )
        _write(reader.slots, rows, block, self.lora)
        reader.seen[rows] += counts


def make_weaver(
    config: WeaverConfig,
    reasoner: Backbone,
    generator: torch.Generator,
    reader: Backbone | None = None,
) -> SharedWeaver | ReadingWeaver:
    """The weaver that a configuration describes; ``reader`` is its own backbone, if it has one."""
    if (config.backbone is None) != (reader is None):
        raise ModelError(
            f"The weaver's own backbone is {config.backbone}; open it and hand it over."
        )
    if config.reads == "cache":
        return SharedWeaver(config, reasoner, generator)
    return ReadingWeaver(config, reasoner, generator, reader)


def unit(states: Tensor) -> Tensor:
    """States (..., d) at a root mean square of 1."""
    return states * torch.rsqrt(states.square().mean(-1, keepdim=True) + 1e-12)


def scalar_head(dim: int, probability: float) -> nn.Linear:
    """A linear map (dim → 1) that says logit(probability) whatever it is given, at first."""
    head = nn.Linear(dim, 1)
    nn.init.zeros_(head.weight)
    nn.init.constant_(head.bias, math.log(probability / (1 - probability)))
    return head


def start_map(layer: nn.Linear, generator: torch.Generator) -> None:
    """The identity where widths agree; else random, keeping the scale."""
    with torch.no_grad():
        if layer.in_features == layer.out_features:
            layer.weight.copy_(torch.eye(layer.in_features))
        else:
            start = torch.randn(layer.weight.shape, generator=generator)
            layer.weight.copy_(start / math.sqrt(layer.in_features))


def _query_block(queries: Tensor, positions: Tensor) -> Block:
    counts = torch.full((len(queries),), queries.shape[1])
    return Block(queries, counts, positions, torch.full_like(positions, QUERY))


def _write_memories(slots: Slots, memories: Memories, lora: Lora | None) -> None:
    """Just before the text's first position, where they would stand as text."""
    ids, counts = pad(memories)
    before = counts if slots.backbone.rotary else torch.zeros_like(counts)
    positions = torch.arange(ids.shape[1]) - before[:, None]
    block = Block(slots.backbone.embed(ids), counts, positions, torch.full_like(ids, MEMORY))
    _write(slots, torch.arange(len(counts)), block, lora)


def _write(slots: Slots, rows: Tensor, block: Block, lora: Lora | None) -> Tensor:
    if lora is None:
        return slots.write(rows, block)
    with lora.on():
        return slots.write(rows, block)
