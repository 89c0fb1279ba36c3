"""Rows of text as the reasoner reads them, with latents woven in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from itertools import takewhile

import torch
from torch import Tensor

from .backbone import Backbone
from .slots import LATENT, TEXT, Block, Slots
from .tensors import integers, pad


@dataclass(frozen=True)
class Latents:
    """What a weaver made for R rows: ``values`` (R, K, d) to be read as embeddings are, or None.

    None means that they stand in the reasoner's cache already; ``cached`` are then their keys and
    values (layers, R, K, heads, d_head), if they were asked for. ``gates`` (R, K) are log-gates.
    """

    values: Tensor | None
    gates: Tensor
    cached: tuple[Tensor, Tensor] | None = None

    @property
    def count(self) -> int:
        """K."""
        return self.gates.shape[1]

    def take(self, rows: Tensor, latents: Tensor | None = None) -> Latents:
        """Row i from row ``rows[i]``, and latent k of each from its latent ``latents[k]``.

        Keys in the cache have turned with their positions: rows should stand at the same place.
        """
        rows = rows.to(self.gates.device)
        order = torch.arange(self.count) if latents is None else latents
        order = order.to(self.gates.device)
        keys = self.cached
        return Latents(
            None if self.values is None else self.values[rows][:, order],
            self.gates[rows][:, order],
            None
            if keys is None
            else (keys[0][:, rows][:, :, order], keys[1][:, rows][:, :, order]),
        )


Edit = Callable[[Latents, Tensor], Latents]
"""Changes the latents of the rows (R,) before they are read: to swap, shuffle or drop them."""


Memories = Sequence[Sequence[int]]
"""Tokens that the weaver alone reads, for each row."""


class Stream:
    """The reasoner's view of a batch: what was read, and the state it left behind.

    Rows are named by sorted tensors on the CPU. ``text`` (B,) counts each row's tokens, which is
    also the position of its next one: latents take no positions of their own. ``tokens``
    (B, columns) are they, by position, on the CPU. ``hidden`` (B, d) are the last states of the
    rows' last tokens, ``embedded`` (B, d) those tokens' embeddings. ``plain`` (B,) counts the
    first tokens that were read with nothing woven in before.
    """

    def __init__(
        self,
        backbone: Backbone,
        rows: int,
        columns: int,
        *,
        differentiable: bool = False,
        checkpointing: bool = False,
        traced: bool = False,
        memories: Memories | None = None,
    ) -> None:
        """``traced`` keeps what a weaver with a reader of its own reads: see ``trace``.

        There is room for ``memories`` beside ``columns``.
        """
        self.backbone = backbone
        self._memories = memories
        if memories is not None:
            columns += max(map(len, memories))
        self.slots = Slots(
            backbone,
            rows,
            columns,
            differentiable=differentiable,
            checkpointing=checkpointing and differentiable,
        )
        self.text = torch.zeros(rows, dtype=torch.long)
        self.tokens = torch.zeros(rows, columns, dtype=torch.long)
        self.plain = torch.zeros(rows, dtype=torch.long)
        shape = (rows, backbone.dim)
        self.hidden = torch.zeros(*shape, dtype=backbone.dtype, device=backbone.device)
        self.embedded = torch.zeros_like(self.hidden)
        self.states: Tensor | None = None
        self.inputs: Tensor | None = None
        if traced:
            self.states = self.hidden.new_zeros(rows, columns + 1, backbone.dim)
            self.inputs = torch.zeros_like(self.states)
        self.reader: Reader | None = None

    @property
    def rows(self) -> int:
        """B."""
        return len(self.text)

    def recalled(self) -> Memories | None:
        """What the weaver has yet to read; from now on it has."""
        memories, self._memories = self._memories, None
        return memories

    def recall(self, write: Callable[[Memories], None]) -> None:
        """Let ``write`` put what the weaver has yet to read before the rows' last tokens."""
        memories = self.recalled()
        if memories is None:
            return
        rows = self.all()
        self._unread(rows)
        self.slots.rewind(rows, 1)
        write(memories)
        last = self.tokens[rows, self.text]
        self.read(rows, last[:, None], torch.ones_like(last))

    def all(self) -> Tensor:
        """Every row."""
        return torch.arange(self.rows)

    def adopt(self, past: Stream, prompt: Sequence[int]) -> int:
        """Begin an empty stream of one row as one that has read the same: how much of ``prompt``.

        Its last token is left to be read.
        """
        assert self.rows == past.rows == 1, "only a batch of one goes on from another"
        there = integers(past.tokens[0, : past.plain[0]])
        alike = (one == other for one, other in zip(prompt[:-1], there, strict=False))
        count = sum(1 for _ in takewhile(bool, alike))
        if count:
            self.begin([prompt], torch.tensor([count]), *past.slots.first(count))
            for mine, other in ((self.states, past.states), (self.inputs, past.inputs)):
                if mine is not None and other is not None:
                    mine[:, :count] = other[:, :count]
        return count

    def begin(
        self,
        rows: Sequence[Sequence[int]],
        counts: Tensor,
        keys: Sequence[Tensor],
        values: Sequence[Tensor],
    ) -> None:
        """Begin an empty stream as if it had read the first ``counts`` (B,) tokens of ``rows``.

        ``keys`` and ``values`` are what reading them left in each layer; see `Slots.begin`.
        """
        self.slots.begin(keys, values, counts)
        self.text, self.plain = counts.clone(), counts.clone()
        begun, _ = pad([row[:count] for row, count in zip(rows, integers(counts), strict=True)])
        self.tokens[:, : begun.shape[1]] = begun

    def trimmed(self) -> Stream:
        """Of a stream of one row what another can begin with, and no more."""
        plain = integers(self.tokens[0, : self.plain[0]])
        other = Stream(self.backbone, 1, len(plain), traced=self.states is not None)
        other.adopt(self, [*plain, -1])
        return other

    def read(self, rows: Tensor, ids: Tensor, counts: Tensor) -> Tensor:
        """Read tokens (R, n), of which ``counts`` (R,) are real; their states (R, n, d)."""
        return self._read(rows, ids, counts, None)

    def peek(self, tokens: Sequence[int], parents: Sequence[int]) -> Tensor:
        """States (n, d) of tokens that could come next; a stream of one row, which stays as it is.

        A tree: token i comes behind token ``parents[i]``, an earlier one, or at -1 behind the text.
        """
        assert self.rows == 1, "only one text can be looked ahead in"
        depths = torch.zeros(len(tokens), dtype=torch.long)
        sees = torch.eye(len(tokens), dtype=torch.bool)
        for place, parent in enumerate(parents):
            if parent >= 0:
                depths[place] = depths[parent] + 1
                sees[place] |= sees[parent]
        rows, counts = self.all(), torch.tensor([len(tokens)])
        positions = (self.text[0] + depths)[None]
        inputs = self.backbone.embed(torch.tensor([tokens]))
        block = Block(inputs, counts, positions, torch.full_like(positions, TEXT), sees=sees)
        states = self.slots.write(rows, block)
        self.slots.rewind(rows, len(tokens))
        return states[0]

    def insert(self, rows: Tensor, latents: Latents, ids: Tensor, counts: Tensor) -> Tensor:
        """Read the last token anew behind latents, and go on; states (R, n, d) of ``ids`` (R, n).

        ``ids`` begin with the rows' last tokens. The state that a last token had without latents
        gives way to the new one.
        """
        self.await_last(rows, latents)
        return self._read(rows, ids, counts, latents)

    def await_last(self, rows: Tensor, latents: Latents) -> None:
        """Make way for the last token to be read anew behind latents, as `insert` does at once.

        Where the latents stand in the cache, it may wait for the next `read`, of all rows.
        """
        self._unread(rows)
        if latents.values is not None:
            self.slots.rewind(rows, 1)
            return
        # The weaver's queries stand behind the token already: only hide its first reading.
        at = self._latents_at(rows, latents)
        self.slots.hide(rows, at[:, :1] - 1)
        if latents.cached is not None:
            self.slots.put(rows, at, latents.cached, latents.gates)

    def lift(self, rows: Tensor, latents: Latents) -> Latents:
        """The latents with all that is needed to hand them to other rows; see `Latents.take`."""
        if latents.values is not None:
            return latents
        return replace(latents, cached=self.slots.held(rows, self._latents_at(rows, latents)))

    def _latents_at(self, rows: Tensor, latents: Latents) -> Tensor:
        """The columns (R, K) of latents that were left in the cache just now."""
        return self.slots.length[rows][:, None] - latents.count + torch.arange(latents.count)

    def fork(self, rows: Tensor) -> Stream:
        """Another stream that goes on from these rows; one named twice is doubled."""
        other = copy(self)
        other.slots = copy(self.slots)
        if self.reader is not None:
            other.reader = replace(self.reader, slots=copy(self.reader.slots))
        other.keep(rows)
        return other

    def keep(self, rows: Tensor) -> None:
        """Go on with these rows alone; one named twice is doubled."""
        self.slots.keep(rows)
        self.text, self.tokens = self.text[rows], self.tokens[rows]
        self.plain = self.plain[rows]
        if self._memories is not None:
            self._memories = [self._memories[row] for row in integers(rows)]
        rows = rows.to(self.hidden.device)
        self.hidden, self.embedded = self.hidden[rows], self.embedded[rows]
        if self.states is not None and self.inputs is not None:
            self.states, self.inputs = self.states[rows], self.inputs[rows]
        if self.reader is not None:
            self.reader = self.reader.keep(rows.cpu())

    def _read(self, rows: Tensor, ids: Tensor, counts: Tensor, latents: Latents | None) -> Tensor:
        inputs = self.backbone.embed(ids)
        positions = self.text[rows][:, None] + torch.arange(ids.shape[1])
        real = torch.arange(ids.shape[1]) < counts[:, None]
        self.tokens[rows[:, None].expand_as(ids)[real], positions[real]] = ids.cpu()[real]
        block = Block(inputs, counts, positions, torch.full_like(positions, TEXT))
        before = 0
        if latents is not None and latents.values is not None:
            before = latents.count
            block = _behind(latents.values, latents.gates, block, self.text[rows])
        start = self.slots.length[rows]
        states = self.slots.write(rows, block)
        self._trace(rows, start, block, states)
        states = states[:, before:]
        self.text[rows] += counts
        untouched = self.slots.length[rows] == self.text[rows]
        self.plain[rows] = torch.where(untouched, self.text[rows], self.plain[rows])
        self._settle(rows, inputs, states, counts)
        return states

    def _unread(self, rows: Tensor) -> None:
        """The last token is about to be read again."""
        self.text[rows] -= 1
        self.plain[rows] = torch.minimum(self.plain[rows], self.text[rows])

    def _settle(self, rows: Tensor, inputs: Tensor, states: Tensor, counts: Tensor) -> None:
        """Note the last real position of each row as its state."""
        device = states.device
        place = torch.arange(len(rows), device=device)
        last = (counts - 1).clamp(min=0).to(device)
        where = (rows.to(device),)
        self.hidden = self.hidden.index_put(where, states[place, last])
        self.embedded = self.embedded.index_put(where, inputs[place, last].to(self.hidden.dtype))

    def _trace(self, rows: Tensor, start: Tensor, block: Block, states: Tensor) -> None:
        if self.states is None or self.inputs is None:
            return
        step = torch.arange(states.shape[1])
        at = torch.where(step < block.counts[:, None], start[:, None] + step, self.slots.columns)
        where = (rows[:, None].to(states.device), at.to(states.device))
        self.states = self.states.index_put(where, states)
        self.inputs = self.inputs.index_put(where, block.inputs.to(self.inputs.dtype))


