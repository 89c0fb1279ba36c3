"""``reverie run`` and ``reverie report``: parse, call the runner, show."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import JsonValue

from ..settings import load_settings
from .arc.commands import arc, report_arc
from .dialogue_commands import locomo, longmemeval
from .dialogue_run import rebuild_dialogue
from .dialogue_watch import show_dialogue
from .life_run import life
from .options import arms_of, options_of, seeds_of, validated
from .runner import rebuild, run
from .runs import Budget, RunSpec, read_header
from .stages import GENERATED
from .watch import EXIT, progress, show_result

Protocol = Literal["rl", "react"]
LIMITS = "Limits of the whole run"
AGENT = "Agent"
GAME = "Games"

run_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Play an environment in arms and compare them, or measure a memory of conversations.

    A run is resumed by giving the same command again, also after a crash.""",
)
report_app = typer.Typer(
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


run_app.command("locomo")(locomo)
run_app.command("longmemeval")(longmemeval)
run_app.command("life")(life)
run_app.command("arc")(arc)


@run_app.command("alfworld")
def run_alfworld(
    model: Annotated[
        str | None, typer.Option(help="local, local:FILE.gguf, URL#NAME, or any litellm name.")
    ] = None,
    episodes: Annotated[
        int | None, typer.Option(min=1, help="Per arm and seed; left out, each game once.")
    ] = None,
    arms: Annotated[str, typer.Option(help="Which to play, with commas.")] = "off,frozen,online",
    seed: Annotated[
        list[int] | None, typer.Option(help="A seed of the order; may be repeated.")
    ] = None,
    seeds: Annotated[str | None, typer.Option(help="Seeds with commas: 1,2,3.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="The run folder; left out, runs/alfworld-HASH.")
    ] = None,
    split: Annotated[str, typer.Option(help="train, valid_seen or valid_unseen.")] = "valid_unseen",
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the official games, else ALFWORLD_DATA, else generated games; "
            "'generated' for those in any case."
        ),
    ] = None,
    seed_cases: Annotated[
        int,
        typer.Option(min=0, help="Demonstrations of training games that memory starts with."),
    ] = 60,
    protocol: Annotated[
        Protocol,
        typer.Option(
            help="rl: actions are listed. react: they are not, thoughts are free.",
            rich_help_panel=GAME,
        ),
    ] = "rl",
    admissible: Annotated[
        bool, typer.Option(help="List the admissible actions (with rl).", rich_help_panel=GAME)
    ] = True,
    max_steps: Annotated[
        int, typer.Option(min=1, help="Actions until a game is lost.", rich_help_panel=GAME)
    ] = 50,
    trigger: Annotated[
        str | None,
        typer.Option(
            help="When to recall: always, never, first, stuck, learned.", rich_help_panel=AGENT
        ),
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(
            help="How to choose among memories: similarity, utility, kernel-q, neural-q.",
            rich_help_panel=AGENT,
        ),
    ] = None,
    weaver: Annotated[
        str | None,
        typer.Option(
            help="How memory acts: text, prior (similar steps rate the listed actions), plan "
            "(the chosen cases' plans rate them), text+prior, text+plan, prior+plan, latent (as "
            "vectors, by a weaver trained for a local model), latent+prior.",
            rich_help_panel=AGENT,
        ),
    ] = None,
    weaver_path: Annotated[
        Path | None,
        typer.Option(help="Folder of the trained weaver (latent).", rich_help_panel=AGENT),
    ] = None,
    agent: Annotated[
        list[str] | None,
        typer.Option(
            "--agent",
            metavar="NAME=VALUE",
            help="Any other option of the agent; may be repeated.",
            rich_help_panel=AGENT,
        ),
    ] = None,
    embedder: Annotated[
        str | None, typer.Option(help="The memory's embedder.", rich_help_panel=AGENT)
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes that play.")] = None,
    limit_tokens: Annotated[int | None, typer.Option(min=1, rich_help_panel=LIMITS)] = None,
    limit_usd: Annotated[float | None, typer.Option(rich_help_panel=LIMITS)] = None,
    limit_steps: Annotated[int | None, typer.Option(min=1, rich_help_panel=LIMITS)] = None,
    limit_seconds: Annotated[
        float | None, typer.Option(help="Wall time of this call.", rich_help_panel=LIMITS)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The summary on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Household tasks in text: ALFWorld's games on the TextWorld engine.

    The arms play the same games in the same order: [bold]off[/bold] has no memory,
    [bold]frozen[/bold] reads a memory of demonstrations, [bold]online[/bold] also learns as it
    goes. No game is begun once a limit is reached (exit code 3); the same command goes on.

    [bold]Examples[/bold]

    reverie run alfworld --episodes 20 --out runs/first

    reverie run alfworld --split valid_seen --data DATA --seeds 1,2,3 --workers 2

    reverie run alfworld --arms off,online --seed-cases 0 --model openai/gpt-5-mini --limit-usd 2
    """
    settings = load_settings()
    options: dict[str, JsonValue] = {
        "protocol": protocol,
        "admissible": admissible,
        "max_steps": max_steps,
    }
    games = data or settings.alfworld_data
    if games is not None:
        options["data"] = str(games if str(games) == GENERATED else games.expanduser().resolve())
    named = {
        "trigger": trigger,
        "policy": policy,
        "weaver": weaver,
        "weaver_path": None if weaver_path is None else str(weaver_path.expanduser().resolve()),
    }
    spec = validated(
        RunSpec,
        env="alfworld",
        out=out or settings.runs,
        arms=arms_of(arms),
        model=model or settings.model,
        episodes=episodes,
        seeds=seeds_of(seed or [], seeds),
        split=split,
        seed_cases=seed_cases,
        options=options,
        agent={k: v for k, v in named.items() if v is not None}
        | options_of(agent or [], "--agent"),
        embedder=embedder or settings.embedder,
        workers=workers or settings.workers,
        limits=Budget(tokens=limit_tokens, usd=limit_usd, steps=limit_steps, seconds=limit_seconds),
    )
    if out is None:
        spec = spec.model_copy(update={"out": settings.runs / f"alfworld-{spec.run_id()}"})
    play(spec, as_json=as_json, quiet=quiet)


def play(spec: RunSpec, *, as_json: bool, quiet: bool) -> None:
    """Run a spec and leave with the exit code of how it ended."""
    try:
        with progress(quiet=quiet) as watch:
            summary = run(spec, watch=watch)
    except KeyboardInterrupt:
        typer.echo(
            f"Interrupted. What was played is in {spec.out}; give the same command to go on.",
            err=True,
        )
        raise typer.Exit(EXIT["interrupted"]) from None
    show_result(summary, spec.out, as_json=as_json)
    raise typer.Exit(EXIT[summary.run.status])


@report_app.command()
def report(
    out: Annotated[Path, typer.Argument(metavar="DIR", help="The run folder.")],
    curve: Annotated[
        Path | None, typer.Option(help="Also draw the learning curve into this SVG file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The summary on stdout.")] = False,
) -> None:
    """Make the summary and the report of a run again from its episodes.

    [bold]Examples[/bold]

    reverie report runs/demo

    reverie report runs/demo --curve docs/curve.svg
    """
    from .report import write_curve

    if (out / "questions.jsonl").exists():
        show_dialogue(rebuild_dialogue(out), as_json=as_json)
        return
    if read_header(out).settings.get("env") == "arc":
        report_arc(out, curve, as_json=as_json)
        return
    summary = rebuild(out)
    if curve is not None:
        write_curve(out, curve)
    show_result(summary, out, as_json=as_json)
    if curve is not None and not as_json:
        typer.echo(f"Curve: {curve}")
