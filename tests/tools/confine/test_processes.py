"""Programs that reach for processes, their own or others."""

from __future__ import annotations

import os
import platform
from typing import cast

import pytest

from reverie.tests.tools.confine.attacks import CALL, REFUSED, attack
from reverie.tools.sandbox import Workers


def test_a_fork_bomb_makes_no_process(sandbox: Workers) -> None:
    code = """
import os, subprocess, multiprocessing
made = [attempt(os.fork) for _ in range(50)]
made.append(attempt(lambda: subprocess.run(["/bin/true"])))
made.append(attempt(lambda: os.posix_spawn("/bin/true", ["true"], {})))
made.append(attempt(lambda: os.system("true")))
made.append(attempt(lambda: os.execv("/bin/true", ["true"])))
sorted(set(made))
"""
    made = cast("list[str]", attack(sandbox, code).value)
    assert set(made) <= {"PermissionError", "BlockingIOError", "FileNotFoundError", "-1", "32512"}


def test_threads_are_limited(sandbox: Workers) -> None:
    code = """
import threading
threading.stack_size(1 << 15)
stop = threading.Event()
count = 0
try:
    while True:
        threading.Thread(target=stop.wait, daemon=True).start()
        count += 1
except RuntimeError as error:
    print(error)
count
"""
    result = attack(sandbox, code)
    assert result.value == 256
    assert result.limits == ("threads",)
    assert "can't start new thread" in result.stdout


def test_a_thread_left_behind_does_not_keep_a_program_alive(sandbox: Workers) -> None:
    code = "import threading, time\nthreading.Thread(target=lambda: time.sleep(60)).start()\n5"
    result = attack(sandbox, code)
    assert result.value == 5
    assert result.seconds < 5


def test_nobody_else_can_be_signalled_traced_or_looked_into(sandbox: Workers) -> None:
    code = """
import os, signal
targets = [os.getppid(), 1, parent, 0, -1, -parent]
[attempt(lambda: os.kill(pid, 0)) for pid in targets] + [
    attempt(lambda: os.killpg(0, 9)),
    attempt(lambda: os.pidfd_open(os.getpid())),
    attempt(lambda: os.setsid()),
    attempt(lambda: os.setpriority(os.PRIO_PROCESS, parent, 5)),
    attempt(lambda: os.sched_setaffinity(parent, {0})),
    attempt(lambda: __import__("resource").prlimit(parent, 7, (4, 4))),
    attempt(lambda: __import__("fcntl").fcntl(0, 8, parent)),
]
"""
    tried = cast("list[str]", attack(sandbox, code, parent=os.getpid()).value)
    assert set(tried) <= {*REFUSED, "ProcessLookupError"}
    own = attack(sandbox, "import os; os.kill(os.getpid(), 0)\n6")
    assert own.value == 6
    assert "SIGTERM" in str(attack(sandbox, "import os; os.kill(os.getpid(), 15)").error)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers are those of x86_64")
def test_dangerous_kernel_calls_are_refused_by_number(sandbox: Workers) -> None:
    numbers = {
        "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312,
        "unshare": 272, "setns": 308, "mount": 165, "umount2": 166, "pivot_root": 155,
        "chroot": 161, "fsopen": 430, "move_mount": 429, "bpf": 321, "io_uring_setup": 425,
        "kexec_load": 246, "init_module": 175, "finit_module": 313, "keyctl": 250, "add_key": 248,
        "userfaultfd": 323, "perf_event_open": 298, "seccomp": 317, "clone3": 435, "fork": 57,
        "vfork": 58, "execve": 59, "execveat": 322, "personality": 135, "reboot": 169,
        "swapon": 167, "quotactl": 179, "acct": 163, "settimeofday": 164, "adjtimex": 159,
        "sethostname": 170, "mknod": 133, "open_by_handle_at": 304, "name_to_handle_at": 303,
        "setuid": 105, "setresuid": 117, "capset": 126, "truncate": 76, "chown": 92,
        "fallocate": 285, "vmsplice": 278, "splice": 275, "socket": 41, "connect": 42,
        "pidfd_open": 434, "pidfd_getfd": 438, "pidfd_send_signal": 424, "tkill": 200,
        "rt_sigqueueinfo": 129, "syslog": 103, "iopl": 172, "ioperm": 173, "modify_ldt": 154,
        "mlockall": 151, "inotify_init1": 294, "fanotify_init": 300, "memfd_create": 319,
        "landlock_restrict_self": 446, "mq_open": 240, "shmget": 29, "lookup_dcookie": 212,
    }  # fmt: skip
    code = CALL + "{name: call(number, 0, 0, 0, 0, 0, 0) for name, number in numbers.items()}"
    tried = cast("dict[str, int]", attack(sandbox, code, numbers=numbers).value)
    assert {name for name, code in tried.items() if code not in (1, 38)} == set()


@pytest.mark.skipif(platform.machine() != "x86_64", reason="it is x86_64 that has other numbers")
def test_calls_under_the_numbers_of_another_machine_end_the_program(sandbox: Workers) -> None:
    assert "SIGSYS" in str(attack(sandbox, CALL + "call(0x40000000 + 39)").error)
    # int 0x80 asks for the 32-bit call 20 (getpid), from machine code in memory of one's own
    code = """
import ctypes, mmap
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(bytes.fromhex("b814000000cd80c3"))
start = ctypes.addressof(ctypes.c_char.from_buffer(page))
ctypes.CFUNCTYPE(ctypes.c_int)(start)()
"""
    ended = str(attack(sandbox, code).error)
    assert "SIGSYS" in ended or "SIGSEGV" in ended  # a kernel without 32-bit calls faults
