"""The language of grids: every routine and constant with its name, its types and its doc."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Literal, get_args, get_type_hints

from . import (
    colours,
    composition,
    counting,
    cropping,
    drawing,
    extraction,
    geometry,
    mapping,
    planes,
    repair,
    selection,
    tiling,
)
from .choosing import CHOOSERS
from .fitting import FITS
from .keys import KEYS
from .layouts import LAYOUTS
from .puzzle import Grid
from .values import Colour, Direction, Key, Plane, Scene, Turn


class Type(StrEnum):
    """The types of the language; the value is the name used in a concept's annotations."""

    GRID = "Grid"
    OBJECTS = "list[Object]"
    COLOUR = "Colour"
    INT = "int"
    PLANE = "Plane"
    KEY = "Callable[[Object], int]"
    DIRECTION = "Direction"
    TURN = "Callable[[Grid], Grid]"


MODULES = (
    geometry,
    cropping,
    tiling,
    colours,
    extraction,
    selection,
    mapping,
    composition,
    counting,
    drawing,
    repair,
    planes,
)

WAYS: dict[str, tuple[int, int]] = {
    "up": (-1, 0),
    "down": (1, 0),
    "left": (0, -1),
    "right": (0, 1),
    "up_left": (-1, -1),
    "up_right": (-1, 1),
    "down_left": (1, -1),
    "down_right": (1, 1),
}
NUMBERS = (1, 2, 3, 4)
FIXED = ("outputs", "return")
"""What a last step's annotations say besides its arguments."""


@dataclass(frozen=True, eq=False)
class Primitive:
    """A word of the language.

    ``function`` is a routine of the ``inputs``, ``constant`` a value, ``fit`` a last step whose
    constants are read off the worked examples.
    """

    name: str
    inputs: tuple[Type, ...]
    output: Type
    kind: Literal["function", "constant", "fit"]
    value: object
    doc: str


def _types() -> dict[object, Type]:
    return {
        Grid: Type.GRID,
        Scene: Type.OBJECTS,
        Colour: Type.COLOUR,
        int: Type.INT,
        Plane: Type.PLANE,
        Key: Type.KEY,
        Direction: Type.DIRECTION,
        Turn: Type.TURN,
    }


def _doc(value: object) -> str:
    return (value.__doc__ or "").strip().splitlines()[0]


def function(routine: Callable[..., object]) -> Primitive:
    """A primitive typed by the routine's annotations."""
    types = _types()
    hints = {name: types[hint] for name, hint in get_type_hints(routine).items()}
    output = hints.pop("return")
    return Primitive(
        routine.__name__, tuple(hints.values()), output, "function", routine, _doc(routine)
    )


def last_step(fit: Callable[..., Callable[..., Grid]]) -> Primitive:
    """A primitive typed by a fit's annotations: a sequence a parameter, the outputs first."""
    types = _types()
    hints = get_type_hints(fit)
    inputs = [types[get_args(hints[name])[0]] for name in hints if name not in FIXED]
    return Primitive(fit.__name__, tuple(inputs), Type.GRID, "fit", fit, _doc(fit))


def _constants() -> list[Primitive]:
    ways = [
        Primitive(name, (), Type.DIRECTION, "constant", way, f"The direction {name}.")
        for name, way in WAYS.items()
    ]
    turns = [
        Primitive(f"by_{t.__name__}", (), Type.TURN, "constant", t, _doc(t)) for t in geometry.TURNS
    ]
    keys = [Primitive(k.__name__, (), Type.KEY, "constant", k, _doc(k)) for k in KEYS]
    numbers = [Primitive(str(n), (), Type.INT, "constant", n, f"The number {n}.") for n in NUMBERS]
    return [*ways, *turns, *keys, *numbers]


def colour(tone: int) -> Primitive:
    """A colour as a constant; a search takes in those its puzzle speaks of."""
    return Primitive(f"c{tone}", (), Type.COLOUR, "constant", tone, f"Colour {tone}.")


@cache
def library() -> dict[str, Primitive]:
    """All primitives but the colours, by name."""
    routines: Sequence[Callable[..., object]] = [r for m in MODULES for r in m.PRIMITIVES]
    words = [function(routine) for routine in routines]
    words += [last_step(fit) for fit in (*FITS, *LAYOUTS, *CHOOSERS)]
    words += _constants()
    found = {word.name: word for word in words}
    if len(found) != len(words):
        raise ValueError("two primitives share a name")
    return found
