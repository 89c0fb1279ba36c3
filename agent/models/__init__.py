"""Frozen language models behind one protocol: local, behind an API, scripted, or none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict, Unpack

from pydantic import JsonValue

from ...errors import SettingsError
from .base import (
    ChatModel,
    Message,
    Reply,
    Scores,
    ScoringModel,
    ToolCall,
    ToolSpec,
    Usage,
)
from .ledger import Budget, Ledger, Totals, metered

if TYPE_CHECKING:
    from .api_model import Backend

__all__ = [
    "Budget",
    "ChatModel",
    "Ledger",
    "Message",
    "Reply",
    "Scores",
    "ScoringModel",
    "ToolCall",
    "ToolSpec",
    "Totals",
    "Usage",
    "open_model",
]


class Options(TypedDict, total=False):
    """What can be set of a model. An option that a kind of model does not have is an error.

    Local: ``threads``, ``context_tokens``, ``exact``, ``end_of_turn``, ``convert``.
    OpenAI-compatible: ``api_key``, ``base_url``, ``usd_per_million`` (prompt, completion),
    ``timeout`` (seconds), ``attempts``, ``logprobs``, ``context_tokens``.
    litellm: ``api_key``, ``timeout``, ``attempts``, ``logprobs``, ``context_tokens``, ``litellm``
    (more arguments of its call).
    Woven: ``weave`` ("told": only what messages marked as latent ask for), ``threads``.
    """

    threads: int | None
    context_tokens: int
    exact: bool
    end_of_turn: bool
    convert: bool
    api_key: str
    base_url: str
    usd_per_million: tuple[float, float]
    timeout: float
    attempts: int
    logprobs: bool
    litellm: dict[str, JsonValue]
    weave: Literal["always", "told"]


_LOCAL = frozenset({"threads", "context_tokens", "exact", "end_of_turn", "convert"})
_ANY_API = frozenset({"api_key", "timeout", "attempts", "logprobs", "context_tokens"})
_OPENAI = _ANY_API | {"base_url", "usd_per_million"}
_LITELLM = _ANY_API | {"litellm"}


def open_model(
    name: str,
    *,
    cache: Path | None = None,
    salt: str = "",
    ledger: Ledger | None = None,
    budget: Budget | None = None,
    **options: Unpack[Options],
) -> ChatModel:
    """The model called ``name``; what it needs is imported only now.

    - ``local``: SmolLM2-135M-Instruct from its package; ``local:/path.gguf``: any GGUF file
    - ``openai/NAME``: OpenAI's, or of ``base_url``; ``http(s)://host/v1#NAME``: any server that
      speaks its protocol
    - ``woven:DIR``: a trained weaver on its backbone (see `reverie.agent.latent`)
    - ``scripted:REPLY|REPLY``: says these in turn, over and over; ``none``: no model
    - anything else is a litellm model string

    ``cache`` is the file of the response cache (``salt`` makes it ask anew), ``ledger`` adds up
    what is consumed, ``budget`` limits that.
    """
    model = _bare(name, options)
    if cache is not None:
        from .response_cache import ResponseCache, cached

        model = cached(model, ResponseCache(cache), salt)
    if ledger is not None or budget is not None:
        model = metered(model, ledger or Ledger(), budget)
    return model


def _bare(name: str, options: Options) -> ChatModel:
    head, _, rest = name.partition(":")
    if name == "none":
        from .scripted import NoModel

        _only(name, options, frozenset())
        return NoModel()
    if head == "scripted":
        from .scripted import ScriptedModel

        _only(name, options, frozenset())
        return ScriptedModel(rest.split("|"), loop=True)
    if head == "local":
        return _local(name, rest, options)
    if head == "woven":
        from ..latent import WovenModel

        _only(name, options, frozenset({"weave", "threads"}))
        return WovenModel.open(
            rest, weave=options.get("weave", "always"), threads=options.get("threads")
        )
    if head in ("http", "https"):
        url, _, model = name.partition("#")
        if not model:
            raise SettingsError(f"{name} names no model; write {name}#NAME")
        return _openai(name, model, {"base_url": url, **options})
    if name.startswith("openai/"):
        return _openai(name, name.removeprefix("openai/"), options)
    return _litellm(name, options)


def _local(name: str, path: str, options: Options) -> ChatModel:
    from .local import LocalModel

    _only(name, options, _LOCAL)
    return LocalModel(
        path or None,
        threads=options.get("threads"),
        context_tokens=options.get("context_tokens"),
        exact=options.get("exact", False),
        end_of_turn=options.get("end_of_turn", True),
        convert=options.get("convert", True),
    )


def _openai(name: str, model: str, options: Options) -> ChatModel:
    from .openai_backend import OpenAIBackend

    _only(name, options, _OPENAI)
    backend = OpenAIBackend(
        model,
        base_url=options.get("base_url"),
        api_key=options.get("api_key"),
        usd_per_million=options.get("usd_per_million"),
        timeout=options.get("timeout", 120.0),
    )
    return _over(backend, options)


def _litellm(name: str, options: Options) -> ChatModel:
    from .litellm_backend import LitellmBackend

    _only(name, options, _LITELLM)
    backend = LitellmBackend(
        name,
        api_key=options.get("api_key"),
        timeout=options.get("timeout", 120.0),
        options=options.get("litellm"),
    )
    return _over(backend, options)


def _over(backend: Backend, options: Options) -> ChatModel:
    from .api_model import ApiModel
    from .retry import RetryPolicy

    return ApiModel(
        backend,
        context_tokens=options.get("context_tokens"),
        retry=RetryPolicy(attempts=options.get("attempts", 4)),
        logprobs=options.get("logprobs", False),
    )


def _only(name: str, options: Mapping[str, object], known: frozenset[str]) -> None:
    unknown = sorted(set(options) - known)
    if unknown:
        have = ", ".join(sorted(known)) or "none"
        raise SettingsError(f"{name} has no option {', '.join(unknown)}; it has {have}")
