"""The verbs that find turns of conversations, and note which were shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

import numpy as np

from .newest import asks_of_now
from .recollection import Choice, Recollection, log_recall
from .records import Kind, Scope, Status, new_id
from .rows import to_us
from .search import Filters, Hit
from .store import Store, Values, checked
from .turn_features import TurnWeights
from .turn_search import TurnHit, TurnQuery
from .when import asked_span
from .writing import ensure_owner

TurnHits: TypeAlias = list[TurnHit]


class TurnVerbs(Store):
    """turns, shown."""

    def turns(
        self,
        question: str,
        *,
        scope: Scope,
        asked: datetime | None = None,
        where: Values | None = None,
        exclude: Values | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        as_of: datetime | None = None,
        newest: bool | None = None,
        weights: TurnWeights | None = None,
    ) -> TurnHits:
        """The turns of conversations that may answer ``question``, best first.

        Each turn is weighed alone, with the turns around it and with its session. ``asked`` is when
        the question is put ("last week" needs it). ``newest`` puts the newest of turns that speak
        of the same thing first; by default wherever the question asks how things are. At least the
        best turn of each of the best sessions is among them, so that the first turn of a session
        tells its rank. An empty question finds nothing.
        """
        filters = Filters.of(
            checked(scope),
            (Kind.UTTERANCE,),
            status=Status.ACTIVE,
            where=where,
            exclude=exclude,
            since=since,
            until=until,
        )
        written = self._binding.written()
        if not question.strip() or written is None:
            return []
        weights = weights or TurnWeights()
        content = self._finder.embeddable(question, filters)
        vector = None
        if weights.meaning or weights.session_meaning:
            embedder = self._binding.embedder(written)
            vector = np.asarray(embedder.embed_query(content), np.float32)
        query = TurnQuery(
            text=question,
            content=content,
            vector=vector,
            named=self._finder.named(question, scope),
            span=asked_span(question, asked),
            filters=filters,
            weights=weights,
            newest=asks_of_now(question) if newest is None else newest,
        )
        return self._finder.turns(query, written.dim, None if as_of is None else to_us(as_of))

    def shown(
        self,
        question: str,
        hits: Sequence[TurnHit],
        ids: Collection[str],
        *,
        scope: Scope,
        context: Mapping[str, str] | None = None,
    ) -> str:
        """Log which of the turns found for a question were shown (``ids``); the id of the recall.

        It counts as a recall of them, which `reward` may be given for and `decay` looks at.
        """
        candidates = [Hit(hit.record, hit.score, hit.cosine) for hit in hits]
        chosen = [hit for hit in candidates if hit.record.id in ids]
        names = tuple(hit.record.id for hit in chosen)
        choice = Choice(names, dict.fromkeys(names, 1.0), policy="budget")
        recollection = Recollection(new_id(), question, chosen, candidates, choice)
        with self._journal.writing(flush=False) as connection:
            log_recall(
                connection,
                owner=ensure_owner(connection, checked(scope).user),
                scope=scope,
                recollection=recollection,
                context=context or {},
                at_us=to_us(self._clock()),
            )
        return recollection.id
