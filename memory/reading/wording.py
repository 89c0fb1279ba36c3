"""Wording: a clause in a plain form, in which ways of saying the same come out alike.

Verbs stand in their base form, articles and adverbs are gone, "gave up", "stopped" or "no longer"
have become few words (``drop``, ``not``), and what is named stands as its kind and number, as in
``i not work at @N4``. Phrases are looked for in this form (`frames`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from .mentions import Mention, Word, mentions_of, words_of
from .verbs import base, gerund, is_verb, perfect, stopping

_DROPPED = frozenset(
    """a an the now currently actually finally just recently already still officially really also
    mostly usually normally generally always typically lately nowadays fully strictly completely
    totally basically definitely certainly obviously simply apparently sadly unfortunately luckily
    happily thankfully honestly oh ah hey so then today anyway even too quite pretty very
    yesterday please btw fyi yes yeah yep nope ok okay eventually suddenly gladly proudly
    successfully both only right haha lol hi hello hmm wow full-time part-time permanently
    exclusively primarily mainly almost roughly entirely properly
    eagerly slowly daily quickly soon long brand little small nice lovely cute tiny big
    second-hand current second gorgeous beautiful shiny cosy cozy""".split()
)
_SAME = {
    "our": "my", "we": "i", "us": "me", "myself": "me", "ourselves": "me", "onto": "to", "&": "and",
    "anymore": "", "alarms": "alarm", "allergies": "allergy",
    "favorite": "favourite", "favourites": "favourite", "flat": "flat", "'m": "be", "'re": "be",
    "'ve": "have", "'ll": "will", "'d": "would", "ex": "ex", "\u2019s": "'s", "never": "not",
    "workouts": "workout", "lessons": "lesson", "classes": "class", "courses": "course",
    "hobbies": "hobby", "pets": "pet", "hadn": "have", "towards": "to", "mine": "mine",
}  # fmt: skip
_PHRASES: dict[str, str] = {
    "any more": "", "any longer": "", "no longer": "not", "these days": "", "at moment": "",
    "at present": "", "for now": "", "for good": "", "once more": "again", "as well": "",
    "by way": "", "at all": "", "after all": "", "at minute": "", "not exactly": "not",
    "instead of": "insteadof", "instead": "", "rather than": "insteadof",
    "in place of": "insteadof", "no more": "nomore", "get rid of": "sell", "give up on": "drop",
    "give up": "drop", "be do with": "drop", "be through with": "drop", "move on from": "drop",
    "go off": "drop", "cut out": "drop", "pack in": "drop", "let go of": "drop",
    "part with": "drop", "goodbye": "drop", "have go at": "start", "goodbye to": "drop",
    "hang up": "drop", "say goodbye to": "drop", "say bye to": "drop",
    "fall out love with": "drop", "lose interest in": "drop", "have enough of": "drop",
    "walk away from": "quit", "hand in my notice at": "quit", "hand in my notice": "quit my job",
    "take break from": "drop", "move on to": "moveon to", "put down": "drop", "take up": "start",
    "get into": "start", "get to": "get to", "get hooked on": "start", "be hooked on": "start",
    "sign up for": "start", "enrol in": "start", "enroll in": "start", "turn to": "switch to",
    "go over to": "switch to", "change over to": "switch to", "come back to": "return to",
    "go back to": "return to", "move back to": "move to", "move back in": "move in",
    "be back to": "return to", "be back on": "return to", "revert to": "return to",
    "pick up again": "start", "a lot": "", "a lot of": "", "lot of": "", "lot": "",
    "alarm went off": "rang", "bit of": "", "lots of": "", "gone back to": "return to",
    "each way": "", "kind of": "", "sort of": "", "used to": "usedto", "at least": "",
    "fond of": "into", "keen on": "into", "crazy about": "into", "mad about": "into",
    "obsessed with": "into", "passionate about": "into", "addicted to": "into", "as of": "asof",
    "other than": "insteadof", "call it quits with": "break up with", "call it quits": "break up",
    "part ways": "break up", "go our separate ways": "break up", "split from": "break up with",
    "split up": "break up", "break it off": "break up", "be no longer": "not be",
    "trade in": "trade", "swap out": "swap", "sick of": "drop", "have to": "", "have get to": "",
    "must": "", "in fact": "", "back again": "again", "start out": "start", "start off": "start",
    "be not longer": "not be", "back when": "backwhen", "come round to": "start",
    "went back to": "return to", "took up": "start", "end up moving": "move",
    "end up live": "live", "end up work": "work", "end up in": "live in", "end up buying": "buy",
    "end up getting": "get", "end up joining": "join", "end up adopting": "adopt",
    "end up with": "get", "alarm go off": "alarm", "alarm ring": "alarm", "went off": "drop",
    "got rid of": "sell", "switch back to": "return to", "change back to": "return to",
    "move back with": "live with", "get back to": "return to", "be back at": "return at",
    "be back in": "be in", "be back with": "be with", "get back with": "be with",
    "get back together with": "be with", "switch over to": "switch to", "move over to": "move to",
}  # fmt: skip
_BY_WORDS = {tuple(phrase.split()): put for phrase, put in _PHRASES.items()}


@dataclass(frozen=True, slots=True)
class Piece:
    """A word of the plain form, or a mention, and the words of the sentence it stands for."""

    norm: str
    first: int
    last: int
    mention: Mention | None = None


class Wording:
    """A clause: its words as said, and in the plain form ``line``."""

    def __init__(self, text: str, words: Sequence[Word], pieces: Sequence[Piece]) -> None:
        self.text = text
        self.words = words
        self.pieces = tuple(pieces)

    @cached_property
    def line(self) -> str:
        """The plain form."""
        return " ".join(piece.norm for piece in self.pieces)

    @cached_property
    def mentions(self) -> list[tuple[int, Mention]]:
        """Each mention, with the number of its piece."""
        return [(i, one.mention) for i, one in enumerate(self.pieces) if one.mention is not None]

    def mention(self, found: str) -> Mention:
        """The mention that stands in the line as ``found``, such as ``@N4``."""
        return next(
            one.mention for one in self.pieces if one.norm == found and one.mention is not None
        )

    def words_from(self, first: int, last: int) -> str:
        """The words as said of its pieces from ``first`` up to ``last``."""
        held = self.pieces[first:last]
        if not held:
            return ""
        start, end = self.words[held[0].first], self.words[held[-1].last - 1]
        return self.text[start.start : end.end]


def wording(sentence: str, *, bare: bool = False, opening: bool = True) -> Wording:
    """A clause in its plain form; ``opening`` if a sentence begins with it.

    ``bare`` if all of the message is in lower case, so that names have to be guessed.
    """
    words = words_of(sentence)
    found = mentions_of(sentence, words, bare=bare, opening=opening)
    named = {one.first: one for one in found}
    pieces: list[Piece] = []
    place = 0
    while place < len(words):
        mention = named.get(place)
        if mention is not None:
            norm = f"@{mention.kind}{place}"
            pieces.append(Piece(norm, place, mention.last, mention))
            place = mention.last
            continue
        norm = _plain(words, place, named)
        if norm:
            pieces.append(Piece(norm, place, place + 1))
        place += 1
    return Wording(sentence, words, _verbs(_phrased(_verbs(_phrased(pieces), words)), words))


def _plain(words: Sequence[Word], i: int, named: dict[int, Mention]) -> str:
    low = words[i].low
    if low in ("got", "woke") and i + 1 < len(words) and words[i + 1].low in ("up", "out"):
        return low
    if low == "went" and _tells(named.get(i + 1)):
        return "go"
    if low == "'s":
        return _owner_or_is(words, i, named)
    if low in _DROPPED or not (low[0].isalnum() or low in (",", "n't", "'d") or low in _SAME):
        return "," if low in ("-", "–", "—", "(", ")", ":", ";") else ""
    if low in ("'d", "would"):
        return "would"
    return _SAME.get(low, base(low))


def _owner_or_is(words: Sequence[Word], i: int, named: dict[int, Mention]) -> str:
    before = words[i - 1].low if i else ""
    if before in "he she it that there who what where here this name one".split():
        return "be"
    if i + 1 >= len(words):
        return "'s"
    after = words[i + 1].low
    small = "a an the in at on not now called named back still from with for always just".split()
    going = after.endswith(("ing", "ed")) and is_verb(after)
    irregular = is_verb(after) and base(after) != after and not after.endswith("s")
    return "be" if after in small or going or irregular or _tells(named.get(i + 1)) else "'s"


def _tells(mention: Mention | None) -> bool:
    return mention is not None and mention.kind in "D"


def _phrased(pieces: Sequence[Piece]) -> list[Piece]:
    """Fixed phrases, each as one piece; those that say nothing are gone."""
    found: list[Piece] = []
    place = 0
    while place < len(pieces):
        for size in (5, 4, 3, 2, 1):
            part = tuple(piece.norm for piece in pieces[place : place + size])
            if len(part) == size and part in _BY_WORDS:
                last = pieces[place + size - 1].last
                for number, norm in enumerate(_BY_WORDS[part].split()):
                    first = pieces[place].first if number == 0 else last - 1
                    found.append(Piece(norm, first, last))
                place += size
                break
        else:
            found.append(pieces[place])
            place += 1
    return found


def _verbs(pieces: Sequence[Piece], words: Sequence[Word]) -> list[Piece]:
    """Without the helping verbs: "have been working" and "am working" are ``work``."""
    found: list[Piece] = []
    rest = list(pieces)
    for i, piece in enumerate(rest):
        then = _next(rest, i)
        low = words[then.first].low if then is not None and then.mention is None else ""
        if piece.norm in ("have", "be", "get", "was", "were", "do") and then is not None:
            if piece.norm == "do" and then.norm in ("not",):
                continue
            if piece.norm == "do" and is_verb(low) and base(low) == low and _before(found) != "i":
                continue
            if piece.norm in ("have", "had") and low in ("not",):
                pass
            elif _helps(piece.norm, low):
                if piece.norm == "have" and then.norm in (low, base(low)):
                    rest[rest.index(then)] = Piece(perfect(low), then.first, then.last)
                continue
        if piece.norm == "not" and found and found[-1].norm in ("be", "have"):
            held = found.pop()
            found += [piece, held] if held.norm == "be" else [piece]
            if held.norm == "have" and not _helps("have", low):
                found.append(held)
            continue
        ended = gerund(low) and piece.norm in {"to", "start", "begin", "resume"} | stopping()
        if ended:
            found = _without_start(found, piece)
            continue
        found.append(piece)
    return found


def _without_start(found: list[Piece], piece: Piece) -> list[Piece]:
    """ "stop working" is ``not work``, "start working" and "go back to working" are ``work``."""
    if piece.norm in stopping():
        return [*found, Piece("not", piece.first, piece.last)]
    if piece.norm == "to" and found and found[-1].norm in ("return", "switch", "go", "get"):
        return found[:-1]
    return [*found, piece] if piece.norm == "to" else found


def _before(found: Sequence[Piece]) -> str:
    return found[-1].norm if found else ""


def _next(pieces: Sequence[Piece], i: int) -> Piece | None:
    return pieces[i + 1] if i + 1 < len(pieces) else None


_SAME_PAST = frozenset("become come put read cut set quit split hire let".split())


def _helps(verb: str, low: str) -> bool:
    """True if ``verb`` before the form ``low`` says no more than its tense or voice."""
    if not low or not is_verb(low) or low in ("n't", "like"):
        return low == "been" and verb == "have"
    past = base(low) != low or perfect(low) != low or low in _SAME_PAST
    if verb == "have":
        return past and not low.endswith("ing")
    if low.endswith("ing"):
        return verb == "be" and gerund(low) != "" and low not in ("leaving", "quitting", "selling")
    return past and low not in ("'m", "'re", "'ve", "am", "is", "are", "was", "were", "does")
