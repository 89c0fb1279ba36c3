"""Concepts as they stood at one moment: what a batch reads while others write.

A view is immutable and travels to another process. Everything that is asked of concepts and needs
no search is asked here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from ..errors import RecordNotFound
from .concept_graph import How, TypeGraph
from .concept_index import Index
from .concept_names import canonical
from .concept_types import definitions, typings
from .concept_usage import Usage
from .records import ConceptPayload
from .types.aliases import Aliases, problems
from .types.normal import type_name
from .types.parsing import parse
from .types.terms import Type

if TYPE_CHECKING:
    import networkx as nx

GROUND = frozenset("grid object color colour pixel position coord region direction".split())
"""Names of types that need no definition: what puzzles of grids are made of."""


@dataclass(frozen=True, slots=True)
class Concept:
    """A concept that is kept, under its id."""

    id: str
    payload: ConceptPayload
    trust: float = 1.0

    @property
    def title(self) -> str:
        """Its name."""
        return self.payload.title


@dataclass(frozen=True, slots=True)
class Provider:
    """A concept that produces what is needed: ``how``, and the type it gives."""

    concept: Concept
    how: How
    type: str


@dataclass(frozen=True, slots=True)
class Composition:
    """A parameter of a concept that another can fill, and how."""

    parameter: str
    how: How
    type: str


@dataclass(frozen=True, slots=True)
class Folded:
    """Concepts to show whole, and the names of those that are used too little for that."""

    full: tuple[Concept, ...]
    names: tuple[str, ...]


@dataclass(frozen=True)
class ConceptView:
    """The concepts of a scope as they stood at ``at``, with their use.

    ``seq`` is the number of the last change it knows.
    """

    concepts: Mapping[str, Concept]
    uses: Mapping[str, Usage] = field(default_factory=dict[str, Usage])
    at: datetime | None = None
    seq: int = -1

    def __len__(self) -> int:
        return len(self.concepts)

    def __getstate__(self) -> dict[str, object]:
        """Without what can be worked out again."""
        return {name: self.__dict__[name] for name in ("concepts", "uses", "at", "seq")}

    def with_uses(self, uses: Mapping[str, Usage], at: datetime | None) -> ConceptView:
        """The same concepts with newer use; what was worked out of their types is kept."""
        newer = replace(self, uses=uses, at=at)
        kept = {name: self.__dict__[name] for name in _WORKED_OUT if name in self.__dict__}
        newer.__dict__.update(kept)
        return newer

    def followed(
        self,
        concepts: Mapping[str, Concept],
        changed: Collection[str],
        *,
        uses: Mapping[str, Usage],
        at: datetime | None,
        seq: int,
    ) -> ConceptView:
        """The view of these concepts, of which only the ``changed`` (ids) may differ from its own.

        What was worked out here of names and types is brought up to date by those alone.
        """
        newer = ConceptView(concepts, uses, at, seq)
        held, made = self.__dict__, newer.__dict__
        before = _payloads({one: self.concepts[one] for one in changed if one in self.concepts})
        now = _payloads({one: concepts[one] for one in changed if one in concepts})
        if "types" in held:
            made["types"] = self.types.after({one: now.get(one) for one in changed})
        for name in _INDEXES:
            if name in held:
                index: Index[str, None] = held[name]
                made[name] = index.after(before, now)
        return newer

    def get(self, id: str) -> Concept:
        """The concept of an id. Raises RecordNotFound."""
        found = self.concepts.get(id)
        if found is None:
            raise RecordNotFound(f"no concept {id!r} here: find(name) looks one up by its name")
        return found

    def find(self, name: str) -> Concept | None:
        """The concept of a name or alias, whatever its case, plural and spaces; None if unknown."""
        key = canonical(name)
        ids = self._titles.rows.get(key) or self._other_names.rows.get(key) or {}
        among = ids if len(ids) < 2 else self.concepts  # of several the one first written
        return next((self.concepts[one] for one in among if one in ids), None)

    def named(self, name: str) -> Concept:
        """The concept of an id, name or alias. Raises RecordNotFound."""
        found = self.concepts.get(name) or self.find(name)
        if found is None:
            raise RecordNotFound(f"no concept is called {name!r} here")
        return found

    def all(self) -> tuple[Concept, ...]:
        """Every concept, in the order in which they were first written."""
        return tuple(self.concepts.values())

    def usage(self, id: str) -> Usage:
        """How a concept has served; zeros for one that was never selected."""
        return self.uses.get(id, Usage())

    @property
    def aliases(self) -> Aliases:
        """Every type alias that a concept defines."""
        return self.types.aliases

    def providers(self, needed: str | Type, parameter: str | None = None) -> tuple[Provider, ...]:
        """The concepts that produce what is needed, the most special first.

        ``needed`` is a type or its annotation; with ``parameter`` it is the name of a concept, and
        that parameter's type is what is needed. Raises RecordNotFound for a concept or parameter
        that is not there.
        """
        own: str | None = None
        if parameter is not None:
            concept = self.named(str(needed))
            own = concept.id
            wanted = self._parameter(concept, parameter)
        else:
            wanted = parse(needed).type if isinstance(needed, str) else needed
        return tuple(
            Provider(self.concepts[one.id], one.how, str(one.type))
            for one in self.types.providers(wanted)
            if one.id != own
        )

    def compose(self, a: str, b: str) -> tuple[Composition, ...]:
        """The parameters of concept ``b`` that concept ``a`` can fill. Both by name or id."""
        giver, taker = self.named(a), self.named(b)
        found: list[Composition] = []
        for one in taker.payload.parameters:
            if not one.typing.strip():
                continue
            for offer in self.types.providers(parse(one.typing).type):
                if offer.id == giver.id:
                    found.append(Composition(one.name, offer.how, str(offer.type)))
        return tuple(found)

    def graph(self) -> nx.DiGraph[tuple[str, str]]:
        """The type graph: concepts to the types they give, those to the types that need them."""
        return self.types.build()

    def ranked(self, among: Sequence[Concept] | None = None) -> list[Concept]:
        """By what they added to matched runs, then by how their runs ended, then by use."""

        def rank(one: Concept) -> tuple[float, float, int, int, str]:
            use = self.usage(one.id)
            return (
                -use.lift.mean,
                -use.solve_rate,
                -use.cited,
                -len(one.payload.used_in),
                canonical(one.title),
            )

        return sorted(self.all() if among is None else among, key=rank)

    def fold(self, among: Sequence[Concept] | None = None, *, least: int = 2) -> Folded:
        """Those used in ``least`` puzzles or cited as often, ranked; of the others the names."""
        shown: list[Concept] = []
        names: list[str] = []
        for one in self.ranked(among):
            used = len(one.payload.used_in) + self.usage(one.id).cited
            if used >= least:
                shown.append(one)
            else:
                names.append(one.title)
        return Folded(tuple(shown), tuple(sorted(names)))

    def problems(self) -> dict[str, list[str]]:
        """What is not well formed in the types of each concept that has such a type, by title.

        Text that could not be read, wrong numbers of arguments, names that nobody defines.
        """
        found: dict[str, list[str]] = {}
        for one in self.all():
            said = self.problems_of(one.payload)
            if said:
                found[one.title] = said
        return found

    def problems_of(self, payload: ConceptPayload) -> list[str]:
        """The same for one concept, kept or not."""
        texts = [*typings(payload), *payload.types.values()]
        own = definitions(payload)
        known = _Known(self._type_names.rows)
        both = Aliases({**self.aliases.bodies, **own}) if own else self.aliases
        said = [why for text in texts for why in problems(parse(text).type, known, both)]
        return list(dict.fromkeys(said))

    # -- parts -----------------------------------------------------------------------------------

    @cached_property
    def types(self) -> TypeGraph:
        """The type graph, by types."""
        return TypeGraph.of(_payloads(self.concepts))

    @cached_property
    def _titles(self) -> Index[str, None]:
        return Index[str, None].of(_title, _payloads(self.concepts))

    @cached_property
    def _other_names(self) -> Index[str, None]:
        return Index[str, None].of(_aliases, _payloads(self.concepts))

    @cached_property
    def _type_names(self) -> Index[str, None]:
        return Index[str, None].of(_types, _payloads(self.concepts))

    def _parameter(self, concept: Concept, parameter: str) -> Type:
        for one in concept.payload.parameters:
            if canonical(one.name) == canonical(parameter):
                # One without a type asks for a thing of its own name.
                return parse(one.typing or one.name).type
        names = ", ".join(one.name for one in concept.payload.parameters) or "none"
        raise RecordNotFound(
            f"{concept.title!r} has no parameter {parameter!r}: its parameters are {names}"
        )


_INDEXES = ("_titles", "_other_names", "_type_names")
_WORKED_OUT = ("types", *_INDEXES)


@dataclass(frozen=True, slots=True)
class _Known:
    """Names of types that need no definition, as `type_name` writes them."""

    rows: Mapping[str, object]

    def __contains__(self, name: object) -> bool:
        return name in GROUND or name in self.rows


def _payloads(concepts: Mapping[str, Concept]) -> dict[str, ConceptPayload]:
    return {name: one.payload for name, one in concepts.items()}


def _title(payload: ConceptPayload) -> Mapping[str, None]:
    return {canonical(payload.title): None}


def _aliases(payload: ConceptPayload) -> Mapping[str, None]:
    return dict.fromkeys(map(canonical, payload.aliases))


def _types(payload: ConceptPayload) -> Mapping[str, None]:
    """The names of types that a concept is: of a structure its own, and its subtype."""
    names = [payload.title] if payload.role == "structure" else []
    return dict.fromkeys(map(type_name, [*names, payload.subtype] if payload.subtype else names))
