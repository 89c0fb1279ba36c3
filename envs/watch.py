"""How a run looks in a terminal: progress on stderr, the result as a table on stdout."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from .runner import Event, Watcher
from .runs import EpisodeLine
from .statistics import Estimate, Summary

EXIT = {"complete": 0, "budget": 3, "partial": 4, "interrupted": 130}


@contextmanager
def progress(*, quiet: bool) -> Generator[Watcher]:
    """A watcher that shows a bar on a terminal and a line per episode elsewhere, on stderr."""
    with bar_of("episodes", quiet=quiet) as bar:
        if bar is not None:
            yield _Bar(bar)
        else:
            yield _nothing if quiet else _Plain()


@contextmanager
def bar_of(things: str, *, quiet: bool) -> Generator[Progress | None]:
    """A bar on stderr that counts ``things``; None where stderr is no terminal."""
    console = Console(stderr=True, quiet=quiet)
    if not console.is_terminal:
        yield None
        return
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TextColumn(things),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=quiet,
    ) as bar:
        yield bar


class _Bar:
    """A progress bar with each arm's success so far."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=None)
        self._wins: dict[str, list[bool]] = defaultdict(list)

    def __call__(self, event: Event) -> None:
        """Move the bar on, or print a note above it."""
        if event.note:
            self._bar.console.print(Text(event.note + "…" * (event.planned == 0)), style="dim")
        if event.line is not None:
            self._wins[event.line.arm].append(event.line.success)
        rates = "  ".join(f"{arm} {sum(w)}/{len(w)}" for arm, w in self._wins.items())
        self._bar.update(
            self._task,
            completed=event.done,
            total=event.planned or None,
            description=rates or "starting",
        )


class _Plain:
    """One line an episode, for a log."""

    def __call__(self, event: Event) -> None:
        """Print what happened."""
        if event.note:
            print(event.note, file=sys.stderr, flush=True)
        if event.line is not None:
            text = f"{event.done}/{event.planned} {describe_line(event.line)}"
            print(text, file=sys.stderr, flush=True)


def _nothing(event: Event) -> None:
    """Show nothing."""


def describe_line(line: EpisodeLine) -> str:
    """An episode in one line."""
    how = "success" if line.success else f"failure ({line.error or line.stop_reason})"
    return (
        f"{line.arm} seed {line.seed} episode {line.index + 1}: {line.task_type or line.task_id}: "
        f"{how}, {line.steps} steps, {line.seconds:.1f} s"
    )


def show_result(summary: Summary, out: Path, *, as_json: bool, quiet: bool = False) -> None:
    """Print a run's summary and where its report lies, on stdout."""
    report = out / "report.html"
    if as_json:
        places = {"out": str(out), "report": str(report)}
        print(json.dumps(summary.model_dump(mode="json") | places))
        return
    console = Console(quiet=quiet)
    console.print(result_table(summary))
    for name, delta in summary.deltas.items():
        low, high = delta.ci
        console.print(
            Text(f"{name.replace('-', ' − ')}: {delta.mean * 100:+.1f} points of success "),
            Text(f"[{low * 100:+.1f}, {high * 100:+.1f}], {delta.n} pairs", style="dim"),
        )
    if summary.run.reason:
        console.print(Text(f"Not complete: {summary.run.reason}."), style="yellow")
    console.print(Text(f"Report: {report}"), soft_wrap=True)


def result_table(summary: Summary) -> Table:
    """The arms side by side."""
    table = Table(title=f"{summary.run.done} of {summary.run.planned} episodes", title_style="bold")
    table.add_column("arm")
    for head in ("success", "95 % interval", "n", "steps", "tokens", "seconds", "cost"):
        table.add_column(head, justify="right")
    for name, arm in summary.arms.items():
        low, high = arm.success.ci or (0.0, 0.0)
        cost = arm.cost.mean if arm.cost else None
        table.add_row(
            name,
            f"{(arm.success.mean or 0) * 100:.1f} %",
            f"{low * 100:.0f}–{high * 100:.0f} %",
            str(arm.success.n),
            _mean(arm.steps),
            _mean(arm.tokens, 0),
            _mean(arm.seconds),
            "unknown" if cost is None else f"${cost:.4f}",
        )
    return table


def _mean(estimate: Estimate, digits: int = 1) -> str:
    return "–" if estimate.mean is None else f"{estimate.mean:,.{digits}f}"
