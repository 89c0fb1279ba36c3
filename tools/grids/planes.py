"""Planes: a number for each cell of a grid, from which colours can be decided."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ...errors import Inapplicable
from .drawing import SLANTED, STRAIGHT, seen_from
from .puzzle import Grid
from .values import Colour, Direction, Key, Plane, Scene, background, components, enclosed, shifted


def of_colour(grid: Grid, colour: Colour) -> Plane:
    """Where a colour is."""
    return (grid == colour).astype(np.int16)


def colour_plane(grid: Grid) -> Plane:
    """Each cell's colour."""
    return grid.astype(np.int16)


def holes_plane(grid: Grid) -> Plane:
    """1 for enclosed background, 2 for other background."""
    return np.where(enclosed(grid), 1, 2 * (grid == background(grid))).astype(np.int16)


def tight_holes_plane(grid: Grid) -> Plane:
    """1 for background enclosed also against diagonal steps."""
    return enclosed(grid, diagonal=True).astype(np.int16)


def depth(grid: Grid) -> Plane:
    """How many cells away the edge is."""
    rows, cols = _rows(grid), _cols(grid)
    near = np.minimum(np.minimum(rows, cols), np.minimum(rows[::-1], cols[:, ::-1]))
    return near.astype(np.int16)


def _rows(grid: Grid) -> NDArray[np.int64]:
    return np.repeat(np.arange(grid.shape[0], dtype=np.int64)[:, None], grid.shape[1], axis=1)


def _cols(grid: Grid) -> NDArray[np.int64]:
    return np.repeat(np.arange(grid.shape[1], dtype=np.int64)[None, :], grid.shape[0], axis=0)


def row_parity(grid: Grid) -> Plane:
    """0 in the first row, 1 in the second, 0 in the third, …"""
    return (_rows(grid) % 2).astype(np.int16)


def column_parity(grid: Grid) -> Plane:
    """0 in the first column, 1 in the second, 0 in the third, …"""
    return (_cols(grid) % 2).astype(np.int16)


def chequer(grid: Grid) -> Plane:
    """A chessboard's 0 and 1."""
    return ((_rows(grid) + _cols(grid)) % 2).astype(np.int16)


def thirds(grid: Grid) -> Plane:
    """Columns 0, 1, 2, 0, 1, 2, …"""
    return (_cols(grid) % 3).astype(np.int16)


def row_number(grid: Grid) -> Plane:
    """Rows counted from 0."""
    return _rows(grid).astype(np.int16)


def column_number(grid: Grid) -> Plane:
    """Columns counted from 0."""
    return _cols(grid).astype(np.int16)


def diagonals(grid: Grid) -> Plane:
    """1 on the main diagonal, 2 on the other."""
    rows, cols = _rows(grid), _cols(grid)
    return ((rows == cols) + 2 * (rows + cols == grid.shape[1] - 1)).astype(np.int16)


def _sum(masks: Sequence[NDArray[np.bool_] | NDArray[np.int8]]) -> Plane:
    return np.array(masks, dtype=np.int16).sum(axis=0, dtype=np.int16)


def _tally(full: NDArray[np.bool_], ways: tuple[tuple[int, int], ...]) -> Plane:
    cells = full.astype(np.int8)
    return _sum([shifted(cells, way, 0) for way in ways])


def neighbours_straight(grid: Grid) -> Plane:
    """How many of the four neighbours are not background."""
    return _tally(grid != background(grid), STRAIGHT)


def neighbours_slanted(grid: Grid) -> Plane:
    """How many of the four diagonal neighbours are not background."""
    return _tally(grid != background(grid), SLANTED)


def neighbours(grid: Grid) -> Plane:
    """How many of the eight neighbours are not background."""
    return _tally(grid != background(grid), STRAIGHT + SLANTED)


def alike(grid: Grid) -> Plane:
    """How many of the four neighbours have the cell's colour."""
    same = [shifted(grid, way, -1) == grid for way in STRAIGHT]
    return _sum(same)


def neighbours_of_colour(grid: Grid, colour: Colour) -> Plane:
    """How many of the four neighbours have a colour."""
    return _tally(grid == colour, STRAIGHT)


def close_to_colour(grid: Grid, colour: Colour) -> Plane:
    """How many of the eight neighbours have a colour."""
    return _tally(grid == colour, STRAIGHT + SLANTED)


