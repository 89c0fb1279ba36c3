"""Concepts that others wrote down: ArcMemo's files, read into concept memory with every field.

    [{concept: …}, …]                                a list of concepts
    {PUZZLE: {summary, pseudocode, concepts: […]}}   hand annotations
    {PUZZLE: {NAME: {Kind: …}}}                      concepts by puzzle and name
    {PUZZLE: [{situation, suggestion}, …]}           lessons; or a list, each with its source
    {concepts: {NAME: …}, custom_types, solutions}   a memory
    ## structure concepts …                          a rendered memory

as YAML, JSON or text. A file is read whole before anything is written, and a part that holds no
concept is set aside with its place and the reason. Summaries, pseudocode and solutions of puzzles
become cases.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal, cast

import yaml

from ..errors import MemoryFault
from .cases import CaseMemory, Lived
from .concept_reading import read_concept
from .concept_rendering import read_rendered, with_types
from .concepts import ConceptMemory, Draft, Written
from .records import CasePayload, ConceptPayload, Origin
from .types.parsing import parse

BATCH = 64
"""Concepts embedded and written together."""

_CONCEPT_KEYS = frozenset({"concept", "name", "title", "kind", "situation", "suggestion"})
_SOLUTION_KEYS = ("summary", "pseudocode", "solution")


@dataclass(frozen=True, slots=True)
class BadPart:
    """A part of a file that holds no concept: where it stands, and why."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class ConceptFile:
    """What a file of concepts holds.

    ``unread`` are annotations that are kept as they stand because they are no types.
    """

    name: str
    drafts: tuple[Draft, ...]
    solved: tuple[Lived, ...] = ()
    bad: tuple[BadPart, ...] = ()
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConceptsImported:
    """What an import did with the concepts, by their `concepts.Written.fate`; and the cases."""

    new: int = 0
    extended: int = 0
    known: int = 0
    cases: int = 0


@dataclass
class _Parts:
    """A file's parts as they are found."""

    drafts: list[Draft] = field(default_factory=list[Draft])
    solved: list[Lived] = field(default_factory=list[Lived])
    bad: list[BadPart] = field(default_factory=list[BadPart])


def read_concepts(
    path: str | Path, *, format: Literal["auto", "yaml", "text"] = "auto", evidence: str = "import"
) -> ConceptFile:
    """Read a file of concepts; nothing is written.

    ``auto`` takes what begins with a heading for rendered text and all else for YAML, of which
    JSON is a part. ``evidence`` is what the concepts are said to rest on. Raises MemoryFault for a
    file that cannot be read.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise MemoryFault(f"{file} cannot be read: {error}") from error
    if format == "text" or (format == "auto" and text.lstrip().startswith("## ")):
        parts = _from_text(text, evidence)
    else:
        parts = _from_data(_loaded(file, text), evidence)
    return ConceptFile(
        file.name, tuple(parts.drafts), tuple(parts.solved), tuple(parts.bad), _unread(parts.drafts)
    )


def import_concepts(
    concepts: ConceptMemory,
    file: ConceptFile,
    *,
    watch: Callable[[int, int], None] | None = None,
) -> ConceptsImported:
    """Write what a file holds; importing it again changes nothing.

    ``watch`` is told how many of how many concepts are done. An interrupted import is repeated.
    """
    origin = Origin(source="import", detail=file.name)
    done: list[Written] = []
    for start in range(0, len(file.drafts), BATCH):
        done += concepts.write(file.drafts[start : start + BATCH], origin=origin)
        if watch is not None:
            watch(len(done), len(file.drafts))
    kept = CaseMemory(concepts.memory, concepts.scope).keep(file.solved, origin=origin)
    fates = Counter("extended" if one.fate == "revived" else one.fate for one in done)
    cases = sum(one.case == "new" for one in kept)
    return ConceptsImported(fates["new"], fates["extended"], fates["known"], cases)


def _from_text(text: str, evidence: str) -> _Parts:
    rendered = read_rendered(text)
    parts = _Parts()
    for payload in (*with_types(rendered), *rendered.names):
        parts.drafts.append(Draft(payload, evidence=evidence))
    parts.bad += [BadPart("", why) for why in rendered.problems]
    return parts


def _unread(drafts: Sequence[Draft]) -> tuple[str, ...]:
    texts = [
        text
        for draft in drafts
        for text in (
            *(one.typing for one in draft.concept.parameters),
            draft.concept.output_type,
            *draft.concept.types.values(),
        )
        if text.strip() and parse(text).problem
    ]
    return tuple(dict.fromkeys(texts))


# -- YAML and JSON -------------------------------------------------------------------------------


class _Loader(yaml.SafeLoader):
    """Plain data only, and of a key that stands twice every value (plain YAML keeps the last)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        self.flatten_mapping(node)
        # The library has no types for this one.
        construct = cast("Callable[..., object]", self.construct_object)  # pyright: ignore[reportUnknownMemberType]
        build = partial(construct, deep=True)
        found: dict[Hashable, Any] = {}
        for key_node, value_node in cast("list[tuple[yaml.Node, yaml.Node]]", node.value):
            key, value = build(key_node), build(value_node)
            name = key if isinstance(key, Hashable) else str(key)
            found[name] = _joined(found[name], value) if name in found else value
        return found


def _joined(held: object, value: object) -> object:
    """Two values of one key: fields of a concept go on, two concepts stay two."""
    both: tuple[object, object] = (held, value)
    if isinstance(held, _Twice) or isinstance(value, dict):
        return _Twice((*_all_of(both[0]), both[1]))
    return [one for part in both for one in _list_of(part)]


