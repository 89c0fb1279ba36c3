"""``reverie memory``: what each command prints, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from reverie.memory.commands import app
from reverie.memory.memory import Memory


class Shell:
    """Runs ``reverie memory`` on one store."""

    def __init__(self, folder: Path) -> None:
        self._runner = CliRunner()
        self._env = {"REVERIE_MEMORY": str(folder), "REVERIE_USER": "ann", "NO_COLOR": "1"}

    def __call__(self, *arguments: str, code: int = 0) -> str:
        result = self._runner.invoke(app, list(arguments), env=self._env)
        assert result.exit_code == code, result.output
        return result.stdout

    def json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self(*arguments, "--json", code=code))


@pytest.fixture
def shell(folder: Path) -> Shell:
    Memory.open(folder, embedder="hashing:64").close()
    shell = Shell(folder)
    for name, text in (("a", "I live in Berlin"), ("b", "cats like\nfish")):
        assert shell("add", text, "--id", name, "--embedder", "hashing:64").strip() == name
    return shell


def test_added_records_are_listed_shown_and_found(shell: Shell) -> None:
    assert [line.split("\t")[0] for line in shell("list").splitlines()] == ["a", "b"]
    assert "cats like fish" in shell("list", "--where", "speaker=ann", "--limit", "5")
    assert shell.json("show", "a")["text"] == "I live in Berlin"
    assert "text: I live in Berlin" in shell("show", "a")
    hits = shell.json("search", "where is Berlin", "-k", "1")["hits"]
    assert hits[0]["record"]["id"] == "a"
    assert shell.json("search", "Berlin", "--user", "bob") == {"hits": []}


def test_forget_asks_first_with_dry_run(shell: Shell) -> None:
    assert shell.json("forget", "a", "--dry-run")["forgotten"] == ["a"]
    assert len(shell.json("list")["records"]) == 2
    assert shell("forget", "a", "--yes").startswith("1 forgotten")
    assert shell.json("verify", "--absent", "Berlin")["ok"] is True
    assert shell.json("verify", "--absent", "fish", code=1)["found"]


def test_history_stats_and_reindex_say_what_there_is(shell: Shell) -> None:
    assert shell.json("history", "a")["versions"][0]["action"] == "add"
    assert "add" in shell("history", "a")
    assert shell.json("stats")["kinds"] == {"utterance": 2}
    assert shell.json("reindex", "--embedder", "hashing:32") == {"indexed": 2}
    assert shell.json("stats")["dim"] == 32


def test_an_export_goes_into_another_store(shell: Shell, tmp_path: Path) -> None:
    assert shell.json("export", str(tmp_path / "x.jsonl"))["records"] == 2
    other = Shell(tmp_path / "other")
    answer = other.json("import", str(tmp_path / "x.jsonl"), "--embedder", "hashing:64")
    assert answer == {"written": 2, "known": 0}


def test_a_damaged_journal_is_salvaged(shell: Shell, folder: Path) -> None:
    with Memory.open(folder) as memory:
        from reverie.memory.records import Origin, Record, Scope, UtterancePayload

        scope = Scope(user="ann")
        memory.add(
            [
                Record(
                    id=f"n{i}",
                    scope=scope,
                    text=f"note {i}",
                    payload=UtterancePayload(speaker="ann"),
                    origin=Origin(source="user"),
                )
                for i in range(500)
            ]
        )
        memory.update("n3", scope=scope, text="note three")
        memory.recall("note", scope=scope)
    journal = folder / "journal.db"
    data = bytearray(journal.read_bytes())
    data[-3 * 8192 :] = b"\xff" * (3 * 8192)
    journal.write_bytes(data)
    saved = shell.json("salvage")
    assert saved["records"] + saved["lost"] == 502
    assert saved["records"] >= 300
    report = shell.json("verify")
    assert report["ok"], report
    assert Path(saved["damaged"]).exists()
