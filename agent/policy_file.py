"""Policies as files: what one learnt, to carry to another machine or to keep.

One line of JSON (what it is, and the checksum of the rest), then the arrays as NumPy's ``.npz``.
A file is read whole and checked before anything is changed.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ..errors import EmbedderMismatch, PolicyFault

FORMAT = 1

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class PolicyState:
    """What a policy learnt: its name, its options, and named arrays."""

    policy: str
    options: Mapping[str, object]
    arrays: Arrays


def write_policy(path: Path, state: PolicyState, *, embedder: str) -> None:
    """Write a policy's state, whole or not at all. ``embedder`` made the vectors in it."""
    packed = io.BytesIO()
    np.savez(packed, allow_pickle=False, **cast("dict[str, Any]", dict(state.arrays)))
    data = packed.getvalue()
    head = {
        "reverie": "policy",
        "format": FORMAT,
        "policy": state.policy,
        "embedder": embedder,
        "options": dict(state.options),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with scratch.open("wb") as file:
            file.write(json.dumps(head).encode() + b"\n" + data)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def read_policy(path: Path, *, policy: str, embedder: str) -> PolicyState:
    """Read a policy's state.

    Raises PolicyFault if the file is none, is damaged or holds another sort of policy, and
    EmbedderMismatch if its vectors are of another embedder than ``embedder``.
    """
    try:
        first, _, data = path.read_bytes().partition(b"\n")
    except OSError as error:
        raise PolicyFault(f"{path} cannot be read: {error}") from error
    try:
        head: dict[str, Any] = json.loads(first)
        kind, number, name = head["reverie"], head["format"], head["policy"]
        made_with, checksum, options = head["embedder"], head["sha256"], head["options"]
    except (ValueError, KeyError, TypeError) as error:
        raise PolicyFault(f"{path} is no policy file: it does not begin as one") from error
    if kind != "policy" or number != FORMAT:
        raise PolicyFault(f"{path} is a {kind} of format {number}, not a policy of {FORMAT}")
    if hashlib.sha256(data).hexdigest() != checksum:
        raise PolicyFault(f"{path} is damaged or was cut short: copy it again from where it was")
    if name != policy:
        raise PolicyFault(f"{path} holds a {name} policy, not {policy}: give --policy {name}")
    if made_with != embedder:
        raise EmbedderMismatch(
            f"{path} was learnt with the embedder {made_with}, this memory has {embedder}: "
            "leave the file out, and the policy learns again from the memory's own log"
        )
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return PolicyState(str(name), dict(options), {key: arrays[key] for key in arrays.files})
