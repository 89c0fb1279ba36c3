"""The latent weaver of the loop: what was recalled reaches the model as vectors, not as text."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from ..models.base import ChatModel, weaves
from ..state import RecalledCase, RecalledStep, View, Woven
from ..weaver import Weaver

_log = logging.getLogger(__name__)


class LatentWeaver:
    """Hands the text that ``text`` weaves to the model's own weaver.

    A model that has none (behind an API, or of llama.cpp) reads the text instead; that is said
    once, when this is made.
    """

    name = "latent"

    def __init__(self, model: ChatModel, text: Weaver) -> None:
        self.text = text
        self.woven = weaves(model)
        if not self.woven:
            _log.warning(
                "%s can't read latent memory, so it is given as text. Latent memory needs a weaver"
                " trained for a local model: --weaver latent --weaver-path DIR --model local",
                model.id,
            )

    def weave(
        self, view: View, cases: Sequence[RecalledCase], neighbours: Sequence[RecalledStep]
    ) -> Woven:
        """See `Weaver`."""
        woven = self.text.weave(view, cases, neighbours)
        if not self.woven or not woven["text"]:
            return woven
        return Woven(text="", latent=woven["text"], prior=woven["prior"], sources=woven["sources"])


def woven_name(model: str, path: str | None) -> str:
    """The model to open for ``--weaver latent``: ``woven:DIR`` where the weaver belongs to it.

    Unchanged for a model that weaves by itself, and for one that the weaver in ``path`` was not
    trained for: that reads text.
    """
    kind, _, rest = model.partition(":")
    if kind != "local" or path is None:
        return model
    from .checkpoint import read_head

    source = read_head(Path(path).expanduser()).backbone.source
    return f"woven:{path}" if source in (rest, model) else model
