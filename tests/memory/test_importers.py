"""Cases of others: what each form of row becomes, what is refused, and what twice changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reverie.errors import MemoryFault
from reverie.memory.cases import CaseMemory, Exclusion
from reverie.memory.importers import (
    CasesImported,
    Format,
    import_cases,
    read_cases,
    task_id_of,
)
from reverie.memory.memory import Memory
from reverie.memory.recalls import Shortlist
from reverie.memory.recollection import Choice
from reverie.memory.records import CasePayload, Kind, Scope

PLAN = json.dumps(
    {"plan": [{"id": 1, "description": "look up Ada"}, {"id": 2, "description": "add"}]}
)
BANKED = {"case": "When was Ada born?", "plan": PLAN, "case_label": "positive"}
REMEMBERED = {"question": "Who taught Ada?", "plan": '["ask around"]', "reward": 0}
LIVED = {
    "task": "heat the egg",
    "steps": [{"action": "take egg", "observation": "taken"}, {"action": "heat egg"}],
    "reward": 1,
    "task_id": "valid/7",
    "split": "valid",
}
TRAINING = {**BANKED, "query": "When did Ada die?", "truth_label": True}


@pytest.fixture
def bank() -> Iterator[CaseMemory]:
    with Memory.open("ephemeral:", embedder="hashing:64") as memory:
        yield CaseMemory(memory, Scope(user="ann", agent="reverie"))


def write(folder: Path, *rows: object, name: str = "cases.jsonl") -> Path:
    """A file with these rows; a row that is a text stands as it is."""
    file = folder / name
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def payloads(bank: CaseMemory) -> list[CasePayload]:
    return [r.payload for r in bank.cases() if isinstance(r.payload, CasePayload)]


def lived(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in (LIVED | changes).items() if value is not None}


def test_the_three_forms_become_cases_with_their_plans_and_outcomes(
    bank: CaseMemory, tmp_path: Path
) -> None:
    done = import_cases(bank, read_cases(write(tmp_path, BANKED, "", REMEMBERED, LIVED)))
    assert done == CasesImported(written=3, counted=0, known=0, successes=2, failures=1)
    banked, remembered, trajectory = payloads(bank)
    assert banked.plan == ("look up Ada", "add") and banked.outcome == "success"
    assert remembered.plan == ("ask around",) and remembered.outcome == "failure"
    assert trajectory.plan == ("take egg", "heat egg") and trajectory.reward == 1.0
    assert (trajectory.task_id, trajectory.split) == ("valid/7", "valid")
    record = bank.cases()[0]
    assert (record.origin.source, record.origin.detail) == ("import", "cases.jsonl")
    assert bank.memory.list(scope=bank.scope, kind=Kind.STEP) == []


def test_importing_twice_counts_once_under_whichever_name(bank: CaseMemory, tmp_path: Path) -> None:
    import_cases(bank, read_cases(write(tmp_path, BANKED, LIVED)))
    longer = write(tmp_path, LIVED, BANKED, REMEMBERED, name="longer.jsonl")
    done = import_cases(bank, read_cases(longer))
    assert (done.written, done.counted, done.known) == (1, 0, 2)
    assert [case.attempts for case in payloads(bank)] == [1, 1, 1]


def test_equal_outcomes_are_one_case_that_counts_them(bank: CaseMemory, tmp_path: Path) -> None:
    file = read_cases(write(tmp_path, LIVED, LIVED, lived(task_type="heat"), lived(reward=0)))
    done = import_cases(bank, file)
    assert (done.written, done.counted, done.known) == (2, 2, 0)
    assert [(case.outcome, case.attempts) for case in payloads(bank)] == [
        ("success", 3),
        ("failure", 1),
    ]
    again = import_cases(bank, file)
    assert (again.written, again.counted, again.known) == (0, 0, 4)


def test_many_batches_are_told_as_they_are_done(bank: CaseMemory, tmp_path: Path) -> None:
    rows = [lived(task=f"heat egg {n % 100}", task_id=f"t/{n % 100}") for n in range(130)]
    told: list[tuple[int, int]] = []
    done = import_cases(
        bank, read_cases(write(tmp_path, *rows)), watch=lambda done, of: told.append((done, of))
    )
    assert told == [(64, 130), (128, 130), (130, 130)]
    assert (done.written, done.counted) == (100, 30)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("{", "no JSON"),
        ("[1]", "no JSON object"),
        ('{"task": "\\ud800", "steps": ["a"], "reward": 1}', "no JSON"),
        ({"text": "heat the egg"}, "none of the fields case, question or task"),
        (TRAINING, "no case of its own; import the case file"),
        ({**BANKED, "case_label": "maybe"}, "case_label"),
        ({**BANKED, "plan": "look up Ada"}, "plan: it is no JSON"),
        ({**BANKED, "plan": '{"steps": []}'}, "plan: not a list of steps"),
        ({**BANKED, "case": "  "}, "case"),
        ({**REMEMBERED, "reward": 3}, "reward"),
        ({**REMEMBERED, "plan": "[]"}, "plan: it has no step"),
        (lived(steps=None), "either steps or plan"),
        (lived(plan=["take egg"]), "either steps or plan"),
        (lived(steps=["take egg", {"observation": "taken"}]), "steps: step 2"),
        (lived(reward="1"), "reward"),
        (lived(reward=float("nan")), "reward"),
        (lived(reward=None), "reward: Field required"),
        (lived(success="yes"), "success"),
    ],
)
def test_a_row_that_says_too_little_is_set_aside_with_its_line_and_the_reason(
    row: object, reason: str, bank: CaseMemory, tmp_path: Path
) -> None:
    file = read_cases(write(tmp_path, REMEMBERED, row, BANKED))
    ((line, why),) = [(bad.line, bad.reason) for bad in file.bad]
    assert line == 2 and reason in why
    assert import_cases(bank, file).written == 2


def test_a_format_refuses_the_rows_of_another(tmp_path: Path) -> None:
    file = write(tmp_path, BANKED, LIVED)
    assert [bad.line for bad in read_cases(file, format=Format.MEMENTO).bad] == [2]
    assert [bad.line for bad in read_cases(file, format=Format.TRAJECTORIES).bad] == [1]


def test_success_is_what_the_row_says_else_what_its_reward_reaches(tmp_path: Path) -> None:
    rows = [lived(reward=0.4), lived(reward=0.4, success=False, reason="raw"), lived(reward=0.9)]
    file = write(tmp_path, *rows)

    def outcomes(success_from: float | None) -> list[str]:
        episodes = read_cases(file, success_from=success_from).episodes
        return [episode.case.outcome for episode in episodes]

    assert outcomes(None) == ["success", "failure", "success"]
    assert outcomes(0.5) == ["failure", "failure", "success"]
    assert [one.case.reason for one in read_cases(file).episodes] == ["", "raw", ""]


def test_an_evaluation_can_exclude_imported_tasks_and_splits(
    bank: CaseMemory, tmp_path: Path
) -> None:
    rows = [LIVED, lived(task="heat an  EGG", task_id=None, split=None)]
    import_cases(bank, read_cases(write(tmp_path, *rows), split="train"))

    def found(exclude: Exclusion) -> set[str]:
        recollection = bank.similar_cases("heat the egg", every, exclude=exclude)
        return {hit.record.text for hit in recollection.hits}

    assert found(Exclusion()) == {"heat the egg", "heat an  EGG"}
    assert found(Exclusion(splits=("train",))) == {"heat the egg"}
    assert found(Exclusion(task_ids=("valid/7",))) == {"heat an  EGG"}
    assert found(Exclusion(task_ids=(task_id_of("Heat an egg"),))) == {"heat the egg"}


def every(found: Shortlist) -> Choice:
    return Choice(tuple(hit.record.id for hit in found.hits))


def test_a_file_that_is_none_of_cases_is_named(tmp_path: Path) -> None:
    export = write(tmp_path, {"reverie": "memory", "format": 1})
    with pytest.raises(MemoryFault, match="reverie memory import`"):
        read_cases(export)
    with pytest.raises(MemoryFault, match="cannot be read"):
        read_cases(tmp_path / "nowhere.jsonl")
    (tmp_path / "latin").write_bytes(
        b'\xef\xbb\xbf{"task": "\xe9", "steps": ["a"], "reward": 1}\r\n'
    )
    assert len(read_cases(tmp_path / "latin").bad) == 1
    (tmp_path / "empty").write_bytes(b"")
    assert read_cases(tmp_path / "empty").episodes == ()
