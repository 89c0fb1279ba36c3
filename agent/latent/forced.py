"""Teacher forcing: the states of given text under a plan, with gradients.

The same stream as in generation reads it, segment by segment, so that training sees what will be
generated, bit for bit but for the order of sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .config import KINDS, Kind
from .lora import switched_on
from .net import WovenNet
from .plan import Plan, Point, check_plan
from .stream import Edit, Latents, Stream
from .tensors import pad


@dataclass(frozen=True)
class Forced:
    """What reading B rows of at most L tokens left behind.

    ``hidden`` (B, L, d): state i predicts token i + 1, with the latents of a point behind token i.
    ``before`` (B, P, d): what the trigger reads at each row's points, before the insertion.
    ``latents`` by point, for each the rows (R,) and what was woven for them.
    """

    tokens: Tensor
    lengths: Tensor
    hidden: Tensor
    before: Tensor
    latents: tuple[tuple[Tensor, Latents], ...]


def forced(
    net: WovenNet,
    rows: Sequence[Sequence[int]],
    plan: Plan,
    *,
    memories: Sequence[Sequence[int]] | None = None,
    edit: Edit | None = None,
    unasked: Sequence[int] | None = None,
) -> Forced:
    """Read rows of tokens, inserting latents at the points of ``plan``.

    Gradients flow into weaver and trigger, through earlier latents, too, unless grad mode is off.
    ``edit`` changes latents before they are read. Of row i the states of the first ``unasked[i]``
    tokens are not asked for: where the net has a cache of prefixes they may come from there, and
    these states are 0.
    """
    check_plan(plan, [len(row) for row in rows], net.config.weaver)
    tokens, lengths = pad(rows)
    points = max((len(one) for one in plan), default=0)
    stream = net.stream(
        [len(row) for row in rows],
        points=points,
        memories=memories,
        differentiable=torch.is_grad_enabled(),
    )
    ends = [one[0].at if one else len(row) for one, row in zip(plan, rows, strict=True)]
    known = torch.zeros(len(rows), dtype=torch.long)
    cache = None if stream.states is not None or switched_on() else net.prefixes
    if unasked is not None and cache is not None:
        most = [max(0, min(one, end - 1)) for one, end in zip(unasked, ends, strict=True)]
        known = cache.begin(stream, rows, most)
    reading = _Reading(net, stream, tokens, lengths, points)
    reading.begin(known, torch.tensor(ends))
    woven: list[tuple[Tensor, Latents]] = []
    for place in range(points):
        for kind in KINDS:
            here = {
                row: _segment(one, place, len(rows[row]))
                for row, one in enumerate(plan)
                if place < len(one) and one[place].kind == kind
            }
            if here:
                woven.append(reading.insert(here, place, kind, edit))
    return Forced(tokens, lengths, reading.hidden, reading.before, tuple(woven))


def token_logprobs(net: WovenNet, read: Forced, wanted: Tensor | None = None) -> Tensor:
    """Log-probabilities (B, L - 1) of tokens 1 to L - 1, 0 where there is none.

    ``wanted`` (B, L - 1) leaves out what is not asked for, and the cost of its logits.
    """
    last = read.tokens.shape[1] - 1
    there = torch.arange(1, last + 1) < read.lengths[:, None]
    chosen = there if wanted is None else there & wanted
    device = read.hidden.device
    at = chosen.to(device)
    logits = net.backbone.logits(read.hidden[:, :-1][at])
    targets = read.tokens[:, 1:].to(device)[at]
    found = torch.log_softmax(logits, -1).gather(-1, targets[:, None]).squeeze(-1)
    return found.new_zeros(chosen.shape).masked_scatter(at, found)


def _segment(points: tuple[Point, ...], place: int, length: int) -> tuple[int, int]:
    """From the token that is read again to where the next point (or the row) ends."""
    after = points[place + 1].at if place + 1 < len(points) else length
    return points[place].at - 1, after


class _Reading:
    """The states gathered so far."""

    def __init__(
        self, net: WovenNet, stream: Stream, tokens: Tensor, lengths: Tensor, points: int
    ) -> None:
        self._net, self._stream = net, stream
        self._tokens = tokens
        shape = (len(tokens), tokens.shape[1], net.backbone.dim)
        self.hidden = stream.hidden.new_zeros(shape)
        self.before = stream.hidden.new_zeros(len(tokens), points, net.backbone.dim)

    def begin(self, known: Tensor, ends: Tensor) -> None:
        rows, counts = self._stream.all(), ends - known
        states = self._stream.read(rows, self._ids(rows, known, counts), counts)
        self._gather(rows, known, counts, states)

    def insert(
        self, here: dict[int, tuple[int, int]], place: int, kind: Kind, edit: Edit | None
    ) -> tuple[Tensor, Latents]:
        rows = torch.tensor(list(here))
        starts = torch.tensor([one[0] for one in here.values()])
        counts = torch.tensor([one[1] for one in here.values()]) - starts
        where = (rows.to(self.before.device), torch.full_like(rows, place).to(self.before.device))
        self.before = self.before.index_put(where, self._net.trigger.states(self._stream, rows))
        latents = self._net.weaver.weave(self._stream, rows, kind)
        if edit is not None:
            latents = edit(self._stream.lift(rows, latents), rows)
        states = self._stream.insert(rows, latents, self._ids(rows, starts, counts), counts)
        self._gather(rows, starts, counts, states)
        return rows, latents

    def _ids(self, rows: Tensor, starts: Tensor, counts: Tensor) -> Tensor:
        at = starts[:, None] + torch.arange(int(counts.max()))
        return self._tokens[rows[:, None], at.clamp(max=self._tokens.shape[1] - 1)]

    def _gather(self, rows: Tensor, starts: Tensor, counts: Tensor, states: Tensor) -> None:
        step = torch.arange(states.shape[1])
        real = step < counts[:, None]
        at = (starts[:, None] + step)[real].to(states.device)
        row = rows[:, None].expand(real.shape)[real].to(states.device)
        self.hidden = self.hidden.index_put((row, at), states[real.to(states.device)])
