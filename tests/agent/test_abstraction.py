"""Lifting writes a step so that it fits other episodes."""

from reverie.agent.abstraction import LiftedState, Lifter


def taught() -> Lifter:
    lifter = Lifter()
    lived = ["take mug 1 from desk 2", "go to fridge 1"]
    lifter.learn("put a clean mug in the fridge", lived, success=True)
    return lifter


def test_goal_words_known_as_things_become_slots_in_the_order_of_the_goal() -> None:
    lifter = taught()
    slots = lifter.slots("put a clean mug in the fridge")
    assert slots == ("mug", "fridge")
    assert lifter.lift_goal("put a clean mug in the fridge", slots) == "put clean <1> in <2>"


def test_a_goal_word_never_met_before_is_a_slot_too() -> None:
    assert taught().slots("put a clean kettle in the fridge") == ("kettle", "fridge")


def test_one_failure_does_not_fix_the_things_it_never_met() -> None:
    lifter = taught()
    lifter.learn("put a clean kettle in the fridge", ["go to desk 1"], success=False)
    assert lifter.slots("put a clean kettle in the fridge") == ("kettle", "fridge")


def test_failures_teach_which_words_are_fixed_before_the_first_success() -> None:
    lifter = Lifter()
    for thing in ("mug", "pan", "kettle"):
        lifter.learn(f"heat some {thing} and put it in fridge", ["go to fridge 1"], success=False)
    assert lifter.slots("heat some apple and put it in fridge") == ("apple", "fridge")


def test_a_word_taken_for_fixed_is_a_thing_once_it_is_seen() -> None:
    lifter = Lifter()
    for _ in range(lifter.patience):
        lifter.learn("find the kettle", ["look"], success=False)
    assert lifter.fixed("kettle") and lifter.slots("find the kettle") == ()
    lifter.learn("find the mug", ["You see a kettle 1."], success=False)
    assert lifter.slots("find the kettle") == ("kettle",)


def test_what_was_undone_is_no_progress() -> None:
    lifter = taught()
    history = ["take mug 1 from desk 2", "move mug 1 to desk 2", "take mug 1 from desk 2"]
    state = lifter.lift_state("put a mug in fridge", "", history, ("mug", "fridge"))
    assert state.done == ("take <1>",)


def test_an_action_keeps_the_classes_of_things_the_goal_does_not_name() -> None:
    lifter = taught()
    assert lifter.lift_action("take mug 3 from desk 12", ("mug", "fridge")) == "take <1> from desk"


def test_two_games_with_other_things_have_the_same_lifted_state() -> None:
    lifter = taught()
    one = lifter.lift_state(
        "put a mug in fridge",
        "You pick up the mug 1 from the desk 2.",
        ["go to desk 2", "take mug 1 from desk 2"],
        ("mug", "fridge"),
    )
    other = lifter.lift_state(
        "put a pan in cabinet",
        "You pick up the pan 7 from the desk 1.",
        ["go to desk 1", "take pan 7 from desk 1"],
        ("pan", "cabinet"),
    )
    assert one.model_copy(update={"fillers": ()}) == other.model_copy(update={"fillers": ()})
    assert one.done == ("take <1>",)


def test_facets_round_trip() -> None:
    slots = ("mug", "fridge")
    state = taught().lift_state("put a mug in fridge", "You see mug 1.", ["look"], slots)
    assert LiftedState.from_facets(state.facets()) == state
    assert LiftedState.from_facets({}).done == ()
