"""``reverie memory import-cases`` and ``import-concepts``: what others lived and abstracted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from .records import Scope
from .terminal import AsJson, EmbedderName, Url, User, answer, open_memory, progress

if TYPE_CHECKING:
    from .importers import BadRow, CasesImported

SHOWN_REASONS = 20
DONE_IN_PART = 4


def import_cases(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="JSON lines.")],
    memory: Url = None,
    user: User = "default",
    agent: Annotated[str, typer.Option("--agent", help="The agent that will recall them.")] = (
        "reverie"
    ),
    format: Annotated[
        Literal["auto", "memento", "trajectories"],
        typer.Option("--format", help="What the rows are; auto tells by their fields."),
    ] = "auto",
    split: Annotated[
        str, typer.Option("--split", help="The split of rows that name none, to exclude them by.")
    ] = "",
    success_from: Annotated[
        float | None,
        typer.Option(
            "--success-from", help="Least reward of a success, where a row does not say; else >0."
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Write nothing if a row is bad.")
    ] = False,
    embedder: EmbedderName = None,
    as_json: AsJson = False,
) -> None:
    """Take in episodes lived elsewhere: Memento's case files, or plain trajectories.

    Importing twice counts once. A bad row is listed with its line and left out (exit code 4; 1 if
    nothing could be written). Steps are read without their observations.
    """
    from .cases import CaseMemory
    from .importers import CasesImported, Format, read_cases
    from .importers import import_cases as write

    file = read_cases(path, format=Format(format), split=split, success_from=success_from)
    done = CasesImported(0, 0, 0, 0, 0)
    if file.episodes and not (strict and file.bad):
        with open_memory(memory, embedder) as opened, progress("Importing cases") as watch:
            bank = CaseMemory(opened, Scope(user=user, agent=agent))
            done = write(bank, file, watch=watch)
    fields = {**asdict(done), "bad": [asdict(row) for row in file.bad], "path": str(path)}
    answer(as_json, fields, "\n".join([_outcome(done), *_listed(file.bad)]))
    if file.bad:
        raise typer.Exit(DONE_IN_PART if done.successes + done.failures else 1)


def import_concepts(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="YAML, JSON or rendered text.")],
    memory: Url = None,
    user: User = "default",
    agent: Annotated[
        str | None, typer.Option("--agent", help="Keep them for this agent alone.")
    ] = None,
    format: Annotated[
        Literal["auto", "yaml", "text"],
        typer.Option("--format", help="What the file is; auto tells by how it begins."),
    ] = "auto",
    evidence: Annotated[
        str, typer.Option("--evidence", help="What they are said to rest on.")
    ] = "import",
    strict: Annotated[
        bool, typer.Option("--strict", help="Write nothing if a part is bad.")
    ] = False,
    embedder: EmbedderName = None,
    as_json: AsJson = False,
) -> None:
    """Take in concepts and lessons: ArcMemo's YAML, its lessons, or its rendered memory.

    Importing twice changes nothing. Annotations that are no types are kept and listed. A part that
    holds no concept is listed and left out (exit code 4; 1 if nothing could be written).
    """
    from .concept_importers import ConceptsImported, read_concepts
    from .concept_importers import import_concepts as write
    from .concepts import ConceptMemory

    file = read_concepts(path, format=format, evidence=evidence)
    done = ConceptsImported()
    if (file.drafts or file.solved) and not (strict and file.bad):
        with open_memory(memory, embedder) as opened, progress("Importing concepts") as watch:
            concepts = ConceptMemory(opened, Scope(user=user, agent=agent))
            done = write(concepts, file, watch=watch)
    bad = [asdict(part) for part in file.bad]
    fields = {**asdict(done), "bad": bad, "unread": list(file.unread), "path": str(path)}
    said = (
        f"{done.new} concepts written, {done.extended} extended, {done.known} known already; "
        f"{done.cases} cases; {len(file.unread)} annotations kept that are no types"
    )
    lines = [f"bad part, {part.place or path.name}: {part.reason}" for part in file.bad]
    answer(as_json, fields, "\n".join([said, *lines]))
    if file.bad:
        raise typer.Exit(DONE_IN_PART if done.new + done.extended + done.known else 1)


def _outcome(done: CasesImported) -> str:
    if not done.successes + done.failures:
        return "nothing was written"
    return (
        f"{done.written} cases written, {done.counted} counted by an equal outcome, {done.known} "
        f"known already; {done.successes} successes, {done.failures} failures"
    )


def _listed(bad: Sequence[BadRow]) -> list[str]:
    """The bad rows by reason, each reason with its lines."""
    reasons: dict[str, list[int]] = {}
    for row in bad:
        reasons.setdefault(row.reason, []).append(row.line)
    said = [f"bad row, {_lines(at)}: {why}" for why, at in list(reasons.items())[:SHOWN_REASONS]]
    if len(reasons) > SHOWN_REASONS:
        said.append(f"and {len(reasons) - SHOWN_REASONS} more reasons; --json lists every row")
    return said


def _lines(numbers: Sequence[int]) -> str:
    """1, 2, 3, 5 → "lines 1-3, 5"."""
    runs = [
        [number for _, number in run]
        for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0])
    ]
    spans = [f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs]
    more = f" and {len(spans) - 10} more places" if len(spans) > 10 else ""
    return f"line{'s' if len(numbers) > 1 else ''} {', '.join(spans[:10])}{more}"
