"""The keeper: a Python with numpy loaded that shuts itself in and forks once for each program.

A process of its own, started bare (``python -I -S``) by ``worker``. It is told what to load and
how to confine itself, then serves requests one after the other. It never sees a program's code,
inputs or values: they travel between caller and program through descriptors that it passes on
unread, so nothing of one program is in the memory that the next one is forked from.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import gc
import importlib
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
from typing import Any, NoReturn

from . import harness, landlock, seccomp

THREADS = 256
"""Threads a program may start over its life."""
FILE = 32 << 20
"""Bytes of one file a program writes."""
DESCRIPTORS = 64
STACK = 8 << 20
HELD_BACK = 16 << 20
"""Bytes beyond its limit in which a program that ran out of memory can still say so."""

STANDARD = (
    "abc bisect collections contextlib copy dataclasses datetime decimal enum fractions functools "
    "heapq io itertools json math operator random re statistics string textwrap typing"
).split()
"""Loaded before the first program: what programs import most."""

_NOTIFICATION = struct.Struct("=QII")  # id, pid, flags; the call itself follows
_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_CONTINUE = 1
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38


def main() -> None:
    """Take the plan, load, confine, then serve until the caller hangs up."""
    control = socket.socket(fileno=int(sys.argv[2]))
    plan: dict[str, Any] = json.loads(control.recv(1 << 20))
    sys.path = [*plan["standard"], *plan["sites"]]
    for name in (*STANDARD, *plan["packages"]):
        importlib.import_module(name)
    # What a program cannot read it should not find: only what is loaded, and the standard library.
    sys.path = list(plan["standard"])
    sys.path_importer_cache.clear()
    _confine(plan)
    gc.collect()
    gc.freeze()
    control.send(b'{"ready": true}')
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1 << 12, 3)
        if not message:
            return
        asked = json.loads(message)
        if "stop" not in asked:
            control.send(json.dumps(_serve(control, plan, asked, descriptors)).encode())


def _confine(plan: dict[str, Any]) -> None:
    """Shut this process in as far as forking and keeping programs allows."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if plan["level"] == "unsafe":
        return
    _prctl(_PR_SET_DUMPABLE, 0)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    if plan["level"] == "landlock":
        readable = [(path, landlock.READ) for path in plan["readable"]]
        listed = [(path, landlock.READ_DIR) for path in plan["standard"]]
        devices = [("/dev/null", landlock.READ_FILE | landlock.WRITE_FILE)]
        devices += [(f"/dev/{name}", landlock.READ_FILE) for name in ("zero", "random", "urandom")]
        kept = (plan["folder"], landlock.KEEP)
        landlock.restrict([*readable, *listed, *devices, kept], net=plan["net"])
    _drop_capabilities()
    machine = seccomp.machine()
    if machine is None:
        raise OSError(errno.ENOSYS, "the kernel calls of this machine are not known")
    seccomp.for_program(machine, 1, net=plan["net"], notify=True)  # built before the first fork
    seccomp.install(seccomp.for_keeper(machine, net=plan["net"]))


def _serve(
    control: socket.socket, plan: dict[str, Any], asked: dict[str, Any], descriptors: list[int]
) -> dict[str, Any]:
    """Fork the program and keep it until it has ended: how it ended, and what it used."""
    here, there = socket.socketpair()
    child = os.fork()
    if not child:
        _become(control, plan, asked, descriptors, here.detach(), there.detach())
    for descriptor in descriptors:
        os.close(descriptor)
    there.close()
    keeper = _Keeper(control, child, _listener(here))
    here.close()
    return keeper.keep()


def _listener(here: socket.socket) -> int | None:
    """The descriptor that the program's filter asks on; None without one."""
    try:
        _, descriptors, _, _ = socket.recv_fds(here, 1, 1)
    except OSError:
        return None
    return descriptors[0] if descriptors else None


