"""`reverie train` and `reverie eval`, from a file to a judged weaver."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="it needs torch: pip install 'reverie[latent]'")
pytest.importorskip("transformers", reason="it needs transformers: 'reverie[latent]'")

from reverie.agent.latent.backbone import tiny_backbone
from reverie.agent.latent.training.reasoner import save_reasoner
from reverie.agent.latent.training.rules import new_table, recalling, rule_tokenizer, telling
from reverie.agent.latent.training.trainer import resumed
from reverie.cli import call
from reverie.memory.cases import CaseMemory
from reverie.memory.memory import Memory
from reverie.memory.records import CasePayload, Origin, Scope


@pytest.fixture
def place(tmp_path: Path) -> Path:
    save_reasoner(tiny_backbone(rule_tokenizer(), dim=32, layers=2, heads=2), tmp_path / "model")
    rng, table = random.Random(0), new_table(3, random.Random(0))
    lived = [recalling(table, rng, lines=2) for _ in range(12)]
    rows = [{"prompt": p.question, "answer": p.answer, "memory": p.memory} for p in lived]
    kept = [telling(rng) for _ in range(6)]
    others = [{"prompt": p.question, "answer": p.answer, "needless": True} for p in kept]
    for name, lines in (("lived", rows), ("kept", others)):
        text = "\n".join(json.dumps(one) for one in lines)
        (tmp_path / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, dict[str, Any]]:
    code = call([*map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_weaver_is_trained_given_a_trigger_and_judged(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ("--data", place / "lived.jsonl", "--retention", place / "kept.jsonl")
    size = ("--steps", 3, "--batch", 4)
    model = ("--backbone", place / "model", "--latents", 2, "--rank", 2)
    code, made = run(capsys, "train", "weaver", "--out", place / "w", *data, *size, *model)
    assert code == 0 and made["examples"] == 12
    trigger = ("train", "trigger", "--weaver-path", place / "w", "--out", place / "t")
    code, _ = run(capsys, *trigger, *data, *size, "--rl-steps", 1)
    assert code == 0
    code, found = run(capsys, "eval", "weaver", "--weaver-path", place / "t", *data)
    assert code == 0
    assert {"vanilla", "weaver", "weaver, trigger"} < set(found["arms"])


def test_training_goes_on_where_it_stopped(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("train", "weaver", "--out", place / "w", "--data", place / "lived.jsonl", "--steps", 2)
    run(capsys, *words, "--backbone", place / "model")
    code, again = run(capsys, *words, "--backbone", place / "model")
    assert code == 0 and "last_loss" not in again


def win(place: Path, *splits: str) -> None:
    """Win a game of each of these splits, in the memory of a folder."""
    with Memory.open(place, embedder="hashing:32") as memory:
        bank = CaseMemory(memory, Scope(user="default"))
        for split in splits:
            task, plan = f"{split} A", ("A",)
            won = CasePayload(
                task=task, task_id=task, split=split, plan=plan, outcome="success", reward=1.0
            )
            bank.write(won, [], episode=task, origin=Origin(source="reflection"))


def test_processes_that_train_together_make_one_weaver(place: Path) -> None:
    win(place / "m", "train")
    words = ["train", "weaver", "--out", "w", "--data", "lived.jsonl", "--steps", "2"]
    words += ["--cases", "--memory", "m", "--user", "default"]
    words += ["--batch", "2", "--backbone", "model", "--latents", "2", "--rank", "2", "--json"]
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "-m"]
    done = subprocess.run(
        [*launch, "reverie", *words], cwd=place, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    (told,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert (told["steps"], told["examples"]) == (2, 13)
    assert resumed(place / "w") == 2


def test_cases_of_a_split_that_is_tested_on_are_learnt_from_only_when_named(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    win(place / "m", "train", "valid_seen")
    words = ("train", "weaver", "--cases", "--memory", place / "m", "--steps", 1, "--batch", 1)
    words = (*words, "--backbone", place / "model")
    _, made = run(capsys, *words, "--out", place / "w")
    assert made["examples"] == 1
    _, made = run(capsys, *words, "--out", place / "v", "--split", "valid_seen")
    assert made["examples"] == 2


def test_what_cannot_be_trained_on_is_said(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("train", "weaver", "--out", place / "w", "--backbone", place / "model")
    code, said = run(capsys, *words)
    assert code == 2 and "nothing to learn from" in str(said)
    code, said = run(capsys, *words, "--data", place / "none.jsonl")
    assert code == 1 and "no training data" in str(said)
    (place / "odd.jsonl").write_text('{"ask": 1}\n', encoding="utf-8")
    code, said = run(capsys, *words, "--data", place / "odd.jsonl")
    assert code == 2 and "line 1" in str(said)


def test_a_file_without_a_question_that_can_be_asked_is_named(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, data = ("--backbone", place / "model"), place / "lived.jsonl"
    run(capsys, "train", "weaver", "--out", place / "w", "--data", data, "--steps", 1, *model)
    (place / "empty.jsonl").write_text("\n", encoding="utf-8")
    long = json.dumps({"prompt": "A" * 9000, "answer": "B"})
    (place / "long.jsonl").write_text(long, encoding="utf-8")
    words = ("train", "weaver", "--out", place / "v", "--data", data, *model)
    code, said = run(capsys, *words, "--retention", place / "empty.jsonl")
    assert code == 2 and "empty.jsonl holds no example" in said["error"]["message"]
    words = ("eval", "weaver", "--weaver-path", place / "w")
    code, said = run(capsys, *words, "--data", place / "empty.jsonl")
    assert code == 2 and "empty.jsonl holds no example" in said["error"]["message"]
    code, said = run(capsys, *words, "--data", data, "--retention", place / "long.jsonl")
    assert code == 2 and "long.jsonl holds no example" in said["error"]["message"]
