"""Enrichment: a language model reads finished sessions, for a summary and for facts with a quote.

It never runs while somebody talks. What is done is told by the records themselves, so it can be
stopped at any point and goes on there. A fact counts only if its quote stands word for word in a
message of the session and that message holds the words of its value; others are dropped and
counted, so that nothing is remembered that nobody said. A summary that hardly shares a word with
its session fails.
"""

from __future__ import annotations

import json
import logging
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files

from pydantic import BaseModel, Field

from ..errors import BudgetExceeded, MalformedReply, ModelError, ModelUnavailable
from ..memory.facts import USER, FactMemory, fact
from ..memory.grains import Sitting, digest_of, everything, row_id, row_of, sittings
from ..memory.memory import Memory
from ..memory.reading.statements import MANY
from ..memory.records import Frozen, Kind, Record, Scope, Status, UtterancePayload
from ..memory.terms import terms_of
from .models.base import ChatModel, Message
from .models.ledger import Budget, Ledger, Totals, metered
from .models.structured import ask

REPLY_TOKENS = 800
"""The longest reply to one part of a session."""
PART_TOKENS = 3_000
"""A session of more tokens is read in parts; fewer where the model's context is small."""
LEAST_PART = 200
REPAIR_TOKENS = 400
"""About what a request to mend a reply takes, with the schema in it."""
FACT_TRUST = 0.8
"""Of what a person said, as a model understood it."""
HELD_SHARE = 0.5
"""The least share of a value's words that the quoted message must hold."""
SUMMARY_SHARE = 0.3
"""The least share of a summary's words that its part of the session must hold."""
MOST_TRIES = 3
"""A session that failed so often is left alone until something is said in it."""

_log = logging.getLogger(__name__)


# A model reads the docstrings of these two: they are part of the schema it is given.


class Told(BaseModel):
    """Something that a speaker states."""

    subject: str = Field(min_length=1, max_length=80)
    attribute: str = Field(min_length=1, max_length=40)
    value: str = Field(max_length=200)
    quote: str = Field(min_length=1, max_length=600)
    several: bool = False
    over: bool = False


class Reading(BaseModel):
    """A part of a conversation, read."""

    summary: str = Field(min_length=1, max_length=1_500)
    facts: list[Told]


class Failure(Frozen):
    """A session that could not be read, and why; it is tried `MOST_TRIES` times in all."""

    session: str
    reason: str


class Enriched(Frozen):
    """What an enrichment did.

    ``sessions`` were read whole; ``facts`` are kept of them, also those that were known before;
    ``dropped`` facts had no quote that holds; ``given_up`` sessions failed too often before to be
    tried. ``stopped`` says why it ended before all was read,
    ``over_budget`` that a limit was the reason.
    """

    sessions: int = 0
    facts: int = 0
    dropped: int = 0
    failures: tuple[Failure, ...] = ()
    given_up: int = 0
    usage: Totals = Totals()
    stopped: str = ""
    over_budget: bool = False


@dataclass(frozen=True, slots=True)
class _Part:
    """Facts and summary of a whole session, or of the parts of it read so far."""

    summary: str
    facts: tuple[Record, ...]
    dropped: int


