"""What ALFWorld's games cost: beginning one, a step, memory, and making one of our own.

    python benchmarks/games.py [--data DIR] [--split valid_seen] [--quick] [--json]

The same games are played twice, walkthrough and a look in between: on TextWorld as it is, and
with what ``reverie.envs.alfworld.parsing`` remembers. Times are CPU milliseconds of one process,
so that a busy machine changes little. Without DIR or ALFWORLD_DATA generated games are played.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from reverie.envs.alfworld.engine import Engine
from reverie.envs.alfworld.environment import open_games
from reverie.envs.alfworld.games import Game
from reverie.envs.alfworld.generate import make
from reverie.envs.machine import machine


@dataclass
class Play:
    """What a pass over the games took, and what it showed."""

    begin_ms: list[float] = field(default_factory=list[float])
    step_ms: list[float] = field(default_factory=list[float])
    shown: list[int] = field(default_factory=list[int])
    """A hash of every frame."""
    won: int = 0
    resident_mb: list[float] = field(default_factory=list[float])


def play(games: Sequence[Game], *, remember: bool) -> Play:
    """Each game's walkthrough, with a ``look`` after each command."""
    passed, engine = Play(), Engine(remember=remember)
    for game in track(games, "remembering" if remember else "plain", transient=True):
        content = game.read()
        started = time.process_time()
        engine.load(content)
        frame = engine.reset()
        passed.begin_ms.append(1000 * (time.process_time() - started))
        passed.shown.append(hash(frame))
        for command in content["walkthrough"]:
            for said in (command, "look"):
                started = time.process_time()
                frame = engine.step(said)
                passed.step_ms.append(1000 * (time.process_time() - started))
                passed.shown.append(hash(frame))
        passed.won += frame.won
        passed.resident_mb.append(resident_mb())
    engine.close()
    return passed


def resident_mb() -> float:
    """Memory this process holds now, in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` of them lie."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def measure(games: Sequence[Game], made: int) -> dict[str, float]:
    """All the numbers of this benchmark."""
    after, before = play(games, remember=True), play(games, remember=False)
    metrics: dict[str, float] = {"games": len(games), "won": after.won}
    for name, passed in (("plain", before), ("remembering", after)):
        for what, values in (("begin", passed.begin_ms), ("step", passed.step_ms)):
            for share in (50, 95):
                metrics[f"{name}.{what}_ms_p{share}"] = percentile(values, share / 100)
    metrics["identical"] = float(after.shown == before.shown)
    half = len(games) // 2
    grown = after.resident_mb[-1] - after.resident_mb[half]
    metrics["mb_per_game_second_half"] = grown / max(1, len(games) - 1 - half)
    started = time.process_time()
    for _ in make("valid_unseen", range(made), 0):
        pass
    metrics["generate_s_per_game"] = (time.process_time() - started) / made
    return {key: round(value, 3) for key, value in metrics.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path)
    parser.add_argument("--split", default="valid_seen")
    parser.add_argument("--quick", action="store_true", help="a quarter of the games")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    games = list(open_games(options.data).split(options.split))
    random.Random(0).shuffle(games)
    count = 10 if options.quick else 40
    metrics = measure(games[:count], made=12 if options.quick else 36)
    if options.json:
        print(json.dumps({"name": "games", "machine": machine(), "metrics": metrics}))
        return
    table = Table("metric", "value", title=f"ALFWorld, {len(games[:count])} games, CPU time")
    for key, value in metrics.items():
        table.add_row(key, f"{value:g}")
    Console().print(table)


if __name__ == "__main__":
    main()
