"""Models without a model."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from reverie.agent.models import ChatModel, Message, Reply, ScoringModel, open_model
from reverie.agent.models.model_check import check_chat_model
from reverie.agent.models.scripted import NoModel, ScriptedModel, ScriptedScorer
from reverie.errors import ModelUnavailable

HELLO = [Message(role="user", content="Hello")]


def test_replies_come_in_their_order_and_calls_are_kept() -> None:
    model = ScriptedModel(["one", Reply(text="two", logprob=-1.0)])
    assert model.chat(HELLO, temperature=0.5, stop=["x"]).text == "one"
    assert model.chat(HELLO).logprob == -1.0
    assert [c.temperature for c in model.calls] == [0.5, 0.0]
    assert model.calls[0].messages == tuple(HELLO)
    assert model.calls[0].stop == ("x",)


def test_it_fails_loudly_when_the_replies_run_out() -> None:
    model = ScriptedModel(["one"], name="short")
    model.chat(HELLO)
    with pytest.raises(AssertionError, match="scripted:short has said all of its 1 replies"):
        model.chat(HELLO)


async def test_a_function_can_reply() -> None:
    def echo(messages: Sequence[Message]) -> str:
        return messages[-1].content.upper()

    model = ScriptedModel(echo)
    assert (await model.achat(HELLO)).text == "HELLO"
    assert "".join(model.stream([Message(role="user", content="a b c")])) == "A B C"


def test_a_function_can_score() -> None:
    model = ScriptedScorer(judge=lambda messages, candidate: -float(candidate == "no"))
    assert model.score(HELLO, ["yes", "no"]).logprobs == (0.0, -1.0)
    assert model.calls[0].candidates == ("yes", "no")
    assert isinstance(model, ScoringModel)
    assert not isinstance(ScriptedModel(), ScoringModel)


def test_it_has_a_name_on_the_command_line() -> None:
    model = open_model("scripted:look|go to shelf 1")
    assert [model.chat(HELLO).text for _ in range(3)] == ["look", "go to shelf 1", "look"]


async def test_no_model_says_what_to_do() -> None:
    model = open_model("none")
    assert isinstance(model, NoModel)
    assert isinstance(model, ChatModel)
    with pytest.raises(ModelUnavailable, match="--model local"):
        model.chat(HELLO)
    with pytest.raises(ModelUnavailable):
        list(model.stream(HELLO))
    with pytest.raises(ModelUnavailable):
        await model.achat(HELLO)


def test_the_suite_for_models_finds_what_is_wrong() -> None:
    class Wrong(ScriptedScorer):
        id = " "  # pyright: ignore[reportIncompatibleMethodOverride, reportAssignmentType]

        def count_tokens(self, text: str) -> int:
            return 3

    counter = iter(range(1000))
    wrong = Wrong(lambda messages: f"a b {next(counter)}", context_tokens=0, judge=lambda m, c: 1.0)
    problems = "\n".join(check_chat_model(wrong))
    for sign in (
        "id must be",
        "context_tokens",
        "count_tokens",
        "max_tokens=2",
        "stop=",
        "two answers",
        "no JSON",
        "at most 0",
    ):
        assert sign in problems
    assert "raised AssertionError" in check_chat_model(ScriptedModel([]))[0]
