"""A model answers questions from what it is given to read, and another may judge the answers.

What is read never holds the gold: a `Reader` is given the question's words, its moment and a block
of text. Only the judge, and the scores, see what is right.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Literal

from ..agent.models import ChatModel, Message, Usage
from ..errors import ModelError, ModelUnavailable
from ..memory.records import Frozen
from .answers import contains, declines, f1, locomo_f1
from .dialogues import Question
from .longmemeval import UPDATE

Row = Literal["none", "full", "bm25", "ours"]
ROWS: tuple[Row, ...] = ("none", "full", "bm25", "ours")
"""What the model is given to read: nothing, all there is room for, what BM25 or ours found."""

NOTHING = "(no record of earlier conversations)"
MOST_TOKENS = 96
"""The longest answer."""
SPARE = 64
"""Tokens left free beside prompt and answer: what a chat format adds to a prompt."""

_JUDGES = {
    "temporal-reasoning": "judge_time",
    UPDATE: "judge_update",
    "single-session-preference": "judge_preference",
}


class Answer(Frozen):
    """A model's answer and its scores, 0 where it ``error``-ed; ``read`` counts tokens of memory.

    ``judged`` is None where no judge was asked.
    """

    text: str = ""
    f1: float = 0.0
    contains: float = 0.0
    judged: float | None = None
    read: int = 0
    tokens: int = 0
    usd: float | None = None
    seconds: float = 0.0
    error: str | None = None


@cache
def prompt(name: str) -> str:
    """The text of ``prompts/NAME.txt``, with its slots."""
    return files("reverie.envs").joinpath(f"prompts/{name}.txt").read_text("utf-8").strip()


class Reader:
    """Answers a benchmark's questions with a model."""

    def __init__(self, model: ChatModel, benchmark: str, seed: int) -> None:
        self.model = model
        self._prompt = prompt(f"{benchmark}_answer")
        self._seed = seed

    def room(self, question: str) -> int:
        """How many tokens of memory the model can read beside a question."""
        rest = self.model.count_tokens(self._rendered(question, None, ""))
        return max(0, self.model.context_tokens - rest - MOST_TOKENS - SPARE)

    def answer(self, question: str, asked: datetime | None, memory: str) -> Answer:
        """What the model answers after reading ``memory``; a failure is an answer with an error.

        Raises ModelUnavailable: then no question can be answered, and the run may go on later.
        """
        rendered = self._rendered(question, asked, memory)
        read = self.model.count_tokens(memory) if memory else 0
        try:
            reply = self.model.chat(
                [Message(role="user", content=rendered)], max_tokens=MOST_TOKENS, seed=self._seed
            )
        except ModelUnavailable:
            raise
        except ModelError as error:
            return Answer(read=read, error=f"{type(error).__name__}: {error}")
        text = reply.text.strip()
        error = None if text else "the model said nothing"
        return _with_usage(Answer(text=text, read=read, error=error), reply.usage)

    def _rendered(self, question: str, asked: datetime | None, memory: str) -> str:
        today = f"{asked:%Y-%m-%d, a %A}" if asked else "not known"
        return self._prompt.format(question=question, asked=today, memory=memory or NOTHING)


def scored(answer: Answer, question: Question, benchmark: str) -> Answer:
    """The answer with its scores against the question's gold; one that failed keeps its zeros."""
    if answer.error is not None:
        return answer
    gold = question.gold.answer
    if not question.answerable:
        says_so = float(declines(answer.text))
        return answer.model_copy(update={"f1": says_so, "contains": says_so})
    locomo = benchmark == "locomo"
    score = locomo_f1(answer.text, gold, question.category) if locomo else f1(answer.text, gold)
    held = float(contains(answer.text, gold))
    return answer.model_copy(update={"f1": score, "contains": held})


def judged(answer: Answer, question: Question, judge: ChatModel) -> Answer:
    """The answer with the verdict of a judge, by the rule for its kind of question.

    The meaning of the rules is LongMemEval's (evaluate_qa.py of its repository), the words ours.
    """
    if answer.error is not None:
        return answer.model_copy(update={"judged": 0.0})
    kind = _JUDGES.get(question.category, "judge_answer")
    rule = prompt(kind if question.answerable else "judge_unknown")
    plain = question.answerable and kind != "judge_preference"
    rendered = prompt("judge").format(
        rule=rule,
        label="Right answer" if plain else "What is right",
        question=question.text,
        gold=question.gold.answer,
        answer=answer.text,
    )
    try:
        reply = judge.chat([Message(role="user", content=rendered)], max_tokens=10)
    except ModelUnavailable:
        raise
    except ModelError as error:
        why = f"judge: {type(error).__name__}: {error}"
        return answer.model_copy(update={"judged": 0.0, "error": why})
    return answer.model_copy(update={"judged": float("yes" in reply.text.lower())})


def _with_usage(answer: Answer, usage: Usage) -> Answer:
    spent = {"tokens": usage.tokens, "usd": usage.usd, "seconds": usage.seconds}
    return answer.model_copy(update=spent)
