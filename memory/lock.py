"""The lock on an embedded index: one process at a time, for as long as it has the store open.

Chroma loses vectors without an error when two processes write one folder, so only the holder of
this lock touches it. The operating system frees the lock when its holder dies, however it dies.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from ..errors import StoreLocked


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds a store."""

    pid: int
    host: str
    command: str


class StoreLock:
    """The lock of one store folder. ``acquire`` never waits."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = FileLock(folder / "index.lock", timeout=0, thread_local=False)

    @property
    def held(self) -> bool:
        """True while this object has the lock."""
        return self._lock.is_locked

    def acquire(self) -> None:
        """Take the lock, or raise StoreLocked naming who has it."""
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise StoreLocked(self._message()) from error
        owner = Owner(os.getpid(), socket.gethostname(), " ".join(sys.argv)[:200])
        scratch = self._folder / f"owner.json.{os.getpid()}"
        scratch.write_text(json.dumps(asdict(owner)))
        scratch.replace(self._folder / "owner.json")

    def release(self) -> None:
        """Give the lock back."""
        if self.held:
            (self._folder / "owner.json").unlink(missing_ok=True)
            self._lock.release()

    def owner(self) -> Owner | None:
        """Who says to hold the lock; None if nobody does, or it cannot be read."""
        try:
            return Owner(**json.loads((self._folder / "owner.json").read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def _message(self) -> str:
        owner = self.owner()
        who = "another process"
        if owner is not None:
            who = f"process {owner.pid} on {owner.host} ({owner.command})"
            if owner.pid == os.getpid() and owner.host == socket.gethostname():
                who = "this very process, in another Memory"
        return (
            f"{self._folder} is open in {who}. Close it there, share that Memory object, or open "
            "it beside the other with Memory.open(path, shared=True), which reads and writes the "
            "same records and leaves the vector index to its owner"
        )