def _behind(values: Tensor, gates: Tensor, block: Block, at: Tensor) -> Block:
    """``block`` with latents before it, over the K positions before position ``at`` (R,).

    So they are as near as the K last tokens, and no position moves: the context's length does not
    grow, and a closed gate leaves everything as it was.
    """
    count = values.shape[1]
    over = (at[:, None] - count + torch.arange(count)).clamp(min=0)
    open_gates = gates.new_zeros(block.inputs.shape[:2])
    return replace(
        block,
        inputs=torch.cat([values.to(block.inputs.dtype), block.inputs], dim=1),
        counts=block.counts + count,
        positions=torch.cat([over, block.positions], dim=1),
        roles=torch.cat([torch.full_like(over, LATENT), block.roles], dim=1),
        gates=torch.cat([gates, open_gates], dim=1),
    )


@dataclass
class Reader:
    """A weaver's own cache beside a stream: column c of the stream is column shift + c of it.

    ``seen`` (B,) counts the stream's columns that it holds, ``shift`` (B,) its memory's.
    """

    slots: Slots
    seen: Tensor
    shift: Tensor

    def keep(self, rows: Tensor) -> Reader:
        """With these rows alone."""
        self.slots.keep(rows)
        return Reader(self.slots, self.seen[rows], self.shift[rows])
