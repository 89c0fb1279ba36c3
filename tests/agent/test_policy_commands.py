"""``reverie policy``: what its commands print, and that it is found from the front."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from reverie.agent.commands import app
from reverie.agent.learned_trigger import LearnedTrigger
from reverie.agent.policy import Candidate, SimilarityPolicy, State
from reverie.agent.state import Decision
from reverie.agent.trigger import KEPT_TRIGGER
from reverie.cli import call
from reverie.errors import MemoryFault
from reverie.memory.memory import Memory
from reverie.memory.recalls import Shortlist
from reverie.memory.recollection import Choice
from reverie.memory.records import Origin, Record, Scope, UtterancePayload

SCOPE = Scope(user="ann", agent="reverie")


class Shell:
    """Runs ``reverie policy`` on one store."""

    def __init__(self, folder: Path, recalls: list[str]) -> None:
        self.folder = folder
        self.recalls = recalls
        self._env = {"REVERIE_MEMORY": str(folder), "REVERIE_USER": "ann", "NO_COLOR": "1"}

    def __call__(self, *arguments: str) -> str:
        result = CliRunner().invoke(app, list(arguments), env=self._env, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--json"))


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A store with 60 recalls by similarity, two at a time, one slot in five left out."""
    folder = tmp_path_factory.mktemp("policy") / "store"
    rng, policy = random.Random(1), SimilarityPolicy(0.5, dropout=0.2)

    def choose(found: Shortlist) -> Choice:
        candidates = [Candidate(id=hit.record.id, similarity=hit.score) for hit in found.hits]
        got = policy.select(State(found.query, found.vector), candidates, 2, rng)
        return Choice(got.chosen, got.probabilities, got.policy, got.dropped, got.dropout)

    with Memory.open(folder, embedder="hashing:64") as memory:
        memory.add([_said(name) for name in ("cat", "dog", "owl")])
        recalls: list[str] = []
        for _ in range(80):
            found = memory.recall(
                "who likes fish", scope=SCOPE, choose=choose, context={"task": "t1"}
            )
            memory.reward(found.id, float("owl" in found.choice.chosen))
            recalls.append(found.id)
    return Shell(folder, recalls)


def _said(name: str) -> Record:
    return Record(
        id=name,
        scope=SCOPE,
        text=f"the {name} likes red fish",
        payload=UtterancePayload(speaker="ann"),
        origin=Origin(source="user"),
    )


def test_eval_prints_each_estimate_and_how_far_the_log_speaks(shell: Shell) -> None:
    printed = shell("eval", "--policy", "similarity", "--temperature", "0.4")
    assert [line.split("\t")[0] for line in printed.splitlines()[:4]] == [
        "on the log",
        "IPS",
        "SNIPS",
        "DR",
    ]
    assert "policy: similarity, k 2, dropout 0" in printed
    assert "used: 80 of 80 logged recalls (100%)" in printed
    assert "mean weight: " in printed


@pytest.mark.parametrize("policy", ["similarity", "utility", "kernel-q"])
def test_eval_judges_each_policy_by_name(shell: Shell, policy: str) -> None:
    found = shell.json("eval", str(shell.folder), "-p", policy, "--temperature", "0.8", "--k", "2")
    assert found["policy"] == policy
    assert found["k"] == 2
    for name in ("logged", "ips", "snips", "dr"):
        assert found[name]["ci"][0] <= found[name]["mean"] <= found[name]["ci"][1]
    assert found["overlap"]["used"] == 80


def test_eval_refuses_a_policy_the_log_says_nothing_of(shell: Shell) -> None:
    with pytest.raises(MemoryFault, match="Log more"):
        shell("eval", "--policy", "similarity", "--temperature", "0.0001", "--dropout", "0.9")
    with pytest.raises(MemoryFault, match="none of 0 logged recalls"):
        shell("eval", "--user", "bob")


