"""What a command line's words mean: lists with commas, NAME=VALUE pairs, and a spec of them all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from ..errors import SettingsError
from .runs import PLAYED, Arm

M = TypeVar("M", bound=BaseModel)


def validated(kind: type[M], **fields: object) -> M:
    """A spec of these fields, or ``SettingsError`` saying which option has no meaning."""
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"{where}: {first['msg']}") from error


def arms_of(text: str, known: Sequence[Arm] = PLAYED) -> tuple[Arm, ...]:
    """The arms a comma-separated list names. Raises ``SettingsError`` for an unknown one."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    try:
        return tuple(known[known.index(Arm(name))] for name in names)
    except ValueError as error:
        raise SettingsError(f"--arms {text}: there are {', '.join(known)}") from error


def seeds_of(each: Sequence[int], text: str | None, flag: str = "--seeds") -> tuple[int, ...]:
    """Seeds given one by one, and those of a text with commas; 0 if there are neither."""
    try:
        more = [int(part) for part in (text or "").split(",") if part.strip()]
    except ValueError as error:
        raise SettingsError(f"{flag} {text}: give whole numbers with commas") from error
    return (*each, *more) or (0,)


def options_of(pairs: Sequence[str], flag: str) -> dict[str, JsonValue]:
    """NAME=VALUE pairs; a value that is JSON (a number, true) is read as such."""
    found: dict[str, JsonValue] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise SettingsError(f"{flag} {pair}: give NAME=VALUE")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found
