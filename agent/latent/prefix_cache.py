"""What a frozen reasoner reads again and again: the beginnings of texts, kept block by block.

Keys and values of text that nothing is woven into depend on the text alone, so training over the
same prompts need compute them once. A block is named by all the tokens up to its end (as in vLLM's
automatic prefix caching), so that prompts share what they begin with alike: the turns of an
episode, the instructions of all. Each block is computed by itself: its bits do not depend on what
else was asked for, and a run that is resumed computes the same.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b
from itertools import takewhile

import torch
from torch import Tensor

from .backbone import Backbone
from .stream import Stream

BLOCK = 64
"""Tokens: few enough that little is read again, enough that a block is no slow pass."""

Held = tuple[Tensor, Tensor]
"""Keys and values (layers, n, heads, d_head)."""


class PrefixCache:
    """At most ``room`` bytes of keys and values; what was asked for longest ago gives way."""

    def __init__(self, backbone: Backbone, room: int) -> None:
        self.backbone = backbone
        self.room = room
        self._blocks: OrderedDict[bytes, Held] = OrderedDict()

    @property
    def size(self) -> int:
        """Bytes in use."""
        return sum(2 * keys.nbytes for keys, _ in self._blocks.values())

    @torch.no_grad()
    def begin(self, stream: Stream, rows: Sequence[Sequence[int]], most: Sequence[int]) -> Tensor:
        """Let an empty stream begin as if it had read its rows' first tokens; how many (B,).

        Of row i at most ``most[i]``, which is less than all. No delta may be switched on.
        """
        found = [self._begun(row[:end]) for row, end in zip(rows, most, strict=True)]
        counts = torch.tensor([BLOCK * len(blocks) for blocks in found])
        if counts.any():
            stream.begin(rows, counts, *_ragged(found))
        return counts

    def _begun(self, row: Sequence[int]) -> list[Held]:
        """The whole blocks of a row, computed where they are not held."""
        names = _names(row)
        held = [self._blocks[name] for name in takewhile(self._blocks.__contains__, names)]
        if len(held) < len(names):
            held += self._read(row, held, len(names))
        for name, block in reversed([*zip(names, held, strict=True)]):
            self._blocks[name] = block
            self._blocks.move_to_end(name)  # a block outlives those behind it
        if names:
            fit = self.room // sum(one.nbytes for one in held[0])
            while len(self._blocks) > fit:
                self._blocks.popitem(last=False)
        return held

    def _read(self, row: Sequence[int], held: list[Held], count: int) -> list[Held]:
        """The blocks behind ``held`` up to ``count``."""
        read: list[Held] = []
        stream = Stream(self.backbone, 1, BLOCK * count)
        if held:
            stream.begin([row], torch.tensor([BLOCK * len(held)]), *_ragged([held]))
        for first in range(BLOCK * len(held), BLOCK * count, BLOCK):
            ids = torch.tensor([row[first : first + BLOCK]])
            stream.read(stream.all(), ids, torch.tensor([BLOCK]))
            keys, values = stream.slots.held(stream.all(), first + torch.arange(BLOCK)[None])
            read.append((keys[:, 0], values[:, 0]))
        return read


def _names(row: Sequence[int]) -> list[bytes]:
    """A name for each whole block, of all the tokens up to its end."""
    names: list[bytes] = []
    digest = blake2b(digest_size=16)
    for first in range(0, len(row) - BLOCK + 1, BLOCK):
        digest.update(array("q", row[first : first + BLOCK]).tobytes())
        names.append(digest.digest())
    return names


def _ragged(rows: Sequence[Sequence[Held]]) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
    """Keys and values of all rows' blocks, (B, columns, heads, d_head) for each layer."""
    keys, _ = next(blocks[0] for blocks in rows if blocks)
    longest = max(map(len, rows))
    empty = keys.new_zeros(len(keys), BLOCK, *keys.shape[2:])

    def joined(which: int) -> Sequence[Tensor]:
        filled = [[b[which] for b in blocks] + [empty] * (longest - len(blocks)) for blocks in rows]
        return torch.stack([torch.cat(blocks, dim=1) for blocks in filled], dim=1).unbind()

    return joined(0), joined(1)
