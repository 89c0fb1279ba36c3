"""Which type will do where another is needed."""

from __future__ import annotations

from .aliases import Aliases
from .normal import normal
from .terms import (
    Anything,
    Defined,
    Either,
    Function,
    Generic,
    Named,
    Nothing,
    Rest,
    Type,
    Values,
)

_WIDER = {
    "bool": {"int", "float"},
    "int": {"float"},
    "list": {"sequence", "iterable"},
    "tuple": {"sequence", "iterable"},
    "set": {"iterable"},
    "frozenset": {"set", "iterable"},
    "sequence": {"iterable"},
    "dict": {"mapping"},
}
"""The few names that Python itself relates."""

_NO_ALIASES = Aliases({})


def fits(provided: Type, needed: Type, aliases: Aliases = _NO_ALIASES) -> bool:
    """True if a value of type ``provided`` will do where ``needed`` is asked for.

    ``Any`` fits everything and everything fits ``Any``. A union fits if each member does. A
    function fits if it takes at least what it will be given and gives no more than is asked
    (parameters contravariant, result covariant). Containers are read, not written, so their
    arguments are covariant. A name fits itself, and what its alias stands for.
    """
    return _fits(normal(provided), normal(needed), aliases, frozenset())


def _fits(a: Type, b: Type, aliases: Aliases, open_: frozenset[tuple[Type, Type]]) -> bool:
    if a == b or isinstance(a, Anything) or isinstance(b, Anything):
        return True
    if (a, b) in open_:  # a type defined by itself: what cannot be shown does not hold
        return False
    open_ |= {(a, b)}
    match a, b:
        case Either(members), _:
            return all(_fits(one, b, aliases, open_) for one in members)
        case Defined(name, inner), _:
            return _fits(Named(name), b, aliases, open_) or _fits(inner, b, aliases, open_)
        case _, Either(members):
            return any(_fits(a, one, aliases, open_) for one in members)
        case _, Defined(name, inner):
            return _fits(a, Named(name), aliases, open_) or _fits(a, inner, aliases, open_)
        case _:
            return _plain(a, b, aliases, open_) or any(
                _fits(*pair, aliases, open_) for pair in _expanded(a, b, aliases)
            )


def _expanded(a: Type, b: Type, aliases: Aliases) -> list[tuple[Type, Type]]:
    found: list[tuple[Type, Type]] = []
    if isinstance(a, Named) and (body := aliases.body(a.name)) is not None:
        found.append((body, b))
    if isinstance(b, Named) and (body := aliases.body(b.name)) is not None:
        found.append((a, body))
    return found


def _plain(a: Type, b: Type, aliases: Aliases, open_: frozenset[tuple[Type, Type]]) -> bool:
    """Without unions, definitions and aliases."""
    match a, b:
        case Values(values), Values(others):
            return set(values) <= set(others)
        case Values(values), Named(name):
            return all(_head(_type_of(one), name) for one in values)
        case Named(name), Named(other):
            return other in _WIDER.get(name, ())
        case Named(name), Generic(head, arguments):
            return _head(name, head) and all(isinstance(one, Anything | Rest) for one in arguments)
        case Generic(head, _), Named(name):
            return _head(head, name)
        case Generic(head, mine), Generic(other, theirs) if _head(head, other):
            return _arguments(head, mine, theirs, aliases, open_)
        case Function(mine, result), Function(theirs, wanted):
            if mine is not None and theirs is not None:
                taken = len(mine) == len(theirs) and all(
                    _fits(given, one, aliases, open_)
                    for one, given in zip(mine, theirs, strict=True)
                )
                if not taken:
                    return False
            return _fits(result, wanted, aliases, open_)
        case Nothing(), Nothing():
            return True
        case _:
            return False


def _head(a: str, b: str) -> bool:
    return a == b or b in _WIDER.get(a, ())


def _arguments(
    head: str,
    mine: tuple[Type, ...],
    theirs: tuple[Type, ...],
    aliases: Aliases,
    open_: frozenset[tuple[Type, Type]],
) -> bool:
    """Arguments one by one; a tuple's ``...`` stands for any number of the one before it."""
    if len(theirs) == 2 and isinstance(theirs[1], Rest):
        inside = [one for one in mine if not isinstance(one, Rest)]
        return all(_fits(one, theirs[0], aliases, open_) for one in inside)
    if head == "tuple" and len(theirs) == 1 and len(mine) != 1:  # as a sequence
        inside = [one for one in mine if not isinstance(one, Rest)]
        return all(_fits(one, theirs[0], aliases, open_) for one in inside)
    return len(mine) == len(theirs) and all(
        _fits(one, other, aliases, open_) for one, other in zip(mine, theirs, strict=True)
    )


def _type_of(value: str) -> str:
    """The name of a literal's type."""
    if value.startswith('"'):
        return "str"
    if value in ("True", "False"):
        return "bool"
    return "float" if "." in value or "e" in value else "int"
