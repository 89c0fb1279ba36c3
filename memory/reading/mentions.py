"""Mentions: the words of a sentence, and which of them name something of a known kind.

A kind is one letter: T a time of day, W days or how often, L a language, D a diet, M a way to
travel, C a car, P a phone, F a dish, H a pastime, J an occupation, A an animal, K somebody near the
speaker ("my sister Ana"), N any other name or title.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from . import lexicon
from .verbs import is_verb

_WORD = re.compile(
    r"[\"“”][^\"“”\n]{1,60}[\"“”]|\d{1,2}[:.]\d\d(?:\s?[ap]\.?m\b\.?)?|\d{1,2}\s?[ap]\.?m\b\.?"
    r"|[^\W_]+?(?=n't\b)"
    r"|n't\b|'(?:m|re|ve|ll|d|s)\b|[^\W_]+(?:[-&][^\W_]+|'(?!(?:m|re|ve|ll|d|s|t)\b)[^\W_]+)*"
    r"|\.\.+|[^\w\s]",
    re.IGNORECASE,
)
FUNCTION = frozenset(
    """a about after again ago ah all almost along already also although always am an and another
    any anymore anyone anything anyway are around as at away back basically be because been
    before being best better big bit both but by bye can cannot cause change clearly could
    currently day dear definitely did do does doesn don done down during each either else even
    eventually ever every everyone everything exactly except few finally first for forget former
    fortunately from funny fyi goodbye had hardly has have haven having he hello hence her here
    hers hey hi him his honestly how however huge i if in indeed instead into is isn it its
    itself just last lately later let like little look lots lovely luckily many maybe me mind
    mine more most mostly much my myself need never new news next no nobody none nope nor not
    nothing now of off ok okay old on once one only onto or other our ours ourselves out over
    own people perhaps please previously probably quick quite rather really recently remember
    right sadly same she should since so some somebody someone something sometimes soon sorry
    still such suddenly sure surprise thank thanks that the their theirs them then there these
    they thing things this those though three through till time to today together tomorrow
    tonight too turns two under unfortunately until up update us used usually very was we well
    were what whatever when where whether which while who whom whose why will with within
    without would wow yeah year years yep yes yesterday yet you your yours finished going got
    getting back switched turned bit strictly fully officially formerly apparently speaking home
    work life breakfast lunch dinner coffee kids actually btw since according unlike besides
    plus also whoever oh""".split()
)
"""Words that no name begins with, whatever their first letter."""
_JUDGED = frozenset(
    """good great bad terrible decent pretty big huge heavy light fast slow keen avid amateur home
    hobby better best worst fellow favourite favorite lucky happy proud morning early night natural
    regular hard nervous picky fussy safe deep fussy lousy awful strong poor quick lazy brilliant
    wonderful horrible hopeless born frequent solid former retired aspiring future""".split()
)
_LINKS = frozenset("of the in and de la le du van von der den & to for at on del".split())
_NUMBERS = "one two three four five six seven eight nine ten eleven twelve".split()
_OFTEN = re.compile(
    r"(?:every (?:other |single )?(?:day|morning|evening|night|week\w*)|daily|weekdays|weekends"
    r"|(?:once|twice|thrice|(?:\d|two|three|four|five|six|seven) (?:times|days|nights|mornings))"
    r" (?:a|per|every|each) week)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word or a mark, with its place in the sentence."""

    text: str
    low: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Mention:
    """Something named, from word ``first`` up to ``last`` (not included).

    ``value`` is what is kept; of somebody near (K) ``relation`` and ``name`` say who.
    """

    kind: str
    first: int
    last: int
    value: str
    relation: str = ""
    name: str = ""


def words_of(sentence: str) -> list[Word]:
    """The words and marks of a sentence."""
    return [
        Word(found.group(), found.group().lower(), found.start(), found.end())
        for found in _WORD.finditer(sentence)
    ]


