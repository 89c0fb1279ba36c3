"""``reverie run life``: generated lives told to the dialogue memory, which is then questioned.

No language model takes part: facts are read by rule, and answered from what holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import JsonValue
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from ..memory.dialogue import DialogueMemory, Message
from ..memory.fact_questions import answer, read_question, resolve_subject
from ..memory.facts import USER, FactMemory, values
from ..memory.memory import Memory
from ..memory.records import FactPayload, Scope
from .folder import write_atomic
from .life import Life, Persona, Utterance, generate
from .life_score import KnownFact, LifeReport, score

Phrases = Literal["dev", "held", "all"]


class RememberingMemory:
    """The dialogue memory and its facts, as `life_score` examines them."""

    def __init__(self, memory: Memory, scope: Scope) -> None:
        self.dialogue = DialogueMemory(memory, scope)
        self.kept = FactMemory(memory, scope)
        self._names: dict[str, str] = {}

    def hear(self, utterances: Sequence[Utterance]) -> None:
        """Keep a session's messages, then read what they state."""
        for session in dict.fromkeys(one.session for one in utterances):
            told = [one for one in utterances if one.session == session]
            messages = [
                Message(text=one.text, role=one.role, speaker=one.speaker, at=one.at, turn=one.turn)
                for one in told
            ]
            added = self.dialogue.add(messages, session=str(session))
            self._names |= {name: one.id for name, one in zip(added.ids, told, strict=True)}
            ids = [name for name in added.ids if name]
            scope = self.dialogue.scope
            self.kept.read(self.dialogue.memory.get_many(ids, scope=scope))

    def facts(self) -> list[KnownFact]:
        """Everything that is held, past and present, believed or not."""
        return list(self._facts())

    def current(
        self, subject: str, attribute: str, *, as_of: datetime | None = None
    ) -> tuple[str, ...]:
        """What holds of an attribute, under whatever name the memory has for it."""
        asked = read_question(f"What is my {attribute}?")
        name = asked.attribute if asked else attribute
        whom = subject if subject == USER else subject.removeprefix("my ")
        whom = resolve_subject(self.kept, whom)
        return tuple(values(self.kept.current(whom, name, as_of=as_of)))

    def answer(self, question: str, *, as_of: datetime | None = None) -> str | None:
        """The values that answer, or None."""
        asked = read_question(question)
        found = answer(self.kept, asked, as_of=as_of) if asked else []
        return " and ".join(found) or None

    def _facts(self) -> Iterator[KnownFact]:
        for record in self.kept.all():
            payload = record.payload
            assert isinstance(payload, FactPayload)
            if payload.value and not payload.ends:
                yield KnownFact(
                    payload.subject,
                    payload.attribute,
                    payload.value,
                    payload.valid_from or record.event_time,
                    payload.valid_to,
                    tuple(self._names[source] for source in record.sources),
                    payload.confirmed,
                )


def run_life(personas: int, *, seed: int = 0, phrases: Phrases = "all") -> LifeReport:
    """Generate lives, tell them to a fresh memory, and score what it knows; with a progress bar."""
    lives = generate(personas, seed=seed, phrases=phrases)
    with (
        Memory.open(embedder="hashing:32") as memory,  # facts are not found by vectors
        Progress(console=Console(stderr=True), transient=True) as bar,
    ):
        task = bar.add_task("lives", total=len(lives))

        def fresh(persona: Persona) -> RememberingMemory:
            bar.advance(task)
            return RememberingMemory(memory, Scope(user=persona.id))

        return score(_distinct(lives), fresh)


def _distinct(lives: Sequence[Life]) -> list[Life]:
    """The lives with ids of their own, so that no two share a scope."""
    return [
        replace(life, persona=replace(life.persona, id=f"life{place}"))
        for place, life in enumerate(lives)
    ]


def life(
    personas: Annotated[int, typer.Option(min=1, help="How many lives.")] = 20,
    seed: Annotated[int, typer.Option(help="What the lives are drawn by.")] = 0,
    phrases: Annotated[
        Phrases,
        typer.Option(
            help="dev: those the rules were written on. held: those they never saw. all: both."
        ),
    ] = "all",
    out: Annotated[Path | None, typer.Option(help="A folder for summary.json.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One object on stdout.")] = False,
) -> None:
    """Tell generated lives to the memory: what it extracts, resists, updates and answers.

    People set, change, revert and end things about themselves and their relatives, in different
    words, between chatter; an assistant claims things that are not so. The gold is a table of
    states. Every act, claim and question counts, whether or not the memory has an answer.

    [bold]Example[/bold]

    reverie run life --personas 20 --phrases held
    """
    rows = run_life(personas, seed=seed, phrases=phrases).rows()
    found: dict[str, JsonValue] = {name: value for name, value, _ in rows}
    summary: dict[str, JsonValue] = {
        "personas": personas,
        "seed": seed,
        "phrases": phrases,
        "metrics": found,
    }
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        write_atomic(out / "summary.json", json.dumps(summary, indent=2))
    if as_json:
        print(json.dumps(summary))
        return
    table = Table("what", "share", "of", title=f"{personas} lives, seed {seed}, phrases: {phrases}")
    for name, value, count in rows:
        table.add_row(name, "–" if value is None else f"{100 * value:.1f} %", str(count))
    Console().print(table)
