"""What latent memory costs and what it is worth, on reasoners made here.

    python benchmarks/latent.py [--quick] [--json] [--part PART] [--seed N] [--out FILE]

Cost: see latent_speed.py.

Worth: a reasoner is pretrained on the rule-table task and kept in --reasoner. For each seed (ids
and first weights of its own) then

    arms       every arm learns the same new ids from the same batches, and is tested on strings
               kept for tests, on old questions, and behind the trigger; swaps; the trigger
    sweeps     K, and questions of two steps with latents at the prompt alone or in mid-answer, too
    continual  one table of ids, then another: what is left of the first
    distill    latents woven from a text memory against the text
    samples    the bare reasoner, right if any of n samples is: as many as cost what the weaver
               does, and 64

Figures are means over seeds. WANTED was written after seed 0. Rate, K and the kind of queries were
chosen on seeds 1 to 6; 11, 12 and 13 were not looked at for that.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from reverie.agent.latent.backbone import Backbone, open_backbone, tiny_backbone
from reverie.agent.latent.generation import Never, Sampling, generate
from reverie.agent.latent.training.arms import make_arm
from reverie.agent.latent.training.distillation import DistillSettings, run_distillation
from reverie.agent.latent.training.evaluation import score
from reverie.agent.latent.training.experiment import (
    RuleSettings,
    Watch,
    World,
    continual,
    reinforce_trigger,
    run_rules,
    train_arm,
)
from reverie.agent.latent.training.reasoner import make_reasoner, save_reasoner
from reverie.benchmarks.latent_speed import conversation_speedup, noop_difference, speed
from reverie.benchmarks.machine import print_json, print_table

PRETRAINING = 3200
SHORT = 300
PENALTIES = (0.0, 0.05, 0.2, 2.0)

WANTED = {
    "cached_overhead": -0.15,
    "speedup_vs_reprefill_b8": 3.0,
    "speedup_vs_reprefill_b8_together": 3.0,
    "new_rule_em_minus_pause": 0.20,
    "new_rule_em_minus_queries": 0.20,
    "new_rule_em_minus_gated_lora": 0.0,
    "retention": 0.99,
    "swap.other_id": 0.80,
    "swap.same_id_of_own": 0.80,
    "trigger.auroc": 0.95,
    "trigger.ece": -0.10,
    "trigger.rate_old": -0.05,
    "trigger.falls_with_penalty": 1.0,
    "two_steps.inner_minus_prompt": 0.10,
    "distillation.recovered": 0.80,
    "distillation.tokens": -0.10,
}
"""At least this much; of a negative number, at most its size."""


def arms(backbone: Backbone, seed: int, watch: Watch) -> dict[str, float]:
    """All arms, the trigger, and its reinforcement by λ."""
    found, trained, world = run_rules(backbone, RuleSettings(seed=seed), watch=watch)
    rates = reinforce_trigger(trained["weaver"].net, world, PENALTIES)
    for penalty, rate in rates.items():
        found |= {f"trigger.{key}.penalty{penalty:g}": x for key, x in rate.items()}
    return found


def sweeps(backbone: Backbone, seed: int, watch: Watch) -> dict[str, float]:
    """Exact match by K, and of questions of two steps by where latents stand."""
    short = RuleSettings(seed=seed, steps=SHORT, looks=())
    found: dict[str, float] = {}
    for name in ("weaver", "learned"):
        for count in (1, 2, 4, 8):
            settings = short.model_copy(update={"latents": count})
            found[f"{name}.k{count}"] = exact(backbone, settings, name, watch)
    for name, count in (("weaver", 8), ("learned", 1)):
        for place, inner in (("prompt", False), ("inner", True)):
            asked = {"latents": count, "two_steps": 1.0, "inner": inner}
            settings = short.model_copy(update=asked)
            found[f"two_steps.{name}.k{count}.{place}"] = exact(backbone, settings, name, watch)
    return found


def exact(backbone: Backbone, settings: RuleSettings, name: str, watch: Watch) -> float:
    """Exact match on new questions of one arm, when it has learnt."""
    world, arm = World(backbone, settings), make_arm(name, backbone, settings.latent_config())
    train_arm(arm, world, watch)
    return score(arm, world.tests(world.new)).exact


def continually(backbone: Backbone, seed: int, watch: Watch) -> dict[str, float]:
    """Two tables, one after the other."""
    settings = RuleSettings(seed=seed, steps=SHORT, looks=())
    found: dict[str, float] = {}
    for name in ("weaver", "lora_params"):
        told = continual(backbone, settings, name, watch)
        found |= {f"continual.{key}": x for key, x in told.items()}
    return found


def samples(backbone: Backbone, seed: int, watch: Watch) -> dict[str, float]:
    """Best of n: whether any of n samples of the bare reasoner is right, told by an oracle."""
    settings = RuleSettings(seed=seed)
    world, config = World(backbone, settings), settings.latent_config()
    bare, weaver = (make_arm(name, backbone, config) for name in ("vanilla", "weaver"))
    weaver.net.open_gate()
    tests = world.tests(world.new)
    dearer = score(weaver, tests).flops / score(bare, tests).flops
    found = {"best_of.weaver_flops": dearer}
    for name, n in (("equal_flops", max(1, round(dearer))), ("64", 64)):
        right = 0
        for place, one in enumerate(tests):
            watch(f"best of {n}", place + 1, len(tests), 0.0)
            drawn = Sampling(max_tokens=len(one.answer), temperature=1.0, seed=place)
            told = generate(bare.net, [one.prompt] * n, decider=Never(), sampling=drawn)
            right += any(one.answered_by(answer.tokens) for answer in told)
        found |= {f"best_of.{name}.n": n, f"best_of.{name}": right / len(tests)}
    return found


def distilled(backbone: Backbone, seed: int, watch: Watch) -> dict[str, float]:
    """Latents in the place of text."""

    def told(step: int, steps: int, loss: float) -> None:
        watch("distillation", step, steps, loss)

    taught = run_distillation(backbone, DistillSettings(seed=seed), told)
    return {f"distillation.{key}": x for key, x in taught.items()}


WORTH = {
    "arms": arms,
    "sweeps": sweeps,
    "continual": continually,
    "distill": distilled,
    "samples": samples,
}


def promised(found: Mapping[str, float]) -> dict[str, float]:
    """What WANTED asks of one seed's numbers."""
    kept: dict[str, float] = {}
    if "weaver.new" in found:
        kept |= {
            "new_rule_em_minus_pause": found["weaver.new"] - found["pause.new"],
            "new_rule_em_minus_queries": found["weaver.new"] - found["queries.new"],
            "new_rule_em_minus_gated_lora": found["weaver.gated_new"]
            - found["lora_params.gated_new"],
            "retention": found["weaver.retention"],
            "swap.same_id_of_own": found["swap.same_id"] / max(found["latents.own"], 1e-9),
            "trigger.falls_with_penalty": float(_falls(found)),
        }
    if "two_steps.weaver.k8.inner" in found:
        kept["two_steps.inner_minus_prompt"] = (
            found["two_steps.weaver.k8.inner"] - found["two_steps.weaver.k8.prompt"]
        )
    return kept


