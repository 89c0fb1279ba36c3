"""Filters of kernel calls, as programs of classic BPF, and their installation.

A filter sees the number of the call and its six arguments as registers, never what they point to:
paths are the level's business. Each filter begins by comparing the machine, since one process can
make the calls of another (32-bit, x32) under other numbers; such a process is killed.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterable
from functools import cache

from . import syscalls

AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32 = 0x40000000

ALLOW = 0x7FFF0000
NOTIFY = 0x7FC00000
KILL = 0x80000000
_ERRNO = 0x00050000

_LOAD, _EQUAL, _AT_LEAST, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
_NUMBER, _MACHINE, _ARGUMENTS = 0, 4, 16

CLONE_THREAD = 0x10000
_CLONE_SPACES = 0x7E020080  # CLONE_NEW*: user, pid, net, ipc, uts, cgroup, mount, time
_FCNTL = (0, 1, 2, 3, 4, 5, 6, 7, 1030, 1032)  # no F_SETOWN, F_SETSIG: they send signals
_IOCTL = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # terminal size, bytes waiting, cloexec
_PRCTL = (15, 16, 0x53564D41)  # names of threads and of memory
_AF_UNIX, _AF_INET, _AF_INET6 = 1, 2, 10
_STREAM, _DATAGRAM = 1, 2
_READ_AND_TRUNCATE, _TRUNCATE_BITS = 0o1000, 0o1003

_SET_FILTER, _NEW_LISTENER = 1, 8

_SOMEBODY = 0xFEEDBEEF  # no process id, and no other operand

Code = list[tuple[int, int, int, int]]
"""Instructions: operation, jump if true, jump if false, operand."""


def refuse(number: int) -> int:
    """The verdict that makes a call fail with this errno; 0 makes it seem to succeed."""
    return _ERRNO | number


def _verdict(value: int) -> tuple[int, int, int, int]:
    return (_RETURN, 0, 0, value)


def _argument(place: int) -> tuple[int, int, int, int]:
    """Load the low half of an argument: all of an ``int``, and the flags of the rest."""
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * place)


def _if_among(place: int, values: Iterable[int], *, mask: int = 0xFFFFFFFF) -> Code:
    """Allow if an argument, masked, is one of the values; forbid otherwise."""
    code: Code = [_argument(place), (_AND, 0, 0, mask)]
    for value in values:
        code += [(_EQUAL, 0, 1, value & 0xFFFFFFFF), _verdict(ALLOW)]
    return [*code, _verdict(refuse(errno.EPERM))]


def _case(number: int, body: Code) -> Code:
    """Do the body, which ends in a verdict, if the call has this number."""
    return [(_EQUAL, 0, len(body), number), *body]


def _both(first: Code, second: Code) -> Code:
    """Two examinations in a row: a verdict ALLOW of the first goes on to the second."""
    moved: Code = []
    for place, (operation, yes, no, operand) in enumerate(first):
        if operation == _RETURN and operand == ALLOW:
            # a jump, since falling through would run into the first one's refusal
            moved.append((0x05, 0, 0, len(first) - place - 1))
        else:
            moved.append((operation, yes, no, operand))
    return moved + second


def for_program(machine: str, own: int, *, net: bool, notify: bool) -> bytes:
    """The filter around a foreign program whose process id is ``own``.

    It makes no process (a new thread is asked of the listener if ``notify``, else refused), runs
    no file, signals nobody but itself, and opens no socket but a connected pair unless ``net``.
    """
    made = _for_anybody(machine, net=net, notify=notify)
    return made.replace(struct.pack("<I", _SOMEBODY), struct.pack("<I", own))


@cache
def _for_anybody(machine: str, *, net: bool, notify: bool) -> bytes:
    """``for_program`` with a place for the process id, built once by the keeper."""
    own = _SOMEBODY
    number = syscalls.numbers(syscalls.EXAMINED, machine)
    rules: dict[str, Code] = {
        "openat": _opening(2),
        "fcntl": _if_among(1, _FCNTL),
        "ioctl": _if_among(1, _IOCTL),
        "prctl": _if_among(0, _PRCTL),
        "prlimit64": _if_among(0, (0,)),
        "sched_getaffinity": _if_among(0, (0, own)),
        "kill": _if_among(0, (own,)),
        "tgkill": _if_among(0, (own,)),
        # A pair of datagram sockets could be turned towards any address.
        "socketpair": _both(_if_among(0, (_AF_UNIX,)), _if_among(1, (_STREAM,), mask=0xF)),
        "clone": [
            _argument(0),
            (_AND, 0, 0, CLONE_THREAD | _CLONE_SPACES),
            (_EQUAL, 0, 1, CLONE_THREAD),
            _verdict(NOTIFY if notify else refuse(errno.EPERM)),
            _verdict(refuse(errno.EPERM)),
        ],
    }
    if "open" in number:
        rules["open"] = _opening(1)
    code = _allow(syscalls.HARMLESS, machine)
    if net:
        code += _network(machine)
    for name, body in rules.items():
        code += _case(number[name], body)
    for table, answer in ((syscalls.PRETENDED, 0), (syscalls.ATTRIBUTES, errno.ENOTSUP)):
        for call in syscalls.numbers(table, machine).values():
            code += _case(call, [_verdict(refuse(answer))])
    return _whole(machine, code)


def for_keeper(machine: str, *, net: bool) -> bytes:
    """The filter around the process that forks programs: what it and they need, nothing else."""
    code: Code = []
    for table in (
        syscalls.HARMLESS,
        syscalls.EXAMINED,
        syscalls.PRETENDED,
        syscalls.ATTRIBUTES,
        syscalls.KEEPERS,
    ):
        skipped = {"clone", "socketpair"}
        code += _allow(table, machine, skipped)
    number = syscalls.numbers(syscalls.EXAMINED, machine)
    code += _case(number["socketpair"], _if_among(0, (_AF_UNIX,)))
    code += _case(number["clone"], _if_among(0, (0,), mask=_CLONE_SPACES))
    if net:
        code += _network(machine)
    return _whole(machine, code)


def _allow(table: str, machine: str, skipped: Iterable[str] = ()) -> Code:
    code: Code = []
    for name, number in syscalls.numbers(table, machine).items():
        if name not in skipped:
            code += _case(number, [_verdict(ALLOW)])
    return code


def _opening(place: int) -> Code:
    """Any opening but for reading and emptying at once, which Landlock 1 and 2 let through."""
    return [
        _argument(place),
        (_AND, 0, 0, _TRUNCATE_BITS),
        (_EQUAL, 0, 1, _READ_AND_TRUNCATE),
        _verdict(refuse(errno.EPERM)),
        _verdict(ALLOW),
    ]


def _network(machine: str) -> Code:
    (socket,) = syscalls.numbers(syscalls.SOCKET, machine).values()
    internet = _if_among(0, (_AF_INET, _AF_INET6))
    plain = _if_among(1, (_STREAM, _DATAGRAM), mask=0xF)
    return _allow(syscalls.NETWORK, machine) + _case(socket, _both(internet, plain))


def _whole(machine: str, code: Code) -> bytes:
    """The filter with its beginning (the machine) and its end (what was not named)."""
    start: Code = [
        (_LOAD, 0, 0, _MACHINE),
        (_EQUAL, 1, 0, AUDIT[machine]),
        _verdict(KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, X32),
        _verdict(KILL),
    ]
    end: Code = [
        (_AT_LEAST, 0, 1, syscalls.FIRST_UNKNOWN),
        _verdict(refuse(errno.ENOSYS)),
        _verdict(refuse(errno.EPERM)),
    ]
    return b"".join(struct.pack("<HBBI", *step) for step in [*start, *code, *end])


def machine() -> str | None:
    """This machine's name if its calls are known, else None."""
    name = platform.machine()
    return name if name in AUDIT and struct.calcsize("P") == 8 else None


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))


def install(code: bytes) -> None:
    """Shut this thread, and what it forks, behind a filter for good. Raises ``OSError``."""
    _seccomp(code, 0)


def install_with_listener(code: bytes) -> int:
    """``install``, and the descriptor on which the NOTIFY verdicts are answered."""
    return _seccomp(code, _NEW_LISTENER)


def _seccomp(code: bytes, flags: int) -> int:
    buffer = ctypes.create_string_buffer(code, len(code))
    filter_ = _Filter(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    name = machine()
    if name is None:
        raise OSError(errno.ENOSYS, f"no filter is known for {platform.machine()}")
    number = syscalls.numbers(syscalls.KEEPERS, name)["seccomp"]
    libc = ctypes.CDLL(None, use_errno=True)
    got = libc.syscall(
        ctypes.c_long(number),
        ctypes.c_ulong(_SET_FILTER),
        ctypes.c_ulong(flags),
        ctypes.byref(filter_),
    )
    if got < 0:
        raise OSError(ctypes.get_errno(), f"seccomp: {os.strerror(ctypes.get_errno())}")
    return int(got)
