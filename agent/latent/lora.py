"""Low-rank deltas on a frozen model's linear layers, added while they are switched on."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from ...errors import SettingsError
from .config import LoraConfig


class Lora(nn.Module):
    """One adapter: y = W x + (alpha / rank) B A x (LoRA, arXiv 2106.09685, eq. 3).

    A (rank, in) starts at random, B (out, rank) at zero, so that a new adapter changes nothing.
    The model's own weights are neither changed nor copied: inside ``with lora.on()`` a hook behind
    each layer adds the delta, and outside there is no trace of it.
    """

    def __init__(self, model: nn.Module, config: LoraConfig, generator: torch.Generator) -> None:
        """Hang deltas on the layers of ``model`` whose last name is among the targets."""
        super().__init__()
        self.scale = config.alpha / config.rank
        self.a, self.b = nn.ParameterDict(), nn.ParameterDict()
        self._layers: dict[str, nn.Linear] = {}
        untyped: Any = model
        for name, layer in untyped.named_modules():
            if isinstance(layer, nn.Linear) and name.rpartition(".")[2] in config.targets:
                self._add(name.replace(".", "/"), layer, config.rank, generator)
        if not self._layers:
            raise SettingsError(
                f"The backbone has no linear layer called {', '.join(config.targets)}; name some of"
                " its own in LoraConfig(targets=...)."
            )

    def _add(self, name: str, layer: nn.Linear, rank: int, generator: torch.Generator) -> None:
        device = layer.weight.device
        start = torch.randn(rank, layer.in_features, generator=generator)
        self.a[name] = nn.Parameter((start / math.sqrt(layer.in_features)).to(device))
        self.b[name] = nn.Parameter(torch.zeros(layer.out_features, rank, device=device))
        self._layers[name] = layer

    def _hook(self, name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], Tensor]:
        a, b, scale = self.a[name], self.b[name], self.scale

        def add(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
            delta = inputs[0].to(a.dtype) @ a.T @ b.T
            return output + (scale * delta).to(output.dtype)

        return add

    @contextmanager
    def on(self) -> Generator[None]:
        """The model with the deltas, as long as this is open."""
        hooks = [
            layer.register_forward_hook(self._hook(name)) for name, layer in self._layers.items()
        ]
        _switched_on.append(self)
        try:
            yield
        finally:
            _switched_on.remove(self)
            for hook in hooks:
                hook.remove()


_switched_on: list[Lora] = []


def switched_on() -> bool:
    """Whether any delta is on now."""
    return bool(_switched_on)


def as_now() -> Callable[[], AbstractContextManager[None]]:
    """What later switches the deltas that are on now on again."""
    wanted = tuple(_switched_on)

    @contextmanager
    def again() -> Generator[None]:
        with ExitStack() as stack:
            for one in wanted:
                if one not in _switched_on:
                    stack.enter_context(one.on())
            yield

    return again
