"""A puzzle in a terminal: its examples and tests, a run's attempts, and where they are wrong."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from ...tools.grids.puzzle import Grid
from .data import Task, grid_of
from .lines import ArcLine, read_arc_lines
from .pictures import as_text, wrong_text
from .scoring import ATTEMPTS


def show_text(task: Task, out: Path | None, *, answers: bool, colour: bool, width: int) -> str:
    """The puzzle, and the attempts that the run in ``out`` made at it, as text for a terminal.

    With ``answers`` the hidden outputs are shown, and where each attempt differs from them.
    """
    console = Console(
        file=StringIO(),
        width=width,
        force_terminal=colour,
        color_system="truecolor" if colour else None,
        legacy_windows=False,
    )
    puzzle = task.puzzle
    console.print(Text(f"{puzzle.id}: {len(puzzle.train)} worked examples"))
    for number, pair in enumerate(puzzle.train, start=1):
        parts = [("input", pair.input), ("output", pair.output)]
        console.print(_row(f"example {number}", parts, colour=colour))
    for number, (test, output) in enumerate(zip(puzzle.tests, task.outputs, strict=True), start=1):
        parts = [("input", test)]
        if answers and output is not None:
            parts.append(("hidden output", output))
        console.print(_row(f"test {number}", parts, colour=colour))
    for line in _tries(out, puzzle.id):
        console.print(_heading(line))
        for number, row in enumerate(line.answer.guesses):
            output = task.outputs[number] if answers else None
            console.print(_attempts(line, number, row[:ATTEMPTS], output, colour=colour))
        for program in line.answer.programs[:1]:
            console.print(Padding(Text(program.text, style="dim"), (0, 2)))
    file = console.file
    assert isinstance(file, StringIO)
    return file.getvalue()


def _tries(out: Path | None, puzzle: str) -> list[ArcLine]:
    found = [] if out is None else [x for x in read_arc_lines(out) if x.task_id == puzzle]
    return sorted(found, key=lambda line: (line.phase, line.seed, line.arm))


def _heading(line: ArcLine) -> Text:
    verdict = "solved" if line.success else line.error or line.stop_reason
    spent = f"{line.steps:,} nodes, {line.tokens:,} tokens, {line.seconds:.1f} s"
    return Text(f"{line.arm}, order {line.seed} ({line.phase}): {verdict}; {spent}", style="bold")


def _row(title: str, parts: list[tuple[str, Grid]], *, colour: bool) -> RenderableType:
    cells = [_cell(name, as_text(cells, colour=colour)) for name, cells in parts]
    return Group(Text(title, style="bold"), Padding(Columns(cells, padding=(0, 4)), (0, 0, 1, 2)))


def _attempts(
    line: ArcLine, number: int, guesses: tuple[str, ...], output: Grid | None, *, colour: bool
) -> RenderableType:
    if not guesses:
        return Text(f"  test {number + 1}: no attempt")
    cells: list[RenderableType] = []
    for place, text in enumerate(guesses):
        guess, right = grid_of(text), line.verdicts[number][place]
        mark = "right" if right else "wrong"
        cells.append(_cell(f"attempt {place + 1}: {mark}", as_text(guess, colour=colour)))
        if output is not None and not right:
            cells.append(_cell("where", wrong_text(guess, output, colour=colour)))
    row = Padding(Columns(cells, padding=(0, 4)), (0, 0, 1, 2))
    return Group(Text(f"  test {number + 1}"), row)


def _cell(title: str, body: Text) -> RenderableType:
    return Group(Text(title, style="dim"), body)
