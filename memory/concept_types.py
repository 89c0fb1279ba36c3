"""The types a concept's fields speak of."""

from __future__ import annotations

from collections.abc import Iterable

from .records import ConceptPayload
from .types.aliases import Aliases
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
