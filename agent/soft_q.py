"""Soft values: the maximum-entropy backup for choosing among memories.

Memento's objective (arXiv 2508.16153, eq. 3) adds α times the entropy of the choice to the reward.
Its optimal choice is softmax(Q/α) (eq. 7) and the value of a state α·log Σ exp(Q/α) (from eq. 4).
The paper prints the backup (eq. 8 and 10) without the temperature inside the exponential; that has
another fixed point unless α = 1. Here it stands as eq. 4 and 7 imply.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def soft_value(q: Floats, temperature: float) -> float:
    """α·log Σ exp(Q/α) of the values ``q`` (n,); their maximum at temperature 0.

    Raises ValueError for no values or a negative temperature.
    """
    if not len(q) or temperature < 0:
        raise ValueError("a soft value needs at least one value and a temperature of at least 0")
    best = float(q.max())
    if temperature == 0:
        return best
    return best + temperature * float(np.log(np.exp((q - best) / temperature).sum()))


def soft_choice(q: Floats, temperature: float) -> Floats:
    """softmax(Q/α), shape (n,); at temperature 0 all mass on the best, shared by equals."""
    if temperature == 0:
        chances = (q == q.max()).astype(np.float64)
    else:
        chances = np.exp((q - q.max()) / temperature)
    return chances / chances.sum()


def soft_target(reward: float, following: Floats, temperature: float, discount: float) -> float:
    """r + γ·α·log Σ exp(Q'/α): what a choice was worth, by what could be chosen next.

    ``following`` are the values at the next choice; empty after the last.
    """
    if discount == 0 or not len(following):
        return reward
    return reward + discount * soft_value(following, temperature)
