"""Further lists beside the default ranking of dialogue, measured on LoCoMo's sessions.

    python benchmarks/dialogue_lists.py [--data FILE] [--embedder NAME] [--quick] [--json]

Every row ranks the sessions of the question's own conversation: the default (`Memory.turns`, a
session as good as its best turn); MemGAS's association graph alone, with the router of the paper,
that of its code (1 - H, which favours the grain least sure), equal weights, and without the graph;
the default with MemGAS's or the hops' scores added, at the weight that is best on the *other*
conversations; and two ways that others found to do harm, kept here alone: pseudo-relevance
feedback (as Rocchio's, the words of the best turns join the question) and MMR. No language model is
asked. Differences from the default have 95 % intervals by a paired bootstrap over conversations; of
five they are a rough guide. ``--quick`` asks 40 questions of each conversation.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from reverie.benchmarks.machine import print_json, print_table
from reverie.envs.dialogues import Conversation, DialogueData, Question
from reverie.envs.locomo import CATEGORIES, read_locomo
from reverie.envs.rankings import Difference, Measured, bootstrapped, ranks_of, recall_all
from reverie.envs.recalling import EVERY, Remembered
from reverie.memory.association import GRAINS, Association, entropy
from reverie.memory.dialogue import Recalled
from reverie.memory.grains import Grains
from reverie.memory.hops import Hops
from reverie.memory.keywords import keywords
from reverie.memory.memory import Memory
from reverie.memory.records import Kind
from reverie.memory.turn_search import TurnHit

DEFAULT_DATA = Path(__file__).resolve().parents[2] / "shared/data/locomo/locomo-dev5.json"
QUICK = 40
CUTS = (3, 5, 10)
WEIGHTS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
"""Of a further list, whose best score is 1, added to the default's, whose best is 1, too."""
BEST_TURNS = 5
"""The turns from which hops start, and those that feedback takes words from."""
MMR_LAMBDA, MMR_DEPTH = 0.75, 50

Figures = dict[str, float]
Vector = NDArray[np.float32]


@dataclass
class Rows:
    """The figures of each row for every question, in order, and each question's conversation.

    Those of a ``weighed`` row are there for each weight.
    """

    talks: list[str] = field(default_factory=list[str])
    fixed: dict[str, list[Figures]] = field(default_factory=dict[str, list[Figures]])
    weighed: dict[str, list[list[Figures]]] = field(default_factory=dict[str, list[list[Figures]]])


