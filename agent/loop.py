"""The loop as a LangGraph ``StateGraph``; nodes are in ``nodes``, their order is here."""

from __future__ import annotations

from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from .nodes import Nodes
from .state import EpisodeState

EpisodeGraph = CompiledStateGraph[EpisodeState, None, EpisodeState, EpisodeState]


def build_loop(nodes: Nodes, checkpointer: BaseCheckpointSaver[Any] | None = None) -> EpisodeGraph:
    """Compile the episode graph; with a checkpointer an episode can go on in another process."""
    graph = StateGraph(EpisodeState)
    graph.add_node("observe", nodes.observe)
    graph.add_node("trigger", nodes.trigger)
    graph.add_node("recall", nodes.recall)
    graph.add_node("weave", nodes.weave)
    graph.add_node("act", nodes.act)
    graph.add_node("step", nodes.step)
    graph.add_node("reflect", nodes.reflect)
    graph.add_node("write", nodes.write)
    graph.add_node("learn", nodes.learn)
    graph.add_edge(START, "observe")
    graph.add_edge("observe", "trigger")
    graph.add_conditional_edges("trigger", _after_trigger, ["recall", "weave"])
    graph.add_edge("recall", "weave")
    graph.add_edge("weave", "act")
    graph.add_edge("act", "step")
    graph.add_conditional_edges("step", _after_step, ["observe", "reflect"])
    graph.add_edge("reflect", "write")
    graph.add_edge("write", "learn")
    graph.add_edge("learn", END)
    return graph.compile(checkpointer=checkpointer, name="reverie")


def _after_trigger(state: EpisodeState) -> str:
    return "recall" if state.get("trigger") else "weave"


def _after_step(state: EpisodeState) -> str:
    return "reflect" if state.get("done") else "observe"
