"""A puzzle, programs that solve it or do not, and a server that says them when it is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reverie.agent.program_attempts import seed_of
from reverie.tests.agent.models.conftest import Answer, Server, completion
from reverie.tools.grids.puzzle import Pair, Puzzle, grid

FLIP = Puzzle(
    "flip",
    (
        Pair(grid([[1, 0, 0], [2, 0, 0]]), grid([[0, 0, 1], [0, 0, 2]])),
        Pair(grid([[0, 3], [4, 0]]), grid([[3, 0], [0, 4]])),
    ),
    (grid([[5, 6, 0]]),),
)
"""Left and right change places."""
SOLVED = [[0, 6, 5]]

Said = str | Answer | Callable[[dict[str, Any]], Answer]


def program(body: str, comment: str = "") -> str:
    """A reply with a program of this body."""
    lines = "\n".join(f"    {line}" for line in body.split("\n"))
    return f"I think.\n```python\n{comment}import numpy as np\n\ndef transform(grid):\n{lines}\n```"


MIRROR = program("return grid[:, ::-1]")
OTHER_MIRROR = program("return np.fliplr(grid)")
COPY = program("return grid")
UPSIDE = program("return grid[::-1]")
OVERFITTED = program("return grid[:, ::-1] if grid.shape[0] > 1 else grid")


def by_seed(
    server: Server, replies: Mapping[tuple[int, int], Said], base: int = 0, puzzle: str = "flip"
) -> None:
    """Let the server answer by sample and attempt (both from 1), whatever the order of requests.

    A request without a seed, or with another, is a mistake and gets status 418.
    """
    places = {
        seed_of(base, puzzle, line, attempt - 1): (line, attempt) for line, attempt in replies
    }

    def answer(request: dict[str, Any]) -> Answer:
        server.requests.append(request)
        place = places.get(request.get("seed", -1))
        if place is None:
            return Answer({"error": {"message": "nobody queued an answer to this"}}, 418)
        said = replies[place]
        if isinstance(said, str):
            return Answer(completion(said))
        return said(request) if callable(said) else said

    server.answer = answer  # pyright: ignore[reportAttributeAccessIssue]


def prompt_of(request: dict[str, Any]) -> str:
    """What a request asks."""
    return str(request["messages"][-1]["content"])
