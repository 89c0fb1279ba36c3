"""Values of a type out of what a model says."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, Field

from reverie.agent.models import Ledger, Message, Reply, Usage, metered
from reverie.agent.models.local import LocalModel
from reverie.agent.models.scripted import ScriptedModel
from reverie.agent.models.structured import aask, ask
from reverie.errors import MalformedReply


class Point(BaseModel):
    x: int
    y: int = Field(ge=0)


WHERE = [Message(role="user", content="Where?")]


@pytest.mark.parametrize(
    "said",
    [
        '{"x": 1, "y": 2}',
        'Sure!\n```json\n{"x": 1, "y": 2}\n```\nDone.',
        '  {"x": 1, "y": 2} {"x": 5, "y": 5}',
        'The set {a} is: {"x": 1, "y": 2}',
    ],
)
def test_json_is_found_in_what_is_said(said: str) -> None:
    assert ask(ScriptedModel([said]), WHERE, Point).value == Point(x=1, y=2)


def test_the_schema_goes_with_the_question() -> None:
    model = ScriptedModel(['{"x": 1, "y": 2}'])
    assert not ask(model, WHERE, Point).repaired
    assert model.calls[0].schema == Point.model_json_schema()


def test_a_fault_is_shown_and_mended_once() -> None:
    ledger = Ledger()
    script = ScriptedModel(['{"x": "one", "y": -1}', '{"x": 1, "y": 2}'])
    answer = ask(metered(script, ledger), WHERE, Point)
    assert answer.value == Point(x=1, y=2)
    assert answer.repaired
    shown = script.calls[1].messages
    assert shown[1].content == '{"x": "one", "y": -1}'
    assert "x: Input should be a valid integer" in shown[2].content
    assert "y: Input should be greater than or equal to 0" in shown[2].content
    assert (ledger.snapshot().malformed, ledger.snapshot().repaired) == (1, 1)


def test_a_second_fault_is_an_error_with_the_reply() -> None:
    ledger = Ledger()
    model = metered(ScriptedModel(["nothing", Reply(text='{"x":', finish="length")]), ledger)
    with pytest.raises(MalformedReply, match="max_tokens") as caught:
        ask(model, WHERE, Point)
    assert caught.value.reply == '{"x":'
    assert (ledger.snapshot().malformed, ledger.snapshot().repaired) == (1, 0)


def test_the_usage_is_that_of_both_tries() -> None:
    replies = [
        Reply(text="?", usage=Usage(prompt_tokens=1, usd=0.5)),
        Reply(text='{"x": 1, "y": 2}', usage=Usage(prompt_tokens=2, usd=None)),
    ]
    usage = ask(ScriptedModel(replies), WHERE, Point).usage
    assert usage.prompt_tokens == 3
    assert usage.usd is None


async def test_the_async_twin_does_the_same() -> None:
    model = ScriptedModel(["?", '{"x": 1, "y": 2}'])
    assert (await aask(model, WHERE, Point)).value == Point(x=1, y=2)
    with pytest.raises(MalformedReply):
        await aask(ScriptedModel(["?", "?"]), WHERE, Point)


def test_the_local_model_gives_a_value(local: LocalModel) -> None:
    question = [Message(role="user", content="Give the point x=3, y=4 as JSON.")]
    answer = ask(local, question, Point, max_tokens=40)
    assert answer.value == Point(x=3, y=4)
