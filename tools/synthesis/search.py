"""Typed enumeration of programs, cheapest first.

Programs are made from the bottom up. The cost of one is -log of its probability under a prior
P(word | parent word, argument), in whole steps; all programs of a cost are tried before any of a
higher one (as in Probe and TF-Coder). A program whose values equal those of an earlier one on all
inputs is dropped (observational equivalence). Values are computed on training and test inputs
together, so that a program that explains the examples has already answered.

A node is a program evaluated, whatever comes of it. A search that is given what was evaluated for
its puzzle before evaluates none of that again: under another prior it goes on with what is new.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

import numpy as np

from ...errors import Inapplicable
from ..grids.library import Primitive, Type, colour, library
from ..grids.puzzle import COLOURS, SIDE, Grid, Puzzle
from ..grids.values import Scene
from .prior import NEVER, ROOT, Costs, Place, Prior
from .roles import ROLES, roles
from .routines import Routine, expanded, type_of, word_of
from .terms import INPUT, Term, is_colour

Values: TypeAlias = tuple[object, ...]
"""What a program makes of each input, the training inputs first."""

HIGHEST = 1000
"""Levels of cost beyond which nothing is left to be found."""
STUMBLES = (Inapplicable, ValueError, IndexError)
"""A routine that means nothing for its values says so, or numpy does."""


@dataclass(frozen=True, eq=False, slots=True)
class Known:
    """A program found worth keeping, what it makes of the inputs, and its cost below the root."""

    term: Term
    values: Values
    inner: int
    whole: Term
    """The program in words of the library alone."""


Evaluated: TypeAlias = dict[Term, Values | None]
"""What programs, in words of the library, made of one puzzle's inputs; None: nothing."""
Shelf: TypeAlias = dict[int, list[Known]]
"""Programs that may stand in a place, by what they cost there."""


@dataclass(frozen=True, eq=False)
class Solution:
    """A program that maps every training input to its output."""

    term: Term
    answers: tuple[Grid, ...]
    """One for each test input."""
    node: int
    """When it was found, in nodes from 1."""
    cost: int


@dataclass(frozen=True, eq=False)
class Found:
    """What a search came to."""

    solutions: tuple[Solution, ...]
    """In the order of discovery, which is that of cost; different answers only."""
    nodes: int

    def guesses(self, most: int = 10) -> tuple[tuple[Grid, ...], ...]:
        """The different answers for each test input, best first."""
        tests = len(self.solutions[0].answers) if self.solutions else 0
        return tuple(
            _different([one.answers[n] for one in self.solutions])[:most] for n in range(tests)
        )


def _different(grids: Sequence[Grid]) -> tuple[Grid, ...]:
    return tuple({(g.shape, g.tobytes()): g for g in reversed(grids)}.values())[::-1]


def spoken_colours(puzzle: Puzzle) -> list[int]:
    """Colours that all training inputs show, or all outputs: the constants a rule may name."""
    ins = [np.isin(np.arange(COLOURS), pair.input) for pair in puzzle.train]
    outs = [np.isin(np.arange(COLOURS), pair.output) for pair in puzzle.train]
    return np.flatnonzero(np.all(ins, axis=0) | np.all(outs, axis=0)).tolist()


def vocabulary(puzzle: Puzzle, extra: Sequence[Primitive] = ()) -> list[Primitive]:
    """The words of a search: the library, the puzzle's colours, its input, and what is added."""
    start = Primitive(INPUT, (), Type.GRID, "constant", None, "The puzzle's grid.")
    tones = [colour(tone) for tone in spoken_colours(puzzle)]
    return [start, *tones, *library().values(), *extra]


def _name(kind: Type, values: Values) -> object:
    """What two programs share if nothing tells them apart."""
    if kind in (Type.GRID, Type.PLANE):
        return tuple((v.shape, v.tobytes()) for v in values)  # type: ignore[attr-defined]
    if kind is Type.OBJECTS:
        return tuple(_scene_name(v) for v in values)  # type: ignore[arg-type]
    return values


def _scene_name(scene: Scene) -> object:
    parts = [(o.row, o.col, o.cells.shape, o.cells.tobytes()) for o in scene.objects]
    return (scene.shape, scene.background, *parts)