def next_colour(grid: Grid, way: Direction) -> Plane:
    """The colour of the neighbour a direction comes from; -1 at the edge."""
    return shifted(grid, way, -1).astype(np.int16)


def seen_colour(grid: Grid, way: Direction) -> Plane:
    """The nearest colour met when looking back against a direction."""
    return seen_from(grid, way).astype(np.int16)


def between_straight(grid: Grid) -> Plane:
    """1 where something lies left and right, 2 where above and below, 3 where both."""
    ground = background(grid)
    left, right, up, down = (
        seen_from(grid, way) != ground for way in ((0, 1), (0, -1), (1, 0), (-1, 0))
    )
    return ((left & right) + 2 * (up & down)).astype(np.int16)


def surrounded(grid: Grid) -> Plane:
    """In how many of the four straight directions something lies."""
    ground = background(grid)
    found = [seen_from(grid, way) != ground for way in STRAIGHT]
    return _sum(found)


def row_colour(grid: Grid) -> Plane:
    """The colour of the leftmost coloured cell of each row."""
    return np.broadcast_to(_first(grid)[:, None], grid.shape).astype(np.int16)


def column_colour(grid: Grid) -> Plane:
    """The colour of the uppermost coloured cell of each column."""
    return np.broadcast_to(_first(grid.T)[None, :], grid.shape).astype(np.int16)


def _first(grid: Grid) -> Grid:
    place = (grid != background(grid)).argmax(axis=1)
    return grid[np.arange(len(grid)), place]


def row_blank(grid: Grid) -> Plane:
    """1 in rows that are all background, 2 in rows of one other colour."""
    same = (grid == grid[:, :1]).all(axis=1)
    kind = np.where(same, np.where(grid[:, 0] == background(grid), 1, 2), 0)
    return np.broadcast_to(kind[:, None], grid.shape).astype(np.int16)


def column_blank(grid: Grid) -> Plane:
    """1 in columns that are all background, 2 in columns of one other colour."""
    return row_blank(grid.T).T


def row_share(grid: Grid) -> Plane:
    """How many cells of the row are not background."""
    full = (grid != background(grid)).sum(axis=1)
    return np.broadcast_to(full[:, None], grid.shape).astype(np.int16)


def column_share(grid: Grid) -> Plane:
    """How many cells of the column are not background."""
    return row_share(grid.T).T


def line_of_colour(grid: Grid, colour: Colour) -> Plane:
    """1 in rows that have a colour, 2 in columns, 3 in both."""
    same = grid == colour
    return (same.any(axis=1)[:, None] + 2 * same.any(axis=0)[None, :]).astype(np.int16)


def sizes(grid: Grid) -> Plane:
    """How many cells the cell's connected area of one colour has."""
    return _areas(components(grid, diagonal=False))


def sizes_slanted(grid: Grid) -> Plane:
    """The same, connected also diagonally."""
    return _areas(components(grid, diagonal=True))


def _areas(label: NDArray[np.int32]) -> Plane:
    return np.bincount(label.ravel(), minlength=label.size)[label].astype(np.int16)


def size_rank(grid: Grid) -> Plane:
    """1 in the largest areas that are not background, 2 in the next smaller ones, …; 0 else."""
    area = sizes(grid)
    full = grid != background(grid)
    steps = np.unique(area[full])
    rank = len(steps) - np.searchsorted(steps, area)
    return np.where(full, rank, 0).astype(np.int16)


def smallness(grid: Grid) -> Plane:
    """1 in the smallest areas that are not background, 2 in the next larger ones, …; 0 else."""
    area = sizes(grid)
    full = grid != background(grid)
    rank = np.searchsorted(np.unique(area[full]), area) + 1
    return np.where(full, rank, 0).astype(np.int16)


def hole_sizes(grid: Grid) -> Plane:
    """In enclosed background, how many cells the enclosed area has; 0 elsewhere."""
    return np.where(enclosed(grid), sizes(grid), 0).astype(np.int16)


def mirrored(grid: Grid) -> Plane:
    """The colour of the left-right mirror image."""
    return grid[:, ::-1].astype(np.int16)


def count_rank(grid: Grid) -> Plane:
    """How common the cell's colour is: 0 for the most common."""
    found = np.bincount(grid.ravel(), minlength=10)
    order = np.argsort(np.argsort(-found, kind="stable"), kind="stable")
    return order[grid].astype(np.int16)


