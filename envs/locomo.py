"""LoCoMo: ten long conversations of two people, with questions and the turns that answer them.

Maharana et al., Evaluating Very Long-Term Conversational Memory of LLM Agents, ACL 2024. The data
is CC BY-NC 4.0 and no part of this project: point ``--data`` at your own copy. Left out are the
image searches (``query``), which nobody said, and the trap answers of category 5.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ..memory.dialogue import Message
from .datafile import Part, read_json
from .dialogues import Conversation, DialogueData, Gold, Question, Session, Turn

EXPECTED = (
    "LoCoMo's file, locomo10.json of https://github.com/snap-research/locomo (folder data), a list "
    "of samples with sample_id, conversation and qa; give it with --data"
)
CATEGORIES = {
    "1": "multi-hop",
    "2": "temporal",
    "3": "open-domain",
    "4": "single-hop",
    "5": "adversarial",
}
PROTOCOL = {
    "candidates": "the sessions or turns of the question's own conversation",
    "text of a turn": "its words and the caption of a photo; the image search is left out",
    "gold sessions": "as MemGAS reads them; a question left without any counts as found",
    "gold turns": "every D:?N:N of the evidence that names a turn; questions without are left out",
    "asked": "at the time of the conversation's last session",
}
_EVIDENCE = re.compile(r"D:?(\d+):(\d+)")
_DATE = "%I:%M %p on %d %B, %Y"


def read_locomo(path: Path) -> DialogueData:
    """The conversations of a file in LoCoMo's own format. Raises DataMissing."""
    root, digest = read_json(path, EXPECTED)
    repairs: list[str] = []
    talks: list[Conversation] = []
    for sample in root:
        if "haystack_sessions" in sample or "question_id" in sample:
            raise sample.wrong("is LongMemEval's: use `reverie run longmemeval`")
        talks.append(_conversation(sample, repairs))
    if not talks:
        raise root.wrong("is empty")
    return DialogueData(
        name="locomo",
        sha256=digest,
        conversations=tuple(talks),
        categories=CATEGORIES,
        named=True,
        protocol=PROTOCOL,
        repairs=tuple(repairs),
    )


def _conversation(sample: Part, repairs: list[str]) -> Conversation:
    name, talk = sample["sample_id"].text(), sample["conversation"]
    numbers = sorted(int(key[8:]) for key in talk.names() if re.fullmatch(r"session_\d+", key))
    sessions = tuple(_session(talk, number) for number in numbers)
    if not sessions:
        raise talk.wrong("has no session_1")
    turns = {turn.id for session in sessions for turn in session.turns}
    asked = max((t.message.at for s in sessions for t in s.turns if t.message.at), default=None)
    questions: list[Question] = []
    for place, item in enumerate(sample["qa"]):
        category = str(item["category"].number())
        if category not in CATEGORIES:
            raise item["category"].wrong(f"should be one of {', '.join(CATEGORIES)}")
        evidence = [one.text() for one in item["evidence"]] if "evidence" in item else []
        known_as = f"{name}/q{place}"
        repairs += _repairs(known_as, evidence, turns)
        unanswerable = category == "5"
        answer = item["answer"].text() if "answer" in item and not unanswerable else ""
        gold = Gold(
            answer=answer,
            sessions=frozenset(_gold_sessions(evidence)),
            turns=frozenset(_named(evidence)) & turns,
        )
        text = item["question"].text()
        questions.append(Question(known_as, text, category, asked, not unanswerable, gold))
    return Conversation(name, sessions, tuple(questions))


def _session(talk: Part, number: int) -> Session:
    key = f"session_{number}"
    began = talk[f"{key}_date_time"]
    try:
        at = datetime.strptime(began.text(), _DATE).replace(tzinfo=UTC)
    except ValueError as error:
        raise began.wrong("should be a time such as '1:56 pm on 8 May, 2023'") from error
    turns: list[Turn] = []
    for place, part in enumerate(talk[key]):
        words = part["text"].text()
        if "blip_caption" in part and part["blip_caption"].value:
            words += f" [shares a photo: {part['blip_caption'].text()}]"
        speaker = part["speaker"].text()
        message = Message(text=words, speaker=speaker, at=at, turn=place)
        turns.append(Turn(part["dia_id"].text(), message))
    return Session(key, tuple(turns))


def _gold_sessions(evidence: Sequence[str]) -> Iterator[str]:
    """As MemGAS counts: ``D<session>:<turn>``; what follows the last colon must be a number.

    Eight of the 1,986 questions have no gold then, and count as found by everybody.
    """
    for one in evidence:
        head, _, tail = one.rpartition(":")
        if tail.strip().isdecimal() and ";" not in head and " " not in head:
            yield f"session_{head.split(':')[0].removeprefix('D')}"


def _named(evidence: Sequence[str]) -> set[str]:
    """The ids in the evidence, however they are written."""
    found = (_EVIDENCE.findall(one) for one in evidence)
    return {f"D{int(session)}:{int(turn)}" for pairs in found for session, turn in pairs}


def _repairs(question: str, evidence: Sequence[str], turns: set[str]) -> Iterator[str]:
    """One line for each piece of evidence that is not the id of a turn."""
    for one in evidence:
        if one not in turns:
            kept = sorted(_named([one]) & turns)
            lost = sorted(_named([one]) - turns)
            what = f"read as {', '.join(kept)}" if kept else "names no turn and is left out"
            also = f", without {', '.join(lost)}, which do not exist" if kept and lost else ""
            yield f"{question}: evidence {one!r} {what}{also}"
