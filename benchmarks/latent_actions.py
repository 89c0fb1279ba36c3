"""How well a weaver trained on the agent's successes says the next action of games it never saw.

    python benchmarks/latent_actions.py --weaver-path DIR --memory DIR --held-out DIR [--limit N]
        [--json]

Both folders are memories of runs (runs/NAME/memory/online-sN): one that the weaver was trained on
and recalls from, one with games it is asked about; games of both are left out. Each
action of a held-out success is asked for in the very conversation that is read in play: the bare
model, the bare model with what was recalled as text, the weaver, and the weaver with nothing
recalled. Exact: the action is the model's first choice, token by token. Also, how much faster a
step of training is over prompts that were read before.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from rich.progress import track

from reverie.agent.latent.checkpoint import load_net
from reverie.agent.latent.forced import forced, token_logprobs
from reverie.agent.latent.net import WovenNet
from reverie.agent.latent.prefix_cache import PrefixCache
from reverie.agent.latent.training.episodes import case_examples
from reverie.agent.latent.training.examples import Example, make_batch
from reverie.agent.latent.training.teaching import speech
from reverie.agent.latent.training.weaver_loss import loss_of
from reverie.benchmarks.machine import print_figures
from reverie.memory.cases import CaseMemory
from reverie.memory.memory import Memory
from reverie.memory.records import CasePayload, Scope

SCOPE = Scope(user="run")


def held_out(net: WovenNet, memory: Path, asked: Path) -> list[Example]:
    """The actions of successes in ``asked`` of tasks that are not in ``memory``, shuffled."""
    with Memory.open(memory) as known, Memory.open(asked) as other:
        bank = CaseMemory(known, SCOPE)
        seen = {case.task_id for case in payloads(bank)}
        found = [
            example
            for case in payloads(CaseMemory(other, SCOPE))
            if case.outcome == "success" and case.task_id not in seen
            for example in case_examples(case, bank, speech(net.backbone))
        ]
    random.Random(0).shuffle(found)
    return found


def payloads(bank: CaseMemory) -> Iterable[CasePayload]:
    """The cases of a memory."""
    payloads = (record.payload for record in bank.cases())
    return [one for one in payloads if isinstance(one, CasePayload)]


@torch.no_grad()
def said(net: WovenNet, example: Example, *, woven: bool) -> tuple[float, bool]:
    """Nats a token of the action, and whether it is the first choice."""
    batch = make_batch(net, [example], woven=woven)
    read = forced(net, batch.rows, batch.plan, memories=batch.memories if woven else None)
    nats = -token_logprobs(net, read, batch.wanted).sum() / batch.wanted.sum()
    chosen = net.backbone.logits(read.hidden[:, :-1][batch.wanted]).argmax(-1)
    return float(nats), bool((chosen == read.tokens[:, 1:][batch.wanted]).all())


def measure(net: WovenNet, examples: list[Example]) -> dict[str, float]:
    """Exact match and nats a token of each arm."""
    found: dict[str, list[tuple[float, bool]]] = {}
    for one in track(examples, "Asking", transient=True):
        alone = replace(one, memory=(), teacher=())
        arms = {
            "bare": (alone, False),
            "text": (replace(alone, prompt=one.teacher or one.prompt), False),
            "weaver": (one, True),
            "weaver_alone": (alone, True),
        }
        for name, (example, woven) in arms.items():
            found.setdefault(name, []).append(said(net, example, woven=woven))
    metrics: dict[str, float] = {"actions": len(examples)}
    for name, results in found.items():
        metrics[f"exact.{name}"] = statistics.fmean(right for _, right in results)
        metrics[f"nats.{name}"] = statistics.fmean(nats for nats, _ in results)
    return metrics


def training_speedup(net: WovenNet, examples: Sequence[Example], *, steps: int = 6) -> float:
    """How many times faster a step of training is where what prompts begin with was read before.

    Processor time of steps of 4 examples, with and without the cache in turn.
    """
    drawn = [examples[first : first + 4] for first in range(0, 4 * steps, 4)]
    drawn = [one for one in drawn if one]
    cache = PrefixCache(net.backbone, 2**32)
    taken = {True: 0.0, False: 0.0}
    for known in (False, True):
        for examples_ in track(drawn, "Timing steps", transient=True):
            for begun in taken:
                net.prefixes = cache if begun else None
                began = time.process_time()
                loss: Any = loss_of(net, make_batch(net, examples_))
                loss.backward()
                taken[begun] += known * (time.process_time() - began)
    net.prefixes = None
    return taken[False] / taken[True]


def main() -> None:
    """Measure, and print a table, or with ``--json`` one object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--weaver-path", type=Path, required=True)
    parser.add_argument("--memory", type=Path, required=True, help="what was trained on")
    parser.add_argument("--held-out", type=Path, required=True, help="what is asked about")
    parser.add_argument("--limit", type=int, default=100, help="actions at most")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    net = load_net(options.weaver_path).eval()
    examples = held_out(net, options.memory, options.held_out)
    if not examples:
        parser.error(f"{options.held_out} holds no success of a game that {options.memory} lacks")
    metrics = measure(net, examples[: options.limit])
    metrics["training_speedup"] = training_speedup(net, examples)
    print_figures("latent_actions", "Actions of games never seen", metrics, as_json=options.json)


if __name__ == "__main__":
    main()
