"""Games of our own, for a machine without the official data.

Each game takes a real floor plan and an errand possible there, strews things about, writes
the planning problem, and is solved: a short walkthrough is built from where everything lies
and replayed in the engine until it is won. A game that is not won is not written. The same
seed gives the same bytes on every machine (tests/envs/alfworld/test_generate.py).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

from ...errors import EnvironmentFault, SettingsError
from .engine import Engine
from .games import FILE, ORIGIN, SPLITS, TASK_TYPES, Game, Games
from .requirements import installed
from .rooms import LAMP, Errand, Room, Thing, errands, mangle, room, strew
from .shares import Progress, share_out
from .shipped import Shipped, shipped
from .solve import solve

VERSION = 1
"""Raised whenever the same seed would give other games."""
MANIFEST = "manifest.json"
SIZES: Mapping[str, int] = {"train": 300, "valid_seen": 72, "valid_unseen": 72}
"""Games made by default, a multiple of the six types each."""
_TRIES = 20
_WORTH_A_PROCESS = 24
"""Games a process should have to make, for its start to be worth it."""


@dataclass(frozen=True, slots=True)
class Made:
    """One game, ready to be written."""

    errand: Errand
    trial: str
    content: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Its folder within the split."""
        return f"{self.errand.name}/{self.trial}"

    def encode(self) -> bytes:
        """The file's bytes."""
        return json.dumps(self.content).encode()


