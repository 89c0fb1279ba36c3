"""What a policy learnt comes back from the journal; forgetting takes it along."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from reverie.agent.kernel_q import KernelQPolicy
from reverie.agent.learning import make_policy, replay
from reverie.agent.policy import Candidate, State, learn_episode, selection_of
from reverie.memory.cases import CaseMemory
from reverie.memory.memory import Memory
from reverie.memory.recalls import Shortlist
from reverie.memory.recollection import Choice
from reverie.memory.records import CasePayload, Origin, Scope

ANN = Scope(user="ann", agent="tester")
GOALS = ("heat the egg", "cool the egg", "wash the cup", "light the lamp", "find the key")


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory.open(tmp_path / "store", embedder="hashing:64") as opened:
        bank = CaseMemory(opened, ANN)
        for goal in GOALS:
            case = CasePayload(task=goal, task_id=goal, plan=(goal,), outcome="success", reward=1.0)
            bank.write(case, [], episode=goal, origin=Origin(source="environment"))
        yield opened


def live(memory: Memory, policy: KernelQPolicy, rounds: int) -> None:
    """Recall, earn and learn, as the loop does; the egg's memories help, the others do not."""
    rng = random.Random(rounds)
    bank = CaseMemory(memory, ANN)
    for place in range(rounds):
        goal = GOALS[place % len(GOALS)]

        def choose(found: Shortlist) -> Choice:
            candidates = [Candidate(id=h.record.id, similarity=h.score) for h in found.hits]
            made = policy.select(State(found.query, found.vector), candidates, 2, rng)
            return Choice(made.chosen, made.probabilities, made.policy, made.dropped, made.dropout)

        found = bank.similar_cases(goal, choose, context={"episode": str(place)})
        reward = float(any("egg" in hit.record.text for hit in found.hits))
        memory.reward(found.id, reward)
        learn_episode(policy, [selection_of(memory.logged(found.id, scope=ANN))], reward)


def test_a_new_policy_learns_from_the_journal_what_the_old_one_knew(memory: Memory) -> None:
    old, new = KernelQPolicy(dropout=0.2), KernelQPolicy(dropout=0.2)
    live(memory, old, 40)
    assert replay(new, memory, ANN) == 40
    for log in memory.recalls(scope=ANN, limit=10):
        assert new.values(selection_of(log)) == pytest.approx(old.values(selection_of(log)))


def test_another_scope_teaches_nothing(memory: Memory) -> None:
    live(memory, KernelQPolicy(), 5)
    assert replay(KernelQPolicy(), memory, Scope(user="bob", agent="tester")) == 0


def test_a_reward_given_again_is_learnt_once(memory: Memory) -> None:
    policy = KernelQPolicy(abstain=False)
    live(memory, policy, 3)
    (log, *_) = memory.recalls(scope=ANN)
    memory.reward(log.id, 0.0)
    learn_episode(policy, [selection_of(memory.logged(log.id, scope=ANN))], 0.0)
    again = KernelQPolicy(abstain=False)
    replay(again, memory, ANN)
    assert sum(again.q.count(one) for one in [c.id for c in log.candidates]) == sum(
        policy.q.count(one) for one in [c.id for c in log.candidates]
    )


def test_recalls_of_a_forgotten_memory_lose_their_vector_and_what_was_kept(memory: Memory) -> None:
    live(memory, KernelQPolicy(), 5)
    memory.keep_learned("weights", b"learnt", scope=ANN)
    assert memory.learned("weights", scope=ANN) == b"learnt"
    gone = memory.recalls(scope=ANN)[0].chosen[0]
    memory.forget([gone], scope=Scope(user="ann"))
    assert memory.learned("weights", scope=ANN) is None
    for log in memory.recalls(scope=ANN):
        assert gone not in log.chosen + log.dropped and gone not in log.probabilities
        if not log.query:
            assert log.vector is None
    assert replay(KernelQPolicy(), memory, ANN) == 5


def test_after_another_embedder_the_queries_are_embedded_again(memory: Memory) -> None:
    live(memory, KernelQPolicy(), 5)
    memory.reindex("hashing:32")
    assert all(log.vector is None for log in memory.recalls(scope=ANN))
    policy = KernelQPolicy()
    assert replay(policy, memory, ANN) == 5
    asked = State("heat the egg", np.asarray(memory.embedder.embed_query("heat the egg")))
    assert policy.select(asked, [], 1, random.Random(0)).chosen == ()


def test_names_make_policies() -> None:
    assert make_policy("similarity").name == "similarity"
    assert make_policy("utility", temperature=0.0).name == "utility"
    made = make_policy("kernel-q", temperature=0.3, dropout=0.1)
    assert isinstance(made, KernelQPolicy)
    assert (made.draw.temperature, made.draw.dropout) == (0.3, 0.1)
