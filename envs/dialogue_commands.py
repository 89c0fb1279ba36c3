"""``reverie run locomo`` and ``reverie run longmemeval``: parse, call the run, show."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..settings import load_settings
from .datafile import read_json
from .dialogue_lines import Benchmark, DialogueSpec
from .dialogue_run import run_dialogue
from .dialogue_watch import dialogue_progress, show_dialogue
from .options import validated
from .watch import EXIT

ANSWERS = "Answers of a model"

Data = Annotated[Path, typer.Option(help="The benchmark's JSON file.")]
Model = Annotated[
    str,
    typer.Option(
        help="What answers the questions: local, URL#NAME, any litellm name. none: retrieval only.",
        rich_help_panel=ANSWERS,
    ),
]
Budget = Annotated[
    int,
    typer.Option(min=1, help="Tokens of recalled memory that are read.", rich_help_panel=ANSWERS),
]
Judge = Annotated[
    str | None,
    typer.Option(help="A model that judges the answers.", rich_help_panel=ANSWERS),
]
Out = Annotated[Path | None, typer.Option(help="The run folder; left out, runs/NAME-HASH.")]
Where = Annotated[
    str, typer.Option("--memory", help="Write the conversations here, and keep them.")
]
Embedder = Annotated[str | None, typer.Option(help="The memory's embedder.")]
Seed = Annotated[int, typer.Option(help="Of the bootstrap and the model.")]
Ablations = Annotated[
    bool, typer.Option("--ablations", help="Also without each part of the ranking.")
]
AsJson = Annotated[bool, typer.Option("--json", help="The summary on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]


def locomo(
    data: Data,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only the first so many questions a conversation.")
    ] = None,
    ablations: Ablations = False,
    embedder: Embedder = None,
    memory: Where = "ephemeral:",
    seed: Seed = 0,
    out: Out = None,
    model: Model = "none",
    budget: Budget = 1_500,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Long conversations of two people (LoCoMo): find what answers each question.

    Ours beside BM25 and the plain order, by session and by turn, with paired differences. With
    [bold]--model[/bold] the questions are also answered, from no memory, from all of it, from what
    BM25 found and from what ours found, and scored by LoCoMo's own F1.

    [bold]Examples[/bold]

    reverie run locomo --data locomo10.json

    reverie run locomo --data locomo10.json --ablations --out runs/ablations

    reverie run locomo --data locomo10.json --model local --limit 20
    """
    _run(
        "locomo",
        {
            "data": data,
            "limit": limit,
            "ablations": ablations,
            "embedder": embedder,
            "memory": memory,
            "seed": seed,
            "out": out,
            "model": model,
            "budget": budget,
        },
        as_json=as_json,
        quiet=quiet,
    )


def longmemeval(
    data: Data,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many questions.")] = (
        None
    ),
    ablations: Ablations = False,
    embedder: Embedder = None,
    memory: Where = "ephemeral:",
    seed: Seed = 0,
    out: Out = None,
    model: Model = "none",
    judge: Judge = None,
    budget: Budget = 1_500,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """A user's long history of chats (LongMemEval): find what answers each question.

    Reads the official files (a haystack a question) and pools of evidence. What changed over time
    is measured apart: is the newest statement found first where a question asks how things are?

    [bold]Examples[/bold]

    reverie run longmemeval --data longmemeval_s_cleaned.json --limit 50

    reverie run longmemeval --data FILE --model openai/gpt-5-mini --judge openai/gpt-5
    """
    _run(
        "longmemeval",
        {
            "data": data,
            "limit": limit,
            "ablations": ablations,
            "embedder": embedder,
            "memory": memory,
            "seed": seed,
            "out": out,
            "model": model,
            "judge": judge,
            "budget": budget,
        },
        as_json=as_json,
        quiet=quiet,
    )


def _run(benchmark: Benchmark, given: dict[str, object], *, as_json: bool, quiet: bool) -> None:
    """Run with the options given and leave with the exit code of how it ended."""
    settings = load_settings()
    given["embedder"] = given["embedder"] or settings.embedder
    named = given["out"]
    fields = given | {"benchmark": benchmark, "out": named or settings.runs}
    spec = validated(DialogueSpec, **fields)
    if named is None:
        _, digest = read_json(spec.data, f"the file of {benchmark}; give it with --data")
        name = f"{benchmark}-{spec.run_id(digest)}"
        spec = spec.model_copy(update={"out": settings.runs / name})
    try:
        with dialogue_progress(quiet=quiet) as watch:
            summary = run_dialogue(spec, watch=watch)
    except KeyboardInterrupt:
        typer.echo(
            f"Interrupted. What was asked is in {spec.out}; give the same command to go on.",
            err=True,
        )
        raise typer.Exit(EXIT["interrupted"]) from None
    show_dialogue(summary, as_json=as_json)
    raise typer.Exit(EXIT[summary.run.status])
