"""A GBNF grammar that says which token may come next, by llama.cpp's own parser."""

from __future__ import annotations

import ctypes as c
import weakref

import numpy as np
from numpy.typing import NDArray

from ...errors import SettingsError
from . import llama_api as api

_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])


class LlamaGrammar:
    """The state of a grammar while a text is generated."""

    def __init__(self, library: c.CDLL, vocab: int, size: int, gbnf: str) -> None:
        self._lib = library
        sampler = library.llama_sampler_init_grammar(vocab, gbnf.encode(), b"root")
        if not sampler:
            raise SettingsError(f"llama.cpp does not read this grammar:\n{gbnf}")
        self._sampler: int = sampler
        weakref.finalize(self, library.llama_sampler_free, sampler).atexit = False
        self._all = np.zeros(size, _CANDIDATE)

    def allows(self, token: int) -> bool:
        """Whether ``token`` may come next; much quicker than `allowed`."""
        one = np.zeros(1, _CANDIDATE)
        one["id"] = token
        self._apply(one)
        return bool(np.isfinite(one["logit"][0]))

    def allowed(self) -> NDArray[np.bool_]:
        """(vocabulary,) which tokens may come next."""
        self._all["id"] = np.arange(len(self._all))
        self._all["logit"] = 0
        self._apply(self._all)
        allowed = np.zeros(len(self._all), bool)
        allowed[self._all["id"]] = np.isfinite(self._all["logit"])
        return allowed

    def accept(self, token: int) -> None:
        """Move on past ``token``, which must be allowed and not end the message."""
        self._lib.llama_sampler_accept(self._sampler, token)

    def _apply(self, candidates: NDArray[np.void]) -> None:
        array = api.TokenDataArray()
        array.data = candidates.ctypes.data_as(c.POINTER(api.TokenData))
        array.size = len(candidates)
        array.selected = -1
        self._lib.llama_sampler_apply(self._sampler, c.byref(array))
