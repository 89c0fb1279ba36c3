"""An assistant that remembers everybody it talks to, for as long as they like.

It meets `server.ChatService`, so that ``reverie chat`` and ``reverie serve`` are two doors to the
same thing. What a user said is on the disk before the model is asked.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import cast, get_args

from ..memory.dialogue import DialogueMemory, Message, Role
from ..memory.facts import FactMemory
from ..memory.memory import Memory
from ..memory.records import Scope, now
from .chat_loop import Talk, chat_graph, history_of, keep_reply
from .chat_state import ChatState, Line, Shares, Source
from .models import open_model
from .models.base import ChatModel, Usage
from .server import ReplyOptions

TEMPERATURE = 0.5
"""Of a reply, unless it is asked for otherwise."""
HELD_LINES = 80
"""So many of a session's last messages are held in memory for the next prompt."""
HELD_SESSIONS = 256
"""So many sessions, and the facts of so many users, are held; others are read again."""


class Assistant:
    """A conversation partner with a memory of its own for each user."""

    def __init__(
        self,
        model: ChatModel,
        memory: Memory,
        *,
        shares: Shares | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self.model = model
        self.memory = memory
        self.shares = _fitting(shares or Shares(), model)
        self._clock = clock
        self._held: OrderedDict[tuple[str, str], _Session] = OrderedDict()
        self._facts: OrderedDict[str, FactMemory] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def model_id(self) -> str:
        """The name of the model."""
        return self.model.id

    def close(self) -> None:
        """Close the memory."""
        self.memory.close()

    def dialogue(self, user: str) -> DialogueMemory:
        """What a user said and was told."""
        return DialogueMemory(self.memory, Scope(user=user), clock=self._clock)

    def facts(self, user: str) -> FactMemory:
        """What is known of a user."""
        with self._lock:
            facts = self._facts.setdefault(user, FactMemory(self.memory, Scope(user=user)))
            self._facts.move_to_end(user)
            while len(self._facts) > HELD_SESSIONS:
                self._facts.popitem(last=False)
            return facts

    def say(
        self, user: str, text: str, *, session: str, options: ReplyOptions | None = None
    ) -> AssistantReply:
        """Reply to a message; what was said before in the session is read from memory."""
        options = options or ReplyOptions()
        held = self._session(user, session)
        state = ChatState(
            user=user,
            session=session,
            text=text,
            incognito=options.incognito,
            history=list(held.lines),
            said=held.said,
        )
        return self._reply(state, options, held)

    def reply(
        self,
        user: str,
        messages: Sequence[Mapping[str, str]],
        *,
        session: str,
        options: ReplyOptions,
    ) -> AssistantReply:
        """Reply to a conversation that the client keeps: the last user message is the new one.

        What came before it is the prompt's history; where the session is new to the memory, it is
        kept too. The place in the conversation is a message's turn, so that one that a client
        sends again is not kept twice.
        """
        last = max(place for place, one in enumerate(messages) if one["role"] == "user")
        history = [Line(role=one["role"], content=one["content"]) for one in messages[:last]]
        held = self._session(user, session)
        if not held.lines and not options.incognito:
            earlier = [
                Message(text=one["content"], role=_role(one["role"]), turn=place)
                for place, one in enumerate(history)
            ]
            self.dialogue(user).add(earlier, session=session)
        state = ChatState(
            user=user,
            session=session,
            text=messages[last]["content"],
            incognito=options.incognito,
            history=history[-HELD_LINES:],
            turn=last,
            said=held.said,
        )
        return self._reply(state, options, held)

    def _reply(self, state: ChatState, options: ReplyOptions, held: _Session) -> AssistantReply:
        user = state.get("user", "")
        talk = Talk(
            model=self.model,
            dialogue=self.dialogue(user),
            facts=self.facts(user),
            shares=self.shares,
            clock=self._clock,
            stop=threading.Event(),
            temperature=TEMPERATURE if options.temperature is None else options.temperature,
            seed=options.seed,
            max_tokens=options.max_tokens,
        )
        return AssistantReply(state, talk, held)

    def _session(self, user: str, session: str) -> _Session:
        with self._lock:
            held = self._held.get((user, session))
            if held is None:
                records = self.dialogue(user).transcript(session)[-HELD_LINES:]
                replies = [one.id for one in records[-1:] if one.origin.source == "assistant"]
                held = _Session(history_of(records), replies[0] if replies else "")
                self._held[user, session] = held
            self._held.move_to_end((user, session))
            while len(self._held) > HELD_SESSIONS:
                self._held.popitem(last=False)
            return held

    def forget_sessions(self, user: str) -> None:
        """Read a user's sessions anew from memory, after something was forgotten there."""
        with self._lock:
            for key in [key for key in self._held if key[0] == user]:
                del self._held[key]
            self._facts.pop(user, None)


class _Session:
    """The end of a session: its last lines, and the id of the last reply."""

    def __init__(self, lines: list[Line], said: str) -> None:
        self.lines = lines
        self.said = said

    def add(self, state: ChatState) -> None:
        """Take in an exchange."""
        text, reply = state.get("text", ""), state.get("reply", "")
        self.lines += [Line(role="user", content=text), Line(role="assistant", content=reply)]
        del self.lines[:-HELD_LINES]
        self.said = state.get("said", "")


class AssistantReply:
    """A reply as it is made: iterate once for its pieces; then all the rest is known."""

    def __init__(self, state: ChatState, talk: Talk, held: _Session) -> None:
        self.state = state
        self._talk = talk
        self._held = held

    def __iter__(self) -> Iterator[str]:
        pieces: list[str] = []
        done = False
        parts = chat_graph().stream(
            self.state, context=self._talk, stream_mode=["custom", "values"]
        )
        try:
            for mode, part in parts:
                if mode == "custom":
                    pieces.append(part["piece"])
                    yield part["piece"]
                else:
                    self.state = cast(ChatState, part)
            done = True
        finally:
            self._talk.stop.set()
            if not done and pieces:
                # Whoever read has gone, or the model failed midway: what was said was said.
                self.state["reply"] = "".join(pieces)
                with suppress(Exception):
                    self.state.update(keep_reply(self.state, self._talk))
            if done or pieces:
                self._held.add(self.state)

    @property
    def usage(self) -> Usage:
        """The tokens of prompt and reply, counted; their price is not known here."""
        return Usage(
            prompt_tokens=self.state.get("prompt_tokens", 0),
            completion_tokens=self.state.get("reply_tokens", 0),
            seconds=self.state.get("seconds", 0.0),
        )

    @property
    def sources(self) -> list[str]:
        """The ids of the memories that stood in the prompt."""
        return [source["id"] for source in self.state.get("sources", [])]

    @property
    def evidence(self) -> list[Source]:
        """The memories that stood in the prompt, with who said them when."""
        return self.state.get("sources", [])


def open_service(memory_url: str, model: str) -> Assistant:
    """An assistant over the memory at ``memory_url`` with the model called ``model``."""
    return Assistant(open_model(model), Memory.open(memory_url))


def _fitting(shares: Shares, model: ChatModel) -> Shares:
    """The shares, smaller where the model's context is: what has little of it is slow to read."""
    room = model.context_tokens
    return shares.model_copy(
        update={
            "reply": min(shares.reply, room // 16),
            "prompt": max(200, min(shares.prompt, room // 4)),
        }
    )


def _role(role: str) -> Role:
    return cast(Role, role) if role in get_args(Role) else "user"
