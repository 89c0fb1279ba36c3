"""What teaches a weaver: right answers, the same under exchanged latents, and a teacher.

    SFT           L = −1/N Σ_t log π(y_t | x, M, y_<t)         MemGen, arXiv 2509.24704
    exchange      the same, with the latents of another example of the group: what several examples
                  share has to be in the latents, and nothing else can be of use
    distillation  L = 1/N Σ_t KL(π(· | memory text, x, y_<t) ‖ π(· | x, M(memory), y_<t))

The reasoner is frozen: gradients reach the weaver alone.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import torch
from pydantic import Field
from torch import Tensor

from ....memory.records import Frozen
from ..forced import forced, token_logprobs
from ..net import WovenNet
from ..stream import Edit, Latents
from ..tensors import integers
from .examples import Batch, Example, answers_wanted, make_batch
from .trainer import Loss

Draw = Callable[[random.Random], Example]
"""An example to learn from."""


class WeaverLosses(Frozen):
    """Which losses, on how many examples."""

    batch: int = Field(default=32, ge=1)
    retention: float = Field(default=0.25, ge=0, lt=1, description="share of retention examples")
    exchange: float = Field(
        default=0.5, ge=0, le=1, description="how often latents are exchanged within their groups"
    )
    distillation: float = Field(
        default=0.0, ge=0, le=1, description="weight of the teacher against the answers"
    )


def weaver_loss(
    net: WovenNet, draw: Draw, losses: WeaverLosses, retention: Draw | None = None
) -> Loss:
    """The loss of a batch of ``draw``, mixed with ``retention``. Opens the weaver's gate."""
    net.open_gate()

    def loss(rng: random.Random) -> Tensor:
        batch = make_batch(net, mixed(draw, losses, retention, rng))
        swap = rng.random() < losses.exchange
        edit = exchange(batch, rng) if swap else None
        return loss_of(net, batch, edit=edit, distillation=losses.distillation)

    return loss


def mixed(
    draw: Draw, losses: WeaverLosses, retention: Draw | None, rng: random.Random
) -> list[Example]:
    """A batch of ``draw`` with its share of ``retention``, in the mean if that is no number."""
    whole, part = divmod(losses.batch * losses.retention, 1)
    kept = int(whole) + (part > 0 and rng.random() < part)
    if retention is None:
        return [draw(rng) for _ in range(losses.batch)]
    learnt = [draw(rng) for _ in range(losses.batch - kept)]
    return learnt + [retention(rng) for _ in range(kept)]


def loss_of(
    net: WovenNet, batch: Batch, *, edit: Edit | None = None, distillation: float = 0.0
) -> Tensor:
    """Mean negative log-likelihood of the answers, in nats a token, mixed with the teacher's."""
    read = forced(
        net, batch.rows, batch.plan, memories=batch.memories, edit=edit, unasked=batch.unasked
    )
    at = batch.wanted.to(read.hidden.device)
    if not distillation or not any(one.teacher for one in batch.examples):
        return -token_logprobs(net, read, batch.wanted).sum() / batch.wanted.sum()
    student = torch.log_softmax(net.backbone.logits(read.hidden[:, :-1][at]), -1)
    targets = read.tokens[:, 1:].to(at.device)[at]
    spoken = -student.gather(-1, targets[:, None]).mean()
    # What needs its memory, and is too long to be told with it, has no teacher.
    told = [bool(one.teacher) or not one.memory for one in batch.examples]
    heard = torch.tensor(told, device=at.device)[:, None].expand_as(at)[at]
    pupils = [one for one, flag in zip(batch.examples, told, strict=True) if flag]
    taught = divergence(teacher_logprobs(net, pupils), student[heard])
    return (1 - distillation) * spoken + distillation * taught


def divergence(teacher: Tensor, student: Tensor) -> Tensor:
    """KL(p ‖ q) = Σ_v p (log p − log q), the mean over N tokens; log p and log q (N, V)."""
    return (teacher.exp() * (teacher - student)).sum(-1).mean()


@torch.no_grad()
def teacher_logprobs(net: WovenNet, examples: Sequence[Example]) -> Tensor:
    """What the bare reasoner says (N, V) of the answers' tokens with the memory's text before it.

    An example without a memory is its own teacher: the reasoner as it was.
    """
    prompts = [one.teacher or one.prompt for one in examples]
    rows = [prompt + one.answer for prompt, one in zip(prompts, examples, strict=True)]
    read = forced(net, rows, ((),) * len(rows), unasked=[len(one) - 1 for one in prompts])
    at = answers_wanted(rows, [len(one) for one in prompts]).to(read.hidden.device)
    return torch.log_softmax(net.backbone.logits(read.hidden[:, :-1][at]), -1)


def exchange(batch: Batch, rng: random.Random) -> Edit:
    """Hands each row's latents on within its group; rows of no group keep their own.

    Where latents stand in the cache, only between rows with points at the same places: keys have
    turned with theirs.
    """

    def edit(latents: Latents, rows: Tensor) -> Latents:
        places: dict[tuple[object, ...], list[int]] = {}
        for place, row in enumerate(integers(rows)):
            group = batch.examples[row].group
            where = batch.plan[row] if latents.values is None else ()
            key = (group, where) if group else (row,)
            places.setdefault(key, []).append(place)
        source = list(range(len(rows)))
        for members in places.values():
            by = rng.randrange(len(members))
            for place, other in zip(members, members[by:] + members[:by], strict=True):
                source[place] = other
        return taken(latents, source)

    return edit


def taken(latents: Latents, source: Sequence[int]) -> Latents:
    """The latents with row i from row ``source[i]``; see ``Latents.take``."""
    return latents.take(torch.tensor(source))
