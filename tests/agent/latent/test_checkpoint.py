"""Checkpoints come back bit for bit, in another process, and only where they belong."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="it needs torch: pip install 'reverie[latent]'")
pytest.importorskip("transformers", reason="it needs transformers: 'reverie[latent]'")

import safetensors.torch
import torch
from torch import Tensor

from reverie.agent.latent.checkpoint import FILE, load_net, read_head, save_net, weights_digest
from reverie.agent.latent.forced import forced
from reverie.agent.latent.net import WovenNet
from reverie.agent.latent.plan import Point
from reverie.errors import WeaverFault
from reverie.tests.agent.latent.nets import FLOWS, tiny, woven

FRESH = """
import sys
from pathlib import Path
from reverie.agent.latent.checkpoint import load_net
from reverie.tests.agent.latent.nets import tiny
from reverie.tests.agent.latent.test_checkpoint import woven_bytes
for folder in sys.argv[1:]:
    print(woven_bytes(load_net(Path(folder), tiny())))
"""


def _stored() -> Any:
    return safetensors.torch


def woven_bytes(net: WovenNet) -> str:
    """Latents, gates and trigger of one text, to the last bit."""
    points = (Point(3, "prompt"), Point(5))
    with torch.no_grad():
        read = forced(net, [[3, 1, 4, 1, 5, 9]], (points,), memories=[[2, 7]])
        found = [read.before]
        for _, latents in read.latents:
            found += [latents.gates] if latents.values is None else [latents.gates, latents.values]
    return b"".join(one.numpy().tobytes() for one in found).hex()


def test_a_fresh_process_weaves_the_same_bits(tmp_path: Path) -> None:
    """C4, for every way of weaving."""
    nets = {"-".join(flow): woven(flow=flow, trigger=True) for flow in FLOWS}
    for name, net in nets.items():
        save_net(net, tmp_path / name)
    done = subprocess.run(
        [sys.executable, "-c", FRESH, *(str(tmp_path / name) for name in nets)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [woven_bytes(net) for net in nets.values()]


def test_a_checkpoint_tells_what_it_is(tmp_path: Path) -> None:
    net = woven()
    save_net(net, tmp_path)
    head = read_head(tmp_path)
    assert head.config == net.config
    assert head.backbone.fingerprint == tiny().fingerprint
    assert head.tensors == weights_digest(net)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_the_fingerprint_is_the_same_in_half_precision() -> None:
    from reverie.agent.latent.backbone import Backbone, tiny_backbone

    half = tiny_backbone(vocabulary=40, dim=32, layers=2, context_tokens=96).model.to(
        torch.bfloat16
    )
    assert Backbone(half, None, "half").fingerprint == tiny().fingerprint
    assert tiny(1).fingerprint != tiny().fingerprint


def test_another_backbone_is_refused_by_name(tmp_path: Path) -> None:
    save_net(woven(), tmp_path)
    with pytest.raises(WeaverFault, match="was trained on tiny-32x2-0"):
        load_net(tmp_path, tiny(1))


def _drop(tensors: dict[str, Tensor]) -> None:
    del tensors[next(iter(tensors))]


def _widen(tensors: dict[str, Tensor]) -> None:
    name = next(name for name, one in tensors.items() if one.dim() == 2)
    tensors[name] = torch.cat([tensors[name], tensors[name]])


def _flip(tensors: dict[str, Tensor]) -> None:
    name = next(name for name, one in tensors.items() if one.dim() == 2)
    tensors[name][0, 0] += 1


@pytest.mark.parametrize("harm", [_drop, _widen, _flip])
def test_other_content_than_was_saved_is_refused(
    harm: Callable[[dict[str, Tensor]], None], tmp_path: Path
) -> None:
    head = save_net(woven(), tmp_path)
    tensors = _stored().load_file(tmp_path / FILE)
    harm(tensors)
    _stored().save_file(tensors, tmp_path / FILE, {"head": head.model_dump_json()})
    with pytest.raises(WeaverFault, match="not what was saved"):
        load_net(tmp_path, tiny())


def test_keys_are_strict_even_if_the_hash_is_right(tmp_path: Path) -> None:
    from reverie.agent.latent import checkpoint

    head = save_net(woven(), tmp_path)
    tensors = _stored().load_file(tmp_path / FILE)
    _drop(tensors)
    digest = checkpoint._digest(tensors)  # pyright: ignore[reportPrivateUsage]
    changed = json.loads(head.model_dump_json()) | {"tensors": digest}
    _stored().save_file(tensors, tmp_path / FILE, {"head": json.dumps(changed)})
    with pytest.raises(WeaverFault, match="disagree on"):
        load_net(tmp_path, tiny())


def test_what_is_no_checkpoint_says_so(tmp_path: Path) -> None:
    with pytest.raises(WeaverFault, match="There is no weaver"):
        load_net(tmp_path, tiny())
    save_net(woven(), tmp_path)
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WeaverFault, match="cut short"):
        load_net(tmp_path, tiny())
    _stored().save_file({"a": torch.zeros(1)}, tmp_path / FILE)
    with pytest.raises(WeaverFault, match="no weaver of format"):
        load_net(tmp_path, tiny())
