"""``reverie train`` and ``reverie eval``: teach a latent weaver and its trigger, and judge them.

A thin skin: it parses, calls `train` and `score`, and renders.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ....errors import SettingsError
from ....memory.terminal import AsJson, Url, User, Watch, answer, open_memory, progress, table
from ..config import PREFIX_GIB

if TYPE_CHECKING:
    from torch.nn import Parameter

    from ..backbone import Backbone
    from ..net import WovenNet
    from .examples import Example
    from .trainer import Loss, TrainOptions

train_app = typer.Typer(
    name="train",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Train memory that is woven as vectors into a local model, which stays frozen.

    First a [bold]weaver[/bold], then its [bold]trigger[/bold].""",
)
eval_app = typer.Typer(
    name="eval",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Judge what was trained: [bold]weaver[/bold].",
)

Out = Annotated[Path, typer.Option("--out", "-o", help="Folder of the weaver; goes on in it.")]
Data = Annotated[
    Path | None, typer.Option("--data", help="JSONL: prompt (or question), answer, memory, group.")
]
Retention = Annotated[
    Path | None, typer.Option("--retention", help="JSONL of what must not be forgotten.")
]
FromMemory = Annotated[
    bool, typer.Option("--cases", help="Learn from the successes in the agent's memory.")
]
Split = Annotated[
    list[str] | None,
    typer.Option("--split", help="With --cases: of this split, too; else only of train, or none."),
]
Steps = Annotated[int, typer.Option("--steps", min=1)]
BatchSize = Annotated[int, typer.Option("--batch", min=1, help="Examples a step.")]
Rate = Annotated[float, typer.Option("--rate", min=0, help="Learning rate.")]
PrefixCache = Annotated[
    float,
    typer.Option(
        "--prefix-cache",
        min=0,
        help="GiB beside the model for what prompts begin with, so that it is read once.",
    ),
]
Seed = Annotated[int, typer.Option("--seed")]
Device = Annotated[str, typer.Option("--device", help="cpu, cuda, ...")]


