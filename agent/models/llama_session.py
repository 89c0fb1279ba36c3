"""A GGUF model in memory with one context: prompts whose beginning stays computed, and trees.

What a prompt's logits are must not depend on what was computed before it, or a game could not be
played twice. On a CPU three things break that, and quantised activations blow the difference up to
0.6 in a logit: a step of a single row takes other kernels (so it gets a pad row), and so does flash
attention from 64 rows on (so it is either off, or given 63). Left is the order in which attention
sums over cells: a candidate's score differs by about 0.1 nats with the other candidates in its
list. Flash attention sums in the order of the sequence; with it (``exact``) a candidate's score is
the same in any list, and prompts of 1,000 tokens take a quarter longer.
"""

from __future__ import annotations

import ctypes as c
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import ContextOverflow, ModelError, ModelUnavailable
from . import llama_api as api
from .llama_grammar import LlamaGrammar
from .token_trie import ROOT, Ask, Trie, common_prefix

Logits = NDArray[np.float32]
CONTEXT_TOKENS = 4096
ROWS = 63  # rows computed at once: as quick as 512 on a CPU, with an eighth of the buffers
SEQUENCES = 64  # sequence 0 is the prompt, the last is the pad row's
PAD = SEQUENCES - 1
MAX_CANDIDATES = SEQUENCES - 2


