"""``reverie memory``: the verbs, from the command line.

A thin skin: it parses, calls `Memory`, and renders. Who mounts it may give a default map.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from .dialogue import DialogueMemory
from .import_commands import import_cases, import_concepts
from .records import Kind, Scope, Status
from .terminal import (
    Agent,
    AsJson,
    EmbedderName,
    Session,
    Url,
    User,
    Where,
    answer,
    credit_lines,
    inline,
    line,
    open_memory,
    pairs,
    plain,
    print_json,
    short,
    table,
    when,
)

app = typer.Typer(
    name="memory",
    no_args_is_help=True,
    add_completion=False,
    help="Look into a memory and look after it.",
)

KindName = Annotated[Kind | None, typer.Option("--kind", help="Only this kind.")]


@app.command("list")
def list_(
    memory: Url = None,
    user: User = "default",
    agent: Agent = None,
    session: Session = None,
    kind: KindName = None,
    status: Annotated[
        Status | None, typer.Option("--status", help="Only this status; else active ones.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Of every status.")] = False,
    where: Where = None,
    limit: Annotated[int, typer.Option("--limit", "-n", help="At most so many.")] = 50,
    after: Annotated[str | None, typer.Option("--after", help="Go on after this id.")] = None,
    as_json: AsJson = False,
) -> None:
    """List records in the order they were written."""
    with open_memory(memory) as opened:
        records = opened.list(
            scope=Scope(user=user, agent=agent, session=session),
            kind=kind,
            status=None if all_ else status or Status.ACTIVE,
            where=pairs(where),
            limit=limit,
            after=after,
        )
    if as_json:
        print_json({"records": [plain(record) for record in records]})
        return
    table(("id", "kind", "when", "text"), [line(record) for record in records])


@app.command()
def show(
    id: str,
    memory: Url = None,
    user: User = "default",
    as_json: AsJson = False,
) -> None:
    """Show one record whole, and what recalling it led to."""
    scope = Scope(user=user)
    with open_memory(memory) as opened:
        record = opened.get(id, scope=scope)
        credit = opened.credit([id], scope=scope)[id]
    fields = plain(record)
    if as_json:
        print_json({**fields, "credit": asdict(credit)})
        return
    print("\n".join(f"{name}: {inline(value)}" for name, value in fields.items()))
    print("\n".join(credit_lines(credit)))


@app.command()
def history(id: str, memory: Url = None, user: User = "default", as_json: AsJson = False) -> None:
    """Show every version of a record, oldest first."""
    with open_memory(memory) as opened:
        versions = opened.history(id, scope=Scope(user=user))
    if as_json:
        fields = [
            {
                "number": version.number,
                "changed": version.changed.isoformat(),
                "action": version.action,
                "note": version.note,
                "record": plain(version.record),
            }
            for version in versions
        ]
        print_json({"versions": fields})
        return
    table(
        ("no", "when", "action", "status", "note", "text"),
        [
            (
                str(version.number),
                when(version.changed),
                version.action,
                version.record.status.value,
                version.note,
                short(version.record.text),
            )
            for version in versions
        ],
    )


@app.command()
def search(
    query: str,
    memory: Url = None,
    user: User = "default",
    agent: Agent = None,
    session: Session = None,
    kind: KindName = None,
    where: Where = None,
    k: Annotated[int, typer.Option("-k", help="How many.")] = 10,
    as_of: Annotated[
        datetime | None, typer.Option("--as-of", help="As the memory stood then (UTC).")
    ] = None,
    embedder: EmbedderName = None,
    as_json: AsJson = False,
) -> None:
    """Find records by meaning and by words, best first."""
    with open_memory(memory, embedder) as opened:
        hits = opened.search(
            query,
            scope=Scope(user=user, agent=agent, session=session),
            kinds=tuple(Kind) if kind is None else (kind,),
            where=pairs(where),
            k=k,
            as_of=as_of,
        )
    if as_json:
        fields = [
            {
                "score": hit.score,
                "dense": hit.dense,
                "lexical": hit.lexical,
                "record": plain(hit.record),
            }
            for hit in hits
        ]
        print_json({"hits": fields})
        return
    table(
        ("score", "id", "kind", "when", "text"),
        [(f"{hit.score:.3f}", *line(hit.record)) for hit in hits],
    )


@app.command()
def add(
    text: Annotated[str, typer.Argument(help="The text, or - for standard input.")],
    memory: Url = None,
    user: User = "default",
    agent: Agent = None,
    session: Session = None,
    id: Annotated[str | None, typer.Option("--id", help="Your own id; adds only once.")] = None,
    embedder: EmbedderName = None,
    as_json: AsJson = False,
) -> None:
    """Remember a sentence, as something the user said."""
    from .records import Origin, Record, UtterancePayload, new_id

    record = Record(
        id=id or new_id(),
        scope=Scope(user=user, agent=agent, session=session),
        text=sys.stdin.read() if text == "-" else text,
        payload=UtterancePayload(speaker=user),
        origin=Origin(source="user"),
    )
    with open_memory(memory, embedder) as opened:
        (written,) = opened.add(record)
    answer(as_json, {"id": written}, written)


@app.command()
def forget(
    ids: Annotated[list[str] | None, typer.Argument(help="Ids to forget.")] = None,
    memory: Url = None,
    user: User = "default",
    agent: Agent = None,
    session: Session = None,
    where: Where = None,
    everything: Annotated[bool, typer.Option("--all", help="All of the scope.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove records for good, with what was derived from them."""
    scope = Scope(user=user, agent=agent, session=session)
    with open_memory(memory) as opened:
        forget_now = partial(
            DialogueMemory(opened, scope).forget,
            ids or (),
            where=pairs(where),
            everything=everything,
        )
        receipt = forget_now(dry_run=True)
        gone = len(receipt.forgotten) + len(receipt.derived)
        if not dry_run:
            if not yes and sys.stdin.isatty():
                typer.confirm(f"Forget {gone} records for good?", abort=True, err=True)
            receipt = forget_now()
    fields = {
        "forgotten": list(receipt.forgotten),
        "derived": list(receipt.derived),
        "kept": list(receipt.kept),
        "recalls": receipt.recalls,
        "dry_run": dry_run,
    }
    word = "would be forgotten" if dry_run else "forgotten"
    answer(
        as_json,
        fields,
        f"{len(receipt.forgotten)} {word}, and {len(receipt.derived)} derived from them; "
        f"{len(receipt.kept)} others keep their other sources",
    )


