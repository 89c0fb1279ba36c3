"""Answers kept on disk."""

from __future__ import annotations

import multiprocessing
import sqlite3
from pathlib import Path

import pytest

from reverie.agent.models import (
    ChatModel,
    Ledger,
    Message,
    Reply,
    ScoringModel,
    ToolSpec,
    metered,
    open_model,
)
from reverie.agent.models.response_cache import ResponseCache, cache_key, cached
from reverie.agent.models.scripted import ScriptedModel, ScriptedScorer
from reverie.errors import SettingsError

HELLO = [Message(role="user", content="Hello")]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "answers" / "cache.sqlite"


def test_the_same_question_is_asked_once(file: Path) -> None:
    script = ScriptedModel(["one"])
    model = cached(script, ResponseCache(file))
    first, second = model.chat(HELLO), model.chat(HELLO)
    assert (first.cached, second.cached) == (False, True)
    assert second.text == "one"
    assert len(script.calls) == 1
    assert cached(ScriptedModel([]), ResponseCache(file)).chat(HELLO).text == "one"


def test_whatever_can_change_the_answer_asks_anew(file: Path) -> None:
    script = ScriptedModel([str(i) for i in range(20)])
    cache = ResponseCache(file)
    model = cached(script, cache)
    tool = ToolSpec(name="t", description="d", parameters={})
    other = [Message(role="user", content="Hello", images=("data:,x",))]
    replies = [
        model.chat(HELLO),
        model.chat(other),
        model.chat(HELLO, tools=[tool]),
        model.chat(HELLO, schema={"type": "object"}),
        model.chat(HELLO, max_tokens=5),
        model.chat(HELLO, stop=["x"]),
        model.chat(HELLO, temperature=0.5, seed=1),
        model.chat(HELLO, temperature=0.5, seed=2),
        cached(script, cache, salt="again").chat(HELLO),
        cached(ScriptedModel(["other"], name="other"), cache).chat(HELLO),
    ]
    assert not any(r.cached for r in replies)
    assert model.chat(HELLO, temperature=0.5, seed=2).cached


def test_what_is_drawn_at_random_is_not_kept(file: Path) -> None:
    model = cached(ScriptedModel(["a", "b"]), ResponseCache(file))
    assert model.chat(HELLO, temperature=1.0).text == "a"
    assert model.chat(HELLO, temperature=1.0).text == "b"


def test_an_answer_that_ended_in_an_error_is_not_kept(file: Path) -> None:
    model = cached(ScriptedModel([Reply(text="", finish="error"), "well"]), ResponseCache(file))
    assert model.chat(HELLO).finish == "error"
    assert model.chat(HELLO).text == "well"


def test_scores_are_kept(file: Path) -> None:
    script = ScriptedScorer()
    model = cached(script, ResponseCache(file))
    assert isinstance(model, ScoringModel)
    first = model.score(HELLO, ["yes", "no"])
    second = model.score(HELLO, ["yes", "no"])
    assert second.logprobs == first.logprobs
    assert (first.cached, second.cached) == (False, True)
    assert not model.score(HELLO, ["no", "yes"]).cached
    assert len(script.calls) == 2


async def test_the_async_twin_shares_the_answers(file: Path) -> None:
    model = cached(ScriptedModel(["one"]), ResponseCache(file))
    await model.achat(HELLO)
    assert (await model.achat(HELLO)).cached
    assert model.chat(HELLO).cached


def test_what_was_not_spent_is_counted_apart(file: Path) -> None:
    ledger = Ledger()
    model = metered(cached(ScriptedModel(["one two"]), ResponseCache(file)), ledger)
    model.chat(HELLO)
    model.chat(HELLO)
    total = ledger.snapshot()
    assert (total.calls, total.cached_calls) == (1, 1)
    assert total.tokens == total.saved_tokens == 3


def test_a_model_opened_with_a_cache_and_a_ledger_uses_both(file: Path) -> None:
    ledger = Ledger()
    for _ in range(2):
        open_model("scripted:a", cache=file, ledger=ledger).chat(HELLO)
    assert ledger.snapshot().cached_calls == 1


def fill(path: str, start: int) -> None:
    model: ChatModel = cached(ScriptedModel(lambda m: m[-1].content), ResponseCache(Path(path)))
    for i in range(start, start + 40):
        model.chat([Message(role="user", content=str(i))])


def test_processes_may_share_a_file(file: Path) -> None:
    # A child imports this module by a name that it can find from any folder.
    from reverie.tests.agent.models import test_response_cache as here

    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=here.fill, args=(str(file), i * 20)) for i in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [w.exitcode for w in workers] == [0, 0, 0]
    rows = sqlite3.connect(file).execute("SELECT count(*) FROM answers").fetchone()
    assert rows == (80,)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "cache.sqlite"
    file.write_bytes(b"this is no database" * 100)
    with pytest.raises(SettingsError, match=r"cache\.sqlite cannot be read"):
        cached(ScriptedModel(["x"]), ResponseCache(file)).chat(HELLO)


def test_an_answer_of_another_version_is_asked_anew(file: Path) -> None:
    cache = ResponseCache(file)
    model = cached(ScriptedModel(["old", "new"]), cache)
    model.chat(HELLO)
    connection = sqlite3.connect(file)
    with connection:
        connection.execute("UPDATE answers SET answer = '{\"words\": 1}'")
    connection.close()
    assert model.chat(HELLO).text == "new"


def test_lone_surrogates_have_a_key() -> None:
    assert cache_key(text="\ud800") != cache_key(text="?")
