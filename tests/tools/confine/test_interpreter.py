"""The isolated interpreter of pure Python."""

from __future__ import annotations

import numpy as np
import pytest

from reverie.errors import MissingExtra, ToolFault
from reverie.tools.sandbox import (
    Interpreter,
    Sandbox,
)

MIB = 1 << 20


def test_the_interpreter_runs_pure_python(interpreter: Interpreter) -> None:
    assert isinstance(interpreter, Sandbox)
    result = interpreter.run("print('hi')\n[x * 2 for x in xs]", {"xs": np.arange(3)})
    assert (result.stdout, result.value, result.level) == ("hi\n", [0, 2, 4], "interpreter")
    assert "ZeroDivisionError" in str(interpreter.run("1 / 0").error)
    assert "numpy" in str(interpreter.run("import numpy").error)
    with pytest.raises(ToolFault, match="neither files nor a network"):
        interpreter.run("1", net=True)


def test_the_interpreter_has_no_way_out(interpreter: Interpreter) -> None:
    for code in (
        "open('/etc/passwd').read()",
        "import os\nos.environ",
        "import socket",
        "import subprocess",
        "import ctypes",
        "().__class__.__base__.__subclasses__()",
    ):
        assert interpreter.run(code).error, code


def test_the_interpreter_keeps_its_limits(interpreter: Interpreter) -> None:
    assert interpreter.run("while True: pass", timeout=0.2).limits == ("seconds",)
    assert interpreter.run("import time\ntime.sleep(9)", timeout=0.2).limits == ("seconds",)
    full = interpreter.run("a = []\nwhile True: a.append('x' * 100000)", memory=20 * MIB)
    assert full.limits == ("memory",)
    loud = interpreter.run("while True: print('x' * 10000)", timeout=0.2)
    assert len(loud.stdout) == 64 << 10 and "output" in loud.limits
    made = interpreter.run_each(
        "def transform(n):\n    while n == 1: pass\n    return n", [0, 1, 2], timeout_each=0.2
    )
    assert [outcome.value for outcome in made] == [0, None, 2]


def test_without_its_package_the_interpreter_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pydantic_monty", None)
    with pytest.raises(MissingExtra, match="monty"):
        Interpreter()
