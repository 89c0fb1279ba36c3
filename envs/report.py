"""The report of a run: one HTML page that needs nothing beside itself, and a chart for a README."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from pydantic import JsonValue

from ..errors import SettingsError
from . import charts, recalled
from .cells import arm_of, interval, percent, points, points_of, table
from .folder import write_atomic
from .runs import Arm, EpisodeLine, Header, read_header, read_lines
from .statistics import Delta, Estimate, Point, Summary, curve, default_window

SHOWN_FAILURES = 60
STATUS = {
    "complete": "complete",
    "budget": "stopped by its budget",
    "interrupted": "interrupted",
    "partial": "with errors",
}
MEANING = {
    Arm.OFF: "no memory",
    Arm.FROZEN: "memory of demonstrations, read only",
    Arm.ONLINE: "the same memory, learning as it goes",
    Arm.SHUFFLED: "the same memory, shuffled, read only",
}


def write_report(
    file: Path, header: Header, lines: Sequence[EpisodeLine], summary: Summary
) -> None:
    """Write the page for a run."""
    write_atomic(file, render(header, lines, summary))


def write_curve(out: Path, file: Path, lines: Sequence[EpisodeLine] | None = None) -> None:
    """Write the learning curve of the run in ``out`` as a standalone SVG file.

    Raises ``SettingsError`` if ``out`` is no run folder or has no episodes yet.
    """
    header, lines = read_header(out), read_lines(out) if lines is None else lines
    if not lines:
        raise SettingsError(f"{out} has no episodes yet: there is no curve to draw")
    title = f"Success over episodes: {header.settings.get('env')}, {header.settings.get('model')}"
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(file, charts.curves(_curves(lines), title=title))


def render(header: Header, lines: Sequence[EpisodeLine], summary: Summary) -> str:
    """The page as text."""
    settings = header.settings
    name = f"{settings.get('env')} · {settings.get('split')}"
    tasks = len({line.task_id for line in lines})
    seeds = sorted({line.seed for line in lines})
    window = default_window(lines)
    page = Template(files(__package__ or "").joinpath("report.html").read_text("utf-8"))
    return page.substitute(
        title=escape(f"Reverie: {name}"),
        heading=escape(name),
        status=summary.run.status,
        status_text=escape(STATUS[summary.run.status]),
        subtitle=escape(
            f"model {header.model} · {tasks} tasks · seeds {', '.join(map(str, seeds)) or '–'} · "
            f"{summary.run.done} of {summary.run.planned} episodes · "
            f"{header.created:%Y-%m-%d %H:%M} UTC"
            + (f" · {summary.run.reason}" if summary.run.reason else "")
        ),
        cards=cards(summary),
        headline=_headline(summary) + _later(summary),
        curves=curve_charts(lines, window),
        curves_note=escape(
            f"Mean over {len(seeds)} seed(s), first attempts only. Left: all episodes so far; "
            f"right: the last {window}. The band is the 95 % Wilson interval of the pooled rate; "
            "it counts chance over tasks, not over the order they come in."
        ),
        types=_types(summary),
        recalled=recalled.section(lines, summary),
        failures=_failures(lines),
        settings=settings_tables(header),
        version=escape(header.versions.get("reverie", "")),
    )


def _curves(lines: Sequence[EpisodeLine], window: int | None = None) -> dict[str, Sequence[Point]]:
    return {
        arm: points
        for arm in Arm
        if (points := curve([x for x in lines if x.arm == arm and x.attempt == 1], window))
    }


def curve_charts(lines: Sequence[EpisodeLine], window: int) -> str:
    """The learning curves of all arms: over all episodes so far, and over the last ``window``."""
    if not lines:
        return "<p>No episodes yet.</p>"
    so_far = charts.curves(_curves(lines), title="Success so far")
    moving = charts.curves(_curves(lines, window), title=f"Success in the last {window} episodes")
    return f"<div>{so_far}</div><div>{moving}</div>"


def cards(summary: Summary, meaning: Mapping[Arm, str] = MEANING) -> str:
    """A card for each arm: its success, and what it gained over none."""
    cells: list[str] = []
    for name, arm in summary.arms.items():
        delta = summary.deltas.get(f"{name}-{Arm.OFF}")
        over = f"{gain(delta)} over off" if delta else "<span class='soft'>baseline</span>"
        cells.append(
            f"<div class='card' style='border-top-color:{charts.colour(name)}'>"
            f"<div class='name'>{escape(name)}</div>"
            f"<div class='big'>{percent(arm.success.mean)}</div>"
            f"<div class='soft'>{interval(arm.success)} · n = {arm.success.n}</div>"
            f"<div>{over}</div>"
            f"<div class='note'>{escape(meaning[Arm(name)])}</div></div>"
        )
    return f"<div class='cards'>{''.join(cells)}</div>"


def _headline(summary: Summary) -> str:
    head = ("arm", "success", "steps", "steps when won", "invalid actions", "tokens",
            "recalled tokens", "cost", "seconds", "errors", "episodes")  # fmt: skip
    rows = [
        [
            arm_of(name),
            f"<b>{percent(arm.success.mean)}</b> <span class='ci'>{interval(arm.success)}</span>",
            _number(arm.steps),
            _number(arm.steps_success),
            f"{arm.invalid_rate:.1%}",
            _number(arm.tokens),
            _number(arm.recalled_tokens),
            "unknown" if arm.cost is None else _dollars(arm.cost),
            _number(arm.seconds),
            str(arm.errors),
            str(arm.success.n),
        ]
        for name, arm in summary.arms.items()
    ]
    arms = table(head, rows, numeric=range(2, 11))
    deltas = [
        [
            escape(name.replace("-", " − ")),
            gain(delta),
            f"<span class='ci'>{points(delta.ci)}</span>",
            str(delta.n),
            str(delta.tasks),
        ]
        for name, delta in summary.deltas.items()
    ]
    if not deltas:
        return arms
    return (
        arms
        + "<p class='note'>Per episode, with 95 % intervals. First attempts only; an episode that "
        "ended in an error is a failure. Differences are paired by task and seed, their intervals "
        "a bootstrap over tasks.</p>"
        + table(
            ("difference in success", "points", "95 % interval", "pairs", "tasks"),
            deltas,
            numeric=range(3, 5),
        )
    )


def _later(summary: Summary) -> str:
    rows = [
        [arm_of(name), attempt, f"{percent(found.mean)} {interval(found)}", str(found.n)]
        for name, attempts in summary.later_attempts.items()
        for attempt, found in attempts.items()
    ]
    if not rows:
        return ""
    return "<p>Tasks met again, which the table above leaves out:</p>" + table(
        ("arm", "attempt", "success", "episodes"), rows, numeric=[3]
    )


def _types(summary: Summary) -> str:
    groups: dict[str, dict[str, Estimate]] = {}
    for name, arm in summary.arms.items():
        for kind, found in arm.by_type.items():
            groups.setdefault(kind or "untyped", {})[name] = found.success
    if not groups:
        return "<p>No episodes yet.</p>"
    chart = charts.bars(dict(sorted(groups.items())), title="Success by type, 95 % intervals")
    gains = [
        [escape(kind.replace("_", " ") or "untyped"), *(
            points_of(delta.by_type[kind]) if kind in delta.by_type else "–"
            for delta in summary.deltas.values()
        )]
        for kind in sorted({kind for delta in summary.deltas.values() for kind in delta.by_type})
    ]  # fmt: skip
    by_type = (
        table(("type", *(name.replace("-", " − ") for name in summary.deltas)), gains)
        if gains
        else ""
    )
    return f"<div class='charts'><div>{chart}</div><div>{by_type}</div></div>"


def _failures(lines: Sequence[EpisodeLine]) -> str:
    failed = [line for line in lines if not line.success]
    if not failed:
        return "<p>There are none.</p>"
    shown = sorted(failed, key=lambda x: (x.error is None, list(Arm)[::-1].index(x.arm), x.index))
    out = [f"<p>{len(failed)} of {len(lines)} episodes failed."]
    out.append(f" The first {SHOWN_FAILURES} are shown." if len(failed) > SHOWN_FAILURES else "")
    out.append("</p>")
    for line in shown[:SHOWN_FAILURES]:
        actions = [str(step.get("action", "")) for step in line.trajectory]
        body = "\n".join(f"{i:>3}  {action}" for i, action in enumerate(actions, start=1))
        why = line.error or f"stopped: {line.stop_reason}"
        out.append(
            f"<details><summary>{arm_of(line.arm)} seed {line.seed}, episode {line.index + 1}: "
            f"{escape(line.goal or line.task_id)} <span class='soft'>· "
            f"{escape(line.task_type.replace('_', ' '))} · {escape(why)} · {line.steps} steps"
            f"</span></summary><p class='note'>{escape(line.task_id)}</p>"
            f"<pre>{escape(body or 'no action')}</pre></details>"
        )
    return "".join(out)


def settings_tables(header: Header) -> str:
    """All of ``run.json``."""
    played: dict[str, JsonValue] = {
        "run": header.run,
        "attempts at a task": header.attempts,
        "tasks in the split": header.tasks.get("n"),
        "hash of their ids": header.tasks.get("sha256"),
    }
    groups: list[tuple[str, dict[str, JsonValue]]] = [
        ("settings", header.settings),
        ("environment", header.environment),
        ("agent", header.agent),
        ("memory", dict(header.memory)),
        ("machine", played | header.machine),
        ("versions", dict(header.versions)),
    ]
    tables = [
        f"<div><h3>{name}</h3>"
        + table((), [[escape(key), escape(_plain(value))] for key, value in facts.items()])
        + "</div>"
        for name, facts in groups
    ]
    return f"<div class='pairs'>{''.join(tables)}</div>"


def _number(estimate: Estimate) -> str:
    if estimate.mean is None or estimate.ci is None:
        return "–"
    digits = 0 if abs(estimate.mean) >= 100 else 1
    low, high = estimate.ci
    interval = f"[{low:,.{digits}f}, {high:,.{digits}f}]"
    return f"{estimate.mean:,.{digits}f} <span class='ci'>{interval}</span>"


def _dollars(estimate: Estimate) -> str:
    return "–" if estimate.mean is None else f"${estimate.mean:.4f}"


def gain(delta: Delta) -> str:
    """A difference in success in points, coloured if it is sure."""
    return points_of(delta.mean, sure=delta.ci[0] > 0 or delta.ci[1] < 0)


def _plain(value: JsonValue) -> str:
    if isinstance(value, list):
        return ", ".join(_plain(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key}={_plain(item)}" for key, item in value.items()) or "–"
    return "–" if value is None else str(value)
