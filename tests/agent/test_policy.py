"""Policies: how they draw, what they learn, and that the logged probabilities are true."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverie.agent.kernel_q import KernelOptions, KernelQ, KernelQPolicy
from reverie.agent.policy import (
    NOTHING,
    Candidate,
    Draw,
    Policy,
    Selection,
    SimilarityPolicy,
    State,
    UtilityPolicy,
)
from reverie.errors import MemoryFault

HERE = State("here")


def facing(*direction: float) -> State:
    vector = np.array(direction, np.float32)
    return State(str(direction), (vector / np.linalg.norm(vector)).astype(np.float32))


def candidates(**similarity: float) -> list[Candidate]:
    named = similarity or {"b": 0.5, "a": 0.5, "c": 0.9}
    return [Candidate(id=name, similarity=value) for name, value in named.items()]


def shown(
    *chosen: str, state: State = HERE, id: str = "", offered: tuple[str, ...] = ("a", "b", "c")
) -> Selection:
    return Selection(
        state=state,
        offered=dict.fromkeys(offered, 0.5),
        chosen=chosen,
        probabilities=dict.fromkeys(chosen, 1.0),
        policy="test",
        id=id,
    )


def test_similarity_takes_the_most_similar_and_breaks_ties_by_id() -> None:
    chosen = SimilarityPolicy().select(HERE, candidates(), 2, random.Random(0))
    assert chosen.chosen == ("c", "a")
    assert chosen.probabilities == {"c": 1.0, "a": 1.0}
    assert chosen.offered == {"a": 0.5, "b": 0.5, "c": 0.9}
    assert SimilarityPolicy().select(HERE, [], 2, random.Random(0)).chosen == ()


@pytest.mark.parametrize("policy", [SimilarityPolicy(0.5), KernelQPolicy(abstain=False)])
def test_drawn_choices_occur_as_often_as_their_logged_probability_says(policy: Policy) -> None:
    rng = random.Random(1)
    drawn = [policy.select(HERE, candidates(), 1, rng) for _ in range(4000)]
    counts = Counter(one.chosen[0] for one in drawn)
    for one in drawn[:50]:
        (name,) = one.chosen
        assert one.probabilities[name] == pytest.approx(counts[name] / 4000, abs=0.03)


def test_every_candidate_can_be_drawn_without_replacement() -> None:
    chosen = SimilarityPolicy(0.3).select(HERE, candidates(), 5, random.Random(2))
    assert sorted(chosen.chosen) == ["a", "b", "c"]
    assert chosen.probabilities[chosen.chosen[-1]] == 1.0


def test_a_slot_is_dropped_as_often_as_it_says_and_stays_in_the_log() -> None:
    policy, rng = SimilarityPolicy(dropout=0.25), random.Random(3)
    drawn = [policy.select(HERE, candidates(), 2, rng) for _ in range(4000)]
    assert all(set(one.chosen) | set(one.dropped) == {"c", "a"} for one in drawn)
    assert all(one.drawn == ("c", "a") and one.dropout == 0.25 for one in drawn)
    rate = sum(len(one.dropped) for one in drawn) / (2 * len(drawn))
    assert rate == pytest.approx(0.25, abs=0.02)


def test_drawing_nothing_ends_the_slate() -> None:
    draw = Draw()
    values = np.array([0.1, 0.9, 0.2])
    got = draw(HERE, candidates(), values, 3, random.Random(0), policy="p", nothing=0.5)
    assert got.chosen == ("a",) and got.drawn == ("a", NOTHING)
    none = draw(HERE, candidates(), values, 3, random.Random(0), policy="p", nothing=1.0)
    assert none.chosen == () and none.probabilities == {NOTHING: 1.0}


@pytest.mark.parametrize(("temperature", "dropout"), [(-1.0, 0.0), (0.0, 1.0), (0.0, -0.1)])
def test_a_draw_without_meaning_is_refused(temperature: float, dropout: float) -> None:
    with pytest.raises(ValueError, match="temperature"):
        Draw(temperature, dropout)


def test_utility_takes_the_proven_of_those_that_are_similar_enough() -> None:
    proven = Candidate(id="proven", similarity=0.4, rewarded=10, reward_mean=0.9)
    failed = Candidate(id="failed", similarity=0.8, rewarded=10, reward_mean=0.1)
    afar = Candidate(id="afar", similarity=0.1, rewarded=10, reward_mean=1.0)
    policy = UtilityPolicy(0.0, gate=2)
    assert policy.select(HERE, [failed, proven, afar], 1, random.Random(0)).chosen == ("proven",)


def test_a_memory_never_recalled_is_worth_the_mean_of_the_bank_and_its_similarity() -> None:
    q = KernelQ(KernelOptions(start=0.5, slope=0.5))
    fresh = q.values(HERE, ["x", "y"], np.array([0.2, 0.6]))
    assert fresh == pytest.approx([0.45, 0.55])  # one spread below the mean, and one above
    for _ in range(50):
        q.add("z", HERE, 1.0)
    assert q.values(HERE, ["x"], np.zeros(1))[0] == pytest.approx(q.bank_mean)
    assert q.bank_mean > 0.9


def test_a_memory_is_worth_what_it_earned_in_states_like_this_one() -> None:
    q = KernelQ(KernelOptions())
    north, south = facing(1, 0), facing(0, 1)
    for _ in range(20):
        q.add("x", north, 1.0)
        q.add("x", south, 0.0)
    assert q.values(north, ["x"], np.zeros(1))[0] > 0.85
    assert q.values(south, ["x"], np.zeros(1))[0] < 0.15
    assert 0.3 < q.values(facing(-1, -1), ["x"], np.zeros(1))[0] < 0.7


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 1)), max_size=40))
def test_values_stay_within_the_rewards_and_the_start(rewards: list[tuple[str, float]]) -> None:
    q = KernelQ(KernelOptions(slope=0.0))
    for name, reward in rewards:
        q.add(name, facing(1, len(name)), reward)
    low = min([0.5, *(reward for _, reward in rewards)])
    high = max([0.5, *(reward for _, reward in rewards)])
    values = q.values(facing(1, 0), ["a", "b", "c", "d"], np.zeros(4))
    assert ((values >= low - 1e-9) & (values <= high + 1e-9)).all()


def test_a_second_reward_for_one_selection_replaces_the_first() -> None:
    once, twice = KernelQPolicy(), KernelQPolicy()
    once.update(shown("a", id="r1"), 0.0)
    twice.update(shown("a", id="r1"), 1.0)
    twice.update(shown("a", id="r1"), 0.0)
    assert twice.values(shown("a")) == pytest.approx(once.values(shown("a")))
    assert twice.q.count("a") == 1


def test_old_rewards_fade_and_the_oldest_go() -> None:
    q = KernelQ(KernelOptions(half_life=5.0, kept=8))
    for reward in [1.0] * 30 + [0.0] * 30:
        q.add("x", facing(1, 0), reward)
    assert q.values(facing(1, 0), ["x"], np.zeros(1))[0] < 0.1
    assert q.count("x") <= 16


@pytest.mark.parametrize("reward", [float("nan"), float("inf")])
def test_a_reward_that_is_no_number_teaches_nothing(reward: float) -> None:
    policy = KernelQPolicy()
    with pytest.raises(MemoryFault, match="finite"):
        policy.update(shown("a"), reward)
    assert policy.q.count("a") == 0


def test_showing_nothing_has_a_value_and_wins_where_memories_harm() -> None:
    policy = KernelQPolicy(KernelOptions(temperature=0.0))
    for _ in range(20):
        for name in "abc":
            policy.update(shown(name), 0.0)
        policy.update(shown(), 1.0)
    assert policy.select(HERE, candidates(), 2, random.Random(0)).chosen == ()


def test_credit_of_a_slate_finds_the_memory_that_helps() -> None:
    policy = KernelQPolicy(KernelOptions(temperature=0.5), dropout=0.3, abstain=False)
    rng = random.Random(4)
    for _ in range(600):
        selection = policy.select(HERE, candidates(a=0.5, b=0.5, c=0.5), 3, rng)
        policy.update(selection, float("b" in selection.chosen))
    values = dict(zip("abc", policy.values(shown(offered=("a", "b", "c"))), strict=True))
    assert values["b"] > values["a"] + 0.5
    assert values["b"] > values["c"] + 0.5


def test_value_is_carried_back_from_a_later_choice() -> None:
    policy = KernelQPolicy(KernelOptions(discount=0.9, temperature=0.05), abstain=False)
    first = shown("a", state=facing(1, 0), offered=("a", "b"))
    then = shown("c", state=facing(0, 1), offered=("c", "d"))
    for _ in range(60):
        policy.learn_episode([first, then], 1.0)
    assert policy.values(first)[0] == pytest.approx(0.9, abs=0.15)


def test_the_same_seed_gives_the_same_choices() -> None:
    def run() -> list[tuple[str, ...]]:
        policy, rng = KernelQPolicy(), random.Random(7)
        made: list[tuple[str, ...]] = []
        for place in range(50):
            selection = policy.select(facing(1, place % 5), candidates(), 2, rng)
            policy.update(selection, float("a" in selection.chosen))
            made.append(selection.chosen)
        return made

    assert run() == run()
