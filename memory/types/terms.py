"""Types as frozen values that print back as annotations: ``list[object] | None``.

Every type prints as text that `parsing` reads as the same type.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Anything:
    """``Any``: nothing is known, and nothing is asked."""

    def __str__(self) -> str:
        return "Any"


@dataclass(frozen=True, slots=True)
class Nothing:
    """``None``."""

    def __str__(self) -> str:
        return "None"


@dataclass(frozen=True, slots=True)
class Rest:
    """``...``, as the last argument of a tuple: any number of the one before."""

    def __str__(self) -> str:
        return "..."


@dataclass(frozen=True, slots=True)
class Named:
    """A type by its name, which may have several words: ``grid``, ``stopping criteria``."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Values:
    """``Literal[…]``: one of these values, each as it is printed (`literal`).

    They are kept as text because ``1``, ``1.0`` and ``True`` are equal in Python.
    """

    values: tuple[str, ...]

    def __str__(self) -> str:
        return f"Literal[{', '.join(self.values)}]"


@dataclass(frozen=True, slots=True)
class Generic:
    """A type with arguments: ``list[object]``, ``dict[color, color]``, ``tuple[int, ...]``."""

    head: str
    arguments: tuple[Type, ...]

    def __str__(self) -> str:
        return f"{self.head}[{', '.join(map(str, self.arguments))}]"


@dataclass(frozen=True, slots=True)
class Function:
    """``Callable[[a, b], c]``; ``parameters`` None leaves them open, as ``Callable[..., c]``."""

    parameters: tuple[Type, ...] | None
    result: Type

    def __str__(self) -> str:
        if self.parameters is None:
            return f"Callable[..., {self.result}]"
        return f"Callable[[{', '.join(map(str, self.parameters))}], {self.result}]"


@dataclass(frozen=True, slots=True)
class Either:
    """``a | b``: two members or more."""

    members: tuple[Type, ...]

    def __str__(self) -> str:
        return " | ".join(
            f"({one})" if isinstance(one, Defined | Either) else str(one) for one in self.members
        )


@dataclass(frozen=True, slots=True)
class Defined:
    """``name := type``: a type, and the name it has from here on."""

    name: str
    type: Type

    def __str__(self) -> str:
        return f"{self.name} := {self.type}"


@dataclass(frozen=True, slots=True)
class Verbatim:
    """What could not be read, as it stood; it fits itself alone."""

    text: str

    def __str__(self) -> str:
        return "`" + self.text.replace("`", "``") + "`"


Type: TypeAlias = (
    Anything | Nothing | Rest | Named | Values | Generic | Function | Either | Defined | Verbatim
)


def literal(value: str | float) -> str:
    """A value as it is printed in a literal: a text in double quotes, else as Python writes it."""
    if not isinstance(value, str):
        return repr(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def parts(one: Type) -> tuple[Type, ...]:
    """The types directly inside a type."""
    match one:
        case Generic(_, arguments):
            return arguments
        case Function(parameters, result):
            return (*(parameters or ()), result)
        case Either(members):
            return members
        case Defined(_, inner):
            return (inner,)
        case _:
            return ()


def walk(one: Type) -> list[Type]:
    """A type and every type inside it, outermost first."""
    found = [one]
    for inner in parts(one):
        found += walk(inner)
    return found
