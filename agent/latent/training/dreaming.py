"""Dreaming, for a weaver: it goes on learning from successes that are new since the last dream.

A dream begins with the weights in use, trains beside them, and puts its own in their place once
they are whole. What was learnt before is kept up: a part of each batch is earlier successes, and
the examples of a retention file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from pydantic import Field

from ....errors import WeaverFault
from ....memory.cases import CaseMemory
from ....memory.records import Frozen, now
from ..backbone import open_backbone
from ..checkpoint import FILE, load_net, save_net
from ..net import WovenNet
from .dreams import BEFORE, TRIGGER, Dream, DreamFolder, Due, NewWeaver, Wait
from .examples import Example
from .teaching import drawn, lived, new_net, precision, read, teach_trigger, teach_weaver
from .trainer import TrainOptions, resumed
from .weaver_loss import WeaverLosses

SAVE_EVERY = 50
"""Steps between checkpoints: what a kill costs at most."""

TRIGGER_RATE = 1e-2
MOST_JUDGED = 256
"""Examples whose insertions are judged for the trigger."""

NEW_BACKBONE = "local"

Say = Callable[[int, int], None]
"""Told how many of how many are done."""


@dataclass(frozen=True)
class Asleep:
    """A dream that is ready to be dreamt: memory is not needed any more."""

    dream: Dream
    net: WovenNet
    fresh: list[Example]
    earlier: list[Example]
    retention: list[Example]


class Dreamt(Frozen):
    """What a dream did. ``began_at`` is the step it went on from; losses are nats a token."""

    dream: int
    cases: int = Field(description="new successes")
    examples: int = Field(description="actions of theirs to learn")
    earlier: int = Field(description="examples of earlier dreams, mixed in")
    retention: int = Field(description="examples of the retention file, mixed in")
    steps: int
    began_at: int
    trigger_steps: int
    first_loss: float | None = None
    last_loss: float | None = None
    weights: str = Field(description="hash of the tensors")


def fall_asleep(
    folder: DreamFolder,
    due: Due,
    cases: CaseMemory,
    *,
    new: NewWeaver,
    watch: Say | None = None,
) -> Asleep | Wait:
    """Open the weaver, or make it, and read what it will learn from. The dream is begun by this.

    If nothing that is new fits the model's context nothing is begun: later successes may fit.
    Raises WeaverFault for a weaver that cannot be used, or a dream that cannot go on.
    """
    dream, without = due.dream, due.held_out
    net = _opened(folder, due, new)
    model = net.backbone
    fresh = lived(model, cases, dream.cases, without=without, watch=watch)
    if not fresh and not due.goes_on:
        return Wait(len(dream.cases), model.context_tokens)
    if not fresh:
        raise _stuck(
            folder,
            dream,
            f"none of what it learns from fits the model's context of {model.context_tokens}"
            " tokens. Give the --backbone it began with",
        )
    earlier = lived(model, cases, dream.earlier, without=without)
    retention = _retention(folder, due, net)
    if not due.goes_on:
        save_net(net, folder.clear(dream) / BEFORE)
        folder.write(dream)
    return Asleep(dream, net, fresh, earlier, retention)


def sleep(folder: DreamFolder, asleep: Asleep, *, watch: Say | None = None) -> Dreamt:
    """Dream to the end: the weaver, its trigger, then the new weights in the place of the old."""
    dream, options = asleep.dream, asleep.dream.options
    began_at = resumed(folder.place(dream.number))
    losses = _taught(folder, asleep, watch)
    head = save_net(asleep.net, folder.folder)
    last = losses[-1] if losses else None
    folder.write(dream.model_copy(update={"ended": now(), "loss": last, "weights": head.tensors}))
    folder.tidy()
    return Dreamt(
        dream=dream.number,
        cases=len(dream.cases),
        examples=len(asleep.fresh),
        earlier=len(asleep.earlier),
        retention=len(asleep.retention),
        steps=options.steps,
        began_at=began_at,
        trigger_steps=options.trigger_steps,
        first_loss=losses[0] if losses else None,
        last_loss=last,
        weights=head.tensors,
    )


def _taught(folder: DreamFolder, asleep: Asleep, watch: Say | None) -> list[float]:
    """Teach the weaver, then its trigger; the weaver's losses in nats a token."""
    net, options, place = asleep.net, asleep.dream.options, folder.place(asleep.dream.number)
    steps, of = options.steps, options.steps + options.trigger_steps
    how = TrainOptions(
        steps=steps,
        rate=options.rate,
        bf16=options.bf16,
        save_every=SAVE_EVERY,
        seed=options.seed,
    )
    kept = (asleep.earlier, asleep.retention)
    losses = teach_weaver(
        net,
        drawn(asleep.fresh),
        drawn(*kept) if any(kept) else None,
        WeaverLosses(batch=options.batch, distillation=options.distillation),
        how,
        folder=place,
        watch=watch and (lambda step, _, __: watch(step, of)),
    )
    if options.trigger_steps:
        pool = [*asleep.fresh, *asleep.earlier, *asleep.retention]
        teach_trigger(
            net,
            drawn(pool),
            how.model_copy(update={"steps": options.trigger_steps, "rate": TRIGGER_RATE}),
            folder=place / TRIGGER,
            batch=options.batch,
            batches=ceil(min(MOST_JUDGED, 2 * len(pool)) / options.batch),
            watch=watch and (lambda step, _, __: watch(steps + step, of)),
        )
    return losses


def _retention(folder: DreamFolder, due: Due, net: WovenNet) -> list[Example]:
    """What must not be forgotten, of the file that the dream began with."""
    path = due.dream.options.retention
    if path is None:
        return []
    if due.goes_on and not Path(path).is_file():
        raise _stuck(folder, due.dream, f"its retention file {path} is gone. Put it back")
    return read(net.backbone, Path(path))


def _stuck(folder: DreamFolder, dream: Dream, why: str) -> WeaverFault:
    """An interrupted dream that cannot go on: ``why``, with the one way out, and here the other."""
    return WeaverFault(
        f"Dream {dream.number} in {folder.folder} was interrupted, and {why}, or delete"
        f" {folder.place(dream.number)} to dream anew, with other options if you like."
    )


def _opened(folder: DreamFolder, due: Due, new: NewWeaver) -> WovenNet:
    """The net with the weights that the dream begins with."""
    dream = due.dream
    dtype = precision(bf16=dream.options.bf16)
    begins = folder.place(dream.number) / BEFORE if due.goes_on else folder.folder
    there = (begins / FILE).is_file()
    if not there and (due.goes_on or dream.number > 1):
        raise WeaverFault(
            f"{folder.folder} has dreams, but {begins / FILE} is missing. Put it back, or delete"
            f" {folder.folder / 'dreams'} to begin anew: every success is then new again."
        )
    source = new.backbone or (None if there else NEW_BACKBONE)
    model = None if source is None else open_backbone(source, dtype=dtype, device=new.device)
    if there:
        return load_net(begins, model, dtype=dtype, device=new.device)
    assert model is not None
    return new_net(model, latents=new.latents, rank=new.rank, seed=dream.options.seed)
