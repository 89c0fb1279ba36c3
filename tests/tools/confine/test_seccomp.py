"""The filters of kernel calls, run by an interpreter of BPF, for both machines."""

from __future__ import annotations

import errno
import re
import struct
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reverie.tools.confine import seccomp, syscalls
from reverie.tools.confine.seccomp import ALLOW, AUDIT, KILL, NOTIFY, refuse

OWN = 4242
FORBIDDEN, ABSENT = refuse(errno.EPERM), refuse(errno.ENOSYS)
TABLES = (
    syscalls.HARMLESS,
    syscalls.EXAMINED,
    syscalls.NETWORK,
    syscalls.SOCKET,
    syscalls.PRETENDED,
    syscalls.ATTRIBUTES,
    syscalls.KEEPERS,
)
machines = pytest.mark.parametrize("machine", syscalls.MACHINES)


def judge(code: bytes, machine: int, number: int, *arguments: int) -> int:
    """The verdict of a filter on a call, by the rules of the kernel's classic BPF."""
    padded = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("<IIQ6Q", number & 0xFFFFFFFF, machine, 0, *(a % 2**64 for a in padded))
    steps = list(struct.iter_unpack("<HBBI", code))
    place = held = 0
    while True:
        operation, yes, no, operand = steps[place]
        place += 1
        if operation == 0x20:
            (held,) = struct.unpack_from("<I", data, operand)
        elif operation == 0x54:
            held &= operand
        elif operation == 0x05:
            place += operand
        elif operation == 0x15:
            place += yes if held == operand else no
        elif operation == 0x35:
            place += yes if held >= operand else no
        elif operation == 0x06:
            return operand
        else:
            raise AssertionError(f"an operation the filters do not use: {operation:#x}")


def _program(machine: str, *, net: bool = False, notify: bool = True) -> bytes:
    return seccomp.for_program(machine, OWN, net=net, notify=notify)


def _number(machine: str, name: str) -> int:
    for table in TABLES:
        found = syscalls.numbers(table, machine).get(name)
        if found is not None:
            return found
    raise KeyError(name)


def _verdict(machine: str, name: str, *arguments: int, net: bool = False) -> int:
    return judge(_program(machine, net=net), AUDIT[machine], _number(machine, name), *arguments)


@machines
@given(number=st.integers(0, 2**32 - 1), other=st.integers(0, 2**32 - 1))
@example(number=0x40000000 + 39, other=0)
def test_what_is_not_named_is_refused_and_a_foreign_machine_killed(
    machine: str, number: int, other: int
) -> None:
    named = {call for table in TABLES for call in syscalls.numbers(table, machine).values()}
    for code in (_program(machine), seccomp.for_keeper(machine, net=False)):
        if other != AUDIT[machine]:
            assert judge(code, other, number) == KILL
        if number not in named:
            expected = FORBIDDEN if number < syscalls.FIRST_UNKNOWN else ABSENT
            assert judge(code, AUDIT[machine], number) == (
                KILL if number >= 0x40000000 else expected
            )


@machines
@given(number=st.integers(0, 600), arguments=st.tuples(*[st.integers(0, 2**64 - 1)] * 3))
def test_a_program_may_do_nothing_that_its_keeper_may_not(
    machine: str, number: int, arguments: tuple[int, int, int]
) -> None:
    for net in (False, True):
        inner = judge(_program(machine, net=net), AUDIT[machine], number, *arguments)
        outer = judge(seccomp.for_keeper(machine, net=net), AUDIT[machine], number, *arguments)
        if inner in (ALLOW, NOTIFY):
            assert outer == ALLOW


