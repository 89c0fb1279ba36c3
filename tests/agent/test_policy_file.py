"""Policies as files: what comes back, and what is refused."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from reverie.agent.kernel_q import KernelQPolicy
from reverie.agent.policy import Candidate, Selection, State
from reverie.errors import EmbedderMismatch, PolicyFault, ReverieError

OFFERED = [Candidate(id=name, similarity=0.1 * place) for place, name in enumerate("abcd")]


def here(turn: int) -> State:
    vector = np.random.default_rng(turn).standard_normal(8)
    return State(str(turn), (vector / np.linalg.norm(vector)).astype(np.float32))


def learnt() -> KernelQPolicy:
    policy, rng = KernelQPolicy(), random.Random(0)
    for turn in range(60):
        made = policy.select(here(turn), OFFERED, 2, rng)
        policy.update(made, float("b" in made.chosen))
    return policy


def asked(policy: KernelQPolicy) -> Selection:
    return policy.select(here(999), OFFERED, 4, random.Random(0))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    learnt().save(tmp_path / "policy", embedder="minilm")
    return tmp_path / "policy"


def test_a_policy_comes_back_whole_and_learns_on_alike(saved: Path) -> None:
    one, other = learnt(), KernelQPolicy()
    other.load(saved, embedder="minilm")
    assert other.values(asked(one)) == pytest.approx(one.values(asked(one)))
    again = asked(one)
    for policy in (one, other):
        policy.update(again, 1.0)
    assert other.values(asked(one)) == pytest.approx(one.values(asked(one)))


def test_a_policy_that_learnt_nothing_can_be_saved(tmp_path: Path) -> None:
    KernelQPolicy().save(tmp_path / "empty", embedder="minilm")
    policy = learnt()
    policy.load(tmp_path / "empty", embedder="minilm")
    assert policy.q.count("b") == 0


DAMAGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "half": (lambda data: data[: len(data) // 2], "cut short"),
    "head": (lambda data: data[:10], "no policy file"),
    "tail": (lambda data: data[:-1] + b"x", "damaged"),
    "kind": (lambda data: data.replace(b"kernel-q", b"other-pq", 1), "holds a other-pq policy"),
    "format": (lambda data: data.replace(b'"format": 1', b'"format": 9', 1), "format 9"),
    "empty": (lambda _: b"", "no policy file"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_file_that_cannot_be_used_changes_nothing(saved: Path, damage: str) -> None:
    change, error = DAMAGES[damage]
    saved.write_bytes(change(saved.read_bytes()))
    policy = learnt()
    before = policy.values(asked(policy))
    with pytest.raises(PolicyFault, match=error):
        policy.load(saved, embedder="minilm")
    assert policy.values(asked(policy)) == pytest.approx(before)


def test_a_file_of_another_embedder_is_refused_and_says_what_to_do(saved: Path) -> None:
    with pytest.raises(EmbedderMismatch, match="learns again from the memory's own log"):
        KernelQPolicy().load(saved, embedder="wordllama")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReverieError, match="nowhere"):
        KernelQPolicy().load(tmp_path / "nowhere", embedder="minilm")
