"""Soft values against soft value iteration, and against what the paper printed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverie.agent.soft_q import soft_choice, soft_target, soft_value

GAMMA = 0.9
REWARDS = np.array([[1.0, 0.0], [0.3, 0.6], [0.0, 0.2]])
NEXT = np.array([[1, 2], [2, 0], [0, 1]])
"""Three states; in each, two memories, and the state that follows showing one."""


def value_iteration(temperature: float) -> np.ndarray:
    """Q by repeated sweeps of V(s) = max over μ of Σ μ(Q − α log μ), found by its softmax."""
    q = np.zeros((3, 2))
    for _ in range(2000):
        chances = np.exp((q - q.max(1, keepdims=True)) / temperature)
        chances /= chances.sum(1, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            entropy = -np.nansum(chances * np.log(chances), axis=1)
        value = (chances * q).sum(1) + temperature * entropy
        q = REWARDS + GAMMA * value[NEXT]
    return q


def learnt(temperature: float) -> np.ndarray:
    """Q by the backup, one entry at a time, as an agent meets them."""
    q = np.zeros((3, 2))
    for _ in range(600):
        for state in range(3):
            for memory in range(2):
                q[state, memory] = soft_target(
                    REWARDS[state, memory], q[NEXT[state, memory]], temperature, GAMMA
                )
    return q


@pytest.mark.parametrize("temperature", [0.05, 0.5, 1.0])
def test_the_backup_converges_to_soft_value_iteration(temperature: float) -> None:
    assert np.abs(learnt(temperature) - value_iteration(temperature)).max() < 1e-6


@pytest.mark.parametrize("temperature", [0.05, 0.5])
def test_the_printed_backup_converges_elsewhere(temperature: float) -> None:
    printed = np.zeros((3, 2))
    for _ in range(2000):  # eq. 8 as printed: no temperature inside the exponential
        printed = REWARDS + GAMMA * temperature * np.log(np.exp(printed).sum(1))[NEXT]
    assert np.abs(printed - value_iteration(temperature)).max() > 0.5


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=6), st.floats(0.01, 5))
def test_a_soft_value_lies_between_the_best_and_the_best_plus_the_entropy(
    values: list[float], temperature: float
) -> None:
    q = np.array(values)
    value = soft_value(q, temperature)
    assert q.max() - 1e-9 <= value <= q.max() + temperature * np.log(len(q)) + 1e-9
    chances = soft_choice(q, temperature)
    assert chances.sum() == pytest.approx(1.0) and chances[np.argmax(q)] >= chances.max() - 1e-9


def test_without_temperature_it_is_the_maximum() -> None:
    q = np.array([0.2, 0.7, 0.7])
    assert soft_value(q, 0.0) == 0.7
    assert soft_choice(q, 0.0) == pytest.approx([0.0, 0.5, 0.5])
    assert soft_target(0.3, q, 0.0, 0.5) == pytest.approx(0.65)


def test_nothing_follows_the_last_choice() -> None:
    assert soft_target(0.3, np.empty(0), 0.5, 0.9) == 0.3
    with pytest.raises(ValueError, match="at least one value"):
        soft_value(np.empty(0), 0.5)
