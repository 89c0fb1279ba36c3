"""Async twins: the same verb, run in a thread, so that its logic has no second copy."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")


def twin(verb: Callable[_P, _R]) -> Callable[_P, Coroutine[object, object, _R]]:
    """The async form of a blocking verb."""

    @functools.wraps(verb)
    async def run(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        return await asyncio.to_thread(verb, *args, **kwargs)

    return run
