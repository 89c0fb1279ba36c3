"""What runs inside, around the foreign program: takes the request, runs it, tells its value.

Nothing here is a wall: the program shares this process and can replace every name in it. All it
reaches by that is a value of its own choosing, which it may return anyway. What it must not
forge (how it was held, how long it ran, which limits it met) is told by others.
"""

from __future__ import annotations

import ast
import io
import json
import linecache
import os
import signal
import sys
import time
import traceback
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, cast

PROGRAM = "program.py"
VALUE = 4 << 20
"""Bytes of JSON a program may return."""
PRINTED = 4 << 10
"""Characters kept of what a function prints for one input."""
TOLD = 8 << 10
"""Characters of an error."""
ARRAY, DTYPE, SHAPE = "$array", "$dtype", "$shape"
"""How an array travels inwards: an object with these three keys."""


class TimeUp(BaseException):
    """An input has used its time; no ``except Exception`` of the program's swallows it."""


class TooLarge(Exception):
    """The value is more than may leave."""


def main(request: int, answer: int) -> NoReturn:
    """Serve the request read from one descriptor, write lines to the other, and end at once.

    No exit handler of the program's runs, and no thread is waited for.
    """
    with os.fdopen(request, "rb") as file:
        asked = json.loads(file.read(), object_hook=_array)
    sys.stdout = sys.__stdout__ = _stream(1)
    sys.stderr = sys.__stderr__ = _stream(2)
    sys.argv = [PROGRAM]
    sys.path.insert(0, str(Path.cwd()))
    program = types.ModuleType("__main__")
    sys.modules["__main__"] = program
    if "function" in asked:
        _each(asked, program.__dict__, answer)
    else:
        _once(asked, program.__dict__, answer)
    _flush()
    os._exit(0)


def _stream(descriptor: int) -> io.TextIOWrapper:
    """Text by the line, so that what a program printed before it was ended is not lost."""
    return open(
        descriptor, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False
    )


def _once(asked: dict[str, Any], names: dict[str, Any], answer: int) -> None:
    """Run a program; tell the value of its last line."""
    try:
        names.update(asked["inputs"])
        line = _value_line({}, _execute(asked["code"], names))
    except BaseException as error:
        line = _error_line({}, error, names)
    _flush()
    _tell(answer, line)


def _each(asked: dict[str, Any], names: dict[str, Any], answer: int) -> None:
    """Run a program, then its function on every input; tell one line for each."""
    try:
        _execute(asked["code"], names)
        function = names.get(asked["function"])
        if not callable(function):
            raise NameError(f"the program defines no function {asked['function']!r}")
    except BaseException as error:
        _tell(answer, _error_line({"ready": False}, error, names))
        return
    _tell(answer, _line({"ready": True}))
    clock = _Clock()
    for place, value in zip(asked["places"], asked["inputs"], strict=True):
        _tell(answer, _one(function, value, place, clock, asked["seconds"]))


class _Clock:
    """Interrupts the program's Python between two steps; C code is ended from outside."""

    def __init__(self) -> None:
        self.armed = False
        signal.signal(signal.SIGALRM, self._ring)

    def _ring(self, *_: object) -> None:
        if self.armed:
            self.armed = False
            raise TimeUp

    def start(self, seconds: float) -> None:
        self.armed = True
        signal.setitimer(signal.ITIMER_REAL, seconds)

    def stop(self) -> None:
        self.armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)


def _one(
    function: Callable[[Any], object],
    value: object,
    place: int,
    clock: _Clock,
    seconds: float,
) -> bytes:
    printed = Printed()
    outer = sys.stdout, sys.stderr
    sys.stdout = sys.stderr = printed  # type: ignore[assignment]
    started = time.perf_counter()

    def said() -> dict[str, Any]:
        taken = time.perf_counter() - started
        return {"case": place, "seconds": taken, "stdout": printed.text()}

    try:
        try:
            clock.start(seconds)
            line = _value_line(said, function(value))
        finally:
            clock.stop()
    except TimeUp:
        told = {"error": f"it took longer than {seconds:g} s", "limit": "seconds"}
        line = _line(said() | told)
    except BaseException as error:
        line = _error_line(said(), error)
    finally:
        sys.stdout, sys.stderr = outer
    return line


