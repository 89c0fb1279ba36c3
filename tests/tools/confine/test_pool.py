"""Many programs, several callers, and keepers that are lost: nothing leaks, nothing hangs."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from reverie.errors import ToolFault
from reverie.tools.sandbox import (
    LEVELS,
    Level,
    Workers,
    probe,
)

MIB = 1 << 20


def test_several_programs_run_at_once(held: Workers) -> None:
    with ThreadPoolExecutor(4) as threads:
        results = [
            result.value for result in threads.map(held.run, map("{} * 2".format, range(12)))
        ]
    assert results == [2 * n for n in range(12)]
    started = time.monotonic()
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(held.run, ["import time; time.sleep(0.6)"] * 2))
    assert time.monotonic() - started < 1.1


async def test_the_asynchronous_twins_do_not_block(held: Workers) -> None:
    one, two = await asyncio.gather(held.arun("3"), held.arun_each("transform = abs", [-4]))
    assert (one.value, two[0].value) == (3, 4)


def test_a_thousand_programs_in_a_row_leave_nothing(held: Workers) -> None:
    """Descriptors, processes, folders and memory are as before; some programs misbehave."""
    hostile = ["1 / 0", "import os; os._exit(1)", "open('left', 'w').write('x')", "print('x' * 99)"]

    def serve(start: int, count: int) -> None:
        for number in range(start, start + count):
            held.run(hostile[number % 40 // 10] if number % 10 == 0 else "sum(range(100))")

    serve(0, 50)
    before = _held(held)
    started = time.monotonic()
    serve(50, 1000)
    after = _held(held)
    assert after["descriptors"] == before["descriptors"]
    assert after["keepers"] == before["keepers"]
    assert after["below"] == before["below"]
    assert after["folders"] == before["folders"]
    assert after["resident"] < before["resident"] + 16 * MIB
    assert after["keeper"] < before["keeper"] + 4 * MIB
    assert (time.monotonic() - started) / 1000 < 0.2


def _held(workers: Workers) -> dict[str, int]:
    idle = workers._idle  # pyright: ignore[reportPrivateUsage]
    assert len(idle) >= 1
    keepers = [worker.keeper for worker in idle]
    return {
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "keepers": hash(tuple(sorted(keepers))),
        "below": sum(len(_below(pid)) for pid in keepers),
        "folders": sum(len(list(worker.folder.iterdir())) for worker in idle),
        "resident": _resident(os.getpid()),
        "keeper": sum(_resident(pid) for pid in keepers),
    }


def _below(pid: int) -> list[int]:
    """The processes a process has started, and those they have."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [one for child in children for one in (int(child), *_below(int(child)))]


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_closing_ends_every_process_and_removes_every_folder() -> None:
    working: list[Level] = [level for level in LEVELS[:2] if probe(level).works]
    workers = Workers(working[0] if working else "unsafe")
    workers.run("1")
    worker = workers._idle[0]  # pyright: ignore[reportPrivateUsage]
    pid, folder = worker.keeper, worker.folder
    assert folder.exists() and Path(f"/proc/{pid}").exists()
    workers.close()
    workers.close()
    assert not folder.exists() and not Path(f"/proc/{pid}").exists()
    with pytest.raises(ToolFault, match="closed"):
        workers.run("1")


def test_a_process_of_multiprocessing_takes_its_keepers_with_it(held: Workers) -> None:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_use_and_end, args=(held.level, theirs))
    process.start()
    assert ours.poll(30)
    folder, keeper = ours.recv().split()
    process.join(30)
    assert not Path(folder).exists() and not Path(f"/proc/{keeper}").exists()


def _use_and_end(level: Level, told: Connection[str, str]) -> None:
    workers = Workers(level, packages=())
    workers.run("1")
    worker = workers._idle[0]  # pyright: ignore[reportPrivateUsage]
    told.send(f"{worker.folder} {worker.keeper}")


def test_a_keeper_that_is_killed_is_replaced(held: Workers) -> None:
    held.run("1")
    for worker in list(held._idle):  # pyright: ignore[reportPrivateUsage]
        os.kill(worker.keeper, 9)
    assert [held.run("5").value for _ in range(4)].count(5) >= 2


def test_a_program_is_not_given_to_a_keeper_that_is_gone(held: Workers) -> None:
    held.run("1")
    for worker in list(held._idle):  # pyright: ignore[reportPrivateUsage]
        os.kill(worker.keeper, 9)
        os.waitid(os.P_PID, worker.keeper, os.WEXITED | os.WNOWAIT)
    assert held.run("5").value == 5
    for worker in list(held._idle):  # pyright: ignore[reportPrivateUsage]
        worker._control.shutdown(socket.SHUT_RDWR)  # pyright: ignore[reportPrivateUsage]
    assert held.run("6").value == 6


def test_a_keeper_that_is_lost_at_work_does_not_come_back(held: Workers) -> None:
    """Its line is cut before the system knows that it has ended."""
    held.run("1")
    with held._worker(net=False) as worker:  # pyright: ignore[reportPrivateUsage]
        worker._control.shutdown(socket.SHUT_RDWR)  # pyright: ignore[reportPrivateUsage]
    assert worker not in held._idle  # pyright: ignore[reportPrivateUsage]


def test_a_program_whose_keeper_is_killed_is_lost_and_says_so() -> None:
    with Workers("unsafe") as workers:
        workers.run("1")
        keeper = workers._idle[0].keeper  # pyright: ignore[reportPrivateUsage]
        killer = threading.Timer(0.2, os.kill, (keeper, 9))
        killer.start()
        assert "lost" in str(workers.run("import time; time.sleep(1)").error)
        assert workers.run("6").value == 6


def test_a_caller_that_is_killed_takes_its_programs_with_it(held: Workers) -> None:
    code = """
import sys
from reverie.tools.sandbox import Workers
with Workers(sys.argv[1]) as workers:
    workers.run("1")
    print(workers._idle[0].folder, flush=True)
    workers.run("while True: open('alive', 'w').write('x')", timeout=60)
"""
    caller = subprocess.Popen(
        [sys.executable, "-c", code, held.level], stdout=subprocess.PIPE, text=True
    )
    assert caller.stdout is not None
    with caller, caller.stdout:
        alive = Path(caller.stdout.readline().strip()) / "alive"
        _wait_for(alive.exists)
        caller.kill()
    try:
        _wait_for(lambda: not _changes(alive))
    finally:
        shutil.rmtree(alive.parent)


def _changes(file: Path) -> bool:
    before = file.stat().st_mtime_ns
    time.sleep(0.1)
    return file.stat().st_mtime_ns != before


def _wait_for(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)


def test_a_forked_process_has_keepers_of_its_own(held: Workers) -> None:
    assert held.run("1").value == 1
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            value = held.run("20 + 1").value
            held.close()
            os.write(write, str(value).encode())
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    os.close(write)
    with os.fdopen(read) as file:
        assert file.read() == "21"
    assert held.run("2").value == 2
