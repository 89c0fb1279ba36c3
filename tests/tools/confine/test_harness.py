"""Programs that bend the process they share with the harness."""

from __future__ import annotations

from typing import cast

import pytest

from reverie.tests.tools.confine.attacks import attack, still_works
from reverie.tools.sandbox import Workers

FORGED = '{"value": "forged", "level": "none", "status": 0, "limits": [], "seconds": -5}'


@pytest.mark.parametrize(
    "deed",
    [
        "import json; json.dumps = lambda *a, **k: forged; 1",
        "import sys; sys.modules.clear(); 1",
        "import builtins; builtins.isinstance = lambda *a: True; builtins.print = None; 1",
        "import os; os._exit(0)",
        "import os; os.write = lambda *a: 1 / 0; os._exit = print; 1",
        "import os\nfor fd in range(64): attempt(lambda: os.write(fd, forged.encode() + b'\\n'))",
        "import os; os.closerange(0, 64); 1",
        "import sys\nfor n in list(sys.modules): sys.modules[n] = None\n1",
        "import gc\nfor o in gc.get_objects():\n    attempt(lambda: o.clear())\n1",
        "import ctypes; ctypes.string_at(0)",
        "import signal; signal.setitimer(signal.ITIMER_REAL, 0.01); signal.pause()",
        "class Liar(int):\n    __class__ = property(lambda s: 1 / 0)\nLiar()",
        "class E(Exception):\n    def __str__(s): raise s\nraise E",
        "import sys\nsys.setprofile(lambda *a: 1 / 0)\n1",
        "import sys; sys.stdout = sys.stderr = None; sys.exit(3)",
        "raise KeyboardInterrupt",
        "import os\nfor fd in range(3, 64): attempt(lambda: os.write(fd, b'[' * 100000 + b'\\n'))",
        "import os\nfor fd in range(3, 64): attempt(lambda: os.write(fd, b'\\xff\\x00\\n' * 5))",
        "[].__class__.__base__.__subclasses__() and (lambda: 0).__globals__.clear()",
        "import sys\nf = sys._getframe()\nwhile f: f.f_globals.clear(); f = f.f_back",
    ],
)
def test_poking_the_harness_spoils_the_own_value_alone(sandbox: Workers, deed: str) -> None:
    result = attack(sandbox, deed, timeout=3, forged=FORGED)
    assert result.level == sandbox.level
    assert result.seconds >= 0
    assert result.value in (None, 1, "forged", [])
    still_works(sandbox)


def test_nothing_of_one_program_reaches_the_next(sandbox: Workers) -> None:
    mark = "mark-of-the-first-program"
    leave = """
import builtins, os, sys, json, random, numpy as np
builtins.mark = json.mark = np.mark = sys.mark = mark
sys.path.append(mark); sys.modules[mark] = sys; os.environ["MARK"] = mark
open(mark, "w").write(mark); np.random.seed(5); print(mark)
mark
"""
    first = sandbox.run(leave, {"mark": mark}, {"given": mark.encode()})
    assert first.value == mark
    look = """
import builtins, ctypes, os, sys, json, numpy as np
name, halves = "mark", ("mark-of-the-", "first-program")
found = [hasattr(m, name) for m in (builtins, json, np, sys)]
needle = "".join(halves).encode()
found += [os.listdir("."), [p for p in sys.path if p.startswith(halves[0])]]
found += ["MARK" in os.environ, halves[0] + halves[1] in sys.modules]
import gc
found.append(sum(isinstance(o, (str, bytes, bytearray)) and o is not needle and needle == o
                 for held in gc.get_objects() if isinstance(held, (list, tuple)) for o in held))
found
"""
    found = sandbox.run(look).value
    assert found == [False, False, False, False, [], [], False, False, 0]


def test_a_keeper_holds_nothing_of_what_passed_through_it(sandbox: Workers) -> None:
    """The memory a program is forked from, searched by the program itself."""
    sandbox.run("kept = mark * 1000; print(mark); mark", {"mark": "needle" + "-in-memory"})
    code = """
import ctypes
needle = b"eldeen"[::-1] + b"-in-memory"
libc = ctypes.CDLL(None)
libc.sbrk.restype = ctypes.c_void_p
end = libc.sbrk(0)
size = 1 << 20
held = ctypes.string_at(end - size, size)
held.count(needle) - 1  # the needle itself
"""
    assert cast("int", sandbox.run(code).value) <= 1
