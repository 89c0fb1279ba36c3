"""A program's work folder, as the caller handles it: a tree that somebody hostile has shaped.

Nothing follows a link, recurses or trusts a name. Only ``measure`` runs while the program may
still change the tree; the others run when it is dead.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from ...errors import ToolFault

TOTAL = 64 << 20
"""Bytes of all files together."""
FILES = 1024
"""Files and folders together."""
DEPTH = 32

_LOOK = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_FOLDER = _LOOK | getattr(os, "O_DIRECTORY", 0)
_FILE = _LOOK | getattr(os, "O_NONBLOCK", 0)


class OverQuota(Exception):
    """The tree is larger, or deeper, than a program may make it."""


def lay(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files into an empty folder. Raises ``ToolFault`` for a path that leads out of it."""
    for name in files:
        path = PurePosixPath(name)
        if not name or path.is_absolute() or ".." in path.parts or "\0" in name or name == ".":
            raise ToolFault(f"{name!r} is no path inside the work folder: name it relative to it")
    if len(files) > FILES // 2 or sum(map(len, files.values())) > TOTAL // 2:
        raise ToolFault(f"at most {FILES // 2} files and {TOTAL // 2} bytes can be sent")
    for name, content in files.items():
        target = folder / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        except OSError as error:
            raise ToolFault(f"{name!r} cannot be laid in the work folder: {error}") from None


def measure(folder: Path) -> None:
    """Raise ``OverQuota`` if the tree has outgrown its limits."""
    for _ in _entries(folder):
        pass


def collect(folder: Path, given: Mapping[str, bytes]) -> dict[str, bytes]:
    """The regular files under a folder but those given and unchanged. Raises ``OverQuota``."""
    found: dict[str, bytes] = {}
    for name, mode in _entries(folder, repair=True):
        if not stat.S_ISREG(mode):
            continue
        content = _read(folder, name)
        if given.get(name) != content:
            found[name] = content
    return dict(sorted(found.items()))


def empty(folder: Path) -> None:
    """Remove all that is in the folder, however deep: folders are emptied upwards, one level at a
    time, so that no path grows long. Raises ``OSError`` if something resists.
    """
    top = os.open(folder, _FOLDER)
    try:
        while waiting := os.listdir(top):  # noqa: PTH208
            for name in waiting:
                if not _is_folder(top, name):
                    os.unlink(name, dir_fd=top)
                    continue
                os.chmod(name, 0o700, dir_fd=top)
                inner = os.open(name, _FOLDER, dir_fd=top)
                try:
                    for below in os.listdir(inner):  # noqa: PTH208
                        if _is_folder(inner, below):
                            os.chmod(below, 0o700, dir_fd=inner)
                            free = secrets.token_hex(8)
                            os.rename(below, free, src_dir_fd=inner, dst_dir_fd=top)
                        else:
                            os.unlink(below, dir_fd=inner)
                finally:
                    os.close(inner)
                os.rmdir(name, dir_fd=top)
    finally:
        os.close(top)


def _is_folder(parent: int, name: str) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)


def _entries(folder: Path, *, repair: bool = False) -> Iterator[tuple[str, int]]:
    """Relative path and mode of everything below, links not followed; counts as it goes."""
    count = size = 0
    waiting = [""]
    while waiting:
        place = waiting.pop()
        try:
            names = _list(folder, place, repair)
        except FileNotFoundError:
            continue  # the program has just removed or renamed it
        for name, mode, length in names:
            path = f"{place}/{name}" if place else name
            count += 1
            size += length
            if count > FILES or size > TOTAL or path.count("/") >= DEPTH:
                raise OverQuota(path)
            if stat.S_ISDIR(mode):
                waiting.append(path)
            yield path, mode


def _list(folder: Path, place: str, repair: bool) -> list[tuple[str, int, int]]:
    opened = _open_folder(folder, place, repair)
    try:
        found: list[tuple[str, int, int]] = []
        with os.scandir(opened) as entries:
            for entry in entries:
                try:
                    known = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                found.append((entry.name, known.st_mode, known.st_size))
                if len(found) > FILES:
                    raise OverQuota(place)
        return found
    finally:
        os.close(opened)


def _open_folder(folder: Path, place: str, repair: bool) -> int:
    """Open a folder below, step by step, through no link."""
    opened = os.open(folder, _FOLDER)
    for part in place.split("/") if place else ():
        try:
            if repair:
                os.chmod(part, 0o700, dir_fd=opened)
            inner = os.open(part, _FOLDER, dir_fd=opened)
        except PermissionError:
            raise OverQuota(f"{place} cannot be looked into") from None
        except NotADirectoryError:
            raise FileNotFoundError(place) from None
        finally:
            os.close(opened)
        opened = inner
    return opened


def _read(folder: Path, name: str) -> bytes:
    place, _, last = name.rpartition("/")
    parent = _open_folder(folder, place, repair=False)
    try:
        os.chmod(last, 0o600, dir_fd=parent)
        with os.fdopen(os.open(last, _FILE, dir_fd=parent), "rb") as file:
            return file.read(TOTAL)
    finally:
        os.close(parent)
