"""Which model to use, as plain data: it travels to another process and is opened there."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from .models import ChatModel, Options, open_model


@dataclass(frozen=True)
class ModelSpec:
    """What ``open_model`` is given. ``options`` may hold a key, so it is never printed."""

    name: str
    options: Options = field(default_factory=Options, repr=False)
    cache: Path | None = None
    """The file of the response cache: an interrupted run asks nothing twice."""
    salt: str = ""

    def open(self) -> ChatModel:
        """The model, opened anew. Raises what ``open_model`` raises."""
        return open_model(self.name, cache=self.cache, salt=self.salt, **self.options)
