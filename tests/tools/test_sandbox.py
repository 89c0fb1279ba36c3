"""Which level is taken, found by trying to break out of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reverie.envs import doctor
from reverie.errors import NoSandbox, SettingsError, ToolFault
from reverie.tools import sandbox as face
from reverie.tools.confine import probe as probes
from reverie.tools.sandbox import (
    LEVELS,
    Level,
    Probe,
    Sandbox,
    Workers,
    active_level,
    open_sandbox,
    probe,
)


def test_probing_runs_a_program_and_gives_a_reason_where_it_fails() -> None:
    for level in LEVELS:
        found = probe(level)
        assert found.works == (not found.reason)
        assert probe(level) is found


def test_a_bwrap_that_does_not_work_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dead = tmp_path / "bwrap"
    dead.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    dead.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    probes._probe.cache_clear()  # pyright: ignore[reportPrivateUsage]
    try:
        found = probe("bubblewrap")
        assert not found.works and "Permission denied" in found.reason
        with pytest.raises(NoSandbox, match="uid map"):
            open_sandbox("bubblewrap")
    finally:
        probes._probe.cache_clear()  # pyright: ignore[reportPrivateUsage]


def test_a_bwrap_that_contains_nothing_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It starts what it is given without any confinement; the probe reads a file outside."""
    liar = tmp_path / "bwrap"
    liar.write_text(
        "#!/usr/bin/env python3\n"
        "import json, os, sys\n"
        "rest = sys.argv[sys.argv.index('--') + 1:]\n"
        "info = int(sys.argv[sys.argv.index('--info-fd') + 1])\n"
        "os.write(info, json.dumps({'child-pid': os.getpid()}).encode()); os.close(info)\n"
        f"rest[rest.index('/keeper')] = {str(Path(probes.__file__).parents[1])!r}\n"
        "os.execv(rest[0], rest)\n"
    )
    liar.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    probes._probe.cache_clear()  # pyright: ignore[reportPrivateUsage]
    try:
        assert "read a file outside" in probe("bubblewrap").reason
    finally:
        probes._probe.cache_clear()  # pyright: ignore[reportPrivateUsage]


def _nothing_works(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(level: Level) -> Probe:
        return Probe(level, level == "unsafe", "" if level == "unsafe" else "not on this machine")

    monkeypatch.setattr(face, "probe", none)


def test_where_nothing_holds_it_refuses_unless_it_is_told_not_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _nothing_works(monkeypatch)
    with pytest.raises(NoSandbox, match="landlock: not on this machine"):
        open_sandbox()
    assert active_level(allow_unsafe_exec=True) == "unsafe"
    with open_sandbox(allow_unsafe_exec=True, packages=()) as opened:
        assert opened.run("3").value == 3


def test_the_unsafe_level_is_never_taken_by_itself() -> None:
    with pytest.raises(SettingsError, match="allow_unsafe_exec"):
        open_sandbox("unsafe")
    if any(probe(level).works for level in LEVELS):
        assert active_level(allow_unsafe_exec=True) != "unsafe"


def test_every_sandbox_keeps_the_contract() -> None:
    workers = Workers("unsafe")
    assert isinstance(workers, Sandbox)
    with pytest.raises(ToolFault):
        Workers("interpreter")
    with pytest.raises(ToolFault):
        Workers("unsafe", workers=0)


def test_the_doctor_tells_the_level(monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = doctor._sandbox()  # pyright: ignore[reportPrivateUsage]
    working = [level for level in LEVELS if probe(level).works]
    assert (working[0] if working else "Nothing") in found.found
    _nothing_works(monkeypatch)
    (found,) = doctor._sandbox()  # pyright: ignore[reportPrivateUsage]
    assert found.grade == "missing" and "bubblewrap" in found.mend
