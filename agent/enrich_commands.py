"""``reverie enrich``: let a language model read finished sessions, for summaries and facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..memory.terminal import AsJson, Url, User, answer, open_memory, progress

if TYPE_CHECKING:
    from .enrich import Enriched

BUDGET_REACHED, DONE_IN_PART = 3, 4
"""Exit codes, as of every command."""

app = typer.Typer(
    name="enrich",
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def enrich(
    memory: Url = None,
    user: User = "default",
    model: Annotated[
        str,
        typer.Option("--model", help="local, local:FILE.gguf, URL#NAME, or any litellm name."),
    ] = "local",
    limit_tokens: Annotated[
        int | None, typer.Option("--limit-tokens", min=1, help="Stop once so many are used.")
    ] = None,
    limit_usd: Annotated[
        float | None, typer.Option("--limit-usd", min=0, help="Stop once so much is spent.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also sessions that failed three times before.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Let a model read the conversations it has not read yet: a summary and facts of each.

    A fact is kept only with a quote that stands in a message. Stop it at any time; it goes on where
    it was. Exit code 3 if a limit was reached, 4 if some sessions could not be read.

    [bold]Examples[/bold]

    reverie enrich --model openai/gpt-5-mini --limit-usd 0.50

    reverie enrich --memory ./memory --user ann --json
    """
    from ..memory.records import Scope
    from .enrich import Enricher
    from .models import Budget, open_model

    budget = Budget(tokens=limit_tokens, usd=limit_usd)
    with open_memory(memory) as opened, progress("Reading sessions") as watch:
        done = Enricher(open_model(model), opened, Scope(user=user), budget).run(watch, again=again)
    answer(as_json, done.model_dump(mode="json"), "\n".join(_told(done)))
    if done.stopped:
        raise typer.Exit(BUDGET_REACHED if done.over_budget else 1)
    if done.failures:
        raise typer.Exit(DONE_IN_PART if done.sessions else 1)


def _told(done: Enriched) -> list[str]:
    cost = "" if done.usage.usd is None else f", ${done.usage.usd:.4f}"
    whole = (
        f"{done.sessions} sessions read; {done.facts} facts kept, {done.dropped} dropped for want"
        f" of a quote; {done.usage.tokens} tokens in {done.usage.calls} calls{cost}"
    )
    failed = [f"session {one.session}: {one.reason}" for one in done.failures]
    if done.given_up:
        failed.append(f"{done.given_up} failed too often to be tried; --again tries them")
    return [whole, *failed, *([f"stopped: {done.stopped}"] if done.stopped else [])]
