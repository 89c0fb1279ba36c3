"""What a program that means no harm gets, and what is told of one that fails."""

from __future__ import annotations

import numpy as np
import pytest

from reverie.errors import NoSandbox, ToolFault
from reverie.tools.sandbox import (
    Workers,
)

MIB = 1 << 20


def test_a_program_gives_its_output_and_the_value_of_its_last_line(anyhow: Workers) -> None:
    result = anyhow.run("print('sum of', xs)\ntotal = sum(xs)\ntotal", {"xs": [1, 2, 3]})
    assert result.ok and result.level == anyhow.level
    assert (result.stdout, result.value, result.limits) == ("sum of [1, 2, 3]\n", 6, ())
    assert anyhow.run("x = 1").value is None
    assert anyhow.run("").value is None


def test_arrays_go_in_as_they_are_and_come_out_as_lists(anyhow: Workers) -> None:
    grid = np.array([[1, 2], [3, 4]], dtype=np.int8)
    code = "[grid.dtype.name, list(empty.shape), grid.T, float(nan), (1, {2}), {3: np.float32(4)}]"
    inputs = {"grid": grid, "empty": np.zeros((0, 3)), "nan": float("inf")}
    result = anyhow.run("import numpy as np\n" + code, inputs)
    assert result.value == ["int8", [0, 3], [[1, 3], [2, 4]], float("inf"), [1, [2]], {"3": 4.0}]


def test_an_error_shows_the_lines_of_the_program_alone(anyhow: Workers) -> None:
    result = anyhow.run("def halve(n):\n    return n / 0\n\nhalve(3)")
    assert str(result.error).splitlines()[0] == "Traceback (most recent call last):"
    assert 'File "program.py", line 2, in halve\n    return n / 0' in str(result.error)
    assert "ZeroDivisionError: division by zero" in str(result.error)
    assert "harness" not in str(result.error) and "site-packages" not in str(result.error)
    assert "SyntaxError" in str(anyhow.run("def f(:").error)
    assert "cannot leave the sandbox" in str(anyhow.run("object()").error)


def test_leaving_by_exit_is_an_error_only_with_a_code(anyhow: Workers) -> None:
    assert anyhow.run("import sys; sys.exit()").ok
    assert "SystemExit: 3" in str(anyhow.run("import sys; sys.exit(3)").error)
    assert "exit status 5" in str(anyhow.run("import os; os._exit(5)").error)


def test_files_are_given_and_those_written_come_back(anyhow: Workers) -> None:
    code = """
import os, shutil, tempfile
text = open("in/a.txt").read()
open("in/a.txt", "a").write("!")
shutil.copy2("b.bin", "c.bin")
os.makedirs("out/deep", exist_ok=True)
os.rename("c.bin", "out/deep/c.bin")
with tempfile.TemporaryFile() as file: file.write(b"gone")
text
"""
    result = anyhow.run(code, files={"in/a.txt": b"hello", "b.bin": b"\0\1"})
    assert result.error is None and result.value == "hello"
    assert result.artifacts == {"in/a.txt": b"hello!", "out/deep/c.bin": b"\0\1"}
    assert anyhow.run("import os; os.listdir('.')").value == []


def test_a_program_imports_what_it_was_given(anyhow: Workers) -> None:
    result = anyhow.run(
        "import tool; tool.double(4)", files={"tool.py": b"def double(n): return 2 * n"}
    )
    assert result.value == 8


def test_common_modules_and_habits_work(anyhow: Workers) -> None:
    code = """
from __future__ import annotations
import csv, datetime, hashlib, io, json, re, sqlite3, statistics, threading, uuid, zoneinfo
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
import numpy as np
@dataclass
class Point:
    x: int
assert __name__ == "__main__"
with ThreadPoolExecutor(2) as pool: squares = list(pool.map(lambda n: n * n, range(4)))
db = sqlite3.connect("a.db")
db.executescript("create table t(x); insert into t values (7)")
ring = (np.linalg.inv(np.eye(3)) @ np.random.default_rng(0).random((3, 3))).shape
[Point(2).x, squares, db.execute("select x from t").fetchone(), ring,
 str(datetime.date(2020, 1, 1)), hashlib.sha256(b"").hexdigest()[:4], uuid.uuid4().version]
"""
    result = anyhow.run(code)
    assert result.error is None
    assert result.value == [2, [0, 1, 4, 9], [7], [3, 3], "2020-01-01", "e3b0", 4]


