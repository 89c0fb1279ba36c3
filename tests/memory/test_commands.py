"""``reverie memory``: what each command prints, and its exit codes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from reverie.memory import terminal
from reverie.memory.commands import app
from reverie.memory.dialogue import DialogueMemory, Message
from reverie.memory.facts import FactMemory, values
from reverie.memory.memory import Memory
from reverie.memory.recalls import Shortlist
from reverie.memory.recollection import Choice
from reverie.memory.records import DerivedPayload, Origin, Record, Scope, UtterancePayload


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


def test_forgetting_a_session_takes_its_facts_and_lets_earlier_ones_hold_again(
    folder: Path,
) -> None:
    ann = Scope(user="ann")
    with Memory.open(folder, embedder="hashing:64") as memory:
        dialogue, facts = DialogueMemory(memory, ann), FactMemory(memory, ann)
        for session, text in (("a", "I live in Graz."), ("b", "I moved to Linz.")):
            at = datetime(2026, 1, 1 if session == "a" else 2, tzinfo=UTC)
            dialogue.add([Message(text=text, at=at)], session=session)
            facts.read(dialogue.transcript(session))
        first, second = (dialogue.transcript(session)[0] for session in "ab")
        both = DerivedPayload(kind="summary", title="where ann lives")
        memory.add(
            second.model_copy(
                update={"id": "both", "payload": both, "sources": (first.id, second.id)}
            )
        )
    receipt = Shell(folder).json("forget", "--all", "--session", "b", "--yes")
    assert receipt["forgotten"] and "both" in [*receipt["forgotten"], *receipt["derived"]]
    with Memory.open(folder) as memory:
        assert values(FactMemory(memory, ann).current("user", "home")) == ["Graz"]


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


CASE = '{"task": "heat the egg", "steps": ["take egg", "heat egg"], "reward": 1}'


def test_cases_of_others_are_imported_and_bad_rows_are_listed(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text(f'{CASE}\n{{"task": "boil"}}\n{{"task": "fry"}}\n[]\n')
    said = shell("import-cases", str(file), code=4)
    assert said.startswith("1 cases written, 0 counted by an equal outcome, 0 known already; 1 suc")
    assert "bad row, lines 2-3: reward: Field required" in said
    assert "bad row, line 4: no JSON object" in said
    done = shell.json("import-cases", str(file), "--format", "trajectories", code=4)
    assert (done["written"], done["known"]) == (0, 1)
    assert [row["line"] for row in done["bad"]] == [2, 3, 4]
    (record,) = shell.json("list", "--kind", "case", "--agent", "reverie")["records"]
    assert record["origin"]["detail"] == "cases.jsonl"


def test_strict_writes_nothing_of_a_file_with_a_bad_row(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text(f"{CASE}\n[]\n")
    done = shell.json("import-cases", str(file), "--strict", code=1)
    assert done["written"] == 0 and [row["line"] for row in done["bad"]] == [2]
    assert shell("import-cases", str(file), "--strict", code=1).startswith("nothing was written")
    assert shell.json("list", "--kind", "case") == {"records": []}
    file.write_text(CASE)
    assert shell.json("import-cases", str(file), "--strict", "--split", "train")["written"] == 1
    assert shell.json("list", "--where", "split=train")["records"]


def test_show_tells_what_showing_a_memory_changed(shell: Shell, folder: Path) -> None:
    assert "effect of showing it: not measurable: never drawn" in shell("show", "a")
    scope = Scope(user="ann")
    with Memory.open(folder) as memory:
        for reward, shown in ((1.0, True), (1.0, True), (0.0, False)):
            ids = ("a",) if shown else ()
            left = () if shown else ("a",)
            choice = Choice(ids, {"a": 1.0}, dropped=left, dropout=0.3)
            done = memory.recall("Berlin", scope=scope, choose=partial(always, choice))
            memory.reward(done.id, reward)
    said = shell("show", "a")
    assert "recalls: offered 3, shown 2, left out by chance 1" in said
    assert "effect of showing it: reward +1.000, 95 % interval [" in said
    assert "Agresti-Caffo (mean reward 1.000 in 2 episodes with it, 0.000 in 1 without)" in said
    credit = shell.json("show", "a")["credit"]
    assert (credit["recalled"], credit["chosen"], credit["dropped"]) == (3, 2, 1)
    assert credit["contrast"]["change"] == 1.0 and len(credit["contrast"]["ci"]) == 2


def always(choice: Choice, found: Shortlist) -> Choice:
    return choice


def test_a_damaged_journal_is_salvaged(shell: Shell, folder: Path) -> None:
    with Memory.open(folder) as memory:
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


def test_without_a_terminal_long_work_says_how_far_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "BETWEEN_LINES", 0.0)
    with terminal.progress("Weaving") as watch:
        watch(1, 3)
        watch(2, 3, "loss 0.5")
    assert capsys.readouterr().err.splitlines() == ["Weaving: 1 of 3", "Weaving: 2 of 3, loss 0.5"]
    monkeypatch.undo()
    with terminal.progress("Weaving") as watch:
        watch(1, 3)
    assert capsys.readouterr().err == ""
