"""``reverie memory``: the verbs, from the command line.

A thin skin: it parses, calls `Memory`, and renders. Who mounts it may give a default map.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .records import Kind, Scope, Status

if TYPE_CHECKING:
    from .memory import Memory
    from .records import Record

app = typer.Typer(
    name="memory",
    no_args_is_help=True,
    add_completion=False,
    help="Look into a memory and look after it.",
)

Url = Annotated[
    str | None,
    typer.Option(
        "--memory", "-m", envvar="REVERIE_MEMORY", help="Folder or URL; else the user's own."
    ),
]
EmbedderName = Annotated[
    str | None, typer.Option("--embedder", envvar="REVERIE_EMBEDDER", help="Name of the embedder.")
]
User = Annotated[str, typer.Option("--user", "-u", envvar="REVERIE_USER", help="Whose memory.")]
Agent = Annotated[str | None, typer.Option("--agent", help="Only what this agent wrote.")]
Session = Annotated[str | None, typer.Option("--session", help="Only this session.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
KindName = Annotated[Kind | None, typer.Option("--kind", help="Only this kind.")]
Where = Annotated[
    list[str] | None, typer.Option("--where", help="FIELD=VALUE of the payload; repeatable.")
]


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
    with _open(memory) as opened:
        records = opened.list(
            scope=Scope(user=user, agent=agent, session=session),
            kind=kind,
            status=None if all_ else status or Status.ACTIVE,
            where=_pairs(where),
            limit=limit,
            after=after,
        )
    if as_json:
        _print_json({"records": [_plain(record) for record in records]})
        return
    _table(("id", "kind", "when", "text"), [_line(record) for record in records])


@app.command()
def show(
    id: str,
    memory: Url = None,
    user: User = "default",
    as_json: AsJson = False,
) -> None:
    """Show one record whole."""
    with _open(memory) as opened:
        record = opened.get(id, scope=Scope(user=user))
    plain = _plain(record)
    if as_json:
        _print_json(plain)
    else:
        print("\n".join(f"{name}: {_inline(value)}" for name, value in plain.items()))


@app.command()
def history(id: str, memory: Url = None, user: User = "default", as_json: AsJson = False) -> None:
    """Show every version of a record, oldest first."""
    with _open(memory) as opened:
        versions = opened.history(id, scope=Scope(user=user))
    if as_json:
        plain = [
            {
                "number": version.number,
                "changed": version.changed.isoformat(),
                "action": version.action,
                "note": version.note,
                "record": _plain(version.record),
            }
            for version in versions
        ]
        _print_json({"versions": plain})
        return
    _table(
        ("no", "when", "action", "status", "note", "text"),
        [
            (
                str(version.number),
                _when(version.changed),
                version.action,
                version.record.status.value,
                version.note,
                _short(version.record.text),
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
    with _open(memory, embedder) as opened:
        hits = opened.search(
            query,
            scope=Scope(user=user, agent=agent, session=session),
            kinds=tuple(Kind) if kind is None else (kind,),
            where=_pairs(where),
            k=k,
            as_of=as_of,
        )
    if as_json:
        plain = [
            {
                "score": hit.score,
                "dense": hit.dense,
                "lexical": hit.lexical,
                "record": _plain(hit.record),
            }
            for hit in hits
        ]
        _print_json({"hits": plain})
        return
    _table(
        ("score", "id", "kind", "when", "text"),
        [(f"{hit.score:.3f}", *_line(hit.record)) for hit in hits],
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
    with _open(memory, embedder) as opened:
        (written,) = opened.add(record)
    _answer(as_json, {"id": written}, written)


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
    """Remove records for good, with what was derived from them alone."""
    scope = Scope(user=user, agent=agent, session=session)
    with _open(memory) as opened:
        forget_now = partial(
            opened.forget, ids or (), scope=scope, where=_pairs(where), everything=everything
        )
        receipt = forget_now(dry_run=True)
        gone = len(receipt.forgotten) + len(receipt.derived)
        if not dry_run:
            if not yes and sys.stdin.isatty():
                typer.confirm(f"Forget {gone} records for good?", abort=True, err=True)
            receipt = forget_now()
    plain = {
        "forgotten": list(receipt.forgotten),
        "derived": list(receipt.derived),
        "kept": list(receipt.kept),
        "recalls": receipt.recalls,
        "dry_run": dry_run,
    }
    word = "would be forgotten" if dry_run else "forgotten"
    _answer(
        as_json,
        plain,
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
    with _open(memory) as opened:
        count = opened.export(path, scope=Scope(user=user, agent=agent, session=session))
    _answer(as_json, {"records": count, "path": str(path)}, f"{count} records in {path}")


@app.command("import")
def import_(
    path: Path,
    memory: Url = None,
    user: User = "default",
    embedder: EmbedderName = None,
    as_json: AsJson = False,
) -> None:
    """Take in an export; importing twice changes nothing."""
    with _open(memory, embedder) as opened:
        done = opened.import_(path, scope=Scope(user=user))
    _answer(as_json, asdict(done), f"{done.written} written, {done.known} known already")


@app.command()
def verify(
    memory: Url = None,
    absent: Annotated[
        str | None, typer.Option("--absent", help="Prove that this text is in no file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check that the store is whole; exit 1 if it is not."""
    with _open(memory) as opened:
        report = opened.verify(absent=absent)
    lines = [*report.problems, *(f"found in {place}" for place in report.found or ())]
    counts = ", ".join(f"{count} {name}" for name, count in report.checked.items())
    verdict = "whole" if report.ok else "NOT whole" if report.problems else "the text is there"
    _answer(
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
    with _open(memory) as opened:
        count = opened.reindex(embedder)
    _answer(as_json, {"indexed": count}, f"{count} vectors in the index")


@app.command()
def salvage(memory: Url = None, as_json: AsJson = False) -> None:
    """Save what can be read of a damaged journal into a new one; the old one is kept beside it."""
    from .address import data_folder
    from .salvage import salvage as save

    saved = save(Path(memory) if memory else data_folder() / "memory")
    _answer(
        as_json,
        {"records": saved.records, "lost": saved.lost, "damaged": str(saved.damaged)},
        f"{saved.records} records saved, {saved.lost} lost; the damaged journal is {saved.damaged}",
    )


@app.command()
def stats(memory: Url = None, as_json: AsJson = False) -> None:
    """Count what the store holds."""
    with _open(memory) as opened:
        plain = asdict(opened.stats())
    if as_json:
        _print_json(plain)
    else:
        print("\n".join(f"{name}: {_inline(value)}" for name, value in plain.items()))


def _open(url: str | None, embedder: str | None = None) -> Memory:
    from .address import data_folder
    from .memory import Memory

    return Memory.open(url or data_folder() / "memory", embedder=embedder)


def _pairs(where: Sequence[str] | None) -> dict[str, str] | None:
    if not where:
        return None
    pairs: dict[str, str] = {}
    for pair in where:
        name, equals, value = pair.partition("=")
        if not equals:
            raise typer.BadParameter(f"{pair!r}: write FIELD=VALUE", param_hint="--where")
        pairs[name] = value
    return pairs


def _plain(record: Record) -> dict[str, object]:
    return json.loads(record.model_dump_json())


def _line(record: Record) -> tuple[str, str, str, str]:
    return record.id, record.kind.value, _when(record.event_time), _short(record.text)


def _when(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M")


def _short(text: str, width: int = 100) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"


def _inline(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _answer(as_json: bool, plain: Mapping[str, object], words: str) -> None:
    if as_json:
        _print_json(plain)
    else:
        print(words)


def _print_json(plain: Mapping[str, object]) -> None:
    print(json.dumps(plain, ensure_ascii=False))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table for a person, tab-separated lines for a pipe."""
    if not sys.stdout.isatty():
        for row in rows:
            print("\t".join(row))
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(*head, box=None, header_style="bold")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    Console().print(table)
