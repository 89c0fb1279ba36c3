"""What latent memory costs: decoding with and without insertions, and conversations that go on.

`latent.py --part speed` runs it. Plain decoding stands against insertions into the kept cache
(cached: latents left there; embedded: latents read as embeddings are) and against re-prefilling
the whole batch at each insertion, as the reference code does: 4 insertions of 8 latents a row in
256 tokens, on a model of random weights. Each row's come at steps of its own, as delimiters do, or
all rows' together, which spares the re-prefilling variant most of its work. Figures are processor
time; on a GPU, wall time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from reverie.agent.latent.backbone import Backbone
from reverie.agent.latent.config import LatentConfig, LoraConfig, WeaverConfig
from reverie.agent.latent.forced import forced
from reverie.agent.latent.generation import Always, Never, Planned, Run, Sampling
from reverie.agent.latent.net import WovenNet
from reverie.agent.latent.plan import Point
from reverie.agent.latent.stream import Stream
from reverie.agent.latent.tensors import integers

INSERTIONS, LATENTS, NEW_TOKENS = 4, 8, 256
MODES = ("plain", "cached", "embedded", "reprefill")


def insertions(rows: int, *, together: bool) -> Tensor:
    """How many new tokens (rows, INSERTIONS) stand before each insertion."""
    every = NEW_TOKENS // INSERTIONS
    first = torch.full((rows,), every // 2) if together else torch.arange(rows) * every // rows
    return 1 + first[:, None] + every * torch.arange(INSERTIONS)


class Reprefilling:
    """Greedy decoding that reads the whole batch again at each insertion."""

    def __init__(self, net: WovenNet, prompts: Tensor, points: Tensor) -> None:
        self.net, self.ids, self.points = net, prompts, points
        self.woven = torch.zeros(len(prompts), dtype=torch.long)
        self.stream = self.read_again(torch.arange(len(prompts)))

    def run(self) -> None:
        """Add NEW_TOKENS tokens."""
        rows = torch.arange(len(self.ids))
        for step in range(1, NEW_TOKENS + 1):
            chosen = self.net.backbone.logits(self.stream.hidden).argmax(-1)
            self.ids = torch.cat([self.ids, chosen[:, None].cpu()], dim=1)
            self.stream.read(rows, self.ids[:, -1:], torch.ones_like(rows))
            due = rows[(self.points == step).any(1)]
            if len(due):
                self.insert(due)

    def insert(self, rows: Tensor) -> None:
        """Weave, and read everything again."""
        self.net.weaver.weave(self.stream, rows, "inner")
        assert self.net.weaver.lora is not None
        with self.net.weaver.lora.on():  # the reference's weaver reads all that its rows hold
            self.read_again(rows)
        self.woven[rows] += LATENTS
        self.stream = self.read_again(torch.arange(len(self.ids)))

    def read_again(self, rows: Tensor) -> Stream:
        """A new stream that has read these rows in one pass.

        Behind the tokens stand as many more as latents were woven: which ones changes no time.
        """
        length = self.ids.shape[1]
        counts = length + self.woven[rows]
        ids = torch.zeros(len(rows), int(counts.max()), dtype=torch.long)
        ids[:, :length] = self.ids[rows]
        room = length + NEW_TOKENS + INSERTIONS * LATENTS
        stream = self.net.stream([room] * len(rows), points=INSERTIONS + 1)
        stream.read(stream.all(), ids, counts)
        return stream


def decoding(net: WovenNet, mode: str, prompts: Tensor, points: Tensor) -> Callable[[], None]:
    """What is timed: the prompts have been read."""
    if mode == "reprefill":
        return Reprefilling(net, prompts, points).run
    plan = tuple(tuple(Point(prompts.shape[1] + at) for at in integers(row)) for row in points)
    decider = Never() if mode == "plain" else Planned(plan)
    run = Run(net, [integers(row) for row in prompts], decider, Sampling(NEW_TOKENS), None)

    def decode() -> None:
        while run.step():
            pass

    return decode


def open_net(backbone: Backbone, mode: str) -> WovenNet:
    """A weaver of the size that is timed, with its gate open."""
    weaver = WeaverConfig(
        prompt_latents=0,
        inner_latents=LATENTS,
        inner_points=INSERTIONS,
        lora=LoraConfig(rank=16),
        writes="cache" if mode == "cached" else "embeddings",
    )
    net = WovenNet(backbone, LatentConfig(weaver=weaver))
    net.open_gate()
    return net


@torch.no_grad()
def seconds(net: WovenNet, mode: str, rows: int, length: int, *, together: bool) -> float:
    """Processor seconds to decode; on a GPU, seconds."""
    generator = torch.Generator().manual_seed(rows * length)
    prompts = torch.randint(net.backbone.vocabulary, (rows, length), generator=generator)
    on_gpu = net.backbone.device.type == "cuda"
    clock = time.perf_counter if on_gpu else time.process_time
    decode = decoding(net, mode, prompts, insertions(rows, together=together))
    began = clock()
    decode()
    if on_gpu:
        torch.cuda.synchronize()
    return clock() - began


def speed(backbone: Backbone, sizes: Sequence[tuple[int, int]], repeats: int) -> dict[str, float]:
    """Tokens a second by mode and size (rows, prompt's length), and the ratios promised."""
    nets = {mode: open_net(backbone, mode) for mode in MODES}
    found: dict[str, float] = {}
    cases = [
        (b, n, together) for b, n in sizes for together in ((True, False) if b > 1 else (True,))
    ]
    for rows, length, together in cases:
        taken = {mode: list[float]() for mode in MODES}
        for _ in range(repeats):
            for mode in MODES:  # in turn, so that a busy moment strikes all alike
                taken[mode].append(seconds(nets[mode], mode, rows, length, together=together))
        best = {mode: min(each) for mode, each in taken.items()}
        case = f"b{rows}.l{length}" + (".together" if together and rows > 1 else "")
        for mode, each in best.items():
            found[f"tokens_per_s.{mode}.{case}"] = rows * NEW_TOKENS / each
        found[f"cached_overhead.{case}"] = best["cached"] / best["plain"] - 1
        found[f"embedded_overhead.{case}"] = best["embedded"] / best["plain"] - 1
        found[f"speedup_vs_reprefill.{case}"] = best["reprefill"] / best["cached"]
    found["cached_overhead"] = max(x for key, x in found.items() if key.startswith("cached_"))
    for ending in ("", ".together"):
        keys = [f"speedup_vs_reprefill.b{b}.l{n}{ending}" for b, n in sizes if b == 8]
        if keys:
            name = f"speedup_vs_reprefill_b8{ending.replace('.', '_')}"
            found[name] = min(found[key] for key in keys)
    return found


@torch.no_grad()
def conversation_speedup(
    backbone: Backbone, turns: int = 8, *, first: int = 512, more: int = 48
) -> float:
    """How many times faster a conversation goes on than if each turn read it all anew."""
    weaver = WeaverConfig(prompt_latents=LATENTS, inner_latents=0)
    net = WovenNet(backbone, LatentConfig(weaver=weaver))
    net.open_gate()
    generator = torch.Generator().manual_seed(0)
    said = integers(
        torch.randint(backbone.vocabulary, (first + turns * more,), generator=generator)
    )
    taken = {True: 0.0, False: 0.0}
    past: Stream | None = None
    for turn in range(turns):
        for goes_on in taken:
            began = time.process_time()
            prompt = said[: first + turn * more]
            run = Run(net, [prompt], Always(), Sampling(16), None, past=past if goes_on else None)
            while run.step():
                pass
            taken[goes_on] += time.process_time() - began
            past = run.stream if goes_on else past
    return taken[False] / taken[True]


@torch.no_grad()
def noop_difference(backbone: Backbone) -> float:
    """The largest difference that an untrained weaver makes to a logit."""
    net = WovenNet(backbone, LatentConfig())
    generator = torch.Generator().manual_seed(0)
    rows = [
        integers(torch.randint(backbone.vocabulary, (48,), generator=generator)) for _ in range(4)
    ]
    plan = tuple((Point(8 + row, "prompt"), Point(20), Point(40)) for row in range(4))
    woven, plain = forced(net, rows, plan), forced(net, rows, ((),) * 4)
    apart = backbone.logits(woven.hidden) - backbone.logits(plain.hidden)
    return float(apart.abs().max())
