"""What calls cost."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverie.agent.models import (
    Budget,
    Ledger,
    Message,
    Reply,
    ScoringModel,
    Totals,
    Usage,
    metered,
    open_model,
)
from reverie.agent.models.scripted import ScriptedModel, ScriptedScorer
from reverie.errors import BudgetExceeded, ModelUnavailable

HELLO = [Message(role="user", content="Hello there")]


def priced(usd: float | None) -> Reply:
    return Reply(text="x", usage=Usage(prompt_tokens=2, completion_tokens=1, usd=usd, seconds=0.5))


def test_it_adds_up_every_kind_of_call() -> None:
    ledger = Ledger()
    model = metered(ScriptedScorer(["a b c", "d e"]), ledger)
    assert isinstance(model, ScoringModel)
    model.chat(HELLO)
    model.score(HELLO, ["yes", "no way"])
    assert "".join(model.stream(HELLO)) == "d e"
    total = ledger.snapshot()
    assert total.calls == 3
    assert total.prompt_tokens == 2 + 5 + 2
    assert total.completion_tokens == 5
    assert total.usd == 0.0


def test_an_unknown_cost_makes_the_sum_unknown_but_not_a_later_difference() -> None:
    ledger = Ledger()
    model = metered(ScriptedModel([priced(0.25), priced(None), priced(0.5)]), ledger)
    model.chat(HELLO)
    assert ledger.snapshot().usd == 0.25
    model.chat(HELLO)
    before = ledger.snapshot()
    assert before.usd is None
    model.chat(HELLO)
    assert ledger.snapshot().usd is None
    episode = ledger.snapshot().minus(before)
    assert episode.usd == 0.5
    assert episode.tokens == 3
    assert episode.seconds == 0.5


def test_a_stream_of_a_paid_model_has_an_unknown_cost() -> None:
    ledger = Ledger()
    list(metered(ScriptedModel(["x"], free=False), ledger).stream(HELLO))
    assert ledger.snapshot().usd is None


def test_failures_are_counted() -> None:
    ledger = Ledger()
    model = open_model("none", ledger=ledger)
    with pytest.raises(ModelUnavailable):
        model.chat(HELLO)
    assert ledger.snapshot().failed_calls == 1


async def test_the_async_twin_counts_too() -> None:
    ledger = Ledger()
    await metered(ScriptedModel(["x"]), ledger).achat(HELLO)
    assert ledger.snapshot().calls == 1


@pytest.mark.parametrize(
    ("name", "budget"),
    [
        ("tokens", Budget(tokens=6)),
        ("usd", Budget(usd=0.5)),
        ("seconds", Budget(seconds=1.0)),
        ("calls", Budget(calls=2)),
    ],
)
def test_a_budget_forbids_the_call_after_its_limit(name: str, budget: Budget) -> None:
    script = ScriptedModel([priced(0.25)] * 5)
    model = metered(script, Ledger(), budget)
    model.chat(HELLO)
    model.chat(HELLO)
    with pytest.raises(BudgetExceeded) as caught:
        model.chat(HELLO)
    assert caught.value.limit == name
    assert len(script.calls) == 2


def test_a_limit_on_dollars_cannot_be_kept_without_prices() -> None:
    model = metered(ScriptedModel([priced(None)] * 2), Ledger(), Budget(usd=1.0))
    model.chat(HELLO)
    with pytest.raises(BudgetExceeded, match="unknown"):
        model.chat(HELLO)


def test_threads_lose_no_call() -> None:
    ledger = Ledger()
    model = metered(ScriptedModel(lambda messages: "x"), ledger)

    def work() -> None:
        for _ in range(200):
            model.chat(HELLO)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.snapshot().calls == 800


TOTALS = st.builds(Totals, calls=st.integers(0, 9), unpriced_calls=st.integers(0, 9))


@given(TOTALS, TOTALS)
def test_a_difference_undoes_a_sum(one: Totals, other: Totals) -> None:
    assert one.plus(other).minus(other) == one
