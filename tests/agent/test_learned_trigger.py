"""The learned trigger in worlds whose advantage of recalling is known."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest

from reverie.agent.environment import Observation, Task
from reverie.agent.learned_trigger import LearnedTrigger, TriggerOptions
from reverie.agent.state import Decision, Glance, TraceStep, View
from reverie.errors import MemoryFault, PolicyFault

STEPS = 6
TOKENS = 1000


def look(step: int, novelty: float, episode: int = 0) -> View:
    return View(
        task=Task(id=f"task-{episode}", type="t", split="train"),
        goal="find the key",
        observation=Observation(goal="find the key", text="a hall", actions=("look", "go")),
        steps=[TraceStep(observation=f"hall {n}", action="go") for n in range(step)],
        glance=Glance(novelty=novelty),
    )


def live(trigger: LearnedTrigger, gain: Callable[[float], float], episodes: int) -> list[float]:
    """Play episodes in which each recall at a novelty earns ``gain`` of it; the shares recalled."""
    rng = random.Random(7)
    shares: list[float] = []
    for episode in range(episodes):
        news = [float(rng.random() < 0.5) for _ in range(STEPS)]
        made = [trigger.decide(look(n, new, episode)) for n, new in enumerate(news)]
        won = sum(gain(new) for new, one in zip(news, made, strict=True) if one.reason)
        trigger.learn(
            made,
            [TOKENS if one.reason else 0 for one in made],
            float(rng.random() < min(1.0, max(0.0, 0.2 + won))),
        )
        shares.append(sum(bool(one.reason) for one in made) / STEPS)
    return shares


def chance(trigger: LearnedTrigger, novelty: float) -> float:
    return trigger.decide(look(2, novelty)).probability


def test_before_any_reward_it_recalls_what_is_new() -> None:
    trigger = LearnedTrigger()
    assert chance(trigger, 1.0) > 0.9
    assert chance(trigger, 0.0) == pytest.approx(0.5)
    assert math.isnan(trigger.calibration) and trigger.cost == 0.0


def test_once_the_price_is_known_it_recalls_only_what_is_new() -> None:
    trigger = LearnedTrigger(TriggerOptions(price=0.03))
    live(trigger, lambda new: 0.1 * new, 20)
    assert trigger.cost == pytest.approx(0.03)
    assert chance(trigger, 1.0) > 0.9 and chance(trigger, 0.0) < 0.2


def test_it_stops_recalling_where_that_changes_nothing() -> None:
    trigger = LearnedTrigger(TriggerOptions(price=0.05))
    shares = live(trigger, lambda new: 0.0, 1500)
    assert shares[0] > 0.4
    assert sum(shares[-200:]) / 200 < 0.15


def test_it_learns_where_recalling_helps_against_what_it_believed() -> None:
    trigger = LearnedTrigger(TriggerOptions(price=0.01, explore=0.1, weight=2.0))
    live(trigger, lambda new: 0.0 if new else 0.12, 1500)
    assert trigger.advantage(trigger.decide(look(2, 0.0)).features) == pytest.approx(0.12, abs=0.05)
    assert trigger.advantage(trigger.decide(look(2, 1.0)).features) == pytest.approx(0.0, abs=0.05)
    assert chance(trigger, 0.0) == pytest.approx(0.9)


def test_what_it_predicts_is_what_recalling_then_changes() -> None:
    trigger = LearnedTrigger(TriggerOptions(price=0.0, explore=0.2, weight=2.0, temperature=0.5))
    live(trigger, lambda new: 0.05 + 0.1 * new, 3000)
    assert trigger.calibration == pytest.approx(1.0, abs=0.35)


def test_a_certain_decision_teaches_nothing_but_its_price() -> None:
    trigger = LearnedTrigger()
    before = trigger.weights
    trigger.learn([Decision(reason="always")], [500], 1.0)
    assert trigger.weights == before
    assert trigger.cost == pytest.approx(0.005)


def test_a_reward_that_is_no_number_changes_nothing() -> None:
    trigger = LearnedTrigger()
    before = trigger.dump()
    with pytest.raises(MemoryFault, match="finite"):
        trigger.learn([trigger.decide(look(0, 1.0))], [10], math.nan)
    assert trigger.dump() == before


def test_learning_goes_on_from_what_was_kept() -> None:
    old, new = LearnedTrigger(), LearnedTrigger()
    live(old, lambda new: 0.1 * new, 30)
    new.restore(old.dump())
    assert new.dump() == old.dump()
    assert new.decide(look(1, 0.3)) == old.decide(look(1, 0.3))


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b'{"format": 9, "features": []}', b"\xff"])
def test_what_it_did_not_write_is_refused_and_changes_nothing(data: bytes) -> None:
    trigger = LearnedTrigger()
    before = trigger.dump()
    with pytest.raises(PolicyFault, match="cannot be read"):
        trigger.restore(data)
    with pytest.raises(PolicyFault, match="cannot be read"):
        trigger.restore(before.replace(b"[20.0", b'["nan"', 1))
    assert trigger.dump() == before


def test_the_same_episode_is_decided_the_same_way() -> None:
    assert LearnedTrigger().decide(look(3, 0.0)) == LearnedTrigger().decide(look(3, 0.0))
