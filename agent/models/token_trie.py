"""Candidates as a trie of tokens, so that what they share is computed once. Pure logic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

ROOT = -1


@dataclass
class Node:
    """One token to compute. ``parent`` is a node's position in the trie, or ``ROOT``."""

    token: int
    parent: int
    depth: int
    sequences: list[int] = field(default_factory=list[int])
    asked: bool = False  # some candidate goes on after it, so its next-token distribution is needed


@dataclass(frozen=True)
class Ask:
    """Candidate ``candidate`` has ``token`` after node ``node`` (or the prompt, ``ROOT``)."""

    candidate: int
    node: int
    token: int


@dataclass(frozen=True)
class Trie:
    """Nodes in an order where parents come first, and the probabilities to read from them."""

    nodes: list[Node]
    asks: list[Ask]
    candidates: list[int]


def build(tokens: Sequence[Sequence[int]], chosen: Sequence[int]) -> Trie:
    """The trie of ``tokens[i]`` for i in ``chosen``; sequence s belongs to ``chosen[s]``.

    A candidate's last token needs no node: its probability is read from the node before it.
    """
    nodes: list[Node] = []
    asks: list[Ask] = []
    children: dict[tuple[int, int], int] = {}
    for sequence, candidate in enumerate(chosen):
        parent = ROOT
        path = tokens[candidate]
        for depth, token in enumerate(path):
            asks.append(Ask(candidate, parent, token))
            if parent != ROOT:
                nodes[parent].asked = True
            if depth == len(path) - 1:
                break
            child = children.get((parent, token))
            if child is None:
                child = children[parent, token] = len(nodes)
                nodes.append(Node(token, parent, depth))
            nodes[child].sequences.append(sequence)
            parent = child
    return Trie(nodes, asks, list(chosen))


def chunks(
    tokens: Sequence[Sequence[int]], *, max_sequences: int, max_nodes: int
) -> list[list[int]]:
    """Candidates in groups that fit, sorted so that neighbours share their beginnings.

    Each group has at most ``max_sequences`` candidates and, unless one alone is longer, at most
    ``max_nodes`` trie nodes.
    """
    groups: list[list[int]] = []
    size = 0
    previous: Sequence[int] = ()
    for candidate in sorted(range(len(tokens)), key=lambda i: (list(tokens[i]), i)):
        path = tokens[candidate][:-1]
        new = len(path) - _shared(path, previous)
        if not groups or len(groups[-1]) == max_sequences or size + new > max_nodes:
            groups.append([])
            size, new = 0, len(path)
        groups[-1].append(candidate)
        size += new
        previous = path
    return groups


def _shared(a: Sequence[int], b: Sequence[int]) -> int:
    shared = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        shared += 1
    return shared


def common_prefix(a: Sequence[int], b: Sequence[int]) -> int:
    """How many tokens ``a`` and ``b`` share at their beginning."""
    size = min(len(a), len(b))
    if list(a[:size]) == list(b[:size]):
        return size
    return _shared(a, b)
