"""Names of the people who always speak are left out of what is embedded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reverie.memory.embed_hashing import HashingEmbedder
from reverie.memory.memory import Memory
from reverie.memory.records import Kind, Origin, Record, Scope, UtterancePayload

ANN = Scope(user="ann")


class Listening(HashingEmbedder):
    """Notes the questions it embeds."""

    def __init__(self) -> None:
        super().__init__(64)
        self.asked: list[str] = []

    def embed_query(self, text: str) -> NDArray[np.float32]:
        self.asked.append(text)
        return self.embed([text])[0]


def said(speakers: Sequence[str], scope: Scope = ANN) -> list[Record]:
    return [
        Record(
            scope=scope,
            text=f"{speaker}: I saw a red bird, number {turn}.",
            payload=UtterancePayload(speaker=speaker, turn=turn),
            origin=Origin(source="user"),
        )
        for turn, speaker in enumerate(speakers)
    ]


def embedded(
    speakers: Sequence[str], question: str, kinds: Sequence[Kind] = (Kind.UTTERANCE,)
) -> str:
    listening = Listening()
    with Memory.open(embedder=listening) as memory:
        memory.add(said(speakers))
        assert memory.search(question, scope=ANN, kinds=kinds) or Kind.FACT in kinds
    return listening.asked[-1]


def test_the_names_of_constant_speakers_are_not_embedded() -> None:
    asked = embedded(["Ann Lee", "Bob"] * 4, "When did Ann tell Bob about bob's red bird, Ms. Lee?")
    assert asked == "When did tell about red bird, Ms. ?"


def test_a_rare_speakers_name_tells_something_and_stays() -> None:
    question = "What did Zoe see?"
    assert embedded(["Ann", "Bob"] * 6 + ["Zoe"], question) == question


def test_part_of_another_word_is_not_a_name() -> None:
    question = "Is the annual bobsleigh race on?"
    assert embedded(["Ann", "Bob"] * 4, question) == question


def test_a_question_of_names_only_is_embedded_as_it_is() -> None:
    assert embedded(["Ann", "Bob"] * 4, "Ann & Bob?") == "Ann & Bob?"


def test_names_stay_where_facts_are_asked_for() -> None:
    question = "Where does Ann live?"
    assert embedded(["Ann", "Bob"] * 4, question, [Kind.FACT]) == question


def test_another_users_speakers_do_not_matter() -> None:
    listening = Listening()
    with Memory.open(embedder=listening) as memory:
        memory.add(said(["Ann", "Bob"] * 4, Scope(user="eve")))
        memory.add(said(["Tim"] * 4))
        memory.search("Did Bob meet Tim?", scope=ANN)
    assert listening.asked[-1] == "Did Bob meet ?"


def test_new_constant_speakers_are_noticed_as_the_conversation_grows() -> None:
    listening = Listening()
    with Memory.open(embedder=listening) as memory:
        memory.add(said(["Ann"] * 4))
        memory.search("Ann and Bob", scope=ANN)
        memory.add(said(["Bob"] * 4))
        memory.search("Ann and Bob", scope=ANN)
    assert listening.asked == ["and Bob", "and"]
