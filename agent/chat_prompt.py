"""The prompt of an exchange: fixed shares of a fixed budget, whatever the conversation's length."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files

from .chat_state import Line, Shares

Count = Callable[[str], int]

PER_LINE = 6
"""Tokens that a chat template puts around a message, about."""


def build(
    *,
    now: datetime,
    gist: str,
    system: Sequence[str],
    history: Sequence[Line],
    recalled: str,
    text: str,
    count: Count,
    shares: Shares,
) -> list[Line]:
    """The messages for the model, within ``shares.prompt`` tokens by ``count``.

    ``recalled`` is within its share already. What was recalled stands with the message, not before
    the history, so that a model that keeps its cache reads the beginning only once.
    """
    head = _instructions().format(today=f"{now:%A, %d %B %Y}", gist=gist).strip()
    head = "\n\n".join([head, *system])
    said = cut(text, count, int(shares.prompt * shares.message))
    last = f"{recalled}\n\n{said}" if recalled else said
    left = shares.prompt - count(last) - 2 * PER_LINE
    head = cut(head, count, min(left, shares.prompt // 2))
    left -= count(head)
    kept: list[Line] = []
    for line in reversed(history):
        cost = count(line["content"]) + PER_LINE
        if cost > left:
            break
        kept.insert(0, line)
        left -= cost
    while kept and kept[0]["role"] != "user":
        kept.pop(0)
    return [Line(role="system", content=head), *kept, Line(role="user", content=last)]


def cut(text: str, count: Count, budget: int) -> str:
    """The text, or its beginning and its end if it is longer than ``budget`` tokens."""
    # A token has a character at least: what is far too long is not counted whole.
    if len(text) <= budget or (len(text) < 16 * budget and count(text) <= budget):
        return text
    low, high = 0, min(len(text) // 2, 8 * budget)
    while low < high:
        middle = (low + high + 1) // 2
        if count(_ends(text, middle)) <= budget:
            low = middle
        else:
            high = middle - 1
    return _ends(text, low)


def _ends(text: str, size: int) -> str:
    return f"{text[:size]} … {text[len(text) - size :]}" if size else "…"


@cache
def _instructions() -> str:
    return files("reverie.agent").joinpath("prompts/assistant.txt").read_text("utf-8")
