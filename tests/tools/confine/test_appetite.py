"""Programs without measure: time, memory, output, files, threads. Each ends at its limit."""

from __future__ import annotations

import os
import platform
import time
from typing import cast

import pytest

from reverie.tests.tools.confine.attacks import CALL, MIB, attack, still_works
from reverie.tools.sandbox import Workers


def test_an_endless_loop_ends_at_its_limit(sandbox: Workers) -> None:
    started = time.monotonic()
    result = attack(sandbox, "print('before')\nwhile True: pass", timeout=0.3)
    assert result.limits == ("seconds",)
    assert result.stdout == "before\n"
    assert "0.3 s" in str(result.error)
    assert time.monotonic() - started < 3
    still_works(sandbox)


@pytest.mark.parametrize(
    "code",
    ["7 ** (10 ** 9)", "import re; re.match('(a+)+$', 'a' * 60 + 'b')", "sum(range(10 ** 12))"],
    ids=["power", "regular expression", "sum"],
)
def test_a_loop_in_native_code_ends_at_its_limit(sandbox: Workers, code: str) -> None:
    result = attack(sandbox, code, timeout=0.3)
    assert result.limits == ("seconds",)


def test_ignoring_every_signal_and_error_does_not_prolong_a_program(sandbox: Workers) -> None:
    code = """
import atexit, signal
for number in range(1, 65):
    attempt(lambda: signal.signal(number, signal.SIG_IGN))
@atexit.register
def again():
    while True: pass
while True:
    try:
        while True: pass
    except BaseException:
        pass
"""
    assert attack(sandbox, code, timeout=0.3).limits == ("seconds",)


def test_an_exit_handler_does_notattack(sandbox: Workers) -> None:
    code = "import atexit\natexit.register(print, 'late')\natexit.register(lambda: 1 / 0)\n3"
    result = attack(sandbox, code)
    assert (result.value, result.stdout, result.error) == (3, "", None)


def test_many_threads_spend_processor_time_together_and_are_ended(sandbox: Workers) -> None:
    code = """
import hashlib, threading
data = bytes(1 << 24)
def work():
    while True: hashlib.sha256(data)
for _ in range(8): threading.Thread(target=work).start()
"""
    if (os.cpu_count() or 1) < 2:
        pytest.skip("one core cannot give more processor time than wall time")
    result = sandbox.run(code + "threading.Event().wait()", timeout=1.0)
    assert set(result.limits) & {"cpu", "seconds"}


def test_a_memory_balloon_is_an_error_of_the_program(sandbox: Workers) -> None:
    result = attack(
        sandbox, "kept = []\nwhile True: kept.append(bytearray(1 << 20))", memory=64 * MIB
    )
    assert result.limits == ("memory",)
    assert "MemoryError" in str(result.error)
    still_works(sandbox)


def test_numpy_cannot_take_more_memory_either(sandbox: Workers) -> None:
    result = attack(sandbox, "import numpy as np; np.ones(10 ** 9).sum()", memory=64 * MIB)
    assert result.limits == ("memory",)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers are those of x86_64")
def test_memory_beside_the_address_space_cannot_be_taken(sandbox: Workers) -> None:
    code = CALL + "[call(n, 0, 1 << 20, 0o1600) for n in (29, 64, 240, 319, 447)]"
    result = attack(sandbox, code)  # shmget, semget, mq_open, memfd_create, memfd_secret
    assert 0 not in cast("list[int]", result.value)


def test_a_gigabyte_of_output_is_cut_and_the_program_ended(sandbox: Workers) -> None:
    code = "import os\nline = b'x' * (1 << 20)\nfor _ in range(1024): os.write(1, line)"
    result = attack(sandbox, code)
    assert len(result.stdout) == 64 << 10
    assert result.limits == ("output",)
    assert result.seconds < 8


def test_output_that_is_too_long_but_ends_is_cut_alone(sandbox: Workers) -> None:
    result = attack(sandbox, "print('y' * 200_000)\n4")
    assert (result.value, len(result.stdout), result.limits) == (4, 64 << 10, ("output",))


def test_a_value_too_large_to_leave_is_an_error(sandbox: Workers) -> None:
    result = attack(sandbox, "'x' * (20 << 20)")
    assert result.limits == ("value",)
    code = """
import os
for fd in range(3, 9):
    attempt(lambda: [os.write(fd, bytes(1 << 20)) for _ in range(64)])
"""
    raw = attack(sandbox, code)
    assert raw.value is None and raw.error


def test_a_file_larger_than_allowed_cannot_be_written(sandbox: Workers) -> None:
    result = attack(sandbox, "open('a', 'wb').truncate(1 << 40)")
    assert result.limits == ("files",)
    assert "File too large" in str(result.error)


def test_many_files_end_the_program(sandbox: Workers) -> None:
    code = "for n in range(10 ** 9):\n    open(str(n), 'w').close()"
    assert attack(sandbox, code, timeout=20).limits == ("files",)
    code = "for n in range(10 ** 9):\n    open(str(n), 'wb').write(bytes(16 << 20))"
    assert attack(sandbox, code, timeout=20).limits == ("files",)
    still_works(sandbox)


def test_folders_without_end_are_removed_again(sandbox: Workers) -> None:
    code = """
import os
for _ in range(60):
    os.mkdir("d" * 99)
    os.chdir("d" * 99)
"""
    result = attack(sandbox, code)
    assert "files" in result.limits
    assert not result.artifacts
    still_works(sandbox)


def test_deep_recursion_is_an_error_or_a_crash_of_the_program_alone(sandbox: Workers) -> None:
    plain = attack(sandbox, "def f(): return f()\nf()")
    assert "RecursionError" in str(plain.error)
    endless = "import sys\nsys.setrecursionlimit(10 ** 9)\ndef f(n): return f(n)[0]\nf(1)"
    deep = attack(sandbox, endless, timeout=1)
    assert deep.error
    nested = attack(sandbox, "x = []\nfor _ in range(10 ** 5): x = [x]\nx")
    assert "RecursionError" in str(nested.error)
    assert sandbox.run("(" * 10_000).error
    still_works(sandbox)


def test_reading_the_standard_input_finds_its_end(sandbox: Workers) -> None:
    assert "EOFError" in str(attack(sandbox, "input()").error)
    assert attack(sandbox, "import sys; sys.stdin.read()").value == ""
