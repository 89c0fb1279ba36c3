"""What was learnt: turns a finished episode into the memories worth keeping."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from importlib.resources import files
from typing import Protocol

from pydantic import BaseModel, Field

from ..errors import ModelError
from ..memory.records import CasePayload, Frozen, LivedTurn, StepPayload
from .abstraction import Lifter
from .deeds import is_deed, numbered, that_mattered, things
from .environment import Outcome
from .models.base import ChatModel, Message, Usage
from .models.structured import ask
from .state import TraceStep, View

LIVED_AT_MOST = 32_000
"""Characters seen: more would fit few models that can be trained here, and slow every recall."""


class Lesson(Frozen):
    """What an episode leaves behind: its case and, for a success, its steps with search texts."""

    case: CasePayload
    steps: tuple[tuple[str, StepPayload], ...] = ()
    usage: Usage = Usage()
    fault: str = Field(default="", description="why a model could not be asked, if it was tried")


class Reflector(Protocol):
    """Decides after an episode what to write. It may ask a model; nothing else that writes may."""

    name: str

    def reflect(self, view: View, outcome: Outcome) -> Lesson:
        """The lesson of a finished episode. It sees the outcome, never a gold answer."""
        ...


class OutcomeReflector:
    """Reflects without a model: the plan, the steps that mattered, and a failure's plain reason."""

    name = "outcome"

    def __init__(self, lifter: Lifter) -> None:
        self.lifter = lifter

    def reflect(self, view: View, outcome: Outcome) -> Lesson:
        """Keep a failure's whole plan; of a success the steps that led to it, and all its turns."""
        self.learn(view, outcome)
        slots = self._slots(view)
        kept = relevant_steps(view.steps, slots) if outcome.success else list(view.steps)
        case = CasePayload(
            task=view.goal,
            task_id=view.task.id,
            task_type=view.task.type,
            split=view.task.split,
            plan=tuple(step.action for step in kept),
            outcome="success" if outcome.success else "failure",
            reward=outcome.reward,
            reason="" if outcome.success else failure_reason(view),
            instructions=view.instructions if outcome.success else "",
            lived=_lived(view.steps, kept) if outcome.success else (),
        )
        if not outcome.success:
            return Lesson(case=case)
        return Lesson(case=case, steps=self._lift(view, outcome, kept, slots))

    def learn(self, view: View, outcome: Outcome) -> None:
        """Teach the lifter which words of goals are things."""
        texts = [text for step in view.steps for text in (step.observation, step.action)]
        self.lifter.learn(view.goal, texts, success=outcome.success)

    def _slots(self, view: View) -> tuple[str, ...]:
        texts = [text for step in view.steps for text in (step.observation, step.action)]
        return self.lifter.slots(view.goal, set[str]().union(*map(things, texts)))

    def _lift(
        self, view: View, outcome: Outcome, kept: Sequence[TraceStep], slots: Sequence[str]
    ) -> tuple[tuple[str, StepPayload], ...]:
        lifted: list[tuple[str, StepPayload]] = []
        done: list[str] = []
        for step in kept:
            state = self.lifter.lift_state(view.goal, step.observation, done, slots)
            payload = StepPayload(
                task_id=view.task.id,
                task_type=view.task.type,
                split=view.task.split,
                state=state.facets(),
                action=self.lifter.lift_action(step.action, slots),
                outcome="success",
                reward=outcome.reward,
            )
            lifted.append((state.text(), payload))
            done.append(step.action)
        return tuple(lifted)


def relevant_steps(steps: Sequence[TraceStep], slots: Sequence[str]) -> list[TraceStep]:
    """The steps of a success without its detours, by hindsight.

    The deeds that mattered (see ``deeds``) and the last step are kept; before each, those steps
    that touched the same things, or else the one that led there. A search through nine drawers
    becomes the visit to the one that held what was looked for. Where no deed is recognised, all
    are kept.
    """
    valid = [step for step in steps if step.valid]
    actions = [step.action for step in valid]
    mattered = set(that_mattered(actions, slots))
    if not mattered:
        return valid
    kept: list[TraceStep] = []
    since: list[TraceStep] = []
    for place, step in enumerate(valid):
        if place not in mattered and place < len(valid) - 1:
            if not is_deed(step.action):
                since.append(step)
            continue
        touched = numbered(step.action)
        led = [before for before in since if numbered(before.action) & touched] or since[-1:]
        first = dict(zip([one.action for one in led[::-1]], led[::-1], strict=True))
        kept += [one for one in led if first[one.action] is one] + [step]
        since = []
    return kept


def _lived(steps: Sequence[TraceStep], kept: Sequence[TraceStep]) -> tuple[LivedTurn, ...]:
    """The turns of a success; none of one that saw more than `LIVED_AT_MOST`.

    Good are the steps that were ``kept``, and each look somewhere that was the first since the
    world last changed: the search.
    """
    if sum(len(step.observation) for step in steps) > LIVED_AT_MOST:
        return ()
    led = set(map(id, kept))
    turns: list[LivedTurn] = []
    tried: set[str] = set()
    for step in steps:
        fresh = step.valid and step.action not in tried and not is_deed(step.action)
        turns.append(
            LivedTurn(saw=step.observation, did=step.action, good=fresh or id(step) in led)
        )
        if step.valid:
            tried = set() if is_deed(step.action) else tried | {step.action}
    return tuple(turns)


def failure_reason(view: View) -> str:
    """A failure's reason as far as it shows without a model: what was done last, what repeats."""
    deeds = [step.action for step in view.steps if step.valid and is_deed(step.action)]
    invalid = sum(not step.valid for step in view.steps)
    counts = Counter(step.action for step in view.steps)
    parts = [f"not solved in {len(view.steps)} steps"]
    parts.append(f"last change made: {deeds[-1]}" if deeds else "nothing was ever changed")
    if counts and (most := counts.most_common(1)[0])[1] > 2:
        parts.append(f'"{most[0]}" was tried {most[1]} times')
    if invalid:
        parts.append(f"{invalid} actions were not understood")
    return "; ".join(parts)


class Diagnosis(BaseModel):
    """What a model says about a failure."""

    reason: str = Field(max_length=400, description="why the task failed, in one sentence")


class ModelReflector:
    """Asks a model why an episode failed; the plain reason stays if it cannot say.

    Successes cost no call.
    """

    name = "model"

    def __init__(self, model: ChatModel, inner: OutcomeReflector) -> None:
        self.model = model
        self.inner = inner

    def reflect(self, view: View, outcome: Outcome) -> Lesson:
        """Reflect as ``OutcomeReflector`` does, then ask for the reason of a failure."""
        lesson = self.inner.reflect(view, outcome)
        if outcome.success:
            return lesson
        prompt = render_diagnosis(view, lesson.case.reason)
        try:
            answer = ask(self.model, [Message(role="user", content=prompt)], Diagnosis)
        except ModelError as fault:
            return lesson.model_copy(update={"fault": str(fault)})
        reason = f"{answer.value.reason} ({lesson.case.reason})"
        case = lesson.case.model_copy(update={"reason": reason})
        return lesson.model_copy(update={"case": case, "usage": answer.usage})


def render_diagnosis(view: View, plain: str) -> str:
    """The prompt that asks why an episode failed."""
    template = files("reverie.agent").joinpath("prompts/diagnosis.txt").read_text("utf-8")
    lived = "\n".join(f"{s.observation[:200]}\n> {s.action}" for s in view.steps[-12:])
    return template.format(goal=view.goal, steps=lived, plain=plain)
