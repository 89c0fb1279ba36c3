"""Association: sessions found through their grains, and through sessions that are like them.

MemGAS (arXiv 2505.19549, ICLR 2026): every session has four nodes, one a grain; each new node is
linked to the older ones it is markedly like; a router weighs the grains by how sure each is of a
question, and Personalised PageRank carries the best nodes' scores over the links. Constants are the
paper's. It is a further list of scores beside `Memory.turns`, which does not use it: at a weight
fitted to other conversations it changed nothing (benchmarks/dialogue_lists.py). The paper's code
weighs the *least* sure grain most; here stands the paper's formula.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from .grains import digest_of, everything
from .memory import Memory
from .mixture import fit
from .records import Kind, Record, Scope

Floats = NDArray[np.float64]
Links = NDArray[np.int64]
"""Undirected links between nodes, shape (links, 2)."""

Grain = Literal["session", "turns", "summary", "keywords"]
GRAINS: tuple[Grain, ...] = get_args(Grain)

_KINDS: Mapping[Kind, Grain] = {
    Kind.SESSION: "session",
    Kind.SUMMARY: "summary",
    Kind.KEYWORDS: "keywords",
}


@dataclass(frozen=True, slots=True)
class Constants:
    """MemGAS's numbers.

    ``unlinked`` first sessions get no links; a later node may be linked to those of the
    ``candidates`` most similar older nodes that the mixture accepts. ``seeds`` nodes start the
    walk, of which ``damping`` is the share that follows links. ``temperature`` is λ of Eq. 3.
    """

    unlinked: int = 5
    candidates: int = 30
    seeds: int = 15
    damping: float = 0.1
    temperature: float = 0.2


@dataclass(frozen=True, slots=True)
class Association:
    """The sessions of one scope as a graph.

    ``vectors`` has shape (sessions, grains, dim), zero where a session lacks a grain; node
    4 · i + g is grain g of session i. ``links`` are undirected.
    """

    sessions: tuple[str, ...]
    vectors: Floats
    links: Links
    constants: Constants

    @classmethod
    def of(cls, memory: Memory, scope: Scope, *, constants: Constants | None = None) -> Association:
        """The graph of what `Grains.derive` has made of a scope, sessions in order of time.

        A summary by a model goes before one by rule. Of sessions of several agents with one name
        the one whose rows were written last stands.
        """
        constants = constants or Constants()
        rows = _rows(memory, scope)
        names = list(rows)
        turns = {name: rows[name]["session"].sources for name in names}
        ids = {row.id for grains in rows.values() for row in grains.values()}
        said = {one for sources in turns.values() for one in sources}
        known = memory.vectors([*ids, *said], scope=scope)
        dim = len(next(iter(known.values()))) if known else 0
        vectors = np.zeros((len(names), len(GRAINS), dim))
        for place, name in enumerate(names):
            for grain, row in rows[name].items():
                vectors[place, GRAINS.index(grain)] = known[row.id]
            told = [known[one] for one in turns[name] if one in known]
            if told:
                vectors[place, GRAINS.index("turns")] = np.mean(told, axis=0)
        return cls(tuple(names), vectors, linked(vectors, constants), constants)

    def scores(
        self, query: NDArray[np.float32], *, weights: Mapping[Grain, float] | None = None
    ) -> dict[str, float]:
        """The score of each session for the vector (dim,) of a question: its nodes' PageRank.

        ``weights`` of the grains are the router's unless given.
        """
        if not self.sessions:
            return {}
        weights = self.router(query) if weights is None else weights
        weighed = self._similar(query) * np.array([weights[grain] for grain in GRAINS])
        restart = seeds(weighed.reshape(-1), self.constants.seeds)
        ranks = personalised_pagerank(self.links, restart, self.constants.damping)
        by_session = ranks.reshape(len(self.sessions), len(GRAINS)).sum(axis=1)
        return dict(zip(self.sessions, by_session.tolist(), strict=True))

    def router(self, query: NDArray[np.float32]) -> dict[Grain, float]:
        """How much each grain counts for a question: the surer it is, the more (Eq. 3-4)."""
        if not self.sessions:
            return dict.fromkeys(GRAINS, 1 / len(GRAINS))
        sure = [entropy(one, self.constants.temperature) for one in self._similar(query).T]
        return dict(zip(GRAINS, router_weights(sure).tolist(), strict=True))

    def _similar(self, query: NDArray[np.float32]) -> Floats:
        """The similarity of a question to every node, shape (sessions, grains)."""
        return np.asarray(np.vecdot(self.vectors, query.astype(np.float64)))


# -- formulas ------------------------------------------------------------------------------------


def entropy(similarities: Floats, temperature: float) -> float:
    """H = -Σ p log p in nats, of p = softmax(similarities / λ) over the N memories (Eq. 3)."""
    scaled = similarities / temperature
    log_p = scaled - np.logaddexp.reduce(scaled)
    return float(-(np.exp(log_p) * log_p).sum())


def router_weights(entropies: Sequence[float]) -> Floats:
    """w_g = (1 / H_g) / Σ_g' (1 / H_g') (Eq. 4).

    With one memory every entropy is 0 and all weigh the same: an H below 1e-9 counts as that.
    """
    inverse = 1.0 / np.maximum(np.asarray(entropies, np.float64), 1e-9)
    return inverse / inverse.sum()


def accepted(similarities: Floats) -> NDArray[np.bool_]:
    """Which of a node's candidates (n,) it is linked to: those in the mixture's upper component.

    Where all are alike the mixture cannot tell, and none is.
    """
    mixture = fit(similarities)
    if mixture is None:
        return np.zeros(len(similarities), np.bool_)
    return mixture.upper(similarities)


def linked(vectors: Floats, constants: Constants) -> Links:
    """The links of the nodes ``vectors`` (sessions, grains, dim), added in order of time."""
    sessions, grains, dim = vectors.shape
    nodes = vectors.reshape(sessions * grains, dim)
    there = np.linalg.norm(nodes, axis=1) > 0
    found: list[tuple[int, int]] = []
    for node in np.flatnonzero(there).tolist():
        session = node // grains
        if session < constants.unlinked:
            continue
        older = np.flatnonzero(there[: session * grains])
        similarities = np.asarray(np.vecdot(nodes[older], nodes[node]))
        best = np.argsort(-similarities, kind="stable")[: constants.candidates]
        chosen = older[best][accepted(similarities[best])]
        found += [(node, one) for one in chosen.tolist()]
    return np.array(found, np.int64).reshape(-1, 2)


def seeds(scores: Floats, most: int) -> Floats:
    """The scores (n,) from the ``most``-th largest up, 0 elsewhere; none below 0 (Eq. 5)."""
    if len(scores) > most:
        scores = np.where(scores >= np.sort(scores)[-most], scores, 0.0)
    return np.maximum(np.nan_to_num(scores, nan=0.0), 0.0)


def personalised_pagerank(
    links: Links, restart: Floats, damping: float, *, tolerance: float = 1e-12
) -> Floats:
    """r = (1 - d) s + d (Aᵀ D⁻¹ r + s Σ_dangling r): where a walk over the links spends its time.

    Page, Brin, Motwani and Winograd, The PageRank Citation Ranking, 1999, section 6. ``s`` is
    ``restart`` (n,) scaled to sum to 1, d the share of steps that follow a link; a node without
    links sends its walk back to s. All 0 where ``restart`` is. (networkx's needs SciPy for this.)
    """
    total = restart.sum()
    if not total > 0:
        return np.zeros(len(restart))
    s = restart / total
    start, end = np.concatenate([links, links[:, ::-1]]).T
    degree = np.bincount(start, minlength=len(s))
    ranks = s
    for _ in range(10_000):
        flow = np.bincount(end, weights=ranks[start] / degree[start], minlength=len(s))
        after = (1 - damping) * s + damping * (flow + s * ranks[degree == 0].sum())
        if np.abs(after - ranks).sum() < tolerance:
            return after
        ranks = after
    return ranks


# -- parts ---------------------------------------------------------------------------------------


def _rows(memory: Memory, scope: Scope) -> dict[str, dict[Grain, Record]]:
    """The rows of each session by grain, in order of time; those without a session row left out."""
    found: dict[str, dict[Grain, Record]] = {}
    for kind, grain in _KINDS.items():
        for row in everything(memory, scope, kind):
            if not digest_of(row) or row.scope.session is None:
                continue
            grains = found.setdefault(row.scope.session, {})
            if grain not in grains or row.origin.model is not None:
                grains[grain] = row
    whole = [name for name, grains in found.items() if "session" in grains]
    whole.sort(key=lambda name: (found[name]["session"].event_time, name))
    return {name: found[name] for name in whole}
