"""How long dialogue memory takes to write and to recall, as it grows, and whether chats stay flat.

    python benchmarks/dialogue_speed.py [--quick] [--json]

Made-up turns with made-up vectors, so embedding is not in the figures; every write is one message,
committed. ``turns`` is the recall an assistant does: words, windows, sessions and vectors over all
that one user said. Beside it a write and a recall at a hundredth of the size, in the same run.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from reverie.agent.assistant import Assistant
from reverie.agent.models.scripted import ScriptedModel
from reverie.benchmarks.crowd import DIM, Crowd
from reverie.benchmarks.machine import print_figures
from reverie.memory.dialogue import DialogueMemory, Message
from reverie.memory.memory import Memory
from reverie.memory.records import Record, Scope, UtterancePayload
from reverie.memory.store import EXACT_LIMIT

START = datetime(2025, 1, 1, tzinfo=UTC)
TURNS = 40
"""A session's."""


class Drawn:
    """Gives every text a vector at once: embedding is not what is measured."""

    id, dim = "drawn", DIM

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """A random unit row for each text."""
        rows = np.random.default_rng(len(texts)).standard_normal((len(texts), DIM))
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """A random unit vector."""
        return self.embed([text])[0]


def fill(memory: Memory, people: int, each: int) -> list[str]:
    """Conversations of ``each`` turns for ``people`` users; the first texts, to ask with."""
    crowd, asked = Crowd(people), list[str]()
    done = 0
    for batch in track(
        list(crowd.batches(people * each, 5_000)),
        description=f"{people} × {each:,} turns",
        console=Console(stderr=True),
    ):
        records: list[Record] = []
        for record in batch.records:
            number = done // people
            records.append(
                record.model_copy(
                    update={
                        "scope": Scope(user=f"u{done % people}", session=f"s{number // TURNS}"),
                        "payload": UtterancePayload(speaker="user", turn=number % TURNS),
                        "event_time": START + timedelta(minutes=number),
                    }
                )
            )
            done += 1
        memory.add(records, vectors=batch.vectors)
        asked += [record.text for record in records[:2]]
    return asked


def percentile(run: Callable[[int], object], times: int, share: float = 95) -> float:
    """The ``share`` percentile of ``times`` calls, in ms of wall time."""
    taken: list[float] = []
    for number in range(times):
        started = time.perf_counter()
        run(number)
        taken.append(1000 * (time.perf_counter() - started))
    return float(np.percentile(taken, share))


def measure(folder: Path, people: int, each: int, times: int) -> dict[str, float]:
    """p95 of a write and of a recall among ``people`` users with ``each`` turns."""
    with Memory.open(folder, embedder=Drawn()) as memory:
        asked = fill(memory, people, each)
        if each > EXACT_LIMIT:
            memory.reindex()  # as it is once such a scope has grown turn by turn

        def dialogue(number: int) -> DialogueMemory:
            return DialogueMemory(memory, Scope(user=f"u{number % people}"))

        def write(number: int) -> None:
            text = f"{asked[number % len(asked)]} {number}"
            moment = START + timedelta(days=400, minutes=number)
            dialogue(number).add([Message(text=text, at=moment)], session="new")

        def recall(number: int) -> None:
            words = " ".join(asked[(7 * number) % len(asked)].split()[:8])
            assert dialogue(number).recall(words).hits

        before = time.perf_counter()
        recall(0)
        first = 1000 * (time.perf_counter() - before)
        percentile(recall, min(times, people))  # what is recalled first is loaded first
        return {
            "write_p95_ms": percentile(write, times),
            "recall_p95_ms": percentile(recall, times),
            "first_recall_ms": first,
        }


def chat(folder: Path, turns: int) -> dict[str, float]:
    """A scripted chat with three restarts; at its end a young one is held beside it.

    The two take turns, since a machine's speed changes while a chat grows.
    """
    crowd = Crowd(1)
    texts = [record.text for batch in crowd.batches(turns, 500) for record in batch.records]
    last = turns // 20
    for part in track(range(4), description="chat", console=Console(stderr=True)):
        with Memory.open(folder / "long", embedder=Drawn()) as memory:
            assistant = _assistant(memory)
            for text in texts[part * turns // 4 : min((part + 1) * turns // 4, turns - last)]:
                _exchange(assistant, text)
    with (
        Memory.open(folder / "long", embedder=Drawn()) as old,
        Memory.open(folder / "young", embedder=Drawn()) as fresh,
    ):
        long, young = _assistant(old), _assistant(fresh)
        for text in texts[:50]:
            _exchange(young, text)
        pairs = [(_exchange(long, text), _exchange(young, text)) for text in texts[-last:]]
        transcript = DialogueMemory(old, Scope(user="ann")).transcript("chat")
    tokens, taken = np.array(pairs).transpose(2, 1, 0)
    return {
        "chat_turns": float(turns),
        "chat_lost": float(len(set(texts) - {record.text for record in transcript})),
        "chat_tokens_long_over_young": float(tokens[0].mean() / tokens[1].mean()),
        "chat_ms_long_over_young": float(np.median(taken[0]) / np.median(taken[1])),
        "chat_turn_ms": float(np.median(taken[0])),
    }


def _assistant(memory: Memory) -> Assistant:
    return Assistant(ScriptedModel(["I see what you mean."], loop=True), memory)


def _exchange(assistant: Assistant, text: str) -> tuple[float, float]:
    """Prompt tokens and milliseconds of processor time of a message and its reply."""
    started = time.process_time()
    reply = assistant.say("ann", text, session="chat")
    "".join(reply)
    return reply.usage.prompt_tokens, 1000 * (time.process_time() - started)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print a table, or with ``--json`` one object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="a tenth of the size")
    options = parser.parse_args(arguments)
    size = 10_000 if options.quick else 100_000
    times = 100 if options.quick else 300
    metrics: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        shapes = {"one": (1, size), "crowd": (size // 100, 100), "small": (1, size // 100)}
        for name, (people, each) in shapes.items():
            found = measure(Path(folder) / name, people, each, times)
            metrics |= {f"{name}_{key}": value for key, value in found.items()}
        metrics["recall_growth"] = metrics["one_recall_p95_ms"] / metrics["small_recall_p95_ms"]
        metrics |= chat(Path(folder) / "chat", 400 if options.quick else 2_000)
    print_figures("dialogue_speed", "Dialogue memory", metrics, as_json=options.json)


if __name__ == "__main__":
    main()
