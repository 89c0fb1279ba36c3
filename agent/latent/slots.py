"""A backbone's key-value cache, and what stands in each of its columns.

Rows keep their own length, so that one may be added to while others are not, and are as dense as
if each stood alone. What a position may see follows from roles, not from order alone:

    a query of     sees the keys of
    text           text; latents, weighed by their gate
    latents        text, latents
    memory         memory
    weaver query   all of them

each as far as they stand before it, and itself. The gate g of a latent is an additive bias log g
on the attention of text to its key: it multiplies the key's weight before normalisation, so that a
closed gate (log 0 = -inf) leaves the text's attention exactly as if the latent were not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from copy import copy
from dataclasses import dataclass, replace
from importlib import import_module
from itertools import chain

import torch
from torch import Tensor

from .backbone import Backbone, Masks
from .lora import as_now
from .tensors import integers

TEXT, LATENT, MEMORY, QUERY = range(4)
_SEES = ((1, 1, 0, 0), (1, 1, 0, 0), (0, 0, 1, 0), (1, 1, 1, 1))
_CLOSED = -torch.inf


@dataclass(frozen=True)
class Block:
    """What is written at once: for R rows at most n positions each, padded at their ends.

    ``inputs`` (R, n, d) and ``gates`` (R, n), log-gates of latents, lie where the backbone does;
    ``counts`` (R,), how many positions are real, and ``positions`` and ``roles`` (R, n) on the CPU.
    ``sees`` (n, n) tells which of a block of one row see which, if not each all those before it.
    """

    inputs: Tensor
    counts: Tensor
    positions: Tensor
    roles: Tensor
    gates: Tensor | None = None
    sees: Tensor | None = None


class Slots:
    """The columns of ``rows`` rows, at most ``columns`` in each.

    Rows are named by tensors on the CPU, in order, and lengths are kept there, so that no step
    waits for an accelerator. ``differentiable`` keeps what gradients need: every write then makes
    new tensors. With ``checkpointing`` what a write computes within the layers is computed again in
    the backward pass and not kept (gradient checkpointing, arXiv 1604.06174).
    """

    def __init__(
        self,
        backbone: Backbone,
        rows: int,
        columns: int,
        *,
        differentiable: bool = False,
        checkpointing: bool = False,
    ) -> None:
        self.backbone = backbone
        self.columns = columns
        self.differentiable = differentiable
        self.checkpointing = checkpointing
        device = backbone.device
        # One more column than can be used: pads are written there, and nobody sees it.
        self.length = torch.zeros(rows, dtype=torch.long)
        self.position = torch.zeros(rows, columns + 1, dtype=torch.long, device=device)
        self.role = torch.zeros(rows, columns + 1, dtype=torch.long, device=device)
        self.bias = torch.full(
            (rows, len(_SEES), columns + 1), _CLOSED, dtype=backbone.dtype, device=device
        )
        self._sees = torch.tensor(_SEES, dtype=torch.bool, device=device)
        self._keys: list[Tensor] = []
        self._values: list[Tensor] = []
        self._at = (self.position, self.position)
        self._used = 0
        self._rows: list[int] | None = None

    def write(self, rows: Tensor, block: Block) -> Tensor:
        """Let the backbone read a block behind what ``rows`` (R,) hold; its states (R, n, d)."""
        device, start = self.position.device, self.length[rows]
        step = torch.arange(block.inputs.shape[1])
        real = step < block.counts[:, None]
        at = torch.where(real, start[:, None] + step, self.columns)
        self.length[rows] = start + block.counts
        self._used = int(self.length[rows].max())
        if self._used > self.columns:
            raise ValueError(f"{self._used} columns are needed, {self.columns} were made")
        self._rows = None if len(rows) == len(self.length) else integers(rows)
        rows, at, real = rows.to(device), at.to(device), real.to(device)
        block = replace(block, positions=block.positions.to(device), roles=block.roles.to(device))
        self._at = (rows[:, None], at)
        self._note(rows, at, block)
        mask = self._mask(rows, at, block, real)
        if self.checkpointing:
            return self._run_again_later(block, mask)
        return self.backbone.run(block.inputs, mask, block.positions, self)

    def rewind(self, rows: Tensor, count: int) -> None:
        """Take back the last ``count`` columns of ``rows``; later writes stand in their place."""
        self.length[rows] -= count

    def assign(self, rows: Tensor, at: Tensor, role: int, gates: Tensor | None = None) -> None:
        """Give the columns ``at`` (R, n) another role, and log-gates (R, n)."""
        rows, at = rows.to(self.role.device), at.to(self.role.device)
        roles = torch.full_like(at, role)
        self.role[rows[:, None], at] = roles
        self._set_bias(rows, at, self._key_bias(roles, gates))

    def held(self, rows: Tensor, at: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values (layers, R, n, heads, d_head) of the columns ``at`` (R, n)."""
        where = (rows[:, None].to(self.role.device), at.to(self.role.device))
        keys = torch.stack([one[where] for one in self._keys])
        return keys, torch.stack([one[where] for one in self._values])

    def put(self, rows: Tensor, at: Tensor, held: tuple[Tensor, Tensor], gates: Tensor) -> None:
        """Let latents with these keys and values stand in the columns ``at`` (R, n)."""
        self.assign(rows, at, LATENT, gates)
        self._at = (rows[:, None].to(self.role.device), at.to(self.role.device))
        for layer in range(len(self._keys)):
            self._place(self._keys, held[0][layer], layer)
            self._place(self._values, held[1][layer], layer)

    def hide(self, rows: Tensor, at: Tensor) -> None:
        """Let nothing see the columns ``at`` (R, n) from now on."""
        rows, at = rows.to(self.role.device), at.to(self.role.device)
        closed = self.bias.new_full((len(rows), len(_SEES), at.shape[1]), _CLOSED)
        self._set_bias(rows, at, closed)

    def begin(self, keys: Sequence[Tensor], values: Sequence[Tensor], counts: Tensor) -> None:
        """Begin an empty cache with text of ``counts`` (B,) columns, at positions from 0 on.

        ``keys`` and ``values`` of each layer are (B, n, heads, d_head), for the longest row.
        """
        assert not self._keys, "only an empty cache can begin with anything"
        at = torch.arange(keys[0].shape[1], device=self.position.device)
        self.length = counts.clone()
        self.position[:, : len(at)] = at
        roles = torch.full((len(counts), len(at)), TEXT, device=at.device)
        there = (at < counts.to(at.device)[:, None])[:, None]
        bias = self._key_bias(roles, None).masked_fill(~there, _CLOSED)
        self.bias[..., : len(at)] = bias
        self._keys = [self._begun(one) for one in keys]
        self._values = [self._begun(one) for one in values]

    def _begun(self, held: Tensor) -> Tensor:
        begun = held.new_zeros(len(held), self.columns + 1, *held.shape[2:])
        begun[:, : held.shape[1]] = held
        return begun

    def first(self, count: int) -> tuple[list[Tensor], list[Tensor]]:
        """Keys and values (B, count, heads, d_head) of the first columns, for each layer."""
        keys, values = self._keys, self._values
        return [one[:, :count] for one in keys], [one[:, :count] for one in values]

    def keep(self, rows: Tensor) -> None:
        """Go on with these rows alone; one named twice is doubled."""
        self.length = self.length[rows]
        rows = rows.to(self.role.device)
        self.position = self.position[rows]
        self.role, self.bias = self.role[rows], self.bias[rows]
        self._keys = [one[rows] for one in self._keys]
        self._values = [one[rows] for one in self._values]

    def update(
        self, keys: Tensor, values: Tensor, layer: int, *_: object, **__: object
    ) -> tuple[Tensor, Tensor]:
        """What the backbone's attention calls: store new keys and values (R, heads, n, d_head).

        Returns those of all columns in use, (R, heads, used, d_head). It stands in for the cache
        classes of transformers.
        """
        if layer == len(self._keys):
            shape = (len(self.length), self.columns + 1, keys.shape[1])
            self._keys.append(keys.new_zeros(*shape, keys.shape[3]))
            self._values.append(values.new_zeros(*shape, values.shape[3]))
        return self._store(self._keys, keys, layer), self._store(self._values, values, layer)

    def get_seq_length(self, layer: int = 0) -> int:
        """Columns in use; positions and masks are given, so that nothing depends on it."""
        return self._used

    def _store(self, stores: list[Tensor], new: Tensor, layer: int) -> Tensor:
        self._place(stores, new.transpose(1, 2), layer)
        held = stores[layer][:, : self._used]
        if self._rows is not None:
            # One row is a view; several are a copy.
            one = len(self._rows) == 1
            held = held[self._rows[0]][None] if one else held[self._at[0][:, 0]]
        return held.transpose(1, 2)

    def _place(self, stores: list[Tensor], new: Tensor, layer: int) -> None:
        """Put (R, n, heads, d_head) where the block being written stands."""
        if self.differentiable:
            stores[layer] = stores[layer].index_put(self._at, new)
        else:
            stores[layer].index_put_(self._at, new)

    def _run_again_later(self, block: Block, mask: Masks) -> Tensor:
        """Run the backbone and keep what went in alone.

        Each run has a view of its own, with the keys and values as they were: by the backward pass
        this cache will have grown.
        """
        before, deltas = copy(self), as_now()

        def run(inputs: Tensor, *held: Tensor) -> tuple[Tensor, ...]:
            view = copy(before)
            view._keys, view._values = list(held[::2]), list(held[1::2])
            states = view.backbone.run(inputs, mask, block.positions, view)
            return (states, *chain(*zip(view._keys, view._values, strict=True)))

        again = import_module("torch.utils.checkpoint").checkpoint
        made: tuple[Tensor, ...] = again(
            run,
            block.inputs,
            *chain(*zip(self._keys, self._values, strict=True)),
            use_reentrant=False,
            preserve_rng_state=False,
            context_fn=lambda: (nullcontext(), deltas()),
        )
        self._keys, self._values = list(made[1::2]), list(made[2::2])
        return made[0]

    def _note(self, rows: Tensor, at: Tensor, block: Block) -> None:
        self.position[rows[:, None], at] = block.positions
        self.role[rows[:, None], at] = block.roles
        self._set_bias(rows, at, self._key_bias(block.roles, block.gates))

    def _key_bias(self, roles: Tensor, gates: Tensor | None) -> Tensor:
        """The bias on keys of these roles (R, n) for queries of every role, (R, roles, n)."""
        sees = self._sees[:, roles].transpose(0, 1)
        bias = torch.where(sees, 0.0, _CLOSED).to(self.bias.dtype)
        if gates is None:
            return bias
        weighed = torch.where(roles == LATENT, gates.to(bias.dtype), bias[:, TEXT])
        return torch.cat([weighed[:, None], bias[:, TEXT + 1 :]], dim=1)

    def _set_bias(self, rows: Tensor, at: Tensor, bias: Tensor) -> None:
        kinds = torch.arange(len(_SEES), device=at.device)
        where = (rows[:, None, None], kinds[None, :, None], at[:, None, :])
        if self.differentiable:
            self.bias = self.bias.index_put(where, bias)
        else:
            self.bias.index_put_(where, bias)

    def _mask(self, rows: Tensor, at: Tensor, block: Block, real: Tensor) -> Masks:
        """Additive masks (R, 1, n, used): over all columns, and within the sliding window."""
        keys = torch.arange(self._used, device=at.device)
        bias = self.bias[rows[:, None], block.roles][..., : self._used]
        behind, itself = keys < at[..., None], keys == at[..., None]
        if block.sees is not None:
            behind[0][:, at[0]] = block.sees.to(behind.device)
        # A pad sees the first column, so that its softmax is not empty.
        itself = itself | ((keys == 0) & ~real[..., None])
        closed = bias.new_tensor(_CLOSED)
        full = torch.where(behind, bias, closed).masked_fill(itself, 0.0)
        window = self.backbone.window
        if window is None:
            return Masks(full[:, None], None)
        distance = block.positions[..., None] - self.position[rows, None, : self._used]
        # What is recalled stays in sight, however long the text has become.
        recalled = (self.role[rows, None, : self._used] == MEMORY) & (
            block.roles[..., None] == QUERY
        )
        near = torch.where((distance < window) | itself | recalled, full, closed)
        return Masks(full[:, None], near[:, None])
