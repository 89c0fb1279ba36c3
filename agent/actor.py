"""How the model acts: by the likelihood of each admissible action, or by saying one."""

from __future__ import annotations

import difflib
import math
import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from .deeds import is_deed
from .models.base import ChatModel, Message, ScoringModel, Usage, weaves
from .state import View, Woven

_TRAILING_NUMBER = re.compile(r" \d+$")


@dataclass(frozen=True)
class Act:
    """An action, what it cost to find, and the scores behind it (empty if it was just said)."""

    action: str
    usage: Usage
    scores: Mapping[str, float] = field(default_factory=dict[str, float])

    @property
    def uncertainty(self) -> float:
        """The entropy of softmax(scores) over its maximum, in [0, 1]; 0 without scores."""
        if len(self.scores) < 2:
            return 0.0
        best = max(self.scores.values())
        weights = [math.exp(score - best) for score in self.scores.values()]
        total = math.fsum(weights)
        entropy = -math.fsum(one / total * math.log(one / total) for one in weights if one)
        return min(1.0, max(0.0, entropy / math.log(len(weights))))


class Actor(Protocol):
    """Chooses the next action."""

    name: str

    def act(self, view: View, woven: Woven, instructions: str) -> Act:
        """The action to take in ``view``, given what memory has woven."""
        ...


def conversation(
    model: ChatModel, view: View, woven: Woven, instructions: str, *, reserve: int = 512
) -> list[Message]:
    """The episode as a chat: observations are the user's turns, actions the assistant's.

    What memory gave stands once, before the task, so that the prompt only grows at its end and a
    key-value cache is kept. Where the whole does not fit the context less ``reserve`` tokens, the
    oldest turns after the first observation are left out.
    """
    seen = [step.observation for step in view.steps] + [view.observation.text]
    opening, *later = turns(view.goal, seen, view.actions, woven["text"])
    room = model.context_tokens - reserve - model.count_tokens(instructions + opening.content)
    sizes = [model.count_tokens(message.content) + 8 for message in later]
    while later and sum(sizes) > room:
        del later[:2], sizes[:2]
    latent = woven.get("latent", "")
    return [
        Message(role="system", content=instructions),
        *([Message(role="user", content=latent, latent=True)] if latent else []),
        opening,
        *later,
    ]


def turns(goal: str, seen: Sequence[str], done: Sequence[str], memory: str = "") -> list[Message]:
    """What was seen as the user's turns, the actions done in between as the assistant's."""
    parts = (memory, f"Your task: {goal}", seen[0])
    found = [Message(role="user", content="\n\n".join(filter(None, parts)))]
    for action, observation in zip(done, seen[1:], strict=True):
        found.append(Message(role="assistant", content=action))
        found.append(Message(role="user", content=observation))
    return found


def repetitions(view: View) -> Counter[str]:
    """How often each action was taken since the last new deed; to do and undo is not new."""
    counts: Counter[str] = Counter()
    deeds: set[str] = set()
    for step in view.steps:
        if is_deed(step.action) and step.valid and step.action not in deeds:
            deeds.add(step.action)
            counts.clear()
        counts[step.action] += 1
    return counts


