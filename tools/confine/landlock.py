"""Landlock: a process gives up, for good, every path but those it names. Needs no privilege."""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable

from . import seccomp, syscalls

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
REMOVE_DIR, REMOVE_FILE, MAKE_DIR, MAKE_REG, MAKE_SYM = 1 << 4, 1 << 5, 1 << 7, 1 << 8, 1 << 12
REFER, TRUNCATE = 1 << 13, 1 << 14

READ = READ_FILE | READ_DIR
KEEP = (
    READ | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_SYM | REFER | TRUNCATE
)
"""Everything in a work folder but running files and making devices, pipes and sockets."""
_OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE

_KNOWN = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""Version of the interface → file rights it knows; from 5 on those of 5."""
_BIND_TCP, _CONNECT_TCP = 1, 2
_ABSTRACT_SOCKETS, _SIGNALS = 1, 2

_VERSION_FLAG = 1
_PATH_BENEATH = 1


def version() -> int:
    """The interface's version: 1 from Linux 5.13 on; 0 where there is none, or it is off."""
    try:
        return _call("landlock_create_ruleset", None, 0, _VERSION_FLAG)
    except OSError:
        return 0


def restrict(paths: Iterable[tuple[str, int]], *, net: bool) -> None:
    """Keep this thread, and what it forks, to these paths with these rights.

    Paths that do not exist are left out. TCP is shut too unless ``net`` (from version 4 on), and
    signals to, and abstract sockets of, anybody outside (from version 6 on). Raises ``OSError``.
    """
    known = version()
    handled = (1 << _KNOWN[min(known, 5)]) - 1 if known else 0
    rules = _create(handled, 0 if net else _BIND_TCP | _CONNECT_TCP, known)
    try:
        for path, rights in paths:
            _add(rules, path, rights & handled)
        _call("landlock_restrict_self", rules, 0)
    finally:
        os.close(rules)


def seclude() -> None:
    """A domain of one's own: nothing outside can be traced, signalled or run from within."""
    known = version()
    if known:
        # Moving files between folders is refused in every domain that does not allow it by name.
        rules = _create(EXECUTE | (REFER if known >= 2 else 0), 0, known)
        try:
            _add(rules, "/", REFER if known >= 2 else 0)
            _call("landlock_restrict_self", rules, 0)
        finally:
            os.close(rules)


def _create(files: int, tcp: int, known: int) -> int:
    fields = [files]
    if known >= 4:
        fields.append(tcp)
    if known >= 6:
        fields.append(_ABSTRACT_SOCKETS | _SIGNALS)
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    return _call("landlock_create_ruleset", attributes, len(attributes), 0)


def _add(rules: int, path: str, rights: int) -> None:
    try:
        beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(beneath).st_mode):
            rights &= _OF_FILES
        if rights:
            rule = struct.pack("=Qi", rights, beneath)
            _call("landlock_add_rule", rules, _PATH_BENEATH, rule, 0)
    finally:
        os.close(beneath)


def _call(name: str, *arguments: int | bytes | None) -> int:
    machine = seccomp.machine()
    if machine is None:
        raise OSError("the calls of this machine are not known")
    number = syscalls.numbers(syscalls.KEEPERS, machine)[name]
    libc = ctypes.CDLL(None, use_errno=True)
    native = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    got = libc.syscall(ctypes.c_long(number), *native)
    if got < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    return int(got)
