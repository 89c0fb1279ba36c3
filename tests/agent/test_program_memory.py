"""The program solver with a concept memory, end to end over a server: aid, solve, learn."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from reverie.agent.concept_selection import Selection
from reverie.agent.model_spec import ModelSpec
from reverie.agent.models import Options
from reverie.agent.models.scripted import NoModel, ScriptedModel
from reverie.agent.program_attempts import Effort
from reverie.agent.program_solver import ProgramSolver
from reverie.agent.puzzles import Aid, Answer, Described, Lesson, Program, Shuffling
from reverie.tests.agent.concept_world import (
    COLLIDE,
    DIVIDED,
    LESSON,
    MIRROR,
    SLIDE,
    concept_memory,
    id_of,
)
from reverie.tests.agent.models.conftest import Answer as Sent
from reverie.tests.agent.models.conftest import Server, completion
from reverie.tests.agent.puzzle_world import FLIP, SOLVED, program, prompt_of
from reverie.tools.sandbox import Workers, open_sandbox

SKETCH = json.dumps({"pseudocode": "mirror(grid)", "summary": "Rows are reversed."})
NEW = json.dumps({"concepts": [{"name": "reverse rows", "kind": "routine", "output_type": "grid"}]})
MISLED = json.dumps({"misled": [{"known": 1, "looked_like": "apart", "because": "no wall"}]})


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Workers]:
    with open_sandbox() as opened:
        assert isinstance(opened, Workers)
        yield opened


@pytest.fixture(autouse=True)
def _one_sandbox(sandbox: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(**_: object) -> Workers:
        return sandbox

    monkeypatch.setattr("reverie.agent.program_solver.open_sandbox", opened)


def number_of(name: str, prompt: str) -> int:
    """The number under which a concept stands in a prompt."""
    return int(next(line for line in prompt.split("\n") if f". {name}" in line).split(".")[0])


class Mind:
    """A model that first follows the wrong concept, then the right one, and learns."""

    def __init__(self, server: Server) -> None:
        self.asked: list[str] = []
        server.answer = self.answer  # pyright: ignore[reportAttributeAccessIssue]

    def answer(self, request: dict[str, Any]) -> Sent:
        prompt = prompt_of(request)
        said = self._say(prompt)
        return Sent(completion(said))

    def _say(self, prompt: str) -> str:
        if "Choose from a list" in prompt:
            again = "An attempt with the ideas" in prompt
            self.asked.append("choose again" if again else "choose")
            number = number_of("mirror" if again else "slide object", prompt)
            return json.dumps({"chosen": [{"number": number, "confidence": 0.9}]})
        if "general words how it works" in prompt:
            self.asked.append("sketch")
            return SKETCH
        if "Write down the concepts" in prompt:
            self.asked.append("abstract")
            return NEW
        if "misled an attempt" in prompt:
            self.asked.append("contrast")
            return MISLED
        self.asked.append("solve")
        right = "mirror" in prompt
        return program("return grid[:, ::-1]" if right else "return grid", "# uses: 1\n")


def solver(server: Server, **options: Any) -> ProgramSolver:
    given: Options = {"attempts": 1, "timeout": 10.0, "usd_per_million": (1.0, 1.0)}
    effort = Effort(samples=1, retries=1)
    return ProgramSolver(ModelSpec(f"{server.url}#m", given), effort=effort, run="r", **options)


def test_it_chooses_solves_chooses_again_after_a_failure_and_learns_from_both(
    server: Server,
) -> None:
    mind = Mind(server)
    with concept_memory(SLIDE, COLLIDE, MIRROR) as concepts:
        slide, mirror = id_of(concepts, "slide object"), id_of(concepts, "mirror")
        one = solver(server)
        aid = pickle.loads(pickle.dumps(one.aid(FLIP, concepts)))
        assert aid.concepts == (slide,) and aid.tokens == 18
        answer = pickle.loads(pickle.dumps(one.solve(FLIP, aid)))
        assert answer.guesses[0][0].tolist() == SOLVED
        assert [(p.fits, p.cited) for p in answer.programs] == [
            (True, (mirror,)),
            (False, (slide,)),
        ]
        assert answer.tokens == 3 * 18 and answer.cost == pytest.approx(3 * 18 / 1e6)
        ids = one.learn([Lesson(FLIP, aid, answer)], concepts)
        assert mind.asked == [
            "choose", "solve", "choose again", "solve", "sketch", "abstract", "contrast",
        ]  # fmt: skip
        made = concepts.find("reverse rows")
        assert made is not None and set(ids) == {made.id, slide}
        assert made.payload.evidence == ("2 of 2 training pairs, run again",)
        assert concepts.get(slide).payload.negative_cues[0].evidence == ("flip",)
        use = concepts.usage(mirror)
        assert (use.selected, use.cited, use.solved) == (1, 1, 1)
        assert concepts.usage(slide).cited == 0
        assert one.reports[0].usage.calls == 3 and one.reports[0].failures == []


def test_a_claim_to_fit_is_not_believed_at_the_gate(server: Server) -> None:
    mind = Mind(server)
    lie = Program("def transform(grid):\n    return grid\n", "python", fits=True)
    broken = Program("def transform(grid):\n    while True: pass\n", "python", fits=True)
    other = Program("flip h", "grids", fits=True)
    answer = Answer(guesses=((),), programs=(lie, broken, other))
    with concept_memory(SLIDE) as concepts:
        one = solver(server)
        one.effort = Effort(seconds=0.2)
        assert one.learn([Lesson(FLIP, Aid(), answer)], concepts) == []
        assert mind.asked == [] and len(concepts) == 1


def test_what_the_tests_are_changes_nothing_that_is_learnt(server: Server) -> None:
    said: list[list[str]] = []
    for tests in (FLIP.tests, ()):
        prompts: list[str] = []

        def answer(request: dict[str, Any], heard: list[str] = prompts) -> Sent:
            heard.append(prompt_of(request))
            return Sent(completion(SKETCH if len(heard) == 1 else NEW))

        server.answer = answer  # pyright: ignore[reportAttributeAccessIssue]
        puzzle = type(FLIP)(FLIP.id, FLIP.train, tests)
        right = Program("def transform(g):\n    return g[:, ::-1]\n", "python", fits=False)
        with concept_memory() as concepts:
            answered = Answer(guesses=(), programs=(right,))
            assert solver(server).learn([Lesson(puzzle, Aid(), answered)], concepts)
        said.append(prompts)
    assert said[0] == said[1] and len(said[0]) == 2


@pytest.mark.parametrize("reply", ["", "?", "{}", '{"chosen": 3}', '{"concepts": [{}]}'])
def test_whatever_is_replied_everywhere_nothing_is_raised(server: Server, reply: str) -> None:
    def answer(request: dict[str, Any]) -> Sent:
        return Sent(completion(reply))

    server.answer = answer  # pyright: ignore[reportAttributeAccessIssue]
    with concept_memory(SLIDE, MIRROR) as concepts:
        one = solver(server)
        aid = one.aid(FLIP, concepts)
        found = one.solve(FLIP, aid)
        right = Program("def transform(g):\n    return g[:, ::-1]\n", "python", fits=True)
        given = Answer(guesses=found.guesses, programs=(*found.programs, right))
        one.learn([Lesson(FLIP, aid, given)], concepts)
        if reply != "{}":  # which chooses nothing, and rightly
            assert aid.errors
        assert found.errors and one.reports[0].failures
        assert len(concepts) == 2


def test_a_server_on_fire_is_told_everywhere_and_the_scores_choose(server: Server) -> None:
    def answer(request: dict[str, Any]) -> Sent:
        return Sent({"error": {"message": "on fire"}}, 500)

    server.answer = answer  # pyright: ignore[reportAttributeAccessIssue]
    with concept_memory(SLIDE, MIRROR) as concepts:
        one = solver(server)
        aid = one.aid(FLIP, concepts)
        assert "on fire" in aid.errors[0] and isinstance(aid.prior, Selection)
        found = one.solve(FLIP, aid)
        assert found.guesses == ((),) and "on fire" in found.errors[-1]
        right = Program("def transform(g):\n    return g[:, ::-1]\n", "python", fits=True)
        one.learn([Lesson(FLIP, aid, Answer(guesses=(), programs=(right,)))], concepts)
        assert "on fire" in one.reports[0].stopped


def test_without_a_memory_there_is_no_aid() -> None:
    model = ScriptedModel([])
    assert ProgramSolver(model).aid(FLIP, None) == Aid() and model.calls == []


def test_shuffled_cues_lead_to_other_concepts_and_the_memory_is_only_read() -> None:
    with concept_memory(SLIDE, COLLIDE, MIRROR, DIVIDED, LESSON) as concepts:
        before = concepts.all()
        one = ProgramSolver(NoModel())
        assert isinstance(one, Shuffling) and isinstance(one, Described)
        plain, wrong = one.aid(FLIP, concepts), one.shuffled(3).aid(FLIP, concepts)
        assert isinstance(plain.prior, Selection) and isinstance(wrong.prior, Selection)
        pairs = list(zip(plain.prior.candidates, wrong.prior.candidates, strict=True))
        assert len({other.id for _, other in pairs}) == len(pairs) == 5
        for own, other in pairs:
            assert own.score == other.score and own.payload.cues == other.payload.cues
            assert other.name == concepts.get(other.id).title or other.payload.form == "open"
            assert (own.id == other.id) == (own.payload.form == "open")  # the lesson is alone
        assert wrong == one.shuffled(3).aid(FLIP, concepts) != one.shuffled(4).aid(FLIP, concepts)
        assert concepts.all() == before


def test_it_says_what_it_is_for_the_record_of_a_run() -> None:
    told = ProgramSolver(ScriptedModel([]), effort=Effort(samples=5)).describe()
    assert told["samples"] == 5 and told["model"] == "scripted:test" and told["sandbox"]
    assert json.loads(json.dumps(told)) == told
