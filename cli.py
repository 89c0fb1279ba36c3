"""The command line: a thin skin that finds the command, runs it, and turns errors into exit codes.

Exit codes: 0 done, 1 error, 2 usage or settings, 3 a budget was reached, 4 done in part,
130 interrupted. A command's module is imported when the command is given, so that
``reverie --help`` is quick.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer
import typer.core
import typer.main

from .errors import BudgetExceeded, ReverieError, SettingsError

FORWARD = {"allow_extra_args": True, "ignore_unknown_options": True}

app = typer.Typer(
    name="reverie",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Agents that get better with use while their language model stays frozen.

    Begin with [bold]reverie demo[/bold] (ten minutes, no key, no network).
    See what works here with [bold]reverie doctor[/bold].""",
    epilog="Every command has --help with examples, and --json for one object on stdout.",
)
config_app = typer.Typer(no_args_is_help=True, help="Settings, and where each comes from.")
app.add_typer(config_app, name="config")


def call(argv: Sequence[str]) -> int:
    """Run a command line (without the program's name) and return its exit code."""
    own = list(argv[: argv.index("--")] if "--" in argv else argv)
    debug = "--debug" in own
    rest = [word for word in own if word != "--debug"] + list(argv[len(own) :])
    try:
        app(args=rest, prog_name="reverie")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone: a further word would fail too
        return 0
    except ReverieError as error:
        if debug:
            raise
        return complain(error, as_json="--json" in own)
    return 0


def complain(error: ReverieError, *, as_json: bool) -> int:
    """One line on stderr, with ``--json`` one object on stdout; the exit code."""
    kind = type(error).__name__
    if as_json:
        print(json.dumps({"error": {"type": kind, "message": str(error)}}))
    print(f"Error: {error}", file=sys.stderr)
    if isinstance(error, SettingsError):
        return 2
    return 3 if isinstance(error, BudgetExceeded) else 1


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Show the version and leave.")] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error; with any command.")
    ] = False,
) -> None:
    """What holds for every command (``debug`` is taken out of the line by ``call``)."""
    if version:
        from . import __version__

        print(f"reverie {__version__}")
        raise typer.Exit


def _forward(module: str, name: str, ctx: typer.Context) -> None:
    """Give the rest of the line to the typer application ``name`` of ``module``."""
    target: typer.Typer = getattr(import_module(module, __package__), name)
    target(args=ctx.args, prog_name=ctx.command_path, default_map=ctx.default_map)


@app.command("run", context_settings=FORWARD, add_help_option=False)
def run_command(ctx: typer.Context) -> None:
    """Play an environment in arms: without memory, with frozen, with learning memory."""
    _forward(".envs.commands", "run_app", ctx)


@app.command("report", context_settings=FORWARD, add_help_option=False)
def report_command(ctx: typer.Context) -> None:
    """Make a run's report and summary again, or draw its learning curve."""
    _forward(".envs.commands", "report_app", ctx)


@app.command("demo", context_settings=FORWARD, add_help_option=False)
def demo_command(ctx: typer.Context) -> None:
    """See memory at work: household games, a small local model, about ten minutes."""
    _forward(".envs.demo", "demo_app", ctx)


@app.command("memory", context_settings=FORWARD, add_help_option=False)
def memory_command(ctx: typer.Context) -> None:
    """Look into a memory and look after it: list, search, forget, export, verify."""
    from .memory.commands import app as memory_app
    from .settings import load_settings

    given = load_settings().model_dump(include={"memory", "user", "embedder"}, exclude_none=True)
    group = typer.main.get_command(memory_app)
    if isinstance(group, typer.core.TyperGroup):
        ctx.default_map = dict.fromkeys(group.commands, given)
    _forward(".memory.commands", "app", ctx)


@app.command("policy", context_settings=FORWARD, add_help_option=False)
def policy_command(ctx: typer.Context) -> None:
    """Judge a policy from the log of recalls, and explain a choice: eval, show."""
    from .settings import load_settings

    given = load_settings().model_dump(include={"memory", "user"}, exclude_none=True)
    ctx.default_map = {"eval": given, "show": given}
    _forward(".agent.commands", "app", ctx)


@app.command("chat", context_settings=FORWARD, add_help_option=False)
def chat_command(ctx: typer.Context) -> None:
    """Talk to an assistant that remembers, for as long as you like."""
    _with_settings(".agent.chat_commands", ctx)


@app.command("enrich", context_settings=FORWARD, add_help_option=False)
def enrich_command(ctx: typer.Context) -> None:
    """Let a language model read what was said, for summaries and facts that rules do not see."""
    _with_settings(".agent.enrich_commands", ctx)


@app.command("dream", context_settings=FORWARD, add_help_option=False)
def dream_command(ctx: typer.Context) -> None:
    """Put memory in order between days: concepts united and pruned, a weaver taught what is new."""
    _with_settings(".agent.dream_commands", ctx)


@app.command("train", context_settings=FORWARD, add_help_option=False)
def train_command(ctx: typer.Context) -> None:
    """Train latent memory for a local model: a weaver, then its trigger."""
    _forward(".agent.latent.training.commands", "train_app", ctx)


@app.command("eval", context_settings=FORWARD, add_help_option=False)
def eval_command(ctx: typer.Context) -> None:
    """Judge a trained weaver against the bare model."""
    _forward(".agent.latent.training.commands", "eval_app", ctx)


@app.command("serve", context_settings=FORWARD, add_help_option=False)
def serve_command(ctx: typer.Context) -> None:
    """Serve the assistant over HTTP to any program that speaks OpenAI's chat protocol."""
    _with_settings(".agent.serve_commands", ctx)


def _with_settings(module: str, ctx: typer.Context) -> None:
    """Forward with the settings of memory, user and model as what its options are by default."""
    from .settings import load_settings

    wanted = {"memory", "user", "model"}
    ctx.default_map = load_settings().model_dump(include=wanted, exclude_none=True)
    _forward(module, "app", ctx)


@app.command("doctor", context_settings=FORWARD, add_help_option=False)
def doctor_command(ctx: typer.Context) -> None:
    """What works on this machine, what is missing, and the command that mends it."""
    _forward(".envs.doctor", "doctor_app", ctx)


@config_app.command("show")
def config_show(
    as_json: Annotated[bool, typer.Option("--json", help="One object on stdout.")] = False,
) -> None:
    """Show every setting, its value and where the value comes from; keys are not shown.

    Settings come from REVERIE_* variables, reverie.toml here, \\[tool.reverie] in pyproject.toml,
    and the user's config.toml, the first that has it.
    """
    from .settings import load_settings, origins

    values = load_settings().model_dump(mode="json")
    where = origins()
    if as_json:
        rows = {name: {"value": value, "from": where[name]} for name, value in values.items()}
        print(json.dumps(rows))
        return
    width = max(map(len, values))
    for name, value in values.items():
        print(f"{name:<{width}}  {'–' if value is None else value}  ({where[name]})")
