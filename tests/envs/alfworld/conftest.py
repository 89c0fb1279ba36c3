"""Games for the tests: a few official ones where their archive is at hand, a few generated."""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from reverie.envs.alfworld.environment import AlfWorld, open_games
from reverie.envs.alfworld.games import FILE, Games
from reverie.envs.alfworld.requirements import check

REPOSITORY = Path(__file__).resolve().parents[3]
SMALL = (
    "train/pick_and_place_simple-Book-None-Sofa-202/trial_T20190907_043708_054006",
    "train/look_at_obj_in_light-Pillow-None-DeskLamp-316/trial_T20190908_232351_848868",
    "train/pick_clean_then_place_in_recep-Cloth-None-Toilet-406/trial_T20190908_102552_835735",
    "valid_seen/pick_two_obj_and_place-SprayBottle-None-GarbageCan-419/trial_T20190908_164236_518264",
)
"""Official games that load fast."""
SIZES = {"train": 6, "valid_seen": 1, "valid_unseen": 6}


@pytest.fixture(scope="session")
def engine_installed() -> None:
    """Skip where the extra is not installed."""
    missing = [what for what, fine, _ in check() if not fine]
    if missing:
        pytest.skip(", ".join(missing))


@pytest.fixture(scope="session")
def generated(engine_installed: None, tmp_path_factory: pytest.TempPathFactory) -> Games:
    """One generated game of each type to train and on unseen rooms, one on seen rooms."""
    return open_games(environ={}, sizes=SIZES, cache=tmp_path_factory.mktemp("games"))


@pytest.fixture(scope="session")
def official(engine_installed: None, tmp_path_factory: pytest.TempPathFactory) -> Games:
    """The games named in ``SMALL``; skips where there is neither their folder nor archive."""
    root = tmp_path_factory.mktemp("official") / "json_2.1.1"
    folder = Games(Path(os.environ.get("ALFWORLD_DATA", os.devnull))).root
    archives = sorted(REPOSITORY.parent.glob("shared/data/alfworld/*.tar.xz"))
    if all((folder / name / FILE).is_file() for name in SMALL):
        for name in SMALL:
            (root / name).mkdir(parents=True)
            shutil.copy(folder / name / FILE, root / name / FILE)
    elif archives:
        _extract(archives[0], root)
    else:
        pytest.skip("no official games: neither in ALFWORLD_DATA nor in ../shared/data/alfworld")
    return Games(root.parent)


def _extract(archive: Path, root: Path) -> None:
    wanted = {f"json_2.1.1/{name}/{FILE}" for name in SMALL}
    with tarfile.open(archive, "r|xz") as members:
        for member in members:
            file = members.extractfile(member) if member.name in wanted else None
            if file is not None:
                path = root.parent / member.name
                path.parent.mkdir(parents=True)
                path.write_bytes(file.read())


@pytest.fixture
def world(generated: Games) -> Iterator[AlfWorld]:
    """The environment over the generated games, actions shown."""
    made = AlfWorld(games=generated)
    yield made
    made.close()
