"""The training loop, the same for weaver, trigger and baselines: loss in, checkpoints out.

What a step draws depends on the seed and the step alone, so that a run that was interrupted goes on
as if it had not been: optimizer and step are kept beside the weights. Of several processes each
draws examples of its own, and gradients are averaged.

``checkpointing``, ``offload`` and ``accumulate`` save memory for time.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Protocol, runtime_checkable

import torch
from pydantic import Field
from torch import Tensor, nn

from ....errors import ModelError, SettingsError, WeaverFault
from ....memory.records import Frozen
from ..checkpoint import save_net
from ..net import WovenNet
from .processes import average, rank
from .reasoner import cosine

STATE = "training.pt"

Loss = Callable[[random.Random], Tensor]
"""The loss of one batch, drawn with the generator given."""


@runtime_checkable
class Remembers(Protocol):
    """A loss that changes from step to step, and is put back with the weights."""

    def state_dict(self) -> dict[str, float]:
        """What it has come to."""
        ...

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Go on from there."""
        ...


Watch = Callable[[int, int, float], None]
"""Told the step, how many there will be, and the loss in nats."""


class TrainOptions(Frozen):
    """How to train. A step's gradient is the mean over ``accumulate`` batches."""

    steps: int = Field(default=1000, ge=1)
    rate: float = Field(default=1e-3, gt=0, description="AdamW's learning rate at its height")
    warmup: float = Field(default=0.05, ge=0, le=1, description="share of the steps")
    decay: float = Field(default=0.0, ge=0, description="weight decay")
    clip: float = Field(default=1.0, gt=0, description="largest norm of the gradient")
    accumulate: int = Field(default=1, ge=1)
    bf16: bool = Field(default=False, description="compute in bfloat16 where it is safe (autocast)")
    checkpointing: bool = Field(
        default=False, description="compute layers again in the backward pass, and keep less"
    )
    offload: bool = Field(
        default=False, description="keep activations in main memory until the backward pass"
    )
    save_every: int = Field(default=200, ge=1)
    seed: int = 0


def train(
    net: WovenNet,
    loss: Loss,
    options: TrainOptions,
    *,
    parameters: Iterable[nn.Parameter] | None = None,
    folder: Path | None = None,
    watch: Watch | None = None,
) -> list[float]:
    """Minimise ``loss``; the losses in nats of the steps taken now.

    With a ``folder``, weights and state are kept there, and a run that stopped goes on from them.
    Raises ModelError for a loss that is not finite; the last good checkpoint stays. WeaverFault for
    one that cannot be read.
    """
    chosen = list(parameters if parameters is not None else net.weaver.parameters())
    optimizer = torch.optim.AdamW(chosen, lr=options.rate, weight_decay=options.decay)
    run = None if folder is None else _Run(net, loss, optimizer, options, folder)
    begin = 0 if run is None else run.resume()
    net.checkpointing = options.checkpointing
    losses: list[float] = []
    for step in range(begin, options.steps):
        for group in optimizer.param_groups:
            group["lr"] = options.rate * cosine(step, options.steps, options.warmup)
        losses.append(_step(loss, chosen, optimizer, options, step, folder))
        if watch is not None:
            watch(step + 1, options.steps, losses[-1])
        last = step + 1 == options.steps
        if run is not None and rank() == 0 and (last or (step + 1) % options.save_every == 0):
            run.save(step + 1)
    return losses


def _step(
    loss: Loss,
    chosen: list[nn.Parameter],
    optimizer: torch.optim.Optimizer,
    options: TrainOptions,
    step: int,
    folder: Path | None,
) -> float:
    optimizer.zero_grad(set_to_none=True)
    total = 0.0
    for part in range(options.accumulate):
        rng = random.Random(f"{options.seed}/{step}/{part}/{rank()}")
        seeded: Any = torch
        seeded.manual_seed(rng.getrandbits(63))
        with _precision(chosen, options), _activations(options):
            value: Any = loss(rng)
        if value.requires_grad:
            (value / options.accumulate).backward()
        total += float(value.detach()) / options.accumulate
    average(chosen)
    norm = nn.utils.clip_grad_norm_(chosen, options.clip)
    if not (torch.isfinite(norm) and abs(total) < float("inf")):
        kept = f"The last good checkpoint is in {folder}. " if folder is not None else ""
        raise ModelError(
            f"The loss of step {step + 1} is not finite ({total}); its gradient was not applied. "
            f"{kept}Lower the learning rate, or compute in float32."
        )
    optimizer.step()
    return total


def _precision(chosen: list[nn.Parameter], options: TrainOptions) -> AbstractContextManager[Any]:
    if not options.bf16:
        return nullcontext()
    return torch.autocast(chosen[0].device.type, torch.bfloat16)


def _activations(options: TrainOptions) -> AbstractContextManager[Any]:
    return torch.autograd.graph.save_on_cpu() if options.offload else nullcontext()


@dataclass(frozen=True)
class _Run:
    """What is kept of a run, and where."""

    net: WovenNet
    loss: Loss
    optimizer: torch.optim.Optimizer
    options: TrainOptions
    folder: Path

    def save(self, step: int) -> None:
        """Weights and state in one file, whole or not at all; then the weights for use."""
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / f".{STATE}"
        state = {
            "options": self.options.model_dump_json(),
            "config": self.net.config.digest(),
            "step": step,
            "optimizer": self.optimizer.state_dict(),
            "weights": self.net.state_dict(),
            "loss": self.loss.state_dict() if isinstance(self.loss, Remembers) else {},
        }
        with part.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.folder / STATE)
        save_net(self.net, self.folder)

    def resume(self) -> int:
        """Where an earlier run stopped, all put back as it was; 0 if there was none."""
        if not (self.folder / STATE).is_file():
            return 0
        state = _state(self.folder)
        ours = (self.options.model_dump_json(), self.net.config.digest())
        if (state["options"], state["config"]) != ours:
            raise SettingsError(
                f"{self.folder} holds a training run with other options or another configuration."
                " Train into another folder, or delete this one."
            )
        self.net.load_state_dict(state["weights"], strict=True)
        self.optimizer.load_state_dict(state["optimizer"])
        if isinstance(self.loss, Remembers) and state.get("loss"):
            self.loss.load_state_dict(state["loss"])
        return int(state["step"])


def resumed(folder: Path) -> int:
    """The steps that a run in ``folder`` has taken; 0 if there is none."""
    if not (folder / STATE).is_file():
        return 0
    return int(_state(folder)["step"])


def _state(folder: Path) -> dict[str, Any]:
    """What `_save` kept. Raises WeaverFault for a file that cannot be read."""
    path = folder / STATE
    try:
        return torch.load(path, weights_only=True, map_location="cpu")
    except (EOFError, OSError, RuntimeError, UnpicklingError) as error:
        raise WeaverFault(
            f"{path} says how far training is, and cannot be read ({type(error).__name__}). Put"
            " back a copy of it; or delete it, and the same command trains from the first step."
        ) from error