class _Keeper:
    """Stands over one program: answers its wishes for threads, ends it when told to."""

    def __init__(self, control: socket.socket, child: int, listener: int | None) -> None:
        self._control = control
        self._child = child
        self._listener = listener
        self._ended = os.pidfd_open(child)
        self._threads = 0
        self._poll = select.poll()
        for descriptor in (control.fileno(), self._ended, listener):
            if descriptor is not None:
                self._poll.register(descriptor, select.POLLIN)

    def keep(self) -> dict[str, Any]:
        """Wait for the end, then end whatever the program left in its process group."""
        gone = False
        while True:
            ready = dict(self._poll.poll())
            if self._listener in ready:
                self._grant(ready[self._listener])
            if self._control.fileno() in ready:
                gone = not self._control.recv(1 << 12)  # any word here means: end it
                self._kill()
                self._poll.unregister(self._control.fileno())
            if self._ended in ready:
                break
        self._kill()
        _, status, usage = os.wait4(self._child, 0)
        for descriptor in (self._ended, self._listener):
            if descriptor is not None:
                os.close(descriptor)
        if gone:
            os._exit(0)
        return {
            "status": status,
            "cpu": usage.ru_utime + usage.ru_stime,
            "threads": self._threads > THREADS,
        }

    def _kill(self) -> None:
        for kill, target in ((os.killpg, self._child), (os.kill, self._child)):
            try:
                kill(target, signal.SIGKILL)
            except ProcessLookupError:
                continue  # it has not yet a group of its own, or nothing is left of it

    def _grant(self, event: int) -> None:
        """Let the program start a thread, up to so many over its life."""
        assert self._listener is not None
        if event & (select.POLLHUP | select.POLLERR):
            self._poll.unregister(self._listener)
            return
        asked = bytearray(80)
        try:
            fcntl.ioctl(self._listener, _RECEIVE, asked)
            number, _, _ = _NOTIFICATION.unpack_from(asked)
            self._threads += 1
            fine = self._threads <= THREADS
            answer = struct.pack(
                "=QqiI", number, 0, 0 if fine else -errno.EAGAIN, _CONTINUE if fine else 0
            )
            fcntl.ioctl(self._listener, _SEND, answer)
        except OSError:
            return  # the one who asked is gone


def _become(
    control: socket.socket,
    plan: dict[str, Any],
    asked: dict[str, Any],
    descriptors: list[int],
    here: int,
    there: int,
) -> NoReturn:
    """In the child: leave everything of the keeper's behind, shut the door, run the program."""
    try:
        os.setsid()
        os.close(control.detach())
        os.close(here)
        request, output, answer = descriptors
        os.dup2(output, 1)
        os.dup2(output, 2)
        _close_all_but(request, answer, there)
        os.chdir(plan["folder"])
        _limit(plan, asked)
        _shut(plan, there)
        harness.main(request, answer)
    except BaseException as error:
        os.write(2, f"the sandbox could not start the program: {error!r}\n".encode())
    finally:
        os._exit(70)


def _close_all_but(*kept: int) -> None:
    """Nothing else that the keeper, or what started it, has open reaches a program."""
    start = 3
    for descriptor in (*sorted(kept), resource.getrlimit(resource.RLIMIT_NOFILE)[0]):
        os.closerange(start, descriptor)
        start = descriptor + 1


def _limit(plan: dict[str, Any], asked: dict[str, Any]) -> None:
    held = plan["base"] + asked["memory"]
    _set_limit(resource.RLIMIT_AS, held, held + HELD_BACK)
    _set_limit(resource.RLIMIT_CPU, asked["cpu"], asked["cpu"] + 1)
    _set_limit(resource.RLIMIT_FSIZE, FILE, FILE)
    _set_limit(resource.RLIMIT_NOFILE, DESCRIPTORS, DESCRIPTORS)
    _set_limit(resource.RLIMIT_STACK, STACK, STACK)
    _set_limit(resource.RLIMIT_MEMLOCK, 0, 0)


def _set_limit(which: int, soft: int, hard: int) -> None:
    """Set a limit, or keep the one that is already stricter."""
    _, now = resource.getrlimit(which)
    if now != resource.RLIM_INFINITY:
        soft, hard = min(soft, now), min(hard, now)
    resource.setrlimit(which, (soft, hard))


def _shut(plan: dict[str, Any], there: int) -> None:
    """The last and narrowest confinement; nothing of the keeper's is open after it."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if plan["level"] == "unsafe":
        os.close(there)
        return
    landlock.seclude()
    machine = seccomp.machine()
    assert machine is not None
    code = seccomp.for_program(machine, os.getpid(), net=plan["net"], notify=True)
    try:
        listener = seccomp.install_with_listener(code)
    except OSError as error:
        if error.errno not in (errno.EBUSY, errno.EINVAL):
            raise
        # Somebody outside listens already, or the kernel is older than 5.5: then no threads.
        seccomp.install(seccomp.for_program(machine, os.getpid(), net=plan["net"], notify=False))
    else:
        with socket.socket(fileno=there) as line:
            socket.send_fds(line, [b"x"], [listener])
        os.close(listener)
        return
    os.close(there)


def _drop_capabilities() -> None:
    header = struct.pack("=Ii", 0x20080522, 0)
    if ctypes.CDLL(None, use_errno=True).capset(header, bytes(24)) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option})")
