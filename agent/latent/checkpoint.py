"""A weaver on disk: one safetensors file with its configuration and what it was trained on.

Only what is trained is in it. It is loaded strictly: the same names, shapes and types, unharmed
bytes, and the backbone whose states it learnt to read.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import torch
from pydantic import Field, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ...errors import WeaverFault
from ...memory.records import Frozen
from .backbone import Backbone, open_backbone
from .config import LatentConfig
from .net import WovenNet

FILE = "weaver.safetensors"
FORMAT = "reverie-weaver/2"


class Trained(Frozen):
    """The backbone that a weaver belongs to."""

    source: str = Field(description="as open_backbone takes it")
    fingerprint: str
    model_type: str
    dim: int
    layers: int


class Head(Frozen):
    """What a checkpoint says about itself."""

    format: str
    config: LatentConfig
    config_digest: str
    backbone: Trained
    reader: Trained | None = None
    tensors: str = Field(description="hash of names, shapes, types and bytes")


def save_net(net: WovenNet, folder: Path) -> Head:
    """Write weaver and trigger to ``folder``, whole or not at all."""
    tensors = _tensors(net)
    head = Head(
        format=FORMAT,
        config=net.config,
        config_digest=net.config.digest(),
        backbone=_trained(net.backbone),
        reader=None if net.reader is None else _trained(net.reader),
        tensors=_digest(tensors),
    )
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{FILE}.{os.getpid()}"
    try:
        with part.open("wb") as file:
            file.write(save(tensors, {"head": head.model_dump_json()}))
            file.flush()
            os.fsync(file.fileno())
        part.replace(folder / FILE)
    finally:
        part.unlink(missing_ok=True)
    return head


def load_net(
    folder: Path,
    backbone: Backbone | None = None,
    *,
    reader: Backbone | None = None,
    dtype: torch.dtype = torch.float32,
    device: str = "cpu",
) -> WovenNet:
    """Read what `save_net` wrote; the backbones are opened by their names unless given.

    Raises WeaverFault for a file that is damaged, of another format or of another backbone.
    """
    head, tensors = _read(folder / FILE)
    backbone = backbone or open_backbone(head.backbone.source, dtype=dtype, device=device)
    _check_fit(folder, head.backbone, backbone)
    if head.reader is not None:
        reader = reader or open_backbone(head.reader.source, dtype=dtype, device=device)
        _check_fit(folder, head.reader, reader)
    net = WovenNet(backbone, head.config, reader)
    _check_names(folder, net.state_dict(), tensors)
    net.load_state_dict(tensors, strict=True)
    return net


def read_head(folder: Path) -> Head:
    """What the checkpoint in ``folder`` says about itself. Raises WeaverFault if there is none."""
    return _read(folder / FILE)[0]


def weights_digest(net: WovenNet) -> str:
    """The hash of all that was trained."""
    return _digest(_tensors(net))


def _tensors(net: WovenNet) -> dict[str, Tensor]:
    return {name: one.detach().cpu().contiguous() for name, one in net.state_dict().items()}


def _digest(tensors: dict[str, Tensor]) -> str:
    found = hashlib.sha256()
    for name, one in sorted(tensors.items()):
        found.update(f"{name}{tuple(one.shape)}{one.dtype}".encode())
        found.update(one.reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def _trained(backbone: Backbone) -> Trained:
    return Trained(
        source=backbone.source,
        fingerprint=backbone.fingerprint,
        model_type=str(backbone.config.get("model_type")),
        dim=backbone.dim,
        layers=int(backbone.config["num_hidden_layers"]),
    )


def _read(path: Path) -> tuple[Head, dict[str, Tensor]]:
    if not path.is_file():
        raise WeaverFault(f"There is no weaver in {path.parent}: {path.name} is missing.")
    try:
        opened: Any = safe_open(path, "pt")
        with opened as file:
            said: dict[str, str] = file.metadata() or {}
            found: dict[str, Any] = json.loads(said.get("head", "{}"))
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise WeaverFault(
            f"{path} is damaged or was cut short ({error}); copy it again."
        ) from error
    if found.get("format") != FORMAT:
        raise WeaverFault(
            f"{path} is no weaver of format {FORMAT}, but {found.get('format')}. Train it anew if"
            " it was made by an earlier version."
        )
    try:
        head = Head.model_validate(found)
    except ValidationError as error:
        raise WeaverFault(f"{path} describes no weaver: {error}") from error
    if head.config.digest() != head.config_digest or _digest(tensors) != head.tensors:
        raise WeaverFault(f"{path} is damaged: its content is not what was saved. Copy it again.")
    return head, tensors


def _check_fit(folder: Path, trained: Trained, backbone: Backbone) -> None:
    if backbone.fingerprint != trained.fingerprint:
        raise WeaverFault(
            f"The weaver in {folder} was trained on {trained.source} ({trained.model_type},"
            f" {trained.layers} layers of {trained.dim}, {trained.fingerprint[:8]}), not on"
            f" {backbone.source} ({backbone.fingerprint[:8]}). Open that backbone, or train anew."
        )


def _check_names(folder: Path, wanted: dict[str, Tensor], found: dict[str, Tensor]) -> None:
    unlike = [
        name
        for name in sorted({*wanted, *found})
        if name not in wanted
        or name not in found
        or (wanted[name].shape, wanted[name].dtype) != (found[name].shape, found[name].dtype)
    ]
    if unlike:
        raise WeaverFault(
            f"The weaver in {folder} and its configuration disagree on {', '.join(unlike[:5])}"
            f" ({len(unlike)} in all); it was written by another version. Train it anew."
        )
