"""What a latent weaver is made of, as plain values: they travel with its weights."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal, cast

from pydantic import Field, model_validator

from ...errors import SettingsError
from ...memory.records import Frozen

PREFIX_GIB = 4.0
"""What training keeps of prompts, at most; with SmolLM2 in float32 that is 93,000 tokens."""

Kind = Literal["prompt", "inner"]
"""Where latents stand: at the end of a prompt, or within an answer."""

KINDS: tuple[Kind, ...] = ("prompt", "inner")

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
MLP = ("gate_proj", "up_proj", "down_proj")


class LoraConfig(Frozen):
    """A low-rank delta on linear layers: W x + (alpha / rank) B A x (LoRA, arXiv 2106.09685)."""

    rank: int = Field(default=16, ge=1)
    alpha: float = Field(default=32.0, gt=0)
    targets: tuple[str, ...] = Field(
        default=(*ATTENTION, *MLP), min_length=1, description="last names of the linear layers"
    )


class WeaverConfig(Frozen):
    """How latents are made, and where they go."""

    prompt_latents: int = Field(default=8, ge=0, description="K at a prompt's end; 0 for none")
    inner_latents: int = Field(default=8, ge=0, description="K at a point of the answer; or 0")
    inner_points: int = Field(default=3, ge=0, description="insertions in one answer, at most")
    reads: Literal["cache", "hidden", "embeddings"] = Field(
        default="cache",
        description="what the weaver reads: the reasoner's states in all layers, through its keys "
        "and values; its last hidden states; or its input embeddings (as MemGen's code does)",
    )
    writes: Literal["cache", "embeddings"] = Field(
        default="cache",
        description="what it leaves: the queries' own keys and values in all layers, or vectors "
        "that enter the reasoner as embeddings do (as MemGen has it, and all that a weaver which "
        "does not read the cache can do)",
    )
    queries: Literal["reread", "learned"] = Field(
        default="reread",
        description="what is read for the latents: the last K tokens again, now with the delta and "
        "the memory, each with a learned vector added that is 0 at first; or learned vectors alone "
        "(as MemGen has it, and all that a weaver which does not read the cache can do)",
    )
    lora: LoraConfig | None = Field(
        default=LoraConfig(), description="None: queries and heads only"
    )
    gate: float = Field(default=0.5, gt=0, lt=1, description="what the gate opens at")
    backbone: str | None = Field(
        default=None, description="another model to weave with; None is the reasoner itself"
    )

    @model_validator(mode="before")
    @classmethod
    def _as_it_can(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        fields = cast(dict[str, Any], given)
        reads_cache = fields.get("reads", "cache") == "cache"
        other = {"writes": "embeddings", "queries": "learned"}
        return fields if reads_cache else {**other, **fields}

    @model_validator(mode="after")
    def _makes_sense(self) -> WeaverConfig:
        if not self.latents("prompt") and not self.latents("inner"):
            raise SettingsError(
                "A weaver with no latents weaves nothing: set prompt_latents, or inner_latents and"
                " inner_points, above 0, or do without a weaver."
            )
        if self.backbone is not None and (self.reads == "cache" or self.writes == "cache"):
            raise SettingsError(
                "A weaver of another backbone can't share the reasoner's cache: set reads to"
                ' "hidden" or "embeddings", and writes to "embeddings".'
            )
        if self.writes == "cache" and self.reads != "cache":
            raise SettingsError('A weaver that writes to the cache reads it, too: reads="cache".')
        if self.queries == "reread" and self.reads != "cache":
            raise SettingsError(
                'Only a weaver that shares the cache reads tokens again: reads="cache", or'
                ' queries="learned".'
            )
        return self

    def latents(self, kind: Kind) -> int:
        """K, the latents at a point of ``kind``; 0 if there are no such points."""
        if kind == "prompt":
            return self.prompt_latents
        return self.inner_latents if self.inner_points else 0


class TriggerConfig(Frozen):
    """The scalar heads that decide at a point. ``lora`` costs one more position a point."""

    rate: float = Field(default=0.5, gt=0, lt=1, description="how likely an untrained one inserts")
    lora: LoraConfig | None = None


class LatentConfig(Frozen):
    """Weaver and trigger together, with the marks after which an answer may be added to."""

    weaver: WeaverConfig = WeaverConfig()
    trigger: TriggerConfig = TriggerConfig()
    delimiters: tuple[str, ...] = Field(default=(",", ".", "\n"), min_length=1)
    seed: int = Field(default=0, ge=0, description="of the weights' first values")

    def digest(self) -> str:
        """The configuration's hash, in hexadecimal."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()
