"""Routines: patterns of words with typed holes, and the words they become in a search."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...errors import Inapplicable
from ..grids.library import Primitive, Type, library
from ..grids.puzzle import Grid
from .roles import ROLES
from .terms import INPUT, Term, is_colour

GRID_HOLE = "?0"
"""The hole that stands for the grid a routine works on."""


def is_hole(word: str) -> bool:
    """Whether a leaf is a hole, as ``?0``."""
    return word.startswith("?")


@dataclass(frozen=True)
class Routine:
    """A pattern with holes ``?0``, ``?1``, … of known types: a function of them."""

    name: str
    body: Term
    inputs: tuple[Type, ...]
    output: Type


def type_of(term: Term) -> Type:
    """The type a term gives. Raises ``Inapplicable`` for an unknown word."""
    if term.head == INPUT:
        return Type.GRID
    if term.head in ROLES or is_colour(term.head):
        return Type.COLOUR
    if term.head not in library():
        raise Inapplicable(f"unknown word {term.head!r}")
    return library()[term.head].output


def hole_types(body: Term) -> dict[str, Type]:
    """The type of each hole of a pattern, by the slots it stands in."""
    found: dict[str, Type] = {}
    for one in body.walk():
        if not one.arguments:
            continue
        if one.head not in library():
            raise Inapplicable(f"unknown word {one.head!r}")
        inputs = library()[one.head].inputs
        if len(inputs) != len(one.arguments):
            raise Inapplicable(f"{one.head} takes {len(inputs)} arguments")
        for kind, argument in zip(inputs, one.arguments, strict=True):
            if is_hole(argument.head) and found.setdefault(argument.head, kind) is not kind:
                raise Inapplicable(f"hole {argument.head} stands for two types")
    return found


def routine(name: str, body: Term) -> Routine:
    """A pattern as a routine; its holes are numbered. Raises ``Inapplicable`` for a wrong one."""
    types = hole_types(body)
    holes = [f"?{n}" for n in range(len(types))]
    if sorted(types) != holes or not types:
        raise Inapplicable("the holes of a routine are numbered from ?0")
    return Routine(name, body, tuple(types[hole] for hole in holes), type_of(body))


def numbered(body: Term) -> Term:
    """The same pattern, its holes renamed ?0, ?1, … in the order of appearance."""
    holes = list(dict.fromkeys(one.head for one in body.walk() if is_hole(one.head)))
    return body.filled({hole: Term(f"?{n}") for n, hole in enumerate(holes)})


def template(program: Term) -> Term:
    """A whole program as a pattern: holes for the input and for each colour it names."""
    named: dict[str, Term] = {INPUT: Term(GRID_HOLE)}
    for one in program.walk():
        if one.head in ROLES or is_colour(one.head):
            named.setdefault(one.head, Term(f"?{len(named)}"))
    return numbered(program.filled(named))


def _run(body: Term, holes: Sequence[object]) -> object:
    """The value of a pattern with values in its holes."""
    if is_hole(body.head):
        return holes[int(body.head[1:])]
    word = library()[body.head]
    if word.kind == "constant":
        return word.value
    function: Callable[..., object] = word.value  # type: ignore[assignment]
    return function(*(_run(one, holes) for one in body.arguments))


def word_of(made: Routine) -> Primitive:
    """The routine as a word of a search."""
    body = made.body
    doc = str(body)
    if library()[body.head].kind != "fit":

        def run(*holes: object) -> object:
            return _run(body, holes)

        return Primitive(made.name, made.inputs, made.output, "function", run, doc)
    fit: Callable[..., Callable[..., Grid]] = library()[body.head].value  # type: ignore[assignment]

    def fitted(outputs: Sequence[Grid], *columns: Sequence[object]) -> Callable[..., Grid]:
        rows = list(zip(*columns, strict=True))
        run = fit(outputs, *([_run(one, row) for row in rows] for one in body.arguments))

        def mapped(*row: object) -> Grid:
            return run(*(_run(one, row) for one in body.arguments))

        return mapped

    return Primitive(made.name, made.inputs, made.output, "fit", fitted, doc)


def matches(pattern: Term, term: Term) -> Mapping[str, Term] | None:
    """What the holes stand for where a pattern fits a term at its root."""
    bound: dict[str, Term] = {}
    return bound if _match(pattern, term, bound) else None


def _match(pattern: Term, term: Term, bound: dict[str, Term]) -> bool:
    if is_hole(pattern.head):
        return bound.setdefault(pattern.head, term) == term
    if pattern.head != term.head or len(pattern.arguments) != len(term.arguments):
        return False
    pairs = zip(pattern.arguments, term.arguments, strict=True)
    return all(_match(a, b, bound) for a, b in pairs)


def rewritten(term: Term, made: Routine) -> Term:
    """The term with the routine wherever its pattern occurs, from the root down."""
    bound = matches(made.body, term)
    if bound is not None:
        arguments = tuple(bound[f"?{n}"] for n in range(len(made.inputs)))
        return Term(made.name, tuple(rewritten(one, made) for one in arguments))
    return Term(term.head, tuple(rewritten(one, made) for one in term.arguments))


def expanded(term: Term, known: Mapping[str, Routine]) -> Term:
    """The term in words of the library alone."""
    arguments = tuple(expanded(one, known) for one in term.arguments)
    if term.head not in known:
        return Term(term.head, arguments)
    holes = {f"?{n}": one for n, one in enumerate(arguments)}
    return known[term.head].body.filled(holes)


def fragments(term: Term, most: int = 6) -> Iterator[Term]:
    """Patterns of two to ``most`` words that occur in a term; all the input is one hole."""
    for one in term.walk():
        for pattern in _cuts(one, most):
            if pattern.arguments and _words(pattern) >= 2:
                yield numbered(pattern)


def _words(pattern: Term) -> int:
    return sum(not is_hole(one.head) for one in pattern.walk())


def _cuts(term: Term, most: int) -> list[Term]:
    """The term with holes put for any of its parts; each hole is named after what it replaces."""
    if term.head == INPUT:
        return [Term("?input")]
    made = [Term(term.head, ())] if not term.arguments else []
    if term.arguments:
        partial: list[tuple[Term, ...]] = [()]
        for one in term.arguments:
            choices = [*_cuts(one, most - 1), Term(f"?{one}")]
            choices = list(dict.fromkeys(choices))
            partial = [(*head, choice) for head in partial for choice in choices]
        made = [Term(term.head, arguments) for arguments in partial]
    return [pattern for pattern in made if _words(pattern) <= most]
