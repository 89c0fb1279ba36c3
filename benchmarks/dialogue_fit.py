"""Fits what the dialogue memory's ranking and verdicts are made of, and says how well it holds.

    python benchmarks/dialogue_fit.py [--locomo FILE] [--longmemeval FILE] [--embedder NAME]
                                      [--json]

`TurnWeights` by listwise softmax: the gold turns of a question share its probability, every turn
looked at competes. Each conversation of LoCoMo is scored by weights fitted on the others, with
LongMemEval's questions joined at a lower weight. Then the slope and shift of `evidence`, by
logistic regression of unanswerable (category 5) against answerable questions on the premise's
margin. Both losses are convex and small, so Newton's method finds their one minimum: no torch.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from reverie.benchmarks.dialogue import LOCOMO, LONGMEMEVAL
from reverie.benchmarks.machine import print_json, print_table
from reverie.envs.abstention import auroc
from reverie.envs.dialogues import Conversation, Question
from reverie.envs.locomo import read_locomo
from reverie.envs.longmemeval import read_longmemeval
from reverie.envs.rankings import ndcg, ranks_of, recall, recall_all
from reverie.envs.recalling import Remembered
from reverie.memory import turn_search
from reverie.memory.embed import open_embedder
from reverie.memory.evidence import premise_margin
from reverie.memory.memory import Memory
from reverie.memory.turn_features import FEATURES, TurnWeights

Floats = NDArray[np.float64]
Look = Callable[[Floats], tuple[float, Floats, Floats]]
"""The value, gradient and Hessian of a convex function."""

LOOKED_AT = 400
"""Turns of each question that compete: more than are looked at in use."""
JOINED = 0.3
"""The weight of a question of LongMemEval beside one of LoCoMo."""
L2 = 3e-3
"""On the squares of the weights of standardised features."""
L2_VERDICT = 1e-3


@dataclass(frozen=True)
class Seen:
    """A question, the turns looked at with their features (n, 10), and its premise's margin."""

    question: Question
    conversation: str
    turns: tuple[str, ...]
    sessions: tuple[str, ...]
    features: Floats
    margin: float | None
    weight: float

    @property
    def gold(self) -> NDArray[np.bool_]:
        """Which of the turns are gold."""
        return np.array([turn in self.question.gold.turns for turn in self.turns], np.bool_)


def seen(talks: Sequence[Conversation], embedder: str | None, weight: float) -> list[Seen]:
    """Every question with what its recall looked at, in no order of time."""
    found: list[Seen] = []
    opened = open_embedder(embedder)
    for talk in track(talks, description="recalling", console=Console(stderr=True)):
        with Memory.open(embedder=opened) as memory:
            remembered = Remembered(memory, talk, owner="fit")
            scope = remembered.dialogue.scope
            for question in talk.questions:
                hits = memory.turns(question.text, scope=scope, asked=question.asked, newest=False)
                named = [remembered.turns_of(hit.record.id) for hit in hits]
                rows = [(turn, hit) for one, hit in zip(named, hits, strict=True) for turn in one]
                found.append(
                    Seen(
                        question=question,
                        conversation=talk.id,
                        turns=tuple(turn for turn, _ in rows),
                        sessions=tuple(hit.record.scope.session or "" for _, hit in rows),
                        features=np.array([[hit.features[f] for f in FEATURES] for _, hit in rows]),
                        margin=premise_margin(hits, TurnWeights()),
                        weight=weight,
                    )
                )
    return found


def fitted(questions: Sequence[Seen]) -> Floats:
    """The weights (10,) that minimise the listwise loss, for features as they are.

    loss = mean over questions of −Σ_gold 1/|gold| · log softmax(Z w) + L2 · |w|², Z standardised.
    """
    usable = [one for one in questions if one.gold.any()]
    rows = np.concatenate([one.features for one in usable])
    mean, spread = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-3)
    scaled = [(one.features - mean) / spread for one in usable]
    golds = [one.gold / one.gold.sum() for one in usable]
    shares = np.array([one.weight for one in usable])
    shares /= shares.sum()
    weights = np.zeros(len(FEATURES))

    def look(w: Floats) -> tuple[float, Floats, Floats]:
        loss, slope = L2 * float(w @ w), 2 * L2 * w
        bend = 2 * L2 * np.eye(len(w))
        for z, gold, share in zip(scaled, golds, shares, strict=True):
            scores = z @ w
            logs = scores - scores.max()
            logs -= np.log(np.exp(logs).sum())
            p = np.exp(logs)
            expected = p @ z
            loss -= share * float(gold @ logs)
            slope = slope + share * (expected - gold @ z)
            bend += share * ((z * p[:, None]).T @ z - np.outer(expected, expected))
        return loss, slope, bend

    return _newton(look, weights) / spread


