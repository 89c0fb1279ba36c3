"""The verbs, on a store in memory and on one in a folder."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reverie.errors import (
    DuplicateRecord,
    InvalidRecord,
    MemoryFault,
    RecordNotFound,
    ScopeError,
)
from reverie.memory.memory import Memory
from reverie.memory.recalls import Shortlist
from reverie.memory.recollection import Choice
from reverie.memory.records import (
    CasePayload,
    Kind,
    Origin,
    Record,
    Scope,
    Status,
    UtterancePayload,
)
from reverie.memory.search import FusionWeights, Hit

ANN = Scope(user="ann")
BOB = Scope(user="bob")
DAY = timedelta(days=1)
START = datetime(2024, 1, 1, tzinfo=UTC)


def said(text: str, id: str, *, scope: Scope = ANN, speaker: str = "ann", day: int = 0) -> Record:
    return Record(
        id=id,
        scope=scope,
        text=text,
        payload=UtterancePayload(speaker=speaker),
        origin=Origin(source="user"),
        event_time=START + day * DAY,
    )


def lived(goal: str, id: str, *, split: str = "train", outcome: str = "success") -> Record:
    return Record(
        id=id,
        scope=ANN,
        text=goal,
        payload=CasePayload.model_validate(
            {
                "task": goal,
                "task_id": id,
                "split": split,
                "plan": ("look",),
                "outcome": outcome,
                "reward": 1.0,
            }
        ),
        origin=Origin(source="environment"),
    )


def ids(hits: list[Hit]) -> list[str]:
    return [hit.record.id for hit in hits]


THREE = [
    said("the cat sat on a mat", "cat"),
    said("dogs chase the postman", "dog", day=1),
    said("I live in Berlin", "berlin", day=2),
]


def test_what_was_added_is_got_back_equal(memory: Memory) -> None:
    assert memory.add(THREE) == ["cat", "dog", "berlin"]
    got = memory.get("dog", scope=ANN)
    assert got.model_copy(update={"ingest_time": THREE[1].ingest_time}) == THREE[1]


def test_search_ranks_the_fitting_record_first(memory: Memory) -> None:
    memory.add(THREE)
    hits = memory.search("where do I live? Berlin?", scope=ANN, k=2)
    assert ids(hits)[0] == "berlin"
    assert len(hits) == 2
    assert 0 <= hits[1].score <= hits[0].score <= 1


def test_adding_again_changes_nothing_and_other_content_is_refused(memory: Memory) -> None:
    memory.add(THREE)
    memory.add(THREE[0])
    assert len(memory.history("cat", scope=ANN)) == 1
    with pytest.raises(DuplicateRecord, match="other content"):
        memory.add([said("new", "new"), said("another cat", "cat")])
    with pytest.raises(RecordNotFound):
        memory.get("new", scope=ANN)


def test_ids_belong_to_a_user(memory: Memory) -> None:
    memory.add([said("ann's cat", "pet"), said("bob's dog", "pet", scope=BOB)])
    assert memory.get("pet", scope=BOB).text == "bob's dog"
    assert ids(memory.search("cat dog", scope=BOB)) == ["pet"]


def test_a_narrow_scope_sees_only_its_agent_and_session(memory: Memory) -> None:
    cook = Scope(user="ann", agent="cook")
    monday = Scope(user="ann", agent="cook", session="monday")
    memory.add([said("salt", "a", scope=cook), said("pepper", "b", scope=monday), THREE[0]])
    assert set(ids(memory.search("salt", scope=ANN))) == {"a", "b", "cat"}
    assert set(ids(memory.search("salt", scope=cook))) == {"a", "b"}
    assert ids(memory.search("salt", scope=monday)) == ["b"]
    with pytest.raises(RecordNotFound):
        memory.get("cat", scope=cook)


def test_filters_on_payload_time_and_status(memory: Memory) -> None:
    memory.add([lived("clean a mug", "t1"), lived("clean a cup", "t2", split="test")])
    memory.add([lived("clean a pan", "t3", outcome="failure"), *THREE])
    clean = "clean something"
    assert "t2" not in ids(memory.search(clean, scope=ANN, exclude={"split": ["test"]}))
    assert ids(memory.search(clean, scope=ANN, where={"outcome": "failure"})) == ["t3"]
    assert ids(memory.search("cat", scope=ANN, since=START + 2 * DAY, kinds=[Kind.UTTERANCE])) == [
        "berlin"
    ]
    assert ids(memory.search("cat", scope=ANN, until=START)) == ["cat"]
    memory.delete("t1", scope=ANN)
    assert "t1" not in ids(memory.search(clean, scope=ANN))
    assert ids(memory.search(clean, scope=ANN, status=Status.ARCHIVED)) == ["t1"]
    with pytest.raises(MemoryFault, match="cannot filter on 'plan'"):
        memory.search(clean, scope=ANN, where={"plan": "x"})


def test_facet_filters_follow_later_writes(memory: Memory) -> None:
    memory.add([lived("clean a mug", "t1")])
    assert ids(memory.search("clean", scope=ANN, where={"split": "test"})) == []
    memory.add([lived("clean a cup", "t2", split="test")])
    assert ids(memory.search("clean", scope=ANN, where={"split": "test"})) == ["t2"]
    payload = memory.get("t1", scope=ANN).payload
    memory.update_payload("t1", scope=ANN, payload=payload.model_copy(update={"split": "test"}))
    assert set(ids(memory.search("clean", scope=ANN, where={"split": "test"}))) == {"t1", "t2"}


def test_list_pages_in_the_order_of_writing(memory: Memory) -> None:
    memory.add(THREE)
    first = memory.list(scope=ANN, limit=2)
    assert [record.id for record in first] == ["cat", "dog"]
    assert [r.id for r in memory.list(scope=ANN, after="dog")] == ["berlin"]
    assert memory.list(scope=BOB) == []
    assert [r.id for r in memory.list(scope=ANN, where={"speaker": "bob"})] == []


def test_an_update_is_found_and_the_past_stays_in_history(memory: Memory) -> None:
    memory.add(THREE)
    memory.search("cat", scope=ANN)
    after = memory.update("cat", scope=ANN, text="the horse sat down", note="it was a horse")
    assert after.text == memory.get("cat", scope=ANN).text == "the horse sat down"
    assert ids(memory.search("horse", scope=ANN))[0] == "cat"
    only_words = FusionWeights(dense=0)
    assert memory.search("mat", scope=ANN, weights=only_words)[0].score == 0
    versions = memory.history("cat", scope=ANN)
    assert [version.record.text for version in versions] == [
        "the cat sat on a mat",
        "the horse sat down",
    ]
    assert versions[1].note == "it was a horse"


def test_supersede_merge_and_retract_take_records_out_of_search(memory: Memory) -> None:
    memory.add(THREE)
    memory.supersede("berlin", said("I live in Madrid", "madrid"))
    memory.merge(["cat", "dog"], said("cats and dogs", "pets"))
    memory.merge(["cat", "dog"], said("cats and dogs", "pets"))
    assert set(ids(memory.search("live pets", scope=ANN))) == {"madrid", "pets"}
    assert memory.get("pets", scope=ANN).sources == ("cat", "dog")
    assert memory.get("berlin", scope=ANN).status is Status.SUPERSEDED
    memory.retract("pets", "made up", scope=ANN)
    assert ids(memory.search("pets", scope=ANN)) == ["madrid"]
    assert memory.history("pets", scope=ANN)[-1].note == "made up"


def test_as_of_answers_as_the_store_stood(tmp_path: Path) -> None:
    moment = [START]
    with Memory.open(tmp_path, embedder="hashing:64", clock=lambda: moment[0]) as memory:

        def plain(text: str, id: str) -> Record:
            return Record(
                id=id,
                scope=ANN,
                text=text,
                payload=UtterancePayload(speaker="ann"),
                origin=Origin(source="user"),
            )

        memory.add([plain("I live in Berlin", "home"), plain("I like tea", "tea")])
        moment[0] = START + DAY
        memory.update("home", scope=ANN, text="I live in Madrid")
        moment[0] = START + 2 * DAY
        memory.delete("tea", scope=ANN)
        memory.add(plain("I like coffee", "coffee"))

        now = memory.search("live like", scope=ANN)
        then = memory.search("live like", scope=ANN, as_of=START + DAY / 2)
        later = memory.search("Madrid", scope=ANN, as_of=START + DAY)
        assert {hit.record.text for hit in now} == {"I live in Madrid", "I like coffee"}
        assert {hit.record.text for hit in then} == {"I live in Berlin", "I like tea"}
        assert later[0].record.text == "I live in Madrid"
        assert memory.search("tea", scope=ANN, as_of=START - DAY) == []
        assert memory.search("Madrid", scope=ANN, as_of=START + 9 * DAY)[0].record.id == "home"


def test_recall_is_logged_and_its_reward_counts_for_the_chosen(memory: Memory) -> None:
    memory.add(THREE)

    def second(found: Shortlist) -> Choice:
        candidates = found.hits
        chances = {hit.record.id: 1 / len(candidates) for hit in candidates}
        return Choice((candidates[1].record.id,), chances, "second")

    recollection = memory.recall("cat", scope=ANN, choose=second, context={"task": "t"})
    (chosen,) = ids(recollection.hits)
    memory.reward(recollection.id, 0.5)
    memory.reward(recollection.id, 1.0)
    utility = memory.utility(["cat", "dog", "berlin"], scope=ANN)
    assert utility[chosen].reward_mean == 1.0
    assert utility[chosen].rewarded == 1
    assert [u.recalled for u in utility.values()] == [1, 1, 1]
    assert sum(u.chosen for u in utility.values()) == 1
    (log,) = memory.recalls(scope=ANN)
    assert (log.policy, log.context, log.reward) == ("second", {"task": "t"}, 1.0)
    assert log.candidates[0].probability == pytest.approx(1 / 3)
    assert memory.get(chosen, scope=ANN).counters["chosen"] == 1
    with pytest.raises(RecordNotFound):
        memory.reward("nothing", 1.0)


def test_what_a_recall_is_to_go_without_is_no_candidate(memory: Memory) -> None:
    memory.add([said(f"tea number {n}", f"u{n}") for n in range(5)])
    everything = memory.recall("tea", scope=ANN, shortlist=5, k=2)
    others = memory.recall("tea", scope=ANN, shortlist=3, k=2, without=everything.choice.chosen)
    ids = {hit.record.id for hit in others.candidates}
    assert len(ids) == 3 and not ids & set(everything.choice.chosen)
    assert ids == {one.id for one in memory.logged(others.id, scope=ANN).candidates}


def test_a_recall_of_nothing_can_be_rewarded_too(memory: Memory) -> None:
    recollection = memory.recall("anything", scope=ANN)
    assert recollection.hits == []
    memory.reward(recollection.id, 0.0)
    assert memory.recalls(scope=ANN)[0].reward == 0.0


def test_a_choice_of_what_was_not_offered_is_refused(memory: Memory) -> None:
    memory.add(THREE)
    with pytest.raises(MemoryFault, match="not among its candidates"):
        memory.recall("cat", scope=ANN, choose=lambda hits: Choice(("stranger",)))


async def test_async_twins_do_the_same(memory: Memory) -> None:
    await memory.aadd(THREE)
    hits = await memory.asearch("Berlin", scope=ANN, k=1)
    assert ids(hits) == ["berlin"]
    recollection = await memory.arecall("Berlin", scope=ANN, k=1)
    await memory.areward(recollection.id, 1.0)
    assert (await memory.autility(["berlin"], scope=ANN))["berlin"].reward_sum == 1.0


def test_everything_is_there_after_reopening(reopen: Callable[[], Memory]) -> None:
    reopen().add(THREE)
    memory = reopen()
    assert ids(memory.search("Berlin", scope=ANN, k=1)) == ["berlin"]
    assert len(memory.list(scope=ANN)) == 3


def test_a_query_of_nothing_finds_nothing(memory: Memory) -> None:
    memory.add(THREE)
    assert memory.search("", scope=ANN) == []
    assert memory.search("  \n", scope=ANN) == []
    assert memory.search("cat", scope=ANN, k=0) == []
    with pytest.raises(MemoryFault, match="k=-1"):
        memory.search("cat", scope=ANN, k=-1)


@pytest.mark.parametrize("query", ['"', "NOT", "a AND", "*", "(", "'; DROP", "the", "\0", "\ud800"])
def test_any_query_text_is_answered(memory: Memory, query: str) -> None:
    memory.add(THREE)
    assert len(memory.search(query, scope=ANN)) == 3


def test_no_scope_is_an_error(memory: Memory) -> None:
    with pytest.raises(ScopeError, match="no scope"):
        memory.search("cat", scope=None)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ScopeError, match=r"scope\.user is empty"):
        Scope(user=" ")


def test_vectors_with_nan_or_a_wrong_length_are_refused_with_their_position(
    memory: Memory,
) -> None:
    good, bad = [1.0] * 64, [1.0] * 63 + [float("nan")]
    with pytest.raises(InvalidRecord, match="NaN") as caught:
        memory.add(THREE, vectors=[good, bad, good])
    assert caught.value.position == 1
    with pytest.raises(InvalidRecord, match="vector of 3 numbers") as caught:
        memory.add(THREE, vectors=[good, good, [1.0, 2.0, 3.0]])
    assert caught.value.position == 2
    with pytest.raises(InvalidRecord, match="3 records came with 1 vectors"):
        memory.add(THREE, vectors=[good])
    assert memory.list(scope=ANN) == []


def test_nul_bytes_are_kept_and_five_megabytes_too(memory: Memory) -> None:
    long = "needle " + "hay " * 1_300_000
    memory.add([said("before\0after", "nul"), said(long, "long")])
    assert memory.get("nul", scope=ANN).text == "before\0after"
    assert memory.get("long", scope=ANN).text == long
    assert ids(memory.search("needle", scope=ANN, weights=FusionWeights(dense=0)))[0] == "long"


def test_lone_surrogates_and_empty_texts_are_refused_with_their_position(memory: Memory) -> None:
    broken = THREE[0].model_copy(update={"id": "broken", "text": "half \ud800 pair"})
    with pytest.raises(InvalidRecord, match="lone surrogate") as caught:
        memory.add([THREE[1], broken])
    assert caught.value.position == 1
    with pytest.raises(InvalidRecord, match="no text"):
        memory.add(said("  ", "blank"))
    assert memory.list(scope=ANN) == []
