"""What memory adds in ALFWorld: the same model with and without it, on the same games.

    python benchmarks/household.py --out runs/valid-seen --data DATA --split valid_seen
    python benchmarks/household.py --out runs/unseen --data generated --split valid_unseen
    python benchmarks/household.py --out runs/valid-seen          (prints a finished one again)

The arm without memory scores actions greedily, so a seed changes nothing in it: it is played once
and paired with every seed of the arms with memory, whose seeds draw the demonstrations and the
order of the games. ``--check-off N`` plays N games of it under every seed to show that.
A run that was stopped goes on. ``--model chance`` replaces the model by one that has no opinion:
it rates actions at random, which shows what memory does by itself, and does it fast.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from rich.console import Console
from rich.table import Table

from reverie.agent.models.base import ChatModel, Message
from reverie.agent.models.scripted import ScriptedScorer
from reverie.envs.runner import run
from reverie.envs.runs import Arm, EpisodeLine, RunSpec, read_lines
from reverie.envs.stages import AlfWorldStage
from reverie.envs.statistics import Estimate, Progress, Summary, summarise
from reverie.envs.watch import progress


class ChanceStage(AlfWorldStage):
    """ALFWorld with a model that rates actions at random, the same for the same prompt."""

    @cached_property
    def model(self) -> ChatModel:
        """The model without an opinion."""
        return ScriptedScorer([], judge=by_chance)


def by_chance(messages: Sequence[Message], candidate: str) -> float:
    """A rating in nats that nothing can be read from, about as spread as a small model's."""
    tokens = ScriptedScorer([]).count_tokens(candidate)
    return tokens * random.Random(f"{len(messages)}/{messages[-1].content}/{candidate}").random()


def spec(options: argparse.Namespace, arm: Arm, seeds: tuple[int, ...], n: int | None) -> RunSpec:
    """One arm's run in its own folder."""
    return RunSpec(
        env="alfworld",
        out=options.out / f"{arm}{'' if n == options.episodes else f'-{n}'}",
        arms=(arm,),
        model=options.model,
        episodes=n,
        seeds=seeds,
        split=options.split,
        seed_cases=0 if arm is Arm.OFF else options.demonstrations,
        options={"data": options.data, "max_steps": options.max_steps},
        agent=dict(one.split("=", 1) for one in options.agent),
        workers=1 if options.model == "chance" else options.workers,
    )


def play(options: argparse.Namespace) -> None:
    """Play what is missing."""
    every = tuple(int(one) for one in options.seeds.split(","))
    wanted = [spec(options, Arm.OFF, every[:1], options.episodes)]
    wanted += [spec(options, Arm(arm), every, options.episodes) for arm in options.arms.split(",")]
    if options.check_off:
        wanted.append(spec(options, Arm.OFF, every, options.check_off))
    for one in wanted:
        with progress(quiet=options.json) as watch:
            run(one, stage=ChanceStage if options.model == "chance" else None, watch=watch)


def lines(folder: Path) -> tuple[list[EpisodeLine], list[EpisodeLine]]:
    """The episodes of all arms, the one without memory under every seed; and those of the check."""
    found: list[EpisodeLine] = []
    check: list[EpisodeLine] = []
    for part in sorted(folder.iterdir()):
        if (part / "episodes.jsonl").exists():
            (check if "-" in part.name else found).extend(read_lines(part))
    alone = [line for line in found if line.arm is Arm.OFF]
    seeds = {line.seed for line in found} - {line.seed for line in alone}
    found += [line.model_copy(update={"seed": seed}) for seed in sorted(seeds) for line in alone]
    return found, check


