"""Choosing the next token from logits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Logits = NDArray[np.float32]


def choose(logits: Logits, temperature: float, random: np.random.Generator) -> int:
    """The likeliest token at temperature 0, else one drawn from softmax(logits / temperature).

    Drawn by the Gumbel trick: argmax of logit / T + G has that distribution.
    """
    if temperature <= 0:
        return int(logits.argmax())
    noise = random.gumbel(size=logits.shape).astype(np.float32)
    return int((logits / np.float32(temperature) + noise).argmax())
