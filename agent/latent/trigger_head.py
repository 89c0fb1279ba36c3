"""The latent trigger: from the reasoner's state at a point, the probability that weaving pays."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .backbone import Backbone
from .config import KINDS, Kind, TriggerConfig
from .loom import scalar_head, unit
from .lora import Lora
from .slots import QUERY, Block
from .stream import Stream


class LatentTrigger(nn.Module):
    """σ(w · ĥ + b), ĥ = h / rms(h), by a head of its own for each kind of point.

    h is the last state of the token before the point, which the reasoner has computed anyway
    (MemGen, arXiv 2509.24704, eq. 4). With a ``lora`` that token is read once more, with the delta.
    """

    def __init__(
        self, config: TriggerConfig, reasoner: Backbone, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.config = config
        self.heads = nn.ModuleDict({kind: scalar_head(reasoner.dim, config.rate) for kind in KINDS})
        lora = config.lora
        self.lora = None if lora is None else Lora(reasoner.model, lora, generator)

    def logits(self, kind: Kind, states: Tensor) -> Tensor:
        """Logits (R,) of inserting, from states (R, d) as `states` gives them."""
        return self.heads[kind](unit(states.float())).squeeze(-1)

    def states(self, stream: Stream, rows: Tensor) -> Tensor:
        """What the heads read (R, d), at where ``rows`` (R,) of a stream stand."""
        if self.lora is None:
            return stream.hidden[rows.to(stream.hidden.device)]
        last = stream.embedded[rows.to(stream.embedded.device)][:, None]
        position = stream.text[rows][:, None] - 1
        roles, one = torch.full_like(position, QUERY), torch.ones(len(rows), dtype=torch.long)
        with self.lora.on():
            states = stream.slots.write(rows, Block(last, one, position, roles))
        stream.slots.rewind(rows, 1)
        return states[:, 0]
