"""How a run of a dialogue benchmark looks in a terminal: progress on stderr, tables on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .dialogue_run import Step, Watcher
from .dialogue_summary import BM25, FULL, OURS, AnswerSummary, DialogueSummary
from .dialogue_tables import (
    abstention_facts,
    answer_metric,
    category_metrics,
    difference_text,
    headlines,
    percent_text,
)
from .watch import bar_of

PRINTED = ("data", "questions", "unit", "gold sessions", "gold turns", "session.ndcg@k", "clusters",
           "embedder", "seed")  # fmt: skip
"""What of the protocol stands above the tables; run.json and the report have all of it."""


@contextmanager
def dialogue_progress(*, quiet: bool) -> Generator[Watcher]:
    """A watcher that shows a bar on a terminal and a line a conversation elsewhere, on stderr."""
    with bar_of("questions", quiet=quiet) as bar:
        if bar is None:
            yield _nothing if quiet else _plain
            return
        task = bar.add_task("reading", total=None)

        def show(step: Step) -> None:
            words = step.note.partition(":")[0] if step.note else "asking"
            bar.update(task, completed=step.done, total=step.planned, description=words)

        yield show


def show_dialogue(summary: DialogueSummary, *, as_json: bool) -> None:
    """Print a run's summary and where its report lies, on stdout."""
    report = summary.out / "report.html"
    if as_json:
        print(json.dumps(summary.model_dump(mode="json") | {"report": str(report)}))
        return
    console = Console(width=max(Console().width, 118))
    for name in PRINTED:
        if name in summary.protocol:
            console.print(Text(f"{name}: {summary.protocol[name]}", style="dim"))
    if summary.repairs:
        console.print(Text(f"{len(summary.repairs)} evidence ids were not ids:", style="dim"))
        for one in summary.repairs:
            console.print(Text(f"  {one}", style="dim"))
    console.print(retrieval_table(summary))
    console.print(category_table(summary))
    if summary.ablations:
        console.print(ablation_table(summary))
    if summary.abstention is not None:
        console.print(_facts_table("Knowing what cannot be answered", abstention_facts(summary)))
    _show_updates(summary, console)
    if summary.answers:
        console.print(answer_table(summary))
    if summary.run.reason:
        console.print(Text(f"Not complete: {summary.run.reason}."), style="yellow")
    console.print(Text(f"A recall took {summary.recall_ms:.0f} ms (median)."))
    console.print(Text(f"Report: {report}"), soft_wrap=True)


def retrieval_table(summary: DialogueSummary) -> Table:
    """Each headline metric: ours, BM25, the plain order, and ours minus BM25."""
    table = _table("Retrieval, per cent", ("metric", "n", "ours", "BM25", "in order",
                                           "ours − BM25 [95 %]", "better : worse"))  # fmt: skip
    deltas = summary.deltas.get(f"{OURS}-{BM25}", {})
    for metric in headlines(summary):
        delta = deltas.get(metric)
        table.add_row(
            metric,
            str(summary.counts[metric]),
            percent_text(summary.retrieval.get(metric)),
            percent_text(summary.baselines.get(BM25, {}).get(metric)),
            percent_text(summary.baselines.get(FULL, {}).get(metric)),
            difference_text(delta),
            f"{delta.better} : {delta.worse}" if delta else "",
        )
    return table


def category_table(summary: DialogueSummary) -> Table:
    """Ours and BM25 by category."""
    heads = ("id", "category", "n", "metric", "ours", "BM25", "ours − BM25 [95 %]")
    table = _table("By category, per cent", heads)
    for key, part in summary.by_category.items():
        deltas = part.deltas[f"{OURS}-{BM25}"]
        for metric in category_metrics(summary):
            if metric in part.metrics[OURS]:
                table.add_row(
                    "" if key.replace("-", " ") == part.name else key,
                    part.name,
                    str(part.n),
                    metric,
                    percent_text(part.metrics[OURS][metric]),
                    percent_text(part.metrics[BM25][metric]),
                    difference_text(deltas.get(metric)),
                )
    return table


def ablation_table(summary: DialogueSummary) -> Table:
    """Ours without each of its parts."""
    metrics = category_metrics(summary, more=True)
    table = _table("Ablations, per cent", ("without", *metrics))
    rows = {"(nothing)": summary.retrieval} | summary.ablations
    for name, means in rows.items():
        values = [percent_text(means.get(metric)) for metric in metrics]
        table.add_row(name.removeprefix("no_"), *values)
    return table


def answer_table(summary: DialogueSummary) -> Table:
    """Each row of answers: scores over all and by category."""
    kinds = list(summary.by_category)
    table = _table(
        f"Answers, {answer_metric(summary)} in per cent; failures count as 0",
        ("reads", "n", "F1", "contains", "judged", *kinds, "mean of kinds", "unanswerable",
         "tokens read", "failed"),
    )  # fmt: skip
    for name, row in summary.answers.items():
        table.add_row(name, *_answer_cells(row, kinds))
    return table


def _answer_cells(row: AnswerSummary, kinds: Sequence[str]) -> list[str]:
    whole, unknown = row.overall, row.unanswerable
    return [
        str(whole.n),
        percent_text(whole.f1),
        percent_text(whole.contains),
        percent_text(whole.judged),
        *(percent_text(row.by_category[kind].best) for kind in kinds if kind in row.by_category),
        percent_text(row.category_mean),
        percent_text(unknown.best if unknown else None),
        f"{whole.read:,.0f}",
        str(whole.failures),
    ]


def _show_updates(summary: DialogueSummary, console: Console) -> None:
    updates = summary.updates
    if not updates.now and not updates.past:
        return
    console.print(
        Text(
            f"{len(updates.now)} questions about something that changed ask how it is, "
            f"{len(updates.past)} how it was:"
        )
    )
    for question in updates.past:
        console.print(Text(f"  {question}", style="dim"))


def _facts_table(title: str, facts: Sequence[tuple[str, str]]) -> Table:
    table = _table(title, ("figure", "value"))
    for name, value in facts:
        table.add_row(name, value)
    return table


def _table(title: str, heads: Sequence[str]) -> Table:
    table = Table(title=title, title_style="bold", title_justify="left")
    for place, head in enumerate(heads):
        left = place == 0 or head in ("category", "metric")
        table.add_column(head, justify="left" if left else "right")
    return table


def _plain(step: Step) -> None:
    if step.note:
        print(f"{step.done}/{step.planned} {step.note}", file=sys.stderr, flush=True)


def _nothing(step: Step) -> None:
    """Show nothing."""