def mentions_of(
    sentence: str, words: Sequence[Word], *, bare: bool, opening: bool
) -> list[Mention]:
    """What a clause names, from left to right, the longest at each place; see `wording`."""
    found: list[Mention] = []
    place = 0
    while place < len(words):
        mention = _at(sentence, words, place, bare)
        proper = mention is not None and words[place].text[0].isupper() and (place or not opening)
        if mention is not None and proper and mention.kind in "FH" and mention.last == place + 1:
            mention = replace(mention, kind="N")  # "a puppy called Waffles"
        if mention is None:
            place += 1
        else:
            found.append(mention)
            place = mention.last
    return found


def _at(sentence: str, words: Sequence[Word], i: int, bare: bool) -> Mention | None:
    return (
        _quoted(words, i)
        or _time(words, i)
        or _days(sentence, words, i)
        or _near(words, i)
        or _car(words, i, bare)
        or _listed(words, i)
        or _occupation(words, i)
        or _name(words, i, bare)
    )


def _quoted(words: Sequence[Word], i: int) -> Mention | None:
    word = words[i].text
    if len(word) > 2 and word[0] in '"“”':
        return Mention("N", i, i + 1, word[1:-1].strip())
    return None


def _time(words: Sequence[Word], i: int) -> Mention | None:
    low = words[i].low
    before = words[i - 1].low if i else ""
    if re.fullmatch(r"\d{1,2}[:.]\d\d.*|\d{1,2}\s?[ap]\.?m\.?", low):
        return Mention("T", i, i + 1, words[i].text.strip())
    rest = [word.low for word in words[i : i + 3]]
    if low in ("half", "quarter") and len(rest) == 3 and rest[1] in ("past", "to"):
        return Mention("T", i, i + 3, " ".join(rest))
    hour = low in _NUMBERS or (low.isdecimal() and len(low) < 3 and 0 < int(low) < 25)
    if hour and before in ("at", "around", "by", "until", "till", "before", "to", "from", "past"):
        minutes = "thirty fifteen forty-five forty twenty ten fifty".split()
        more = 2 if len(rest) > 1 and rest[1] in (*minutes, "o'clock", "sharp") else 1
        unit = rest[more] if len(rest) > more else ""
        if not unit.isalpha() or unit in FUNCTION or is_verb(unit):
            return Mention("T", i, i + more, " ".join(rest[:more]))
    if low in ("noon", "midnight", "dawn", "sunrise"):
        return Mention("T", i, i + 1, low)
    return None


def _days(sentence: str, words: Sequence[Word], i: int) -> Mention | None:
    often = _OFTEN.match(sentence, words[i].start)
    if often:
        last = i
        while last < len(words) and words[last].end <= often.end():
            last += 1
        return Mention("W", i, max(last, i + 1), often.group())
    count, last, step = 0, i, i
    while step < len(words) and words[step].low in lexicon.WEEKDAYS | lexicon.SHORT_DAYS:
        count, last = count + 1, step + 1
        step = last
        while step < len(words) and words[step].low in (",", "and", "&", "plus", "+", "/"):
            step += 1
        if step == last:
            break
    if not count or (count == 1 and words[i].low in lexicon.SHORT_DAYS):
        return None
    return Mention("W", i, last, sentence[words[i].start : words[last - 1].end])


def _near(words: Sequence[Word], i: int) -> Mention | None:
    """Somebody near: "my little brother Kofi", "our neighbour"."""
    if words[i].low in ("mum", "mom", "dad", "grandma", "grandpa", "granny"):
        alone = words[i].text[0].isupper() and (not i or words[i - 1].low not in ("my", "our"))
        return Mention("K", i, i + 1, "", words[i].low) if alone else None
    if words[i].low not in ("my", "our"):
        return None
    for last in range(i + 1, min(i + 5, len(words))):
        pair = " ".join(word.low for word in words[last : last + 2])
        size = 2 if pair in lexicon.PARTNERS else 1
        relation = pair if size == 2 else words[last].low
        if relation in lexicon.RELATIONS or relation in lexicon.PARTNERS:
            after = last + size
            named = after + (after < len(words) - 2 and words[after].text == ",")
            if named != after and not _apposed(words, named):
                named = after
            if named < len(words) and _proper(words[named]) and words[named].text[0].isalpha():
                return Mention("K", i, named + 1, "", relation, words[named].text)
            return Mention("K", i, after, "", relation)
        if words[last].low not in _NEARER:
            return None
    return None


