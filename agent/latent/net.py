"""Backbone, weaver and trigger as one module whose parameters are what is trained."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from ...errors import ContextOverflow
from .backbone import Backbone
from .config import LatentConfig
from .delimiters import Delimiters
from .loom import ReadingWeaver, SharedWeaver, make_weaver
from .prefix_cache import PrefixCache
from .stream import Stream
from .trigger_head import LatentTrigger


class WovenNet(nn.Module):
    """A frozen reasoner with a weaver and a trigger.

    ``parameters`` and ``state_dict`` hold weaver and trigger only: the backbones are no submodules.
    ``reader`` is the weaver's own backbone, where the configuration names one. ``checkpointing``
    makes training need less memory and more time (see `Slots`); ``prefixes``, if set, keep what the
    reasoner reads again and again.
    """

    def __init__(
        self, backbone: Backbone, config: LatentConfig | None = None, reader: Backbone | None = None
    ) -> None:
        super().__init__()
        self.config = config or LatentConfig()
        self.backbone = backbone
        self.reader = reader
        generator = torch.Generator().manual_seed(self.config.seed)
        self.weaver: SharedWeaver | ReadingWeaver = make_weaver(
            self.config.weaver, backbone, generator, reader
        )
        self.trigger = LatentTrigger(self.config.trigger, backbone, generator)
        self.to(backbone.device)
        self.checkpointing = False
        self.prefixes: PrefixCache | None = None
        self._delimiters: Delimiters | None = None

    @property
    def delimiters(self) -> Delimiters:
        """The table of the points in an answer; empty without a tokenizer."""
        if self._delimiters is None:
            tokenizer = self.backbone.tokenizer
            pieces = tokenizer.pieces if tokenizer is not None else ()
            self._delimiters = Delimiters(pieces, self.config.delimiters)
        return self._delimiters

    @property
    def opened(self) -> bool:
        """False while the weaver is an exact no-op: it was never trained."""
        return bool(self.weaver.head.opened)

    def open_gate(self) -> None:
        """Let the latents be seen from now on: the first step of training the weaver."""
        self.weaver.head.opened.fill_(True)

    def stream(
        self,
        lengths: Sequence[int],
        *,
        points: int,
        memories: Sequence[Sequence[int]] | None = None,
        differentiable: bool = False,
        spare: int = 0,
    ) -> Stream:
        """An empty stream for rows that grow to ``lengths`` tokens, with that many points each.

        ``memories`` are the rows' memories as tokens; the weaver reads them at the first point.
        ``spare`` columns are for what is read and taken back.
        ContextOverflow if a row will not fit the backbone.
        """
        self._check_room(lengths, memories or ())
        kinds = self.weaver.head.queries.values()
        widest = max(len(queries) for queries in kinds)
        return Stream(
            self.backbone,
            len(lengths),
            max(lengths) + points * (widest + 1) + widest + 1 + spare,
            differentiable=differentiable,
            checkpointing=self.checkpointing,
            traced=isinstance(self.weaver, ReadingWeaver),
            memories=memories if any(memories or ()) else None,
        )

    def _check_room(self, lengths: Sequence[int], memories: Sequence[Sequence[int]]) -> None:
        room = self.backbone.context_tokens
        if max(lengths) > room:
            raise ContextOverflow(
                f"A row of {max(lengths)} tokens does not fit the context of {room}. Shorten the"
                " prompt, or ask for fewer tokens."
            )
        limit = (self.reader or self.backbone).context_tokens
        if max(map(len, memories), default=0) > limit:
            raise ContextOverflow(
                f"A memory of {max(map(len, memories))} tokens does not fit the weaver's context"
                f" of {limit}. Recall less."
            )
