"""Neural Q: what a memory is worth in a state, by a small network on both and on how they meet.

A two-layer network reads the state s, the memory c, their product s⊙c, and what kernel Q says, and
adds its logit to kernel Q's. Its last layer starts at zero, so that it begins as kernel Q and
departs from it only as far as rewards carry it. Single steps are learnt by cross-entropy (Memento,
arXiv 2508.16153, eq. 15, with rewards in [0, 1] as soft labels); where choices follow each other,
towards the soft backup of a target network that trails behind (eq. 10, with the temperature that
equation lacks; see ``soft_q``). Every update replays a batch of what was lived.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import MissingExtra
from .kernel_q import KernelOptions, KernelQ, KernelQPolicy
from .policy import Candidate, Draw, Floats, Selection, State, checked_reward
from .policy_file import PolicyState, read_policy, write_policy
from .soft_q import soft_target

Vectors = Callable[[Sequence[str]], Mapping[str, NDArray[np.float32]]]
"""The vectors (dim,) of memories by id; unknown ids are left out."""

_MARGIN = 1e-3
"""Probabilities are kept this far from 0 and 1 before a logit is taken."""


class NeuralQPolicy:
    """Chooses by the network's values as ``KernelQPolicy`` does by its own.

    Rewards lie in [0, 1]; beyond, they count as the nearest end. ``vectors`` gives the memories'
    own vectors; without it the network knows them only by what kernel Q says. Needs torch, on a
    CPU. Raises MissingExtra without it.
    """

    name = "neural-q"

    def __init__(
        self,
        options: KernelOptions | None = None,
        *,
        vectors: Vectors | None = None,
        dropout: float = 0.0,
        abstain: bool = True,
        seed: int = 0,
        hidden: int = 64,
        batch: int = 32,
        learning_rate: float = 1e-4,
        replayed: int = 4096,
    ) -> None:
        self.kernel = KernelQPolicy(options, dropout=dropout, abstain=abstain)
        self.options = self.kernel.options
        self.draw = Draw(self.options.temperature, dropout)
        self.abstain = abstain
        self._vectors = vectors
        self._learner = Learner(
            hidden=hidden, batch=batch, learning_rate=learning_rate, replayed=replayed, seed=seed
        )

    def select(
        self, state: State, candidates: Sequence[Candidate], k: int, rng: random.Random
    ) -> Selection:
        """Draw at most ``k`` from softmax(Q/α), one after the other."""
        offered = {one.id: one.similarity for one in candidates}
        values = self._values(state, offered)
        nothing = float(self._values(state, {"": 0.0})[0]) if self.abstain else None
        return self.draw(state, candidates, values, k, rng, policy=self.name, nothing=nothing)

    def update(self, selection: Selection, reward: float) -> None:
        """Learn from a reward, and from a batch of earlier ones again."""
        checked_reward(reward)
        shown = {name: selection.offered[name] for name in selection.chosen} or {"": 0.0}
        targets = np.array([reward])
        if len(shown) > 1:
            values = dict(zip(selection.offered, self.values(selection), strict=True))
            targets = np.array([values[name] for name in shown])
            targets += reward - targets.mean()
        inputs = self._inputs(selection.state, shown)  # before kernel Q has seen the reward
        self.kernel.update(selection, reward)
        self._learner.learn(inputs, np.clip(targets, 0.0, 1.0), selection.id)

    def learn_episode(self, selections: Sequence[Selection], reward: float) -> None:
        """Learn from an episode's choices in order; with γ > 0 earlier ones from later ones."""
        following = np.empty(0)
        discount = self.options.discount
        for selection in reversed(selections):
            own = reward if discount == 0 or not len(following) else 0.0
            self.update(selection, soft_target(own, following, self.options.temperature, discount))
            following = self._values(selection.state, selection.offered, settled=True)

    def values(self, selection: Selection) -> Floats:
        """The present values of all that a selection was offered, shape (n,)."""
        return self._values(selection.state, selection.offered)

    def _values(
        self, state: State, offered: Mapping[str, float], *, settled: bool = False
    ) -> Floats:
        if not offered:
            return np.empty(0)
        return self._learner.predict(self._inputs(state, offered), settled=settled)

    def _inputs(self, state: State, offered: Mapping[str, float]) -> NDArray[np.float32]:
        """Rows of [logit of kernel Q, similarity, s, c, s⊙c], shape (n, 2 + 3·dim)."""
        similar = np.array([*offered.values()], np.float64)
        base = np.clip(self.kernel.q.values(state, [*offered], similar), _MARGIN, 1 - _MARGIN)
        own = state.vector if state.vector is not None else np.zeros(0, np.float32)
        found: Mapping[str, NDArray[np.float32]] = {}
        if self._vectors is not None:
            found = self._vectors([name for name in offered if name])
        nowhere = np.zeros_like(own)
        memories = np.array([found.get(name, nowhere) for name in offered], np.float32)
        memories = memories.reshape(len(offered), len(own))
        scale = np.float32(np.sqrt(max(len(own), 1)))  # unit vectors have entries near 1/√dim
        return np.column_stack(
            [
                np.log(base / (1 - base)),
                similar - similar.mean(),
                np.tile(own, (len(offered), 1)) * scale,
                memories * scale,
                own * memories * scale * scale,
            ]
        ).astype(np.float32)

    def save(self, path: Path, *, embedder: str) -> None:
        """Write what was learnt to a file; ``embedder`` is the memory's."""
        arrays = {f"kernel.{name}": one for name, one in self.kernel.q.arrays().items()}
        arrays |= {f"network.{name}": one for name, one in self._learner.weights().items()}
        state = PolicyState(self.name, self.options.model_dump(), arrays)
        write_policy(path, state, embedder=embedder)

    def load(self, path: Path, *, embedder: str) -> None:
        """Take what a file holds in place of what was learnt here.

        Raises PolicyFault for a file that is damaged or of another policy, EmbedderMismatch for
        one of another embedder than the memory's; nothing changes then.
        """
        arrays = read_policy(path, policy=self.name, embedder=embedder).arrays
        learnt = KernelQ(self.options)
        learnt.restore(_under("kernel.", arrays))
        self._learner.restore(_under("network.", arrays))
        self.kernel.q = learnt


