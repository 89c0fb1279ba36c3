"""Embedders from the model zoos, against stand-ins for their libraries: no network, no weights."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import ModuleType, SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from reverie.errors import MissingExtra, ModelError, ModelUnavailable
from reverie.memory.embed import open_embedder
from reverie.memory.embed_check import check_embedder
from reverie.memory.embed_hashing import HashingEmbedder
from reverie.memory.embed_named import LiteLLMEmbedder


class FakeOpenAIError(Exception):
    """The root of the stand-in's errors."""


class FakePassing(FakeOpenAIError):
    """Rate limit, connection and server errors."""


class FakeTooLong(FakeOpenAIError):
    """A text over the model's length."""


class FakeLiteLLM(ModuleType):
    """Stands in for litellm: answers with hashing vectors, records what it was sent."""

    exceptions = SimpleNamespace(LITELLM_EXCEPTION_TYPES=[FakeOpenAIError])
    RateLimitError = APIConnectionError = InternalServerError = FakePassing
    ServiceUnavailableError = Timeout = FakePassing
    ContextWindowExceededError = FakeTooLong

    def __init__(self) -> None:
        super().__init__("litellm")
        self.sent: list[list[str]] = []
        self.errors: list[Exception] = []
        self.longest = 10**9
        self.answer: Callable[[list[str]], list[dict[str, object]]] = _vectors

    def embedding(self, *, model: str, input: list[str], **options: object) -> SimpleNamespace:
        assert model == "openai/small"
        self.sent.append(input)
        if self.errors:
            raise self.errors.pop(0)
        if any(not text for text in input):
            raise FakeOpenAIError("input must not be empty")
        if any(len(text) > self.longest for text in input):
            raise FakeTooLong("maximum context length")
        return SimpleNamespace(data=self.answer(input))


def _vectors(texts: list[str]) -> list[dict[str, object]]:
    rows = HashingEmbedder(32).embed(texts) * 3
    # Providers may answer out of order: the index tells.
    items: list[dict[str, object]] = [
        {"index": place, "embedding": row.tolist()} for place, row in enumerate(rows)
    ]
    return items[::-1]


@pytest.fixture
def litellm(monkeypatch: pytest.MonkeyPatch) -> FakeLiteLLM:
    fake = FakeLiteLLM()
    monkeypatch.setitem(sys.modules, "litellm", fake)
    return fake


def test_litellm_keeps_the_contract(litellm: FakeLiteLLM) -> None:
    embedder = open_embedder("litellm:openai/small")
    assert embedder.id == "litellm:openai/small"
    assert embedder.dim == 32
    assert check_embedder(embedder) == []


def test_litellm_asks_in_batches_and_cuts_long_texts(litellm: FakeLiteLLM) -> None:
    embedder = LiteLLMEmbedder("openai/small", batch_size=2, max_chars=10)
    rows = embedder.embed(["one", "two", "x" * 50, "", "five"])
    assert litellm.sent == [["one", "two"], ["x" * 10, " "], ["five"]]
    assert np.allclose(rows, HashingEmbedder(32).embed(["one", "two", "x" * 10, " ", "five"]))


def test_litellm_halves_a_text_until_the_model_takes_it(litellm: FakeLiteLLM) -> None:
    litellm.longest = 100
    embedder = LiteLLMEmbedder("openai/small")
    rows = embedder.embed(["short", "y" * 300])
    assert litellm.sent[-3:] == [["y" * 300], ["y" * 150], ["y" * 75]]
    assert np.allclose(rows, HashingEmbedder(32).embed(["short", "y" * 75]))
    litellm.longest = 1
    with pytest.raises(ModelError, match="refuses a text of 64 characters"):
        embedder.embed(["z" * 300])


def test_litellm_tries_again_what_failed_in_passing(litellm: FakeLiteLLM) -> None:
    embedder = LiteLLMEmbedder("openai/small", attempts=3, longest_wait=0.0)
    litellm.errors = [FakePassing("busy"), FakePassing("busy")]
    assert embedder.embed(["one"]).shape == (1, 32)
    assert len(litellm.sent) == 3
    litellm.errors = [FakePassing("busy")] * 3
    with pytest.raises(ModelUnavailable, match="3 attempts: busy"):
        embedder.embed(["one"])


