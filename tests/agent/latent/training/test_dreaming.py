"""A weaver's dreams: new successes only, on from the last weights, and whole after any kill."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="it needs torch: pip install 'reverie[latent]'")
pytest.importorskip("transformers", reason="it needs transformers: 'reverie[latent]'")

from reverie.agent.latent.backbone import Backbone, tiny_backbone
from reverie.agent.latent.checkpoint import FILE, load_net, read_head
from reverie.agent.latent.tokens import byte_tokenizer
from reverie.agent.latent.training import dreaming
from reverie.agent.latent.training.dreaming import Asleep, fall_asleep, sleep
from reverie.agent.latent.training.dreams import (
    BEFORE,
    Dream,
    DreamFolder,
    DreamOptions,
    Due,
    NewWeaver,
    Wait,
)
from reverie.agent.latent.training.examples import Example
from reverie.agent.latent.training.reasoner import save_reasoner
from reverie.agent.latent.training.rules import rule_tokenizer
from reverie.agent.latent.training.teaching import lived
from reverie.cli import call
from reverie.errors import WeaverFault
from reverie.memory.cases import CaseMemory
from reverie.memory.concepts import ConceptMemory, Draft
from reverie.memory.memory import Memory
from reverie.memory.records import CasePayload, ConceptPayload, Origin, Scope

ANN = Scope(user="ann")
OPTIONS = DreamOptions(steps=4, trigger_steps=2, batch=2)


def live(bank: CaseMemory, *things: str, split: str = "train") -> None:
    """Win a game for each of these things."""
    for thing in things:
        case = CasePayload(
            task=f"get {thing}",
            task_id=f"{split}/{thing}",
            task_type="get",
            split=split,
            plan=(f"take {thing}",),
            outcome="success",
            reward=1.0,
        )
        bank.write(case, [], episode=f"{split}/{thing}", origin=Origin(source="reflection"))


@pytest.fixture
def bank() -> Iterator[CaseMemory]:
    with Memory.open("ephemeral:", embedder="hashing:32") as memory:
        yield CaseMemory(memory, ANN)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("reasoner")
    save_reasoner(tiny(), place)
    return place


def tiny() -> Backbone:
    return tiny_backbone(rule_tokenizer(), dim=32, layers=2, heads=2, context_tokens=2048)


def small(model: Path) -> NewWeaver:
    return NewWeaver(str(model), latents=2, rank=2)


def ready(folder: DreamFolder, bank: CaseMemory, least: int = 2) -> Due:
    found = folder.due(bank, OPTIONS, least=least)
    assert isinstance(found, Due)
    return found


def begun(folder: DreamFolder, bank: CaseMemory, model: Path) -> Asleep:
    """A dream that is begun, or gone on with."""
    asleep = fall_asleep(folder, ready(folder, bank), bank, new=small(model))
    assert isinstance(asleep, Asleep)
    return asleep


def dreamt(folder: DreamFolder, bank: CaseMemory, model: Path) -> Dream:
    """Dream to the end; the record that is left."""
    with folder.locked():
        sleep(folder, begun(folder, bank, model))
    return folder.all()[-1]


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, dict[str, Any]]:
    code = call([*map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_second_dream_goes_on_from_the_weights_of_the_first(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ("--memory", tmp_path / "m", "--user", "ann", "--weaver", tmp_path / "w", "--least", 3)
    size = ("--backbone", model, "--latents", 2, "--rank", 2, "--batch", 2)
    words = ("dream", *where, *size, "--steps", 3, "--trigger-steps", 2)
    kept = tmp_path / "kept.jsonl"
    kept.write_text('{"prompt": "AB=", "answer": "C", "needless": true}\n', encoding="utf-8")
    with Memory.open(tmp_path / "m", embedder="hashing:32") as memory:
        live(CaseMemory(memory, ANN), "A", "B", "C")
        live(CaseMemory(memory, ANN), "H", "I", "J", "K", split="valid_unseen")
    code, told = run(capsys, *words, "--dry-run")
    assert code == 0 and told["weaver"]["state"] == "due" and told["weaver"]["cases"] == 3
    assert not (tmp_path / "w").exists()
    code, told = run(capsys, *words, "--retention", kept)
    first = told["weaver"]
    assert code == 0 and first["state"] == "dreamt" and first["steps"] == 3
    assert (first["dream"], first["cases"], first["earlier"], first["retention"]) == (1, 3, 0, 1)
    assert first["held_out"] == ["valid_unseen"] and first["last_loss"] > 0
    assert read_head(tmp_path / "w").tensors == first["weights"]

    code, told = run(capsys, *words)
    assert code == 0 and told["weaver"]["state"] == "waiting" and told["weaver"]["cases"] == 0
    assert read_head(tmp_path / "w").tensors == first["weights"]

    with Memory.open(tmp_path / "m", embedder="hashing:32") as memory:
        live(CaseMemory(memory, ANN), "A", "D", "E", "F")  # A is known
    assert call([*map(str, words)]) == 0
    assert "has had dream 2, on 3 new successes in 3 steps" in capsys.readouterr().out
    folder = DreamFolder(tmp_path / "w")
    one, two = folder.all()
    assert one.weights == first["weights"] != two.weights
    assert one.ended and two.ended and two.options.steps == 3
    assert not {*one.cases} & {*two.cases} and {*two.earlier} <= {*one.cases}
    assert read_head(tmp_path / "w").tensors == two.weights
    assert read_head(folder.place(2) / BEFORE).tensors == one.weights
    assert {one.name for one in folder.place(2).iterdir()} == {BEFORE, "dream.json"}
    assert load_net(tmp_path / "w").opened


def test_what_was_done_to_concepts_is_told_when_the_weaver_fails_or_is_stopped(
    tmp_path: Path,
    model: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Memory.open(tmp_path / "m", embedder="hashing:32") as memory:
        live(CaseMemory(memory, ANN), "A", "B")
        for title in ("slide object", "object slide"):
            drafted = ConceptPayload(title=title, role="routine", output_type="grid")
            ConceptMemory(memory, ANN).write(Draft(drafted, puzzle="p"))
    where = ("--memory", tmp_path / "m", "--user", "ann", "--weaver", tmp_path / "w", "--least", 1)
    words = ("dream", *where, "--backbone", tmp_path / "none.gguf")
    code, told = run(capsys, *words)
    assert code == 1 and told["error"]["type"] == "ModelUnavailable"
    assert len(told["concepts"]["united"]) == 1 and told["weaver"]["state"] == "due"

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(dreaming, "sleep", stopped)
    code, told = run(capsys, "dream", *where, "--backbone", model)
    assert code == 130 and told["concepts"]["concepts"] == 1 and "error" not in told


KILLED = """
import os, signal, sys
from pathlib import Path
from reverie.agent.latent.training import dreaming
from reverie.agent.latent.training.dreams import DreamFolder, DreamOptions, NewWeaver
from reverie.memory.cases import CaseMemory
from reverie.memory.memory import Memory
from reverie.memory.records import Scope