def _falls(found: Mapping[str, float]) -> bool:
    rates = [found[f"trigger.rate.penalty{one:g}"] for one in PENALTIES]
    return all(later <= one + 0.01 for one, later in pairwise(rates)) and rates[-1] < rates[0]


@contextmanager
def shown(what: str) -> Generator[Watch]:
    """A bar that tells what is being trained."""
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=None)

        def watch(arm: str, step: int, steps: int, loss: float) -> None:
            words = f"{what}, {arm}: {loss:.3f} nats"
            bar.update(task, completed=step, total=steps, description=words)

        yield watch


def run_id(part: str, seed: int) -> str:
    """The name of what was run: under other settings it is another run."""
    settings = DistillSettings() if part == "distill" else RuleSettings()
    digest = hashlib.sha256(settings.model_dump_json().encode()).hexdigest()[:8]
    return f"{part}/{seed}/{digest}"


def worth(
    reasoner: Callable[[], Backbone], parts: Sequence[str], seeds: Sequence[int], out: Path | None
) -> dict[str, float]:
    """The parts' numbers, means over seeds; what stands in ``out`` is not run again."""
    kept: dict[str, dict[str, float]] = {}
    if out is not None and out.is_file():
        kept = json.loads(out.read_text(encoding="utf-8"))
    missing = [(part, seed) for seed in seeds for part in parts if run_id(part, seed) not in kept]
    backbone = reasoner() if missing else None
    for part, seed in missing:
        assert backbone is not None
        with shown(f"seed {seed}, {part}") as watch:
            kept[run_id(part, seed)] = WORTH[part](backbone, seed, watch)
        if out is not None:
            out.write_text(json.dumps(kept), encoding="utf-8")
    found: dict[str, list[float]] = {}
    for seed in seeds:
        mine = {key: x for part in parts for key, x in kept[run_id(part, seed)].items()}
        for key, x in {**mine, **promised(mine)}.items():
            found.setdefault(key, []).append(x)
    means = {key: statistics.fmean(values) for key, values in found.items()}
    spread = {
        f"{key}.least": min(values)
        for key, values in found.items()
        if key in WANTED and len(values) > 1
    }
    return means | spread


