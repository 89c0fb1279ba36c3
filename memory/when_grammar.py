"""How English writes times: a pattern for each kind of expression, and numbers for the words.

In the patterns a space stands for up to three white-space characters. Every repetition is bounded,
so that a search takes time linear in the text. Nothing here knows the calendar.
"""

from __future__ import annotations

import re
from functools import cache

MONTHS: tuple[str, ...] = tuple(
    "january february march april may june july august september october november december".split()
)
WEEKDAYS: tuple[str, ...] = tuple(
    "monday tuesday wednesday thursday friday saturday sunday".split()
)

_NUMBERS: tuple[str, ...] = tuple(
    "one two three four five six seven eight nine ten eleven twelve".split()
)
_VAGUE = {"couple": (2, 3), "few": (2, 4), "several": (3, 7)}
_TENS = {"fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50}

_FLAGS = re.ASCII | re.IGNORECASE  # without ASCII, a Turkish dotted I would match an i
_SPACE = r"(?u:\s){1,3}"

_MONTH = (
    r"(?:jan(?:uary|\.)?|feb(?:ruary|\.)?|mar(?:ch|\.)?|apr(?:il|\.)?|may|jun(?:e|\.)?"
    r"|jul(?:y|\.)?|aug(?:ust|\.)?|sept?(?:ember|\.)?|oct(?:ober|\.)?|nov(?:ember|\.)?"
    r"|dec(?:ember|\.)?)"
)
_WEEKDAY = rf"(?:{'|'.join(WEEKDAYS)})"
# "sat", "sun" and "wed" are words of their own: they need a capital.
_SHORT = r"(?:mon|tues?|thurs?|thu|fri|weds|(?-i:Wed|Sat|Sun))"
_SEASON = r"(?:spring|summer|fall|autumn|winter)"
_UNIT = r"(?:minute|hour|day|weekend|week|month|quarter|year)"
_PART = r"(?: (?P<part>morning|afternoon|evening|night))?"
_COUNT = (
    rf"(?:\d{{1,3}}|(?:a )?couple(?: of)?|(?:a )?few|several|an?"
    rf"|(?:(?:{'|'.join(_TENS)})[\s-]?)?(?:{'|'.join(_NUMBERS)})|{'|'.join(_TENS)})"
)
_COUNTS = rf"(?<!\d[.,-])(?<!half )(?P<low>{_COUNT})(?:(?: or | to |\s?[-–]\s?)(?P<high>{_COUNT}))?"
_DAY = r"(?:3[01]|[12]\d|0?[1-9])(?!\d)(?:st|nd|rd|th)?"
_ANY_YEAR = r"(?:1[5-9]|20|21)\d\d(?!\w|[-/]\d)"
_YEAR = rf"(?:\.(?=\d))?\s{{0,2}},?\s{{0,2}}(?:(?:of|in) )?(?P<year>{_ANY_YEAR})"


def _nameless(pattern: str) -> str:
    """``pattern`` without named groups, to be part of another that has the same names."""
    return re.sub(r"\(\?P<\w+>", "(?:", pattern)


_SAME_YEAR = _nameless(_YEAR)
_NO_VERB = r"(?!(?-i:may|march))"  # "the 8 may come" and "they march 5 miles" are no dates
DATES = {
    "day_month": (
        rf"(?:{_WEEKDAY},? (?:the )?)?(?<![.,/$€£-])"
        rf"(?:(?P<first>{_DAY})(?:\s?[-–]\s?| to | and ))?(?P<day>{_DAY})(?: of)?\s{{0,2}}"
        rf"(?:{_NO_VERB}|(?<=of )|(?={_MONTH}{_SAME_YEAR}))(?P<month>{_MONTH})(?:{_YEAR})?"
    ),
    "month_day": (
        rf"(?:{_WEEKDAY},? )?(?:{_NO_VERB}|(?=\w+ \d\d?(?:st|nd|rd|th|{_SAME_YEAR})))"
        rf"(?P<month>{_MONTH}) (?:the )?(?P<day>{_DAY})(?!\w|[.:]\d)"
        rf"(?:(?:\s?[-–]\s?| to )(?P<last>{_DAY})(?!\w)"
        rf"| (?:and|&) (?P<other>{_DAY})(?={_SAME_YEAR}))?(?:{_YEAR})?"
    ),
    "iso": (
        r"(?<![.-])(?P<year>\d{4})[-/](?P<month>\d\d?)[-/](?P<day>\d\d?)"
        r"(?:T[\d:.]{2,15}(?:Z|[+-]\d\d:?\d\d)?)?(?![-/]\d)"
    ),
    "slashed": (
        r"(?<![.,/$-])(?P<month>\d\d?)/(?P<day>\d\d?)(?:/(?P<year>\d{4}|\d\d))?(?![-/]?\w|\.\d)"
    ),
}
_DATE = "|".join(_nameless(form) for form in DATES.values())

_RULES = {
    "anchored": (
        rf"(?P<what>{_WEEKDAY}|day|week|weekend|month|year)"
        rf" (?P<side>before|after|of) (?:the )?(?P<date>{_DATE})"
    ),
    "counted": (
        rf"{_COUNTS} (?P<what>{_UNIT}|{_WEEKDAY})s? (?:(?P<ago>ago|back(?! (?:to|at|in|from|and)))"
        rf"|(?P<hence>from (?:now|today))|(?P<side>before|after) (?:the )?(?P<date>{_DATE}))"
    ),
    "within": (
        rf"in (?:about |around |another |just )?{_COUNTS} (?P<what>{_UNIT})s?"
        r"(?![ -](?:of|ago|from|before|after|old))"
    ),
    "nth": (
        r"(?P<nth>first|second|third|fourth|last|1st|2nd|3rd|4th)"
        rf" (?P<what>{_WEEKDAY}|weekend|week) (?:of|in) (?P<month>{_MONTH})(?:{_YEAR})?"
    ),
    **DATES,
    "word": (
        r"(?P<far>day before yesterday|day after tomorrow)"
        rf"|(?P<near>today|yesterday|tomorrow){_PART}|(?P<tonight>tonight)|(?P<other>other day)"
    ),
    "part": r"this (?P<this>morning|afternoon|evening)|last (?P<last>night|evening)",
    "running": (
        rf"(?P<which>last|past|next|coming) (?!an? )(?P<low>{_COUNT})"
        rf" (?P<what>{_UNIT})s?(?! (?:of|ago|before|after))"
    ),
    "beyond": (
        rf"(?P<what>{_WEEKDAY}|week|weekend|month|year)"
        r" (?P<side>before last|after next)"
    ),
    "relative": (
        r"(?P<which>last|past|next|coming|upcoming|this(?: (?:past|last|coming|next))?)"
        r" (?:(?P<unit>weekend|week|month|quarter|year)"
        rf"|(?P<season>{_SEASON})|(?P<month>{_MONTH})(?! \d)"
        rf"|(?P<weekday>{_WEEKDAY}|{_SHORT}){_PART})(?!\w)(?! of(?!\w))"
    ),
    "weekday": rf"(?P<weekday>{_WEEKDAY}|(?<=on ){_SHORT}){_PART}",
    "weekend": r"weekend",
    "season": rf"(?P<season>{_SEASON})(?:{_YEAR}|(?! of(?!\w)))",
    "month": rf"(?P<month>{_MONTH})(?:{_YEAR})?",
    "year": rf"(?P<year>{_ANY_YEAR})(?!,?\.?\d)(?! {_UNIT})",
    "decade": r"(?P<century>1[89]|20)?['’]?(?P<ten>\d)0['’]?s",
}


def _compile(pattern: str) -> re.Pattern[str]:
    # A look-behind has a fixed width: there a space is one space.
    spaced = re.sub(r"(\(\?<[=!][^()]*\))| ", lambda found: found[1] or _SPACE, pattern)
    return re.compile(spaced, _FLAGS)


_STARTS = (
    rf"(?=\d|['’]\d|(?:{'|'.join(_NUMBERS)}|{'|'.join(_TENS)}|an?|couple|few|several|in|this|last|past"
    r"|next|coming|upcoming|day|week|weekend|month|year|today|yesterday|tomorrow|tonight"
    rf"|other|first|second|third|fourth|{_SEASON}|{_WEEKDAY}|{_SHORT}|{_MONTH})(?!(?u:\w)))"
)
"""What any expression starts with: a glance that spares the search of most words."""


@cache
def rule(kind: str) -> re.Pattern[str]:
    """The pattern of one kind of expression, with groups of its own."""
    return _compile(rf"(?:{_RULES[kind]})(?!(?u:\w))")


@cache
def any_time() -> re.Pattern[str]:
    """Finds expressions of every kind, the longer kinds first; ``lastgroup`` names the kind.

    Compiled when first used: it takes a tenth of a second.
    """
    kinds = "|".join(f"(?P<{kind}>{_nameless(form)})" for kind, form in _RULES.items())
    return _compile(rf"(?<!(?u:\w)){_STARTS}(?:{kinds})(?!(?u:\w))")


def month_number(word: str) -> int:
    """1 for "january" or "jan"."""
    return next(n for n, name in enumerate(MONTHS, 1) if name.startswith(word[:3]))


def weekday_number(word: str) -> int:
    """0 for "monday" or "mon"."""
    return next(n for n, name in enumerate(WEEKDAYS) if name.startswith(word[:3]))


def count_of(text: str) -> tuple[int, int]:
    """The least and the greatest number that the words of a count mean: "a few" is (2, 4)."""
    words = re.findall(r"\w+", text)
    for word in words:
        if word in _VAGUE:
            return _VAGUE[word]
    if words[0] in ("a", "an"):
        return 1, 1
    number = sum(int(word) if word.isdigit() else _number(word) for word in words)
    return number, number


def _number(word: str) -> int:
    return _TENS[word] if word in _TENS else _NUMBERS.index(word) + 1
