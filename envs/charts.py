"""Charts as SVG text: learning curves and bars by type. No library, no script, no outside file.

Colours are chosen to be told apart in grey print and by colour-blind readers, and the greys to be
legible on a white and on a dark page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape

from .statistics import Estimate, Point

COLOURS = {"off": "#8b93a1", "frozen": "#3b7dd8", "online": "#d9731a", "shuffled": "#8250df"}
GREY = "#7d8590"
FONT = "font-family='system-ui,-apple-system,Segoe UI,Roboto,sans-serif'"
LABEL_GAP = 15.0
Scale = Callable[[float], float]
"""From a rate to a place in the picture."""


def colour(arm: str) -> str:
    """The colour an arm has in every chart."""
    return COLOURS.get(arm, "#1a7f37")


def curves(
    lines: Mapping[str, Sequence[Point]],
    *,
    title: str,
    x_label: str = "episodes played",
    width: int = 680,
    height: int = 330,
) -> str:
    """Rates in [0, 1] over episodes, one line with its band for each name in ``lines``."""
    left, right, top, bottom = 46, 118, 34, 40
    last = max((points[-1].episode for points in lines.values() if points), default=1)
    span = max(last - 1, 1)

    def x(episode: float) -> float:
        return left + (episode - 1) / span * (width - left - right)

    def y(value: float) -> float:
        return top + (1 - value) * (height - top - bottom)

    out = [_open(width, height, title)]
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        out.append(_rule(left, width - right, y(tick)))
        out.append(_text(left - 8, y(tick) + 4, f"{tick:.0%}", anchor="end"))
    for episode in _ticks(last):
        out.append(_text(x(episode), height - bottom + 18, str(episode), anchor="middle"))
    out.append(_text((left + width - right) / 2, height - 6, x_label, anchor="middle"))
    for name, points in lines.items():
        if points:
            out.append(_band([(x(p.episode), y(p.low), y(p.high)) for p in points], name))
    for name, points in lines.items():
        if points:
            out.append(_line([(x(p.episode), y(p.rate)) for p in points], name))
    ends = [(y(points[-1].rate), name, points[-1].rate) for name, points in lines.items() if points]
    for place, name, value in _spread(ends):
        text = f"{name} {value:.0%}"
        out.append(_text(width - right + 10, place + 4, text, fill=colour(name), bold=True))
    return "".join([*out, "</svg>"])


def bars(groups: Mapping[str, Mapping[str, Estimate]], *, title: str, width: int = 680) -> str:
    """Success by group (a type of task), a bar for each arm, with whiskers for the interval."""
    left, right, top, bar, gap = 214, 96, 34, 15, 14
    rows = sum(len(arms) for arms in groups.values())
    height = int(top + rows * bar + len(groups) * gap + 16)

    def x(value: float) -> float:
        return left + value * (width - left - right)

    out = [_open(width, height, title)]
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        out.append(
            f"<line x1='{x(tick):.1f}' x2='{x(tick):.1f}' y1='{top - 4}' y2='{height - 22}' "
            f"stroke='{GREY}' stroke-opacity='.22'/>"
        )
        out.append(_text(x(tick), height - 6, f"{tick:.0%}", anchor="middle"))
    place = float(top)
    for group, arms in groups.items():
        middle = place + len(arms) * bar / 2 + 4
        out.append(_text(left - 10, middle, _short(group), anchor="end", size=12.5))
        for name, estimate in arms.items():
            out.append(_bar(x(0), place, bar - 3, estimate, name, x))
            place += bar
        place += gap
    return "".join([*out, "</svg>"])


def _bar(left: float, top: float, height: float, estimate: Estimate, name: str, x: Scale) -> str:
    value = estimate.mean or 0.0
    low, high = estimate.ci or (value, value)
    middle = top + height / 2
    return (
        f"<rect x='{left:.1f}' y='{top:.1f}' width='{max(x(value) - left, 1.5):.1f}' "
        f"height='{height:.1f}' rx='2' fill='{colour(name)}' fill-opacity='.85'>"
        f"<title>{escape(name)}: {value:.0%} [{low:.0%}, {high:.0%}], n={estimate.n}</title></rect>"
        f"<line x1='{x(low):.1f}' x2='{x(high):.1f}' y1='{middle:.1f}' y2='{middle:.1f}' "
        f"stroke='{GREY}' stroke-width='1.3'/>"
        + _text(max(x(value), x(high)) + 6, middle + 4, f"{value:.0%}", fill=colour(name), size=11)
    )


def _open(width: int, height: int, title: str) -> str:
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' "
        f"width='{width}' height='{height}' role='img' {FONT}><title>{escape(title)}</title>"
        + _text(0, 16, title, size=14, bold=True)
    )


def _text(
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    fill: str = GREY,
    size: float = 12,
    bold: bool = False,
) -> str:
    weight = " font-weight='600'" if bold else ""
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' font-size='{size:g}' "
        f"fill='{fill}'{weight}>{escape(text)}</text>"
    )


def _rule(left: float, right: float, y: float) -> str:
    return (
        f"<line x1='{left:.1f}' x2='{right:.1f}' y1='{y:.1f}' y2='{y:.1f}' "
        f"stroke='{GREY}' stroke-opacity='.22'/>"
    )


def _band(points: Sequence[tuple[float, float, float]], name: str) -> str:
    upper = [f"{x:.1f},{high:.1f}" for x, _, high in points]
    lower = [f"{x:.1f},{low:.1f}" for x, low, _ in reversed(points)]
    return f"<polygon points='{' '.join(upper + lower)}' fill='{colour(name)}' fill-opacity='.13'/>"


def _line(points: Sequence[tuple[float, float]], name: str) -> str:
    if len(points) == 1:
        ((x, y),) = points
        return f"<circle cx='{x:.1f}' cy='{y:.1f}' r='4' fill='{colour(name)}'/>"
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return (
        f"<polyline points='{path}' fill='none' stroke='{colour(name)}' stroke-width='2.4' "
        "stroke-linejoin='round' stroke-linecap='round'/>"
    )


def _ticks(last: int) -> list[int]:
    """About six round episode numbers from 1 to ``last``."""
    step = next(s * 10**power for power in range(9) for s in (1, 2, 5) if s * 10**power * 7 >= last)
    return sorted({1, *range(step, last + 1, step)})


def _spread(ends: Sequence[tuple[float, str, float]]) -> list[tuple[float, str, float]]:
    """Label places in order, moved apart so that none covers another."""
    out: list[tuple[float, str, float]] = []
    for place, name, value in sorted(ends):
        if out and place - out[-1][0] < LABEL_GAP:
            place = out[-1][0] + LABEL_GAP
        out.append((place, name, value))
    return out


def _short(text: str) -> str:
    words = text.replace("_", " ")
    return words if len(words) <= 32 else words[:31] + "…"