def test_little_memory_is_enough_for_a_little_program(anyhow: Workers) -> None:
    assert anyhow.run("import numpy as np; int(np.ones(100).sum())", memory=8 * MIB).value == 100


def test_large_inputs_and_values_pass(anyhow: Workers) -> None:
    text = "x" * (3 * MIB)
    result = anyhow.run("print(len(text)); text", {"text": text}, timeout=20)
    assert (result.stdout, result.value == text) == (f"{len(text)}\n", True)


@pytest.mark.parametrize(
    ("inputs", "files", "timeout", "memory"),
    [
        ({"x": object()}, {}, 1, MIB),
        ({"not a name": 1}, {}, 1, MIB),
        ({"x": np.array(["a"])}, {}, 1, MIB),
        ({"x": {1: 2}}, {}, 1, MIB),
        ({}, {"../out": b""}, 1, MIB),
        ({}, {"/etc/x": b""}, 1, MIB),
        ({}, {"": b""}, 1, MIB),
        ({}, {}, 0, MIB),
        ({}, {}, float("nan"), MIB),
        ({}, {}, 1, 5),
    ],
)
def test_what_cannot_be_sent_is_refused_before_anything_runs(
    anyhow: Workers,
    inputs: dict[str, object],
    files: dict[str, bytes],
    timeout: float,
    memory: int,
) -> None:
    with pytest.raises(ToolFault):
        anyhow.run("1", inputs, files, timeout, memory)
    assert anyhow.run("2").value == 2


def test_a_package_that_is_not_here_is_named() -> None:
    with (
        Workers("unsafe", packages=("no_such_package",)) as workers,
        pytest.raises(NoSandbox, match="no_such_package"),
    ):
        workers.run("1")


TRANSFORM = """
import numpy as np
def transform(grid):
    print(grid.shape)
    kind = int(grid[0, 0])
    if kind == 1: return 1 / 0
    if kind == 2:
        while True: pass
    if kind == 3: return 7 ** 10 ** 9
    if kind == 4: __import__("os")._exit(0)
    if kind == 5: return np.ones(10 ** 10)
    return np.rot90(grid)
"""


def test_every_input_gets_its_value_or_its_error(anyhow: Workers) -> None:
    grids = [np.full((1, 2), kind, dtype=np.int8) for kind in (0, 1, 2, 0, 3, 4, 5, 9)]
    made = anyhow.run_each(TRANSFORM, grids, timeout_each=0.3, memory=64 * MIB)
    assert [outcome.value for outcome in made] == [
        [[0], [0]], None, None, [[0], [0]], None, None, None, [[9], [9]]
    ]  # fmt: skip
    errors = [str(outcome.error) for outcome in made]
    assert "ZeroDivisionError" in errors[1] and "line 6, in transform" in errors[1]
    assert made[2].limits == made[4].limits == ("seconds",)
    assert "exit status 0" in errors[5]
    assert made[6].limits == ("memory",)
    assert made[0].stdout == "(1, 2)\n" and made[0].seconds < 0.3


def test_a_program_that_does_not_come_to_its_function_fails_for_every_input(
    anyhow: Workers,
) -> None:
    for code, word in (
        ("1 / 0", "ZeroDivisionError"),
        ("def other(grid): return grid", "no function 'transform'"),
        ("while True: pass", "0.2 s"),
        ("def f(:", "SyntaxError"),
    ):
        made = anyhow.run_each(code, [1, 2], timeout_each=0.2)
        assert len(made) == 2 and all(word in str(outcome.error) for outcome in made)
    assert anyhow.run_each("def transform(x): return x", []) == []


def test_a_function_cannot_answer_for_another_input(held: Workers) -> None:
    code = """
import json, os
def transform(n):
    for fd in range(3, 10):
        for case in (5, 1, 0):
            try: os.write(fd, json.dumps({"case": case, "value": "forged"}).encode() + b"\\n")
            except OSError: pass
    return n
"""
    made = held.run_each(code, [10, 11])
    assert len(made) == 2
    assert all(outcome.value in (10, 11, "forged") for outcome in made)


def test_state_of_the_program_stays_between_inputs_and_goes_with_it(held: Workers) -> None:
    code = "seen = []\ndef transform(n):\n    seen.append(n)\n    return seen"
    assert [outcome.value for outcome in held.run_each(code, [1, 2])] == [[1], [1, 2]]
    assert held.run_each(code, [3])[0].value == [3]
