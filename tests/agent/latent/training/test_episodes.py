"""The agent's own successes become training data, and never their own memory."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("torch", reason="it needs torch: pip install 'reverie[latent]'")
pytest.importorskip("transformers", reason="it needs transformers: 'reverie[latent]'")

from reverie.agent.arms import AgentOptions, build_agent, seed_memory
from reverie.agent.environment import Task
from reverie.agent.latent.tokens import byte_tokenizer
from reverie.agent.latent.training.episodes import episode_examples
from reverie.agent.latent.training.examples import Example, fitting
from reverie.memory.cases import CaseMemory
from reverie.memory.memory import Memory
from reverie.memory.records import CasePayload, LivedTurn, Origin, Scope
from reverie.tests.agent.worlds import Fixed, KeyAndDoor


class Weaving(Fixed):
    """A model that would turn what was recalled into latents."""

    weaves = True


def lived(task: str, *, won: bool = True, split: str = "train") -> CasePayload:
    return CasePayload(
        task=task,
        task_id=f"{split}/{task}",
        task_type="heat",
        split=split,
        plan=(f"take {task}", f"heat {task}"),
        outcome="success" if won else "failure",
        reward=float(won),
    )


def test_each_action_of_a_success_is_an_answer_with_the_other_cases_as_memory() -> None:
    tokenizer = byte_tokenizer()
    with Memory.open("ephemeral:", embedder="hashing") as memory:
        bank = CaseMemory(memory, Scope(user="ann"))
        for case in (lived("egg"), lived("potato"), lived("soup", won=False)):
            bank.write(case, [], episode=case.task, origin=Origin(source="reflection"))
        hidden = lived("apple", split="test")
        bank.write(hidden, [], episode="e4", origin=Origin(source="reflection"))
        found = episode_examples(bank, tokenizer, recalled=3, without=("test",))
    assert len(found) == 4
    for one in found:
        answer, read = tokenizer.decode(one.answer), tokenizer.decode(one.memory)
        thing = answer.split()[-1]
        assert f'"{thing}"' not in read and "apple" not in read
        assert "soup" in read  # failures can be learnt from, too
        assert one.teacher[: len(one.prompt)] != one.prompt
        assert one.group == f"heat/{int(answer.startswith('heat'))}"
    second = next(one for one in found if "heat egg" in tokenizer.decode(one.answer))
    assert "take egg" in tokenizer.decode(second.prompt)


def test_what_is_trained_on_is_what_is_read_in_play() -> None:
    tokenizer, scope, world, model = byte_tokenizer(), Scope(user="ann"), KeyAndDoor(), Weaving()
    options = AgentOptions(weaver="latent+prior")
    with Memory.open("ephemeral:", embedder="hashing") as memory:
        assert len(list(seed_memory(memory, scope, world, world.tasks("train")[1:]))) == 2
        agent = build_agent("online", model, memory, scope=scope, options=options)
        played = agent.play(world, Task(id="train/1", split="train", type="fetch"))
        cases = CaseMemory(memory, scope)
        found = episode_examples(cases, tokenizer, among=[played.written[0]])
    assert played.success and len(found) == len(model.prompts) == 4
    for one, read in zip(found, model.prompts, strict=True):
        (memory_read,) = (message.content for message in read if message.latent)
        assert one.prompt == tuple(tokenizer.prompt([m for m in read if not m.latent]))
        assert tokenizer.decode(one.memory) == memory_read


def test_the_search_is_learnt_and_what_hindsight_calls_bad_is_only_read() -> None:
    tokenizer = byte_tokenizer()
    lived_turns = (
        LivedTurn(saw="A room.", did="go to desk 1"),
        LivedTurn(saw="Nothing.", did="eat the desk", good=False),
        LivedTurn(saw="What?", did="go to shelf 1"),
        LivedTurn(saw="An egg.", did="take egg"),
    )
    case = lived("egg").model_copy(
        update={"plan": ("go to shelf 1", "take egg"), "lived": lived_turns}
    )
    with Memory.open("ephemeral:", embedder="hashing") as memory:
        bank = CaseMemory(memory, Scope(user="ann"))
        bank.write(case, [], episode="e1", origin=Origin(source="reflection"))
        found = episode_examples(bank, tokenizer)
    answers = [tokenizer.decode(one.answer[:-1]) for one in found]
    assert answers == ["go to desk 1", "go to shelf 1", "take egg"]
    assert [one.group for one in found] == ["heat/0", "heat/0", "heat/1"]
    assert "eat the desk" in tokenizer.decode(found[1].prompt)


def test_what_is_recalled_and_too_long_is_left_out_and_the_success_is_kept() -> None:
    short = Example((1, 2), (3,), memory=(4,), teacher=(4, 1, 2))
    told = replace(short, memory=(4,) * 7, teacher=(*(4,) * 7, 1, 2))
    long = replace(short, memory=(4,) * 9, teacher=(*(4,) * 9, 1, 2))
    kept, bare = fitting([short, told, long, replace(short, prompt=(1,) * 8)], 8)
    assert kept == [short, replace(told, teacher=()), replace(short, memory=(), teacher=())]
    assert bare == 1
