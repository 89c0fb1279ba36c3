"""One answer of a local model, token by token."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

import numpy as np

from ...errors import ContextOverflow, ModelUnavailable
from .llama_session import LlamaSession, Logits, log_normaliser
from .sampling import choose


class Generation:
    """Generates after ``prompt`` until the model or a stop string ends it, or ``max_tokens``.

    ``lock`` is held for one token at a time, so that a stream nobody reads blocks nobody. If
    another call used the model in between, what was there before is computed again, in the same
    steps, so that the answer stays the same.
    """

    def __init__(
        self,
        session: LlamaSession,
        lock: AbstractContextManager[object],
        prompt: Sequence[int],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        seed: int | None = None,
        stop: Sequence[str] = (),
        gbnf: str | None = None,
    ) -> None:
        self._session = session
        self._lock = lock
        self._temperature = temperature
        self._random = np.random.default_rng(seed)
        self._stop = [s for s in stop if s]
        self._grammar = session.grammar(gbnf) if gbnf else None
        self.prompt = list(prompt)
        self.generated: list[int] = []
        self.cached = 0
        self.stopped = False
        self._logprobs: list[float] = []
        self._turn = -1
        self._limit = min(max_tokens, session.context_tokens - len(prompt))
        if self._limit <= 0 < max_tokens:
            raise ContextOverflow(
                f"The prompt of {len(prompt)} tokens leaves no room for an answer in the context"
                f" of {session.context_tokens}. Shorten it, or raise context_tokens."
            )

    @property
    def mean_logprob(self) -> float | None:
        """Mean log-probability of the tokens chosen, in nats, the end of the turn included."""
        return float(np.mean(self._logprobs)) if self._logprobs else None

    def pieces(self) -> Iterator[str]:
        """The text as it comes; what may be the beginning of a stop string is held back."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        waiting = ""
        while len(self.generated) < self._limit and not self.stopped:
            with self._lock:
                token = self._step()
                if token is None:
                    break
                waiting += decoder.decode(self._session.piece(token))
            cut = self._cut(waiting)
            if cut is not None:
                self.stopped = True
                yield waiting[:cut]
                return
            keep = self._held_back(waiting)
            if len(waiting) > keep:
                yield waiting[: len(waiting) - keep]
                waiting = waiting[len(waiting) - keep :]
        yield waiting + decoder.decode(b"", True)

    def _step(self) -> int | None:
        """The next token, None at the end of the turn."""
        if self._session.closed:
            raise ModelUnavailable("The model was closed while it answered")
        logits = self._logits()
        token = self._choose(logits)
        self._logprobs.append(float(logits[token]) - log_normaliser(logits))
        if self._session.ends(token):
            self.stopped = True
            return None
        if self._grammar is not None:
            self._grammar.accept(token)
        self.generated.append(token)
        return token

    def _logits(self) -> Logits:
        session, start = self._session, len(self.prompt)
        if session.turn == self._turn:
            return session.append(self.generated[-1], start + len(self.generated) - 1)
        logits, cached = session.prompt(self.prompt)
        self._turn = session.turn
        if not self.generated:
            self.cached = cached
        for i, token in enumerate(self.generated):
            logits = session.append(token, start + i)
        return logits

    def _choose(self, logits: Logits) -> int:
        # Drawing first and checking after gives the same distribution as masking first, and
        # spares the walk over the whole vocabulary wherever the model keeps to the grammar.
        token = choose(logits, self._temperature, self._random)
        if self._grammar is None or self._grammar.allows(token):
            return token
        masked = np.where(self._grammar.allowed(), logits, np.float32(-np.inf))
        return choose(masked, self._temperature, self._random)

    def _cut(self, text: str) -> int | None:
        found = [at for s in self._stop if (at := text.find(s)) >= 0]
        return min(found, default=None)

    def _held_back(self, text: str) -> int:
        """Length of the longest end of ``text`` that a stop string begins with."""
        longest = max((len(s) for s in self._stop), default=1) - 1
        for size in range(min(longest, len(text)), 0, -1):
            if any(s.startswith(text[-size:]) for s in self._stop):
                return size
        return 0