class Search:
    """One puzzle's search; ``run`` goes on until the budget is spent.

    ``routines`` are further words. ``evaluated`` is read and added to.
    """

    def __init__(
        self,
        puzzle: Puzzle,
        prior: Prior,
        *,
        routines: Sequence[Routine] = (),
        seed: int = 0,
        evaluated: Evaluated | None = None,
    ) -> None:
        self.puzzle = puzzle
        self.inputs: list[Grid] = [pair.input for pair in puzzle.train] + list(puzzle.tests)
        self.outputs = [pair.output for pair in puzzle.train]
        self.target = tuple((o.shape, o.tobytes()) for o in self.outputs)
        self.routines = {made.name: made for made in routines}
        self.evaluated = evaluated
        self.words = vocabulary(puzzle, [word_of(made) for made in routines])
        # among programs of one cost no order is built in: it differs from puzzle to puzzle
        random.Random(f"{seed} {puzzle.id}").shuffle(self.words)
        self.costs = Costs(prior, self.words)
        self.shelves: dict[Place, Shelf] = {}
        self.readers: dict[Type, list[tuple[dict[str, int], Shelf]]] = {}
        self._open_shelves()
        self.seen: dict[Type, set[object]] = {kind: set() for kind in Type}
        self.solutions: list[Solution] = []
        self.nodes = 0

    def _open_shelves(self) -> None:
        """A shelf for each place; places with the same costs share one."""
        shared: dict[tuple[int, Type], Shelf] = {}
        for word in self.words:
            for slot, kind in enumerate(word.inputs):
                table = self.costs.places[word.name, slot]
                shelf = shared.get((id(table), kind))
                if shelf is None:
                    shelf = shared[id(table), kind] = {}
                    self.readers.setdefault(kind, []).append((table, shelf))
                self.shelves[word.name, slot] = shelf

    def run(self, budget: int, *, more: float = 0.5, least: int = 100) -> Found:
        """Search until ``budget`` nodes; after a first solution a share more for a second answer.

        ``more`` is that share of the nodes the first one took, at least ``least`` nodes.
        """
        for nodes in self._levels():
            if self.solutions:
                first = self.solutions[0].node
                budget = min(budget, first + max(least, int(first * more)))
                if len(self.guesses_so_far()) > 1:
                    break
            if nodes >= budget:
                break
        return Found(tuple(self.solutions), self.nodes)

    def guesses_so_far(self) -> set[tuple[bytes, ...]]:
        """The different answers found."""
        return {tuple(a.tobytes() for a in one.answers) for one in self.solutions}

    def _levels(self) -> Iterator[int]:
        """Evaluate one program after another; the count of nodes after each."""
        words = [
            (word, offset, [self.shelves[word.name, slot] for slot in range(len(word.inputs))])
            for word in self.words
            if (offset := self.costs.offset.get(word.name, NEVER)) < NEVER
        ]
        for level in range(1, HIGHEST):
            for word, offset, shelves in words:
                inner = level - offset
                if inner < 0:
                    continue
                for arguments in _arguments(shelves, inner):
                    before = self.nodes
                    self._try(word, arguments, inner)
                    if self.nodes > before:
                        yield self.nodes

    def _try(self, word: Primitive, arguments: tuple[Known, ...], inner: int) -> None:
        """Apply a word to arguments; keep the program if it makes something new."""
        whole = self._whole(word, arguments)
        if self.evaluated is None:
            values = self._evaluate(word, arguments)
        elif whole in self.evaluated:
            values = self.evaluated[whole]
        else:
            values = self.evaluated[whole] = self._evaluate(word, arguments)
        if values is None:
            return
        name = _name(word.output, values)
        if name in self.seen[word.output]:
            return
        self.seen[word.output].add(name)
        term = Term(word.name, tuple(one.term for one in arguments))
        if word.output is Type.GRID and name[: len(self.target)] == self.target:  # type: ignore[index]
            cost = inner + self.costs.places[ROOT].get(word.name, NEVER)
            answers: tuple[Grid, ...] = values[len(self.target) :]  # type: ignore[assignment]
            self.solutions.append(Solution(term, answers, self.nodes, cost))
        if word.kind != "fit":
            self._shelve(word, Known(term, values, inner, whole))

    def _evaluate(self, word: Primitive, arguments: tuple[Known, ...]) -> Values | None:
        """The values of a word on arguments, None where it means nothing for them: one node."""
        self.nodes += 1
        try:
            values = self._values(word, arguments)
        except STUMBLES:
            return None
        if word.output is not Type.GRID:
            return values
        grids: tuple[Grid, ...] = values  # type: ignore[assignment]
        if not all(min(g.shape) > 0 and max(g.shape) <= SIDE for g in grids):
            return None
        return tuple(g if g.dtype == np.int8 else g.astype(np.int8) for g in grids)

    def _whole(self, word: Primitive, arguments: tuple[Known, ...]) -> Term:
        whole = Term(word.name, tuple(one.whole for one in arguments))
        return expanded(whole, self.routines) if word.name in self.routines else whole

    def _shelve(self, word: Primitive, known: Known) -> None:
        for table, shelf in self.readers.get(word.output, ()):
            shelf.setdefault(known.inner + table[word.name], []).append(known)

    def _values(self, word: Primitive, arguments: tuple[Known, ...]) -> Values:
        if word.name == INPUT:
            return tuple(self.inputs)
        return apply(word, [one.values for one in arguments], self.outputs, len(self.inputs))


