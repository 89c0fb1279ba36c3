"""Static word vectors: a sentence is the mean of its tokens' vectors. Fast, and blind to order.

The weights are those of the package ``wordllama`` (256 dimensions). They are read here directly:
the package's own loader looks for its tokenizer in a folder that it does not ship, and then goes
to the network.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import MissingExtra
from .embed_onnx import load_tokenizer
from .text import clean_text, unit_rows

WORDLLAMA_PACKAGE = "wordllama==0.4.0.post1"
_MAX_CHARS = 32_000


class StaticEmbedder:
    """Mean of the token vectors ``table`` (vocabulary, dim) of a text's first 32,000 characters."""

    def __init__(self, table: NDArray[np.float32], tokenizer: Path, *, id: str) -> None:
        self.id = id
        self.dim = table.shape[1]
        self._table = table
        self._tokenizer = load_tokenizer(tokenizer)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit rows (len(texts), dim)."""
        out = np.zeros((len(texts), self.dim), dtype=np.float32)
        for row, text in zip(out, texts, strict=True):
            ids = self._tokenizer.encode(clean_text(text, _MAX_CHARS), add_special_tokens=False).ids
            if ids:
                row[:] = self._table[ids].mean(axis=0)
        return unit_rows(out) if len(texts) else out

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """One unit row (dim,)."""
        return self.embed([text])[0]


def open_wordllama() -> StaticEmbedder:
    """The 256-dimensional vectors of the installed package ``wordllama``."""
    spec = importlib.util.find_spec("wordllama")
    if spec is None or spec.origin is None:
        raise MissingExtra("wordllama", "", command=f"pip install {WORDLLAMA_PACKAGE}")
    folder = Path(spec.origin).parent
    table = _read_table(folder / "weights" / "l2_supercat_256.safetensors")
    tokenizer = folder / "tokenizers" / "l2_supercat_tokenizer_config.json"
    return StaticEmbedder(table, tokenizer, id="wordllama")


def _read_table(path: Path) -> NDArray[np.float32]:
    """The only matrix in a safetensors file: 8 bytes of header length, a JSON header, the data."""
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    entry = next(value for key, value in header.items() if key != "__metadata__")
    start, end = entry["data_offsets"]
    kinds = {"F16": np.float16, "F32": np.float32}
    table = np.frombuffer(data[start:end], dtype=kinds[entry["dtype"]])
    return table.reshape(entry["shape"]).astype(np.float32)
