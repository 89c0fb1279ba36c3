"""The layout: the root is the package, its rooms import one way, and everything is listed."""

from __future__ import annotations

import ast
import fnmatch
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("agent", "memory", "tools", "envs")
FRONT = ("__init__", "__main__", "cli", "settings", "errors")
"""The only modules at the root: any other would travel in the wheel unnoticed."""

ALLOWED = {
    "memory": {"errors"},
    "tools": {"errors"},
    "agent": {"errors", "memory", "tools"},
    "envs": {"errors", "settings", "agent", "memory", "tools"},
    "errors": set[str](),
    "settings": {"errors"},
}
"""What each room may import of the package, beside itself."""

HEAVY = {
    "accelerate",
    "chromadb",
    "langchain",
    "langgraph",
    "litellm",
    "onnxruntime",
    "openai",
    "peft",
    "sentence_transformers",
    "spacy",
    "textworld",
    "alfworld",
    "tokenizers",
    "torch",
    "transformers",
    "xllamacpp",
}
"""Slow to import: never loaded by `import reverie` or `reverie --help`."""


@dataclass(frozen=True)
class Import:
    """One import: the full module name, and whether it runs when the module is loaded."""

    module: str
    at_load: bool
    line: int


def _modules() -> list[Path]:
    rooms = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    return sorted([*rooms, *ROOT.glob("*.py")])


def _name(path: Path) -> tuple[str, ...]:
    """``memory/cases.py`` → ("memory", "cases"); a package → its folders."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _imports(path: Path) -> tuple[Import, ...]:
    """Every import of a file, relative ones resolved to ``reverie.…``."""
    return tuple(_find_imports(path))


def _find_imports(path: Path) -> Iterator[Import]:
    tree = _tree(path)
    lazy = {id(node) for outer in ast.walk(tree) if _runs_later(outer) for node in ast.walk(outer)}
    for node in ast.walk(tree):
        at_load = id(node) not in lazy
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, at_load, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            base = _resolve(path, node)
            for alias in node.names:
                yield Import(f"{base}.{alias.name}", at_load, node.lineno)


def _runs_later(node: ast.AST) -> bool:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return True
    return isinstance(node, ast.If) and ast.unparse(node.test) in (
        "TYPE_CHECKING",
        "typing.TYPE_CHECKING",
    )


def _resolve(path: Path, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = ("reverie", *path.relative_to(ROOT).parts[:-1])
    kept = package[: len(package) - node.level + 1]
    assert kept, f"{path}:{node.lineno} imports from above the package"
    return ".".join([*kept, *([node.module] if node.module else [])])


def _project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_folder_with_modules_is_a_listed_package() -> None:
    listed = set(_project()["tool"]["setuptools"]["packages"])
    found = {".".join(("reverie", *path.parent.relative_to(ROOT).parts)) for path in _modules()}
    assert listed == found


def test_every_file_that_modules_read_travels_in_the_wheel() -> None:
    data: dict[str, list[str]] = _project()["tool"]["setuptools"]["package-data"]
    lost: list[str] = []
    for room in ROOMS:
        for path in (ROOT / room).rglob("*"):
            if path.is_dir() or path.suffix in (".py", ".pyc") or "__pycache__" in path.parts:
                continue
            if not _is_packed(path, data):
                lost.append(str(path.relative_to(ROOT)))
    assert not lost, f"list these under [tool.setuptools.package-data]: {lost}"


def _is_packed(path: Path, data: dict[str, list[str]]) -> bool:
    """True if a pattern of its package, or of a package above it, matches."""
    for folder in path.relative_to(ROOT).parents:
        patterns = data.get(".".join(("reverie", *folder.parts)), [])
        inside = path.relative_to(ROOT / folder).as_posix()
        if any(fnmatch.fnmatch(inside, pattern) for pattern in patterns):
            return True
    return False


def test_the_root_holds_only_the_front_modules() -> None:
    assert {path.stem for path in ROOT.glob("*.py")} <= set(FRONT)


def test_every_public_name_can_be_fetched() -> None:
    reverie = import_module("reverie")
    missing = [name for name in reverie.__all__ if not hasattr(reverie, name)]
    assert not missing
    assert sorted(reverie.__all__) == list(reverie.__all__), "__all__ is kept in order"
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = reverie.no_such_name


def test_rooms_import_in_one_direction() -> None:
    wrong: list[str] = []
    for path in _modules():
        room = (_name(path) or ("__init__",))[0]
        allowed = ALLOWED.get(room)
        for found in _imports(path):
            parts = found.module.split(".")
            if allowed is None or parts[0] != "reverie" or len(parts) < 2:
                continue
            if parts[1] != room and parts[1] not in allowed:
                wrong.append(f"{path.relative_to(ROOT)}:{found.line} imports {found.module}")
    assert not wrong, "\n".join(wrong)


def test_the_package_imports_itself_by_relative_names() -> None:
    wrong: list[str] = []
    for path in _modules():
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            else:
                continue
            if any(name.split(".")[0] in ("reverie", *ROOMS) for name in names):
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not wrong, wrong


def test_no_heavy_library_is_loaded_from_the_front() -> None:
    """Follows what runs when the front modules are loaded, through every module they load."""
    modules = {".".join(("reverie", *_name(path))): path for path in _modules()}
    waiting = [("reverie" if name == "__init__" else f"reverie.{name}", "") for name in FRONT]
    reached: dict[str, str] = {}
    while waiting:
        module, by = waiting.pop()
        path = modules.get(module)
        if path is None or module in reached:
            continue
        reached[module] = by
        for found in _imports(path):
            if not found.at_load:
                continue
            top = found.module.split(".")[0]
            chain = f"{path.relative_to(ROOT)}:{found.line}, loaded by {by or 'the user'}"
            assert top not in HEAVY, f"{found.module} is loaded by {chain}"
            parts = found.module.split(".")
            waiting += [(".".join(parts[:n]), module) for n in range(1, len(parts) + 1)]
    assert "reverie" in reached


def test_every_library_in_use_is_declared() -> None:
    project = _project()["project"]
    extras: dict[str, list[str]] = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(item for items in extras.values() for item in items)]
    declared = {_normal(item) for item in wanted}
    owners = packages_distributions()
    undeclared: dict[str, str] = {}
    for path in _modules():
        for found in _imports(path):
            top = found.module.split(".")[0]
            if top == "reverie" or top in sys.stdlib_module_names:
                continue
            names = {_normal(name) for name in owners.get(top, [top])} | {_normal(top)}
            if not names & declared:
                undeclared[top] = f"{path.relative_to(ROOT)}:{found.line}"
    assert not undeclared


def _normal(requirement: str) -> str:
    """The bare name of a requirement, in the spelling registries compare by."""
    name = requirement
    for mark in "[<>=!~; ":
        name = name.split(mark)[0]
    return name.strip().lower().replace("_", "-")


def test_all_takes_in_every_extra_but_the_developers() -> None:
    extras: dict[str, list[str]] = _project()["project"]["optional-dependencies"]
    inside = extras["all"][0].removeprefix("reverie[").removesuffix("]").split(",")
    assert set(inside) == set(extras) - {"all", "dev"}


def test_the_version_is_told_once() -> None:
    reverie = import_module("reverie")
    assert reverie.__version__ == _project()["project"]["version"]
