"""The few functions of llama.cpp's C interface the local engine needs, bound by ctypes.

The ``xllamacpp`` wheel is a prebuilt llama.cpp without dependencies. Its Python interface has no
logits and no sequences, but its shared object exports the whole of ``llama.h``, so we call that.
A struct layout belongs to one build: the binding is pinned to one version of the wheel and, before
it calls anything with a struct, compares the defaults that library reports byte by byte with the
ones these layouts were written for.
"""

from __future__ import annotations

import ctypes as c
import importlib.util
import os
import threading
from functools import cache
from importlib import metadata
from pathlib import Path

from ...errors import MissingExtra, ModelUnavailable

PINNED = "2026.10.11549"
LIBRARY_VERSION = b"0.6.0-dev"
NO_TOKEN = -1

Pointer = c.c_void_p
Token = c.c_int32


class ModelParams(c.Structure):
    """``llama_model_params``; only ``n_gpu_layers`` is ever changed from its default."""

    _fields_ = (
        ("devices", Pointer),
        ("tensor_buft_overrides", Pointer),
        ("n_gpu_layers", c.c_int32),
        ("split_mode", c.c_int),
        ("load_mode", c.c_int),
        ("lazy_mode", c.c_int),
        ("main_gpu", c.c_int32),
        ("tensor_split", Pointer),
        ("progress_callback", Pointer),
        ("progress_callback_user_data", Pointer),
        ("kv_overrides", Pointer),
        ("vocab_only", c.c_bool),
        ("check_tensors", c.c_bool),
        ("use_extra_bufts", c.c_bool),
        ("no_host", c.c_bool),
        ("no_alloc", c.c_bool),
        ("load_mtp", c.c_bool),
    )


class ContextParams(c.Structure):
    """``llama_context_params``; ``reserved`` is a pointer of this build we leave at NULL."""

    _fields_ = (
        ("n_ctx", c.c_uint32),
        ("n_batch", c.c_uint32),
        ("n_ubatch", c.c_uint32),
        ("n_seq_max", c.c_uint32),
        ("n_rs_seq", c.c_uint32),
        ("n_outputs_max", c.c_uint32),
        ("n_outputs_max_per_seq", c.c_uint32),
        ("n_threads", c.c_int32),
        ("n_threads_batch", c.c_int32),
        ("ctx_type", c.c_int),
        ("rope_scaling_type", c.c_int),
        ("pooling_type", c.c_int),
        ("attention_type", c.c_int),
        ("flash_attn_type", c.c_int),
        ("rope_freq_base", c.c_float),
        ("rope_freq_scale", c.c_float),
        ("yarn_ext_factor", c.c_float),
        ("yarn_attn_factor", c.c_float),
        ("yarn_beta_fast", c.c_float),
        ("yarn_beta_slow", c.c_float),
        ("yarn_orig_ctx", c.c_uint32),
        ("defrag_thold", c.c_float),
        ("cb_eval", Pointer),
        ("cb_eval_user_data", Pointer),
        ("type_k", c.c_int),
        ("type_v", c.c_int),
        ("abort_callback", Pointer),
        ("abort_callback_data", Pointer),
        ("reserved", Pointer),
        ("embeddings", c.c_bool),
        ("offload_kqv", c.c_bool),
        ("no_perf", c.c_bool),
        ("op_offload", c.c_bool),
        ("swa_full", c.c_bool),
        ("kv_unified", c.c_bool),
        ("samplers", Pointer),
        ("n_samplers", c.c_size_t),
        ("ctx_other", Pointer),
    )


class Batch(c.Structure):
    """``llama_batch``: parallel arrays of ``n_tokens``."""

    _fields_ = (
        ("n_tokens", c.c_int32),
        ("token", c.POINTER(Token)),
        ("embd", Pointer),
        ("pos", c.POINTER(c.c_int32)),
        ("n_seq_id", c.POINTER(c.c_int32)),
        ("seq_id", c.POINTER(c.POINTER(c.c_int32))),
        ("logits", c.POINTER(c.c_int8)),
    )


class TokenData(c.Structure):
    """``llama_token_data``: a candidate token of a sampler."""

    _fields_ = (("id", Token), ("logit", c.c_float), ("p", c.c_float))


class TokenDataArray(c.Structure):
    """``llama_token_data_array``."""

    _fields_ = (
        ("data", c.POINTER(TokenData)),
        ("size", c.c_size_t),
        ("selected", c.c_int64),
        ("sorted", c.c_bool),
    )


_LogCallback = c.CFUNCTYPE(None, c.c_int, c.c_char_p, Pointer)


@_LogCallback
def _silent(level: int, text: bytes, data: int) -> None:
    """llama.cpp narrates its loading on stderr; nobody asked."""