def generate(
    split: str,
    n: int,
    seed: int,
    out: Path,
    progress: Progress | None = None,
    *,
    jobs: int | None = None,
) -> Path:
    """Write ``n`` games of a split to ``out/split`` and return that folder.

    The types take turns. The folder appears whole or not at all; if it is there already, with
    the same manifest settings, it is kept. ``jobs`` processes share the work (as many as there
    are cores, for a small split one); they make the same bytes. Needs the extra ``alfworld``.
    """
    if split not in SPLITS or n < 1:
        raise SettingsError(f"Cannot make {n} games of split {split!r}; splits are {SPLITS}.")
    folder = out / split
    settings = identity(split, n, seed)
    if (folder / MANIFEST).is_file():
        old = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if {key: old.get(key) for key in settings} == settings:
            return folder
        raise EnvironmentFault(
            f"{folder} holds other games ({old}). Choose another folder or remove it."
        )
    shipped()  # what is not installed is missed here, not in a child
    out.mkdir(parents=True, exist_ok=True)
    _sweep(out, split)
    draft = out / f".{split}-{os.getpid()}-{uuid4().hex[:8]}"
    draft.mkdir()
    try:
        share_out(split, n, seed, draft, progress or _silent, jobs or _jobs(n))
        manifest = {**settings, "sha256": _digest(draft)}
        (draft / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        try:
            draft.rename(folder)
        except OSError:
            if not (folder / MANIFEST).is_file():  # else another process was faster, with the same
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def identity(split: str, n: int, seed: int) -> dict[str, str | int]:
    """What decides the bytes of a split's games."""
    versions = installed()
    return {
        "generator": VERSION,
        "alfworld": versions.get("alfworld", ""),
        "split": split,
        "seed": seed,
        "games": n,
    }


def _sweep(out: Path, split: str) -> None:
    """Remove drafts of processes that were killed."""
    for draft in out.glob(f".{split}-*-*"):
        try:
            os.kill(int(draft.name.split("-")[-2]), 0)
        except ProcessLookupError:
            shutil.rmtree(draft, ignore_errors=True)
        except (PermissionError, ValueError):
            continue


def _silent(done: int, wanted: int) -> None:
    """No progress is asked for."""


def _jobs(n: int) -> int:
    return max(1, min(os.cpu_count() or 1, n // _WORTH_A_PROCESS))


def _digest(draft: Path) -> str:
    """One hash of all games, in the order in which they were drawn."""
    total = hashlib.sha256()
    for path in sorted(draft.glob(f"*/*/{FILE}"), key=lambda path: path.parts[-2]):
        total.update(path.parent.relative_to(draft).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def write(split: str, indices: range, seed: int, draft: Path) -> Iterator[Path]:
    """Make the games with these numbers and write each into ``draft``."""
    for game in make(split, indices, seed):
        path = draft / game.name / FILE
        path.parent.mkdir(parents=True)
        path.write_bytes(game.encode())
        yield path


def make(split: str, indices: range, seed: int) -> Iterator[Made]:
    """The games of a split with these numbers; each was won when it was made."""
    engine = Engine()
    try:
        for index in indices:
            yield _make_one(engine, split, seed, index)
    finally:
        engine.close()


def _make_one(engine: Engine, split: str, seed: int, index: int) -> Made:
    task_type = TASK_TYPES[index % len(TASK_TYPES)]
    rng = Random(f"{VERSION}/{seed}/{split}/{index}")
    for _ in range(_TRIES):
        errand = _draw(task_type, split, rng)
        things = strew(errand, rng)
        sentence = _sentence(errand, rng)
        game = _write(errand, things, sentence, name=f"{split}-{seed}-{index}")
        walkthrough = solve(engine, game, errand, things, rng)
        if walkthrough is not None:
            content = {**game, "solvable": True, "walkthrough": walkthrough}
            return Made(errand, f"trial_S{seed}_{index:05d}", content)
    raise EnvironmentFault(f"No {task_type} game could be won in {_TRIES} tries (seed {seed}).")


def _draw(task_type: str, split: str, rng: Random) -> Errand:
    """An errand; first the room, then the thing, then its goal, so that none is favoured."""
    left: Sequence[Errand] = errands(task_type, split)
    for part in ("room", "thing", "place"):
        values = sorted({getattr(errand, part) for errand in left})
        value = rng.choice(values)
        left = [errand for errand in left if getattr(errand, part) == value]
    return left[0]


def _sentence(errand: Errand, rng: Random) -> str:
    """The goal in words, from the package's goal library."""
    form = rng.choice(shipped().goals[errand.task_type].sentences)
    place = errand.place.lower()
    return form.format(obj=errand.thing.lower(), recep=place, toggle=place, mrecep="")


def _write(errand: Errand, things: Sequence[Thing], sentence: str, name: str) -> dict[str, Any]:
    """The game's domain, grammar and planning problem, in the official files' form."""
    world, here = shipped(), room(errand.room)
    goal = world.goals[errand.task_type].pddl.format(
        obj=errand.thing, recep=errand.place, toggle=errand.place, mrecep=""
    )
    sections = [
        f"(define (problem plan_{name.replace('-', '_')})",
        "(:domain alfred)",
        "(:objects",
        *_objects(here, things),
        ")",
        "(:init",
        *_facts(here, things, world),
        ")",
        goal.replace("#", "-"),
    ]
    return {
        "pddl_domain": world.domain,
        "grammar": world.grammar.replace("UNKNOWN GOAL", sentence),
        "pddl_problem": "\n".join(sections),
    }


def _objects(here: Room, things: Sequence[Thing]) -> Iterator[str]:
    yield "agent1 - agent"
    yield "loc_bar_start - location"
    yield from (f"{spot} - location" for spot in sorted({mangle(f.spot) for f in here.furniture}))
    yield from (f"{mangle(place.id)} - receptacle" for place in here.furniture)
    yield from (f"{mangle(thing.id)} - object" for thing in things)
    yield from (f"{type_}Type - rtype" for type_ in sorted({f.type for f in here.furniture}))
    yield from (f"{type_}Type - otype" for type_ in sorted({thing.type for thing in things}))


def _facts(here: Room, things: Sequence[Thing], world: Shipped) -> Iterator[str]:
    yield "(atLocation agent1 loc_bar_start)"
    for place in here.furniture:
        id_ = mangle(place.id)
        yield f"(receptacleType {id_} {place.type}Type)"
        yield f"(receptacleAtLocation {id_} {mangle(place.spot)})"
        if place.type in world.openable:
            yield f"(openable {id_})"
    for thing in things:
        id_ = mangle(thing.id)
        yield f"(objectType {id_} {thing.type}Type)"
        yield f"(inReceptacle {id_} {mangle(thing.place.id)})"
        yield f"(objectAtLocation {id_} {mangle(thing.place.spot)})"
        yield f"({'toggleable' if thing.type == LAMP else 'pickupable'} {id_})"
        if thing.type in world.carried_containers:
            yield f"(isReceptacleObject {id_})"
        for ability in ("Cleanable", "Heatable", "Coolable", "Sliceable"):
            if thing.type in world.uses[ability]:
                yield f"({ability.lower()} {id_})"
    types = sorted({thing.type for thing in things})
    for place_type in sorted({place.type for place in here.furniture}):
        holds = world.contents.get(place_type, ())
        yield from (f"(canContain {place_type}Type {t}Type)" for t in types if t in holds)


class GeneratedGames(Games):
    """Generated games under one folder, each split made when it is first asked for.

    ``sizes`` gives the games per split, ``seed`` what they are.
    """

    def __init__(
        self,
        cache: Path,
        *,
        seed: int = 0,
        sizes: Mapping[str, int] = SIZES,
        progress: Progress | None = None,
    ) -> None:
        made_from = {name: identity(name, sizes[name], seed) for name in SPLITS}
        text = json.dumps(made_from, sort_keys=True)
        digest = "generated-" + hashlib.sha256(text.encode()).hexdigest()[:16]
        super().__init__(cache / digest)
        self._sizes, self._seed, self._progress = dict(sizes), seed, progress
        if not self.generated:
            self.root.mkdir(parents=True, exist_ok=True)
            draft = self.root / f".{ORIGIN}-{os.getpid()}-{uuid4().hex[:8]}"
            draft.write_text(json.dumps({"digest": digest, **made_from}), encoding="utf-8")
            draft.replace(self.root / ORIGIN)

    def split(self, name: str) -> tuple[Game, ...]:
        """The games of one split, made now if they are not there."""
        if name in self._sizes and not (self.root / name / MANIFEST).is_file():
            generate(name, self._sizes[name], self._seed, self.root, self._progress)
        return super().split(name)
