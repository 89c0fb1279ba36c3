"""Transitions: from one value to another, and short answers that only their context explains."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from .lexicon import CITIES
from .mentions import Mention
from .wording import Wording

Polarity = Literal["set", "end"]
Found = tuple[str, Mention, Polarity]

KINDS: dict[str, str] = {
    "home": "N",
    "employer": "NC",
    "job": "J",
    "partner": "N",
    "car": "CN",
    "phone": "PN",
    "diet": "D",
    "wake-up time": "T",
    "gym days": "W",
    "commute": "M",
    "language": "L",
    "hobby": "H",
    "favourite food": "F",
    "allergy": "FAN",
    "book": "N",
    "pet": "NFH",
    "dog": "NFH",
    "cat": "NFH",
    "name": "N",
}
"""The kinds of mention that can be a value of an attribute."""

_TURNS = (
    r"(?P<verb>switch|swap|trade|change|exchange|replace|move|go|convert|jump|upgrade|transition"
    r"|transfer|relocate|"
    r"shift|hop|went)"
)
_PAIRS = (
    re.compile(
        rf"{_TURNS} (?:[\w'-]+ ){{0,4}}?(?:from|out of) (?:be |my |job at )*(?P<old>@\w\d+)(?:"
        rf" [\w'-]+){{0,3}}? ?,? (?:over )?(?:and )?to (?:be |my |new |work for |live in |job at"
        rf" )*(?P<new>@\w\d+)"
    ),
    re.compile(
        rf"(?:{_TURNS}|leave|drop|quit|sell|sold|give) (?:in |out |up )?(?:my |old |do |for"
        rf" )*(?P<old>@\w\d+)(?: [\w'-]+){{0,2}}? ?,? (?:for|with|to join|to work at|to work for"
        rf"|to|and get|and take up|and start) (?:my |new |do |be )*(?P<new>@\w\d+)"
    ),
    re.compile(
        r"(?P<new>@\w\d+)(?: [\w'-]+){0,3}? ?,? (?:to replace|insteadof|replace|over|not) (?:my "
        r"|old |by |at |as |in |on |to |for |with |do |be |,)*(?P<old>@\w\d+)"
    ),
    re.compile(
        r"(?:insteadof|not) (?:by |at |as |in |on |my |be |do |learn |eat |read |drive"
        r" )*(?P<old>@\w\d+) ,? ?(?:but|it be|it 's|anymore ,) (?:by |at |as |in |on |my |be |do"
        r" )*(?P<new>@\w\d+)"
    ),
    re.compile(
        r"(?:usedto|was|were) (?:be )?(?:all about |into |do |my |at |in )*(?P<old>@\w\d+) ?,?"
        r" (?:now|but|but now) (?:it be |it be all |i be )*(?P<new>@\w\d+)"
    ),
)  # fmt: skip
_BY_KIND = {
    "C": "car", "D": "diet", "J": "job", "L": "language", "M": "commute", "F": "favourite food",
    "H": "hobby", "P": "phone", "W": "gym days", "T": "wake-up time",
}  # fmt: skip
_BY_WORD = (
    ("partner", r"\b(?:date|partner|boyfriend|girlfriend|relationship|break up)\b"),
    ("pet", r"@A\d"),
    ("book", r"\b(?:read|book|novel|chapter|page)\b"),
    ("employer", r"\b(?:job|work|company|employer|team|career|firm|join|start|employ|office)\b"),
    ("car", r"\b(?:trade|drive|lease|sell)\b"),
    ("home", r"\b(?:live|relocate|move|apartment|flat|house|city|town)\b"),
    ("employer", r"\b(?:switch|jump|transfer|leave|quit|change)\b"),
)
_WEAK = re.compile(
    r"(?:^|, |and |but |i |because )(?:no |yes )?(?:now )?(?:it|that|mine|name|one|he|she|this"
    r"|them|i|there|all)? ?(?P<not>not )?(?:be|go|do|have|drive|take|use|start|get|prefer|return"
    r" to|eat|like) "
    r"(?:back )?(?:again )?(?:all |about |on |at |in |to |with |by |for |call |as |my |do |be "
    r"|name |new |over )*(?P<v>@\w\d+)(?: |$)"
)
_CALLED = re.compile(r"(?:call|name) (?:it|her|him|them) (?P<v>@[NFHL]\d+)")
_FRAGMENT = re.compile(
    r"^(?:no |yes |now |not |right |correct |, )*(?P<v>@\w\d+)(?: again| now| ,|$)"
)


def turned(worded: Wording, context: str) -> Iterator[Found]:
    """What a clause says was left for what: "switched from the bus to the tram"."""
    line = worded.line
    for pattern in _PAIRS:
        match = pattern.search(line)
        if match is None:
            continue
        if match.groupdict().get("verb") in ("go", "went") and "@N" in match["old"]:
            continue
        old, new = worded.mention(match["old"]), worded.mention(match["new"])
        attribute = _attribute(line, old, new, context)
        if attribute:
            yield attribute, old, "end"
            yield attribute, new, "set"
            return


def _attribute(line: str, old: Mention, new: Mention, context: str) -> str:
    if old.kind != new.kind and not {old.kind, new.kind} <= {"C", "N", "P"}:
        return ""
    if old.kind == "T" and not re.search(r"alarm|wake|up|bed|rise", line):
        return context if context == "wake-up time" else ""
    if old.kind == "W" and not re.search(r"gym|train|workout|exercise|session|work out", line):
        return context if context == "gym days" else ""
    if new.kind in _BY_KIND and new.kind != "C":
        return "allergy" if "allerg" in line and new.kind == "F" else _BY_KIND[new.kind]
    if context and new.kind in KINDS.get(context, ""):
        return context
    if new.kind == "C":
        return "car"
    if new.value.lower() in CITIES or old.value.lower() in CITIES:
        return "home"
    return next((name for name, cue in _BY_WORD if re.search(cue, line)), "")


def weak(worded: Wording, context: str) -> Iterator[tuple[str, str, Polarity]]:
    """ "it's Oslo now", where ``context`` says what is spoken of."""
    kinds = KINDS.get(context, "NFHC" if context.startswith("favourite") else "")
    if not kinds:
        return
    if context == "allergy":
        plain = re.match(
            r"(?:, )?(?:it|that) (?:not )?be (?!@|not)([a-z]+(?: [a-z]+)?)(?: ,|$)", worded.line
        )
        if plain:
            first = worded.line[: plain.start(1)].count(" ")
            last = first + len(plain[1].split())
            yield context, worded.words_from(first, last), "set"
            return
    match = _CALLED.search(worded.line) or _WEAK.search(worded.line) or _FRAGMENT.match(worded.line)
    if match is None:
        return
    mention = worded.mention(match["v"])
    if mention.kind in kinds and mention.kind not in "TWMLD":
        denied = "not" in match.group().split()
        yield context, mention.value, "end" if denied else "set"
