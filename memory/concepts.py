"""Concept memory: abstract, typed, composable ideas, found by what they mean and what they give.

ArcMemo's two formats in one store: open-ended (a situation and a suggestion) and program synthesis
(structures, and routines with typed parameters). What is written of a known concept is merged into
it, field by field, and nothing said is lost (`concept_merge`); routines are tied by their types
(`concept_graph`); the log of uses says what each concept added (`concept_usage`).

    concepts = ConceptMemory(memory, Scope(user="arc"))
    slide = ConceptPayload(title="slide object", role="routine", parameters=…)
    concepts.write(Draft(slide, puzzle="a1", evidence="train pairs"))
    concepts.find("Slide Objects")
    concepts.providers("slide object", "stopping criteria")

Reading is done on a `ConceptView`, which is immutable: `snapshot` hands it out, so that a batch
sees the same concepts however many others write meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ..errors import MemoryFault
from .concept_batch import Batch, Draft, Written, record_with
from .concept_checks import Checker, admitted
from .concept_follower import Follower
from .concept_merge import merged, settled, stamped
from .concept_proposals import Proposal, alike
from .concept_usage import POLICY, Usage
from .concept_view import Composition, Concept, ConceptView, Folded, Provider
from .memory import Memory
from .reads import Versions
from .recollection import Choice
from .records import ConceptPayload, Kind, NegativeCue, Origin, Scope, Status, now
from .search import FusionWeights
from .types.terms import Type
from .writes import Change

if TYPE_CHECKING:
    import networkx as nx

__all__ = [
    "Checker",
    "Composition",
    "Concept",
    "ConceptMemory",
    "ConceptView",
    "Draft",
    "Folded",
    "Found",
    "Proposal",
    "Provider",
    "Pruned",
    "Usage",
    "Written",
]

_REFLECTION = Origin(source="reflection")
_TRIES = 100


@dataclass(frozen=True, slots=True)
class Found:
    """A concept that a search found; ``score`` lies in [0, 1]. See `search.Hit`."""

    concept: Concept
    score: float
    dense: float | None = None
    lexical: float | None = None


@dataclass(frozen=True, slots=True)
class Pruned:
    """What pruning did: the concepts it archived, and how many negative cues had expired."""

    archived: tuple[Concept, ...] = ()
    expired: int = 0


class ConceptMemory:
    """The concepts of one scope. Safe to share between threads.

    What other processes write is seen at the next call. Concepts of every agent and session that
    the scope covers are read; what is written belongs to the scope itself.
    """

    def __init__(
        self, memory: Memory, scope: Scope, *, clock: Callable[[], datetime] = now
    ) -> None:
        self.memory = memory
        self.scope = scope
        self._clock = clock
        self._follower = Follower(memory, scope, clock)

    def __len__(self) -> int:
        return len(self.snapshot())

    # -- writing ---------------------------------------------------------------------------------

    def write(
        self,
        drafts: Draft | Sequence[Draft],
        *,
        origin: Origin = _REFLECTION,
        checker: Checker | None = None,
    ) -> list[Written]:
        """Merge each draft into the concept of its name, or add it; all are written, or none.

        A name is known by its canonical form and by aliases. Code is kept only if ``checker``
        passes it on every puzzle the draft names; without a checker none is. Writing the same
        again changes nothing. Raises InvalidRecord for a concept without a title.
        """
        given = [drafts] if isinstance(drafts, Draft) else list(drafts)
        signed = [self._signed(draft, checker) for draft in given]
        for _ in range(_TRIES):
            view, records = self._follower.newest()
            batch = Batch(self.scope, view, records, origin, self._clock())
            written = [batch.take(payload) for payload in signed]
            changes = batch.changes()
            if not changes or self.memory.swap(changes, note=_note(given)):
                return written
        raise MemoryFault("others wrote these concepts without a pause: nothing was written")

    def misled(
        self,
        concept: str,
        text: str,
        *,
        puzzle: str,
        run: str = "",
        trust: float = 0.3,
        lasts: timedelta | None = timedelta(days=90),
    ) -> Written:
        """Say what looked like a concept's cue and was not: a negative cue, of lower trust.

        ``concept`` is a name or an id. The cue expires after ``lasts`` (None: never). It does not
        join the concept's ``used_in``.
        """
        held = self.snapshot().named(concept)
        ends = None if lasts is None else self._clock() + lasts
        cue = NegativeCue(text=text, evidence=(puzzle,), trust=trust, expires=ends)
        said = ConceptPayload(
            title=held.title,
            form=held.payload.form,
            situation=held.payload.situation,
            suggestion=held.payload.suggestion,
            negative_cues=(cue,),
        )
        (done,) = self.write(Draft(said, run=run))
        return done

    def unite(self, keep: str, other: str) -> Concept:
        """Merge concept ``other`` into ``keep`` (names or ids); its name becomes an alias.

        The other record stays in the journal, marked as merged. See `proposals`.
        """
        for _ in range(_TRIES):
            view, records = self._follower.newest()
            kept, gone = view.named(keep), view.named(other)
            if kept.id == gone.id:
                return kept
            if kept.payload.form != gone.payload.form:
                raise MemoryFault(f"{keep!r} and {other!r} are concepts of different forms")
            first, second = records[kept.id], records[gone.id]
            after = record_with(first, merged(kept.payload, gone.payload))
            sources = tuple(dict.fromkeys((*after.sources, gone.id)))
            changes = [
                Change(first, after.model_copy(update={"sources": sources})),
                Change(second, second.model_copy(update={"status": Status.MERGED})),
            ]
            if self.memory.swap(changes, note=f"into {kept.id}"):
                return self.get(kept.id)
        raise MemoryFault("others wrote these concepts without a pause: nothing was merged")

    def prune(
        self, *, least_pairs: int = 10, certainty: float = 0.95, at: datetime | None = None
    ) -> Pruned:
        """Archive concepts that did harm, and drop negative cues that have expired.

        Harm is a lift below 0 with probability ``certainty`` over ``least_pairs`` matched puzzles
        or more. Nothing is destroyed: an archived concept stays in the journal and is revived when
        it is written again; its history keeps the cues.
        """
        moment = at or self._clock()
        for _ in range(_TRIES):
            view, records = self._follower.newest()
            changes: list[Change] = []
            archived: list[Concept] = []
            expired = 0
            for concept in view.all():
                record = records[concept.id]
                lift = view.usage(concept.id).lift
                if lift.pairs >= least_pairs and 1 - lift.positive >= certainty:
                    archived.append(concept)
                    after = record.model_copy(update={"status": Status.ARCHIVED})
                    changes.append(Change(record, after))
                    continue
                cues = concept.payload.negative_cues
                valid = tuple(cue for cue in cues if cue.expires is None or cue.expires > moment)
                if len(valid) < len(cues):
                    expired += len(cues) - len(valid)
                    payload = concept.payload.model_copy(update={"negative_cues": valid})
                    changes.append(Change(record, record_with(record, payload)))
            if not changes or self.memory.swap(changes, note="pruned"):
                return Pruned(tuple(archived), expired)
        raise MemoryFault("others wrote these concepts without a pause: nothing was pruned")

    # -- reading ---------------------------------------------------------------------------------

    def snapshot(self) -> ConceptView:
        """The concepts as they stand now: immutable, and it can be pickled."""
        return self._follower.newest()[0]

    def get(self, id: str) -> Concept:
        """The concept of an id. Raises RecordNotFound."""
        return self.snapshot().get(id)

    def find(self, name: str) -> Concept | None:
        """The concept of a name or alias, whatever its case, plural and spaces; None if unknown."""
        return self.snapshot().find(name)

    def all(self) -> tuple[Concept, ...]:
        """Every concept, in the order in which they were first written."""
        return self.snapshot().all()

    def search(
        self,
        query: str,
        *,
        k: int = 10,
        view: ConceptView | None = None,
        weights: FusionWeights | None = None,
    ) -> list[Found]:
        """The ``k`` concepts that fit best by meaning and by words, best first.

        With a ``view`` it answers as the memory stood at that snapshot.
        """
        newest, records = self._follower.newest()
        shown = newest if view is None else view
        if not len(shown):
            return []
        stale = shown.seq != newest.seq
        hits = self.memory.search(
            query,
            scope=self.scope,
            kinds=(Kind.CONCEPT,),
            k=k,
            as_of=shown.at if stale else None,
            weights=weights,
            held=None if stale else records,
        )
        return [
            Found(shown.concepts[hit.record.id], hit.score, hit.dense, hit.lexical)
            for hit in hits
            if hit.record.id in shown.concepts
        ]

    def providers(self, needed: str | Type, parameter: str | None = None) -> tuple[Provider, ...]:
        """The concepts that produce what is needed; see `ConceptView.providers`."""
        return self.snapshot().providers(needed, parameter)

    def compose(self, a: str, b: str) -> tuple[Composition, ...]:
        """The parameters of concept ``b`` that concept ``a`` can fill. Both by name or id."""
        return self.snapshot().compose(a, b)

    def graph(self) -> nx.DiGraph[tuple[str, str]]:
        """The type graph; nodes are ("concept", id) and ("type", annotation)."""
        return self.snapshot().graph()

    def history(self, id: str) -> Versions:
        """Every version of a concept, oldest first; the last is the present one."""
        return self.memory.history(id, scope=self.scope)

    def problems(self) -> dict[str, list[str]]:
        """What is not well formed in the concepts' types, by title; see `ConceptView.problems`."""
        return self.snapshot().problems()

    def proposals(self, *, least: float = 0.9, limit: int = 50) -> list[Proposal]:
        """Pairs that may be one concept under two names, the likeliest first; see `unite`.

        ``least`` is the least cosine of their vectors for those whose names do not tell.
        """
        view = self.snapshot()
        vectors = self.memory.vectors(list(view.concepts), scope=self.scope)
        return alike(view, vectors, least=least, limit=limit)

    # -- use -------------------------------------------------------------------------------------

    def record_use(
        self,
        puzzle: str,
        *,
        solved: bool,
        selected: Sequence[str] = (),
        cited: Sequence[str] = (),
        dropped: Sequence[str] = (),
        dropout: float = 0.0,
        without: bool | None = None,
        run: str = "",
    ) -> str:
        """Log that a puzzle was tried with the concepts ``selected`` (ids); the log entry's id.

        ``cited`` are those the answer used, ``dropped`` those left out by chance, each with
        probability ``dropout``. ``without`` tells how a matched run without concepts ended, if
        there was one; `record_without` says it later. Judge ``solved`` by worked examples alone
        wherever the hidden outputs must not teach.
        """
        chosen = tuple(dict.fromkeys(selected))
        left = tuple(one for one in dict.fromkeys(dropped) if one not in chosen)
        choice = Choice(chosen, dict.fromkeys(chosen, 1.0), POLICY, left, dropout)
        context = {"puzzle": puzzle, "episode": f"{run}/{puzzle}", "run": run}
        context["cited"] = json.dumps([one for one in dict.fromkeys(cited) if one in chosen])
        if without is not None:
            self.record_without(puzzle, solved=without, run=run)
        return self.memory.noted(
            puzzle, choice, scope=self.scope, context=context, reward=float(solved)
        )

    def record_without(self, puzzle: str, *, solved: bool, run: str = "") -> str:
        """Log how a puzzle ended without concepts: what runs with them are matched against."""
        context = {"puzzle": puzzle, "episode": f"{run}/{puzzle}/without", "run": run}
        choice = Choice((), {}, POLICY)
        return self.memory.noted(
            puzzle, choice, scope=self.scope, context=context, reward=float(solved)
        )

    def usage(self, id: str) -> Usage:
        """How a concept has served, with its lift over matched runs without it."""
        return self.snapshot().usage(id)

    def ranked(self, among: Sequence[Concept] | None = None) -> list[Concept]:
        """By what they added to matched runs, then by how their runs ended, then by use."""
        return self.snapshot().ranked(among)

    def fold(self, among: Sequence[Concept] | None = None, *, least: int = 2) -> Folded:
        """Those used in ``least`` puzzles or cited as often, ranked; of the others the names."""
        return self.snapshot().fold(among, least=least)

    # -- parts -----------------------------------------------------------------------------------

    def _signed(self, draft: Draft, checker: Checker | None) -> ConceptPayload:
        payload = stamped(draft.concept, puzzle=draft.puzzle, run=draft.run, at=self._clock())
        if draft.evidence:
            evidence = tuple(dict.fromkeys((*payload.evidence, draft.evidence)))
            payload = payload.model_copy(update={"evidence": evidence})
        return settled(admitted(payload, checker))


def _note(drafts: Sequence[Draft]) -> str:
    named = dict.fromkeys(f"{draft.run}:{draft.puzzle}".strip(":") for draft in drafts)
    return "from " + ", ".join(name for name in named if name) if any(named) else ""
