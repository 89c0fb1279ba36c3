"""Credit: what showing a memory changed, told from what chance left out and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

import numpy as np
import pytest

from reverie.memory.credit import Contrast, Trial, contrast, credit, interval, t95
from reverie.memory.memory import Memory
from reverie.memory.recalls import Shortlist
from reverie.memory.recollection import Choice
from reverie.memory.records import Origin, Record, Scope, UtterancePayload

ANN = Scope(user="ann", agent="cook")
BOB = Scope(user="bob")
NUMBERS = count()


def trial(
    shown: bool, reward: float | None, *, dropout: float = 0.5, episode: str | None = None
) -> Trial:
    """A recall that drew the memory "m", in an episode of its own unless one is named."""
    chosen, dropped = (("m",), ()) if shown else ((), ("m",))
    return Trial(episode or f"e{next(NUMBERS)}", ("m", "other"), chosen, dropped, dropout, reward)


def trials(shown: Sequence[float], left_out: Sequence[float], dropout: float = 0.5) -> list[Trial]:
    return [
        *(trial(True, reward, dropout=dropout) for reward in shown),
        *(trial(False, reward, dropout=dropout) for reward in left_out),
    ]


def test_the_change_is_the_difference_of_the_two_means() -> None:
    found = contrast("m", trials([1, 1, 0, 1], [0, 1]))
    assert (found.shown, found.left_out) == (4, 2)
    assert found.reward_shown == 0.75 and found.reward_left_out == 0.5
    assert found.change == pytest.approx(0.25)
    assert found.method == "Agresti-Caffo" and found.missing == ""


def test_recalls_without_dropout_say_nothing_of_the_change() -> None:
    certain = [trial(True, 0.0, dropout=0.0) for _ in range(9)]
    found = contrast("m", [*certain, *trials([1.0], [0.0])])
    assert (found.shown, found.left_out, found.change) == (1, 1, 1.0)
    assert contrast("m", certain) == Contrast(0, 0, missing="not measurable: never left out")


def test_an_episode_counts_once_by_its_first_draw() -> None:
    twice = [trial(False, 1.0, episode="a"), trial(True, 1.0, episode="a")]
    found = contrast("m", [*twice, *trials([0.0], [])])
    assert (found.shown, found.left_out, found.change) == (1, 1, -1.0)


def test_different_dropouts_are_compared_each_within_itself() -> None:
    """Easy tasks came with little dropout: pooled, the memory would seem to help."""
    easy = trials([1.0] * 9, [1.0], dropout=0.1)
    hard = trials([0.0] * 5, [0.0] * 5, dropout=0.5)
    found = contrast("m", [*easy, *hard])
    assert found.change == pytest.approx(0.0)
    assert found.shown == 14 and found.left_out == 6


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ([], "never drawn"),
        (trials([1.0, 0.0], []), "never left out"),
        (trials([], [1.0]), "never shown where it could have been left out"),
        ([trial(True, None), trial(False, None)], "no reward yet"),
        (trials([1.0], [], 0.1) + trials([], [0.0], 0.5), "only under different dropouts"),
    ],
)
def test_what_cannot_be_measured_says_why(given: list[Trial], why: str) -> None:
    found = contrast("m", given)
    assert found.change is None and found.ci is None
    assert found.missing.startswith("not measurable: ") and why in found.missing


def test_welch_is_what_the_formula_says_by_hand() -> None:
    shown, left_out = np.array([2.0, 4.0, 6.0, 8.0]), np.array([1.0, 2.0, 3.0])
    ci, method = interval([(shown, left_out)])
    a, b = 20 / 3 / 4, 1.0 / 3
    freedom = (a + b) ** 2 / (a**2 / 3 + b**2 / 2)
    half = t95(freedom) * (a + b) ** 0.5
    assert method == "Welch" and ci == pytest.approx((3 - half, 3 + half))
    assert interval([(shown, left_out[:1])]) == (None, None)
    assert interval([(np.full(3, 5.0), np.full(3, 5.0))]) == (None, None)


def test_few_equal_outcomes_do_not_look_certain() -> None:
    ci, _ = interval([(np.ones(2), np.zeros(2))])
    assert ci is not None and ci[0] < 0.2 and ci[1] == 1.0
    alike, _ = interval([(np.ones(50), np.ones(50))])
    assert alike is not None and alike[0] < 0 < alike[1]


def test_t_quantiles_are_those_of_the_tables() -> None:
    table = {1: 12.706, 2: 4.303, 5: 2.571, 10: 2.228, 30: 2.042, 1000: 1.962}
    assert {df: t95(df) for df in table} == pytest.approx(table, abs=2e-3)


@pytest.mark.parametrize("binary", [True, False])
def test_intervals_hold_the_truth_as_often_as_they_promise(binary: bool) -> None:
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(800):
        if binary:
            pair = rng.binomial(1, 0.8, 25).astype(float), rng.binomial(1, 0.5, 8).astype(float)
        else:
            pair = rng.normal(0.8, 1.0, 25), rng.normal(0.5, 2.0, 8)
        ci, _ = interval([pair])
        assert ci is not None
        held += ci[0] <= 0.3 <= ci[1]
    assert 0.92 <= held / 800 <= 0.985


@pytest.fixture
def memory() -> Iterator[Memory]:
    with Memory.open("ephemeral:", embedder="hashing:64") as opened:
        opened.add([utterance("salt", ANN), utterance("oil", ANN), utterance("tea", BOB)])
        yield opened


def utterance(name: str, scope: Scope) -> Record:
    return Record(
        id=name,
        scope=scope,
        text=f"{name} is in the cupboard",
        payload=UtterancePayload(speaker=scope.user),
        origin=Origin(source="user"),
    )


def recall(memory: Memory, reward: float | None, *, drop: bool, episode: str = "") -> None:
    """Draw "salt"; ``drop`` says what the coin said."""

    def choose(found: Shortlist) -> Choice:
        assert {hit.record.id for hit in found.hits} == {"salt", "oil"}
        drawn = ("salt",)
        return Choice(
            () if drop else drawn, {"salt": 1.0}, dropped=drawn if drop else (), dropout=0.3
        )

    context = {"episode": episode} if episode else {}
    done = memory.recall("what is in the cupboard", scope=ANN, choose=choose, context=context)
    if reward is not None:
        memory.reward(done.id, reward)


def test_the_store_tells_the_credit_of_its_own_log(memory: Memory) -> None:
    for reward, drop in ((1.0, False), (1.0, False), (0.0, True), (None, True)):
        recall(memory, reward, drop=drop)
    found = memory.credit(["salt", "oil", "tea", "nothing"], scope=ANN)
    assert set(found) == {"salt", "oil"}
    salt, oil = found["salt"], found["oil"]
    assert (salt.recalled, salt.chosen, salt.dropped) == (4, 2, 2)
    assert (salt.contrast.shown, salt.contrast.left_out, salt.contrast.change) == (2, 1, 1.0)
    assert (oil.recalled, oil.chosen, oil.dropped) == (4, 0, 0)
    assert oil.contrast.missing == "not measurable: never drawn"


def test_recalls_of_one_episode_share_its_reward(memory: Memory) -> None:
    for drop in (True, False, False):
        recall(memory, 1.0, drop=drop, episode="run/1")
    recall(memory, 0.0, drop=False, episode="run/2")
    salt = memory.credit(["salt"], scope=ANN)["salt"]
    assert (salt.chosen, salt.dropped) == (3, 1)
    assert (salt.contrast.shown, salt.contrast.left_out, salt.contrast.change) == (1, 1, -1.0)


def test_credit_stays_within_its_scope_and_survives_forgetting_another(memory: Memory) -> None:
    recall(memory, 1.0, drop=False)
    recall(memory, 0.0, drop=True)
    assert memory.credit(["salt"], scope=Scope(user="ann", agent="smith")) == {}
    assert memory.credit(["salt"], scope=BOB) == {}
    assert memory.credit(["salt"], scope=Scope(user="stranger")) == {}
    memory.forget(["oil"], scope=ANN)
    found = memory.credit(["salt"], scope=ANN)["salt"].contrast
    assert (found.shown, found.left_out, found.change) == (1, 1, 1.0)


def test_many_memories_are_credited_in_one_pass() -> None:
    given = [Trial(f"e{n}", ("a", "b"), ("a",), ("b",), 0.5, float(n % 2)) for n in range(6)]
    found = credit(["a", "b", "c"], given)
    assert (found["a"].chosen, found["b"].dropped, found["c"].recalled) == (6, 6, 0)
