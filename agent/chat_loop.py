"""One exchange of a chat as a LangGraph ``StateGraph``: the loop of an agent, with words for steps.

observe → trigger → (recall) → weave → hear → act → write

``hear`` keeps the user's message before the model is asked, so that what was said survives
whatever happens to the reply; ``write`` keeps the reply.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from langgraph.graph import END, START, StateGraph  # pyright: ignore[reportMissingTypeStubs]
from langgraph.runtime import Runtime

from ..memory.dialogue import DialogueMemory, Message
from ..memory.fact_questions import answer, read_question, resolve_subject
from ..memory.facts import FactMemory
from ..memory.packing import CLOSE, HEADER, OPEN, line, pack, without_blocks
from ..memory.records import FactPayload, Record, UtterancePayload
from ..memory.terms import STOP_WORDS, terms_of, words_of
from ..memory.turn_search import TurnHit
from .chat_prompt import build, cut
from .chat_state import ChatState, Line, Shares, Source
from .gist import gist
from .models.base import ChatModel
from .models.base import Message as Prompt

_OF_ASSISTANT = re.compile(r"\byou(?:r|rs|'ve|'d)?\b", re.IGNORECASE)
"""A message that speaks to the assistant may ask for what the assistant said."""
ROUND = 60
"""A reply that ends in so many characters that it has said before is over."""
LONGEST = 2000
"""So many characters of a message are recalled by and logged."""
FEW = 3
"""A message of fewer telling words is understood from the one before it."""


@dataclass(frozen=True)
class Talk:
    """What an exchange is had with. ``stop`` ends a reply that nobody reads any more."""

    model: ChatModel
    dialogue: DialogueMemory
    facts: FactMemory
    shares: Shares
    clock: Callable[[], datetime]
    stop: threading.Event
    temperature: float = 0.0
    seed: int | None = None
    max_tokens: int | None = None


Run = Runtime[Talk]


def observe(state: ChatState, runtime: Run) -> ChatState:
    """The moment of the message."""
    return {
        "at": state.get("at") or runtime.context.clock().isoformat(),
        "sources": [],
        "recalled": "",
    }


def trigger(state: ChatState) -> ChatState:
    """Is there anything in the message to recall by?"""
    telling = [word for word in words_of(state.get("text", "")) if word not in STOP_WORDS]
    return {"trigger": "words" if telling else ""}


def recall(state: ChatState, runtime: Run) -> ChatState:
    """Find what was said, and what is known, of what the message speaks of."""
    talk, text = runtime.context, state.get("text", "")
    asked = _asked(state)
    shown = {line["content"] for line in state.get("history", [])}
    found = talk.dialogue.recall(asked, k=24, asked=_moment(state))
    hits = [hit for hit in found.hits if hit.record.text not in shown | {text}]
    if not _OF_ASSISTANT.search(text):
        hits = [hit for hit in hits if hit.record.origin.source != "assistant"]
    known = _known(talk.facts, text, _moment(state))
    budget = int(talk.shares.prompt * talk.shares.recalled)
    count = talk.model.count_tokens
    block, used = _block(hits if found.verdict.found else [], known, count, budget)
    if hits and not state.get("incognito"):
        # As it is kept, so that forgetting finds it, and never what was said before: that may
        # have been incognito.
        logged = without_blocks(text).strip() if len(text) <= LONGEST else ""
        context = {"session": state.get("session", "")}
        scope = talk.dialogue.scope
        talk.dialogue.memory.shown(logged, hits, used, scope=scope, context=context)
    sources = [_source(hit) for hit in hits if hit.record.id in used]
    sources += [_fact_source(record) for record in known if record.id in used]
    return {"recalled": block, "sources": sources, "verdict": str(found.verdict)}


def weave(state: ChatState, runtime: Run) -> ChatState:
    """The prompt: instructions, gist, what was said last, what was recalled, the message."""
    talk, history = runtime.context, state.get("history", [])
    said = [line["content"] for line in history if line["role"] == "user"]
    count = talk.model.count_tokens
    known = gist(talk.facts, said[-12:], count, int(talk.shares.prompt * talk.shares.gist))
    prompt = build(
        now=_moment(state),
        gist=known,
        system=[line["content"] for line in history if line["role"] == "system"],
        history=[line for line in history if line["role"] in ("user", "assistant")],
        recalled=state.get("recalled", ""),
        text=state.get("text", ""),
        count=count,
        shares=talk.shares,
    )
    return {"prompt": prompt}


def hear(state: ChatState, runtime: Run) -> ChatState:
    """Keep what the user said, and what it states."""
    if state.get("incognito"):
        return {"heard": ""}
    session, turn = state.get("session", ""), state.get("turn")
    message = Message(text=state.get("text", ""), at=_moment(state), turn=turn)
    (heard,) = runtime.context.dialogue.add([message], session=session).ids
    if heard:
        memory, scope = runtime.context.dialogue.memory, runtime.context.dialogue.scope
        before = state.get("said", "")
        names = [name for name in (before, heard) if name]
        runtime.context.facts.read(memory.get_many(names, scope=scope))
    return {"heard": heard}


def act(state: ChatState, runtime: Run) -> ChatState:
    """The model replies, piece by piece."""
    talk, started = runtime.context, time.monotonic()
    prompt = [Prompt.model_validate(line) for line in state.get("prompt", [])]
    pieces: list[str] = []
    stream = talk.model.stream(
        prompt,
        max_tokens=min(talk.max_tokens or talk.shares.reply, talk.shares.reply),
        temperature=talk.temperature,
        seed=talk.seed,
    )
    for piece in stream:
        if talk.stop.is_set() or goes_round("".join(pieces)):
            break
        pieces.append(piece)
        runtime.stream_writer({"piece": piece})
    reply = "".join(pieces)
    count = talk.model.count_tokens
    return {
        "reply": reply,
        "prompt_tokens": sum(count(message.content) for message in prompt),
        "reply_tokens": count(reply),
        "seconds": time.monotonic() - started,
    }


def goes_round(text: str) -> bool:
    """True if a reply has begun to repeat itself, as those of small models do without an end."""
    tail = text[-ROUND:]
    return len(tail) == ROUND and tail in text[:-ROUND]


def write(state: ChatState, runtime: Run) -> ChatState:
    """Keep the reply, as the assistant's word and not the user's."""
    return keep_reply(state, runtime.context)


def keep_reply(state: ChatState, talk: Talk) -> ChatState:
    """Keep what was replied, also where only its beginning was heard."""
    reply, turn = state.get("reply", ""), state.get("turn")
    if state.get("incognito") or not reply.strip():
        return {"said": ""}
    message = Message(
        text=reply,
        role="assistant",
        at=max(talk.clock(), _moment(state)),
        turn=None if turn is None else turn + 1,
    )
    (said,) = talk.dialogue.add([message], session=state.get("session", "")).ids
    return {"said": said}


def _asked(state: ChatState) -> str:
    """What to recall by: the message, with the user's last one where it says little itself."""
    text = state.get("text", "")
    said = [line["content"] for line in state.get("history", []) if line["role"] == "user"]
    if said and len(terms_of(text)) < FEW:
        text = f"{said[-1]} {text}"
    return cut(text, len, LONGEST)


