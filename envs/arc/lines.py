"""What a run of ARC is asked to do, and the durable line of each puzzle it tried.

Beside the files of any run folder (``runs``) there is

    OUT/learned.jsonl   one line a batch that memory has learnt from
    OUT/memory/         study-sN, frozen-sN and online-sN for the order N
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, JsonValue, model_validator

from ...agent.puzzles import Answer, Program
from ...errors import SettingsError
from ...memory.records import Frozen
from ..folder import read_whole_lines
from ..runs import EPISODES, Arm, EpisodeLine, Spec
from .data import Split, grid_of, rows

LEARNED = "learned.jsonl"
Phase = Literal["study", "exam"]
Study = Literal["half", "training", "none"]


class ArcSpec(Spec):
    """Everything that decides what a run does. Equal specs play equal episodes."""

    env: Literal["arc"] = "arc"
    data: str = Field(default="arc-agi-1", description="as ``open_tasks`` reads it")
    solver: str = Field(default="search", description="search, or llm")
    model: str = Field(default="none", description="of the llm solver, as open_model reads it")
    arms: tuple[Arm, ...] = (Arm.OFF, Arm.FROZEN, Arm.ONLINE)
    split: Split = Field(default="training", description="what is scored")
    study: Study = Field(
        default="half",
        description="what memory learns from first: half of the split (the other half is scored), "
        "the training split, or nothing",
    )
    study_off: bool = Field(default=False, description="the off arm also plays what is studied")
    orders: tuple[int, ...] = Field(default=(0,), description="seeds of the total order")
    batch: int = Field(
        default=10, ge=0, description="puzzles that see the same memory; 0: the whole stream"
    )
    limit: int | None = Field(default=None, gt=0, description="puzzles each order is scored on")
    study_limit: int | None = Field(default=None, gt=0, description="puzzles an order studies")
    nodes: int = Field(default=20_000, gt=0, description="programs a puzzle may cost a search")
    study_nodes: int | None = Field(
        default=None, gt=0, description="the same while memory studies; None: as many"
    )
    options: dict[str, JsonValue] = Field(default_factory=dict, description="the solver's own")
    memory: Path | None = Field(default=None, description="a memory to begin with, only read")
    user: str = Field(default="run", description="whose concepts those are")
    embedder: str | None = Field(default=None, description="the memory's; None is the bundled one")

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if not self.arms or len(set(self.arms)) != len(self.arms):
            raise SettingsError(f"arms: name each arm once, of {', '.join(Arm)}")
        if not self.orders or len(set(self.orders)) != len(self.orders):
            raise SettingsError("order seeds: name at least one, and each once")
        if self.study == "training" and self.split == "training":
            raise SettingsError(
                "memory would study the split it is scored on: choose --study half or none, or "
                "--split evaluation"
            )
        if self.study_nodes and self.solver == "llm":
            raise SettingsError("study_nodes: only the search solver counts nodes")
        if self.study_nodes and (self.study == "none" or not (self.remembers or self.study_off)):
            raise SettingsError(
                "study_nodes: nothing is studied; give --study half, or an arm with memory"
            )
        filled = self.study != "none" or self.memory is not None
        if not filled and {Arm.FROZEN, Arm.SHUFFLED} & set(self.arms):
            raise SettingsError(
                "the frozen and shuffled arms read a memory that nothing fills: give --study half "
                "or --memory DIR, or leave them out of --arms"
            )
        return self

    def nodes_in(self, phase: Phase) -> int:
        """How many programs a puzzle of a phase may cost."""
        return (phase == "study" and self.study_nodes) or self.nodes

    @property
    def remembers(self) -> bool:
        """Whether any arm has a memory."""
        return set(self.arms) != {Arm.OFF}


class KeptProgram(Frozen):
    """A ``Program``, as a line keeps it."""

    text: str
    language: Literal["python", "grids"]
    fits: bool
    cited: tuple[str, ...] = ()
    found: int = 0


class KeptAnswer(Frozen):
    """An ``Answer``, as a line keeps it: whole, since a resumed batch still learns from it."""

    guesses: tuple[tuple[str, ...], ...] = Field(description="grids as ``data.rows`` writes them")
    programs: tuple[KeptProgram, ...] = ()
    nodes: int = 0
    tokens: int = 0
    cost: float | None = 0.0
    seconds: float = 0.0
    errors: tuple[str, ...] = ()

    @classmethod
    def of(cls, answer: Answer) -> KeptAnswer:
        """What to keep of an answer."""
        return cls(
            guesses=tuple(tuple(rows(guess) for guess in row) for row in answer.guesses),
            programs=tuple(
                KeptProgram(text=one.text, language=one.language, fits=one.fits, cited=one.cited,
                            found=one.found)
                for one in answer.programs
            ),
            nodes=answer.nodes,
            tokens=answer.tokens,
            cost=answer.cost,
            seconds=answer.seconds,
            errors=answer.errors,
        )  # fmt: skip

    def answer(self) -> Answer:
        """The answer it was."""
        return Answer(
            guesses=tuple(tuple(grid_of(guess) for guess in row) for row in self.guesses),
            programs=tuple(
                Program(text=one.text, language=one.language, fits=one.fits, cited=one.cited,
                        found=one.found)
                for one in self.programs
            ),
            nodes=self.nodes,
            tokens=self.tokens,
            cost=self.cost,
            seconds=self.seconds,
            errors=self.errors,
        )  # fmt: skip


class ArcLine(EpisodeLine):
    """One puzzle tried by one arm.

    ``success`` is strict (every test input in two attempts), ``reward`` the official score,
    ``steps`` the nodes, ``seed`` the order's and ``index`` the place in its phase.
    """

    phase: Phase
    batch: int
    verdicts: tuple[tuple[bool, ...], ...] = Field(description="one a guess, by test input")
    oracle: float = Field(description="the score if every guess counted")
    fits: bool = Field(description="a program maps every worked example")
    answer: KeptAnswer
    concepts: tuple[str, ...] = Field(default=(), description="ids of those that memory gave")
    aid_tokens: int = 0
    aid_seconds: float = 0.0

    @property
    def lane(self) -> tuple[Phase, Arm, int]:
        """The phase, arm and order it belongs to."""
        return (self.phase, self.arm, self.seed)

    @property
    def k(self) -> int:
        """The most guesses for a test input: the k of oracle@k."""
        return max((len(row) for row in self.verdicts), default=0)

    def nodes_to_solve(self) -> int:
        """Programs evaluated when the first one that fits was found; all of them without one."""
        found = [one.found for one in self.answer.programs if one.fits and one.found]
        return min(found, default=self.steps)


class Learned(Frozen):
    """A batch that a memory has learnt from."""

    stream: str = Field(description="the memory's folder")
    batch: int
    puzzles: tuple[str, ...]
    records: tuple[str, ...] = Field(description="ids of the records touched")
    seconds: float
    tokens: int = 0
    usd: float | None = Field(default=0.0, description="None if a price is unknown")


def read_arc_lines(path: Path) -> list[ArcLine]:
    """The episodes of a run folder of ARC, in the order they ended."""
    return read_whole_lines(path / EPISODES, ArcLine)
