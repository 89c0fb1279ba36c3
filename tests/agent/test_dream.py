"""`reverie dream` over concepts: archives what did harm, unites what is one, tells the rest."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reverie.agent import dream_commands
from reverie.agent.concept_sameness import apart
from reverie.agent.dream_concepts import Rehearsal, consolidate
from reverie.agent.successes import successes
from reverie.cli import call
from reverie.memory.cases import CaseMemory
from reverie.memory.concepts import Concept, ConceptMemory, Draft, Proposal
from reverie.memory.memory import Memory
from reverie.memory.records import (
    CasePayload,
    ConceptParameter,
    ConceptPayload,
    Kind,
    Origin,
    Scope,
    Status,
)

ANN = Scope(user="ann")
OBJECT = (ConceptParameter(name="object", typing="object"),)


def routine(title: str, **more: Any) -> ConceptPayload:
    given: dict[str, Any] = {"role": "routine", "output_type": "grid", "parameters": OBJECT}
    return ConceptPayload(title=title, **{**given, **more})


SLIDE = routine("slide object", cues=("objects end at the border",))
DOUBLE = routine("object slide", notes=("stop before a wall",))
OTHER = routine("slide object left")
HARMFUL = routine("recolour", parameters=())


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A memory in a folder: two names of one concept, one that looks like it, one that harms."""
    with Memory.open(tmp_path / "m", embedder="hashing:64") as memory:
        concepts = ConceptMemory(memory, ANN)
        drafts = [
            Draft(one, puzzle=f"p{n}") for n, one in enumerate((SLIDE, DOUBLE, OTHER, HARMFUL))
        ]
        written = concepts.write(drafts)
        for n in range(10):
            concepts.record_use(f"q{n}", solved=False, selected=[written[-1].id], without=True)
    return tmp_path / "m"


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, dict[str, Any]]:
    code = call([*map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def records(place: Path) -> list[str]:
    with Memory.open(place, embedder="hashing:64") as memory:
        kept = memory.list(scope=ANN, kind=Kind.CONCEPT, status=None, limit=100)
        return [
            version.record.model_dump_json(exclude={"counters"})
            for one in kept
            for version in memory.history(one.id, scope=ANN)
        ]


def test_a_dream_unites_what_is_one_and_archives_what_did_harm(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = run(capsys, "dream", "--memory", place, "--user", "ann")
    done = told["concepts"]
    assert code == 0 and told["weaver"] is None and not told["dry_run"]
    assert [one["concept"]["title"] for one in done["archived"]] == ["recolour"]
    assert done["archived"][0]["pairs"] == 10 and done["archived"][0]["lift"] < -0.5
    assert [(one["keep"]["title"], one["other"]["title"]) for one in done["united"]] == [
        ("slide object", "object slide")
    ]
    with Memory.open(place, embedder="hashing:64") as memory:
        concepts = ConceptMemory(memory, ANN)
        assert [one.title for one in concepts.all()] == ["slide object", "slide object left"]
        (kept,) = [one for one in concepts.all() if one.title == "slide object"]
        assert kept.payload.cues and kept.payload.notes and kept.payload.aliases
    code, again = run(capsys, "dream", "--memory", place, "--user", "ann")
    assert code == 0
    assert not again["concepts"]["archived"] and not again["concepts"]["united"]


def test_the_journal_has_what_undoes_a_dream(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, told = run(capsys, "dream", "--memory", place, "--user", "ann")
    (united,), (archived,) = told["concepts"]["united"], told["concepts"]["archived"]
    with Memory.open(place, embedder="hashing:64") as memory:
        concepts = ConceptMemory(memory, ANN)
        before = concepts.history(united["keep"]["id"])[-2].record
        memory.update(before.id, scope=ANN, text=before.text, payload=before.payload)
        for gone in (united["other"]["id"], archived["concept"]["id"]):
            memory.update(gone, scope=ANN, status=Status.ACTIVE)
        found = {one.title: one.payload for one in concepts.all()}
    assert found.keys() == {"slide object", "object slide", "slide object left", "recolour"}
    assert not found["slide object"].aliases and not found["slide object"].notes


def test_a_dry_run_tells_the_same_and_writes_nothing(
    place: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    before = records(place)
    dry = ("dream", "--memory", place, "--user", "ann", "--dry-run")
    code, told = run(capsys, *dry)
    assert code == 0 and told["dry_run"]
    assert records(place) == before
    assert call([*map(str, dry)]) == 0
    said = capsys.readouterr().out
    assert "Would archive 'recolour'" in said
    assert "Would unite 'object slide' into 'slide object'" in said
    _, done = run(capsys, "dream", "--memory", place, "--user", "ann")
    assert done["concepts"] == told["concepts"]
    assert records(place) != before


def test_another_users_concepts_and_other_agents_stay_apart(tmp_path: Path) -> None:
    with Memory.open("ephemeral:", embedder="hashing:64") as memory:
        for name, one in (("cook", SLIDE), ("smith", DOUBLE)):
            ConceptMemory(memory, Scope(user="ann", agent=name)).write(Draft(one, puzzle="p1"))
        ConceptMemory(memory, Scope(user="bob")).write(Draft(DOUBLE, puzzle="p1"))
        done = consolidate(memory, ANN)
        assert not done.united and "two agents" in done.apart[0].why
        assert len(ConceptMemory(memory, Scope(user="bob"))) == 1


def test_three_names_of_one_concept_become_one() -> None:
    with Memory.open("ephemeral:", embedder="hashing:64") as memory:
        concepts = ConceptMemory(memory, ANN)
        for name in ("fill small hole", "hole fill small", "small hole fill"):
            concepts.write(Draft(routine(name), puzzle="p1"))
        done = consolidate(memory, ANN)
        assert [one.keep.title for one in done.united] == ["fill small hole"] * 2
        (kept,) = concepts.all()
        assert len(kept.payload.aliases) == 2


@pytest.mark.parametrize("opened", [Memory, Rehearsal])
def test_names_that_contradict_each_other_are_not_united_through_a_third(
    tmp_path: Path, opened: type[Memory]
) -> None:
    vague = routine("hole fill small", role="", output_type="")
    test = routine("small hole fill", role="structure", output_type="bool")
    with Memory.open(tmp_path, embedder="hashing:64") as memory:
        for one in (routine("fill small hole"), vague, test):
            ConceptMemory(memory, ANN).write(Draft(one, puzzle="p1"))
    with opened.open(tmp_path) as memory:
        done = consolidate(memory, ANN)
    assert [(one.keep.title, one.other.title) for one in done.united] == [
        ("fill small hole", "hole fill small")
    ]
    (left,) = done.apart
    assert {left.keep.title, left.other.title} == {"fill small hole", "small hole fill"}


def test_a_dry_run_where_no_memory_is_makes_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = run(capsys, "dream", "--memory", tmp_path / "new", "--dry-run")
    assert code == 0 and told["concepts"]["concepts"] == 0
    assert list(tmp_path.iterdir()) == []


def proposed(one: ConceptPayload, other: ConceptPayload, score: float = 0.99) -> Proposal:
    return Proposal(Concept("a", one), Concept("b", other), score, "")


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        (SLIDE, DOUBLE, ""),
        (routine("fill holes", body="Fills enclosed holes."), routine("fill enclosed hole"), ""),
        (routine("turn", code="def f(): ..."), routine("rotate", code="def f(): ..."), ""),
        (routine("slide left"), routine("slide right"), "names"),
        (routine("slide object"), routine("slide object left"), "names"),
        (routine("grid to object"), routine("object to grid"), "names"),
        (routine("scale by 2"), routine("scale by 3"), "names"),
        (SLIDE, routine("object slide", output_type="bool"), "output"),
        (SLIDE, routine("object slide", role="structure"), "structure"),
        (SLIDE, routine("object slide", parameters=(ConceptParameter(name="n"),)), "parameters"),
        (
            SLIDE,
            routine("object slide", parameters=(ConceptParameter(name="object", typing="int"),)),
            "parameters",
        ),
        (SLIDE, routine("object slide", parameters=(), output_type=""), ""),
    ],
)
def test_only_what_is_surely_one_is_united(
    one: ConceptPayload, other: ConceptPayload, why: str
) -> None:
    for pair in (proposed(one, other), proposed(other, one)):
        said = apart(pair)
        assert why in said and bool(why) == bool(said)
    assert "0.97" in apart(proposed(SLIDE, DOUBLE, 0.95))


def test_lessons_are_united_only_if_they_advise_the_same() -> None:
    def lesson(situation: str, suggestion: str) -> ConceptPayload:
        return ConceptPayload(
            title=situation, form="open", situation=situation, suggestion=suggestion
        )

    first = lesson("Two grids, side by side", "Combine them, cell by cell.")
    assert not apart(proposed(first, lesson("two grids side by side", "Combine them cell by cell")))
    assert apart(proposed(first, lesson("two grids side by side", "Take the first")))
    assert apart(proposed(first, SLIDE))


def test_an_empty_memory_dreams_of_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(["dream", "--memory", str(tmp_path / "new")]) == 0
    assert "Nothing to do for 0 concepts" in capsys.readouterr().out
    assert call(["dream", "--memory", str(tmp_path / "new"), "--alike", "2"]) == 2


def test_successes_of_splits_that_are_tested_on_are_not_learnt_from() -> None:
    with Memory.open("ephemeral:", embedder="hashing:32") as memory:
        bank = CaseMemory(memory, ANN)
        for split in ("train", "", "valid_unseen", "eval"):
            for outcome in ("success", "failure"):
                case = CasePayload(
                    task=f"{split} {outcome}",
                    task_id="t",
                    split=split,
                    plan=("go",),
                    outcome=outcome,
                    reward=1.0,
                )
                bank.write(case, [], episode=case.task, origin=Origin(source="reflection"))
        known = successes(bank)
        assert len(known.ids) == 2 and known.held_out == ("eval", "valid_unseen")
        more = successes(bank, ("eval",))
        assert len(more.ids) == 3 and more.held_out == ("valid_unseen",)


def test_a_weaver_without_torch_names_what_to_install_and_changes_nothing(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(_: str) -> None:
        return None

    monkeypatch.setattr(dream_commands, "find_spec", absent)
    before = records(place)
    words = ("dream", "--memory", place, "--user", "ann", "--weaver", place / "w")
    code, said = run(capsys, *words)
    assert code == 1 and "reverie[latent]" in said["error"]["message"]
    assert records(place) == before and not (place / "w").exists()
    assert call([*map(str, words), "--retention", "nowhere.jsonl"]) == 2


def test_a_dream_without_a_weaver_needs_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from reverie.cli import call;"
        "code = call(['dream', '--memory', sys.argv[1]]);"
        "sys.exit(code or 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "m")], check=False)
    assert done.returncode == 0
