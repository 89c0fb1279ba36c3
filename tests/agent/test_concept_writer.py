"""A model writes concepts from solved puzzles and negative cues from failures; faults are told."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverie.agent.concept_replies import Abstraction, Contrast, Lessons, Sketch
from reverie.agent.concept_writer import Admitted, ConceptWriter, Failed, WriterRules
from reverie.agent.models import Budget, Message
from reverie.agent.models.scripted import NoModel, ScriptedModel
from reverie.agent.models.structured import parse
from reverie.tests.agent.concept_world import COLLIDE, LESSON, MIRROR, SLIDE, concept_memory, id_of
from reverie.tests.agent.puzzle_world import FLIP
from reverie.tools.grids.puzzle import Puzzle

PROGRAM = "def transform(grid):\n    return grid[:, ::-1]\n"
PROVEN = "2 of 2 training pairs, run again"
DONE = Admitted(FLIP, PROGRAM, PROVEN)
SKETCH = json.dumps({"pseudocode": "grid = mirror(grid, axis)", "summary": "Rows are reversed."})


def concept(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "kind": "routine", **more}


def written(*concepts: dict[str, Any]) -> str:
    return json.dumps({"concepts": concepts})


def lessons(*given: dict[str, Any]) -> str:
    return json.dumps({"lessons": given})


REVERSE = concept(
    "reverse rows",
    subtype="grid manipulation",
    parameters=[{"name": "axis", "type": "Literal['rows', 'columns']", "description": "which"}],
    output_type="grid",
    cues=["every row is\nreversed", ""],
    implementation=["slicing"],
)


def test_a_solution_becomes_concepts_with_types_evidence_and_who_wrote_them() -> None:
    model = ScriptedModel([SKETCH, written(REVERSE)])
    with concept_memory() as concepts:
        report = ConceptWriter(model, concepts, run="r1").learn([DONE])
        (one,) = concepts.all()
        assert report.ids == [one.id] and report.written == 1 and report.failures == []
        assert one.title == "reverse rows" and one.payload.used_in == ("flip",)
        assert one.payload.parameters[0].typing == "Literal['rows', 'columns']"
        assert one.payload.cues == ("every row is reversed",)
        assert one.payload.evidence == (PROVEN,)
        assert {said.run for said in one.payload.said} == {"r1/scripted:test"}
        (record,) = concepts.memory.get_many([one.id], scope=concepts.scope)
        assert record.origin.model == "scripted:test" and record.origin.source == "reflection"
        assert report.usage.calls == 2
    sketched, abstracted = (call.messages[-1].content for call in model.calls)
    assert PROGRAM.strip() in sketched and "0 3" in sketched
    assert "Rows are reversed." in abstracted and "mirror(grid, axis)" in abstracted
    assert all("5 6 0" not in text for text in (sketched, abstracted))  # no test input either


def test_a_solution_becomes_lessons_in_the_open_form() -> None:
    said = lessons({"situation": "Counts stay the same.", "suggestion": "Try to flip."})
    with concept_memory(MIRROR) as concepts:
        rules = WriterRules(form="open")
        report = ConceptWriter(ScriptedModel([SKETCH, said]), concepts, rules).learn([DONE])
        one = concepts.get(report.ids[0])
        assert one.payload.form == "open" and one.payload.suggestion == "Try to flip."
        assert one.payload.evidence == (PROVEN,) and one.payload.used_in == ("flip",)


def test_known_concepts_are_shown_and_named_by_number_so_that_they_are_used_again() -> None:
    def reply(messages: Sequence[Message]) -> str:
        asked = messages[-1].content
        if 'pseudocode": "..."' in asked:
            return SKETCH
        place = next(line for line in asked.split("\n") if ". mirror" in line).split(".")[0]
        return written(concept("flip it", known=int(place), cues=["rows are reversed"]))

    with concept_memory(SLIDE, MIRROR) as concepts:
        report = ConceptWriter(ScriptedModel(reply), concepts).learn([DONE])
        assert report.ids == [id_of(concepts, "mirror")] and len(concepts) == 2
        held = concepts.get(report.ids[0]).payload
        assert held.cues == (*MIRROR.cues, "rows are reversed") and "flip" in held.used_in
        assert concepts.find("flip it") is None


def test_a_known_lesson_is_not_written_twice() -> None:
    said = lessons({"known": 1, "situation": "The same.", "suggestion": "The same."})
    with concept_memory(LESSON) as concepts:
        rules = WriterRules(form="open")
        ConceptWriter(ScriptedModel([SKETCH, said]), concepts, rules).learn([DONE])
        (one,) = concepts.all()
        assert one.payload.used_in == ("old0", "flip")


def test_a_number_that_was_not_shown_is_told_and_a_structure_is_no_routine() -> None:
    replies = [
        SKETCH,
        written(
            concept("new one", known=9),
            {"name": "mirror line", "kind": "structure", "known": 1},
        ),
    ]
    with concept_memory(MIRROR) as concepts:
        report = ConceptWriter(ScriptedModel(replies), concepts).learn([DONE])
        assert {one.title for one in concepts.all()} == {"mirror", "new one", "mirror line"}
        assert [one.reason for one in report.failures] == [
            "'new one' is said to be number 9, which was not shown"
        ]


@pytest.mark.parametrize(
    "broken",
    [
        "", "no", "{}", '{"concepts": []}', '{"concepts": "mirror"}', written(concept(" ")),
        written({"name": "x", "kind": "verb"}), written({"kind": "routine"}), "[1]", "null",
        written(concept("x", parameters="axis")), '{"concepts": [', written(concept("x", known=-1)),
        written(*[concept(f"c{n}") for n in range(9)]), written(concept("half \ud800")),
    ],
)  # fmt: skip
def test_a_reply_of_another_shape_is_mended_once_or_told(
    broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    with concept_memory() as concepts:
        mended = ScriptedModel([SKETCH, broken, written(REVERSE)])
        assert ConceptWriter(mended, concepts).learn([DONE]).written == 1
    with concept_memory() as concepts, caplog.at_level(logging.WARNING):
        model = ScriptedModel([SKETCH, broken, broken, SKETCH, written(REVERSE)])
        other = Admitted(Puzzle("other", FLIP.train, ()), PROGRAM, PROVEN)
        report = ConceptWriter(model, concepts).learn([DONE, other])
        assert [one.puzzle for one in report.failures] == ["flip"] and report.written == 1
        assert report.usage.malformed == 1 and "flip" in caplog.text
        assert concepts.all()[0].payload.used_in == ("other",)


@given(st.text(max_size=60))
def test_no_reply_whatever_breaks_a_parser(reply: str) -> None:
    for kind in (Sketch, Abstraction, Lessons, Contrast):
        parse(reply, kind)


def test_types_that_do_not_read_well_are_kept_and_told() -> None:
    odd = concept("odd", parameters=[{"name": "p", "type": "list[", "description": ""}])
    with concept_memory() as concepts:
        report = ConceptWriter(ScriptedModel([SKETCH, written(odd)]), concepts).learn([DONE])
        assert report.written == 1 and report.problems[0].startswith("odd: ")


def test_what_was_learnt_is_not_asked_for_again_and_another_model_learns_for_itself() -> None:
    with concept_memory() as concepts:
        ConceptWriter(ScriptedModel([SKETCH, written(REVERSE)]), concepts).learn([DONE])
        again = ConceptWriter(ScriptedModel([]), concepts).learn([DONE])
        assert again.known == 1 and again.ids == []
        other = ScriptedModel([SKETCH, written(REVERSE)], name="other")
        assert ConceptWriter(other, concepts).learn([DONE]).ids != []


def test_a_batch_sees_the_memory_as_it_was_before() -> None:
    model = ScriptedModel([SKETCH, written(REVERSE)], loop=True)
    other = Admitted(Puzzle("other", FLIP.train, ()), PROGRAM, PROVEN)
    with concept_memory() as concepts:
        report = ConceptWriter(model, concepts).learn([DONE, other])
        assert "reverse rows" not in model.calls[2].messages[-1].content
        assert len(concepts) == 1 and len(report.ids) == 1
        assert concepts.all()[0].payload.used_in == ("flip", "other")


def test_a_budget_or_a_model_that_is_gone_stops_it_and_the_rest_comes_later() -> None:
    other = Admitted(Puzzle("other", FLIP.train, ()), PROGRAM, PROVEN)
    with concept_memory() as concepts:
        model = ScriptedModel([SKETCH, written(REVERSE)], loop=True)
        rules = WriterRules(budget=Budget(calls=2))
        report = ConceptWriter(model, concepts, rules).learn([DONE, other])
        assert report.written == 1 and "2 of 2 calls" in report.stopped
        rest = ConceptWriter(model, concepts).learn([DONE, other])
        assert rest.known == 1 and rest.usage.calls == 2
        assert ConceptWriter(NoModel(), concepts).learn([DONE]).stopped


def misled(known: int) -> str:
    one = {"known": known, "looked_like": "Objects sit apart.", "because": "Nothing stops them."}
    return json.dumps({"misled": [one]})


def test_a_failure_leaves_a_negative_cue_of_lower_trust() -> None:
    with concept_memory(SLIDE, COLLIDE) as concepts:
        slide = id_of(concepts, "slide object")
        tried = Failed("def transform(g): ...", "has 4 of 6 cells wrong", (slide, "gone"))
        model = ScriptedModel([SKETCH, written(REVERSE), misled(1)])
        report = ConceptWriter(model, concepts).learn([DONE], [(FLIP, [tried])])
        (cue,) = concepts.get(slide).payload.negative_cues
        assert cue.text == (
            "looked like it by: Objects sit apart; was not, because: Nothing stops them"
        )
        assert cue.trust == 0.3 and cue.evidence == ("flip",) and cue.expires is not None
        assert report.negative == 1 and slide in report.ids
        assert "flip" not in concepts.get(slide).payload.used_in
        asked = model.calls[-1].messages[-1].content
        assert "has 4 of 6 cells wrong" in asked and "This is what solved it: Rows" in asked
        again = ConceptWriter(ScriptedModel([]), concepts).learn([DONE], [(FLIP, [tried])])
        assert again.negative == 0


def test_what_misled_at_an_unsolved_puzzle_is_a_guess_of_less_trust() -> None:
    with concept_memory(SLIDE) as concepts:
        slide = id_of(concepts, "slide object")
        tried = Failed("code", "failed", (slide,))
        ConceptWriter(ScriptedModel([misled(1)]), concepts).learn([], [(FLIP, [tried])])
        assert concepts.get(slide).payload.negative_cues[0].trust == 0.15


def test_failures_that_followed_no_concept_teach_nothing_and_wrong_numbers_are_told() -> None:
    with concept_memory(SLIDE) as concepts:
        writer = ConceptWriter(ScriptedModel([misled(2)]), concepts)
        assert writer.learn([], [(FLIP, [Failed("code", "failed")])]).usage.calls == 0
        tried = Failed("code", "failed", (id_of(concepts, "slide object"),))
        report = writer.learn([], [(FLIP, [tried])])
        assert report.negative == 0 and "was not shown" in report.failures[0].reason


def test_prompts_stay_within_the_models_context() -> None:
    long = Admitted(FLIP, PROGRAM + "# a b c d e f\n" * 2_000, PROVEN)
    with concept_memory(SLIDE, COLLIDE, MIRROR) as concepts:
        model = ScriptedModel([SKETCH, written(REVERSE)], context_tokens=4_000)
        assert ConceptWriter(model, concepts).learn([long]).written == 1
        for call in model.calls:
            assert model.count_tokens(call.messages[-1].content) + call.max_tokens <= 4_000
