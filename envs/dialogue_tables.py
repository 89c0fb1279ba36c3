"""Which figures of a dialogue benchmark are shown, and how they are written."""

from __future__ import annotations

from .dialogue_summary import DialogueSummary
from .rankings import Difference

SHOWN = (
    *(f"session.recall_all@{k}" for k in (1, 3, 5, 10)),
    *(f"session.ndcg_memgas@{k}" for k in (3, 5, 10)),
    "session.ndcg@10",
    *(f"turn.recall@{k}" for k in (5, 10, 25, 50)),
    "turn.recall_near@10",
    "turn.recall_all@10",
    "turn.hit@10",
    "turn.ndcg@10",
    *(f"pool.recall_all@{k}" for k in (1, 3, 5, 10, 25)),
    "pool.ndcg@10",
    "update.newest_first",
    "update.past_first",
)
BY_CATEGORY = ("session.recall_all@5", "turn.recall@10", "turn.ndcg@10",
               "pool.recall_all@5", "pool.recall_all@10", "pool.ndcg@10")  # fmt: skip
BY_ABLATION = ("session.recall_all@3", *BY_CATEGORY, "session.recall_all@10", "update.newest_first")


def headlines(summary: DialogueSummary) -> list[str]:
    """The metrics of the first table that were measured."""
    context = [name for name in summary.retrieval if name.startswith("context.")]
    return [name for name in (*SHOWN, *context) if name in summary.retrieval]


def category_metrics(summary: DialogueSummary, *, more: bool = False) -> list[str]:
    """The metrics of the tables by category, or with ``more`` by ablation."""
    return [name for name in (BY_ABLATION if more else BY_CATEGORY) if name in summary.retrieval]


def answer_metric(summary: DialogueSummary) -> str:
    """What answers are compared by across categories."""
    rows = summary.answers.values()
    return "the judge's verdict" if any(row.overall.judged is not None for row in rows) else "F1"


def abstention_facts(summary: DialogueSummary) -> list[tuple[str, str]]:
    """The figures on verdicts, each with what it is."""
    found = summary.abstention
    if found is None:
        return []
    return [
        ("answerable : not", f"{found.answerable} : {found.unanswerable}"),
        ("AUROC of the confidence", f"{found.auroc:.3f}"),
        ("accuracy of found, %", percent_text(found.accuracy)),
        ("mean of both kinds' accuracy, %", percent_text(found.balanced)),
        ("'other speaker' where unanswerable, %", percent_text(found.other_speaker_unanswerable)),
        ("'other speaker' where answerable, %", percent_text(found.other_speaker_answerable)),
        ("'nothing' where unanswerable, %", percent_text(found.nothing_unanswerable)),
        ("'nothing' where answerable, %", percent_text(found.nothing_answerable)),
    ]


def percent_text(value: float | None) -> str:
    """A rate in per cent, empty if it was not measured."""
    return "" if value is None else f"{100 * value:.1f}"


def difference_text(delta: Difference | None) -> str:
    """A difference in points with its interval."""
    if delta is None or not delta.n:
        return ""
    low, high = delta.ci
    return f"{100 * delta.mean:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"
