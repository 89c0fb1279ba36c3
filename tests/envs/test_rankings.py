"""Metrics of rankings, each against a version that does it the long way."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverie.envs import rankings
from reverie.envs.rankings import GoldRanks, Measured, Ranks

ITEMS = "abcdef"
ORDERS = st.lists(st.sampled_from(ITEMS), unique=True)
GOLD = st.frozensets(st.sampled_from(ITEMS), min_size=1)
CUTS = st.integers(1, 7)


def _found(order: list[str], gold: frozenset[str], k: int) -> list[bool]:
    return [item in order[:k] for item in gold]


@given(ORDERS, GOLD, CUTS)
def test_recalls_are_what_the_first_k_hold(order: list[str], gold: frozenset[str], k: int) -> None:
    ranks = rankings.ranks_of(order, gold)
    found = _found(order, gold, k)
    assert rankings.recall_all(ranks, k) == float(all(found))
    assert rankings.recall_any(ranks, k) == float(any(found))
    assert rankings.recall(ranks, k) == pytest.approx(sum(found) / len(gold))


@pytest.mark.parametrize("memgas", [False, True])
@pytest.mark.parametrize("gold", ["a", "ac", "abcd"])
def test_ndcg_is_the_gain_over_the_best_order(memgas: bool, gold: str) -> None:
    def gain(ranking: tuple[str, ...], k: int) -> float:
        plain = [math.log2(rank + 1) for rank in range(1, 9)]
        older = [1.0 if rank < 2 else math.log2(rank) for rank in range(1, 9)]
        hits = [float(one in gold) for one in ranking[:k]]
        return sum(
            hit / discount for hit, discount in zip(hits, older if memgas else plain, strict=False)
        )

    orders = list(permutations("abcd"))
    for k in (1, 2, 3, 10):
        best = max(gain(order, k) for order in orders)
        for order in orders:
            ranks = rankings.ranks_of(order, frozenset(gold))
            found = rankings.ndcg(ranks, k, memgas=memgas)
            assert found == pytest.approx(gain(order, k) / best)


def test_a_question_without_gold_counts_as_found_but_gains_nothing() -> None:
    assert rankings.recall_all((), 1) == 1.0
    assert rankings.recall_any((), 1) == 0.0
    assert rankings.ndcg((), 5) == 0.0


def test_an_item_ranked_twice_counts_at_its_better_rank() -> None:
    assert rankings.ranks_of(["b", "a", "b"], {"b", "z"}) == (1, None)


@given(ORDERS, GOLD, GOLD)
def test_newest_is_first_if_its_best_stands_before_every_stale_one(
    order: list[str], newest: frozenset[str], stale: frozenset[str]
) -> None:
    stale -= newest
    first = next((item for item in order if item in newest | stale), "")
    expected = float(first in newest)
    wanted, others = rankings.ranks_of(order, newest), rankings.ranks_of(order, stale)
    assert rankings.above(wanted, others) == expected


def test_a_question_has_the_metrics_that_its_ranks_allow() -> None:
    ranks = GoldRanks(session=(1, 4), turn=(2, None), near=(1, None), context=(1, None))
    found = rankings.measured(ranks, 500)
    assert found["session.recall_all@3"] == 0.0
    assert found["session.recall_any@3"] == 1.0
    assert found["session.recall_all@5"] == 1.0
    assert found["turn.recall@3"] == found["turn.recall_near@1"] == 0.5
    assert found["turn.hit@1"] == 0.0
    assert found["turn.hit@3"] == 1.0
    assert found["context.recall@500"] == 0.5
    assert not [name for name in found if name.startswith(("pool", "update"))]
    assert rankings.measured(GoldRanks(turn=(), near=()), 500) == {}


@pytest.mark.parametrize(
    ("of_now", "metric", "value"), [(True, "newest_first", 1.0), (False, "past_first", 0.0)]
)
def test_what_changed_is_measured_by_what_the_question_asks(
    of_now: bool, metric: str, value: float
) -> None:
    ranks = GoldRanks(pool=(1, 2), newest=(1,), stale=(2,), of_now=of_now)
    found = rankings.measured(ranks, 1)
    assert found["pool.recall_all@1"] == 0.0
    assert found["pool.ndcg@3"] == 1.0
    assert {n: v for n, v in found.items() if n.startswith("update")} == {f"update.{metric}": value}


def test_means_are_over_the_questions_that_have_a_metric() -> None:
    table = Measured.of([{"a": 1.0, "b": 0.0}, {"a": 0.0}, {"a": 0.5}])
    assert table.means() == {"a": 0.5, "b": 0.0}
    assert table.counts() == {"a": 3, "b": 1}
    other = Measured.of([{"a": 0.0}, {"a": 0.0}, {"a": 1.0}])
    assert table.minus(other).means() == {"a": pytest.approx(1 / 6)}


def test_the_interval_of_a_constant_difference_is_that_difference() -> None:
    table = Measured.of([{"x": 0.5}] * 4)
    (found,) = rankings.bootstrapped(table, ["x", "x", "y", "z"]).values()
    assert found.ci == (0.5, 0.5)
    assert (found.n, found.better, found.worse) == (4, 4, 0)


def test_the_bootstrap_draws_whole_conversations() -> None:
    """Each draw is a mean over clusters drawn with replacement: here written out."""
    values, clusters = [1.0, 1.0, 0.0, -1.0, 0.5], ["p", "p", "q", "r", "r"]
    table = Measured.of([{"m": value} for value in values])
    (found,) = rankings.bootstrapped(table, clusters, seed=3).values()
    rng = np.random.default_rng(3)
    drawn = rng.multinomial(3, [1 / 3] * 3, size=rankings.DRAWS)
    groups = {"p": [1.0, 1.0], "q": [0.0], "r": [-1.0, 0.5]}
    means: list[float] = []
    for counts in drawn.tolist():
        chosen = [v for n, name in zip(counts, "pqr", strict=True) for v in groups[name] * n]
        means.append(sum(chosen) / len(chosen))
    assert found.ci == pytest.approx(np.percentile(means, [2.5, 97.5]))
    assert found.mean == pytest.approx(0.3)


def test_questions_without_a_metric_do_not_count_in_its_interval() -> None:
    table = Measured.of([{"a": 1.0}, {"a": 1.0, "b": 0.0}])
    found = rankings.bootstrapped(table, ["p", "q"])
    assert found["a"].ci == (1.0, 1.0)
    assert found["b"].ci == (0.0, 0.0)
    assert found["b"].n == 1


def test_no_questions_have_no_figures() -> None:
    assert rankings.bootstrapped(Measured.of([]), []) == {}


def test_ranks_survive_the_run_folder() -> None:
    ranks: Ranks = (3, None, 1)
    text = GoldRanks(turn=ranks).model_dump_json(exclude_none=True)
    assert GoldRanks.model_validate_json(text).turn == ranks
