"""Answers kept on disk, so that the same question is not paid for twice.

One SQLite file in WAL mode, which processes may share. An answer is found by the hash of everything
that can change it: model id, messages, tools, schema, parameters, and a salt of the caller's. What
is drawn at random without a seed is never kept, nor is a reply that ended in an error.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel, JsonValue, ValidationError

from ...errors import SettingsError
from .base import ChatModel, Message, Reply, Scores, ScoringModel, ToolSpec, Usage, weaves

_log = logging.getLogger(__name__)

FORMAT = 1
_TABLE = (
    "CREATE TABLE IF NOT EXISTS answers"
    " (key TEXT PRIMARY KEY, model TEXT NOT NULL, made REAL NOT NULL, answer TEXT NOT NULL)"
    " WITHOUT ROWID"
)


class ResponseCache:
    """A file of answers. Threads may share one; so may processes, each with its own object."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._owner = 0
        self._connection: sqlite3.Connection | None = None

    def get(self, key: str) -> str | None:
        """The answer kept under ``key``."""
        with self._lock:
            try:
                rows = self._open().execute("SELECT answer FROM answers WHERE key = ?", (key,))
                row = rows.fetchone()
            except sqlite3.DatabaseError as error:
                raise self._damaged(error) from error
        return None if row is None else str(row[0])

    def put(self, key: str, model: str, answer: str) -> None:
        """Keep an answer; the first one kept under a key stays.

        A full disk is no reason to lose an answer that was paid for: it is logged.
        """
        with self._lock:
            try:
                self._open().execute(
                    "INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?)",
                    (key, model, time.time(), answer),
                )
            except sqlite3.OperationalError as error:
                _log.warning("An answer could not be kept in %s: %s", self.path, error)
            except sqlite3.DatabaseError as error:
                raise self._damaged(error) from error

    def close(self) -> None:
        """Close the file; it opens again when it is next needed."""
        with self._lock:
            if self._connection is not None and self._owner == os.getpid():
                self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None or self._owner != os.getpid():  # never share one over a fork
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(
                self.path, timeout=30, isolation_level=None, check_same_thread=False
            )
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(_TABLE)
            self._connection, self._owner = connection, os.getpid()
        return self._connection

    def _damaged(self, error: Exception) -> SettingsError:
        return SettingsError(
            f"The response cache {self.path} cannot be read ({error}). Delete it, or name another."
        )


def cache_key(**parts: JsonValue) -> str:
    """The hash of everything that can change an answer."""
    text = json.dumps({"format": FORMAT, **parts}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def cached(model: ChatModel, cache: ResponseCache, salt: str = "") -> ChatModel:
    """``model`` with its answers kept in ``cache``; change ``salt`` to ask anew."""
    if isinstance(model, ScoringModel):
        return CachedScorer(model, cache, salt)
    return CachedModel(model, cache, salt)


class CachedModel:
    """See `cached`. A kept answer is marked so; its usage is what it took to make, at no cost."""

    def __init__(self, model: ChatModel, cache: ResponseCache, salt: str = "") -> None:
        self._model = model
        self._cache = cache
        self._salt = salt

    @property
    def id(self) -> str:
        """The inner model's."""
        return self._model.id

    @property
    def context_tokens(self) -> int:
        """The inner model's."""
        return self._model.context_tokens

    @property
    def free(self) -> bool:
        """Whether the inner model costs nothing but time."""
        return bool(getattr(self._model, "free", False))

    @property
    def weaves(self) -> bool:
        """Whether the inner model turns latent messages into vectors."""
        return weaves(self._model)

    def count_tokens(self, text: str) -> int:
        """The inner model's."""
        return self._model.count_tokens(text)

    def close(self) -> None:
        """Close the file, and the inner model, if it can be."""
        self._cache.close()
        close = getattr(self._model, "close", None)
        if close is not None:
            close()

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
        """The answer kept, or the inner model's, kept from now on."""
        key = self._chat_key(messages, tools, schema, max_tokens, temperature, seed, stop)
        found = self._find(key)
        if found is not None:
            return found
        reply = self._model.chat(
            messages,
            tools=tools,
            schema=schema,
            max_tokens=max_tokens,
            temperature=temperature,
            seed=seed,
            stop=stop,
        )
        return self._keep(key, reply)

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
        """`chat` without blocking the event loop for more than a look into the file."""
        key = self._chat_key(messages, tools, schema, max_tokens, temperature, seed, stop)
        found = self._find(key)
        if found is not None:
            return found
        reply = await self._model.achat(
            messages,
            tools=tools,
            schema=schema,
            max_tokens=max_tokens,
            temperature=temperature,
            seed=seed,
            stop=stop,
        )
        return self._keep(key, reply)

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int | None = None,
        stop: Sequence[str] = (),
    ) -> Iterator[str]:
        """The inner model's stream; nothing is kept."""
        return self._model.stream(
            messages, max_tokens=max_tokens, temperature=temperature, seed=seed, stop=stop
        )

    def _chat_key(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec],
        schema: dict[str, JsonValue] | None,
        max_tokens: int,
        temperature: float,
        seed: int | None,
        stop: Sequence[str],
    ) -> str | None:
        """None for what is drawn at random."""
        if temperature > 0 and seed is None:
            return None
        return self._key(
            "chat",
            messages,
            tools=_plain(tools),
            schema=schema,
            max_tokens=max_tokens,
            temperature=temperature,
            seed=seed if temperature > 0 else None,
            stop=list(stop),
        )

    def _key(self, kind: str, messages: Sequence[Message], **rest: JsonValue) -> str:
        return cache_key(
            kind=kind, model=self.id, salt=self._salt, messages=_plain(messages), **rest
        )

    def _find(self, key: str | None) -> Reply | None:
        started = time.perf_counter()
        text = None if key is None else self._cache.get(key)
        if text is None:
            return None
        try:
            reply = Reply.model_validate_json(text)
        except ValidationError:  # of another version
            return None
        usage = _unspent(reply.usage, time.perf_counter() - started)
        return reply.model_copy(update={"cached": True, "usage": usage})

    def _keep(self, key: str | None, reply: Reply) -> Reply:
        if key is not None and reply.finish != "error":
            self._cache.put(key, self.id, reply.model_dump_json())
        return reply


class CachedScorer(CachedModel):
    """`CachedModel` for a model that scores."""

    def __init__(self, model: ScoringModel, cache: ResponseCache, salt: str = "") -> None:
        super().__init__(model, cache, salt)
        self._scorer = model

    def score(self, messages: Sequence[Message], candidates: Sequence[str]) -> Scores:
        """The scores kept, or the inner model's, kept from now on."""
        started = time.perf_counter()
        key = self._key("score", messages, candidates=list(candidates))
        text = self._cache.get(key)
        if text is not None:
            try:
                found = Scores.model_validate_json(text)
                usage = _unspent(found.usage, time.perf_counter() - started)
                return found.model_copy(update={"cached": True, "usage": usage})
            except ValidationError:
                pass
        scores = self._scorer.score(messages, candidates)
        self._cache.put(key, self.id, scores.model_dump_json())
        return scores


def _plain(values: Sequence[BaseModel]) -> list[JsonValue]:
    return [value.model_dump(mode="json") for value in values]


def _unspent(usage: Usage, seconds: float) -> Usage:
    return usage.model_copy(
        update={"usd": 0.0, "seconds": seconds, "cached_tokens": usage.prompt_tokens}
    )
