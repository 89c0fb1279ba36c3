"""Reading statements: what a message says of its speaker, or of somebody near them.

Each clause is put in a plain form, what it names is found by kind, and the words around decide what
it is about and whether it holds or is over. Only plain statements of fact are read: questions,
wishes, plans, conditions, memories of how things were and what others think change nothing. What
is not read is not lost, for the message itself is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from .clauses import OTHER, USER, Clause, clauses_of
from .frames import Frame, Table, frames, kinds_of
from .lexicon import CITIES, PARTNERS, SPECIES
from .roles import CUES, typed
from .transitions import turned, weak
from .wording import Wording

Polarity = Literal["set", "end"]

MANY = frozenset(("hobby", "allergy", "language", "child"))
"""Attributes of which a person has several at once."""

PETS = frozenset(
    """pet dog cat rabbit hamster parrot budgie cockatiel canary bird turtle tortoise horse pony
    snake gecko lizard iguana ferret fish goldfish hedgehog chinchilla rat mouse gerbil duck hen
    goat""".split()
) | {"guinea pig", "bearded dragon"}
"""The attributes under which animals are kept, by their kind; ``pet`` where it isn't known."""

_ANOTHER = re.compile(r"\b(?:another|second|third|two|both|also|as well|too)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a sentence says: ``subject`` (``user``, or as in ``sister Ana``) has a value of an
    ``attribute``, or (``end``) has it no longer; an ``end`` without a value ends whatever it was.
    ``many`` says that it stands beside other values and doesn't replace them.
    """

    subject: str
    attribute: str
    value: str
    polarity: Polarity
    sentence: str
    many: bool = False


def family(attribute: str) -> str:
    """The name that attributes share which replace each other: ``pet`` for every animal."""
    return "pet" if attribute in PETS else attribute


def read_statements(text: str, *, about: Sequence[str] = ()) -> list[Statement]:
    """The statements of a message, in order, each once.

    ``about`` are attributes just spoken of, so that "no, it's Oslo" can be understood.
    """
    found: dict[tuple[str, str, str, Polarity], Statement] = {}
    reader = _Reader(about[0] if len(about) == 1 else "")
    for clause in clauses_of(text):
        for one in reader.read(clause):
            key = (one.subject, family(one.attribute), one.value.lower(), one.polarity)
            found.setdefault(key, one)
    return _settled(list(found.values()))


def _settled(found: list[Statement]) -> list[Statement]:
    """Without values that the same message both sets and ends, of which the end is meant."""
    over = {
        (one.subject, family(one.attribute), one.value.lower())
        for one in found
        if one.polarity == "end" and one.value
    }
    kept = [
        one
        for one in found
        if one.polarity == "end"
        or (one.subject, family(one.attribute), one.value.lower()) not in over
    ]
    set_of = {(one.subject, one.attribute) for one in kept if one.polarity == "set"}
    return [
        one
        for one in kept
        if one.polarity == "set" or one.value or (one.subject, one.attribute) not in set_of
    ]


class _Reader:
    """Reads the clauses of one message, knowing what the ones before were about."""

    def __init__(self, context: str) -> None:
        self.context = context
        self.place = ""
        self.sentence = ""

    def read(self, clause: Clause) -> Iterator[Statement]:
        if clause.sentence != self.sentence and self.sentence:
            self.context, self.place = "", ""
        self.sentence = clause.sentence
        found = list(_of_clause(clause, self.context, self.place))
        if not found and clause.told and clause.subject != OTHER:
            found = [
                _statement(clause, clause.subject, attribute, value, polarity)
                for attribute, value, polarity in weak(clause.wording, self.context)
            ]
        places = re.findall(r"in (@N\d+)", clause.wording.line)
        if places:
            self.place = clause.wording.mention(places[-1]).value
        hinted = found or list(_of_clause(replace(clause, told=True), self.context, ""))
        found = list(self._quit(found))
        animals = [one.value.lower() for _, one in clause.wording.mentions if one.kind == "A"]
        if hinted:
            self.context = hinted[-1].attribute
        elif animals:
            self.context = SPECIES.get(animals[-1], animals[-1])
        elif CUES["W"][1].search(clause.wording.line):
            self.context = "gym days"
        yield from found

    def _quit(self, found: list[Statement]) -> Iterator[Statement]:
        """A bare "I quit" ends what was just spoken of, if that was not the job."""
        for one in found:
            bare = one.attribute == "employer" and one.polarity == "end" and not one.value
            if (
                bare
                and self.context not in ("", "employer", "job", "home")
                and (re.search(r"\bquit\W*$", one.sentence))
            ):
                if self.context not in MANY:
                    yield replace(one, attribute=self.context)
            else:
                yield one


def _of_clause(clause: Clause, context: str, place: str) -> Iterator[Statement]:
    worded, line = clause.wording, clause.line
    if clause.subject != USER:
        line = re.sub(r"\b(?:his|her|their)(?= )", "my", line)
        clause = replace(clause, line=line)
    if not clause.told:
        yield from _framed("presupposed", worded, worded.line, clause, USER, "set")
        return
    if clause.subject != OTHER:
        yield from _framed("holding", worded, line, clause, clause.subject, "")
        yield from _ended(clause)
        for attribute, mention, role in typed(worded, context):
            if role != "past":
                polarity: Polarity = "end" if role == "old" else "set"
                yield _statement(clause, clause.subject, attribute, mention.value, polarity)
        yield from _nominal(clause)
        for attribute, mention, polarity in turned(worded, context):
            yield _statement(clause, clause.subject, attribute, mention.value, polarity)
        if place and re.match(r"(?:that )?(?:be )?where (?:i|he|she|they) live", line):
            mine = re.search(r"where i live", line)
            yield _statement(clause, USER if mine else clause.near, "home", place, "set")
    else:
        yield from _nominal(clause)
    if clause.subject == USER:
        yield from _theirs(clause)


def _nominal(clause: Clause) -> Iterator[Statement]:
    worded = clause.wording
    if clause.owner == OTHER:
        return
    if clause.owner != USER:
        yield from _framed("naming", worded, clause.line, clause, clause.owner, "")
    elif clause.subject == USER:
        yield from _framed("naming", worded, worded.line, clause, USER, "")
        yield from _framed("presupposed", worded, worded.line, clause, USER, "")
        yield from _favourites(clause)
    else:
        yield from _framed("presupposed", worded, worded.line, clause, USER, "set")
        yield from _favourites(clause)
        if re.search(r"\bme\b", worded.line):
            yield from _framed("naming", worded, worded.line, clause, USER, "")


def _theirs(clause: Clause) -> Iterator[Statement]:
    """What is said by the way of somebody spoken of: "a lift from Ben in his Renault"."""
    line = clause.wording.line
    if clause.near and re.search(r"\b(?:his|her|their) ", line):
        turned_line = re.sub(r"\bmy\b", "mi", line)
        turned_line = re.sub(r"\b(?:his|her|their)(?= )", "my", turned_line)
        tables: tuple[Table, ...] = ("naming", "presupposed")
        for table in tables:
            yield from _framed(table, clause.wording, turned_line, clause, clause.near, "set")


def _ended(clause: Clause) -> Iterator[Statement]:
    line = clause.line if clause.subject != USER else clause.wording.line
    yield from _framed("ceasing", clause.wording, line, clause, clause.subject, "end")


def _framed(
    table: Table,
    worded: Wording,
    line: str,
    clause: Clause,
    subject: str,
    polarity: Polarity | Literal[""],
) -> Iterator[Statement]:
    taken: set[str] = set()
    for frame in frames(table, kinds_of(line)):
        match = None
        if polarity or frame.attribute not in taken:
            match = frame.find(line)
        if match is None:
            continue
        said = polarity or ("end" if _denied(line, match) else "set")
        for one in _filled(frame, match, worded, line, clause, subject, said):
            taken.add(frame.attribute)
            yield one


def _denied(line: str, match: re.Match[str]) -> bool:
    before = line[: match.start()].split(" ")[-4:]
    if match.group().endswith("be allergic"):
        return False
    return "not" in match.group().split() or "not" in before


def _filled(
    frame: Frame,
    match: re.Match[str],
    worded: Wording,
    line: str,
    clause: Clause,
    subject: str,
    polarity: Polarity,
) -> Iterator[Statement]:
    groups = match.groupdict()
    attribute = frame.attribute
    if groups.get("k") and worded.mention(groups["k"]).relation not in PARTNERS:
        return
    kind = groups.get("a")
    if kind:
        animal = worded.mention(kind).value.lower()
        attribute = SPECIES.get(animal, animal)
    name = next((n for n in groups if n.startswith("v") and groups[n] is not None), None)
    value = worded.mention(groups["k"]).name if groups.get("k") and name is None else ""
    if name is not None:
        value = _value(worded, line, match, name)
        if not value or value.lower() in _POINTING:
            return
        if match.group().startswith("return to") and attribute in ("home", "employer"):
            city = value.lower() in CITIES
            elsewhere = re.search(r"\b(?:my|read\w*|book)\b", clause.sentence)
            if elsewhere or city != (attribute == "home"):
                return
        if attribute == "name" and subject == USER and match.group().startswith("call"):
            return
    if polarity == "set" and not value:
        return
    if attribute == "allergy" and re.search(r"day(?:s|$)", value):
        return
    for one in _several(attribute, value):
        yield _statement(clause, subject, attribute, one, polarity)


_POINTING = frozenset(
    """it that this them those these one ones him her you me us everything anything nothing
    something
    what which stuff things""".split()
)


def _several(attribute: str, value: str) -> list[str]:
    if attribute not in MANY:
        return [value]
    return [one for one in re.split(r",? and |, | or ", value) if one] or [""]


def _value(worded: Wording, line: str, match: re.Match[str], name: str) -> str:
    """What was said of a group: a mention's value, or the words as they were."""
    given = match[name].strip()
    if re.fullmatch(r"@\w\d+", given):
        return worded.mention(given).value
    last = len(worded.pieces) - len(line[match.start(name) + len(given) :].split())
    return worded.words_from(last - len(given.split()), last).strip(" ,.'\"")


def _favourites(clause: Clause) -> Iterator[Statement]:
    for match in _FAVOURITE.finditer(clause.wording.line):
        what = (match["what"] or match["what2"] or "").strip()
        name = "v" if match["v"] else "v2"
        value = _value(clause.wording, clause.wording.line, match, name)
        attribute = f"favourite {THINGS.get(what, what)}" if what else "favourite food"
        if not what and "@F" not in match[name]:
            continue
        if value and value.lower() not in ("one", "thing", "what", "it"):
            ended = "not" in match.group().split()
            yield _statement(clause, USER, attribute, value, "end" if ended else "set")


THINGS = {
    "dish": "food", "meal": "food", "cuisine": "food", "dinner": "food", "movie": "film",
    "thing to eat": "food", "color": "colour", "comfort food": "food", "foods": "food",
}  # fmt: skip
_FAVOURITE = re.compile(
    r"(?<![\w@])(?:my (?:new |all-time |absolute |big |ultimate )*favourite(?P<what>(?: (?!be\b"
    r"|not\b|usedto\b|to\b|because\b|at\b)[a-z-]+){0,2})"
    r"(?: of all time| ever| to eat)?(?: usedto)? (?:not )?be (?:not )?(?P<v>@[A-Z]\d+"
    r"|(?:(?!not\b|my\b|i\b|when\b)[\w@-]+ ?){1,3}?)(?= ,| again| not| and| sorry| by| because|"
    r" insteadof| hand|$)"
    r"|(?P<v2>@[A-Z]\d+|[\w@-]+) (?:not )?(?:be|become)(?: not)?(?: again)? my (?:new |all-time "
    r"|absolute )*favourite(?P<what2>(?: (?!any\b|again\b|now\b|at\b|of\b|because\b"
    r"|be\b)[a-z-]+){0,2}?)(?= ,| again| by| because| of all|$| not| since| hand| i\b))"
)


def _statement(
    clause: Clause, subject: str, attribute: str, value: str, polarity: Polarity
) -> Statement:
    relation = subject.split(" ")[0]
    if attribute == "name" and relation in PARTNERS:
        subject, attribute = USER, "partner"
    beside = attribute in PETS and _ANOTHER.search(clause.sentence) is not None
    many = attribute in MANY or beside
    return Statement(subject, attribute, value, polarity, clause.sentence, many)
