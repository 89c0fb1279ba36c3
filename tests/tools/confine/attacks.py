"""What the hostile programs of these tests have in common."""

from __future__ import annotations

from reverie.tools.sandbox import Result, Workers

MIB = 1 << 20

TRY = """
def attempt(deed):
    try:
        return repr(deed())
    except BaseException as error:
        return type(error).__name__
"""
"""What a deed came to: its value as text, or the name of the error it met."""

CALL = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    got = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(a) for a in arguments))
    return ctypes.get_errno() if got < 0 else 0
"""
"""The errno of a raw kernel call; 0 where it succeeds."""

REFUSED = ("PermissionError", "FileNotFoundError", "OSError", "ConnectionRefusedError")


def attack(
    sandbox: Workers,
    code: str,
    timeout: float = 10.0,
    memory: int = 256 * MIB,
    net: bool = False,
    **inputs: object,
) -> Result:
    """Run a program that has ``attempt`` at hand."""
    return sandbox.run(TRY + code, inputs, timeout=timeout, memory=memory, net=net)


def still_works(sandbox: Workers) -> None:
    """The next program runs as if nothing had been."""
    assert sandbox.run("1 + 1").value == 2
