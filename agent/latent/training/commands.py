"""``reverie train`` and ``reverie eval``: teach a latent weaver and its trigger, and judge them.

A thin skin: it parses, calls `train` and `score`, and renders.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ....errors import SettingsError
from ....memory.terminal import AsJson, Url, User, answer, open_memory, progress, table

if TYPE_CHECKING:
    from ..backbone import Backbone
    from .examples import Example
    from .weaver_loss import Draw

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
Steps = Annotated[int, typer.Option("--steps", min=1)]
BatchSize = Annotated[int, typer.Option("--batch", min=1, help="Examples a step.")]
Rate = Annotated[float, typer.Option("--rate", min=0, help="Learning rate.")]
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
    offload: Annotated[
        bool, typer.Option("--offload", help="Keep activations in main memory.")
    ] = False,
    device: Device = "cpu",
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Teach a weaver from JSONL, or from the agent's own successes.

    Stop it at any time: the same command goes on where it was.

    [bold]Examples[/bold]

    reverie train weaver --out weaver --data lived.jsonl --retention chat.jsonl

    reverie train weaver --out weaver --cases --memory ./memory --distillation 0.5
    """
    import torch

    from ..backbone import open_backbone
    from ..config import LatentConfig, LoraConfig, WeaverConfig
    from ..net import WovenNet
    from .trainer import TrainOptions, train
    from .weaver_grpo import WeaverGRPO, WeaverRL
    from .weaver_loss import WeaverLosses, weaver_loss

    model = open_backbone(backbone, dtype=torch.bfloat16 if bf16 else torch.float32, device=device)
    lived = _examples(model, data, memory, user, cases=cases)
    kept = _read(model, retention) if retention is not None else None
    lora = LoraConfig(rank=rank, alpha=2.0 * rank)
    weaver = WeaverConfig(prompt_latents=latents, inner_latents=latents, lora=lora)
    net = WovenNet(model, LatentConfig(weaver=weaver, seed=seed))
    losses = WeaverLosses(batch=batch, distillation=distillation)
    loss = weaver_loss(net, _draw(lived), losses, _draw(kept) if kept else None)
    options = TrainOptions(
        steps=steps, rate=rate, accumulate=accumulate, bf16=bf16, offload=offload, seed=seed
    )
    with progress("Weaving") as watch:
        done = train(net, loss, options, folder=out, watch=lambda s, n, _: watch(s, n))
    fields: dict[str, object] = {"examples": len(lived), "steps": steps, **_ends(done)}
    if rl_steps:
        longest = max(len(one.answer) for one in lived)
        rl = WeaverGRPO(net, _draw(lived), WeaverRL(kl=kl, max_tokens=2 * longest))
        options = options.model_copy(update={"steps": rl_steps, "rate": rate / 10})
        with progress("Reinforcing") as watch:
            train(net, rl, options, folder=out / "rl", watch=lambda s, n, _: watch(s, n))
        fields |= {"rl_steps": rl_steps, "reward": rl.reward, "weaver": str(out / "rl")}
    answer(as_json, fields, f"Trained on {len(lived)} examples in {steps} steps: {out}")


@train_app.command("trigger")
def train_trigger(
    weaver_path: Annotated[Path, typer.Option("--weaver-path", help="Folder of the weaver.")],
    out: Out,
    data: Data = None,
    retention: Retention = None,
    cases: FromMemory = False,
    memory: Url = None,
    user: User = "default",
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
    device: Device = "cpu",
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Teach the trigger when weaving pays: by what insertions were worth, then by reward.

    reverie train trigger --weaver-path weaver --out woven --data lived.jsonl --retention chat.jsonl
    """
    from ..checkpoint import load_net
    from .trainer import TrainOptions, train
    from .trigger_training import TriggerGRPO, TriggerRL, warm_start_loss

    net = load_net(weaver_path, device=device)
    lived = _examples(net.backbone, data, memory, user, cases=cases)
    lived += _read(net.backbone, retention) if retention is not None else []
    draw = _draw(lived)
    heads = list(net.trigger.parameters())
    options = TrainOptions(steps=steps, rate=rate, seed=seed)
    loss = warm_start_loss(net, draw, batch=batch, seed=seed)
    with progress("Judging insertions") as watch:
        done = train(
            net, loss, options, parameters=heads, folder=out, watch=lambda s, n, _: watch(s, n)
        )
    fields: dict[str, object] = {"examples": len(lived), "steps": steps, **_ends(done)}
    if rl_steps:
        longest = max(len(one.answer) for one in lived)
        rl_options = TriggerRL(penalty=penalty, target=target, max_tokens=2 * longest)
        rl = TriggerGRPO(net, draw, rl_options)
        options = options.model_copy(update={"steps": rl_steps})
        with progress("Reinforcing") as watch:
            train(
                net,
                rl,
                options,
                parameters=heads,
                folder=out / "rl",
                watch=lambda s, n, _: watch(s, n),
            )
        fields |= {"rl_steps": rl_steps, "rate": rl.rate, "penalty": rl.penalty}
    answer(as_json, fields, f"Trained the trigger on {len(lived)} examples: {out}")


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
    from ..checkpoint import load_net
    from .comparison import compare

    net = load_net(weaver_path, device=device)
    new = _read(net.backbone, data)[:limit]
    old = _read(net.backbone, retention)[:limit] if retention is not None else []
    with progress("Answering") as watch:
        found = compare(net, new, old, best_of=samples, watch=watch)
    if as_json:
        answer(True, {"questions": len(new), "arms": found}, "")
        return
    columns = list(next(iter(found.values())))
    rows = [[name, *(f"{one[key]:.4g}" for key in columns)] for name, one in found.items()]
    table(["arm", *columns], rows)


def _examples(
    model: Backbone, data: Path | None, memory: str | None, user: str, *, cases: bool
) -> list[Example]:
    """What to learn from: a file, the agent's cases, or both."""
    found = _read(model, data) if data is not None else []
    if cases:
        from ....memory.cases import CaseMemory
        from ....memory.records import Scope
        from .episodes import episode_examples

        assert model.tokenizer is not None
        with open_memory(memory) as opened:
            bank = CaseMemory(opened, Scope(user=user))
            found += _fit(model, episode_examples(bank, model.tokenizer))
    if not found:
        raise SettingsError(
            "There is nothing to learn from. Give --data FILE.jsonl, or --cases with a memory that"
            " holds successful episodes."
        )
    return found


def _read(model: Backbone, path: Path) -> list[Example]:
    from .examples import read_examples

    if model.tokenizer is None:
        raise SettingsError("This backbone has no tokenizer, so it can't read text.")
    return _fit(model, read_examples(path, model.tokenizer))


def _fit(model: Backbone, examples: list[Example]) -> list[Example]:
    from .examples import fitting

    kept, left = fitting(examples, model.context_tokens)
    if left:
        typer.echo(f"{left} examples are too long for the model's context: left out.", err=True)
    return kept


def _draw(examples: list[Example]) -> Draw:
    def draw(rng: random.Random) -> Example:
        return rng.choice(examples)

    return draw


def _ends(losses: list[float]) -> dict[str, object]:
    return {"first_loss": losses[0], "last_loss": losses[-1]} if losses else {}
