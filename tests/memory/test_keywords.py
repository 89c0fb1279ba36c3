"""Keywords and summaries are made of the words that stand out."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from reverie.memory.keywords import keywords, stems_of, summary

TALK = [
    "The trams of Lisbon climb every hill.",
    "I took the tram to the castle of Lisbon.",
    "My aunt collects stamps.",
    "Do you like it?",
]


def test_what_is_said_often_comes_first_as_it_is_written() -> None:
    assert keywords([*TALK, "A tram passed."], most=2) == ["tram", "Lisbon"]


def test_what_is_common_elsewhere_stands_out_less() -> None:
    held = Counter({"lisbon": 100, "tram": 1})
    assert keywords(TALK, most=1, held=held, of=100) == ["trams"]
    assert keywords(["Lisbon stamps"], most=1, held=held, of=100) == ["stamps"]


def test_words_without_meaning_are_no_keywords() -> None:
    assert keywords(["well yes okay the and thanks"]) == []


def test_the_summary_is_the_sentence_most_like_the_others() -> None:
    assert "Lisbon" in summary(TALK, sentences=1)
    assert "stamps" not in summary(TALK, sentences=2)
    assert summary([]) == ""


@given(st.lists(st.text(max_size=80), max_size=8))
def test_any_text_gives_words_and_sentences_of_its_own(texts: list[str]) -> None:
    joined = "\n".join(texts)
    assert all(word in joined for word in keywords(texts))
    assert all(stems_of(part) <= stems_of(joined) for part in summary(texts).splitlines())
