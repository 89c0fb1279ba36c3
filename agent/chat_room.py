"""The room of a chat: what is typed, what is shown, and the words that begin with a slash."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import cast

from pydantic import JsonValue
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..errors import ReverieError
from ..memory.records import Scope
from .assistant import Assistant, AssistantReply
from .server import ReplyOptions

SMALL = (
    "The bundled model has 135 million parameters: it shows how this works, remembers everything "
    "and understands little. It can't reason, count or be trusted with facts. Lines that begin "
    "with ↳ come from memory alone. Give --model another one for real use."
)
HELP = """/memories [WORDS]   what is remembered, or what of it fits some words
/facts              what is known to hold of you
/why                the memories behind the last reply, with dates and sources
/forget ID|WORDS    remove a memory for good, with what was derived from it
/incognito          remember nothing from here on; again: remember
/export FILE        write everything remembered of you to a file
/session NAME       go on with another conversation
/quit               leave (Ctrl-D does too)"""


class Room:
    """One person talking to an assistant."""

    def __init__(
        self,
        assistant: Assistant,
        *,
        user: str,
        session: str,
        options: ReplyOptions,
        plain: bool,
        console: Console | None = None,
    ) -> None:
        self.assistant = assistant
        self.user = user
        self.session = session
        self.options = options
        self.plain = plain
        self.console = console or Console(highlight=False)
        self.last: AssistantReply | None = None
        self._words: dict[str, Callable[[str], None]] = {
            "/help": lambda _: self.console.print(HELP, markup=False),
            "/memories": self._memories,
            "/facts": lambda _: self._facts(),
            "/why": lambda _: self._why(),
            "/forget": self._forget,
            "/incognito": lambda _: self._incognito(),
            "/export": self._export,
            "/session": self._session,
        }

    def greet(self, note: str) -> None:
        """The first lines."""
        where = self.assistant.memory.address.folder or "nowhere: it is gone when you leave"
        self.console.print(
            f"[bold]Reverie[/bold] · {escape(self.assistant.model_id)} · memory in "
            f"{escape(str(where))} · session {escape(self.session)}"
        )
        if note:
            self.console.print(note, style="dim")
        self.console.print("/help shows what else there is.", style="dim")
        if self.options.incognito:
            self.console.print("Incognito: nothing is remembered.", style="yellow")

    def lines(self) -> Iterator[str]:
        """What is typed, line by line, without empty ones; ends at Ctrl-D."""
        while True:
            try:
                line = sys.stdin.readline() if self.plain else self.console.input("[cyan]> [/cyan]")
            except EOFError:
                self.console.print()
                return
            if self.plain and not line:
                return
            if line.strip():
                yield line.strip()

    def answer(self, line: str) -> bool:
        """Show the answer to a line; False if it says to leave."""
        word, _, rest = line.partition(" ")
        if word in ("/quit", "/exit"):
            return False
        if word.startswith("/"):
            known = self._words.get(word)
            if known is None:
                self.console.print(f"{escape(word)} is not known; /help shows what is.")
            else:
                known(rest.strip())
            return True
        reply = self._say(line)
        with suppress(KeyboardInterrupt):  # Ctrl-C ends a reply, not the conversation
            for piece in reply:
                self.console.print(piece, end="", markup=False, soft_wrap=True)
        self.console.print()
        for source in reply.evidence:
            if source["speaker"] == "fact":
                self.console.print(
                    f"↳ {source['text']} ({source['date'][:10]})", style="dim", markup=False
                )
        return True

    def exchange(self, line: str) -> dict[str, JsonValue]:
        """A line and its reply as data."""
        reply = self._say(line)
        text = "".join(reply)
        sources = [cast("JsonValue", source) for source in reply.evidence]
        usage: dict[str, JsonValue] = reply.usage.model_dump(mode="json")
        return {"reply": text, "session": self.session, "sources": sources, "usage": usage}

    def complain(self, error: ReverieError) -> None:
        """Show an error, and go on."""
        Console(stderr=True).print(f"Error: {error}", style="red", markup=False)

    # -- parts -----------------------------------------------------------------------------------

    @property
    def _scope(self) -> Scope:
        return Scope(user=self.user)

    def _say(self, line: str) -> AssistantReply:
        self.last = self.assistant.say(self.user, line, session=self.session, options=self.options)
        return self.last

    def _memories(self, words: str) -> None:
        dialogue = self.assistant.dialogue(self.user)
        if words:
            records = [hit.record for hit in dialogue.recall(words).hits]
        else:
            records = dialogue.latest(20)
        table = Table("id", "when", "session", "who", "what", box=None, header_style="dim")
        for record in records:
            table.add_row(
                record.id[:10],
                f"{record.event_time:%Y-%m-%d %H:%M}",
                escape(record.scope.session or ""),
                record.origin.source,
                escape(" ".join(record.text.split())[:100]),
            )
        if records:
            self.console.print(table)
        self.console.print(f"{len(records)} shown.", style="dim")

    def _facts(self) -> None:
        known = self.assistant.facts(self.user).current()
        for record in known:
            self.console.print(
                f"{record.id[:10]}  {record.text}  (since {record.event_time:%Y-%m-%d})",
                markup=False,
            )
        self.console.print(f"{len(known)} known.", style="dim")

    def _why(self) -> None:
        if self.last is None or not self.last.evidence:
            self.console.print("No memory stood behind the last reply.")
            return
        table = Table("id", "when", "session", "who", "score", "what", box=None)
        for source in self.last.evidence:
            table.add_row(
                source["id"][:10],
                source["date"][:16].replace("T", " "),
                escape(source["session"]),
                escape(source["speaker"]),
                f"{source['score']:.1f}",
                escape(" ".join(source["text"].split())[:90]),
            )
        self.console.print(table)

    def _forget(self, what: str) -> None:
        dialogue = self.assistant.dialogue(self.user)
        if not what:
            self.console.print("Forget what? /forget ID, or words to choose by.")
            return
        named = dialogue.named(what)
        if not named:
            self.console.print("No memory has this id. These fit the words; give one's id:")
            self._memories(what)
            return
        receipt = dialogue.forget([named.id])
        self.assistant.forget_sessions(self.user)
        gone = len(receipt.forgotten)
        self.console.print(f"Forgotten for good: {gone} record{'s' * (gone != 1)}.")

    def _incognito(self) -> None:
        self.options = self.options.model_copy(update={"incognito": not self.options.incognito})
        state = "nothing is remembered" if self.options.incognito else "remembering again"
        self.console.print(f"Incognito: {state}.", style="yellow")

    def _export(self, file: str) -> None:
        if not file:
            self.console.print("Export where to? /export FILE")
            return
        count = self.assistant.memory.export(Path(file).expanduser(), scope=self._scope)
        self.console.print(f"{count} records written to {escape(file)}.")

    def _session(self, name: str) -> None:
        if name:
            self.session = name
        self.console.print(f"Session {escape(self.session)}.")
