"""Time expressions are read against the date of the message."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverie.memory.when import TimeSpan, asked_span, date_words, resolve

WEDNESDAY = datetime(2023, 5, 10, 13, 56, tzinfo=UTC)
"""When the messages below were said, unless a test tells another moment."""


def meant(text: str, said: datetime = WEDNESDAY) -> list[str]:
    """The spans of a message, as "first day/day after the last"."""
    return [written(span) for span in resolve(text, said)]


def written(span: TimeSpan | None) -> str:
    return f"{moment(span.start)}/{moment(span.end)}" if span else ""


def moment(when: datetime) -> str:
    return when.strftime("%Y-%m-%d" if not (when.hour or when.minute) else "%Y-%m-%dT%H")


NEAR = {
    "I went there yesterday.": "2023-05-09/2023-05-10",
    "Today was long": "2023-05-10/2023-05-11",
    "see you tomorrow!": "2023-05-11/2023-05-12",
    "tomorrow's opening": "2023-05-11/2023-05-12",
    "the day before yesterday": "2023-05-08/2023-05-09",
    "the day after tomorrow": "2023-05-12/2023-05-13",
    "tonight": "2023-05-10T18/2023-05-11T04",
    "this morning": "2023-05-10T04/2023-05-10T12",
    "this afternoon": "2023-05-10T12/2023-05-10T18",
    "this evening": "2023-05-10T18/2023-05-11",
    "last night": "2023-05-09T18/2023-05-10T04",
    "yesterday evening": "2023-05-09T18/2023-05-10",
    "tomorrow night": "2023-05-11T18/2023-05-12T04",
    "I saw it the other day": "2023-05-03/2023-05-10",
}
UNITS = {
    "last week": "2023-05-01/2023-05-08",
    "this week": "2023-05-08/2023-05-15",
    "next week": "2023-05-15/2023-05-22",
    "this past week": "2023-05-03/2023-05-11",
    "the past week": "2023-05-03/2023-05-11",
    "the coming week": "2023-05-10/2023-05-18",
    "over the last month": "2023-04-10/2023-05-11",
    "last weekend": "2023-05-06/2023-05-08",
    "this weekend": "2023-05-13/2023-05-15",
    "this weekend we hiked": "2023-05-06/2023-05-08",
    "this past weekend": "2023-05-06/2023-05-08",
    "next weekend": "2023-05-20/2023-05-22",
    "What did you do over the weekend?": "2023-05-06/2023-05-08",
    "Any plans for the weekend?": "2023-05-13/2023-05-15",
    "last month": "2023-04-01/2023-05-01",
    "next month": "2023-06-01/2023-07-01",
    "last year": "2022-01-01/2023-01-01",
    "this year": "2023-01-01/2024-01-01",
    "last quarter": "2023-01-01/2023-04-01",
    "the week before last": "2023-04-24/2023-05-01",
    "the weekend after next": "2023-05-27/2023-05-29",
    "last summer": "2022-06-01/2022-09-01",
    "this spring": "2023-03-01/2023-06-01",
    "last winter": "2022-12-01/2023-03-01",
    "next winter": "2023-12-01/2024-03-01",
    "summer of 2022": "2022-06-01/2022-09-01",
    "We met during the summer": "2022-06-01/2022-09-01",
    "I'll travel in the summer": "2023-06-01/2023-09-01",
    "last December": "2022-12-01/2023-01-01",
    "next May": "2024-05-01/2024-06-01",
    "late last year": "2022-09-01/2023-01-01",
}
WEEKDAYS = {
    "We met on Saturday.": "2023-05-06/2023-05-07",
    "It was great on Wednesday": "2023-05-10/2023-05-11",
    "On Friday I'll go": "2023-05-12/2023-05-13",
    "We're going to leave on Monday": "2023-05-15/2023-05-16",
    "I have an exam on Monday": "2023-05-15/2023-05-16",
    "last Saturday": "2023-05-06/2023-05-07",
    "last Wednesday": "2023-05-03/2023-05-04",
    "last Tues": "2023-05-09/2023-05-10",
    "next Friday": "2023-05-12/2023-05-13",
    "this coming Friday": "2023-05-12/2023-05-13",
    "this Sunday": "2023-05-14/2023-05-15",
    "this Monday I will start": "2023-05-15/2023-05-16",
    "Saturday before last": "2023-04-29/2023-04-30",
    "two Fridays ago": "2023-04-28/2023-04-29",
    "We danced Friday night": "2023-05-05T18/2023-05-06T04",
    "We met last Sat": "2023-05-06/2023-05-07",
}
COUNTED = {
    "two days ago": "2023-05-08/2023-05-09",
    "a week ago": "2023-04-30/2023-05-07",
    "3 weeks ago": "2023-04-16/2023-04-23",
    "two or three weeks ago": "2023-04-16/2023-04-30",
    "a couple of days ago": "2023-05-07/2023-05-09",
    "a few days ago": "2023-05-06/2023-05-09",
    "several weeks ago": "2023-03-19/2023-04-23",
    "a month ago": "2023-04-01/2023-05-01",
    "ten years ago": "2013-01-01/2014-01-01",
    "a few years back": "2019-01-01/2022-01-01",
    "twenty-five years ago": "1998-01-01/1999-01-01",
    "three hours ago": "2023-05-10/2023-05-11",
    "15 hours ago": "2023-05-09/2023-05-10",
    "two weekends ago": "2023-04-29/2023-05-01",
    "in two days": "2023-05-12/2023-05-13",
    "in a couple of days": "2023-05-12/2023-05-14",
    "in three weeks": "2023-05-28/2023-06-04",
    "3 weeks from now": "2023-05-28/2023-06-04",
    "the past three weeks": "2023-04-19/2023-05-11",
    "for the last two months": "2023-03-10/2023-05-11",
    "the next two weeks": "2023-05-10/2023-05-25",
}
DATES = {
    "8 May 2023": "2023-05-08/2023-05-09",
    "8 May, 2023": "2023-05-08/2023-05-09",
    "8th of May": "2023-05-08/2023-05-09",
    "May 8th, 2023": "2023-05-08/2023-05-09",
    "Monday, May 8": "2023-05-08/2023-05-09",
    "May 20": "2022-05-20/2022-05-21",
    "I'll see you on May 20": "2023-05-20/2023-05-21",
    "may 8th, 2022": "2022-05-08/2022-05-09",
    "24June, 2022": "2022-06-24/2022-06-25",
    "Dec. 3, 2021": "2021-12-03/2021-12-04",
    "May 5-7, 2023": "2023-05-05/2023-05-08",
    "5 to 7 May": "2023-05-05/2023-05-08",
    "2023-05-08": "2023-05-08/2023-05-09",
    "2023-05-08T10:00:00Z": "2023-05-08/2023-05-09",
    "2023/05/08": "2023-05-08/2023-05-09",
    "5/8/2023": "2023-05-08/2023-05-09",
    "13/5/2022": "2022-05-13/2022-05-14",
    "3/1": "2023-03-01/2023-03-02",
    "5/8/23": "2023-05-08/2023-05-09",
    "29 February": "2020-02-29/2020-03-01",
    "29 February 2024": "2024-02-29/2024-03-01",
    "the week of 9 June 2023": "2023-06-05/2023-06-12",
    "the week before 9 June 2023": "2023-06-02/2023-06-09",
    "the Sunday before 25 May 2023": "2023-05-21/2023-05-22",
    "the weekend before 17 July 2023": "2023-07-15/2023-07-17",
    "the weekend after 3 June, 2022": "2022-06-04/2022-06-06",
    "two weekends before 17 July 2023": "2023-07-08/2023-07-10",
    "two weeks before 11 August 2023": "2023-07-25/2023-08-01",
    "three days after 1 March 2023": "2023-03-04/2023-03-05",
}
MONTHS = {
    "May 2023": "2023-05-01/2023-06-01",
    "February, 2023": "2023-02-01/2023-03-01",
    "We moved in May": "2023-05-01/2023-06-01",
    "We moved in june": "2022-06-01/2022-07-01",
    "I'm performing in June": "2023-06-01/2023-07-01",
    "I think March works": "2023-03-01/2023-04-01",
    "since March": "2023-03-01/2023-05-11",
    "since 2016": "2016-01-01/2023-05-11",
    "since last Friday": "2023-05-05/2023-05-11",
    "early May": "2023-05-01/2023-05-11",
    "mid-June 2022": "2022-06-11/2022-06-21",
    "the end of April": "2023-04-21/2023-05-01",
    "in 2021": "2021-01-01/2022-01-01",
    "early in 2023": "2023-01-01/2023-05-02",
    "the 1990s": "1990-01-01/2000-01-01",
    "the 90s": "1990-01-01/2000-01-01",
    "the early '90s": "1990-01-01/1993-05-02",
    "a book from the 1800s": "1800-01-01/1900-01-01",
    "the first weekend of August 2023": "2023-08-05/2023-08-07",
    "the second week of November 2023": "2023-11-08/2023-11-15",
    "the last Friday of April": "2023-04-28/2023-04-29",
}


@pytest.mark.parametrize(
    ("text", "span"), list({**NEAR, **UNITS, **WEEKDAYS, **COUNTED, **DATES, **MONTHS}.items())
)
def test_an_expression_means_the_time_people_mean(text: str, span: str) -> None:
    assert meant(text) == [span]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "You may go, it may be fun; this may help.",
        "May I ask? They march on, at a march.",
        "I sat in the sun for a second; we wed.",
        "The Women's March with Aunt May, the March for Life",
        "three days later we left",
        "two days before my birthday",
        "a week from Friday, who knows",
        "the next week we left",
        "every Friday, on Sundays",
        "for two months, 4 years already",
        "I finished it in two weeks",
        "twice in a day",
        "It will last two weeks",
        "half a year ago",
        "24/7, 1/2 cup, 9/10",
        "31 February 2023, 2023-13-45, 13/13/2020",
        "9999999 years ago, 2025 years ago, since 2000 days",
        "in my 20s, room 2023, 2023 people",
        "since we last talked; next time",
        "the last week of school",
        "todayish mayday yesterdays",
        "今天tomorrow",
        "yeſterday",
    ],
)
def test_what_only_looks_like_a_time_is_left_out(text: str) -> None:
    assert meant(text) == []


@pytest.mark.parametrize(
    ("text", "said", "span"),
    [
        ("a month ago", "2023-03-31", "2023-02-01/2023-03-01"),
        ("the past month", "2023-03-31", "2023-02-28/2023-04-01"),
        ("next month", "2023-12-31", "2024-01-01/2024-02-01"),
        ("last month", "2023-01-15", "2022-12-01/2023-01-01"),
        ("last December", "2023-01-07", "2022-12-01/2023-01-01"),
        ("in December", "2023-01-07", "2022-12-01/2023-01-01"),
        ("yesterday", "2024-03-01", "2024-02-29/2024-03-01"),
        ("yesterday", "2023-01-01", "2022-12-31/2023-01-01"),
        ("Feb 29", "2024-03-01", "2024-02-29/2024-03-01"),
        ("the past year", "2024-02-29", "2023-02-28/2024-03-01"),
        ("this winter", "2023-01-15", "2022-12-01/2023-03-01"),
        ("this winter", "2023-11-15", "2023-12-01/2024-03-01"),
        ("last summer", "2023-08-11", "2022-06-01/2022-09-01"),
        ("last week", "2023-01-02", "2022-12-26/2023-01-02"),
        ("last week", "2023-05-14", "2023-05-01/2023-05-14"),
        ("last weekend", "2023-05-14", "2023-05-06/2023-05-08"),
        ("last quarter", "2023-02-01", "2022-10-01/2023-01-01"),
        ("next year", "9998-06-01", ""),
        ("yesterday", "0001-01-01", ""),
        ("tomorrow", "9999-12-31", ""),
    ],
)
def test_the_edges_of_months_and_years_hold(text: str, said: str, span: str) -> None:
    day = datetime.fromisoformat(said).replace(hour=12, tzinfo=UTC)
    assert meant(text, day) == ([span] if span else [])


def test_expressions_come_in_order_as_they_were_written() -> None:
    text = "Last Friday I saw the film from May 8, 2022; Tomorrow we paint the day after tomorrow."
    found = resolve(text, WEDNESDAY)
    words = ["Last Friday", "May 8, 2022", "Tomorrow", "the day after tomorrow"]
    assert [span.text for span in found] == words


def test_a_cue_in_another_sentence_does_not_count() -> None:
    assert meant("I'll call. We met on Friday") == ["2023-05-05/2023-05-06"]


def test_the_zone_is_that_of_the_message() -> None:
    paris = ZoneInfo("Europe/Paris")
    (span,) = resolve("yesterday", datetime(2023, 3, 27, 0, 30, tzinfo=paris))
    assert span.start == datetime(2023, 3, 26, tzinfo=paris)
    assert span.start.tzinfo is paris
    assert resolve("today", datetime(2023, 5, 8))[0].start.tzinfo is UTC  # noqa: DTZ001


ASKED = {
    "What happened in May 2023?": "2023-05-01/2023-06-01",
    "Who came on 8 May, 2023?": "2023-05-08/2023-05-09",
    "Who won between June and August 2022?": "2022-06-01/2022-09-01",
    "Where was John between August 11 and August 15 2022?": "2022-08-11/2022-08-16",
    "Where was he between 11 and 15 August 2022?": "2022-08-11/2022-08-16",
    "What grew from 2019 to 2021?": "2019-01-01/2022-01-01",
    "What was built in 2022?": "2022-01-01/2023-01-01",
    "Where was Tim in the week before 16 November 2022?": "2022-11-09/2022-11-16",
    "Which of the plans of 2022 did she make on 3 May 2022?": "2022-05-03/2022-05-04",
}
ASKED_THEN = {
    "What did Ann do last week?": "2023-05-01/2023-05-08",
    "What did Ann see in May?": "2023-05-01/2023-06-01",
    "What did Ann plan to see in June?": "2022-06-01/2022-07-01",
    "What is up since March?": "2023-03-01/2023-05-11",
    "Where was she between November and February?": "2022-11-01/2023-03-01",
    "What was told between April and December?": "2023-04-01/2023-05-11",
    "Who will come on Friday?": "2023-05-12/2023-05-13",
}


@pytest.mark.parametrize(("question", "span"), list(ASKED.items()))
def test_a_question_that_names_the_year_needs_no_date(question: str, span: str) -> None:
    assert written(asked_span(question, None)) == span
    assert written(asked_span(question, WEDNESDAY)) == span


@pytest.mark.parametrize(("question", "span"), list(ASKED_THEN.items()))
def test_a_question_without_a_year_needs_a_date(question: str, span: str) -> None:
    assert asked_span(question, None) is None
    assert written(asked_span(question, WEDNESDAY)) == span


@pytest.mark.parametrize(
    ("question", "start", "end"),
    [
        ("What came before 3 July 2022?", None, "2022-07-03"),
        ("What came after 3 July 2022?", "2022-07-04", None),
        ("What was ready by June 2022?", None, "2022-07-01"),
        ("What came after July 2022?", "2022-08-01", None),
    ],
)
def test_before_and_after_leave_an_end_open(
    question: str, start: str | None, end: str | None
) -> None:
    span = asked_span(question, WEDNESDAY)
    assert span is not None
    assert span.start == (_day(start) if start else datetime.min.replace(tzinfo=UTC))
    assert span.end == (_day(end) if end else datetime.max.replace(tzinfo=UTC))


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_what_has_no_year_needs_a_date_however_it_is_written() -> None:
    assert asked_span("Who came on 3/14?", None) is None
    assert written(asked_span("Who came on 3/14/22?", None)) == "2022-03-14/2022-03-15"
    assert asked_span("What was 2000 days ago?", None) is None


def test_a_question_without_a_time_asks_for_none() -> None:
    assert asked_span("What does Ann like?", WEDNESDAY) is None
    assert asked_span("", None) is None


def test_a_day_has_the_words_under_which_it_is_searched() -> None:
    assert date_words(datetime(2023, 5, 8, 9, tzinfo=UTC)) == "2023-05-08 8 May 2023 Monday"
    assert date_words(datetime(33, 4, 3, tzinfo=UTC)).startswith("0033-04-03 3 April 33 ")


PIECES = st.sampled_from(
    "yesterday last next this past in on the of since between and from to before after May march 8 "
    "2023 31 February week weekend Friday year years ago 9999 a few two summer 90s 5/8 2023-05-08 "
    "29 late early mid- ' ’ , . will went first day hour now 😀 今天 İ ſ quarter night 0".split()
)
TEXTS = st.text() | st.lists(PIECES, max_size=12).map(" ".join)
ZONES = st.timezones() | st.integers(-1439, 1439).map(lambda m: timezone(timedelta(minutes=m)))
MOMENTS = st.datetimes(timezones=ZONES | st.none())


@given(TEXTS, MOMENTS)
def test_nothing_raises_and_spans_are_orderly(text: str, said: datetime) -> None:
    spans = resolve(text, said)
    assert spans == resolve(text, said)
    for span in spans:
        assert span.start < span.end
        assert span.start.utcoffset() is not None
        assert span.end.utcoffset() is not None
    places = [0]
    for span in spans:
        places.append(text.index(span.text, places[-1]) + len(span.text))
    assert all(first < second for first, second in pairwise(places))


@given(TEXTS, MOMENTS | st.none())
def test_no_question_raises(text: str, asked: datetime | None) -> None:
    span = asked_span(text, asked)
    assert span == asked_span(text, asked)
    assert span is None or span.start < span.end


@given(
    st.sampled_from(
        ["yesterday", "on Sunday", "last Friday", "next Monday", "last week", "over the weekend"]
    ),
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_a_week_later_the_same_words_mean_a_week_later(text: str, said: datetime) -> None:
    week = timedelta(days=7)
    (now,), (then,) = resolve(text, said), resolve(text, said + week)
    assert (then.start, then.end) == (now.start + week, now.end + week)


def test_a_long_text_is_read_in_linear_time() -> None:
    line = "Hey 😀! Last Friday I saw 今天 the new show in the park, and it was so cool. "
    text = line * (200_000 // len(line))
    started = time.process_time()
    spans = resolve(text, WEDNESDAY)
    assert len(spans) == text.count("Last Friday")
    assert (
        time.process_time() - started < 3
    )  # 0.2 seconds on an idle core; a square would take hours


@pytest.mark.parametrize("piece", ["a ", "2 ", "1/", "in a ", " ", "8 to ", "the first ", "May "])
def test_a_text_of_beginnings_takes_no_longer(piece: str) -> None:
    started = time.process_time()
    resolve(piece * (200_000 // len(piece)), WEDNESDAY)
    assert time.process_time() - started < 10
