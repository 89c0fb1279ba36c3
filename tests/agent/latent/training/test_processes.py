"""Two processes that train together: gradients, λ and what is read are the same in both."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("accelerate")

from reverie.agent.latent.backbone import tiny_backbone
from reverie.agent.latent.training.reasoner import save_reasoner
from reverie.agent.latent.training.rules import rule_tokenizer
from reverie.memory.cases import CaseMemory
from reverie.memory.memory import Memory
from reverie.memory.records import CasePayload, Origin, Scope

Found = list[dict[str, Any]]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """What each of two processes came to."""
    place = tmp_path_factory.mktemp("together")
    save_reasoner(tiny_backbone(rule_tokenizer(), dim=32, context_tokens=512), place / "model")
    with Memory.open(place / "m", embedder="hashing:32") as memory:
        won = CasePayload(task="get", task_id="1", plan=("A",), outcome="success", reward=1.0)
        bank = CaseMemory(memory, Scope(user="ann"))
        bank.write(won, [], episode="1", origin=Origin(source="reflection"))
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]
    words = ["-m", "reverie.tests.agent.latent.training.process", str(place)]
    done = subprocess.run([*launch, *words], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return [json.loads((place / f"{rank}.json").read_text()) for rank in range(2)]


def test_gradients_are_averaged_also_where_only_one_process_has_any(found: Found) -> None:
    assert [one["gradients"] for one in found] == [[[2.0, 4.0], [2.0, 3.0]]] * 2


def test_the_price_of_insertions_follows_their_rate_in_all_processes(found: Found) -> None:
    done = [one["done"] for one in found]
    assert sum(done[0]) / len(done[0]) != sum(done[1]) / len(done[1])
    rate = sum(map(sum, done)) / sum(map(len, done))
    for one in found:
        assert one["rate"] == pytest.approx(rate)
        assert one["penalty"] == pytest.approx(1 + rate - 0.5)


def test_what_the_first_process_reads_is_known_to_all(found: Found) -> None:
    assert [one["told"] for one in found] == [[[5, 6], [4], 1000]] * 2


def test_cases_are_read_by_one_process_for_all(found: Found) -> None:
    assert [one["trained"] for one in found] == [0, 0]
