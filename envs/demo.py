"""``reverie demo``: memory at work on household games, with a model that runs on this processor."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from pydantic import JsonValue

from .machine import cores
from .runner import rebuild, run
from .runs import Arm, Budget, EpisodeLine, RunSpec, read_header, read_lines
from .stages import GENERATED
from .statistics import Summary
from .watch import EXIT, progress, show_result

GAMES = 36
DEMONSTRATIONS = 60
SIZES: dict[str, JsonValue] = {"train": DEMONSTRATIONS, "valid_unseen": GAMES}
"""The games that are made: enough for the demo, since making 300 takes minutes."""

WHAT = f"""\
What you are about to see

A language model of 135 million parameters plays household games in text
("put a clean mug in the cabinet"), in rooms it has not seen. Its weights
never change. It plays the same games three times:

  off     the model alone
  frozen  with a memory of {DEMONSTRATIONS} demonstrations of other games,
          which it only reads
  online  with the same memory, to which it adds what it lives through,
          game after game

What differs between the three is memory and nothing else. Everything runs
on this machine, with no key and no network: the games and the model come
out of installed packages.
"""

demo_app = typer.Typer(
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@demo_app.command()
def demo(
    out: Annotated[Path, typer.Option(help="The run folder.")] = Path("runs/demo"),
    minutes: Annotated[
        float, typer.Option(min=0.1, help="No game is begun after this long.")
    ] = 8.0,
    games: Annotated[int, typer.Option(min=1, help="At most so many games an arm.")] = GAMES,
    seed: Annotated[int, typer.Option(help="The seed of the order of the games.")] = 1,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes that play; two where there are two cores.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin anew, deleting DIR.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The summary on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Play household games with a small local model, with and without memory.

    It takes about ten minutes on two cores and needs no key and no network. Given again, it shows
    the result again; a demo that was interrupted goes on.

    [bold]Examples[/bold]

    reverie demo

    reverie demo --fresh --minutes 30 --games 100 --out runs/long-demo
    """
    if fresh:
        remove(out)
    if not (quiet or as_json):
        print(WHAT, file=sys.stderr)
    summary = finished(out)
    if summary is not None:
        if not (quiet or as_json):
            print(f"{out} holds a finished demo; --fresh plays it anew.", file=sys.stderr)
    else:
        players = workers or min(2, cores())
        spec = demo_spec(out, minutes=minutes, games=games, seed=seed, workers=players)
        summary = play(spec, quiet=quiet)
    show_result(summary, out, as_json=as_json)
    if not as_json:
        story = tell(read_lines(out))
        if story:
            print(story)
    raise typer.Exit(EXIT["partial"] if summary.run.status == "partial" else 0)


def demo_spec(out: Path, *, minutes: float, games: int, seed: int, workers: int) -> RunSpec:
    """The run that the demo is."""
    return RunSpec(
        env="alfworld",
        out=out,
        model="local",
        episodes=min(games, GAMES),
        seeds=(seed,),
        split="valid_unseen",
        seed_cases=DEMONSTRATIONS,
        options={"protocol": "rl", "max_steps": 30, "data": GENERATED, "games": SIZES},
        workers=workers,
        limits=Budget(seconds=60 * minutes),
    )


def play(spec: RunSpec, *, quiet: bool) -> Summary:
    """Play the demo, and leave in good order on Ctrl-C."""
    try:
        with progress(quiet=quiet) as watch:
            return run(spec, watch=watch)
    except KeyboardInterrupt:
        typer.echo("Interrupted. Give the same command to go on.", err=True)
        raise typer.Exit(EXIT["interrupted"]) from None


def finished(out: Path) -> Summary | None:
    """The summary of a demo that came to its end or its time's; None if there is more to play."""
    if not (out / "summary.json").exists():
        return None
    summary = rebuild(out)
    return summary if summary.run.status in ("complete", "budget") else None


def remove(out: Path) -> None:
    """Delete a run folder, and nothing that is not one."""
    if not out.exists():
        return
    read_header(out)
    shutil.rmtree(out)


def tell(lines: Sequence[EpisodeLine]) -> str:
    """A game that was lost without memory and won with it, side by side; empty if there is none."""
    off = {(x.seed, x.task_id): x for x in lines if x.arm == Arm.OFF and not x.success}
    won = [
        x
        for arm in (Arm.ONLINE, Arm.FROZEN)
        for x in lines
        if x.arm == arm and x.success and (x.seed, x.task_id) in off
    ]
    if not won:
        return ""
    best = min(won, key=lambda x: (-x.steps, x.index) if x.steps <= 12 else (x.steps, x.index))
    lost = off[best.seed, best.task_id]
    return "\n".join(
        [
            "",
            f"For example: {best.goal or best.task_id}",
            f"  without memory ({lost.steps} steps, lost): {_actions(lost)}",
            f"  with memory ({best.steps} steps, won):     {_actions(best)}",
        ]
    )


def _actions(line: EpisodeLine, shown: int = 12) -> str:
    actions = [str(step.get("action", "")) for step in line.trajectory]
    return ", ".join(actions[:shown]) + (", …" if len(actions) > shown else "")
