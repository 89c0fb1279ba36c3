"""The statistics, each against a slower and plainer computation of the same thing."""

from __future__ import annotations

import random
from collections.abc import Sequence
from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverie.envs.credit import by_kinship, by_record
from reverie.envs.runs import PLAYED, Arm, EpisodeLine, Recalled
from reverie.envs.statistics import (
    Progress,
    bootstrap,
    curve,
    default_window,
    mean,
    newcombe,
    paired,
    rate,
    summarise,
    wilson,
)

RUN = Progress(id="x", status="complete", done=0, planned=0)


def line(
    arm: Arm = Arm.OFF,
    task: str = "t0",
    success: bool = True,
    *,
    seed: int = 1,
    index: int = 0,
    attempt: int = 1,
    kind: str = "pick",
    usd: float | None = 0.5,
    recalled: Sequence[Recalled] = (),
) -> EpisodeLine:
    """One episode."""
    return EpisodeLine(
        run="x",
        arm=arm,
        seed=seed,
        index=index,
        attempt=attempt,
        task_id=task,
        task_type=kind,
        success=success,
        reward=float(success),
        steps=5 if success else 30,
        tokens=100,
        usd=usd,
        recalled=tuple(recalled),
    )


def test_wilson_agrees_with_the_textbook() -> None:
    low, high = wilson(15, 20)
    assert (round(low, 4), round(high, 4)) == (0.5313, 0.8881)
    assert wilson(0, 10)[0] == 0.0
    assert wilson(10, 10)[1] == pytest.approx(1.0)


def test_wilson_holds_the_rates_that_a_score_test_does_not_reject() -> None:
    low, high = wilson(7, 25)
    for step in range(1, 1000):
        p = step / 1000
        kept = (7 / 25 - p) ** 2 <= 1.959963984540054**2 * p * (1 - p) / 25
        assert kept == (low <= p <= high)


def test_a_rate_with_one_episode_a_task_is_plain_wilson() -> None:
    values = [1.0, 0.0, 1.0, 1.0, 0.0, 1.0]
    found = rate(values, [f"t{i}" for i in range(6)])
    assert found.mean == pytest.approx(4 / 6)
    assert found.ci == wilson(4, 6)
    assert found.n == 6


def test_seeds_that_only_repeat_a_task_do_not_narrow_the_interval() -> None:
    once = rate([1.0, 0.0, 1.0, 0.0, 0.0], list("abcde"))
    thrice = rate([1.0, 0.0, 1.0, 0.0, 0.0] * 3, list("abcde") * 3)
    assert once.ci and thrice.ci
    assert thrice.mean == once.mean
    assert thrice.n == 15
    assert thrice.ci[1] - thrice.ci[0] >= once.ci[1] - once.ci[0]


def test_a_rate_of_all_or_nothing_still_has_a_wide_interval() -> None:
    assert rate([1.0] * 6, list("aabbcc")).ci == wilson(3, 3)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(-5, 5)), min_size=1, max_size=30))
def test_a_mean_is_the_mean_and_its_interval_holds_it(
    values: list[tuple[str, float]],
) -> None:
    numbers = [value for _, value in values]
    found = mean(numbers, [cluster for cluster, _ in values])
    assert found.mean is not None and found.ci is not None
    assert isclose(found.mean, sum(numbers) / len(numbers), abs_tol=1e-9)
    assert found.ci[0] <= found.ci[1]
    assert min(numbers) - 1e-9 <= found.ci[0] and found.ci[1] <= max(numbers) + 1e-9


def test_the_bootstrap_agrees_with_resampling_clusters_one_by_one() -> None:
    import numpy as np

    generator = random.Random(3)
    sums = [generator.uniform(-2, 3) for _ in range(15)]
    counts = [float(generator.randint(1, 4)) for _ in range(15)]
    means: list[float] = []
    for _ in range(20_000):
        drawn = [generator.randrange(15) for _ in range(15)]
        means.append(sum(sums[i] for i in drawn) / sum(counts[i] for i in drawn))
    means.sort()
    low, high = bootstrap(np.array(sums), np.array(counts))
    assert low == pytest.approx(means[500], abs=0.03)
    assert high == pytest.approx(means[19_500], abs=0.03)
    assert (low, high) == bootstrap(np.array(sums), np.array(counts))


def test_a_paired_difference_agrees_with_brute_force() -> None:
    generator = random.Random(5)
    on: list[EpisodeLine] = []
    off: list[EpisodeLine] = []
    for seed in (1, 2, 3):
        for task in range(20):
            kind = "pick" if task % 2 else "heat"
            hard = generator.random()
            on.append(line(Arm.ONLINE, f"t{task}", generator.random() > hard, seed=seed, kind=kind))
            off.append(
                line(Arm.OFF, f"t{task}", generator.random() > hard + 0.3, seed=seed, kind=kind)
            )
    found = paired(on, generator.sample(off, len(off)))
    assert found is not None
    difference = {
        task: sum(x.success for x in on if x.task_id == task)
        - sum(x.success for x in off if x.task_id == task)
        for task in {x.task_id for x in on}
    }
    assert found.mean == pytest.approx(sum(difference.values()) / 60)
    assert (found.n, found.tasks) == (60, 20)
    resampled = sorted(
        sum(generator.choice(list(difference.values())) for _ in range(20)) / 60
        for _ in range(10_000)
    )
    assert found.ci[0] == pytest.approx(resampled[250], abs=0.03)
    assert found.ci[1] == pytest.approx(resampled[9_750], abs=0.03)
    picks = [x for x in on if x.task_type == "pick"]
    missed = [x for x in off if x.task_type == "pick"]
    assert found.by_type["pick"] == pytest.approx(
        (sum(x.success for x in picks) - sum(x.success for x in missed)) / 30
    )


