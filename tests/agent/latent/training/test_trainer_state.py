"""What training keeps of a run: flushed before it counts, and named when it is damaged."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from torch import Tensor

from reverie.agent.latent.net import WovenNet
from reverie.agent.latent.training.trainer import STATE, TrainOptions, resumed, train
from reverie.errors import WeaverFault
from reverie.tests.agent.latent.nets import woven


def trained(net: WovenNet, folder: Path) -> list[float]:
    """Two steps of a loss that only pulls the weights to 0."""

    def loss(_: random.Random) -> Tensor:
        return sum((one.square().sum() for one in net.weaver.parameters()), start=Tensor([0.0]))[0]

    return train(net, loss, TrainOptions(steps=2), folder=folder)


@pytest.mark.parametrize("kept", ["half", "nothing", "words"])
def test_a_damaged_state_is_named_with_what_to_do(tmp_path: Path, kept: str) -> None:
    net = woven()
    trained(net, tmp_path)
    path = tmp_path / STATE
    whole = path.read_bytes()
    path.write_bytes({"half": whole[: len(whole) // 2], "nothing": b"", "words": b"none"}[kept])
    for read in (lambda: resumed(tmp_path), lambda: trained(net, tmp_path)):
        with pytest.raises(WeaverFault, match=rf"{STATE} .* cannot be read .* delete it"):
            read()
    path.unlink()
    assert len(trained(net, tmp_path)) == 2 == resumed(tmp_path)


def test_a_state_is_on_disk_before_it_takes_the_place_of_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    flush, move = os.fsync, Path.replace

    def fsync(file: int) -> None:
        done.append("flushed")
        flush(file)

    def replace(self: Path, target: Path) -> Path:
        done.append(target.name)
        return move(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    trained(woven(), tmp_path)
    assert done[: done.index(STATE) + 1] == ["flushed", STATE]
