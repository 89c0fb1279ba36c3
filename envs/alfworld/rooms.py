"""Rooms with their furniture, the errands possible in each, and things strewn about.

A room is one of AI2-THOR's 120 floor plans as ALFWorld ships them: vetted furniture with the
pose from which it is used, and the types of things seen there. Furniture that is listed by
type alone (a toaster, stove burners) is added with a place of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

from .games import TASK_TYPES
from .shipped import Shipped, shipped

LAMP = "DeskLamp"
NEEDS = {
    "pick_clean_then_place_in_recep": ("Cleanable", "SinkBasin"),
    "pick_heat_then_place_in_recep": ("Heatable", "Microwave"),
    "pick_cool_then_place_in_recep": ("Coolable", "Fridge"),
}
"""Task type to what the thing must be capable of and the furniture that does it."""
LOOK = "look_at_obj_in_light"
TWO = "pick_two_obj_and_place"
_LAMP_PLACES = ("Desk", "SideTable", "Dresser", "CoffeeTable", "DiningTable")
_ROOM_FOR_ONE = {"CoffeeMachine", "HandTowelHolder", "StoveBurner", "Toaster", "ToiletPaperHanger"}
_NUMBER = {"StoveBurner": 4}
_MANGLED = {"|": "_bar_", "+": "_plus_", "-": "_minus_", ".": "_dot_"}
_HELD_OUT = 8
"""One errand in this many is kept for ``valid_seen``."""


@dataclass(frozen=True, slots=True)
class Furniture:
    """A place that holds things. ``spot`` is where one stands; neighbours can share one."""

    id: str
    type: str
    spot: str


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing, and the furniture it begins on or in."""

    id: str
    type: str
    place: Furniture


@dataclass(frozen=True, slots=True)
class Errand:
    """What is asked for: a task type, a type of thing, where it goes (or the lamp), a room."""

    task_type: str
    thing: str
    place: str
    room: int

    @property
    def name(self) -> str:
        """The folder's name, in the official form."""
        return f"{self.task_type}-{self.thing}-None-{self.place}-{self.room}"

    @property
    def held_out(self) -> bool:
        """Whether it belongs to ``valid_seen`` and never to ``train``."""
        return int(hashlib.sha256(self.name.encode()).hexdigest(), 16) % _HELD_OUT == 0


@dataclass(frozen=True, slots=True)
class Room:
    """One floor plan."""

    number: int
    furniture: tuple[Furniture, ...]
    types: tuple[str, ...]
    """Types of things found here that at least one piece of furniture can hold."""

    def places(self, thing: str, world: Shipped, *, but: str = "") -> list[Furniture]:
        """The furniture that can hold a type of thing, except that of one type."""
        return [
            place
            for place in self.furniture
            if place.type != but and thing in world.contents.get(place.type, ())
        ]

    def has(self, type_: str) -> bool:
        """Whether there is furniture of a type."""
        return any(place.type == type_ for place in self.furniture)

    def only(self, type_: str) -> Furniture:
        """The first piece of furniture of a type that the room has."""
        return next(place for place in self.furniture if place.type == type_)


@cache
def room(number: int) -> Room:
    """The floor plan with this number."""
    world = shipped()
    present = world.types_in(number)
    furniture = [
        Furniture(name, _type_of(name), _spot(pose)) for name, pose in world.poses(number).items()
    ]
    known = {place.type for place in furniture}
    for type_ in sorted(present & set(world.contents) - known):
        for count in range(_NUMBER.get(type_, 1)):
            name = f"{type_}|+00.00|+00.00|+{count:02d}.00"
            if type_.endswith("Basin"):
                name = f"{type_.removesuffix('Basin')}|+00.00|+00.00|+{count:02d}.00|{type_}"
            furniture.append(Furniture(name, type_, f"loc|{type_}|{count}"))
    holdable = {thing for place in furniture for thing in world.contents.get(place.type, ())}
    types = set(present & holdable)
    if LAMP in present and any(place.type in _LAMP_PLACES for place in furniture):
        types.add(LAMP)
    return Room(number, tuple(furniture), tuple(sorted(types)))


def _type_of(name: str) -> str:
    """The type in "Drawer|x|y|z" or "Sink|x|y|z|SinkBasin"."""
    last = name.rsplit("|", 1)[-1]
    return last if last.endswith("Basin") else name.split("|", 1)[0]


def _spot(pose: Sequence[float]) -> str:
    """A pose in the official form: steps of a quarter of a metre, quarter turns, degrees."""
    x, z, turn, tilt = pose
    return f"loc|{round(x * 4)}|{round(z * 4)}|{round(turn / 90)}|{round(tilt)}"


@cache
def errands(task_type: str, split: str) -> tuple[Errand, ...]:
    """All errands of a type that a split may use, in a fixed order.

    ``train`` and ``valid_seen`` share rooms but no errand; ``valid_unseen`` has rooms of its own.
    """
    world = shipped()
    numbers = world.test_rooms if split == "valid_unseen" else world.train_rooms
    found = [
        errand
        for kind in sorted(world.kinds_of_goal[task_type])
        for number in world.kinds[kind]
        if number in numbers
        for errand in _errands_of(task_type, room(number), world)
    ]
    if split == "valid_unseen":
        return tuple(found)
    return tuple(errand for errand in found if errand.held_out == (split == "valid_seen"))


def _errands_of(task_type: str, here: Room, world: Shipped) -> list[Errand]:
    things = [thing for thing in here.types if thing != LAMP]
    if task_type == LOOK:
        return [Errand(LOOK, thing, LAMP, here.number) for thing in things if LAMP in here.types]
    ability, tool = NEEDS.get(task_type, ("", ""))
    if tool and not here.has(tool):
        return []
    return [
        Errand(task_type, thing, place, here.number)
        for thing in things
        if not ability or thing in world.uses[ability]
        for place in sorted({place.type for place in here.places(thing, world)} - {tool})
        if here.places(thing, world, but=place)
        and not (task_type == TWO and place in _ROOM_FOR_ONE)
    ]


def strew(errand: Errand, rng: Random) -> tuple[Thing, ...]:
    """Things in random places, one to three of each type, so that the errand is still to do."""
    world, here = shipped(), room(errand.room)
    things: list[Thing] = []
    for type_ in here.types:
        wanted = type_ == errand.thing
        places = (
            [place for place in here.furniture if place.type in _LAMP_PLACES]
            if type_ == LAMP
            else here.places(type_, world, but=errand.place if wanted else "")
        )
        count = 1 if type_ == LAMP else rng.choices((1, 2, 3), (5, 3, 2))[0]
        if wanted and errand.task_type == TWO:
            count = max(count, 2)
        for number in range(count):
            id_ = f"{type_}|+{rng.randrange(1000) / 100:05.2f}|+00.{number:02d}|+00.00"
            things.append(Thing(id_, type_, _somewhere(places, rng)))
    return tuple(things)


def _somewhere(places: Sequence[Furniture], rng: Random) -> Furniture:
    """A place, all types of furniture alike: twenty drawers shall not swallow everything."""
    by_type: dict[str, list[Furniture]] = {}
    for place in places:
        by_type.setdefault(place.type, []).append(place)
    return rng.choice(by_type[rng.choice(sorted(by_type))])


def counts(split: str) -> Mapping[str, int]:
    """How many different errands of each type a split can draw from."""
    return {task_type: len(errands(task_type, split)) for task_type in TASK_TYPES}


def mangle(name: str) -> str:
    """A name as the planner can read it, in the official files' spelling."""
    for sign, word in _MANGLED.items():
        name = name.replace(sign, word)
    return name
