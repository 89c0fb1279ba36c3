"""An environment in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reverie.agent.environment import Environment
from reverie.envs.alfworld.environment import AlfWorld
from reverie.envs.alfworld.games import Games
from reverie.envs.alfworld.worker import ALFWORLD, RemoteEnvironment
from reverie.errors import DataMissing, EnvironmentFault, MissingExtra, SettingsError

FAKE = "fake_world:FakeWorld"


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child finds the fake world beside this file."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)


@pytest.fixture
def remote() -> Iterator[RemoteEnvironment]:
    environment = RemoteEnvironment(FAKE, {"greeting": "hi"}, games=2)
    yield environment
    environment.close()


def gone(pid: int, seconds: float = 10.0) -> bool:
    """Whether a process ends within ``seconds``."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_every_call_reaches_the_child(remote: RemoteEnvironment) -> None:
    assert isinstance(remote, Environment) and remote.name == "fake"
    (task,) = remote.tasks("train")
    assert remote.reset(task).text == f"hi {remote.pid}"
    step = remote.step("a\nß")
    assert step.observation.text == "a\nß" and step.reward == 0.5
    assert remote.score().metrics == {"steps": 1}
    assert remote.instructions() == "echo"
    assert remote.describe() == {"greeting": "hi", "fake": True}
    assert remote.demonstration(task) == ("a",)
    assert remote.demonstration(remote.tasks("valid_seen")[0]) is None


def test_the_child_is_replaced_after_its_games(remote: RemoteEnvironment) -> None:
    (task,) = remote.tasks("train")
    children = [remote.reset(task).text for _ in range(5)]
    assert [children.index(child) for child in children] == [0, 0, 2, 2, 4]


def test_errors_come_back_as_what_they_are(remote: RemoteEnvironment) -> None:
    remote.reset(remote.tasks("train")[0])
    with pytest.raises(EnvironmentFault, match="ValueError in the environment's process: boom"):
        remote.step("boom")
    with pytest.raises(MissingExtra, match=r"reverie\[alfworld\]"):
        remote.step("lack")
    assert remote.step("still here").observation.text == "still here"
    with pytest.raises(DataMissing, match="fake world"):
        RemoteEnvironment(FAKE, {"greeting": "refuse"})
    with pytest.raises(EnvironmentFault, match="ModuleNotFoundError"):
        RemoteEnvironment("no_such_module:World")
    with pytest.raises(SettingsError):
        RemoteEnvironment(FAKE, games=0)


def test_what_the_world_prints_does_not_spoil_the_pipe(remote: RemoteEnvironment) -> None:
    remote.reset(remote.tasks("train")[0])
    assert remote.step("print").observation.text == "print"
    assert remote.step("b").observation.text == "b"


def test_a_dead_child_ends_the_episode_not_the_run(remote: RemoteEnvironment) -> None:
    (task,) = remote.tasks("train")
    remote.reset(task)
    with pytest.raises(EnvironmentFault, match="exit status 3"):
        remote.step("die")
    with pytest.raises(EnvironmentFault, match="reset"):
        remote.step("a")
    with pytest.raises(EnvironmentFault, match="reset"):
        remote.score()
    assert remote.reset(task).text.startswith("hi ")
    pid = remote.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(EnvironmentFault, match="exit status -9"):
        remote.step("a")


def test_a_child_that_hangs_is_ended() -> None:
    remote = RemoteEnvironment(FAKE)
    remote.reset(remote.tasks("train")[0])
    remote.timeout_s = 0.2
    pid = remote.pid
    assert pid is not None
    with pytest.raises(EnvironmentFault, match=r"no answer in 0\.2 s"):
        remote.step("hang")
    assert gone(pid) and remote.pid is None


def test_closing_ends_the_child_and_using_it_again_starts_another(
    remote: RemoteEnvironment,
) -> None:
    pid = remote.pid
    assert pid is not None
    remote.close()
    remote.close()
    assert gone(pid) and remote.pid is None
    assert remote.tasks("train")


def test_the_child_ends_when_its_parent_is_killed() -> None:
    code = (
        "import time; from reverie.envs.alfworld.worker import RemoteEnvironment;"
        f"e = RemoteEnvironment({FAKE!r}); print(e.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert not gone(child, seconds=0.05)
        parent.kill()
    assert gone(child)


def test_alfworld_plays_the_same_through_the_pipe(generated: Games) -> None:
    here = AlfWorld(games=generated)
    (task,) = here.tasks("valid_seen")
    remote = RemoteEnvironment(ALFWORLD, {"data": str(generated.root)})
    try:
        assert remote.tasks("valid_seen") == [task]
        assert remote.describe() == here.describe()
        assert remote.instructions() == here.instructions()
        seen = here.reset(task)
        assert remote.reset(task) == seen
        for command in (seen.actions[0], "look", "xyzzy"):
            assert remote.step(command) == here.step(command)
        assert remote.score() == here.score()
    finally:
        remote.close()
        here.close()
