"""Kill a writing process at random points, many times, and look for what is missing.

A child writes, merges, forgets and lets the index catch up, and says on its standard output what
was acknowledged. It is killed with SIGKILL at a random moment; then the store is opened again and
every acknowledged write must be there and be found by a search for its own text, every forgotten
record must be gone, no batch may be half there, and the store must verify. One store lives through
all kills.

    python benchmarks/durability.py --kills 200
    python benchmarks/durability.py --quick --json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import select
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from reverie.memory.memory import Memory
from reverie.memory.records import Origin, Record, Scope, UtterancePayload

EMBEDDER = "hashing:64"
EXACT_LIMIT = 40
"""Small, so that searches go through the vector index."""
SCOPE = Scope(user="ann")


@dataclass
class Ledger:
    """What the children said was done."""

    alive: dict[str, str] = field(default_factory=dict[str, str])
    merged: set[str] = field(default_factory=set[str])
    gone: set[str] = field(default_factory=set[str])
    open: list[str] = field(default_factory=list[str])
    acknowledged: int = 0

    def note(self, line: str) -> None:
        """Take in one line of a child: ``begin VERB IDS`` or ``done VERB IDS``."""
        when, verb, *ids = line.split()
        if when == "begin":
            self.open = [verb, *ids]
            return
        self.open = []
        self.acknowledged += 1
        match verb:
            case "add":
                self.alive.update({name: text_of(name) for name in ids})
            case "merge":
                *old, new = ids
                self.alive[new] = text_of(new)
                self.merged.update(old)
                for name in old:
                    self.alive.pop(name, None)
            case "forget":
                for name in ids:
                    self.alive.pop(name, None)
                    self.merged.discard(name)
                    self.gone.add(name)
            case _:
                pass


def text_of(name: str) -> str:
    """The text of a record follows from its id, so that it can be checked."""
    draw = random.Random(name)
    words = " ".join(f"word{draw.randrange(5000)}" for _ in range(12))
    return f"{name.replace('-', 'x')} {words}"


def record(name: str, sources: tuple[str, ...] = ()) -> Record:
    """A record named ``name``."""
    return Record(
        id=name,
        scope=SCOPE,
        text=text_of(name),
        payload=UtterancePayload(speaker="ann"),
        origin=Origin(source="user"),
        sources=sources,
    )


def child(folder: Path, tag: str) -> None:
    """Work without end, and say what was acknowledged."""
    draw = random.Random(tag)
    said = 0

    def say(when: str, verb: str, *ids: str) -> None:
        sys.stdout.write(" ".join((when, verb, *ids)) + "\n")
        sys.stdout.flush()

    with Memory.open(folder, embedder=EMBEDDER, exact_limit=EXACT_LIMIT) as memory:
        mine: list[str] = []
        say("begin", "open")
        say("done", "open")
        while True:
            said += 1
            dice = draw.random()
            if dice < 0.55 or len(mine) < 6:
                ids = [f"{tag}-{said}-{i}" for i in range(draw.choice((1, 1, 3, 20)))]
                say("begin", "add", *ids)
                memory.add([record(name) for name in ids])
                say("done", "add", *ids)
                mine += ids
            elif dice < 0.75:
                old = [mine.pop(draw.randrange(len(mine))) for _ in range(2)]
                new = f"{tag}-{said}-m"
                say("begin", "merge", *old, new)
                memory.merge(old, record(new))
                say("done", "merge", *old, new)
                mine.append(new)
            elif dice < 0.82:
                name = mine.pop(draw.randrange(len(mine)))
                say("begin", "forget", name)
                memory.forget([name], scope=SCOPE)
                say("done", "forget", name)
            elif dice < 0.99:
                say("begin", "search")
                memory.search(text_of(mine[-1]), scope=SCOPE)
                say("done", "search")
            else:
                say("begin", "index")
                memory.reindex()
                say("done", "index")


def check(folder: Path, ledger: Ledger, ask: set[str] | None = None) -> list[str]:
    """Open the store after a kill, and say what is wrong with it.

    Every record must be there; those named in ``ask`` (all, if None) must be found by a search.
    """
    problems: list[str] = []
    with Memory.open(folder, embedder=EMBEDDER, exact_limit=EXACT_LIMIT) as memory:
        _settle(memory, ledger, problems)
        there = {r.id: r for r in memory.list(scope=SCOPE, limit=1_000_000)}
        for name, text in ledger.alive.items():
            if name not in there or there[name].text != text:
                problems.append(f"acknowledged {name} is not there")
                continue
            if ask is not None and name not in ask:
                continue
            hits = memory.search(text, scope=SCOPE, k=1)
            if not hits or hits[0].record.id != name:
                problems.append(f"{name} is not found by its own text")
        problems += [f"{name} is there, and was merged" for name in ledger.merged & there.keys()]
        problems += [f"{name} is there, and was forgotten" for name in ledger.gone & there.keys()]
        strangers = there.keys() - ledger.alive.keys()
        problems += [f"{name} is there, and nobody wrote it" for name in strangers]
        problems += memory.verify(sample=10).problems
    return problems


def _settle(memory: Memory, ledger: Ledger, problems: list[str]) -> None:
    """An act that was cut off must have happened whole or not at all; note which."""
    if not ledger.open:
        return
    verb, *ids = ledger.open
    there = {r.id: r.status.value for r in memory.list(scope=SCOPE, status=None, limit=1_000_000)}
    begun = f"done {verb} {' '.join(ids)}"
    ledger.open = []
    if verb == "add":
        found = [name for name in ids if name in there]
        if found and len(found) < len(ids):
            problems.append(f"half a batch is there: {len(found)} of {len(ids)}")
        if found:
            ledger.note(begun)
    elif verb == "merge":
        *old, new = ids
        after = [there.get(name) for name in old]
        if new in there and after == ["merged"] * len(old):
            ledger.note(begun)
        elif new in there or after != ["active"] * len(old):
            problems.append(f"half a merge is there: {new}")
    elif verb == "forget" and ids[0] not in there:
        ledger.note(begun)


def run_and_kill(folder: Path, tag: str, ledger: Ledger, seconds: float) -> str:
    """Let a child work for about ``seconds`` after it opened, kill it; the verb it died in."""
    process = subprocess.Popen(
        [sys.executable, __file__, "--child", str(folder), tag],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert process.stdout is not None
    deadline = time.monotonic() + 60
    started = False
    lines: list[str] = []
    while time.monotonic() < deadline:
        ready, _, _ = select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            break
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the child ended by itself with {process.wait()}")
        lines.append(line)
        if not started and line.startswith("done open"):
            started = True
            deadline = time.monotonic() + seconds
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate()
    for line in "".join([*lines, rest]).splitlines(keepends=True):
        if line.endswith("\n"):
            ledger.note(line)
    return ledger.open[0] if ledger.open else "between"


def measure(kills: int, seed: int, folder: Path) -> dict[str, float]:
    """Kill ``kills`` children; the counts. Progress goes to standard error."""
    draw = random.Random(seed)
    ledger = Ledger()
    died: dict[str, int] = {}
    problems: list[str] = []
    for number in range(kills):
        before = set(ledger.alive)
        verb = run_and_kill(folder, f"k{number}", ledger, draw.uniform(0.01, 0.6))
        died[verb] = died.get(verb, 0) + 1
        # All at the end; on the way what is new, and some of what was there.
        some = set(draw.sample(sorted(before), min(50, len(before))))
        last = number == kills - 1
        found = check(folder, ledger, None if last else (set(ledger.alive) - before) | some)
        problems += found
        for problem in found:
            print(f"kill {number} ({verb}): {problem}", file=sys.stderr)
        if (number + 1) % 25 == 0:
            print(f"{number + 1} of {kills} kills", file=sys.stderr)
    return {
        "kills": kills,
        "acknowledged": ledger.acknowledged,
        "records_at_the_end": len(ledger.alive),
        "problems": len(problems),
        **{f"killed_in_{verb}": count for verb, count in sorted(died.items())},
    }


def main() -> int:
    """Run the measurement and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--quick", action="store_true", help="15 kills")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(Path(arguments.child[0]), arguments.child[1])
    with tempfile.TemporaryDirectory() as scratch:
        metrics = measure(15 if arguments.quick else arguments.kills, arguments.seed, Path(scratch))
    if arguments.json:
        machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
        print(json.dumps({"name": "durability", "machine": machine, "metrics": metrics}))
    else:
        for name, value in metrics.items():
            print(f"{name:>22}  {value}")
    return 1 if metrics["problems"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
