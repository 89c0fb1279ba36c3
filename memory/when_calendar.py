"""Calendar arithmetic for time expressions: every unit is a half-open stretch of wall-clock time.

Weeks begin on Monday and seasons are the northern, meteorological ones (summer is June to August).
A stretch has no time zone; whoever reads an expression adds that of the message. Whatever lies
outside the years 1 to 9999 raises ValueError or OverflowError, as :mod:`datetime` does.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Literal, NamedTuple

Choice = Literal["last", "latest", "coming", "next"]
"""Which of the yearly ones: ended before the day, begun by it, not yet ended, begins after it."""

_SEASONS = {"spring": 3, "summer": 6, "fall": 9, "autumn": 9, "winter": 12}
_PARTS = {"morning": (4, 12), "afternoon": (12, 18), "evening": (18, 24), "night": (18, 28)}
"""Hours since midnight at which a part of the day begins and ends."""

_THIRDS = {"early": 0, "beginning": 0, "start": 0, "mid": 1, "middle": 1, "late": 2, "end": 2}


class Stretch(NamedTuple):
    """From ``start`` up to, but not including, ``end``; both without a time zone."""

    start: datetime
    end: datetime


def days(first: date, count: int = 1) -> Stretch:
    """``count`` whole days from ``first`` on."""
    return between(first, first + timedelta(days=count))


def between(first: date, after: date) -> Stretch:
    """The whole days from ``first`` up to, but not including, ``after``."""
    return Stretch(datetime.combine(first, time()), datetime.combine(after, time()))


def month(year: int, number: int) -> Stretch:
    """A calendar month; ``number`` is 1 to 12."""
    first = date(year, number, 1)
    return between(first, later_month(first, 1))


def year(number: int, count: int = 1) -> Stretch:
    """``count`` calendar years from ``number`` on."""
    return between(date(number, 1, 1), date(number + count, 1, 1))


def season(name: str, begun: int) -> Stretch:
    """A season of three months; a winter is of the year in which its December lies."""
    first = date(begun, _SEASONS[name], 1)
    return between(first, later_month(first, 3))


def part_of_day(day: date, name: str) -> Stretch:
    """The hours people call ``name``; a night runs on until four in the morning."""
    midnight = datetime.combine(day, time())
    first, last = _PARTS[name]
    return Stretch(midnight + timedelta(hours=first), midnight + timedelta(hours=last))


def third(whole: Stretch, which: str) -> Stretch:
    """The early, middle or late third of ``whole``, rounded to days."""
    place = _THIRDS[which]
    count = (whole.end - whole.start).days
    first = whole.start.date()
    return between(
        first + timedelta(days=count * place // 3),
        first + timedelta(days=count * (place + 1) // 3),
    )


def later_month(day: date, months: int) -> date:
    """The same day ``months`` later (earlier, if negative), or the last of a shorter month."""
    years, index = divmod(day.month - 1 + months, 12)
    first = date(day.year + years, index + 1, 1)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return min(first + timedelta(days=day.day - 1), following - timedelta(days=1))


def unit(name: str, day: date, steps: int = 0) -> Stretch:
    """The calendar unit that holds ``day``, moved by ``steps`` units: week 0 is the day's own.

    A weekend is the Saturday and Sunday at the end of the week.
    """
    match name:
        case "week":
            return days(day + timedelta(days=7 * steps - day.weekday()), 7)
        case "weekend":
            return days(day + timedelta(days=7 * steps + 5 - day.weekday()), 2)
        case "month":
            moved = later_month(day.replace(day=1), steps)
            return month(moved.year, moved.month)
        case "quarter":
            first = later_month(date(day.year, day.month - (day.month - 1) % 3, 1), 3 * steps)
            return between(first, later_month(first, 3))
        case "year":
            return year(day.year + steps)
        case _:
            return days(day + timedelta(days=steps))


def away(name: str, moment: datetime, low: int, high: int) -> Stretch:
    """From ``low`` to ``high`` units after ``moment`` (before it, if negative; ``low <= high``).

    The stretch is as vague as the unit: hours name a day, weeks the seven days around one, and
    months and years are those of the calendar.
    """
    day = moment.date()
    match name:
        case "minute" | "hour":
            step = timedelta(minutes=1 if name == "minute" else 60)
            last = (moment + high * step).date()
            return between((moment + low * step).date(), last + timedelta(days=1))
        case "week":
            start = day + timedelta(days=7 * low - 3)
            return between(start, day + timedelta(days=7 * high + 4))
        case _:
            return Stretch(unit(name, day, low).start, unit(name, day, high).end)


def running(name: str, day: date, count: int) -> Stretch:
    """The ``count`` units that end with ``day``, or begin with it if ``count`` is positive."""
    if name in ("minute", "hour"):
        return days(day)
    match name:
        case "day":
            other = day + timedelta(days=count)
        case "week" | "weekend":
            other = day + timedelta(days=7 * count)
        case "month":
            other = later_month(day, count)
        case "quarter":
            other = later_month(day, 3 * count)
        case _:
            other = later_month(day, 12 * count)
    return between(min(day, other), max(day, other) + timedelta(days=1))


def weekday(number: int, day: date, which: Choice) -> Stretch:
    """A weekday (0 is Monday) next to ``day``; "latest" and "coming" may be ``day`` itself."""
    back, ahead = (day.weekday() - number) % 7, (number - day.weekday()) % 7
    match which:
        case "last":
            return days(day - timedelta(days=back or 7))
        case "latest":
            return days(day - timedelta(days=back))
        case "coming":
            return days(day + timedelta(days=ahead))
        case "next":
            return days(day + timedelta(days=ahead or 7))


def weekend(day: date, which: Choice) -> Stretch:
    """A Saturday next to ``day`` and the Sunday after it."""
    return days(weekday(5, day, which).start.date(), 2)


def yearly(make: Callable[[int], Stretch | None], day: date, which: Choice) -> Stretch | None:
    """The occurrence, nearest to ``day``, of what comes once a year.

    ``make`` gives the stretch of a year, or None where a year has none (29 February).
    """
    past = which in ("last", "latest")
    steps = range(1, -10, -1) if past else range(-1, 10)
    here = datetime.combine(day, time())
    for step in steps:
        if not 1 <= day.year + step < 9999:
            continue
        made = make(day.year + step)
        if made is None:
            continue
        reached = {
            "last": made.end <= here,
            "latest": made.start <= here,
            "coming": made.end > here,
            "next": made.start > here,
        }
        if reached[which]:
            return made
    return None
