"""What the questions of a dialogue benchmark say: means, differences from BM25, by category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from pydantic import Field

from ..memory.records import Frozen
from .abstention import Abstention, abstention
from .answering import ROWS, Answer
from .dialogue_lines import DialogueHeader, QuestionLine
from .rankings import Difference, Measured, bootstrapped, measured
from .statistics import Progress

OURS, BM25, FULL = "ours", "bm25", "full"
BASELINES = (BM25, FULL)
Metrics = dict[str, float]


class CategorySummary(Frozen):
    """One category of question: its name, how many there are, and each ranker's means."""

    name: str
    n: int
    metrics: dict[str, Metrics]
    deltas: dict[str, dict[str, Difference]]


class AnswerScores(Frozen):
    """Means of one row's answers. ``failures`` counted as 0; ``read`` is tokens of memory."""

    n: int
    f1: float
    contains: float
    judged: float | None
    failures: int
    read: float
    tokens: float
    usd: float | None

    @property
    def best(self) -> float:
        """The judge's share of right answers, or F1 where there is no judge."""
        return self.f1 if self.judged is None else self.judged


class AnswerSummary(Frozen):
    """One row: over all, by category, the mean of categories, and on the unanswerable alone."""

    overall: AnswerScores
    by_category: dict[str, AnswerScores]
    category_mean: float = Field(description="of the judge's verdicts, or of F1 without a judge")
    unanswerable: AnswerScores | None


class Updates(Frozen):
    """Which questions about something that changed ask how it is, and which how it was."""

    now: tuple[str, ...] = ()
    past: tuple[str, ...] = ()


class DialogueSummary(Frozen):
    """``summary.json``. Rates and differences are in [0, 1]; ``counts`` are questions a metric."""

    run: Progress
    out: Path
    protocol: dict[str, str]
    retrieval: Metrics
    intervals: dict[str, Difference]
    baselines: dict[str, Metrics]
    deltas: dict[str, dict[str, Difference]]
    ablations: dict[str, Metrics]
    by_category: dict[str, CategorySummary]
    counts: dict[str, int]
    abstention: Abstention | None
    updates: Updates
    answers: dict[str, AnswerSummary]
    recall_ms: float = Field(description="of one recall, the median")
    repairs: tuple[str, ...] = ()


def summarise(
    header: DialogueHeader, lines: Sequence[QuestionLine], run: Progress, out: Path
) -> DialogueSummary:
    """The summary of a run from its lines."""
    budget, seed = header.settings.budget, header.settings.seed
    names = list(lines[0].ranks) if lines else []
    tables = {name: Measured.of([measured(x.ranks[name], budget) for x in lines]) for name in names}
    single = header.data.cluster == "question"
    clusters = [line.id if single else line.conversation for line in lines]
    means = {name: _present(table) for name, table in tables.items()}
    ours = tables.get(OURS)
    return DialogueSummary(
        run=run,
        out=out,
        protocol=header.protocol,
        retrieval=means.get(OURS, {}),
        intervals=bootstrapped(ours, clusters, seed=seed) if ours else {},
        baselines={name: means[name] for name in BASELINES if name in means},
        deltas=_deltas(lines, tables, clusters, seed),
        ablations={name: means[name] for name in names if name not in (OURS, *BASELINES)},
        by_category=_by_category(lines, tables, clusters, header),
        counts=ours.counts() if ours else {},
        abstention=abstention([x.verdict for x in lines], [x.answerable for x in lines]),
        updates=_updates(lines),
        answers=_answers(lines),
        recall_ms=float(np.median([x.seconds for x in lines])) * 1000 if lines else 0.0,
        repairs=header.data.repairs,
    )


