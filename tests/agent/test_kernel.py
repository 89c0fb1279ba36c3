"""The kernel's votes on the admissible actions."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverie.agent.abstraction import LiftedState, Lifter
from reverie.agent.kernel import (
    LEAST_DOUBT,
    KernelWeights,
    action_prior,
    doubt_after,
    novelty,
    similarity,
)
from reverie.agent.state import RecalledStep

WEIGHTS = KernelWeights()
WORDS = st.lists(st.sampled_from(["take <1>", "clean <1>", "<1>", "<2>", "mug"]), max_size=4)
STATES = st.builds(
    LiftedState,
    goal=st.sampled_from(["put <1> in <2>", "clean <1>"]),
    fillers=WORDS.map(tuple),
    done=WORDS.map(tuple),
    last=st.sampled_from(["", "look"]),
    here=WORDS.map(tuple),
    signs=WORDS.map(tuple),
)


def step(state: LiftedState, action: str, attempts: int = 1) -> RecalledStep:
    return RecalledStep(id="x", score=1.0, state=state.facets(), action=action, attempts=attempts)


def state(**changes: object) -> LiftedState:
    plain = LiftedState(
        goal="put <1> in <2>", fillers=("mug", "desk"), done=(), last="", here=(), signs=()
    )
    return plain.model_copy(update=changes)


@given(STATES, STATES)
def test_no_state_is_more_similar_than_the_state_itself(a: LiftedState, b: LiftedState) -> None:
    assert similarity(a, b, WEIGHTS) <= similarity(a, a, WEIGHTS) + 1e-9


@given(STATES, STATES)
def test_the_kernel_is_symmetric(a: LiftedState, b: LiftedState) -> None:
    assert similarity(a, b, WEIGHTS) == pytest.approx(similarity(b, a, WEIGHTS))


def test_the_prior_is_a_distribution_over_the_admissible_actions() -> None:
    actions = ["go to desk 1", "go to shelf 1", "go to shelf 2", "look"]
    neighbours = [step(state(), "go to shelf"), step(state(), "go to <2>")]
    prior = action_prior(state(), actions, neighbours, lifter=Lifter(), weights=WEIGHTS)
    assert set(prior) == set(actions)
    assert sum(map(math.exp, prior.values())) == pytest.approx(1.0)


def test_instances_of_one_class_share_its_votes() -> None:
    actions = ["go to shelf 1", "go to shelf 2", "go to sofa 1"]
    neighbours = [step(state(), "go to shelf"), step(state(), "go to sofa")]
    prior = action_prior(state(), actions, neighbours, lifter=Lifter(), weights=WEIGHTS)
    assert prior["go to shelf 1"] == prior["go to shelf 2"] < prior["go to sofa 1"]


def test_a_neighbour_at_the_same_progress_outvotes_one_elsewhere() -> None:
    now = state(done=("take <1>",))
    neighbours = [step(state(done=("take <1>",)), "go to <2>"), step(state(), "go to shelf")]
    prior = action_prior(
        now, ["go to desk 1", "go to shelf 1"], neighbours, lifter=Lifter(), weights=WEIGHTS
    )
    assert prior["go to desk 1"] > prior["go to shelf 1"] + 1


def test_a_single_dissimilar_step_leaves_the_choice_open() -> None:
    actions = ["go to desk 1", "look"]
    far = state(
        goal="clean <1>", fillers=("rug",), done=("use <1>",), last="use <1>", here=("<1>",)
    )
    for neighbour, gap in ((far, 0.1), (state(), 4.0)):
        prior = action_prior(
            state(), actions, [step(neighbour, "look")], lifter=Lifter(), weights=WEIGHTS
        )
        difference = prior["look"] - prior["go to desk 1"]
        assert difference < gap if neighbour is far else difference > gap


def test_memory_says_nothing_where_none_of_its_actions_is_admissible() -> None:
    neighbours = [step(state(), "open <2>")]
    assert action_prior(state(), ["look"], neighbours, lifter=Lifter(), weights=WEIGHTS) == {}
    assert action_prior(state(), ["look"], [], lifter=Lifter(), weights=WEIGHTS) == {}


def test_a_state_that_was_met_is_not_new_and_one_without_a_possible_action_is() -> None:
    def new(held: list[RecalledStep]) -> float:
        return novelty(state(), ["look", "go to shelf 2"], held, lifter=Lifter(), weights=WEIGHTS)

    met, near = step(state(), "look"), step(state(done=("take <1>",)), "look")
    assert new([]) == new([step(state(), "fly")]) == 1.0
    assert new([met]) == new([near, met]) == 0.0
    assert 0.0 < new([near]) < 1.0


def test_a_memory_of_few_successes_is_doubted_more() -> None:
    doubts = [doubt_after(wins) for wins in (0, 1, 5, 20, 100, 10_000)]
    assert doubts == sorted(doubts, reverse=True)
    assert doubts[0] == 1.0
    assert doubts[-1] == LEAST_DOUBT


def test_each_success_it_is_shown_is_counted() -> None:
    lifter = Lifter()
    lifter.learn("put a mug", ["take mug 1"], success=True)
    lifter.learn("put a mug", ["take mug 1"], success=False)
    assert lifter.wins == 1
