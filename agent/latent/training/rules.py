"""The rule-table task, where what stands in the context and what was lived can be told apart.

A rule shifts four letters along an alphabet of eight. A
reasoner is pretrained on rules that stand in its context, by themselves (``3 abcd=``) or in a table
under an id (``K3 M5``, then ``K abcd=``); a bare id without a table is answered by copying. New
experience is a set of ids whose rules stand nowhere but in training answers. A fifth of all strings
of letters is kept for tests, so that an exact match tells of the rule and not of the string. A task
of two steps (``KM abcd=``) is answered step by step, with a comma between, so that an id has to be
recalled in mid-answer.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from ..tokens import HubTokenizer

LETTERS = "abcdefgh"
NAMES = "".join(chr(code) for code in (*range(65, 91), *range(0x3B1, 0x3C1), *range(0x430, 0x450)))
LENGTH = 4
RULES = "1234567"
"""How far letters are shifted."""
BEGIN, END = "<begin>", "<end>"

Table = Mapping[str, str]
"""Rules by id."""


@dataclass(frozen=True)
class Problem:
    """A question and its answer, the ids in it, and the text of a memory that would settle it."""

    question: str
    answer: str
    ids: tuple[str, ...] = ()
    letters: str = ""
    memory: str = ""


def apply(rule: str, letters: str) -> str:
    """What a rule makes of letters."""
    return "".join(LETTERS[(LETTERS.index(one) + int(rule)) % len(LETTERS)] for one in letters)


def solve(rules: Sequence[str | None], letters: str) -> str:
    """The answer: the letters after each rule in turn; None copies."""
    steps: list[str] = []
    for rule in rules:
        letters = letters if rule is None else apply(rule, letters)
        steps.append(letters)
    return ",".join(steps)


def kept_for_tests(letters: str) -> bool:
    """True of a fifth of all strings, whatever the first letter."""
    return (
        LETTERS.index(letters[0])
        + 2 * LETTERS.index(letters[1])
        + 4 * LETTERS.index(letters[2])
        + 3 * LETTERS.index(letters[3])
    ) % 5 == 0


def draw_letters(rng: random.Random, *, test: bool = False) -> str:
    """Four letters, of the strings for training or of those for tests."""
    while True:
        letters = "".join(rng.choices(LETTERS, k=LENGTH))
        if kept_for_tests(letters) == test:
            return letters


def new_table(ids: int, rng: random.Random, without: Table | None = None) -> dict[str, str]:
    """So many different ids, none of them in ``without``, with rules as different as may be."""
    names = rng.sample([one for one in NAMES if one not in (without or {})], ids)
    rules = [rule for _ in range(1 + ids // len(RULES)) for rule in rng.sample(RULES, len(RULES))]
    return dict(zip(names, rules, strict=False))


def written(table: Table, ids: Sequence[str]) -> str:
    """A table as text, in the order of ``ids``."""
    return " ".join(f"{one}{table[one]}" for one in ids)


def recalling(
    table: Table,
    rng: random.Random,
    *,
    steps: int = 1,
    lines: int = 0,
    test: bool = False,
) -> Problem:
    """A question about ids whose rules it does not tell.

    ``lines`` > 0 gives it a memory: as much of the table, with what it needs somewhere in it.
    """
    ids = rng.choices(list(table), k=steps)
    letters = draw_letters(rng, test=test)
    memory = ""
    if lines:
        others = [one for one in table if one not in ids]
        kept = list(dict.fromkeys(ids))
        kept += rng.sample(others, max(0, lines - len(kept)))
        rng.shuffle(kept)
        memory = written(table, kept)
    answer = solve([table[one] for one in ids], letters)
    return Problem(f"{''.join(ids)} {letters}", answer, tuple(ids), letters, memory)


def telling(
    rng: random.Random, *, steps: int = 1, tables: float = 0.5, test: bool = False
) -> Problem:
    """A question with its rules in it, by themselves or as a table: no memory is needed."""
    rules, letters = rng.choices(RULES, k=steps), draw_letters(rng, test=test)
    if rng.random() >= tables:
        return Problem(f"{''.join(rules)} {letters}", solve(rules, letters), (), letters)
    table = new_table(rng.randint(steps, 8), rng)
    return with_memory(recalling(table, rng, steps=steps, lines=len(table), test=test))


def with_memory(problem: Problem) -> Problem:
    """The problem with its memory written before the question, as a teacher reads it."""
    return Problem(
        f"{problem.memory}\n{problem.question}", problem.answer, problem.ids, problem.letters
    )


def bare(rng: random.Random, *, steps: int = 1, test: bool = False) -> Problem:
    """Ids that nothing is known of: the reasoner copies."""
    ids, letters = [rng.choice(NAMES) for _ in range(steps)], draw_letters(rng, test=test)
    none: list[str | None] = [None] * steps
    return Problem(f"{''.join(ids)} {letters}", solve(none, letters), tuple(ids), letters)


def pretraining_text(
    rng: random.Random, *, longest: int = 8, known: str = RULES, queries: int = 4
) -> tuple[str, list[str]]:
    """A context and some questions upon it with answers, as ``question=answer``.

    Most contexts are tables of one to ``longest`` ids; single rules are among those ``known``.
    Questions are of rules, of ids in the table, and (copied) of ids that are not.
    """
    table = new_table(rng.randint(1, longest), rng) if longest and rng.random() < 0.7 else {}
    unused = rng.sample(list(table), len(table))
    lines: list[str] = []
    for _ in range(queries):
        words: list[str] = []
        rules: list[str | None] = []
        for _ in range(2 if rng.random() < 0.35 else 1):
            word, rule = _step(table, unused, rng, known)
            words.append(word)
            rules.append(rule)
        letters = draw_letters(rng)
        lines.append(f"{''.join(words)} {letters}={solve(rules, letters)}")
    context = written(table, rng.sample(list(table), len(table)))
    return (f"{context}\n" if context else ""), lines


def restated(rng: random.Random, *, longest: int = 8) -> tuple[str, str]:
    """A table, and lines of it drawn anew, whose rules can be told beforehand by looking up alone.

    Each rule of the table is drawn by itself, and so is each line: nothing follows from the others.
    """
    ids = rng.sample(NAMES, rng.randint(1, longest))
    table = dict(zip(ids, rng.choices(RULES, k=len(ids)), strict=True))
    return f"{written(table, ids)}\n", f"{written(table, rng.choices(ids, k=longest))}\n"


def _step(
    table: Table, unused: list[str], rng: random.Random, known: str
) -> tuple[str, str | None]:
    """A word of a question, and the rule it stands for.

    An id of the table is asked for once: an earlier answer would tell its rule.
    """
    kind = rng.random()
    if unused and kind < 0.65:
        name = unused.pop()
        return name, table[name]
    if known and kind < 0.85:
        rule = rng.choice(known)
        return rule, rule
    name = rng.choice([one for one in NAMES if one not in table])
    return name, None


TEMPLATE = BEGIN + "{% for m in messages %}{{ m.content }}{% endfor %}="


@cache
def rule_tokenizer() -> HubTokenizer:
    """One token a character, and a chat template that ends in the equals sign."""
    return HubTokenizer(rule_tokenizer_files(), ends=frozenset({1}))


def rule_tokenizer_files() -> Any:
    """The same as transformers keeps it, to be saved beside a model."""
    tokenizers = import_module("tokenizers")
    fast = import_module("transformers.tokenization_utils_tokenizers").PreTrainedTokenizerFast
    known = [BEGIN, END, *LETTERS, *NAMES, *RULES, *" =,\n"]
    ids = {piece: i for i, piece in enumerate(dict.fromkeys(known))}
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(ids, unk_token=END))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Split(tokenizers.Regex(r"[\s\S]"), "isolated")
    made.decoder = tokenizers.decoders.Fuse()
    inner = fast(tokenizer_object=made, bos_token=BEGIN, eos_token=END, pad_token=END)
    inner.chat_template = TEMPLATE
    return inner
