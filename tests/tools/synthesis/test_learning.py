"""What is learnt from solved puzzles: priors, routines, and the control that scrambles them."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverie.errors import Inapplicable
from reverie.tools.grids.library import Type
from reverie.tools.grids.puzzle import Pair, Puzzle, grid
from reverie.tools.synthesis.compression import compress, saving
from reverie.tools.synthesis.cues import cues
from reverie.tools.synthesis.learning import Strength, Use, learnt, scrambled, weights
from reverie.tools.synthesis.prior import ROOT
from reverie.tools.synthesis.roles import by_role, roles
from reverie.tools.synthesis.routines import (
    expanded,
    matches,
    rewritten,
    routine,
    template,
)
from reverie.tools.synthesis.terms import Term, parse

PUZZLE = Puzzle(
    "p",
    (
        Pair(grid([[0, 1, 2], [1, 0, 0]]), grid([[0, 1, 4], [1, 0, 0]])),
        Pair(grid([[2, 1, 0], [0, 0, 5]]), grid([[4, 1, 0], [0, 0, 5]])),
    ),
    (),
)
PROGRAMS = [
    "crop_first(keep_most(objects4(input), size))",
    "crop_first(keep_most(objects8(input), colours))",
    "rot90(crop_first(keep_most(clusters8(input), holes)))",
    "crop_first(keep_most(regions(input), tall))",
    "trim(crop_first(keep_most(boxes(input), wide)))",
    "flip_down(input)",
]


def kept(one: Term, other: Term) -> Term:
    return Term("keep_colour", (one, other))


leaves = st.sampled_from([Term("input"), Term("new"), Term("size")])
terms = st.recursive(leaves, lambda inner: st.builds(kept, inner, inner))


def test_colours_are_named_by_the_part_they_play() -> None:
    played = roles(PUZZLE)
    named = {word: played[word] for word in ("c0", "c1", "c2", "c4", "c5")}
    assert named == {"c0": "black", "c1": "kept", "c2": "lost", "c4": "new", "c5": "rare"}
    assert str(by_role(parse("replace(input, c2, c4)"), played)) == "replace(input, lost, new)"


def test_cues_hold_of_every_example() -> None:
    found = cues(PUZZLE)
    assert {"shape: same", "colours: new", "change: to one colour"} <= found
    assert "shape: smaller" not in found


def test_a_use_counts_more_for_a_puzzle_that_shares_its_cues() -> None:
    uses = [
        Use(parse("rot90(input)"), frozenset("abc")),
        Use(parse("trim(input)"), frozenset("xyz")),
    ]
    near, far = weights(frozenset("abc"), uses, Strength())
    assert near > far
    assert sum(weights(frozenset("abc"), uses, Strength())) == pytest.approx(2)


def test_a_prior_favours_what_solved_similar_puzzles() -> None:
    uses = [
        Use(parse("replace(input, lost, new)"), frozenset("abc")),
        Use(parse("trim(input)"), frozenset("xyz")),
    ]
    prior = learnt(frozenset("abc"), uses, roles(PUZZLE))
    assert prior.by_place[ROOT]["replace"] > prior.by_place[ROOT]["trim"]
    assert prior.by_place["replace", 1]["c2"] > prior.by_place["replace", 1]["c1"]
    assert sum(prior.by_place[ROOT].values()) == pytest.approx(1)
    assert pickle.loads(pickle.dumps(prior)) == prior


def test_scrambled_uses_stay_programs_of_the_same_shape() -> None:
    uses = [Use(parse(text), frozenset(text)) for text in PROGRAMS]
    wrong = scrambled(uses, 1)
    assert [one.term.size() for one in wrong] == [one.term.size() for one in uses]
    assert sorted(map(sorted, (one.cues for one in wrong))) == sorted(
        map(sorted, (one.cues for one in uses))
    )
    assert any(one.term != two.term for one, two in zip(wrong, uses, strict=True))
    for one in wrong:
        routine("#", template(one.term))  # well typed


def test_the_shared_part_of_programs_becomes_a_typed_routine() -> None:
    made = compress([parse(text) for text in PROGRAMS])
    best = made.routines[0]
    assert str(best.body) == "crop_first(keep_most(?0, ?1))"
    assert best.inputs == (Type.OBJECTS, Type.KEY)
    assert best.output is Type.GRID
    assert made.programs[0] == (0, 1, 2, 3, 4)


def test_a_pattern_saves_what_it_shortens_less_its_definition() -> None:
    assert saving(parse("crop_first(keep_most(?0, ?1))"), 4) == 4 * 1 - (2 + 2)


def test_programs_written_with_a_routine_say_the_same() -> None:
    programs = [parse(text) for text in PROGRAMS]
    made = compress(programs).routines
    known = {one.name: one for one in made}
    for program in programs:
        short = program
        for one in made:
            short = rewritten(short, one)
        assert expanded(short, known) == program


@given(terms)
def test_a_template_matches_the_program_it_came_from(program: Term) -> None:
    assert matches(template(program), program) is not None


@given(terms)
def test_a_programs_text_is_read_back(program: Term) -> None:
    assert parse(str(program)) == program


def test_a_pattern_whose_hole_stands_for_two_types_is_no_routine() -> None:
    with pytest.raises(Inapplicable):
        routine("#", parse("keep_most(?0, ?0)"))
