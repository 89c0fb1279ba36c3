"""Sandboxes of every level, started once a module; skipped, with the reason, where one fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest

from reverie.tools.sandbox import LEVELS, Interpreter, Level, Workers, probe


def _opened(level: Level) -> Iterator[Workers]:
    found = probe(level)
    if not found.works:
        pytest.skip(f"{level} does not work here: {found.reason}")
    with Workers(level) as workers:
        yield workers


@pytest.fixture(scope="module", params=["bubblewrap", "landlock"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Workers]:
    """Every level that contains real Python."""
    yield from _opened(cast("Level", request.param))


@pytest.fixture(scope="module", params=["bubblewrap", "landlock", "unsafe"])
def anyhow(request: pytest.FixtureRequest) -> Iterator[Workers]:
    """Every level that runs real Python, contained or not."""
    yield from _opened(cast("Level", request.param))


@pytest.fixture(scope="module")
def held() -> Iterator[Workers]:
    """Two workers of the strongest level of real Python that works here."""
    working: list[Level] = [level for level in LEVELS[:2] if probe(level).works]
    if not working:
        pytest.skip("no level that contains real Python works here")
    with Workers(working[0], workers=2) as workers:
        yield workers


@pytest.fixture
def interpreter() -> Iterator[Interpreter]:
    """The isolated interpreter."""
    found = probe("interpreter")
    if not found.works:
        pytest.skip(found.reason)
    with Interpreter() as opened:
        yield opened
