"""The prompts of this room: files with named slots in ``prompts/``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from pydantic import JsonValue


@cache
def _template(name: str) -> str:
    return files("reverie.agent.models").joinpath(f"prompts/{name}.txt").read_text("utf-8").strip()


def render(name: str, **slots: str) -> str:
    """The prompt ``prompts/NAME.txt`` with its slots filled."""
    return _template(name).format(**slots)


def as_json(value: JsonValue | Mapping[str, JsonValue]) -> str:
    """Compact JSON that keeps letters readable."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
