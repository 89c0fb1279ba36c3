"""``reverie dream``: what an agent does between days.

What teaches a weaver is imported only where one is to be taught: it needs torch.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import MissingExtra, ReverieError, SettingsError, WeaverFault
from ..memory.terminal import AsJson, Url, User, open_memory, print_json, progress
from .concept_sameness import ALIKE
from .dream_words import Told, of_concepts, of_weaver

if TYPE_CHECKING:
    from ..memory.cases import CaseMemory
    from ..memory.memory import Memory
    from .latent.training.dreaming import Asleep
    from .latent.training.dreams import DreamFolder, DreamOptions, NewWeaver, Wait

_NEW, _LEARNING = "A weaver that is not there yet", "How it learns"

Alike = Annotated[
    float, typer.Option("--alike", min=0.5, max=1, help="Least cosine of concepts to unite.")
]
Weaver = Annotated[
    Path | None, typer.Option("--weaver", help="Folder of a weaver to teach, made if need be.")
]
Least = Annotated[int, typer.Option("--least", min=1, help="New successes that teaching it takes.")]
Retention = Annotated[
    Path | None,
    typer.Option(
        "--retention", exists=True, dir_okay=False, help="JSONL of what must not be forgotten."
    ),
]
Split = Annotated[
    list[str] | None,
    typer.Option("--split", help="Learn from this split, too; else only from train, or none."),
]
Backbone = Annotated[
    str | None,
    typer.Option(
        "--backbone",
        help="local, FILE.gguf, a folder, or a hub's name; else local.",
        rich_help_panel=_NEW,
    ),
]
Latents = Annotated[
    int, typer.Option("--latents", min=1, help="K at a point.", rich_help_panel=_NEW)
]
Rank = Annotated[int, typer.Option("--rank", min=1, help="Of its delta.", rich_help_panel=_NEW)]
Steps = Annotated[int, typer.Option("--steps", min=1, rich_help_panel=_LEARNING)]
TriggerSteps = Annotated[
    int,
    typer.Option(
        "--trigger-steps", min=0, help="Of its trigger; 0: none.", rich_help_panel=_LEARNING
    ),
]
BatchSize = Annotated[
    int, typer.Option("--batch", min=1, help="Examples a step.", rich_help_panel=_LEARNING)
]
Rate = Annotated[
    float, typer.Option("--rate", min=1e-9, help="Learning rate.", rich_help_panel=_LEARNING)
]
Distillation = Annotated[
    float,
    typer.Option(
        "--distillation",
        min=0,
        max=1,
        help="Weight of the text's teacher.",
        rich_help_panel=_LEARNING,
    ),
]
Bf16 = Annotated[
    bool, typer.Option("--bf16", help="Compute in bfloat16.", rich_help_panel=_LEARNING)
]
Device = Annotated[str, typer.Option("--device", help="cpu, cuda, ...", rich_help_panel=_LEARNING)]
Seed = Annotated[int, typer.Option("--seed", min=0, rich_help_panel=_LEARNING)]

app = typer.Typer(
    name="dream",
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def dream(
    memory: Url = None,
    user: User = "default",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would be done; write nothing.")
    ] = False,
    alike: Alike = ALIKE,
    weaver: Weaver = None,
    least: Least = 8,
    retention: Retention = None,
    split: Split = None,
    backbone: Backbone = None,
    latents: Latents = 8,
    rank: Rank = 16,
    steps: Steps = 1000,
    trigger_steps: TriggerSteps = 300,
    batch: BatchSize = 8,
    rate: Rate = 1e-3,
    distillation: Distillation = 0.0,
    bf16: Bf16 = False,
    device: Device = "cpu",
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Put in order what was lived, while nobody waits: run it between days.

    Concepts that did harm are archived, and those that are one under two names united; what each
    was stays in its history (reverie memory history ID). No language model is asked.

    With --weaver, latent memory goes on learning from successes that are new since its last dream
    (extra: latent). Stop it at any time: the same command goes on where it was, with the options it
    began with. The weaver in use stays until the new one is whole.

    [bold]Examples[/bold]

    reverie dream --dry-run

    reverie dream --memory ./memory --user ann --json

    reverie dream --weaver ./weaver --retention chat.jsonl --steps 500
    """
    from ..memory.cases import CaseMemory
    from ..memory.records import Scope
    from .dream_concepts import consolidate
    from .latent.training.dreams import DreamFolder, DreamOptions, NewWeaver, Wait

    if weaver is not None and find_spec("torch") is None:
        raise MissingExtra("torch", "latent")
    options = DreamOptions(
        steps=steps,
        trigger_steps=trigger_steps,
        batch=batch,
        rate=rate,
        distillation=distillation,
        retention=None if retention is None else str(retention.expanduser().resolve()),
        splits=tuple(split or ()),
        bf16=bf16,
        seed=seed,
    )
    new = NewWeaver(backbone, latents, rank, device)
    folder = None if weaver is None else DreamFolder(weaver.expanduser())
    scope = Scope(user=user)
    told: Told = {}
    report: dict[str, object] = {}
    with _reporting(report, as_json=as_json), ExitStack() as held:
        asleep = None
        with _opened(memory, dry_run=dry_run) as opened:
            with progress("Comparing concepts") as watch:
                found = consolidate(opened, scope, alike=alike, watch=watch)
            concepts = found.model_dump(mode="json")
            report |= {"dry_run": dry_run, "concepts": concepts, "weaver": None}
            _say(of_concepts(found, dry_run=dry_run), as_json=as_json)
            if folder is not None:
                bank = CaseMemory(opened, scope)
                due, told = _due(folder, bank, options, least)
                report["weaver"] = told
                if due and not dry_run:
                    asleep = _fall_asleep(folder, bank, options, least, new, held)
        if folder is not None and asleep is not None:  # the memory is free while the weaver learns
            if isinstance(asleep, Wait):
                told = {**told, "state": "waiting", "context_tokens": asleep.context_tokens}
            else:
                told = {**told, "state": "dreamt", **_night(folder, asleep)}
            report["weaver"] = told
        if folder is not None:
            _say(of_weaver(told), as_json=as_json)


