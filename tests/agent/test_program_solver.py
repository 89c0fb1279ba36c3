"""The program solver over a real server and a real sandbox, whatever the model replies."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reverie.agent.model_spec import ModelSpec
from reverie.agent.models import Budget, Options
from reverie.agent.models.scripted import NoModel, ScriptedModel
from reverie.agent.program_attempts import Effort
from reverie.agent.program_solver import ProgramSolver
from reverie.agent.puzzles import Aid, Answer, Solver
from reverie.errors import ModelUnavailable, NoSandbox
from reverie.tests.agent.models.conftest import Answer as Sent
from reverie.tests.agent.models.conftest import Server, completion
from reverie.tests.agent.puzzle_world import (
    COPY,
    FLIP,
    MIRROR,
    OTHER_MIRROR,
    OVERFITTED,
    SOLVED,
    UPSIDE,
    Said,
    by_seed,
    program,
    prompt_of,
)
from reverie.tools.sandbox import Workers, open_sandbox

ONE = Effort(samples=1, retries=0, seconds=0.2)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Workers]:
    with open_sandbox() as opened:
        assert isinstance(opened, Workers)
        yield opened


@pytest.fixture(autouse=True)
def _one_sandbox(sandbox: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real one, opened once for all tests here."""

    def opened(**_: object) -> Workers:
        return sandbox

    monkeypatch.setattr("reverie.agent.program_solver.open_sandbox", opened)


def solver(
    server: Server, effort: Effort = ONE, timeout: float = 10.0, context_tokens: int = 32_000
) -> ProgramSolver:
    options: Options = {
        "attempts": 1,
        "timeout": timeout,
        "usd_per_million": (1.0, 2.0),
        "context_tokens": context_tokens,
    }
    return ProgramSolver(ModelSpec(f"{server.url}#m", options), effort=effort)


def told(answer: Answer) -> list[list[list[list[int]]]]:
    return [[guess.tolist() for guess in row] for row in answer.guesses]


def test_a_program_that_fits_answers_the_test_and_its_tokens_and_dollars_are_counted(
    server: Server,
) -> None:
    by_seed(server, {(1, 1): MIRROR})
    answer = solver(server).solve(FLIP, Aid())
    assert told(answer) == [[SOLVED]]
    assert [one.fits for one in answer.programs] == [True] and answer.errors == ()
    assert answer.tokens == 18 and answer.cost == pytest.approx((11 + 2 * 7) / 1e6)
    asked = prompt_of(server.requests[0])
    assert "Example 2" in asked and "5 6 0" in asked and "0 6 5" not in asked


def test_numpy_is_there_when_a_program_forgets_to_import_it(server: Server) -> None:
    forgot = "```python\ndef transform(grid: np.ndarray):\n    return np.fliplr(grid)\n```"
    by_seed(server, {(1, 1): forgot})
    assert told(solver(server).solve(FLIP, Aid())) == [[SOLVED]]


def test_what_came_of_an_attempt_is_told_to_the_next_one(server: Server) -> None:
    by_seed(server, {(1, 1): COPY, (1, 2): UPSIDE, (1, 3): MIRROR})
    answer = solver(server, Effort(samples=1, retries=2)).solve(FLIP, Aid())
    assert told(answer)[0][0] == SOLVED
    assert len(server.requests) == 3
    second, third = (prompt_of(one) for one in server.requests[1:])
    assert "return grid\n" in second and "has 4 of 6 cells wrong" in second
    assert "return grid[::-1]" in third and "return grid\n" not in third
    assert [line.split(":")[0] for line in answer.errors] == [
        "sample 1, attempt 1",
        "sample 1, attempt 2",
    ]
    assert [one.fits for one in answer.programs] == [True, False, False]


def test_a_line_that_fits_asks_no_more_and_retries_end(server: Server) -> None:
    by_seed(server, {(1, 1): MIRROR, (2, 1): COPY, (2, 2): COPY})
    answer = solver(server, Effort(samples=2, retries=1)).solve(FLIP, Aid())
    assert len(server.requests) == 3
    assert told(answer) == [[SOLVED, [[5, 6, 0]]]]


def test_programs_that_fit_vote_before_near_misses(server: Server) -> None:
    said: dict[tuple[int, int], Said] = {
        (1, 1): OVERFITTED, (2, 1): MIRROR, (3, 1): OTHER_MIRROR, (4, 1): UPSIDE,
    }  # fmt: skip
    by_seed(server, said)
    answer = solver(server, Effort(samples=4, retries=0, parallel=2)).solve(FLIP, Aid())
    assert told(answer) == [[SOLVED, [[5, 6, 0]]]]
    assert sum(one.fits for one in answer.programs) == 3


