"""Memory URLs: what a store's address says."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from ..errors import MemoryFault


@dataclass(frozen=True, slots=True)
class Address:
    """Where a store lies: ``folder`` None is in memory, ``server`` a Chroma server's URL."""

    folder: Path | None
    server: str | None = None


def parse_address(url: str | Path) -> Address:
    """Read ``ephemeral:``, a folder, or ``http(s)://host:port[?journal=FOLDER]``.

    Raises MemoryFault for another scheme.
    """
    text = str(url)
    if text == "ephemeral:":
        return Address(None)
    if text.startswith(("http://", "https://")):
        parts = urlsplit(text)
        journal = parse_qs(parts.query).get("journal")
        place = f"{parts.hostname or 'localhost'}_{parts.port or 8000}"
        folder = Path(journal[0]) if journal else data_folder() / "servers" / place
        return Address(folder.expanduser(), f"{parts.scheme}://{parts.netloc}")
    if "://" in text:
        raise MemoryFault(
            f"{text!r} is no memory url: use a folder, ephemeral:, or http://host:port of a "
            "Chroma server"
        )
    return Address(Path(text).expanduser())


def data_folder() -> Path:
    """Where this user's data lies by the custom of the operating system."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share"))
    return base / "reverie"
