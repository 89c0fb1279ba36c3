"""The page of a dialogue benchmark's run: its tables in HTML that needs nothing beside itself."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from .cells import coloured, table
from .dialogue_lines import DialogueHeader
from .dialogue_summary import BASELINES, BM25, FULL, OURS, DialogueSummary
from .dialogue_tables import (
    abstention_facts,
    category_metrics,
    difference_text,
    headlines,
    percent_text,
)
from .folder import write_atomic
from .rankings import Difference
from .report import STATUS

TITLES = {"locomo": "LoCoMo", "longmemeval": "LongMemEval"}


def write_dialogue_report(file: Path, header: DialogueHeader, summary: DialogueSummary) -> None:
    """Write the page for a run."""
    write_atomic(file, render_dialogue(header, summary))


def render_dialogue(header: DialogueHeader, summary: DialogueSummary) -> str:
    """The page as text, in the style of the report of games."""
    page = files(__package__ or "").joinpath("report.html").read_text("utf-8")
    head = Template(page.partition("<main>")[0])
    title = TITLES[header.settings.benchmark]
    run = summary.run
    parts = [
        head.substitute(title=escape(f"Reverie: {title}")),
        f"<main><h1>{title} <span class='pill {run.status}'>{STATUS[run.status]}</span></h1>",
        f"<p class='soft'>{escape(_subtitle(header, summary))}</p>",
        "<h2>What was found, beside BM25</h2>",
        _retrieval(summary),
        "<h2>By category</h2>",
        _categories(summary),
    ]
    if summary.ablations:
        parts += ["<h2>Without each part</h2>", _ablations(summary)]
    if summary.abstention is not None:
        facts = [[escape(name), value] for name, value in abstention_facts(summary)]
        parts += ["<h2>Knowing what cannot be answered</h2>", table((), facts, numeric=[1])]
    if summary.updates.now or summary.updates.past:
        parts += ["<h2>What changed</h2>", _updates(summary)]
    if summary.answers:
        parts += ["<h2>Answers</h2>", _answers(summary)]
    parts += ["<h2>Protocol and settings</h2>", _settings(header), "</main></body></html>"]
    return "\n".join(parts)


def _subtitle(header: DialogueHeader, summary: DialogueSummary) -> str:
    run, data = summary.run, header.data
    return (
        f"{run.done} of {run.planned} questions · {data.conversations} conversations, "
        f"{data.turns:,} turns · embedder {header.embedder} · model {header.model} · "
        f"{header.created:%Y-%m-%d %H:%M} UTC" + (f" · {run.reason}" if run.reason else "")
    )


def _retrieval(summary: DialogueSummary) -> str:
    deltas = summary.deltas.get(f"{OURS}-{BM25}", {})
    rows = [
        [
            escape(metric),
            str(summary.counts[metric]),
            f"<b>{percent_text(summary.retrieval[metric])}</b>",
            percent_text(summary.baselines.get(BM25, {}).get(metric)),
            percent_text(summary.baselines.get(FULL, {}).get(metric)),
            _gain(deltas.get(metric)),
        ]
        for metric in headlines(summary)
    ]
    head = ("metric", "questions", "ours", "BM25", "in order", "ours − BM25 [95 %]")
    note = (
        "<p class='note'>Per cent. Differences are paired by question; their intervals come from a "
        f"bootstrap over {escape(summary.protocol.get('clusters', ''))}s.</p>"
    )
    return table(head, rows, numeric=range(1, 6)) + note


def _categories(summary: DialogueSummary) -> str:
    rows = [
        [
            escape(key),
            escape(part.name),
            str(part.n),
            escape(metric),
            percent_text(part.metrics[OURS][metric]),
            percent_text(part.metrics[BM25][metric]),
            _gain(part.deltas[f"{OURS}-{BM25}"].get(metric)),
        ]
        for key, part in summary.by_category.items()
        for metric in category_metrics(summary)
        if metric in part.metrics[OURS]
    ]
    heads = ("id", "category", "questions", "metric", "ours", "BM25", "ours − BM25 [95 %]")
    return table(heads, rows, numeric=[2, 4, 5, 6])


def _ablations(summary: DialogueSummary) -> str:
    metrics = category_metrics(summary, more=True)
    rows = [
        [escape(name), *(percent_text(means.get(metric)) for metric in metrics)]
        for name, means in ({"ours": summary.retrieval} | summary.ablations).items()
    ]
    return table(("", *metrics), rows, numeric=range(1, 1 + len(metrics)))


def _updates(summary: DialogueSummary) -> str:
    now, past = summary.updates.now, summary.updates.past
    items = "".join(f"<li>{escape(one)}</li>" for one in past)
    return (
        f"<p>{len(now)} questions about something that changed ask how it is, {len(past)} how it "
        f"was:</p><ul>{items}</ul>"
    )


def _answers(summary: DialogueSummary) -> str:
    kinds = list(summary.by_category)
    rows: list[list[str]] = []
    for name, row in summary.answers.items():
        whole = row.overall
        scores = [row.by_category[kind] for kind in kinds if kind in row.by_category]
        rows.append(
            [
                escape(name),
                str(whole.n),
                percent_text(whole.f1),
                percent_text(whole.contains),
                percent_text(whole.judged),
                *(percent_text(one.best) for one in scores),
                f"{whole.read:,.0f}",
                str(whole.failures),
                "unknown" if whole.usd is None else f"${whole.usd:.4f}",
            ]
        )
    heads = ("reads", "n", "F1", "contains", "judged", *kinds, "tokens read", "failed", "cost")
    gaps = [
        [f"ours − {escape(row)}", *(_gain(delta) for delta in found.values())]
        for row in ("none", *BASELINES[::-1])
        if (found := _answer_deltas(summary, row))
    ]
    names = list(_answer_deltas(summary, "none"))
    differences = table(("difference", *names), gaps, numeric=range(1, 1 + len(names)))
    return table(heads, rows, numeric=range(1, len(heads))) + differences


def _answer_deltas(summary: DialogueSummary, row: str) -> dict[str, Difference]:
    found = summary.deltas.get(f"{OURS}-{row}", {})
    return {name: delta for name, delta in found.items() if name.startswith("answer.")}


def _settings(header: DialogueHeader) -> str:
    groups: list[tuple[str, dict[str, str]]] = [
        ("settings", _plain(header.settings.model_dump())),
        ("data", _plain(header.data.model_dump(exclude={"repairs", "categories"}))),
        ("protocol", header.protocol),
        ("evidence that was not as it should be", dict(map(_repair, header.data.repairs))),
        ("machine", _plain(dict(header.machine))),
        ("versions", header.versions),
    ]
    tables = [
        f"<div><h3>{name}</h3>"
        + table((), [[escape(key), escape(value)] for key, value in facts.items()])
        + "</div>"
        for name, facts in groups
        if facts
    ]
    return f"<div class='pairs'>{''.join(tables)}</div>"


def _repair(line: str) -> tuple[str, str]:
    question, _, what = line.partition(": ")
    return question, what


def _plain(facts: dict[str, object]) -> dict[str, str]:
    return {key: "–" if value is None else str(value) for key, value in facts.items()}


def _gain(delta: Difference | None) -> str:
    if delta is None or not delta.n:
        return ""
    sure = delta.ci[0] > 0 or delta.ci[1] < 0
    return coloured(delta.mean, difference_text(delta), sure=sure)
