"""Candidates as a trie: every token is asked for, and nothing is computed twice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reverie.agent.models.token_trie import ROOT, build, chunks, common_prefix

PATHS = st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=6), min_size=1, max_size=20)


@given(PATHS)
def test_every_token_is_asked_for_after_the_tokens_before_it(paths: list[list[int]]) -> None:
    trie = build(paths, range(len(paths)))

    def path_to(node: int) -> list[int]:
        found: list[int] = []
        while node != ROOT:
            found.insert(0, trie.nodes[node].token)
            node = trie.nodes[node].parent
        return found

    asked = sorted((a.candidate, *path_to(a.node), a.token) for a in trie.asks)
    assert asked == sorted((i, *p[: n + 1]) for i, p in enumerate(paths) for n in range(len(p)))


@given(PATHS)
def test_what_candidates_share_is_one_node(paths: list[list[int]]) -> None:
    trie = build(paths, range(len(paths)))
    assert len(trie.nodes) == len({tuple(p[:n]) for p in paths for n in range(1, len(p))})
    for i, node in enumerate(trie.nodes):
        assert node.parent < i
        assert node.asked
        assert node.depth == (0 if node.parent == ROOT else trie.nodes[node.parent].depth + 1)
        if node.parent != ROOT:
            assert set(node.sequences) <= set(trie.nodes[node.parent].sequences)


@given(PATHS, st.integers(1, 5), st.integers(1, 12))
def test_chunks_fit_and_leave_nobody_out(
    paths: list[list[int]], max_sequences: int, max_nodes: int
) -> None:
    groups = chunks(paths, max_sequences=max_sequences, max_nodes=max_nodes)
    assert sorted(c for group in groups for c in group) == list(range(len(paths)))
    for group in groups:
        assert len(group) <= max_sequences
        nodes = build(paths, group).nodes
        assert len(nodes) <= max_nodes or len(group) == 1


def test_nothing_to_score_makes_no_chunk() -> None:
    assert chunks([], max_sequences=3, max_nodes=3) == []


@given(st.lists(st.integers(0, 2)), st.lists(st.integers(0, 2)))
def test_the_common_prefix_is_the_longest(a: list[int], b: list[int]) -> None:
    size = common_prefix(a, b)
    assert a[:size] == b[:size]
    assert a[: size + 1] != b[: size + 1] or size == min(len(a), len(b))