def _list_of(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else [value]


@dataclass(frozen=True, slots=True)
class _Twice:
    """The values of a key that stands more than once."""

    values: tuple[object, ...]


def _all_of(value: object) -> tuple[object, ...]:
    return value.values if isinstance(value, _Twice) else (value,)


def _loaded(file: Path, text: str) -> object:
    try:
        if file.suffix == ".json":
            return json.loads(text)
        return yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise MemoryFault(
            f"{file} is neither YAML nor JSON nor a rendered memory: {error}"
        ) from error


def _from_data(data: object, evidence: str) -> _Parts:
    parts = _Parts()
    for place, puzzle, written, name in _entries(data, parts):
        read = read_concept(written, title=name)
        parts.bad += [BadPart(place, why) for why in read.problems]
        for payload in read.concepts:
            parts.drafts.append(_draft(payload, puzzle, evidence))
    return parts


def _draft(payload: ConceptPayload, puzzle: str, evidence: str) -> Draft:
    """A lesson's ``source`` is the puzzle it came from."""
    source = payload.extra.get("source")
    if not puzzle and isinstance(source, str):
        rest = {name: value for name, value in payload.extra.items() if name != "source"}
        return Draft(payload.model_copy(update={"extra": rest}), source, evidence=evidence)
    return Draft(payload, puzzle, evidence=evidence)


_Entry = tuple[str, str, object, str]
"""Where a concept stands, the puzzle it is of, what is written, and its name if that is outside."""


def _entries(data: object, parts: _Parts) -> Iterator[_Entry]:
    if isinstance(data, Mapping):
        given = _named(cast("Mapping[object, object]", data))
        if isinstance(given.get("concepts"), Mapping | list) and "categories" in given:
            yield from _memory(given, parts)
        elif isinstance(given.get("concepts"), list):
            yield from _annotated("", given, parts)
        elif _CONCEPT_KEYS & {name.casefold() for name in given}:
            yield "", "", given, ""
        else:
            for puzzle, value in given.items():
                for one in _all_of(value):
                    yield from _puzzle(puzzle, one, parts)
    elif isinstance(data, list):
        for place, one in enumerate(cast("list[object]", data), start=1):
            yield f"entry {place}", "", one, ""
    else:
        parts.bad.append(BadPart("", "it holds neither a list nor puzzles by name"))


def _puzzle(puzzle: str, value: object, parts: _Parts) -> Iterator[_Entry]:
    """What a file says of one puzzle."""
    if isinstance(value, list):
        for place, one in enumerate(cast("list[object]", value), start=1):
            yield f"{puzzle}, entry {place}", puzzle, one, ""
        return
    if not isinstance(value, Mapping):
        parts.bad.append(BadPart(puzzle, "it says nothing of concepts"))
        return
    given = _named(cast("Mapping[object, object]", value))
    if {"concepts", *_SOLUTION_KEYS} & given.keys():
        yield from _annotated(puzzle, given, parts)
        return
    for name, said in given.items():
        for one in _all_of(said):
            yield f"{puzzle}, {name}", puzzle, one, name


def _annotated(puzzle: str, given: Mapping[str, object], parts: _Parts) -> Iterator[_Entry]:
    """A puzzle with its summary, its pseudocode and a list of concepts."""
    puzzle = str(given.get("puzzle_id") or given.get("puzzle") or puzzle)
    _solution(puzzle, given, parts)
    listed = given.get("concepts")
    if isinstance(listed, Mapping):
        for name, one in _named(cast("Mapping[object, object]", listed)).items():
            yield f"{puzzle}, {name}", puzzle, one, name
    elif isinstance(listed, list):
        for place, one in enumerate(cast("list[object]", listed), start=1):
            yield f"{puzzle}, entry {place}", puzzle, one, ""
    known = {"puzzle_id", "puzzle", "concepts", *_SOLUTION_KEYS}
    for name in given.keys() - known:
        parts.bad.append(BadPart(puzzle, f"{name!r} is neither of its solution nor a concept"))


def _memory(given: Mapping[str, object], parts: _Parts) -> Iterator[_Entry]:
    """ArcMemo's memory as its program saves it."""
    concepts = given["concepts"]
    if isinstance(concepts, Mapping):
        for name, one in _named(cast("Mapping[object, object]", concepts)).items():
            yield name, "", one, name
    else:
        for place, one in enumerate(cast("list[object]", concepts), start=1):
            yield f"entry {place}", "", one, ""
    types = given.get("custom_types")
    if isinstance(types, Mapping):
        for name, typing in _named(cast("Mapping[object, object]", types)).items():
            yield name, "", {"kind": "structure", "types": {name: typing}}, name
    solutions = given.get("solutions")
    if isinstance(solutions, Mapping):
        for puzzle, one in _named(cast("Mapping[object, object]", solutions)).items():
            if isinstance(one, Mapping):
                _solution(puzzle, _named(cast("Mapping[object, object]", one)), parts)
            elif isinstance(one, str):
                _solution(puzzle, {"solution": one}, parts)


def _solution(puzzle: str, given: Mapping[str, object], parts: _Parts) -> None:
    """The case of a solved puzzle; none if nothing is said of how it was solved."""
    said = {key: str(given[key]).strip() for key in _SOLUTION_KEYS if given.get(key)}
    if not said:
        return
    plan = [line for line in said.get("pseudocode", "").split("\n") if line.strip()]
    case = CasePayload(
        task=said.get("summary", puzzle),
        task_id=puzzle,
        task_type="puzzle",
        plan=(*plan, *([said["solution"]] if "solution" in said else ())),
        outcome="success",
        reward=1.0,
    )
    parts.solved.append(Lived(f"import/{puzzle}", case))


def _named(given: Mapping[object, object]) -> dict[str, object]:
    return {str(name): value for name, value in given.items()}
