"""What a weaver is compared with: the same prompts, the same trigger, other mechanisms.

    vanilla       the frozen reasoner
    pause         K learned vectors that are the same for every prompt
    queries       the weaver without its delta
    weaver        the weaver
    learned       the weaver whose queries are learned vectors (as MemGen has it)
    embedded      the same, with latents that enter as embeddings do (as MemGen has that, too)
    lora          a delta on the reasoner itself, of the weaver's rank or of as many parameters

Each may be gated: the trigger, which reads the bare reasoner's state at the prompt's end, decides
for each prompt whether the mechanism takes part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..backbone import Backbone
from ..config import LatentConfig, LoraConfig
from ..forced import Forced, forced
from ..generation import Always, Decider, Generated, Never, Sampling, generate
from ..loom import LatentHead
from ..lora import Lora
from ..net import WovenNet
from ..stream import Edit, Latents, Stream
from .examples import Batch, Example


@dataclass
class Arm:
    """A reasoner with one mechanism. ``lora`` is a delta on it, ``woven`` tells if latents are."""

    name: str
    net: WovenNet
    woven: bool = False
    lora: Lora | None = None

    def parameters(self) -> list[nn.Parameter]:
        """What is trained."""
        if self.lora is not None:
            return list(self.lora.parameters())
        return list(self.net.weaver.parameters()) if self.woven else []

    @property
    def size(self) -> int:
        """How many numbers are trained."""
        return sum(one.numel() for one in self.parameters())

    def on(self) -> AbstractContextManager[None]:
        """The delta, while this is open."""
        return nullcontext() if self.lora is None else self.lora.on()

    def read(self, batch: Batch, edit: Edit | None = None) -> Forced:
        """Teacher forcing with the mechanism on in every row that has points."""
        plan = batch.plan if self.woven else ((),) * len(batch.rows)
        memories = batch.memories if self.woven else None
        with self.on():
            return forced(self.net, batch.rows, plan, memories=memories, edit=edit)

    def answers(
        self,
        examples: Sequence[Example],
        sampling: Sampling,
        *,
        fires: Sequence[bool] | None = None,
        decider: Decider | None = None,
        edit: Edit | None = None,
    ) -> list[Generated]:
        """Answers, the mechanism on where ``fires``; ``decider`` then decides on points."""
        fires = [True] * len(examples) if fires is None else list(fires)
        found: dict[int, Generated] = {}
        for flag in (True, False):
            rows = [i for i, one in enumerate(fires) if one == flag]
            if not rows:
                continue
            mine = [examples[i] for i in rows]
            active = flag and self.woven
            memories = [one.memory for one in mine]
            with self.on() if flag else nullcontext():
                told = generate(
                    self.net,
                    [one.prompt for one in mine],
                    decider=(decider or Always()) if active else Never(),
                    sampling=sampling,
                    memories=memories if active and any(memories) else None,
                    edit=edit if active else None,
                )
            found.update(zip(rows, told, strict=True))
        return [found[i] for i in range(len(examples))]


class PauseWeaver(nn.Module):
    """K learned vectors for each kind of point, whatever the prompt is (pause tokens)."""

    def __init__(self, net: WovenNet) -> None:
        super().__init__()
        self.config = net.config.weaver
        self.lora = None
        generator = torch.Generator().manual_seed(net.config.seed)
        self.head = LatentHead(self.config, net.backbone, net.backbone, generator)
        for name, one in self.head.named_parameters():
            one.requires_grad_("queries" in name or "scale" in name)

    def parameters(self, recurse: bool = True) -> Iterator[nn.Parameter]:
        """The vectors and their size."""
        return (one for one in self.head.parameters() if one.requires_grad)

    def weave(self, stream: Stream, rows: Tensor, kind: Any) -> Latents:
        """The vectors, with the gate wide open."""
        values = self.head.values(kind, self.head.queries[kind])
        assert values is not None, "pause tokens are read as embeddings are"
        shown = values.expand(len(rows), -1, -1)
        return Latents(shown, shown.new_zeros(shown.shape[:2]))


ARMS = ("vanilla", "pause", "queries", "weaver", "learned", "embedded", "lora", "lora_params")


_WOVEN: dict[str, dict[str, object]] = {
    "pause": {"lora": None, "writes": "embeddings", "queries": "learned"},
    "queries": {"lora": None},
    "weaver": {},
    "learned": {"queries": "learned"},
    "embedded": {"writes": "embeddings", "queries": "learned"},
}


def make_arm(name: str, backbone: Backbone, config: LatentConfig) -> Arm:
    """The arm of a name in `ARMS`, untrained; arms share a reasoner."""
    if name in _WOVEN:
        changed = config.weaver.model_copy(update=_WOVEN[name])
        net = WovenNet(backbone, config.model_copy(update={"weaver": changed}))
        if name == "pause":
            net.weaver = PauseWeaver(net)  # pyright: ignore[reportAttributeAccessIssue]
        return Arm(name, net, woven=True)
    net = WovenNet(backbone, config)
    if name == "vanilla":
        return Arm(name, net)
    lora = config.weaver.lora or LoraConfig()
    if name == "lora_params":
        lora = as_large(lora, backbone, config)
    generator = torch.Generator().manual_seed(config.seed)
    return Arm(name, net, lora=Lora(backbone.model, lora, generator).to(backbone.device))


def as_large(lora: LoraConfig, backbone: Backbone, config: LatentConfig) -> LoraConfig:
    """The rank at which a delta on the reasoner has at least as many parameters as the weaver.

    α grows with it, so that the scale α / r stays.
    """
    whole = sum(one.numel() for one in WovenNet(backbone, config).weaver.parameters())
    one = lora.model_copy(update={"rank": 1})
    generator = torch.Generator().manual_seed(0)
    unit = sum(p.numel() for p in Lora(backbone.model, one, generator).parameters())
    rank = -(-whole // unit)
    return lora.model_copy(update={"rank": rank, "alpha": lora.alpha * rank / lora.rank})
