"""What the scripts of this folder share: a larger reasoner, made once and kept, and how they print.

Every script here is one command that fits ten minutes of a GPU. Without one it says so and leaves;
``--tiny`` runs it on a CPU, to see that it runs.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from reverie.agent.latent.backbone import Backbone, open_backbone
from reverie.agent.latent.training.reasoner import make_reasoner, save_reasoner

SIZES = {
    "tiny": {"dim": 64, "layers": 4, "heads": 2, "steps": 60, "batch": 16},
    "large": {"dim": 512, "layers": 10, "heads": 8, "steps": 4000, "batch": 64},
}
"""``large`` has 34 million weights."""

SMOKE = {"steps": 20, "tests": 16, "trigger_steps": 10}
"""The experiment's size with ``--tiny``: it shows that a script runs, and nothing else."""


def options(about: str | None, **extra: object) -> argparse.Namespace:
    """The command line; leaves where there is no GPU, unless told to run tiny."""
    parser = argparse.ArgumentParser(description=(about or "").splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a small reasoner, on a CPU if need be")
    parser.add_argument("--reasoner", type=Path, default=Path("runs/gpu/reasoner"))
    parser.add_argument("--seed", type=int, default=0)
    for name, value in extra.items():
        kind = Path if value is None else type(value)
        parser.add_argument(f"--{name}", type=kind, default=value)
    given = parser.parse_args()
    given.device = "cuda" if torch.cuda.is_available() else "cpu"
    if given.device == "cpu" and not given.tiny:
        print("There is no GPU here, so nothing was run. See that it runs: --tiny", file=sys.stderr)
        raise SystemExit(1)
    return given


def reasoner(given: argparse.Namespace) -> Backbone:
    """The reasoner in ``--reasoner``, pretrained first if there is none."""
    folder: Path = given.reasoner / ("tiny" if given.tiny else "large")
    if not (folder / "config.json").is_file():
        size = SIZES["tiny" if given.tiny else "large"]
        rate = 1e-3 if given.tiny else 4e-4

        def watch(step: int, loss: float) -> None:
            if step % 200 == 0:
                print(f"pretraining, step {step}: {loss:.3f} nats", file=sys.stderr)

        made = make_reasoner(**size, rate=rate, seed=0, device=given.device, watch=watch)
        save_reasoner(made, folder)
    return open_backbone(str(folder), device=given.device)


def report(name: str, run: Callable[[], Mapping[str, float]]) -> None:
    """Run, and print one object: the name, the machine, seconds, and the metrics."""
    began = time.perf_counter()
    metrics = dict(run())
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    machine = f"{platform.machine()}, {gpu}, torch {torch.__version__}"
    seconds = round(time.perf_counter() - began, 1)
    print(json.dumps({"name": name, "machine": machine, "seconds": seconds, "metrics": metrics}))
