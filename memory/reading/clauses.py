"""Clauses: a message cut into parts that each say one thing, with whose they are and how meant.

Of each clause it is settled whether it tells how things are. Questions, wishes, plans, conditions,
reports and memories of earlier times do not; what such a clause is about is still known to the
clauses after it, as in "I used to love ramen, but now it's sushi".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from .lexicon import HE, SHE
from .mentions import FUNCTION
from .moods import again_real, asks, plainly_meant, unreal
from .verbs import is_verb
from .wording import Wording, wording

USER = "user"
OTHER = ""
"""The subject of a clause about nobody that is known."""

LONGEST = 400
"""A clause of more characters is not read: people state facts in fewer."""

MOST = 500
"""So many clauses of a message are read; what is longer is mostly pasted from elsewhere."""

_SENTENCE_MOST = 2000
_SENTENCE = re.compile(r"[^.!?\n…]+(?:\.(?=\w)[^.!?\n…]*)*[.!?…]*")
_JOINT = re.compile(
    r"\s*(?:;|(?<!\d):(?!\d)|[—–()]|\s-{1,2}\s)\s*"
    r"|,?\s+(?:and|but|so|because|though|although|while|whereas|since|as|after|before|then|or|until"
    r"|unless|if|when|where|who|which|except)\s+|,\s+",
    re.IGNORECASE,
)
_FRESH = re.compile(
    r"(?:and |but |so |that )?(?:i|we|he|she|they|it|you|there|this|that|my|our|his|her|their"
    r"|these|those)"
    r"(?:'|\b)|(?:now|then|currently|nowadays|these days|today|please|thanks|sorry|no more|anything"
    r"|also|by the way|btw|anyway|meanwhile|apparently|turns out|any|one day|(?-i:the"
    r" [a-z]\w*))\b|a (?:friend|guy|girl|colleague)\b",
    re.IGNORECASE,
)
_SHARED = frozenset("and but then so or".split())
_HELD = re.compile(
    r"[\s,]*(?:where (?:i|we|he|she) (?:\w+ )?(?:work|live)|(?:because |as |since )?(?:i'm|i am)"
    r" (?:\w+ )?allergic(?! to (?!it\b|them\b|that\b)))",
    re.IGNORECASE,
)
_APPOSED = re.compile(r"(?:my|our) (?:\w+ ){0,2}\w+(?:,|$| and| whose)", re.IGNORECASE)
_LEAD = re.compile(
    r"^(?:(?:and|but|so|because|as|since|that|though|while|although|then|after|or|where|which"
    r"|now|again|,|also"
    r"|when|until|yes|know|remember|recall|turn out|turn|out|it turn out|big news|btw|great|ok"
    r"|given|i think|hear|news|fun fact|good|nice|whereas|i (?:guess|mean|said|say|swear|admit"
    r"|tell you|told you|confess|must|would say)) )+"
)
_PERSON = re.compile(r"^(?P<k>@K\d+)(?: ,)?(?P<own> 's)?(?: |$)")
_HELPED = re.compile(
    r"^i (?:be )?(?:help|helped|watch|watched|see|saw|drive|drove|visit|visited|visiting|helping"
    r"|send|sent) (?P<k>@K\d+) (?:to )?(?P<rest>.*)"
)
_NAMED = re.compile(
    r"^(?P<n>@N\d+) (?!and |,|(?:not )?be (?:again )?(?:my|where|home|@K|newest|new member)|my )"
    r"(?P<verb>\S+)(?: |$)"
)
_DIES = re.compile(
    r"^(?:pass away|pass|die|ran away|go missing|went missing|cross|be go|be put|went to live|go"
    r" to live"
    r"|be with)\b(?! (?:to|for|at|through))"
    r"|^live with (?:my|@K)"
)
_INNER = re.compile(
    r"^(?!i |my )(?:(?!he |she |they |you |who |be |not |if |where )\S+ ){1,9}?(?<!and )i (?=\w)"
)
_STRANGER = re.compile(
    r"^(?:you|someone|somebody|everyone|everybody|people|nobody|friend|guy|girl|colleague|man|woman"
    r"|doctor|teacher|they|some|most|many|kids|one|other|another|anyone|all|every|his|her|their"
    r"|he|she|who|@J\d+|@A\d+|@D\d+ people)\b"
)


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a message. ``line`` is its wording after the subject; ``told`` whether it tells
    how things are; ``owner`` whose "my" is; ``sentence`` where it stands.
    """

    subject: str
    owner: str
    wording: Wording
    line: str
    told: bool
    sentence: str
    near: str


