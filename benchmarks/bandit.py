"""Worlds whose truth is known, and the policies that ours are measured against."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from reverie.agent.policy import Candidate, Draw, Floats, Policy, Selection, State
from reverie.memory.embed import open_embedder

Kind = Literal["known", "null", "adversarial", "drift", "newcomer"]

MEMORIES = 120
STRATEGIES = 5
SHORTLIST = 32
NEWCOMER = "newcomer"
NEWCOMER_FROM = 1000


@dataclass(frozen=True)
class Questions:
    """Real questions: unit vectors (n, dim), and the category of each, 0 to 4."""

    vectors: NDArray[np.float32]
    category: NDArray[np.int64]


def read_questions(data: Path | None) -> Questions:
    """LoCoMo's questions, embedded by MiniLM; made-up clusters of vectors without the data."""
    if data is None:
        rng = np.random.default_rng(7)
        category = rng.integers(0, STRATEGIES, 1000)
        vectors = rng.standard_normal((1000, 384)) + 1.2 * rng.standard_normal((5, 384))[category]
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return Questions(vectors.astype(np.float32), category)
    asked = [
        (str(one["question"]), int(one["category"]) - 1)
        for conversation in json.loads(data.read_text("utf-8"))
        for one in conversation["qa"]
    ]
    vectors = open_embedder("minilm").embed([text for text, _ in asked])
    return Questions(np.asarray(vectors, np.float32), np.array([kind for _, kind in asked]))


class World:
    """One draw of memories and of the stream of questions, each strategy as often as another."""

    def __init__(self, questions: Questions, seed: int, kind: Kind, rounds: int) -> None:
        rng = np.random.default_rng(seed)
        self.kind = kind
        self.rounds = rounds
        places = [np.flatnonzero(questions.category == one) for one in range(STRATEGIES)]
        each = MEMORIES // STRATEGIES
        mixed: list[NDArray[np.int64]] = [rng.permutation(of) for of in places]
        taken, rest = [of[:each] for of in mixed], [of[each:] for of in mixed]
        cases = np.concatenate(taken)
        self._wanted = rng.integers(0, STRATEGIES, rounds, dtype=np.int64)
        wanted: list[int] = self._wanted.tolist()
        asked = [int(rng.choice(rest[one])) for one in wanted]
        self._states = questions.vectors[asked]
        self._strategy = questions.category[cases]
        self._quality = rng.random(MEMORIES)
        vectors = questions.vectors[cases]
        self.ids = [f"m{number:03d}" for number in range(MEMORIES)]
        if kind == "newcomer":
            vectors = np.vstack([vectors, questions.vectors[rng.choice(rest[0])]])
            self.ids.append(NEWCOMER)
            self._strategy = np.append(self._strategy, -1)
            self._quality = np.append(self._quality, 1.5)
        self.similarity = self._states @ vectors.T
        self._vectors = dict(zip(self.ids, vectors, strict=True))

    def vectors(self, ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """The memories' vectors."""
        return {name: self._vectors[name] for name in ids if name in self._vectors}

    def state(self, turn: int) -> State:
        """The question of a round."""
        return State(f"question {turn}", self._states[turn])

    def candidates(self, turn: int) -> list[Candidate]:
        """The shortlist by similarity."""
        near = self.similarity[turn].copy()
        if self.kind == "newcomer" and turn < NEWCOMER_FROM:
            near[-1] = -np.inf
        best: list[int] = np.argsort(-near)[:SHORTLIST].tolist()
        return [Candidate(id=self.ids[one], similarity=float(near[one])) for one in best]

    def chances(self, turn: int) -> Floats:
        """Each memory's probability of success, shape (memories,)."""
        similar = self.similarity[turn].astype(np.float64)
        quality, strategy = self._quality, self._strategy
        if self.kind == "null":
            return _sigmoid(-1.2 + 2.2 / STRATEGIES + similar)
        if self.kind == "adversarial":
            return _sigmoid(1.5 - 2.0 * (similar - similar.mean()) / similar.std())
        if self.kind == "drift" and turn >= self.rounds // 2:
            quality, strategy = 1.0 - quality, (strategy + 1) % STRATEGIES
        agree = (strategy == self._wanted[turn]) | (strategy == -1)
        return _sigmoid(-1.2 + 2.2 * agree + 2.0 * (quality - 0.5) + similar)


def _sigmoid(x: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-x))


@dataclass(frozen=True)
class Played:
    """What happened in each round: regret and chance of success (rounds,), and the choice."""

    regret: Floats
    success: Floats
    chosen: list[str]
    offered: list[bool]
    update_ms: float


