"""What a run has spent against its budget, and whether another episode may begin."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..errors import SettingsError
from .plan import Job
from .runs import EpisodeLine, RunSpec


class Meter:
    """Counts tokens, dollars, steps and seconds of a run.

    Tokens, dollars and steps stop a run before the next episode. Seconds stop it before the next
    round, once that is not expected to end in time: a round is one place in the order, played by
    every arm and seed, so a run that time has cut short is still paired.
    """

    def __init__(self, spec: RunSpec, clock: Callable[[], float] = time.monotonic) -> None:
        self.reason = ""
        self._spec = spec
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
        if self._spec.limits.usd is not None and line.usd is None and line.error is None:
            raise SettingsError(
                f"the price of {self._spec.model} is not known, so a limit in dollars means "
                "nothing: give --limit-tokens instead"
            )

    def ended(self, line: EpisodeLine) -> None:
        """Count an episode that ended just now."""
        self._played += 1
        self.count(line)

    def spent(self) -> bool:
        """Whether a limit is reached; ``reason`` then says which."""
        limits = self._spec.limits
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

    def begin(self, job: Job) -> bool:
        """Whether ``job`` may begin."""
        if self.spent():
            return False
        if job.index not in self._rounds:
            if not self._in_time():
                return False
            self._first = self._first if self._rounds else self._clock()
            self._rounds.add(job.index)
        return True

    def _in_time(self) -> bool:
        """Whether another round is expected to end before the time does."""
        limit = self._spec.limits.seconds
        if limit is None or not self._rounds:
            return True
        now = self._clock()
        an_episode = (now - self._first) / max(1, self._played)
        a_round = an_episode * len(self._spec.arms) * len(self._spec.seeds)
        if now + a_round > self._began + limit:
            self.reason = f"another round would go beyond the budget of {limit:g} seconds"
            return False
        return True