def test_show_explains_a_choice(shell: Shell) -> None:
    found = shell.json("show", shell.recalls[0])
    assert found["query"] == "who likes fish"
    assert found["context"] == {"task": "t1"}
    assert found["policy"] == "similarity"
    by_id = {one["id"]: one for one in found["candidates"]}
    assert set(by_id) == {"cat", "dog", "owl"}
    assert by_id["owl"]["text"] == "the owl likes red fish"
    assert by_id["owl"]["recalled"] == 80
    assert by_id["owl"]["reward_mean"] == 1.0
    drawn = {*found["chosen"], *found["dropped"]}
    assert len(drawn) == 2
    for name, one in by_id.items():
        assert (one["probability"] is not None) == (name in drawn)
        assert one["fate"] in (("chosen", "dropped") if name in drawn else (None,))
    assert found["reward"] == float("owl" in found["chosen"])
    assert found["valued_by"] == "similarity" and found["value_of_nothing"] is None
    assert all(one["value"] == one["similarity"] for one in found["candidates"])


def test_show_tells_what_each_is_worth_to_a_policy_that_learnt(shell: Shell) -> None:
    found = shell.json("show", shell.recalls[0], "--policy", "kernel-q")
    worth = {one["id"]: one["value"] for one in found["candidates"]}
    assert max(worth, key=lambda name: worth[name]) == "owl"
    assert found["valued_by"] == "kernel-q" and found["value_of_nothing"] < worth["owl"]
    printed = shell("show", shell.recalls[0], "--policy", "kernel-q")
    assert (
        "values: by kernel-q, as learnt by now" in printed
        and "value of choosing nothing" in printed
    )


def test_show_prints_the_choice_for_a_person(shell: Shell) -> None:
    with Memory.open(shell.folder, embedder="hashing:64") as memory:
        logs = [log for log in memory.recalls(scope=SCOPE) if log.dropped]
    printed = shell("show", logs[0].id)
    assert printed.startswith("query: who likes fish\n")
    assert "policy: similarity, dropout 0.2" in printed
    assert "task: t1" in printed
    (row,) = [line.split("\t") for line in printed.splitlines() if "dropped\t" in line]
    assert row[0] == logs[0].dropped[0]
    assert row[3] == f"{logs[0].probabilities[row[0]]:.3f}"
    assert row[7] == f"the {row[0]} likes red fish"


def test_trigger_shows_what_was_learnt(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "store", [])
    learnt = LearnedTrigger()
    with Memory.open(shell.folder, embedder="hashing:64") as memory:
        memory.add([_said("cat")])
    assert "nothing learnt yet" in shell("trigger")
    learnt.learn([Decision(reason="pays", probability=0.5, features=(1.0,) * 8)], [300], 1.0)
    learnt.learn([Decision(reason="", probability=0.5, features=(1.0,) * 8)], [0], 0.0)
    with Memory.open(shell.folder, embedder="hashing:64") as memory:
        memory.keep_learned(KEPT_TRIGGER, learnt.dump(), scope=SCOPE)
    found = shell.json("trigger", "--agent", "reverie")
    assert found["weights"] == learnt.weights and found["cost"] == pytest.approx(0.003)
    assert found["calibration"] == learnt.calibration
    printed = shell("trigger", "--agent", "reverie", "--price", "0.02")
    assert "cost of a recall: 0.0060" in printed and "novelty\t+" in printed


def test_the_command_is_found_from_the_front(
    shell: Shell, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REVERIE_USER", "ann")
    monkeypatch.setenv("REVERIE_MEMORY", str(shell.folder))
    assert call(["policy", "eval", "-p", "similarity", "--temperature", "0.5", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["policy"] == "similarity"
    assert call(["policy", "show", "nothing-of-the-kind", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["type"] == "RecordNotFound"


def test_the_help_has_examples(shell: Shell) -> None:
    assert "reverie policy eval ./memory --policy kernel-q" in shell("eval", "--help")
    assert "reverie policy show" in shell("show", "--help")
