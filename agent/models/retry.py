"""The one retry layer, and how what goes wrong at a provider becomes one of our errors.

Both back ends raise the ``openai`` package's exceptions (litellm's are subclasses), and both are
told never to retry themselves, so that three attempts do not become nine.
"""

from __future__ import annotations

import asyncio
import email.utils
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import tenacity

from ...errors import ContextOverflow, ModelError, ModelUnavailable

T = TypeVar("T")

TRANSIENT = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_OVERFLOW = (
    "context_length_exceeded",
    "maximum context length",
    "context window",
    "context size",
    "too many tokens",
    "prompt is too long",
)


@dataclass(frozen=True)
class RetryPolicy:
    """At most ``attempts`` calls; waits grow from ``base`` seconds, with jitter, to ``longest``.

    A server's Retry-After is obeyed, up to ``longest_asked`` seconds. ``sleep`` and ``asleep`` are
    how it waits.
    """

    attempts: int = 4
    base: float = 0.5
    longest: float = 20.0
    longest_asked: float = 60.0
    sleep: Callable[[float], None] = time.sleep
    asleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    def call(self, ask: Callable[[], T], model: str) -> T:
        """``ask()``, again where that may help; raises a ``ModelError`` for good."""
        try:
            return tenacity.Retrying(
                stop=tenacity.stop_after_attempt(self.attempts),
                wait=self._wait,
                retry=tenacity.retry_if_exception(is_transient),
                sleep=self.sleep,
                reraise=True,
            )(ask)
        except Exception as error:
            translated = translate(error, model)
            if translated is error:
                raise
            raise translated from error

    async def acall(self, ask: Callable[[], Awaitable[T]], model: str) -> T:
        """`call` for a coroutine."""

        async def once() -> T:
            return await ask()

        try:
            return await tenacity.AsyncRetrying(
                stop=tenacity.stop_after_attempt(self.attempts),
                wait=self._wait,
                retry=tenacity.retry_if_exception(is_transient),
                sleep=self.asleep,
                reraise=True,
            )(once)
        except Exception as error:
            translated = translate(error, model)
            if translated is error:
                raise
            raise translated from error

    def _wait(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = retry_after(error) if error else None
        if asked is not None:
            return min(asked, self.longest_asked)
        growing = tenacity.wait_exponential(multiplier=self.base, max=self.longest)
        return growing(state) + tenacity.wait_random(0, self.base)(state)


def status(error: BaseException) -> int | None:
    """The HTTP status behind an exception."""
    code = getattr(error, "status_code", None)
    return code if isinstance(code, int) else None


def is_transient(error: BaseException) -> bool:
    """Whether the same request may succeed a little later."""
    import openai

    if "insufficient_quota" in str(error) or isinstance(error, ModelError):
        return False
    if isinstance(error, openai.APIConnectionError):  # timeouts are among these
        return True
    return status(error) in TRANSIENT


def is_absent(fault: ModelUnavailable) -> bool:
    """Whether there is no such model to be reached, rather than one that fails or is slow."""
    cause = fault.__cause__
    if not isinstance(cause, Exception):
        return True
    import openai

    return status(cause) not in TRANSIENT and not isinstance(cause, openai.APITimeoutError)


def retry_after(error: BaseException) -> float | None:
    """Seconds a server asks to wait: a number, or an HTTP date."""
    headers = getattr(getattr(error, "response", None), "headers", None)
    value = headers.get("retry-after") if headers is not None else None
    if not isinstance(value, str):
        return None
    try:
        return max(float(value), 0.0)
    except ValueError:
        pass
    try:
        at = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return max((at - datetime.now(UTC)).total_seconds(), 0.0)


def translate(error: Exception, model: str) -> Exception:
    """One of our errors for one of a provider's; what is no provider's error stays as it is."""
    import openai

    if isinstance(error, ModelError):
        return error
    if isinstance(error, openai.APIConnectionError):
        return ModelUnavailable(f"{model} cannot be reached: {error}. Is its server running?")
    code = status(error)
    text = str(error).lower()
    if code in (400, 413, 422) and any(sign in text for sign in _OVERFLOW):
        return ContextOverflow(f"The prompt does not fit the context of {model}: {error}")
    if code in (401, 403):
        return ModelUnavailable(f"{model} refuses the key: {error}. Set the provider's API key.")
    if code == 404 or "llm provider not provided" in text:
        return ModelUnavailable(f"There is no model {model} there: {error}")
    if code in TRANSIENT:
        return ModelUnavailable(f"{model} did not answer after several attempts: {error}")
    if isinstance(error, openai.OpenAIError) or code is not None:
        return ModelError(f"{model} failed: {error}")
    return error
