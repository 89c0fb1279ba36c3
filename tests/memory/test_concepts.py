"""Concept memory: written, found, tied by types, counted, pruned, and never half written."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from reverie.errors import RecordNotFound
from reverie.memory.concept_checks import Checker, Verdict
from reverie.memory.concept_shortlist import shortlist
from reverie.memory.concept_usage import Lift, beta_above_half
from reverie.memory.concepts import ConceptMemory, Draft
from reverie.memory.memory import Memory
from reverie.memory.records import (
    ConceptParameter,
    ConceptPayload,
    Kind,
    Origin,
    Record,
    Scope,
    Status,
)

SCOPE = Scope(user="arc")


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


class Passes:
    """A checker that passes code on the puzzles it is told, and remembers what it was asked."""

    def __init__(self, *puzzles: str, reason: str = "") -> None:
        self._puzzles, self._reason = puzzles, reason
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    def check(self, code: str, language: str, puzzles: Sequence[str]) -> Verdict:
        self.asked.append((code, tuple(puzzles)))
        return Verdict(tuple(one for one in puzzles if one in self._puzzles), self._reason)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def concepts(clock: Clock) -> Iterator[ConceptMemory]:
    with Memory.open("ephemeral:", embedder="hashing:64", clock=clock) as memory:
        yield ConceptMemory(memory, SCOPE, clock=clock)


def routine(title: str, output: str = "", subtype: str = "", **takes: str) -> ConceptPayload:
    return ConceptPayload(
        title=title,
        role="routine",
        subtype=subtype,
        output_type=output,
        parameters=tuple(
            ConceptParameter(name=name.replace("_", " "), typing=typing)
            for name, typing in takes.items()
        ),
    )


SLIDE = routine(
    "slide object",
    "grid | object",
    "grid manipulation",
    object="object",
    stop="stopping criteria := Callable[[object, grid], bool]",
)
COLLIDE = routine("collision criteria", "bool", "stopping criteria", object="object", grid="grid")
TOUCH = routine("touches edge", "bool", "intermediate", target="object | grid", grid="grid")
HOLE = ConceptPayload(title="hole", role="structure", cues=("an enclosed gap",))
LESSON = ConceptPayload(
    title="two grids side by side",
    form="open",
    situation="two grids side by side",
    suggestion="combine them cell by cell",
)


def write(concepts: ConceptMemory, *payloads: ConceptPayload, puzzle: str = "p1") -> list[str]:
    drafts = [Draft(one, puzzle=puzzle, run="r1", evidence="train pairs") for one in payloads]
    return [one.id for one in concepts.write(drafts)]


# -- writing --------------------------------------------------------------------------------------


def test_what_is_written_is_found_by_any_spelling_and_alias(concepts: ConceptMemory) -> None:
    given = SLIDE.model_copy(update={"aliases": ("glide",)})
    (name,) = write(concepts, given)
    for spelling in ("slide object", "Slide Objects", " SLIDE_object", "Glides"):
        found = concepts.find(spelling)
        assert found is not None and found.id == name
    assert concepts.find("slide") is None
    assert concepts.get(name).payload.evidence == ("train pairs",)
    assert concepts.get(name).payload.used_in == ("p1",)


def test_a_second_puzzle_extends_the_concept_and_its_history_tells(
    concepts: ConceptMemory,
) -> None:
    write(concepts, SLIDE)
    more = routine("Slide Objects", "", "", object="list[object]")
    (done,) = concepts.write(Draft(more, puzzle="p2", run="r1"))
    assert (done.fate, done.title) == ("extended", "slide object")
    (kept,) = concepts.all()
    assert kept.payload.used_in == ("p1", "p2")
    assert kept.payload.parameters[0].typing == "list[object] | object"
    versions = concepts.history(kept.id)
    assert [version.note for version in versions] == ["", "from r1:p2"]
    before = versions[0].record.payload
    assert isinstance(before, ConceptPayload) and before.parameters[0].typing == "object"
    (typing,) = [one for one in kept.payload.said if one.value == "list[object]"]
    assert (typing.field, typing.puzzle, typing.run) == ("parameters.object", "p2", "r1")


def test_writing_the_same_again_changes_nothing(concepts: ConceptMemory) -> None:
    write(concepts, SLIDE, HOLE, LESSON)
    before = concepts.memory.list(scope=SCOPE)
    again = concepts.write([Draft(one, "p1", "r1", "train pairs") for one in (SLIDE, HOLE, LESSON)])
    assert {one.fate for one in again} == {"known"}
    assert concepts.memory.list(scope=SCOPE) == before
    assert all(len(concepts.history(one.id)) == 1 for one in again)


def test_a_mention_in_one_batch_finds_what_the_batch_adds(concepts: ConceptMemory) -> None:
    written = concepts.write([Draft(HOLE, "p1"), Draft(ConceptPayload(title="Holes"), "p2")])
    assert [one.fate for one in written] == ["new", "extended"]
    (kept,) = concepts.all()
    assert kept.payload.used_in == ("p1", "p2")


def test_a_batch_is_written_whole_or_not_at_all(concepts: ConceptMemory) -> None:
    bad = ConceptPayload(title="lone \ud800 surrogate")
    with pytest.raises(Exception, match="surrogate"):
        concepts.write([Draft(HOLE), Draft(bad)])
    assert concepts.all() == ()


def test_lessons_are_one_by_situation_and_suggestion(concepts: ConceptMemory) -> None:
    other = LESSON.model_copy(update={"suggestion": "compare them row by row"})
    write(concepts, LESSON, LESSON, other)
    assert len(concepts) == 2
    assert {one.payload.suggestion for one in concepts.all()} == {
        LESSON.suggestion,
        other.suggestion,
    }


def test_two_writers_at_once_lose_nothing(concepts: ConceptMemory) -> None:
    other = ConceptMemory(concepts.memory, SCOPE)

    def work(writer: ConceptMemory, name: str) -> None:
        for i in range(12):
            said = SLIDE.model_copy(update={"cues": (f"cue {name}{i}",)})
            writer.write(Draft(said, puzzle=f"{name}{i}"))

    threads = [
        threading.Thread(target=work, args=(writer, name))
        for writer, name in (
            (concepts, "a"),
            (other, "b"),
            (ConceptMemory(concepts.memory, SCOPE), "c"),
        )
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (kept,) = concepts.all()
    assert len(kept.payload.used_in) == len(kept.payload.cues) == 36
    assert concepts.memory.verify().ok


def test_no_scope_reads_or_extends_anothers_concepts(concepts: ConceptMemory) -> None:
    write(concepts, SLIDE)
    other = ConceptMemory(concepts.memory, Scope(user="bob"))
    assert other.all() == () and other.find("slide object") is None
    (done,) = other.write(Draft(SLIDE, puzzle="p9"))
    assert done.fate == "new"
    assert concepts.all()[0].payload.used_in == ("p1",)


def test_forgetting_a_concept_takes_it_out_of_every_answer(concepts: ConceptMemory) -> None:
    slide, collide = write(concepts, SLIDE, COLLIDE)
    concepts.record_use("q1", solved=True, selected=[slide, collide], cited=[slide])
    assert concepts.usage(slide).cited == 1
    concepts.memory.forget([slide], scope=SCOPE)
    assert [one.id for one in concepts.all()] == [collide]
    assert concepts.find("slide object") is None
    assert concepts.usage(slide).selected == 0


def test_everything_is_there_after_the_store_is_opened_again(
    reopen: Callable[[], Memory],
) -> None:
    concepts = ConceptMemory(reopen(), SCOPE)
    (name, _) = write(concepts, SLIDE, COLLIDE)
    concepts.record_use("q1", solved=True, selected=[name], without=False)
    before = concepts.snapshot()
    again = ConceptMemory(reopen(), SCOPE).snapshot()
    assert again.concepts == before.concepts
    assert again.uses == before.uses and again.usage(name).lift.pairs == 1


def test_concepts_of_an_older_journal_open(concepts: ConceptMemory) -> None:
    older = ConceptPayload.model_validate(
        {"kind": "concept", "title": "old", "parameters": {"grid": "grid"}, "notes": ["n"]}
    )
    concepts.memory.add(
        Record(id="o", scope=SCOPE, text="old", payload=older, origin=Origin(source="import"))
    )
    found = concepts.find("old")
    assert found is not None
    assert found.payload.parameters == (ConceptParameter(name="grid", typing="grid"),)


# -- types ----------------------------------------------------------------------------------------


def test_providers_of_a_parameter_are_routines_of_its_type(concepts: ConceptMemory) -> None:
    write(concepts, SLIDE, COLLIDE, TOUCH, HOLE)
    found = concepts.providers("slide object", "stop")
    assert [(one.concept.title, one.how) for one in found] == [
        ("collision criteria", "subtype"),
        ("touches edge", "function"),  # it takes more than it will be given
    ]
    assert [one.concept.title for one in concepts.providers("stopping criteria")] == [
        "collision criteria",
        "touches edge",
    ]
    assert [one.concept.title for one in concepts.providers("list[object] | grid")] == [
        "slide object"
    ]


def test_a_routine_that_takes_less_than_it_is_given_provides_nothing(
    concepts: ConceptMemory,
) -> None:
    narrow = routine("only squares", "bool", "", target="square", grid="grid")
    write(concepts, SLIDE, narrow)
    assert concepts.providers("slide object", "stop") == ()


def test_compose_says_which_parameters_fit(concepts: ConceptMemory) -> None:
    write(concepts, SLIDE, COLLIDE)
    (fit,) = concepts.compose("Collision Criteria", "slide objects")
    assert (fit.parameter, fit.how) == ("stop", "subtype")
    assert concepts.compose("slide object", "collision criteria") != ()
    with pytest.raises(RecordNotFound, match="no concept is called 'nothing'"):
        concepts.compose("nothing", "slide object")
    with pytest.raises(RecordNotFound, match="its parameters are object, stop"):
        concepts.providers("slide object", "speed")


def test_the_graph_ties_concepts_through_types(concepts: ConceptMemory) -> None:
    slide, collide = write(concepts, SLIDE, COLLIDE)
    graph = concepts.graph()
    given, needed = (("type", one) for one in ("stopping criteria", SLIDE.parameters[1].typing))
    assert graph.edges[("concept", collide), given]["how"] == "subtype"
    assert graph.has_edge(given, needed)
    assert graph.edges[needed, ("concept", slide)]["parameter"] == "stop"


def test_problems_list_what_the_types_do_not_define(concepts: ConceptMemory) -> None:
    odd = routine("odd", "int >= 0", "", x="colur")
    (done,) = concepts.write(Draft(odd))
    assert done.problems == ("'colur' is not defined", "'int >= 0' could not be read")
    assert concepts.problems() == {"odd": list(done.problems)}
    write(concepts, SLIDE, COLLIDE)
    assert list(concepts.problems()) == ["odd"]
    kept = concepts.find("odd")
    assert kept is not None and kept.payload.output_type == "int >= 0"


# -- search ---------------------------------------------------------------------------------------


def test_search_finds_by_words_and_a_view_answers_as_it_stood(concepts: ConceptMemory) -> None:
    write(concepts, SLIDE, HOLE)
    view = concepts.snapshot()
    write(concepts, routine("slide row", "grid"), puzzle="p2")
    assert concepts.search("slide", k=2)[1].concept.title in ("slide row", "slide object")
    then = {one.concept.title for one in concepts.search("slide", k=9, view=view)}
    assert then == {"slide object", "hole"}
    assert concepts.search("", k=3) == [] and concepts.search("slide", k=0) == []


def test_a_snapshot_stays_as_it_is_and_travels(concepts: ConceptMemory) -> None:
    write(concepts, SLIDE, COLLIDE)
    view = concepts.snapshot()
    assert view.providers("slide object", "stop")
    there = pickle.loads(pickle.dumps(view))
    write(concepts, TOUCH, SLIDE.model_copy(update={"body": "new"}), puzzle="p2")
    assert there == view and len(view) == 2
    kept = there.find("slide object")
    assert kept is not None and kept.payload.body == ""
    assert there.compose("collision criteria", "slide object")


def test_the_shortlist_leads_from_what_is_described_to_what_it_needs(
    concepts: ConceptMemory,
) -> None:
    others = [routine(f"unrelated work {i}", "int", "intermediate", n="int") for i in range(30)]
    write(concepts, SLIDE, COLLIDE, *others)
    listed = shortlist(concepts, "objects slide to the border", k=3)
    assert [one.concept.title for one in listed[:2]] == ["slide object", "collision criteria"]
    assert listed[1].why == "fills slide object: stop"
    plain = shortlist(concepts, "objects slide to the border", k=1, expansion=None)
    assert [one.concept.title for one in plain] == ["slide object"]
    assert shortlist(concepts, "  ") == []


# -- use ------------------------------------------------------------------------------------------


def test_use_is_counted_and_matched_with_runs_without(concepts: ConceptMemory) -> None:
    slide, hole = write(concepts, SLIDE, HOLE)
    concepts.record_use("q1", solved=True, selected=[slide, hole], cited=[slide], without=False)
    concepts.record_use("q2", solved=False, selected=[slide])
    concepts.record_without("q2", solved=True)
    concepts.record_use("q3", solved=True, selected=[slide])
    use = concepts.usage(slide)
    assert (use.selected, use.cited, use.solved, use.failed, use.cited_solved) == (3, 1, 2, 1, 1)
    assert (use.lift.pairs, use.lift.gained, use.lift.lost) == (2, 1.0, 1.0)
    assert use.lift.mean == 0 and use.lift.positive == pytest.approx(0.5)
    assert concepts.usage(hole).lift.gained == 1.0


def test_a_concept_left_out_by_chance_is_matched_with_itself(concepts: ConceptMemory) -> None:
    slide, hole = write(concepts, SLIDE, HOLE)
    concepts.record_use("q1", solved=True, selected=[slide, hole], dropout=0.5)
    concepts.record_use("q1", solved=False, selected=[hole], dropped=[slide], dropout=0.5, run="2")
    assert concepts.usage(slide).lift.gained == 1.0
    assert concepts.usage(hole).lift.pairs == 0
    contrast = concepts.memory.credit([slide], scope=SCOPE)[slide].contrast
    assert (contrast.shown, contrast.left_out, contrast.change) == (1, 1, 1.0)


@pytest.mark.parametrize(
    ("a", "b"), [(0.5, 0.5), (1.5, 0.5), (10.5, 3.5), (0.5, 12.5), (200.5, 170.5)]
)
def test_the_beta_posterior_agrees_with_brute_force(a: float, b: float) -> None:
    import numpy as np

    draws = np.random.default_rng(0).beta(a, b, 400_000)
    assert beta_above_half(a, b) == pytest.approx(float((draws > 0.5).mean()), abs=4e-3)


def test_lift_is_a_dirichlet_posterior() -> None:
    import numpy as np

    lift = Lift(pairs=12, gained=7.0, lost=2.0)
    draws = np.random.default_rng(0).dirichlet([7.5, 2.5, 4.0], 200_000)
    change = draws[:, 0] - draws[:, 1]
    assert lift.mean == pytest.approx(float(change.mean()), abs=2e-3)
    assert lift.positive == pytest.approx(float((change > 0).mean()), abs=3e-3)
    low, high = lift.interval
    assert high - low == pytest.approx(2 * 1.96 * float(change.std()), rel=0.02)
    assert Lift().interval[0] < 0 < Lift().interval[1]


def test_what_helped_ranks_first_and_what_is_hardly_used_is_folded(
    concepts: ConceptMemory,
) -> None:
    slide, hole, collide = write(concepts, SLIDE, HOLE, COLLIDE)
    write(concepts, HOLE, COLLIDE, puzzle="p2")
    concepts.record_use("q1", solved=True, selected=[collide], without=False)
    concepts.record_use("q1", solved=False, selected=[slide])
    assert [one.id for one in concepts.ranked()] == [collide, hole, slide]
    folded = concepts.fold()
    assert [one.id for one in folded.full] == [collide, hole]
    assert folded.names == ("slide object",)


def test_what_did_harm_is_archived_and_revived_when_written_again(
    concepts: ConceptMemory,
) -> None:
    slide, hole = write(concepts, SLIDE, HOLE)
    for i in range(9):
        concepts.record_use(f"q{i}", solved=i % 9 == 8, selected=[slide, hole], without=True)
    assert concepts.prune().archived == ()  # nine pairs are not enough
    concepts.record_use("q9", solved=False, selected=[slide], without=True)
    pruned = concepts.prune()
    assert [one.id for one in pruned.archived] == [slide]
    assert concepts.find("slide object") is None
    assert concepts.memory.get(slide, scope=SCOPE).status is Status.ARCHIVED
    (done,) = concepts.write(Draft(SLIDE, puzzle="p5"))
    assert done.fate == "revived" and concepts.find("slide object") is not None


def test_negative_cues_are_trusted_less_and_expire(concepts: ConceptMemory, clock: Clock) -> None:
    (slide,) = write(concepts, SLIDE)
    concepts.misled("Slide Object", "looked like sliding, was copying", puzzle="q1")
    concepts.misled(slide, "always misleads", puzzle="q2", lasts=None)
    cues = concepts.get(slide).payload.negative_cues
    assert [(one.trust, one.evidence) for one in cues] == [(0.3, ("q1",)), (0.3, ("q2",))]
    assert concepts.get(slide).payload.used_in == ("p1",)
    assert concepts.prune().expired == 0
    clock.now += timedelta(days=100)
    assert concepts.prune().expired == 1
    assert [one.text for one in concepts.get(slide).payload.negative_cues] == ["always misleads"]
    assert any("copying" in version.record.model_dump_json() for version in concepts.history(slide))


def test_likely_doubles_are_proposed_and_united_on_request(concepts: ConceptMemory) -> None:
    first, second, _ = write(
        concepts, SLIDE, routine("object slide", "grid", "", speed="int"), HOLE
    )
    write(concepts, SLIDE, puzzle="p2")
    (proposal,) = concepts.proposals()
    assert (proposal.keep.id, proposal.other.id) == (first, second)
    assert "same words" in proposal.why
    kept = concepts.unite(first, second)
    assert kept.payload.aliases == ("object slide",)
    assert [one.name for one in kept.payload.parameters] == ["object", "stop", "speed"]
    found = concepts.find("object slide")
    assert found is not None and found.id == first
    record = concepts.memory.get(second, scope=SCOPE)
    assert record.status is Status.MERGED
    assert concepts.memory.get(first, scope=SCOPE).sources == (second,)
    (done,) = concepts.write(Draft(ConceptPayload(title="Object slides"), puzzle="p7"))
    assert (done.id, done.fate) == (first, "extended")
    assert concepts.proposals() == []


# -- code -----------------------------------------------------------------------------------------


def coded(title: str = "shift") -> ConceptPayload:
    return ConceptPayload(title=title, role="routine", code="def shift(g): ...", language="python")


def test_code_that_passes_on_its_puzzles_is_admitted(concepts: ConceptMemory) -> None:
    checker = Passes("p1")
    assert isinstance(checker, Checker)
    (done,) = concepts.write(Draft(coded(), puzzle="p1"), checker=checker)
    kept = concepts.get(done.id).payload
    assert (kept.code, kept.language, kept.passed) == ("def shift(g): ...", "python", ("p1",))
    assert checker.asked == [("def shift(g): ...", ("p1",))]
    assert done.problems == ()


@pytest.mark.parametrize(
    ("checker", "puzzle", "why"),
    [
        (None, "p1", "nothing was given to check it with"),
        (Passes("p1"), "", "it names no puzzle to be checked on"),
        (Passes(), "p1", "it does not pass on p1"),
        (Passes("p1", reason="it opens a file"), "p1", "it opens a file"),
    ],
)
def test_code_that_does_not_pass_is_left_out_and_the_concept_kept(
    concepts: ConceptMemory, checker: Checker | None, puzzle: str, why: str
) -> None:
    (done,) = concepts.write(Draft(coded(), puzzle=puzzle), checker=checker)
    kept = concepts.get(done.id).payload
    assert (kept.code, kept.language, kept.passed) == ("", "", ())
    assert kept.refused == (why,)
    assert done.problems == (f"code: {why}",)


def test_only_concepts_are_read(concepts: ConceptMemory) -> None:
    from reverie.memory.records import UtterancePayload

    concepts.memory.add(
        Record(
            scope=SCOPE,
            text="slide",
            payload=UtterancePayload(speaker="x"),
            origin=Origin(source="user"),
        )
    )
    write(concepts, SLIDE)
    assert len(concepts.search("slide", k=5)) == len(concepts) == 1
    assert len(concepts.memory.list(scope=SCOPE, kind=Kind.CONCEPT)) == 1
