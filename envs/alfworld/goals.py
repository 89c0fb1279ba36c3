"""How much of a game's goal holds: the goal-condition rate.

A goal of ALFWorld has one or two parts, each "there are things such that all these conditions
hold". Some conditions never change (what type a thing is, whether it can be heated), others do
(where it is, whether it is hot). The rate is the number of changing conditions that hold, at
the best choice of things among those that meet the unchanging ones, over their number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ...errors import EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Fact = tuple[str, ...]
Facts = frozenset[Fact]
Expression: TypeAlias = str | list["Expression"]

_TOKENS = re.compile(r"[()]|[^\s()]+")
_CHANGING = frozenset(
    {"atlocation", "checked", "examined", "holds", "holdsany", "inreceptacle", "isclean", "iscool"}
    | {"ishot", "ison", "issliced", "istoggled", "objectatlocation", "opened"}
)


@dataclass(frozen=True, slots=True)
class Condition:
    """One literal: ``fact`` with variables ("?o") or constants as arguments."""

    positive: bool
    fact: Fact

    @property
    def changes(self) -> bool:
        """Whether play can change it."""
        return self.fact[0] in _CHANGING

    def holds(self, chosen: Mapping[str, str], facts: Facts) -> bool:
        """Whether it is true when its variables are replaced by the things chosen."""
        name, *arguments = self.fact
        values = [chosen.get(argument, argument) for argument in arguments]
        true = values[0] == values[1] if name == "=" else (name, *values) in facts
        return true == self.positive


@dataclass(frozen=True, slots=True)
class Part:
    """Variables with the type of thing each stands for, and the conditions on them."""

    variables: tuple[tuple[str, str], ...]
    conditions: tuple[Condition, ...]

    def best(self, things: Mapping[str, tuple[str, ...]], facts: Facts) -> int:
        """The most changing conditions that hold for one choice of things."""
        return self._best({}, 0, things, facts) or 0

    def _best(
        self,
        chosen: dict[str, str],
        depth: int,
        things: Mapping[str, tuple[str, ...]],
        facts: Facts,
    ) -> int | None:
        """As ``best`` with the first ``depth`` variables chosen; None if that cannot be."""
        bound = {name for name, _ in self.variables[:depth]}
        for condition in self.conditions:
            checkable = not condition.changes and _variables(condition) <= bound
            if checkable and not condition.holds(chosen, facts):
                return None
        if depth == len(self.variables):
            return sum(c.holds(chosen, facts) for c in self.conditions if c.changes)
        name, type_ = self.variables[depth]
        found = [
            met
            for thing in things.get(type_, ())
            if (met := self._best({**chosen, name: thing}, depth + 1, things, facts)) is not None
        ]
        return max(found, default=None)


@dataclass(frozen=True, slots=True)
class Goal:
    """A game's goal and the things its variables can stand for, by type."""

    parts: tuple[Part, ...]
    things: Mapping[str, tuple[str, ...]]

    def rate(self, facts: Facts) -> float:
        """The goal-condition rate in [0, 1] when exactly ``facts`` hold."""
        wanted = sum(c.changes for part in self.parts for c in part.conditions)
        return sum(part.best(self.things, facts) for part in self.parts) / max(wanted, 1)


def _variables(condition: Condition) -> set[str]:
    return {argument for argument in condition.fact[1:] if argument.startswith("?")}


def read_goal(problem: str) -> Goal:
    """The goal of a PDDL problem, in lower case as the engine names things."""
    text = problem.lower()
    try:
        goal = _section(text, "(:goal")[1]
        objects = [str(token) for token in _section(text, "(:objects")[1:]]
        assert isinstance(goal, list)
        parts = goal[1:] if goal[0] == "and" else [goal]
        return Goal(tuple(_part(part) for part in parts), _by_type(objects))
    except (ValueError, IndexError, StopIteration, AssertionError) as error:
        raise EnvironmentFault(f"The game's goal cannot be read: {error!r}") from error


def _section(text: str, opening: str) -> list[Expression]:
    tokens = iter(_TOKENS.findall(text[text.index(opening) :]))
    next(tokens)
    return _list(tokens)


def _list(tokens: Iterator[str]) -> list[Expression]:
    """What stands between an opening bracket, already read, and its closing one."""
    made: list[Expression] = []
    for token in tokens:
        if token == ")":
            return made
        made.append(_list(tokens) if token == "(" else token)
    raise ValueError("a bracket is not closed")


def _by_type(words: list[str]) -> dict[str, tuple[str, ...]]:
    """The PDDL list "a b - t c - u" as {"t": ("a", "b"), "u": ("c",)}."""
    things: dict[str, tuple[str, ...]] = {}
    names: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == "-":
            type_ = next(rest)
            things[type_] = (*things.get(type_, ()), *names)
            names = []
        else:
            names.append(word)
    return things


def _part(expression: Expression) -> Part:
    variables: list[tuple[str, str]] = []
    conditions: list[Condition] = []
    _gather(expression, variables, conditions)
    return Part(tuple(variables), tuple(conditions))


def _gather(
    expression: Expression, variables: list[tuple[str, str]], conditions: list[Condition]
) -> None:
    assert isinstance(expression, list)
    head, *rest = expression
    if head == "exists":
        assert isinstance(rest[0], list)
        for type_, names in _by_type([str(word) for word in rest[0]]).items():
            variables.extend((name, type_) for name in names)
        _gather(rest[1], variables, conditions)
    elif head == "and":
        for inner in rest:
            _gather(inner, variables, conditions)
    else:
        literal = rest[0] if head == "not" else expression
        conditions.append(Condition(head != "not", tuple(str(word) for word in literal)))
