"""The assistant behind the real server: two keys are two people."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import openai
import pytest

from reverie.agent.assistant import Assistant
from reverie.agent.models.scripted import ScriptedModel
from reverie.agent.server_address import listen, url_of
from reverie.agent.server_app import Front
from reverie.agent.server_keys import KeyRing, add_key
from reverie.agent.server_run import Server
from reverie.memory.memory import Memory


@pytest.fixture
def clients(tmp_path: Path) -> Iterator[tuple[dict[str, openai.OpenAI], ScriptedModel]]:
    """A client for each of two users of one server, and the model behind it."""
    file = tmp_path / "keys"
    keys = {user: add_key(file, user) for user in ("ann", "eve")}
    model = ScriptedModel(["I see."], loop=True)
    with Memory.open(embedder="hashing:32") as memory, listen("127.0.0.1", 0) as door:
        url = url_of("127.0.0.1", door.getsockname()[1])
        front = Front(Assistant(model, memory), keys=KeyRing.load(file), user="", places=4)
        server = Server(front)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
        thread.start()
        made = {user: openai.OpenAI(base_url=url, api_key=key) for user, key in keys.items()}
        with closing(made["ann"]), closing(made["eve"]):
            yield made, model
        server.should_exit = True
        thread.join(10)


def test_two_keys_never_see_each_others_memory(
    clients: tuple[dict[str, openai.OpenAI], ScriptedModel],
) -> None:
    made, model = clients
    for round_ in range(3):
        for user, client in made.items():
            client.chat.completions.create(
                model=model.id,
                messages=[{"role": "user", "content": f"The {user}word is {user}{round_}."}],
            )
    for user, other in (("ann", "eve"), ("eve", "ann")):
        answer = made[user].chat.completions.create(
            model=model.id,
            messages=[{"role": "user", "content": "What is the word, annword, eveword?"}],
        )
        assert answer.choices[0].message.content == "I see."
        shown = " ".join(message.content for message in model.calls[-1].messages)
        assert f"{user}2" in shown
        assert f"{other}0" not in shown
        assert f"{other}2" not in shown
