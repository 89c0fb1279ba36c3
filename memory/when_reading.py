"""The reading of a time expression: the stretch of time that its words and surroundings mean.

There is one reader per kind of the grammar. A reader returns None where the words only look like a
time ("you may"), or where no rule tells which time they mean ("the next week", told as a story).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

from .when_calendar import (
    Choice,
    Stretch,
    away,
    between,
    days,
    later_month,
    month,
    part_of_day,
    running,
    season,
    unit,
    weekday,
    weekend,
    year,
    yearly,
)
from .when_grammar import DATES, MONTHS, WEEKDAYS, count_of, month_number, rule, weekday_number
from .when_place import (
    ANY_DAY,
    IN,
    IN_YEAR,
    LASTS,
    MAY_GO_ON,
    NEAR_THE,
    ON,
    ONCE,
    OVER_THE,
    PLAIN_WORD,
    THE,
    THE_DECADE,
    Place,
)

_ORDINALS: tuple[str, ...] = tuple("first 1st second 2nd third 3rd fourth 4th".split())
_NAMES = ("march", "april", "may", "june", "august")
"""Months that are also words or people."""


def read(place: Place, kind: str) -> Stretch | None:
    """What an expression of ``kind`` means; None if it means no time that can be told.

    A time outside the years 1 to 9999 raises ValueError or OverflowError.
    """
    return _READERS[kind](place)


def _counts(place: Place) -> tuple[int, int]:
    """The least and the greatest count: "two or three" is (2, 3), "a few" (2, 4)."""
    counts = [count_of(place.word(group)) for group in ("low", "high") if place.match[group]]
    return min(low for low, _ in counts), max(high for _, high in counts)


def _part(place: Place, whole: Stretch) -> Stretch:
    """The part of the day that the expression names, or the whole day."""
    part = place.word("part")
    return part_of_day(whole.start.date(), part) if part else whole


def _bare(place: Place) -> Choice:
    return "coming" if place.ahead else "latest"


def _date(place: Place) -> Stretch | None:
    """8 May 2023, May 8, 5-7 May; without a year the one nearest in the past, or ahead."""
    groups = place.match.groupdict()
    day, last = _digits(groups["day"]), groups.get("last") or groups.get("other")
    first = _digits(groups.get("first") or groups["day"])
    number = month_number(place.word("month"))
    return _dated(place, groups["year"], number, first, _digits(last) if last else day)


def _digits(text: str) -> int:
    return int(text.rstrip("stndrhSTNDRH"))


def _numeric(place: Place) -> Stretch | None:
    """2023-05-08 and 5/8/2023: month first, unless it can only be the day."""
    number, day = int(place.match["month"]), int(place.match["day"])
    written = place.match["year"]
    if number > 12:
        number, day = day, number
    if written is None and _is_fraction(place.match[0]) and not place.follows(ON):
        return None
    if written is not None and len(written) == 2:
        written = f"{'19' if written > '69' else '20'}{written}"
    return _dated(place, written, number, day, day)


def _is_fraction(text: str) -> bool:
    top, bottom = map(int, text.split("/"))
    return text == "24/7" or (top < bottom and bottom in (2, 3, 4, 5, 8, 10)) or top == bottom


def _dated(place: Place, written: str | None, number: int, first: int, last: int) -> Stretch | None:
    def make(number_of_year: int) -> Stretch | None:
        if not 1 <= first <= last <= monthrange(number_of_year, number)[1]:
            return None
        start = date(number_of_year, number, first)
        return days(start, last - first + 1)

    if not 1 <= number <= 12:
        return None
    return make(int(written)) if written else yearly(make, place.day, _bare(place))


def _anchor(place: Place) -> Stretch | None:
    """The date from which an expression such as "the week before 9 June" counts."""
    text, start = place.match.string, place.match.start("date")
    for kind in DATES:
        found = rule(kind).match(text, start)
        if found:
            return read(Place(found, place.moment, place.tense), kind)
    return None


def _anchored(place: Place) -> Stretch | None:
    """The week, weekend or Friday before, after or of a date."""
    anchor = _anchor(place)
    if anchor is None:
        return None
    what, first, after = place.word("what"), anchor.start.date(), anchor.end.date()
    match place.word("side"):
        case "of":
            # The weekend of a Monday or a Tuesday is the one just gone.
            near = first - timedelta(days=2) if what == "weekend" else first
            return None if what in WEEKDAYS else unit(what, near)
        case "before":
            if what in WEEKDAYS:
                return weekday(weekday_number(what), first, "last")
            if what == "weekend":
                return weekend(first - timedelta(days=1), "last")
            return between(_moved(what, first, -1), first)
        case _:
            if what in WEEKDAYS:
                return weekday(weekday_number(what), after - timedelta(days=1), "next")
            if what == "weekend":
                return weekend(after - timedelta(days=1), "next")
            return between(after, _moved(what, after, 1))


def _moved(what: str, day: date, steps: int) -> date:
    match what:
        case "day" | "week":
            return day + timedelta(days=steps * (7 if what == "week" else 1))
        case _:
            return later_month(day, steps * (12 if what == "year" else 1))


def _counted(place: Place) -> Stretch | None:
    """Two weeks ago, three days from now, two weekends before 17 July 2023."""
    moment = place.moment
    if place.match["date"]:
        anchor = _anchor(place)
        if anchor is None:
            return None
        moment = datetime.combine(anchor.start.date(), time(12))
    low, high = _counts(place)
    back = bool(place.match["ago"]) or place.word("side") == "before"
    what = place.word("what")
    if what in WEEKDAYS:
        near = weekday(weekday_number(what), moment.date(), "last" if back else "next")
        week = timedelta(days=-7 if back else 7)
        ends = sorted((near.start + (low - 1) * week, near.start + (high - 1) * week))
        return Stretch(ends[0], ends[1] + timedelta(days=1))
    return away(what, moment, -high, -low) if back else away(what, moment, low, high)


def _within(place: Place) -> Stretch | None:
    """In two weeks: but "finished in two weeks" and "twice in a day" tell no time."""
    ahead, what = place.ahead, place.word("what")
    single = place.word("low") in ("a", "an", "one")
    doubtful = what in ("minute", "hour") or (single and what in ("day", "year"))
    if ahead is False or place.follows(ONCE) or (doubtful and not ahead):
        return None
    return away(what, place.moment, *_counts(place))


def _running(place: Place) -> Stretch | None:
    """The past two weeks, up to the day itself; the next three days, from it on."""
    which = place.word("which")
    if which == "last" and place.follows(LASTS):
        return None
    count = count_of(place.word("low"))[1]
    sign = -1 if which in ("last", "past") else 1
    return running(place.word("what"), place.day, sign * count)


def _beyond(place: Place) -> Stretch:
    """The week before last, the Saturday after next."""
    what, back = place.word("what"), place.word("side") == "before last"
    if what not in WEEKDAYS:
        return unit(what, place.day, -2 if back else 2)
    near = weekday(weekday_number(what), place.day, "last" if back else "next")
    return days(near.start.date() + timedelta(days=-7 if back else 7))


def _relative(place: Place) -> Stretch | None:
    """Last week, this past weekend, next Friday, this summer, last December."""
    which = place.word("which").split()[-1].replace("upcoming", "coming")
    told = which == "next" and place.follows(THE)
    if told and not (place.match["unit"] and place.follows(NEAR_THE)):
        return None
    if place.match["unit"]:
        return _relative_unit(place, which)
    if place.match["weekday"]:
        number = weekday_number(place.word("weekday"))
        if which == "this" and place.ahead is None:
            first = place.day - timedelta(days=place.day.weekday())
            return _part(place, days(first + timedelta(days=number)))
        return _part(place, weekday(number, place.day, _chosen(place, which)))
    name = place.word("season")
    if not name and not _is_month(place, which):
        return None
    make = _seasons(name) if name else _months(place.word("month"))
    if which == "this" and place.ahead is None:
        return make(place.day.year - (name == "winter" and place.day.month <= 6))
    return yearly(make, place.day, _chosen(place, which))


def _chosen(place: Place, which: str) -> Choice:
    if which == "this":
        return _bare(place)
    return "last" if which in ("last", "past") else "next"


def _relative_unit(place: Place, which: str) -> Stretch:
    what, day = place.word("unit"), place.day
    if what == "weekend":
        if which == "coming":
            return weekend(day, "coming")
        gone = which == "this" and day.weekday() < 5 and place.ahead is False
        return unit(what, day, -1 if gone else {"next": 1, "this": 0}.get(which, -1))
    if which == "this":
        return unit(what, day)
    if which == "past" or (which == "last" and place.follows(THE)):
        return running(what, day, -1)
    if which == "coming" or place.follows(THE):
        return running(what, day, 1)
    if which == "last" and what == "week" and day.weekday() == 6:
        # To some, a Sunday ends the week, to others it begins one: both last weeks.
        return between(day - timedelta(days=13), day)
    return unit(what, day, 1 if which == "next" else -1)


def _seasons(name: str) -> Callable[[int], Stretch | None]:
    return lambda begun: season(name, begun)


def _months(name: str) -> Callable[[int], Stretch | None]:
    number = month_number(name)
    return lambda number_of_year: month(number_of_year, number)


def _weekday(place: Place) -> Stretch | None:
    """Saturday: the last one, or the next if the sentence speaks of the future."""
    if place.follows(ANY_DAY):
        return None
    choice: Choice = "next" if place.ahead else "latest"
    return _part(place, weekday(weekday_number(place.word("weekday")), place.day, choice))


def _weekend(place: Place) -> Stretch | None:
    """Over the weekend."""
    if not place.follows(OVER_THE):
        return None
    return weekend(place.day, _bare(place))


def _season(place: Place) -> Stretch | None:
    """Summer of 2022, or over the summer."""
    if place.match["year"]:
        return season(place.word("season"), int(place.match["year"]))
    if not place.follows(OVER_THE):
        return None
    return yearly(_seasons(place.word("season")), place.day, _bare(place))


def _month(place: Place) -> Stretch | None:
    """May 2023, or in May."""
    if place.match["year"]:
        return month(int(place.match["year"]), month_number(place.word("month")))
    if not _is_month(place, ""):
        return None
    return yearly(_months(place.word("month")), place.day, _bare(place))


def _is_month(place: Place, which: str) -> bool:
    """True unless the word may be the verb, the walk or the woman of that name."""
    written, word = place.match["month"], place.word("month")
    if not which and place.follows(IN):
        return True
    if written[0].islower() and word == "may":
        following = place.match.string[place.match.end() : place.match.end() + 12]
        return which in ("last", "next") and MAY_GO_ON.match(following) is not None
    if which:
        return True
    if word not in MONTHS or written == "march":
        return False
    return word not in _NAMES or written[0].islower() or place.follows(PLAIN_WORD)


def _year(place: Place) -> Stretch | None:
    """In 2021; a number alone is no year."""
    return year(int(place.match["year"])) if place.follows(IN_YEAR) else None


def _decade(place: Place) -> Stretch | None:
    """The 1990s, the 90s, and the whole 1800s: but "my 20s" are an age."""
    century, ten = place.match["century"], int(place.match["ten"])
    if century is None and not place.follows(THE_DECADE):
        return None
    if century in ("18", "19") and ten == 0:
        return year(int(century) * 100, 100)
    return year(int(century or ("19" if ten > 2 else "20")) * 100 + ten * 10, 10)


def _nth(place: Place) -> Stretch | None:
    """The first weekend of August 2023, the last Friday in May."""
    what, nth = place.word("what"), place.word("nth")
    order = -1 if nth == "last" else _ORDINALS.index(nth) // 2
    length = {"week": 7, "weekend": 2}.get(what, 1)
    number = month_number(place.word("month"))

    def make(number_of_year: int) -> Stretch:
        start, end = (moment.date() for moment in month(number_of_year, number))
        if what == "week":
            first = end - timedelta(days=7) if order < 0 else start + timedelta(days=7 * order)
        else:
            wanted = 5 if what == "weekend" else weekday_number(what)
            near = weekday(wanted, end if order < 0 else start, "last" if order < 0 else "coming")
            first = near.start.date() + timedelta(days=7 * max(order, 0))
        return days(first, length)

    if place.match["year"]:
        return make(int(place.match["year"]))
    return yearly(make, place.day, _bare(place))


def _word(place: Place) -> Stretch | None:
    """Today, tomorrow night, the day before yesterday, tonight, and the other day."""
    if place.match["tonight"]:
        return part_of_day(place.day, "night")
    if place.match["other"]:
        week = days(place.day - timedelta(days=7), 7)
        return week if place.follows(THE) else None
    far, near = place.word("far"), place.word("near")
    steps = {"yesterday": -1, "tomorrow": 1}.get(near, 0)
    if far:
        steps = -2 if far.endswith("yesterday") else 2
    return _part(place, days(place.day + timedelta(days=steps)))


def _part_only(place: Place) -> Stretch | None:
    """This morning, last night."""
    if place.match["this"]:
        return part_of_day(place.day, place.word("this"))
    if place.follows(THE):
        return None
    return part_of_day(place.day - timedelta(days=1), place.word("last"))


_READERS: dict[str, Callable[[Place], Stretch | None]] = {
    "anchored": _anchored,
    "counted": _counted,
    "within": _within,
    "nth": _nth,
    "day_month": _date,
    "month_day": _date,
    "iso": _numeric,
    "slashed": _numeric,
    "word": _word,
    "part": _part_only,
    "running": _running,
    "beyond": _beyond,
    "relative": _relative,
    "weekday": _weekday,
    "weekend": _weekend,
    "season": _season,
    "month": _month,
    "year": _year,
    "decade": _decade,
}
