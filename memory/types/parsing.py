"""Annotations as people and models write them, read into types.

    type     := name ":=" type | member ("|" member)*
    member   := "(" type ")" | "Any" | "None" | value | "Literal" "[" value, … "]"
              | "Optional" "[" type "]" | "Union" "[" type, … "]"
              | "Callable" [ "[" ( "..." | "[" type, … "]" | type ) "," type "]" ]
              | name [ "[" type, … "]" ]
    name     := word word …          "stopping criteria" is one name
    value    := "text" | 'text' | number | True | False

`parse` never raises: what it cannot read is kept as it stood (`Verbatim`), with the reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

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
    Verbatim,
    literal,
)

DEPTH = 40
"""Types inside types; deeper ones are not read."""

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<define>:=)
    | (?P<rest>\.\.\.)
    | (?P<mark>[\[\](),|])
    | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<raw>`(?:[^`]|``)*`)
    | (?P<number>[-+]?\d+(?:\.\d+)?(?![\w.]))
    | (?P<word>\w[\w./+*&%-]*)
    )""",
    re.VERBOSE,
)
_CONTAINERS = frozenset("list tuple dict set frozenset sequence iterable mapping".split())


@dataclass(frozen=True, slots=True)
class Annotation:
    """An annotation as it stood and as it was read. ``problem`` says why it could not be."""

    text: str
    type: Type
    problem: str = ""


class _UnreadableError(Exception):
    """Why an annotation cannot be read."""


@lru_cache(maxsize=20_000)
def parse(text: str) -> Annotation:
    """Read an annotation. It is kept verbatim, with the problem, if it cannot be read."""
    try:
        return Annotation(text, _Reader(_tokens(text)).whole())
    except _UnreadableError as error:
        return Annotation(text, Verbatim(text.strip()), str(error))


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    place, end = 0, len(text.rstrip())
    while place < end:
        match = _TOKEN.match(text, place)
        if match is None:
            raise _UnreadableError(f"{text[place:].strip()[:20]!r} is no part of a type")
        place = match.end()
        found.append((str(match.lastgroup), match[match.lastgroup or 0]))
    if not found:
        raise _UnreadableError("it is empty")
    return found


class _Reader:
    """Recursive descent over the tokens of one annotation."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def whole(self) -> Type:
        found = self._type()
        if self._at < len(self._tokens):
            raise _UnreadableError(f"{self._tokens[self._at][1]!r} stands where the type is over")
        return found

    def _kind(self) -> str:
        """The kind of the next token, a mark by itself; empty at the end."""
        if self._at >= len(self._tokens):
            return ""
        kind, text = self._tokens[self._at]
        return text if kind == "mark" else kind

    def _take(self, kind: str) -> str:
        if self._kind() != kind:
            said = self._tokens[self._at][1] if self._at < len(self._tokens) else "its end"
            raise _UnreadableError(f"{said!r} stands where {kind!r} should")
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _type(self) -> Type:
        self._depth += 1
        if self._depth > DEPTH:
            raise _UnreadableError(f"it holds more than {DEPTH} types inside each other")
        members = [self._member()]
        while self._kind() == "|":
            self._take("|")
            members.append(self._member())
        self._depth -= 1
        return members[0] if len(members) == 1 else Either(tuple(members))

    def _member(self) -> Type:
        match self._kind():
            case "(":
                self._take("(")
                inner = self._type()
                self._take(")")
                return inner
            case "text" | "number":
                return Values((self._value(),))
            case "raw":
                return Verbatim(self._take("raw")[1:-1].replace("``", "`"))
            case _:
                return self._named()

    def _named(self) -> Type:
        words = [self._take("word")]
        while self._kind() in ("word", "number"):
            words.append(self._take(self._kind()))
        name = " ".join(words)
        if self._kind() == "define":
            self._take("define")
            return Defined(name, self._type())
        match name.lower():
            case "any":
                return Anything()
            case "none" | "nonetype" | "null":
                return Nothing()
            case "true" | "false":
                return Values((name.capitalize(),))
            case "literal":
                return Values(tuple(self._values()))
            case "optional":
                (inner,) = self._arguments(name, 1)
                return Either((inner, Nothing()))
            case "union":
                inside = self._arguments(name, None)
                return inside[0] if len(inside) == 1 else Either(inside)
            case "callable" | "function":
                return self._function()
            case lower:
                head = lower if lower in _CONTAINERS else name
                if self._kind() == "[":
                    return Generic(head, self._arguments(name, None))
                return Named(head)

    def _arguments(self, name: str, count: int | None) -> tuple[Type, ...]:
        self._take("[")
        found: list[Type] = [self._argument()]
        while self._kind() == ",":
            self._take(",")
            found.append(self._argument())
        self._take("]")
        if count is not None and len(found) != count:
            raise _UnreadableError(f"{name} takes {count} types, not {len(found)}")
        return tuple(found)

    def _argument(self) -> Type:
        if self._kind() == "rest":
            self._take("rest")
            return Rest()
        return self._type()

    def _function(self) -> Type:
        if self._kind() != "[":
            return Function(None, Anything())
        self._take("[")
        parameters: tuple[Type, ...] | None
        match self._kind():
            case "rest":
                self._take("rest")
                parameters = None
            case "[":
                self._take("[")
                listed: list[Type] = []
                while self._kind() != "]":
                    if listed:
                        self._take(",")
                    listed.append(self._type())
                self._take("]")
                parameters = tuple(listed)
            case _:
                parameters = (self._type(),)
        self._take(",")
        result = self._type()
        self._take("]")
        return Function(parameters, result)

    def _values(self) -> list[str]:
        self._take("[")
        found = [self._value()]
        while self._kind() == ",":
            self._take(",")
            found.append(self._value())
        self._take("]")
        return found

    def _value(self) -> str:
        """A value as it is printed."""
        kind = self._kind()
        if kind == "text":
            return literal(re.sub(r"\\(.)", r"\1", self._take("text")[1:-1], flags=re.DOTALL))
        if kind == "number":
            said = self._take("number")
            return literal(float(said) if "." in said else int(said))
        words = [self._take("word")]
        while self._kind() in ("word", "number"):
            words.append(self._take(self._kind()))
        said = " ".join(words)
        return said if said in ("True", "False", "None") else literal(said)