def test_litellm_does_not_repeat_a_refused_call(litellm: FakeLiteLLM) -> None:
    litellm.errors = [FakeOpenAIError("bad key")]
    with pytest.raises(ModelUnavailable, match=r"bad key.*its key"):
        LiteLLMEmbedder("openai/small").embed(["one"])
    assert len(litellm.sent) == 1


def test_litellm_notices_a_reply_with_vectors_missing(litellm: FakeLiteLLM) -> None:
    litellm.answer = lambda texts: _vectors(texts)[:1]
    with pytest.raises(ModelError, match="1 vectors for 2 texts"):
        LiteLLMEmbedder("openai/small").embed(["one", "two"])


class _Provider(BaseHTTPRequestHandler):
    """An OpenAI-compatible service of embeddings that fails once, then answers."""

    failures: ClassVar[list[int]] = []

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.failures:
            return self._reply(self.failures.pop(), {"error": {"message": "busy"}})
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        items = _vectors(list(request["input"]))
        return self._reply(200, {"object": "list", "model": "x", "data": items, "usage": usage})

    def log_message(self, format: str, *args: object) -> None:
        """Keeps the requests off the tests' output."""

    def _reply(self, status: int, body: dict[str, object]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def provider() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Provider)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.skipif(importlib.util.find_spec("litellm") is None, reason="litellm is absent")
def test_the_real_litellm_answers_as_its_stand_in_does(provider: str) -> None:
    _Provider.failures = [503]
    embedder = LiteLLMEmbedder(
        "openai/small", api_base=provider, api_key="none", longest_wait=0.0, attempts=2
    )
    rows = embedder.embed(["one", "two"])
    assert np.allclose(rows, HashingEmbedder(32).embed(["one", "two"]), atol=1e-6)
    _Provider.failures = [401]
    with pytest.raises(ModelUnavailable, match="its key"):
        embedder.embed(["one"])


class FakeSentenceTransformer:
    """Stands in for a sentence-transformers model with a prompt for queries."""

    def __init__(self, name: str) -> None:
        self.prompts = {"query": "query: "} if name == "prompted" else {}

    def encode(
        self,
        texts: Sequence[str],
        *,
        batch_size: int,
        prompt_name: str | None,
        show_progress_bar: bool,
    ) -> NDArray[np.float32]:
        prefix = self.prompts[prompt_name] if prompt_name else ""
        return HashingEmbedder(48).embed([prefix + text for text in texts]) * 5


@pytest.fixture
def sentence_transformers(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = ModuleType("sentence_transformers")
    fake.__dict__["SentenceTransformer"] = FakeSentenceTransformer
    monkeypatch.setitem(sys.modules, "sentence_transformers", fake)


@pytest.mark.usefixtures("sentence_transformers")
def test_sentence_transformers_keeps_the_contract() -> None:
    embedder = open_embedder("sentence-transformers:plain")
    assert embedder.id == "sentence-transformers:plain"
    assert embedder.dim == 48
    assert check_embedder(embedder) == []


@pytest.mark.usefixtures("sentence_transformers")
def test_a_model_with_a_query_prompt_gets_it_for_queries_only() -> None:
    embedder = open_embedder("sentence-transformers:prompted")
    plain = HashingEmbedder(48)
    assert np.allclose(embedder.embed(["cat"])[0], plain.embed_query("cat"))
    assert np.allclose(embedder.embed_query("cat"), plain.embed_query("query: cat"))


@pytest.mark.parametrize(
    ("name", "module", "what"),
    [
        ("litellm:openai/small", "litellm", r"'reverie\[litellm\]'"),
        ("sentence-transformers:x", "sentence_transformers", "sentence-transformers"),
    ],
)
def test_an_absent_library_names_the_command_that_installs_it(
    name: str, module: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=f"pip install {what}"):
        open_embedder(name)