def opened(folder: Path) -> Backbone:
    """The reasoner in a folder, pretrained first if there is none."""
    if not (folder / "config.json").is_file():
        with shown("a reasoner") as watch:
            made = make_reasoner(
                steps=PRETRAINING,
                watch=lambda step, loss: watch("pretraining", step + 1, PRETRAINING, loss),
            )
        save_reasoner(made, folder)
    return open_backbone(str(folder))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print tables, or with ``--json`` one object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="speed and arms, one seed")
    parser.add_argument("--part", action="append", choices=("speed", *WORTH), help="only this part")
    parser.add_argument("--seed", action="append", type=int, help="only this seed; else 11, 12, 13")
    parser.add_argument(
        "--reasoner", type=Path, default=Path("runs/latent/reasoner"), help="where it is kept"
    )
    parser.add_argument("--out", type=Path, help="JSON of what was run; a stopped run goes on")
    options = parser.parse_args(arguments)
    parts = options.part or (["speed", "arms"] if options.quick else ["speed", *WORTH])
    metrics: dict[str, float] = {}
    if "speed" in parts:
        timed = tiny_backbone(vocabulary=2048, dim=256, layers=6, heads=8, context_tokens=2048)
        sizes = [(b, length) for b in (1, 8) for length in (256, 1024)]
        metrics["noop_max_logit_diff"] = noop_difference(timed)
        metrics["conversation_speedup"] = conversation_speedup(timed)
        metrics |= speed(timed, sizes[::3] if options.quick else sizes, 1 if options.quick else 3)
    rest = [part for part in WORTH if part in parts]
    if rest:
        seeds = options.seed or ([11] if options.quick else [11, 12, 13])
        metrics |= worth(lambda: opened(options.reasoner), rest, seeds, options.out)
    report(metrics, as_json=options.json)


def report(metrics: Mapping[str, float], *, as_json: bool) -> None:
    """Print what was found."""
    if as_json:
        print_json("latent", metrics)
        return
    rows = [[name, f"{value:.4g}", _verdict(name, value)] for name, value in metrics.items()]
    print_table("Latent memory", ["measure", "value", "wanted"], rows)


def _verdict(name: str, value: float) -> str:
    if name not in WANTED:
        return ""
    bound = WANTED[name]
    met = value >= bound if bound >= 0 else value <= -bound
    return f"{'at least' if bound >= 0 else 'at most'} {abs(bound):g}: {'yes' if met else 'no'}"


if __name__ == "__main__":
    main(sys.argv[1:])
