"""The loop as a LangGraph ``StateGraph``; nodes are in ``nodes``, their order is here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol, cast

from langgraph.graph import END, START, StateGraph  # pyright: ignore[reportMissingTypeStubs]

from .nodes import Nodes
from .state import EpisodeState

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import BaseCheckpointSaver


class Saved(Protocol):
    """What a checkpoint holds: the state and the nodes that come next (none: it has ended)."""

    values: dict[str, object]
    next: tuple[str, ...]


class EpisodeGraph(Protocol):
    """What we use of LangGraph's compiled graph, with the types it leaves open."""

    def invoke(
        self, input: EpisodeState | None, config: RunnableConfig, *, durability: str | None
    ) -> EpisodeState:
        """Play to the end."""
        ...

    async def ainvoke(
        self, input: EpisodeState | None, config: RunnableConfig, *, durability: str | None
    ) -> EpisodeState:
        """Play to the end without blocking."""
        ...

    def stream(
        self,
        input: EpisodeState | None,
        config: RunnableConfig,
        *,
        stream_mode: str,
        durability: str | None,
    ) -> Iterator[dict[str, object]]:
        """Play and yield what the nodes report."""
        ...

    def get_state(self, config: RunnableConfig) -> Saved:
        """The last checkpoint of a thread."""
        ...


def build_loop(nodes: Nodes, checkpointer: BaseCheckpointSaver[str] | None = None) -> EpisodeGraph:
    """Compile the episode graph; with a checkpointer an episode can go on in another process."""
    graph: Any = StateGraph(EpisodeState)  # its add_node is typed too loosely for strict checks
    for name in (
        "observe", "trigger", "recall", "weave", "act", "step", "reflect", "write", "learn"
    ):  # fmt: skip
        graph.add_node(name, getattr(nodes, name))
    graph.add_edge(START, "observe")
    graph.add_edge("observe", "trigger")
    graph.add_conditional_edges("trigger", _after_trigger, ["recall", "weave"])
    graph.add_edge("recall", "weave")
    graph.add_edge("weave", "act")
    graph.add_edge("act", "step")
    graph.add_conditional_edges("step", _after_step, ["trigger", "reflect"])
    graph.add_edge("reflect", "write")
    graph.add_edge("write", "learn")
    graph.add_edge("learn", END)
    return cast(EpisodeGraph, graph.compile(checkpointer=checkpointer, name="reverie"))


def _after_trigger(state: EpisodeState) -> str:
    return "recall" if state.get("trigger") else "weave"


def _after_step(state: EpisodeState) -> str:
    return "reflect" if state.get("done") else "trigger"
