"""A time expression where it stands: what is before it, when it was said, and in which tense."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

LOOK_BACK = 32
"""How many characters before an expression may belong to it."""

_S = r"\s{1,3}"
THE = re.compile(rf"\bthe{_S}$", re.I)
NEAR_THE = re.compile(rf"\b(?:over|in|during|for|within){_S}the{_S}$", re.I)
OVER_THE = re.compile(
    rf"\b(?:in|on|at|over|during|for|since|until|till|by|through|throughout"
    rf"|(?:beginning|start|middle|end){_S}of|early|mid|late)[\s-]{{1,3}}(?:in{_S})?the{_S}$"
    r"|\b(?:early|mid|late)[\s-]$",
    re.I,
)
ONCE = re.compile(rf"\b(?:first|time|times|once|twice|not|never|n['’]t){_S}$", re.I)
LASTS = re.compile(rf"(?:\b(?:will|can|to|could|would|may|might|should)|n['’]t|['’]ll){_S}$", re.I)
ANY_DAY = re.compile(
    rf"\b(?:every|each|any|most|a|one|the|other|black|good|weeks?{_S}from){_S}$", re.I
)
IN = re.compile(r"\b(?:in|since|of|by|until|till|from|during|early|mid|late)[\s-]{1,3}$", re.I)
ON = re.compile(rf"\b(?:on|by|since|until|till|from|before|after|dated?|due){_S}$", re.I)
PLAIN_WORD = re.compile(rf"(?:^|[^\w'’])(?!the{_S})(?:[a-z'’]{{1,20}},?|I){_S}$")
IN_YEAR = re.compile(
    rf"\b(?:in|since|of|by|until|till|from|during|early|mid|late|before|after|year|between"
    rf"|\d{{4}}{_S}(?:to|and|or|until))[\s-]{{1,3}}$",
    re.I,
)
THE_DECADE = re.compile(rf"\bthe{_S}(?:(?:early|mid|late)[\s-]{{1,3}})?$", re.I)
MAY_GO_ON = re.compile(r"\s*(?:[.,!?;)]|$)|\s+(?:i|we|he|she|they|when|at|in|to|for|with)\b", re.I)

Tense = Callable[[int, int], bool | None]
"""Whether the text speaks of the future from one index to another; None if nothing tells."""


@dataclass(frozen=True, slots=True)
class Place:
    """An expression where it stands: its match, when it was said, and how to tell the tense."""

    match: re.Match[str]
    moment: datetime
    """When it was said, in wall-clock time without a zone."""
    tense: Tense

    @property
    def day(self) -> date:
        """The day on which it was said."""
        return self.moment.date()

    @property
    def ahead(self) -> bool | None:
        """True if the sentence speaks of the future here, False if of the past."""
        return self.tense(*self.match.span())

    def follows(self, pattern: re.Pattern[str]) -> bool:
        """True if what stands before the expression ends as ``pattern`` says."""
        start = self.match.start()
        return pattern.search(self.match.string, max(0, start - LOOK_BACK), start) is not None

    def word(self, group: str) -> str:
        """What the group matched, in small letters; empty if it did not."""
        return (self.match[group] or "").lower()
