"""Where a clause ends, token by token, and where a comma or full stop only stands in a number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_ENDS, _IN_DOUBT, _DIGIT_FIRST, _DIGIT_LAST, _DIGIT_BEFORE = (1 << bit for bit in range(5))
_IN_NUMBERS = (".", ",")


class Delimiters:
    """A table over the vocabulary: is a row at a delimiter after its last token?

    A full stop or comma behind a digit may belong to a number ("3.14", "1,000"). There the answer
    waits for one token: only if that does not begin with a digit was it a delimiter.
    """

    def __init__(self, pieces: Sequence[str], marks: Sequence[str]) -> None:
        """``pieces`` are the texts of the tokens by id, ``marks`` the delimiters."""
        ends = tuple(marks)
        self._table: NDArray[np.uint8] = np.array([_traits(one, ends) for one in pieces], np.uint8)

    def at(self, ids: Sequence[int]) -> bool:
        """True if a row of these tokens stands at a delimiter; three of them are enough."""
        if not ids:
            return False
        last = self._traits(ids[-1])
        if last & _ENDS and not self._doubtful(ids, len(ids) - 1):
            return True
        return (
            len(ids) > 1
            and not last & _DIGIT_FIRST
            and bool(self._traits(ids[-2]) & _ENDS)
            and self._doubtful(ids, len(ids) - 2)
        )

    def points(self, ids: Sequence[int], begin: int = 0) -> list[int]:
        """How many tokens stand before each delimiter point behind token ``begin``.

        The same points as asking `at` after each token in turn.
        """
        return [n for n in range(begin + 1, len(ids) + 1) if self.at(ids[max(0, n - 3) : n])]

    def _traits(self, token: int) -> int:
        # Some models have more rows of embeddings than tokens; such an id has no text.
        return int(self._table[token]) if 0 <= token < len(self._table) else 0

    def _doubtful(self, ids: Sequence[int], place: int) -> bool:
        traits = self._traits(ids[place])
        if not traits & _IN_DOUBT:
            return False
        if traits & _DIGIT_BEFORE:
            return True
        return place > 0 and bool(self._traits(ids[place - 1]) & _DIGIT_LAST)


def _traits(piece: str, marks: tuple[str, ...]) -> int:
    """What matters of a token's text. Only a lone mark can follow a digit of the token before."""
    if not piece:
        return 0
    traits = _ENDS if piece.endswith(marks) else 0
    if piece.endswith(_IN_NUMBERS) and (len(piece) == 1 or piece[-2].isdigit()):
        traits |= _IN_DOUBT
        traits |= _DIGIT_BEFORE if len(piece) > 1 else 0
    traits |= _DIGIT_FIRST if piece[0].isdigit() else 0
    traits |= _DIGIT_LAST if piece[-1].isdigit() else 0
    return traits
