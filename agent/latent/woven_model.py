"""A woven model as a chat model: it answers, streams, scores, and weaves what it is told.

Messages marked ``latent`` are not read by the reasoner: they are the weaver's memory, and reach the
answer as latent vectors. Without any, the weaver works from what it was trained on alone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from pydantic import JsonValue

from ...errors import ContextOverflow, ModelError
from ..models.base import Message, Reply, Scores, ToolCall, ToolSpec, Usage
from ..models.in_thread import InThread
from ..models.prompt_files import as_json, render
from ..models.token_trie import ROOT, build, chunks
from ..models.tool_text import as_text, describe, read, with_system
from ..models.wire import json_in
from .checkpoint import load_net, weights_digest
from .generation import ByTrigger, Decider, Never, Run, Sampling
from .net import WovenNet
from .stream import Stream
from .tensors import numbers
from .tokens import Tokenizer

Weave = Literal["always", "told", "never"]

_NODES = 128
"""Tokens of candidates that are read in one pass, at most."""


class WovenModel(InThread):
    """A frozen reasoner with a weaver and a trigger behind the `ChatModel` protocol.

    It weaves always, only in a conversation that has latent messages (``told``), or never, which is
    the reasoner alone; so is a weaver that was not trained. A latent is inserted where the trigger
    is at least ``threshold`` sure of it. One lock guards the network, for one token at a time. What
    a conversation begins with as the last one did is not read again.
    """

    free = True  # costs nothing but time

    def __init__(self, net: WovenNet, *, weave: Weave = "always", threshold: float = 0.5) -> None:
        """Raises ModelError if the backbone has no tokenizer."""
        if net.backbone.tokenizer is None:
            raise ModelError(
                f"{net.backbone.source} has no tokenizer; nothing can be asked in words"
            )
        self.net = net.eval()
        self.weaves = weave != "never" and net.opened
        self._told = weave == "told"
        self._threshold = threshold
        self._tokenizer: Tokenizer = net.backbone.tokenizer
        name = Path(net.backbone.source).name
        woven = f"+{weights_digest(net)[:8]}@{threshold:g}" if self.weaves else ""
        told = "-told" if self.weaves and self._told else ""
        self._id = f"woven:{name}-{net.backbone.fingerprint[:8]}{woven}{told}"
        self._lock = threading.RLock()
        self._past: Stream | None = None

    @classmethod
    def open(
        cls,
        folder: str | Path,
        *,
        weave: Weave = "always",
        threshold: float = 0.5,
        device: str = "cpu",
        threads: int | None = None,
    ) -> WovenModel:
        """The weaver of a checkpoint on the backbone that it names.

        ``threads`` are torch's, in all of this process; as many as it likes unless given.
        """
        if threads is not None:
            torch.set_num_threads(threads)
        net = load_net(Path(folder).expanduser(), device=device)
        return cls(net, weave=weave, threshold=threshold)

    @property
    def id(self) -> str:
        """Backbone and weaver with the beginnings of their hashes."""
        return self._id

    @property
    def context_tokens(self) -> int:
        """The longest prompt plus completion, in tokens; latents do not count."""
        return self.net.backbone.context_tokens

    def count_tokens(self, text: str) -> int:
        """Tokens of ``text``."""
        return len(self._tokenizer.encode(text))

    def chat(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[ToolSpec] = (),
        schema: dict[str, JsonValue] | None = None,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int | None = None,
        stop: Sequence[str] = (),
    ) -> Reply:
        """Answer the conversation; a schema and tools are asked for in words."""
        asked = describe(messages, tools, schema) if tools else messages
        if schema is not None and not tools:
            asked = with_system(asked, render("schema", schema=as_json(schema)))
        started = time.perf_counter()
        answer = _Answer(self, asked, max_tokens, temperature, seed, stop)
        text = "".join(answer.pieces())
        self._rest(answer.run)
        calls: tuple[ToolCall, ...] = ()
        if tools:
            text, calls = read(json_in(text), len(messages))
        elif schema is not None:
            text = json_in(text)
        ended = "tool_calls" if calls else "stop"
        return Reply(
            text=text,
            tool_calls=calls,
            usage=Usage(
                prompt_tokens=answer.prompt_tokens,
                completion_tokens=len(answer.tokens),
                usd=0.0,
                seconds=time.perf_counter() - started,
            ),
            finish=ended if answer.ended else "length",
            logprob=answer.mean_logprob,
        )

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int | None = None,
        stop: Sequence[str] = (),
    ) -> Iterator[str]:
        """The answer in pieces; other calls may use the model between two of them."""
        answer = _Answer(self, messages, max_tokens, temperature, seed, stop)
        yield from (piece for piece in answer.pieces() if piece)
        self._rest(answer.run)

    def score(self, messages: Sequence[Message], candidates: Sequence[str]) -> Scores:
        """Log-probability of each candidate as the assistant's whole next message, in nats.

        The prompt is read once, and woven into at its end if the trigger says so.
        """
        started = time.perf_counter()
        prompt = self.prompt(messages)
        end = self._tokenizer.turn_end
        paths = [
            self._tokenizer.encode(text) + ([] if end is None else [end]) for text in candidates
        ]
        longest = max((len(path) for path in paths), default=0)
        found: list[float] = []
        if paths:
            run = self.run(prompt, Sampling(max_tokens=longest), spare=max(longest, _NODES))
            found = self._score(run, paths)
            self._rest(run)
        usage = Usage(
            prompt_tokens=len(prompt) + sum(map(len, paths)),
            usd=0.0,
            seconds=time.perf_counter() - started,
        )
        return Scores(logprobs=tuple(found), lengths=tuple(map(len, paths)), usage=usage)

    def prompt(self, messages: Sequence[Message]) -> Prompt:
        """A conversation as tokens: what the reasoner reads, and the weaver's memory."""
        if any(message.images for message in messages):
            raise ModelError(f"{self.id} reads no images; use a vision model for this conversation")
        told = [message.content for message in messages if message.latent]
        said = [message for message in messages if not (message.latent and self.weaves)]
        weaving = self.weaves and (bool(told) or not self._told)
        memory = self._tokenizer.encode("\n\n".join(told)) if weaving else []
        return Prompt(self._tokenizer.prompt(as_text(said)), memory, weaving)

    def run(self, prompt: Prompt, sampling: Sampling, *, spare: int = 0) -> Run:
        """A batch of one, read as far as its prompt. Raises ContextOverflow without room for it."""
        if len(prompt.tokens) + max(sampling.max_tokens, 1) > self.context_tokens:
            raise ContextOverflow(
                f"The prompt of {len(prompt.tokens)} tokens leaves no room for"
                f" {sampling.max_tokens} more in the context of {self.context_tokens}. Shorten it."
            )
        decider: Decider = ByTrigger(self.net, self._threshold) if prompt.weaving else Never()
        with self.taken():
            run = Run(
                self.net,
                [prompt.tokens],
                decider,
                sampling,
                [prompt.memory],
                past=self._past,
                spare=spare,
            )
            self._past = run.stream
            return run

    @contextmanager
    def taken(self) -> Generator[None]:
        """The network for this thread alone, without gradients."""
        with self._lock, torch.no_grad():
            yield

    def _rest(self, run: Run) -> None:
        """Keep of a run that has ended what the next can begin with, and no more."""
        with self.taken():
            if self._past is run.stream:
                self._past = run.stream.trimmed()

    def _score(self, run: Run, paths: Sequence[Sequence[int]]) -> list[float]:
        """Each path's log-probability: what several begin with is read once, as a tree."""
        totals = [0.0] * len(paths)
        with self.taken():
            for group in chunks(paths, max_sequences=len(paths), max_nodes=_NODES):
                trie = build(paths, group)
                states = run.stream.hidden
                if trie.nodes:
                    parents = [node.parent for node in trie.nodes]
                    ahead = run.stream.peek([node.token for node in trie.nodes], parents)
                    states = torch.cat([states, ahead])
                logprobs = torch.log_softmax(self.net.backbone.logits(states), -1)
                behind = torch.tensor([ask.node - ROOT for ask in trie.asks], dtype=torch.long)
                tokens = torch.tensor([ask.token for ask in trie.asks], dtype=torch.long)
                said = numbers(logprobs[behind, tokens])
                for ask, logprob in zip(trie.asks, said, strict=True):
                    totals[ask.candidate] += logprob
        return totals

    def text(self, tokens: Sequence[int]) -> str:
        """What tokens say, without the one that ends the turn."""
        return self._tokenizer.decode([one for one in tokens if one not in self._tokenizer.ends])


