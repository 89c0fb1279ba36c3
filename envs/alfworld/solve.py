"""A walkthrough for a generated game, built from where everything lies, then played.

The generator knows all places, so no search is needed: go and take, treat if asked, go and put.
Playing it in the engine is the proof that the game can be won.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from .engine import Engine
from .rooms import LAMP, LOOK, NEEDS, TWO, Errand, Furniture, Thing, mangle, room
from .shipped import shipped

_TREAT = {"Cleanable": "clean", "Heatable": "heat", "Coolable": "cool"}


def solve(
    engine: Engine, game: Mapping[str, Any], errand: Errand, things: Sequence[Thing], rng: Random
) -> list[str] | None:
    """Commands that win ``game``, played once in ``engine``; None if they do not win it."""
    engine.load(game)
    commands = _Walk(engine.names).run(errand, things, rng)
    frame = engine.reset()
    for command in commands:
        if frame.won or command not in frame.commands:
            return None
        frame = engine.step(command)
    return commands if frame.won else None


class _Walk:
    """The commands so far, where they lead, and what they opened."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._spot = ""
        self._opened: set[str] = set()
        self.commands: list[str] = []

    def run(self, errand: Errand, things: Sequence[Thing], rng: Random) -> list[str]:
        """Do the errand with things and a place drawn by ``rng``."""
        wanted = [thing for thing in things if thing.type == errand.thing]
        chosen = rng.sample(wanted, 2 if errand.task_type == TWO else 1)
        if errand.task_type == LOOK:
            lamp = next(thing for thing in things if thing.type == LAMP)
            self._take(chosen[0])
            self._go(lamp.place, open_=False)
            self.commands.append(f"use {self._name(lamp)}")
            return self.commands
        here = room(errand.room)
        place = rng.choice([place for place in here.furniture if place.type == errand.place])
        ability, tool = NEEDS.get(errand.task_type, ("", ""))
        for thing in chosen:
            self._take(thing)
            if tool:
                self._treat(thing, _TREAT[ability], here.only(tool))
            self._go(place)
            self.commands.append(f"move {self._name(thing)} to {self._name(place)}")
        return self.commands

    def _name(self, item: Furniture | Thing) -> str:
        return self._names[mangle(item.id).lower()]

    def _go(self, place: Furniture, *, open_: bool = True) -> None:
        if place.spot != self._spot:
            self.commands.append(f"go to {self._name(place)}")
            self._spot = place.spot
        if open_ and place.type in shipped().openable and place.id not in self._opened:
            self.commands.append(f"open {self._name(place)}")
            self._opened.add(place.id)

    def _take(self, thing: Thing) -> None:
        self._go(thing.place)
        self.commands.append(f"take {self._name(thing)} from {self._name(thing.place)}")

    def _treat(self, thing: Thing, verb: str, tool: Furniture) -> None:
        self._go(tool, open_=False)
        self.commands.append(f"{verb} {self._name(thing)} with {self._name(tool)}")
