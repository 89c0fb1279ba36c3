"""The arms of a comparison, and the memory they start with.

``off`` plays without memory, ``frozen`` reads a memory that nothing writes to, ``online`` reads,
writes and learns. They share the model, the actor and its settings: memory is the only difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field

from ..errors import SettingsError
from ..memory.cases import CaseMemory
from ..memory.memory import Memory
from ..memory.records import Frozen, Origin, Scope
from .abstraction import Lifter
from .actor import Actor, ChatActor, ScoringActor
from .agent import DEFAULT_SCOPE, Agent
from .environment import Environment, Outcome, Task
from .latent.loop_weaver import LatentWeaver
from .learning import PolicyName, TriggerName, ready_policy, ready_trigger
from .models.base import ChatModel, ScoringModel
from .reflect import ModelReflector, OutcomeReflector
from .state import Limits, TraceStep, View
from .weaver import JointWeaver, PlanWeaver, PriorWeaver, TextWeaver, Weaver

ArmName = Literal["off", "frozen", "online"]
WeaverName = Literal[
    "text", "prior", "text+prior", "plan", "text+plan", "prior+plan", "latent", "latent+prior"
]


class AgentOptions(Frozen):
    """What can be set by name on the command line; the same in every arm."""

    trigger: TriggerName = "always"
    trigger_price: float | None = Field(
        default=None, ge=0, description="reward per 1,000 recalled tokens, for the learned trigger"
    )
    policy: PolicyName = "similarity"
    policy_temperature: float | None = Field(
        default=None, ge=0, description="of the draw among memories; None is the policy's own"
    )
    policy_dropout: float = Field(
        default=0.0, ge=0, lt=1, description="leaves a memory out by chance, to learn its worth"
    )
    weaver: WeaverName = Field(
        default="text+prior",
        description="how memory acts: as text, as a prior over the actions (from similar steps, or "
        "from the plans of the chosen cases), as latent vectors, or as two of them",
    )
    weaver_path: str | None = Field(
        default=None, description="folder of the trained weaver, for latent memory"
    )
    memory_weight: float = Field(default=6.0, ge=0, description="of the prior against the model")
    memory_tokens: int = Field(default=400, ge=0, description="budget of the text")
    recall_cases: int = Field(default=1, ge=0)
    recall_steps: int = Field(default=64, ge=0)
    repeat_cost: float = Field(default=3.0, ge=0, description="nats per repetition of an action")
    taught: bool | None = Field(
        default=None,
        description="rate actions by their whole probability, not the mean per token; None: where"
        " memory is woven into the model",
    )
    temperature: float = Field(default=0.0, ge=0, description="of the choice of action")
    reflect: Literal["outcome", "model"] = "outcome"
    act: Literal["auto", "score", "chat"] = Field(
        default="auto", description="score the admissible actions, or ask the model to say one"
    )


def build_agent(
    arm: ArmName,
    model: ChatModel,
    memory: Memory | None = None,
    *,
    scope: Scope | None = None,
    options: AgentOptions | None = None,
    limits: Limits | None = None,
) -> Agent:
    """The agent of an arm. Raises ``SettingsError`` if an arm with memory is given none."""
    chosen = options or AgentOptions()
    if arm != "off" and memory is None:
        raise SettingsError(f"the {arm} arm needs a memory")
    lifter = Lifter()
    inner = OutcomeReflector(lifter)
    whose = scope or DEFAULT_SCOPE
    memory = None if arm == "off" else memory
    return Agent(
        model,
        memory,
        scope=whose,
        trigger=ready_trigger(chosen.trigger, memory, whose, price=chosen.trigger_price),
        policy=ready_policy(
            chosen.policy,
            memory,
            whose,
            temperature=chosen.policy_temperature,
            dropout=chosen.policy_dropout,
        ),
        weaver=_weaver(chosen, model, lifter),
        actor=_actor(chosen, model),
        reflector=ModelReflector(model, inner) if chosen.reflect == "model" else inner,
        lifter=lifter,
        limits=limits,
        recall_cases=0 if chosen.weaver == "prior" else chosen.recall_cases,
        recall_steps=chosen.recall_steps if "prior" in chosen.weaver else 0,
        write=arm == "online",
        learn=arm == "online",
    )


def _weaver(options: AgentOptions, model: ChatModel, lifter: Lifter) -> Weaver:
    text = TextWeaver(model.count_tokens, options.memory_tokens)
    prior, plan = PriorWeaver(lifter), PlanWeaver(lifter)
    weavers: dict[WeaverName, Weaver] = {
        "text": text,
        "prior": prior,
        "text+prior": JointWeaver(text, prior),
        "plan": plan,
        "text+plan": JointWeaver(text, plan),
        "prior+plan": plan,  # which lets recalled steps vote, too
    }
    if options.weaver == "latent":
        return LatentWeaver(model, text)
    if options.weaver == "latent+prior":
        return JointWeaver(LatentWeaver(model, text), prior)
    return weavers[options.weaver]


def _actor(options: AgentOptions, model: ChatModel) -> Actor:
    scores = isinstance(model, ScoringModel)
    if options.act == "score" and not scores:
        raise SettingsError(f"{model.id} cannot score actions; use --act chat or another model")
    if options.act != "chat" and isinstance(model, ScoringModel):
        return ScoringActor(
            model,
            memory=options.memory_weight,
            repeat=options.repeat_cost,
            taught=options.taught,
            temperature=options.temperature,
        )
    return ChatActor(model, temperature=options.temperature)


def seed_memory(
    memory: Memory, scope: Scope, env: Environment, tasks: Sequence[Task]
) -> Iterator[Task]:
    """Fill a memory with demonstrations, one task at a time; yields each task that gave one.

    A demonstration is played in the environment and kept as a case of origin ``environment``.
    Tasks without one, and those whose demonstration does not succeed, are passed over. Written
    again, a demonstration counts once.
    """
    lifter = Lifter()
    reflector = OutcomeReflector(lifter)
    bank = CaseMemory(memory, scope)
    for task in tasks:
        actions = env.demonstration(task)
        if actions is None:
            continue
        view, outcome = demonstrate(env, task, actions)
        if not outcome.success:
            continue
        lesson = reflector.reflect(view, outcome)
        bank.write(
            lesson.case,
            lesson.steps,
            episode=f"demonstration/{task.id}",
            origin=Origin(source="environment", detail="demonstration"),
        )
        yield task


def demonstrate(env: Environment, task: Task, actions: Sequence[str]) -> tuple[View, Outcome]:
    """Play given actions and return the episode as it was lived, with its score."""
    now = env.reset(task)
    goal = now.goal
    lived: list[TraceStep] = []
    for action in actions:
        result = env.step(action)
        lived.append(
            TraceStep(observation=now.text, action=action, reward=result.reward, valid=result.valid)
        )
        now = result.observation
        if result.done:
            break
    view = View(task=task, goal=goal, observation=now, steps=lived, instructions=env.instructions())
    return view, env.score()
