"""What a weaver is trained on: a prompt, the answer wanted, and where latents may stand in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor, arange

from ....errors import DataMissing, SettingsError
from ...models.base import Message
from ..net import WovenNet
from ..plan import Plan, Point
from ..tensors import pad
from ..tokens import Tokenizer
from .rules import Problem


@dataclass(frozen=True)
class Example:
    """One answer to learn, as tokens. ``prompt`` is what the reasoner reads, in every arm.

    ``memory`` is read by the weaver alone. ``teacher`` is the prompt with the memory's text in it,
    for distillation; empty if that would be too long. ``group`` names what examples share that one
    memory should serve: latents are exchanged within it. ``needless`` marks retention data, which
    no memory helps. ``compared`` is what of an answer counts: all of it, or its final number.
    """

    prompt: tuple[int, ...]
    answer: tuple[int, ...]
    memory: tuple[int, ...] = ()
    teacher: tuple[int, ...] = ()
    group: str = ""
    needless: bool = False
    compared: Callable[[Sequence[int]], object] = tuple

    def answered_by(self, tokens: Sequence[int]) -> bool:
        """True for the answer wanted, as far as it counts."""
        return self.compared(tokens) == self.compared(self.answer)


@dataclass(frozen=True)
class Batch:
    """Examples as rows: prompt and answer, ``wanted`` (B, L - 1) where the answers' tokens are."""

    examples: tuple[Example, ...]
    rows: tuple[tuple[int, ...], ...]
    plan: Plan
    wanted: Tensor
    memories: tuple[tuple[int, ...], ...] | None

    @property
    def unasked(self) -> list[int]:
        """How many tokens of each row only lead to what is wanted."""
        return [len(one.prompt) - 1 for one in self.examples]


def make_batch(
    net: WovenNet, examples: Sequence[Example], *, woven: bool | Sequence[bool] = True
) -> Batch:
    """Rows with a point at each prompt's end and behind the answer's first delimiters.

    The same points as `Always` finds in generation. ``woven`` leaves rows without any.
    """
    rows = tuple(one.prompt + one.answer for one in examples)
    flags = [woven] * len(rows) if isinstance(woven, bool) else woven
    plan = tuple(
        points(net, row, len(one.prompt)) if flag else ()
        for one, row, flag in zip(examples, rows, flags, strict=True)
    )
    memories = tuple(one.memory for one in examples)
    return Batch(
        tuple(examples),
        rows,
        plan,
        answers_wanted(rows, [len(one.prompt) for one in examples]),
        memories if any(memories) else None,
    )


def points(net: WovenNet, row: Sequence[int], prompt: int) -> tuple[Point, ...]:
    """Where latents may stand in a row of which ``prompt`` tokens are the prompt."""
    config = net.config.weaver
    found = [Point(prompt, "prompt")] if config.latents("prompt") else []
    if config.latents("inner"):
        places = net.delimiters.points(row, prompt)
        found += [Point(at) for at in places if at < len(row)][: config.inner_points]
    return tuple(found)


def answers_wanted(rows: Sequence[Sequence[int]], prompts: Sequence[int]) -> Tensor:
    """True (B, L - 1) where the predicted token belongs to an answer."""
    ids, lengths = pad(rows)
    step = arange(1, ids.shape[1])
    begins = pad([[one] for one in prompts])[0]
    return (step >= begins) & (step < lengths[:, None])


def encode(tokenizer: Tokenizer, problem: Problem, *, needless: bool = False) -> Example:
    """A rule-table problem through the chat template, memory and teacher's prompt included."""
    from .rules import with_memory

    end = min(tokenizer.ends)
    memory = tuple(tokenizer.encode(problem.memory)) if problem.memory else ()
    teacher = asked(tokenizer, with_memory(problem).question) if memory else ()
    return Example(
        asked(tokenizer, problem.question),
        (*tokenizer.encode(problem.answer), end),
        memory,
        teacher,
        group="".join(problem.ids),
        needless=needless,
    )


def asked(tokenizer: Tokenizer, question: str) -> tuple[int, ...]:
    """A question as the chat template puts it, up to where the answer begins."""
    return tuple(tokenizer.prompt([Message(role="user", content=question)]))


def read_examples(path: Path, tokenizer: Tokenizer) -> list[Example]:
    """Examples from JSONL: ``prompt`` and ``answer``, or GSM8K's ``question`` and ``answer``.

    Of an answer with ``####`` and a number this is scored, of others the whole.
    ``prompt`` may be a list of messages. Also read: ``memory``, ``group`` and ``needless``. Raises
    DataMissing if there is no such file, SettingsError for a line that is none of these.
    """
    if not path.is_file():
        raise DataMissing(f"There is no training data at {path}. Give a JSONL file.")
    with path.open(encoding="utf-8") as lines:
        return [_parse(tokenizer, path, n, one) for n, one in enumerate(lines, 1) if one.strip()]


def _parse(tokenizer: Tokenizer, path: Path, number: int, line: str) -> Example:
    try:
        fields: dict[str, Any] = json.loads(line)
        said, answer = fields.get("prompt") or fields["question"], str(fields["answer"])
        turns: list[dict[str, Any]] = (
            [{"role": "user", "content": said}] if isinstance(said, str) else said
        )
        messages = [Message.model_validate(one) for one in turns]
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError(
            f'{path}, line {number}: write {{"prompt": ..., "answer": ...}} ({error}).'
        ) from error
    memory = str(fields.get("memory", ""))
    return from_messages(
        tokenizer,
        messages,
        answer,
        memory=memory,
        group=str(fields.get("group", "")),
        needless=bool(fields.get("needless", False)),
    )


def from_messages(
    tokenizer: Tokenizer,
    messages: Sequence[Message],
    answer: str,
    *,
    memory: str = "",
    group: str = "",
    needless: bool = False,
) -> Example:
    """An example from a conversation; the teacher reads its memory before the last message."""
    end = min(tokenizer.ends)
    teacher: tuple[int, ...] = ()
    if memory:
        last = messages[-1]
        told = last.model_copy(update={"content": f"{memory}\n\n{last.content}"})
        teacher = tuple(tokenizer.prompt([*messages[:-1], told]))
    return Example(
        tuple(tokenizer.prompt(messages)),
        (*tokenizer.encode(answer), end),
        tuple(tokenizer.encode(memory)) if memory else (),
        teacher,
        group,
        needless,
        final_number(tokenizer) if FINAL.search(answer) else tuple,
    )


FINAL = re.compile(r"####\s*\$?(-?[\d,]*\.?\d+)")
"""The final number of GSM8K's answers, and what stands before it."""


def final_number(tokenizer: Tokenizer) -> Callable[[Sequence[int]], object]:
    """The first number behind ``####`` in an answer; None if there is none."""

    def found(tokens: Sequence[int]) -> object:
        said = tokenizer.decode([one for one in tokens if one not in tokenizer.ends])
        number = FINAL.search(said)
        return None if number is None else float(number[1].replace(",", ""))

    return found


def fitting(examples: Iterable[Example], context_tokens: int) -> tuple[list[Example], int]:
    """The examples that fit a context, and how many of them do only without their memory."""
    kept: list[Example] = []
    bare = 0
    for one in examples:
        if len(one.prompt) + len(one.answer) > context_tokens:
            continue
        if len(one.memory) > context_tokens:
            bare += 1
            one = replace(one, memory=(), teacher=())
        elif len(one.teacher) + len(one.answer) > context_tokens:
            one = replace(one, teacher=())
        kept.append(one)
    return kept, bare
