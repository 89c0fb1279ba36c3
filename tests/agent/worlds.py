"""A tiny world and a model by table, for tests of the loop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pydantic import JsonValue

from reverie.agent.environment import Observation, Outcome, StepResult, Task
from reverie.agent.models.base import Message, Reply, Scores, ToolSpec, Usage

BOXES = ("box 1", "box 2", "box 3")


class KeyAndDoor:
    """The key lies in the box that the task's id names; carry it to the door."""

    name = "key-and-door"

    def __init__(self, limit: int = 8) -> None:
        self.limit = limit
        self.resets = 0
        self._begin(Task(id="train/1", split="train"))

    def _begin(self, task: Task) -> None:
        self.task = task
        self.where = "box " + task.id.rsplit("/", 1)[1]
        self.at = "hall 1"
        self.held = False
        self.won = False
        self.steps = 0

    def tasks(self, split: str) -> Sequence[Task]:
        return [Task(id=f"{split}/{n}", split=split, type="fetch") for n in (1, 2, 3)]

    def reset(self, task: Task) -> Observation:
        self.resets += 1
        self._begin(task)
        return self._observe("You are in hall 1. There are box 1, box 2, box 3 and door 1.")

    def _actions(self) -> tuple[str, ...]:
        places = [f"go to {place}" for place in (*BOXES, "door 1") if place != self.at]
        if self.at == self.where and not self.held:
            places.append(f"take key 1 from {self.at}")
        if self.at == "door 1" and self.held:
            places.append("open door 1 with key 1")
        return (*places, "look")

    def _observe(self, text: str) -> Observation:
        return Observation(text=text, goal="open the door with the key", actions=self._actions())

    def step(self, action: str) -> StepResult:
        self.steps += 1
        if action not in self._actions():
            return StepResult(
                observation=self._observe("Nothing happens."),
                done=self.steps >= self.limit,
                valid=False,
            )
        text = f"You are at {self.at}."
        if action.startswith("go to "):
            self.at = action.removeprefix("go to ")
            inside = "a key 1" if self.at == self.where and not self.held else "nothing"
            text = f"You arrive at {self.at}. You see {inside}."
        elif action.startswith("take"):
            self.held, text = True, f"You take key 1 from {self.at}."
        elif action.startswith("open"):
            self.won, text = True, "The door 1 opens."
        return StepResult(
            observation=self._observe(text),
            reward=float(self.won),
            done=self.won or self.steps >= self.limit,
        )

    def score(self) -> Outcome:
        return Outcome(success=self.won, reward=float(self.won))

    def instructions(self) -> str:
        return "Find the key and open the door. Answer with one action."

    def describe(self) -> dict[str, str | int | bool]:
        return {"limit": self.limit}

    def demonstration(self, task: Task) -> tuple[str, ...] | None:
        if task.split != "train":
            return None
        box = "box " + task.id.rsplit("/", 1)[1]
        return (f"go to {box}", f"take key 1 from {box}", "go to door 1", "open door 1 with key 1")

    def close(self) -> None:
        pass


class Fixed:
    """A scoring model that rates candidates by a table; what it does not know rates ``other``."""

    id = "fixed"
    context_tokens = 4096
    weaves = False

    def __init__(self, table: Mapping[str, float] | None = None, other: float = -5.0) -> None:
        self.table = dict(table or {})
        self.other = other
        self.prompts: list[list[Message]] = []

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def chat(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[ToolSpec] = (),
        schema: dict[str, JsonValue] | None = None,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int | None = None,
        stop: Sequence[str] = (),
    ) -> Reply:
        raise AssertionError("this model only scores")

    async def achat(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[ToolSpec] = (),
        schema: dict[str, JsonValue] | None = None,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int | None = None,
        stop: Sequence[str] = (),
    ) -> Reply:
        raise AssertionError("this model only scores")

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int | None = None,
        stop: Sequence[str] = (),
    ) -> Iterator[str]:
        raise AssertionError("this model only scores")

    def score(self, messages: Sequence[Message], candidates: Sequence[str]) -> Scores:
        self.prompts.append(list(messages))
        return Scores(
            logprobs=tuple(self.table.get(one, self.other) for one in candidates),
            lengths=(1,) * len(candidates),
            usage=Usage(prompt_tokens=10, completion_tokens=1, usd=0.0, seconds=0.0),
        )
