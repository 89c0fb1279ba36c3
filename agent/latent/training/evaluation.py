"""What a mechanism is worth, and whether its latents are a memory or a second solver.

Exact match and likelihood on the new and on the unrelated; swaps (latents of the same id must
serve another question of that id, those of another id must carry their own rule over), shuffled
and dropped latents; how far latents depend on their prompts at all; how well a trigger tells needs.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import torch
from torch import Tensor

from ..forced import forced, token_logprobs
from ..generation import Decider, Generated, Sampling, inserted
from ..loom import unit
from ..net import WovenNet
from ..stream import Edit, Latents
from ..tensors import integers, numbers, pad
from .arms import Arm
from .examples import Example, make_batch
from .weaver_loss import taken


@dataclass(frozen=True)
class Scores:
    """An arm on some examples. ``likelihood`` is in nats a token of the right answer."""

    exact: float
    likelihood: float
    insertions: float
    flops: float
    seconds: float
    megabytes: float

    def fields(self) -> dict[str, float]:
        """As plain numbers, by name."""
        return asdict(self)


@torch.no_grad()
def score(
    arm: Arm,
    examples: Sequence[Example],
    *,
    fires: Sequence[bool] | None = None,
    decider: Decider | None = None,
    batch: int = 128,
) -> Scores:
    """Greedy answers and the likelihood of the right ones, in batches, per example."""
    device = arm.net.backbone.device
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    began, right, said, total, woven = time.perf_counter(), 0, 0.0, 0, 0
    flops = 0.0
    for start in range(0, len(examples), batch):
        part = examples[start : start + batch]
        flags = None if fires is None else fires[start : start + batch]
        answers = arm.answers(part, _greedy(part), fires=flags, decider=decider)
        right += sum(one.answered_by(a.tokens) for one, a in zip(part, answers, strict=True))
        woven += sum(map(inserted, answers))
        flops += sum(map(_flops(arm), part, answers))
    seconds = time.perf_counter() - began
    for start in range(0, len(examples), batch):
        part = examples[start : start + batch]
        flags = None if fires is None else fires[start : start + batch]
        found, tokens = likelihood(arm, part, flags)
        said, total = said + found, total + tokens
    peak = torch.cuda.max_memory_allocated(device) / 2**20 if device.type == "cuda" else math.nan
    n = len(examples)
    return Scores(right / n, said / total, woven / n, flops / n, seconds / n, peak)


def likelihood(
    arm: Arm, examples: Sequence[Example], fires: Sequence[bool] | None = None
) -> tuple[float, int]:
    """Σ_t log π(y_t) in nats over the right answers, and how many tokens they have."""
    flags = [True] * len(examples) if fires is None else list(fires)
    found, tokens = 0.0, 0
    for flag in (True, False):
        mine = [one for one, fire in zip(examples, flags, strict=True) if fire == flag]
        if not mine:
            continue
        batch = make_batch(arm.net, mine, woven=flag and arm.woven)
        reader = arm if flag else Arm("vanilla", arm.net)
        found += float(token_logprobs(arm.net, reader.read(batch), batch.wanted).sum())
        tokens += int(batch.wanted.sum())
    return found, tokens


def chances(net: WovenNet, examples: Sequence[Example], batch: int = 128) -> list[float]:
    """The trigger's probability of an insertion at the end of each prompt."""
    found: list[float] = []
    for start in range(0, len(examples), batch):
        part = examples[start : start + batch]
        rows = [one.prompt for one in part]
        with torch.no_grad():
            stream = net.stream([len(row) for row in rows], points=1)
            stream.read(stream.all(), *pad(rows))
            states = net.trigger.states(stream, stream.all())
            found += numbers(torch.sigmoid(net.trigger.logits("prompt", states)))
    return found


def swapped(latents: Latents, rows: Tensor) -> Latents:
    """Row 2i gets the latents of row 2i + 1, and the other way about."""
    places = {row: place for place, row in enumerate(integers(rows))}
    return taken(latents, [places.get(row ^ 1, place) for row, place in places.items()])


def shuffled(seed: int) -> Edit:
    """Each row's latents in another order."""
    rng = random.Random(seed)

    def edit(latents: Latents, rows: Tensor) -> Latents:
        order = list(range(latents.count))
        while latents.count > 1 and order == sorted(order):
            rng.shuffle(order)
        index = torch.tensor(order, device=latents.gates.device)
        return latents.take(torch.arange(len(latents.gates)), index)

    return edit


def dropped(count: int) -> Edit:
    """The last ``count`` latents of each row closed."""

    def edit(latents: Latents, rows: Tensor) -> Latents:
        gates = latents.gates.clone()
        gates[:, latents.count - count :] = -math.inf
        return replace(latents, gates=gates)

    return edit


def noise(seed: int) -> Edit:
    """Random vectors of the same norms in place of the latents."""
    generator = torch.Generator().manual_seed(seed)

    def edit(latents: Latents, rows: Tensor) -> Latents:
        def drawn(like: Tensor) -> Tensor:
            fresh = torch.randn(like.shape, generator=generator).to(like)
            return unit(fresh) * _rms(like)

        values, kept = latents.values, latents.cached
        return replace(
            latents,
            values=None if values is None else drawn(values),
            cached=None if kept is None else (drawn(kept[0]), drawn(kept[1])),
        )

    return edit


