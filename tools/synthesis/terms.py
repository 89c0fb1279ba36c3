"""Programs as trees of words, and their text: ``trim(objects4(input))``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ...errors import Inapplicable

INPUT = "input"
_TOKEN = re.compile(r"\s*([\w?:.\-#]+|[(),])")


def is_colour(word: str) -> bool:
    """Whether a word is a colour, as ``c3``."""
    return word[0] == "c" and word[1:].isdigit()


class Term(NamedTuple):
    """A word and the terms it is applied to. ``input`` stands for the puzzle's grid."""

    head: str
    arguments: tuple[Term, ...] = ()

    def __str__(self) -> str:
        if not self.arguments:
            return self.head
        return f"{self.head}({', '.join(map(str, self.arguments))})"

    def walk(self) -> Iterator[Term]:
        """The term and all terms in it, from the root down."""
        yield self
        for one in self.arguments:
            yield from one.walk()

    def size(self) -> int:
        """How many words it has."""
        return 1 + sum(one.size() for one in self.arguments)

    def filled(self, holes: Mapping[str, Term]) -> Term:
        """The term with terms put in for leaves of these names."""
        if not self.arguments:
            return holes.get(self.head, self)
        return Term(self.head, tuple(one.filled(holes) for one in self.arguments))


def parse(text: str) -> Term:
    """The term a text stands for. Raises ``Inapplicable`` if it is none."""
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != re.sub(r"\s", "", text) or not tokens:
        raise Inapplicable(f"no program: {text!r}")
    term, rest = _parse(tokens, 0, text)
    if rest != len(tokens):
        raise Inapplicable(f"no program: {text!r}")
    return term


def _parse(tokens: list[str], place: int, text: str) -> tuple[Term, int]:
    if place >= len(tokens) or tokens[place] in "(),":
        raise Inapplicable(f"no program: {text!r}")
    head, place = tokens[place], place + 1
    if place >= len(tokens) or tokens[place] != "(":
        return Term(head), place
    arguments: list[Term] = []
    while tokens[place] != ")":
        one, place = _parse(tokens, place + 1, text)
        arguments.append(one)
        if place >= len(tokens):
            raise Inapplicable(f"no program: {text!r}")
    return Term(head, tuple(arguments)), place + 1
