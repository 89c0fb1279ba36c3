"""A benchmark's JSON file, read so that each complaint says where, and what was expected."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from ..errors import DataMissing


@dataclass(frozen=True)
class Part:
    """A value in a file: ``where`` it stands there, and which file ``expected`` describes."""

    value: JsonValue
    where: str
    expected: str

    def __contains__(self, key: str) -> bool:
        return isinstance(self.value, dict) and key in self.value

    def __getitem__(self, key: str) -> Part:
        """The value under ``key``. Raises DataMissing."""
        if not isinstance(self.value, dict):
            raise self.wrong(f"should be an object, not {_kind(self.value)}")
        if key not in self.value:
            have = ", ".join(list(self.value)[:8]) or "none"
            raise self.wrong(f"has no key {key!r} (its keys: {have})")
        return Part(self.value[key], f"{self.where}.{key}", self.expected)

    def __iter__(self) -> Iterator[Part]:
        """The items of a list. Raises DataMissing."""
        if not isinstance(self.value, list):
            raise self.wrong(f"should be a list, not {_kind(self.value)}")
        for place, value in enumerate(self.value):
            yield Part(value, f"{self.where}[{place}]", self.expected)

    def names(self) -> list[str]:
        """The keys of an object. Raises DataMissing."""
        if not isinstance(self.value, dict):
            raise self.wrong(f"should be an object, not {_kind(self.value)}")
        return list(self.value)

    def text(self) -> str:
        """A string, or a number as one. Raises DataMissing."""
        if isinstance(self.value, str | int | float) and not isinstance(self.value, bool):
            return str(self.value)
        raise self.wrong(f"should be text, not {_kind(self.value)}")

    def number(self) -> int:
        """A whole number. Raises DataMissing."""
        if isinstance(self.value, int) and not isinstance(self.value, bool):
            return self.value
        raise self.wrong(f"should be a whole number, not {_kind(self.value)}")

    def wrong(self, what: str) -> DataMissing:
        """An error about this part."""
        return DataMissing(f"{self.where} {what}. Expected: {self.expected}")


def read_json(path: Path, expected: str) -> tuple[Part, str]:
    """A file and its SHA-256. Raises DataMissing if it is not there or no JSON."""
    try:
        raw = path.expanduser().read_bytes()
    except OSError as error:
        why = "is not there" if isinstance(error, FileNotFoundError) else f"cannot be read: {error}"
        raise DataMissing(f"{path} {why}. Expected: {expected}") from error
    try:
        value: JsonValue = json.loads(raw)
    except ValueError as error:
        raise DataMissing(f"{path} is no JSON ({error}). Expected: {expected}") from error
    return Part(value, path.name, expected), hashlib.sha256(raw).hexdigest()


def _kind(value: JsonValue) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case dict():
            return "an object"
