"""The types a concept's fields speak of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache, reduce

from .records import ConceptPayload
from .types.aliases import Aliases
from .types.normal import widen
from .types.parsing import parse
from .types.terms import Defined, Type


def typings(payload: ConceptPayload) -> list[str]:
    """The annotations of a concept's parameters and of its output."""
    texts = [one.typing for one in payload.parameters]
    return [text for text in (*texts, payload.output_type) if text.strip()]


def aliases_of(concepts: Iterable[ConceptPayload]) -> Aliases:
    """Every type alias that these concepts define."""
    texts: set[str] = set()
    named: set[tuple[str, str]] = set()
    for one in concepts:
        texts.update(typings(one))
        named.update(one.types.items())
    types: list[Type] = [parse(text).type for text in sorted(texts)]
    types += [Defined(name, parse(text).type) for name, text in sorted(named)]
    return Aliases.of(types)


def definitions(payload: ConceptPayload) -> Mapping[str, Type]:
    """The type aliases that a concept defines, in normal form, by name."""
    return _definitions(tuple(typings(payload)), tuple(payload.types.items()))


@lru_cache(maxsize=50_000)
def _definitions(texts: tuple[str, ...], named: tuple[tuple[str, str], ...]) -> Mapping[str, Type]:
    return Aliases.read(texts, dict(named)).bodies


def joined(bodies: Iterable[Type]) -> Type:
    """What a name stands for that several concepts define: the union of all they say."""
    return reduce(widen, sorted(set(bodies), key=str))
