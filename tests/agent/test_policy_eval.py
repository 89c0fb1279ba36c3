"""Off-policy evaluation: its probabilities are exact, its values are true, and it knows its limits.

How often the intervals hold the truth is measured in ``benchmarks/policy_eval.py``.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from reverie.agent.intervals import effective, ratio
from reverie.agent.kernel_q import KernelOptions, KernelQPolicy
from reverie.agent.policy import (
    NOTHING,
    Candidate,
    Draw,
    Selection,
    SimilarityPolicy,
    State,
    UtilityPolicy,
)
from reverie.agent.policy_eval import Example, evaluate, evaluate_learner, learning
from reverie.agent.propensities import Evaluable, inclusion, offer, probability
from reverie.agent.reward_model import RewardModel
from reverie.errors import MemoryFault
from reverie.memory.memory import Memory
from reverie.memory.recalls import Shortlist
from reverie.memory.recollection import Choice
from reverie.memory.records import Origin, Record, Scope, UtterancePayload

NAMES = "abcde"
WORTH = {"a": 0.1, "b": 0.8, "c": 0.3, "d": 0.5, "e": 0.2}
LIKE = {"a": 0.9, "b": 0.6, "c": 0.5, "d": 0.4, "e": 0.3}
CANDIDATES = [Candidate(id=name, similarity=LIKE[name]) for name in NAMES]
VALUES = np.array([LIKE[name] for name in NAMES])


def state(rng: random.Random) -> State:
    vector = np.array([rng.gauss(0, 1) for _ in range(4)], np.float32)
    return State("somewhere", (vector / np.linalg.norm(vector)).astype(np.float32))


def earned(shown: Sequence[str]) -> float:
    """The chance of reward 1."""
    return min(0.95, 0.05 + sum(WORTH[name] for name in shown) / max(len(shown), 1))


def log(
    count: int, policy: Evaluable, k: int = 1, *, seed: int = 0, together: int = 1
) -> list[Example]:
    rng = random.Random(seed)
    examples: list[Example] = []
    for number in range(count):
        selection = policy.select(state(rng), CANDIDATES, k, rng)
        reward = float(rng.random() < earned(selection.chosen))
        examples.append(Example(selection, reward, f"e{number // together}"))
    return examples


def taught() -> KernelQPolicy:
    policy = KernelQPolicy(KernelOptions(temperature=0.2), abstain=False)
    for one in log(150, SimilarityPolicy(1.0), seed=9):
        policy.update(one.selection, one.reward)
    return policy


@pytest.mark.parametrize("temperature", [0.0, 0.3])
@pytest.mark.parametrize("nothing", [None, 0.55])
def test_the_chances_of_a_drawn_sequence_are_those_that_were_logged(
    temperature: float, nothing: float | None
) -> None:
    draw, rng = Draw(temperature), random.Random(1)
    logits = draw.logits(CANDIDATES, VALUES, nothing)
    for _ in range(100):
        got = draw(State("s"), CANDIDATES, VALUES, 3, rng, policy="p", nothing=nothing)
        assert draw.chances(logits, got.drawn) == pytest.approx([*got.probabilities.values()])
    assert draw.chances(logits, ["z", "a"])[0] == 0.0


@pytest.mark.parametrize("temperature", [0.0, 0.3])
@pytest.mark.parametrize("nothing", [None, 0.5])
def test_the_probabilities_of_all_slates_add_up_to_one_and_give_the_shares_shown(
    temperature: float, nothing: float | None
) -> None:
    draw = Draw(temperature)
    logits = draw.logits(CANDIDATES, VALUES, nothing)
    slates = [one for size in (1, 2) for one in permutations([*NAMES, NOTHING], size)]
    chances = {one: probability(draw, logits, one, 2) for one in slates if NOTHING not in one[:-1]}
    assert sum(chances.values()) == pytest.approx(1.0)
    sampled = inclusion(draw, logits, 2, 20_000, np.random.default_rng(0))
    for name in NAMES:
        exact = sum(chance for one, chance in chances.items() if name in one)
        assert sampled.get(name, 0.0) == pytest.approx(exact, abs=0.02)
    one = inclusion(draw, logits, 1, 1, np.random.default_rng(0))
    for name in NAMES:
        assert one.get(name, 0.0) == pytest.approx(probability(draw, logits, [name], 1))


@pytest.mark.parametrize(
    "policy", [SimilarityPolicy(0.2), UtilityPolicy(0.2, gate=3), KernelQPolicy()]
)
def test_a_policy_tells_its_values_without_drawing_or_changing(policy: Evaluable) -> None:
    here, draw = State("s"), policy.draw
    logits = offer(policy, here, CANDIDATES, 2)
    assert policy.draw is draw
    got = policy.select(here, CANDIDATES, 2, random.Random(3))
    assert draw.chances(logits, got.drawn) == pytest.approx([*got.probabilities.values()])
    if isinstance(policy, UtilityPolicy):
        assert set(logits) == {"a", "b", "c"}
        assert probability(draw, logits, ("a", "e"), 2) == 0.0


def test_a_policy_that_does_not_draw_by_its_draw_is_refused() -> None:
    class Own(SimilarityPolicy):
        def select(
            self, state: State, candidates: Sequence[Candidate], k: int, rng: random.Random
        ) -> Selection:
            return Selection(state, {}, (), {}, self.name)

    with pytest.raises(MemoryFault, match="drew 0 times"):
        offer(Own(), State("s"), CANDIDATES, 1)


def test_every_estimate_of_a_better_policy_is_near_its_true_value() -> None:
    policy = taught()
    examples = log(400, SimilarityPolicy(0.5), seed=1)
    found = evaluate(examples, policy, k=1)
    true = float(
        np.mean(
            [
                sum(probability(policy.draw, logits, [name], 1) * earned([name]) for name in NAMES)
                for one in examples
                for logits in [offer(policy, one.selection.state, CANDIDATES, 1)]
            ]
        )
    )
    assert true > found.logged.ci[1]
    for one in (found.ips, found.snips, found.dr):
        assert one.ci[0] < true < one.ci[1]
        assert one.mean == pytest.approx(true, abs=0.08)
        assert one.n == 400
    assert found.dr.ci[1] - found.dr.ci[0] < found.ips.ci[1] - found.ips.ci[0]
    overlap = found.overlap
    assert overlap.mean_weight.ci[0] < 1 < overlap.mean_weight.ci[1]
    assert 25 < overlap.effective < 400
    assert overlap.share == 1.0


def test_a_slate_with_dropout_is_judged_as_without() -> None:
    logging, target = SimilarityPolicy(0.5, dropout=0.2), SimilarityPolicy(0.4)
    found = evaluate(log(400, logging, 3, seed=2), target)
    assert (found.k, found.dropout) == (3, 0.0)
    rng = random.Random(5)
    slates = [target.select(State("s"), CANDIDATES, 3, rng).chosen for _ in range(4000)]
    true = float(np.mean([earned(one) for one in slates]))
    for one in (found.ips, found.snips, found.dr):
        assert one.ci[0] < true < one.ci[1]


def test_the_logging_policy_has_the_value_of_the_log() -> None:
    policy = SimilarityPolicy(0.5, dropout=0.2)
    found = evaluate(log(200, policy, 2), policy)
    assert found.overlap.largest_weight == pytest.approx(1.0)
    assert found.overlap.effective == pytest.approx(200)
    assert found.ips.mean == pytest.approx(found.logged.mean)
    assert found.snips.ci == pytest.approx(found.logged.ci)


def test_the_same_seed_gives_the_same_evaluation() -> None:
    examples = log(100, SimilarityPolicy(0.5), 2)
    once, twice = (evaluate(examples, SimilarityPolicy(0.4), seed=3) for _ in range(2))
    assert once == twice


def test_a_learner_is_not_judged_by_the_rewards_it_has_learnt_from() -> None:
    rng = random.Random(6)
    noise = [
        replace(one, reward=float(rng.random() < 0.5))
        for one in log(200, SimilarityPolicy(1.0), seed=6)
    ]

    def make() -> KernelQPolicy:
        return KernelQPolicy(KernelOptions(temperature=0.15), abstain=False)

    learner = learning(make)
    honest = evaluate_learner(noise, learner)
    assert honest.snips.ci[0] < 0.5 < honest.snips.ci[1]
    fooled = evaluate(noise, learner(noise))
    assert fooled.snips.mean > honest.snips.mean


def test_recalls_of_one_episode_count_as_one() -> None:
    examples = log(200, SimilarityPolicy(0.5), together=4)
    shared = [replace(one, reward=float(int(one.episode[1:]) % 2)) for one in examples]
    apart = [replace(one, episode=str(place)) for place, one in enumerate(shared)]
    policy = SimilarityPolicy(0.5)
    found, alone = evaluate(shared, policy), evaluate(apart, policy)
    assert found.overlap.effective == pytest.approx(50)
    assert found.ips.ci[1] - found.ips.ci[0] > 1.5 * (alone.ips.ci[1] - alone.ips.ci[0])


def test_the_reward_model_finds_what_each_memory_adds() -> None:
    examples = log(400, SimilarityPolicy(1.0, dropout=0.3), 2, seed=4)
    rewards = np.array(
        [sum(WORTH[name] for name in one.selection.chosen) + 0.1 for one in examples]
    )
    model = RewardModel([one.selection for one in examples], rewards)
    base, effects = model.effects([one.selection for one in examples[:20]])
    assert base == pytest.approx(np.full(20, 0.1), abs=0.15)
    for name in NAMES:
        assert effects[0][name] == pytest.approx(WORTH[name], abs=0.1)


def test_an_interval_has_the_width_of_the_normal_one_where_that_is_right() -> None:
    values = np.random.default_rng(0).normal(2.0, 1.0, 1000)
    names = [str(place) for place in range(1000)]
    found = ratio(values, np.ones(1000), names, (0.0, 4.0), seed=0)
    assert found.ci[1] - found.ci[0] == pytest.approx(2 * 1.96 / np.sqrt(1000), rel=0.08)
    assert effective(np.array([1.0, 1.0, 0.0])) == pytest.approx(2.0)


def test_where_no_spread_is_seen_the_interval_is_not_a_point() -> None:
    names = [str(place) for place in range(50)]
    found = ratio(np.ones(50), np.ones(50), names, (0.0, 1.0), seed=0)
    assert found.mean == 1.0
    assert 0.9 < found.ci[0] < 0.97
    assert found.ci[1] == pytest.approx(1.0)


def fixed(selection: Selection, **changed: object) -> Selection:
    return replace(selection, **changed)  # pyright: ignore[reportArgumentType]


def test_it_refuses_where_the_log_cannot_tell() -> None:
    examples = log(100, SimilarityPolicy(0.5))
    policy = SimilarityPolicy(0.4)
    unknown = [replace(one, selection=fixed(one.selection, probabilities={})) for one in examples]
    alike = [replace(one, reward=1.0) for one in examples]
    certain = log(200, SimilarityPolicy(0.0))
    for logs, words in (
        ([], "was rewarded"),
        (unknown, "with the probability"),
        (alike, "all 100 rewarded recalls earned 1"),
        (examples[:20], "20 rewarded episodes are too few"),
        (certain, "mean weight"),
    ):
        with pytest.raises(MemoryFault, match=words):
            evaluate(logs, policy)
    with pytest.raises(MemoryFault, match=r"worth 0\.0 episodes"):
        evaluate(certain, KernelQPolicy(KernelOptions(temperature=0.0, slope=-1.0), abstain=False))
    with pytest.raises(MemoryFault, match="choices of 2"):
        evaluate(log(100, policy, 2), policy, k=1)
    with pytest.raises(ValueError, match="folds"):
        evaluate(examples, policy, folds=1)


def test_a_certain_log_can_judge_the_policy_that_wrote_it() -> None:
    examples = log(100, SimilarityPolicy(0.0))
    found = evaluate(examples, SimilarityPolicy(0.0))
    assert found.ips.mean == pytest.approx(found.logged.mean)


def test_the_journal_holds_what_an_evaluation_needs() -> None:
    scope, rng, policy = Scope(user="ann"), random.Random(8), SimilarityPolicy(0.3)

    def choose(found: Shortlist) -> Choice:
        candidates = [Candidate(id=hit.record.id, similarity=hit.score) for hit in found.hits]
        got = policy.select(State(found.query, found.vector), candidates, 2, rng)
        return Choice(got.chosen, got.probabilities, got.policy, got.dropped, got.dropout)

    with Memory.open("ephemeral:", embedder="hashing:64") as memory:
        memory.add(
            [
                Record(
                    id=name,
                    scope=scope,
                    text=f"the {name} likes red fish",
                    payload=UtterancePayload(speaker="ann"),
                    origin=Origin(source="user"),
                )
                for name in ("cat", "dog", "owl")
            ]
        )
        for number in range(60):
            recalled = memory.recall(
                "who likes fish", scope=scope, choose=choose, context={"episode": f"{number // 2}"}
            )
            memory.reward(recalled.id, float("owl" in recalled.choice.chosen))
        unrewarded = memory.recall("who likes fish", scope=scope, choose=choose)
        logs = memory.recalls(scope=scope)
    assert logs[-1].id == unrewarded.id
    found = evaluate(logs, policy)
    assert found.overlap.used == 60 and found.overlap.logged == 61
    assert found.overlap.effective == pytest.approx(30)
    offered = [Candidate(id=one.id, similarity=one.score) for one in logs[0].candidates]
    logits = offer(policy, State("who likes fish"), offered, 2)
    slates = permutations(logits, 2)
    true = sum(probability(policy.draw, logits, one, 2) for one in slates if "owl" in one)
    assert found.dr.mean == pytest.approx(true, abs=0.05)
    assert found.dr.ci[0] < true < found.dr.ci[1]
    assert found.dr.ci[1] - found.dr.ci[0] < 0.6 * (found.ips.ci[1] - found.ips.ci[0])
