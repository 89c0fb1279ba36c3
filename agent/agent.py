"""An agent: a frozen model, a memory, and the parts that decide how the one uses the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from ..errors import EnvironmentFault
from ..memory.cases import CaseMemory
from ..memory.records import CasePayload, Scope
from .abstraction import Lifter
from .actor import Actor, ChatActor, ScoringActor
from .environment import Environment, Outcome, Task
from .learning import PolicyName, TriggerName, ready_policy, ready_trigger
from .models import open_model
from .models.base import ChatModel, ScoringModel
from .nodes import Nodes
from .parts import Parts
from .policy import Policy
from .reflect import OutcomeReflector, Reflector
from .state import Episode, EpisodeState, Event, Limits, StopReason, nothing_spent, steps_of
from .trigger import Trigger
from .weaver import JointWeaver, PriorWeaver, TextWeaver, Weaver

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import BaseCheckpointSaver

    from ..memory.memory import Memory
    from .loop import EpisodeGraph


DEFAULT_SCOPE = Scope(user="default", agent="reverie")


class Agent:
    """Plays episodes; what it learnt is recalled in the next ones.

    With ``memory=None`` it is the same agent without memory. ``scope`` says whose memory it uses.
    A policy or trigger given by name goes on from what the memory knows of its rewards; an object
    is taken as it is, but a trigger that learns takes up what was kept and keeps what it learns.
    ``recall_cases`` episodes are chosen by the policy from a ``shortlist`` for the model to read;
    ``recall_steps`` nearest steps vote on the action. ``exclude_splits`` keeps whole splits out of
    recall; a task's own cases are always kept out.
    """

    def __init__(
        self,
        model: ChatModel | str,
        memory: Memory | None = None,
        *,
        scope: Scope | None = None,
        trigger: Trigger | TriggerName = "always",
        policy: Policy | PolicyName = "similarity",
        weaver: Weaver | None = None,
        actor: Actor | None = None,
        reflector: Reflector | None = None,
        lifter: Lifter | None = None,
        limits: Limits | None = None,
        recall_cases: int = 1,
        recall_steps: int = 64,
        shortlist: int = 32,
        exclude_splits: tuple[str, ...] = (),
        write: bool = True,
        learn: bool = True,
        checkpointer: BaseCheckpointSaver[str] | None = None,
    ) -> None:
        self.model = open_model(model) if isinstance(model, str) else model
        self.scope = scope or DEFAULT_SCOPE
        self.cases = CaseMemory(memory, self.scope) if memory is not None else None
        self.lifter = lifter or Lifter()
        if self.cases is not None:
            self._teach_lifter(self.cases)
        self.write = write
        self.learn = learn
        self.checkpointer = checkpointer
        self._built: tuple[Environment, EpisodeGraph] | None = None
        self.parts = Parts(
            trigger=ready_trigger(trigger, memory, self.scope),
            policy=ready_policy(policy, memory, self.scope) if isinstance(policy, str) else policy,
            weaver=weaver
            or JointWeaver(TextWeaver(self.model.count_tokens), PriorWeaver(self.lifter)),
            actor=actor or default_actor(self.model),
            reflector=reflector or OutcomeReflector(self.lifter),
            lifter=self.lifter,
            cases=self.cases,
            limits=limits or Limits(),
            recall_cases=recall_cases,
            recall_steps=recall_steps,
            shortlist=shortlist,
            exclude_splits=exclude_splits,
            model_id=self.model.id,
            count_tokens=self.model.count_tokens,
        )

    def play(
        self, env: Environment, task: Task, *, run: str = "", seed: int = 0, thread: str = ""
    ) -> Episode:
        """Play one episode to its end.

        ``run`` and ``seed`` name the episode: written again under the same names, a lesson counts
        once. With a checkpointer and a ``thread`` that holds an unfinished episode, that one goes
        on from where it stopped, in this process or another.
        """
        graph, begin, config = self._prepare(env, task, run, seed, thread)
        return episode_of(graph.invoke(begin, config, durability=self._durability()))

    async def aplay(
        self, env: Environment, task: Task, *, run: str = "", seed: int = 0, thread: str = ""
    ) -> Episode:
        """``play`` without blocking the event loop; the nodes run in worker threads."""
        graph, begin, config = self._prepare(env, task, run, seed, thread)
        return episode_of(await graph.ainvoke(begin, config, durability=self._durability()))

    def stream(
        self, env: Environment, task: Task, *, run: str = "", seed: int = 0, thread: str = ""
    ) -> Iterator[Event]:
        """Play one episode and yield what happens in it, node by node."""
        graph, begin, config = self._prepare(env, task, run, seed, thread)
        events = graph.stream(begin, config, stream_mode="custom", durability=self._durability())
        for event in events:
            yield Event.model_validate(event)

    def _prepare(
        self, env: Environment, task: Task, run: str, seed: int, thread: str
    ) -> tuple[EpisodeGraph, EpisodeState | None, RunnableConfig]:
        graph = self._graph(env)
        begin = EpisodeState(
            task=task.model_dump(mode="json"), run=run, seed=seed, steps=[], selections=[]
        )
        # Every step passes at most six nodes; our own limits end an episode, never LangGraph's.
        config: RunnableConfig = {"recursion_limit": 8 * self.parts.limits.steps + 16}
        if self.checkpointer is None:
            return graph, begin, config
        config["configurable"] = {"thread_id": thread or f"{run}/{task.id}/{seed}"}
        saved = graph.get_state(config)
        if not saved.next:
            return graph, begin, config
        replay(env, task, cast(EpisodeState, saved.values))
        return graph, None, config

    def _graph(self, env: Environment) -> EpisodeGraph:
        """The compiled loop; compiling costs as much as a few steps, so the last one is kept."""
        from .loop import build_loop

        if self._built is None or self._built[0] is not env:
            nodes = Nodes(self.parts, env, write=self.write, learn=self.learn)
            self._built = (env, build_loop(nodes, self.checkpointer))
        return self._built[1]

    def _durability(self) -> str | None:
        return "sync" if self.checkpointer is not None else None

    def _teach_lifter(self, cases: CaseMemory) -> None:
        for record in cases.cases():
            payload = record.payload
            assert isinstance(payload, CasePayload)
            self.lifter.learn(payload.task, payload.plan, success=payload.outcome == "success")


def default_actor(model: ChatModel) -> Actor:
    """Scoring where the model can score, else asking it to say its action."""
    return ScoringActor(model) if isinstance(model, ScoringModel) else ChatActor(model)


def replay(env: Environment, task: Task, state: EpisodeState) -> None:
    """Bring a fresh environment to where a saved episode stopped.

    Raises ``EnvironmentFault`` if the world does not repeat itself.
    """
    if "observation" not in state:
        return
    text = env.reset(task).text
    for place, lived in enumerate(steps_of(state)):
        if text != lived.observation:
            raise EnvironmentFault(
                f"cannot resume {task.id}: step {place} looks different from the saved episode. "
                "Start it anew, under another thread."
            )
        text = env.step(lived.action).observation.text


def episode_of(state: EpisodeState) -> Episode:
    """The finished episode that a final state describes."""
    task = Task.model_validate(state.get("task"))
    outcome = Outcome.model_validate(state.get("outcome"))
    steps = steps_of(state)
    spent = state.get("spent", nothing_spent())
    recalled = [one for step in steps for one in step.recalled]
    return Episode(
        task_id=task.id,
        task_type=task.type,
        split=task.split,
        seed=state.get("seed", 0),
        goal=state.get("goal", ""),
        success=outcome.success,
        reward=outcome.reward,
        metrics=outcome.metrics,
        steps=len(steps),
        invalid_actions=sum(not step.valid for step in steps),
        stop_reason=cast(StopReason, state.get("stop")),
        trajectory=tuple(steps),
        recalled=tuple(dict.fromkeys(recalled)),
        recalled_tokens=sum(step.read for step in steps),
        recall_ids=tuple(one["recall_id"] for one in state.get("selections", [])),
        written=tuple(state.get("written", [])),
        **spent,
    )
