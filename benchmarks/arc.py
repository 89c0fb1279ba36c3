"""Whether concept memory makes a program search solve more ARC puzzles.

    python benchmarks/arc.py [--part PART] [--nodes N] [--passes P] [--visits V] [--out FILE]

The search solver alone (no language model), the same budget of nodes for every arm, puzzle and
visit; a node is a program evaluated. Two attempts per test input, scored by the official rule
after the fact; memory is written from worked examples alone.

    held-out   the 400 ARC-AGI-1 training puzzles in 3 orders: half is a stream on which memory
               grows, half is held out. off: no memory, a prior set by hand (half of all grids are
               the input, last steps weigh thrice). even: no memory, all words of a type alike, so
               that programs are searched by size. frozen: the stream's memory. shuffled: the same
               statistics under wrong words and cues. online: the stream's memory, growing on.
               even_frozen: the stream's memory over the even prior.
    batches    memory written every 1, 10, 50 puzzles, or after all, over 5 orders
    transfer   memory of all 400 training puzzles on the 400 evaluation puzzles and ARC-AGI-2's 120

With ``--passes P`` the stream is studied P times, each time what is unsolved as yet and with the
same budget; frozenN is what memory was worth after N passes. With ``--visits V`` every arm comes
back to what it has not solved of the held-out half, V - 1 times: off and frozen then search on,
online searches on under what it has learnt since. No visit evaluates a program again.

A search can be stopped at any node, so one run tells what smaller budgets would have brought: a
puzzle counts within b nodes if its first fitting program came by then. Figures end in the budget;
those without one are for one visit's whole budget. The more nodes, the more of what the language
can say at all is found without memory too, and the smaller the ratio; `nodes_with_vs_without`
does not depend on a budget. Intervals are 95 %, by bootstrap over puzzles (paired).
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from reverie.agent.search_solver import SearchSolver
from reverie.agent.synthesis_study import Study
from reverie.benchmarks.machine import print_figures
from reverie.envs.arc.data import Task, open_tasks
from reverie.envs.arc.scoring import score
from reverie.errors import SettingsError
from reverie.memory.concepts import ConceptMemory
from reverie.memory.memory import Memory
from reverie.memory.records import Scope
from reverie.tools.grids.library import library
from reverie.tools.synthesis.prior import UNIFORM, sensible

SCOPE = Scope(user="bench")
SMALL = 250
"""The budget of the curve, of the batches, and of transfer's second figure."""
BUDGETS = (50, 100, 250, 500, 1000)
LEARNT = ("frozen", "shuffled", "online", "even_frozen")
RATIOS = {
    "solved_with_vs_without": ("frozen", "off"),
    "solved_with_vs_even": ("frozen", "even"),
    "solved_even_with_vs_without": ("even_frozen", "even"),
    "solved_with_vs_shuffled": ("frozen", "shuffled"),
    "solved_online_vs_frozen": ("online", "frozen"),
    "solved_online_vs_without": ("online", "off"),
}
"""What is compared: the points of one arm over those of another."""
BATCH = 10
"""How many puzzles are solved between two writes, where nothing else is said."""


@dataclass(frozen=True)
class Tried:
    """One puzzle tried: its points (0 to 1), when the first fitting program came, the nodes.

    Nodes and seconds are counted over all visits.
    """

    puzzle: str
    points: float
    node: int | None
    nodes: int
    seconds: float


@dataclass(frozen=True)
class Size:
    """How much is run."""

    nodes: int
    puzzles: int
    orders: int
    batch_orders: int
    transfer: int
    passes: int = 1
    visits: int = 1


SETTINGS = ("nodes", "puzzles", "transfer", "passes", "visits")
"""What makes an arm another one of the same name; more orders only add arms."""

FULL = Size(nodes=1000, puzzles=400, orders=3, batch_orders=5, transfer=400)
QUICK = Size(nodes=250, puzzles=120, orders=1, batch_orders=1, transfer=40)


def run(
    label: str,
    tasks: Sequence[Task],
    solver: SearchSolver,
    concepts: ConceptMemory | None = None,
    *,
    learn: bool = False,
    batch: int = BATCH,
    visits: int = 1,
) -> list[Tried]:
    """Try tasks in their order; with ``learn`` memory is written after each batch."""
    puzzles = [task.puzzle for task in tasks]
    study = Study(solver, puzzles, concepts, learn=learn, batch=batch)
    tried: dict[str, Tried] = {}
    for number in range(1, visits + 1):
        tried |= visit(label, tasks, study, tried, last=number == visits)
    return of(list(tried.values()), tasks)


