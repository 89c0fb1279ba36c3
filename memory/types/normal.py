"""The normal form of a type, and the union of two: what a parameter becomes when it widens.

In normal form names are in lower case, unions are flat, sorted and without doubles, literals stand
in one ``Literal`` and ``None`` comes last. Two types are taken for the same if their normal forms
are equal. ``Any`` does not swallow the other members: what is known of a type stays known.
"""

from __future__ import annotations

import re
from functools import lru_cache

from .parsing import parse
from .terms import (
    Defined,
    Either,
    Function,
    Generic,
    Named,
    Nothing,
    Rest,
    Type,
    Values,
    parts,
)


def type_name(text: str) -> str:
    """A type's name as it is compared: lower case, one space between words."""
    return " ".join(re.split(r"[\s_-]+", text.strip().casefold())).strip()


@lru_cache(maxsize=20_000)
def normal(one: Type) -> Type:
    """The normal form; ``normal(normal(t)) == normal(t)``."""
    match one:
        case Named(name):
            return Named(type_name(name) or name)
        case Values(values):
            return Values(tuple(sorted({*values})))
        case Generic(head, arguments):
            return Generic(type_name(head) or head, tuple(map(normal, arguments)))
        case Function(parameters, result):
            inside = None if parameters is None else tuple(map(normal, parameters))
            return Function(inside, normal(result))
        case Defined(name, inner):
            return Defined(type_name(name) or name, normal(inner))
        case Either(members):
            return _union(members)
        case _:
            return one


def widen(a: Type, b: Type) -> Type:
    """The least type both are: their union in normal form.

    Idempotent, commutative and associative. Two definitions of one name become one of the union.
    """
    return _union((a, b))


def widen_text(held: str, new: str) -> str:
    """`widen` over annotations. The held text stays as it is where the new one adds nothing."""
    if not held.strip() or not new.strip():
        return held if held.strip() else new
    mine = parse(held).type
    wider = widen(mine, parse(new).type)
    return held if wider == normal(mine) else str(wider)


def same(a: str, b: str) -> bool:
    """True if two annotations say the same type; an empty one says nothing."""
    if not a.strip() or not b.strip():
        return a.strip() == b.strip()
    return normal(parse(a).type) == normal(parse(b).type)


def _union(members: tuple[Type, ...]) -> Type:
    flat = _flat(members)
    values = [value for one in flat if isinstance(one, Values) for value in one.values]
    bodies: dict[str, list[Type]] = {}
    for one in flat:
        if isinstance(one, Defined):
            bodies.setdefault(one.name, []).append(one.type)
    kept: list[Type] = [
        one
        for one in flat
        if not isinstance(one, Values | Defined)
        and not (isinstance(one, Named) and one.name in bodies)
    ]
    if values:
        kept.append(Values(tuple(sorted({*values}))))
    kept += [Defined(name, _union(tuple(inside))) for name, inside in bodies.items()]
    unique = sorted(set(kept), key=_place)
    return unique[0] if len(unique) == 1 else Either(tuple(unique))


def _flat(members: tuple[Type, ...]) -> list[Type]:
    found: list[Type] = []
    for member in members:
        one = normal(member)
        found += _flat(parts(one)) if isinstance(one, Either) else [one]
    return found


def _place(one: Type) -> tuple[int, str]:
    """Where a member stands: definitions after what is plain, ``None`` and ``...`` last."""
    late = 2 if isinstance(one, Nothing | Rest) else 1 if isinstance(one, Defined) else 0
    return late, str(one)
