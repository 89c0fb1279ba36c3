"""A policy of your own: which memories to recall, learnt from what recalling them led to.

`ProvenFirst` takes the place of the policy that ships. It trusts memories that helped before, and
now and then tries one it knows little of. It inherits nothing: an object with a name, `select` and
`update` is a `Policy`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from play_with_memory import Kitchen, model

from reverie import Agent, Memory, Scope
from reverie.agent.policy import Candidate, Policy, Selection, State

ANN = Scope(user="ann")


class ProvenFirst:
    """The highest upper bound on what a memory is worth: UCB1 with similarity as its prior.

    Auer, Cesa-Bianchi and Fischer (2002), section 2: mean reward + sqrt(2 ln N / n). Here the
    similarity counts as one reward that was seen before.
    """

    name = "proven-first"

    def __init__(self) -> None:
        self.credited = 0

    def select(
        self, state: State, candidates: Sequence[Candidate], k: int, rng: random.Random
    ) -> Selection:
        """The `k` best bounds; nothing is drawn, so each propensity is 1."""
        total = sum(one.rewarded for one in candidates) + len(candidates)

        def bound(one: Candidate) -> float:
            seen = one.rewarded + 1
            mean = (one.similarity + one.reward_mean * one.rewarded) / seen
            return mean + math.sqrt(2 * math.log(total) / seen)

        best = sorted(candidates, key=lambda one: (-bound(one), one.id))[:k]
        chosen = tuple(one.id for one in best)
        return Selection(
            state=state,
            offered={one.id: one.similarity for one in candidates},
            chosen=chosen,
            probabilities=dict.fromkeys(chosen, 1.0),
            policy=self.name,
        )

    def update(self, selection: Selection, reward: float) -> None:
        """The journal keeps the rewards that `select` reads; this only counts them."""
        self.credited += bool(selection.chosen)


def play(policy: Policy, memory: Memory) -> None:
    """Every task of the kitchen once, choosing memories by `policy`."""
    kitchen = Kitchen()
    agent = Agent(model(), memory, scope=ANN, policy=policy)
    for task in kitchen.tasks("train"):
        agent.play(kitchen, task)


def main() -> None:
    """Play with the policy, then read from the journal what it chose and what that earned."""
    policy = ProvenFirst()
    with Memory.open("ephemeral:") as memory:
        play(policy, memory)
        for log in memory.recalls(scope=ANN):
            for chosen in log.chosen:
                text = memory.get(chosen, scope=ANN).text
                print(f"{log.query} <- {text} (of {len(log.candidates)}, reward {log.reward})")
    print(f"{policy.name} was credited {policy.credited} times")


if __name__ == "__main__":
    main()
