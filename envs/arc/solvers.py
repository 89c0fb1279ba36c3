"""The solvers a run can name: ``search`` needs no model, ``llm`` lets one write programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from pydantic import JsonValue, TypeAdapter, ValidationError

from ...agent.puzzles import Described, Solver
from ...errors import SettingsError
from ...settings import load_settings
from ..machine import cores
from .lines import ArcSpec

if TYPE_CHECKING:
    from ...agent.concept_writer import Report
    from ...agent.models import Options
    from ...tools.confine.results import Sandbox

SOLVERS = ("search", "llm")


def solver_for(spec: ArcSpec) -> Solver:
    """The solver that ``spec.solver`` names, with its options.

    Raises ``SettingsError`` for another name, or an option that the solver does not have.
    """
    if spec.solver == "search":
        return _search(spec)
    if spec.solver == "llm":
        return _llm(spec)
    raise SettingsError(f"--solver {spec.solver}: there are {', '.join(SOLVERS)}")


@dataclass(frozen=True)
class _Search:
    """What can be set of a search beside its ``Strength``."""

    routines: int = 12
    """Routines made of programs, as further words."""
    seed: int = 0


def _search(spec: ArcSpec) -> Solver:
    from ...agent.search_solver import SearchSolver
    from ...tools.synthesis.learning import Strength

    own, strength = _parts("search", spec.options, _Search, Strength)
    assert isinstance(own, _Search) and isinstance(strength, Strength)
    return SearchSolver(spec.nodes, strength=strength, routines=own.routines, seed=own.seed)


def _llm(spec: ArcSpec) -> Solver:
    from ...agent.concept_selection import SelectionRules
    from ...agent.concept_writer import WriterRules
    from ...agent.model_spec import ModelSpec
    from ...agent.program_attempts import Effort
    from ...agent.program_solver import ProgramSolver

    if spec.model == "none":
        raise SettingsError("the llm solver needs a model: give --model, or --solver search")
    unsafe = bool(spec.options.get("allow_unsafe_exec", False))
    given = {name: value for name, value in spec.options.items() if name != "allow_unsafe_exec"}
    effort, selection, writing = _parts("llm", given, Effort, SelectionRules, WriterRules)
    assert isinstance(effort, Effort) and isinstance(selection, SelectionRules)
    assert isinstance(writing, WriterRules)
    options: Options = {}
    if spec.model.partition(":")[0] == "local" and spec.workers > 1:
        options["threads"] = max(1, cores() // spec.workers)
    key = load_settings().api_key
    if key is not None and spec.model.partition(":")[0] not in ("local", "scripted"):
        options["api_key"] = key.get_secret_value()
    return ProgramSolver(
        ModelSpec(spec.model, options),  # no cache: equal questions of two arms are paid twice
        effort=effort,
        selection=selection,
        writing=writing,
        run=spec.run_id(),
        allow_unsafe_exec=unsafe,
    )


def _parts(solver: str, given: Mapping[str, JsonValue], *kinds: type[Any]) -> list[Any]:
    """One of each dataclass, every option given to the one that has it.

    Raises ``SettingsError`` naming an option that none has, or that has no meaning.
    """
    names = [{one.name for one in fields(kind)} for kind in kinds]
    strange = sorted(set(given).difference(*names))
    if strange:
        known = ", ".join(sorted(set[str]().union(*names)))
        raise SettingsError(f"the {solver} solver has no option {strange[0]}; it has {known}")
    try:
        return [
            TypeAdapter(kind).validate_python({name: given[name] for name in own & set(given)})
            for kind, own in zip(kinds, names, strict=True)
        ]
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"option {name} of the {solver} solver: {first['msg']}") from error


@runtime_checkable
class _Runs(Protocol):
    """A solver that runs programs."""

    @property
    def sandbox(self) -> Sandbox: ...


@runtime_checkable
class _Reports(Protocol):
    """A solver that says what learning cost."""

    @property
    def reports(self) -> list[Report]: ...


@runtime_checkable
class _Closes(Protocol):
    """A solver that holds something open."""

    def close(self) -> None: ...


def about(solver: Solver) -> dict[str, JsonValue]:
    """What a run's record says of a solver; of one that runs code, the level that contains it."""
    facts = dict(solver.describe()) if isinstance(solver, Described) else {}
    if isinstance(solver, _Runs):
        facts.setdefault("sandbox", solver.sandbox.level)
    return facts


def learning_cost(solver: Solver) -> tuple[int, float | None]:
    """Tokens and dollars that learning has cost in this process; None for an unknown price."""
    if not isinstance(solver, _Reports):
        return 0, 0.0
    prices = [report.usage.usd for report in solver.reports]
    usd = None if None in prices else sum(price or 0.0 for price in prices)
    return sum(report.usage.tokens for report in solver.reports), usd


def close(solver: Solver) -> None:
    """Let go of what a solver holds open."""
    if isinstance(solver, _Closes):
        solver.close()
