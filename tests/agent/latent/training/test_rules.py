"""The rule-table task: rules do what they say, and tests never meet what was trained on."""

import random

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from reverie.agent.latent.training.examples import encode
from reverie.agent.latent.training.rules import (
    RULES,
    apply,
    draw_letters,
    kept_for_tests,
    new_table,
    pretraining_text,
    recalling,
    rule_tokenizer,
    solve,
    telling,
)


def test_a_rule_shifts_round_the_alphabet() -> None:
    assert apply("1", "abch") == "bcda"
    assert solve(["1", None, "2"], "abcd") == "bcde,bcde,defg"


def test_letters_for_tests_are_never_drawn_for_training() -> None:
    rng = random.Random(0)
    train = {draw_letters(rng) for _ in range(3000)}
    test = {draw_letters(rng, test=True) for _ in range(3000)}
    assert not train & test
    assert 0.1 < sum(map(kept_for_tests, train | test)) / len(train | test) < 0.5


def test_a_question_of_new_ids_does_not_tell_their_rules() -> None:
    rng = random.Random(1)
    table = new_table(20, rng)
    for _ in range(50):
        asked = recalling(table, rng, steps=2, lines=6)
        assert not set(asked.question) & set(RULES)
        assert all(f"{one}{table[one]}" in asked.memory for one in asked.ids)
        assert len(asked.memory.split(" ")) == 6


def test_pretraining_answers_follow_from_their_context() -> None:
    rng = random.Random(2)
    for _ in range(100):
        context, lines = pretraining_text(rng)
        table = {one[0]: one[1] for one in context.split()}
        for line in lines:
            question, answer = line.split("=")
            words, letters = question.rsplit(" ", 1)
            rules = [one if one in RULES else table.get(one) for one in words]
            assert answer == solve(rules, letters)


def test_the_tokenizer_takes_a_character_at_a_time_and_ends_prompts_at_the_equals_sign() -> None:
    tokenizer = rule_tokenizer()
    rng = random.Random(3)
    problem = telling(rng, steps=2)
    example = encode(tokenizer, problem)
    assert tokenizer.decode(example.prompt) == f"{problem.question}="
    assert tokenizer.decode(example.answer) == problem.answer
    assert len(example.answer) == len(problem.answer) + 1
    assert example.answer[-1] in tokenizer.ends
