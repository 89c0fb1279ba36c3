"""The examples run, and show what they say they show."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"

SHOWN = {
    "remember_and_recall.py": ("now: Ann lives in Oslo.", "bob finds 0 records"),
    "play_with_memory.py": ("salt/3           6 steps      2 steps",),
    "own_policy.py": ("fetch the salt <- fetch the salt", "was credited 8 times"),
}
"""What each example prints, in part."""


def _run(name: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_example_is_tested() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(SHOWN)


@pytest.mark.parametrize("name", SHOWN)
def test_an_example_shows_what_it_says(name: str, tmp_path: Path) -> None:
    printed = _run(name, tmp_path)
    for line in SHOWN[name]:
        assert line in printed
    assert not list(tmp_path.iterdir()), "an example leaves nothing behind unless asked to"
