"""A weaver's dreams on disk: what each learnt from, and how far it has come.

    DIR/weaver.safetensors              the weights in use: always whole, replaced at a dream's end
    DIR/dreams/001/dream.json           which cases, with which options; when it ended
    DIR/dreams/001/before/              the weights it began with, kept until the next dream ends
    DIR/dreams/001/training.pt          while it runs: how far the weaver is
    DIR/dreams/001/trigger/training.pt  and its trigger

A dream is there once its `dream.json` is. Whatever a kill leaves, the next start goes on from it.
Only ids of cases are kept, so that what is forgotten is not kept here.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import Field, ValidationError

from ....errors import WeaverFault
from ....memory.cases import CaseMemory
from ....memory.records import Frozen, now
from ...successes import successes

RECORD = "dream.json"
BEFORE = "before"
TRIGGER = "trigger"
MOST_EARLIER = 256
_PASSING = ("training.pt", ".training.pt", "weaver.safetensors")


class DreamOptions(Frozen):
    """How to dream; an interrupted dream goes on with the options it began with."""

    steps: int = Field(default=1000, ge=1)
    trigger_steps: int = Field(default=300, ge=0, description="0 leaves the trigger as it is")
    batch: int = Field(default=8, ge=1)
    rate: float = Field(default=1e-3, gt=0, description="AdamW's learning rate at its height")
    distillation: float = Field(default=0.0, ge=0, le=1, description="weight of the text's teacher")
    retention: str | None = Field(default=None, description="a JSONL file, by its whole path")
    splits: tuple[str, ...] = Field(default=(), description="learnt from beside the usual ones")
    bf16: bool = False
    seed: int = 0


class Dream(Frozen):
    """One dream. ``cases`` are the new successes it learns from, ``earlier`` older ones it keeps.

    Both by their ids. ``ended`` is None while it runs.
    """

    number: int
    began: datetime
    cases: tuple[str, ...]
    earlier: tuple[str, ...] = ()
    options: DreamOptions = DreamOptions()
    ended: datetime | None = None
    loss: float | None = Field(default=None, description="the weaver's last, in nats a token")
    weights: str = Field(default="", description="hash of the tensors it ended with")


@dataclass(frozen=True)
class Due:
    """The dream to be dreamt now; ``goes_on`` if it was begun before.

    Cases of the splits ``held_out`` must not be read.
    """

    dream: Dream
    goes_on: bool
    held_out: tuple[str, ...]


@dataclass(frozen=True)
class Wait:
    """No dream yet: there are only ``fresh`` new successes, or none of them fits the context.

    In the second case ``context_tokens`` is what the weaver's model can read.
    """

    fresh: int
    context_tokens: int | None = None


@dataclass(frozen=True)
class NewWeaver:
    """How to make a weaver that is not there yet, and where it learns.

    ``backbone`` None: the one that the weaver was trained on, else the bundled one.
    """

    backbone: str | None = None
    latents: int = 8
    rank: int = 16
    device: str = "cpu"


class DreamFolder:
    """The dreams of the weaver in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, number: int) -> Path:
        """The folder of one dream."""
        return self.folder / "dreams" / f"{number:03}"

    def all(self) -> list[Dream]:
        """Every dream, the first first. Raises WeaverFault for a record that cannot be read."""
        found = [_read(path) for path in (self.folder / "dreams").glob(f"*/{RECORD}")]
        return sorted(found, key=lambda one: one.number)

    @contextmanager
    def locked(self) -> Generator[None]:
        """While this is open no other process dreams here. Raises WeaverFault if one does."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / "dream.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            raise WeaverFault(
                f"Another process is dreaming in {self.folder}. Wait until it is done."
            ) from error
        try:
            yield
        finally:
            lock.release()

    def due(self, cases: CaseMemory, options: DreamOptions, *, least: int) -> Due | Wait:
        """The dream to dream now, if there are at least ``least`` new successes.

        An unfinished one comes first, with the options it began with. Of what was learnt before at
        most as many are kept up as are new, and `MOST_EARLIER`: the newest. Raises WeaverFault if
        nothing of the unfinished one is in this memory.
        """
        dreams = self.all()
        for one in dreams:
            if one.ended is None:
                known = successes(cases, one.options.splits)
                return Due(self._left(one, {*known.ids}), True, known.held_out)
        known = successes(cases, options.splits)
        learnt = {case for one in dreams for case in one.cases}
        fresh = tuple(case for case in known.ids if case not in learnt)
        if len(fresh) < least:
            return Wait(len(fresh))
        earlier = [case for case in known.ids if case in learnt]
        dream = Dream(
            number=dreams[-1].number + 1 if dreams else 1,
            began=now(),
            cases=fresh,
            earlier=tuple(earlier[-min(len(fresh), MOST_EARLIER) :]),
            options=options,
        )
        return Due(dream, False, known.held_out)

    def clear(self, dream: Dream) -> Path:
        """An empty folder for a dream that is to begin; what a kill left there is removed."""
        place = self.place(dream.number)
        shutil.rmtree(place, ignore_errors=True)
        (place / BEFORE).mkdir(parents=True)
        return place

    def write(self, dream: Dream) -> None:
        """Keep a dream's record, whole or not at all."""
        place = self.place(dream.number)
        part = place / f".{RECORD}"
        with part.open("w", encoding="utf-8") as file:
            file.write(dream.model_dump_json(indent=1) + "\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(place / RECORD)

    def tidy(self) -> None:
        """Remove what ended dreams no longer need; of the last one the weights before it stay."""
        ended = [one for one in self.all() if one.ended is not None]
        for one in ended:
            place = self.place(one.number)
            for name in _PASSING:
                (place / name).unlink(missing_ok=True)
            shutil.rmtree(place / TRIGGER, ignore_errors=True)
        for one in ended[:-1]:
            shutil.rmtree(self.place(one.number) / BEFORE, ignore_errors=True)

    def _left(self, dream: Dream, here: Collection[str]) -> Dream:
        """The unfinished dream without the cases that are not there any more."""
        cases = tuple(case for case in dream.cases if case in here)
        if not cases:
            raise WeaverFault(
                f"Dream {dream.number} in {self.folder} was interrupted, and none of what it learns"
                " from is in this memory. Give the memory and user it began with, or delete"
                f" {self.place(dream.number)} to dream anew."
            )
        earlier = tuple(case for case in dream.earlier if case in here)
        return dream.model_copy(update={"cases": cases, "earlier": earlier})


def _read(path: Path) -> Dream:
    try:
        return Dream.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise WeaverFault(
            f"{path} cannot be read ({error}). Delete {path.parent}: its cases are then new again."
        ) from error