@contextmanager
def _reporting(report: dict[str, object], *, as_json: bool) -> Generator[None]:
    """Print the report in the end. What was done stays in it if an error comes, with the error."""
    try:
        yield
    except ReverieError as error:
        if not (as_json and report):
            raise
        report["error"] = {"type": type(error).__name__, "message": str(error)}
        print(f"Error: {error}", file=sys.stderr)
        raise typer.Exit(2 if isinstance(error, SettingsError) else 1) from error
    finally:
        if as_json and report:
            print_json(report)


def _opened(url: str | None, *, dry_run: bool) -> Memory:
    if not dry_run:
        return open_memory(url)
    from ..memory.address import data_folder, parse_address
    from .dream_concepts import Rehearsal

    given = url or data_folder() / "memory"
    folder = parse_address(given).folder
    there = folder is None or (folder / "journal.db").exists()
    return Rehearsal.open(given if there else "ephemeral:")


def _due(
    folder: DreamFolder, cases: CaseMemory, options: DreamOptions, least: int
) -> tuple[bool, Told]:
    """Whether there is a dream to dream, and what is to be told of it."""
    from .latent.training.dreams import Wait

    due = folder.due(cases, options, least=least)
    told: Told = {"folder": str(folder.folder), "least": least}
    if isinstance(due, Wait):
        return False, {**told, "state": "waiting", "cases": due.fresh}
    return True, {
        **told,
        "state": "due",
        "dream": due.dream.number,
        "cases": len(due.dream.cases),
        "steps": due.dream.options.steps,
        "goes_on": due.goes_on,
        "held_out": list(due.held_out),
    }


def _fall_asleep(
    folder: DreamFolder,
    cases: CaseMemory,
    options: DreamOptions,
    least: int,
    new: NewWeaver,
    held: ExitStack,
) -> Asleep | Wait:
    """Begin the dream, or take it up; ``held`` keeps other processes out of the folder."""
    from .latent.training.dreaming import fall_asleep
    from .latent.training.dreams import Wait

    held.enter_context(folder.locked())
    due = folder.due(cases, options, least=least)
    if isinstance(due, Wait):  # another process dreamt it between our look and our lock
        raise WeaverFault(f"Another process has just dreamt in {folder.folder}: run it again.")
    with progress("Reading cases") as watch:
        return fall_asleep(folder, due, cases, new=new, watch=watch)


def _night(folder: DreamFolder, asleep: Asleep) -> Told:
    from .latent.training.dreaming import sleep

    with progress("Dreaming") as watch:
        return sleep(folder, asleep, watch=watch).model_dump(mode="json")


def _say(lines: Sequence[str], *, as_json: bool) -> None:
    if not as_json:
        print("\n".join(lines), flush=True)