BROKEN: dict[str, Said] = {
    "empty": "",
    "no content": Sent(completion(None)),
    "prose": "I am sorry, I cannot see a rule.",
    "other name": "```python\ndef solve(grid):\n    return grid\n```",
    "no syntax": program("return grid[:, ::-1"),
    "half a character": program("return '\ud800'"),
    "null byte": program("return '\0'"),
    "exception": program("return grid[99]"),
    "returns nothing": program("pass"),
    "returns text": program("return 'grid'"),
    "one dimension": program("return grid[0]"),
    "three dimensions": program("return np.zeros((2, 2, 2))"),
    "no colour": program("return grid + 50"),
    "half a colour": program("return grid / 7"),
    "ragged": program("return [[1], [1, 2]]"),
    "too large": program("return np.zeros((31, 31), int)"),
    "empty grid": program("return np.zeros((0, 3), int)"),
    "wrong size": program("return grid[:1, :1]"),
    "endless": program("while True:\n    pass"),
    "swallows all": program(
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
    ),
    "leaves": program("import os\nos._exit(0)"),
    "exits": program("raise SystemExit(3)"),
    "recursion": program("return transform(grid)"),
    "needs two": "```python\ndef transform(a, b):\n    return a\n```",
    "no function": "```python\ntransform = 3\n```",
    "hungry": program("return np.zeros((1 << 40,), int)"),
    "loud": program("print('x' * 10**7)\nreturn grid"),
    "cut off": Sent(completion("```python\ndef trans", finish="length")),
    "broken json": Sent("no json at all, and not an object"),
    "no choices": Sent({"choices": []}),
    "another shape": Sent({"choices": [{"message": 3}]}),
    "server error": Sent({"error": {"message": "on fire"}}, 500),
    "too busy": Sent({"error": {"message": "later"}}, 429),
    "bad request": Sent({"error": {"message": "no"}}, 400),
    "overflow": Sent({"error": {"message": "maximum context length is 10"}}, 400),
    "tool call": Sent(completion("", tool_calls=[{"function": {"name": "f", "arguments": "{"}}])),
}  # fmt: skip


@pytest.mark.parametrize("said", BROKEN.values(), ids=BROKEN.keys())
def test_a_reply_that_is_no_program_is_told_and_the_next_attempt_solves(
    server: Server, said: Said
) -> None:
    by_seed(server, {(1, 1): said, (1, 2): MIRROR})
    effort = Effort(samples=1, retries=1, seconds=0.2)
    answer = solver(server, effort).solve(FLIP, Aid())
    if answer.errors[-1].startswith("stopped:"):  # the model is gone: that ends it
        assert told(answer) == [[]]
    else:
        assert told(answer)[0][0] == SOLVED
    assert answer.errors and answer.errors[0].startswith(("sample 1, attempt 1:", "stopped:"))
    assert sum(one.fits for one in answer.programs) <= 1


def test_beside_any_number_of_broken_samples_one_that_is_whole_answers(server: Server) -> None:
    count = len(BROKEN)
    by_seed(server, {(n, 1): said for n, said in enumerate([*BROKEN.values(), MIRROR], 1)})
    effort = Effort(samples=count + 1, retries=0, seconds=0.2)
    answer = solver(server, effort).solve(FLIP, Aid())
    assert told(answer)[0][0] == SOLVED
    assert [line.split(",")[0] for line in answer.errors] == [
        f"sample {n}" for n in range(1, count + 1)
    ]


