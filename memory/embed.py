"""Embedders: what turns texts into vectors, and the names they are opened by.

Names: ``default`` (``minilm``), ``hashing`` or ``hashing:DIM``, ``wordllama``, ``onnx:FOLDER``,
``sentence-transformers:NAME``, ``litellm:NAME``. Two embedders with equal ids give vectors that can
be compared; a store remembers the id it was written with.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingsError
from .embed_hashing import HashingEmbedder
from .embed_named import LiteLLMEmbedder, SentenceTransformersEmbedder
from .embed_onnx import open_minilm, open_onnx_folder
from .embed_static import open_wordllama

DEFAULT_EMBEDDER = "minilm"
_NAMES = (
    "default, minilm, hashing, hashing:DIM, wordllama, onnx:FOLDER, "
    "sentence-transformers:NAME, litellm:NAME"
)


@runtime_checkable
class Embedder(Protocol):
    """Turns texts into unit vectors. ``check_embedder`` tells whether yours keeps the contract."""

    @property
    def id(self) -> str:
        """Equal for embedders whose vectors can be compared; kept with the data."""
        ...

    @property
    def dim(self) -> int:
        """Length of a vector."""
        ...

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of texts to be stored: unit rows (len(texts), dim), in order.

        Any text has a vector: an empty one, one of megabytes (cut), one with lone surrogates.
        """
        ...

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """The unit vector (dim,) of a text that is searched for."""
        ...


class CachedEmbedder:
    """Remembers the last ``size`` query vectors of another embedder.

    An agent asks the same question often: the same room, seen again.
    """

    def __init__(self, inner: Embedder, size: int = 2_048) -> None:
        self._inner = inner
        self._size = size
        self._rows: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._lock = Lock()

    @property
    def id(self) -> str:
        """The inner embedder's."""
        return self._inner.id

    @property
    def dim(self) -> int:
        """The inner embedder's."""
        return self._inner.dim

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit rows (len(texts), dim), not remembered."""
        return self._inner.embed(texts)

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """One unit row (dim,); read-only, because it is shared."""
        with self._lock:
            row = self._rows.get(text)
            if row is not None:
                self._rows.move_to_end(text)
                return row
        row = self._inner.embed_query(text)
        row.setflags(write=False)
        if len(text) > 4_096:  # a cache of long texts would outgrow the vectors it saves
            return row
        with self._lock:
            self._rows[text] = row
            while len(self._rows) > self._size:
                self._rows.popitem(last=False)
        return row


def open_embedder(name: str | None = None) -> Embedder:
    """The embedder called ``name``; without a name, the default, which needs no network.

    Raises MissingExtra if a package that it needs is absent, SettingsError if there is no such
    name.
    """
    family, _, rest = (name or "default").partition(":")
    match family, rest:
        case (("default" | "minilm"), ""):
            return CachedEmbedder(open_minilm())
        case "hashing", _:
            return HashingEmbedder(_whole(rest)) if rest else HashingEmbedder()
        case "wordllama", "":
            return open_wordllama()
        case "onnx", folder if folder:
            return CachedEmbedder(open_onnx_folder(Path(folder)))
        case "sentence-transformers", model if model:
            return CachedEmbedder(SentenceTransformersEmbedder(model))
        case "litellm", model if model:
            return CachedEmbedder(LiteLLMEmbedder(model))
        case _:
            raise SettingsError(f"there is no embedder {name!r}. Names: {_NAMES}")


def _whole(text: str) -> int:
    if not text.isdecimal() or int(text) < 8:
        raise SettingsError(f"hashing:{text} has no meaning: give the dimension, as in hashing:256")
    return int(text)