def watch(step, of):
    if step == 3:
        os.kill(os.getpid(), signal.SIGKILL)

dreaming.SAVE_EVERY = 2
place, model, options = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
folder = DreamFolder(place / "w")
with Memory.open(place / "m", embedder="hashing:32") as memory, folder.locked():
    bank = CaseMemory(memory, Scope(user="ann"))
    due = folder.due(bank, DreamOptions.model_validate_json(options), least=2)
    new = NewWeaver(model, latents=2, rank=2)
    asleep = dreaming.fall_asleep(folder, due, bank, new=new)
    dreaming.sleep(folder, asleep, watch=watch)
"""


def test_an_interrupted_dream_ends_as_if_it_had_not_been(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checkpoints every two of 4 + 2 steps: killed in the third, stopped again in the sixth."""
    monkeypatch.setattr(dreaming, "SAVE_EVERY", 2)
    folder, whole = DreamFolder(tmp_path / "w"), DreamFolder(tmp_path / "whole")
    with Memory.open(tmp_path / "m", embedder="hashing:32") as memory:
        live(CaseMemory(memory, ANN), "A", "B", "C")
        wanted = dreamt(whole, CaseMemory(memory, ANN), model)
    command = [sys.executable, "-c", KILLED, tmp_path, model, OPTIONS.model_dump_json()]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert not (folder.folder / FILE).exists()
    with Memory.open(tmp_path / "m", embedder="hashing:32") as memory:
        bank = CaseMemory(memory, ANN)
        due = ready(folder, bank)
        assert due.goes_on and due.dream.ended is None
        seen: list[int] = []

        def stop(step: int, of: int) -> None:
            seen.append(step)
            if step == of:
                raise KeyboardInterrupt

        with folder.locked(), pytest.raises(KeyboardInterrupt):
            sleep(folder, begun(folder, bank, model), watch=stop)
        assert seen == [3, 4, 5, 6]
        assert not (folder.folder / FILE).exists()
        found = dreamt(folder, bank, model)
    assert found.weights == wanted.weights == read_head(folder.folder).tensors


