"""Confirmation: what an assistant claims of its user, and whether the user agrees."""

from __future__ import annotations

import re
from typing import Literal

_ASIDE = re.compile(
    r"\b(?:if|as|from what|like) I (?:remember|recall|understand|know)(?: (?:correctly|rightly"
    r"|right|it))?,?\s*"
    r"|\byou(?:'ve| have)?(?: just| once| also)? (?:said|told me|mentioned|noted|wrote|shared"
    r"|explained)"
    r"(?: once| earlier| before| to me)?(?: that)?\s+(?=you)",
    re.IGNORECASE,
)


def as_first_person(text: str) -> str:
    """What an assistant says to "you", as if the user said it: "you live in Oslo" is "I live"."""
    text = _ASIDE.sub("", text.replace("’", "'"))
    text = re.sub(r"\bI(?:'m|'ve|'ll|'d)?\b", "they", text)
    text = re.sub(r"\byou(?:'re| are)\b", "I am", text, flags=re.IGNORECASE)
    text = re.sub(r"\byou(?:'ve| have)\b", "I have", text, flags=re.IGNORECASE)
    text = re.sub(r"\byours\b", "mine", text, flags=re.IGNORECASE)
    text = re.sub(r"\byour\b", "my", text, flags=re.IGNORECASE)
    text = re.sub(r"\bthey \w+ (?:that )?(?=(?:I|my)\b)", "", text)
    return re.sub(r"\byou\b", "I", text, flags=re.IGNORECASE)


Answer = Literal["yes", "no", ""]
_YES = re.compile(
    r"^\W*(?:oh,? |ha,? |haha,? |well,? )?(?:yes|yeah|yea|yep|yup|ya|right|exactly|correct"
    r"|indeed|true|bingo|precisely"
    r"|absolutely|definitely|certainly|spot on|sure (?:is|do|am|did)|of course|you bet|that's"
    r" (?:right|correct|true|it|the one)"
    r"|you're right|you got it|you remembered|good memory|well remembered|affirmative|i (?:do|am"
    r"|did)\b(?! not)|it is\b|nailed it"
    r"|confirmed|mm-?hm+|uh-?huh|aye|totally|still am|still do|👍|✅)",
    re.IGNORECASE,
)
_NO = re.compile(
    r"^\W*(?:no|nope|nah|not (?:quite|really|at all|true|any|exactly)|actually|wrong|that's"
    r" (?:wrong|not|incorrect|false)"
    r"|wait|hold on|hm+|huh|i (?:don't|never|didn't|haven't|am not)|i'm not|incorrect|false"
    r"|yes,? but|yeah,? (?:but|no)|well,? (?:no|not)"
    r"|right,? but|you(?:'re| are) (?:wrong|mistaken|mixing|confus\w+))\b",
    re.IGNORECASE,
)


def answer_to_claim(text: str) -> Answer:
    """Whether a message begins by confirming what was said before it, or by denying it."""
    plain = text.replace("’", "'")[:200]
    if _NO.search(plain):
        return "no"
    return "yes" if _YES.search(plain) else ""