class LlamaSession:
    """One loaded model. Not thread-safe: the caller holds a lock."""

    def __init__(
        self, path: Path, *, threads: int, context_tokens: int | None = None, exact: bool = False
    ) -> None:
        """Load ``path``. Without ``context_tokens`` it is 4,096, or less if trained for less."""
        self._lib = api.load()
        params = api.model_params()
        params.n_gpu_layers = 0
        model = self._lib.llama_model_load_from_file(str(path).encode(), params)
        if not model:
            raise ModelUnavailable(f"{path} is not a model llama.cpp {api.PINNED} can load")
        self._model: int = model
        trained = int(self._lib.llama_model_n_ctx_train(model))
        if context_tokens is None:
            context_tokens = min(CONTEXT_TOKENS, trained)
        context = None
        if context_tokens <= trained:
            context = self._open_context(context_tokens, threads, exact)
        if not context:
            self._lib.llama_model_free(model)
            raise ModelUnavailable(
                f"{path.name} was trained for a context of {trained} tokens, and {context_tokens}"
                " could not be had; ask for fewer context_tokens"
            )
        self._context: int = context
        self._close = weakref.finalize(self, _free, self._lib, context, model)
        self._close.atexit = False  # a thread may still be computing when the process ends
        self._memory: int = self._lib.llama_get_memory(context)
        self._vocab: int = self._lib.llama_model_get_vocab(model)
        if self._lib.llama_model_is_recurrent(model) or self._lib.llama_model_is_hybrid(model):
            self.close()
            raise ModelUnavailable(f"{path} is a recurrent model; the local engine needs attention")
        self.size: int = self._lib.llama_vocab_n_tokens(self._vocab)
        self.context_tokens = context_tokens
        self._held: list[int] = []  # the tokens of sequence 0 whose keys and values are computed
        self._next: Logits | None = None  # the logits after them
        self.turn = 0  # counts prompts: who finds it changed must set its own prompt again

    def _open_context(self, context_tokens: int, threads: int, exact: bool) -> int | None:
        params = api.context_params()
        params.n_ctx = context_tokens
        params.n_batch = params.n_ubatch = ROWS + 1  # at least as many as sequences
        params.n_seq_max = SEQUENCES
        params.n_threads = params.n_threads_batch = threads
        params.flash_attn_type = int(exact)
        params.kv_unified = True
        return self._lib.llama_init_from_model(self._model, params)

    def close(self) -> None:
        """Free the model; calling again does nothing."""
        self._close()

    @property
    def closed(self) -> bool:
        """Whether the model was freed."""
        return not self._close.alive

    # Text and tokens

    def metadata(self, key: str) -> str | None:
        """A string of the file's metadata, None if it has no such key."""
        size = self._lib.llama_model_meta_val_str(self._model, key.encode(), None, 0)
        if size < 0:
            return None
        buffer = c.create_string_buffer(size + 1)
        self._lib.llama_model_meta_val_str(self._model, key.encode(), buffer, size + 1)
        return buffer.value.decode("utf-8", "replace")

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        """Tokens of ``text``; with ``special`` its control tokens are read as such."""
        raw = text.encode("utf-8", "replace")
        room = len(raw) + 8
        buffer = (api.Token * room)()
        count = self._lib.llama_tokenize(self._vocab, raw, len(raw), buffer, room, False, special)
        if count < 0:
            raise ModelError(f"The tokenizer failed on a text of {len(raw)} bytes")
        return list(buffer[:count])

    def piece(self, token: int, *, special: bool = False) -> bytes:
        """The bytes a token stands for; a control token is empty unless ``special``."""
        buffer = c.create_string_buffer(64)
        size = self._lib.llama_token_to_piece(self._vocab, token, buffer, 64, 0, special)
        if size < 0:
            buffer = c.create_string_buffer(-size)
            size = self._lib.llama_token_to_piece(self._vocab, token, buffer, -size, 0, special)
        return buffer.raw[:size]

    def ends(self, token: int) -> bool:
        """Whether ``token`` ends a message."""
        return bool(self._lib.llama_vocab_is_eog(self._vocab, token))

    def control(self, token: int) -> bool:
        """Whether ``token`` is a control token, such as the end of a turn."""
        return bool(self._lib.llama_vocab_is_control(self._vocab, token))

    def end_token(self) -> int:
        """The token that ends an assistant's turn."""
        turn = self._lib.llama_vocab_eot(self._vocab)
        return int(turn if turn != api.NO_TOKEN else self._lib.llama_vocab_eos(self._vocab))

    def begin_token(self) -> int | None:
        """The token every prompt of this model begins with, if it has one."""
        if not self._lib.llama_vocab_get_add_bos(self._vocab):
            return None
        return int(self._lib.llama_vocab_bos(self._vocab))

    # Computing

    def prompt(self, tokens: Sequence[int]) -> tuple[Logits, int]:
        """Logits after ``tokens``, and how many of them were computed already.

        The longest beginning shared with the previous prompt is not computed again.
        """
        if not tokens:
            raise ModelError("A prompt needs at least one token")
        if len(tokens) > self.context_tokens:
            raise ContextOverflow(
                f"The prompt has {len(tokens)} tokens, the context {self.context_tokens}."
                " Shorten it, or open the model with more context_tokens."
            )
        self.turn += 1
        if self._next is not None and self._held == list(tokens):
            self._truncate(len(tokens))
            return self._next, len(tokens)
        kept = min(common_prefix(self._held, tokens), len(tokens) - 1)
        self._truncate(kept)
        self._next = None
        for start, stop in _rows(kept, len(tokens)):
            self._decode(tokens[start:stop], range(start, stop), [[0]] * (stop - start), stop - 1)
            self._held.extend(tokens[start:stop])
        self._next = self._logits(-1).copy()
        return self._next, kept

    def append(self, token: int, position: int) -> Logits:
        """Logits after one more generated token; valid until the next call.

        What was generated is not kept for the next prompt, because it was computed row by row.
        """
        if position >= self.context_tokens:
            raise ContextOverflow(f"The context of {self.context_tokens} tokens is full")
        self._decode([token], [position], [[0]], position, pad=False)
        return self._logits(-1)

    def tree(self, trie: Trie) -> Iterator[tuple[Ask, float]]:
        """The log-probability of every ask of ``trie`` after the prompt last computed."""
        if self._next is None:
            raise ModelError("tree() needs a prompt first")
        start = len(self._held)
        used = range(1, len(trie.candidates) + 1)
        asks: dict[int, list[Ask]] = {}
        for ask in trie.asks:
            asks.setdefault(ask.node, []).append(ask)
        yield from _read(self._next, asks.get(ROOT, []))
        for sequence in used:
            self._lib.llama_memory_seq_cp(self._memory, 0, sequence, 0, -1)
        try:
            for first, last in _rows(0, len(trie.nodes)):
                nodes = trie.nodes[first:last]
                self._decode(
                    [n.token for n in nodes],
                    [start + n.depth for n in nodes],
                    [[s + 1 for s in n.sequences] for n in nodes],
                    [n.asked for n in nodes],
                )
                for row in range(len(nodes)):
                    if nodes[row].asked:
                        yield from _read(self._logits(row), asks[first + row])
        finally:
            for sequence in used:
                self._lib.llama_memory_seq_rm(self._memory, sequence, -1, -1)

    def grammar(self, gbnf: str) -> LlamaGrammar:
        """A grammar over this model's tokens."""
        return LlamaGrammar(self._lib, self._vocab, self.size, gbnf)

    def _truncate(self, kept: int) -> None:
        """Keep the first ``kept`` tokens, and nothing that was generated after them."""
        self._lib.llama_memory_seq_rm(self._memory, 0, kept, -1)
        del self._held[kept:]

    def _logits(self, row: int) -> Logits:
        pointer = self._lib.llama_get_logits_ith(self._context, row)
        if not pointer:
            raise ModelError(f"llama.cpp gave no logits for row {row}")
        return np.ctypeslib.as_array(pointer, (self.size,))

    def _decode(
        self,
        tokens: Sequence[int],
        positions: Sequence[int],
        sequences: Sequence[Sequence[int]],
        outputs: Sequence[bool] | int,
        *,
        pad: bool = True,
    ) -> None:
        """Compute rows; ``outputs`` marks those whose logits are wanted, or is a position."""
        wanted = [p == outputs for p in positions] if isinstance(outputs, int) else outputs
        padded = pad and len(tokens) == 1
        if padded:
            tokens, positions = [*tokens, tokens[0]], [*positions, 0]
            sequences, wanted = [*sequences, [PAD]], [*wanted, False]
        failed = self._lib.llama_decode(self._context, _batch(tokens, positions, sequences, wanted))
        if padded:
            self._lib.llama_memory_seq_rm(self._memory, PAD, -1, -1)
        if failed:
            self._lib.llama_memory_clear(self._memory, False)
            self._held, self._next = [], None
            if failed == 1:
                raise ContextOverflow(
                    f"The context of {self.context_tokens} tokens is full;"
                    " shorten the prompt, or open the model with more context_tokens."
                )
            raise ModelError(f"llama.cpp could not compute {len(tokens)} tokens (code {failed})")


