"""The type graph: which concepts produce what a parameter of another needs.

Concepts are tied through types, not to each other: a thousand routines from grid to grid are a
thousand edges to one type and not a million between routines.

    (concept) --produces--> (type) --fits--> (type) --needed as "parameter"--> (concept)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TypeAlias

from .concept_index import Index
from .concept_names import canonical
from .concept_types import definitions, joined
from .records import ConceptPayload
from .types.aliases import Aliases
from .types.fitting import fits
from .types.normal import normal
from .types.parsing import parse
from .types.terms import Anything, Defined, Either, Function, Named, Type, Verbatim

if TYPE_CHECKING:
    import networkx as nx

How = Literal["subtype", "function", "output", "structure"]
"""In what way a concept gives a value: as a routine of the subtype that is asked for, as a function
to be passed, by what it returns, or as the thing itself that is seen."""

Ways: TypeAlias = "tuple[tuple[How, int], ...]"
"""How a concept gives one type, and at which place in all it gives."""

_ORDER: tuple[How, ...] = ("subtype", "function", "structure", "output")


@dataclass(frozen=True, slots=True)
class Offer:
    """A type that a concept gives, and how; ``place`` orders what one concept gives."""

    id: str
    how: How
    type: Type
    place: int = 0


@dataclass(frozen=True)
class TypeGraph:
    """Offers and needs of a set of concepts, by type.

    Never changed but for answers it remembers; `after` makes the graph that follows a change, from
    what the change touches.
    """

    payloads: Mapping[str, ConceptPayload]
    offers: Index[Type, Ways]
    """What is given, by type in normal form: how, and its place in what the concept gives."""
    needs: Index[Type, tuple[str, ...]]
    """What is asked for, by type in normal form: names of parameters."""
    definitions: Index[str, Type]
    aliases: Aliases
    """Every alias that any of the concepts defines."""
    _answers: dict[Type, tuple[Offer, ...]] = field(default_factory=dict[Type, tuple[Offer, ...]])
    _earlier: Mapping[Type, _Earlier] = field(default_factory=dict[Type, "_Earlier"])

    @classmethod
    def of(cls, payloads: Mapping[str, ConceptPayload]) -> TypeGraph:
        """The graph of these concepts, by id."""
        defined = Index[str, Type].of(definitions, payloads)
        bodies = {name: joined(row.values()) for name, row in defined.rows.items()}
        offers = Index[Type, Ways].of(_given, payloads)
        needs = Index[Type, tuple[str, ...]].of(_needed, payloads)
        return cls(payloads, offers, needs, defined, Aliases(bodies))

    def after(self, changed: Mapping[str, ConceptPayload | None]) -> TypeGraph:
        """The graph once these concepts are as given (None: gone)."""
        before = {name: self.payloads[name] for name in changed if name in self.payloads}
        now = {name: one for name, one in changed.items() if one is not None}
        payloads = {**self.payloads, **now}
        for name in changed.keys() - now.keys():
            payloads.pop(name, None)
        defined = self.definitions.after(before, now)
        aliases = self._aliases_after(defined, before, now)
        touched = frozenset(
            name
            for name in changed
            if not (name in before and name in now and _gives_alike(before[name], now[name]))
        )
        return TypeGraph(
            payloads,
            self.offers.after(before, now),
            self.needs.after(before, now),
            defined,
            aliases,
            _earlier=self._remembered(touched) if aliases is self.aliases else {},
        )

    def _aliases_after(
        self,
        defined: Index[str, Type],
        before: Mapping[str, ConceptPayload],
        now: Mapping[str, ConceptPayload],
    ) -> Aliases:
        """The aliases by what is defined now; the same object if nothing is different."""
        if defined is self.definitions:
            return self.aliases
        bodies = {**self.aliases.bodies}
        for name in {key for one in (before, now) for p in one.values() for key in definitions(p)}:
            row = defined.rows.get(name)
            if row is None:
                bodies.pop(name, None)
            elif row is not self.definitions.rows.get(name):
                bodies[name] = joined(row.values())
        return self.aliases if bodies == self.aliases.bodies else Aliases(bodies)

    def _remembered(self, touched: frozenset[str]) -> Mapping[Type, _Earlier]:
        """The answers known so far, and whose offers have changed since."""
        kept = {
            needed: _Earlier(one.answer, one.touched | touched)
            for needed, one in self._earlier.items()
            if len(one.touched) + len(touched) <= MANY
        }
        if len(touched) <= MANY:
            answers = self._answers.copy().items()
            kept.update({needed: _Earlier(answer, touched) for needed, answer in answers})
        return kept

    def providers(self, needed: Type) -> tuple[Offer, ...]:
        """What will do where ``needed`` is asked for: the most special first, each concept once."""
        needed = normal(needed)
        held = self._answers.get(needed)
        if held is None:
            held = self._answers[needed] = self._providers(needed)
        return held

    def _providers(self, needed: Type) -> tuple[Offer, ...]:
        earlier = self._earlier.get(needed)
        found: dict[str, Offer] = {}
        if earlier is None:
            for given, row in self.offers.rows.items():
                if fits(given, needed, self.aliases):
                    for name, ways in row.items():
                        _offer(found, name, given, ways)
        else:
            found = {one.id: one for one in earlier.answer if one.id not in earlier.touched}
            for name in earlier.touched & self.payloads.keys():
                for given, ways in _given(self.payloads[name]).items():
                    if fits(given, needed, self.aliases):
                        _offer(found, name, given, ways)
        return tuple(sorted(found.values(), key=lambda one: (_ORDER.index(one.how), one.id)))

    def build(self) -> nx.DiGraph[tuple[str, str]]:
        """The graph; nodes are ("concept", id) and ("type", annotation)."""
        import networkx as nx

        graph: nx.DiGraph[tuple[str, str]] = nx.DiGraph()
        for name, payload in self.payloads.items():
            graph.add_node(("concept", name), title=payload.title)
        for given, row in self.offers.rows.items():
            for name, ways in row.items():
                graph.add_edge(("concept", name), ("type", str(given)), how=ways[-1][0])
        for needed, takers in self.needs.rows.items():
            for name, parameters in takers.items():
                graph.add_edge(("type", str(needed)), ("concept", name), parameter=parameters[-1])
            for given in self.offers.rows:
                if given != needed and fits(given, needed, self.aliases):
                    graph.add_edge(("type", str(given)), ("type", str(needed)))
        return graph


MANY = 64
"""An answer is worked out anew if more concepts than this have changed since."""


@dataclass(frozen=True, slots=True)
class _Earlier:
    """An answer of an earlier graph, and the concepts whose offers have changed since."""

    answer: tuple[Offer, ...]
    touched: frozenset[str]


def _offer(found: dict[str, Offer], name: str, given: Type, ways: Ways) -> None:
    """Note what a concept gives, if nothing that it says earlier was found."""
    how, place = ways[0]
    held = found.get(name)
    if held is None or place < held.place:
        found[name] = Offer(name, how, given, place)


def _given(payload: ConceptPayload) -> Mapping[Type, Ways]:
    """The types a concept gives: for each how, and at which place it says so."""
    found: dict[Type, Ways] = {}
    for place, (how, given) in enumerate(offers_of(payload)):
        found[given] = (*found.get(given, ()), (how, place))
    return found


def _needed(payload: ConceptPayload) -> Mapping[Type, tuple[str, ...]]:
    """The types a concept asks for, each with the parameters that do."""
    found: dict[Type, tuple[str, ...]] = {}
    for one in payload.parameters:
        if one.typing.strip():
            need = normal(parse(one.typing).type)
            found[need] = (*found.get(need, ()), one.name)
    return found


def _gives_alike(one: ConceptPayload, other: ConceptPayload) -> bool:
    return offers_of(one) == offers_of(other)


def special(needed: Type) -> bool:
    """True if a type says something: not ``Any`` alone, nor text that could not be read."""
    members = needed.members if isinstance(needed, Either) else (needed,)
    return not any(isinstance(one, Anything | Verbatim) for one in members)


def offers_of(payload: ConceptPayload) -> tuple[tuple[How, Type], ...]:
    """What a concept gives: how, and the type in normal form."""
    if payload.form == "open":
        return ()
    takes = tuple(one.typing for one in payload.parameters)
    return _offers(payload.title, payload.role, payload.subtype, takes, payload.output_type)


@lru_cache(maxsize=50_000)
def _offers(
    title: str, role: str, subtype: str, takes: tuple[str, ...], output: str
) -> tuple[tuple[How, Type], ...]:
    found: list[tuple[How, Type]] = []
    if subtype and canonical(subtype) not in _GENERAL:
        found.append(("subtype", normal(parse(subtype).type)))
    if role == "structure":
        found.append(("structure", normal(Named(title))))
    elif takes:
        typed = tuple(_bare(one) for one in takes)
        found.append(("function", normal(Function(typed, _bare(output)))))
    if output.strip():
        given = parse(output).type
        members = given.members if isinstance(given, Either) else (given,)
        for one in members:  # a routine that gives a grid or an object can give either
            if not isinstance(one, Anything | Verbatim):
                found.append(("output", normal(one)))
    return tuple(found)


_GENERAL = frozenset({"grid manipulation", "intermediate", "parameter selection"})
"""Subtypes that say what a routine is for and name no type."""


def _bare(typing: str) -> Type:
    """A type as part of a function: a definition also by its name alone, and nothing as ``Any``."""
    one = parse(typing).type if typing.strip() else Anything()
    return Either((Named(one.name), one.type)) if isinstance(one, Defined) else one
