"""One of the processes that `test_processes` starts: what it came to goes to FOLDER/RANK.json."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

import torch
from torch import nn

from reverie.agent.latent.tensors import numbers
from reverie.agent.latent.training import commands
from reverie.agent.latent.training.examples import Example, final_number
from reverie.agent.latent.training.processes import average, join, rank
from reverie.agent.latent.training.teaching import read_by_first, speech
from reverie.agent.latent.training.trigger_training import Rolled, TriggerGRPO, TriggerRL
from reverie.cli import call
from reverie.memory.memory import Memory
from reverie.memory.terminal import open_memory
from reverie.tests.agent.latent.nets import speaking, woven


class Noting(TriggerGRPO):
    """Keeps which decisions of this process were insertions."""

    def _roll(self, rng: random.Random) -> list[list[Rolled]]:
        groups = super()._roll(rng)
        self.done = [x for group in groups for one in group for x in numbers(one.decisions)]
        return groups


def gradients() -> list[list[float]]:
    """Of a weight that all have touched, and of one that the first alone has."""
    both, alone = nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(2))
    both.grad = torch.tensor([1.0, 2.0]) * (1 + 2 * rank())
    if rank() == 0:
        alone.grad = torch.tensor([4.0, 6.0])
    average([both, alone])
    assert both.grad is not None and alone.grad is not None
    return [numbers(both.grad), numbers(alone.grad)]


def steered() -> dict[str, object]:
    """A step of the trigger's reinforcement: λ, what it followed, and what this process decided."""
    options = TriggerRL(
        prompts=1, group=2 + 5 * rank(), penalty=1.0, target=0.5, steering=1.0, max_tokens=3
    )
    loss = Noting(woven(speaking()), lambda rng: Example((65, 66), (67,)), options)
    loss(random.Random(rank()))
    return {"rate": loss.rate, "penalty": loss.penalty, "done": loss.done}


def told() -> list[object]:
    """What the first process reads: an example scored whole, and one by its final number."""
    said = speech(speaking())

    def read() -> list[Example]:
        assert rank() == 0
        return [Example((1,), (2,)), Example((1,), (3,), (4,), compared=final_number(said))]

    whole, final = read_by_first(speaking(), read)
    return [whole.compared((5, 6)), final.memory, final.compared(said.encode("so #### 1,000"))]


def opened(url: str | None, embedder: str | None = None) -> Memory:
    """A memory that only the first process may open."""
    assert rank() == 0
    return open_memory(url, embedder)


def trained(place: Path) -> int:
    """The exit code of training on the cases in ``place``, with the model in it."""
    commands.open_memory = opened
    where = ["--memory", str(place / "m"), "--user", "ann", "--out", str(place / "w")]
    size = ["--steps", "1", "--batch", "1", "--latents", "1", "--rank", "1"]
    model = ["--backbone", str(place / "model")]
    return call(["train", "weaver", "--cases", *where, *size, *model, "--json"])


if __name__ == "__main__":
    join("cpu")
    folder = Path(sys.argv[1])
    found = {"gradients": gradients(), "told": told(), **steered(), "trained": trained(folder)}
    (folder / f"{rank()}.json").write_text(json.dumps(found), encoding="utf-8")