class Enricher:
    """Reads the sessions of one scope with a model, within a budget."""

    def __init__(
        self, model: ChatModel, memory: Memory, scope: Scope, budget: Budget | None = None
    ) -> None:
        self.memory = memory
        self.scope = scope
        self._ledger = Ledger()
        self._model = metered(model, self._ledger, budget)
        self._tries = _Tries(memory, scope, model.id)

    def run(
        self, progress: Callable[[int, int], None] | None = None, *, again: bool = False
    ) -> Enriched:
        """Read every session that this model has not read as it stands now, oldest first.

        A session that fails is logged and left for the next time; one that failed `MOST_TRIES`
        times is read only if told to (``again``). Reaching the budget, or a model that is not
        there, ends it early.
        """
        before = self._ledger.snapshot()
        left = [one for one in sittings(self.memory, self.scope) if not self._done(one)]
        due = left if again else [one for one in left if self._tries.of(one) < MOST_TRIES]
        failures: list[Failure] = []
        sessions = facts = dropped = 0
        stopped, over_budget = "", False
        for place, sitting in enumerate(due, 1):
            try:
                found = self._read(sitting)
            except (BudgetExceeded, ModelUnavailable) as fault:
                stopped, over_budget = str(fault), isinstance(fault, BudgetExceeded)
                break
            except ModelError as fault:
                _log.warning("session %r was not enriched: %s", sitting.session, fault)
                failures.append(Failure(session=sitting.session, reason=str(fault)))
                self._tries.add(sitting)
            else:
                self._keep(sitting, found)
                sessions, facts = sessions + 1, facts + len(found.facts)
                dropped += found.dropped
            if progress is not None:
                progress(place, len(due))
        return Enriched(
            sessions=sessions,
            facts=facts,
            dropped=dropped,
            failures=tuple(failures),
            given_up=len(left) - len(due),
            usage=self._ledger.snapshot().minus(before),
            stopped=stopped,
            over_budget=over_budget,
        )

    # -- parts -----------------------------------------------------------------------------------

    def _done(self, sitting: Sitting) -> bool:
        """True if this model's summary of the session is there; one set aside is taken back."""
        name = row_id(sitting, Kind.SUMMARY, model=self._model.id)
        for row in self.memory.get_many([name], scope=sitting.scope):
            if row.status is Status.SUPERSEDED:
                self.memory.update(name, scope=row.scope, status=Status.ACTIVE)
            return True
        return False

    def _read(self, sitting: Sitting) -> _Part:
        subject = _only_person(sitting.turns)
        summaries: list[str] = []
        facts: dict[str, Record] = {}
        dropped = 0
        for lines in _parts(sitting.lines, self._model.count_tokens, self._room()):
            prompt = render(sitting, lines, subject)
            asked = [Message(role="user", content=prompt)]
            reading = ask(self._model, asked, Reading, max_tokens=self._reply()).value
            summaries.append(summarised(reading, lines, self._model.id))
            for told in reading.facts:
                record = grounded(told, sitting, self.scope, self._model.id, subject)
                if record is None:
                    dropped += 1
                else:
                    facts[record.id] = record
        return _Part(" ".join(summaries), tuple(facts.values()), dropped)

    def _keep(self, sitting: Sitting, found: _Part) -> None:
        """The facts first: the summary says that the session is done."""
        FactMemory(self.memory, self.scope).keep(found.facts)
        row = row_of(sitting, Kind.SUMMARY, found.summary, model=self._model.id)
        stale = [
            old
            for old in everything(self.memory, sitting.scope, Kind.SUMMARY)
            if old.origin.model == self._model.id and digest_of(old)
        ]
        if stale:
            self.memory.supersede(stale[0].id, row)
        else:
            self.memory.add(row)

    def _reply(self) -> int:
        return min(REPLY_TOKENS, self._model.context_tokens // 4)

    def _room(self) -> int:
        """Tokens of a session that fit a prompt, so that a repair with both replies fits, too."""
        around = self._model.count_tokens(_template()) + REPAIR_TOKENS
        left = self._model.context_tokens - 2 * self._reply() - around
        return max(LEAST_PART, min(PART_TOKENS, left))


class _Tries:
    """How often a model failed at a session as it stands, kept in the memory."""

    def __init__(self, memory: Memory, scope: Scope, model: str) -> None:
        self._memory, self._scope, self._name = memory, scope, f"enrich failures of {model}"
        self._counts: dict[str, int] = json.loads(memory.learned(self._name, scope=scope) or "{}")

    def of(self, sitting: Sitting) -> int:
        return self._counts.get(sitting.digest, 0)

    def add(self, sitting: Sitting) -> None:
        self._counts[sitting.digest] = self.of(sitting) + 1
        self._memory.keep_learned(self._name, json.dumps(self._counts).encode(), scope=self._scope)


def summarised(reading: Reading, lines: Sequence[str], model: str) -> str:
    """The summary in one line. Raises MalformedReply for one that speaks of something else."""
    terms = terms_of(reading.summary).keys()
    held = terms & terms_of("\n".join(lines)).keys()
    if len(held) < SUMMARY_SHARE * len(terms):
        raise MalformedReply(
            f"{model} wrote a summary with {len(held)} of its {len(terms)} words from the session:"
            " it speaks of something else. Try a stronger model.",
            reading.summary,
        )
    return " ".join(reading.summary.split())


def render(sitting: Sitting, lines: Sequence[str], subject: str) -> str:
    """The prompt that asks for summary and facts of a part of a session.

    ``subject`` is the name of the only person who speaks, empty if there are several.
    """
    subjects = f"{USER} for {subject}" if subject else "the speaker's name"
    day = f"{sitting.turns[0].event_time:%A, %d %B %Y}"
    return _template().format(day=day, lines="\n".join(lines), subjects=subjects)


def grounded(told: Told, sitting: Sitting, scope: Scope, model: str, subject: str) -> Record | None:
    """The fact as a record with the message that says it as its source; None if none does.

    What only an assistant says is kept unconfirmed.
    """
    turn = _source(told, sitting.turns)
    if turn is None or not (told.value.strip() or told.over):
        return None
    whose = " ".join(told.subject.split())
    if whose.casefold() in (USER, "the user", "i", "me", subject.casefold()):
        whose = USER if subject else _speaker(turn)
    attribute = " ".join(told.attribute.casefold().split())
    confirmed = turn.origin.source != "assistant"
    record = fact(
        scope,
        turn,
        subject=whose,
        attribute=attribute,
        value=" ".join(told.value.split()),
        ends=told.over,
        many=told.several or attribute in MANY,
        confirmed=confirmed,
    )
    origin = record.origin.model_copy(update={"model": model, "detail": f"quote: {told.quote}"})
    return record.model_copy(
        update={"origin": origin, "trust": min(record.trust, FACT_TRUST, turn.trust)}
    )


def _source(told: Told, turns: Sequence[Record]) -> Record | None:
    """The message that a fact quotes: a person's before an assistant's, best the subject's own."""
    quote = _plain(told.quote)
    if len(quote.split()) < 2:
        return None
    wanted = terms_of(told.value).keys()
    whose = told.subject.strip().casefold()

    def rank(turn: Record) -> tuple[bool, bool]:
        return turn.origin.source == "assistant", _speaker(turn).casefold() != whose

    for turn in sorted(turns, key=rank):
        held = wanted & terms_of(turn.text).keys()
        if quote in _plain(turn.text) and len(held) >= HELD_SHARE * len(wanted):
            return turn
    return None


def _plain(text: str) -> str:
    """The text with plain quotes and single spaces; letters stay as they are."""
    straight = str.maketrans("‘’“”", "''\"\"")
    return " ".join(unicodedata.normalize("NFKC", text).translate(straight).split())


def _parts(lines: Sequence[str], count: Callable[[str], int], room: int) -> list[list[str]]:
    """The lines in runs of at most ``room`` tokens; a line that is longer is cut to fit."""
    parts: list[list[str]] = [[]]
    left = room
    for whole in lines:
        line, cost = whole, count(whole) + 1
        while cost > room:
            line = line[: len(line) * room // (cost + 1)]
            cost = count(line) + 1
        if cost > left:
            parts.append([])
            left = room
        parts[-1].append(line)
        left -= cost
    return [part for part in parts if part]


def _only_person(turns: Sequence[Record]) -> str:
    """Who speaks, assistants aside; the user if nobody does, empty if several do."""
    people = {_speaker(turn) for turn in turns if turn.origin.source != "assistant"} or {USER}
    return people.pop() if len(people) == 1 else ""


def _speaker(turn: Record) -> str:
    assert isinstance(turn.payload, UtterancePayload)
    return turn.payload.speaker


def _template() -> str:
    return files("reverie.agent").joinpath("prompts/enrich.txt").read_text("utf-8")
