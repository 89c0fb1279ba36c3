"""Games on disk."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from reverie.agent.environment import Task
from reverie.envs.alfworld.environment import AlfWorld, open_games
from reverie.envs.alfworld.games import FILE, Games
from reverie.errors import DataMissing, EnvironmentFault, SettingsError

COUNTS = {"train": 3553, "valid_seen": 140, "valid_unseen": 134}


def put(root: Path, name: str, *, solvable: bool | None = True, padding: int = 0) -> Path:
    path = root / name / FILE
    path.parent.mkdir(parents=True)
    game: dict[str, object] = {"pddl_problem": "x" * padding}
    if solvable is not None:
        game["solvable"] = solvable
    path.write_text(json.dumps({**game, "walkthrough": []}))
    return path


def ids(games: Games, split: str) -> list[str]:
    return [game.task.id for game in games.split(split)]


def test_games_come_in_the_order_of_their_names_with_type_and_split(tmp_path: Path) -> None:
    put(tmp_path, "train/pick_and_place_simple-Mug-None-Desk-308/trial_b")
    put(tmp_path, "train/pick_and_place_simple-Mug-None-Desk-308/trial_a")
    put(tmp_path, "train/look_at_obj_in_light-Bowl-None-DeskLamp-301/trial_c", padding=20_000)
    found = [game.task for game in Games(tmp_path).split("train")]
    assert found == [
        Task(
            id="train/look_at_obj_in_light-Bowl-None-DeskLamp-301/trial_c",
            split="train",
            type="look_at_obj_in_light",
        ),
        *(
            Task(
                id=f"train/pick_and_place_simple-Mug-None-Desk-308/trial_{name}",
                split="train",
                type="pick_and_place_simple",
            )
            for name in "ab"
        ),
    ]


def test_unplayable_games_are_left_out_as_in_the_official_loader(tmp_path: Path) -> None:
    put(tmp_path, "train/pick_and_place_simple-Mug-None-Desk-308/good")
    put(tmp_path, "train/pick_and_place_simple-Mug-None-Desk-309/unsolved", solvable=False)
    put(tmp_path, "train/pick_and_place_simple-Mug-None-Desk-310/unknown", solvable=None)
    put(tmp_path, "train/pick_and_place_simple-AppleSliced-None-Desk-311/sliced")
    put(tmp_path, "train/pick_and_place_with_movable_recep-Mug-Bowl-Desk-312/moved")
    put(tmp_path, "train/dance-Mug-None-Desk-313/other")
    (tmp_path / "train" / "pick_and_place_simple-Mug-None-Desk-314" / "empty").mkdir(parents=True)
    assert ids(Games(tmp_path), "train") == ["train/pick_and_place_simple-Mug-None-Desk-308/good"]


def test_the_folder_may_be_json_2_1_1_or_the_one_that_holds_it(tmp_path: Path) -> None:
    put(tmp_path / "json_2.1.1", "valid_seen/pick_and_place_simple-Mug-None-Desk-308/a")
    outside, inside = Games(tmp_path), Games(tmp_path / "json_2.1.1")
    assert ids(outside, "valid_seen") == ids(inside, "valid_seen")
    assert outside.digest == inside.digest
    assert open_games(environ={"ALFWORLD_DATA": str(tmp_path)}).root == inside.root


def test_the_digest_changes_with_a_game(tmp_path: Path) -> None:
    path = put(tmp_path, "train/pick_and_place_simple-Mug-None-Desk-308/a")
    before = Games(tmp_path).digest
    assert Games(tmp_path).digest == before
    path.write_text(path.read_text().replace("[]", '["look"]'))
    assert Games(tmp_path).digest != before


def test_missing_data_says_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match="alfworld-download"):
        open_games(tmp_path / "nowhere")
    put(tmp_path, "train/pick_and_place_simple-Mug-None-Desk-308/a")
    with pytest.raises(DataMissing, match="It has: train"):
        Games(tmp_path).split("valid_seen")
    with pytest.raises(DataMissing, match="other data"):
        Games(tmp_path).find(Task(id="train/x/y", split="train"))


def test_a_damaged_game_is_named(tmp_path: Path) -> None:
    path = put(tmp_path, "train/pick_and_place_simple-Mug-None-Desk-308/a")
    game = Games(tmp_path).split("train")[0]
    path.write_text("{")
    with pytest.raises(EnvironmentFault, match=r"game\.tw-pddl cannot be read"):
        game.read()


def test_settings_without_meaning_are_refused(tmp_path: Path) -> None:
    put(tmp_path, "train/pick_and_place_simple-Mug-None-Desk-308/a")
    with pytest.raises(SettingsError, match="protocol"):
        AlfWorld(tmp_path, protocol="chess")  # pyright: ignore[reportArgumentType]
    with pytest.raises(SettingsError, match="max_steps"):
        AlfWorld(tmp_path, max_steps=0)
    with pytest.raises(SettingsError, match="split"):
        AlfWorld(tmp_path).tasks("test")


@pytest.mark.skipif("ALFWORLD_DATA" not in os.environ, reason="ALFWORLD_DATA is not set")
def test_the_official_splits_have_their_known_sizes() -> None:
    games = open_games()
    for split in games.splits:
        assert len(games.split(split)) == COUNTS[split]
