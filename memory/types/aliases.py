"""Names that stand for types, and what is wrong with a type or with a set of names."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field

from .normal import normal, type_name, widen
from .parsing import parse
from .terms import Defined, Generic, Named, Type, Verbatim, walk

KNOWN = frozenset(
    "int float str bool bytes complex list tuple dict set frozenset sequence iterable mapping "
    "object type ndarray".split()
)
"""Names that need no definition: Python's."""

_ARITY = {"list": 1, "set": 1, "frozenset": 1, "dict": 2, "mapping": 2}


@dataclass(frozen=True)
class Aliases:
    """What names stand for. Two definitions of one name become their union."""

    bodies: Mapping[str, Type] = field(default_factory=dict[str, Type])

    @classmethod
    def of(cls, types: Iterable[Type]) -> Aliases:
        """Every definition inside these types, however deep."""
        bodies: dict[str, Type] = {}
        for one in types:
            for inner in walk(normal(one)):
                if isinstance(inner, Defined):
                    held = bodies.get(inner.name)
                    bodies[inner.name] = inner.type if held is None else widen(held, inner.type)
        return cls(bodies)

    @classmethod
    def read(cls, annotations: Iterable[str], named: Mapping[str, str] | None = None) -> Aliases:
        """The definitions in annotations, and those given by name."""
        types = [parse(one).type for one in annotations if one.strip()]
        types += [Defined(name, parse(text).type) for name, text in (named or {}).items()]
        return cls.of(types)

    def body(self, name: str) -> Type | None:
        """What a name stands for, in normal form; None for one that was never defined."""
        return self.bodies.get(type_name(name))

    def cycles(self) -> list[tuple[str, ...]]:
        """Names that are defined by themselves, each round once, from its first name."""
        mentions = {
            name: sorted(
                {one.name for one in walk(body) if isinstance(one, Named)} & self.bodies.keys()
            )
            for name, body in self.bodies.items()
        }
        found: set[tuple[str, ...]] = set()
        for start in mentions:
            waiting: list[tuple[str, tuple[str, ...]]] = [(start, (start,))]
            seen = {start}
            while waiting:
                at, path = waiting.pop()
                for following in mentions[at]:
                    if following == start:
                        first = path.index(min(path))
                        found.add(path[first:] + path[:first])
                    elif following not in seen:
                        seen.add(following)
                        waiting.append((following, (*path, following)))
        return sorted(found)


def problems(one: Type, known: Container[str] = (), aliases: Aliases | None = None) -> list[str]:
    """What is not well formed in a type: unread text, wrong arity, names nobody defines.

    ``known`` are further names, as `type_name` writes them, that need no definition.
    """
    found: list[str] = []
    inside = {type_name(inner.name) for inner in walk(one) if isinstance(inner, Defined)}
    places = (KNOWN, inside, known, () if aliases is None else aliases.bodies)
    for inner in walk(one):
        match inner:
            case Verbatim(text):
                found.append(f"{text!r} could not be read")
            case Generic(head, arguments) if len(arguments) != _ARITY.get(
                type_name(head), len(arguments)
            ):
                found.append(f"{inner}: {head} takes {_ARITY[type_name(head)]} types")
            case Named(name) if not any(type_name(name) in place for place in places):
                found.append(f"{name!r} is not defined")
            case _:
                pass
    return list(dict.fromkeys(found))
