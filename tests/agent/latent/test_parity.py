"""One truth three ways: step by step with a cache, teacher-forced, and all anew without a cache."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

pytest.importorskip("torch", reason="it needs torch: pip install 'reverie[latent]'")
pytest.importorskip("transformers", reason="it needs transformers: 'reverie[latent]'")

import torch

from reverie.agent.latent.forced import forced, token_logprobs
from reverie.agent.latent.generation import (
    Always,
    Generated,
    Never,
    Planned,
    Run,
    Sampling,
    generate,
)
from reverie.agent.latent.net import WovenNet
from reverie.agent.latent.plan import Point
from reverie.agent.latent.slots import Block, Slots
from reverie.agent.latent.stream import Latents, Stream
from reverie.agent.latent.tensors import integers, pad, unpad
from reverie.tests.agent.latent.nets import (
    FLOWS,
    VOCABULARY,
    Case,
    Flow,
    random_case,
    reference,
    stir,
    tiny,
    woven,
)


def _answers(net: WovenNet, case: Case, temperature: float = 0.0, seed: int = 0) -> list[Generated]:
    return generate(
        net,
        case.prompts,
        decider=Planned(case.plan),
        sampling=Sampling(case.steps, temperature, seed),
        memories=case.memories,
    )


def _rows(case: Case, answers: list[Generated]) -> list[list[int]]:
    return [[*prompt, *one.tokens] for prompt, one in zip(case.prompts, answers, strict=True)]


@pytest.mark.parametrize("flow", FLOWS, ids="-".join)
def test_a_ragged_batch_with_a_cache_says_what_each_row_says_without_one(flow: Flow) -> None:
    """C2: 200 random plans, 50 for each way of weaving."""
    net = woven(flow=flow)
    worst = 0.0
    for number in range(50):
        case = random_case(number + 50 * FLOWS.index(flow))
        answers = _answers(net, case)
        rows = _rows(case, answers)
        for row, answer, points, prompt, memory in zip(
            rows, answers, case.plan, case.prompts, case.memories, strict=True
        ):
            with torch.no_grad():
                after = reference(net, row, points, memory)[len(prompt) - 1 : -1]
            assert integers(after.argmax(-1)) == answer.tokens, number
            said = after.gather(-1, torch.tensor(answer.tokens)[:, None]).squeeze(-1)
            worst = max(worst, float((said - torch.tensor(answer.logprobs)).abs().max()))
    assert worst <= 1e-4


@pytest.mark.parametrize("flow", FLOWS, ids="-".join)
def test_training_sees_the_log_probabilities_of_generation(flow: Flow) -> None:
    """C3, drawn at random, with the trigger's own delta as well."""
    net = woven(flow=flow, trigger=True)
    for number in range(10):
        case = random_case(1000 + number)
        answers = _answers(net, case, temperature=1.0, seed=number)
        read = forced(net, _rows(case, answers), case.plan, memories=case.memories)
        logprobs = token_logprobs(net, read).detach()
        for row, (prompt, answer) in enumerate(zip(case.prompts, answers, strict=True)):
            begin = len(prompt) - 1
            again = logprobs[row, begin : begin + len(answer.tokens)]
            assert torch.allclose(again, torch.tensor(answer.logprobs), atol=1e-5)


def test_a_plan_is_reported_as_it_was_carried_out() -> None:
    case = random_case(7)
    for points, answer in zip(case.plan, _answers(woven(), case), strict=True):
        assert [(one.at, one.kind) for one in answer.decisions] == [
            (point.at, point.kind) for point in points
        ]


