"""Stores for the memory's tests, nowhere near a user's data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reverie.memory.memory import Memory

HASHING = "hashing:64"


@pytest.fixture(params=["ephemeral", "folder"])
def memory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Memory]:
    """An empty store of each sort."""
    url = "ephemeral:" if request.param == "ephemeral" else tmp_path / "store"
    with Memory.open(url, embedder=HASHING) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for a store."""
    return tmp_path / "store"


@pytest.fixture
def reopen(folder: Path) -> Iterator[Callable[[], Memory]]:
    """Open the store in ``folder``, closing the one opened before."""
    opened: list[Memory] = []

    def again() -> Memory:
        for one in opened:
            one.close()
        opened.append(Memory.open(folder, embedder=HASHING))
        return opened[-1]

    yield again
    for one in opened:
        one.close()
