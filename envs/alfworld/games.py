"""Games on disk: ``SPLIT/TYPE-OBJECT-MOVABLE-PLACE-SCENE/trial_NAME/game.tw-pddl``.

The official data and our generated games share this layout, so one reader serves both. As
the official loader does, it leaves out games with sliced or movable objects and games not
marked solvable. ``traj_data.json`` is not needed: the folder's name tells the type.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from ...agent.environment import Task
from ...errors import DataMissing, EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE = "game.tw-pddl"
ORIGIN = "generated.json"
"""Marks a folder of generated games and says what they were generated from."""
SPLITS = ("train", "valid_seen", "valid_unseen")
TASK_TYPES = (
    "pick_and_place_simple",
    "look_at_obj_in_light",
    "pick_clean_then_place_in_recep",
    "pick_heat_then_place_in_recep",
    "pick_cool_then_place_in_recep",
    "pick_two_obj_and_place",
)
_TAIL = 8192
_UNPLAYABLE = ("movable", "Sliced")


@dataclass(frozen=True, slots=True)
class Game:
    """One playable game: the task it is and the file that holds it."""

    task: Task
    path: Path
    stamp: str
    """Digest of the file's name, size and end (solvability and walkthrough)."""

    def read(self) -> Mapping[str, Any]:
        """The file's content: pddl_domain, grammar, pddl_problem, solvable, walkthrough."""
        try:
            game: Any = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise EnvironmentFault(f"The game {self.path} cannot be read: {error}") from error
        if not isinstance(game, dict):
            raise EnvironmentFault(f"The game {self.path} is not a JSON object.")
        return cast("dict[str, Any]", game)


class Games:
    """All playable games under one folder, in the order of their names.

    ``root`` is the folder that holds the splits, or one that holds ``json_2.1.1``.
    """

    def __init__(self, root: Path) -> None:
        inner = root / "json_2.1.1"
        self.root = inner if inner.is_dir() else root
        self._splits: dict[str, tuple[Game, ...]] = {}

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits present on disk."""
        return tuple(name for name in SPLITS if (self.root / name).is_dir())

    def split(self, name: str) -> tuple[Game, ...]:
        """The games of one split. Raises ``DataMissing`` when there are none."""
        if name not in self._splits:
            found = _scan(self.root, name)
            if not found:
                raise DataMissing(
                    f"No ALFWorld games of split {name!r} in {self.root}. It has: "
                    f"{', '.join(self.splits) or 'none'}. Get the official games with "
                    "`alfworld-download` and set ALFWORLD_DATA to their folder, or unset it "
                    "to play generated games."
                )
            self._splits[name] = found
        return self._splits[name]

    def find(self, task: Task) -> Game:
        """The game of a task. Raises ``DataMissing`` if this data has no such game."""
        for game in self.split(task.split):
            if game.task.id == task.id:
                return game
        raise DataMissing(f"No game {task.id!r} in {self.root}: it comes from other data.")

    @property
    def generated(self) -> bool:
        """Whether these games are our own."""
        return (self.root / ORIGIN).is_file()

    @property
    def digest(self) -> str:
        """A hash of all splits, the same wherever the folder lies.

        For generated games it is one of what decides their bytes, known before they are made.
        """
        if self.generated:
            return str(json.loads((self.root / ORIGIN).read_text(encoding="utf-8"))["digest"])
        total = hashlib.sha256()
        for name in self.splits:
            for game in self.split(name):
                total.update(game.stamp.encode())
        return total.hexdigest()[:16]


def data_root(path: Path) -> Path:
    """The folder that holds the splits, given it or its parent."""
    for folder in (path, path / "json_2.1.1"):
        if any((folder / name).is_dir() for name in SPLITS):
            return folder
    raise DataMissing(
        f"No ALFWorld games in {path}: it holds neither json_2.1.1 nor any of the folders "
        f"{', '.join(SPLITS)}. Get them with `alfworld-download`, or leave the path out to "
        "play generated games."
    )


def _scan(root: Path, split: str) -> tuple[Game, ...]:
    games: list[Game] = []
    for path in sorted((root / split).glob(f"*/*/{FILE}"), key=lambda found: found.parts[-3:]):
        name = path.parent.relative_to(root).as_posix()
        task_type = path.parts[-3].split("-", 1)[0]
        if any(word in name for word in _UNPLAYABLE) or task_type not in TASK_TYPES:
            continue
        stamp = _stamp(path, name)
        if stamp is not None:
            games.append(Game(Task(id=name, split=split, type=task_type), path, stamp))
    return tuple(games)


def _stamp(path: Path, name: str) -> str | None:
    """A digest of the game, or None if it is not marked solvable.

    The mark and the walkthrough stand at the file's end, so reading all of 280 MB is avoided.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _TAIL))
        tail = file.read()
    if b'"solvable": true' not in tail:
        try:
            game: Any = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            return None
        if not isinstance(game, dict) or cast("dict[str, Any]", game).get("solvable") is not True:
            return None
    return hashlib.sha256(f"{name}\0{size}\0".encode() + tail).hexdigest()
