"""``reverie serve``: an OpenAI-compatible endpoint over one memory.

A thin skin: it parses, opens the service, prints where it is, and serves.
"""

from __future__ import annotations

import signal
import sys
from contextlib import ExitStack, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import MissingExtra, SettingsError
from ..memory.address import data_folder
from ..memory.terminal import AsJson, Url, User, answer, print_json
from .server import Closable
from .server_address import is_loopback, listen, url_of
from .server_keys import KeyRing, add_key

if TYPE_CHECKING:
    import socket

    from .server import ChatService

app = typer.Typer(
    name="serve",
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def serve(
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; others need --keys.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")
    ] = 8000,
    keys: Annotated[
        Path | None,
        typer.Option("--keys", help="File of API keys; each stands for a user with a memory."),
    ] = None,
    new_key: Annotated[
        str | None,
        typer.Option(
            "--new-key", metavar="USER", help="Add a key for USER to --keys, show it once, leave."
        ),
    ] = None,
    user: User = "default",
    memory: Url = None,
    model: Annotated[
        str, typer.Option("--model", help="local, local:FILE.gguf, URL#NAME, or any litellm name.")
    ] = "local",
    max_requests: Annotated[
        int, typer.Option("--max-requests", min=1, help="In flight at once; more are told to wait.")
    ] = 8,
    as_json: AsJson = False,
) -> None:
    """Serve the assistant to any program that speaks OpenAI's chat protocol.

    It remembers each user's conversations and recalls what helps. Without keys it is reached from
    this machine only, and everything belongs to --user. With --keys every user has a key and a
    memory of their own.

    A client names its conversation in the header X-Reverie-Session; without it, one that begins
    with the same messages is the same. X-Reverie-Incognito: 1 leaves nothing in memory.

    [bold]Examples[/bold]

    reverie serve

    reverie serve --keys keys.txt --new-key ann

    reverie serve --keys keys.txt --host 0.0.0.0 --model openai/gpt-5-mini
    """
    if new_key is not None:
        _new_key(keys, new_key, as_json)
        return
    ring = None if keys is None else KeyRing.load(keys)
    if ring is None and not is_loopback(host):
        raise SettingsError(
            f"--host {host} would open the memory to everyone who reaches it. Make keys first "
            f"(reverie serve --keys FILE --new-key USER), then: reverie serve --keys FILE "
            f"--host {host}"
        )
    for package in ("starlette", "uvicorn"):
        if find_spec(package) is None:
            raise MissingExtra(package, "serve")
    where = memory or str(data_folder() / "memory")
    whose = f"of user {user}, without a key" if ring is None else f"of the users in {keys}"
    with ExitStack() as held:
        door = held.enter_context(listen(host, port))
        url = url_of(host, door.getsockname()[1])
        service = _open(where, model)
        if isinstance(service, Closable):
            held.callback(service.close)
        said = {"url": url, "model": service.model_id, "memory": where}
        answer(as_json, said, _welcome(url, service.model_id, f"{where} ({whose})", keys))
        sys.stdout.flush()
        if not is_loopback(host):
            note = "Keys and conversations travel unencrypted: put a proxy with TLS in front of it."
            print(note, file=sys.stderr)
        _run(service, ring, user, max_requests, door)
    print("Stopped.", file=sys.stderr)


def _new_key(keys: Path | None, user: str, as_json: bool) -> None:
    if keys is None:
        raise SettingsError(f"where to keep the key? Add --keys FILE: --keys FILE --new-key {user}")
    key = add_key(keys, user)
    if as_json:
        print_json({"user": user.strip(), "key": key, "keys": str(keys)})
        return
    print(key)
    print(
        f"The key of {user.strip()}. {keys} holds only its hash: it is not shown again. A server "
        "that runs takes it after a restart.",
        file=sys.stderr,
    )


def _open(memory: str, model: str) -> ChatService:
    from .assistant import open_service

    return open_service(memory, model)


def _welcome(url: str, model: str, memory: str, keys: Path | None) -> str:
    key = "none" if keys is None else "KEY"
    lines = [
        f"Reverie serves at {url}",
        f"  model   {model}",
        f"  memory  {memory}",
        "Point a client at it:",
        f"  export OPENAI_BASE_URL={url} OPENAI_API_KEY={key}",
        f"and ask for the model {model}. Ctrl-C stops it.",
    ]
    return "\n".join(lines)


def _run(
    service: ChatService, keys: KeyRing | None, user: str, places: int, door: socket.socket
) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    from .server_app import Front
    from .server_run import Server

    server = Server(Front(service, keys=keys, user=user, places=places))
    # uvicorn raises the signal anew when it is done: let SIGTERM, too, leave us time to close.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with suppress(KeyboardInterrupt):
            server.run(sockets=[door])
    finally:
        signal.signal(signal.SIGTERM, before)
