"""Answers of a woven model, a batch at a time: each row with its own points and its own end."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from ...errors import ModelError, SettingsError
from .config import KINDS, Kind
from .net import WovenNet
from .plan import Decision, Plan
from .stream import Edit, Stream
from .tensors import integers, numbers, pad


@dataclass(frozen=True)
class Place:
    """Where a row stands: its index in the batch, how many tokens it has, and what is there."""

    row: int
    at: int
    kind: Kind
    delimiter: bool


class Decider(Protocol):
    """Says where latents are inserted."""

    def decide(
        self, places: Sequence[Place], states: Callable[[Sequence[int]], Tensor]
    ) -> list[float | None]:
        """The probability of an insertion at each place; None is no point at all.

        ``states`` gives what the trigger reads (R, d) at the places with these indices.
        """
        ...


class Never:
    """Inserts nothing: the reasoner as it is."""

    def decide(
        self, places: Sequence[Place], states: Callable[[Sequence[int]], Tensor]
    ) -> list[float | None]:
        """See `Decider`."""
        return [None] * len(places)


class Always:
    """Inserts at the end of the prompt, and at delimiters with a fixed probability."""

    def __init__(self, inner: float = 1.0) -> None:
        self.inner = inner

    def decide(
        self, places: Sequence[Place], states: Callable[[Sequence[int]], Tensor]
    ) -> list[float | None]:
        """See `Decider`."""
        here = {"prompt": 1.0, "inner": self.inner}
        return [here[one.kind] if one.delimiter else None for one in places]


class Planned:
    """Inserts where a plan says."""

    def __init__(self, plan: Plan) -> None:
        self._points = [{point.at: point.kind for point in row} for row in plan]

    def decide(
        self, places: Sequence[Place], states: Callable[[Sequence[int]], Tensor]
    ) -> list[float | None]:
        """See `Decider`."""
        return [1.0 if self._points[one.row].get(one.at) == one.kind else None for one in places]


class ByTrigger:
    """Asks the trigger at the end of the prompt and at delimiters.

    Greedy, from ``threshold`` on; with ``sample`` the probabilities themselves decide.
    """

    def __init__(self, net: WovenNet, threshold: float = 0.5, *, sample: bool = False) -> None:
        self._net = net
        self._threshold = threshold
        self._sample = sample

    def decide(
        self, places: Sequence[Place], states: Callable[[Sequence[int]], Tensor]
    ) -> list[float | None]:
        """See `Decider`."""
        found: list[float | None] = [None] * len(places)
        for kind in KINDS:
            asked = [i for i, one in enumerate(places) if one.delimiter and one.kind == kind]
            if not asked:
                continue
            chances = numbers(torch.sigmoid(self._net.trigger.logits(kind, states(asked))))
            for i, chance in zip(asked, chances, strict=True):
                found[i] = chance if self._sample else float(chance >= self._threshold)
        return found


@dataclass
class Generated:
    """One answer. ``logprobs`` are those of its tokens, in nats, at temperature 1.

    ``decisions`` are the points that were consulted; ``ended`` tells that the model ended it.
    """

    tokens: list[int] = field(default_factory=list[int])
    logprobs: list[float] = field(default_factory=list[float])
    decisions: list[Decision] = field(default_factory=list[Decision])
    ended: bool = False


@dataclass(frozen=True)
class Sampling:
    """How answers are drawn. ``seed`` makes them repeatable for the same batch.

    ``watch`` is shown each row's index and new token, and returns True to end that row there.
    """

    max_tokens: int = 256
    temperature: float = 0.0
    seed: int = 0
    watch: Callable[[int, int], bool] | None = None


@torch.no_grad()
def generate(
    net: WovenNet,
    prompts: Sequence[Sequence[int]],
    *,
    decider: Decider | None = None,
    sampling: Sampling | None = None,
    memories: Sequence[Sequence[int]] | None = None,
    edit: Edit | None = None,
) -> list[Generated]:
    """Answer ragged prompts of tokens; ``decider`` is the greedy trigger unless given.

    Raises ContextOverflow if a prompt and ``max_tokens`` do not fit, ModelError where logits or
    latents are not finite.
    """
    if not prompts or not all(prompts):
        raise SettingsError("There is nothing to answer: every prompt needs a token.")
    run = Run(net, prompts, decider or ByTrigger(net), sampling or Sampling(), memories, edit)
    while run.step():
        pass
    return run.answers


class Run:
    """A batch on its way; `step` adds a token to each row that has not ended.

    A row with new latents in its cache reads its last token again while the others read their next,
    and is a token behind them from then on: a pass for it alone would cost almost as much.
    A batch of one can go on from ``past``, the stream of an earlier run: what their prompts begin
    with alike is not read again. ``spare`` is room to `Stream.peek` at so many tokens.
    """

    def __init__(
        self,
        net: WovenNet,
        prompts: Sequence[Sequence[int]],
        decider: Decider,
        sampling: Sampling,
        memories: Sequence[Sequence[int]] | None,
        edit: Edit | None = None,
        past: Stream | None = None,
        spare: int = 0,
    ) -> None:
        self._net, self._decider, self._sampling, self._edit = net, decider, sampling, edit
        self._rows = [list(prompt) for prompt in prompts]
        self.answers = [Generated() for _ in prompts]
        self._alive = list(range(len(prompts)))
        self._inner = [0] * len(prompts)
        self._behind: set[int] = set()
        device = net.backbone.device
        self._random = torch.Generator(device).manual_seed(sampling.seed)
        self.stream: Stream = net.stream(
            [len(prompt) + sampling.max_tokens for prompt in prompts],
            points=net.config.weaver.inner_points + 1,
            memories=memories,
            spare=spare,
        )
        known = 0 if past is None else self.stream.adopt(past, prompts[0])
        self.stream.read(self.stream.all(), *pad([prompt[known:] for prompt in prompts]))
        self._consult("prompt")

    def step(self) -> bool:
        """Choose and read one token for each row; False when all have ended."""
        if not self._alive or not self._sampling.max_tokens:
            return False
        behind, self._behind = self._behind, set()
        ready = [i for i, row in enumerate(self._alive) if row not in behind]
        ended = {
            self._alive[i]
            for i, token in zip(ready, self._choose(ready), strict=True)
            if not self._take(self._alive[i], token)
        }
        if ended:
            going = [i for i, row in enumerate(self._alive) if row not in ended]
            self._alive = [self._alive[i] for i in going]
            if not self._alive:
                return False
            self.stream.keep(torch.tensor(going))
        last = torch.tensor([[self._rows[row][-1]] for row in self._alive])
        self.stream.read(self.stream.all(), last, torch.ones(len(last), dtype=torch.long))
        self._consult("inner", behind)
        return True

    def _choose(self, ready: Sequence[int]) -> list[int]:
        """The next tokens of the rows at these indices."""
        if not ready:
            return []
        logits = self._net.backbone.logits(self.stream.hidden[torch.tensor(ready)])
        logprobs = torch.log_softmax(logits, -1)
        heat = self._sampling.temperature
        picked = logits
        if heat > 0:  # argmax of logit / T + G is a draw from softmax(logits / T)
            noise = torch.empty_like(logits).exponential_(generator=self._random)
            picked = logits / heat - noise.log()
        chosen = picked.argmax(-1)
        found = numbers(logprobs.gather(-1, chosen[:, None]).squeeze(-1))
        for i, logprob in zip(ready, found, strict=True):
            if logprob != logprob:
                raise ModelError(
                    "The model's logits are not finite. Look for NaN in the weaver's checkpoint,"
                    " or compute in float32."
                )
            self.answers[self._alive[i]].logprobs.append(logprob)
        return integers(chosen)

    def _take(self, row: int, token: int) -> bool:
        """Add a token to a row; False if that ends it, or was its last."""
        answer = self.answers[row]
        answer.tokens.append(token)
        self._rows[row].append(token)
        answer.ended = token in self._net.backbone.ends
        watch = self._sampling.watch
        stopped = watch is not None and watch(row, token)
        return not (answer.ended or stopped or len(answer.tokens) >= self._sampling.max_tokens)

    def _consult(self, kind: Kind, without: Collection[int] = ()) -> None:
        """Ask the trigger where rows stand at a point; not the rows ``without``, asked before."""
        places = [(i, self._place(row, kind)) for i, row in enumerate(self._alive)]
        open_ = [(i, place) for i, place in places if place and place.row not in without]
        if not open_:
            return

        def states(asked: Sequence[int]) -> Tensor:
            return self._net.trigger.states(self.stream, torch.tensor([open_[i][0] for i in asked]))

        chances = self._decider.decide([place for _, place in open_], states)
        insert: list[int] = []
        for (i, place), chance in zip(open_, chances, strict=True):
            if chance is None:
                continue
            inserted = self._draw(chance)
            self.answers[place.row].decisions.append(
                Decision(place.at, place.kind, chance, inserted)
            )
            if inserted:
                insert.append(i)
                self._inner[place.row] += kind == "inner"
        if insert:
            self._insert(torch.tensor(insert), kind)

    def _place(self, row: int, kind: Kind) -> Place | None:
        config, ids = self._net.config.weaver, self._rows[row]
        if not config.latents(kind):
            return None
        if kind == "prompt":
            return Place(row, len(ids), kind, True)
        if self._inner[row] >= config.inner_points:
            return None
        return Place(row, len(ids), kind, self._net.delimiters.at(ids[-3:]))

    def _draw(self, chance: float) -> bool:
        if chance in (0.0, 1.0):
            return bool(chance)
        device = self._random.device
        return float(torch.rand((), generator=self._random, device=device)) < chance

    def _insert(self, rows: Tensor, kind: Kind) -> None:
        if not self._net.opened:  # nothing could see them: not even rounding is to differ
            return
        latents = self._net.weaver.weave(self.stream, rows, kind)
        if self._edit is not None:
            here = torch.tensor([self._alive[i] for i in integers(rows)])
            latents = self._edit(self.stream.lift(rows, latents), here)
        if latents.values is not None and not bool(latents.values.isfinite().all()):
            raise ModelError("The weaver's latents are not finite: its checkpoint is damaged.")
        if kind == "inner" and latents.values is None:
            self.stream.await_last(rows, latents)
            self._behind |= {self._alive[i] for i in integers(rows)}
            return
        last = torch.tensor([[self._rows[self._alive[i]][-1]] for i in integers(rows)])
        self.stream.insert(rows, latents, last, torch.ones(len(rows), dtype=torch.long))


def inserted(answer: Generated) -> int:
    """How many insertions an answer had."""
    return sum(one.inserted for one in answer.decisions)
