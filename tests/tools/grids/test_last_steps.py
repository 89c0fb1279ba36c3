"""Last steps that read their constants off the worked examples."""

from __future__ import annotations

import numpy as np
import pytest

from reverie.errors import Inapplicable
from reverie.tools.grids import choosing, fitting, layouts, planes
from reverie.tools.grids.extraction import halves_across, objects4, regions
from reverie.tools.grids.keys import KEYS
from reverie.tools.grids.puzzle import Grid


def grid(text: str) -> Grid:
    """Rows of digits parted by slashes."""
    return np.array([[int(cell) for cell in row] for row in text.split("/")], dtype=np.int8)


def test_a_colour_map_is_read_off_and_keeps_colours_it_has_not_seen() -> None:
    run = fitting.colour_map([grid("31/10")], [grid("12/20")])
    assert run(grid("125")).tolist() == [[3, 1, 5]]


def test_a_colour_map_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(Inapplicable):
        fitting.colour_map([grid("12")], [grid("11")])


def test_cells_are_coloured_by_a_plane() -> None:
    ring = grid("111/101/111")
    run = fitting.by_plane([grid("111/141/111")], [ring], [planes.holes_plane(ring)])
    other = grid("222/202/222".replace("2", "1"))
    assert run(other, planes.holes_plane(other)).tolist() == [[1, 1, 1], [1, 4, 1], [1, 1, 1]]


def test_a_kind_of_cell_the_examples_do_not_show_is_no_answer() -> None:
    run = fitting.by_panels([grid("22")], [halves_across(grid("1001"))])
    with pytest.raises(Inapplicable):
        run(halves_across(grid("5555")))


def test_panels_are_joined_by_the_table_the_examples_give() -> None:
    scene = halves_across(grid("10100110"))
    run = fitting.by_panels([grid("1100")], [scene])
    assert run(scene).tolist() == [[1, 1, 0, 0]]


def test_objects_are_coloured_by_a_key() -> None:
    size = next(key for key in KEYS if key.__name__ == "size")
    before = grid("1100/0000/1000")
    run = fitting.by_key([grid("2200/0000/3000")], [before], [objects4(before)], [size])
    other = grid("1010/1000/0000")
    assert run(other, objects4(other), size).tolist() == grid("2030/2000/0000").tolist()


def test_the_layout_of_an_output_is_read_off() -> None:
    part = grid("12/30")
    run = layouts.block_layout([grid("1221/3003")], [part])
    assert run(grid("45/06")).tolist() == grid("4554/0660").tolist()


def test_each_colour_becomes_its_block() -> None:
    run = layouts.block_of_cell([grid("5500/5500")], [grid("10")])
    assert run(grid("01")).tolist() == grid("0055/0055").tolist()


def test_a_pattern_is_stamped_around_each_cell() -> None:
    before = grid("00000/00000/00200/00000/00000")
    after = grid("00000/00100/01210/00100/00000")
    run = layouts.stamps([after], [before])
    assert run(grid("0000/0200/0000")).tolist() == grid("0100/1210/0100").tolist()


def test_a_count_is_shown_in_the_order_of_the_examples() -> None:
    run = fitting.tally([grid("100/000"), grid("110/100")], [1, 3])
    assert run(3).tolist() == grid("110/100").tolist()
    with pytest.raises(Inapplicable):
        run(7)


def test_a_window_lies_where_the_examples_show_it() -> None:
    run = layouts.window([grid("34/78")], [grid("1234/5678")])
    assert run(grid("0012/0034")).tolist() == grid("12/34").tolist()


def test_an_object_is_picked_by_the_key_that_tells_it_apart() -> None:
    first, second = grid("1100/0002/0000"), grid("1000/0022/0022")
    run = choosing.pick([grid("11"), grid("22/22")], [objects4(first), objects4(second)])
    assert run(objects4(grid("3330/0001"))).tolist() == [[3, 3, 3]]


def test_small_objects_are_dropped_where_the_examples_drop_them() -> None:
    before, after = grid("1100/0001/0000"), grid("1100/0000/0000")
    run = choosing.keep([after], [before], [objects4(before)])
    other = grid("0011/1000/0000")
    assert run(other, objects4(other)).tolist() == grid("0011/0000/0000").tolist()


def test_regions_are_marked_by_the_key_that_tells_them_apart() -> None:
    before = grid("1110/1010/1110/0000")
    run = choosing.mark([grid("1110/1410/1110/0000")], [before], [regions(before)])
    other = grid("0000/0111/0101/0111")
    assert run(other, regions(other)).tolist() == grid("0000/0111/0141/0111").tolist()


def test_colours_move_by_their_own_steps() -> None:
    run = choosing.displace([grid("010/020")], [grid("100/020")])
    assert run(grid("100/002")).tolist() == grid("010/002").tolist()


def test_rays_go_the_way_they_go_in_the_examples() -> None:
    run = choosing.rays([grid("0000/0222/0000")], [grid("0000/0200/0000")])
    assert run(grid("2000/0000")).tolist() == grid("2222/0000").tolist()


def test_objects_are_shaded_by_the_first_key_that_tells_their_colours() -> None:
    before, after = grid("1100/0000/1000"), grid("2200/0000/3000")
    run = choosing.shade([after], [before], [objects4(before)])
    other = grid("1010/1000/0000")
    assert run(other, objects4(other)).tolist() == grid("2030/2000/0000").tolist()