def clauses_of(text: str) -> Iterator[Clause]:
    """The clauses of a message, in order."""
    people = _People(bare=not any(letter.isupper() for letter in text))
    told = (
        clause
        for sentence, asked in _sentences(text)
        for clause in _of_sentence(sentence, asked, people)
    )
    yield from islice(told, MOST)


class _People:
    """Who was spoken of last, for "he" and "she"; ``bare`` of a message all in lower case."""

    def __init__(self, *, bare: bool) -> None:
        self.bare = bare
        self.he = self.she = self.they = self.last = OTHER

    def meet(self, relation: str, name: str) -> str:
        subject = f"{relation} {name}".strip()
        if relation not in SHE:
            self.he = subject
        if relation not in HE:
            self.she = subject
        self.they = self.last = subject
        return subject

    def meant(self, pronoun: str) -> str:
        given = {"he": self.he, "his": self.he, "she": self.she, "her": self.she}
        return given.get(pronoun, self.last if pronoun == "who" else self.they)


_SLOPPY = re.compile(
    r"\b(?:im|ive|dont|doesnt|didnt|isnt|arent|cant|wont|havent|hasnt|wasnt|shes|hes|theyre|thats"
    r"|youre|youve)\b",
    re.IGNORECASE,
)
_TIDY = {"im": "I'm", "ive": "I've", "shes": "she's", "hes": "he's", "thats": "that's"}


def _tidied(found: re.Match[str]) -> str:
    low = found.group().lower()
    if low in _TIDY:
        return _TIDY[low]
    return f"{low[:-1]}'t" if low.endswith("t") else f"{low[:-2]}'{low[-2:]}"


def _sentences(text: str) -> Iterator[tuple[str, bool]]:
    plain = _SLOPPY.sub(_tidied, text.replace("’", "'").replace("‘", "'").replace("\u02bc", "'"))
    topic = ""
    for sentence in _SENTENCE.findall(plain):
        said = sentence[:_SENTENCE_MOST].strip()
        if re.fullmatch(
            r"(?:(?:so|and|oh|also|anyway),? )*(?:my |our )?[\w' ]{2,28}\?", said, re.I
        ) and not (asks(said) or re.search(r"\b(?:you|i|it)\b", said, re.I)):
            topic = re.sub(r"^(?:(?:so|and|oh|also|anyway),? )+", "", said.rstrip("?"), flags=re.I)
            topic = topic if re.match(r"(?:my|our)\b", topic, re.I) else f"My {topic.lower()}"
            continue
        if topic:
            first = said.split(" ")[0].lower().rstrip(",.!")
            fresh = _FRESH.match(said) or is_verb(first)
            said, topic = (said if fresh else f"{topic} is {said}"), ""
        yield said.rstrip(".!…").rstrip("?").strip(), said.endswith("?")


def _of_sentence(sentence: str, asked: bool, people: _People) -> Iterator[Clause]:
    wide = False
    before = USER
    told = True
    for joint, part in _parts(sentence):
        if asked and asks(part):
            break
        if len(part) > LONGEST:
            continue
        if wide and (joint in ("but", "now") or again_real(part)):
            wide = False
        wide = wide or unreal(part) or joint in ("if", "unless", "until")
        shared = not _FRESH.match(part) and joint in (*_SHARED, ",")
        told = not wide and plainly_meant(part) and (told or not shared)
        clause = _clause(part, sentence, people, before if shared else USER, told, joint)
        before = OTHER if clause.line.startswith("my ") and clause.owner == USER else clause.subject
        yield clause


def _parts(sentence: str) -> Iterator[tuple[str, str]]:
    """The clauses of a sentence, each with the word or mark that joins it to the one before."""
    start, joint = 0, ""
    for found in _JOINT.finditer(sentence):
        word = found.group().strip().strip(",").strip().lower() or ","
        if found.start() <= start or not _cuts(sentence, start, found, word):
            continue
        part = sentence[start : found.start()].strip(" ,")
        if part:
            yield joint, part
        start, joint = found.end(), word
    part = sentence[start:].strip(" ,")
    if part:
        yield joint, part


