"""Concepts for a puzzle: a shortlist by search and types, and a choice that may be none."""

from __future__ import annotations

import json
import logging
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverie.agent.concept_calibration import Calibration
from reverie.agent.concept_choice import (
    MOST_CANDIDATES,
    Attempt,
    ChoiceRules,
    choice_among,
    choose,
)
from reverie.agent.concept_prompt import Candidate
from reverie.agent.concept_selection import (
    ConceptSelector,
    Selection,
    SelectionRules,
    outcomes,
    reselect,
)
from reverie.agent.models import Budget, Ledger, metered
from reverie.agent.models.scripted import ScriptedModel
from reverie.agent.models.structured import parse
from reverie.agent.puzzles import Answer, Lesson, Program
from reverie.memory.records import ConceptPayload
from reverie.tests.agent.concept_world import (
    COLLIDE,
    DIVIDED,
    LESSON,
    MIRROR,
    SLIDE,
    concept_memory,
    id_of,
)
from reverie.tests.agent.puzzle_world import FLIP
from reverie.tools.grids.puzzle import Puzzle


def chosen(*picks: tuple[int, float], **more: Any) -> str:
    listed = [{"number": number, "confidence": confidence} for number, confidence in picks]
    return json.dumps({"reasoning": "by its cues", "chosen": listed, **more})


def candidates(count: int) -> list[Candidate]:
    return [
        Candidate(id=f"c{n}", payload=ConceptPayload(title=f"idea: {n}"), score=1 - n / 100)
        for n in range(1, count + 1)
    ]


def ask(reply: str | list[str], count: int = 5, **rules: Any) -> Any:
    model = ScriptedModel([reply] if isinstance(reply, str) else reply)
    return choose(model, "a puzzle", [], candidates(count), rules=ChoiceRules(**rules))


def test_the_model_chooses_by_number_and_says_how_sure_it_is() -> None:
    choice = ask(chosen((2, 0.6), (5, 0.9)))
    assert [(one.id, one.stated) for one in choice.picks] == [("c5", 0.9), ("c2", 0.6)]
    assert choice.by == "scripted:test" and choice.reasoning == "by its cues"
    assert choice.usage.tokens > 0 and choice.fault == ""


def test_none_is_an_answer() -> None:
    choice = ask(chosen())
    assert choice.picks == () and choice.by == "scripted:test" and choice.fault == ""


def test_what_is_not_sure_enough_is_dropped_after_calibration() -> None:
    choice = ask(chosen((1, 0.3), (2, 0.7)))
    assert [one.id for one in choice.picks] == ["c2"]
    assert [one.id for one in choice.dropped] == ["c1"]
    boaster = Calibration.fit([(0.7, n % 10 == 0) for n in range(100)])
    assert ask(chosen((2, 0.7)), stated=boaster).picks == ()


def test_at_most_so_many_are_chosen_each_once() -> None:
    choice = ask(chosen((1, 0.5), (1, 0.9), (2, 0.8), (3, 0.7)), most=2)
    assert [one.id for one in choice.picks] == ["c1", "c2"] and choice.picks[0].stated == 0.9


@pytest.mark.parametrize(
    "reply",
    [
        chosen((0, 0.9)), chosen((6, 0.9)), chosen((-1, 0.9)), chosen((1, 1.5)), "", "none of them",
        '{"chosen": [1, 2]}', '{"chosen": [{"number": 1}]}', '{"chosen": {"1": 0.9}}', "[]",
        '{"chosen": [{"number": 1.5, "confidence": 0.5}]}', '{"reasoning": "x"', "null",
        chosen(*[(1, 0.5)] * 41),
    ],
)  # fmt: skip
def test_a_reply_that_is_no_choice_is_mended_once_or_the_scores_choose(reply: str) -> None:
    mended = ask([reply, chosen((3, 0.9))])
    assert [one.id for one in mended.picks] == ["c3"] and mended.usage.repaired == 1
    failed = ask([reply, reply], most=2)
    assert [one.id for one in failed.picks] == ["c1", "c2"] and failed.by == "score"
    assert "no valid" in failed.fault and failed.usage.calls == 2


@given(st.text(max_size=80))
def test_no_reply_whatever_breaks_the_choice(reply: str) -> None:
    assert ask([reply, reply]).by in ("score", "scripted:test")
    parse(reply, choice_among(3))


def test_only_the_first_forty_are_listed() -> None:
    model = ScriptedModel([chosen((40, 0.9))], context_tokens=100_000)
    choice = choose(model, "", [], candidates(60))
    assert choice.picks[0].id == "c40"
    assert "40. idea: 40" in model.calls[0].messages[0].content
    assert "41. idea: 41" not in model.calls[0].messages[0].content


def test_the_prompt_stays_within_the_models_context() -> None:
    long = [f"Example {n} " + "0 " * 400 for n in range(5)]
    for context in (1_200, 2_000, 6_000):
        model = ScriptedModel([chosen()], context_tokens=context)
        choose(model, "words " * 50, long, candidates(40))
        asked = model.calls[0]
        assert model.count_tokens(asked.messages[0].content) + asked.max_tokens <= context
        assert "1. idea: 1" in asked.messages[0].content


def test_a_budget_that_is_reached_leaves_the_choice_to_the_scores() -> None:
    model = metered(ScriptedModel([]), Ledger(), Budget(calls=0))
    choice = choose(model, "", [], candidates(3))
    assert choice.by == "score" and "0 of 0 calls" in choice.fault


