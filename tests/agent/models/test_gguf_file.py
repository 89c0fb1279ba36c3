"""Rewriting Q4_1 as Q8_0."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from reverie.agent.models.gguf_file import (
    Q4_1,
    Q8_0,
    q4_1_to_q8_0,
    read_layout,
    write_q8_0,
)


def values_q4_1(raw: bytes) -> NDArray[np.float64]:
    """By the definition, block by block and weight by weight."""
    out: list[float] = []
    for at in range(0, len(raw), 20):
        scale, least = np.frombuffer(raw[at : at + 4], np.float16)
        nibbles = raw[at + 4 : at + 20]
        quants = [b & 15 for b in nibbles] + [b >> 4 for b in nibbles]
        out += [float(scale) * q + float(least) for q in quants]
    return np.array(out)


def values_q8_0(raw: bytes) -> NDArray[np.float64]:
    out: list[float] = []
    for at in range(0, len(raw), 34):
        (scale,) = np.frombuffer(raw[at : at + 2], np.float16)
        out += [float(scale) * int(q) for q in np.frombuffer(raw[at + 2 : at + 34], np.int8)]
    return np.array(out)


def blocks(count: int, seed: int = 0) -> bytes:
    random = np.random.default_rng(seed)
    made = b""
    for _ in range(count):
        made += random.uniform(0.01, 0.1, 1).astype(np.float16).tobytes()
        made += random.uniform(-1, 0, 1).astype(np.float16).tobytes()
        made += random.integers(0, 256, 16, np.uint8).tobytes()
    return made


def gguf(tensors: dict[str, tuple[int, tuple[int, ...], bytes]]) -> bytes:
    """A small file: two strings, an array of strings, the file type, and tensors."""

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value)) + value.encode()

    pairs = [
        text("general.name") + struct.pack("<I", 8) + text("tiny"),
        text("general.file_type") + struct.pack("<II", 4, 3),
        text("a.list") + struct.pack("<IIQ", 9, 8, 2) + text("x") + text("yz"),
        text("a.numbers") + struct.pack("<IIQ3i", 9, 5, 3, 1, 2, 3),
    ]
    raw = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(pairs)) + b"".join(pairs)
    data = b""
    for name, (kind, shape, content) in tensors.items():
        raw += text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
        raw += struct.pack("<IQ", kind, len(data))
        data += content + bytes(-len(content) % 32)
    return raw + bytes(-len(raw) % 32) + data


def test_the_weights_stay_what_they_were() -> None:
    raw = blocks(50)
    before = values_q4_1(raw)
    after = values_q8_0(q4_1_to_q8_0(np.frombuffer(raw, np.uint8)).tobytes())
    steps = np.abs(before.reshape(-1, 32)).max(axis=1, keepdims=True) / 127
    assert (np.abs(after - before).reshape(-1, 32) <= 0.6 * steps).all()


def test_a_block_of_zeros_stays_zero() -> None:
    raw = np.zeros(20, np.uint8)
    assert not q4_1_to_q8_0(raw).any()


def test_a_file_keeps_everything_but_its_q4_1(tmp_path: Path) -> None:
    norm = np.arange(3, dtype=np.float32).tobytes()
    packed = blocks(4)
    source, target = tmp_path / "a.gguf", tmp_path / "b.gguf"
    source.write_bytes(
        gguf({"norm": (0, (3,), norm), "w": (Q4_1, (64, 2), packed), "last": (0, (3,), norm)})
    )
    write_q8_0(source, target)
    raw = target.read_bytes()
    layout = read_layout(io.BytesIO(raw))
    assert [(t.name, t.kind, t.shape) for t in layout.tensors] == [
        ("norm", 0, (3,)),
        ("w", Q8_0, (64, 2)),
        ("last", 0, (3,)),
    ]
    starts = [layout.data_start + t.offset for t in layout.tensors]
    assert raw[starts[0] : starts[0] + 12] == norm
    assert raw[starts[2] : starts[2] + 12] == norm
    assert np.allclose(
        values_q8_0(raw[starts[1] : starts[1] + 4 * 34]), values_q4_1(packed), atol=0.01
    )
    assert layout.file_type_at is not None
    assert struct.unpack_from("<I", raw, layout.file_type_at) == (7,)
    assert b"yz" in layout.metadata


def test_another_file_is_refused() -> None:
    with pytest.raises(ValueError, match="not a GGUF"):
        read_layout(io.BytesIO(b"PK\x03\x04" + bytes(40)))
    with pytest.raises(ValueError, match="ends within"):
        read_layout(io.BytesIO(b"GGUF\x03\0\0\0"))
