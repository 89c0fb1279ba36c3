"""Agents that differ in one option, on the same household games: triggers, or policies.

    python benchmarks/variants.py triggers --out runs/triggers
    python benchmarks/variants.py policies --out runs/policies
    python benchmarks/variants.py policies --out runs/policies --print

``triggers`` asks what each trigger wins and how many tokens it reads from memory for that, the
learned one at several prices; similar steps vote, and the plans of four cases (weaver
``prior+plan``). ``policies`` asks what choosing memories by what they earned is worth: the plans of
four chosen cases are all that speaks (weaver ``plan``), so the choice counts.
All play the online arm on generated games in rooms they have not seen, with a memory that begins
with demonstrations; every variant sees the same games in the same order under each seed, and is
paired with the first of its table. The model has no opinion (it rates actions at random, see
``household.py``), unless ``--model local`` is given. A run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from household import ChanceStage, cell, interval
from rich.console import Console
from rich.table import Table

from reverie.envs.runner import run
from reverie.envs.runs import Arm, EpisodeLine, RunSpec, read_lines
from reverie.envs.statistics import Progress, bootstrap, paired, summarise
from reverie.envs.watch import progress

Options = dict[str, str | float | int]

BOTH: Options = {"weaver": "prior+plan", "recall_cases": 4}
CHOICE: Options = {"weaver": "plan", "recall_cases": 4, "trigger": "first"}
VARIANTS: dict[str, dict[str, Options]] = {
    "triggers": {
        "always": {"trigger": "always", **BOTH},
        "first": {"trigger": "first", **BOTH},
        "stuck": {"trigger": "stuck", **BOTH},
        "learned, price 0.01": {"trigger": "learned", "trigger_price": 0.01, **BOTH},
        "learned, price 0.03": {"trigger": "learned", "trigger_price": 0.03, **BOTH},
        "learned, price 0.05": {"trigger": "learned", "trigger_price": 0.05, **BOTH},
    },
    "policies": {
        "similarity": {"policy": "similarity", **CHOICE},
        "similarity, drawn": {"policy": "similarity", "policy_temperature": 0.05, **CHOICE},
        "utility": {"policy": "utility", **CHOICE},
        "kernel-q": {"policy": "kernel-q", **CHOICE},
    },
}


def spec(options: argparse.Namespace, name: str) -> RunSpec:
    """One variant's run in its own folder."""
    return RunSpec(
        env="alfworld",
        out=options.out / name.replace(", ", "-").replace(" ", "-"),
        arms=(Arm.ONLINE,),
        model=options.model,
        episodes=options.episodes,
        seeds=tuple(int(one) for one in options.seeds.split(",")),
        split="valid_unseen",
        seed_cases=options.demonstrations,
        options={"data": "generated", "max_steps": 30},
        agent=dict(VARIANTS[options.table][name]),
        workers=1,
    )


def play(one: RunSpec) -> None:
    """Play what is missing of one variant."""
    with progress(quiet=True) as watch:
        run(one, stage=ChanceStage if one.model == "chance" else None, watch=watch)


def tokens_ratio(
    lines: Sequence[EpisodeLine], base: Sequence[EpisodeLine]
) -> tuple[float, tuple[float, float]]:
    """Recalled tokens over those of another variant, with a bootstrap over tasks."""
    tasks = sorted({line.task_id for line in lines})

    def sums(of: Sequence[EpisodeLine]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        found = dict.fromkeys(tasks, 0.0)
        for line in of:
            found[line.task_id] += line.recalled_tokens
        return np.array([found[task] for task in tasks])

    mine, other = sums(lines), sums(base)
    return float(mine.sum() / other.sum()), bootstrap(mine, other)


def report(options: argparse.Namespace) -> dict[str, float]:
    """Print the table; the figures by name."""
    console = Console(stderr=options.json)
    table = Table("", "success", "against the first", "recalled tokens", "ratio", "steps", "games")
    figures: dict[str, float] = {}
    base: list[EpisodeLine] = []
    for name in VARIANTS[options.table]:
        lines = [line for line in read_lines(spec(options, name).out) if line.attempt == 1]
        base = base or lines
        done = Progress(id=name, status="complete", done=len(lines), planned=len(lines))
        arm = summarise(lines, [Arm.ONLINE], done).arms["online"]
        delta = paired(lines, base)
        ratio, ends = tokens_ratio(lines, base)
        assert delta is not None and arm.success.mean is not None
        key = name.replace(", ", "_").replace(" ", "_").replace("-", "_")
        figures |= {
            f"{key}_success": arm.success.mean,
            f"{key}_gain": delta.mean,
            f"{key}_gain_low": delta.ci[0],
            f"{key}_gain_high": delta.ci[1],
            f"{key}_recalled_tokens": arm.recalled_tokens.mean or 0.0,
            f"{key}_recalled_tokens_ratio": ratio,
            f"{key}_recalled_tokens_ratio_low": ends[0],
            f"{key}_recalled_tokens_ratio_high": ends[1],
        }
        table.add_row(
            name,
            cell(arm.success),
            "" if lines is base else interval(delta.mean, delta.ci),
            f"{arm.recalled_tokens.mean or 0.0:,.0f}",
            f"{ratio:.2f} [{ends[0]:.2f}, {ends[1]:.2f}]",
            f"{arm.steps.mean or 0.0:.1f}",
            str(len(lines)),
        )
    console.print(table)
    return figures


def main(arguments: Sequence[str] | None = None) -> None:
    """Play what is missing and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", choices=VARIANTS)
    parser.add_argument("--out", type=Path, required=True, help="folder of this table's runs")
    parser.add_argument("--model", default="chance")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--episodes", type=int, default=60, help="games per variant and seed")
    parser.add_argument("--demonstrations", type=int, default=100)
    parser.add_argument("--workers", type=int, default=2, help="variants played at a time")
    parser.add_argument("--print", action="store_true", help="play nothing")
    parser.add_argument("--quick", action="store_true", help="8 games, one seed")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    if options.quick:
        options.episodes, options.seeds, options.demonstrations = 8, "1", 30
    if not options.print:
        wanted = [spec(options, name) for name in VARIANTS[options.table]]
        with ProcessPoolExecutor(options.workers, get_context("spawn")) as pool:
            for place, _ in enumerate(pool.map(play, wanted), 1):
                print(f"{place} of {len(wanted)} variants played", file=sys.stderr)
    figures = report(options)
    if options.json:
        machine = f"{platform.machine()}, {os.cpu_count()} cores"
        json.dump({"name": options.table, "machine": machine, "metrics": figures}, sys.stdout)
        print()


if __name__ == "__main__":
    main()
