"""Household text games: ALFWorld on the TextWorld engine, official games or our own.

``AlfWorld`` is the environment; ``check`` says what is missing on this machine.
"""

from __future__ import annotations

from .environment import AlfWorld
from .requirements import check

__all__ = ["AlfWorld", "check"]
