"""What the loop itself costs per step, outside the model and the environment.

    python benchmarks/loop.py [--quick] [--json]

A world and a model that answer at once leave only the loop: LangGraph's nodes, the trigger,
recall from a real store, the weaver and the journal; embedding is taken out. Figures are processor
time, which a busy machine does not stretch; the world and the model of the test are in them (see
``bare_loop_ms``). Printed against the same episode played by a bare for-loop without Reverie.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from langgraph.checkpoint.sqlite import SqliteSaver
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from reverie.agent.agent import Agent
from reverie.agent.arms import build_agent, seed_memory
from reverie.agent.environment import Task
from reverie.agent.state import Limits
from reverie.memory.embed import open_embedder
from reverie.memory.memory import Memory
from reverie.memory.records import Scope
from reverie.tests.agent.worlds import Fixed, KeyAndDoor

SCOPE = Scope(user="bench")
TASK = Task(id="valid/9", split="valid", type="fetch")  # box 9 is never found: always 30 steps


class Timed:
    """The default embedder, with a clock on it: embedding is model time, not loop time."""

    def __init__(self) -> None:
        self.inner = open_embedder(None)
        self.id, self.dim = self.inner.id, self.inner.dim
        self.seconds = 0.0

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Rows for texts."""
        started = time.process_time()
        rows = self.inner.embed(texts)
        self.seconds += time.process_time() - started
        return rows

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """The row of a query."""
        started = time.process_time()
        row = self.inner.embed_query(text)
        self.seconds += time.process_time() - started
        return row


def per_step_ms(agent: Agent, episodes: int, embedder: Timed | None, label: str) -> float:
    """Median over episodes of the processor time per step outside the embedder, in ms."""
    figures: list[float] = []
    world = KeyAndDoor(limit=30)
    for number in track(range(episodes), description=label, console=Console(stderr=True)):
        before = embedder.seconds if embedder else 0.0
        started = time.process_time()
        episode = agent.play(world, TASK, run="bench", seed=number)
        spent = time.process_time() - started
        embedding = (embedder.seconds if embedder else 0.0) - before
        figures.append(1000 * (spent - embedding) / episode.steps)
    return statistics.median(figures)


def bare_loop_ms(episodes: int) -> float:
    """The same episode in a plain for-loop: what the world and the model cost by themselves."""
    figures: list[float] = []
    model = Fixed()
    for _ in range(episodes):
        world = KeyAndDoor(limit=30)
        started = time.process_time()
        now = world.reset(TASK)
        for _ in range(30):
            model.score([], now.actions)
            now = world.step(now.actions[0]).observation
        figures.append(1000 * (time.process_time() - started) / 30)
    return statistics.median(figures)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print a table, or with ``--json`` one object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="fewer episodes")
    options = parser.parse_args(arguments)
    episodes = 5 if options.quick else 20
    limits = Limits(steps=30)
    embedder = Timed()
    metrics = {"bare_loop_ms": bare_loop_ms(episodes)}
    off = build_agent("off", Fixed(), limits=limits)
    metrics["step_overhead_off_ms"] = per_step_ms(off, episodes, None, "no memory")
    with tempfile.TemporaryDirectory() as folder:
        with Memory.open(Path(folder) / "memory", embedder=embedder) as memory:
            world = KeyAndDoor()
            list(seed_memory(memory, SCOPE, world, world.tasks("train")))
            online = build_agent("online", Fixed(), memory, scope=SCOPE, limits=limits)
            metrics["step_overhead_ms"] = per_step_ms(online, episodes, embedder, "memory, online")
        with SqliteSaver.from_conn_string(str(Path(folder) / "checkpoints.sqlite")) as saver:
            saved = Agent(Fixed(), limits=limits, checkpointer=saver)
            metrics["step_overhead_checkpointed_ms"] = per_step_ms(
                saved, max(3, episodes // 4), None, "SQLite checkpoint a node"
            )
    report(metrics, as_json=options.json)


def report(metrics: dict[str, float], *, as_json: bool) -> None:
    """Print the figures."""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    if as_json:
        json.dump({"name": "loop", "machine": machine, "metrics": metrics}, sys.stdout)
        print()
        return
    table = Table("figure", "value", title=f"The loop's own cost ({machine})")
    for name, value in metrics.items():
        table.add_row(name, f"{value:.3f}")
    Console().print(table)


if __name__ == "__main__":
    main()
