"""Whether what was recalled helped: success of the episodes that saw a memory, against their twins.

An episode's twin is the same task and seed in the ``off`` arm. The comparison says what went
together, not what caused it: memories are recalled on the tasks they resemble. What caused it can
be told where chance left drawn memories out (`memory.credit`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ..memory import credit as chance
from ..memory.records import Kind
from .runs import Arm, EpisodeLine, Recalled


@dataclass(frozen=True)
class Credit:
    """One memory, or one sort of episode: how often it was seen and how those episodes went.

    ``success`` is the rate of the episodes that saw it, ``twins`` that of the same episodes without
    memory (None where there are none), both over first attempts.
    """

    record: Recalled
    episodes: int
    success: float
    twins: float | None

    @property
    def lift(self) -> float | None:
        """Success with it minus success of the twins."""
        return None if self.twins is None else self.success - self.twins


@dataclass(frozen=True)
class Effect:
    """One memory, and what recalls did with it: ``credit.contrast`` is what showing it changed."""

    record: Recalled
    credit: chance.Credit


def by_record(lines: Sequence[EpisodeLine], arm: Arm) -> list[Credit]:
    """Every memory that ``arm`` recalled, the most recalled first."""
    seen: dict[str, list[EpisodeLine]] = defaultdict(list)
    record: dict[str, Recalled] = {}
    for line in _first(lines, arm):
        for brief in line.recalled:
            record.setdefault(brief.id, brief)
            seen[brief.id].append(line)
    off = _twins(lines)
    found = [_credit(record[name], episodes, off) for name, episodes in seen.items()]
    return sorted(found, key=lambda c: (-c.episodes, -(c.lift or 0.0), c.record.id))


def by_chance(lines: Sequence[EpisodeLine], arm: Arm) -> list[Effect]:
    """Every memory that a recall of ``arm`` drew; those that most episodes tell of come first.

    Over first attempts, by reward. What can't be measured comes last.
    """
    first = _first(lines, arm)
    record = {brief.id: brief for line in first for brief in line.recalled}
    trials = [
        chance.Trial(
            episode=f"{line.seed}/{line.index}",
            offered=draw.offered,
            chosen=draw.chosen,
            dropped=draw.dropped,
            dropout=draw.dropout,
            reward=line.reward,
        )
        for line in first
        for draw in line.draws
    ]
    drawn = {name for trial in trials for name in (*trial.chosen, *trial.dropped)}
    found = [
        Effect(record.get(name, Recalled(id=name)), credit)
        for name, credit in chance.credit(drawn, trials).items()
    ]
    return sorted(found, key=_by_evidence)


def by_kinship(lines: Sequence[EpisodeLine], arm: Arm) -> list[Credit]:
    """Episodes of ``arm`` by the type of task that most of what they recalled comes from."""
    groups: dict[str, list[EpisodeLine]] = {
        "mostly memories of its own type of task": [],
        "mostly memories of other types": [],
        "nothing recalled": [],
    }
    same, other, nothing = groups.values()
    for line in _first(lines, arm):
        if not line.recalled:
            nothing.append(line)
        else:
            of_its_own = [x.task_type == line.task_type for x in _telling(line)]
            (same if 2 * sum(of_its_own) >= len(of_its_own) else other).append(line)
    off = _twins(lines)
    return [
        _credit(Recalled(id=name, text=name), episodes, off)
        for name, episodes in groups.items()
        if episodes
    ]


def _by_evidence(effect: Effect) -> tuple[bool, int, int, str]:
    found = effect.credit.contrast
    episodes = found.shown + found.left_out
    return (found.change is None, -episodes, -effect.credit.recalled, effect.record.id)


def _telling(line: EpisodeLine) -> Sequence[Recalled]:
    """The whole episodes that were recalled, else whatever was: steps are alike in many types."""
    return [x for x in line.recalled if x.kind == Kind.CASE] or line.recalled


def _first(lines: Sequence[EpisodeLine], arm: Arm) -> list[EpisodeLine]:
    return [line for line in lines if line.arm == arm and line.attempt == 1]


def _twins(lines: Sequence[EpisodeLine]) -> dict[tuple[int, str], bool]:
    return {(line.seed, line.task_id): line.success for line in _first(lines, Arm.OFF)}


def _credit(
    record: Recalled, episodes: Sequence[EpisodeLine], off: dict[tuple[int, str], bool]
) -> Credit:
    twins = [off[key] for line in episodes if (key := (line.seed, line.task_id)) in off]
    return Credit(
        record=record,
        episodes=len(episodes),
        success=sum(line.success for line in episodes) / len(episodes),
        twins=sum(twins) / len(twins) if len(twins) == len(episodes) else None,
    )
