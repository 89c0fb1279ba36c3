"""Files of concepts: every shape they come in, every field kept, rendering and reading back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from reverie.errors import MemoryFault
from reverie.memory.commands import app
from reverie.memory.concept_importers import ConceptsImported, import_concepts, read_concepts
from reverie.memory.concept_rendering import read_rendered, render, with_types
from reverie.memory.concept_types import aliases_of
from reverie.memory.concepts import ConceptMemory
from reverie.memory.memory import Memory
from reverie.memory.records import (
    CasePayload,
    ConceptParameter,
    ConceptPayload,
    Kind,
    NegativeCue,
    Scope,
)
from reverie.memory.types.parsing import parse

SCOPE = Scope(user="arc")

ANNOTATED = """
p1:
  summary: pour water into cups
  pseudocode: |
    cups = find(grid)
    # each by itself
    for cup in cups: pour(cup)
  concepts:
    - concept: cup
      kind: structure
      description: holds what falls in
      cues: [a shape that is open above]
    - concept: pour into
      kind: routine
      routine_subtype: grid manipulation
      output_typing: grid
      parameters:
        - name: cup
          typing: object
          description: what is filled
        - name: level
          typing: level rule := Callable[[object], int]
        - name: level
          typing: null
      implementation: [fill from below]
    - concept: Cups
p2:
  concepts:
    - concept: cup
      cues: [an opening]
      weight: heavy
    - 7
    - [not, one]
"""

BY_NAME = """
p3:
  "case: half full":
    Kind: term definition
    Routine Subtype: N/A
    Output Typing: N/A
    Parameters: N/A
    Description: filled up to the middle
    Implementation:
    - Count: the rows
    Cues: N/A
  brim:
    Kind: parameter selection
    Output Typing: 1 | 2
    Parameters: null
  brim:
    Kind: routine
    Cues: [full]
"""

RENDERED = """## structure concepts
- concept: cup
  description: holds: what falls in
  cues:
    - a shape that is open above
- lower usage concepts: [jug, "a, b"]

## types
- level rule := Callable[[object], int]
- direction := Literal["up", "down"]
- lost type := tuple[int, int]

## grid manipulation routines
- concept: pour into
  output_typing: grid | object
  parameters:
    - cup (type: object)
    - level (type: level rule := Callable[[object], int])
    - direction (type: direction)
    - object | thing - what is poured
  implementation:
    - fill from below

## other routines
### Callable[[object], int]
### level rule
- concept: to the brim
  output_typing: int
