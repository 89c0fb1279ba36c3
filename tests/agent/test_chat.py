"""``reverie chat`` through its command line: what is typed, what is shown, what is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reverie.agent.chat_commands import app
from reverie.agent.chat_room import HELP
from reverie.memory.memory import Memory
from reverie.memory.records import Kind, Scope


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A memory with the quick embedder."""
    folder = tmp_path / "memory"
    with Memory.open(folder, embedder="hashing:32") as memory:
        memory.stats()
    return folder


def talk(store: Path, *lines: str, options: tuple[str, ...] = ()) -> str:
    """What is shown when these lines are typed."""
    line = ["--memory", str(store), "--model", "scripted:I see.", *options]
    result = CliRunner().invoke(app, line, input="\n".join(lines) + "\n")
    assert result.exit_code == 0, result.output
    return result.output


def texts(store: Path) -> list[str]:
    with Memory.open(store) as memory:
        records = memory.list(scope=Scope(user="default"), kind=Kind.UTTERANCE)
    return [record.text for record in records if record.origin.source == "user"]


def test_what_is_typed_is_answered_and_kept_over_restarts(store: Path) -> None:
    assert "I see." in talk(store, "My boat is called Nessie.")
    talk(store, "What is my boat called?", "/quit", "never read")
    assert texts(store) == ["My boat is called Nessie.", "What is my boat called?"]


def test_why_tells_who_said_what_and_when(store: Path) -> None:
    talk(store, "My boat is called Nessie.", options=("--session", "may"))
    shown = talk(store, "What is my boat called?", "/why", options=("--session", "june"))
    assert "Nessie" in shown
    assert "may" in shown
    assert "No memory stood behind" in talk(store, "/why")


def test_what_holds_is_told_from_memory_alone(store: Path) -> None:
    shown = talk(store, "I live in Graz.", "I moved to Linz.", "Where do I live?", "/facts")
    assert "↳ user: home is Linz" in shown
    assert "home is Graz" not in shown.split("↳")[1]
    assert "1 known." in shown


def test_forgetting_asks_for_an_id_and_then_forgets_for_good(store: Path) -> None:
    talk(store, "The code is 4711.", "The sky is blue.")
    assert "give one's id" in talk(store, "/forget code")
    with Memory.open(store) as memory:
        (name,) = [r.id for r in memory.list(scope=Scope(user="default")) if "4711" in r.text]
    assert "Forgotten for good: 1 record" in talk(store, f"/forget {name[:12]}")
    assert texts(store) == ["The sky is blue."]
    assert "Forget what?" in talk(store, "/forget")


def test_incognito_keeps_nothing_until_it_is_ended(store: Path) -> None:
    shown = talk(store, "secret", "/incognito", "public", options=("--incognito",))
    assert "nothing is remembered" in shown
    assert "remembering again" in shown
    assert texts(store) == ["public"]


def test_memories_help_export_and_sessions(store: Path, tmp_path: Path) -> None:
    file = tmp_path / "all.jsonl"
    shown = talk(
        store, "I like tea.", "/memories", "/memories tea", "/help", f"/export {file}",
        "/session other", "/nonsense",
    )  # fmt: skip
    assert shown.count("I like tea.") >= 2
    assert HELP.splitlines()[0] in shown
    assert "records written" in shown
    assert file.read_text().count("\n") >= 2
    assert "Session other." in shown
    assert "/nonsense is not known" in shown


def test_json_gives_an_object_a_line(store: Path) -> None:
    shown = talk(store, "My boat is called Nessie.", "And my boat?", options=("--json",))
    replies = [json.loads(line) for line in shown.splitlines()]
    assert [one["reply"] for one in replies] == ["I see.", "I see."]
    assert all(one["usage"]["prompt_tokens"] > 0 for one in replies)


def test_a_failing_model_ends_no_conversation(store: Path) -> None:
    line = ["--memory", str(store), "--model", "none"]
    result = CliRunner().invoke(app, line, input="hello there\nagain\n")
    assert result.exit_code == 0
    assert texts(store) == ["hello there", "again"]