def _batch(
    tokens: Sequence[int],
    positions: Sequence[int],
    sequences: Sequence[Sequence[int]],
    wanted: Sequence[bool],
) -> api.Batch:
    count = len(tokens)
    owners = [(c.c_int32 * len(s))(*s) for s in sequences]
    batch = api.Batch()
    batch.n_tokens = count
    batch.token = (api.Token * count)(*tokens)
    batch.pos = (c.c_int32 * count)(*positions)
    batch.n_seq_id = (c.c_int32 * count)(*[len(s) for s in sequences])
    # cast() keeps the array it was given alive, and the batch keeps these
    batch.seq_id = (c.POINTER(c.c_int32) * count)(
        *[c.cast(o, c.POINTER(c.c_int32)) for o in owners]
    )
    batch.logits = (c.c_int8 * count)(*[int(w) for w in wanted])
    return batch


def _free(library: c.CDLL, context: int, model: int) -> None:
    library.llama_free(context)
    library.llama_model_free(model)


def _rows(start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Split into pieces of at most ``ROWS`` and about equal size: small ones cost more a row."""
    pieces = -(-(stop - start) // ROWS)
    for piece in range(pieces):
        first = start + (stop - start) * piece // pieces
        yield first, start + (stop - start) * (piece + 1) // pieces


def log_normaliser(logits: Logits) -> float:
    """log sum exp of the logits: log p(token) = logit - normaliser."""
    top = float(logits.max())
    return top + float(np.log(np.exp(logits - top).sum(dtype=np.float64)))


def _read(logits: Logits, asks: Sequence[Ask]) -> Iterator[tuple[Ask, float]]:
    if not asks:
        return
    normaliser = log_normaliser(logits)
    for ask in asks:
        yield ask, float(logits[ask.token]) - normaliser