def visit(
    label: str, tasks: Sequence[Task], study: Study, before: Mapping[str, Tried], *, last: bool
) -> dict[str, Tried]:
    """Try what a study has not solved, by puzzle; ``before``: what earlier visits came to."""
    by_id = {task.puzzle.id: task for task in tasks}
    tried: dict[str, Tried] = {}
    size, console = len(study.unsolved), Console(stderr=True)
    for one in track(study.visit(last=last), description=label, total=size, console=console):
        name = one.puzzle.id
        verdicts = [
            [output is not None and np.array_equal(guess, output) for guess in guesses]
            for guesses, output in zip(one.answer.guesses, by_id[name].outputs, strict=True)
        ]
        seconds = one.answer.seconds + (before[name].seconds if name in before else 0.0)
        tried[name] = Tried(name, score(verdicts), one.node, one.nodes, seconds)
    return tried


@contextmanager
def empty_memory() -> Generator[ConceptMemory]:
    """A concept memory in a folder that is removed afterwards."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Memory.open(Path(folder) / "memory") as memory,
    ):
        yield ConceptMemory(memory, SCOPE)


def points(tried: Sequence[Tried]) -> float:
    """The official points: puzzles solved, by the share of their test inputs."""
    return sum(one.points for one in tried)


def ratio(tried: Sequence[Tried], other: Sequence[Tried]) -> tuple[float, float, float]:
    """Points over points, with a paired bootstrap interval over puzzles, those of all orders."""
    place = {name: n for n, name in enumerate(dict.fromkeys(one.puzzle for one in tried))}
    a, b = np.zeros(len(place)), np.zeros(len(place))
    for sums, arm in ((a, tried), (b, other)):
        for one in arm:
            sums[place[one.puzzle]] += one.points
    rng = np.random.default_rng(0)
    draws = rng.integers(0, len(place), size=(4000, len(place)))
    drawn = a[draws].sum(axis=1) / np.maximum(b[draws].sum(axis=1), 0.5)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(a.sum() / max(b.sum(), 0.5)), float(low), float(high)


def node_ratio(tried: Sequence[Tried], other: Sequence[Tried]) -> float:
    """The median of nodes over nodes, on puzzles both solve."""
    pairs = [
        one.node / two.node
        for one, two in zip(tried, other, strict=True)
        if one.points == 1 and two.points == 1 and one.node and two.node
    ]
    return float(np.median(pairs)) if pairs else float("nan")


def within(tried: Sequence[Tried], nodes: int) -> list[Tried]:
    """What a smaller budget would have brought: points by the first programs found."""
    return [
        one if one.node is not None and one.node <= nodes else replace(one, points=0.0)
        for one in tried
    ]


def shuffled_tasks(tasks: Sequence[Task], seed: int) -> list[Task]:
    """The tasks in the order of a seed."""
    order = list(tasks)
    random.Random(seed).shuffle(order)
    return order


def of(tried: Sequence[Tried], tasks: Sequence[Task]) -> list[Tried]:
    """The results of these tasks, in their order."""
    by_id = {one.puzzle: one for one in tried}
    return [by_id[task.puzzle.id] for task in tasks]


def settings(size: Size) -> dict[str, int]:
    """What a file of results was measured with."""
    return {name: getattr(size, name) for name in SETTINGS}


def earlier(out: Path, size: Size) -> dict[str, list[Tried]]:
    """The arms that a file has already; none if it is new.

    Raises SettingsError for a file of a run with other settings.
    """
    if not out.exists():
        return {}
    kept = json.loads(out.read_text())
    was, wanted = kept.get("settings"), settings(size)
    if was != wanted:
        said = "does not say its settings" if was is None else f"was measured with {was}"
        raise SettingsError(
            f"{out} {said}, and this run has {wanted}: their arms can't be mixed. Give another"
            " --out, or the settings it was measured with."
        )
    return {name: [Tried(**one) for one in arm] for name, arm in kept["arms"].items()}


class Benchmark:
    """What was run and what came out."""

    def __init__(self, size: Size, out: Path | None = None) -> None:
        self.size = size
        self.out = out
        self.arms = {} if out is None else earlier(out, size)
        self.metrics: dict[str, float] = {}
        tasks = open_tasks("arc-agi-1", "training").tasks
        self.tasks = shuffled_tasks(tasks, 1000)[: size.puzzles]

    def solver(
        self, *, scramble: int | None = None, even: bool = False, nodes: int | None = None
    ) -> SearchSolver:
        """A fresh solver; ``even``: all words of a type are alike to it before it has learnt."""
        nodes = nodes or self.size.nodes
        base = UNIFORM if even else sensible(library().values())
        return SearchSolver(nodes, base=base, scramble=scramble)

    def keep(self, name: str, tried: list[Tried]) -> list[Tried]:
        """Remember an arm's results."""
        self.arms[name] = tried
        self.metrics[f"{name}_points"] = points(tried)
        self.save()
        return tried

    def save(self) -> None:
        """Write what there is, so that a run that was stopped goes on."""
        if self.out is not None:
            arms = {name: [asdict(one) for one in arm] for name, arm in self.arms.items()}
            kept = {"settings": settings(self.size), "metrics": self.metrics, "arms": arms}
            self.out.write_text(json.dumps(kept))

    def alone(
        self, name: str, tasks: Sequence[Task], solver: SearchSolver, *, visits: int
    ) -> list[Tried]:
        """An arm without memory; run once."""
        if name not in self.arms:
            self.arms[name] = run(name, tasks, solver, visits=visits)
        return self.keep(name, self.arms[name])

    def held_out(self) -> None:
        """off, frozen, shuffled and online on the held-out half, in several orders."""
        visits = self.size.visits
        off = self.alone("off", self.tasks, self.solver(), visits=visits)
        even = self.alone("even", self.tasks, self.solver(even=True), visits=visits)
        passed = [f"frozen{number}" for number in range(1, self.size.passes)]
        pooled: dict[str, list[Tried]] = {}
        for seed in range(self.size.orders):
            order = shuffled_tasks(self.tasks, seed)
            stream, held = order[: len(order) // 2], order[len(order) // 2 :]
            if f"held{seed}_online" not in self.arms:
                self.order(seed, stream, held)
            arms = {
                "off": of(off, held),
                "even": of(even, held),
                **{name: self.arms[f"held{seed}_{name}"] for name in (*passed, *LEARNT)},
            }
            for name, tried in arms.items():
                self.keep(f"held{seed}_{name}", tried)
                pooled.setdefault(name, []).extend(tried)
            self.compare(f"_{seed}", arms)
        self.compare("", pooled)
        self.curve()

    def order(self, seed: int, stream: Sequence[Task], held: Sequence[Task]) -> None:
        """The arms with memory on one order."""
        visits = self.size.visits
        with empty_memory() as concepts:
            solver = self.solver()
            wrong = self.solver(scramble=seed)
            study = Study(solver, [task.puzzle for task in stream], concepts, batch=BATCH)
            tried: dict[str, Tried] = {}
            for number in range(1, self.size.passes + 1):
                last = number == self.size.passes
                tried |= visit(f"stream {seed}, {number}", stream, study, tried, last=last)
                self.metrics[f"stream{seed}_fits_{number}"] = len(stream) - len(study.unsolved)
                if number < self.size.passes:
                    name = f"frozen{number}"
                    self.keep(f"held{seed}_{name}", run(f"{name} {seed}", held, solver, concepts))
            self.keep(f"stream{seed}", of(list(tried.values()), stream))
            for name, reader in (
                ("frozen", solver),
                ("shuffled", wrong),
                ("even_frozen", self.solver(even=True)),
            ):
                found = run(f"{name} {seed}", held, reader, concepts, visits=visits)
                self.keep(f"held{seed}_{name}", found)
            online = run(f"online {seed}", held, solver, concepts, learn=True, visits=visits)
            self.keep(f"held{seed}_online", online)

    def compare(self, tag: str, arms: dict[str, list[Tried]]) -> None:
        """The ratios between arms."""
        for name, (one, other) in RATIOS.items():
            for nodes in BUDGETS:
                if nodes > self.size.nodes * self.size.visits:
                    continue
                found = ratio(within(arms[one], nodes), within(arms[other], nodes))
                for end, value in zip(("", "_low", "_high"), found, strict=True):
                    self.metrics[f"{name}{tag}_{nodes}{end}"] = value
                    if nodes == self.size.nodes:
                        self.metrics[f"{name}{tag}{end}"] = value
        for name, arm in arms.items():
            for nodes in BUDGETS:
                self.metrics[f"points{tag}_{name}_{nodes}"] = points(within(arm, nodes))
        self.metrics[f"nodes_with_vs_without{tag}"] = node_ratio(arms["frozen"], arms["off"])
        self.metrics[f"nodes_with_vs_even{tag}"] = node_ratio(arms["frozen"], arms["even"])

    def curve(self) -> None:
        """Solves against puzzles seen: points with memory less without, by quarters of a stream."""
        parts = 4
        gained = np.zeros(parts)
        for seed in range(self.size.orders):
            arm = [*self.arms[f"stream{seed}"], *self.arms[f"held{seed}_online"]]
            arm = within(arm, SMALL)
            by_id = {one.puzzle: one.points for one in within(self.arms["off"], SMALL)}
            gain = np.array([one.points - by_id[one.puzzle] for one in arm])
            gained += [part.sum() for part in np.array_split(gain, parts)]
        for part, gain in enumerate(gained / self.size.orders):
            self.metrics[f"gain_quarter{part + 1}"] = float(gain)

    def batches(self) -> None:
        """How often memory is written, over several orders of half the puzzles."""
        off = self.alone("off", self.tasks, self.solver(), visits=self.size.visits)
        off = within(off, SMALL)
        for seed in range(self.size.batch_orders):
            order = shuffled_tasks(self.tasks, 100 + seed)[: len(self.tasks) // 2]
            for batch in (1, 10, 50):
                name = f"batch{batch}_{seed}"
                if name not in self.arms:
                    with empty_memory() as concepts:
                        solver = self.solver(nodes=SMALL)
                        tried = run(name, order, solver, concepts, learn=True, batch=batch)
                    self.arms[name] = tried
                self.keep(name, self.arms[name])
            self.keep(f"batchall_{seed}", of(off, order))
        for batch in ("1", "10", "50", "all"):
            found = [points(self.arms[f"batch{batch}_{s}"]) for s in range(self.size.batch_orders)]
            self.metrics[f"batch{batch}_mean"] = float(np.mean(found))
            self.metrics[f"batch{batch}_sd"] = float(np.std(found))

    def transfer(self) -> None:
        """Memory of the training puzzles on the two evaluation sets, which are visited once."""
        with empty_memory() as concepts:
            solver = self.solver()
            passes = self.size.passes
            run("learn all", self.tasks, solver, concepts, learn=True, visits=passes)
            for data in ("arc-agi-1", "arc-agi-2"):
                tasks = open_tasks(data, "evaluation").tasks[: self.size.transfer]
                name = data.replace("-", "")
                off = self.alone(f"{name}_off", tasks, self.solver(), visits=1)
                with_memory = run(f"{data} frozen", tasks, solver, concepts)
                self.keep(f"{name}_frozen", with_memory)
                self.metrics[f"{name}_puzzles"] = len(tasks)
                for nodes in (SMALL, self.size.nodes):
                    found = ratio(within(with_memory, nodes), within(off, nodes))
                    for end, value in zip(("", "_low", "_high"), found, strict=True):
                        self.metrics[f"{name}_with_vs_without_{nodes}{end}"] = value
                    self.metrics[f"{name}_off_{nodes}"] = points(within(off, nodes))
                    self.metrics[f"{name}_frozen_{nodes}"] = points(within(with_memory, nodes))


PARTS = {
    "held-out": Benchmark.held_out,
    "batches": Benchmark.batches,
    "transfer": Benchmark.transfer,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print a table, or with ``--json`` one object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="fewer puzzles, nodes and orders")
    parser.add_argument("--part", action="append", choices=sorted(PARTS), help="only this part")
    parser.add_argument("--nodes", type=int, help="programs a puzzle")
    parser.add_argument("--passes", type=int, help="how often the stream is studied")
    parser.add_argument("--visits", type=int, help="how often the held-out half is tried")
    parser.add_argument(
        "--out", type=Path, help="every puzzle of every arm, as JSON; a stopped run goes on from it"
    )
    options = parser.parse_args(arguments)
    size = QUICK if options.quick else FULL
    asked = {name: getattr(options, name) for name in ("nodes", "passes", "visits")}
    size = replace(size, **{name: number for name, number in asked.items() if number})
    try:
        benchmark = Benchmark(size, options.out)
    except SettingsError as error:
        parser.error(str(error))
    for part in options.part or list(PARTS):
        PARTS[part](benchmark)
    benchmark.save()
    title = f"ARC by program search, {size.nodes} nodes a puzzle"
    print_figures("arc", title, benchmark.metrics, as_json=options.json)


if __name__ == "__main__":
    main(sys.argv[1:])
