"""What is taught to a weaver and its trigger, and how: the same for training and for dreams."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from ....errors import SettingsError
from ....memory.cases import CaseMemory
from ..backbone import Backbone
from ..config import PREFIX_GIB, LatentConfig, LoraConfig, WeaverConfig
from ..net import WovenNet
from ..prefix_cache import PrefixCache
from ..tokens import Tokenizer
from .episodes import episode_examples
from .examples import Example, final_number, fitting, read_examples
from .processes import from_first
from .trainer import Loss, TrainOptions, Watch, train
from .trigger_training import warm_start_loss
from .weaver_loss import Draw, WeaverLosses, weaver_loss

_log = logging.getLogger(__name__)


def new_net(backbone: Backbone, *, latents: int, rank: int, seed: int) -> WovenNet:
    """A weaver of ``latents`` at each point and a delta of ``rank``, that knows nothing yet."""
    lora = LoraConfig(rank=rank, alpha=2.0 * rank)
    weaver = WeaverConfig(prompt_latents=latents, inner_latents=latents, lora=lora)
    return WovenNet(backbone, LatentConfig(weaver=weaver, seed=seed))


def precision(*, bf16: bool) -> torch.dtype:
    """What a backbone computes in."""
    return torch.bfloat16 if bf16 else torch.float32


def read(model: Backbone, path: Path) -> list[Example]:
    """The examples of a JSONL file that fit the model's context. See `read_examples`.

    Raises SettingsError if there is none.
    """
    found = _fit(model, read_examples(path, speech(model)))
    if not found:
        raise SettingsError(
            f"{path} holds no example that fits the model's context of {model.context_tokens}"
            " tokens. Give another file, or a model with a longer context."
        )
    return found


def lived(
    model: Backbone,
    cases: CaseMemory,
    ids: Collection[str],
    *,
    without: Sequence[str],
    watch: Callable[[int, int], None] | None = None,
) -> list[Example]:
    """Examples of the successes ``ids``; cases of the splits ``without`` are not read at all."""
    found = episode_examples(cases, speech(model), without=without, among=ids, watch=watch)
    return _fit(model, found)


def read_by_first(model: Backbone, read: Callable[[], list[Example]]) -> list[Example]:
    """What ``read`` gives in the first of the processes, in all of them. See `from_first`."""

    def plain() -> list[tuple[Example, bool]]:
        return [(replace(one, compared=tuple), one.compared is tuple) for one in read()]

    given = from_first(plain)  # what compares final numbers holds a tokenizer: each makes its own
    final = final_number(speech(model))
    return [one if whole else replace(one, compared=final) for one, whole in given]


def speech(model: Backbone) -> Tokenizer:
    """The model's tokenizer. Raises SettingsError if it has none."""
    if model.tokenizer is None:
        raise SettingsError("This backbone has no tokenizer, so it can't read text.")
    return model.tokenizer


def drawn(*pools: Sequence[Example]) -> Draw:
    """Draws an example: first which pool, then one of it, so that a small pool is heard, too."""
    filled = [pool for pool in pools if pool]

    def draw(rng: random.Random) -> Example:
        return rng.choice(rng.choice(filled) if len(filled) > 1 else filled[0])

    return draw


def teach_weaver(
    net: WovenNet,
    learn: Draw,
    keep: Draw | None,
    losses: WeaverLosses,
    options: TrainOptions,
    *,
    folder: Path,
    prefix_gib: float = PREFIX_GIB,
    watch: Watch | None = None,
) -> list[float]:
    """Train the weaver on ``learn``, mixed with what must not be forgotten. See `train`."""
    loss = weaver_loss(net, learn, losses, keep)
    with _prefixes(net, prefix_gib):
        return train(net, loss, options, folder=folder, watch=watch)


def teach_trigger(
    net: WovenNet,
    draw: Draw,
    options: TrainOptions,
    *,
    folder: Path,
    batch: int = 32,
    batches: int = 8,
    prefix_gib: float = PREFIX_GIB,
    watch: Watch | None = None,
) -> list[float]:
    """The trigger's warm start: train its heads by what insertions were worth. See `train`.

    Insertions are judged in ``batches`` batches of ``batch`` examples.
    """
    heads = list(net.trigger.parameters())

    def judged() -> Loss:
        return warm_start_loss(net, draw, batch=batch, batches=batches, seed=options.seed)

    loss = _when_needed(judged)
    with _prefixes(net, prefix_gib):
        return train(net, loss, options, parameters=heads, folder=folder, watch=watch)


@contextmanager
def _prefixes(net: WovenNet, gib: float) -> Generator[None]:
    """What the reasoner reads of a prompt is computed once, as far as that is room for."""
    net.prefixes = PrefixCache(net.backbone, int(gib * 1024**3)) if gib else None
    try:
        yield
    finally:
        net.prefixes = None


def _when_needed(make: Callable[[], Loss]) -> Loss:
    """Makes the loss at its first step: judging is long, and a finished run takes none."""
    made: list[Loss] = []

    def loss(rng: random.Random) -> Tensor:
        if not made:
            made.append(make())
        return made[0](rng)

    return loss


def _fit(model: Backbone, examples: list[Example]) -> list[Example]:
    kept, bare = fitting(examples, model.context_tokens)
    if bare:
        _log.warning("%d memories are too long for the model's context: learnt without.", bare)
    if left := len(examples) - len(kept):
        _log.warning("%d examples are too long for the model's context: left out.", left)
    return kept
