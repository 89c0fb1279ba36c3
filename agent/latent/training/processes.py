"""Processes that train together, one a GPU: as ``accelerate launch`` or ``torchrun`` start them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn

from ....errors import MissingExtra

T = TypeVar("T")


def join(device: str) -> str:
    """Join the other processes, if there are any; the device that this one is to use.

    ``cpu`` stays on the processor. Raises MissingExtra without accelerate.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return device
    try:
        states: Any = import_module("accelerate")
    except ImportError as error:
        raise MissingExtra("training in several processes", "latent") from error
    return str(states.PartialState(cpu=device == "cpu").device)


def rank() -> int:
    """Which of the processes this is; 0 also if it is alone."""
    return distributed.get_rank() if _joined() else 0


def from_first(read: Callable[[], T]) -> T:
    """What the first process reads, in all of them: it may be what only one may open.

    It has to be such that it can be pickled. If it cannot be read the first process fails, and
    whatever started them ends the others.
    """
    if not _joined():
        return read()
    world: Any = distributed
    held: list[Any] = [read() if rank() == 0 else None]
    world.broadcast_object_list(held, src=0)
    return held[0]


def mean(values: Tensor) -> Tensor:
    """The mean of ``values`` (N,) over all processes; each has to give as many."""
    if not _joined():
        return values
    world: Any = distributed
    total = values.clone()
    world.all_reduce(total)
    return total / world.get_world_size()


def average(parameters: Iterable[nn.Parameter]) -> None:
    """The mean of the gradients over all processes."""
    if not _joined():
        return
    world: Any = distributed
    for one in parameters:
        if one.grad is None:  # a process whose batch did not touch it still has to take part
            one.grad = torch.zeros_like(one)
        world.all_reduce(one.grad)
        one.grad /= world.get_world_size()


def _joined() -> bool:
    return distributed.is_available() and distributed.is_initialized()
