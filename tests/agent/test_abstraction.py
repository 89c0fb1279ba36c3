"""Lifting writes a step so that it fits other episodes."""

from reverie.agent.abstraction import LiftedState, Lifter, is_deed, numbered, things


def taught() -> Lifter:
    lifter = Lifter()
    lifter.learn("put a clean mug in the fridge", ["take mug 1 from desk 2", "go to fridge 1"])
    return lifter


def test_a_thing_is_a_word_with_a_number() -> None:
    assert things("On the desk 2, you see a mug 1 and a key.") == {"desk", "mug"}
    assert numbered("take mug 1 from desk 2") == {"mug 1", "desk 2"}


def test_an_action_that_relates_two_things_is_a_deed() -> None:
    assert is_deed("take mug 1 from desk 2")
    assert not is_deed("go to desk 2")


def test_goal_words_known_as_things_become_slots_in_the_order_of_the_goal() -> None:
    lifter = taught()
    slots = lifter.slots("put a clean mug in the fridge")
    assert slots == ("mug", "fridge")
    assert lifter.lift_goal("put a clean mug in the fridge", slots) == "put clean <1> in <2>"


def test_a_goal_word_never_met_before_is_a_slot_too() -> None:
    assert taught().slots("put a clean kettle in the fridge") == ("kettle", "fridge")


def test_a_failed_goal_does_not_fix_its_unseen_things() -> None:
    lifter = taught()
    lifter.learn("", ["go to desk 1"])
    assert lifter.slots("put a clean kettle in the fridge") == ("kettle", "fridge")


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
