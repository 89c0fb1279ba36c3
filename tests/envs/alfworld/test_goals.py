"""The goal-condition rate."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverie.envs.alfworld.goals import Facts, read_goal
from reverie.errors import EnvironmentFault

TWO_IN_ONE = """
(:objects a - agent m1 m2 - object p1 - object d1 - receptacle
 d2 - receptacle)
(:init)
(:goal (and (exists (?r - receptacle) (exists (?o1 - object) (and
 (objectType ?o1 MugType) (receptacleType ?r DeskType) (inReceptacle ?o1 ?r)
 (exists (?o2 - object) (and (not (= ?o1 ?o2)) (objectType ?o2 MugType)
 (receptacleType ?r DeskType) (inReceptacle ?o2 ?r))))))))
"""
LOOK = """
(:objects a - agent m1 - object lamp - object d1 - receptacle l1 l2 - location)
(:goal (and
 (exists (?ot - object ?r - receptacle ?a - agent ?l - location) (and
  (objectType ?ot LampType) (toggleable ?ot) (isToggled ?ot)
  (receptacleAtLocation ?r ?l) (atLocation ?a ?l) (inReceptacle ?ot ?r)))
 (exists (?o - object ?a - agent) (and (objectType ?o MugType) (holds ?a ?o)))))
"""
FIXED: Facts = frozenset(
    {
        ("objecttype", "m1", "mugtype"),
        ("objecttype", "m2", "mugtype"),
        ("objecttype", "p1", "pentype"),
        ("receptacletype", "d1", "desktype"),
        ("receptacletype", "d2", "desktype"),
    }
)
PLACED = [("inreceptacle", thing, place) for thing in ("m1", "m2", "p1") for place in ("d1", "d2")]


@given(st.frozensets(st.sampled_from(PLACED)))
def test_the_rate_is_that_of_the_best_pair_and_place(placed: Facts) -> None:
    facts = FIXED | placed
    best = max(
        sum(("inreceptacle", thing, place) in facts for thing in pair)
        for place, pair in product(("d1", "d2"), (("m1", "m2"), ("m2", "m1")))
    )
    assert read_goal(TWO_IN_ONE).rate(facts) == best / 2


def test_the_parts_of_a_goal_add_up() -> None:
    goal = read_goal(LOOK)
    fixed: Facts = frozenset(
        {
            ("objecttype", "m1", "mugtype"),
            ("objecttype", "lamp", "lamptype"),
            ("toggleable", "lamp"),
            ("receptacleatlocation", "d1", "l1"),
        }
    )
    lamp_here = fixed | {("inreceptacle", "lamp", "d1")}
    assert goal.rate(fixed) == 0
    assert goal.rate(lamp_here) == 1 / 4
    assert goal.rate(lamp_here | {("atlocation", "a", "l2")}) == 1 / 4
    assert goal.rate(lamp_here | {("atlocation", "a", "l1"), ("holds", "a", "m1")}) == 3 / 4
    assert goal.rate(lamp_here | {("holds", "a", "lamp")}) == 1 / 4


@pytest.mark.parametrize("problem", ["", "(:objects a - b)", "(:objects a - b) (:goal (and (x"])
def test_a_goal_that_cannot_be_read_is_an_environment_fault(problem: str) -> None:
    with pytest.raises(EnvironmentFault, match="goal"):
        read_goal(problem)
