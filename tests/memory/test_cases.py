"""Case memory: episodes and steps, counted, found, and kept from those who must not see them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reverie.memory.cases import CaseMemory, Exclusion, Lived
from reverie.memory.memory import Memory
from reverie.memory.recalls import Shortlist
from reverie.memory.recollection import Choice
from reverie.memory.records import CasePayload, Kind, LivedTurn, Origin, Scope, StepPayload

ORIGIN = Origin(source="reflection")


@pytest.fixture
def bank() -> Iterator[CaseMemory]:
    with Memory.open("ephemeral:", embedder="hashing") as memory:
        yield CaseMemory(memory, Scope(user="ann"))


def case(task: str = "heat the egg", *, task_id: str = "train/1", won: bool = True) -> CasePayload:
    return CasePayload(
        task=task,
        task_id=task_id,
        split=task_id.split("/")[0],
        plan=("go to stove 1", "heat egg 1 with stove 1"),
        outcome="success" if won else "failure",
        reward=float(won),
        reason="" if won else "never found it",
    )


def step(action: str = "go to <1>", task_id: str = "train/1") -> tuple[str, StepPayload]:
    payload = StepPayload(
        task_id=task_id,
        split="train",
        state={"goal": "heat <1>", "done": ""},
        action=action,
        outcome="success",
        reward=1.0,
    )
    return "heat the egg. done: nothing", payload


def all_of(found: Shortlist) -> Choice:
    return Choice(chosen=tuple(hit.record.id for hit in found.hits), policy="all")


def test_equal_outcomes_become_one_record_that_counts(bank: CaseMemory) -> None:
    for episode in ("e1", "e2", "e2"):
        bank.write(case(), [step()], episode=episode, origin=ORIGIN)
    (kept,) = bank.cases()
    assert isinstance(kept.payload, CasePayload)
    assert kept.payload.episodes == ("e1", "e2") and kept.payload.attempts == 2
    steps = bank.memory.list(scope=bank.scope, kind=Kind.STEP)
    assert len(steps) == 1


def test_an_interrupted_write_is_finished_by_writing_again(bank: CaseMemory) -> None:
    bank.write(case(), [], episode="e1", origin=ORIGIN)
    ids = bank.write(case(), [step()], episode="e1", origin=ORIGIN)
    assert len(ids) == 2
    assert len(bank.memory.list(scope=bank.scope, kind=Kind.STEP)) == 1


def test_of_equal_outcomes_the_turns_of_the_longest_search_are_kept(bank: CaseMemory) -> None:
    went, took = LivedTurn(saw="a hall", did="go"), LivedTurn(saw="a box", did="take")
    lost = LivedTurn(saw="a box", did="eat", good=False)
    searched = (went, went, took)
    for name, turns in (("e1", ()), ("e2", (went, took)), ("e3", searched), ("e4", (lost,) * 9)):
        won = case().model_copy(update={"lived": turns, "instructions": f"Act, {name}."})
        bank.write(won, [], episode=name, origin=Origin(source="reflection"))
    (kept,) = bank.cases()
    assert isinstance(kept.payload, CasePayload)
    assert kept.payload.lived == searched and len(kept.payload.episodes) == 4
    assert kept.payload.instructions == "Act, e3."


def test_a_case_of_an_older_journal_is_read_with_what_was_seen() -> None:
    told = case().model_dump(mode="json", exclude={"lived"})
    plan = told["plan"]
    assert CasePayload.model_validate(told | {"seen": []}).lived == ()
    lived = CasePayload.model_validate(told | {"seen": ["a hall"] * len(plan)}).lived
    assert [(turn.saw, turn.did, turn.good) for turn in lived] == [
        ("a hall", action, True) for action in plan
    ]


def test_a_success_and_a_failure_of_one_plan_are_two_cases(bank: CaseMemory) -> None:
    bank.write(case(), [], episode="e1", origin=ORIGIN)
    bank.write(case(won=False), [], episode="e2", origin=ORIGIN)
    outcomes = {c.payload.outcome for c in bank.cases() if isinstance(c.payload, CasePayload)}
    assert outcomes == {"success", "failure"}


def test_many_episodes_are_kept_at_once_and_each_says_what_became_of_it(bank: CaseMemory) -> None:
    bank.write(case("boil it"), [], episode="e0", origin=ORIGIN)
    lived = [
        Lived("e1", case(), [step()]),
        Lived("e2", case(), [step()]),
        Lived("e1", case()),
        Lived("e3", case("boil it")),
    ]
    kept = bank.keep(lived, origin=ORIGIN)
    assert [one.case for one in kept] == ["new", "counted", "known", "counted"]
    assert [len(one.ids) for one in kept] == [2, 2, 1, 1]
    counts = [c.payload.attempts for c in bank.cases() if isinstance(c.payload, CasePayload)]
    assert counts == [2, 2]


def test_a_task_does_not_see_its_own_case_nor_an_excluded_split(bank: CaseMemory) -> None:
    bank.write(case(task_id="train/1"), [step()], episode="e1", origin=ORIGIN)
    bank.write(case("heat an egg", task_id="valid/1"), [], episode="e2", origin=ORIGIN)
    own = Exclusion(task_ids=("train/1",))
    found = bank.similar_cases("heat the egg", all_of, exclude=own)
    assert [hit.record.text for hit in found.hits] == ["heat an egg"]
    assert bank.similar_steps("heat the egg", exclude=own) == []
    split = Exclusion(splits=("valid",))
    found = bank.similar_cases("heat the egg", all_of, exclude=split)
    assert [hit.record.text for hit in found.hits] == ["heat the egg"]


def test_a_recall_is_logged_with_its_context(bank: CaseMemory) -> None:
    bank.write(case(), [], episode="e1", origin=ORIGIN)
    found = bank.similar_cases("heat the egg", all_of, context={"episode": "e9"})
    (logged,) = bank.memory.recalls(scope=bank.scope)
    assert logged.id == found.id and logged.context == {"episode": "e9"}


def test_another_users_cases_are_out_of_reach(bank: CaseMemory) -> None:
    bank.write(case(), [step()], episode="e1", origin=ORIGIN)
    stranger = CaseMemory(bank.memory, Scope(user="bob"))
    assert stranger.similar_cases("heat the egg", all_of).hits == []
    assert stranger.similar_steps("heat the egg") == []
    assert stranger.cases() == []


def test_every_case_is_listed_over_many_pages(bank: CaseMemory) -> None:
    for n in range(7):
        bank.write(case(f"heat egg {n}"), [], episode=f"e{n}", origin=ORIGIN)
    assert len(bank.cases(page=3)) == 7