_NEARER = frozenset(
    """little big older younger old elder eldest oldest youngest twin best good great close
    dear former
    new half step baby late childhood school college work favourite favorite upstairs downstairs
    next-door other second first ex wonderful lovely sweet beloved current dearest long-time
    middle only""".split()
)


def _apposed(words: Sequence[Word], i: int) -> bool:
    return i + 1 < len(words) and _proper(words[i]) and words[i + 1].text in (",", ".", "!")


def _proper(word: Word) -> bool:
    return word.text[0].isupper() and word.low not in FUNCTION and word.text not in ("I",)


_COMMON_MAKES = frozenset("seat smart ram mini genesis lincoln alpine alfa lynk mg lucid".split())


def _car(words: Sequence[Word], i: int, bare: bool) -> Mention | None:
    if re.fullmatch(r"(?:19|20)\d\d", words[i].text) and i + 1 < len(words):
        found = _car(words, i + 1, bare)
        return replace(found, first=i) if found is not None else None
    low, text = words[i].low, words[i].text
    if low not in lexicon.CAR_MAKES or not (text[0].isupper() or bare):
        return None
    if low in _COMMON_MAKES and not text[0].isupper():
        return None
    last = i + 1
    while last < len(words) and last < i + 4 and _model(words[last], bare and last == i + 1):
        last += 1
    return Mention("C", i, last, " ".join(word.text for word in words[i:last]))


def _model(word: Word, bare: bool) -> bool:
    if any(letter.isdigit() for letter in word.text):
        return ":" not in word.text
    known = word.low in FUNCTION | lexicon.WEEKDAYS or (bare and is_verb(word.low))
    return word.text[0].isalpha() and not known and (word.text[0].isupper() or bare)


@cache
def _kinds() -> dict[str, str]:
    found: dict[str, str] = {}
    kinds = (
        ("A", lexicon.ANIMALS),
        ("L", lexicon.LANGUAGES),
        ("D", lexicon.DIETS),
        ("M", lexicon.RIDES),
        ("F", lexicon.FOODS),
        ("H", lexicon.HOBBIES),
    )
    for kind, listed in kinds:
        for phrase in listed:
            found.setdefault(phrase, kind)
    return found


_AFTER_BY = frozenset("car cycle coach foot taxi cab uber boat kayak canoe helicopter".split())


_DOINGS = frozenset("train cycle bike ferry kayak canoe skateboard longboard".split())
_DOERS = frozenset(
    """i we he she they you to and also usually only always can can't don't n't never now still
    normally often mostly""".split()
)


def _listed(words: Sequence[Word], i: int) -> Mention | None:
    kinds = _kinds()
    for size in (4, 3, 2, 1):
        part = words[i : i + size]
        if len(part) < size:
            continue
        low = " ".join(word.low for word in part)
        kind = kinds.get(low) or (kinds.get("-".join(w.low for w in part)) if size == 2 else None)
        if kind is None:
            continue
        if (
            size == 1
            and low in _AFTER_BY
            and (i == 0 or words[i - 1].low not in ("by", "on", "the"))
        ):
            continue
        if low in _DOINGS and i and words[i - 1].low in _DOERS:
            continue
        text = " ".join(word.text for word in part)
        return Mention(kind, i, i + size, text)
    if words[i].low in lexicon.PHONES:
        return _phone(words, i)
    return None


