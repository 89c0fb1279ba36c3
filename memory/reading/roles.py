"""Roles: of something named, whether a clause says that it holds or that it is over.

The nearest telling word before it decides ("from the bus to the tram"), else what follows it ("the
bus is history"). Languages, diets, times, days and ways to travel are read by their role and a cue
of what they are about, whatever the shape of the clause.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from .mentions import Mention
from .verbs import stopping
from .wording import Wording

Role = Literal["new", "old", "past"]

_OLD = (stopping() - {"put", "pass", "cut", "end", "finish", "give"}) | {
    "from", "not", "drop", "sell", "nomore", "insteadof", "sorry", "replace", "usedto", "without",
    "bye", "goodbye", "off", "over", "no", "finish", "hate", "tired", "stand", "fine", "wrong",
}  # fmt: skip
_TURNED = frozenset("switch swap trade change exchange convert replace move transition".split())
_NEW = frozenset("to for but start become join begin return pick resume with".split())
_PAST = frozenset("was were had did took went lived worked drove ate rode".split())
_AFTER_OLD = re.compile(
    r"^(?:,? ?(?:be|was|have) (?:over|out|history|go|past|do|too|not|mistake|dead|finish)|,?"
    r" ?(?:get|got) boring"
    r"|,? ?(?:be|was) mistake|,? ?not (?:work|do|cut|suit|be)|,? ?(?:break|broke|die|pass)\b|,?"
    r" ?went back"
    r"|,? ?(?:was|be) (?:[\w-]+ )?not|,? ?n't)"
)

CUES: dict[str, tuple[str, re.Pattern[str]]] = {
    "T": (
        "wake-up time",
        re.compile(
            r"\b(?:wake|get up|be up|alarm|rise|out of bed|out bed|start my day|my day start"
            r"|drag me|be awake|up and about|roll out)\b"
        ),
    ),
    "W": (
        "gym days",
        re.compile(
            r"\b(?:gym|train|training|workout|work out|exercise|lift|fitness|crossfit|weights?"
            r"|pump iron"
            r"|pt session|personal trainer|session)\b"
        ),
    ),
    "M": (
        "commute",
        re.compile(
            r"\b(?:commute|to (?:my )?(?:work|office|job|workplace)|into work|way (?:to|in)|get"
            r" around"
            r"|for work|go to work|work by|by @M\d+)\b"
        ),
    ),
    "L": (
        "language",
        re.compile(
            r"\b(?:learn|study|practise|lesson|class|course|tutor|duolingo|teacher|teach me"
            r"|language"
            r"|pick up|start|resume|begin|evening school|brush up|drop|quit|stop|switch|swap|do"
            r"|focus on|take|return to|try|work on|app|grammar)\b"
        ),
    ),
    "D": (
        "diet",
        re.compile(
            r"\b(?:be|eat|go|turn|become|switch|return|follow|do|keep|start|stay|drop|quit|stop"
            r"|diet|cook|stick|live|give|on|try|leave|change|convert|swap)\b"
        ),
    ),
}  # fmt: skip
"""By kind: the attribute, and the words in whose company a mention is about it."""

_NOT_AFTER = {
    "D": re.compile(
        r"^(?!diet|lifestyle|food|again|for|since|and|because|insteadof|to|so|or|,|@|after|as"
        r"|person"
        r"|in|on|with|meal|cooking|eater|way|eating|plan|from|be|not|when|until|but|at|by|now"
        r"|too|thing|myself|me|rules|kick|stuff|have)[\w-]"
    ),
    "L": re.compile(
        r"^(?:restaurant|food|movie|film|friend|guy|girl|man|woman|music|series|book|novel|wine"
        r"|place|cuisine"
        r"|history|literature|dish|recipe|song|people|grandmother|neighbour|neighbor|market|car"
        r"|toast|salad|coffee|press)\b"
    ),
}


_ELSE = re.compile(r"\b(?:close|closed|crowded|open|busy|packed|at work|meeting|empty)\b")


def role(worded: Wording, place: int) -> Role:
    """What a clause says of the mention that is its piece ``place``."""
    mention = worded.pieces[place].mention
    assert mention is not None
    before = _before(worded, place, mention)
    if before is not None:
        return before
    rest = " ".join(piece.norm for piece in worded.pieces[place + 1 : place + 6])
    return "old" if _AFTER_OLD.match(rest) else "new"


def _before(worded: Wording, place: int, mention: Mention) -> Role | None:
    """By the nearest telling word before it; past an earlier mention only an old one's verb."""
    for i in range(place - 1, max(place - 9, -1), -1):
        piece = worded.pieces[i]
        if piece.norm == "i" and i + 1 < place and worded.pieces[i + 1].mention is None:
            return None
        if piece.mention is not None:
            if piece.mention.kind == mention.kind:
                return _beside(worded, i, place)
            continue
        if piece.norm in _TURNED:
            return "old"
        if piece.norm in _OLD:
            return "old"
        if piece.norm in _NEW and place - i <= 2:
            later = piece.norm in ("for", "with", "to") and _over(worded, i)
            return "new" if later or piece.norm not in ("for", "with") else None
        if piece.norm in _PAST:
            return "past"
    return None


def _beside(worded: Wording, earlier: int, place: int) -> Role | None:
    """After another of its kind with nothing telling between: "X and Y" go together."""
    between = [piece.norm for piece in worded.pieces[earlier + 1 : place]]
    if between == [","] and role(worded, earlier) == "old":
        return "new"
    if between in (["and"], [","], [",", "and"], ["or"]):
        return role(worded, earlier)
    return None


def _over(worded: Wording, place: int) -> bool:
    """True if a word before ``place`` says that something is given up."""
    words = {piece.norm for piece in worded.pieces[:place]}
    return bool(words & (_TURNED | _OLD))


def typed(worded: Wording, context: str) -> Iterator[tuple[str, Mention, Role]]:
    """Attribute, mention and role of each language, diet, time, day and ride that is meant."""
    line = worded.line
    for place, mention in worded.mentions:
        if mention.kind not in CUES:
            continue
        attribute, cue = CUES[mention.kind]
        after = " ".join(piece.norm for piece in worded.pieces[place + 1 : place + 3])
        barred = _NOT_AFTER.get(mention.kind)
        if barred is not None and barred.match(after):
            continue
        if mention.kind == "W" and _ELSE.search(line):
            continue
        said = role(worded, place)
        known = context == attribute or (mention.kind == "M" and _given_up(worded, place))
        led = line.startswith(worded.pieces[place].norm)
        known = known or (mention.kind == "M" and said == "old" and led)
        known = known or (mention.kind == "D" and said == "old")
        known = known or (mention.kind == "T" and "nomore @T" in line)
        if known or cue.search(line):
            yield attribute, mention, said


def _given_up(worded: Wording, place: int) -> bool:
    """ "not take the bus": of a way to travel that is enough."""
    words = [piece.norm for piece in worded.pieces[max(0, place - 3) : place]]
    return "not" in words and bool({"take", "ride", "use", "catch"} & set(words))