def _deltas(
    lines: Sequence[QuestionLine],
    tables: Mapping[str, Measured],
    clusters: Sequence[str],
    seed: int,
) -> dict[str, dict[str, Difference]]:
    """Ours minus each baseline, each ablation minus ours, ours minus each other row's answers."""
    pairs = [(OURS, name) for name in BASELINES]
    pairs += [(name, OURS) for name in tables if name not in (OURS, *BASELINES)]
    found = {
        f"{one}-{other}": bootstrapped(tables[one].minus(tables[other]), clusters, seed=seed)
        for one, other in pairs
        if one in tables and other in tables
    }
    for row in ROWS:
        both = [i for i, x in enumerate(lines) if OURS in x.answers and row in x.answers]
        if both and row != OURS:
            gaps = [_gaps(lines[i].answers[OURS], lines[i].answers[row]) for i in both]
            within = [clusters[i] for i in both]
            found.setdefault(f"{OURS}-{row}", {}).update(
                bootstrapped(Measured.of(gaps), within, seed=seed)
            )
    return found


def _gaps(ours: Answer, other: Answer) -> Metrics:
    gaps = {"answer.f1": ours.f1 - other.f1, "answer.contains": ours.contains - other.contains}
    if ours.judged is not None and other.judged is not None:
        gaps["answer.judged"] = ours.judged - other.judged
    return gaps


def _by_category(
    lines: Sequence[QuestionLine],
    tables: Mapping[str, Measured],
    clusters: Sequence[str],
    header: DialogueHeader,
) -> dict[str, CategorySummary]:
    found: dict[str, CategorySummary] = {}
    for category, name in header.data.categories.items():
        places = [i for i, line in enumerate(lines) if line.category == category]
        if not places:
            continue
        parts = {
            ranker: Measured(table.metrics, table.values[places])
            for ranker, table in tables.items()
            if ranker in (OURS, *BASELINES)
        }
        within = [clusters[i] for i in places]
        deltas = bootstrapped(parts[OURS].minus(parts[BM25]), within, seed=header.settings.seed)
        found[category] = CategorySummary(
            name=name,
            n=len(places),
            metrics={ranker: _present(part) for ranker, part in parts.items()},
            deltas={f"{OURS}-{BM25}": {k: v for k, v in deltas.items() if v.n}},
        )
    return found


def _present(table: Measured) -> Metrics:
    counts = table.counts()
    return {name: mean for name, mean in table.means().items() if counts[name]}


def _updates(lines: Sequence[QuestionLine]) -> Updates:
    told = [x for x in lines if OURS in x.ranks and x.ranks[OURS].newest and x.ranks[OURS].stale]
    return Updates(
        now=tuple(x.question for x in told if x.ranks[OURS].of_now),
        past=tuple(x.question for x in told if not x.ranks[OURS].of_now),
    )


def _answers(lines: Sequence[QuestionLine]) -> dict[str, AnswerSummary]:
    found: dict[str, AnswerSummary] = {}
    for row in ROWS:
        given = [(line, line.answers[row]) for line in lines if row in line.answers]
        if not given:
            continue
        kinds = sorted({line.category for line, _ in given})
        by_category = {
            kind: _scores([answer for line, answer in given if line.category == kind])
            for kind in kinds
        }
        unknown = [answer for line, answer in given if not line.answerable]
        best = [one.best for one in by_category.values()]
        found[row] = AnswerSummary(
            overall=_scores([answer for _, answer in given]),
            by_category=by_category,
            category_mean=sum(best) / len(best),
            unanswerable=_scores(unknown) if unknown else None,
        )
    return found


def _scores(answers: Sequence[Answer]) -> AnswerScores:
    n = len(answers)
    verdicts = [one.judged for one in answers if one.judged is not None]
    prices = [one.usd for one in answers if one.usd is not None]
    return AnswerScores(
        n=n,
        f1=sum(one.f1 for one in answers) / n,
        contains=sum(one.contains for one in answers) / n,
        judged=sum(verdicts) / n if verdicts else None,
        failures=sum(one.error is not None for one in answers),
        read=sum(one.read for one in answers) / n,
        tokens=sum(one.tokens for one in answers) / n,
        usd=sum(prices) if len(prices) == n else None,
    )