def same_corner(grid: Grid) -> Plane:
    """1 where the cell has the colour of the cell in the middle, 2 of the upper left corner."""
    middle = grid[grid.shape[0] // 2, grid.shape[1] // 2]
    return ((grid == middle) + 2 * (grid == grid[0, 0])).astype(np.int16)


def panel_position(grid: Grid, size: int) -> Plane:
    """The place within square blocks of a size, counted in reading order."""
    if size < 2:
        raise Inapplicable("blocks have at least two cells a side")
    return (_rows(grid) % size * size + _cols(grid) % size).astype(np.int16)


def key_plane(scene: Scene, key: Key) -> Plane:
    """Each object's key plus one on its cells; 0 elsewhere."""
    plane = np.zeros(scene.shape, dtype=np.int16)
    for one, value in zip(scene.objects, key(scene), strict=True):
        rows, cols = one.cells.shape
        there = plane[one.row : one.row + rows, one.col : one.col + cols]
        if min(one.row, one.col) < 0 or there.shape != one.cells.shape:
            raise Inapplicable("an object lies outside the canvas")
        np.copyto(there, np.int16(min(int(value), 32_000) + 1), where=one.cells >= 0)
    return plane


def rank_plane(scene: Scene, key: Key) -> Plane:
    """Each object's rank by a key (1 for the largest value) on its cells; 0 elsewhere."""
    found = key(scene)
    steps = np.unique(found)
    rank = len(steps) - 1 - np.searchsorted(steps, found)
    return key_plane(scene, lambda _: rank)


def extreme_plane(scene: Scene, key: Key) -> Plane:
    """2 on objects with the largest value, 1 on other objects; 0 elsewhere."""
    found = key(scene)
    return key_plane(scene, lambda _: (found == found.max()).astype(np.int64))


def inside_plane(scene: Scene) -> Plane:
    """Within bounding boxes, how far from the box's border plus one; 0 elsewhere."""
    plane = np.zeros(scene.shape, dtype=np.int16)
    for one in scene.objects:
        rows, cols = one.cells.shape
        if min(one.row, one.col) < 0:
            raise Inapplicable("an object lies outside the canvas")
        there = plane[one.row : one.row + rows, one.col : one.col + cols]
        there[...] = depth(one.cells)[: there.shape[0], : there.shape[1]] + 1
    return plane


def both(first: Plane, second: Plane) -> Plane:
    """1 where both planes are set."""
    return _combined(first, second, np.logical_and)


def either(first: Plane, second: Plane) -> Plane:
    """1 where one of the planes is set."""
    return _combined(first, second, np.logical_or)


def _combined(
    first: Plane,
    second: Plane,
    join: Callable[[NDArray[np.bool_], NDArray[np.bool_]], NDArray[np.bool_]],
) -> Plane:
    if first.shape != second.shape:
        raise Inapplicable("planes of different shape")
    return join(first > 0, second > 0).astype(np.int16)


def colour_where(grid: Grid, mask: Plane, colour: Colour) -> Grid:
    """A colour where a mask is set."""
    if grid.shape != mask.shape:
        raise Inapplicable("grid and mask differ in shape")
    return np.where(mask > 0, np.int8(colour), grid)


def colour_ground_where(grid: Grid, mask: Plane, colour: Colour) -> Grid:
    """A colour where a mask is set on background."""
    if grid.shape != mask.shape:
        raise Inapplicable("grid and mask differ in shape")
    return np.where((mask > 0) & (grid == background(grid)), np.int8(colour), grid)


PRIMITIVES = (
    of_colour,
    colour_plane,
    holes_plane,
    tight_holes_plane,
    depth,
    row_parity,
    column_parity,
    chequer,
    thirds,
    row_number,
    column_number,
    diagonals,
    neighbours_straight,
    neighbours_slanted,
    neighbours,
    alike,
    neighbours_of_colour,
    close_to_colour,
    next_colour,
    seen_colour,
    between_straight,
    surrounded,
    row_colour,
    column_colour,
    row_blank,
    column_blank,
    row_share,
    column_share,
    line_of_colour,
    sizes,
    sizes_slanted,
    size_rank,
    smallness,
    hole_sizes,
    mirrored,
    count_rank,
    same_corner,
    panel_position,
    key_plane,
    rank_plane,
    extreme_plane,
    inside_plane,
    both,
    either,
    colour_where,
    colour_ground_where,
)
