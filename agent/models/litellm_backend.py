"""Every provider litellm knows, by its model string. Imported on the first call: it takes seconds.

Only litellm's call and its price list are used. Its retries, caches, budgets and routers stay off:
they need its proxy's packages, or would multiply our own.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from pydantic import JsonValue

from ...errors import MissingExtra
from . import wire
from .api_model import Answer, forbid_check


class LitellmBackend:
    """One litellm model string. ``options`` go to every call as they are (``api_base``, ...)."""

    def __init__(
        self,
        name: str,
        *,
        api_key: str | None = None,
        timeout: float = 120.0,
        options: dict[str, JsonValue] | None = None,
    ) -> None:
        self._name = name
        self._options: dict[str, Any] = {
            "num_retries": 0,
            "max_retries": 0,
            "timeout": timeout,
            **(options or {}),
        }
        if api_key:
            self._options["api_key"] = api_key

    @cached_property
    def _litellm(self) -> Any:
        # else importing it fetches a price list over the network
        os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
        try:
            litellm: Any = importlib.import_module("litellm")
        except ImportError as error:
            raise MissingExtra("litellm", "litellm") from error
        litellm.telemetry = False
        litellm.suppress_debug_info = True
        return litellm

    @property
    def id(self) -> str:
        """The model string, and the server if another than the provider's was named."""
        base = self._options.get("api_base")
        return f"{self._name}@{base}" if base else self._name

    @property
    def name(self) -> str:
        """The model string."""
        return self._name

    def context_tokens(self) -> int | None:
        """What litellm's list says of the model."""
        try:
            known = self._litellm.get_model_info(self._name)
        except Exception:  # litellm raises a bare Exception for a model it has not in its list
            return None
        return known.get("max_input_tokens") or known.get("max_tokens")

    def create(self, body: wire.Body) -> Answer:
        """Send a chat completion request, without retrying."""
        self._check()
        return self._answer(self._litellm.completion(**body, **self._options))

    async def acreate(self, body: wire.Body) -> Answer:
        """`create` without blocking."""
        self._check()
        return self._answer(await self._litellm.acompletion(**body, **self._options))

    def stream(self, body: wire.Body) -> Iterator[str]:
        """Send a streaming request and yield the pieces of text."""
        self._check()
        for chunk in self._litellm.completion(**body, **self._options, stream=True):
            for choice in chunk.choices[:1]:
                if choice.delta.content:
                    yield choice.delta.content

    def close(self) -> None:
        """Nothing is kept open."""

    def _check(self) -> None:
        if "mock_response" not in self._options:
            forbid_check(self.id)

    def _answer(self, response: Any) -> Answer:
        return Answer(response.model_dump(mode="json"), self._usd(response))

    def _usd(self, response: Any) -> float | None:
        """The cost by litellm's price list, None for a model that is not in it."""
        try:
            info = self._litellm.get_model_info(self._name)
            priced = info.get("input_cost_per_token") is not None
            return float(self._litellm.completion_cost(response, self._name)) if priced else None
        except Exception:  # a model it does not know; no price is worth the reply
            return None