def follows(
    arm: Arm,
    pairs: Sequence[tuple[Example, Example]],
    wanted: Sequence[tuple[int, ...]],
    edit: Edit | None,
) -> float:
    """The share of answers equal to ``wanted``; examples 2i and 2i + 1 are a pair."""
    rows = [one for pair in pairs for one in pair]
    answers = arm.answers(rows, _greedy(rows), edit=edit)
    right = [tuple(told.tokens) == one for told, one in zip(answers, wanted, strict=True)]
    return sum(right) / len(right)


@torch.no_grad()
def collapse(net: WovenNet, examples: Sequence[Example]) -> dict[str, float]:
    """How latents at prompts' ends vary: between groups of examples, and against each other.

    ``between`` is the share of the variance over examples that lies between groups; ``spread`` the
    variance over examples in units of the mean square, 0 for latents that do not depend on the
    prompt; ``alike`` the mean cosine between the K latents of an example; ``gate`` the mean gate;
    ``norm`` their mean norm over that of embeddings, of latents that enter as embeddings do. Of
    latents in the cache, their values in all layers are looked at.
    """
    batch = make_batch(net, examples)
    first = tuple(one[:1] for one in batch.plan)
    read = forced(net, batch.rows, first, memories=batch.memories, edit=_as_it_is)
    rows, latents = read.latents[0]
    vectors = _vectors(latents)
    flat = vectors.flatten(1)
    groups: dict[str, list[int]] = {}
    for place, row in enumerate(integers(rows)):
        groups.setdefault(examples[row].group, []).append(place)
    means = torch.stack([flat[members].mean(0) for members in groups.values()])
    sizes = torch.tensor([float(len(members)) for members in groups.values()]).double()
    centre = flat.mean(0)
    total = (flat - centre).square().sum()
    between = (sizes[:, None] * (means - centre).square()).sum()
    directions = torch.nn.functional.normalize(vectors, dim=-1)
    cosines = directions @ directions.transpose(1, 2)
    k = latents.count
    alike = (cosines.sum((1, 2)) - k).mean() / max(1, k * (k - 1))
    found = {
        "between": float(between / total.clamp(min=1e-12)),
        "spread": float(total / flat.square().sum()),
        "alike": float(alike),
        "gate": float(latents.gates.exp().mean()),
    }
    if latents.values is None:
        return found
    return found | {"norm": float(vectors.square().mean().sqrt()) / net.backbone.embedding_rms}


def _as_it_is(latents: Latents, rows: Tensor) -> Latents:
    """An edit that changes nothing: it has the latents lifted out of the cache."""
    return latents


def _vectors(latents: Latents) -> Tensor:
    """The latents (R, K, n): what is read as embeddings are, or the values of all layers."""
    if latents.values is not None:
        return latents.values.double()
    assert latents.cached is not None
    return latents.cached[1].double().permute(1, 2, 0, 3, 4).flatten(2)


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """P(a positive ranks above a negative), ties by half (Mann and Whitney's U over n m)."""
    above = sum((p > n) + 0.5 * (p == n) for p in positive for n in negative)
    return above / (len(positive) * len(negative))


def calibration_error(chances: Sequence[float], truths: Sequence[bool], bins: int = 10) -> float:
    """ECE = Σ_b n_b / n |mean chance − mean truth|, equal bins of [0, 1] (Naeini et al. 2015)."""
    held: Mapping[int, list[tuple[float, bool]]] = {b: [] for b in range(bins)}
    for chance, truth in zip(chances, truths, strict=True):
        held[min(bins - 1, int(chance * bins))].append((chance, truth))
    gaps = [abs(sum(c for c, _ in one) - sum(t for _, t in one)) for one in held.values() if one]
    return sum(gaps) / len(chances)


def wilson(right: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    p, low = right / n, 1 + z * z / n
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (middle - half) / low, (middle + half) / low


def _rms(values: Tensor) -> Tensor:
    return values.square().mean(-1, keepdim=True).sqrt()


def _greedy(examples: Sequence[Example]) -> Sampling:
    """Room for the longest answer, twice over where another one may do as well."""
    longest = max(len(one.answer) * (1 if one.compared is tuple else 2) for one in examples)
    return Sampling(max_tokens=longest + 1)


def _flops(arm: Arm) -> Callable[[Example, Generated], float]:
    """2 × weights × positions read, K + 1 more for each insertion twice over (weaver, reasoner)."""
    weights = sum(one.numel() for one in arm.net.backbone.model.parameters())
    delta = arm.size

    def of(example: Example, answer: Generated) -> float:
        read = len(example.prompt) + len(answer.tokens)
        config = arm.net.config.weaver
        woven = sum(2 * config.latents(one.kind) + 1 for one in answer.decisions if one.inserted)
        memory = len(example.memory) if woven else 0
        return 2.0 * weights * (read + woven + memory) + 2.0 * delta * woven

    return of
