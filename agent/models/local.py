"""The local model: a GGUF file on this machine's CPU, with no server and no network."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import JsonValue

from ...errors import ContextOverflow, ModelError, ModelUnavailable
from .base import Message, Reply, Scores, ToolCall, ToolSpec, Usage
from .chat_template import ChatTemplate
from .generation import Generation
from .in_thread import InThread
from .json_grammar import schema_to_gbnf
from .llama_session import MAX_CANDIDATES, LlamaSession
from .token_trie import build, chunks
from .tool_text import as_text, describe, read, reply_schema
from .weights import Weights, bundled_weights, file_weights


class LocalModel(InThread):
    """A GGUF model. Without ``path`` it is SmolLM2-135M-Instruct from its package.

    Greedy answers and scores are functions of their arguments alone: what was asked before makes
    them quicker, never different. One lock guards the model; threads take turns.
    """

    free = True  # costs nothing but time

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        threads: int | None = None,
        context_tokens: int | None = None,
        cache: Path | None = None,
        end_of_turn: bool = True,
        convert: bool = True,
        exact: bool = False,
    ) -> None:
        """Load the file.

        ``threads`` defaults to the physical cores this process may use, ``context_tokens`` to
        4,096 or what the model was trained for, if that is less; ``end_of_turn`` counts the
        token that ends the turn into `score`, so that a candidate is scored as a whole message and
        not as the beginning of a longer one; ``convert=False`` keeps the bundled file as shipped;
        ``exact`` makes a candidate's score independent of the other candidates, to the last bit,
        at the price of a quarter more time on long prompts (without it they differ by 0.1 nats).
        """
        weights = _weights(path, cache, convert)
        self.threads = threads or physical_cores()
        self._session = LlamaSession(
            weights.path, context_tokens=context_tokens, threads=self.threads, exact=exact
        )
        unlike = ("-exact" if exact else "") + ("" if end_of_turn else "-open-ended")
        self._id = f"local:{weights.name}{unlike}"
        self._end_of_turn = end_of_turn
        self._template = _template(self._session)
        self._begin = self._session.begin_token()
        self._lock = threading.RLock()

    @property
    def id(self) -> str:
        """File, quantisation, the beginning of the file's hash, and how it scores if unusual."""
        return self._id

    @property
    def context_tokens(self) -> int:
        """The longest prompt plus completion, in tokens."""
        return self._session.context_tokens

    def close(self) -> None:
        """Free the model's memory; it cannot be used afterwards."""
        with self._lock:
            self._session.close()

    def __enter__(self) -> LocalModel:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def count_tokens(self, text: str) -> int:
        """Tokens of ``text``."""
        with self._open() as session:
            return len(session.tokenize(text))

    @contextmanager
    def _open(self) -> Generator[LlamaSession]:
        with self._lock:
            if self._session.closed:
                raise ModelUnavailable(f"{self.id} was closed; open it again")
            yield self._session

    def _prompt(self, messages: Sequence[Message]) -> list[int]:
        if any(m.images for m in messages):
            raise ModelError(f"{self.id} reads no images; use a vision model for this conversation")
        text = self._template.render(as_text(messages))
        tokens = self._session.tokenize(text, special=True)
        if self._begin is not None and tokens[:1] != [self._begin]:
            tokens.insert(0, self._begin)
        return tokens

    def score(self, messages: Sequence[Message], candidates: Sequence[str]) -> Scores:
        """Log-probability of each candidate as the assistant's whole next message, in nats.

        The prompt's beginning that the last call shared is not computed again, and what candidates
        share is computed once. ``usage.prompt_tokens`` counts the prompt and the distinct tokens
        of the candidates.
        """
        with self._open() as session:
            started = time.perf_counter()
            prompt = self._prompt(messages)
            paths = [session.tokenize(text) for text in candidates]
            if self._end_of_turn:
                end = session.end_token()
                paths = [[*path, end] for path in paths]
            room = self.context_tokens - len(prompt)
            longest = max((len(p) - 1 for p in paths), default=0)
            if longest > room:
                raise ContextOverflow(
                    f"The prompt of {len(prompt)} tokens leaves no room for a candidate of"
                    f" {longest} in the context of {self.context_tokens}."
                )
            _, cached = session.prompt(prompt)
            totals = [0.0] * len(paths)
            nodes = 0
            # one cell stays free for the pad row of a lonely node
            for group in chunks(paths, max_sequences=MAX_CANDIDATES, max_nodes=max(room - 1, 1)):
                trie = build(paths, group)
                nodes += len(trie.nodes)
                for ask, logprob in session.tree(trie):
                    totals[ask.candidate] += logprob
        usage = Usage(
            prompt_tokens=len(prompt) + nodes,
            cached_tokens=cached,
            usd=0.0,
            seconds=time.perf_counter() - started,
        )
        return Scores(logprobs=tuple(totals), lengths=tuple(len(p) for p in paths), usage=usage)

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
        """Answer the conversation; a schema and tool calls are kept to by a grammar."""
        wanted = reply_schema(tools, schema) if tools else schema
        asked = describe(messages, tools, schema) if tools else messages
        with self._open() as session:
            started = time.perf_counter()
            run = Generation(
                session,
                self._lock,
                self._prompt(asked),
                max_tokens=max_tokens,
                temperature=temperature,
                seed=seed,
                stop=stop,
                gbnf=None if wanted is None else schema_to_gbnf(wanted),
            )
            text = "".join(run.pieces())
        usage = Usage(
            prompt_tokens=len(run.prompt),
            completion_tokens=len(run.generated),
            cached_tokens=run.cached,
            usd=0.0,
            seconds=time.perf_counter() - started,
        )
        calls: tuple[ToolCall, ...] = ()
        if tools:
            text, calls = read(text, len(messages))
        ended = "tool_calls" if calls else "stop"
        return Reply(
            text=text,
            tool_calls=calls,
            usage=usage,
            finish=ended if run.stopped else "length",
            logprob=run.mean_logprob,
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
        with self._open() as session:
            run = Generation(
                session,
                self._lock,
                self._prompt(messages),
                max_tokens=max_tokens,
                temperature=temperature,
                seed=seed,
                stop=stop,
            )
        yield from (piece for piece in run.pieces() if piece)


def _weights(path: str | Path | None, cache: Path | None, convert: bool) -> Weights:
    if path is None:
        return bundled_weights(cache, convert=convert)
    return file_weights(Path(path).expanduser(), cache)


def _template(session: LlamaSession) -> ChatTemplate:
    def text(token: int | None) -> str:
        return "" if token is None else session.piece(token, special=True).decode(errors="replace")

    control = [text(t) for t in range(session.size) if session.control(t)]
    return ChatTemplate(
        session.metadata("tokenizer.chat_template"),
        control=control,
        begin=text(session.begin_token()),
        end=text(session.end_token()),
    )


def physical_cores() -> int:
    """The physical cores this process may run on; hyper-threads of one core count once."""
    cpus = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    cores: set[str] = set()
    for cpu in cpus:
        siblings = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        try:
            cores.add(siblings.read_text())
        except OSError:
            return len(cpus)
    return len(cores) or os.cpu_count() or 1
