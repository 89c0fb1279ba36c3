"""Whether a text speaks of the future or of the past, place by place.

"On Saturday" is a day to come in "I'll go on Saturday" and one gone in "I went on Saturday". Cues
tell them apart: no grammar is parsed, and a text may have none.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import cached_property

_REACH = 100
"""How many characters away a cue still counts."""

_PAST = (
    "was were had did went saw got made took came met told gave found left lost won bought ran "
    "said thought felt began started spent wrote ate drove flew held heard kept knew sang sold "
    "sent spoke taught wore broke brought built caught chose became fell led paid rode slept stood"
).split()
_MARK = re.compile(
    r"(?P<stop>[.!?;\n])"
    rf"|\b(?:(?P<past>(?:{'|'.join(_PAST)})(?:n't)?|(?:have|has)(?:n't| \w{{1,9}} been| been)"
    r"|(?!need|excited|indeed|hundred|thrilled|interest|schedul|plann|suppos)[a-z]{3,12}ed)"
    r"|will|won't|shall|gonna|going to|plan(?:s|ned|ning)?|hop(?:e|ing)|look(?:ing)? forward"
    r"|can't wait|excited (?:for|about)|upcoming|soon|let's|should|schedul\w{1,5}|supposed to"
    r"|see you|want(?:ing)? to|have to|need(?:ing)? to|due|(?:I|we) have an?|leaves"
    r"|(?:is|are)(?= (?:on|in|at)\b)"
    r"|(?:am|is|are)(?: \w{1,9})? (?!amaz|excit|interest)\w{2,12}ing)\b"
    r"|'(?:ll|(?:m|re)(?: \w{1,9})? \w{2,12}ing)\b",
    re.ASCII | re.IGNORECASE,
)
"""The end of a sentence (``stop``), a cue of the past (``past``), or else one of the future."""


class Tenses:
    """The tense at each place of a text, found in one pass when it is first asked for."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __call__(self, start: int, end: int) -> bool | None:
        """True if the sentence speaks of the future at ``text[start:end]``, False if of the past.

        The nearest cue before the place decides, or else the first one after it; None if the
        sentence has none nearby.
        """
        places, tenses = self._marks
        for index in (bisect_left(places, start) - 1, bisect_left(places, end)):
            near = 0 <= index < len(places) and abs(places[index] - start) <= _REACH
            if near and tenses[index] is not None:
                return tenses[index]
        return None

    @cached_property
    def _marks(self) -> tuple[list[int], list[bool | None]]:
        """Where the marks stand, in order, and the tense of each (None for a stop)."""
        marks = list(_MARK.finditer(self._text.replace("’", "'")))
        tenses = [None if mark["stop"] else mark["past"] is None for mark in marks]
        return [mark.start() for mark in marks], tenses
