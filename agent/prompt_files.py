"""The prompts of the agent: files with named slots in ``prompts/``."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def template(name: str) -> str:
    """The text of ``prompts/NAME.txt`` with its slots open."""
    return files("reverie.agent").joinpath(f"prompts/{name}.txt").read_text("utf-8").strip()


def render(name: str, **slots: str) -> str:
    """The prompt ``prompts/NAME.txt`` with its slots filled."""
    return template(name).format(**slots)
