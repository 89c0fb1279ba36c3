"""The conformance suite for embedders: run it on your own before you give it to a memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from .embed import Embedder

_SAMPLES = (
    "The mug is on the kitchen counter.",
    "Ann moved to Lisbon in May 2023.",
    "rotate the grid by ninety degrees, then fill the holes",
    "",
    "   ",
    "日本語の文 with emoji 🙂 and accents: naïve café",
    "a lone surrogate \ud83d and a NUL \0 inside",
    "word " * 3_000,
    "x" * 20_000,
)
_TOLERANCE = 1e-3
"""For lengths and components: batches of different shapes may sum in another order."""

_Rows = NDArray[np.float32]
_Rule = Callable[[Embedder], str | None]


def check_embedder(embedder: Embedder) -> list[str]:
    """The rules of the ``Embedder`` contract that ``embedder`` breaks, as sentences; [] if none.

    In a test: ``assert check_embedder(mine) == []``. A rule that raises counts as broken.
    """
    return list(_broken(embedder))


def _broken(embedder: Embedder) -> Iterator[str]:
    for rule in _RULES:
        try:
            fault = rule(embedder)
        except Exception as error:  # a user's embedder may raise anything
            fault = f"{(rule.__doc__ or '').rstrip('.')}: raised {type(error).__name__}: {error}"
        if fault is not None:
            yield fault


def _identity(embedder: Embedder) -> str | None:
    """id is a name and dim a positive number."""
    if not embedder.id.strip():
        return "id is empty: name the model, so that a store knows its vectors"
    if embedder.dim < 1:
        return f"dim is {embedder.dim}: it is the length of a vector"
    return None


def _shapes(embedder: Embedder) -> str | None:
    """embed gives a row for every text and embed_query one row."""
    rows, row = embedder.embed(_SAMPLES), embedder.embed_query(_SAMPLES[0])
    for name, array, shape in (
        ("embed", rows, (len(_SAMPLES), embedder.dim)),
        ("embed_query", row, (embedder.dim,)),
    ):
        if array.shape != shape:
            return f"{name} gave shape {array.shape} instead of {shape}"
        if array.dtype != np.float32:
            return f"{name} gave {array.dtype} instead of float32"
    return None


def _no_texts(embedder: Embedder) -> str | None:
    """No texts have no rows."""
    shape = embedder.embed([]).shape
    return None if shape == (0, embedder.dim) else f"embed([]) gave shape {shape}, not (0, dim)"


def _unit(embedder: Embedder) -> str | None:
    """Every row is finite and of length 1."""
    for text, row in zip(_SAMPLES, embedder.embed(_SAMPLES), strict=True):
        for name, vector in (("embed", row), ("embed_query", embedder.embed_query(text))):
            length = float(np.linalg.norm(vector))
            if not abs(length - 1.0) < _TOLERANCE:
                return f"{name} gave a row of length {length} for {text[:20]!r}, not 1"
    return None


def _order(embedder: Embedder) -> str | None:
    """A row belongs to its text, whatever stands around it."""
    rows = embedder.embed(_SAMPLES)
    alone = np.concatenate([embedder.embed([text]) for text in _SAMPLES])
    if _near(rows, alone):
        return None
    return "a text's row is another when other texts stand around it: see to order and padding"


def _repeatable(embedder: Embedder) -> str | None:
    """The same text has the same vector, twice and from several threads."""
    text = _SAMPLES[0]
    if not _near(embedder.embed_query(text), embedder.embed_query(text)):
        return "embed_query gave two vectors for one text"
    rows = embedder.embed(_SAMPLES)
    with ThreadPoolExecutor(4) as pool:
        for other in pool.map(embedder.embed, [_SAMPLES] * 4):
            if not _near(rows, other):
                return "embed gave other rows when called from several threads"
    return None


def _telling(embedder: Embedder) -> str | None:
    """Different texts have different vectors."""
    first, second, *_ = embedder.embed(_SAMPLES)
    return "two different texts have one vector" if _near(first, second) else None


def _near(one: _Rows, other: _Rows) -> bool:
    return bool(np.allclose(one, other, atol=_TOLERANCE))


_RULES: tuple[_Rule, ...] = (
    _identity,
    _shapes,
    _no_texts,
    _unit,
    _order,
    _repeatable,
    _telling,
)