def test_only_episodes_that_both_arms_played_are_paired() -> None:
    on = [line(Arm.ONLINE, "a"), line(Arm.ONLINE, "b"), line(Arm.ONLINE, "a", attempt=2)]
    off = [line(Arm.OFF, "a", success=False), line(Arm.OFF, "c")]
    found = paired(on, off)
    assert found is not None
    assert (found.n, found.mean) == (1, 1.0)
    assert paired(on, [line(Arm.OFF, "z")]) is None


def test_a_difference_without_variance_still_has_an_interval() -> None:
    on = [line(Arm.ONLINE, f"t{i}") for i in range(6)]
    off = [line(Arm.OFF, f"t{i}", success=False) for i in range(6)]
    found = paired(on, off)
    assert found is not None
    assert found.ci == newcombe(1.0, 0.0, 6)
    assert 0.3 < found.ci[0] < 0.6
    assert found.ci[1] == 1.0


def test_a_curve_agrees_with_counting() -> None:
    generator = random.Random(7)
    lines = [
        line(task=f"t{i}", index=i, seed=seed, success=generator.random() > 0.5)
        for seed in (1, 2)
        for i in range(12)
    ]
    generator.shuffle(lines)
    for window in (None, 4):
        points = curve(lines, window)
        assert [p.episode for p in points] == list(range(1, 13))
        for point in points:
            first = 0 if window is None else max(0, point.episode - window)
            inside = [x for x in lines if first <= x.index < point.episode]
            assert point.rate == pytest.approx(sum(x.success for x in inside) / len(inside))
            low, high = wilson(sum(x.success for x in inside), len(inside))
            assert (point.low, point.high) == (pytest.approx(low), pytest.approx(high))


def test_a_curve_ends_where_the_shortest_seed_ends() -> None:
    lines = [line(index=i, seed=1) for i in range(5)] + [line(index=i, seed=2) for i in range(3)]
    assert len(curve(lines)) == 3
    assert curve([]) == []


def test_later_attempts_are_in_no_column_of_the_first() -> None:
    lines = [
        line(Arm.ONLINE, "a", success=False),
        line(Arm.ONLINE, "a", success=True, attempt=2, index=1),
        line(Arm.ONLINE, "a", success=True, attempt=3, index=2),
    ]
    summary = summarise(lines, (Arm.ONLINE,), RUN)
    assert summary.arms["online"].success.mean == 0.0
    assert summary.arms["online"].success.n == 1
    assert summary.later_attempts["online"]["2"].mean == 1.0
    assert list(summary.later_attempts["online"]) == ["2", "3"]


def test_an_unknown_price_makes_the_cost_unknown_and_not_nothing() -> None:
    known = summarise([line(task="a"), line(task="b", index=1)], (Arm.OFF,), RUN)
    assert known.arms["off"].cost is not None
    assert known.arms["off"].cost.mean == 0.5
    unknown = summarise([line(task="a"), line(task="b", index=1, usd=None)], (Arm.OFF,), RUN)
    assert unknown.arms["off"].cost is None


def test_a_summary_has_the_shape_that_the_design_fixes() -> None:
    lines = [
        line(arm, f"t{i}", success=arm != Arm.OFF, index=i, kind="pick" if i % 2 else "heat")
        for arm in PLAYED
        for i in range(4)
    ]
    data = summarise(lines, PLAYED, RUN).model_dump(mode="json")
    assert {"arms", "deltas", "retrieval"} <= set(data)
    for arm in data["arms"].values():
        assert {"success", "reward", "steps", "tokens", "cost", "seconds", "by_type"} <= set(arm)
        for name in ("success", "reward", "steps", "tokens", "cost", "seconds"):
            assert set(arm[name]) == {"mean", "ci", "n"}
        assert set(arm["by_type"]) == {"heat", "pick"}
    assert set(data["deltas"]) == {"online-off", "frozen-off", "online-frozen"}
    assert {"mean", "ci"} <= set(data["deltas"]["online-off"])


def test_the_moving_window_is_a_fifth_of_the_episodes_from_3_to_20() -> None:
    assert default_window([line(index=4)]) == 3
    assert default_window([line(index=59)]) == 12
    assert default_window([line(index=499)]) == 20


def test_a_memorys_credit_is_the_success_of_its_episodes_against_their_twins() -> None:
    key = Recalled(id="k", task_type="pick", text="keys lie in drawers")
    egg = Recalled(id="e", task_type="heat", text="eggs are heated")
    lines = [
        line(Arm.ONLINE, "a", recalled=[key]),
        line(Arm.ONLINE, "b", recalled=[key, egg], index=1),
        line(Arm.ONLINE, "c", success=False, recalled=[egg], index=2),
        line(Arm.ONLINE, "d", success=False, index=3),
        *(line(Arm.OFF, task, success=task in "bc") for task in "abcd"),
    ]
    records = {credit.record.id: credit for credit in by_record(lines, Arm.ONLINE)}
    assert (records["k"].episodes, records["k"].success, records["k"].twins) == (2, 1.0, 0.5)
    assert records["e"].lift == pytest.approx(-0.5)
    kin = [(credit.record.text, credit.episodes) for credit in by_kinship(lines, Arm.ONLINE)]
    assert [count for _, count in kin] == [2, 1, 1]


def test_a_memory_without_twins_has_no_lift() -> None:
    seen = Recalled(id="k")
    (credit,) = by_record([line(Arm.FROZEN, "a", recalled=[seen])], Arm.FROZEN)
    assert credit.lift is None
