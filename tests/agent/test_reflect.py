"""Reflection keeps what led to success and says why a failure failed."""

from __future__ import annotations

from dataclasses import replace

from reverie.agent.abstraction import Lifter
from reverie.agent.environment import Observation, Outcome, Task
from reverie.agent.models.scripted import ScriptedModel
from reverie.agent.reflect import ModelReflector, OutcomeReflector, relevant_steps
from reverie.agent.state import TraceStep, View


def lived(*actions: str, invalid: tuple[str, ...] = ()) -> View:
    goal = "put a mug in the fridge"
    steps = [
        TraceStep(observation="You see a mug 1.", action=a, valid=a not in invalid) for a in actions
    ]
    return View(
        task=Task(id="train/1", split="train", type="put"),
        goal=goal,
        observation=Observation(text="", goal=goal),
        steps=steps,
    )


SEARCH = (
    "go to drawer 1",
    "open drawer 1",
    "go to drawer 2",
    "open drawer 2",
    "take mug 1 from drawer 2",
    "look",
    "go to fridge 1",
    "move mug 1 to fridge 1",
)


def test_hindsight_drops_the_detours_of_a_success() -> None:
    kept = [step.action for step in relevant_steps(lived(*SEARCH).steps, ("mug", "fridge"))]
    assert kept == [
        "go to drawer 2",
        "open drawer 2",
        "take mug 1 from drawer 2",
        "go to fridge 1",
        "move mug 1 to fridge 1",
    ]


def test_hindsight_keeps_a_last_step_that_is_no_deed_and_the_way_to_it() -> None:
    view = lived("go to desk 1", "take mug 1 from desk 1", "go to table 2", "use lamp 1")
    assert [step.action for step in relevant_steps(view.steps, ("mug", "fridge"))][-2:] == [
        "go to table 2",
        "use lamp 1",
    ]


def test_hindsight_keeps_one_visit_and_no_handling_of_other_things() -> None:
    detour = ("take pen 1 from desk 1", "go to desk 2", "move pen 1 to desk 2", "go to desk 1")
    view = lived("go to desk 1", "look", *detour, "take mug 1 from desk 1", *SEARCH[-2:])
    assert [step.action for step in relevant_steps(view.steps, ("mug", "fridge"))] == [
        "go to desk 1",
        "take mug 1 from desk 1",
        *SEARCH[-2:],
    ]


def test_hindsight_keeps_all_where_the_world_numbers_nothing() -> None:
    view = lived("open the box", "take the key", "unlock the door")
    assert len(relevant_steps(view.steps, ())) == 3


def test_hindsight_drops_what_the_world_did_not_understand() -> None:
    view = lived("fly", "take mug 1 from desk 1", invalid=("fly",))
    assert [step.action for step in relevant_steps(view.steps, ("mug", "fridge"))] == [
        "take mug 1 from desk 1"
    ]


def test_a_success_leaves_lifted_steps_and_its_short_plan() -> None:
    lesson = OutcomeReflector(Lifter()).reflect(lived(*SEARCH), Outcome(success=True, reward=1.0))
    assert lesson.case.outcome == "success" and len(lesson.case.plan) == 5
    assert [step.action for _, step in lesson.steps] == [
        "go to drawer",
        "open drawer",
        "take <1> from drawer",
        "go to <2>",
        "move <1> to <2>",
    ]
    assert lesson.steps[-1][1].state["done"] == "take <1>"


def test_a_success_keeps_all_its_turns_and_tells_the_good_ones() -> None:
    back = ("take pen 1 from desk 1", "move pen 1 to desk 1", "go to drawer 1", "go to drawer 1")
    view = lived(*back, *SEARCH, invalid=("look",))
    steps = [one.model_copy(update={"observation": f"{n}"}) for n, one in enumerate(view.steps)]
    begun = replace(view, steps=steps, instructions="Act.")
    case = OutcomeReflector(Lifter()).reflect(begun, Outcome(success=True, reward=1.0)).case
    assert [turn.did for turn in case.lived] == [*back, *SEARCH]
    assert [turn.saw for turn in case.lived] == [f"{n}" for n in range(12)]
    bad = [0, 1, 3, 4, 9]  # put back, asked again, not understood; looking for the mug is good
    assert [n for n, turn in enumerate(case.lived) if not turn.good] == bad
    assert len(case.plan) == 5 and case.instructions == "Act."
    failed = OutcomeReflector(Lifter()).reflect(begun, Outcome(success=False, reward=0.0)).case
    assert failed.lived == () and failed.instructions == ""
    pages = [one.model_copy(update={"observation": "page " * 2000}) for one in steps]
    read = replace(begun, steps=pages)
    much = OutcomeReflector(Lifter()).reflect(read, Outcome(success=True, reward=1.0)).case
    assert much.lived == () and len(much.plan) == 5


def test_what_was_not_understood_neither_looks_nor_changes_anything() -> None:
    misread = "take mug 9 from drawer 1"
    before = ("open drawer 1", "go to drawer 1", "look", misread, "look")
    view = lived(*before, *SEARCH, invalid=(misread,))
    steps = [view.steps[0].model_copy(update={"valid": False}), *view.steps[1:]]
    begun = replace(view, steps=steps)
    case = OutcomeReflector(Lifter()).reflect(begun, Outcome(success=True, reward=1.0)).case
    opened = [turn.good for turn in case.lived if turn.did == "open drawer 1"]
    looked = [turn.good for turn in case.lived if turn.did == "look"]
    assert opened == [False, True] and looked == [True, False, True]


def test_a_failure_keeps_its_whole_plan_its_reason_and_no_steps() -> None:
    view = lived("look", "look", "look", "fly", invalid=("fly",))
    lesson = OutcomeReflector(Lifter()).reflect(view, Outcome(success=False, reward=0.0))
    assert len(lesson.case.plan) == 4 and lesson.steps == ()
    assert "nothing was ever changed" in lesson.case.reason
    assert '"look" was tried 3 times' in lesson.case.reason


def test_a_model_is_asked_about_failures_only_and_its_silence_is_recorded() -> None:
    inner = OutcomeReflector(Lifter())
    model = ScriptedModel(['{"reason": "It never left."}'])
    reflector = ModelReflector(model, inner)
    failed = reflector.reflect(lived("look"), Outcome(success=False, reward=0.0))
    assert failed.case.reason.startswith("It never left.")
    assert reflector.reflect(lived(*SEARCH), Outcome(success=True, reward=1.0)).fault == ""
    mute = ModelReflector(ScriptedModel(["no json", "still none"]), inner)
    lesson = mute.reflect(lived("look"), Outcome(success=False, reward=0.0))
    assert lesson.fault and lesson.case.reason.startswith("not solved")
