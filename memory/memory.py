"""Memory: one store of records, and the verbs on it."""

from __future__ import annotations

from .asynchronous import twin
from .keeping import KeepVerbs
from .recalls import RecallVerbs
from .turn_reads import TurnVerbs
from .writes import WriteVerbs


class Memory(WriteVerbs, RecallVerbs, TurnVerbs, KeepVerbs):
    """A store of records. Open it with `Memory.open`; safe to share between threads.

    Every verb has an async twin, ``aadd`` for ``add`` and so on, that runs it in a thread.
    """

    aadd = twin(WriteVerbs.add)
    aupdate = twin(WriteVerbs.update)
    adelete = twin(WriteVerbs.delete)
    aretract = twin(WriteVerbs.retract)
    asupersede = twin(WriteVerbs.supersede)
    amerge = twin(WriteVerbs.merge)
    aswap = twin(WriteVerbs.swap)
    aget = twin(RecallVerbs.get)
    alist = twin(RecallVerbs.list)
    achanges = twin(RecallVerbs.changes)
    ahistory = twin(RecallVerbs.history)
    asearch = twin(RecallVerbs.search)
    aturns = twin(TurnVerbs.turns)
    ashown = twin(TurnVerbs.shown)
    arecall = twin(RecallVerbs.recall)
    anoted = twin(RecallVerbs.noted)
    areward = twin(RecallVerbs.reward)
    autility = twin(RecallVerbs.utility)
    acredit = twin(RecallVerbs.credit)
    arecalls = twin(RecallVerbs.recalls)
    aforget = twin(KeepVerbs.forget)
    averify = twin(KeepVerbs.verify)
    areindex = twin(KeepVerbs.reindex)
    astats = twin(KeepVerbs.stats)
    aexport = twin(KeepVerbs.export)
    aimport_ = twin(KeepVerbs.import_)
