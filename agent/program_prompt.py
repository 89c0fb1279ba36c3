"""The prompt that asks for a program, cut to what the model's context holds.

What does not fit is left out whole, the least needed first: the earlier reply, the test inputs,
notes, the outcome of the earlier attempt, later examples. One example always stands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..errors import ContextOverflow
from ..tools.grids.puzzle import Puzzle
from .prompt_files import render, template
from .puzzle_text import input_text, pair_text

REPLY_SHARE = 0.5
"""Of the room left at the end, how much an earlier reply may take."""
LEAST_REPLY = 200
"""Characters of an earlier reply below which it is not worth showing."""


@dataclass(frozen=True)
class Earlier:
    """An attempt that failed: what was answered, and what came of it."""

    reply: str
    outcome: str


class _Room:
    """Tokens that are left."""

    def __init__(self, tokens: int, count: Callable[[str], int]) -> None:
        self.left = tokens
        self._count = count

    def take(self, text: str) -> bool:
        """Use up what the text needs; False, and nothing used, if it does not fit."""
        need = self._count(text) + 2
        if need > self.left:
            return False
        self.left -= need
        return True

    def fitting(self, texts: Sequence[str]) -> list[str]:
        """Those that fit, in their order."""
        return [text for text in texts if self.take(text)]


def compose(
    puzzle: Puzzle,
    notes: str,
    earlier: Earlier | None,
    *,
    tokens: int,
    count: Callable[[str], int],
    seconds: float,
) -> str:
    """The prompt in at most about ``tokens`` tokens. ``notes`` is the rendering of chosen concepts.

    Raises ``ContextOverflow`` if not even one example fits.
    """
    room = _Room(tokens - count(template("program")), count)
    examples = room.fitting([pair_text(pair, i) for i, pair in enumerate(puzzle.train, 1)])
    if not examples:
        raise ContextOverflow(
            f"Puzzle {puzzle.id} has no worked example that fits the {tokens} tokens left for a"
            " prompt: take a model with a longer context, or ask for shorter replies"
        )
    around = template("program_earlier")
    told = earlier is not None and room.take(f"{around}{earlier.outcome}")
    blocks = _notes(notes, room)
    tests = room.fitting([input_text(cells, i) for i, cells in enumerate(puzzle.tests, 1)])
    missing = len(puzzle.train) - len(examples)
    if missing:
        examples.append(f"({missing} more examples are not shown; the rule must hold there, too.)")
    return render(
        "program",
        examples="\n\n".join([*examples, *tests]),
        notes=f"{blocks}\n\n" if blocks else "",
        earlier=_earlier(earlier, room) if earlier is not None and told else "",
        seconds=f"{seconds:g}",
        citing=f"\n{template('program_citing')}" if blocks else "",
    )


def _notes(notes: str, room: _Room) -> str:
    """The notes, block by block, as far as they fit."""
    around = template("program_notes") + template("program_citing")
    if not notes.strip() or not room.take(around):
        return ""
    kept = room.fitting(notes.strip().split("\n\n"))
    return render("program_notes", notes="\n\n".join(kept)) if kept else ""


def _earlier(earlier: Earlier, room: _Room) -> str:
    """The earlier attempt; of a reply that is too long the end is kept: there the program is."""
    reply = earlier.reply.strip()
    room.left = int(room.left * REPLY_SHARE)
    while not room.take(reply) and reply:
        reply = reply[len(reply) // 2 :] if len(reply) > LEAST_REPLY else ""
    if len(reply) < len(earlier.reply.strip()):
        reply = f"(the beginning is left out) {reply}".strip()
    return render("program_earlier", reply=reply, outcome=earlier.outcome) + "\n\n"
