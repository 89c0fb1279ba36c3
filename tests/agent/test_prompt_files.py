"""Every prompt of the agent that stands in a file is rendered, with all of its slots filled."""

from __future__ import annotations

import re
from importlib.resources import files
from string import Formatter

import pytest

from reverie.agent.prompt_files import render, template

OWN = (
    "concept_abstract", "concept_contrast", "concept_failed", "concept_known", "concept_lessons",
    "concept_select", "program", "program_citing", "program_earlier", "program_notes",
    "program_sketch", "puzzle_observe",
)  # fmt: skip


def slots(name: str) -> set[str]:
    return {slot for _, slot, _, _ in Formatter().parse(template(name)) if slot}


@pytest.mark.parametrize("name", OWN)
def test_a_prompt_is_rendered_with_what_its_slots_are_given(name: str) -> None:
    given = {slot: f"<{slot} {{braces}}>" for slot in slots(name)}
    text = render(name, **given)
    assert all(value in text for value in given.values())
    assert not re.search(r"\{\{|\}\}", text.replace("{braces}", "")) or "[[" in text


def test_each_prompt_shows_the_json_it_asks_for() -> None:
    for name in ("concept_select", "concept_contrast", "program_sketch", "puzzle_observe"):
        text = render(name, **dict.fromkeys(slots(name), "x"))
        assert 'Answer as JSON: {"' in text


def test_every_file_of_a_prompt_is_one_that_is_known() -> None:
    folder = files("reverie.agent").joinpath("prompts")
    found = {one.name.removesuffix(".txt") for one in folder.iterdir() if one.name.endswith(".txt")}
    mine = {name for name in found if name.startswith(("concept_", "program", "puzzle_"))}
    assert mine == set(OWN)
