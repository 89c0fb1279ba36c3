"""A run folder on the disk: what was asked for, and one durable line for each thing that was done.

    OUT/run.json     the header: settings, data, versions, machine
    OUT/<lines>      one JSON object a line, fsynced as each is done

The lines are the truth of a run: what is not among them was not done. A line torn by a crash is
dropped when the folder is opened, and what it told of is done again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Generic, Protocol, Self, TypeVar

from filelock import FileLock, Timeout
from pydantic import BaseModel, JsonValue, ValidationError

from ..errors import ReverieError, SettingsError


class Head(Protocol):
    """What ``run.json`` holds, as a pydantic model."""

    def model_dump_json(self, *, indent: int | None = None) -> str:
        """Its text."""
        ...

    @classmethod
    def model_validate_json(cls, json_data: str | bytes) -> Self:
        """Read it from its text."""
        ...

    def differences(self, now: Self) -> list[str]:
        """One phrase for each thing in which ``now`` is another run than this one."""
        ...


H = TypeVar("H", bound=Head)
L = TypeVar("L", bound=BaseModel)


class RunFolder(Generic[H, L]):
    """An open run folder: one writer at a time, lines durable once ``append`` returns."""

    def __init__(self, path: Path, name: str, lock: FileLock, lines: list[L]) -> None:
        self.path = path
        self.lines = lines
        self._lock = lock
        self._fd = os.open(path / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    @classmethod
    def open(cls, path: Path, header: H, name: str, line: type[L]) -> RunFolder[H, L]:
        """Begin a run in ``path``, or go on with the one that is there.

        ``line`` is what each line of the file ``name`` is. Raises ``SettingsError`` if ``path``
        holds a run with other settings (naming each that differs) or another process is writing it.
        """
        path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise SettingsError(
                f"another process is running in {path}: wait for it, or choose another --out"
            ) from error
        try:
            known = path / "run.json"
            if known.exists():
                _require_same(read_head(path, type(header)), header, path)
            elif (path / name).exists():
                raise SettingsError(f"{path} holds {name} but no run.json: choose another --out")
            else:
                write_atomic(known, header.model_dump_json(indent=2))
            drop_torn_line(path / name, line)
            return cls(path, name, lock, read_whole_lines(path / name, line))
        except BaseException:
            lock.release()
            raise

    def append(self, line: L) -> None:
        """Add one line; it is on the disk when this returns."""
        write_line(self._fd, line)
        self.lines.append(line)

    def close(self) -> None:
        """Let another process write the folder."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def write_line(fd: int, line: BaseModel) -> None:
    """Write one line to an open file and wait until it is on the disk."""
    data = line.model_dump_json().encode() + b"\n"
    while data:
        data = data[os.write(fd, data) :]
    os.fsync(fd)


def read_head(path: Path, kind: type[H]) -> H:
    """The ``run.json`` of a run folder. Raises ``SettingsError`` if it is no such run's folder."""
    file = path / "run.json"
    try:
        return kind.model_validate_json(file.read_text("utf-8"))
    except FileNotFoundError as error:
        raise SettingsError(
            f"{path} is no run folder: it has no run.json. `reverie run` makes one"
        ) from error
    except ValidationError as error:
        raise SettingsError(
            f"{file} is of another kind of run, or was not written by this version of reverie"
        ) from error


def read_whole_lines(file: Path, kind: type[L]) -> list[L]:
    """The lines of a file, in the order they were written; a torn last one is passed over."""
    if not file.exists():
        return []
    raw = file.read_bytes().split(b"\n")[:-1]
    lines: list[L] = []
    for number, text in enumerate(raw, start=1):
        try:
            lines.append(kind.model_validate_json(text))
        except ValidationError as error:
            if number == len(raw):
                break
            raise ReverieError(
                f"line {number} of {file} cannot be read, and {len(raw) - number} follow it: "
                "restore the file, or run into another --out"
            ) from error
    return lines


def drop_torn_line(file: Path, kind: type[BaseModel]) -> bool:
    """Cut what a crash left behind the last whole line of ``file``; True if there was any."""
    if not file.exists():
        return False
    data = file.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if whole:
        last = whole[whole.rfind(b"\n", 0, -1) + 1 :]
        try:
            kind.model_validate_json(last)
        except ValidationError:
            whole = whole[: -len(last)]
    if len(whole) == len(data):
        return False
    with file.open("r+b") as handle:
        handle.truncate(len(whole))
        os.fsync(handle.fileno())
    return True


def write_atomic(file: Path, text: str) -> None:
    """Write ``file`` so that a reader, or a crash, sees the old text or the new one."""
    fresh = file.with_name(file.name + ".new")
    with fresh.open("w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    fresh.replace(file)


def differing(what: str, old: Mapping[str, JsonValue], new: Mapping[str, JsonValue]) -> list[str]:
    """One phrase for each key in which two mappings differ."""
    return [
        f"{what}{key}: {json.dumps(old.get(key))} there, {json.dumps(new.get(key))} now"
        for key in sorted({*old, *new})
        if old.get(key) != new.get(key)
    ]


def _require_same(old: H, new: H, path: Path) -> None:
    """Raise ``SettingsError`` naming each thing in which ``new`` differs from ``old``."""
    found = old.differences(new)
    if found:
        raise SettingsError(
            f"{path} holds a run with other settings ({'; '.join(found)}): "
            "give the same command to resume it, or choose another --out"
        )
