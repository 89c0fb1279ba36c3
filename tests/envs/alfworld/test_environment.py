"""ALFWorld as an environment."""

from __future__ import annotations

import os

import pytest

from reverie.agent.environment import Environment, Task
from reverie.envs.alfworld.engine import UNKNOWN, Engine
from reverie.envs.alfworld.environment import AlfWorld
from reverie.envs.alfworld.games import Games
from reverie.errors import EnvironmentFault


def test_walkthroughs_of_official_games_win(official: Games) -> None:
    world = AlfWorld(games=official)
    assert isinstance(world, Environment)
    for task in world.tasks("train"):
        seen = world.reset(task)
        assert seen.goal and "task is to" not in seen.text and "Welcome" not in seen.text
        assert seen.text.startswith("You are in the middle of a room.")
        steps = [world.step(command) for command in world.demonstration(task) or ()]
        assert all(step.valid for step in steps)
        assert [step.reward for step in steps] == [0.0] * (len(steps) - 1) + [1.0]
        assert [step.done for step in steps] == [False] * (len(steps) - 1) + [True]
        outcome = world.score()
        assert outcome.success and outcome.reward == 1.0
        assert outcome.metrics["steps"] == len(steps)
        assert outcome.metrics["goal_condition_rate"] == 1.0
    world.close()


def test_official_names_and_commands_are_those_players_know(official: Games) -> None:
    world = AlfWorld(games=official)
    task = next(t for t in world.tasks("train") if t.type == "pick_and_place_simple")
    seen = world.reset(task)
    assert seen.goal in ("put a book in sofa", "put some book on sofa")
    assert "go to sofa 1" in seen.actions
    assert {"help", "inventory", "look"} <= set(seen.actions)
    assert list(seen.actions) == sorted(set(seen.actions))
    arrived = world.step("go to sofa 1")
    assert arrived.observation.text.startswith("You arrive at sofa 1. On the sofa 1, you see")
    assert "examine sofa 1" in arrived.observation.actions
    assert "go to sofa 1" not in arrived.observation.actions
    assert arrived.observation.goal == seen.goal
    world.close()


def test_an_unknown_action_is_answered_and_counted(world: AlfWorld) -> None:
    before = world.reset(world.tasks("valid_seen")[0])
    result = world.step("dance with the fridge")
    assert (result.observation.text, result.valid, result.done) == (UNKNOWN, False, False)
    assert result.observation.actions == before.actions
    assert world.score().metrics == {
        "steps": 1.0,
        "invalid_actions": 1.0,
        "goal_condition_rate": world.score().metrics["goal_condition_rate"],
    }
    assert not world.score().success


def test_case_spaces_and_a_full_stop_do_not_matter(world: AlfWorld) -> None:
    world.reset(world.tasks("valid_seen")[0])
    assert world.step("  Inventory. ").valid
    assert world.step("LOOK\n").valid


def test_an_episode_ends_after_its_steps(generated: Games) -> None:
    world = AlfWorld(games=generated, max_steps=2)
    task = world.tasks("valid_seen")[0]
    world.reset(task)
    assert not world.step("look").done
    assert world.step("xyzzy").done
    assert not world.score().success
    with pytest.raises(EnvironmentFault, match="over"):
        world.step("look")
    world.reset(task)
    assert not world.step("look").done


def test_react_shows_no_actions_and_lets_think_for_free(generated: Games) -> None:
    world = AlfWorld(games=generated, protocol="react", max_steps=2)
    assert world.reset(world.tasks("valid_seen")[0]).actions == ()
    thought = world.step("think: where could it be?")
    assert (thought.observation.text, thought.valid, thought.done) == ("OK.", True, False)
    assert world.score().metrics["steps"] == 0
    assert world.step("look").observation.actions == ()
    assert "think:" in world.instructions()
    assert not world.step("think: again").done
    assert world.step("think: too much").done, "no more thoughts than steps are free"


def test_rl_shows_the_actions_unless_told_not_to(generated: Games) -> None:
    shown, hidden = AlfWorld(games=generated), AlfWorld(games=generated, admissible=False)
    task = shown.tasks("valid_seen")[0]
    assert shown.reset(task).actions
    assert hidden.reset(task).actions == ()
    assert "possible commands" in shown.instructions()
    assert "go to FURNITURE" in hidden.instructions()
    assert "think:" not in hidden.instructions()
    assert not shown.step("think: hm").valid


def test_only_training_games_show_their_walkthrough(world: AlfWorld) -> None:
    for task in world.tasks("train"):
        assert world.demonstration(task)
    for split in ("valid_seen", "valid_unseen"):
        for task in world.tasks(split):
            assert world.demonstration(task) is None
            assert world.demonstration(Task(id=task.id, split="train")) is None


def test_the_record_of_a_run_says_what_was_played(generated: Games) -> None:
    said = AlfWorld(games=generated, protocol="react", max_steps=30).describe()
    assert said["protocol"] == "react" and said["max_steps"] == 30
    assert said["admissible"] is False and said["generated"] is True
    assert said["data"] == generated.digest
    assert said["textworld"] == "1.7.0" and said["alfworld"] == "0.4.2"


def test_stepping_before_a_game_is_an_error(world: AlfWorld) -> None:
    with pytest.raises(EnvironmentFault, match="reset"):
        world.step("look")
    assert not world.score().success


def test_a_closed_environment_can_play_again(world: AlfWorld) -> None:
    task = world.tasks("valid_seen")[0]
    first = world.reset(task)
    world.close()
    world.close()
    with pytest.raises(EnvironmentFault, match="reset"):
        world.step("look")
    assert world.reset(task) == first
    world.close()


def test_two_environments_do_not_disturb_each_other(generated: Games) -> None:
    one, two = AlfWorld(games=generated), AlfWorld(games=generated)
    first, second = one.tasks("train")[:2]
    seen = one.reset(first)
    one.step(seen.actions[0])
    two.reset(second)
    for command in two.demonstration(second) or ():
        two.step(command)
    for command in one.demonstration(first) or ():
        one.step(command)
    assert one.score().success and two.score().success
    one.close()
    two.close()


def test_the_engine_leaves_the_data_variable_alone(engine_installed: None) -> None:
    before = os.environ.get("ALFWORLD_DATA")
    Engine().close()
    assert os.environ.get("ALFWORLD_DATA") == before


def test_a_closed_or_idle_engine_says_so(engine_installed: None) -> None:
    engine = Engine()
    with pytest.raises(EnvironmentFault, match="reset"):
        engine.step("look")
    with pytest.raises(EnvironmentFault, match="could not load"):
        engine.load({"pddl_domain": "", "grammar": "", "pddl_problem": ""})
    engine.close()
    engine.close()
    with pytest.raises(EnvironmentFault, match="closed"):
        engine.load({})
