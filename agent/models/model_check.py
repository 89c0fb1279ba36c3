"""The conformance suite for models: run it on your own before you give it to an agent."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Iterator, Sequence
from inspect import iscoroutinefunction

from pydantic import JsonValue

from .base import ChatModel, Message, Reply, ScoringModel

HELLO = (Message(role="user", content="Say one short sentence about the sea."),)
COLOUR: dict[str, JsonValue] = {
    "type": "object",
    "properties": {"colour": {"type": "string", "enum": ["red", "blue"]}},
    "required": ["colour"],
    "additionalProperties": False,
}


def check_chat_model(model: ChatModel) -> list[str]:
    """What ``model`` does wrong, in sentences; an empty list is a pass.

    Asks about ten short questions, and more of a model that scores. Whatever the model raises is
    reported, too.
    """
    checks = [_identity, _chats, _is_repeatable, _writes_json, _streams, _chats_async]
    if isinstance(model, ScoringModel):
        checks += [_scores, _scores_independently]
    return [problem for check in checks for problem in _run(check, model)]


def _run(check: Callable[[ChatModel], Iterator[str]], model: ChatModel) -> Sequence[str]:
    try:
        return list(check(model))
    except Exception as error:  # a model under test may raise anything
        return [f"{check.__name__.strip('_')}: it raised {type(error).__name__}: {error}"]


def _identity(model: ChatModel) -> Iterator[str]:
    if not model.id or model.id != model.id.strip():
        yield f"id must be a name without blanks around it, not {model.id!r}"
    if model.context_tokens <= 0:
        yield f"context_tokens must be positive, not {model.context_tokens}"
    if model.count_tokens("") > 1 or model.count_tokens("word " * 50) < 10:
        yield "count_tokens must grow with the text, from about 0"
    if not iscoroutinefunction(model.achat):
        yield "achat must be a coroutine function"


def _chats(model: ChatModel) -> Iterator[str]:
    reply = model.chat(HELLO, max_tokens=24)
    if not reply.text:
        yield "chat gave an empty text"
    yield from _usage_problems(reply)
    short = model.chat(HELLO, max_tokens=2)
    if short.usage.completion_tokens > 2:
        yield f"chat with max_tokens=2 used {short.usage.completion_tokens} completion tokens"
    stopped = model.chat(HELLO, max_tokens=24, stop=(" ",))
    if " " in stopped.text:
        yield "chat with stop=(' ',) gave a text with a blank in it"


def _usage_problems(reply: Reply) -> Iterator[str]:
    usage = reply.usage
    if usage.prompt_tokens <= 0 or usage.completion_tokens <= 0:
        yield "chat did not say how many tokens it used"
    if usage.cached_tokens > usage.prompt_tokens:
        yield "usage.cached_tokens is more than usage.prompt_tokens"
    if usage.seconds < 0 or (usage.usd is not None and usage.usd < 0):
        yield "usage has a negative cost"
    if reply.logprob is not None and not reply.logprob <= 0:
        yield f"logprob must be at most 0, not {reply.logprob}"


def _is_repeatable(model: ChatModel) -> Iterator[str]:
    texts = {model.chat(HELLO, max_tokens=16).text for _ in range(2)}
    if len(texts) > 1:
        yield "chat at temperature 0 gave two answers to one question"


def _writes_json(model: ChatModel) -> Iterator[str]:
    question = (Message(role="user", content="Red or blue? Answer as JSON with a key colour."),)
    text = model.chat(question, schema=COLOUR, max_tokens=64).text
    try:
        value = json.loads(text)
    except ValueError:
        yield f"chat with a schema gave a text that is no JSON: {text[:100]!r}"
        return
    if not isinstance(value, dict) or "colour" not in value:
        yield f"chat with a schema gave JSON that does not satisfy it: {text[:100]!r}"


def _streams(model: ChatModel) -> Iterator[str]:
    if not "".join(model.stream(HELLO, max_tokens=16)):
        yield "stream gave no text"


def _chats_async(model: ChatModel) -> Iterator[str]:
    if not asyncio.run(model.achat(HELLO, max_tokens=16)).text:
        yield "achat gave an empty text"


def _scores(model: ChatModel) -> Iterator[str]:
    assert isinstance(model, ScoringModel)
    candidates = ("go to shelf 1", "go to shelf 10", "look", "")
    scores = model.score(HELLO, candidates)
    if len(scores.logprobs) != len(candidates) or len(scores.lengths) != len(candidates):
        yield "score must give one log-probability and one length for each candidate"
        return
    if not all(math.isfinite(p) and p <= 0 for p in scores.logprobs):
        yield f"log-probabilities must be finite and at most 0: {scores.logprobs}"
    if model.score(HELLO, ()).logprobs:
        yield "score of no candidates must be empty"


def _scores_independently(model: ChatModel) -> Iterator[str]:
    """A candidate's score is its own: whole messages, whatever else is in the list."""
    assert isinstance(model, ScoringModel)
    candidates = ("go to shelf 1", "go to shelf 10", "look")
    together = model.score(HELLO, candidates).logprobs
    for candidate, logprob in zip(candidates, together, strict=True):
        (alone,) = model.score(HELLO, (candidate,)).logprobs
        if abs(alone - logprob) > 0.5:
            yield f"{candidate!r} scores {alone:.2f} alone, {logprob:.2f} among others"
