"""Grids as pictures: text for a terminal, and PNG files that a page can hold within itself."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rich.text import Text

from ...tools.grids.puzzle import Grid
from .data import Task

PALETTE = (
    "#000000", "#0074d9", "#ff4136", "#2ecc40", "#ffdc00",
    "#aaaaaa", "#f012be", "#ff851b", "#7fdbff", "#870c25",
)  # fmt: skip
"""The colours that ARC's own viewer shows for 0 to 9."""

LINE, PAPER, INK, BAD = 10, 11, 12, 13
_RGB = [*PALETTE, "#555555", "#ffffff", "#1f2328", "#ff2bd6"]
CELL = 12
"""Pixels of a cell, its line included."""

Pixels = NDArray[np.uint8]
"""A picture: indices into the colours of ``png``, shape (height, width)."""
Mask = NDArray[np.bool_]


def differences(guess: Grid, output: Grid) -> Mask | None:
    """Which cells of a guess are wrong; None if its shape is wrong already."""
    return None if guess.shape != output.shape else guess != output


def as_text(cells: Grid, *, colour: bool) -> Text:
    """A grid for a terminal: in colour two cells a character, one above the other, else digits."""
    if not colour:
        return Text("\n".join(" ".join(map(str, row)) for row in cells.tolist()))
    text = Text()
    lines: list[list[int]] = cells.tolist()
    for top in range(0, len(lines), 2):
        text.append("\n" if top else "")
        for column, cell in enumerate(lines[top]):
            style = PALETTE[cell]
            if top + 1 < len(lines):
                style += f" on {PALETTE[lines[top + 1][column]]}"
            text.append("▀", style=style)
    return text


def wrong_text(guess: Grid, output: Grid, *, colour: bool) -> Text:
    """Where a guess is wrong: its digits there, dots where it is right."""
    wrong = differences(guess, output)
    if wrong is None:
        return Text(f"{_shape(guess)}, should be {_shape(output)}", style="red" if colour else "")
    text = Text()
    for number, row in enumerate(guess.tolist()):
        text.append("\n" if number else "")
        for column, cell in enumerate(row):
            bad = bool(wrong[number, column])
            text.append(str(cell) if bad else "·", style="bold red" if bad and colour else "")
            text.append("" if column + 1 == len(row) else " ")
    return text


def _shape(cells: Grid) -> str:
    return f"{cells.shape[0]}×{cells.shape[1]}"


def pixels(cells: Grid, wrong: Mask | None = None, *, cell: int = CELL) -> Pixels:
    """A grid with lines between its cells; a wrong cell has a frame."""
    height, width = cells.shape
    out: Pixels = np.full((height * cell + 1, width * cell + 1), LINE, dtype=np.uint8)
    big = np.repeat(np.repeat(cells.astype(np.uint8), cell, axis=0), cell, axis=1)
    inside = np.ones((height, width, cell, cell), dtype=bool)
    inside[:, :, 0, :] = inside[:, :, :, 0] = False
    keep = inside.transpose(0, 2, 1, 3).reshape(height * cell, width * cell)
    out[:-1, :-1][keep] = big[keep]
    if wrong is not None:
        for row, column in np.argwhere(wrong):
            frame = out[row * cell + 1 : (row + 1) * cell, column * cell + 1 : (column + 1) * cell]
            frame[:2] = frame[-2:] = BAD
            frame[:, :2] = frame[:, -2:] = BAD
    return out


def beside(pictures: Sequence[Pixels], gap: int = 10) -> Pixels:
    """Pictures in a row, on white."""
    height = max(one.shape[0] for one in pictures)
    parts: list[Pixels] = []
    for one in pictures:
        part = np.full((height, one.shape[1] + gap), PAPER, dtype=np.uint8)
        part[: one.shape[0], : one.shape[1]] = one
        parts.append(part)
    return np.concatenate(parts, axis=1)


def above(pictures: Sequence[Pixels], gap: int = 14) -> Pixels:
    """Pictures in a column, on white."""
    return np.ascontiguousarray(beside([one.T for one in pictures], gap).T)


def task_png(task: Task, *, answers: bool) -> bytes:
    """A task as a picture: a row for each worked example, then one for each test input."""
    puzzle = task.puzzle
    pairs = [beside([pixels(pair.input), pixels(pair.output)], 24) for pair in puzzle.train]
    for test, output in zip(puzzle.tests, task.outputs, strict=True):
        shown = [pixels(test)] + ([pixels(output)] if answers and output is not None else [])
        pairs.append(beside(shown, 24))
    whole = above(pairs)
    return png(np.pad(whole, ((14, 0), (14, 0)), constant_values=PAPER))


def png(picture: Pixels) -> bytes:
    """A PNG file of indexed colours (PNG specification 1.2, colour type 3)."""
    height, width = picture.shape
    palette = b"".join(bytes.fromhex(name[1:]) for name in _RGB)
    lines = np.zeros((height, width + 1), dtype=np.uint8)  # each begins with filter 0: none
    lines[:, 1:] = picture
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    body = zlib.compress(lines.tobytes(), 9)
    chunks = (("IHDR", head), ("PLTE", palette), ("IDAT", body), ("IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: str, data: bytes) -> bytes:
    typed = name.encode() + data
    return struct.pack(">I", len(data)) + typed + struct.pack(">I", zlib.crc32(typed))


def image(picture: Pixels, alt: str) -> str:
    """An HTML image that holds its own data; ``alt`` is plain text without quotes."""
    data = base64.b64encode(png(picture)).decode()
    return f"<img alt='{alt}' src='data:image/png;base64,{data}'>"
