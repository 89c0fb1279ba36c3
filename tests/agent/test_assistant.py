"""The assistant keeps what is said, recalls it, and asks for no more prompt as time goes on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverie.agent.assistant import Assistant
from reverie.agent.chat_loop import goes_round
from reverie.agent.chat_prompt import PER_LINE, build, cut
from reverie.agent.chat_state import Line, Shares
from reverie.agent.models.base import Message
from reverie.agent.models.scripted import ScriptedModel
from reverie.agent.server import ReplyOptions
from reverie.errors import ModelUnavailable
from reverie.memory.memory import Memory
from reverie.memory.packing import OPEN
from reverie.memory.records import Scope

START = datetime(2025, 3, 1, 9, tzinfo=UTC)


def words(text: str) -> int:
    return len(text.split())


class Clock:
    """Goes on by a minute each time it is read."""

    def __init__(self) -> None:
        self.moment = START

    def __call__(self) -> datetime:
        self.moment += timedelta(minutes=1)
        return self.moment


class Listening(ScriptedModel):
    """Says the same every time."""

    def __init__(self, reply: str = "I see.") -> None:
        super().__init__([reply], loop=True)

    @property
    def prompts(self) -> list[Sequence[Message]]:
        """What it was given, each time."""
        return [call.messages for call in self.calls]


class Failing(Listening):
    """Fails after the first piece."""

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int | None = None,
        stop: Sequence[str] = (),
    ) -> Iterator[str]:
        yield "Well, "
        raise ModelUnavailable("the line is dead")


@pytest.fixture
def memory() -> Iterator[Memory]:
    with Memory.open(embedder="hashing:32") as opened:
        yield opened


@pytest.fixture
def model() -> Listening:
    return Listening()


@pytest.fixture
def assistant(model: Listening, memory: Memory) -> Assistant:
    return Assistant(model, memory, clock=Clock())


def say(assistant: Assistant, text: str, *, user: str = "ann", session: str = "s") -> str:
    return "".join(assistant.say(user, text, session=session))


def test_both_sides_are_kept_with_who_said_it(assistant: Assistant) -> None:
    assert say(assistant, "I live in Graz.") == "I see."
    kept = assistant.dialogue("ann").transcript("s")
    assert [(one.origin.source, one.text) for one in kept] == [
        ("user", "I live in Graz."),
        ("assistant", "I see."),
    ]


def test_what_was_said_in_another_session_is_in_the_prompt(
    assistant: Assistant, model: Listening
) -> None:
    say(assistant, "My bicycle is called Rosalind.", session="spring")
    reply = assistant.say("ann", "What is my bicycle called?", session="autumn")
    "".join(reply)
    assert "Rosalind" in model.prompts[-1][-1].content
    assert OPEN in model.prompts[-1][-1].content
    assert any("Rosalind" in source["text"] for source in reply.evidence)
    assert set(reply.sources) == {source["id"] for source in reply.evidence}


def test_a_message_of_no_telling_words_recalls_nothing(
    assistant: Assistant, model: Listening
) -> None:
    say(assistant, "My bicycle is called Rosalind.", session="spring")
    say(assistant, "and so it is", session="autumn")
    assert model.prompts[-1][-1].content == "and so it is"


def test_the_users_word_is_kept_even_if_the_model_fails(memory: Memory) -> None:
    assistant = Assistant(Failing(), memory, clock=Clock())
    with pytest.raises(ModelUnavailable):
        say(assistant, "Remember the milk.")
    kept = assistant.dialogue("ann").transcript("s")
    assert [one.text for one in kept] == ["Remember the milk.", "Well,"]


def test_a_reply_that_nobody_reads_to_the_end_is_kept_as_far_as_it_was_heard(
    memory: Memory,
) -> None:
    assistant = Assistant(Listening("one two three four five six"), memory, clock=Clock())
    pieces = iter(assistant.say("ann", "Count!", session="s"))
    first = next(pieces)
    del pieces
    kept = assistant.dialogue("ann").transcript("s")
    assert kept[-1].origin.source == "assistant"
    assert kept[-1].text == first.strip()


def test_incognito_leaves_nothing(assistant: Assistant, memory: Memory) -> None:
    options = ReplyOptions(incognito=True)
    "".join(assistant.say("ann", "I have a secret.", session="s", options=options))
    assert memory.list(scope=Scope(user="ann")) == []
    assert memory.recalls(scope=Scope(user="ann")) == []


def test_a_conversation_goes_on_in_another_process(tmp_path: Path) -> None:
    for text in ("I have a cat called Momo.", "And a dog called Rex."):
        model = Listening()
        with Memory.open(tmp_path / "m", embedder="hashing:32") as memory:
            say(Assistant(model, memory), text)
    history = [message.content for message in model.prompts[-1][1:-1]]
    assert history == ["I have a cat called Momo.", "I see."]


def test_the_gist_tells_what_holds_now(assistant: Assistant, model: Listening) -> None:
    say(assistant, "I live in Graz.")
    say(assistant, "I moved to Linz.")
    say(assistant, "Good morning to you, it is sunny outside.", session="later")
    head = model.prompts[-1][0].content
    assert "Linz" in head
    assert "Graz" not in head


def test_a_client_that_sends_everything_again_is_kept_once(assistant: Assistant) -> None:
    messages = [{"role": "system", "content": "Be kind."}]
    for text in ("I am Ann.", "I like tea.", "Goodbye."):
        messages.append({"role": "user", "content": text})
        reply = "".join(assistant.reply("ann", messages, session="api", options=ReplyOptions()))
        messages.append({"role": "assistant", "content": reply})
    kept = [one.text for one in assistant.dialogue("ann").transcript("api")]
    assert [text for text in kept if text != "I see."] == ["I am Ann.", "I like tea.", "Goodbye."]


def test_a_conversation_begun_elsewhere_is_taken_over(assistant: Assistant) -> None:
    messages = [
        {"role": "user", "content": "My horse is called Jolly."},
        {"role": "assistant", "content": "Nice."},
        {"role": "user", "content": "Bye."},
    ]
    "".join(assistant.reply("ann", messages, session="api", options=ReplyOptions()))
    kept = [one.text for one in assistant.dialogue("ann").transcript("api")]
    assert kept == ["My horse is called Jolly.", "Nice.", "Bye.", "I see."]


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["ann", "eve"]), st.text(min_size=1, max_size=20)), max_size=6
    )
)
def test_two_users_never_see_each_others_memory(lines: list[tuple[str, str]]) -> None:
    with Memory.open(embedder="hashing:16") as memory:
        model = Listening()
        assistant = Assistant(model, memory, clock=Clock())
        for user, text in lines:
            say(assistant, f"{user}secret {text}", user=user)
            other = {"ann": "evesecret", "eve": "annsecret"}[user]
            assert all(other not in message.content for message in model.prompts[-1])


def test_prompts_stay_flat_over_a_long_conversation_with_restarts(tmp_path: Path) -> None:
    sizes: list[int] = []
    turns = 60
    for part in range(3):
        model = Listening("That is " + "very " * 20 + "interesting.")
        with Memory.open(tmp_path / "m", embedder="hashing:32") as memory:
            assistant = Assistant(model, memory, shares=Shares(prompt=400))
            for place in range(turns // 3):
                number = part * turns // 3 + place
                say(
                    assistant,
                    f"Today I saw bird number {number}, species{number}, in tree {place}.",
                )
        sizes += [sum(words(m.content) for m in prompt) for prompt in model.prompts]
    assert max(sizes) <= 400
    early, late = sum(sizes[20:30]), sum(sizes[-10:])
    assert late <= early * 1.1
    with Memory.open(tmp_path / "m", embedder="hashing:32") as memory:
        kept = Assistant(Listening(), memory).dialogue("ann").transcript("s")
        spoken = [one.text for one in kept if one.origin.source == "user"]
        assert len(spoken) == turns
        assert all(f"species{number}," in text for number, text in enumerate(spoken))


def test_a_message_of_200_kilobytes_is_kept_whole_and_cut_in_the_prompt(
    assistant: Assistant, model: Listening
) -> None:
    text = "begin " + "word " * 40_000 + "end"
    say(assistant, text)
    assert assistant.dialogue("ann").transcript("s")[0].text == text
    assert sum(words(message.content) for message in model.prompts[-1]) <= 1500
    assert model.prompts[-1][-1].content.startswith("begin")
    assert model.prompts[-1][-1].content.endswith("end")


def test_forgotten_words_leave_the_prompt_too(assistant: Assistant, model: Listening) -> None:
    say(assistant, "The code is 4711.")
    name = assistant.dialogue("ann").transcript("s")[0].id
    assistant.dialogue("ann").forget([name])
    assistant.forget_sessions("ann")
    say(assistant, "What is the code?")
    assert all("4711" not in message.content for message in model.prompts[-1])


# -- the prompt ----------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 60), max_size=30),
    st.integers(0, 80),
    st.integers(0, 3000),
    st.integers(200, 600),
)
def test_a_prompt_never_exceeds_its_budget(
    lengths: list[int], recalled: int, message: int, budget: int
) -> None:
    history = [
        Line(role=("user", "assistant")[place % 2], content="word " * length)
        for place, length in enumerate(lengths)
    ]
    prompt = build(
        now=START,
        gist="word " * 20,
        system=[],
        history=history,
        recalled="word " * min(recalled, budget // 3),
        text="word " * message,
        count=words,
        shares=Shares(prompt=budget),
    )
    assert sum(words(line["content"]) for line in prompt) <= budget
    assert prompt[0]["role"] == "system"
    assert prompt[-1]["role"] == "user"
    assert [line["role"] for line in prompt[1:2]] in ([], ["user"])
    assert PER_LINE > 0


def test_a_cut_text_keeps_its_ends() -> None:
    text = "a " * 500 + "z"
    short = cut(text, words, 40)
    assert words(short) <= 40
    assert short.startswith("a")
    assert short.endswith("z")
    assert cut("short", words, 40) == "short"


@pytest.mark.parametrize(
    ("text", "over"),
    [
        ("I am sorry for the misunderstanding here. " * 4, True),
        ("All different words here.", False),
    ],
)
def test_a_reply_that_goes_round_is_noticed(text: str, over: bool) -> None:
    assert goes_round(text) is over


def test_forgotten_words_are_in_no_file(tmp_path: Path) -> None:
    with Memory.open(tmp_path / "m", embedder="hashing:32") as memory:
        assistant = Assistant(Listening(), memory, clock=Clock())
        say(assistant, "Hello, my garden is green.")
        say(assistant, "My locker has the number xyzzy-4711.")
        say(assistant, "And so?")
        say(assistant, "What is the number of my locker?")
        kept = assistant.dialogue("ann").transcript("s")
        assistant.dialogue("ann").forget([one.id for one in kept if "xyzzy" in one.text])
        assert memory.verify(absent="xyzzy-4711").ok


def test_nothing_of_an_incognito_exchange_is_logged_later(tmp_path: Path) -> None:
    with Memory.open(tmp_path / "m", embedder="hashing:32") as memory:
        assistant = Assistant(Listening(), memory, clock=Clock())
        say(assistant, "My garden is green.", session="before")
        options = ReplyOptions(incognito=True)
        "".join(assistant.say("ann", "My vault is xyzzy-4711.", session="s", options=options))
        say(assistant, "Garden?")
        assert memory.recalls(scope=Scope(user="ann"))
        assert memory.verify(absent="xyzzy-4711").ok