def _known(facts: FactMemory, text: str, moment: datetime) -> list[Record]:
    """The facts that the message asks for, if it asks for facts."""
    asked = read_question(cut(text, len, LONGEST))
    if asked is None or "?" not in text:
        return []
    wanted = answer(facts, asked, as_of=moment)
    held = facts.history(resolve_subject(facts, asked.subject), asked.attribute)
    believed = [one for one in reversed(held) if _fact(one).confirmed and not _fact(one).ends]
    newest = {_fact(one).value: one for one in reversed(believed)}
    return [newest[value] for value in wanted if value in newest]


@cache
def chat_graph() -> Any:
    """The graph of one exchange; its context is a `Talk`."""
    graph: Any = StateGraph(ChatState, context_schema=Talk)  # add_node is typed too loosely
    for node in (observe, trigger, recall, weave, hear, act, write):
        graph.add_node(node.__name__, node)
    graph.add_edge(START, "observe")
    graph.add_edge("observe", "trigger")
    graph.add_conditional_edges("trigger", _after_trigger, ["recall", "weave"])
    for one, other in (("recall", "weave"), ("weave", "hear"), ("hear", "act"), ("act", "write")):
        graph.add_edge(one, other)
    graph.add_edge("write", END)
    return graph.compile(name="reverie-chat")


def _after_trigger(state: ChatState) -> str:
    return "recall" if state.get("trigger") else "weave"


def _moment(state: ChatState) -> datetime:
    return datetime.fromisoformat(state.get("at", ""))


def _block(
    hits: list[TurnHit], known: list[Record], count: Callable[[str], int], budget: int
) -> tuple[str, set[str]]:
    """The facts that answer and then the turns that fit, as one block within ``budget`` tokens."""
    if not known:
        packed = pack([hit.record for hit in hits], count, budget)
        return packed.text, set(packed.ids)
    told = "\n".join(f"Known: {line(record)}" for record in known)
    packed = pack([hit.record for hit in hits], count, max(budget - count(told) - 8, 0))
    inner = packed.text or "\n".join([OPEN, HEADER, CLOSE])
    whole = inner.replace(HEADER, f"{HEADER}\n{told}")
    if count(whole) > budget:
        return packed.text, set(packed.ids)
    return whole, {*packed.ids, *(record.id for record in known)}


def _source(hit: TurnHit) -> Source:
    record = hit.record
    assert isinstance(record.payload, UtterancePayload)
    return Source(
        id=record.id,
        date=record.event_time.isoformat(timespec="seconds"),
        session=record.scope.session or "",
        speaker=record.payload.speaker,
        text=record.text,
        score=hit.score,
    )


def _fact_source(record: Record) -> Source:
    return Source(
        id=record.id,
        date=record.event_time.isoformat(timespec="seconds"),
        session=record.scope.session or "",
        speaker="fact",
        text=record.text,
        score=1.0,
    )


def _fact(record: Record) -> FactPayload:
    assert isinstance(record.payload, FactPayload)
    return record.payload


def history_of(records: list[Record]) -> list[Line]:
    """A transcript as the lines of a prompt."""
    return [
        Line(
            role="assistant" if record.origin.source == "assistant" else "user",
            content=record.text,
        )
        for record in records
    ]
