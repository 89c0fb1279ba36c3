"""G2: SmolLM2-135M on GSM8K: likelihood and exact answers of weaver, pause and plain LoRA.

python benchmarks/gpu/g2_gsm8k.py --train gsm8k/train.jsonl --test gsm8k/test.jsonl

135 million weights solve few of these problems, so the likelihood of the reference is the figure to
read.
"""

from __future__ import annotations

import random
from pathlib import Path

import torch
from reasoner import options, report

from reverie.agent.latent.backbone import open_backbone
from reverie.agent.latent.config import LatentConfig
from reverie.agent.latent.training.arms import make_arm
from reverie.agent.latent.training.evaluation import score
from reverie.agent.latent.training.examples import Example, fitting, read_examples
from reverie.agent.latent.training.experiment import plain_loss
from reverie.agent.latent.training.trainer import TrainOptions, train
from reverie.agent.latent.training.weaver_loss import WeaverLosses, weaver_loss

given = options(__doc__, train=None, test=None, steps=200, batch=16)


def run() -> dict[str, float]:
    """Train each arm for the same steps; nats a token of the reference answers."""
    dtype = torch.bfloat16 if given.device == "cuda" else torch.float32
    backbone = open_backbone(device=given.device, dtype=dtype)
    tokenizer = backbone.tokenizer
    assert tokenizer is not None

    def read(path: Path) -> list[Example]:
        return fitting(read_examples(path, tokenizer), 512)[0]

    lived, tests = read(given.train), read(given.test)[:256]
    found: dict[str, float] = {}
    for name in ("vanilla", "pause", "weaver", "lora", "lora_params"):
        arm = make_arm(name, backbone, LatentConfig(seed=given.seed))
        losses = WeaverLosses(batch=given.batch, exchange=0.0)

        def draw(rng: random.Random) -> Example:
            return rng.choice(lived)

        if arm.parameters():
            loss = (
                weaver_loss(arm.net, draw, losses)
                if arm.woven
                else plain_loss(arm, draw, losses, draw)
            )
            settings = TrainOptions(steps=given.steps, rate=3e-4, save_every=10**9)
            train(arm.net, loss, settings, parameters=arm.parameters())
        scores = score(arm, tests[:64])
        found[f"{name}.likelihood"], found[f"{name}.exact"] = scores.likelihood, scores.exact
        found[f"{name}.parameters"] = arm.size
    return found


report("g2_gsm8k", run)
