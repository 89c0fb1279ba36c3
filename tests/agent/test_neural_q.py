"""The network's policy: it begins as kernel Q, and learns what kernel Q cannot."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch", reason="the network needs torch: pip install 'reverie[latent]'")

from reverie.agent.kernel_q import KernelOptions, KernelQPolicy
from reverie.agent.neural_q import NeuralQPolicy
from reverie.agent.policy import Candidate, Selection, State
from reverie.errors import MemoryFault

DIM = 16


def unit(*seed: int) -> NDArray[np.float32]:
    vector = np.random.default_rng(seed).standard_normal(DIM)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


MEMORIES = {name: unit(place) for place, name in enumerate("abcdef")}
OFFERED = [Candidate(id=name, similarity=0.5) for name in MEMORIES]


def vectors(ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    return {name: MEMORIES[name] for name in ids if name in MEMORIES}


def policy(seed: int = 0, discount: float = 0.0) -> NeuralQPolicy:
    options = KernelOptions(temperature=0.1, discount=discount)
    return NeuralQPolicy(options, vectors=vectors, abstain=False, seed=seed, learning_rate=1e-3)


def lived(policy: NeuralQPolicy, rounds: int) -> list[str]:
    """Success where the memory's vector points the state's way."""
    rng = random.Random(1)
    chosen: list[str] = []
    for turn in range(rounds):
        here = unit(1, turn)
        made = policy.select(State(str(turn), here), OFFERED, 1, rng)
        chosen += made.chosen
        policy.update(made, float(MEMORIES[made.chosen[0]] @ here > 0))
    return chosen


def test_it_begins_as_kernel_q() -> None:
    ours, kernel = policy(), KernelQPolicy(KernelOptions(temperature=0.1), abstain=False)
    made = ours.select(State("x", unit(9)), OFFERED, 1, random.Random(0))
    assert ours.values(made) == pytest.approx(kernel.values(made), abs=1e-6)


def test_two_runs_with_one_seed_are_the_same() -> None:
    assert lived(policy(3), 60) == lived(policy(3), 60)


def test_it_learns_how_states_and_memories_meet() -> None:
    learner = policy()
    lived(learner, 600)
    errors: list[float] = []
    for turn in range(40):
        here = unit(2, turn)
        made = learner.select(State("new", here), OFFERED, 1, random.Random(0))
        truth = np.array([float(vector @ here > 0) for vector in MEMORIES.values()])
        errors.append(float(np.abs(learner.values(made) - truth).mean()))
    assert np.mean(errors) < 0.45


def test_a_second_reward_replaces_the_first() -> None:
    learner = policy()
    made = Selection(
        state=State("x", unit(5)),
        offered=dict.fromkeys(MEMORIES, 0.5),
        chosen=("a",),
        probabilities={"a": 1.0},
        policy="test",
        id="r1",
    )
    learner.update(made, 1.0)
    learner.update(made, 0.0)
    assert learner.kernel.q.count("a") == 1
    with pytest.raises(MemoryFault, match="finite"):
        learner.update(made, float("nan"))


def test_value_comes_back_from_a_later_choice_through_the_target_network() -> None:
    learner = policy(discount=0.9)

    def choice(name: str) -> Selection:
        return Selection(
            state=State(name, unit(7, ord(name))),
            offered={name: 0.5},
            chosen=(name,),
            probabilities={name: 1.0},
            policy="test",
        )

    for _ in range(150):
        learner.learn_episode([choice("a"), choice("b")], 1.0)
    assert learner.values(choice("a"))[0] > 0.7


def test_a_policy_comes_back_from_its_file(tmp_path: Path) -> None:
    one, other = policy(), policy(seed=5)
    lived(one, 40)
    one.save(tmp_path / "policy", embedder="minilm")
    other.load(tmp_path / "policy", embedder="minilm")
    made = one.select(State("x", unit(9)), OFFERED, 1, random.Random(0))
    assert other.values(made) == pytest.approx(one.values(made), abs=1e-6)
