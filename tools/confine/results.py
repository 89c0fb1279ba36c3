"""What running a foreign program comes to, and the contract of whatever runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias, runtime_checkable

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""What leaves a program. Arrays and tuples leave as lists; NaN and infinities stay."""

Level: TypeAlias = Literal["bubblewrap", "landlock", "interpreter", "unsafe"]
"""How a program is held, strongest first; ``unsafe`` holds nothing but its appetite."""

Limit: TypeAlias = Literal["seconds", "cpu", "memory", "output", "value", "files", "threads"]
"""A limit a program ran into; ``value`` is the size of what it returned."""

MIB = 1 << 20
TIMEOUT = 10.0
"""Seconds, where the caller names none."""
MEMORY = 512 * MIB
"""Bytes a program may take beyond the interpreter and the packages it starts with."""
OUTPUT = 64 << 10
"""Bytes of standard output that are kept."""
TIMEOUT_EACH = 2.0


@dataclass(frozen=True)
class Result:
    """What one program did."""

    stdout: str
    """Standard output and standard error, the first 64 KiB."""
    value: Json
    """The value of the program's last line, if that is an expression; else None."""
    error: str | None
    """None, or a traceback of the program's own lines, or one sentence on how it ended."""
    artifacts: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    """Files the program wrote or changed in its folder, by relative path; links are left out."""
    limits: tuple[Limit, ...] = ()
    """The limits it ran into."""
    level: Level = "unsafe"
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """It ran to its end without an error."""
        return self.error is None


@dataclass(frozen=True)
class Outcome:
    """What a program's function made of one input."""

    value: Json
    error: str | None
    """None, a traceback, or one sentence on how it ended."""
    stdout: str = ""
    """What the function printed for this input, the first 4 KiB."""
    limits: tuple[Limit, ...] = ()
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """The function returned a value for this input."""
        return self.error is None


@runtime_checkable
class Sandbox(Protocol):
    """Runs foreign Python so that it can do no harm. Safe to call from several threads."""

    @property
    def level(self) -> Level:
        """How programs are held; every run log says it."""
        ...

    def run(
        self,
        code: str,
        inputs: Mapping[str, object] | None = None,
        files: Mapping[str, bytes] | None = None,
        timeout: float = TIMEOUT,
        memory: int = MEMORY,
        net: bool = False,
    ) -> Result:
        """Run a program once. What the program does wrong is in the result, never raised.

        ``inputs`` become its global names: JSON values and numpy arrays, nested as you like.
        ``files`` are laid in its work folder, by relative path. ``timeout`` is in seconds, of the
        clock and of the processor; ``memory`` in bytes. ``net`` lets it out to the network.
        Raises ``ToolFault`` for what cannot be sent, or what this level cannot do.
        """
        ...

    def run_each(
        self,
        code: str,
        inputs: Sequence[object],
        function: str = "transform",
        timeout_each: float = TIMEOUT_EACH,
        memory: int = MEMORY,
    ) -> list[Outcome]:
        """Compile ``code`` once and call its ``function`` on every input; one outcome an input.

        An input on which the function fails, hangs or dies does not keep the others from their
        values: the program goes on, or starts again behind it. An array goes in as an array of
        the same type (``int8`` stays ``int8``) and comes out as lists.
        """
        ...

    def close(self) -> None:
        """End every process and remove every folder; idempotent."""
        ...
