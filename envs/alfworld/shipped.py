"""What the ``alfworld`` package ships about its world, with types: rooms, tables, goals.

Read at run time from the installed package; nothing of it is copied here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from .engine import load_packages


@dataclass(frozen=True, slots=True)
class GoalForm:
    """A goal of the library: its PDDL and its sentences, with slots {obj}, {recep}, {toggle}."""

    pddl: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shipped:
    """The world's laws and tables."""

    domain: str
    """alfred.pddl: what each action needs and does."""
    grammar: str
    """alfred.twl2: how the world is put into words; the goal's place reads "UNKNOWN GOAL"."""
    contents: Mapping[str, tuple[str, ...]]
    """Type of furniture to the types of things it can hold. Containers one can carry are out."""
    carried_containers: frozenset[str]
    openable: frozenset[str]
    """Types of furniture that start closed."""
    uses: Mapping[str, frozenset[str]]
    """"Cleanable", "Heatable", "Coolable", "Toggleable", "Sliceable" to types of things."""
    goals: Mapping[str, GoalForm]
    """Task type to its goal."""
    kinds: Mapping[str, tuple[int, ...]]
    """Kind of room (Kitchen, LivingRoom, Bedroom, Bathroom) to the numbers of its rooms."""
    kinds_of_goal: Mapping[str, frozenset[str]]
    """Task type to the kinds of room it can be set in."""
    train_rooms: frozenset[int]
    test_rooms: frozenset[int]
    layouts: Path

    def poses(self, room: int) -> Mapping[str, tuple[float, ...]]:
        """Furniture of a room ("Drawer|x|y|z") to where one stands to use it (x, z, turn, tilt)."""
        found: dict[str, list[float]] = _json(self.layouts / f"FloorPlan{room}-openable.json")
        return {name: tuple(pose) for name, pose in sorted(found.items())}

    def types_in(self, room: int) -> frozenset[str]:
        """The types of all furniture and things seen in a room."""
        return frozenset(_json(self.layouts / f"FloorPlan{room}-objects.json"))


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@cache
def shipped() -> Shipped:
    """Read the package's tables. Raises ``MissingExtra`` when it is not installed."""
    load_packages()
    info: Any = import_module("alfworld.info")
    tables: Any = import_module("alfworld.gen.constants")
    library: Any = import_module("alfworld.gen.goal_library")
    carried = frozenset(tables.MOVABLE_RECEPTACLES)
    return Shipped(
        domain=Path(info.ALFRED_PDDL_PATH).read_text(encoding="utf-8"),
        grammar=Path(info.ALFRED_TWL2_PATH).read_text(encoding="utf-8"),
        contents={
            place: tuple(sorted(thing for thing in things if not thing.endswith("Sliced")))
            for place, things in sorted(tables.VAL_RECEPTACLE_OBJECTS.items())
            if place not in carried
        },
        carried_containers=carried,
        openable=frozenset(tables.OPENABLE_CLASS_LIST) - carried,
        uses={name: frozenset(things) for name, things in tables.VAL_ACTION_OBJECTS.items()},
        goals={
            name: GoalForm(form["pddl"], tuple(form["templates"]))
            for name, form in library.gdict.items()
        },
        kinds={kind: tuple(rooms) for kind, rooms in tables.SCENE_TYPE.items()},
        kinds_of_goal={goal: frozenset(kinds) for goal, kinds in tables.GOALS_VALID.items()},
        train_rooms=frozenset(tables.TRAIN_SCENE_NUMBERS),
        test_rooms=frozenset(tables.TEST_SCENE_NUMBERS),
        layouts=Path(tables.__file__).parent / "layouts",
    )