@dataclass(frozen=True)
class Prompt:
    """What is asked: the reasoner's tokens, the weaver's memory, and whether to weave at all."""

    tokens: list[int]
    memory: list[int]
    weaving: bool

    def __len__(self) -> int:
        return len(self.tokens) + len(self.memory)


class _Answer:
    """One answer as it comes."""

    def __init__(
        self,
        model: WovenModel,
        messages: Sequence[Message],
        max_tokens: int,
        temperature: float,
        seed: int | None,
        stop: Sequence[str],
    ) -> None:
        self._model = model
        self._stop = [one for one in stop if one]
        prompt = model.prompt(messages)
        self.prompt_tokens = len(prompt)
        room = model.context_tokens - len(prompt.tokens)
        drawn = int(torch.seed() if seed is None else seed) % 2**63
        sampling = Sampling(max(min(max_tokens, room), min(max_tokens, 1)), temperature, drawn)
        self.run = model.run(prompt, sampling)
        self._stopped = False

    @property
    def tokens(self) -> list[int]:
        """What was generated, the end of the turn left out."""
        generated = self.run.answers[0]
        return generated.tokens[:-1] if generated.ended else generated.tokens

    @property
    def ended(self) -> bool:
        """Whether the model or a stop string ended it."""
        return self._stopped or self.run.answers[0].ended

    @property
    def mean_logprob(self) -> float | None:
        """Mean log-probability of the tokens chosen, in nats, the end of the turn included."""
        found = self.run.answers[0].logprobs
        return sum(found) / len(found) if found else None

    def pieces(self) -> Iterator[str]:
        """The text as it comes; what may begin a stop string, or lacks bytes, is held back."""
        said = 0
        going = True
        while going:
            with self._model.taken():
                going = self.run.step()
            text = self._model.text(self.tokens)
            cut = min((at for one in self._stop if (at := text.find(one)) >= 0), default=None)
            if cut is not None:
                self._stopped = True
                yield text[said:cut]
                return
            safe = len(text) - (self._held_back(text) if going else 0)
            if safe > said:
                yield text[said:safe]
                said = safe

    def _held_back(self, text: str) -> int:
        whole = text.rstrip("\ufffd")  # a letter whose bytes have not all come
        longest = max((len(one) for one in self._stop), default=1) - 1
        begun = (
            n
            for n in range(longest, 0, -1)
            if any(one.startswith(whole[-n:]) for one in self._stop)
        )
        return len(text) - len(whole) + (next(begun, 0) if whole else 0)