def _phone(words: Sequence[Word], i: int) -> Mention | None:
    if words[i].low in ("nothing", "honor", "moto", "pixel", "galaxy"):
        after = words[i + 1] if i + 1 < len(words) else words[i]
        if words[i].text.islower() or not (
            after.low == "phone" or any(c.isdigit() for c in after.text)
        ):
            return None
    last = i + 1
    while last < len(words) and last < i + 4:
        word = words[last]
        if not (word.text[0].isdigit() or _proper(word) or word.low in ("pro", "mini", "max")):
            break
        last += 1
    return Mention("P", i, last, " ".join(word.text for word in words[i:last]))


def _occupation(words: Sequence[Word], i: int) -> Mention | None:
    """ "data analyst": a head in the list after up to three words that no phrase begins with."""
    if i and words[i - 1].low in _JUDGED:
        return None
    for last in range(i, min(i + 4, len(words))):
        low = words[last].low
        if low in lexicon.OCCUPATIONS or low.removesuffix("-in-training") in lexicon.OCCUPATIONS:
            more = last + 1
            while more < len(words) and words[more].low in lexicon.OCCUPATIONS:
                more += 1
            return Mention("J", i, more, " ".join(word.text for word in words[i:more]))
        plain = words[last].text[0].isalpha() and low not in _JUDGED
        if not plain or low in FUNCTION or (is_verb(low) and low not in ("train", "care", "lift")):
            return None
        if words[last].text[0].isupper() and i:
            return None
    return None


_BEFORE_NAME = frozenset("in to at for with from called named into near join joined".split())


def _name(words: Sequence[Word], i: int, bare: bool) -> Mention | None:
    if bare:
        before = words[i - 1].low if i else ""
        plain = words[i].text.isalpha() and len(words[i].text) > 2 and words[i].low not in FUNCTION
        if before in _BEFORE_NAME and plain and not is_verb(words[i].low):
            return Mention("N", i, i + 1, words[i].text)
        return None
    if not _starts_name(words, i):
        return None
    last = i + 1
    while last < len(words):
        step = last
        while step < len(words) and step < last + 2 and words[step].low in _LINKS:
            step += 1
        if step >= len(words) or not _continues(words, step, linked=step > last):
            break
        if words[last].low == "and" and step == last + 1:
            break  # "Anna and Ben" are two, "Klara and the Sun" is one
        if words[last].low in ("to", "for", "at", "on", "in") and step == last + 1:
            break
        last = step + 1
    return Mention("N", i, last, " ".join(_joined(words[i:last])))


def _joined(part: Sequence[Word]) -> list[str]:
    found: list[str] = []
    for word in part:
        if found and word.text.startswith("'"):
            found[-1] += word.text
        else:
            found.append(word.text)
    return found


def _starts_name(words: Sequence[Word], i: int) -> bool:
    word = words[i]
    if not (word.text[0].isupper() and word.text[0].isalpha()):
        return False
    if word.low in lexicon.WEEKDAYS or word.text == "I":
        return False
    titled = i + 1 < len(words) and words[i + 1].text[0].isupper() and words[i + 1].text != "I"
    if word.low in ("the", "a", "an"):
        return titled and i + 1 < len(words) and words[i + 1].low not in FUNCTION
    if word.low in FUNCTION or (i == 0 and is_verb(word.low)):
        return i > 0 and titled and word.text not in ("My", "Our")
    return True


def _continues(words: Sequence[Word], i: int, *, linked: bool) -> bool:
    word = words[i]
    if word.low == "'s":
        return i + 1 < len(words) and words[i + 1].text[0].isupper() and words[i + 1].text != "I"
    if word.text[0].isdigit():
        return not linked and ":" not in word.text
    proper = word.text[0].isupper() and word.text[0].isalpha() and word.text != "I"
    return proper and word.low not in lexicon.WEEKDAYS
