"""What has to be installed."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import PackageNotFoundError

import pytest

from reverie.envs.alfworld import check, engine, requirements
from reverie.errors import MissingExtra


def test_a_missing_package_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def version(name: str) -> str:
        if name == "alfworld":
            raise PackageNotFoundError(name)
        return "9.9"

    monkeypatch.setattr(requirements, "version", version)
    rows = {what: (fine, mend) for what, fine, mend in check()}
    assert rows["alfworld is not installed"] == (False, requirements.INSTALL)
    assert rows["textworld 9.9 (tested with 1.7.0)"] == (True, "")
    assert "textworld[pddl]==1.7.0" in requirements.INSTALL
    assert "alfworld==0.4.2" in requirements.INSTALL


def test_playing_without_the_packages_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(engine, "import_module", absent)
    with pytest.raises(MissingExtra, match=r"textworld.*reverie\[alfworld\]"):
        engine.Engine()


def test_importing_the_environment_loads_neither_textworld_nor_alfworld() -> None:
    code = (
        "import sys; import reverie.envs.alfworld;"
        "print([m for m in ('textworld', 'alfworld', 'numpy', 'tatsu') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