def play(world: World, policy: Policy, seed: int) -> Played:
    """One memory a round, with the reward given at once."""
    rng = random.Random(seed)
    regret, success = np.zeros(world.rounds), np.zeros(world.rounds)
    place = {name: number for number, name in enumerate(world.ids)}
    chosen: list[str] = []
    offered: list[bool] = []
    spent: list[float] = []
    for turn in range(world.rounds):
        chances = world.chances(turn)
        if world.kind == "newcomer" and turn < NEWCOMER_FROM:
            chances = np.append(chances[:-1], 0.0)
        selection = policy.select(world.state(turn), world.candidates(turn), 1, rng)
        (name,) = selection.chosen
        reward = float(rng.random() < chances[place[name]])
        started = time.perf_counter()
        policy.update(selection, reward)
        spent.append(time.perf_counter() - started)
        regret[turn] = chances.max() - chances[place[name]]
        success[turn] = chances[place[name]]
        chosen.append(name)
        offered.append(NEWCOMER in selection.offered)
    return Played(regret, success, chosen, offered, 1000 * float(np.median(spent)))


class RandomPolicy:
    """Any of the shortlist."""

    name = "random"

    def select(
        self, state: State, candidates: Sequence[Candidate], k: int, rng: random.Random
    ) -> Selection:
        """Draw evenly."""
        return Draw(1.0)(state, candidates, np.zeros(len(candidates)), k, rng, policy=self.name)

    def update(self, selection: Selection, reward: float) -> None:
        """Learn nothing."""


class PublishedKernel:
    """Memento's equations 7 and 9 as they stand: a kernel mean a memory, Boltzmann choice.

    A memory never recalled has no value there; here it has 0.
    """

    name = "published kernel"

    def __init__(self, bandwidth: float = 0.3, temperature: float = 0.1) -> None:
        self._bandwidth = bandwidth
        self._draw = Draw(temperature)
        self._states: dict[str, list[NDArray[np.float32]]] = {}
        self._rewards: dict[str, list[float]] = {}

    def select(
        self, state: State, candidates: Sequence[Candidate], k: int, rng: random.Random
    ) -> Selection:
        """Draw by the kernel means."""
        assert state.vector is not None
        values = np.zeros(len(candidates))
        for place, one in enumerate(candidates):
            if one.id in self._states:
                near = np.array(self._states[one.id]) @ state.vector
                weights = np.exp((near - 1.0) / self._bandwidth)
                values[place] = weights @ self._rewards[one.id] / weights.sum()
        return self._draw(state, candidates, values, k, rng, policy=self.name)

    def update(self, selection: Selection, reward: float) -> None:
        """Keep the reward."""
        assert selection.state.vector is not None
        for name in selection.chosen:
            self._states.setdefault(name, []).append(selection.state.vector)
            self._rewards.setdefault(name, []).append(reward)


class OfflineClassifier:
    """The shape of Memento's released code: a classifier of (question, case) by cross-entropy.

    A two-layer network is fitted anew to all that was lived after every thousand rounds, and the
    best is taken; before the first fit, the most similar.
    """

    name = "offline classifier"

    def __init__(
        self, vectors: Callable[[Sequence[str]], dict[str, NDArray[np.float32]]], seed: int
    ) -> None:
        self._torch: Any = import_module("torch")
        self._vectors = vectors
        self._seed = seed
        self._net: Any = None
        self._lived: list[tuple[NDArray[np.float32], float]] = []

    def _inputs(self, state: State, ids: Sequence[str]) -> NDArray[np.float32]:
        assert state.vector is not None
        cases = np.array([self._vectors([name])[name] for name in ids])
        return 10 * np.column_stack([np.tile(state.vector, (len(ids), 1)), cases])

    def select(
        self, state: State, candidates: Sequence[Candidate], k: int, rng: random.Random
    ) -> Selection:
        """The best by the last fit."""
        values = np.array([one.similarity for one in candidates], np.float64)
        if self._net is not None:
            inputs = self._inputs(state, [one.id for one in candidates])
            with self._torch.no_grad():
                values = self._net(self._torch.from_numpy(inputs)).squeeze(1).double().numpy()
        return Draw()(state, candidates, values, k, rng, policy=self.name)

    def update(self, selection: Selection, reward: float) -> None:
        """Keep the reward; fit when due."""
        self._lived.append((self._inputs(selection.state, selection.chosen)[0], reward))
        if len(self._lived) % 1000 == 0:
            self._fit()

    def _fit(self) -> None:
        torch = self._torch
        torch.manual_seed(self._seed)
        inputs = torch.from_numpy(np.array([one for one, _ in self._lived]))
        labels = torch.tensor([label for _, label in self._lived])
        net = torch.nn.Sequential(
            torch.nn.Linear(inputs.shape[1], 64), torch.nn.ReLU(), torch.nn.Linear(64, 1)
        )
        optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=1e-2)
        for _ in range(300):
            rows = torch.randint(0, len(labels), (128,))
            loss = torch.nn.functional.binary_cross_entropy_with_logits(
                net(inputs[rows]).squeeze(1), labels[rows]
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        self._net = net
