"""Models that run in this process answer asynchronous callers from a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from pydantic import JsonValue

from .base import ChatModel, Message, Reply, ToolSpec


class InThread:
    """Gives a model with a ``chat`` its ``achat``."""

    async def achat(
        self: ChatModel,
        messages: Sequence[Message],
        *,
        tools: Sequence[ToolSpec] = (),
        schema: dict[str, JsonValue] | None = None,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int | None = None,
        stop: Sequence[str] = (),
    ) -> Reply:
        """`chat` in a thread."""
        return await asyncio.to_thread(
            self.chat,
            messages,
            tools=tools,
            schema=schema,
            max_tokens=max_tokens,
            temperature=temperature,
            seed=seed,
            stop=stop,
        )
