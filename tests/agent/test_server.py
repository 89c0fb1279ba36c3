"""``reverie serve``: the real server on the loopback address, asked by the real openai client."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import httpx
import openai
import pytest
from openai.types.chat import ChatCompletionUserMessageParam
from typer.testing import CliRunner

from reverie.agent.models.base import Usage
from reverie.agent.serve_commands import app
from reverie.agent.server import ReplyOptions
from reverie.agent.server_address import is_loopback, listen, names_loopback, url_of
from reverie.agent.server_app import BODY_LIMIT, Front
from reverie.agent.server_keys import KeyRing, add_key
from reverie.agent.server_run import Server
from reverie.errors import ContextOverflow, SettingsError

MODEL = "echo/one"
HI: list[ChatCompletionUserMessageParam] = [{"role": "user", "content": "hello there"}]


@dataclass
class Echo:
    """Says whose turn it is and what was said last, word by word."""

    words: tuple[str, ...]
    usage: Usage
    sources: Sequence[str] = ("m1", "m2")
    before: Callable[[str], None] = lambda word: None
    ended: Callable[[], None] = lambda: None

    def __iter__(self) -> Iterator[str]:
        try:
            for word in self.words:
                self.before(word)
                yield word
        finally:
            self.ended()


@dataclass
class Asked:
    """A call of the service."""

    user: str
    messages: list[dict[str, str]]
    session: str
    options: ReplyOptions


@dataclass
class EchoService:
    """Echoes, and keeps what it was asked. ``slow`` goes on for ever, ``wait`` till ``go``."""

    model_id: str = MODEL
    asked: list[Asked] = field(default_factory=list[Asked])
    active: dict[str, int] = field(default_factory=dict[str, int])
    most_active: dict[str, int] = field(default_factory=dict[str, int])
    ended: threading.Event = field(default_factory=threading.Event)
    began: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)
    closed: bool = False

    def reply(
        self,
        user: str,
        messages: Sequence[Mapping[str, str]],
        *,
        session: str,
        options: ReplyOptions,
    ) -> Echo:
        said = messages[-1]["content"]
        self.asked.append(Asked(user, [dict(one) for one in messages], session, options))
        if said == "too long":
            raise ContextOverflow("the prompt has 9 tokens, secret/path.gguf reads 8")
        if said == "break":
            raise ValueError("secret insides")
        self.active[user] = self.active.get(user, 0) + 1
        self.most_active[user] = max(self.most_active.get(user, 0), self.active[user])
        words = [f"{user}: ", *(f"{word} " for word in said.split())]
        words = words * 2000 if said == "slow" else words
        usage = Usage(prompt_tokens=7, completion_tokens=len(words), cached_tokens=2)
        self.began.set()
        return Echo(tuple(words), usage, before=self._before(said), ended=lambda: self._end(user))

    def close(self) -> None:
        self.closed = True

    def _end(self, user: str) -> None:
        self.active[user] -= 1
        self.ended.set()

    def _before(self, said: str) -> Callable[[str], None]:
        def pause(word: str) -> None:
            if said == "wait":
                assert self.go.wait(5)
            if said in ("slow", "nap"):
                time.sleep(0.01)
            if word == "midway ":
                raise ValueError("secret insides")

        return pause


@dataclass
class Place:
    """A running server."""

    url: str
    service: EchoService
    server: Server

    def client(self, key: str = "none") -> openai.OpenAI:
        """The real client. Reading certificates would take longer than all it does here."""
        http = httpx.Client(verify=False, trust_env=False)
        return openai.OpenAI(
            base_url=self.url, api_key=key, max_retries=0, timeout=10, http_client=http
        )


@contextmanager
def running(
    keys: KeyRing | None = None, places: int = 8, service: EchoService | None = None
) -> Generator[Place]:
    """A server in a thread on a free port."""
    service = service or EchoService()
    server = Server(Front(service, keys=keys, places=places, clock=lambda: 1_700_000_000.0))
    with listen("127.0.0.1", 0) as door:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
        thread.start()
        try:
            yield Place(url_of("127.0.0.1", door.getsockname()[1]), service, server)
        finally:
            service.go.set()
            server.stop()
            thread.join(10)
            assert not thread.is_alive()


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """One server for the tests that leave it as it was."""
    with running() as found:
        yield found


@pytest.fixture(scope="module")
def http(place: Place) -> Iterator[httpx.Client]:
    """Asks the one server what the openai client would not."""
    with httpx.Client(
        base_url=place.url.removesuffix("/v1"), verify=False, trust_env=False
    ) as client:
        yield client


def _get(url: str) -> httpx.Response:
    return httpx.get(url, verify=False, trust_env=False)


def _post(http: httpx.Client, body: object, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return http.post("/v1/chat/completions", json=body, headers=named)


def _error(response: httpx.Response, status: int) -> dict[str, str | None]:
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error


def test_a_reply_comes_whole_with_its_usage_session_and_sources(place: Place) -> None:
    with place.client() as client:
        got = client.chat.completions.create(
            model=MODEL, messages=HI, temperature=0.5, max_tokens=9, seed=3
        )
    assert got.choices[0].message.content == "default: hello there "
    assert got.choices[0].finish_reason == "stop"
    assert got.created == 1_700_000_000 and got.model == MODEL
    assert got.usage and (got.usage.prompt_tokens, got.usage.total_tokens) == (7, 10)
    assert got.usage.prompt_tokens_details
    assert got.usage.prompt_tokens_details.cached_tokens == 2
    asked = place.service.asked[-1]
    assert asked.messages == [{"role": "user", "content": "hello there"}]
    assert asked.options == ReplyOptions(temperature=0.5, max_tokens=9, seed=3)
    assert got.model_extra and got.model_extra["reverie"] == {
        "session": asked.session,
        "sources": ["m1", "m2"],
    }


def test_a_reply_that_used_up_its_tokens_ended_for_its_length(place: Place) -> None:
    with place.client() as client:
        got = client.chat.completions.create(model=MODEL, messages=HI, max_completion_tokens=3)
    assert got.choices[0].finish_reason == "length"


def test_a_stream_names_the_role_then_the_text_then_why_it_ends(place: Place) -> None:
    with place.client() as client:
        chunks = list(client.chat.completions.create(model=MODEL, messages=HI, stream=True))
    deltas = [chunk.choices[0].delta for chunk in chunks]
    assert deltas[0].role == "assistant" and not deltas[0].content
    assert [delta.content for delta in deltas[1:-1]] == ["default: ", "hello ", "there "]
    assert [chunk.choices[0].finish_reason for chunk in chunks[-2:]] == [None, "stop"]
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[-1].model_extra and chunks[-1].model_extra["reverie"]["sources"] == ["m1", "m2"]


def test_a_stream_tells_its_usage_to_those_who_ask(place: Place) -> None:
    with place.client() as client:
        *_, last = client.chat.completions.create(
            model=MODEL, messages=HI, stream=True, stream_options={"include_usage": True}
        )
    assert last.choices == []
    assert last.usage and last.usage.completion_tokens == 3


def test_a_stream_is_server_sent_events_and_ends_with_done(http: httpx.Client) -> None:
    got = _post(http, {"model": MODEL, "messages": HI, "stream": True})
    assert got.headers["content-type"].startswith("text/event-stream")
    events = got.text.split("\n\n")
    assert all(line.startswith("data: ") for line in events[:-1])
    assert events[-2:] == ["data: [DONE]", ""]


def test_the_models_are_listed_and_found_by_name(place: Place) -> None:
    with place.client() as client:
        assert [model.id for model in client.models.list()] == [MODEL]
        assert client.models.retrieve(MODEL).owned_by == "reverie"
        with pytest.raises(openai.NotFoundError) as caught:
            client.models.retrieve("gpt-5")
        assert caught.value.code == "model_not_found"
        with pytest.raises(openai.NotFoundError, match="echo/one"):
            client.chat.completions.create(model="gpt-5", messages=HI)


def test_health_needs_no_key() -> None:
    with running(KeyRing([])) as place:
        assert _get(place.url.removesuffix("v1") + "health").json() == {"status": "ok"}
        assert _get(place.url + "/models").status_code == 401


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"model": None}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": "hello"}, "messages"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
        ({"messages": [*HI, {"role": "user", "content": 3}]}, "messages[1].content"),
        ({"messages": [{"role": "user", "content": ["x"]}]}, "messages[0].content[0]"),
        ({"temperature": 3}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"n": 2}, "n"),
        ({"stream_options": {"include_usage": "x"}}, "stream_options.include_usage"),
        ({"metadata": {"session": 3}}, "metadata.session"),
        ({"user": "x" * 300}, "user"),
    ],
)
def test_a_wrong_field_is_named(http: httpx.Client, change: dict[str, object], param: str) -> None:
    error = _error(_post(http, {"model": MODEL, "messages": HI, **change}), 400)
    assert error["param"] == param
    assert error["message"] and error["message"].startswith(f"{param}: ")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b'{"model": "\\ud800"}'])
def test_what_is_no_json_object_is_refused(http: httpx.Client, body: bytes) -> None:
    error = _error(http.post("/v1/chat/completions", content=body), 400)
    assert error["message"] and "no JSON object" in error["message"]


def test_text_parts_are_joined_and_images_refused(place: Place, http: httpx.Client) -> None:
    parts: list[object] = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    told = [{"role": "developer", "content": "be kind"}, {"role": "user", "content": parts}]
    assert _post(http, {"model": MODEL, "messages": told, "what": {"is": "this"}}).is_success
    assert place.service.asked[-1].messages == [
        {"role": "system", "content": "be kind"},
        {"role": "user", "content": "one\ntwo"},
    ]
    parts.append({"type": "image_url", "image_url": {"url": "data:,"}})
    error = _error(_post(http, {"model": MODEL, "messages": told}), 400)
    assert error["param"] == "messages[1].content[2]"
    assert error["message"] and "send text parts only" in error["message"]


def test_paths_and_methods_that_are_not_there_are_refused_in_the_same_shape(
    http: httpx.Client,
) -> None:
    _error(http.get("/v1/nothing"), 404)
    got = http.get("/v1/chat/completions")
    _error(got, 405)
    assert got.headers["allow"] == "POST"


def test_a_body_over_the_limit_is_refused_and_one_below_is_not(http: httpx.Client) -> None:
    rest = len(json.dumps({"model": MODEL, "messages": [{"role": "user", "content": ""}]}))
    for size, status in ((BODY_LIMIT + 1, 413), (BODY_LIMIT - rest, 200)):
        text = "x" * size
        got = _post(http, {"model": MODEL, "messages": [{"role": "user", "content": text}]})
        assert got.status_code == status
    _error(http.post("/v1/chat/completions", content=iter([b"x" * 2**20] * 5)), 413)


def test_a_fault_of_the_service_shows_nothing_of_its_insides(
    http: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    for stream in (False, True):
        told = [{"role": "user", "content": "break"}]
        got = _post(http, {"model": MODEL, "messages": told, "stream": stream})
        assert _error(got, 500)["code"] == "internal_error"
        assert "secret" not in got.text
    assert "secret insides" in caplog.text


def test_a_conversation_that_does_not_fit_is_the_clients_to_mend(http: httpx.Client) -> None:
    got = _post(http, {"model": MODEL, "messages": [{"role": "user", "content": "too long"}]})
    assert _error(got, 400)["code"] == "context_length_exceeded"
    assert "secret" not in got.text


def test_a_fault_in_the_middle_of_a_stream_reaches_the_client(place: Place) -> None:
    heard: list[str] = []
    with place.client() as client:
        stream = client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "one midway"}], stream=True
        )
        with pytest.raises(openai.APIError, match="its log says what"):
            heard.extend(chunk.choices[0].delta.content or "" for chunk in stream)


def test_a_session_is_the_clients_or_known_by_how_the_conversation_began(
    place: Place, http: httpx.Client
) -> None:
    def session(*said: str, **rest: object) -> str:
        roles = ("system", "user", "assistant", "user")
        told = [{"role": role, "content": text} for role, text in zip(roles, said, strict=False)]
        head = str(rest.pop("head", ""))
        assert _post(http, {"model": MODEL, "messages": told, **rest}, X_Reverie_Session=head)
        return place.service.asked[-1].session

    first = session("sys", "hi")
    assert session("sys", "hi", "hello", "more") == first
    assert len({first, session("sys", "ho"), session("sis", "hi")}) == 3
    assert session("sys", "hi", user="u") == "u"
    assert session("sys", "hi", user="u", metadata={"session": "m"}) == "m"
    assert session("sys", "hi", user="u", metadata={"session": "m"}, head="h") == "h"


def test_incognito_reaches_the_service_and_is_never_misread(
    place: Place, http: httpx.Client
) -> None:
    for said, meant in (("1", True), ("true", True), ("0", False), ("", False)):
        assert _post(http, {"model": MODEL, "messages": HI}, X_Reverie_Incognito=said).is_success
        assert place.service.asked[-1].options.incognito is meant
    got = _post(http, {"model": MODEL, "messages": HI}, X_Reverie_Incognito="please")
    assert _error(got, 400)["param"] == "X-Reverie-Incognito"


def test_two_keys_are_two_users_and_any_other_is_none(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    keys = {user: add_key(path, user) for user in ("ann", "bob")}
    with running(KeyRing.load(path)) as place:
        clients = {user: place.client(key) for user, key in keys.items()}

        def ask(user: str) -> str | None:
            got = clients[user].chat.completions.create(model=MODEL, messages=HI)
            return got.choices[0].message.content

        users = ["ann", "bob"] * 6
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(ask, users)) == [f"{user}: hello there " for user in users]
        sessions = {(asked.user, asked.session) for asked in place.service.asked}
        assert len(sessions) == len({session for _, session in sessions}) == 2
        for client in clients.values():
            client.close()
        for wrong in ("none", keys["ann"][:-1], sha256(keys["ann"].encode()).hexdigest()):
            with place.client(wrong) as client, pytest.raises(openai.AuthenticationError):
                client.chat.completions.create(model=MODEL, messages=HI)
        assert len(place.service.asked) == len(users)


def test_a_client_that_leaves_stops_its_reply(place: Place) -> None:
    service = place.service
    slow: list[ChatCompletionUserMessageParam] = [{"role": "user", "content": "slow"}]
    service.ended.clear()
    with place.client() as client:
        stream = client.chat.completions.create(model=MODEL, messages=slow, stream=True)
        next(iter(stream))
        stream.close()
    assert service.ended.wait(5)
    service.ended.clear()
    with place.client().with_options(timeout=0.2) as client, pytest.raises(openai.APITimeoutError):
        client.chat.completions.create(model=MODEL, messages=slow)
    assert service.ended.wait(5)
    with place.client() as client:
        assert client.chat.completions.create(model=MODEL, messages=HI)


def test_more_than_the_limit_in_flight_are_told_to_wait() -> None:
    with running(places=1) as place, place.client() as client, ThreadPoolExecutor(1) as pool:
        wait: list[ChatCompletionUserMessageParam] = [{"role": "user", "content": "wait"}]
        first = pool.submit(client.chat.completions.create, model=MODEL, messages=wait)
        assert place.service.began.wait(5)
        with pytest.raises(openai.RateLimitError) as caught:
            client.chat.completions.create(model=MODEL, messages=HI)
        assert caught.value.response.headers["retry-after"] == "1"
        assert client.models.list()
        place.service.go.set()
        assert first.result(5)
        assert client.chat.completions.create(model=MODEL, messages=HI)


def test_replies_of_one_user_are_made_one_after_the_other(tmp_path: Path) -> None:
    keys = {user: add_key(tmp_path / "keys", user) for user in ("ann", "bob")}
    with running(KeyRing.load(tmp_path / "keys")) as place, ThreadPoolExecutor(6) as pool:
        clients = [place.client(key) for key in keys.values()] * 3

        def ask(client: openai.OpenAI) -> object:
            return client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": "nap"}]
            )

        assert all(pool.map(ask, clients))
        assert place.service.most_active == {"ann": 1, "bob": 1}
        for client in clients[:2]:
            client.close()


def test_a_server_that_stops_ends_its_replies_and_tells_the_client() -> None:
    with running() as place, place.client() as client:
        stream = client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "slow"}], stream=True
        )
        chunks = iter(stream)
        next(chunks)
        place.server.stop()
        with pytest.raises(openai.APIError, match="shutting down"):
            for _ in chunks:
                pass
        assert place.service.active == {"default": 0}


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("Host", "localhost:8000", 200),
        ("Host", "[::1]", 200),
        ("Host", "evil.example", 403),
        ("Host", "127.0.0.1.evil.example:80", 403),
        ("Host", "[", 403),
        ("Origin", "http://localhost:3000", 200),
        ("Origin", "https://evil.example", 403),
        ("Origin", "null", 403),
    ],
)
def test_without_keys_no_web_page_of_elsewhere_is_answered(
    http: httpx.Client, header: str, value: str, status: int
) -> None:
    assert http.get("/health", headers={header: value}).status_code == status


def test_addresses_of_this_machine_are_known() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.8.8.8", "::1", "localhost", "LOCALHOST")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.1.2", "localhost.evil", "")))
    assert names_loopback("[::1]:80") and not names_loopback("")
    assert url_of("::1", 80) == "http://[::1]:80/v1"


def test_a_keys_file_holds_no_key_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text("# mine\n\nold:" + "0" * 64, encoding="utf-8")
    path.chmod(0o644)
    key = add_key(path, " ann ")
    assert key not in path.read_text(encoding="utf-8")
    assert path.stat().st_mode & 0o777 == 0o600
    ring = KeyRing.load(path)
    found = ring.find(key)
    assert found and found.user == "ann" and len(ring) == 2
    assert ring.find("") is None and ring.find(key + "x") is None
    path.chmod(0o666)
    with pytest.raises(SettingsError, match="chmod 600"):
        KeyRing.load(path)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "there is no keys file"),
        ("", "holds no key"),
        ("root:x:0:0", "line 1: not of the form"),
        ("a:" + "0" * 64 + "\nb:" + "0" * 64, "line 2: this key already"),
    ],
)
def test_a_keys_file_that_cannot_be_used_says_why(
    tmp_path: Path, text: str | None, why: str
) -> None:
    path = tmp_path / "keys"
    if text is not None:
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
    with pytest.raises(SettingsError, match=why):
        KeyRing.load(path)


def test_a_key_is_not_added_to_another_file_or_for_nobody(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("buy milk\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="line 1"):
        add_key(tmp_path / "notes", "ann")
    for nobody in ("", " ", "#x", "a\nb"):
        with pytest.raises(SettingsError, match="name"):
            add_key(tmp_path / "keys", nobody)


def _command(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_new_key_shows_the_key_once_and_keeps_its_hash(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    key = _command("--keys", str(path), "--new-key", "ann").strip()
    ring = KeyRing.load(path)
    found = ring.find(key)
    assert found and found.user == "ann"
    told = json.loads(_command("--keys", str(path), "--new-key", "bob", "--json"))
    assert told["user"] == "bob" and len(KeyRing.load(path)) == 2
    with pytest.raises(SettingsError, match="--keys FILE"):
        _command("--new-key", "ann")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "::"])
def test_without_keys_other_addresses_are_refused_with_what_to_do(host: str) -> None:
    with pytest.raises(SettingsError, match=r"--new-key USER.*--keys FILE --host"):
        _command("--host", host)


def test_a_port_that_is_taken_is_one_line() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"port {port}"):
            _command("--port", str(port))


def test_help_names_every_option() -> None:
    text = _command("--help")
    for option in ("host", "port", "keys", "new-key", "user", "memory", "model", "max-requests"):
        assert f"--{option}" in text


SCRIPT = """
import sys, time, types
from reverie.agent.serve_commands import app

