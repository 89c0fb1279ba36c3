"""The caller's side of one keeper: starts it, sends it programs, watches them, ends them."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from ...errors import NoSandbox
from . import bubblewrap, folder
from .results import Level
from .survey import ENVIRONMENT, survey
from .watch import GRACE, Ended, Pipes, Told, Watch

SOURCE = Path(__file__).resolve().parent
START = "import sys; sys.path.insert(0, sys.argv[1]); from confine.zygote import main; main()"
STARTING = 60.0
"""Seconds a keeper may take to load its packages."""
SLACK = 16 << 20
"""Bytes of address space a keeper takes beyond what the survey saw."""


class Worker:
    """One keeper and its work folder. Runs one program at a time; not for several threads."""

    def __init__(self, level: Level, packages: Sequence[str], *, net: bool) -> None:
        """Start the keeper. Raises ``NoSandbox`` with what it said if it does not come up."""
        self.level: Level = level
        self.net = net
        self.owner = os.getpid()
        self.folder = Path(tempfile.mkdtemp(prefix="reverie-program-")).resolve()
        self._inner: int | None = None
        self._lost = False
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.settimeout(STARTING)
        try:
            with theirs, tempfile.TemporaryFile() as complaints:
                self._process = self._spawn(theirs.fileno(), packages, complaints)
                theirs.close()
                self._brief(packages, complaints)
        except BaseException:
            self.close()
            raise
        self._control.settimeout(GRACE)

    def _spawn(
        self, control: int, packages: Sequence[str], complaints: IO[bytes]
    ) -> subprocess.Popen[bytes]:
        found = survey(tuple(packages))
        source, before = str(SOURCE.parent), list[str]()
        report, reporting = os.pipe()
        with os.fdopen(report, "rb") as reported:
            try:
                if self.level == "bubblewrap":
                    source, before = bubblewrap.INNER, self._wrapped(packages, reporting)
                process = subprocess.Popen(
                    [*before, found.python, "-I", "-S", "-B", "-c", START, source, str(control)],
                    env=ENVIRONMENT | {"HOME": str(self.folder), "TMPDIR": str(self.folder)},
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=complaints,
                    pass_fds=[control, *([reporting] if before else [])],
                    start_new_session=True,
                )
            except OSError as error:
                raise NoSandbox(f"{before[0] if before else found.python}: {error}") from None
            finally:
                os.close(reporting)
            said = reported.read()  # empty at once where bubblewrap is not there to report
        if said:
            self._inner = json.loads(said)["child-pid"]
        return process

    def _wrapped(self, packages: Sequence[str], reporting: int) -> list[str]:
        bwrap = bubblewrap.binary()
        if bwrap is None:
            raise NoSandbox("there is no bwrap here: install your system's package bubblewrap")
        return bubblewrap.command(
            bwrap, survey(tuple(packages)), self.folder, SOURCE, net=self.net, info=reporting
        )

    def _brief(self, packages: Sequence[str], complaints: IO[bytes]) -> None:
        found = survey(tuple(packages))
        plan = {
            "level": self.level,
            "folder": str(self.folder),
            "net": self.net,
            "packages": list(packages),
            "standard": found.standard,
            "sites": found.sites,
            "readable": found.readable(net=self.net),
            "base": found.size + SLACK,
        }
        try:
            self._control.send(json.dumps(plan).encode())
            ready = self._control.recv(1 << 12)
        except OSError as error:
            ready, why = b"", str(error)
        else:
            why = "it ended"
        if not ready:
            complaints.seek(0)
            said = complaints.read().decode(errors="replace").strip().splitlines()
            raise NoSandbox(
                f"the keeper of level {self.level} did not come up: {said[-1] if said else why}"
            )

    def run(
        self,
        request: bytes,
        files: Mapping[str, bytes],
        told: Told,
        *,
        seconds: float,
        cpu: int,
        memory: int,
    ) -> Ended:
        """Run one program to its end, whatever end; never longer than told to by much."""
        folder.lay(self.folder, files)
        (asked, sink), (output, heard), (answer, given) = os.pipe(), os.pipe(), os.pipe()
        # Ours are closed by the watch, the program's here, as soon as they are handed over.
        watch = Watch(self, Pipes(sink, output, answer), request, told, seconds)
        try:
            message = json.dumps({"memory": memory, "cpu": cpu}).encode()
            with contextlib.suppress(OSError):  # the keeper is gone: the watch sees it at once
                socket.send_fds(self._control, [message], [asked, heard, given])
        finally:
            for descriptor in (asked, heard, given):
                os.close(descriptor)
        ended = watch.watch()
        self._lost = ended.status is None
        return ended

    def tidy(self) -> bool:
        """Empty the folder for the next program; False if this worker is of no use any more."""
        try:
            folder.empty(self.folder)
        except OSError:
            return False
        return self.waits()

    def waits(self) -> bool:
        """Whether the keeper is there for the next program."""
        if self._lost or self._process.poll() is not None:
            return False
        # A killed process's line is cut before the system says that the process has ended.
        line = select.poll()
        line.register(self._control, 0)  # only for what is always told: hung up, broken
        return not line.poll(0)

    def stop(self) -> None:
        """Have the keeper end the program that runs."""
        with contextlib.suppress(OSError):
            self._control.send(b'{"stop": true}')

    def answer(self) -> Mapping[str, float] | None:
        """How the program ended, once the keeper knows; None if the keeper is gone."""
        try:
            said = self._control.recv(1 << 12)
        except OSError:
            return None
        return json.loads(said) if said else None

    @property
    def keeper(self) -> int:
        """The process id of the keeper, or of the first process around it."""
        return self._process.pid

    def fileno(self) -> int:
        """The descriptor that becomes readable with ``answer``."""
        return self._control.fileno()

    def close(self) -> None:
        """End the keeper and all it keeps, and remove the folder. In a forked copy: forget it."""
        self._control.close()
        if os.getpid() != self.owner:
            return
        process = getattr(self, "_process", None)
        if process is not None:
            try:
                process.wait(GRACE / 10)  # it ends by itself when the line is cut
            except subprocess.TimeoutExpired:
                if self._inner is not None and process.poll() is None:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(self._inner, signal.SIGKILL)  # the first of its namespace
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        with contextlib.suppress(OSError):
            folder.empty(self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)
