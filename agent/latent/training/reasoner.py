"""A reasoner made from nothing, for experiments: a small Llama that learns the rule-table task."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from ..backbone import Backbone, tiny_backbone
from ..tensors import pad
from .rules import (
    BEGIN,
    END,
    RULES,
    pretraining_text,
    restated,
    rule_tokenizer,
    rule_tokenizer_files,
)

Watch = Callable[[int, float], None]

_T = TypeVar("_T")


def make_reasoner(
    *,
    dim: int = 64,
    layers: int = 4,
    heads: int = 2,
    steps: int = 2400,
    batch: int = 32,
    rate: float = 1e-3,
    seed: int = 0,
    device: str = "cpu",
    watch: Watch | None = None,
) -> Backbone:
    """Pretrain a Llama on rules that stand in its context; ``watch`` is told each step's loss.

    AdamW, the rate falling to zero over the last quarter, through the lessons of `Curriculum`.
    """
    tokenizer, lessons = rule_tokenizer(), Curriculum(LESSONS)
    model: Any = tiny_backbone(tokenizer, dim=dim, layers=layers, heads=heads, seed=seed).model
    model.to(device).train().requires_grad_(True)
    widen(model, seed)
    optimizer: Any = torch.optim.AdamW(
        model.parameters(), lr=rate, betas=(0.9, 0.98), weight_decay=0.01
    )
    for step, (ids, wanted) in zip(range(steps), _batches(batch, seed, lessons), strict=False):
        for group in optimizer.param_groups:
            group["lr"] = rate * min((step + 1) / 40, 4 * (1 - step / steps), 1.0)
        logits = model(input_ids=ids[:, :-1].to(device)).logits
        loss: Any = answer_loss(logits, ids[:, 1:].to(device), wanted[:, 1:].to(device))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        lessons.note(float(loss.detach()))
        if watch is not None:
            watch(step, float(loss.detach()))
    return Backbone(model, tokenizer, f"rules-{dim}x{layers}-{seed}")


def save_reasoner(backbone: Backbone, folder: Path) -> None:
    """Keep it as transformers does, so that `open_backbone` reads it back."""
    model: Any = backbone.model
    model.save_pretrained(folder)
    rule_tokenizer_files().save_pretrained(folder)


def answer_loss(logits: Tensor, targets: Tensor, wanted: Tensor) -> Tensor:
    """Mean cross-entropy in nats over the ``wanted`` (B, L) of ``targets`` (B, L)."""
    return nn.functional.cross_entropy(logits[wanted].float(), targets[wanted])


def cosine(step: int, steps: int, warmup: float = 0.1) -> float:
    """The factor of the learning rate: linear up over ``warmup``, then half a cosine to zero."""
    rise = max(1, round(warmup * steps))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))


@dataclass(frozen=True)
class Lesson:
    """The rules in play, the longest table asked about, and how many questions a context has."""

    rules: str
    longest: int
    questions: int = 4


LESSONS = (
    Lesson("", 0, 0),
    *(Lesson(RULES[:n], 0) for n in range(len(RULES) + 1)),
    *(Lesson(RULES, n) for n in (1, 2, 3, 4, 6, 8, 12, 20, 28)),
)
"""First to restate tables, which teaches to look up; then copying, one rule after another, and
questions on tables of one id and of more. All at once is not learnt: places, shifts and looking up
each need the others to be of any use, and of a looked-up answer only the first letter tells."""


SHORT = 8
"""Lines of the tables that are restated from the beginning."""


class Curriculum(Generic[_T]):
    """Lessons, each begun when the last one is understood: a mean of ``least`` over 16 batches."""

    def __init__(self, lessons: Sequence[_T], least: float = 0.05) -> None:
        self.lessons, self.least = lessons, least
        self.at = 0
        self._losses: list[float] = []

    @property
    def lesson(self) -> _T:
        """The present one."""
        return self.lessons[self.at]

    def note(self, loss: float) -> None:
        """Go on to the next lesson if this one is understood."""
        self._losses = [*self._losses, loss][-16:]
        understood = len(self._losses) == 16 and sum(self._losses) / 16 < self.least
        if understood and self.at + 1 < len(self.lessons):
            self.at, self._losses = self.at + 1, []


@torch.no_grad()
def widen(model: Any, seed: int) -> None:
    """Start values with which a small model learns at all; at the 0.02 of large ones it stalls.

    Matrices at 1 / sqrt(inputs). All tokens share a direction: a Llama has no biases, and without
    one no head can look at a place whatever stands there.
    """
    generator = torch.Generator().manual_seed(seed)
    for name, weight in model.named_parameters():
        if weight.dim() == 2:
            start = torch.randn(weight.shape, generator=generator) / math.sqrt(weight.shape[1])
            writes = "o_proj" in name or "down_proj" in name
            weight.copy_(start / math.sqrt(weight.shape[0]) if writes else start)
    tokens = model.get_input_embeddings().weight
    shared: Tensor = torch.randn(tokens.shape[1], generator=generator)
    tokens += shared / math.sqrt(tokens.shape[1])
    _look_back(model, nn.functional.normalize(shared, dim=0))


def _look_back(model: Any, shared: Tensor) -> None:
    """Let the first head begin by looking at the token before: looking up rests on it.

    Under rotary positions q = (1, 0) and k = (cos ω, sin ω), both along the direction that all
    tokens share, score cos ω(Δ − 1) at a distance of Δ; two frequencies leave one peak.
    """
    attention = model.get_decoder().layers[0].self_attn
    width = attention.head_dim
    frequencies = model.get_decoder().rotary_emb.inv_freq[:2]
    query, key = attention.q_proj.weight, attention.k_proj.weight
    query[:width], key[:width] = 0.0, 0.0
    for i, frequency in enumerate(map(float, frequencies)):
        query[i] = shared
        key[i] = shared * math.cos(frequency)
        key[i + width // 2] = shared * math.sin(frequency)


def _batches(size: int, seed: int, lessons: Curriculum[Lesson]) -> Iterator[tuple[Tensor, Tensor]]:
    """Token ids (B, L), and where answers stand, their ends included."""
    rng, tokenizer = random.Random(seed), rule_tokenizer()
    begin, end = tokenizer.encode(BEGIN)[0], tokenizer.encode(END)[0]
    rules = set(tokenizer.encode(RULES))
    while True:
        lesson = lessons.lesson
        longest = max(SHORT, lesson.longest)
        rows: list[list[int]] = []
        marks: list[list[int]] = []
        for _ in range(size):
            row, mark = [begin], [0]
            if not lesson.questions or rng.random() < 0.5:
                told, again = (tokenizer.encode(text) for text in restated(rng, longest=longest))
                row += [*told, *again]
                mark += [0] * len(told) + [int(one in rules) for one in again]
            context, lines = pretraining_text(
                rng, known=lesson.rules, longest=lesson.longest, queries=lesson.questions
            )
            row += tokenizer.encode(context)
            mark += [0] * (len(row) - len(mark))
            for line in lines:
                question, _, answer = line.partition("=")
                asked, told = tokenizer.encode(question + "="), tokenizer.encode(answer)
                row += [*asked, *told, end]
                mark += [0] * len(asked) + [1] * (len(told) + 1)
            rows.append(row)
            marks.append(mark)
        yield pad(rows)[0], pad(marks)[0].bool()