def _under(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {k.removeprefix(prefix): one for k, one in arrays.items() if k.startswith(prefix)}


class Learner:
    """The network with its replay memory. Made at the first input, whose width it takes."""

    def __init__(
        self, *, hidden: int, batch: int, learning_rate: float, replayed: int, seed: int
    ) -> None:
        try:
            self._torch: Any = import_module("torch")
        except ImportError as error:
            raise MissingExtra("torch", "latent") from error
        self._hidden = hidden
        self._batch = batch
        self._rate = learning_rate
        self._replayed = replayed
        self._seed = seed
        self._pick = np.random.default_rng(seed)
        self._net: Any = None
        self._target: Any = None
        self._optimizer: Any = None
        self._inputs = np.empty((0, 0), np.float32)
        self._labels = np.empty(0, np.float32)
        self._rows: dict[str, list[int]] = {}
        self.seen = 0

    def predict(self, inputs: NDArray[np.float32], *, settled: bool = False) -> Floats:
        """Probabilities of success (n,); by the target network if ``settled``."""
        net = self._target if settled else self._net
        base = inputs[:, 0].astype(np.float64)
        if net is None:
            return 1.0 / (1.0 + np.exp(-base))
        with self._torch.no_grad():
            shift = net(self._torch.from_numpy(inputs)).squeeze(1).double().numpy()
        return 1.0 / (1.0 + np.exp(-(base + shift)))

    def learn(self, inputs: NDArray[np.float32], labels: Floats, key: str) -> None:
        """Take in rows (n, width) with labels (n,), and descend on a batch with them in it."""
        rows = self._store(inputs, labels, key)
        size = min(self.seen, self._replayed)
        again = self._pick.integers(0, size, max(self._batch - len(rows), 0))
        self._descend(np.concatenate([np.array(rows, np.int64), again]))

    def weights(self) -> dict[str, NDArray[Any]]:
        """The network's weights by name; none before the first input."""
        if self._net is None:
            return {}
        return {name: one.numpy() for name, one in self._net.state_dict().items()}

    def restore(self, weights: Mapping[str, NDArray[Any]]) -> None:
        """Take these weights, and replay nothing that was learnt before."""
        self._net = self._target = self._optimizer = None
        self._rows.clear()
        self.seen = 0
        if weights:
            self._make(weights["0.weight"].shape[1])
            given = {name: self._torch.from_numpy(one.copy()) for name, one in weights.items()}
            self._net.load_state_dict(given)
            self._target.load_state_dict(given)

    def _store(self, inputs: NDArray[np.float32], labels: Floats, key: str) -> list[int]:
        if self._net is None:
            self._make(inputs.shape[1])
        known = self._rows.get(key) if key else None
        if known is not None and len(known) == len(labels):
            self._labels[known] = labels
            return known
        rows = [(self.seen + place) % self._replayed for place in range(len(labels))]
        self._inputs[rows], self._labels[rows] = inputs, labels
        self.seen += len(rows)
        if key:
            self._rows[key] = rows
            if len(self._rows) > self._replayed:
                del self._rows[next(iter(self._rows))]
        return rows

    def _make(self, width: int) -> None:
        torch = self._torch
        self._inputs = np.zeros((self._replayed, width), np.float32)
        self._labels = np.zeros(self._replayed, np.float32)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self._seed)
            self._net, self._target = self._layers(width), self._layers(width)
        self._target.load_state_dict(self._net.state_dict())
        self._optimizer = torch.optim.AdamW(
            self._net.parameters(), lr=self._rate, weight_decay=1e-2
        )

    def _layers(self, width: int) -> Any:
        nn = self._torch.nn
        last = nn.Linear(self._hidden, 1)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        return nn.Sequential(nn.Linear(width, self._hidden), nn.ReLU(), last)

    def _descend(self, rows: NDArray[np.int64]) -> None:
        torch = self._torch
        inputs = torch.from_numpy(self._inputs[rows])
        logits = inputs[:, 0] + self._net(inputs).squeeze(1)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(
            logits, torch.from_numpy(self._labels[rows])
        )
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        with torch.no_grad():
            for slow, fast in zip(self._target.parameters(), self._net.parameters(), strict=True):
                slow.lerp_(fast, 0.02)