@app.command()
def export(
    path: Path,
    memory: Url = None,
    user: User = "default",
    agent: Agent = None,
    session: Session = None,
    as_json: AsJson = False,
) -> None:
    """Write a scope's records, vectors and history to a file of JSON lines."""
    with open_memory(memory) as opened:
        count = opened.export(path, scope=Scope(user=user, agent=agent, session=session))
    answer(as_json, {"records": count, "path": str(path)}, f"{count} records in {path}")


@app.command("import")
def import_(
    path: Path,
    memory: Url = None,
    user: User = "default",
    embedder: EmbedderName = None,
    as_json: AsJson = False,
) -> None:
    """Take in an export; importing twice changes nothing."""
    with open_memory(memory, embedder) as opened:
        done = opened.import_(path, scope=Scope(user=user))
    answer(as_json, asdict(done), f"{done.written} written, {done.known} known already")


app.command("import-cases")(import_cases)
app.command("import-concepts")(import_concepts)


@app.command()
def verify(
    memory: Url = None,
    absent: Annotated[
        str | None, typer.Option("--absent", help="Prove that this text is in no file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check that the store is whole; exit 1 if it is not."""
    with open_memory(memory) as opened:
        report = opened.verify(absent=absent)
    lines = [*report.problems, *(f"found in {place}" for place in report.found or ())]
    counts = ", ".join(f"{count} {name}" for name, count in report.checked.items())
    verdict = "whole" if report.ok else "NOT whole" if report.problems else "the text is there"
    answer(
        as_json,
        {"ok": report.ok, **asdict(report)},
        "\n".join([f"{verdict}: {counts}", *lines]),
    )
    if not report.ok:
        raise typer.Exit(1)


@app.command()
def reindex(
    memory: Url = None,
    embedder: Annotated[
        str | None, typer.Option("--embedder", help="Move every record to this embedder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Build the vector index anew, or move the store to another embedder."""
    with open_memory(memory) as opened:
        count = opened.reindex(embedder)
    answer(as_json, {"indexed": count}, f"{count} vectors in the index")


@app.command()
def salvage(memory: Url = None, as_json: AsJson = False) -> None:
    """Save what can be read of a damaged journal into a new one; the old one is kept beside it."""
    from .address import data_folder
    from .salvage import salvage as save

    saved = save(Path(memory) if memory else data_folder() / "memory")
    answer(
        as_json,
        {"records": saved.records, "lost": saved.lost, "damaged": str(saved.damaged)},
        f"{saved.records} records saved, {saved.lost} lost; the damaged journal is {saved.damaged}",
    )


@app.command()
def stats(memory: Url = None, as_json: AsJson = False) -> None:
    """Count what the store holds."""
    with open_memory(memory) as opened:
        fields = asdict(opened.stats())
    if as_json:
        print_json(fields)
    else:
        print("\n".join(f"{name}: {inline(value)}" for name, value in fields.items()))
