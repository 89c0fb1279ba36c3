"""What a run has spent against its budget, and whether another episode may begin."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..errors import SettingsError
from .runs import Budget, EpisodeLine


class Meter:
    """Counts tokens, dollars, steps and seconds of a run.

    Tokens, dollars and steps stop a run before the next episode. Seconds stop it before the next
    round, once that is not expected to end in time: a round is one place in the order, played by
    every arm and seed, so a run that time has cut short is still paired.
    """

    def __init__(
        self,
        limits: Budget,
        lanes: int,
        model: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``lanes`` is how many episodes a round has; ``model`` the name an error gives it."""
        self.reason = ""
        self._limits = limits
        self._lanes = lanes
        self._model = model
        self._clock = clock
        self._began = clock()
        self._first = 0.0
        self._played = 0
        self._rounds: set[int] = set()
        self._tokens = self._steps = 0
        self._usd = 0.0

    def count(self, line: EpisodeLine) -> None:
        """Count an episode. Raises ``SettingsError`` if a dollar limit meets an unknown price."""
        self._tokens += line.tokens
        self._steps += line.steps
        self._usd += line.usd or 0.0
        if self._limits.usd is not None and line.usd is None and line.error is None:
            raise SettingsError(
                f"the price of {self._model} is not known, so a limit in dollars means "
                "nothing: give --limit-tokens instead"
            )

    def ended(self, line: EpisodeLine) -> None:
        """Count an episode that ended just now."""
        self._played += 1
        self.count(line)

    def charge(self, tokens: int, usd: float | None) -> None:
        """Count what was spent between episodes; an unknown price counts as nothing."""
        self._tokens += tokens
        self._usd += usd or 0.0

    def spent(self) -> bool:
        """Whether a limit is reached; ``reason`` then says which."""
        limits = self._limits
        for used, limit, name in (
            (self._tokens, limits.tokens, "tokens"),
            (self._usd, limits.usd, "dollars"),
            (self._steps, limits.steps, "steps"),
        ):
            if limit is not None and used >= limit:
                self.reason = f"the budget of {limit:g} {name} is reached"
                return True
        if limits.seconds is not None and self._clock() - self._began >= limits.seconds:
            self.reason = f"the budget of {limits.seconds:g} seconds is reached"
            return not self._rounds
        return False

    def begin(self, place: int) -> bool:
        """Whether an episode of the round ``place`` may begin."""
        if self.spent():
            return False
        if place not in self._rounds:
            if not self._in_time():
                return False
            self._first = self._first if self._rounds else self._clock()
            self._rounds.add(place)
        return True

    def _in_time(self) -> bool:
        """Whether another round is expected to end before the time does."""
        limit = self._limits.seconds
        if limit is None or not self._rounds:
            return True
        now = self._clock()
        an_episode = (now - self._first) / max(1, self._played)
        a_round = an_episode * self._lanes
        if now + a_round > self._began + limit:
            self.reason = f"another round would go beyond the budget of {limit:g} seconds"
            return False
        return True
