"""Text as the embedders and the search may take it: bounded, and always encodable."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def clean_text(text: str, limit: int) -> str:
    """The first ``limit`` characters of ``text``, without what UTF-8 or C strings cannot carry.

    The cut comes first, so that a text of megabytes costs no more than a short one. Lone
    surrogates become ``?`` and NUL characters become spaces.
    """
    text = text[:limit]
    if "\0" in text:
        text = text.replace("\0", " ")
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode("utf-8")


def unit_rows(rows: NDArray[np.floating]) -> NDArray[np.float32]:
    """``rows`` (n, dim) scaled to length 1, as float32.

    A row that is zero or not finite has no direction: it becomes the first axis, so that every
    text has a vector that can be stored and compared.
    """
    out = np.array(rows, dtype=np.float32, ndmin=2)
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.linalg.norm(out, axis=1, keepdims=True)
    lost = ~np.isfinite(lengths[:, 0]) | (lengths[:, 0] < 1e-12)
    if lost.any():
        out[lost] = 0.0
        out[lost, 0] = 1.0
        lengths[lost] = 1.0
    return out / lengths