@machines
def test_only_threads_are_made_and_only_by_leave(machine: str) -> None:
    thread = 0x3D0F00  # what the C library asks for a thread with
    assert _verdict(machine, "clone", thread) == NOTIFY
    assert judge(
        _program(machine, notify=False), AUDIT[machine], _number(machine, "clone"), thread
    ) == FORBIDDEN  # fmt: skip
    assert _verdict(machine, "clone", 17) == FORBIDDEN
    for space in (0x10000000, 0x20000000, 0x40000000, 0x00020000, 0x80):
        assert _verdict(machine, "clone", thread | space) == FORBIDDEN
    keeper = seccomp.for_keeper(machine, net=False)
    assert judge(keeper, AUDIT[machine], _number(machine, "clone"), 0x01200011) == ALLOW
    assert judge(keeper, AUDIT[machine], _number(machine, "clone"), 0x10000011) == FORBIDDEN


@machines
def test_only_itself_is_signalled(machine: str) -> None:
    for name in ("kill", "tgkill"):
        assert _verdict(machine, name, OWN) == ALLOW
        for other in (0, 1, OWN + 1, -1, -OWN):
            assert _verdict(machine, name, other) == FORBIDDEN
    assert _verdict(machine, "prlimit64", 0) == ALLOW
    assert _verdict(machine, "prlimit64", OWN + 1) == FORBIDDEN
    assert _verdict(machine, "fcntl", 3, 8) == FORBIDDEN


@machines
def test_sockets_are_a_connected_pair_or_the_internet_where_it_is_let_out(machine: str) -> None:
    assert _verdict(machine, "socketpair", 1, 0x80001) == ALLOW
    assert _verdict(machine, "socketpair", 1, 2) == FORBIDDEN
    assert _verdict(machine, "socketpair", 2, 1) == FORBIDDEN
    for family in range(46):
        assert _verdict(machine, "socket", family, 1) == FORBIDDEN
        let_out = _verdict(machine, "socket", family, 1, net=True)
        assert let_out == (ALLOW if family in (2, 10) else FORBIDDEN)
        assert _verdict(machine, "socket", family, 3, net=True) == FORBIDDEN
    for name in syscalls.numbers(syscalls.NETWORK, machine):
        assert _verdict(machine, name) == FORBIDDEN
        assert _verdict(machine, name, net=True) == ALLOW


@machines
def test_a_file_is_not_emptied_by_opening_it_for_reading(machine: str) -> None:
    assert _verdict(machine, "openat", 0, 0, 0o1000) == FORBIDDEN
    for flags in (0, 0o1, 0o1001, 0o1102, 0o2000000):
        assert _verdict(machine, "openat", 0, 0, flags) == ALLOW


@machines
def test_changing_modes_seems_to_work_and_attributes_are_not_there(machine: str) -> None:
    for name in syscalls.numbers(syscalls.PRETENDED, machine):
        assert _verdict(machine, name) == refuse(0)
    for name in syscalls.numbers(syscalls.ATTRIBUTES, machine):
        assert _verdict(machine, name) == refuse(errno.ENOTSUP)


@machines
def test_no_number_is_named_twice(machine: str) -> None:
    named = [call for table in TABLES for call in syscalls.numbers(table, machine).values()]
    assert len(named) == len(set(named))


def test_the_numbers_are_those_of_the_system_headers() -> None:
    header = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
    if not header.exists():
        pytest.skip("the kernel's headers are not installed")
    told = re.findall(r"#define __NR_(\w+) (\d+)", header.read_text())
    known = {name: int(number) for name, number in told}
    for table in TABLES:
        for name, number in syscalls.numbers(table, "x86_64").items():
            assert known.get(name, number) == number, name
    general = Path("/usr/include/asm-generic/unistd.h")
    told = re.findall(r"#define __NR(?:3264)?_(\w+) (\d+)", general.read_text())
    known = {name: int(number) for name, number in told}
    spelt = {"newfstatat": "fstatat"}
    for table in TABLES:
        for name, number in syscalls.numbers(table, "aarch64").items():
            assert known.get(spelt.get(name, name), number) == number, name


@machines
def test_a_filter_is_short_enough_for_the_kernel(machine: str) -> None:
    for code in (_program(machine, net=True), seccomp.for_keeper(machine, net=True)):
        assert len(code) % 8 == 0 and len(code) // 8 < 4096
