"""Choosing and ordering the objects of a scene."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...errors import Inapplicable
from .puzzle import Grid
from .values import Colour, Key, Scene


def _where(scene: Scene, chosen: NDArray[np.bool_]) -> Scene:
    if chosen.all():
        raise Inapplicable("the choice leaves out nothing")
    return scene.having(tuple(one for one, keep in zip(scene.objects, chosen, strict=True) if keep))


def keep_most(scene: Scene, key: Key) -> Scene:
    """The objects with the largest value."""
    found = key(scene)
    return _where(scene, found == found.max())


def keep_least(scene: Scene, key: Key) -> Scene:
    """The objects with the smallest value."""
    found = key(scene)
    return _where(scene, found == found.min())


def drop_most(scene: Scene, key: Key) -> Scene:
    """All but the objects with the largest value."""
    found = key(scene)
    return _where(scene, found != found.max())


def drop_least(scene: Scene, key: Key) -> Scene:
    """All but the objects with the smallest value."""
    found = key(scene)
    return _where(scene, found != found.min())


def keep_odd(scene: Scene, key: Key) -> Scene:
    """The objects whose value no other object has."""
    found = key(scene)
    return _where(scene, (found[:, None] == found[None, :]).sum(axis=1) == 1)


def keep_usual(scene: Scene, key: Key) -> Scene:
    """The objects with the value most objects have."""
    found = key(scene)
    same = (found[:, None] == found[None, :]).sum(axis=1)
    return _where(scene, found == found[same.argmax()])


def keep_equal(scene: Scene, key: Key, value: int) -> Scene:
    """The objects with a value."""
    return _where(scene, key(scene) == value)


def keep_over(scene: Scene, key: Key, value: int) -> Scene:
    """The objects with more than a value."""
    return _where(scene, key(scene) > value)


def keep_of_colour(scene: Scene, colour: Colour) -> Scene:
    """The objects that have a colour."""
    return _where(scene, np.array([(one.cells == colour).any() for one in scene.objects]))


def drop_of_colour(scene: Scene, colour: Colour) -> Scene:
    """The objects without a colour."""
    return _where(scene, np.array([not (one.cells == colour).any() for one in scene.objects]))


def order_by(scene: Scene, key: Key) -> Scene:
    """The objects in rising order of a key."""
    values = key(scene).tolist()
    order = sorted(range(len(values)), key=values.__getitem__)
    return scene.having(tuple(scene.objects[n] for n in order))


def reverse(scene: Scene) -> Scene:
    """The objects in opposite order."""
    return scene.having(scene.objects[::-1])


def first(scene: Scene) -> Scene:
    """The first object."""
    if len(scene.objects) < 2:
        raise Inapplicable("there is one object")
    return scene.having(scene.objects[:1])


def last(scene: Scene) -> Scene:
    """The last object."""
    if len(scene.objects) < 2:
        raise Inapplicable("there is one object")
    return scene.having(scene.objects[-1:])


def distinct(scene: Scene) -> Scene:
    """One object of each look."""
    looks = {(one.cells.shape, one.cells.tobytes()): one for one in reversed(scene.objects)}
    return scene.having(tuple(reversed(looks.values())))


def unlike(scene: Scene, grid: Grid) -> Scene:
    """The objects that look different from a grid."""
    return _where(scene, np.array([not np.array_equal(o.cells, grid) for o in scene.objects]))


PRIMITIVES = (
    keep_most,
    keep_least,
    drop_most,
    drop_least,
    keep_odd,
    keep_usual,
    keep_equal,
    keep_over,
    keep_of_colour,
    drop_of_colour,
    order_by,
    reverse,
    first,
    last,
    distinct,
    unlike,
)
