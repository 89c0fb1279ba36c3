"""Embedders from the two big model zoos: sentence-transformers, on this machine, and litellm."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Protocol, TypedDict

import numpy as np
from numpy.typing import NDArray
from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential,
)

from ..errors import MissingExtra, ModelError, ModelUnavailable
from .text import clean_text, unit_rows

_PROBE = "dimension"


class SentenceTransformersEmbedder:
    """Any sentence-transformers model, by the name or folder that library knows it by.

    The library cuts a text at the model's own length; ``max_chars`` only bounds what it must read.
    Models with prompts for queries (E5, BGE and the like) get the prompt called ``query``.
    """

    def __init__(self, name: str, *, batch_size: int = 32, max_chars: int = 40_000) -> None:
        package = "sentence-transformers"
        missing = MissingExtra(package, "", command=f"pip install {package}")
        library = _library("sentence_transformers", missing)
        self.id = f"sentence-transformers:{name}"
        self._model = library.SentenceTransformer(name)
        self._batch_size = batch_size
        self._max_chars = max_chars
        self._dim: int | None = None
        self._query_prompt = "query" if "query" in (self._model.prompts or {}) else None

    @property
    def dim(self) -> int:
        """Length of a vector, as the model shows it by an example."""
        if self._dim is None:
            self._dim = len(self.embed_query(_PROBE))
        return self._dim

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit rows (len(texts), dim)."""
        if not texts:
            return np.empty((0, self.dim), dtype=np.float32)
        return self._encode(texts, prompt=None)

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """One unit row (dim,)."""
        return self._encode([text], prompt=self._query_prompt)[0]

    def _encode(self, texts: Sequence[str], prompt: str | None) -> NDArray[np.float32]:
        clean = [clean_text(text, self._max_chars) for text in texts]
        rows = self._model.encode(
            clean,
            batch_size=self._batch_size,
            prompt_name=prompt,
            show_progress_bar=False,
        )
        return unit_rows(np.asarray(rows))


class LiteLLMEmbedder:
    """Any embedding model that litellm reaches, such as ``openai/text-embedding-3-small``.

    Keys come from the provider's own environment variables, as litellm documents them. Texts go out
    in batches of ``batch_size``; a call that fails in passing (rate limit, connection, server) is
    tried up to ``attempts`` times. A text too long for the model is cut in half until it fits.
    An empty text, which most providers refuse, is sent as a space.
    """

    def __init__(
        self,
        name: str,
        *,
        batch_size: int = 64,
        max_chars: int = 24_000,
        attempts: int = 4,
        longest_wait: float = 20.0,
        api_base: str | None = None,
        api_key: str | None = None,
    ) -> None:
        self._litellm = _quiet_litellm()
        self.id = f"litellm:{name}"
        self._name = name
        self._batch_size = batch_size
        self._max_chars = max_chars
        self._attempts = attempts
        self._longest_wait = longest_wait
        self._api_base = api_base
        self._api_key = api_key
        self._dim: int | None = None

    @property
    def dim(self) -> int:
        """Length of a vector, asked from the model once."""
        if self._dim is None:
            self._dim = len(self.embed_query(_PROBE))
        return self._dim

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit rows (len(texts), dim). Raises ModelUnavailable or ModelError."""
        if not texts:
            return np.empty((0, self.dim), dtype=np.float32)
        clean = [clean_text(text, self._max_chars) or " " for text in texts]
        rows = [row for batch in self._batches(clean) for row in self._fitting(batch)]
        return unit_rows(np.asarray(rows, dtype=np.float32))

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """One unit row (dim,). Raises ModelUnavailable or ModelError."""
        return self.embed([text])[0]

    def _batches(self, texts: list[str]) -> Iterator[list[str]]:
        for start in range(0, len(texts), self._batch_size):
            yield texts[start : start + self._batch_size]

    def _fitting(self, batch: list[str]) -> list[list[float]]:
        """The batch's vectors. Where a text is too long: each text alone, halved until it fits."""
        try:
            return self._call(batch)
        except self._litellm.ContextWindowExceededError as error:
            if len(batch) > 1:
                return [row for text in batch for row in self._fitting([text])]
            if len(batch[0]) < 64:
                raise ModelError(f"{self.id} refuses a text of 64 characters: {error}") from error
            return self._fitting([batch[0][: len(batch[0]) // 2]])

    def _call(self, batch: list[str]) -> list[list[float]]:
        litellm = self._litellm
        passing = (
            litellm.RateLimitError,
            litellm.APIConnectionError,
            litellm.InternalServerError,
            litellm.ServiceUnavailableError,
            litellm.Timeout,
        )
        retrying = Retrying(
            retry=retry_if_exception_type(passing),
            stop=stop_after_attempt(self._attempts),
            wait=wait_exponential(multiplier=0.5, max=self._longest_wait),
            reraise=True,
        )
        try:
            reply = retrying(
                litellm.embedding,
                model=self._name,
                input=batch,
                api_base=self._api_base,
                api_key=self._api_key,
                max_retries=0,
            )
        except litellm.ContextWindowExceededError:
            raise
        except passing as error:
            raise ModelUnavailable(
                f"{self.id} did not answer in {self._attempts} attempts: {error}. "
                "Check the connection, or open the memory with the offline embedder"
            ) from error
        except tuple(litellm.exceptions.LITELLM_EXCEPTION_TYPES) as error:
            raise ModelUnavailable(
                f"{self.id} refused the call: {error}. Check the model's name and its key"
            ) from error
        return self._vectors(reply, len(batch))

    def _vectors(self, reply: _Reply, expected: int) -> list[list[float]]:
        items = sorted(reply.data, key=lambda item: item["index"])
        rows = [item["embedding"] for item in items]
        if len(rows) != expected or len({len(row) for row in rows}) != 1:
            raise ModelError(
                f"{self.id} sent {len(rows)} vectors for {expected} texts, or of several lengths"
            )
        return rows


class _Item(TypedDict):
    index: int
    embedding: list[float]


class _Reply(Protocol):
    data: list[_Item]


def _quiet_litellm() -> ModuleType:
    """litellm, kept from fetching its price list while it is imported, and from advertising."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    litellm = _library("litellm", MissingExtra("litellm", "litellm"))
    litellm.__dict__["suppress_debug_info"] = True
    return litellm


def _library(module: str, missing: MissingExtra) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ImportError:
        raise missing from None