class ScoringActor:
    """Takes the best admissible action by log p(action | prompt), memory's prior and repetitions.

    The model's term is the mean log-probability per token, so that long names are not punished.
    Actions that differ only in a number at the end ("drawer 1", "drawer 2") are scored as one: the
    model knows nothing of numbers, and scoring them costs a quarter of its time. Not so of a model
    that was ``taught`` to act, as one is into which memory is woven unless it is said otherwise: it
    gives each action its probability, numbers included, and that is its term.
    Each time an action was already taken since the world last changed costs ``repeat`` nats.
    Where memory speaks, its prior and these costs weigh ``memory`` times as much as the model.
    With a ``temperature`` the action is drawn from softmax(score / T).
    """

    name = "scoring"

    def __init__(
        self,
        model: ScoringModel,
        *,
        memory: float = 6.0,
        repeat: float = 3.0,
        temperature: float = 0.0,
        taught: bool | None = None,
    ) -> None:
        self.model = model
        self.taught = taught
        self.memory = memory
        self.repeat = repeat
        self.temperature = temperature

    def act(self, view: View, woven: Woven, instructions: str) -> Act:
        """Score every admissible action and take one."""
        actions = view.observation.actions
        messages = conversation(self.model, view, woven, instructions)
        taught = self.taught
        if taught is None:
            taught = weaves(self.model) and bool(woven.get("latent"))
        kinds = {one: one if taught else _TRAILING_NUMBER.sub("", one) for one in actions}
        scored = self.model.score(messages, list(dict.fromkeys(kinds.values())))
        said = {
            kind: logprob / (1 if taught else max(length, 1))
            for kind, logprob, length in zip(
                dict.fromkeys(kinds.values()), scored.logprobs, scored.lengths, strict=True
            )
        }
        taken = repetitions(view)
        unknown = min(woven["prior"].values(), default=0.0)
        weight = self.memory if woven["prior"] and self.memory else 1.0
        totals = {
            action: said[kind]
            + self.memory * woven["prior"].get(action, unknown)
            - weight * self.repeat * taken[action]
            for action, kind in kinds.items()
        }
        return Act(action=self._pick(totals, view), usage=scored.usage, scores=totals)

    def _pick(self, totals: Mapping[str, float], view: View) -> str:
        best = max(totals.values())
        if self.temperature <= 0:
            return next(action for action, total in totals.items() if total == best)
        rng = random.Random(f"{view.seed}/{view.task.id}/{len(view.steps)}")
        weights = [math.exp((total - best) / self.temperature) for total in totals.values()]
        return rng.choices(list(totals), weights)[0]


class ChatActor:
    """Asks the model to say its action; for models that cannot score, and for free text.

    Where there is a list of admissible actions the reply is matched to it; a reply that names none
    of them is asked for once more, then the closest is taken. What memory's prior favours is shown
    as a line of suggestions.
    """

    name = "chat"

    def __init__(self, model: ChatModel, *, temperature: float = 0.0, suggestions: int = 3) -> None:
        self.model = model
        self.temperature = temperature
        self.suggestions = suggestions

    def act(self, view: View, woven: Woven, instructions: str) -> Act:
        """Ask, match, ask once more if need be."""
        messages = conversation(self.model, view, woven, instructions)
        messages[-1] = messages[-1].model_copy(
            update={"content": messages[-1].content + self._menu(view, woven)}
        )
        seed = random.Random(f"{view.seed}/{view.task.id}/{len(view.steps)}").getrandbits(31)
        usage = Usage()
        said = ""
        for attempt in range(2):
            reply = self.model.chat(
                messages, max_tokens=64, temperature=self.temperature, seed=seed, stop=("\n",)
            )
            usage = _sum(usage, reply.usage, first=attempt == 0)
            said = reply.text.strip().strip("`\"'> .").strip()
            matched = match_action(said, view.observation.actions)
            if matched is not None:
                return Act(action=matched, usage=usage)
            messages += [
                Message(role="assistant", content=reply.text),
                Message(role="user", content="Answer with one action of the list, nothing else."),
            ]
        closest = difflib.get_close_matches(said, view.observation.actions, n=1, cutoff=0.0)
        return Act(action=closest[0], usage=usage)

    def _menu(self, view: View, woven: Woven) -> str:
        lines: list[str] = []
        if view.observation.actions:
            lines.append("Possible actions: " + "; ".join(view.observation.actions))
        favoured = sorted(woven["prior"].items(), key=lambda item: (-item[1], item[0]))
        if favoured:
            names = "; ".join(action for action, _ in favoured[: self.suggestions])
            lines.append(f"In similar situations these went well: {names}")
        lines.append("Next action:")
        return "\n\n" + "\n".join(lines)


def match_action(said: str, actions: Sequence[str]) -> str | None:
    """The admissible action that a reply names, the longest if several; any text if none listed.

    None if it names none of them.
    """
    if not actions:
        return said or None
    exact = {action.lower(): action for action in actions}
    if said.lower() in exact:
        return exact[said.lower()]
    named = [action for action in actions if action.lower() in said.lower()]
    return max(named, key=len) if named else None


def _sum(total: Usage, more: Usage, *, first: bool) -> Usage:
    known = (first or total.usd is not None) and more.usd is not None
    return Usage(
        prompt_tokens=total.prompt_tokens + more.prompt_tokens,
        completion_tokens=total.completion_tokens + more.completion_tokens,
        cached_tokens=total.cached_tokens + more.cached_tokens,
        usd=(total.usd or 0.0) + (more.usd or 0.0) if known else None,
        seconds=total.seconds + more.seconds,
    )
