"""The real local model, loaded once, and a small server that speaks the OpenAI protocol."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from reverie.agent.models.local import LocalModel
from reverie.agent.models.weights import user_cache


@pytest.fixture(scope="session", autouse=True)
def _tidy() -> Iterator[None]:
    """pytest keeps the folders of its last runs: not with 145 MB in each."""
    yield
    for file in user_cache().glob("*.gguf"):
        file.unlink()


@pytest.fixture(scope="session")
def local() -> Iterator[LocalModel]:
    with LocalModel(threads=1, context_tokens=1024) as model:
        yield model


@pytest.fixture(scope="session")
def exact() -> Iterator[LocalModel]:
    with LocalModel(threads=1, context_tokens=1024, exact=True) as model:
        yield model


@dataclass
class Answer:
    """What the server says to one request."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])


@dataclass
class Server:
    """Answers in their order; ``requests`` keeps what came in."""

    url: str = ""
    answers: list[Answer | Callable[[dict[str, Any]], Answer]] = field(
        default_factory=list[Answer | Callable[[dict[str, Any]], Answer]]
    )
    requests: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    keys: list[str] = field(default_factory=list[str])

    def say(self, text: str, **message: Any) -> None:
        """Queue a chat completion."""
        self.answers.append(Answer(completion(text, **message)))

    def fail(self, status: int, message: str, **headers: str) -> None:
        """Queue an error."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append(Answer({"error": {"message": message}}, status, names))

    def answer(self, request: dict[str, Any]) -> Answer:
        self.requests.append(request)
        if not self.answers:
            return Answer({"error": {"message": "the test queued no more answers"}}, 418)
        queued = self.answers.pop(0)
        return queued(request) if callable(queued) else queued


def completion(text: str | None, *, finish: str = "stop", **message: Any) -> dict[str, Any]:
    logprobs = message.pop("logprobs", None)
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, **message},
                "finish_reason": finish,
                "logprobs": logprobs,
            }
        ],
        "usage": {
            "prompt_tokens": 11,
            "completion_tokens": 7,
            "total_tokens": 18,
            "prompt_tokens_details": {"cached_tokens": 3},
        },
    }


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            size = int(self.headers["content-length"])
            state.keys.append(self.headers.get("authorization", ""))
            request = json.loads(self.rfile.read(size))
            answer = state.answer(request)
            if request.get("stream") and answer.status == 200:
                chunks = [f"data: {json.dumps(chunk)}\n\n" for chunk in answer.body]
                raw = ("".join(chunks) + "data: [DONE]\n\n").encode()
                kind = "text/event-stream"
            else:
                raw, kind = json.dumps(answer.body).encode(), "application/json"
            self.send_response(answer.status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(raw)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    state.url = f"http://127.0.0.1:{http.server_address[1]}/v1"
    yield state
    http.shutdown()
    http.server_close()
    thread.join()
