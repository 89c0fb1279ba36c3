"""Where latents are inserted, as data: the same plan drives generation and training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import SettingsError
from .config import Kind, WeaverConfig


@dataclass(frozen=True, order=True)
class Point:
    """A place in a row of tokens: after ``at`` of them, before the next is predicted.

    The weaver reads the row as far as the point. Its latents come to stand before the row's last
    token, which the reasoner reads again behind them, so that they bear on the very next one.
    """

    at: int
    kind: Kind = "inner"


Plan = tuple[tuple[Point, ...], ...]
"""The points of each row, in order."""


@dataclass(frozen=True)
class Decision:
    """What was decided at a point that was consulted, and how likely an insertion was."""

    at: int
    kind: Kind
    probability: float
    inserted: bool


def check_plan(plan: Plan, lengths: Sequence[int], config: WeaverConfig) -> None:
    """Raises SettingsError where a plan does not fit rows of these lengths, in tokens."""
    if len(plan) != len(lengths):
        raise SettingsError(f"The plan has {len(plan)} rows, the batch {len(lengths)}.")
    for row, (points, length) in enumerate(zip(plan, lengths, strict=True)):
        places = [point.at for point in points]
        if places != sorted(set(places)):
            raise SettingsError(f"Row {row}: points must be in order and differ, not {places}.")
        if places and not 1 <= places[0] <= places[-1] <= length:
            raise SettingsError(f"Row {row}: points must lie in 1 to {length}, not {places}.")
        empty = {point.kind for point in points if not config.latents(point.kind)}
        if empty:
            raise SettingsError(
                f"Row {row}: this weaver has no latents for {sorted(empty)} points."
            )
