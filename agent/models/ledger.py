"""What model calls cost, and the limit on it.

A `Ledger` adds up; `metered` puts one in front of a model. What came from the response cache was
not spent, and stands apart.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from ...errors import BudgetExceeded, ModelError
from ...memory.records import Frozen
from .base import ChatModel, Message, Reply, Scores, ScoringModel, ToolSpec, Usage, weaves


class Totals(Frozen):
    """Sums at one moment. Two of them make the difference an episode made: ``after.minus(before)``.

    ``unpriced_calls`` are those whose cost is unknown; ``saved_tokens`` the tokens of cached
    replies; ``malformed`` structured replies that did not parse, ``repaired`` those of them that
    the second try mended.
    """

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    priced_usd: float = 0.0
    unpriced_calls: int = 0
    seconds: float = 0.0
    failed_calls: int = 0
    cached_calls: int = 0
    saved_tokens: int = 0
    malformed: int = 0
    repaired: int = 0

    @property
    def tokens(self) -> int:
        """Prompt and completion tokens together."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def usd(self) -> float | None:
        """The whole cost, None if that of any call is unknown."""
        return None if self.unpriced_calls else self.priced_usd

    def plus(self, other: Totals) -> Totals:
        """The sum of both, field by field."""
        return Totals(**{k: v + getattr(other, k) for k, v in self.model_dump().items()})

    def minus(self, earlier: Totals) -> Totals:
        """What was added since ``earlier``, a snapshot of the same ledger."""
        return Totals(**{k: v - getattr(earlier, k) for k, v in self.model_dump().items()})


class Ledger:
    """Adds up what models consumed. Threads may share one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._totals = Totals()

    def snapshot(self) -> Totals:
        """The sums so far."""
        with self._lock:
            return self._totals

    def add(self, change: Totals) -> None:
        """Add to the sums."""
        with self._lock:
            self._totals = self._totals.plus(change)

    def count(self, usage: Usage, *, cached: bool = False) -> None:
        """Add one answered call."""
        if cached:
            self.add(Totals(cached_calls=1, saved_tokens=usage.tokens, seconds=usage.seconds))
            return
        self.add(
            Totals(
                calls=1,
                prompt_tokens=usage.prompt_tokens,
                completion_tokens=usage.completion_tokens,
                cached_tokens=usage.cached_tokens,
                priced_usd=usage.usd or 0.0,
                unpriced_calls=int(usage.usd is None),
                seconds=usage.seconds,
            )
        )


@dataclass(frozen=True)
class Budget:
    """Limits on a ledger's sums; None is no limit. Call it before a model is asked."""

    tokens: int | None = None
    usd: float | None = None
    seconds: float | None = None
    calls: int | None = None

    def __call__(self, spent: Totals) -> None:
        """Raise ``BudgetExceeded`` if a limit is reached, or cannot be kept for lack of prices."""
        if self.usd is not None and spent.usd is None:
            raise BudgetExceeded(
                f"The limit of ${self.usd:g} cannot be kept: the cost of {spent.unpriced_calls}"
                " calls is unknown. Limit tokens instead, or give the model's prices.",
                limit="usd",
            )
        for name in ("tokens", "usd", "seconds", "calls"):
            limit, used = getattr(self, name), getattr(spent, name)
            if limit is not None and used >= limit:
                raise BudgetExceeded(
                    f"Used {used:g} of {limit:g} {name}; no further model call is made.", limit=name
                )


Check = Callable[[Totals], None]


def metered(model: ChatModel, ledger: Ledger, check: Check | None = None) -> ChatModel:
    """``model`` with every call entered in ``ledger``, after ``check`` let it pass.

    ``check`` is given the sums so far and raises to forbid the call; a `Budget` is one.
    """
    if isinstance(model, ScoringModel):
        return MeteredScorer(model, ledger, check)
    return MeteredModel(model, ledger, check)


class MeteredModel:
    """See `metered`."""

    def __init__(self, model: ChatModel, ledger: Ledger, check: Check | None = None) -> None:
        self._model = model
        self._check = check
        self.ledger = ledger

    @property
    def id(self) -> str:
        """The inner model's."""
        return self._model.id

    @property
    def context_tokens(self) -> int:
        """The inner model's."""
        return self._model.context_tokens

    def count_tokens(self, text: str) -> int:
        """The inner model's."""
        return self._model.count_tokens(text)

    def close(self) -> None:
        """Close the inner model, if it can be."""
        close = getattr(self._model, "close", None)
        if close is not None:
            close()

    @property
    def free(self) -> bool:
        """Whether the inner model costs nothing but time."""
        return bool(getattr(self._model, "free", False))

    @property
    def weaves(self) -> bool:
        """Whether the inner model turns latent messages into vectors."""
        return weaves(self._model)

    def record_malformed(self, *, repaired: bool) -> None:
        """Enter a structured reply that did not parse."""
        self.ledger.add(Totals(malformed=1, repaired=int(repaired)))

    def _before(self) -> None:
        if self._check is not None:
            self._check(self.ledger.snapshot())

    def _failed(self) -> None:
        self.ledger.add(Totals(failed_calls=1))

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
        """Ask the inner model, if the budget allows it."""
        self._before()
        try:
            reply = self._model.chat(
                messages,
                tools=tools,
                schema=schema,
                max_tokens=max_tokens,
                temperature=temperature,
                seed=seed,
                stop=stop,
            )
        except ModelError:
            self._failed()
            raise
        self.ledger.count(reply.usage, cached=reply.cached)
        return reply

    async def achat(
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
        """`chat` without blocking the event loop."""
        self._before()
        try:
            reply = await self._model.achat(
                messages,
                tools=tools,
                schema=schema,
                max_tokens=max_tokens,
                temperature=temperature,
                seed=seed,
                stop=stop,
            )
        except ModelError:
            self._failed()
            raise
        self.ledger.count(reply.usage, cached=reply.cached)
        return reply

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int | None = None,
        stop: Sequence[str] = (),
    ) -> Iterator[str]:
        """Stream from the inner model. Its tokens are counted here; a stream tells no price, so the
        cost is unknown unless the model says that it is ``free``.
        """
        self._before()
        started, text = time.perf_counter(), ""
        try:
            for piece in self._model.stream(
                messages, max_tokens=max_tokens, temperature=temperature, seed=seed, stop=stop
            ):
                text += piece
                yield piece
        except ModelError:
            self._failed()
            raise
        finally:
            prompt = sum(self.count_tokens(m.content) for m in messages)
            self.ledger.count(
                Usage(
                    prompt_tokens=prompt,
                    completion_tokens=self.count_tokens(text),
                    usd=0.0 if self.free else None,
                    seconds=time.perf_counter() - started,
                )
            )


class MeteredScorer(MeteredModel):
    """`MeteredModel` for a model that scores."""

    def __init__(self, model: ScoringModel, ledger: Ledger, check: Check | None = None) -> None:
        super().__init__(model, ledger, check)
        self._scorer = model

    def score(self, messages: Sequence[Message], candidates: Sequence[str]) -> Scores:
        """Score by the inner model, if the budget allows it."""
        self._before()
        try:
            scores = self._scorer.score(messages, candidates)
        except ModelError:
            self._failed()
            raise
        self.ledger.count(scores.usage, cached=scores.cached)
        return scores
