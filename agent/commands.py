"""``reverie policy``: judge a policy from the log, and explain a choice that was logged.

A thin skin: it parses, calls `policy_eval` and `Memory`, and renders.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from ..errors import RecordNotFound
from ..memory.records import Scope
from ..memory.terminal import Agent, AsJson, Url, User, open_memory, print_json, table, when
from .learned_trigger import LearnedTrigger
from .learning import PAGE, PolicyName, make_policy, ready_policy, ready_trigger, with_vector
from .policy import NOTHING, Candidate, selection_of
from .trigger import KEPT_TRIGGER

if TYPE_CHECKING:
    from ..memory.memory import Memory
    from ..memory.recollection import RecallLog, Utility
    from .intervals import Estimate
    from .policy_eval import Evaluation, Learnable

app = typer.Typer(
    name="policy",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Judge how memories are chosen, from the log of the choices.

    [bold]eval[/bold] tells what another policy would have earned; [bold]show[/bold] why one recall
    chose what it did; [bold]trigger[/bold] when recalling was found to pay.""",
)


@app.command("eval")
def eval_(
    where: Annotated[
        str | None, typer.Argument(metavar="[MEMORY]", help="Folder or URL, as with --memory.")
    ] = None,
    memory: Url = None,
    user: User = "default",
    agent: Agent = None,
    policy: Annotated[
        PolicyName, typer.Option("--policy", "-p", help="The policy to judge.")
    ] = "kernel-q",
    temperature: Annotated[
        float | None, typer.Option("--temperature", min=0, help="Of its draw; else its own.")
    ] = None,
    k: Annotated[
        int | None, typer.Option("--k", "-k", min=1, help="Memories a recall; else as logged.")
    ] = None,
    dropout: Annotated[
        float, typer.Option("--dropout", min=0, max=0.99, help="How often it leaves a slot out.")
    ] = 0.0,
    abstain: Annotated[
        bool | None,
        typer.Option(
            "--abstain/--no-abstain", help="May it choose nothing? Else if the log ever did."
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the folds and the bootstrap.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Estimate what a policy would have earned, with 95 % intervals.

    The log must have been drawn by chance (a temperature above 0) and rewarded. A policy that
    learns is judged on each quarter of the episodes by what it learnt from the others.

        reverie policy eval ./memory --policy kernel-q

        reverie policy eval ./memory --user ann --policy similarity --temperature 0.1 --json
    """
    from .policy_eval import evaluate_learner, learning

    scope = Scope(user=user, agent=agent)
    with open_memory(where or memory) as opened:
        logs = _logs(opened, scope)
        if abstain is None:
            abstain = any(NOTHING in log.probabilities for log in logs)
        make = partial(_judgeable, opened, scope, policy, temperature, abstain, seed)
        found = evaluate_learner(logs, learning(make), k=k, dropout=dropout, seed=seed)
    if as_json:
        print_json(found.model_dump(mode="json") | {"abstain": abstain})
        return
    estimates = {
        "on the log": found.logged,
        "IPS": found.ips,
        "SNIPS": found.snips,
        "DR": found.dr,
    }
    table(
        ("reward a recall", "mean", "95 % interval", "recalls"),
        [_row(name, one) for name, one in estimates.items()],
    )
    print("\n".join(_diagnosis(found)))


@app.command()
def show(
    recall_id: Annotated[str, typer.Argument(help="The id of a logged recall.")],
    memory: Url = None,
    user: User = "default",
    agent: Agent = None,
    policy: Annotated[
        PolicyName | None,
        typer.Option("--policy", "-p", help="Whose values to show; else of the one that chose."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Explain a logged choice: what was offered, what was drawn and how likely, what it earned.

    The probability is that of being drawn at its turn, given what was drawn before. A dropped
    memory was drawn and then left out by chance. Values and counts are those of now, by all that
    the log teaches, not of then.

        reverie policy show 01J9ZC4T3N0000000000000000 --memory ./memory

        reverie policy show 01J9ZC4T3N0000000000000000 --user ann --json
    """
    scope = Scope(user=user, agent=agent)
    with open_memory(memory) as opened:
        log = opened.logged(recall_id, scope=scope)
        ids = [one.id for one in log.candidates]
        used = opened.utility(ids, scope=scope)
        texts = {name: _text(opened, scope, name) for name in ids}
        judge = policy or _named(log.policy)
        values = _values(opened, scope, judge, log, used)
    if as_json:
        print_json(_explained(log, texts, used, values) | {"valued_by": judge})
        return
    print("\n".join(_heading(log)))
    _show_candidates(log, texts, used, values, judge)


@app.command()
def trigger(
    memory: Url = None,
    user: User = "default",
    agent: Agent = None,
    price: Annotated[
        float | None, typer.Option("--price", min=0, help="Per 1,000 tokens; else the usual one.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what the learned trigger knows: when recalling pays, in reward, and what it costs.

    It recalls where the sum of weight × feature exceeds the cost of a recall. The calibration is
    the slope of what recalling changed on what had been predicted; 1 is exact.

        reverie policy trigger --memory ./memory --user ann
    """
    scope = Scope(user=user, agent=agent)
    with open_memory(memory) as opened:
        learnt = ready_trigger("learned", opened, scope, price=price)
        known = opened.learned(KEPT_TRIGGER, scope=scope) is not None
    assert isinstance(learnt, LearnedTrigger), "that is what this name makes"
    calibration = None if math.isnan(learnt.calibration) else learnt.calibration
    if as_json:
        print_json(
            {
                "learnt": known,
                "weights": learnt.weights,
                "cost": learnt.cost,
                "calibration": calibration,
            }
        )
        return
    if not known:
        print("nothing learnt yet in this scope; below is what it starts with")
    table(("feature", "weight"), [(name, f"{one:+.3f}") for name, one in learnt.weights.items()])
    print(f"cost of a recall: {learnt.cost:.4f}")
    print(f"calibration: {'not known yet' if calibration is None else f'{calibration:.2f}'}")


def _named(name: str) -> PolicyName:
    """The policy of that name if it is one of ours, else the one that learns most."""
    return cast(PolicyName, name) if name in get_args(PolicyName) else "kernel-q"


def _values(
    memory: Memory, scope: Scope, name: PolicyName, log: RecallLog, used: dict[str, Utility]
) -> dict[str, float]:
    """What each candidate is worth to a policy now, and under ``NOTHING`` what none is worth."""
    from .propensities import Evaluable, offer

    policy = ready_policy(name, memory, scope)
    assert isinstance(policy, Evaluable), "every one of ours draws by its draw"
    candidates = [
        Candidate(
            id=one.id,
            similarity=one.score,
            chosen=used[one.id].chosen,
            rewarded=used[one.id].rewarded,
            reward_mean=used[one.id].reward_mean,
        )
        for one in log.candidates
        if one.id in used
    ]
    if not candidates:
        return {}
    state = selection_of(with_vector(log, memory)).state
    return offer(policy, state, candidates, max(1, len(log.chosen) + len(log.dropped)))


def _logs(memory: Memory, scope: Scope) -> list[RecallLog]:
    """Every recall of the scope; queries of an embedder no longer used are embedded again."""
    found: list[RecallLog] = []
    while page := memory.recalls(scope=scope, limit=PAGE, after=found[-1].id if found else None):
        found += page
    return [log if log.reward is None else with_vector(log, memory) for log in found]


def _judgeable(
    memory: Memory,
    scope: Scope,
    name: PolicyName,
    temperature: float | None,
    abstain: bool,
    seed: int,
) -> Learnable:
    """A new policy of that name. Every one of ours draws by its ``draw``."""
    from .kernel_q import KernelQPolicy
    from .neural_q import NeuralQPolicy
    from .policy_eval import Learnable

    policy = make_policy(
        name,
        temperature=temperature,
        vectors=partial(memory.vectors, scope=scope),
        seed=seed,
    )
    if isinstance(policy, KernelQPolicy | NeuralQPolicy):
        policy.abstain = abstain
    assert isinstance(policy, Learnable)
    return policy


def _row(name: str, one: Estimate) -> tuple[str, str, str, str]:
    return (name, f"{one.mean:.3f}", f"{one.ci[0]:.3f} to {one.ci[1]:.3f}", str(one.n))


def _diagnosis(found: Evaluation) -> list[str]:
    overlap = found.overlap
    mean = overlap.mean_weight
    used = f"{overlap.used} of {overlap.logged} logged recalls ({overlap.share:.0%})"
    worth, largest = f"{overlap.effective:.0f} episodes", f"{overlap.largest_weight:.1f}"
    interval = f"{mean.ci[0]:.2f} to {mean.ci[1]:.2f}"
    return [
        f"policy: {found.policy}, k {found.k}, dropout {found.dropout:g}",
        f"used: {used}, of which it might have made {overlap.matched:.0%}",
        f"effective sample: {worth}; largest weight {largest}",
        f"mean weight: {mean.mean:.2f} ({interval}); 1 where the log could draw all it draws",
    ]


def _text(memory: Memory, scope: Scope, name: str) -> str | None:
    try:
        return memory.get(name, scope=scope).text
    except RecordNotFound:
        return None


def _fate(log: RecallLog, name: str) -> str:
    if name in log.chosen:
        return "chosen"
    return "dropped" if name in log.dropped else ""


def _heading(log: RecallLog) -> list[str]:
    lines = [
        f"query: {log.query}",
        f"when: {when(log.at)}",
        f"policy: {log.policy}, dropout {log.dropout:g}",
        f"reward: {'none yet' if log.reward is None else f'{log.reward:g}'}",
        *(f"{name}: {value}" for name, value in log.context.items()),
    ]
    if NOTHING in log.probabilities:
        lines.append(f"stopped: with probability {log.probabilities[NOTHING]:.3f}")
    return lines


def _show_candidates(
    log: RecallLog,
    texts: dict[str, str | None],
    used: dict[str, Utility],
    values: dict[str, float],
    judge: str,
) -> None:
    rows: list[tuple[str, ...]] = []
    for one in log.candidates:
        use = used.get(one.id)
        drawn = one.id in log.probabilities
        rows.append(
            (
                one.id,
                f"{one.score:.3f}",
                f"{values[one.id]:.3f}" if one.id in values else "",
                f"{one.probability:.3f}" if drawn else "",
                _fate(log, one.id),
                "" if use is None else f"{use.chosen} of {use.recalled}",
                f"{use.reward_mean:.3f} ({use.rewarded})" if use and use.rewarded else "",
                texts[one.id] or "(no longer there)",
            )
        )
    head = ("id", "similarity", "value", "probability", "fate", "chosen", "mean reward", "text")
    print(f"values: by {judge}, as learnt by now")
    if NOTHING in values:
        print(f"value of choosing nothing: {values[NOTHING]:.3f}")
    table(head, rows)


def _explained(
    log: RecallLog,
    texts: dict[str, str | None],
    used: dict[str, Utility],
    values: dict[str, float],
) -> dict[str, object]:
    candidates: list[dict[str, object]] = []
    for one in log.candidates:
        use = used.get(one.id)
        candidates.append(
            {
                "id": one.id,
                "text": texts[one.id],
                "similarity": one.score,
                "value": values.get(one.id),
                "probability": log.probabilities.get(one.id),
                "fate": _fate(log, one.id) or None,
                "recalled": use.recalled if use else 0,
                "chosen": use.chosen if use else 0,
                "rewarded": use.rewarded if use else 0,
                "reward_mean": use.reward_mean if use and use.rewarded else None,
            }
        )
    return {
        "id": log.id,
        "at": log.at.isoformat(),
        "query": log.query,
        "policy": log.policy,
        "context": log.context,
        "dropout": log.dropout,
        "reward": log.reward,
        "chosen": list(log.chosen),
        "dropped": list(log.dropped),
        "stop_probability": log.probabilities.get(NOTHING),
        "value_of_nothing": values.get(NOTHING),
        "candidates": candidates,
    }