def metrics(summary: Summary, found: Sequence[EpisodeLine]) -> dict[str, float]:
    """The figures by name."""
    figures: dict[str, float] = {}
    for name, arm in summary.arms.items():
        mine = [line for line in found if line.arm.value == name]
        figures |= named(f"{name}_success", arm.success)
        figures |= named(f"{name}_steps", arm.steps) | named(f"{name}_tokens", arm.tokens)
        figures[f"{name}_games_per_hour"] = 3600 * len(mine) / sum(line.seconds for line in mine)
        for kind, of_type in arm.by_type.items():
            figures |= named(f"{name}_{kind}", of_type.success)
    for name, delta in summary.deltas.items():
        figures[f"{name}"] = delta.mean
        figures[f"{name}_low"], figures[f"{name}_high"] = delta.ci
        figures[f"{name}_pairs"] = delta.n
    return figures


def named(name: str, estimate: Estimate) -> dict[str, float]:
    """An estimate's mean and the ends of its interval; nothing where nothing was measured."""
    figures: dict[str, float] = {}
    if estimate.mean is not None:
        figures[name] = estimate.mean
    if estimate.ci is not None:
        figures[f"{name}_low"], figures[f"{name}_high"] = estimate.ci
    return figures


def show(summary: Summary) -> None:
    """The table, as a person reads it."""
    console = Console()
    arms = summary.arms
    table = Table("", *arms, title="ALFWorld: success, first pass, failures counted")
    table.add_row("all", *(cell(arm.success) for arm in arms.values()))
    kinds = sorted({kind for arm in arms.values() for kind in arm.by_type})
    for kind in kinds:
        table.add_row(
            kind,
            *(
                cell(arm.by_type[kind].success) if kind in arm.by_type else ""
                for arm in arms.values()
            ),
        )
    table.add_row("games x seeds", *(str(arm.success.n) for arm in arms.values()))
    table.add_row("steps a game", *(f"{arm.steps.mean or 0.0:.1f}" for arm in arms.values()))
    console.print(table)
    for name, delta in summary.deltas.items():
        console.print(f"{name}: {interval(delta.mean, delta.ci)} points, {delta.n} pairs")


def cell(estimate: Estimate) -> str:
    """A rate as a table shows it."""
    if estimate.mean is None or estimate.ci is None:
        return "-"
    return interval(estimate.mean, estimate.ci)


def interval(mean: float, ci: tuple[float, float]) -> str:
    """A percentage and its 95 % interval."""
    return f"{100 * mean:.1f} [{100 * ci[0]:.1f}, {100 * ci[1]:.1f}]"


def main(arguments: Sequence[str] | None = None) -> None:
    """Play what is missing and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of this table's runs")
    parser.add_argument("--data", help="official games' folder, or 'generated'; none: only print")
    parser.add_argument("--split", default="valid_seen")
    parser.add_argument("--model", default="local")
    parser.add_argument("--arms", default="frozen", help="arms with memory, with commas")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--episodes", type=int, help="games per arm and seed; all if left out")
    parser.add_argument("--demonstrations", type=int, default=100)
    parser.add_argument("--max-steps", type=int, default=30)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--agent", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--check-off", type=int, default=0, metavar="N")
    parser.add_argument("--quick", action="store_true", help="12 games, one seed")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    if options.quick:
        options.episodes, options.seeds, options.demonstrations = 12, "1", 40
    if options.data:
        play(options)
    found, check = lines(options.out)
    arms = [arm for arm in Arm if any(line.arm is arm for line in found)]
    done = Progress(id=options.out.name, status="complete", done=len(found), planned=len(found))
    summary = summarise(found, arms, done)
    if options.json:
        machine = f"{platform.machine()}, {os.cpu_count()} cores"
        result = {"name": "alfworld", "machine": machine, "metrics": metrics(summary, found)}
        json.dump(result, sys.stdout)
        print()
        return
    show(summary)
    if check:
        print(f"without memory, every seed the same: {same_for_every_seed(check)}")


def same_for_every_seed(check: Sequence[EpisodeLine]) -> bool:
    """True if each game of the check was played alike under every seed."""
    played: dict[str, set[str]] = {}
    for line in check:
        actions = json.dumps([step.get("action") for step in line.trajectory])
        played.setdefault(line.task_id, set()).add(actions)
    return all(len(ways) == 1 for ways in played.values())


if __name__ == "__main__":
    main()
