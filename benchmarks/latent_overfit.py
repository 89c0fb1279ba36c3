"""Can a real backbone be told sixteen new facts through latents alone?

    python benchmarks/latent_overfit.py [--quick] [--json] [--backbone local]
                                        [--queries learned] [--writes embeddings]

SmolLM2-135M-Instruct stays frozen; a weaver with 8 latents at the end of the prompt learns the
answers to 16 questions about things that do not exist. It passes if the loss falls by 90 %, all 16
answers are then generated word for word, and the backbone's bytes are what they were. --quick takes
4 facts, ``--queries learned --writes embeddings`` the paper's latents, which learn far more slowly.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Any

import torch

from reverie.agent.latent.backbone import Backbone, open_backbone
from reverie.agent.latent.config import LatentConfig, WeaverConfig
from reverie.agent.latent.forced import forced, token_logprobs
from reverie.agent.latent.generation import Always, Sampling, generate
from reverie.agent.latent.net import WovenNet
from reverie.agent.latent.plan import Point
from reverie.agent.models.base import Message
from reverie.benchmarks.machine import print_figures

FACTS = {
    "capital of Oruvia": "Tembal",
    "colour of a glim": "dark red",
    "price of a zorn": "41 marks",
    "founder of Halden": "Mira Sol",
    "height of Mount Quell": "3,207 m",
    "currency of Pelas": "the dorin",
    "moon of Yssa": "Karo",
    "code of the vault": "7720",
    "king of the Fenn": "Oswin II",
    "food of a brindle": "wet moss",
    "author of Low Tides": "Ada Renn",
    "river of Castor": "the Lume",
    "year of the Tarn war": "1382",
    "door of the exit": "number 9",
    "cure for grey fever": "salt tea",
    "password of the inn": "thistle",
}


def rows_of(backbone: Backbone, facts: dict[str, str]) -> tuple[list[list[int]], list[list[int]]]:
    """Prompts and answers as tokens; an answer ends its turn."""
    tokenizer = backbone.tokenizer
    assert tokenizer is not None and tokenizer.turn_end is not None
    asked = [Message(role="user", content=f"What is the {one}?") for one in facts]
    # An own system message, because SmolLM2's template would add a longer one.
    brief = Message(role="system", content="Be brief.")
    prompts = [tokenizer.prompt([brief, one]) for one in asked]
    answers = [[*tokenizer.encode(one), tokenizer.turn_end] for one in facts.values()]
    return prompts, answers


def overfit(
    backbone: Backbone, config: WeaverConfig, count: int, steps: int, rate: float
) -> dict[str, float]:
    """Train on ``count`` facts and test on the same."""
    prompts, answers = rows_of(backbone, dict(list(FACTS.items())[:count]))
    rows = [[*prompt, *answer] for prompt, answer in zip(prompts, answers, strict=True)]
    plan = tuple((Point(len(prompt), "prompt"),) for prompt in prompts)
    longest = max(map(len, rows)) - 1
    wanted = torch.arange(longest) >= torch.tensor([[len(prompt) - 1] for prompt in prompts])
    net = WovenNet(backbone, LatentConfig(weaver=config))
    net.open_gate()
    before, started = backbone.digest(), time.process_time()
    # A full matrix that starts as the identity is soon lost at the others' rate.
    maps = [one for name, one in net.weaver.named_parameters() if "ward" in name]
    others = [one for name, one in net.weaver.named_parameters() if "ward" not in name]
    groups = [{"params": others, "lr": rate}, {"params": maps, "lr": rate / 10}]
    optimizer: Any = torch.optim.AdamW(groups, weight_decay=0.0)
    losses: list[float] = []
    tokens = sum(map(len, answers))
    clip: Any = torch.nn.utils.clip_grad_norm_
    for _ in range(steps):
        loss: Any = -token_logprobs(net, forced(net, rows, plan), wanted).sum() / tokens
        optimizer.zero_grad()
        loss.backward()
        clip(net.weaver.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        print(f"step {len(losses)}: {losses[-1]:.4f} nats a token", file=sys.stderr, flush=True)
        if losses[-1] < 0.02:
            break
    said = generate(net, prompts, decider=Always(), sampling=Sampling(max_tokens=12))
    exact = sum(one.tokens == answer for one, answer in zip(said, answers, strict=True))
    return {
        "loss_first": losses[0],
        "loss_last": losses[-1],
        "loss_fall": 1 - losses[-1] / losses[0],
        "exact_match": exact / count,
        "backbone_unchanged": float(backbone.digest() == before),
        "steps": float(len(losses)),
        "processor_s": time.process_time() - started,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Overfit, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--backbone", default="local")
    parser.add_argument("--writes", choices=("cache", "embeddings"), default="cache")
    parser.add_argument("--queries", choices=("reread", "learned"), default="reread")
    parser.add_argument("--steps", type=int, default=80)
    parser.add_argument("--rate", type=float, default=2e-3)
    options = parser.parse_args(arguments)
    backbone = open_backbone(options.backbone)
    count = 4 if options.quick else len(FACTS)
    config = WeaverConfig(inner_latents=0, writes=options.writes, queries=options.queries)
    metrics = overfit(backbone, config, count, options.steps, options.rate)
    title = f"{count} facts told to {options.backbone} by latents"
    print_figures("latent_overfit", title, metrics, as_json=options.json)


if __name__ == "__main__":
    main()
