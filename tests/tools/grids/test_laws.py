"""Laws of the grid routines, on any grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reverie.errors import Inapplicable
from reverie.tools.grids import colours, composition, cropping, extraction, geometry, repair, tiling
from reverie.tools.grids.drawing import cross, seen_from
from reverie.tools.grids.keys import KEYS
from reverie.tools.grids.puzzle import Grid
from reverie.tools.grids.values import Colour, Direction, components, enclosed, shifted

cells = st.integers(0, 9)
grids = st.tuples(st.integers(1, 8), st.integers(1, 8)).flatmap(
    lambda shape: arrays(np.int8, shape, elements=st.sampled_from([0, 0, 0, 1, 2, 5]))
)
ways = st.sampled_from([Direction(way) for way in ((-1, 0), (1, 0), (0, -1), (0, 1))])


def same(one: Grid, other: Grid) -> bool:
    return np.array_equal(one, other)


@given(grids)
def test_four_quarter_turns_change_nothing(grid: Grid) -> None:
    turned = grid
    for _ in range(4):
        turned = geometry.rot90(turned)
    assert same(turned, grid)


@given(grids)
def test_a_quarter_turn_and_its_opposite_cancel(grid: Grid) -> None:
    assert same(geometry.rot270(geometry.rot90(grid)), grid)


@given(grids)
@pytest.mark.parametrize(
    "mirror",
    [
        geometry.flip_across,
        geometry.flip_down,
        geometry.transpose,
        geometry.antitranspose,
        geometry.rot180,
    ],
)
def test_mirrors_undo_themselves(mirror: geometry.Turn, grid: Grid) -> None:
    assert same(mirror(mirror(grid)), grid)


@given(grids)
def test_two_mirrors_make_a_half_turn(grid: Grid) -> None:
    assert same(geometry.flip_down(geometry.flip_across(grid)), geometry.rot180(grid))


@given(grids, ways)
def test_gravity_keeps_the_cells_and_settles(grid: Grid, way: Direction) -> None:
    fallen = geometry.gravity(grid, way)
    assert same(np.sort(fallen.ravel()), np.sort(grid.ravel()))
    assert same(geometry.gravity(fallen, way), fallen)


@given(grids, ways)
def test_rolling_there_and_back_changes_nothing(grid: Grid, way: Direction) -> None:
    back = Direction((-way[0], -way[1]))
    assert same(geometry.roll(geometry.roll(grid, way), back), grid)


@given(grids, st.integers(1, 3))
def test_an_enlargement_shrinks_back(grid: Grid, factor: int) -> None:
    large = tiling.upscale(grid, factor)
    if factor > 1:
        assert same(tiling.downscale(large, factor), grid)
    assert large.shape == (grid.shape[0] * factor, grid.shape[1] * factor)


@given(grids, st.integers(2, 3))
def test_a_tiling_has_a_smallest_tile_no_larger_than_the_grid(grid: Grid, times: int) -> None:
    part = cropping.smallest_tile(tiling.tile(grid, times))
    assert part.size <= grid.size
    assert same(part, grid[: part.shape[0], : part.shape[1]])


@given(grids, ways)
def test_mirroring_beside_makes_a_symmetric_grid(grid: Grid, way: Direction) -> None:
    made = tiling.mirror_beside(grid, way)
    assert same(made, np.flip(made, 0 if way[0] else 1))


@given(grids)
def test_trimming_twice_trims_once(grid: Grid) -> None:
    try:
        once = cropping.trim(grid)
    except Inapplicable:
        assert not grid.any() or len(np.unique(grid)) == 1
        return
    if 0 in once:
        assert same(cropping.trim(once), once)


@given(grids, st.integers(0, 9), st.integers(0, 9))
def test_swapping_colours_twice_changes_nothing(grid: Grid, one: int, other: int) -> None:
    a, b = Colour(one), Colour(other)
    assert same(colours.swap(colours.swap(grid, a, b), a, b), grid)


@given(grids)
def test_objects_painted_back_give_the_grid(grid: Grid) -> None:
    for extract in (extraction.objects4, extraction.objects8, extraction.clusters8):
        try:
            scene = extract(grid)
        except Inapplicable:
            continue
        assert same(composition.paint(scene), grid)
        assert not (composition.erase(grid, scene) != scene.background).any()


@given(grids)
def test_every_key_gives_a_number_for_each_object(grid: Grid) -> None:
    try:
        scene = extraction.objects4(grid)
    except Inapplicable:
        return
    for key in KEYS:
        assert key(scene).shape == (len(scene.objects),)


def flood(grid: Grid, row: int, col: int, steps: list[tuple[int, int]]) -> set[tuple[int, int]]:
    """The component of a cell, by brute force."""
    found, waiting = {(row, col)}, [(row, col)]
    while waiting:
        r, c = waiting.pop()
        for down, right in steps:
            at = (r + down, c + right)
            inside = 0 <= at[0] < grid.shape[0] and 0 <= at[1] < grid.shape[1]
            if inside and at not in found and grid[at] == grid[row, col]:
                found.add(at)
                waiting.append(at)
    return found


@settings(max_examples=40)
@given(grids, st.booleans())
def test_components_are_those_of_a_flood(grid: Grid, diagonal: bool) -> None:
    label = components(grid, diagonal=diagonal)
    steps = [(-1, 0), (1, 0), (0, -1), (0, 1)]
    if diagonal:
        steps += [(-1, -1), (-1, 1), (1, -1), (1, 1)]
    for row in range(grid.shape[0]):
        for col in range(grid.shape[1]):
            there = set(map(tuple, np.argwhere(label == label[row, col]).tolist()))
            assert there == flood(grid, row, col, steps)


def test_enclosed_cells_are_those_no_path_leads_out_of() -> None:
    grid = np.array([[1, 1, 1, 0], [1, 0, 1, 0], [1, 1, 1, 0]], dtype=np.int8)
    assert np.argwhere(enclosed(grid)).tolist() == [[1, 1]]


@given(grids, ways)
def test_what_is_seen_is_the_nearest_colour_behind(grid: Grid, way: Direction) -> None:
    seen = seen_from(grid, way)
    ground = 0 if 0 in grid else int(np.bincount(grid.ravel()).argmax())
    for row in range(grid.shape[0]):
        for col in range(grid.shape[1]):
            r, c = row - way[0], col - way[1]
            while 0 <= r < grid.shape[0] and 0 <= c < grid.shape[1] and grid[r, c] == ground:
                r, c = r - way[0], c - way[1]
            inside = 0 <= r < grid.shape[0] and 0 <= c < grid.shape[1]
            assert seen[row, col] == (grid[r, c] if inside else ground)


@given(grids)
def test_rays_leave_coloured_cells_as_they_are(grid: Grid) -> None:
    made = cross(grid)
    if 0 in grid:
        assert same(made[grid != 0], grid[grid != 0])


@given(grids, ways, st.integers(0, 3))
def test_shifting_there_and_back_keeps_what_stays_inside(
    grid: Grid, way: Direction, size: int
) -> None:
    step = (way[0] * size, way[1] * size)
    back = shifted(shifted(grid, step, -1), (-step[0], -step[1]), -1)
    assert same(back[back >= 0], grid[back >= 0])


@settings(max_examples=50)
@given(arrays(np.int8, (4, 4), elements=st.integers(1, 9)), st.integers(0, 5), st.integers(0, 5))
def test_a_hole_in_a_symmetric_grid_is_repaired(quarter: Grid, row: int, col: int) -> None:
    whole = tiling.mirror_beside(quarter, Direction((1, 1)))
    broken = whole.copy()
    broken[row : row + 2, col : col + 2] = 0
    if (broken == np.flip(broken, 0)).all() or (broken == np.flip(broken, 1)).all():
        return  # the hole lies on an axis and hides its own image
    assert same(repair.repair_symmetry(broken, Colour(0)), whole) or row == 3 or col == 3


@given(arrays(np.int8, (2, 3), elements=st.integers(1, 9)))
def test_a_hole_in_a_tiling_is_repaired(part: Grid) -> None:
    whole = tiling.tile(part, 3)
    broken = whole.copy()
    broken[1:3, 1:4] = 0
    assert same(repair.repair_tiles(broken, Colour(0)), whole)
