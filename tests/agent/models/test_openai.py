"""Any OpenAI-compatible server: a real one over HTTP, that answers what the test says."""

from __future__ import annotations

import email.utils
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from reverie.agent.models import Message, ScoringModel, ToolCall, ToolSpec, open_model
from reverie.agent.models.api_model import FORBID, ApiModel
from reverie.agent.models.model_check import check_chat_model
from reverie.agent.models.openai_backend import OpenAIBackend
from reverie.agent.models.retry import RetryPolicy
from reverie.errors import (
    ContextOverflow,
    MalformedReply,
    ModelError,
    ModelUnavailable,
    SettingsError,
)
from reverie.tests.agent.models.conftest import Answer, Server, completion

HELLO = [Message(role="user", content="Hello")]
SCHEMA: dict[str, Any] = {
    "title": "A point",
    "type": "object",
    "properties": {"x": {"type": "integer"}},
    "required": ["x"],
    "additionalProperties": False,
}
DOOR = ToolSpec(name="open", description="Open it", parameters={"type": "object"})


class Waits:
    """Waiting that takes no time, written down."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)

    async def later(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def model(server: Server, waits: Waits) -> ApiModel:
    return ApiModel(
        OpenAIBackend("m", base_url=server.url, api_key="secret", timeout=10),
        retry=RetryPolicy(sleep=waits, asleep=waits.later),
    )


def test_it_asks_by_the_protocol(server: Server, model: ApiModel) -> None:
    server.say("Hi.")
    reply = model.chat(HELLO, max_tokens=9, temperature=0.5, seed=3, stop=["."])
    assert reply.text == "Hi."
    assert server.requests == [
        {
            "model": "m",
            "messages": [{"role": "user", "content": "Hello"}],
            "max_tokens": 9,
            "temperature": 0.5,
            "seed": 3,
            "stop": ["."],
        }
    ]
    assert server.keys == ["Bearer secret"]


def test_tokens_are_counted_and_an_unknown_cost_is_unknown(server: Server, model: ApiModel) -> None:
    server.say("Hi.")
    usage = model.chat(HELLO).usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens) == (11, 7, 3)
    assert usage.usd is None


def test_with_prices_the_cost_is_known(server: Server) -> None:
    model = open_model(f"{server.url}#m", usd_per_million=(1.0, 2.0))
    server.say("Hi.")
    assert model.chat(HELLO).usage.usd == pytest.approx(25e-6)


def test_a_server_that_counts_nothing_is_estimated(server: Server, model: ApiModel) -> None:
    answer = completion("four words of text")
    del answer["usage"]
    server.answers.append(Answer(answer))
    usage = model.chat(HELLO).usage
    assert usage.prompt_tokens > 0
    assert usage.completion_tokens > 0


def test_images_travel_as_parts(server: Server, model: ApiModel) -> None:
    server.say("A cat.")
    url = "data:image/png;base64,AA=="
    model.chat([Message(role="user", content="What is it?", images=(url,))])
    assert server.requests[0]["messages"][0]["content"] == [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": url}},
    ]


def test_tools_are_offered_and_calls_are_read(server: Server, model: ApiModel) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "open", "arguments": '{"a": 1}'}}
    server.say("", tool_calls=[call], finish="tool_calls")
    reply = model.chat(HELLO, tools=[DOOR])
    assert reply.finish == "tool_calls"
    assert reply.tool_calls == (ToolCall(id="c1", name="open", arguments={"a": 1}),)
    assert server.requests[0]["tools"][0]["function"]["name"] == "open"

    server.say("It is open.")
    said = Message(role="assistant", tool_calls=reply.tool_calls)
    result = Message(role="tool", content="done", tool_call_id="c1")
    model.chat([*HELLO, said, result], tools=[DOOR])
    sent = server.requests[1]["messages"]
    assert json.loads(sent[1]["tool_calls"][0]["function"]["arguments"]) == {"a": 1}
    assert sent[2]["tool_call_id"] == "c1"


@pytest.mark.parametrize("arguments", ["{", "[1]", '"x"'])
def test_a_call_that_is_no_object_is_malformed(
    server: Server, model: ApiModel, arguments: str
) -> None:
    server.say("", tool_calls=[{"function": {"name": "open", "arguments": arguments}}])
    with pytest.raises(MalformedReply):
        model.chat(HELLO, tools=[DOOR])


def test_a_schema_is_asked_for_natively(server: Server, model: ApiModel) -> None:
    server.say('{"x": 1}')
    assert model.chat(HELLO, schema=SCHEMA).text == '{"x": 1}'
    wanted = server.requests[0]["response_format"]
    assert wanted["type"] == "json_schema"
    assert wanted["json_schema"] == {"name": "A_point", "schema": SCHEMA, "strict": True}


def test_an_open_schema_is_not_called_strict(server: Server, model: ApiModel) -> None:
    server.say("{}")
    model.chat(HELLO, schema={"type": "object", "properties": {"x": {"type": "integer"}}})
    assert "strict" not in server.requests[0]["response_format"]["json_schema"]


def test_a_server_without_schemas_is_asked_in_words_and_remembered(
    server: Server, model: ApiModel
) -> None:
    server.fail(400, "'response_format.type' must be 'json_object'")
    server.say('Here you are:\n```json\n{"x": 2}\n```')
    assert model.chat(HELLO, schema=SCHEMA).text == '{"x": 2}'
    assert "response_format" not in server.requests[1]
    assert '"integer"' in server.requests[1]["messages"][0]["content"]

    server.say('{"x": 3}')
    model.chat(HELLO, schema=SCHEMA)
    assert "response_format" not in server.requests[2]


def test_a_server_that_counts_completion_tokens_by_another_name_is_obeyed(
    server: Server, model: ApiModel
) -> None:
    server.fail(400, "Unsupported parameter: use 'max_completion_tokens' instead.")
    server.fail(400, "Unsupported value: 'temperature' does not support 0.")
    server.say("Hi.")
    assert model.chat(HELLO, max_tokens=5).text == "Hi."
    assert server.requests[2]["max_completion_tokens"] == 5
    assert "temperature" not in server.requests[2]


def test_logprobs_are_averaged_where_they_are_given(server: Server) -> None:
    model = open_model(f"{server.url}#m", logprobs=True)
    server.say("a b", logprobs={"content": [{"logprob": -1.0}, {"logprob": -3.0}]})
    server.say("a b")
    assert model.chat(HELLO).logprob == -2.0
    assert model.chat(HELLO).logprob is None
    assert server.requests[0]["logprobs"] is True


def test_a_stream_comes_in_pieces(server: Server, model: ApiModel) -> None:
    def chunk(text: str | None) -> dict[str, Any]:
        delta = {"content": text} if text is not None else {"role": "assistant"}
        return {
            "id": "1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "delta": delta}],
        }

    server.fail(503, "busy")
    server.answers.append(Answer([chunk(None), chunk("Hel"), chunk("lo."), chunk(None)]))
    assert list(model.stream(HELLO)) == ["Hel", "lo."]
    assert server.requests[1]["stream"] is True


def test_a_busy_server_is_asked_again_when_it_says(
    server: Server, model: ApiModel, waits: Waits
) -> None:
    server.fail(429, "slow down", retry_after="7")
    soon = email.utils.formatdate(time.time() + 30, usegmt=True)
    server.fail(429, "slow down", retry_after=soon)
    server.fail(429, "slow down", retry_after="86400")
    server.say("Hi.")
    assert model.chat(HELLO).text == "Hi."
    assert waits.seconds[0] == 7
    assert 20 < waits.seconds[1] <= 30
    assert waits.seconds[2] == 60


def test_a_failing_server_is_asked_again_with_growing_waits(
    server: Server, model: ApiModel, waits: Waits
) -> None:
    for _ in range(3):
        server.fail(500, "oh no")
    server.say("Hi.")
    assert model.chat(HELLO).text == "Hi."
    assert len(waits.seconds) == 3
    assert 0 < waits.seconds[0] <= 1.0
    assert waits.seconds[2] >= 2.0


def test_attempts_are_bounded_and_made_in_one_place(server: Server, model: ApiModel) -> None:
    for _ in range(20):
        server.fail(500, "oh no")
    with pytest.raises(ModelUnavailable, match="several attempts"):
        model.chat(HELLO)
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("status", "message", "error"),
    [
        (401, "bad key", ModelUnavailable),
        (404, "no such model", ModelUnavailable),
        (400, "This model's maximum context length is 10 tokens, temperature", ContextOverflow),
        (400, "nonsense", ModelError),
        (429, "insufficient_quota", ModelUnavailable),
    ],
)
def test_what_cannot_succeed_is_not_asked_again(
    server: Server, model: ApiModel, status: int, message: str, error: type[ModelError]
) -> None:
    server.fail(status, message)
    with pytest.raises(error, match=r"m"):
        model.chat(HELLO)
    assert len(server.requests) == 1


@pytest.mark.parametrize("body", [[], {}, {"choices": []}, "text"])
def test_an_answer_that_is_no_completion_is_an_error(
    server: Server, model: ApiModel, body: object
) -> None:
    server.answers.append(Answer(body))
    with pytest.raises(ModelError):
        model.chat(HELLO)


def test_a_server_that_is_not_there_is_named(waits: Waits) -> None:
    backend = OpenAIBackend("m", base_url="http://127.0.0.1:9/v1", timeout=2)
    model = ApiModel(backend, retry=RetryPolicy(attempts=2, sleep=waits))
    with pytest.raises(ModelUnavailable, match=r"127\.0\.0\.1:9"):
        model.chat(HELLO)
    assert len(waits.seconds) == 1


async def test_the_async_twin_does_the_same(server: Server, model: ApiModel, waits: Waits) -> None:
    server.fail(429, "slow down", retry_after="5")
    server.fail(400, "no response_format here")
    server.say('{"x": 2}')
    reply = await model.achat(HELLO, schema=SCHEMA)
    assert reply.text == '{"x": 2}'
    assert waits.seconds == [5]


def test_calls_that_leave_this_machine_can_be_forbidden(
    server: Server, model: ApiModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FORBID, "1")
    with pytest.raises(ModelUnavailable, match=FORBID):
        open_model("https://models.example/v1#m", api_key="x").chat(HELLO)
    server.say("Hi.")
    assert model.chat(HELLO).text == "Hi."


def test_openais_own_models_need_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ModelUnavailable, match="OPENAI_API_KEY"):
        open_model("openai/gpt-9")


def test_a_url_without_a_name_and_an_unknown_option_are_settings_errors() -> None:
    with pytest.raises(SettingsError, match="#NAME"):
        open_model("http://127.0.0.1:1/v1")
    with pytest.raises(SettingsError, match="threads"):
        open_model("http://127.0.0.1:1/v1#m", threads=2)


def test_it_cannot_score(model: ApiModel) -> None:
    assert not isinstance(model, ScoringModel)


def test_it_passes_the_suite_for_models(server: Server, model: ApiModel) -> None:
    def answer(request: dict[str, Any]) -> Answer:
        text = '{"colour": "red"}' if "response_format" in request else "sea"
        raw = completion(text)
        raw["usage"]["completion_tokens"] = 1
        if request.get("stream"):
            choice = {"index": 0, "delta": {"content": text}}
            head = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
            return Answer([{**head, "choices": [choice]}])
        return Answer(raw)

    asked: list[Answer | Callable[[dict[str, Any]], Answer]] = [answer] * 30
    server.answers = asked
    assert check_chat_model(model) == []
