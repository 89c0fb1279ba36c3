"""Every family of backbones obeys the same laws, whatever its layers do beside attention."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

pytest.importorskip("torch", reason="it needs torch: pip install 'reverie[latent]'")
pytest.importorskip("transformers", reason="it needs transformers: 'reverie[latent]'")

import torch

from reverie.agent.latent.backbone import Backbone
from reverie.agent.latent.config import LoraConfig
from reverie.agent.latent.forced import forced, token_logprobs
from reverie.agent.latent.generation import Always, Planned, Run, Sampling, generate
from reverie.agent.latent.plan import Point
from reverie.agent.latent.tensors import integers
from reverie.errors import ModelError
from reverie.tests.agent.latent.nets import FLOWS, VOCABULARY, Flow, woven

FAMILIES: dict[str, dict[str, Any]] = {
    "llama": {},
    "qwen2": {},
    "qwen3": {},
    "smollm3": {},
    "mistral": {"sliding_window": 6},
    "gemma": {},
    "gemma2": {"sliding_window": 6, "query_pre_attn_scalar": 8},
    "gemma3": {"sliding_window": 6, "query_pre_attn_scalar": 8},
    "granite": {"logits_scaling": 2.0},
    "cohere": {"logit_scale": 0.25},
}
NAMES = {"smollm3": "SmolLM3", "gemma3": "Gemma3"}
TEXT_ONLY = {"gemma3": ("Gemma3TextConfig", "Gemma3ForCausalLM")}


def _backbone(family: str, **options: Any) -> Backbone:
    """Four layers of a family with random weights, every second one sliding where it can."""
    home = import_module(f"transformers.models.{family}")
    name = NAMES.get(family, family.capitalize())
    config, model = TEXT_ONLY.get(family, (f"{name}Config", f"{name}ForCausalLM"))
    made = getattr(home, config)(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        max_position_embeddings=96,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        **options,
    )
    random: Any = torch.random
    random.manual_seed(0)
    return Backbone(getattr(home, model)(made), None, family)


PATHS = ([7, 8, 9, 10, 11, 12, 13, 14], [7, 8, 20], [7, 8, 9, 21], [22], [23, 8, 9])
NODES = (
    *((7, -1), (8, 0), (9, 1), (10, 2), (11, 3), (12, 4), (13, 5), (14, 6)),
    *((20, 1), (21, 2), (22, -1), (23, -1), (8, 11), (9, 12)),
)
ENDS = (7, 8, 9, 10, 13)


@pytest.mark.parametrize("family", FAMILIES)
@torch.no_grad()
def test_a_tree_of_what_could_come_next_is_each_path_by_itself(family: str) -> None:
    net = woven(_backbone(family, **FAMILIES[family]), ("cache", "cache", "reread"))
    prompt = list(range(3, 12))
    run = Run(net, [prompt], Always(), Sampling(8), [[4, 5]], spare=len(NODES))
    alone = [run.stream.fork(torch.tensor([0])) for _ in PATHS]
    for _ in range(2):
        states = run.stream.peek([token for token, _ in NODES], [parent for _, parent in NODES])
        for path, end, stream in zip(PATHS, ENDS, alone, strict=True):
            other = stream.fork(torch.tensor([0]))
            read = other.read(other.all(), torch.tensor([path]), torch.tensor([len(path)]))
            assert torch.allclose(states[end], read[0, -1], atol=1e-5)
    on = torch.tensor([[24, 25]])
    after = run.stream.read(run.stream.all(), on, torch.tensor([2]))
    assert torch.allclose(after, alone[0].read(alone[0].all(), on, torch.tensor([2])), atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_keeps_the_no_op_and_the_parity(family: str) -> None:
    backbone = _backbone(family, **FAMILIES[family])
    assert (backbone.window is not None) == ("sliding_window" in FAMILIES[family])
    random_ = torch.Generator().manual_seed(0)
    row = integers(torch.randint(3, VOCABULARY, (20,), generator=random_))
    points = (Point(9, "prompt"), Point(12), Point(17))
    model: Any = backbone.model
    with torch.no_grad():
        theirs = model(input_ids=torch.tensor([row])).logits
        closed = woven(backbone, opened=False)
        ours = backbone.logits(forced(closed, [row], (points,), memories=[[4, 5]]).hidden)
        assert (ours - theirs).abs().max() <= 2e-6 * max(1.0, float(theirs.abs().max()))
        net = woven(backbone)
        prompts, plan = [row[:9], row[:4]], (points, (Point(4, "prompt"), Point(6)))
        told = [[4, 5, 6], [7]]
        answers = generate(
            net, prompts, decider=Planned(plan), sampling=Sampling(max_tokens=9), memories=told
        )
        rows = [[*prompt, *one.tokens] for prompt, one in zip(prompts, answers, strict=True)]
        logprobs = token_logprobs(net, forced(net, rows, plan, memories=told))
        for found, prompt, answer in zip(logprobs, prompts, answers, strict=True):
            again = found[len(prompt) - 1 :][:9]
            assert torch.allclose(again, torch.tensor(answer.logprobs), atol=1e-5)


def test_positions_that_are_looked_up_do_not_go_below_zero() -> None:
    home = import_module("transformers.models.opt")
    config = home.OPTConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        word_embed_proj_dim=32,
        ffn_dim=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=96,
    )
    backbone = Backbone(home.OPTForCausalLM(config), None, "opt")
    assert not backbone.rotary and _backbone("llama").rotary
    net = woven(backbone, lora=LoraConfig(rank=2, targets=("q_proj",)))
    row, plan = list(range(3, 15)), ((Point(5, "prompt"),),)
    with torch.no_grad():
        one, other = (
            forced(net, [row], plan, memories=[told]).hidden[0, -1] for told in ([4, 5], [6, 7])
        )
    assert not torch.allclose(one, other, atol=1e-5)


def test_a_memory_stays_in_sight_when_the_window_has_moved_on() -> None:
    net = woven(_backbone("mistral", sliding_window=6))
    row, plan = list(range(3, 33)), ((Point(29, "prompt"),),)
    with torch.no_grad():
        one, other = (
            forced(net, [row], plan, memories=[told]).hidden[0, -1] for told in ([4, 5], [6, 7])
        )
    assert not torch.allclose(one, other, atol=1e-5)


def test_a_family_whose_logits_go_another_way_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    backbone = _backbone("llama")
    model: Any = backbone.model
    with torch.no_grad():
        model.lm_head.weight.mul_(50)
    monkeypatch.setattr(Backbone, "logits", lambda self, states: self._head(states) * 2)  # type: ignore[attr-defined]
    with pytest.raises(ModelError, match="in an unknown way"):
        Backbone(model, None, "strange")


def test_a_model_whose_layers_hold_no_keys_is_refused() -> None:
    backbone = _backbone("qwen3")
    model: Any = backbone.model
    model.config.layer_types = ["linear_attention"] * 4
    with pytest.raises(ModelError, match="which take no latents"):
        Backbone(model, None, "strange")


@pytest.mark.parametrize("flow", FLOWS, ids="-".join)
def test_half_precision_weaves_and_learns_like_single(flow: Flow) -> None:
    half, single = _backbone("llama"), _backbone("llama")
    half = Backbone(half.model.to(torch.bfloat16), None, "half")
    row, plan = list(range(3, 15)), ((Point(5, "prompt"), Point(9)),)
    found: list[torch.Tensor] = []
    for backbone in (half, single):
        net = woven(backbone, flow)
        loss: Any = token_logprobs(net, forced(net, [row], plan, memories=[[4, 5]])).sum()
        loss.backward()
        assert all(one.dtype == torch.float32 for one in net.parameters())
        assert all(
            bool(one.grad.isfinite().all())
            for one in net.weaver.parameters()
            if one.grad is not None
        )
        found.append(loss.detach())
    assert torch.allclose(found[0], found[1], rtol=0.02)