def logistic(margins: Floats, holds: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and shift of P(the premise holds) = 1 / (1 + exp(−(slope · margin + shift)))."""
    inputs = np.stack([margins, np.ones_like(margins)], axis=1)
    truth = holds.astype(np.float64)

    def look(w: Floats) -> tuple[float, Floats, Floats]:
        scores = inputs @ w
        p = 1 / (1 + np.exp(-scores))
        losses = np.logaddexp(0.0, scores) - truth * scores
        loss = float(losses.mean()) + L2_VERDICT * float(w @ w)
        slope = inputs.T @ (p - truth) / len(truth) + 2 * L2_VERDICT * w
        bend = (inputs * (p * (1 - p))[:, None]).T @ inputs / len(truth)
        return loss, slope, bend + 2 * L2_VERDICT * np.eye(2)

    slope, shift = _newton(look, np.zeros(2)).tolist()
    return slope, shift


def _newton(look: Look, start: Floats) -> Floats:
    """The minimum of a convex function that tells value, gradient and Hessian; steps are halved."""
    here = start
    value, slope, bend = look(here)
    for _ in range(50):
        step = np.linalg.solve(bend, slope)
        if float(slope @ step) < 1e-10:
            break
        size = 1.0
        while (there := look(here - size * step))[0] > value and size > 1e-6:
            size /= 2
        here = here - size * step
        value, slope, bend = there
    return here


def ranked(questions: Sequence[Seen], weights: Floats) -> dict[str, list[float]]:
    """The metrics of each question that has them, its turns ordered by weighed features alone."""
    found: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        found.setdefault(name, []).append(value)

    for one in questions:
        order: list[int] = np.argsort(-(one.features @ weights), kind="stable").tolist()
        gold = one.question.gold
        if gold.sessions is not None:
            sessions = list(dict.fromkeys(one.sessions[place] for place in order))
            ranks = ranks_of(sessions, gold.sessions)
            for k in (3, 5, 10):
                note(f"session.recall_all@{k}", recall_all(ranks, k))
        if gold.turns:
            ranks = ranks_of([one.turns[place] for place in order], gold.turns)
            note("turn.recall@10", recall(ranks, 10))
            note("turn.ndcg@10", ndcg(ranks, 10))
            note("turn.recall_all@5", recall_all(ranks, 5))
            note("turn.recall_all@10", recall_all(ranks, 10))
    return found


def means(found: dict[str, list[float]]) -> dict[str, float]:
    """In per cent."""
    return {name: 100 * sum(values) / len(values) for name, values in found.items()}


@dataclass(frozen=True)
class Fold:
    """What weights fitted without a conversation do on it."""

    left_out: str
    weights: Floats
    found: dict[str, list[float]]


def cross_validated(locomo: Sequence[Seen], joined: Sequence[Seen]) -> list[Fold]:
    """One fold a conversation of LoCoMo."""
    folds: list[Fold] = []
    for name in dict.fromkeys(one.conversation for one in locomo):
        weights = fitted([*(one for one in locomo if one.conversation != name), *joined])
        held_out = [one for one in locomo if one.conversation == name]
        folds.append(Fold(name, weights, ranked(held_out, weights)))
    return folds


@dataclass(frozen=True)
class Premise:
    """The logistic fit of the premise's margin; figures of questions not fitted on."""

    slope: float
    shift: float
    auroc: float
    accuracy: float
    n: int
    without: int


def premise(locomo: Sequence[Seen]) -> Premise:
    """Fitted on all, and judged on each conversation by a fit on the others."""
    known = [one for one in locomo if one.margin is not None]
    margins = np.array([one.margin for one in known], np.float64)
    holds = np.array([one.question.answerable for one in known], np.bool_)
    talks = np.array([one.conversation for one in known])
    chances = np.zeros(len(known))
    for name in np.unique(talks):
        slope, shift = logistic(margins[talks != name], holds[talks != name])
        chances[talks == name] = 1 / (1 + np.exp(-(slope * margins[talks == name] + shift)))
    slope, shift = logistic(margins, holds)
    right = (chances >= 0.5) == holds
    score = auroc(chances.tolist(), holds.tolist())
    without = len(locomo) - len(known)
    return Premise(slope, shift, score, float(right.mean()), len(known), without)


def scored(
    locomo: Sequence[Seen], joined: Sequence[Seen], folds: Sequence[Fold], whole: Floats
) -> dict[str, dict[str, float]]:
    """What each set of weights finds: each fold's, those in use, and those fitted on all."""
    held_out = {name: [v for f in folds for v in f.found[name]] for name in folds[0].found}
    used = np.array([float(getattr(TurnWeights(), name)) for name in FEATURES])
    rows = {f.left_out: means(f.found) for f in folds} | {"all held out": means(held_out)}
    rows |= {"in use": means(ranked(locomo, used)), "fitted on all": means(ranked(locomo, whole))}
    if joined:
        rows["LongMemEval, in use"] = means(ranked(joined, used))
        rows["LongMemEval, by LoCoMo"] = means(ranked(joined, fitted(locomo)))
    return rows


def report(folds: Sequence[Fold], rows: dict[str, dict[str, float]], whole: Floats) -> None:
    """The tables of the weights and of what they find."""
    heads = list(next(iter(rows.values())))
    figures = [
        [name, *(f"{found[head]:.1f}" if head in found else "" for head in heads)]
        for name, found in rows.items()
    ]
    short = [head.replace("session.", "S ").replace("turn.", "T ") for head in heads]
    print_table("By weighed features alone, per cent", ["scored on", *short], figures)
    columns = ["weight", "in use", "fitted on all", *(f"without {f.left_out}" for f in folds)]
    used = [float(getattr(TurnWeights(), field.name)) for field in fields(TurnWeights)]
    table = [
        [name, f"{used[i]:.2f}", f"{whole[i]:.2f}", *(f"{f.weights[i]:.2f}" for f in folds)]
        for i, name in enumerate(FEATURES)
    ]
    print_table("Weights", columns, table)


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit, print tables, or with ``--json`` one object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--locomo", type=Path, default=LOCOMO, help="a file in LoCoMo's format")
    parser.add_argument("--longmemeval", type=Path, default=LONGMEMEVAL, help="one of its files")
    parser.add_argument("--embedder")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    if not options.locomo.is_file():
        print(f"skipped: {options.locomo} is not there. Point --locomo at the file")
        return
    setattr(turn_search, "LOOKED_AT", LOOKED_AT)  # noqa: B010 - a fit wants more than use does
    locomo = seen(read_locomo(options.locomo).conversations, options.embedder, 1.0)
    joined: list[Seen] = []
    if options.longmemeval.is_file():
        talks = read_longmemeval(options.longmemeval).conversations
        joined = seen(talks, options.embedder, JOINED)
    else:
        print(f"without LongMemEval: {options.longmemeval} is not there", file=sys.stderr)
    folds = cross_validated(locomo, joined)
    held_out = {name: [v for f in folds for v in f.found[name]] for name in folds[0].found}
    whole = fitted([*locomo, *joined])
    used = np.array([float(getattr(TurnWeights(), name)) for name in FEATURES])
    rows = {f.left_out: means(f.found) for f in folds} | {"all held out": means(held_out)}
    rows |= {"in use": means(ranked(locomo, used)), "fitted on all": means(ranked(locomo, whole))}
    if joined:
        rows["LongMemEval, in use"] = means(ranked(joined, used))
        rows["LongMemEval, by LoCoMo"] = means(ranked(joined, fitted(locomo)))
    verdict = premise(locomo)
    if options.json:
        keys = {f"held_out.{name}": value for name, value in rows["all held out"].items()}
        keys |= {
            f"weight.{name}": value for name, value in zip(FEATURES, whole.tolist(), strict=True)
        }
        keys |= {f"premise.{name}": value for name, value in vars(verdict).items()}
        print_json("dialogue_fit", keys)
        return
    report(folds, rows, whole)
    print(
        f"Premise: slope {verdict.slope:.3f}, shift {verdict.shift:+.3f}; held out AUROC "
        f"{verdict.auroc:.3f}, accuracy {100 * verdict.accuracy:.1f} % on {verdict.n} questions "
        f"({verdict.without} have no margin)"
    )


if __name__ == "__main__":
    main()
