"""When: the stretch of time that each expression of a message means, given when it was said.

Rules alone decide, so the same words said at the same moment always mean the same time. What
depends on something outside the message ("two days before my birthday", "three days later") is left
out, and so are holidays, and times of day finer than "this evening".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise

from .records import Frozen
from .when_calendar import Stretch, third
from .when_grammar import MONTHS, WEEKDAYS, any_time, rule
from .when_place import LOOK_BACK, THE, Place, Tense
from .when_reading import read
from .when_tense import Tenses

_THIRD_OF = ("month", "year", "decade", "season", "relative")
_THIRD = re.compile(
    r"\b(?:(?P<short>early|mid|late)(?:\s{1,3}in)?[\s-]{1,3}(?:the\s{1,3})?"
    r"|(?P<long>beginning|start|middle|end)\s{1,3}of\s{1,3}(?:the\s{1,3})?)$",
    re.IGNORECASE,
)
_SINCE = re.compile(r"\bsince\s{1,3}(?:about\s{1,3}|around\s{1,3}|the\s{1,3})?$", re.IGNORECASE)
_BOUND = re.compile(
    r"\b(?:(?P<before>before|prior\s{1,3}to|earlier\s{1,3}than)"
    r"|(?P<after>after|later\s{1,3}than|following)|(?P<since>since)|(?P<until>until|till|by|up\s{1,3}to))"
    r"\s{1,3}(?:the\s{1,3})?$",
    re.IGNORECASE,
)
_FROM = re.compile(r"\b(?:between|from)\s{1,3}(?:the\s{1,3})?$", re.IGNORECASE)
_TO = re.compile(
    r"\s{1,3}(?:and|to|until|till|through)\s{1,3}(?:the\s{1,3})?|\s?[-–]\s?", re.IGNORECASE
)
_YEAR = re.compile(r"\b\d{4}\b|\d0['’]?s$|/\d\d?/\d\d$")
_LONE_YEAR = re.compile(r"\b\d{4}\b")
_DID = re.compile(r"\b(?:did|was|were|had)\b", re.IGNORECASE)

_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)


class TimeSpan(Frozen):
    """A stretch of time that some words mean: from ``start`` up to, but not including, ``end``.

    Both moments are aware, in the time zone of the message; an open end is the least or greatest
    moment there is, in UTC. ``text`` is the expression as it was written.
    """

    text: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class _Found:
    """An expression at ``text[start:end]`` and what it means."""

    start: int
    end: int
    stretch: Stretch


def resolve(text: str, said: datetime) -> tuple[TimeSpan, ...]:
    """The times that the expressions of a message mean, in the order in which they stand.

    ``said`` is when the message was sent; without a time zone it counts as UTC. Expressions do not
    overlap, and those of which no rule tells the time are left out. Nothing raises.
    """
    zone = said.tzinfo or UTC
    spans: list[TimeSpan] = []
    for found in _find(text, said, Tenses(text)):
        start, stretch = found.start, found.stretch
        since = _SINCE.search(text, max(0, start - LOOK_BACK), start)
        if since and stretch.start < _day_end(said):
            start, stretch = since.start(), Stretch(stretch.start, _day_end(said))
        spans.append(_span(text[start : found.end], stretch, zone))
    return tuple(spans)


def asked_span(question: str, asked: datetime | None) -> TimeSpan | None:
    """The time to which a question restricts its answer, or None if it names none.

    Of several times the shortest counts, and "between June and August 2023" is one. "Before" and
    "after" leave an end open. Without ``asked``, only what names its year can be told. Nothing
    raises.
    """
    zone = (asked.tzinfo if asked else None) or UTC
    spans = list(_restrictions(question, asked, zone))
    return min(spans, key=lambda span: span.end - span.start, default=None)


def date_words(moment: datetime) -> str:
    """The words under which a day may be searched: "2023-05-08 8 May 2023 Monday"."""
    month, weekday = MONTHS[moment.month - 1].title(), WEEKDAYS[moment.weekday()].title()
    return f"{moment.date().isoformat()} {moment.day} {month} {moment.year} {weekday}"


def _day_end(said: datetime) -> datetime:
    """The end of the day, in wall-clock time, or the last moment there is."""
    last = _LAST.replace(tzinfo=None)
    midnight = said.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    return midnight + min(timedelta(days=1), last - midnight)


def _span(text: str, stretch: Stretch, zone: tzinfo) -> TimeSpan:
    start, end = stretch
    return TimeSpan(text=text, start=start.replace(tzinfo=zone), end=end.replace(tzinfo=zone))


def _find(text: str, said: datetime, tense: Tense) -> Iterator[_Found]:
    moment = said.replace(tzinfo=None)
    for match in any_time().finditer(text):
        kind = match.lastgroup or ""
        exact = rule(kind).match(text, match.start())
        if exact is None:
            continue
        try:
            stretch = read(Place(exact, moment, tense), kind)
        except (ValueError, OverflowError):  # outside the years 1 to 9999
            continue
        if stretch is None:
            continue
        start = match.start()
        narrowed = _THIRD.search(text, max(0, start - LOOK_BACK), start)
        if narrowed and kind in _THIRD_OF and stretch.end - stretch.start >= timedelta(days=7):
            start = narrowed.start()
            stretch = third(stretch, (narrowed["short"] or narrowed["long"]).lower())
        the = THE.search(text, max(0, start - LOOK_BACK), start)
        start = the.start() if the else start
        yield _Found(start, match.end(), stretch)


def _restrictions(question: str, asked: datetime | None, zone: tzinfo) -> Iterator[TimeSpan]:
    """What each time of a question, or each pair of times that it joins, restricts it to."""
    said = asked or datetime(2000, 1, 1, tzinfo=UTC)  # any: what depends on it is left out below
    tense = _past if _DID.search(question) else Tenses(question)
    found = list(_find(question, said, tense))
    joined: set[_Found] = set()
    for first, second in pairwise(found):
        whole = _joined(question, first, second, said)
        if whole and (asked or _YEAR.search(question[first.start : second.end])):
            joined |= {first, second}
            yield _span(question[first.start : second.end], whole, zone)
    for one in found:
        if one not in joined and (asked or _YEAR.search(question[one.start : one.end])):
            span = _bounded(question, one, asked, zone)
            if span.start < span.end:
                yield span


def _past(start: int, end: int) -> bool:
    """The tense of a question that asks what was: its months and days are past ones."""
    return False


def _joined(question: str, first: _Found, second: _Found, said: datetime) -> Stretch | None:
    """From ``first`` to ``second`` if the words join them; a year written once is that of both."""
    if not _FROM.search(question, max(0, first.start - LOOK_BACK), first.start):
        return None
    if not _TO.fullmatch(question, first.end, second.start):
        return None
    texts = [question[one.start : one.end] for one in (first, second)]
    years = [_LONE_YEAR.search(text) for text in texts]
    stretches = [first.stretch, second.stretch]
    for index, other in enumerate(reversed(years)):
        if other and not years[index]:
            full = f"in {texts[index]} {other[0]}"
            again = next(_find(full, said, _past), None)
            if again is None or again.end < len(full):
                return None
            stretches[index] = again.stretch
    start, end = stretches[0].start, stretches[1].end
    if start >= end and not any(years):  # "between June and August", asked in July
        end = _day_end(said)
    return Stretch(start, end) if start < end else None


def _bounded(question: str, one: _Found, asked: datetime | None, zone: tzinfo) -> TimeSpan:
    """The span of ``one``, or the time before, after, since or until it."""
    bound = _BOUND.search(question, max(0, one.start - LOOK_BACK), one.start)
    span = _span(question[one.start : one.end], one.stretch, zone)
    if bound is None:
        return span
    text, start, end = question[bound.start() : one.end], span.start, span.end
    match bound.lastgroup:
        case "before":
            start, end = _FIRST, start
        case "until":
            start = _FIRST
        case "after":
            start, end = end, _LAST
        case _:
            today = _day_end(asked).replace(tzinfo=zone) if asked else _LAST
            end = today if start < today else _LAST
    return TimeSpan(text=text, start=start, end=end)
