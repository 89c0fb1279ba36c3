"""``reverie chat``: an assistant in the terminal that remembers."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Annotated

import typer

from ..errors import ReverieError
from ..memory.terminal import AsJson, open_memory, print_json
from .chat_room import SMALL, Room

app = typer.Typer(
    name="chat",
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def chat(
    memory: Annotated[
        str | None, typer.Option("--memory", help="Url of the memory; left out, your own folder.")
    ] = None,
    user: Annotated[str, typer.Option("--user", help="Whose memory it is.")] = "default",
    model: Annotated[
        str,
        typer.Option("--model", help="local, local:FILE.gguf, URL#NAME, or any litellm name."),
    ] = "local",
    session: Annotated[
        str | None,
        typer.Option("--session", help="The conversation to go on with; left out, today's."),
    ] = None,
    incognito: Annotated[
        bool, typer.Option("--incognito", help="Begin with nothing being remembered.")
    ] = False,
    temperature: Annotated[
        float | None, typer.Option("--temperature", min=0, max=2, help="How freely it chooses.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Talk to an assistant that remembers, for as long as you like.

    What you say is kept at once, on this machine, and recalled when it helps, in months too. A
    prompt never grows with the conversation. Type /help for what else it understands; Ctrl-D or
    /quit ends it. Lines may also come through a pipe; with --json every reply is one JSON object.

    [bold]Examples[/bold]

    reverie chat

    reverie chat --model openai/gpt-5-mini --session trip

    echo "Where do I live?" | reverie chat
    """
    from .assistant import Assistant
    from .models import open_model
    from .server import ReplyOptions

    with open_memory(memory) as opened:
        assistant = Assistant(open_model(model), opened)
        room = Room(
            assistant,
            user=user,
            session=session or f"{datetime.now().astimezone():%Y-%m-%d}",
            options=ReplyOptions(temperature=temperature, incognito=incognito),
            plain=as_json or not (sys.stdin.isatty() and sys.stdout.isatty()),
        )
        if not as_json:
            room.greet(note=SMALL if model == "local" else "")
        for line in room.lines():
            try:
                if as_json:
                    print_json(room.exchange(line))
                elif not room.answer(line):
                    break
            except ReverieError as error:
                room.complain(error)