class Printed(io.TextIOBase):
    """Keeps the first characters written to it and forgets the rest."""

    def __init__(self) -> None:
        self._kept: list[str] = []
        self._room = PRINTED

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, text: str, /) -> int:
        """Keep what there is room for."""
        if self._room > 0:
            self._kept.append(text[: self._room])
            self._room -= len(text)
        return len(text)

    def text(self) -> str:
        """What was kept."""
        return "".join(self._kept)


def _execute(code: str, names: dict[str, Any]) -> object:
    """Run the code; the value of its last line if that is an expression."""
    linecache.cache[PROGRAM] = (len(code), None, code.splitlines(keepends=True), PROGRAM)
    tree = ast.parse(code, PROGRAM)
    last: ast.Expression | None = None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = ast.Expression(tree.body.pop().value)  # type: ignore[attr-defined]
    try:
        exec(compile(tree, PROGRAM, "exec", dont_inherit=True), names)
        return eval(compile(last, PROGRAM, "eval", dont_inherit=True), names) if last else None
    except SystemExit as stop:
        if stop.code in (None, 0):
            return None
        raise


def plain(value: object) -> object:
    """A value as JSON has it: arrays, tuples and sets as lists. Raises ``TypeError`` for others."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        members = cast(dict[object, object], value)
        return {_key(key): plain(inner) for key, inner in members.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in cast(list[object], value)]
    if isinstance(value, set | frozenset):
        return [plain(inner) for inner in sorted(cast(set[object], value), key=repr)]
    if type(value).__module__.partition(".")[0] == "numpy" and hasattr(value, "tolist"):
        return plain(cast(Any, value).tolist())
    raise TypeError(
        f"a value of type {type(value).__name__} cannot leave the sandbox: return numbers, text, "
        "lists, dictionaries or arrays"
    )


def _key(key: object) -> str:
    if isinstance(key, str):
        return key
    if key is None or isinstance(key, bool | int | float):
        return json.dumps(key)
    raise TypeError(f"a dictionary with keys of type {type(key).__name__} cannot leave the sandbox")


def _array(found: dict[str, Any]) -> object:
    if ARRAY not in found:
        return found
    import numpy as np

    return np.array(found[ARRAY], dtype=found[DTYPE]).reshape(found[SHAPE])


def _line(told: dict[str, Any]) -> bytes:
    return json.dumps(told).encode() + b"\n"


def _value_line(told: dict[str, Any] | Callable[[], dict[str, Any]], value: object) -> bytes:
    made = plain(value)
    line = _line((told() if callable(told) else told) | {"value": made})
    if len(line) > VALUE:
        raise TooLarge(f"the value takes {len(line)} bytes as JSON; at most {VALUE} may leave")
    return line


def _error_line(
    told: dict[str, Any], error: BaseException, names: dict[str, Any] | None = None
) -> bytes:
    limit: str | None = None
    if isinstance(error, MemoryError):
        limit = "memory"
        if names is not None:
            names.clear()  # what filled the memory
        error.__traceback__ = error.__context__ = None
        import resource  # not where there is no fork; this module is read there too

        # Telling it takes memory too: a little was held back.
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    elif isinstance(error, TooLarge):
        limit = "value"
    elif isinstance(error, OSError) and error.errno in (27, 28, 122):  # EFBIG, ENOSPC, EDQUOT
        limit = "files"
    return _line(told | {"error": _told(error), "limit": limit})


def _told(error: BaseException) -> str:
    """The traceback of the program's own lines."""
    if isinstance(error, TooLarge):
        return str(error)
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename != PROGRAM:
        frames = frames.tb_next
    try:
        text = "".join(traceback.format_exception(type(error), error, frames)).rstrip()
    except BaseException as worse:
        return f"{type(error).__name__} (and its text cannot be told: {type(worse).__name__})"
    if len(text) > TOLD:
        text = f"{text[: TOLD // 2]}\n…\n{text[-TOLD // 2 :]}"
    return text


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:
            continue  # the program may have closed or replaced it


def _tell(answer: int, line: bytes) -> None:
    rest = memoryview(line)
    while rest:
        rest = rest[os.write(answer, rest) :]
