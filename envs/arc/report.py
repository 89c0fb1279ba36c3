"""The page of a run of ARC: scores, curves, costs, and puzzles with what was tried at them.

Drawn in the scorer's process, since it shows hidden outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from .. import charts
from ..cells import arm_of, coloured, interval, percent, points, table
from ..folder import read_head, write_atomic
from ..report import STATUS, cards, curve_charts, gain, settings_tables
from ..runs import Arm, Header
from ..statistics import Delta, Estimate, Point, curve, default_window
from .data import Split, TaskSet
from .gallery import gallery
from .lines import ArcLine, read_arc_lines
from .summary import ArcArm, ArcSummary, Ratio

MEANING = {
    Arm.OFF: "no memory",
    Arm.FROZEN: "the concepts learnt before, read only",
    Arm.ONLINE: "the same concepts, learning as it goes",
    Arm.SHUFFLED: "the same concepts, shuffled, read only",
}

STYLE = """<style>
.grids { display: flex; flex-wrap: wrap; gap: 10px 16px; align-items: flex-start; }
.grids figure { margin: 0; } .grids img { image-rendering: pixelated; max-width: 180px; }
figcaption { font-size: 12px; color: var(--soft); } h4 { margin: 14px 0 4px; font-size: 13.5px; }
</style>"""


def write_report(out: Path, tasks: Callable[[Split], TaskSet]) -> None:
    """Write the page of the run in ``out``; ``tasks`` gives a split with its hidden outputs."""
    summary = ArcSummary.model_validate_json((out / "summary.json").read_text("utf-8"))
    page = render_arc(read_head(out, Header), read_arc_lines(out), summary, tasks)
    write_atomic(out / "report.html", page)


def render_arc(
    header: Header,
    lines: Sequence[ArcLine],
    summary: ArcSummary,
    tasks: Callable[[Split], TaskSet],
) -> str:
    """The page as text, in the style of the report of games."""
    page = files("reverie.envs").joinpath("report.html").read_text("utf-8")
    head = Template(page.partition("<main>")[0])
    scored = [line for line in lines if line.phase == "exam"]
    run = summary.run
    parts = [
        head.substitute(title="Reverie: ARC").replace("</head>", f"{STYLE}</head>"),
        f"<main><h1>ARC <span class='pill {run.status}'>{STATUS[run.status]}</span></h1>",
        f"<p class='soft'>{escape(_subtitle(header, summary))}</p>",
        cards(summary, MEANING),
        "<h2>Scores</h2>",
        _scores(summary),
        "<h2>Differences between the arms</h2>",
        _differences(summary),
        "<h2>Solves against puzzles seen</h2>",
        _curves(lines),
        f"<div class='charts'>{curve_charts(scored, default_window(scored))}</div>",
        "<h2>What it cost</h2>",
        _costs(summary),
        "<h2>Puzzles</h2>",
        gallery(scored, tasks),
        "<h2>Protocol and settings</h2>",
        settings_tables(header),
        "</main></body></html>",
    ]
    return "\n".join(parts)


def _subtitle(header: Header, summary: ArcSummary) -> str:
    settings, run = header.settings, summary.run
    return (
        f"{settings.get('data')}, {settings.get('split')} · solver {header.agent.get('solver')} · "
        f"model {header.model} · {run.done} of {run.planned} episodes · "
        f"{header.created:%Y-%m-%d %H:%M} UTC" + (f" · {run.reason}" if run.reason else "")
    )


def _scores(summary: ArcSummary) -> str:
    head = (
        "arm",
        "puzzles",
        "official points",
        "official",
        "strict",
        "strict rate",
        "fit all examples",
    )
    rows = [
        [
            arm_of(name),
            str(arm.puzzles),
            f"<b>{arm.points:.1f}</b>",
            percent(arm.points / arm.puzzles),
            str(arm.strict),
            _rate(summary.arms[name].success),
            str(arm.fits),
        ]
        for name, arm in summary.puzzles.items()
    ]
    oracle = [
        [arm_of(name), f"oracle@{arm.k}", percent(arm.oracle.mean), interval(arm.oracle)]
        for name, arm in summary.puzzles.items()
    ]
    return (
        table(head, rows, numeric=range(1, 7))
        + "<p class='note'>Two attempts per test input. Official: the share of a puzzle's test "
        "inputs that are solved, summed over puzzles. Strict: puzzles with all of them solved. All "
        "fit: a program maps every worked example. Intervals are 95 %, over puzzles.</p>"
        + "<p>If every guess counted, and not the first two alone (another question, answered "
        "apart):</p>" + table(("arm", "measure", "score", "95 %"), oracle, numeric=[2])
    )


def _rate(found: Estimate) -> str:
    return f"{percent(found.mean)} <span class='ci'>{interval(found)}</span>"


def _differences(summary: ArcSummary) -> str:
    if not summary.deltas:
        return "<p>There is but one arm.</p>"
    rows = [
        [
            escape(name.replace("-", " − ")),
            _both(delta),
            _both(summary.score_deltas[name]),
            *_ratio_cells(summary.ratios[name.replace("-", "/")]),
            str(delta.n),
        ]
        for name, delta in summary.deltas.items()
    ]
    head = ("arms", "strict", "official", "times as many solved", "only first : only second",
            "nodes until solved, median ratio", "pairs")  # fmt: skip
    return table(head, rows, numeric=[6]) + (
        "<p class='note'>Paired by puzzle and order; 95 % intervals by a bootstrap over puzzles. "
        "Nodes are compared on the puzzles that both arms solve.</p>"
    )


def _both(delta: Delta) -> str:
    return f"{gain(delta)} <span class='ci'>{points(delta.ci)}</span>"


def _ratio_cells(found: Ratio) -> tuple[str, str, str]:
    times = "–"
    if found.mean is not None and found.ci is not None:
        sure = found.ci[0] > 1 or found.ci[1] < 1
        low, high = (f"{end:.2f}" if end < 1e6 else "∞" for end in found.ci)
        times = coloured(found.mean - 1, f"× {found.mean:.2f}", sure=sure)
        times += f" <span class='ci'>[{low}, {high}]</span>"
    nodes = "–"
    if found.nodes is not None and found.nodes_ci is not None:
        low, high = found.nodes_ci
        span = f"[{low:.2f}, {high:.2f}]"
        nodes = f"× {found.nodes:.2f} <span class='ci'>{span}, {found.both} puzzles</span>"
    return times, f"{found.better} : {found.worse}", nodes


def _curves(lines: Sequence[ArcLine]) -> str:
    """The online arm from its first studied puzzle on, and off beside it where it played too."""
    last = max((x.index + 1 for x in lines if x.phase == "study"), default=0)
    rows: dict[str, Sequence[Point]] = {}
    for arm in (Arm.OFF, Arm.ONLINE):
        stream = [
            x if x.phase == "study" else x.model_copy(update={"index": x.index + last})
            for x in lines
            if x.arm == arm
        ]
        if any(x.index == 0 for x in stream):
            rows[arm] = curve(stream)
    if not rows:
        return "<p>No arm has played the stream from its beginning.</p>"
    chart = charts.curves(
        rows, title="Share solved of all puzzles seen, study included", x_label="puzzles seen"
    )
    return f"<div>{chart}</div>"


def _costs(summary: ArcSummary) -> str:
    head = ("arm", "nodes a puzzle", "nodes until solved (median)", "tokens a puzzle", "$ a puzzle",
            "$ a solve", "seconds a puzzle")  # fmt: skip
    rows = [
        [f"{arm_of(name)}{where}", *_cost_cells(arm)]
        for where, found in (("", summary.puzzles), (" (studied)", summary.studied))
        for name, arm in found.items()
    ]
    return table(head, rows, numeric=range(1, 7))


def _cost_cells(arm: ArcArm) -> list[str]:
    n = max(1, arm.puzzles)
    until = arm.nodes_when_solved
    return [
        f"{arm.nodes / n:,.0f}",
        "–" if until is None else f"{until:,.0f}",
        f"{arm.tokens / n:,.0f}",
        "unknown" if arm.usd is None else f"{arm.usd / n:.4f}",
        "–" if arm.usd_per_solve is None else f"{arm.usd_per_solve:.4f}",
        f"{arm.seconds / n:.2f}",
    ]