@train_app.command("weaver")
def train_weaver(
    out: Out,
    backbone: Annotated[
        str, typer.Option("--backbone", help="local, FILE.gguf, a folder, or a hub's name.")
    ] = "local",
    data: Data = None,
    retention: Retention = None,
    cases: FromMemory = False,
    memory: Url = None,
    user: User = "default",
    split: Split = None,
    steps: Steps = 1000,
    batch: BatchSize = 8,
    rate: Rate = 1e-3,
    latents: Annotated[int, typer.Option("--latents", min=1, help="K at a point.")] = 8,
    rank: Annotated[int, typer.Option("--rank", min=1, help="Of the weaver's delta.")] = 16,
    distillation: Annotated[
        float, typer.Option("--distillation", min=0, max=1, help="Weight of the text's teacher.")
    ] = 0.0,
    rl_steps: Annotated[
        int, typer.Option("--rl-steps", min=0, help="Steps of reinforcement afterwards.")
    ] = 0,
    kl: Annotated[float, typer.Option("--kl", min=0, help="Its pull to the bare model.")] = 0.0,
    accumulate: Annotated[int, typer.Option("--accumulate", min=1)] = 1,
    bf16: Annotated[bool, typer.Option("--bf16", help="Compute in bfloat16.")] = False,
    checkpointing: Annotated[
        bool, typer.Option("--checkpointing", help="Less memory: compute layers twice.")
    ] = False,
    offload: Annotated[
        bool, typer.Option("--offload", help="Keep activations in main memory.")
    ] = False,
    prefix_cache: PrefixCache = PREFIX_GIB,
    device: Device = "cpu",
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Teach a weaver from JSONL, or from the agent's own successes.

    Stop it at any time: the same command goes on where it was.

    [bold]Examples[/bold]

    reverie train weaver --out weaver --data lived.jsonl --retention chat.jsonl

    reverie train weaver --out weaver --cases --memory ./memory --distillation 0.5

    accelerate launch -m reverie train weaver --out weaver --data lived.jsonl --device cuda
    """
    from .. import open_backbone
    from .processes import join
    from .teaching import drawn, new_net, precision, read, teach_weaver
    from .trainer import TrainOptions
    from .weaver_grpo import WeaverGRPO, WeaverRL
    from .weaver_loss import WeaverLosses

    model = open_backbone(backbone, dtype=precision(bf16=bf16), device=join(device))
    lived = _examples(model, data, memory, user, cases=cases, splits=split or ())
    kept = read(model, retention) if retention is not None else []
    net = new_net(model, latents=latents, rank=rank, seed=seed)
    losses = WeaverLosses(batch=batch, distillation=distillation)
    options = TrainOptions(
        steps=steps,
        rate=rate,
        accumulate=accumulate,
        bf16=bf16,
        checkpointing=checkpointing,
        offload=offload,
        seed=seed,
    )
    keep = drawn(kept) if kept else None
    with _bar("Weaving") as watch:
        done = teach_weaver(
            net,
            drawn(lived),
            keep,
            losses,
            options,
            folder=out,
            prefix_gib=prefix_cache,
            watch=_with_loss(watch),
        )
    fields: dict[str, object] = {"examples": len(lived), "steps": steps, **_ends(done)}
    if rl_steps:
        rl = WeaverGRPO(net, drawn(lived), WeaverRL(kl=kl, max_tokens=_room(lived)))
        options = options.model_copy(update={"steps": rl_steps, "rate": rate / 10})
        _reinforce(net, rl, options, out)
        fields |= {"rl_steps": rl_steps, "reward": rl.reward, "weaver": str(out / "rl")}
    _told(as_json, fields, f"Trained on {len(lived)} examples in {steps} steps: {out}")


@train_app.command("trigger")
def train_trigger(
    weaver_path: Annotated[Path, typer.Option("--weaver-path", help="Folder of the weaver.")],
    out: Out,
    data: Data = None,
    retention: Retention = None,
    cases: FromMemory = False,
    memory: Url = None,
    user: User = "default",
    split: Split = None,
    steps: Steps = 300,
    rl_steps: Annotated[
        int, typer.Option("--rl-steps", min=0, help="Steps of reinforcement afterwards.")
    ] = 0,
    penalty: Annotated[float, typer.Option("--penalty", min=0, help="λ, per insertion.")] = 0.1,
    target: Annotated[
        float | None, typer.Option("--target", min=0, max=1, help="Rate to steer λ to.")
    ] = None,
    batch: BatchSize = 32,
    rate: Rate = 1e-2,
    prefix_cache: PrefixCache = PREFIX_GIB,
    device: Device = "cpu",
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Teach the trigger when weaving pays: by what insertions were worth, then by reward.

    reverie train trigger --weaver-path weaver --out woven --data lived.jsonl --retention chat.jsonl
    """
    from .. import load_net
    from .processes import join
    from .teaching import drawn, read, teach_trigger
    from .trainer import TrainOptions
    from .trigger_training import TriggerGRPO, TriggerRL

    net = load_net(weaver_path, device=join(device))
    lived = _examples(net.backbone, data, memory, user, cases=cases, splits=split or ())
    lived += read(net.backbone, retention) if retention is not None else []
    draw = drawn(lived)
    options = TrainOptions(steps=steps, rate=rate, seed=seed)
    with _bar("Judging insertions") as watch:
        done = teach_trigger(net, draw, options, batch=batch, folder=out, watch=_with_loss(watch))
    fields: dict[str, object] = {"examples": len(lived), "steps": steps, **_ends(done)}
    if rl_steps:
        price = TriggerRL(penalty=penalty, target=target, max_tokens=_room(lived))
        rl = TriggerGRPO(net, draw, price)
        options = options.model_copy(update={"steps": rl_steps})
        _reinforce(net, rl, options, out, list(net.trigger.parameters()))
        fields |= {"rl_steps": rl_steps, "rate": rl.rate, "penalty": rl.penalty}
    _told(as_json, fields, f"Trained the trigger on {len(lived)} examples: {out}")


@eval_app.callback()
def judge() -> None:
    """Judge what was trained."""  # with a single command, typer would drop its name


@eval_app.command("weaver")
def eval_weaver(
    weaver_path: Annotated[Path, typer.Option("--weaver-path", help="Folder of the weaver.")],
    data: Annotated[Path, typer.Option("--data", help="JSONL of questions on the new.")],
    retention: Retention = None,
    samples: Annotated[
        int, typer.Option("--best-of", min=0, help="n of best-of-n; 0: at equal FLOPs.")
    ] = 0,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Questions at most.")] = None,
    device: Device = "cpu",
    as_json: AsJson = False,
) -> None:
    """Compare a weaver with the bare model, itself behind its trigger, and best-of-n.

    Prompts are the same in all arms, through the model's chat template.

    reverie eval weaver --weaver-path woven --data held_out.jsonl --retention chat.jsonl
    """
    from .. import load_net
    from .comparison import compare
    from .teaching import read

    net = load_net(weaver_path, device=device)
    new = read(net.backbone, data)[:limit]
    old = read(net.backbone, retention)[:limit] if retention is not None else []
    with _bar("Answering") as watch:
        found = compare(net, new, old, best_of=samples, watch=watch)
    if as_json:
        answer(True, {"questions": len(new), "arms": found}, "")
        return
    measures = {key: [one[key] for one in found.values()] for key in found["vanilla"]}
    rows = [
        [key, *("" if math.isnan(one) else f"{one:.4g}" for one in values)]
        for key, values in measures.items()
        if not all(map(math.isnan, values))
    ]
    table(["measure", *found], rows)


def _examples(
    model: Backbone,
    data: Path | None,
    memory: str | None,
    user: str,
    *,
    cases: bool,
    splits: Sequence[str],
) -> list[Example]:
    """What to learn from: a file, the agent's cases, or both."""
    from ....memory.cases import CaseMemory
    from ....memory.records import Scope
    from ...successes import successes
    from .teaching import lived, read, read_by_first

    found = read(model, data) if data is not None else []

    def won() -> list[Example]:
        with open_memory(memory) as opened, progress("Reading cases") as watch:
            bank = CaseMemory(opened, Scope(user=user))
            known = successes(bank, splits)
            return lived(model, bank, known.ids, without=known.held_out, watch=watch)

    if cases:
        found += read_by_first(model, won)  # a memory is open in one process at a time
    if not found:
        raise SettingsError(
            "There is nothing to learn from. Give --data FILE.jsonl, or --cases with a memory that"
            " holds successful episodes."
        )
    return found


def _reinforce(
    net: WovenNet,
    loss: Loss,
    options: TrainOptions,
    out: Path,
    parameters: list[Parameter] | None = None,
) -> None:
    """Train on by reward, of the trigger its ``parameters`` alone: in a folder of its own."""
    from .trainer import train

    folder = out / "rl"
    with _bar("Reinforcing") as watch:
        train(
            net,
            loss,
            options,
            parameters=parameters,
            folder=folder,
            watch=_with_loss(watch),
        )


def _room(examples: Sequence[Example]) -> int:
    """How many tokens an answer may take: twice the longest wanted."""
    return 2 * max(len(one.answer) for one in examples)


def _bar(what: str) -> AbstractContextManager[Watch]:
    """Of several processes one shows how far they are."""
    from .processes import rank

    return progress(what) if rank() == 0 else nullcontext(_unseen)


def _unseen(done: int, of: int, note: str = "") -> None:
    """Shows nothing."""


def _with_loss(watch: Watch) -> Callable[[int, int, float], None]:
    return lambda step, steps, loss: watch(step, steps, f"loss {loss:.3f}")


def _told(as_json: bool, fields: dict[str, object], words: str) -> None:
    """Of several processes one reports."""
    from .processes import rank

    if rank() == 0:
        answer(as_json, fields, words)


def _ends(losses: list[float]) -> dict[str, object]:
    return {"first_loss": losses[0], "last_loss": losses[-1]} if losses else {}
