"""What goes to a program and what it says, as bytes; what it says may be anything at all."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from ...errors import ToolFault
from .harness import ARRAY, DTYPE, SHAPE
from .results import Json, Limit, Outcome
from .watch import Ended

_SELF_TOLD: tuple[Limit, ...] = ("seconds", "memory", "value", "files")
"""Limits that a program itself runs into, and may say so; it could only blacken itself."""
_LONGEST = 16 << 10
LOST = "its files are more, larger or deeper than its folder may hold, and are lost"

Said = dict[str, Json]


def once(code: str, inputs: Mapping[str, object]) -> bytes:
    """The request to run a program. Raises ``ToolFault`` for what cannot be sent."""
    for name in inputs:
        if not name.isidentifier():
            raise ToolFault(f"{name!r} is no name for an input: programs see inputs as variables")
    return _sent({"code": code, "inputs": {name: outgoing(inputs[name]) for name in inputs}})


def each(
    code: str, function: str, places: Sequence[int], inputs: Sequence[object], seconds: float
) -> bytes:
    """The request to call a function on the inputs at these places."""
    chosen = [outgoing(inputs[place]) for place in places]
    return _sent(
        {
            "code": code,
            "function": function,
            "places": list(places),
            "inputs": chosen,
            "seconds": seconds,
        }
    )


def _sent(request: dict[str, object]) -> bytes:
    try:
        return json.dumps(request).encode("utf-8", "surrogatepass")
    except (TypeError, ValueError, RecursionError) as error:
        raise ToolFault(f"these inputs cannot be sent to a program: {error}") from None


def outgoing(value: object) -> object:
    """A value with its arrays told in a form that survives JSON."""
    if isinstance(value, np.generic):
        return cast("np.generic", value).item()
    if isinstance(value, np.ndarray):
        array = cast("NDArray[np.generic]", value)
        if array.dtype.kind not in "biuf":
            raise ToolFault(f"an array of {array.dtype} cannot be sent: use numbers or booleans")
        return {ARRAY: array.tolist(), DTYPE: array.dtype.str, SHAPE: list(array.shape)}
    if isinstance(value, Mapping):
        members = cast("Mapping[object, object]", value)
        if not all(isinstance(key, str) and key != ARRAY for key in members):
            raise ToolFault(f"the keys of an input are text other than {ARRAY!r}")
        return {key: outgoing(inner) for key, inner in members.items()}
    if isinstance(value, list | tuple):
        return [outgoing(inner) for inner in cast("Sequence[object]", value)]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ToolFault(
        f"a value of type {type(value).__name__} cannot be sent to a program: "
        "send numbers, text, lists, dictionaries or arrays"
    )


def heard(line: bytes) -> Said | None:
    """A line of a program's as an object; None if it is not one."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return cast("Said", found) if isinstance(found, dict) else None


@dataclass(frozen=True)
class Verdict:
    """Value, error and limits of a program or of one call, read from what it said."""

    value: Json = None
    error: str | None = None
    limits: tuple[Limit, ...] = ()


def verdict(said: Said) -> Verdict | None:
    """What a line says; None if it says nothing."""
    error = said.get("error")
    if isinstance(error, str):
        limit = said.get("limit")
        limits: tuple[Limit, ...] = tuple(one for one in _SELF_TOLD if one == limit)
        return Verdict(None, error[:_LONGEST] or "an error without a word", limits)
    return Verdict(said["value"]) if "value" in said else None


def outcome(said: Said, seconds: float) -> Outcome | None:
    """What a line says about one input; None if it says nothing."""
    found = verdict(said)
    if found is None:
        return None
    printed = said.get("stdout")
    taken = said.get("seconds")
    taken = float(taken) if isinstance(taken, int | float) and 0 <= taken <= seconds else seconds
    text = printed[:_LONGEST] if isinstance(printed, str) else ""
    return Outcome(found.value, found.error, text, found.limits, taken)


def ending(ended: Ended, seconds: float, memory: int, cpu: int) -> str:
    """One sentence on a program that ended before it had told its value."""
    sentences: dict[Limit, str] = {
        "seconds": f"it was ended after {seconds:g} s, its limit",
        "output": "it was ended because it printed without end",
        "value": "it was ended because its value was too large to leave the sandbox",
        "files": "it was ended because it wrote more, or deeper, than its folder may hold",
    }
    for limit in sentences:
        if limit in ended.limits:
            return sentences[limit]
    if ended.status is None:
        return "the process that kept it was lost, and it with it"
    code = os.waitstatus_to_exitcode(ended.status)
    if code >= 0:
        last = ended.output.decode("utf-8", "replace").strip().rpartition("\n")[2][:_LONGEST]
        said = f"; the last it said: {last}" if last else ""
        return f"it ended itself (exit status {code}) before it had told its value{said}"
    if _spent(ended, cpu):
        return f"it was ended after {cpu} s of processor time, its limit"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    hint = {
        "SIGSEGV": "it crashed, as by too deep a recursion or a fault in native code",
        "SIGABRT": f"it crashed, as when the {memory >> 20} MiB it may take are used up",
        "SIGBUS": "it crashed",
        "SIGSYS": "it made a kernel call of another machine",
    }.get(name, "it was ended")
    return f"{hint} ({name})"


def limits(ended: Ended, own: Sequence[Limit], cpu: int) -> tuple[Limit, ...]:
    """Every limit met, as seen from outside and as told by the program."""
    met: set[Limit] = ended.limits | set(own)
    if _spent(ended, cpu):
        met.add("cpu")
    order: tuple[Limit, ...] = (
        "seconds", "cpu", "memory", "output", "value", "files", "threads"
    )  # fmt: skip
    return tuple(one for one in order if one in met)


def _spent(ended: Ended, cpu: int) -> bool:
    """It was ended by the kernel for the processor time it had taken."""
    return ended.status is not None and (
        os.WIFSIGNALED(ended.status)
        and os.WTERMSIG(ended.status) in (signal.SIGXCPU, signal.SIGKILL)
        and ended.cpu >= cpu
    )