def _arguments(shelves: Sequence[Shelf], total: int) -> Iterable[tuple[Known, ...]]:
    """One item from each shelf, so that their costs add up to ``total``."""
    if not shelves:
        return () if total else ((),)
    if len(shelves) == 1:
        held = shelves[0].get(total)
        return zip(held) if held else ()
    return _splits(shelves, total) if all(shelves) else ()


def _splits(shelves: Sequence[Shelf], total: int) -> Iterator[tuple[Known, ...]]:
    """The same, of two shelves or more."""
    head, rest = shelves[0], shelves[1:]
    for cost in [cost for cost in head if cost < total]:
        for others in _arguments(rest, total - cost):
            for one in head[cost]:
                yield (one, *others)


def explains(program: Term, puzzle: Puzzle) -> bool:
    """Whether a program of the library maps every training input to its output.

    Roles for colours are tried with every colour that plays them.
    """
    if type_of(program) is not Type.GRID:
        return False
    played = roles(puzzle)
    named = [r for r in dict.fromkeys(one.head for one in program.walk()) if r in ROLES]
    players = [[word for word, role in played.items() if role == name] for name in named]
    outputs = [pair.output for pair in puzzle.train]
    inputs = [pair.input for pair in puzzle.train]
    for choice in product(*players):
        term = program.filled({name: Term(word) for name, word in zip(named, choice, strict=True)})
        try:
            made = evaluate(term, inputs, outputs)
        except STUMBLES:
            continue
        if _name(Type.GRID, made) == _name(Type.GRID, tuple(outputs)):
            return True
    return False


def evaluate(term: Term, inputs: Sequence[Grid], outputs: Sequence[Grid]) -> Values:
    """A program's values on inputs, of which the first have these outputs.

    Raises ``Inapplicable`` (or what numpy raises) where a routine means nothing for its values.
    """
    if term.head == INPUT:
        return tuple(inputs)
    if is_colour(term.head):
        return (int(term.head[1:]),) * len(inputs)
    if term.head not in library():
        raise Inapplicable(f"unknown word {term.head!r}")
    word = library()[term.head]
    rows = [evaluate(one, inputs, outputs) for one in term.arguments]
    return apply(word, rows, outputs, len(inputs))


def apply(word: Primitive, rows: Sequence[Values], outputs: Sequence[Grid], number: int) -> Values:
    """A word applied to the values of its arguments, for ``number`` inputs."""
    if word.kind == "constant":
        return (word.value,) * number
    run: Callable[..., object] = word.value  # type: ignore[assignment]
    if word.kind == "fit":
        run = run(outputs, *(row[: len(outputs)] for row in rows))  # type: ignore[assignment]
    return tuple(map(run, *rows))
