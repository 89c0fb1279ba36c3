"""What the games need installed, and how to mend what is missing."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

PACKAGES = {
    "textworld": "1.7.0",
    "fast-downward-textworld": "20.6.4",
    "alfworld": "0.4.2",
}
"""Distributions of the extra ``alfworld`` and the versions the tests were run with."""

INSTALL = "pip install 'textworld[pddl]==1.7.0' 'alfworld==0.4.2'"
"""The command behind ``pip install 'reverie[alfworld]'``; it compiles the planner."""


def installed() -> dict[str, str]:
    """Versions of the packages found; an absent one is left out."""
    found: dict[str, str] = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def check() -> list[tuple[str, bool, str]]:
    """For ``reverie doctor``: (what, whether it is fine, the command that mends it or "")."""
    found = installed()
    rows: list[tuple[str, bool, str]] = []
    for name, wanted in PACKAGES.items():
        have = found.get(name)
        text = f"{name} {have}" if have else f"{name} is not installed"
        if have and have != wanted:
            text += f" (tested with {wanted})"
        rows.append((text, have is not None, "" if have else INSTALL))
    return rows
