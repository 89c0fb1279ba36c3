"""Changing, keeping and naming colours."""

from __future__ import annotations

import numpy as np

from ...errors import Inapplicable
from .puzzle import Grid
from .values import Colour, Scene, background, counts, enclosed


def recolour_all(grid: Grid, colour: Colour) -> Grid:
    """Everything but the background gets one colour."""
    ground = background(grid)
    return np.where(grid != ground, np.int8(colour), np.int8(ground))


def replace(grid: Grid, old: Colour, new: Colour) -> Grid:
    """One colour becomes another."""
    return np.where(grid == old, np.int8(new), grid)


def swap(grid: Grid, first: Colour, second: Colour) -> Grid:
    """Two colours exchanged."""
    table = np.arange(10, dtype=np.int8)
    table[first], table[second] = second, first
    return table[grid]


def keep_colour(grid: Grid, colour: Colour) -> Grid:
    """All other colours become background."""
    return np.where(grid == colour, grid, np.int8(background(grid)))


def erase_colour(grid: Grid, colour: Colour) -> Grid:
    """A colour becomes background."""
    return np.where(grid == colour, np.int8(background(grid)), grid)


def fill_background(grid: Grid, colour: Colour) -> Grid:
    """The background gets a colour."""
    return np.where(grid == background(grid), np.int8(colour), grid)


def invert(grid: Grid) -> Grid:
    """The two colours of a grid of two colours exchanged."""
    present = np.flatnonzero(counts(grid))
    if len(present) != 2:
        raise Inapplicable("the grid has not two colours")
    return swap(grid, Colour(int(present[0])), Colour(int(present[1])))


def ground_to_zero(grid: Grid) -> Grid:
    """The most common colour and 0 exchanged."""
    return swap(grid, Colour(0), Colour(int(counts(grid).argmax())))


def rank_colours(grid: Grid) -> Grid:
    """Colours renamed 1, 2, … from the most common that is not background."""
    found = counts(grid)
    ground = background(grid)
    found[ground] = 0
    order = np.argsort(-found, kind="stable")[: np.count_nonzero(found)]
    table = np.zeros(10, dtype=np.int8)
    table[order] = np.arange(1, len(order) + 1)
    return table[grid]


def keep_main(grid: Grid) -> Grid:
    """Only the most common colour that is not background."""
    return keep_colour(grid, main_colour(grid))


def all_main(grid: Grid) -> Grid:
    """A grid of its most common colour alone."""
    return np.full_like(grid, counts(grid).argmax())


def main_colour(grid: Grid) -> Colour:
    """The most common colour that is not background."""
    found = counts(grid)
    found[background(grid)] = 0
    if not found.any():
        raise Inapplicable("the grid is all background")
    return Colour(int(found.argmax()))


def rare_colour(grid: Grid) -> Colour:
    """The least common colour that is not background."""
    found = counts(grid)
    found[background(grid)] = 0
    if not found.any():
        raise Inapplicable("the grid is all background")
    return Colour(int(np.where(found > 0, found, 10_000).argmin()))


def ground_colour(grid: Grid) -> Colour:
    """The most common colour."""
    return Colour(int(counts(grid).argmax()))


def corner_colour(grid: Grid) -> Colour:
    """The colour of the upper left cell."""
    return Colour(int(grid[0, 0]))


def middle_colour(grid: Grid) -> Colour:
    """The colour of the cell in the middle."""
    return Colour(int(grid[grid.shape[0] // 2, grid.shape[1] // 2]))


def colour_of(scene: Scene) -> Colour:
    """The most common colour of the first object."""
    cells = scene.objects[0].cells
    return Colour(int(np.bincount(cells[cells >= 0], minlength=10).argmax()))


def fill_holes(grid: Grid, colour: Colour) -> Grid:
    """Enclosed background gets a colour."""
    return np.where(enclosed(grid), np.int8(colour), grid)


def fill_holes_tight(grid: Grid, colour: Colour) -> Grid:
    """Background enclosed also against diagonal steps gets a colour."""
    return np.where(enclosed(grid, diagonal=True), np.int8(colour), grid)


def smooth(grid: Grid) -> Grid:
    """Each cell gets the most common colour among itself and its eight neighbours, twice over."""
    for _ in range(2):
        rows, cols = grid.shape
        wide = np.empty((rows + 2, cols + 2), dtype=np.int8)
        wide.fill(-1)
        wide[1:-1, 1:-1] = grid
        tones = np.unique(grid)
        votes = [
            sum(
                (wide[r : r + rows, c : c + cols] == t).astype(np.int8)
                for r in range(3)
                for c in range(3)
            )
            for t in tones
        ]
        grid = tones[np.argmax(votes, axis=0)]
    return grid


def fill_outside(grid: Grid, colour: Colour) -> Grid:
    """Background that reaches the edge gets a colour."""
    return np.where((grid == background(grid)) & ~enclosed(grid), np.int8(colour), grid)


PRIMITIVES = (
    recolour_all,
    replace,
    swap,
    keep_colour,
    erase_colour,
    fill_background,
    invert,
    ground_to_zero,
    rank_colours,
    keep_main,
    all_main,
    main_colour,
    rare_colour,
    ground_colour,
    corner_colour,
    middle_colour,
    colour_of,
    fill_holes,
    fill_holes_tight,
    smooth,
    fill_outside,
)
