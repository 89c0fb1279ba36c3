"""API keys: which user a key stands for. The file holds hashes only.

A key is 32 random bytes, so one SHA-256 is enough: there is nothing to guess that a slow hash
would protect. One line a key, ``user:sha256-in-hex``; a line that begins with # is a remark.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path

from ..errors import SettingsError

PREFIX = "reverie-"
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: whose memory it is, and what tells one key of the user from another."""

    user: str
    key_hash: str = ""


class KeyRing:
    """The keys that open the server."""

    def __init__(self, callers: Sequence[Caller]) -> None:
        self._callers = tuple(callers)

    def __len__(self) -> int:
        return len(self._callers)

    @classmethod
    def load(cls, path: Path) -> KeyRing:
        """The keys of a file. Raises SettingsError if it has none or others could add theirs."""
        callers = _read(path)
        if not callers:
            raise SettingsError(
                f"{path} holds no key. Make one: reverie serve --keys {path} --new-key USER"
            )
        if os.name == "posix" and path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise SettingsError(f"others may write to {path}. Run: chmod 600 {path}")
        return cls(callers)

    def find(self, key: str) -> Caller | None:
        """Who has this key. Takes as long for a wrong key as for a right one."""
        asked, found = _hash(key), None
        for caller in self._callers:
            if compare_digest(caller.key_hash, asked):
                found = caller
        return found


def add_key(path: Path, user: str) -> str:
    """A fresh key for ``user``; its hash is added to the file, which only its owner may read."""
    name = user.strip()
    if not name or name.startswith("#") or not name.isprintable():
        raise SettingsError(f"{user!r} cannot be a user's name: give printable text, not beginning"
                            " with #")  # fmt: skip
    if path.exists():
        _read(path)  # not a file of something else
    key = PREFIX + secrets.token_urlsafe(32)
    try:
        _append(path, f"{name}:{_hash(key)}\n")
    except OSError as error:
        raise SettingsError(f"cannot write the keys file {path}: {error.strerror}") from error
    return key


def _append(path: Path, line: str) -> None:
    """Add a line in one write, so that two that come at once do not mix."""
    ends = not path.exists() or path.read_bytes()[-1:] in (b"", b"\n")
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        path.chmod(0o600)
        os.write(file, (line if ends else f"\n{line}").encode())
        os.fsync(file)
    finally:
        os.close(file)


def _read(path: Path) -> list[Caller]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise SettingsError(
            f"there is no keys file {path}. Make it: reverie serve --keys {path} --new-key USER"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read the keys file {path}: {error}") from error
    callers: dict[str, Caller] = {}
    for number, line in enumerate(map(str.strip, lines), 1):
        if not line or line.startswith("#"):
            continue
        user, _, key_hash = line.rpartition(":")
        if not user.strip() or not _HASH.fullmatch(key_hash):
            raise SettingsError(f"{path}, line {number}: not of the form user:sha256-of-the-key")
        caller = Caller(user.strip(), key_hash)
        if callers.setdefault(key_hash, caller).user != caller.user:
            raise SettingsError(f"{path}, line {number}: this key already stands for another user")
    return list(callers.values())


def _hash(key: str) -> str:
    return sha256(key.encode()).hexdigest()
