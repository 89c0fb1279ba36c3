"""A frozen causal language model of transformers, and nothing of it that depends on its family."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from ...errors import MissingExtra, ModelError, ModelUnavailable
from ..models.weights import bundled_weights
from .tokens import Tokenizer, hub_tokenizer, prompt_tail

BUNDLED = "local"
"""The source that means the model of the installed weights package."""


@dataclass(frozen=True)
class Masks:
    """Additive attention masks (R, 1, n, keys); ``sliding`` where layers see a window only."""

    full: Tensor
    sliding: Tensor | None


class Cache(Protocol):
    """What the backbone's attention asks of a cache."""

    def update(
        self, keys: Tensor, values: Tensor, layer: int, *_: object, **__: object
    ) -> tuple[Tensor, Tensor]:
        """Store keys and values (R, heads, n, d_head); give back all, (R, heads, keys, d_head)."""
        ...

    def get_seq_length(self, layer: int = 0) -> int:
        """How many keys there are."""
        ...


class Backbone:
    """The reasoner: frozen, in evaluation mode, fed with embeddings under masks of our own.

    ``source`` is what `open_backbone` takes. Raises ModelError for a model whose layers are not
    attention over keys and values, or whose logits are not found from its last states.
    """

    def __init__(self, model: Any, tokenizer: Tokenizer | None, source: str) -> None:
        self.model: nn.Module = model.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.source = source
        config = model.config.get_text_config()
        self.config: dict[str, Any] = config.to_dict()
        self.dim = int(config.hidden_size)
        self.vocabulary = int(config.vocab_size)
        self.context_tokens = int(config.max_position_embeddings)
        self._embed: nn.Module = model.get_input_embeddings()
        self._decoder: Any = model.get_decoder()
        self._head: nn.Module = model.get_output_embeddings()
        kinds: set[str] = set(getattr(config, "layer_types", None) or ())
        unknown = kinds - {"full_attention", "sliding_attention"}
        if unknown:
            raise ModelError(f"{source} has layers of {sorted(unknown)}, which take no latents.")
        window = getattr(config, "sliding_window", None)
        slides = "sliding_attention" in kinds if kinds else window is not None
        self.window: int | None = int(window) if slides and window is not None else None
        self._mixed = bool(kinds)
        self._check_head()
        layers: list[str] = [name for name, _ in model.named_modules()]
        self.rotary = any("rotary" in name for name in layers)
        """Positions turn keys and queries, and may be below 0; else they are looked up."""
        self.embedding_rms = float(self._embedding_rms())
        self._fingerprint: str | None = None

    @property
    def device(self) -> torch.device:
        """Where its weights lie."""
        return next(self.model.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """What it computes in."""
        return next(self.model.parameters()).dtype

    @property
    def ends(self) -> frozenset[int]:
        """The tokens that end an answer."""
        return self.tokenizer.ends if self.tokenizer is not None else frozenset()

    @cached_property
    def prompt_tail(self) -> list[int]:
        """The tokens that the chat template writes behind every question."""
        return prompt_tail(self.tokenizer) if self.tokenizer is not None else []

    @property
    def fingerprint(self) -> str:
        """The hash of its weights and shape, the same in float32 and bfloat16."""
        if self._fingerprint is None:
            self._fingerprint = self.digest(torch.bfloat16)
        return self._fingerprint

    def digest(self, dtype: torch.dtype | None = None) -> str:
        """The hash of its weights' bytes as they are, or cast to ``dtype``, and of its shape."""
        shape = {
            name: self.config.get(name)
            for name in (
                "model_type",
                "num_attention_heads",
                "num_key_value_heads",
                "rope_parameters",
            )
        }
        found = hashlib.sha256(json.dumps(shape, sort_keys=True, default=str).encode())
        for name, weight in sorted(self.model.state_dict().items()):
            found.update(f"{name}{tuple(weight.shape)}".encode())
            flat = weight.detach().to("cpu", dtype or weight.dtype).contiguous()
            found.update(flat.view(torch.uint8).numpy().data)
        return found.hexdigest()

    def embed(self, ids: Tensor) -> Tensor:
        """Input embeddings of tokens (...), (..., d)."""
        return self._embed(ids.to(self.device))

    def logits(self, states: Tensor) -> Tensor:
        """Logits (..., vocabulary) of last hidden states (..., d), in float32.

        What families do to them beyond the linear map is done here, too (Gemma 2's soft cap,
        Granite's and Cohere's scales).
        """
        logits = self._head(states).float()
        if (cap := self.config.get("final_logit_softcapping")) is not None:
            logits = cap * torch.tanh(logits / cap)
        if (factor := self.config.get("logit_scale")) is not None:
            logits = logits * factor
        if (divisor := self.config.get("logits_scaling")) is not None:
            logits = logits / divisor
        return logits

    def run(self, inputs: Tensor, masks: Masks, positions: Tensor, cache: Cache) -> Tensor:
        """Last hidden states (R, n, d) of ``inputs`` (R, n, d) at ``positions`` (R, n)."""
        mask: Any = masks.full if masks.sliding is None else masks.sliding
        if self._mixed and masks.sliding is not None:
            mask = {"full_attention": masks.full, "sliding_attention": masks.sliding}
        return self._decoder(
            inputs_embeds=inputs.to(self.dtype),
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
        ).last_hidden_state

    @torch.no_grad()
    def _check_head(self) -> None:
        """A family whose logits take another way than ours must not go unnoticed."""
        ids = torch.arange(4, device=self.device)[None] % self.vocabulary
        model: Any = self.model
        theirs = model(input_ids=ids).logits.float()
        ours = self.logits(self._decoder(input_ids=ids).last_hidden_state)
        if not torch.allclose(ours, theirs, rtol=1e-2, atol=1e-3):
            kind = self.config.get("model_type")
            raise ModelError(f"{self.source}: models of type {kind} find logits in an unknown way.")

    @torch.no_grad()
    def _embedding_rms(self) -> Tensor:
        """The root mean square entry of the embeddings, over (at most 4,096 of) the vocabulary."""
        step = max(1, self.vocabulary // 4096)
        return self.embed(torch.arange(0, self.vocabulary, step)).float().square().mean().sqrt()


def open_backbone(
    source: str = BUNDLED, *, dtype: torch.dtype = torch.float32, device: str = "cpu"
) -> Backbone:
    """Load a model: ``local`` (SmolLM2-135M-Instruct), a GGUF file, a folder, or a hub's name.

    Raises ModelUnavailable for what is not there, MissingExtra for what reading it lacks.
    """
    folder, options = _place(source)
    try:
        auto = import_module("transformers").AutoModelForCausalLM
        model = auto.from_pretrained(folder, dtype=dtype, **options)
        tokenizer = hub_tokenizer(folder, **options)
    except ImportError as error:
        raise MissingExtra("transformers, or what it needs for this file,", "latent") from error
    except (OSError, ValueError) as error:
        raise ModelUnavailable(f"The backbone {source} can't be loaded: {error}") from error
    return Backbone(model.to(device), tokenizer, source)


def _place(source: str) -> tuple[str, dict[str, str]]:
    """The folder or name to load from, and the file in it if it is a GGUF file."""
    path = bundled_weights(convert=False).path if source == BUNDLED else Path(source).expanduser()
    if path.suffix != ".gguf":
        return (str(path) if path.is_dir() else source), {}
    if not path.is_file():
        raise ModelUnavailable(f"There is no model file {path}")
    return str(path.parent), {"gguf_file": path.name}


def tiny_backbone(
    tokenizer: Tokenizer | None = None,
    *,
    vocabulary: int = 64,
    dim: int = 64,
    layers: int = 2,
    heads: int = 4,
    context_tokens: int = 512,
    seed: int = 0,
) -> Backbone:
    """A Llama of random weights for tests and experiments; with a tokenizer, of its vocabulary.

    Unfreeze ``model`` to pretrain it; `Backbone` it anew afterwards.
    """
    llama = import_module("transformers.models.llama")
    config = llama.LlamaConfig(
        vocab_size=tokenizer.vocabulary if tokenizer is not None else vocabulary,
        hidden_size=dim,
        intermediate_size=3 * dim,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        max_position_embeddings=context_tokens,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=None,
    )
    random: Any = torch.random
    with random.fork_rng(devices=[]):
        random.manual_seed(seed)
        model = llama.LlamaForCausalLM(config)
    return Backbone(model, tokenizer, f"tiny-{dim}x{layers}-{seed}")
