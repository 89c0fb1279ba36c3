"""A world of your own, played with and without memory.

The model here knows nothing of this kitchen: it takes what it is asked for when it sees it, and
finds every place equally likely. So what changes from round to round is memory and nothing else.
In the first round it misleads, because it knows only of other things; from the second on it knows
the way.
"""

from __future__ import annotations

from collections.abc import Sequence

from reverie import Agent, Memory, Observation, Outcome, Scope, StepResult, Task
from reverie.agent.models.scripted import ScriptedScorer

PLACES = ("basket 1", "cabinet 1", "drawer 1", "fridge 1", "shelf 1", "tin 1")
KEPT_IN = {"tea": "tin 1", "milk": "fridge 1", "salt": "shelf 1"}
ROUNDS = 3


class Kitchen:
    """Fetch something in a kitchen where everything has its place. A `reverie.Environment`."""

    name = "kitchen"

    def __init__(self) -> None:
        self.wanted, self.at, self.held = "", "", False

    def tasks(self, split: str) -> Sequence[Task]:
        """Each thing once a round."""
        return [
            Task(id=f"{thing}/{number}", split=split, type=thing)
            for number in range(1, ROUNDS + 1)
            for thing in KEPT_IN
        ]

    def reset(self, task: Task) -> Observation:
        """Begin at the door."""
        self.wanted, self.at, self.held = task.type, "", False
        return self._see(f"You are at the door. There are {', '.join(PLACES)}.")

    def step(self, action: str) -> StepResult:
        """Go somewhere, or take what is wanted; that ends the episode."""
        if action not in self._actions():
            return StepResult(observation=self._see("Nothing happens."), valid=False)
        if action.startswith("go to "):
            self.at = action.removeprefix("go to ")
            seen = f"{self.wanted} 1" if KEPT_IN[self.wanted] == self.at else "nothing you want"
            return StepResult(observation=self._see(f"At {self.at} you see {seen}."))
        self.held = True
        taken = self._see(f"You have {self.wanted} 1.")
        return StepResult(observation=taken, reward=1.0, done=True)

    def score(self) -> Outcome:
        """Fetched or not."""
        return Outcome(success=self.held, reward=float(self.held))

    def instructions(self) -> str:
        """What a model is told about this world."""
        return "Fetch what you are asked for. Answer with one action."

    def describe(self) -> dict[str, str | int | bool]:
        """What the record of a run says about this world."""
        return {"places": len(PLACES)}

    def demonstration(self, task: Task) -> tuple[str, ...] | None:
        """None: the agent finds out by itself."""
        return None

    def close(self) -> None:
        """Nothing to free."""

    def _actions(self) -> tuple[str, ...]:
        here = KEPT_IN[self.wanted] == self.at and not self.held
        take = (f"take {self.wanted} 1 from {self.at}",) if here else ()
        return (*(f"go to {place}" for place in PLACES if place != self.at), *take)

    def _see(self, text: str) -> Observation:
        return Observation(text=text, goal=f"fetch the {self.wanted}", actions=self._actions())


def model() -> ScriptedScorer:
    """A model by rule; put "local" or any other name in its place."""
    return ScriptedScorer(judge=lambda messages, action: 2.0 * action.startswith("take"))


def main() -> None:
    """Play the same tasks twice and print the steps each took."""
    kitchen = Kitchen()
    with Memory.open("ephemeral:") as memory:
        without = Agent(model())
        remembering = Agent(model(), memory, scope=Scope(user="ann"))
        print(f"{'task':8} {'without memory':>15} {'with memory':>12}")
        for task in kitchen.tasks("train"):
            alone, helped = without.play(kitchen, task), remembering.play(kitchen, task)
            print(f"{task.id:8} {alone.steps:9} steps {helped.steps:6} steps")


if __name__ == "__main__":
    main()
