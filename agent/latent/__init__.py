"""Memory as vectors: a weaver reads the model's state and emits latents into its decoding.

Everything here but the configuration needs the extra ``latent``, and is loaded when first asked
for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ...errors import MissingExtra
from .config import LatentConfig, LoraConfig, TriggerConfig, WeaverConfig
from .plan import Decision, Plan, Point

if TYPE_CHECKING:
    from .backbone import Backbone, open_backbone, tiny_backbone
    from .checkpoint import load_net, save_net
    from .forced import Forced, forced, token_logprobs
    from .generation import Always, ByTrigger, Generated, Never, Planned, Sampling, generate
    from .langchain_model import WovenChatModel
    from .net import WovenNet
    from .woven_model import WovenModel

_HOMES = {
    "backbone": ("Backbone", "open_backbone", "tiny_backbone"),
    "checkpoint": ("load_net", "save_net"),
    "forced": ("Forced", "forced", "token_logprobs"),
    "generation": (
        "Always",
        "ByTrigger",
        "Generated",
        "Never",
        "Planned",
        "Sampling",
        "generate",
    ),
    "langchain_model": ("WovenChatModel",),
    "net": ("WovenNet",),
    "woven_model": ("WovenModel",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Always",
    "Backbone",
    "ByTrigger",
    "Decision",
    "Forced",
    "Generated",
    "LatentConfig",
    "LoraConfig",
    "Never",
    "Plan",
    "Planned",
    "Point",
    "Sampling",
    "TriggerConfig",
    "WeaverConfig",
    "WovenChatModel",
    "WovenModel",
    "WovenNet",
    "forced",
    "generate",
    "load_net",
    "open_backbone",
    "save_net",
    "tiny_backbone",
    "token_logprobs",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        home = import_module(f"{__name__}.{_HOME[name]}")
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in ("torch", "transformers", "safetensors"):
            raise
        raise MissingExtra(missing, "latent") from error
    return getattr(home, name)
