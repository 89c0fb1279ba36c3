"""LoCoMo retrieval with the memory's hybrid search alone, beside BM25 on the same questions.

    python benchmarks/locomo_retrieval.py [--data FILE] [--embedder NAME] [--quick] [--json]

Sessions are ranked by the protocol of MemGAS (every question, recall-all at 3, 5, 10), turns by
their share found. No language model is asked. Rankings come from the real store: one user a
conversation, one record a session and one a turn. ``--quick`` leaves the turns out.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import track

from reverie.benchmarks.locomo import (
    DEFAULT_DATA,
    Conversation,
    Question,
    ndcg,
    paired_interval,
    read,
    recall,
    recall_all,
)
from reverie.benchmarks.machine import print_json, print_table
from reverie.memory.memory import Memory
from reverie.memory.records import Kind, Record
from reverie.memory.terms import terms_of

CUTS = (3, 5, 10)
Ranker = Callable[[Question], list[str]]


@dataclass
class Scores:
    """A ranker's score on every question, by metric; questions in order."""

    by_metric: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    groups: list[str] = field(default_factory=list[str])

    def note(self, group: str, values: dict[str, float]) -> None:
        """One question's figures."""
        self.groups.append(group)
        for name, value in values.items():
            self.by_metric.setdefault(name, []).append(value)

    def mean(self, metric: str) -> float:
        """In percent."""
        values = self.by_metric[metric]
        return 100.0 * sum(values) / len(values)


class BM25:
    """Plain BM25 (k1 1.2, b 0.75) over some texts, written out for the comparison."""

    def __init__(self, names: Sequence[str], texts: Sequence[str]) -> None:
        self._names = names
        self._counts = [terms_of(text) for text in texts]
        self._lengths = [sum(counts.values()) for counts in self._counts]
        self._mean = sum(self._lengths) / len(texts)
        self._held = Counter(term for counts in self._counts for term in counts)

    def rank(self, question: Question) -> list[str]:
        """The names, best first."""
        terms = terms_of(question.text)
        scores = [self._score(terms, place) for place in range(len(self._names))]
        order = sorted(range(len(scores)), key=lambda place: (-scores[place], place))
        return [self._names[place] for place in order]

    def _score(self, terms: Iterable[int], place: int) -> float:
        counts, n = self._counts[place], len(self._counts)
        norm = 1.2 * (0.25 + 0.75 * self._lengths[place] / self._mean)
        return sum(
            math.log1p((n - self._held[term] + 0.5) / (self._held[term] + 0.5))
            * counts[term]
            * 2.2
            / (counts[term] + norm)
            for term in terms
            if term in counts
        )


def title(record: Record) -> str:
    """The name of a session record, as the gold has it."""
    return record.payload.title if record.payload.kind == "session" else record.id.split("/")[1]


def session_rankers(memory: Memory, talk: Conversation, *, turns: bool) -> dict[str, Ranker]:
    """What ranks the sessions of a conversation."""
    names = [f"session_{session.number}" for session in talk.sessions]
    dated = [record.text for record in talk.session_records()]
    undated = [text.partition("\n")[2] for text in dated]

    def found(question: Question) -> dict[str, float]:
        hits = memory.search(question.text, scope=talk.scope, kinds=[Kind.SESSION], k=len(names))
        return {title(hit.record): hit.score for hit in hits}

    def lifted(question: Question) -> dict[str, float]:
        """A session's score, and as much again for its best turn's."""
        best_turn: dict[str, float] = {}
        hits = memory.search(question.text, scope=talk.scope, kinds=[Kind.UTTERANCE], k=200)
        for hit in hits:
            name = f"session_{title(hit.record).removeprefix('D').partition(':')[0]}"
            best_turn[name] = max(best_turn.get(name, 0.0), hit.score)
        scores = found(question)
        return {name: scores.get(name, 0.0) + best_turn.get(name, 0.0) for name in names}

    def ranked(scorer: Callable[[Question], dict[str, float]]) -> Ranker:
        def rank(question: Question) -> list[str]:
            scores = scorer(question)
            return sorted(names, key=lambda name: (-scores.get(name, 0.0), names.index(name)))

        return rank

    rankers: dict[str, Ranker] = {
        "BM25 over sessions": BM25(names, undated).rank,
        "BM25 over sessions, with dates": BM25(names, dated).rank,
        "Memory, sessions": ranked(found),
    }
    if turns:
        rankers["Memory, sessions lifted by turns"] = ranked(lifted)
    return rankers


