"""Pictures of grids: in a terminal with and without colour, and as PNG files."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np

from reverie.envs.arc.pictures import (
    BAD,
    CELL,
    PALETTE,
    as_text,
    differences,
    image,
    pixels,
    png,
    wrong_text,
)
from reverie.envs.arc.scorer import Scorer
from reverie.tests.envs.arc.symmetries import write_data
from reverie.tools.grids.puzzle import grid


def _decoded(data: bytes) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.uint8]], bytes]:
    """The pixels and the palette of a PNG file, its checksums checked."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    parts: dict[str, bytes] = {}
    place = 8
    while place < len(data):
        (size,) = struct.unpack(">I", data[place : place + 4])
        name, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + size]
        (check,) = struct.unpack(">I", data[place + 8 + size : place + 12 + size])
        assert check == zlib.crc32(name + body)
        parts[name.decode()] = body
        place += 12 + size
    width, height, depth, kind = struct.unpack(">IIBB", parts["IHDR"][:10])
    assert (depth, kind, list(parts)[-1]) == (8, 3, "IEND")
    raw = np.frombuffer(zlib.decompress(parts["IDAT"]), dtype=np.uint8)
    return raw.reshape(height, width + 1)[:, 1:], parts["PLTE"]


def test_a_png_holds_the_cells_in_the_colours_of_arc() -> None:
    cells = grid([[0, 1, 2], [7, 8, 9]])
    picture, palette = _decoded(png(pixels(cells)))
    assert picture.shape == (2 * CELL + 1, 3 * CELL + 1)
    centres = picture[CELL // 2 :: CELL, CELL // 2 :: CELL][:2, :3]
    assert np.array_equal(centres, cells)
    assert palette[:30].hex() == "".join(name[1:] for name in PALETTE)


def test_a_wrong_cell_has_a_frame_and_a_right_one_none() -> None:
    guess, output = grid([[1, 1]]), grid([[1, 2]])
    wrong = differences(guess, output)
    assert wrong is not None and wrong.tolist() == [[False, True]]
    picture = pixels(guess, wrong)
    assert BAD in picture[:, CELL:] and BAD not in picture[:, :CELL]


def test_an_image_is_part_of_its_page() -> None:
    shown = image(pixels(grid([[1]])), "one")
    assert shown.startswith("<img alt='one' src='data:image/png;base64,")


def test_without_colour_a_grid_is_digits_and_a_difference_is_marked() -> None:
    assert as_text(grid([[1, 0], [2, 3]]), colour=False).plain == "1 0\n2 3"
    wrong = wrong_text(grid([[1, 0], [2, 3]]), grid([[1, 0], [2, 4]]), colour=False)
    assert wrong.plain == "· ·\n· 3"
    assert wrong_text(grid([[1]]), grid([[1, 2]]), colour=False).plain == "1×1, should be 1×2"


def test_in_colour_two_rows_share_a_line() -> None:
    text = as_text(grid([[1], [2], [3]]), colour=True)
    assert text.plain == "▀\n▀"
    assert [str(span.style) for span in text.spans] == [f"{PALETTE[1]} on {PALETTE[2]}", PALETTE[3]]


def test_a_puzzle_is_shown_without_its_outputs_unless_they_are_asked_for(tmp_path: Path) -> None:
    with Scorer(str(write_data(tmp_path / "data", {"training": 1}))) as scorer:
        bare = scorer.show("t000", colour=False)
        full = scorer.show("t000", answers=True, colour=False)
        assert "hidden output" not in bare and "hidden output" in full
        assert "\x1b[" not in full
        assert "▀" in scorer.show("t000", colour=True)
        small, large = (_decoded(scorer.png("t000", answers=how))[0] for how in (False, True))
        assert large.shape[1] >= small.shape[1]
        assert np.count_nonzero(large != 11) > np.count_nonzero(small != 11)
