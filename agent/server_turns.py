"""Who is served when: a limit on requests in flight, and one reply at a time for each user.

A service blocks, so each reply is made in one worker thread from its first call to its last: what
it opens belongs to that thread. The thread stops at the next piece once the client has left or
the server is stopping, and until it has, the user's next request waits.
"""

from __future__ import annotations

import math
import threading
from collections import defaultdict
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from functools import cached_property
from typing import Self

import anyio
import anyio.from_thread
import anyio.to_thread

from .models.base import Usage
from .server import Closable, Reply


class Full(Exception):
    """As many requests are in flight as there may be."""


class Stopping(Exception):
    """The server is shutting down."""


class Turn:
    """One reply as it is made: iterate for its pieces; then ``usage`` and ``sources`` are known.

    What the service raised is raised by the iteration.
    """

    def __init__(self, ask: Callable[[], Reply], stopping: threading.Event) -> None:
        self.usage = Usage()
        self.sources: tuple[str, ...] = ()
        self._ask = ask
        self._stopping = stopping
        self._error: Exception | None = None
        # No limit: a reply is small, and a client that reads slowly must not hold up the thread.
        self._send, self._pieces = anyio.create_memory_object_stream[str](math.inf)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        try:
            return await self._pieces.receive()
        except anyio.EndOfStream:
            if self._error is not None:
                raise self._error from None
            raise StopAsyncIteration from None

    async def make(self, mine: anyio.Lock, threads: anyio.CapacityLimiter) -> None:
        """Make the reply when it is this one's turn. Ends after its thread has."""
        try:
            async with mine:
                await anyio.to_thread.run_sync(self._work, limiter=threads)
        except Exception as error:
            self._error = error
        finally:
            self._send.close()

    def leave(self) -> None:
        """Take no further piece: the thread ends at its next one."""
        self._pieces.close()

    def _work(self) -> None:
        self._check()
        reply = self._ask()
        pieces = iter(reply)
        try:
            for piece in pieces:
                self._check()
                # Raises when nobody takes pieces any more.
                anyio.from_thread.run_sync(self._send.send_nowait, piece)
            self.usage, self.sources = reply.usage, tuple(reply.sources)
        finally:
            if isinstance(pieces, Closable):
                pieces.close()

    def _check(self) -> None:
        if self._stopping.is_set():
            raise Stopping


class Desk:
    """Serves at most ``places`` requests, those of one user one after the other."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._taken = 0
        self._stopping = threading.Event()
        self._locks: defaultdict[str, anyio.Lock] = defaultdict(anyio.Lock)

    @cached_property
    def _threads(self) -> anyio.CapacityLimiter:
        return anyio.CapacityLimiter(self._places)

    @property
    def busy(self) -> bool:
        """True if a request is in flight."""
        return self._taken > 0

    def stop(self) -> None:
        """End every reply at its next piece, and begin none. May be called by a signal handler."""
        self._stopping.set()

    @contextmanager
    def place(self) -> Generator[None]:
        """A place among the requests in flight. Raises Full if there is none."""
        if self._taken >= self._places:
            raise Full
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1

    async def serve(
        self,
        user: str,
        ask: Callable[[], Reply],
        use: Callable[[Turn], Awaitable[None]],
        gone: Callable[[], Awaitable[None]],
    ) -> None:
        """Let ``use`` have the reply that ``ask`` begins, until ``gone`` returns."""
        turn = Turn(ask, self._stopping)
        async with anyio.create_task_group() as group:

            async def watch() -> None:
                await gone()
                group.cancel_scope.cancel()

            group.start_soon(watch)
            group.start_soon(turn.make, self._locks[user], self._threads)
            try:
                await use(turn)
            finally:
                turn.leave()
            group.cancel_scope.cancel()