- lower usage concepts: [half]
a line of nothing
"""


@pytest.fixture
def concepts() -> Iterator[ConceptMemory]:
    with Memory.open("ephemeral:", embedder="hashing:64") as memory:
        yield ConceptMemory(memory, SCOPE)


def put(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_hand_annotations_come_in_with_every_field(concepts: ConceptMemory, tmp_path: Path) -> None:
    file = read_concepts(put(tmp_path, "hand.yaml", ANNOTATED), evidence="hand")
    assert [one.place for one in file.bad] == ["p2, entry 3"]
    done = import_concepts(concepts, file)
    assert done == ConceptsImported(new=3, extended=2, known=0, cases=1)
    cup = concepts.find("cup")
    assert cup is not None
    assert cup.payload.cues == ("a shape that is open above", "an opening")
    assert cup.payload.used_in == ("p1", "p2")
    assert cup.payload.extra == {"weight": "heavy"}
    assert cup.payload.evidence == ("hand",)
    pour = concepts.find("pour into")
    assert pour is not None
    assert pour.payload.parameters == (
        ConceptParameter(name="cup", typing="object", description="what is filled"),
        ConceptParameter(name="level", typing="level rule := Callable[[object], int]"),
    )
    assert pour.payload.notes == ("fill from below",)
    (case,) = concepts.memory.list(scope=SCOPE, kind=Kind.CASE)
    assert isinstance(case.payload, CasePayload)
    assert (case.payload.task, case.payload.task_id) == ("pour water into cups", "p1")
    assert len(case.payload.plan) == 3


def test_importing_twice_changes_nothing(concepts: ConceptMemory, tmp_path: Path) -> None:
    file = read_concepts(put(tmp_path, "hand.yaml", ANNOTATED))
    import_concepts(concepts, file)
    before = concepts.memory.list(scope=SCOPE)
    again = import_concepts(concepts, file)
    assert (again.new, again.extended, again.known, again.cases) == (0, 0, 5, 0)
    assert concepts.memory.list(scope=SCOPE) == before


def test_concepts_by_puzzle_and_name_with_keys_of_any_case(
    concepts: ConceptMemory, tmp_path: Path
) -> None:
    import_concepts(concepts, read_concepts(put(tmp_path, "by_name.yaml", BY_NAME)))
    half = concepts.find("case: half full")
    assert half is not None
    assert (half.payload.role, half.payload.extra) == ("structure", {"kind": "term definition"})
    assert half.payload.notes == ("Count: the rows",)
    assert half.payload.cues == () and half.payload.parameters == ()
    brim = concepts.find("brim")
    assert brim is not None, "of a key that stands twice both are read"
    assert (brim.payload.output_type, brim.payload.cues) == ("1 | 2", ("full",))


@pytest.mark.parametrize(
    "lessons",
    [
        {"p1": [{"situation": "a grid", "suggestion": "split it"}]},
        [{"situation": "a grid", "suggestion": "split it", "source": "p1"}],
    ],
)
def test_lessons_keep_their_source(
    concepts: ConceptMemory, tmp_path: Path, lessons: object
) -> None:
    path = put(tmp_path, "lessons.json", json.dumps(lessons))
    import_concepts(concepts, read_concepts(path))
    (kept,) = concepts.all()
    assert (kept.payload.form, kept.payload.situation) == ("open", "a grid")
    assert (kept.payload.suggestion, kept.payload.used_in) == ("split it", ("p1",))


def test_a_saved_memory_comes_in_whole(concepts: ConceptMemory, tmp_path: Path) -> None:
    saved = {
        "concepts": {
            "cup": {"name": "cup", "kind": "structure", "used_in": ["p1"], "parameters": []}
        },
        "categories": {"structure": ["cup"]},
        "custom_types": {"level rule": "Callable[[object], int]"},
        "solutions": {"p1": {"solution": "def f(): ...", "summary": "pour", "pseudocode": None}},
    }
    path = put(tmp_path, "memory.json", json.dumps(saved))
    done = import_concepts(concepts, read_concepts(path))
    assert (done.new, done.cases) == (2, 1)
    assert concepts.find("level rule") is not None
    body = concepts.snapshot().aliases.body("level rule")
    assert str(body) == "Callable[[object], int]"
    (case,) = concepts.memory.list(scope=SCOPE, kind=Kind.CASE)
    assert isinstance(case.payload, CasePayload) and case.payload.plan == ("def f(): ...",)


def test_a_rendered_memory_comes_in_with_every_field(
    concepts: ConceptMemory, tmp_path: Path
) -> None:
    file = read_concepts(put(tmp_path, "memory.txt", RENDERED))
    assert [one.reason for one in file.bad] == ["line 30: 'a line of nothing' stands in no concept"]
    assert file.unread == ()
    import_concepts(concepts, file)
    assert {one.title for one in concepts.all()} == {
        *("cup", "jug", "a, b", "pour into", "to the brim", "half", "lost type"),
    }
    pour = concepts.find("pour into")
    assert pour is not None
    assert (pour.payload.subtype, pour.payload.output_type) == (
        "grid manipulation",
        "grid | object",
    )
    assert [(one.name, one.typing) for one in pour.payload.parameters] == [
        ("cup", "object"),
        ("level", "level rule := Callable[[object], int]"),
        ("direction", "direction"),
        ("object | thing", ""),
    ]
    brim = concepts.find("to the brim")
    assert brim is not None and brim.payload.subtype == "level rule"
    assert [one.concept.title for one in concepts.providers("pour into", "level")] == [
        "to the brim"
    ]
    aliases = concepts.snapshot().aliases
    assert {"level rule", "direction", "lost type"} <= {*aliases.bodies}


# -- rendering ------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20)
PLAIN = st.sampled_from(
    [
        "a hole",
        "if: so",
        "- dash",
        '"quoted" word',
        "two\nlines",
        " padded ",
        "x (type: y)",
        "a - b",
    ]
)
SAID = st.one_of(PLAIN, TEXT.filter(lambda text: bool(text.strip())))
TYPINGS = st.sampled_from(
    ["", "grid", "list[grid | object]", "d := Literal['up)', 'down']", "int (odd)", "a)b("]
)
LISTS = st.lists(SAID, max_size=3).map(tuple)
KINDS = st.sampled_from(
    [
        ("structure", ""),
        ("routine", "grid manipulation"),
        ("routine", "scheme"),
        ("routine", ""),
        ("", ""),
    ]
)


@st.composite
def programs(draw: st.DrawFn) -> ConceptPayload:
    role, subtype = draw(KINDS)
    return ConceptPayload.model_validate(
        {
            "title": draw(SAID),
            "role": role,
            "subtype": subtype,
            "body": draw(st.one_of(st.just(""), SAID)),
            "output_type": draw(TYPINGS),
            "parameters": draw(
                st.lists(
                    st.builds(
                        ConceptParameter,
                        name=SAID,
                        typing=TYPINGS,
                        description=st.one_of(st.just(""), SAID),
                    ),
                    max_size=3,
                )
            ),
            "cues": draw(LISTS),
            "negative_cues": [NegativeCue(text=text) for text in draw(LISTS)],
            "notes": draw(LISTS),
            "used_in": draw(LISTS),
            "aliases": draw(LISTS),
            "code": draw(st.sampled_from(["", "def f():\n    return 1\n"])),
            "language": draw(st.sampled_from(["", "python"])),
        }
    )


def lesson(situation: str, suggestion: str, cues: tuple[str, ...]) -> ConceptPayload:
    return ConceptPayload(
        title=" ".join(situation.split()),
        form="open",
        situation=situation,
        suggestion=suggestion,
        cues=cues,
    )


LESSONS = st.builds(lesson, SAID, SAID, LISTS)


@settings(max_examples=40)
@given(st.lists(st.one_of(programs(), LESSONS), max_size=3), st.lists(programs(), max_size=2))
def test_what_is_rendered_reads_back(
    full: list[ConceptPayload], names: list[ConceptPayload]
) -> None:
    found = read_rendered(render(full, names=names))
    assert found.problems == ()
    assert sorted(map(str, found.concepts)) == sorted(map(str, full))
    assert sorted(one.title for one in found.names) == sorted(one.title for one in names)
    assert found.types == aliases_of(full)


def test_types_are_rendered_in_a_section_and_tied_to_what_mentions_them() -> None:
    given_ = ConceptPayload(
        title="turn",
        role="routine",
        parameters=(ConceptParameter(name="axis", typing="axis"),),
        types={"axis": "Literal['x']"},
    )
    text = render([given_])
    assert text.splitlines()[:2] == ["## types", '- axis := Literal["x"]']
    (back,) = with_types(read_rendered(text))
    assert back.types == {"axis": 'Literal["x"]'}


def test_the_short_form_shows_what_a_prompt_needs() -> None:
    scheme = ConceptPayload(
        title="fixed scheme", role="routine", subtype="scheme", cues=("c",), used_in=("p1",)
    )
    assert render([scheme], all_fields=False) == (
        "## other routines\n### scheme\n- concept: fixed scheme"
    )


# -- what is no file of concepts ------------------------------------------------------------------


@pytest.mark.parametrize("text", ["a: [", "{", "\x00"])
def test_a_file_that_cannot_be_read_says_so(tmp_path: Path, text: str) -> None:
    with pytest.raises(MemoryFault, match="neither YAML nor JSON"):
        read_concepts(put(tmp_path, "x.yaml", text))
    with pytest.raises(MemoryFault, match="cannot be read"):
        read_concepts(tmp_path / "nowhere.yaml")


def test_yaml_that_would_run_something_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path, "x.yaml", "!!python/object/apply:os.system ['true']")
    with pytest.raises(MemoryFault, match="neither YAML"):
        read_concepts(path)


def test_a_file_that_holds_no_concepts_lists_its_parts(tmp_path: Path) -> None:
    file = read_concepts(put(tmp_path, "x.yaml", "p1: 3\np2: [{}, null]\n"))
    assert [(one.place, one.reason) for one in file.bad] == [
        ("p1", "it says nothing of concepts"),
        ("p2, entry 1", "{} has no name"),
        ("p2, entry 2", "None is no concept: give a name or fields by name"),
    ]
    assert read_concepts(put(tmp_path, "y.yaml", "")).bad != ()


def test_annotations_that_are_no_types_are_kept_and_listed(
    concepts: ConceptMemory, tmp_path: Path
) -> None:
    path = put(tmp_path, "x.yaml", "- concept: odd\n  output_typing: int >= 0\n")
    file = read_concepts(path)
    assert file.unread == ("int >= 0",) and parse("int >= 0").problem
    import_concepts(concepts, file)
    assert concepts.all()[0].payload.output_type == "int >= 0"


def test_the_command_imports_lists_and_says_how_it_went(tmp_path: Path) -> None:
    path = put(tmp_path, "hand.yaml", ANNOTATED)
    store = ["--memory", str(tmp_path / "store"), "--user", "arc", "--embedder", "hashing:64"]
    done = CliRunner().invoke(app, ["import-concepts", str(path), *store, "--json"])
    assert done.exit_code == 4, done.output
    said = json.loads(done.stdout)
    assert (said["new"], said["extended"], said["cases"]) == (3, 2, 1)
    assert said["bad"][0]["place"] == "p2, entry 3"
    strict = CliRunner().invoke(app, ["import-concepts", str(path), *store, "--strict"])
    assert strict.exit_code == 1 and "0 concepts written" in strict.stdout
    with Memory.open(tmp_path / "store") as memory:
        assert len(ConceptMemory(memory, SCOPE)) == 3