class Service:
    model_id = "tiny"
    def __init__(self, memory, model): self.opened = (memory, model)
    def reply(self, *_, **__): print("began", flush=True); time.sleep(60)
    def close(self): print("closed", *self.opened, flush=True)

fake = types.ModuleType("reverie.agent.assistant")
fake.open_service = Service
sys.modules["reverie.agent.assistant"] = fake
app(["--port", "0", "--memory", "ephemeral:", "--model", "m"])
"""


@contextmanager
def _commanded() -> Generator[tuple[subprocess.Popen[str], list[str]]]:
    """``reverie serve`` in a process of its own, and what it said at the start."""
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
    ) as process:
        try:
            assert process.stdout
            yield process, [process.stdout.readline() for _ in range(6)]
        finally:
            process.kill()


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_the_command_says_where_it_is_and_a_signal_ends_it_in_order(by: signal.Signals) -> None:
    with _commanded() as (process, said):
        url = said[0].split()[-1]
        assert _get(f"{url}/models").json()["data"][0]["id"] == "tiny"
        assert "tiny" in said[1] and "ephemeral:" in said[2] and url in said[4]
        process.send_signal(by)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, "closed ephemeral: m\n", "Stopped.\n")


def test_a_second_ctrl_c_does_not_wait_for_a_model_that_says_nothing() -> None:
    with _commanded() as (process, said), ThreadPoolExecutor(1) as pool:
        assert process.stdout and process.stderr
        with openai.OpenAI(base_url=said[0].split()[-1], api_key="none", max_retries=0) as client:
            asked = pool.submit(client.chat.completions.create, model="tiny", messages=HI)
            assert process.stdout.readline() == "began\n"
            process.send_signal(signal.SIGINT)
            assert "again stops at once" in process.stderr.readline()
            process.send_signal(signal.SIGINT)
            assert process.wait(5) == 130
            assert isinstance(asked.exception(5), openai.APIConnectionError)


def test_the_border_loads_nothing_of_http() -> None:
    code = (
        "import sys, reverie.agent.server, reverie.agent.serve_commands as s;"
        "print([m for m in ('starlette', 'uvicorn', 'openai', 'chromadb') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
