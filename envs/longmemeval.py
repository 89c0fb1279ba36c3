"""LongMemEval: questions about a user's long history of chats with an assistant.

Wu et al., LongMemEval: Benchmarking Chat Assistants on Long-Term Interactive Memory, ICLR 2025; the
data is under the MIT licence. Two forms are read. The official files give each question a haystack
of its own. The evidence pool has each question with its evidence alone: all evidence together is
then the haystack of all.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from ..memory.dialogue import Message, Role
from .datafile import Part, read_json
from .dialogues import Conversation, DialogueData, Gold, Question, Session, Turn

EXPECTED = (
    "a file of LongMemEval, such as longmemeval_s_cleaned.json of the Hugging Face data set "
    "xiaowu0162/longmemeval-cleaned (a list of questions with haystack_sessions), or an evidence "
    "pool (a list of questions with evidence); give it with --data"
)
UPDATE = "knowledge-update"
CATEGORIES = {
    name: name.replace("-", " ")
    for name in (
        "single-session-user",
        "single-session-assistant",
        "single-session-preference",
        "multi-session",
        "temporal-reasoning",
        UPDATE,
    )
}
HAYSTACK_PROTOCOL = {
    "candidates": "the sessions or turns of the question's own haystack, both sides of each",
    "gold sessions": "those with a turn marked has_answer, of the user's or the assistant's",
    "gold turns": "those marked has_answer",
    "left out of retrieval": "questions without an answer (_abs)",
}
POOL_PROTOCOL = {
    "candidates": "the evidence turns of all questions together, each distinct one once",
    "gold turns": "the question's own evidence turns",
    "left out of retrieval": "questions without an answer (_abs)",
    "note": "figures of a pool are not comparable to those of the official haystacks",
}
_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant"}


def read_longmemeval(path: Path) -> DialogueData:
    """The questions of a file of either form. Raises DataMissing."""
    root, digest = read_json(path, EXPECTED)
    items = list(root)
    if not items:
        raise root.wrong("is empty")
    if "qa" in items[0] and "conversation" in items[0]:
        raise items[0].wrong("is LoCoMo's: use `reverie run locomo`")
    pool = "evidence" in items[0]
    talks = [_pool(items)] if pool else [_haystack(item) for item in items]
    return DialogueData(
        name="longmemeval",
        sha256=digest,
        conversations=tuple(talks),
        categories=CATEGORIES,
        unit="pool" if pool else "turn",
        cluster="question",
        protocol=POOL_PROTOCOL if pool else HAYSTACK_PROTOCOL,
    )


def _haystack(item: Part) -> Conversation:
    ids, dates = list(item["haystack_session_ids"]), list(item["haystack_dates"])
    given = list(item["haystack_sessions"])
    if not len(ids) == len(dates) == len(given):
        raise item["haystack_sessions"].wrong(
            f"has {len(given)} sessions for {len(ids)} ids and {len(dates)} dates"
        )
    names = _distinct(_cleaned(one.text()) for one in ids)
    sessions: list[tuple[datetime, Session]] = []
    gold: set[str] = set()
    for name, date, turns in zip(names, dates, given, strict=True):
        at = moment(date)
        made = tuple(
            Turn(f"{name}:{place}", _message(part, at, place)) for place, part in enumerate(turns)
        )
        gold |= {
            turn.id
            for turn, part in zip(made, turns, strict=True)
            if "has_answer" in part and part["has_answer"].value is True
        }
        sessions.append((at, Session(name, made)))
    ordered = [session for _, session in sorted(sessions, key=lambda pair: pair[0])]
    whole = Conversation(item["question_id"].text(), tuple(ordered), ())
    times = {turn.id: turn.message.at for _, turn in whole.turns}
    question = _question(item, {name: at for name, at in times.items() if at and name in gold})
    return Conversation(whole.id, whole.sessions, (question,))


def _pool(items: Iterable[Part]) -> Conversation:
    """Sessions by their ids and dates, turns in the order they are first met."""
    sessions: dict[str, list[Turn]] = {}
    questions: list[Question] = []
    for item in items:
        names = [_cleaned(one.text()) for one in item["gold_session_ids"]]
        evidence = list(item["evidence"])
        if len(names) != len(evidence):
            raise item["evidence"].wrong(f"has {len(evidence)} sessions for {len(names)} ids")
        dated: dict[str, datetime] = {}
        for name, part in zip(names, evidence, strict=True):
            at = moment(part["session_date"])
            session = f"{name}@{at:%Y-%m-%d %H:%M}"
            turns = sessions.setdefault(session, [])
            for one in part["turns"]:
                dated[_joined(turns, session, one, at)] = at
        questions.append(_question(item, dated, pooled=True))
    made = [Session(key, tuple(turns)) for key, turns in sessions.items()]
    ordered = sorted(made, key=_began)
    return Conversation("pool", tuple(ordered), tuple(questions))


def _began(session: Session) -> tuple[datetime, str]:
    at = session.turns[0].message.at if session.turns else None
    return at or datetime.min.replace(tzinfo=UTC), session.id


def _joined(turns: list[Turn], session: str, part: Part, at: datetime) -> str:
    """The id of a turn in its session, added to it if it is new."""
    message = _message(part, at, len(turns))
    for turn in turns:
        if (turn.message.role, turn.message.text) == (message.role, message.text):
            return turn.id
    turns.append(Turn(f"{session}:{len(turns)}", message))
    return turns[-1].id


def _message(part: Part, at: datetime, place: int) -> Message:
    role = part["role"].text()
    if role not in _ROLES:
        raise part["role"].wrong("should be user or assistant")
    return Message(text=part["content"].text(), role=_ROLES[role], at=at, turn=place)


def _question(item: Part, dated: dict[str, datetime], *, pooled: bool = False) -> Question:
    """A question whose evidence turns were said at the times ``dated``."""
    name, category = item["question_id"].text(), item["question_type"].text()
    if category not in CATEGORIES:
        raise item["question_type"].wrong(f"should be one of {', '.join(CATEGORIES)}")
    answerable = not name.endswith("_abs")
    answer = item["answer"].text()
    asked = moment(item["question_date"])
    if not answerable:
        return Question(name, item["question"].text(), category, asked, False, Gold(answer=answer))
    last = max(dated.values(), default=asked)
    changed = category == UPDATE and len(set(dated.values())) > 1
    gold = Gold(
        answer=answer,
        sessions=None if pooled else frozenset(turn.rpartition(":")[0] for turn in dated),
        turns=frozenset(dated),
        newest=frozenset(turn for turn, at in dated.items() if changed and at == last),
        stale=frozenset(turn for turn, at in dated.items() if changed and at < last),
    )
    return Question(name, item["question"].text(), category, asked, True, gold)


def moment(part: Part) -> datetime:
    """A time such as 2023/05/30 (Tue) 23:40. Raises DataMissing."""
    try:
        text = re.sub(r"\s*\(\w+\)\s*", " ", part.text())
        return datetime.strptime(text, "%Y/%m/%d %H:%M").replace(tzinfo=UTC)
    except ValueError as error:
        raise part.wrong("should be a time such as '2023/05/30 (Tue) 23:40'") from error


def _cleaned(id: str) -> str:
    """A session's id without the mark that tells which sessions hold the answer."""
    return id.removeprefix("answer_")


def _distinct(names: Iterable[str]) -> list[str]:
    """The names, a repeated one with its number."""
    seen: Counter[str] = Counter()
    found: list[str] = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return found