_OPENERS = frozenset("who which because where so but and as since if though although when".split())
_DENIERS = frozenset("won't can't haven't doesn't don't didn't hasn't isn't no never now".split())
_BREAKING = frozenset("because but so though although while then".split())
_NO_VERBS = frozenset("like call called named left cut run base trains practice".split())


def _cuts(sentence: str, start: int, found: re.Match[str], word: str) -> bool:
    """True if a new clause begins after a joint."""
    after = sentence[found.end() : found.end() + 60]
    first = re.match(r"[\w'-]+", after)
    low = first.group().lower() if first else ""
    fresh = _FRESH.match(after) is not None
    if re.match(r"[;:—–()-]", word):
        return True
    if _HELD.match(sentence, found.start()) or (word == "," and _APPOSED.match(after)):
        return False
    left = sentence[start : found.start()].strip()
    if word in ("and", "or") and re.match(r"i\b", after, re.I) and _is_name(left):
        return False
    if word in ("who", "which", "where", "if", "when", "unless", "until"):
        return word != "when" or fresh
    if word in ("as", "after", "before", "since"):
        owned = word == "as" and low in ("my", "our", "a", "the")
        return not owned and (fresh or (word == "after" and after[:1].isupper()))
    if low in ("not", "no"):
        return False
    verb = is_verb(low) and low not in _NO_VERBS
    if word == ",":
        asked = asks(after) and low not in ("which", "who", "right")
        return fresh or verb or asked or low in _OPENERS
    return fresh or verb or word in _BREAKING or low in _DENIERS


def _is_name(left: str) -> bool:
    words = left.split()
    while words and words[0].lower().strip(",") in (
        "so",
        "oh",
        "yes",
        "and",
        "btw",
        "well",
        "also",
        "no",
        "sadly",
        "apparently",
    ):
        words = words[1:]
    if not words or len(words) > 4:
        return False
    last = words[-1].rstrip(",")
    proper = last[:1].isupper() and last.lower() not in FUNCTION
    return (proper and len(words) == 1) or words[0].lower() == "my"


def _clause(
    part: str, sentence: str, people: _People, before: str, told: bool, joint: str
) -> Clause:
    worded = wording(part, bare=people.bare, opening=sentence.startswith(part))
    line = _LEAD.sub("", worded.line)
    subject, rest, owner = _subject(worded, line, people, before, joint)
    for _, mention in worded.mentions:
        if mention.kind == "K":
            people.meet(mention.relation, mention.name)
    return Clause(subject, owner, worded, rest, told, sentence, people.last)


def _subject(
    worded: Wording, line: str, people: _People, before: str, joint: str
) -> tuple[str, str, str]:
    """Whose clause it is, what is left of its line, and whose "my" is."""
    helped = _HELPED.match(line)
    if helped is not None:
        named = worded.mention(helped["k"])
        return people.meet(named.relation, named.name), helped["rest"], USER
    person = _PERSON.match(line)
    if person is not None and not line[person.end() :].startswith("and i "):
        named = worded.mention(person["k"])
        subject = people.meet(named.relation, named.name)
        if re.match(r"(?:[\w'-]+ ){1,3}me\b", line[person.end() :]):
            return USER, line, USER
        if person["own"]:
            return subject, "my " + line[person.end() :], subject
        return subject, line[person.end() :], USER
    first, _, rest = line.partition(" ")
    if joint == "who" and before == USER and people.last:
        return people.last, line, USER
    if first in ("he", "she", "they", "who"):
        return people.meant(first), rest, USER
    if first in ("his", "her", "their"):
        subject = people.meant(first)
        return subject, f"my {rest}", subject
    if first == "i":
        return USER, rest, USER
    inner = _INNER.match(line)
    if inner is not None:
        return USER, line[inner.end() :], USER
    bare = _NAMED.match(line)
    if bare is not None and (is_verb(bare["verb"]) or bare["verb"] in ("not", "drop", "sell")):
        name = worded.mention(bare["n"]).value
        rest = line[bare.end("n") + 1 :]
        if _DIES.match(rest) or re.search(r"\bme\b", rest):
            return USER, line, USER
        if " " not in name:
            people.he = people.she = people.they = people.last = name
            return name, line[bare.end("n") + 1 :], USER
    if _STRANGER.match(line):
        return OTHER, line, USER
    if joint in _SHARED or joint == ",":
        return before, line, USER
    return USER, line, USER
