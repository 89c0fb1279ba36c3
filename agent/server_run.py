"""A server that ends in order: uvicorn with a `Front`."""

from __future__ import annotations

import os
from types import FrameType

import uvicorn

from .server_app import Front


class Server(uvicorn.Server):
    """Serves a `Front` until it is told to stop.

    The first Ctrl-C or SIGTERM ends every reply at its next piece and waits for that. A model that
    has yet to say its first may take long: the second ends the process, and what was committed to
    memory stays.
    """

    def __init__(self, front: Front) -> None:
        super().__init__(
            uvicorn.Config(
                front.app,
                http="h11",
                loop="asyncio",
                ws="none",
                lifespan="off",
                log_level="warning",
                access_log=False,
                proxy_headers=False,
                server_header=False,
            )
        )
        self._front = front

    def stop(self) -> None:
        """End in order, from any thread."""
        self._front.desk.stop()
        self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """What a signal does."""
        if self.should_exit:
            os._exit(128 + sig)
        self._front.desk.stop()
        super().handle_exit(sig, frame)
        if self._front.desk.busy:
            os.write(2, b"Stopping after the replies in flight; the same again stops at once.\n")