SIGNATURES: dict[str, tuple[object, tuple[object, ...]]] = {
    "llama_version": (c.c_char_p, ()),
    "llama_log_set": (None, (_LogCallback, Pointer)),
    "llama_backend_init": (None, ()),
    "llama_model_load_from_file": (Pointer, (c.c_char_p, ModelParams)),
    "llama_model_free": (None, (Pointer,)),
    "llama_model_get_vocab": (Pointer, (Pointer,)),
    "llama_model_n_ctx_train": (c.c_int32, (Pointer,)),
    "llama_model_is_recurrent": (c.c_bool, (Pointer,)),
    "llama_model_is_hybrid": (c.c_bool, (Pointer,)),
    "llama_model_meta_val_str": (c.c_int32, (Pointer, c.c_char_p, c.c_char_p, c.c_size_t)),
    "llama_init_from_model": (Pointer, (Pointer, ContextParams)),
    "llama_free": (None, (Pointer,)),
    "llama_set_n_threads": (None, (Pointer, c.c_int32, c.c_int32)),
    "llama_n_ctx": (c.c_uint32, (Pointer,)),
    "llama_vocab_n_tokens": (c.c_int32, (Pointer,)),
    "llama_vocab_is_eog": (c.c_bool, (Pointer, Token)),
    "llama_vocab_is_control": (c.c_bool, (Pointer, Token)),
    "llama_vocab_bos": (Token, (Pointer,)),
    "llama_vocab_eos": (Token, (Pointer,)),
    "llama_vocab_eot": (Token, (Pointer,)),
    "llama_vocab_get_add_bos": (c.c_bool, (Pointer,)),
    "llama_tokenize": (
        c.c_int32,
        (Pointer, c.c_char_p, c.c_int32, c.POINTER(Token), c.c_int32, c.c_bool, c.c_bool),
    ),
    "llama_token_to_piece": (
        c.c_int32,
        (Pointer, Token, c.c_char_p, c.c_int32, c.c_int32, c.c_bool),
    ),
    "llama_get_memory": (Pointer, (Pointer,)),
    "llama_memory_clear": (None, (Pointer, c.c_bool)),
    "llama_memory_seq_rm": (c.c_bool, (Pointer, c.c_int32, c.c_int32, c.c_int32)),
    "llama_memory_seq_cp": (None, (Pointer, c.c_int32, c.c_int32, c.c_int32, c.c_int32)),
    "llama_decode": (c.c_int32, (Pointer, Batch)),
    "llama_get_logits_ith": (c.POINTER(c.c_float), (Pointer, c.c_int32)),
    "llama_sampler_init_grammar": (Pointer, (Pointer, c.c_char_p, c.c_char_p)),
    "llama_sampler_apply": (None, (Pointer, c.POINTER(TokenDataArray))),
    "llama_sampler_accept": (None, (Pointer, Token)),
    "llama_sampler_free": (None, (Pointer,)),
}

# What the pinned build's two default functions return, offset by offset.
_MODEL_DEFAULTS = bytes.fromhex(
    "00000000000000000000000000000000ffffffff01000000ffffffff01000000"
    + "00" * 40
    + "0000010000000000"
)
_CONTEXT_DEFAULTS = bytes.fromhex(
    "00020000000800000002000001000000000000000000000001000000040000000400000000000000"
    + "ff" * 16
    + "00" * 8
    + "000080bf" * 4
    + "00000000000080bf"
    + "00" * 16
    + "0100000001000000"
    + "00" * 24
    + "0001010101000000"
    + "00" * 24
)
_loading = threading.Lock()


class _Room(c.Structure):
    """More room than either struct needs, so that a larger one of another build does no harm."""

    _fields_ = (("bytes", c.c_uint8 * 512),)


def _defaults(library: c.CDLL, function: str, size: int) -> bytes:
    call = getattr(library, function)
    call.restype = _Room
    return bytes(call().bytes)[:size]


def model_params() -> ModelParams:
    """The library's default model parameters."""
    return ModelParams.from_buffer_copy(_MODEL_DEFAULTS)


def context_params() -> ContextParams:
    """The library's default context parameters."""
    return ContextParams.from_buffer_copy(_CONTEXT_DEFAULTS)


def _checked_path() -> Path:
    if importlib.util.find_spec("xllamacpp") is None:
        raise MissingExtra("xllamacpp", "local")
    version = metadata.version("xllamacpp")
    if version != PINNED:
        raise ModelUnavailable(
            f"The local engine is bound to xllamacpp {PINNED}, but {version} is installed."
            f" Install the one it knows with: pip install xllamacpp=={PINNED}"
        )
    for file in metadata.files("xllamacpp") or []:
        if file.name.startswith("xllamacpp.") and file.suffix in (".so", ".pyd", ".dylib"):
            return Path(str(file.locate()))
    raise ModelUnavailable("xllamacpp is installed without its shared library; reinstall it")


def _check_layout(library: c.CDLL) -> None:
    found = library.llama_version()
    model = _defaults(library, "llama_model_default_params", len(_MODEL_DEFAULTS))
    context = _defaults(library, "llama_context_default_params", len(_CONTEXT_DEFAULTS))
    if (found, model, context) != (LIBRARY_VERSION, _MODEL_DEFAULTS, _CONTEXT_DEFAULTS):
        raise ModelUnavailable(
            f"This build of xllamacpp {PINNED} (llama.cpp {found!r}) lays out its structs in a way"
            " the local engine does not know. Reinstall the wheel, or use an OpenAI-compatible"
            " server instead: --model http://127.0.0.1:8080/v1#NAME"
        )


@cache
def _library() -> c.CDLL:
    # OpenMP threads that spin while they wait starve every other process on the same cores: 3 to
    # 40 times slower when workers share them. It must be said before the runtime starts.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("GOMP_SPINCOUNT", "0")
    library = c.CDLL(str(_checked_path()))
    for name, (result, arguments) in SIGNATURES.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
    _check_layout(library)
    library.llama_log_set(_silent, None)
    library.llama_backend_init()
    return library


def load() -> c.CDLL:
    """The library with its signatures set, checked once a process."""
    with _loading:
        return _library()
