"""What a benchmark says about the machine it ran on, and how it prints its figures."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table


def machine() -> str:
    """Processor, cores, load and Python, in one line."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f} at the end, "
        f"Python {platform.python_version()}"
    )


def print_json(name: str, metrics: Mapping[str, float]) -> None:
    """One object on standard output."""
    rounded = {key: round(value, 6) for key, value in metrics.items()}
    print(json.dumps({"name": name, "machine": machine(), "metrics": rounded}))


def print_figures(name: str, title: str, metrics: Mapping[str, float], *, as_json: bool) -> None:
    """Every figure by its name: a table of two columns, or one JSON object."""
    if as_json:
        print_json(name, metrics)
        return
    print_table(title, ("figure", "value"), [[key, f"{one:.6g}"] for key, one in metrics.items()])


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on standard output; the first column is text, the others are figures."""
    table = Table()
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    print(f"{title} ({machine()})")
    Console(width=140).print(table)
