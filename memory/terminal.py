"""What the commands share: their options, opening a store, and printing."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

if TYPE_CHECKING:
    from .credit import Credit
    from .memory import Memory
    from .records import Record

Url = Annotated[
    str | None,
    typer.Option(
        "--memory", "-m", envvar="REVERIE_MEMORY", help="Folder or URL; else the user's own."
    ),
]
EmbedderName = Annotated[
    str | None, typer.Option("--embedder", envvar="REVERIE_EMBEDDER", help="Name of the embedder.")
]
User = Annotated[str, typer.Option("--user", "-u", envvar="REVERIE_USER", help="Whose memory.")]
Agent = Annotated[str | None, typer.Option("--agent", help="Only what this agent wrote.")]
Session = Annotated[str | None, typer.Option("--session", help="Only this session.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Where = Annotated[
    list[str] | None, typer.Option("--where", help="FIELD=VALUE of the payload; repeatable.")
]

PATIENCE = 2.0
"""Seconds of work before a progress bar appears."""

BETWEEN_LINES = 60.0
"""Seconds between two lines of progress where there is no terminal."""


def open_memory(url: str | None, embedder: str | None = None) -> Memory:
    """The store at ``url``, else the user's own."""
    from .address import data_folder
    from .memory import Memory

    return Memory.open(url or data_folder() / "memory", embedder=embedder)


def pairs(where: Sequence[str] | None) -> dict[str, str] | None:
    """The FIELD=VALUE pairs of ``--where``."""
    if not where:
        return None
    found: dict[str, str] = {}
    for pair in where:
        name, equals, value = pair.partition("=")
        if not equals:
            raise typer.BadParameter(f"{pair!r}: write FIELD=VALUE", param_hint="--where")
        found[name] = value
    return found


def plain(record: Record) -> dict[str, object]:
    """A record as JSON has it."""
    return json.loads(record.model_dump_json())


def line(record: Record) -> tuple[str, str, str, str]:
    """A record in a row of a table: id, kind, time, text."""
    return record.id, record.kind.value, when(record.event_time), short(record.text)


def when(moment: datetime) -> str:
    """A moment, to the minute."""
    return moment.strftime("%Y-%m-%d %H:%M")


def short(text: str, width: int = 100) -> str:
    """A text in one line of at most ``width`` characters."""
    joined = " ".join(text.split())
    return joined if len(joined) <= width else joined[: width - 1] + "…"


def inline(value: object) -> str:
    """A value as it stands in a line."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def credit_lines(credit: Credit) -> list[str]:
    """What recalling a memory led to, in words."""
    counts = (
        f"recalls: offered {credit.recalled}, shown {credit.chosen}, "
        f"left out by chance {credit.dropped}"
    )
    found = credit.contrast
    if found.change is None:
        return [counts, f"effect of showing it: {found.missing}"]
    ci = found.missing
    if found.ci is not None:
        ci = f"95 % interval [{found.ci[0]:+.3f}, {found.ci[1]:+.3f}], {found.method}"
    rewards = (
        f"mean reward {found.reward_shown:.3f} in {found.shown} episodes with it, "
        f"{found.reward_left_out:.3f} in {found.left_out} without"
    )
    return [counts, f"effect of showing it: reward {found.change:+.3f}, {ci} ({rewards})"]


def answer(as_json: bool, fields: Mapping[str, object], words: str) -> None:
    """Print one JSON object, or words for a person."""
    if as_json:
        print_json(fields)
    else:
        print(words)


def print_json(fields: Mapping[str, object]) -> None:
    """Print one JSON object."""
    print(json.dumps(fields, ensure_ascii=False))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table for a person, tab-separated lines for a pipe."""
    if not sys.stdout.isatty():
        for row in rows:
            print("\t".join(row))
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    shown = Table(*head, box=None, header_style="bold")
    for row in rows:
        shown.add_row(*(escape(cell) for cell in row))
    Console().print(shown)


class Watch(Protocol):
    """Told how many of how many are done, and what else is worth seeing."""

    def __call__(self, done: int, of: int, note: str = "") -> None: ...


@contextmanager
def progress(what: str) -> Generator[Watch]:
    """Work of over 2 seconds has a bar on a terminal; elsewhere there is a line a minute."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    console = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(bar_width=28), MofNCompleteColumn(), Remaining())
    bar = Progress(*columns, TextColumn("{task.fields[note]}"), console=console)
    task = bar.add_task(what, note="")
    began = said = time.monotonic()

    def watch(done: int, of: int, note: str = "") -> None:
        nonlocal said
        now = time.monotonic()
        if console.is_terminal and now - began > PATIENCE:
            bar.start()
        elif not console.is_terminal and now - said > BETWEEN_LINES:
            said = now
            print(f"{what}: {done} of {of}{note and f', {note}'}", file=sys.stderr, flush=True)
        bar.update(task, completed=done, total=of, note=note)

    try:
        yield watch
    finally:
        if bar.live.is_started:
            bar.stop()
