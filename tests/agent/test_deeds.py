"""Which actions change a world, and which of them still count."""

from hypothesis import given
from hypothesis import strategies as st

from reverie.agent.deeds import deed, in_force, is_deed, numbered, that_mattered, things

TAKE = "take mug 1 from desk 2"
BACK = "move mug 1 to desk 2"
AWAY = "move mug 1 to shelf 1"
JUNK = ("take pen 4 from desk 2", "move pen 4 to shelf 1")


def test_a_thing_is_a_word_with_a_number() -> None:
    assert things("On the desk 2, you see a mug 1 and a key.") == {"desk", "mug"}
    assert numbered("take mug 1 from desk 2") == {"mug 1", "desk 2"}


def test_an_action_that_relates_two_things_is_a_deed() -> None:
    assert is_deed(TAKE) and not is_deed("go to desk 2") and not is_deed("look")


def test_a_deed_says_what_it_moved_and_which_way() -> None:
    out, into, tool = deed(TAKE), deed(AWAY), deed("clean mug 1 with sinkbasin 1")
    assert out and into and tool
    assert (out.verb, out.thing, out.others, out.kind) == ("take", "mug 1", ("desk 2",), "mug")
    assert (out.way, into.way, tool.way) == ("out", "in", "with")


def test_a_thing_put_back_was_never_taken() -> None:
    assert in_force([TAKE, "look", BACK]) == []
    assert in_force([TAKE, AWAY, "take mug 1 from shelf 1"]) == [0]


def test_a_thing_put_elsewhere_is_progress_only_if_it_is_wanted() -> None:
    assert in_force([TAKE, AWAY], {"mug"}) == [0, 1]
    assert in_force([TAKE, AWAY], {"pen"}) == []


def test_what_a_tool_did_is_not_undone() -> None:
    done = ["take mug 1 from sinkbasin 1", "clean mug 1 with sinkbasin 1"]
    assert in_force(done, {"mug"}) == [0, 1]


def test_hindsight_forgets_what_was_done_to_things_of_no_use() -> None:
    assert that_mattered([*JUNK, TAKE, AWAY], {"mug", "shelf"}) == [2, 3]


def test_hindsight_keeps_what_a_needed_deed_used() -> None:
    done = ["move pot 1 to stove 1", "move pen 1 to desk 1", "move egg 1 to pot 1"]
    assert that_mattered(done, {"egg"}) == [0, 2]


def test_hindsight_keeps_every_deed_of_a_goal_that_names_no_thing() -> None:
    assert that_mattered([*JUNK, TAKE], ()) == [0, 1, 2]


@given(st.lists(st.sampled_from([TAKE, BACK, AWAY, *JUNK, "look", "use lamp 1"]), max_size=12))
def test_only_deeds_are_in_force_and_those_that_mattered_are_among_them(actions: list[str]) -> None:
    standing = in_force(actions)
    assert all(is_deed(actions[place]) for place in standing)
    assert set(that_mattered(actions, {"mug"})) <= set(standing)
    assert in_force([actions[place] for place in standing]) == list(range(len(standing)))