class Bench:
    """One conversation in a memory, with all that can rank its sessions."""

    def __init__(self, memory: Memory, talk: Conversation) -> None:
        self._memory = memory
        self._remembered = Remembered(memory, talk, owner="lists")
        self._scope = self._remembered.dialogue.scope
        Grains(memory, self._scope).derive()
        self._association = Association.of(memory, self._scope)
        self._unlinked = Association(
            self._association.sessions,
            self._association.vectors,
            np.zeros((0, 2), np.int64),
            self._association.constants,
        )
        records = list(self._remembered.records(talk).values())
        self._hops = Hops.of(records)
        self._sessions = {record.id: record.scope.session or "" for record in records}
        self._vectors = memory.vectors(list(self._sessions), scope=self._scope)

    def fixed(self, question: Question, recalled: Recalled, vector: Vector) -> dict[str, list[str]]:
        """The rankings that have no weight to choose."""
        similar = np.asarray(np.vecdot(self._association.vectors, vector))
        temperature = self._association.constants.temperature
        unsure = np.array([entropy(one, temperature) - 1.0 for one in similar.T])
        routed = self._association.scores(vector)
        as_coded = dict(zip(GRAINS, (unsure / unsure.sum()).tolist(), strict=True))
        equal = dict.fromkeys(GRAINS, 1 / len(GRAINS))
        return {
            "default": recalled.sessions(),
            "MemGAS": _sorted(routed),
            "MemGAS, router as coded": _sorted(self._association.scores(vector, weights=as_coded)),
            "MemGAS, equal weights": _sorted(self._association.scores(vector, weights=equal)),
            "MemGAS, no graph": _sorted(self._unlinked.scores(vector)),
            "default + feedback": self._fed_back(question, recalled),
            "default + MMR": [self._sessions[one] for one in self._diverse(recalled.hits)],
        }

    def weighed(self, recalled: Recalled, vector: Vector) -> dict[str, list[list[str]]]:
        """The rankings with a further list at each of `WEIGHTS`."""
        default = _in_order(recalled.hits)
        associated = self._association.scores(vector)
        by_session = {one: associated[session] for one, session in self._sessions.items()}
        tied = self._hops.scores(list(default)[:BEST_TURNS])
        return {
            "default + MemGAS": [self._fused(default, by_session, w) for w in WEIGHTS],
            "default + hops": [self._fused(default, tied, w) for w in WEIGHTS],
        }

    def recall(self, question: Question) -> Recalled:
        """The default ranking."""
        return self._remembered.recall(question)

    def vector(self, question: Question) -> Vector:
        """The question as the default ranking embeds it: without the names of those who speak."""
        found = self._memory.recall(
            question.text, scope=self._scope, kinds=(Kind.UTTERANCE,), shortlist=1, k=1
        )
        assert found.vector is not None
        return found.vector

    def _fused(
        self, default: Mapping[str, float], further: Mapping[str, float], weight: float
    ) -> list[str]:
        """Sessions by their best turn; a turn not looked at has the default's last score."""
        last, top = min(default.values(), default=0.0), max(further.values(), default=0.0)
        turns = [*default, *(one for one in self._sessions if one not in default)]
        scores = {
            one: default.get(one, last) + weight * further.get(one, 0.0) / (top or 1.0)
            for one in turns
        }
        return list(dict.fromkeys(self._sessions[one] for one in _sorted(scores)))

    def _fed_back(self, question: Question, recalled: Recalled) -> list[str]:
        told = keywords([hit.record.text for hit in recalled.hits[:BEST_TURNS]], most=5)
        again = self._remembered.dialogue.recall(
            f"{question.text} {' '.join(told)}", k=EVERY, asked=question.asked
        )
        return again.sessions()

    def _diverse(self, hits: Sequence[TurnHit]) -> list[str]:
        """λ · score - (1 - λ) · most alike of those before (Carbonell and Goldstein 1998)."""
        scores = _in_order(hits)
        left, rest = list(scores)[:MMR_DEPTH], list(scores)[MMR_DEPTH:]
        nearest = dict.fromkeys(left, 0.0)
        taken: list[str] = []
        while left:
            best = max(left, key=lambda o: MMR_LAMBDA * scores[o] - (1 - MMR_LAMBDA) * nearest[o])
            left.remove(best)
            taken.append(best)
            for one in left:
                alike = float(self._vectors[one] @ self._vectors[best])
                nearest[one] = max(nearest[one], alike)
        return taken + rest


def _in_order(hits: Sequence[TurnHit]) -> dict[str, float]:
    """Scores over the best one, dealt out anew in the order of the hits.

    Putting the newest first moves hits and not scores; so the order at weight 0 is the default's.
    """
    scores = sorted((hit.score for hit in hits), reverse=True)
    top = max(scores[0], 1e-9) if scores else 1.0
    return {hit.record.id: score / top for hit, score in zip(hits, scores, strict=True)}


def _sorted(scores: Mapping[str, float]) -> list[str]:
    return sorted(scores, key=lambda one: -scores[one])


def figures(ranking: Sequence[str], question: Question) -> Figures:
    """Recall-all of the gold sessions, over all questions and over those of several hops."""
    ranks = ranks_of(list(dict.fromkeys(ranking)), question.gold.sessions or ())
    found = {f"session.recall_all@{k}": recall_all(ranks, k) for k in CUTS}
    if CATEGORIES[question.category] == "multi-hop":
        found |= {f"multi-hop.recall_all@{k}": recall_all(ranks, k) for k in CUTS}
    return found


def evaluate(data: DialogueData, memory: Memory) -> Rows:
    """Every row on every question."""
    rows = Rows()
    for talk in track(data.conversations, "conversations", console=Console(stderr=True)):
        bench = Bench(memory, talk)
        for question in talk.questions:
            recalled, vector = bench.recall(question), bench.vector(question)
            rows.talks.append(talk.id)
            for name, ranking in bench.fixed(question, recalled, vector).items():
                rows.fixed.setdefault(name, []).append(figures(ranking, question))
            for name, rankings in bench.weighed(recalled, vector).items():
                each = [figures(ranking, question) for ranking in rankings]
                rows.weighed.setdefault(name, []).append(each)
    return rows