def test_a_server_that_does_not_answer_in_time_is_told(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    hung_up = threading.Semaphore(0)

    def gone(*_: object) -> None:  # instead of printing that the client is gone
        hung_up.release()

    monkeypatch.setattr("socketserver.BaseServer.handle_error", gone)

    def late(_: dict[str, Any]) -> Sent:
        time.sleep(0.4)
        return Sent(completion(MIRROR))

    by_seed(server, {(1, 1): late, (2, 1): MIRROR})
    two = Effort(samples=2, retries=0)
    answer = solver(server, two, timeout=0.2).solve(FLIP, Aid())
    assert told(answer) == [[SOLVED]] and "no reply" in answer.errors[0]
    by_seed(server, {(1, 1): late})
    answer = solver(server, ONE, timeout=0.2).solve(FLIP, Aid())
    assert told(answer) == [[]] and answer.errors[0].startswith("sample 1")
    for _ in range(2):
        hung_up.acquire(timeout=2)


def test_a_model_that_is_not_there_ends_the_run_and_not_one_puzzle(server: Server) -> None:
    with pytest.raises(ModelUnavailable):
        ProgramSolver(NoModel(), effort=ONE).solve(FLIP, Aid())
    by_seed(server, {(1, 1): Sent({"error": {"message": "who are you"}}, 401)})
    with pytest.raises(ModelUnavailable, match="key"):
        solver(server).solve(FLIP, Aid())
    closed = ProgramSolver(ModelSpec("http://127.0.0.1:9/v1#m", {"attempts": 1}), effort=ONE)
    with pytest.raises(ModelUnavailable, match="reached"):
        closed.solve(FLIP, Aid())


def test_reaching_the_budget_leaves_what_was_found(server: Server) -> None:
    by_seed(server, {(1, 1): UPSIDE, (2, 1): COPY})
    effort = Effort(samples=3, retries=2, parallel=1, budget=Budget(tokens=36))
    answer = solver(server, effort).solve(FLIP, Aid())
    assert len(server.requests) == 2 and answer.tokens == 36
    assert told(answer) == [[[[5, 6, 0]]]]
    assert answer.errors[-1].startswith("stopped: Used 36 of 36 tokens")


def test_a_budget_in_dollars_without_prices_is_told_and_kept(server: Server) -> None:
    by_seed(server, {(1, 1): COPY})
    model = ModelSpec(f"{server.url}#m", {"attempts": 1})
    effort = Effort(samples=1, retries=1, budget=Budget(usd=1.0))
    answer = ProgramSolver(model, effort=effort).solve(FLIP, Aid())
    assert answer.cost is None and "cannot be kept" in answer.errors[-1]


def test_the_same_replies_give_the_same_answer_and_a_cache_asks_nothing_twice(
    server: Server, tmp_path: Path
) -> None:
    said: dict[tuple[int, int], Said] = {
        (1, 1): COPY, (2, 1): "?", (3, 1): MIRROR, (1, 2): UPSIDE, (2, 2): OTHER_MIRROR, (1, 3): "",
    }  # fmt: skip
    by_seed(server, said)
    spec = ModelSpec(f"{server.url}#m", {"attempts": 1}, cache=tmp_path / "cache.db")
    effort = Effort(samples=3, retries=2)
    first, second = (ProgramSolver(spec, effort=effort).solve(FLIP, Aid()) for _ in range(2))
    assert len(server.requests) == 6
    assert told(first) == told(second) and first.errors == second.errors
    assert first.programs == second.programs and second.tokens == first.tokens == 6 * 18
    by_seed(server, said)
    fresh = ProgramSolver(ModelSpec(spec.name, spec.options), effort=effort).solve(FLIP, Aid())
    assert told(fresh) == told(first) and fresh.programs == first.programs


def test_a_solver_travels_to_another_process_without_what_is_open(server: Server) -> None:
    by_seed(server, {(1, 1): MIRROR})
    made = solver(server)
    made.solve(FLIP, Aid())
    copy: ProgramSolver = pickle.loads(pickle.dumps(made))
    answer: Answer = pickle.loads(pickle.dumps(copy.solve(FLIP, Aid())))
    assert told(answer) == [[SOLVED]] and isinstance(copy, Solver)


def test_without_a_sandbox_it_refuses_before_it_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def none(*, allow_unsafe_exec: bool) -> None:
        asked.append(allow_unsafe_exec)
        raise NoSandbox("nothing here")

    monkeypatch.setattr("reverie.agent.program_solver.open_sandbox", none)
    model = ScriptedModel([])
    for allowed in (False, True):
        with pytest.raises(NoSandbox):
            ProgramSolver(model, allow_unsafe_exec=allowed).solve(FLIP, Aid())
    assert model.calls == [] and asked == [False, True]


def test_notes_are_shown_and_the_concepts_a_program_names_are_cited(server: Server) -> None:
    by_seed(server, {(1, 1): program("return grid[:, ::-1]", "# uses: 2, 7\n")})
    aid = Aid(concepts=("a", "b"), text="1. one\n\n2. mirror left and right")
    answer = solver(server).solve(FLIP, aid)
    assert answer.programs[0].cited == ("b",)
    assert "2. mirror left and right" in prompt_of(server.requests[0])
    assert "uses: 1, 4" in prompt_of(server.requests[0])


def test_a_reply_that_was_cut_off_is_told_so(server: Server) -> None:
    cut = Sent(completion("```python\ndef transform(grid):\n    return (grid", finish="length"))
    by_seed(server, {(1, 1): cut, (1, 2): MIRROR})
    solver(server, Effort(samples=1, retries=1)).solve(FLIP, Aid())
    assert "cut off before its end: write less" in prompt_of(server.requests[1])


def test_a_puzzle_too_large_for_the_context_is_told(server: Server) -> None:
    by_seed(server, {})
    answer = solver(server, ONE, context_tokens=600).solve(FLIP, Aid())
    assert told(answer) == [[]] and server.requests == []
    assert "no worked example that fits" in answer.errors[0]
