"""Pieces of the report's page: tables and what stands in their cells, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from . import charts
from .statistics import Estimate


def table(head: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[int] = ()) -> str:
    """A table of cells that are HTML already; ``numeric`` columns stand to the right."""
    marks = [" class='n'" if i in numeric else "" for i in range(max(len(head), 12))]
    top = "".join(f"<th{marks[i]}>{escape(text)}</th>" for i, text in enumerate(head))
    body = "".join(
        "<tr>" + "".join(f"<td{marks[i]}>{cell}</td>" for i, cell in enumerate(row)) + "</tr>"
        for row in rows
    )
    whole = f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
    return f"<div class='scroll'>{whole}</div>"


def arm_of(name: str) -> str:
    """An arm's name with its colour."""
    dot = f"<span class='dot' style='background:{charts.colour(name)}'></span>"
    return f"<span class='arm'>{dot}{escape(name)}</span>"


def percent(value: float | None) -> str:
    """A rate in per cent."""
    return "–" if value is None else f"{value:.1%}".replace("%", "\u00a0%")


def interval(estimate: Estimate) -> str:
    """A rate's interval in per cent."""
    if estimate.ci is None:
        return ""
    return f"[{estimate.ci[0]:.0%}, {estimate.ci[1]:.0%}]".replace("%", "\u00a0%")


def points_of(value: float, *, sure: bool = False) -> str:
    """A difference of rates, coloured if it is ``sure``."""
    return coloured(value, f"{value * 100:+.1f}&nbsp;points", sure=sure)


def coloured(value: float, text: str, *, sure: bool) -> str:
    """A text in the colour of a gain or a loss, if it is ``sure``."""
    mark = "" if not sure or value == 0 else (" class='up'" if value > 0 else " class='down'")
    return f"<span{mark}>{text}</span>"


def points(ci: tuple[float, float]) -> str:
    """The interval of a difference of rates."""
    return f"[{ci[0] * 100:+.1f}, {ci[1] * 100:+.1f}]"