def test_an_insertion_in_the_answer_costs_one_pass_and_not_two(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    net = woven(flow=("cache", "cache", "reread"))
    prompts = [[5 + row] * (4 + row) for row in range(3)]
    plan = tuple((Point(len(one) + 1 + row),) for row, one in enumerate(prompts))
    passes: list[int] = []
    write = Slots.write

    def counted(slots: Slots, rows: torch.Tensor, block: Block) -> torch.Tensor:
        passes.append(len(rows))
        return write(slots, rows, block)

    monkeypatch.setattr(Slots, "write", counted)
    found = generate(net, prompts, decider=Planned(plan), sampling=Sampling(max_tokens=6))
    assert [len(one.tokens) for one in found] == [6, 6, 6]
    # The prompt; five more reads, and one as each row is one behind; a weave for each.
    assert passes.count(1) == 3 and passes.count(3) == 1 + 5 + 1


def test_a_row_ends_by_itself_and_the_others_go_on_unharmed() -> None:
    case = random_case(3)
    net = woven()
    free = _answers(net, case)
    assert len(case.prompts) > 1
    first = free[0].tokens[0]

    def ends(row: int, token: int) -> bool:
        return row == 0 and token == first

    cut = generate(
        net,
        case.prompts,
        decider=Planned(case.plan),
        sampling=Sampling(max_tokens=case.steps, watch=ends),
        memories=case.memories,
    )
    assert cut[0].tokens == [first]
    assert [one.tokens for one in cut[1:]] == [one.tokens for one in free[1:]]


def test_rows_padded_on_either_side_are_the_same_rows() -> None:
    rows = [[3, 1, 4], [1, 5, 9, 2, 6]]
    right, lengths = pad(rows)
    mask = torch.arange(5) < lengths[:, None]
    assert unpad(right, mask) == rows
    assert unpad(right.flip(1), mask.flip(1)) == [row[::-1] for row in rows]


def test_a_weaver_of_another_size_obeys_the_same_laws() -> None:
    from reverie.agent.latent.backbone import tiny_backbone
    from reverie.agent.latent.config import LatentConfig, WeaverConfig

    other = tiny_backbone(vocabulary=VOCABULARY, dim=24, layers=1, context_tokens=96, seed=5)
    config = WeaverConfig(prompt_latents=3, inner_latents=2, reads="hidden", backbone="small")
    net = stir(WovenNet(tiny(), LatentConfig(weaver=config), other))
    case = random_case(11)
    answers = _answers(net, case)
    logprobs = token_logprobs(
        net, forced(net, _rows(case, answers), case.plan, memories=case.memories)
    ).detach()
    for row, (prompt, answer) in enumerate(zip(case.prompts, answers, strict=True)):
        begin = len(prompt) - 1
        again = logprobs[row, begin : begin + len(answer.tokens)]
        assert torch.allclose(again, torch.tensor(answer.logprobs), atol=1e-5)


@pytest.mark.parametrize("flow", FLOWS, ids="-".join)
def test_a_run_that_goes_on_from_another_says_what_a_new_one_says(flow: Flow) -> None:
    """A conversation that grows, changes its memory, and is cut back in between."""
    net, rng = woven(flow=flow), random.Random(3)
    past: Stream | None = None
    prompt: list[int] = [1, 2]
    for turn in range(8):
        prompt = prompt[: rng.randint(1, len(prompt))] if turn % 3 == 2 else prompt
        prompt = [*prompt, *(rng.randrange(VOCABULARY) for _ in range(rng.randint(1, 5)))]
        memory = [rng.randrange(VOCABULARY) for _ in range(turn % 4)]
        decider = [Never(), Always(), Planned(((Point(len(prompt) + 2),),))][turn % 3]

        def run(past: Stream | None) -> Run:
            return Run(net, [prompt], decider, Sampling(4), [memory], past=past)  # noqa: B023

        with torch.no_grad():
            again, anew = run(past), run(None)
            for one in (again, anew):
                while one.step():
                    pass
        past = again.stream
        assert again.answers[0].tokens == anew.answers[0].tokens
        assert again.answers[0].logprobs == pytest.approx(anew.answers[0].logprobs, abs=1e-4)
        prompt = [*prompt, *again.answers[0].tokens]


def test_what_a_conversation_began_with_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    net, read = woven(), list[int]()
    write = Slots.write

    def counted(self: Slots, rows: torch.Tensor, block: Block) -> torch.Tensor:
        read.append(block.inputs.shape[1])
        return write(self, rows, block)

    monkeypatch.setattr(Slots, "write", counted)
    past: Stream | None = None
    with torch.no_grad():
        for prompt, new in (([1, 2, 3, 4], 4), ([1, 2, 3, 4, 5, 6], 3), ([1, 2, 9], 1)):
            read.clear()
            past = Run(net, [prompt], Always(), Sampling(4), None, past=past).stream
            assert read[0] == new


def test_latents_and_memories_bear_on_what_is_said() -> None:
    net, row = woven(), [3, 1, 4, 1, 5]
    plans = [((),), ((Point(5, "prompt"),),)]
    with torch.no_grad():
        plain, latent = (forced(net, [row], plan).hidden[0] for plan in plans)
        told = forced(net, [row], plans[1], memories=[[7, 8]]).hidden[0]
    assert torch.equal(plain[:4], latent[:4]), "what stands before a point does not see it"
    assert not torch.allclose(plain[4], latent[4], atol=1e-3)
    assert not torch.allclose(latent[4], told[4], atol=1e-4)


@pytest.mark.parametrize("flow", FLOWS[:2], ids="-".join)
def test_rows_can_exchange_their_latents(flow: Flow) -> None:
    """Each then says what the other would have said from its own latents' row on."""
    net, plan = woven(flow=flow), ((Point(4, "prompt"),),) * 2
    rows = [[3, 1, 4, 1, 5, 9], [2, 7, 4, 1, 5, 9]]

    def exchanged(latents: Latents, _: torch.Tensor) -> Latents:
        return latents.take(torch.tensor([1, 0]))

    def unchanged(latents: Latents, _: torch.Tensor) -> Latents:
        return latents.take(torch.tensor([0, 1]))

    with torch.no_grad():
        own = forced(net, rows, plan).hidden
        same = forced(net, rows, plan, edit=unchanged).hidden
        other = forced(net, rows, plan, edit=exchanged).hidden
        twice = forced(net, [rows[0], rows[0]], plan, edit=exchanged).hidden
    assert torch.allclose(own, same, atol=1e-6)
    assert not torch.allclose(own[:, 3:], other[:, 3:], atol=1e-4)
    assert torch.allclose(own[:1], twice[:1], atol=1e-5), "latents of an equal row are its own"


def test_closed_gates_drop_latents_wherever_they_stand() -> None:
    for flow in FLOWS[:2]:
        net, rows = woven(flow=flow), [[3, 1, 4, 1, 5, 9]]

        def dropped(latents: Latents, _: torch.Tensor) -> Latents:
            return replace(latents, gates=torch.full_like(latents.gates, -torch.inf))

        with torch.no_grad():
            plain = forced(net, rows, ((),)).hidden
            without = forced(net, rows, ((Point(4, "prompt"),),), edit=dropped).hidden
        assert torch.allclose(plain, without, atol=1e-5)
