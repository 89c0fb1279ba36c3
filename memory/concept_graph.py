"""The type graph: which concepts produce what a parameter of another needs.

Concepts are tied through types, not to each other: a thousand routines from grid to grid are a
thousand edges to one type and not a million between routines.

    (concept) --produces--> (type) --fits--> (type) --needed as "parameter"--> (concept)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Literal

from .concept_names import canonical
from .concept_types import aliases_of
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

_ORDER: tuple[How, ...] = ("subtype", "function", "structure", "output")


@dataclass(frozen=True, slots=True)
class Offer:
    """A type that a concept gives, and how."""

    id: str
    how: How
    type: Type


@dataclass(frozen=True, slots=True)
class Need:
    """A parameter of a concept and the type it asks for."""

    id: str
    parameter: str
    type: Type


@dataclass(frozen=True)
class TypeGraph:
    """Offers and needs of a set of concepts, by type."""

    payloads: Mapping[str, ConceptPayload]
    _providers: dict[Type, tuple[Offer, ...]] = field(
        default_factory=dict[Type, tuple[Offer, ...]], compare=False
    )

    @cached_property
    def aliases(self) -> Aliases:
        """Every alias that any of the concepts defines."""
        return aliases_of(self.payloads.values())

    @cached_property
    def offers(self) -> dict[Type, list[Offer]]:
        """What is given, by type in normal form."""
        found: dict[Type, list[Offer]] = {}
        for name, payload in self.payloads.items():
            for how, given in offers_of(payload):
                found.setdefault(given, []).append(Offer(name, how, given))
        return found

    @cached_property
    def needs(self) -> dict[Type, list[Need]]:
        """What is asked for, by type in normal form."""
        found: dict[Type, list[Need]] = {}
        for name, payload in self.payloads.items():
            for one in payload.parameters:
                if one.typing.strip():
                    need = normal(parse(one.typing).type)
                    found.setdefault(need, []).append(Need(name, one.name, need))
        return found

    def providers(self, needed: Type) -> tuple[Offer, ...]:
        """What will do where ``needed`` is asked for: the most special first, each concept once."""
        needed = normal(needed)
        held = self._providers.get(needed)
        if held is not None:
            return held
        found: dict[str, Offer] = {}
        for given, offers in self.offers.items():
            if not fits(given, needed, self.aliases):
                continue
            for offer in offers:
                other = found.get(offer.id)
                if other is None or _ORDER.index(offer.how) < _ORDER.index(other.how):
                    found[offer.id] = offer
        ordered = sorted(found.values(), key=lambda one: (_ORDER.index(one.how), one.id))
        self._providers[needed] = tuple(ordered)
        return self._providers[needed]

    def build(self) -> nx.DiGraph[tuple[str, str]]:
        """The graph; nodes are ("concept", id) and ("type", annotation)."""
        import networkx as nx

        graph: nx.DiGraph[tuple[str, str]] = nx.DiGraph()
        for name, payload in self.payloads.items():
            graph.add_node(("concept", name), title=payload.title)
        for given, offers in self.offers.items():
            for one in offers:
                graph.add_edge(("concept", one.id), ("type", str(given)), how=one.how)
        for needed, needs in self.needs.items():
            for one in needs:
                graph.add_edge(("type", str(needed)), ("concept", one.id), parameter=one.parameter)
            for given in self.offers:
                if given != needed and fits(given, needed, self.aliases):
                    graph.add_edge(("type", str(given)), ("type", str(needed)))
        return graph


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