def test_without_candidates_nobody_is_asked() -> None:
    assert choose(ScriptedModel([]), "", [], []).picks == ()


def test_without_a_model_the_search_chooses_or_says_none() -> None:
    with concept_memory(SLIDE, COLLIDE, MIRROR, DIVIDED, LESSON) as concepts:
        found = ConceptSelector().select(FLIP, concepts)
        assert found.choice.by == "score" and found.choice.picks
        scores = sorted((one.score for one in found.candidates), reverse=True)
        enough = [score for score in scores if score >= 0.5][:6]
        assert [pick.stated for pick in found.choice.picks] == enough
        strict = SelectionRules(choice=ChoiceRules(least_score=1.1))
        none = ConceptSelector(rules=strict).select(FLIP, concepts)
        assert none.choice.picks == () and none.shown.text == "" and none.aid().concepts == ()


def test_a_selection_becomes_an_aid_that_travels_and_tells_its_cost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with concept_memory(SLIDE, COLLIDE, MIRROR, DIVIDED) as concepts:

        def reply(messages: Any) -> str:
            listed = messages[-1].content.split("\n")
            place = next(line for line in listed if ". mirror" in line).split(".")[0]
            return chosen((int(place), 0.9))

        with caplog.at_level(logging.INFO):
            found = ConceptSelector(ScriptedModel(reply)).select(FLIP, concepts)
        assert "puzzle flip: 4 candidates, 1 chosen by scripted:test" in caplog.text
        aid = pickle.loads(pickle.dumps(found.aid()))
        assert aid.concepts == (id_of(concepts, "mirror"),) and aid.tokens > 0 and aid.cost == 0.0
        assert aid.text.startswith("1. mirror") and "admitted by training pairs" in aid.text
        assert isinstance(aid.prior, Selection) and len(aid.prior.candidates) == 4


def test_types_bring_in_what_a_parameter_needs_and_the_prompt_says_so() -> None:
    with concept_memory(SLIDE, COLLIDE) as concepts:
        found = ConceptSelector().select(FLIP, concepts)
        slide, collide = id_of(concepts, "slide object"), id_of(concepts, "collision criteria")
        assert [(fit.giver, fit.taker, fit.parameter) for fit in found.fits] == [
            (collide, slide, "stop")
        ]


def test_the_hidden_outputs_and_the_tests_are_no_part_of_the_query() -> None:
    with concept_memory(MIRROR) as concepts:
        model = ScriptedModel([chosen(), chosen()])
        one = ConceptSelector(model).select(FLIP, concepts)
        other = ConceptSelector(model).select(Puzzle("flip", FLIP.train, ()), concepts)
        assert one.description == other.description
        assert model.calls[0].messages == model.calls[1].messages


def test_what_the_model_sees_joins_the_query_and_failing_to_see_is_told() -> None:
    rules = SelectionRules(observe=True)
    sight = json.dumps({"observations": "details", "summary": "It slides.", "speculation": "Ice."})
    with concept_memory(SLIDE) as concepts:
        model = ScriptedModel([sight, chosen((1, 0.9))])
        found = ConceptSelector(model, rules).select(FLIP, concepts)
        assert found.description.endswith("It slides. Ice.") and found.usage.calls == 2
        blind = ScriptedModel(["?", "?", chosen((1, 0.9))])
        found = ConceptSelector(blind, rules).select(FLIP, concepts)
        assert found.choice.picks and found.errors[0].startswith("observing:")


def test_an_empty_memory_costs_nothing() -> None:
    with concept_memory() as concepts:
        found = ConceptSelector(ScriptedModel([])).select(FLIP, concepts)
        assert found.candidates == () and found.usage.calls == 0


def test_after_a_failure_it_chooses_again_from_the_same_list() -> None:
    with concept_memory(SLIDE, MIRROR) as concepts:
        first = ConceptSelector(ScriptedModel([chosen((1, 0.9))])).select(FLIP, concepts)
        given_ids = [pick.id for pick in first.choice.picks]
        model = ScriptedModel([chosen((2, 0.9)), "?", "?"])
        again = reselect(model, FLIP, first, given_ids, "has 4 of 6 cells wrong")
        asked = model.calls[0].messages[0].content
        assert "the ideas 1 failed" in asked and "has 4 of 6 cells wrong" in asked
        assert [pick.id for pick in again.choice.picks] == [first.candidates[1].id]
        kept = reselect(model, FLIP, first, given_ids, "")
        assert kept.choice.picks == first.choice.picks and "choosing again" in kept.choice.fault


def test_lessons_tell_how_often_a_confidence_was_right() -> None:
    with concept_memory(SLIDE, MIRROR) as concepts:
        model = ScriptedModel([chosen((1, 0.9), (2, 0.5))])
        found = ConceptSelector(model).select(FLIP, concepts)
        first, second = (pick.id for pick in found.choice.picks)
        program = Program("code", "python", fits=True, cited=(second,))
        solved = Lesson(FLIP, found.aid(), Answer(guesses=(), programs=(program,)))
        unsolved = Lesson(FLIP, found.aid(), Answer(guesses=()))
        assert outcomes([solved, unsolved]) == [(0.9, False), (0.5, True)] and first != second


def test_an_attempt_without_ideas_may_get_some() -> None:
    model = ScriptedModel([chosen((1, 0.9))])
    choice = choose(model, "", [], candidates(2), failed=Attempt((), "it crashed"))
    assert choice.picks and "the ideas (none) failed" in model.calls[0].messages[0].content
    assert MOST_CANDIDATES == 40
