"""Questions that one fact answers: whose, which attribute, and whether now or before."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from .facts import FactMemory, values
from .intervals import payload_of, plain
from .people import USER, one_person
from .reading.lexicon import ANIMALS, PARTNERS, RELATIONS, SPECIES
from .reading.statements import PETS, THINGS
from .records import Record

_ASKS: tuple[tuple[str, str], ...] = (
    ("wake-up time", r"\b(?:wake|waking|wake-up|get(?:s|ting)? up|got up|alarm|rise|out of bed)\b"),
    (
        "gym days",
        r"\b(?:gym|work(?:ing)? ?out|workouts?|train(?:s|ing)?(?! to)|exercis\w+|lift(?:ing)?)\b",
    ),
    (
        "commute",
        (
            r"\bcommut\w*|\b(?:get|getting|gets|got|go|going|travel\w*) (?:to|into) (?:the )?"
            r"(?:work|office)|\b(?:to|into) (?:the )?(?:work|office)\b(?=.*\bhow\b)"
        ),
    ),
    ("allergy", r"\ballerg\w+"),
    ("language", r"\blanguages?\b|\b(?:learning|studying)\b"),
    (
        "favourite food",
        (
            r"\b(?:dish|meal|food)\b.*\b(?:best|most|love|favou?rite|like)|\blike to eat\b"
            r"|favou?rite (?:dish|meal|food|thing to eat)"
        ),
    ),
    (
        "diet",
        (
            r"\bdiet\w*|\beating (?:style|plan|habits)|\bway of eating\b|\bhow do (?:i|they) eat\b"
            r"|\b(?:vegetarian|vegan)\b|\beating these days\b"
        ),
    ),
    ("book", r"\b(?:books?|reading|novel)\b|\bread\b"),
    ("phone", r"\b(?:phone|mobile|handset|smartphone)\b"),
    ("car", r"\b(?:cars?|vehicle|drive|drives|driving|drove)\b"),
    (
        "partner",
        (
            r"\b(?:dating|seeing|married|engaged|together with|going out|in a relationship|partner"
            r"|spouse|wife|husband|girlfriend|boyfriend|fianc[eé]e?|significant other|love life)\b"
            r"|\bwho(?:m)? (?:am|was) i with\b"
        ),
    ),
    ("hobby", r"\b(?:hobby|hobbies|pastimes?|(?:free|spare) time|for fun|interests?)\b"),
    (
        "employer",
        (
            r"\b(?:where|who(?:m)?)\b.*\b(?:work(?:s|ing|ed)?|employed|employs)\b|\b(?:employer"
            r"|company|workplace|firm)\b"
        ),
    ),
    (
        "job",
        (
            r"\bfor a living\b|\b(?:job|profession|occupation|position|role|career|line of work)\b"
            r"|\bwork(?:s|ing|ed)? as\b|\bwhat (?:do|does|did) .*\bdo\b$"
        ),
    ),
    (
        "home",
        (
            r"\bwhere\b.*\b(?:live|lives|lived|living|based|reside|home|from)\b|\b(?:city|town|home)\b"
            r"|\baddress\b|\bhome ?town\b|\bplace of residence\b"
        ),
    ),
    ("name", r"\bmy name\b|\bam i called\b"),
)
_PATTERNS = tuple((name, re.compile(pattern, re.IGNORECASE)) for name, pattern in _ASKS)
_FAVOURITE = re.compile(r"favou?rite (?P<what>[\w-]+(?: (?!before|now|these|at|as)[\w-]+)?)", re.I)
_BEFORE = re.compile(
    r"\b(?:before|previous(?:ly)?|used to|earlier|former(?:ly)?|prior|last time|ex|in the past"
    r"|until recently|back then)\b|\bold (?:job|car|phone|place|flat|home|employer|company)\b",
    re.IGNORECASE,
)
_KIN = re.compile(
    rf"\b(?:my|our) (?P<kin>(?:\w+ )?(?:{'|'.join(sorted(RELATIONS | PARTNERS, key=len)[::-1])}))\b"
    r"(?:'s)?(?: (?P<name>(?-i:[A-Z])[\w-]+))?",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"\b(?:does|did|is|was|do|has|of)\s+(?P<name>[A-Z][a-z]\w*)\b|\b(?P<own>[A-Z]\w+)'s\b"
)
_ANIMAL = re.compile(rf"\b(?P<kind>{'|'.join(sorted(ANIMALS, key=len)[::-1])})s?\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FactQuestion:
    """What a question asks of whom; ``before`` the present value, if it asks how things were."""

    subject: str
    attribute: str
    before: bool


def read_question(question: str) -> FactQuestion | None:
    """The fact that a question asks for; None if it is not of that kind."""
    text = question.replace("’", "'")[:1000]
    subject = _subject(text)
    attribute = _attribute(text if subject == USER else _KIN.sub(" ", text))
    if attribute is None:
        return None
    return FactQuestion(subject, attribute, _BEFORE.search(text) is not None)


def answer(facts: FactMemory, asked: FactQuestion, *, as_of: datetime | None = None) -> list[str]:
    """The values that answer a question, newest first; none if nothing is known to hold."""
    subject = resolve_subject(facts, asked.subject)
    if not asked.before:
        return values(facts.current(subject, asked.attribute, as_of=as_of))
    now = facts.current(subject, asked.attribute, as_of=as_of)
    return _previous(facts.history(subject, asked.attribute), now, as_of)


def resolve_subject(facts: FactMemory, subject: str) -> str:
    """The subject under which facts are kept: "sister" is "sister Ana" if only she is known."""
    if subject == USER:
        return subject
    known = facts.subjects()
    if subject in known:
        return subject
    wanted = set(subject.lower().split())
    alike = [one for one in known if wanted <= set(one.lower().split())]
    if len(alike) == 1:
        return alike[0]
    wider = [one for one in known if set(one.lower().split()) <= wanted]
    named = [one for one in known if one.lower().split()[-1] == subject.lower().split()[-1]]
    return next(iter([*wider, *(named if len(named) == 1 else [])]), one_person(subject, known)[0])


def _attribute(text: str) -> str | None:
    favourite = _FAVOURITE.search(text)
    if favourite:
        first, *rest = favourite["what"].lower().split()
        both = " ".join([first, *rest])
        return f"favourite {THINGS.get(both, THINGS.get(first, both))}"
    animal = _ANIMAL.search(text)
    if animal:
        kind = animal["kind"].lower()
        kind = SPECIES.get(kind, kind)
        return kind if kind in PETS else "pet"
    if re.search(r"\b(?:pets|animals?)\b", text, re.IGNORECASE):
        return "pet"
    return next((name for name, pattern in _PATTERNS if pattern.search(text)), None)


def _subject(text: str) -> str:
    kin = _KIN.search(text)
    if kin is not None:
        relation = kin["kin"].lower()
        last = relation.split()[-1]
        relation = relation if relation in PARTNERS or last not in RELATIONS else last
        if (
            relation in PARTNERS
            and not kin["name"]
            and re.match(r"\W*who\b|.*\bname\b", text, re.I)
        ):
            return USER
        if relation in RELATIONS or kin["name"]:
            return f"{relation} {kin['name'] or ''}".strip()
        return USER if re.match(r"\W*who\b", text, re.I) else relation
    named = _NAMED.search(text)
    if named is not None and not re.search(r"\b(?:I|my|me|mine)\b", text, re.IGNORECASE):
        return named["name"] or named["own"]
    return USER


def _previous(told: Sequence[Record], now: Sequence[Record], as_of: datetime | None) -> list[str]:
    """The last value that was closed and is not the present one."""
    present = {plain(one) for one in values(now)}
    past: list[tuple[datetime, str]] = []
    for record in told:
        payload = payload_of(record)
        ended = payload.valid_to
        if not payload.confirmed or not payload.value or payload.ends or ended is None:
            continue
        if plain(payload.value) not in present and (as_of is None or ended <= as_of):
            past.append((ended, payload.value))
    return [max(past)[1]] if past else []