def held_out(talks: Sequence[str], each: Sequence[Sequence[Figures]]) -> tuple[list[Figures], str]:
    """The figures at the weight that is best on the other conversations, and the weights chosen.

    Best by the mean of recall-all at every cut; of equal ones the smallest.
    """
    worth = np.array(
        [[sum(at[f"session.recall_all@{k}"] for k in CUTS) for at in one] for one in each]
    )
    chosen: dict[str, int] = {}
    for talk in dict.fromkeys(talks):
        others = np.array([one != talk for one in talks])
        chosen[talk] = int(np.argmax(worth[others].mean(axis=0))) if others.any() else 0
    found = [one[chosen[talk]] for one, talk in zip(each, talks, strict=True)]
    return found, ", ".join(f"{WEIGHTS[place]:g}" for place in chosen.values())


def settled(rows: Rows) -> tuple[dict[str, Measured], dict[str, str]]:
    """Every row's figures with its weights chosen, and those weights."""
    found = {name: Measured.of(each) for name, each in rows.fixed.items()}
    chosen: dict[str, str] = {}
    for name, each in rows.weighed.items():
        best, chosen[name] = held_out(rows.talks, each)
        found[name] = Measured.of(best)
        for place, weight in enumerate(WEIGHTS[1:], 1):
            found[f"{name} at {weight:g}"] = Measured.of([one[place] for one in each])
    return found, chosen


def compared(rows: Rows, found: Mapping[str, Measured]) -> dict[str, dict[str, Difference]]:
    """Each row minus the default."""
    default = found["default"]
    return {
        name: bootstrapped(row.minus(default), rows.talks)
        for name, row in found.items()
        if name != "default"
    }


def report(rows: Rows, embedder: str) -> None:
    """The table of recalls, and those of differences from the default."""
    found, chosen = settled(rows)
    metrics = found["default"].metrics
    lines = [
        [name, *(f"{100 * row.means()[metric]:.1f}" for metric in metrics)]
        for name, row in found.items()
    ]
    heads = [metric.replace("recall_all", "R") for metric in metrics]
    print_table(f"LoCoMo, {len(rows.talks)} questions, {embedder}", ["row", *heads], lines)
    gaps = compared(rows, found)
    for kind in ("session", "multi-hop"):
        names = [metric for metric in metrics if metric.startswith(kind)]
        lines = [[row, *(_gap(each[name]) for name in names)] for row, each in gaps.items()]
        print_table(
            f"{kind}: minus the default, 95 % interval, better/worse", ["row", *names], lines
        )
    for name, weights in chosen.items():
        print(f"{name}: weight by conversation, chosen on the others: {weights}")


def _gap(one: Difference) -> str:
    low, high = 100 * one.ci[0], 100 * one.ci[1]
    return f"{100 * one.mean:+.1f} [{low:+.1f}, {high:+.1f}] {one.better}/{one.worse}"


def as_metrics(rows: Rows) -> Figures:
    """Every figure in per cent, by ROW.METRIC and ROW-default.METRIC(.low, .high)."""
    found, _ = settled(rows)
    metrics = {
        f"{_key(name)}.{metric}": 100 * value
        for name, row in found.items()
        for metric, value in row.means().items()
    }
    for name, gaps in compared(rows, found).items():
        for metric, gap in gaps.items():
            key = f"{_key(name)}-default.{metric}"
            metrics |= {key: 100 * gap.mean, f"{key}.low": 100 * gap.ci[0]}
            metrics |= {f"{key}.high": 100 * gap.ci[1]}
    return metrics


def _key(name: str) -> str:
    return name.lower().replace(", ", ".").replace(" + ", "+").replace(" ", "_")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print tables, or with ``--json`` one object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="a file in LoCoMo's format")
    parser.add_argument("--embedder", default="default")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="40 questions of each conversation")
    options = parser.parse_args(arguments)
    if not options.data.is_file():
        print(f"skipped: {options.data} is not there. Point --data at LoCoMo's JSON file")
        return
    data = read_locomo(options.data).limited(QUICK if options.quick else None)
    with Memory.open(embedder=options.embedder) as memory:
        rows = evaluate(data, memory)
    if options.json:
        print_json("dialogue_lists", as_metrics(rows))
    else:
        report(rows, options.embedder)


if __name__ == "__main__":
    main()
