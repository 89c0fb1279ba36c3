"""litellm's models, by its own mock: no call leaves the process."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest
from pydantic import JsonValue

from reverie.agent.models import ChatModel, Message, open_model
from reverie.agent.models.api_model import FORBID
from reverie.errors import ContextOverflow, ModelUnavailable

HELLO = [Message(role="user", content="Hello")]

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True, scope="module")
def _imported() -> Iterator[None]:
    """litellm's import warns of what it depends on."""
    pytest.importorskip("openai")
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        patch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
        pytest.importorskip("litellm")
        yield


def mocked(name: str, response: JsonValue) -> ChatModel:
    return open_model(name, api_key="x", attempts=1, litellm={"mock_response": response})


def test_a_reply_has_its_tokens_and_the_listed_price() -> None:
    reply = mocked("gpt-4o-mini", "Hi.").chat(HELLO)
    assert reply.text == "Hi."
    assert reply.usage.prompt_tokens > 0
    assert reply.usage.usd is not None
    assert reply.usage.usd > 0


def test_a_model_without_a_listed_price_costs_an_unknown_amount() -> None:
    assert mocked("hosted_vllm/mine", "Hi.").chat(HELLO).usage.usd is None


def test_a_model_it_knows_has_its_context() -> None:
    assert mocked("gpt-4o-mini", "Hi.").context_tokens == 128_000
    assert mocked("hosted_vllm/mine", "Hi.").context_tokens == 32_768


async def test_the_async_twin_and_the_stream_say_the_same() -> None:
    model = mocked("gpt-4o-mini", "Hello to you.")
    assert (await model.achat(HELLO)).text == "Hello to you."
    assert "".join(model.stream(HELLO)) == "Hello to you."


def test_a_prompt_that_is_too_long_is_an_overflow() -> None:
    with pytest.raises(ContextOverflow):
        mocked("gpt-4o-mini", "litellm.ContextWindowExceededError").chat(HELLO)


def test_a_provider_that_stays_busy_is_unavailable() -> None:
    with pytest.raises(ModelUnavailable, match="several attempts"):
        mocked("gpt-4o-mini", "litellm.RateLimitError").chat(HELLO)


def test_a_name_no_provider_has_is_unavailable() -> None:
    with pytest.raises(ModelUnavailable, match="no-such-provider"):
        open_model("no-such-provider/m", attempts=1).chat(HELLO)


def test_real_calls_can_be_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FORBID, "1")
    with pytest.raises(ModelUnavailable, match=FORBID):
        open_model("gpt-4o-mini", api_key="x").chat(HELLO)
