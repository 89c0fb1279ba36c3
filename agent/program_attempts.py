"""Rounds of asking a model for programs: in each, every sample that does not fit yet tries again.

What a round finds does not depend on which reply came first: programs are run and counted in the
order of the samples, and the budget is looked at between waves of calls, never inside one.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from ..errors import BudgetExceeded, ModelError, ModelUnavailable
from ..tools.confine.results import Sandbox
from ..tools.grids.puzzle import Puzzle
from .models.base import ChatModel, Message, Reply
from .models.ledger import Budget, Ledger, metered
from .models.retry import is_absent
from .program_prompt import Earlier, compose
from .program_reply import Code, NoCode, code_in
from .program_run import run_program
from .program_trial import Trial, feedback, summary

LEAST_REPLY = 64
"""Tokens; a model whose context leaves fewer for a reply cannot write a program."""

CUT = "The reply was cut off before its end: write less."


@dataclass(frozen=True)
class Effort:
    """How hard a puzzle is tried."""

    samples: int = 3
    """Independent lines of attempts."""
    retries: int = 2
    """Further attempts of a line whose program does not fit every worked example."""
    parallel: int = 4
    """Calls at a time; the budget is looked at between such waves."""
    max_tokens: int = 8_000
    """Of one reply, thoughts included; at most half of the model's context."""
    temperature: float = 0.7
    seed: int = 0
    seconds: float = 2.0
    """For one grid."""
    budget: Budget | None = None
    """For one puzzle."""


@dataclass(frozen=True)
class Notes:
    """Concepts as a line of attempts is given them: the text, and the id behind each number."""

    text: str = ""
    numbers: Mapping[int, str] = field(default_factory=dict[int, str])


Reselect = Callable[[ChatModel, Notes, str], tuple[Notes, str]]
"""Other notes after an attempt with these failed, from what came of it; and a fault, if any."""


@dataclass
class Line:
    """One line of attempts, and where it stands."""

    number: int
    notes: Notes
    trials: list[Trial] = field(default_factory=list[Trial])
    earlier: Earlier | None = None
    fault: str = ""
    """What went wrong while other notes were chosen."""


@dataclass
class Found:
    """What all rounds found, in the order of rounds and samples."""

    trials: list[Trial] = field(default_factory=list[Trial])
    cited: list[tuple[str, ...]] = field(default_factory=list[tuple[str, ...]])
    errors: list[str] = field(default_factory=list[str])


class Attempts:
    """All attempts at one puzzle. What goes wrong is in ``found.errors`` and not raised, but for
    ``ModelUnavailable`` where there is no such model: no puzzle would be answered.
    """

    def __init__(
        self,
        puzzle: Puzzle,
        notes: Notes,
        model: ChatModel,
        sandbox: Sandbox,
        effort: Effort,
        reselect: Reselect | None = None,
    ) -> None:
        self.puzzle = puzzle
        self.effort = effort
        self.ledger = Ledger()
        self.found = Found()
        self._began = time.perf_counter()
        self._model = metered(model, self.ledger)
        self._sandbox = sandbox
        self._reselect = reselect
        self._lines = [Line(number, notes) for number in range(1, effort.samples + 1)]

    def run(self) -> Found:
        """Try until every line fits or has used its retries, or budget or model are gone."""
        for attempt in range(self.effort.retries + 1):
            lines = [line for line in self._lines if not self._fits(line)]
            try:
                for start in range(0, len(lines), max(self.effort.parallel, 1)):
                    self._check_budget()
                    self._wave(lines[start : start + max(self.effort.parallel, 1)], attempt)
            except (BudgetExceeded, ModelUnavailable) as reached:
                absent = isinstance(reached, ModelUnavailable) and is_absent(reached)
                if absent and not self.found.trials:
                    raise
                self.found.errors.append(f"stopped: {reached}")
                break
        return self.found

    # -- parts -----------------------------------------------------------------------------------

    def _fits(self, line: Line) -> bool:
        return bool(line.trials) and line.trials[-1].fits(self.puzzle)

    def _check_budget(self) -> None:
        """Seconds are those that have passed here: calls run side by side."""
        budget = self.effort.budget
        if budget is not None:
            passed = time.perf_counter() - self._began
            budget(self.ledger.snapshot().model_copy(update={"seconds": passed}))

    def _wave(self, lines: Sequence[Line], attempt: int) -> None:
        with ThreadPoolExecutor(max_workers=len(lines)) as pool:
            asked = [pool.submit(self._ask, line, attempt) for line in lines]
        replies = [future.result() for future in asked]
        reached: BudgetExceeded | None = None
        for line, reply in zip(lines, replies, strict=True):
            if isinstance(reply, BudgetExceeded):
                reached = reply
            else:
                self._take(line, reply, attempt)
        if reached is not None:
            raise reached
        gone = [reply for reply in replies if isinstance(reply, ModelUnavailable)]
        if len(gone) == len(replies):
            raise gone[0]

    def _ask(self, line: Line, attempt: int) -> Reply | ModelError | BudgetExceeded:
        """One reply, or why there is none. Runs in a thread and changes only its line."""
        model = self._model
        try:
            if attempt and self._reselect is not None and line.earlier is not None:
                line.notes, line.fault = self._reselect(model, line.notes, line.earlier.outcome)
            room = min(self.effort.max_tokens, model.context_tokens // 2)
            prompt = compose(
                self.puzzle,
                line.notes.text,
                line.earlier,
                tokens=model.context_tokens - room - LEAST_REPLY,
                count=model.count_tokens,
                seconds=self.effort.seconds,
            )
            return model.chat(
                [Message(role="user", content=prompt)],
                max_tokens=room,
                temperature=self.effort.temperature,
                seed=seed_of(self.effort.seed, self.puzzle.id, line.number, attempt),
            )
        except (ModelError, BudgetExceeded) as fault:
            return fault

    def _take(self, line: Line, reply: Reply | ModelError, attempt: int) -> None:
        """Run what was replied, and note what came of it."""
        where = f"sample {line.number}, attempt {attempt + 1}"
        if line.fault:
            self.found.errors.append(f"{where}: {line.fault}")
            line.fault = ""
        if isinstance(reply, ModelError):
            self.found.errors.append(f"{where}: no reply: {reply}")
            return  # its earlier attempt stays what it knows
        code = code_in(reply.text, reply.finish)
        trial = Trial("", fault=code.reason) if isinstance(code, NoCode) else self._tried(code)
        line.trials.append(trial)
        cut = f"\n{CUT}" if reply.finish == "length" else ""
        line.earlier = Earlier(reply.text, feedback(trial, self.puzzle) + cut)
        cited = tuple(line.notes.numbers[n] for n in trial.uses if n in line.notes.numbers)
        self.found.trials.append(trial)
        self.found.cited.append(cited)
        if not trial.fits(self.puzzle):
            self.found.errors.append(f"{where}: {summary(trial, self.puzzle)}")

    def _tried(self, code: Code) -> Trial:
        """The program's outputs; one that was run before is not run again."""
        for trial in self.found.trials:
            if trial.text == code.text:
                return replace(trial, uses=code.uses)
        return run_program(code, self.puzzle, self._sandbox, self.effort.seconds)


def seed_of(base: int, puzzle: str, line: int, attempt: int) -> int:
    """The seed of one call: another for each, and the same when a run is repeated."""
    return zlib.crc32(f"{base}/{puzzle}/{line}/{attempt}".encode()) & 0x7FFFFFFF