def turn_rankers(memory: Memory, talk: Conversation) -> dict[str, Ranker]:
    """What ranks the turns of a conversation."""
    records = talk.turn_records()

    def rank(question: Question) -> list[str]:
        hits = memory.search(question.text, scope=talk.scope, kinds=[Kind.UTTERANCE], k=25)
        return [title(hit.record) for hit in hits]

    bm25 = BM25([title(record) for record in records], [record.text for record in records])
    return {"BM25 over turns": bm25.rank, "Memory, turns": rank}


def session_scores(ranking: list[str], question: Question) -> dict[str, float]:
    """The figures of MemGAS's protocol, and the usual NDCG beside its older form."""
    gold = question.gold_sessions
    figures: dict[str, float] = {}
    for k in CUTS:
        figures[f"session.recall_all@{k}"] = recall_all(ranking, gold, k)
        figures[f"session.ndcg_memgas@{k}"] = ndcg(ranking, gold, k, memgas=True)
        figures[f"session.ndcg@{k}"] = ndcg(ranking, gold, k)
    return figures


def turn_scores(ranking: list[str], question: Question) -> dict[str, float]:
    """Share of the gold turns found, and NDCG."""
    gold = question.gold_turns
    shares = {f"turn.recall@{k}": recall(ranking, gold, k) for k in (5, 10, 25)}
    return shares | {"turn.ndcg@10": ndcg(ranking, gold, 10)}


def evaluate(talks: Sequence[Conversation], embedder: str, *, turns: bool) -> dict[str, Scores]:
    """Every ranker's scores."""
    scores: dict[str, Scores] = {}
    with Memory.open(embedder=embedder) as memory:
        for talk in track(talks, description="conversations", console=Console(stderr=True)):
            memory.add(talk.session_records())
            if turns:
                memory.add(talk.turn_records())
            for name, rank in session_rankers(memory, talk, turns=turns).items():
                noted = scores.setdefault(name, Scores())
                for question in talk.questions:
                    noted.note(talk.id, session_scores(rank(question), question))
            for name, rank in (turn_rankers(memory, talk) if turns else {}).items():
                noted = scores.setdefault(name, Scores())
                for question in talk.questions:
                    if question.gold_turns:
                        noted.note(talk.id, turn_scores(rank(question), question))
    return scores


def _head(metric: str) -> str:
    """R is recall-all of sessions and the share of turns, N is NDCG, M its form in MemGAS."""
    name, _, k = metric.partition(".")[2].partition("@")
    short = {"recall_all": "R", "recall": "R", "ndcg": "N", "ndcg_memgas": "M"}
    return f"{short[name]}@{k}"


def difference(scores: dict[str, Scores], one: str, other: str, metric: str) -> str:
    """How much better ``one`` is, with its interval, and on how many questions."""
    ours, theirs = scores[one].by_metric[metric], scores[other].by_metric[metric]
    gaps = [100.0 * (a - b) for a, b in zip(ours, theirs, strict=True)]
    low, high = paired_interval(gaps, scores[one].groups)
    wins, losses = sum(gap > 0 for gap in gaps), sum(gap < 0 for gap in gaps)
    mean = sum(gaps) / len(gaps)
    return f"{mean:+.2f} [{low:+.2f}, {high:+.2f}], {wins} questions better, {losses} worse"


def report(scores: dict[str, Scores], embedder: str) -> None:
    """The tables, and the paired differences."""
    for level in ("session", "turn"):
        rows = {name: one for name, one in scores.items() if f"{level}.ndcg@10" in one.by_metric}
        if not rows:
            continue
        metrics = list(next(iter(rows.values())).by_metric)
        figures = [
            [name, *(f"{one.mean(metric):.1f}" for metric in metrics)] for name, one in rows.items()
        ]
        heads = [_head(metric) for metric in metrics]
        count = len(next(iter(rows.values())).groups)
        print_table(f"LoCoMo {level}s, {count} questions, {embedder}", [level, *heads], figures)
        baseline, *others = rows
        for name in others:
            for metric in (f"{level}.ndcg@10", f"{level}.recall_all@3", f"{level}.recall@10"):
                if metric in metrics:
                    gap = difference(scores, name, baseline, metric)
                    print(f"{name} minus {baseline}, {metric}: {gap}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print tables, or with ``--json`` one object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="a file in LoCoMo's format")
    parser.add_argument("--embedder", default="default")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="sessions only")
    options = parser.parse_args(arguments)
    if not options.data.is_file():
        print(f"skipped: {options.data} is not there. Point --data at LoCoMo's JSON file")
        return
    scores = evaluate(read(options.data), options.embedder, turns=not options.quick)
    if options.json:
        metrics = {
            f"{name.lower().replace(', ', '.').replace(' ', '_')}.{metric}": one.mean(metric)
            for name, one in scores.items()
            for metric in one.by_metric
        }
        print_json("locomo_retrieval", metrics)
    else:
        report(scores, options.embedder)


if __name__ == "__main__":
    main()
