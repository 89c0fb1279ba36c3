"""Moods: whether a part of a message tells how things are, or asks, wishes, plans or remembers."""

from __future__ import annotations

import re

_ASKS = re.compile(
    r"(?:(?:and|so|but|or|also|anyway|then|hey|hi|oh|well|ok|please|btw)[, ]+)*(?:what|which|who"
    r"|whom|whose|where|when|why|how|can|could"
    r"|would|should|shall|will|do|does|did|is|are|am|was|were|have|has|may|might|any|don't|doesn't"
    r"|isn't|aren't|wouldn't|couldn't|shouldn't|right|remember|ok|okay|know|you know|correct)\b",
    re.IGNORECASE,
)
_WIDE = re.compile(
    r"\bif\b(?! you (?:wonder|care|must|were wondering|want to know))|\bwhat if\b|\bback when\b"
    r"|\bback in (?:the|my|college|school|university|uni|high|19|20|those)|\bgrowing up\b"
    r"|\bwhen (?:i|we|he|she) (?:was|were|lived|worked|had|first)\b|\bas a (?:kid|child|baby"
    r"|teen\w*|boy|girl|student|toddler)\b"
    r"|\b(?:years|ages|decades|ages and ages|a long time|long|forever) ago\b|\bin (?:college"
    r"|high school|the past|another life|my (?:twenties|teens|youth|childhood|first|old|last"
    r"|previous|student))\b"
    r"|\bat (?:school|university|uni|college)\b|\bbefore (?:all this|that|i|we|the kids)\b"
    r"|\bonce upon\b|\bmy (?:student|school|college|younger|uni) (?:days|years)\b|\bas a joke\b"
    r"|\bin (?:my|a|the) (?:dream|story|novel|game|script|movie|film|book|hypothetical)\w*\b"
    r"|\bsuppose\b|\bimagine\b|\bpretend\b|\bhypothetically\b"
    r"|\bin (?:19|20)\d\d\b(?=.*\b(?:was|were|had|did)\b)|\byears back\b",
    re.IGNORECASE,
)
_NARROW = re.compile(
    r"\b(?:would(?!n't have any)|wouldn't|might|(?-i:may)|maybe|perhaps|could|couldn't|should"
    r"|shouldn't|ought|wish|hop(?:e|ing|ed)"
    r"|want(?:s|ed)?|going to(?! (?:the|my|a|gym|classes|class|work|practice)\b)|gonna|wanna"
    r"|will|won't(?! stop| shut)|tempted|plan(?:s|ning|ned)?|thinking|thought|thinks?"
    r"|consider(?:s|ing|ed)?"
    r"|dream(?:s|ing|ed|t)?|intend\w*|about to|almost|nearly|used to|never|would've|wonder\w*"
    r"|debating"
    r"|look(?:s|ing)? (?:at|into|for)|says?|said|told|claims?|claimed|heard|reckons?|swears?"
    r"|joked?|joking|kidding|rumou?r\w*"
    r"|nowhere|fell through|didn't work out|applied|applying|interview\w*|offered|offer|someday"
    r"|one day|try(?:ing)? to decide|decide (?:between|whether)"
    r"|not sure|no idea (?:if|whether)|doubt|guess(?:ing)?|afraid of|scared of|next (?:week"
    r"|month|year|spring|summer|autumn|fall|winter)|tomorrow"
    r"|better off|supposed to|rather|advert\w*|article|movie about|documentary|character|recipe"
    r"|restaurant|sister city"
    r"|instead of my usual|on holiday|on vacation|on a trip|business trip|honeymoon"
    r"|test[- ]dr(?:ove|ive|iving)|rent(?:ed|al)|i borrow(?:ed)?|borrowing|loaner|ever)\b|(?:'ll"
    r"|'d)\b(?! better)",
    re.IGNORECASE,
)
_PLANNED = re.compile(
    r"(?:\b(?:am|is|are)|'m|'re|'s)\s+(?:\w+ly\s+)?(?:moving|starting|joining|leaving|quitting"
    r"|getting"
    r"(?= (?:married|engaged|divorced|(?:a|an|my|our) (?:new|puppy|dog|cat|kitten)|rid)\b)"
    r"|buying|selling|switching|adopting|marrying|relocating|retiring|becoming|changing)\b",
    re.IGNORECASE,
)
_NOW = re.compile(r"\b(?:now|these days|nowadays|currently|at the moment|since then)\b", re.I)
_HARMLESS = re.compile(
    r"\b(?:said (?:goodbye|bye|yes)"
    r"|in case you wonder|if you(?:'re| are) wondering|would you believe(?: it)?|you'd never"
    r" guess"
    r"|never (?:shuts? up|stops?|again|looked back)|i would say|i'd say|i guess|i think it's"
    r" safe to say"
    r"|guess what|won't (?:stop|shut)|think of me|let's say|i must say|as i said|like i said|i"
    r" said|i told you|as i told you|i(?:'ve)? mentioned|i mean|hopefully for good"
    r"|believe it or not|better than ever|happier than ever|than i thought|i'll admit|thank god"
    r"|i swear"
    r"|more than ever|what'll|who'd have thought|first time ever|best \w+ ever|worst \w+ ever|as"
    r" ever|and will keep|not that i)\b",
    re.IGNORECASE,
)


def asks(part: str) -> bool:
    """True if a part begins as questions do."""
    return _ASKS.match(part) is not None


def unreal(part: str) -> bool:
    """True if a part, and what follows it, is about a condition or an earlier time."""
    return _WIDE.search(_HARMLESS.sub(" ", part)) is not None


def again_real(part: str) -> bool:
    """True if a part comes back to how things are now."""
    return _NOW.match(part) is not None


def plainly_meant(part: str) -> bool:
    """False if a part wishes, plans, supposes, asks or reports what others say."""
    plain = _HARMLESS.sub(" ", part)
    asked = re.match(r"(?:do|did|can|could|would|will|should|does) (?:you|i|we)\b", part, re.I)
    return not (_NARROW.search(plain) or _PLANNED.search(plain) or asked)
