"""The training loop, the same for weaver, trigger and baselines: loss in, checkpoints out.

What a step draws depends on the seed and the step alone, so that a run that was interrupted goes on
as if it had not been: optimizer and step are kept beside the weights. Of several processes each
draws examples of its own, and gradients are averaged.

``checkpointing``, ``offload`` and ``accumulate`` save memory for time.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

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
    begin = _resume(net, optimizer, options, folder)
    net.checkpointing = options.checkpointing
    losses: list[float] = []
    for step in range(begin, options.steps):
        for group in optimizer.param_groups:
            group["lr"] = options.rate * cosine(step, options.steps, options.warmup)
        losses.append(_step(loss, chosen, optimizer, options, step, folder))
        if watch is not None:
            watch(step + 1, options.steps, losses[-1])
        last = step + 1 == options.steps
        if folder is not None and rank() == 0 and (last or (step + 1) % options.save_every == 0):
            _save(net, optimizer, options, step + 1, folder)
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


def _save(
    net: WovenNet,
    optimizer: torch.optim.Optimizer,
    options: TrainOptions,
    step: int,
    folder: Path,
) -> None:
    """Weights and state in one file, whole or not at all; then the weights for use."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{STATE}"
    state = {
        "options": options.model_dump_json(),
        "config": net.config.digest(),
        "step": step,
        "optimizer": optimizer.state_dict(),
        "weights": net.state_dict(),
    }
    with part.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(folder / STATE)
    save_net(net, folder)


def _resume(
    net: WovenNet, optimizer: torch.optim.Optimizer, options: TrainOptions, folder: Path | None
) -> int:
    """Where an earlier run stopped, its weights and moments put back; 0 if there was none."""
    if folder is None or not (folder / STATE).is_file():
        return 0
    state = _state(folder)
    if (state["options"], state["config"]) != (options.model_dump_json(), net.config.digest()):
        raise SettingsError(
            f"{folder} holds a training run with other options or another configuration. Train"
            " into another folder, or delete this one."
        )
    net.load_state_dict(state["weights"], strict=True)
    optimizer.load_state_dict(state["optimizer"])
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
