"""Games of our own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from reverie.envs.alfworld import shares
from reverie.envs.alfworld.engine import Engine
from reverie.envs.alfworld.environment import AlfWorld, open_games
from reverie.envs.alfworld.games import FILE, TASK_TYPES, Games
from reverie.envs.alfworld.generate import MANIFEST, generate
from reverie.envs.alfworld.rooms import errands
from reverie.errors import EnvironmentFault, SettingsError


def test_every_type_is_there_and_every_walkthrough_wins(generated: Games) -> None:
    engine = Engine()
    for split in ("train", "valid_unseen"):
        games = generated.split(split)
        assert Counter(game.task.type for game in games) == dict.fromkeys(TASK_TYPES, 1)
        for game in games:
            content = game.read()
            engine.load(content)
            frame = engine.reset()
            for command in content["walkthrough"]:
                assert not frame.won and command in frame.commands
                frame = engine.step(command)
            assert frame.won
    engine.close()


def test_generated_files_have_the_form_of_the_official_ones(generated: Games) -> None:
    game = generated.split("valid_unseen")[0]
    assert list(game.read()) == [
        "pddl_domain",
        "grammar",
        "pddl_problem",
        "solvable",
        "walkthrough",
    ]
    assert "UNKNOWN GOAL" not in game.read()["grammar"]
    assert game.path.name == FILE


def test_the_same_seed_gives_the_same_bytes_in_another_process(
    generated: Games, tmp_path: Path
) -> None:
    generated.split("valid_unseen")
    code = (
        "import sys; from pathlib import Path;"
        "from reverie.envs.alfworld.generate import generate;"
        "generate('valid_unseen', 2, 0, Path(sys.argv[1]))"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "7"},
    )
    made = sorted(tmp_path.glob(f"valid_unseen/*/*/{FILE}"))
    assert len(made) == 2
    for path in made:
        assert path.read_bytes() == (generated.root / path.relative_to(tmp_path)).read_bytes()


def test_another_seed_gives_other_games(generated: Games, tmp_path: Path) -> None:
    folder = generate("valid_unseen", 1, 1, tmp_path)
    (path,) = folder.glob(f"*/*/{FILE}")
    known = {game.path.read_bytes() for game in generated.split("valid_unseen")}
    assert path.read_bytes() not in known


def test_held_out_games_share_no_errand_and_unseen_ones_no_room(engine_installed: None) -> None:
    for task_type in TASK_TYPES:
        train, seen, unseen = (
            errands(task_type, split) for split in ("train", "valid_seen", "valid_unseen")
        )
        assert len(train) > len(seen) > 30 and len(unseen) > 60
        assert not set(train) & set(seen)
        assert not {errand.room for errand in unseen} & {errand.room for errand in train + seen}


def test_a_split_is_written_whole_or_not_at_all(tmp_path: Path, engine_installed: None) -> None:
    def give_up(done: int, wanted: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate("valid_seen", 2, 0, tmp_path, give_up)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_swept_away(tmp_path: Path, engine_installed: None) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        dead.wait()
    left, busy = (tmp_path / f".valid_seen-{pid}-0123" for pid in (dead.pid, os.getpid()))
    left.mkdir()
    busy.mkdir()
    generate("valid_seen", 1, 0, tmp_path)
    assert sorted(tmp_path.iterdir()) == [busy, tmp_path / "valid_seen"]


def test_several_processes_make_the_same_bytes_and_tell_their_progress(
    generated: Games, tmp_path: Path
) -> None:
    told: list[tuple[int, int]] = []

    def tell(done: int, wanted: int) -> None:
        told.append((done, wanted))

    folder = generate("valid_unseen", 3, 0, tmp_path, tell, jobs=2)
    assert told == sorted(told) and told[-1] == (3, 3)
    alone = generate("valid_unseen", 3, 0, tmp_path / "alone", jobs=1)
    assert (folder / MANIFEST).read_bytes() == (alone / MANIFEST).read_bytes()
    for path in folder.glob(f"*/*/{FILE}"):
        assert path.read_bytes() == (alone / path.relative_to(folder)).read_bytes()


def test_a_failing_process_fails_the_whole_and_leaves_nothing(
    tmp_path: Path, engine_installed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "_START", "raise SystemExit('out of wood')")
    with pytest.raises(EnvironmentFault, match="out of wood"):
        generate("valid_seen", 2, 0, tmp_path, jobs=2)
    assert list(tmp_path.iterdir()) == []


def test_made_games_are_kept_and_progress_is_told(tmp_path: Path, engine_installed: None) -> None:
    told: list[tuple[int, int]] = []

    def tell(done: int, wanted: int) -> None:
        told.append((done, wanted))

    folder = generate("valid_seen", 1, 0, tmp_path, tell)
    assert told == [(1, 1)]
    before = (folder / MANIFEST).stat().st_mtime_ns
    assert generate("valid_seen", 1, 0, tmp_path, tell) == folder
    assert told == [(1, 1)] and (folder / MANIFEST).stat().st_mtime_ns == before
    assert json.loads((folder / MANIFEST).read_text())["games"] == 1
    with pytest.raises(EnvironmentFault, match="other games"):
        generate("valid_seen", 2, 0, tmp_path)


def test_a_folder_of_generated_games_can_be_opened_by_its_path(generated: Games) -> None:
    generated.split("valid_seen")
    again = open_games(generated.root)
    assert again.digest == generated.digest
    assert AlfWorld(games=again).describe()["generated"] is True


def test_sizes_and_seed_decide_the_digest(tmp_path: Path, engine_installed: None) -> None:
    def digest(seed: int, train: int) -> str:
        sizes = {"train": train, "valid_seen": 1, "valid_unseen": 1}
        return open_games(environ={}, cache=tmp_path, seed=seed, sizes=sizes).digest

    assert digest(0, 1) == digest(0, 1)
    assert len({digest(0, 1), digest(1, 1), digest(0, 2)}) == 3


def test_what_cannot_be_made_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="split"):
        generate("test", 1, 0, tmp_path)
    with pytest.raises(SettingsError, match="0 games"):
        generate("train", 0, 0, tmp_path)
