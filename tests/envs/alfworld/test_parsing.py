"""What the engine remembers changes nothing but its speed."""

from __future__ import annotations

import sys
from importlib import import_module
from random import Random
from typing import Any

import pytest

from reverie.envs.alfworld import parsing
from reverie.envs.alfworld.engine import Engine, Frame
from reverie.envs.alfworld.games import Game, Games


def play(game: Game, *, remember: bool) -> list[Frame]:
    """The walkthrough, with look, inventory, help, examine and nonsense in between."""
    content = game.read()
    rng = Random(0)
    engine = Engine(remember=remember)
    engine.load(content)
    frames = [engine.reset()]
    for command in content["walkthrough"]:
        frames.append(engine.step(rng.choice((*frames[-1].commands, "xyzzy"))))
        frames.append(engine.step("look"))
        if command in frames[-1].commands:
            frames.append(engine.step(command))
    frames += [engine.step(command) for command in ("inventory", "help", frames[-1].commands[0])]
    frames.append(engine.reset())
    engine.close()
    return frames


def both_ways(game: Game) -> tuple[list[Frame], list[Frame]]:
    plain = play(game, remember=False)
    parsing.install()
    return plain, play(game, remember=True)


def test_official_games_are_the_same_with_and_without_memory(official: Games) -> None:
    plain, remembered = both_ways(official.split("train")[1])
    assert remembered == plain
    plain, remembered = both_ways(official.split("valid_seen")[0])
    assert remembered == plain


def test_a_generated_game_is_the_same_with_and_without_memory(generated: Games) -> None:
    plain, remembered = both_ways(generated.split("valid_unseen")[0])
    assert remembered == plain


def test_uninstalling_gives_textworld_its_own_functions_back(engine_installed: None) -> None:
    textgen: Any = import_module("textworld.envs.pddl.textgen")
    parsing.uninstall()
    own = textgen._parse_and_convert
    parsing.install()
    parsing.install()
    assert textgen._parse_and_convert is not own
    parsing.uninstall()
    assert textgen._parse_and_convert is own
    parsing.install()


def test_symbols_are_copies_so_that_one_use_cannot_spoil_the_next(engine_installed: None) -> None:
    parsing.install()
    textgen: Any = import_module("textworld.envs.pddl.textgen")
    text = "[{o.name | holds(a:agent, o:object)}]"
    first = textgen._parse_and_convert(text, rule_name="symbols")
    first[0].symbol.context = first[0].context = {"spoilt": True}
    second = textgen._parse_and_convert(text, rule_name="symbols")
    assert "spoilt" not in second[0].context
    assert "spoilt" not in second[0].symbol.context


def test_the_engine_keeps_the_programs_arguments(
    generated: Games, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["mine"])
    engine = Engine()
    engine.load(generated.split("valid_seen")[0].read())
    engine.reset()
    engine.close()
    assert sys.argv == ["mine"]
