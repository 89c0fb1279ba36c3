"""How a run of ARC looks in a terminal when it has ended."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..watch import show_result
from .summary import ArcSummary, Ratio


def show_arc(summary: ArcSummary, out: Path, *, as_json: bool) -> None:
    """Print a run's summary and where its report lies, on stdout."""
    if as_json:
        show_result(summary, out, as_json=True)
        return
    console = Console(width=max(Console().width, 100))
    console.print(score_table(summary))
    if summary.puzzles:
        console.print(oracle_line(summary))
    for name, found in summary.ratios.items():
        console.print(Text(f"{name}: {times(found)}"))
    if summary.run.reason:
        console.print(Text(f"Not complete: {summary.run.reason}."), style="yellow")
    console.print(Text(f"Report: {out / 'report.html'}"), soft_wrap=True)


def score_table(summary: ArcSummary) -> Table:
    """The arms side by side, two attempts per test input."""
    title = f"{summary.run.done} of {summary.run.planned} episodes; two attempts per test input"
    table = Table(title=title, title_style="bold", title_justify="left")
    table.add_column("arm")
    for head in ("puzzles", "points", "strict", "95 %", "all fit", "nodes", "tokens", "cost", "s"):
        table.add_column(head, justify="right")
    for name, arm in summary.puzzles.items():
        low, high = summary.arms[name].success.ci or (0.0, 0.0)
        table.add_row(
            name,
            str(arm.puzzles),
            f"{arm.points:.1f}",
            str(arm.strict),
            f"{low * 100:.1f}–{high * 100:.1f} %",
            str(arm.fits),
            f"{arm.nodes / arm.puzzles:,.0f}",
            f"{arm.tokens / arm.puzzles:,.0f}",
            "unknown" if arm.usd is None else f"${arm.usd / arm.puzzles:.4f}",
            f"{arm.seconds / arm.puzzles:.2f}",
        )
    return table


def oracle_line(summary: ArcSummary) -> Text:
    """What all guesses together would score: apart, since it is no score of two attempts."""
    parts = [
        f"{name} oracle@{arm.k} {(arm.oracle.mean or 0) * 100:.1f} %"
        for name, arm in summary.puzzles.items()
    ]
    return Text(f"If every guess counted: {', '.join(parts)}", style="dim")


def times(found: Ratio) -> str:
    """A ratio of solves in words."""
    text = "solves none to compare with"
    if found.mean is not None and found.ci is not None:
        low, high = (f"{end:.2f}" if end < 1e6 else "∞" for end in found.ci)
        text = f"{found.mean:.2f} times as many solved [{low}, {high}]"
    text += f", only the first {found.better}, only the second {found.worse}"
    if found.nodes is not None and found.nodes_ci is not None:
        low, high = found.nodes_ci
        text += f"; nodes until solved × {found.nodes:.2f} [{low:.2f}, {high:.2f}] on {found.both}"
    return text
