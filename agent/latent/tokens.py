"""Between text and tokens: a tokenizer of transformers, or one of single bytes for experiments."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib import import_module
from itertools import takewhile
from typing import Any, Protocol

from ...errors import ModelError
from ..models.base import Message
from ..models.chat_template import CHATML, ChatTemplate


class Tokenizer(Protocol):
    """What a backbone's text goes through."""

    @property
    def vocabulary(self) -> int:
        """How many tokens there are."""
        ...

    @property
    def ends(self) -> frozenset[int]:
        """The tokens that end an answer."""
        ...

    @property
    def turn_end(self) -> int | None:
        """The token that ends a turn of the chat template, if one does."""
        ...

    @property
    def pieces(self) -> Sequence[str]:
        """The text of each token by id; empty for control tokens."""
        ...

    def encode(self, text: str) -> list[int]:
        """The tokens of ``text``, with no control token that it does not contain."""
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """The text of tokens, control tokens left out."""
        ...

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """A conversation as the model knows it, up to where its answer begins.

        Raises ModelError if the model has no chat template.
        """
        ...


class HubTokenizer:
    """A tokenizer of transformers with the template it came with, or another."""

    def __init__(self, inner: Any, *, ends: frozenset[int], template: str | None = None) -> None:
        self._inner = inner
        self.ends = ends
        self._source: str | None = template or inner.chat_template
        self._pieces: Sequence[str] = ()

    @property
    def vocabulary(self) -> int:
        """How many tokens there are."""
        return len(self._inner)

    @property
    def turn_end(self) -> int | None:
        """The token that ends a turn of the chat template, if one does."""
        texts = {end: str(self._inner.convert_ids_to_tokens(end)) for end in sorted(self.ends)}
        written = [end for end, text in texts.items() if text in (self._source or "")]
        return next(iter([*written, *texts]), None)

    @property
    def pieces(self) -> Sequence[str]:
        """The text of each token by id; empty for control tokens."""
        if not self._pieces:
            ids = [[i] for i in range(len(self._inner))]
            self._pieces = self._inner.batch_decode(ids, **_PLAIN)
        return self._pieces

    @cached_property
    def _template(self) -> ChatTemplate:
        if self._source is None:
            raise ModelError(
                "This backbone has no chat template, so it can't be asked as a chat model: use its"
                " instruct version, or set tokenizer.chat_template in its folder."
            )
        inner = self._inner
        return ChatTemplate(
            self._source,
            control=[str(token) for token in inner.all_special_tokens],
            begin=str(inner.bos_token or ""),
            end=str(inner.eos_token or ""),
        )

    def encode(self, text: str) -> list[int]:
        """The tokens of ``text``, with no control token that it does not contain."""
        return self._inner.encode(text, add_special_tokens=False)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of tokens, control tokens left out."""
        return self._inner.decode(list(ids), **_PLAIN)

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """A conversation as the model knows it, up to where its answer begins."""
        return self.encode(self._template.render(messages))


def prompt_tail(tokenizer: Tokenizer) -> list[int]:
    """What the chat template writes behind every question; empty if there is no template."""
    try:
        one, other = (tokenizer.prompt([Message(role="user", content=text)]) for text in ("a", "0"))
    except ModelError:
        return []
    pairs = zip(reversed(one), reversed(other), strict=False)
    alike = takewhile(lambda pair: pair[0] == pair[1], pairs)
    return [token for token, _ in alike][::-1]


_PLAIN = {"skip_special_tokens": True, "clean_up_tokenization_spaces": False}


def hub_tokenizer(source: str, **options: str) -> HubTokenizer:
    """The tokenizer of a folder, a hub's name, or (``gguf_file``) a GGUF file."""
    transformers = import_module("transformers")
    inner = transformers.AutoTokenizer.from_pretrained(source, **options)
    try:  # instruct models may end a turn by more than one token
        listed: Any = transformers.GenerationConfig.from_pretrained(source).eos_token_id
    except OSError:
        listed = None
    ends: list[int | None] = [
        inner.eos_token_id,
        *(listed if isinstance(listed, list) else [listed]),
    ]
    return HubTokenizer(inner, ends=frozenset(end for end in ends if end is not None))


def byte_tokenizer(extra: Sequence[str] = ()) -> HubTokenizer:
    """One token a byte, ChatML's marks, and ``extra`` control tokens: for tiny backbones."""
    tokenizers = import_module("tokenizers")
    fast = import_module("transformers.tokenization_utils_tokenizers").PreTrainedTokenizerFast
    level = tokenizers.pre_tokenizers.ByteLevel
    letters = sorted(level.alphabet())
    made = tokenizers.Tokenizer(
        tokenizers.models.BPE({letter: i for i, letter in enumerate(letters)}, [])
    )
    made.pre_tokenizer = level(add_prefix_space=False, use_regex=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    marks = ["<|im_start|>", "<|im_end|>", *extra]
    inner = fast(
        tokenizer_object=made,
        bos_token=marks[0],
        eos_token=marks[1],
        pad_token=marks[1],
        additional_special_tokens=list(extra),
    )
    inner.chat_template = CHATML
    return HubTokenizer(inner, ends=frozenset({inner.eos_token_id}))
