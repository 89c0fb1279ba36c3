"""Frames: phrases as patterns over the plain form of a clause (`holding`, `naming`, `ceasing`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import count
from typing import Literal

from .ceasing import CEASING
from .holding import HOLDING
from .lexicon import PLACES
from .naming import NAMING, PRESUPPOSED

_SLOTS = {
    "<PLACE>": "(?:" + "|".join(sorted(PLACES)) + ")",
    "<FILL>": r"(?:(?!from\b|not\b|replace\b)[\w'-]+ ){0,3}?",
    "<JOB>": r"(?:job|position|role|gig|post|internship|spot|place|contract|work)",
}


@dataclass(frozen=True, slots=True)
class Frame:
    """A way to say that ``attribute`` has (or no longer has) a value."""

    attribute: str
    pattern: re.Pattern[str]
    needs: tuple[int, ...]
    anchored: bool

    def find(self, line: str) -> re.Match[str] | None:
        """Where the frame fits a line, if it does."""
        return self.pattern.match(line) if self.anchored else self.pattern.search(line)


def kinds_of(line: str) -> int:
    """The kinds of mention in a line, a bit each."""
    return sum(1 << ord(kind) - ord("A") for kind in set(re.findall(r"@([A-Z])", line)))


_KINDS = {"N": r"@[NCLP]\d+", "C": r"@C\d+", "B": r"(?:@N\d+(?: and @N\d+)?)"}
_FREE = r"(?!i\b|be\b|not\b|my\b|when\b|because\b|since\b)[\w@'-]+"
_ANY = rf"(?:{_FREE}(?: {_FREE}){{0,3}}?)"


_STOP = (
    r"(?= ,|$| and i\b| (?:so|but|any|again|in|at|after|because|since|from|for|near|now|or|when"
    r"|with)\b)"
)


def _compiled(row: str, attribute: str, *, anchored: bool) -> re.Pattern[str]:
    places = count(row.count("(?P<v>"))

    def put(found: re.Match[str]) -> str:
        kind = found.group()
        named = f"(?P<v{next(places) or ''}>"
        if kind == "N" and attribute in ("pet", "partner", "book"):
            return named + r"@[NFHL]\d+)"
        return named + (_ANY if kind == "V" else _KINDS.get(kind, f"@{kind}[0-9]+")) + ")"

    for slot, pattern in _SLOTS.items():
        row = row.replace(slot, pattern)
    filled = re.sub(r"(?<![\w@\\\[<])(?<!\(\?)[NCPFHJLMBDV](?![\w\]-])", put, row)
    if row.endswith(" V"):
        filled += _STOP
    head = r"^(?:\w+ly )?(?:usedto )?(?:not )?(?:\w+ly )?" if anchored else r"(?<![\w@-])"
    return re.compile(head + "(?:" + filled + ")" + r"(?![\w-])")


def _needs(row: str) -> tuple[int, ...]:
    """The kinds that a line must have for a row: those that stand outside every group."""
    depth, needs = 0, list[int]()
    for place, letter in enumerate(row):
        escaped = place > 0 and row[place - 1] == "\\"
        depth += (letter == "(") - (letter == ")") if not escaped else 0
        if depth == 0 and letter == "|":
            return ()
        alone = place == 0 or row[place - 1] in " "
        after = row[place + 1 : place + 2]
        ends = not (after.isalnum() or after in ("-", "?")) or not after
        if depth == 0 and alone and ends and letter in "NCPFHJLMBD":
            needs.append(_bits(_STANDS.get(letter, letter)))
    return tuple(needs)


_STANDS = {"N": "NCLPFH", "B": "NFHL"}


def _bits(kinds: str) -> int:
    return sum(1 << ord(kind) - ord("A") for kind in set(kinds))


Table = Literal["holding", "naming", "ceasing", "presupposed"]


@lru_cache(maxsize=1024)
def frames(table: Table, kinds: int) -> tuple[Frame, ...]:
    """The rows of a table that could fit a line with mentions of ``kinds`` (`kinds_of`)."""
    return tuple(one for one in _frames(table) if all(need & kinds for need in one.needs))


@cache
def _frames(table: Table) -> tuple[Frame, ...]:
    rows = {"holding": HOLDING, "naming": NAMING, "ceasing": CEASING, "presupposed": PRESUPPOSED}
    anchored = table == "holding"
    return tuple(
        Frame(attribute, _compiled(row, attribute, anchored=anchored), _needs(row), anchored)
        for attribute, listed in rows[table].items()
        for row in listed
    )
