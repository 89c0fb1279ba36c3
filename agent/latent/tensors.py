"""Ragged rows as tensors, and tensors as plain numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def pad(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Ragged rows as ids (B, L), filled up with 0 at their ends, and their lengths (B,)."""
    lengths = torch.tensor([len(row) for row in rows])
    ids = torch.zeros(len(rows), max(1, max(map(len, rows))), dtype=torch.long)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = torch.tensor(row, dtype=torch.long)
    return ids, lengths


def unpad(ids: Tensor, mask: Tensor) -> list[list[int]]:
    """The rows of ids (B, L) without what ``mask`` (B, L) leaves out, on whichever side it is."""
    return [integers(row[keep]) for row, keep in zip(ids, mask.bool(), strict=True)]


def integers(values: Tensor) -> list[int]:
    """A row of whole numbers."""
    untyped: Any = values
    return untyped.tolist()


def numbers(values: Tensor) -> list[float]:
    """A row of numbers."""
    untyped: Any = values
    return untyped.tolist()
