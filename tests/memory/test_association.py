"""MemGAS's formulas against brute force, and its graph over real grains; hops over shared names."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from reverie.memory.association import (
    GRAINS,
    Association,
    Constants,
    accepted,
    entropy,
    linked,
    personalised_pagerank,
    router_weights,
    seeds,
)
from reverie.memory.dialogue import DialogueMemory, Message
from reverie.memory.grains import Grains, row_of, sittings
from reverie.memory.hops import Hops, names_in
from reverie.memory.memory import Memory
from reverie.memory.mixture import LEAST_VARIANCE, fit, trace
from reverie.memory.records import Kind, Origin, Record, Scope, UtterancePayload

ANN = Scope(user="ann")
START = datetime(2024, 3, 4, 9, tzinfo=UTC)
NUMBERS = st.lists(st.floats(-1, 1, width=32), min_size=2, max_size=40)


# -- the mixture -----------------------------------------------------------------------------------


@given(NUMBERS)
def test_no_step_of_the_fit_lowers_the_likelihood(numbers: list[float]) -> None:
    values = np.array(numbers, np.float64)
    reached = [step.log_likelihood(values) for step in trace(values)]
    assert all(after >= before - 1e-9 for before, after in pairwise(reached))


def test_the_likelihood_is_that_of_the_two_densities() -> None:
    values = np.array([0.1, 0.2, 0.7, 0.9])
    mixture = fit(values)
    assert mixture is not None

    def density(x: float) -> float:
        return sum(
            w * math.exp(-((x - m) ** 2) / (2 * v)) / math.sqrt(2 * math.pi * v)
            for w, m, v in zip(mixture.weights, mixture.means, mixture.variances, strict=True)
        )

    brute = sum(math.log(density(x)) for x in values.tolist()) / len(values)
    assert mixture.log_likelihood(values) == pytest.approx(brute)


def test_two_heaps_are_found_with_their_sizes_means_and_variances() -> None:
    rng = np.random.default_rng(7)
    low, high = rng.normal(0.2, 0.02, 300), rng.normal(0.7, 0.05, 100)
    mixture = fit(rng.permutation(np.concatenate([low, high])))
    assert mixture is not None
    order = np.argsort(mixture.means)
    assert mixture.means[order] == pytest.approx([low.mean(), high.mean()], abs=1e-3)
    assert mixture.weights[order] == pytest.approx([0.75, 0.25], abs=1e-3)
    assert np.sqrt(mixture.variances[order]) == pytest.approx([low.std(), high.std()], abs=2e-3)


@given(NUMBERS)
def test_the_first_split_is_the_best_of_all_splits(numbers: list[float]) -> None:
    values = np.array(numbers, np.float64)
    steps = trace(values)
    if not steps:
        assert np.ptp(values) < 1e-12
        return

    def within(threshold: float) -> float:
        parts = (values[values <= threshold], values[values > threshold])
        return sum(float(((part - part.mean()) ** 2).sum()) for part in parts)

    least = min(within(one) for one in values.tolist() if one < values.max())
    spread = sum(
        n * max(v, LEAST_VARIANCE)
        for n, v in zip(steps[0].weights, steps[0].variances, strict=True)
    )
    assert spread * len(values) <= least + LEAST_VARIANCE * len(values) + 1e-9


def test_the_accepted_are_those_of_the_upper_heap() -> None:
    similarities = np.array([0.81, 0.32, 0.30, 0.79, 0.31, 0.29, 0.33])
    assert accepted(similarities).tolist() == [True, False, False, True, False, False, False]
    assert not accepted(np.full(6, 0.4)).any()
    assert not accepted(np.array([0.4])).any()


# -- the router ------------------------------------------------------------------------------------


def test_entropy_is_that_of_the_softmax() -> None:
    similarities = np.array([0.9, 0.1, 0.4])
    p = [math.exp(x / 0.2) for x in similarities.tolist()]
    p = [x / sum(p) for x in p]
    assert entropy(similarities, 0.2) == pytest.approx(-sum(x * math.log(x) for x in p))
    assert entropy(np.zeros(8), 0.2) == pytest.approx(math.log(8))
    assert entropy(np.array([1000.0, 0.0]), 0.1) == pytest.approx(0.0)


def test_router_weights_are_inverse_entropies_over_their_sum() -> None:
    assert router_weights([2.0, 1.0, 4.0]).tolist() == pytest.approx([2 / 7, 4 / 7, 1 / 7])


@given(st.lists(st.floats(0.01, 5), min_size=2, max_size=6, unique=True))
def test_lower_entropy_gets_the_higher_weight(entropies: list[float]) -> None:
    weights = router_weights(entropies)
    assert np.argsort(weights).tolist() == np.argsort(entropies)[::-1].tolist()
    assert weights.sum() == pytest.approx(1.0) and (weights > 0).all()


def test_with_one_memory_every_grain_weighs_the_same() -> None:
    sure = [entropy(np.array([s]), 0.2) for s in (0.9, 0.1, 0.4, -0.3)]
    assert router_weights(sure).tolist() == pytest.approx([0.25] * 4)


# -- the walk --------------------------------------------------------------------------------------


def brute_pagerank(
    links: list[tuple[int, int]], restart: NDArray[np.float64], d: float
) -> NDArray[np.float64]:
    """r = (I - d Pᵀ)⁻¹ (1 - d) s, where the rows in P of nodes without links are s."""
    n, s = len(restart), restart / restart.sum()
    adjacency = np.zeros((n, n))
    for one, other in links:
        adjacency[one, other] += 1
        adjacency[other, one] += 1
    degree = adjacency.sum(axis=1, keepdims=True)
    steps = adjacency / np.maximum(degree, 1)
    steps[degree[:, 0] == 0] = s
    matrix: NDArray[np.float64] = np.eye(n) - d * steps.T
    return np.linalg.inv(matrix) @ ((1 - d) * s)


@pytest.mark.parametrize("damping", [0.1, 0.5, 0.85])
@pytest.mark.parametrize("seed", range(5))
def test_pagerank_solves_its_linear_system(damping: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = {tuple(sorted(map(int, rng.choice(12, 2, replace=False)))) for _ in range(14)}
    links = [(one, other) for one, other in pairs if 11 not in (one, other)]  # 11 has none
    restart = np.maximum(rng.normal(size=12), 0)
    ranks = personalised_pagerank(np.array(links), restart, damping)
    assert ranks == pytest.approx(brute_pagerank(links, restart, damping), abs=1e-9)
    assert ranks.sum() == pytest.approx(1.0)


def test_pagerank_without_links_or_seeds() -> None:
    none = np.zeros((0, 2), np.int64)
    assert personalised_pagerank(none, np.array([1.0, 3.0]), 0.1).tolist() == [0.25, 0.75]
    assert personalised_pagerank(none, np.zeros(3), 0.1).tolist() == [0.0, 0.0, 0.0]


def test_seeds_are_the_best_scores_and_never_negative() -> None:
    assert seeds(np.array([0.5, 0.9, 0.1, 0.7]), 2).tolist() == [0.0, 0.9, 0.0, 0.7]
    assert seeds(np.array([-0.5, 0.2, np.nan]), 5).tolist() == [0.0, 0.2, 0.0]


# -- the graph -------------------------------------------------------------------------------------


def test_links_go_to_older_sessions_only_and_not_among_the_first() -> None:
    vectors = np.random.default_rng(1).normal(size=(9, 4, 6))
    vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
    links = linked(vectors, Constants(unlinked=3, candidates=10))
    new, old = links.T // 4
    assert (new >= 3).all() and (old < new).all()
    nodes = vectors.reshape(-1, 6)
    for node in range(12, 36):
        older = nodes[: node // 4 * 4] @ nodes[node]
        best = np.argsort(-older, kind="stable")[:10]
        expected = set(best[accepted(older[best])].tolist())
        assert {int(b) for a, b in links.tolist() if a == node} == expected


def test_a_grain_that_is_missing_has_no_links() -> None:
    vectors = np.random.default_rng(1).normal(size=(9, 4, 6))
    vectors[:, 3] = 0.0
    links = linked(vectors, Constants(unlinked=2))
    assert len(links) and not (links % 4 == 3).any()


@pytest.fixture
def memory() -> Iterator[Memory]:
    with Memory.open("ephemeral:", embedder="hashing:32") as opened:
        yield opened


TOPICS = ("tomatoes", "sailing", "chess", "violin", "bakery", "marathon", "pottery", "beekeeping")


def talk(memory: Memory, topics: tuple[str, ...] = TOPICS) -> None:
    for day, topic in enumerate(topics):
        texts = (
            f"I am thinking about {topic} all week.",
            f"My {topic} plans are going well now.",
            f"Later {topic} again with friends.",
        )
        messages = [
            Message(text=text, at=START + timedelta(days=day, minutes=place))
            for place, text in enumerate(texts)
        ]
        DialogueMemory(memory, ANN).add(messages, session=topic)
    Grains(memory, ANN).derive()


def test_the_session_that_a_question_is_about_has_the_best_score(memory: Memory) -> None:
    talk(memory)
    association = Association.of(memory, ANN)
    assert association.sessions == TOPICS
    for topic in ("chess", "beekeeping"):
        scores = association.scores(memory.embedder.embed_query(f"{topic} plans"))
        assert max(scores, key=lambda name: scores[name]) == topic
        assert sum(scores.values()) == pytest.approx(1.0)


def test_turn_vectors_are_the_mean_of_what_was_stored(memory: Memory) -> None:
    talk(memory)
    association = Association.of(memory, ANN)
    ids = [record.id for record in DialogueMemory(memory, ANN).transcript("chess")]
    stored = memory.vectors(ids, scope=ANN)
    mean = np.mean([stored[one] for one in ids], axis=0)
    place = association.sessions.index("chess")
    assert association.vectors[place, GRAINS.index("turns")] == pytest.approx(mean)


def test_the_router_of_a_scope_weighs_by_its_similarities(memory: Memory) -> None:
    talk(memory)
    association = Association.of(memory, ANN, constants=Constants(temperature=0.05))
    query = memory.embedder.embed_query("violin")
    weights = association.router(query)
    sure = [entropy(association.vectors[:, g] @ query, 0.05) for g in range(4)]
    assert list(weights.values()) == pytest.approx(router_weights(sure).tolist())
    assert max(weights, key=lambda g: weights[g]) == GRAINS[int(np.argmin(sure))]


def test_an_empty_scope_and_one_session_do_no_harm(memory: Memory) -> None:
    query = memory.embedder.embed_query("chess")
    assert Association.of(memory, ANN).scores(query) == {}
    talk(memory, ("chess",))
    association = Association.of(memory, ANN)
    assert association.scores(query) == {"chess": pytest.approx(1.0)}
    assert list(association.router(query).values()) == pytest.approx([0.25] * 4)


def test_no_other_users_session_is_in_the_graph(memory: Memory) -> None:
    talk(memory)
    assert Association.of(memory, Scope(user="bob")).sessions == ()


def test_a_models_summary_goes_before_the_one_by_rule(memory: Memory) -> None:
    talk(memory, ("chess",))
    (sitting,) = sittings(memory, ANN)
    row = row_of(sitting, Kind.SUMMARY, "Wholly other words.", model="scripted:test")
    memory.add(row)
    vector = Association.of(memory, ANN).vectors[0, GRAINS.index("summary")]
    assert vector == pytest.approx(memory.vectors([row.id], scope=ANN)[row.id])


# -- hops ------------------------------------------------------------------------------------------


def said(id: str, text: str) -> Record:
    return Record(
        id=id,
        scope=Scope(user="ann", session="s"),
        text=text,
        payload=UtterancePayload(speaker="Ann"),
        origin=Origin(source="user"),
    )


TURNS = [
    said("where", "We stayed with Ottoline during the festival."),
    said("who", "I met a glassblower, and she is called Ottoline."),
    said("also", "The festival had a queue."),
    *(said(f"n{i}", f"Chatter number {i} about breakfast and rain.") for i in range(20)),
]


def test_a_turn_that_shares_a_rare_name_is_tied_more_than_one_that_shares_a_word() -> None:
    scores = Hops.of(TURNS).scores(["where"])
    assert set(scores) == {"who", "also"}
    assert scores["who"] == pytest.approx(2 * math.log(23 / 2))
    assert scores["also"] == pytest.approx(math.log(23 / 2))


def test_words_that_many_turns_hold_tie_nothing() -> None:
    assert Hops.of(TURNS).scores(["n0"]) == {}
    assert set(Hops.of(TURNS, most=20).scores(["n0"])) == {f"n{i}" for i in range(1, 20)}


def test_the_second_best_turn_counts_half() -> None:
    hops = Hops.of(TURNS)
    assert hops.scores(["n0", "where"])["who"] == pytest.approx(hops.scores(["where"])["who"] / 2)


def test_names_are_capitals_within_a_sentence() -> None:
    assert names_in("Yesterday I saw Ottoline. Then Bruno came, with Mary-Ann.") == [
        "Ottoline",
        "Bruno",
        "Mary-Ann",
    ]
    assert names_in("Nobody came. Everybody slept.") == []