def test_weights_in_use_stay_until_the_new_ones_are_whole(
    tmp_path: Path, model: Path, bank: CaseMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = DreamFolder(tmp_path)
    live(bank, "A", "B")
    first = dreamt(folder, bank, model)
    live(bank, "C", "D")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(DreamFolder, "tidy", killed)  # the new weights are there by then
    with pytest.raises(KeyboardInterrupt):
        dreamt(folder, bank, model)
    monkeypatch.undo()
    assert read_head(tmp_path).tensors == folder.all()[-1].weights != first.weights
    monkeypatch.setattr(DreamFolder, "write", killed)
    live(bank, "E", "F")
    with pytest.raises(KeyboardInterrupt):
        dreamt(folder, bank, model)  # begun, and killed before it was there
    monkeypatch.undo()
    before = read_head(tmp_path).tensors
    assert len(folder.all()) == 2
    third = dreamt(folder, bank, model)
    assert third.number == 3 and third.weights != before
    assert read_head(folder.place(3) / BEFORE).tensors == before


def test_too_few_new_successes_leave_the_weaver_alone(
    tmp_path: Path, bank: CaseMemory, model: Path
) -> None:
    folder = DreamFolder(tmp_path / "w")
    live(bank, "A", "B", "C")
    live(bank, "D", split="eval")
    assert folder.due(bank, OPTIONS, least=4) == Wait(3)
    assert not folder.folder.exists()
    also = OPTIONS.model_copy(update={"splits": ("eval",)})
    found = folder.due(bank, also, least=4)
    assert isinstance(found, Due) and found.held_out == ()


def test_nothing_of_a_split_that_is_tested_on_is_read(tmp_path: Path, bank: CaseMemory) -> None:
    live(bank, "egg", "cup", "pan")
    live(bank, "secret", "hidden", split="valid_seen")
    due = ready(DreamFolder(tmp_path), bank)
    assert len(due.dream.cases) == 3 and due.held_out == ("valid_seen",)
    backbone = tiny_backbone(byte_tokenizer(), dim=32, context_tokens=2048)
    tokenizer = backbone.tokenizer
    assert tokenizer is not None
    known = [one.id for one in bank.cases()]
    for one in lived(backbone, bank, known, without=due.held_out):
        read = tokenizer.decode([*one.prompt, *one.answer, *one.memory, *one.teacher])
        assert "get" in read and "secret" not in read and "hidden" not in read


def test_what_cannot_be_dreamt_says_what_to_do(
    tmp_path: Path, bank: CaseMemory, model: Path
) -> None:
    folder = DreamFolder(tmp_path / "w")
    live(bank, "A", "B")
    with folder.locked(), pytest.raises(WeaverFault, match="Another process"), folder.locked():
        pass
    begun(folder, bank, model)
    live(bank, "C", "D")
    due = ready(folder, bank)
    assert due.goes_on and len(due.dream.cases) == 2  # what came later waits
    with Memory.open("ephemeral:", embedder="hashing:32") as memory:
        other = CaseMemory(memory, Scope(user="bob"))
        live(other, "A", "B")
        with pytest.raises(WeaverFault, match="memory and user it began with"):
            folder.due(other, OPTIONS, least=1)
    dreamt(folder, bank, model)
    (folder.folder / FILE).unlink()
    with pytest.raises(WeaverFault, match="has dreams, but"):
        dreamt(folder, bank, model)
    (folder.place(1) / "dream.json").write_text("{", encoding="utf-8")
    with pytest.raises(WeaverFault, match="its cases are then new again"):
        folder.all()


def test_a_dream_whose_retention_file_is_gone_says_both_ways_out(
    tmp_path: Path, bank: CaseMemory, model: Path
) -> None:
    folder, kept = DreamFolder(tmp_path / "w"), tmp_path / "kept.jsonl"
    kept.write_text('{"prompt": "AB=", "answer": "C"}\n', encoding="utf-8")
    live(bank, "A", "B")
    due = folder.due(bank, OPTIONS.model_copy(update={"retention": str(kept)}), least=1)
    assert isinstance(due, Due)
    fall_asleep(folder, due, bank, new=small(model))
    kept.unlink()
    with pytest.raises(WeaverFault, match=r"Dream 1 .*kept.jsonl is gone. Put it back, or delete"):
        begun(folder, bank, model)


def test_successes_that_no_context_holds_wait_for_others(
    tmp_path: Path, bank: CaseMemory, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long = "A" * 3000
    folder = DreamFolder(tmp_path / "w")
    live(bank, long, long + "B")
    found = fall_asleep(folder, ready(folder, bank), bank, new=small(model))
    assert found == Wait(2, 2048) and not folder.all()
    with Memory.open(tmp_path / "m", embedder="hashing:32") as memory:
        live(CaseMemory(memory, ANN), long)
    where = ("--memory", tmp_path / "m", "--user", "ann", "--weaver", tmp_path / "w", "--least", 1)
    words = ("dream", *where, "--backbone", model)
    for _ in range(2):
        assert call([*map(str, words)]) == 0
        assert "none of 1 new successes fits its model's context of 2048 tokens" in (
            capsys.readouterr().out
        )
    code, told = run(capsys, *words)
    assert code == 0 and told["weaver"]["state"] == "waiting" and told["weaver"]["cases"] == 1


def test_a_begun_dream_of_which_nothing_fits_another_model_says_so(
    tmp_path: Path, bank: CaseMemory, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = DreamFolder(tmp_path / "w")
    live(bank, "A", "B")
    begun(folder, bank, model)

    def nothing(*_: object, **__: object) -> list[Example]:
        return []

    monkeypatch.setattr(dreaming, "lived", nothing)
    with pytest.raises(WeaverFault, match=r"Dream 1 .*context of 2048 tokens.*or delete"):
        begun(folder, bank, model)
