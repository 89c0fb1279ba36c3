"""A woven model behind the protocols of chat models, ours and LangChain's."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="it needs torch: pip install 'reverie[latent]'")
pytest.importorskip("transformers", reason="it needs transformers: 'reverie[latent]'")

import torch
from langchain_core.messages import HumanMessage, SystemMessage

from reverie.agent.latent.backbone import Backbone, tiny_backbone
from reverie.agent.latent.checkpoint import save_net
from reverie.agent.latent.config import WeaverConfig
from reverie.agent.latent.generation import Always, Sampling, generate
from reverie.agent.latent.langchain_model import WovenChatModel, latent
from reverie.agent.latent.slots import QUERY, Block, Slots
from reverie.agent.latent.tensors import integers
from reverie.agent.latent.tokens import HubTokenizer, byte_tokenizer
from reverie.agent.latent.woven_model import WovenModel
from reverie.agent.models import open_model
from reverie.agent.models.base import ChatModel, Message, ScoringModel, weaves
from reverie.agent.models.ledger import Ledger, metered
from reverie.agent.models.model_check import check_chat_model
from reverie.agent.models.response_cache import ResponseCache, cached
from reverie.agent.models.scripted import ScriptedModel
from reverie.errors import ContextOverflow, ModelError, SettingsError
from reverie.tests.agent.latent.nets import speaking, woven

ASKED = (Message(role="user", content="How is the sea, today?"),)
TOLD = (Message(role="user", content="It was calm.", latent=True), *ASKED)


@pytest.fixture(scope="module")
def model() -> WovenModel:
    return WovenModel(woven(speaking()))


def test_it_conforms_but_for_json_that_random_weights_cannot_write(model: WovenModel) -> None:
    assert isinstance(model, ChatModel)
    assert isinstance(model, ScoringModel)
    problems = check_chat_model(model)
    assert [one for one in problems if "schema" not in one] == []


def test_memory_bears_on_the_answer_and_not_on_the_prompt(model: WovenModel) -> None:
    plain, told = model.prompt(ASKED), model.prompt(TOLD)
    assert plain.tokens == told.tokens
    assert (plain.memory, len(told.memory)) == ([], len("It was calm."))
    scores = [model.score(asked, ("calm", "rough")).logprobs for asked in (ASKED, TOLD)]
    assert scores[0] != scores[1]


def test_a_model_that_weaves_when_told_is_else_the_reasoner_alone() -> None:
    net = woven(speaking())
    told = WovenModel(net, weave="told")
    alone, always = WovenModel(net, weave="never"), WovenModel(net)
    candidates = ("calm", "rough")
    assert told.score(ASKED, candidates).logprobs == alone.score(ASKED, candidates).logprobs
    assert told.score(TOLD, candidates).logprobs == always.score(TOLD, candidates).logprobs
    assert len({told.id, alone.id, always.id}) == 3
    assert not weaves(alone)


def test_an_untrained_weaver_does_not_weave_and_reads_memory_as_text() -> None:
    model = WovenModel(woven(speaking(), opened=False))
    assert not model.weaves
    assert len(model.prompt(TOLD).tokens) > len(model.prompt(ASKED).tokens)


def test_scores_are_those_of_saying_the_candidate(model: WovenModel) -> None:
    """The likeliest answer's score is the log-probability it was generated with."""
    reply = model.chat(ASKED, max_tokens=6)
    assert reply.logprob is not None
    scores = model.score(ASKED, ("a", reply.text, "something else"))
    assert scores.lengths[1] == len(reply.text.encode()) + 1
    assert scores.logprobs[1] < 0


def test_a_stream_says_what_chat_says_and_stops_where_it_stops(model: WovenModel) -> None:
    whole = model.chat(ASKED, max_tokens=20)
    assert "".join(model.stream(ASKED, max_tokens=20)) == whole.text
    assert whole.finish == "length"
    assert whole.usage.completion_tokens == 20
    if len(whole.text) > 4:
        stop = whole.text[2:4]
        cut = model.chat(ASKED, max_tokens=20, stop=(stop,))
        assert cut.text == whole.text[: whole.text.find(stop)]
        assert cut.finish == "stop"


def test_a_seed_makes_a_drawn_answer_repeatable(model: WovenModel) -> None:
    drawn = {model.chat(ASKED, max_tokens=12, temperature=1.0, seed=3).text for _ in range(2)}
    other = model.chat(ASKED, max_tokens=12, temperature=1.0, seed=4).text
    assert len(drawn) == 1
    assert other not in drawn


def test_wrappers_tell_whether_a_model_weaves(model: WovenModel, tmp_path: Path) -> None:
    assert weaves(metered(model, Ledger()))
    assert weaves(cached(model, ResponseCache(tmp_path / "answers.db")))
    assert not weaves(metered(ScriptedModel(["no"]), Ledger()))


def test_a_message_that_is_not_latent_is_kept_under_its_old_key() -> None:
    assert "latent" not in ASKED[0].model_dump(mode="json")
    assert TOLD[0].model_dump(mode="json")["latent"] is True


def test_what_does_not_fit_the_context_is_refused(model: WovenModel) -> None:
    long = (Message(role="user", content="sea " * 300),)
    with pytest.raises(ContextOverflow, match="leaves no room"):
        model.chat(long)
    room = model.context_tokens - len(model.prompt(ASKED).tokens)
    filled = model.chat(ASKED, max_tokens=room + 100)
    assert filled.usage.completion_tokens <= room
    memory = Message(role="user", content="x" * (model.context_tokens + 1), latent=True)
    with pytest.raises(ContextOverflow, match="does not fit the weaver's context"):
        model.chat((memory, *ASKED))


def test_a_backbone_without_a_chat_template_says_so() -> None:
    tokenizer = byte_tokenizer()
    inner = tokenizer._inner  # pyright: ignore[reportPrivateUsage]
    inner.chat_template = None
    bare = HubTokenizer(inner, ends=tokenizer.ends)
    backbone = Backbone(speaking().model, bare, "bare")
    with pytest.raises(ModelError, match="has no chat template"):
        WovenModel(woven(backbone)).chat(ASKED)


def test_a_backbone_without_a_tokenizer_answers_nobody() -> None:
    with pytest.raises(ModelError, match="has no tokenizer"):
        WovenModel(woven())


def test_weights_that_are_not_finite_are_named() -> None:
    net = woven(speaking())
    with torch.no_grad():
        next(iter(net.weaver.head.queries.values())).fill_(torch.nan)
    with pytest.raises(ModelError, match="not finite"):
        WovenModel(net).chat(ASKED)


def test_of_the_last_conversation_no_more_is_kept_than_can_be_gone_on_from() -> None:
    model = WovenModel(woven(speaking()))
    model.chat(ASKED, max_tokens=200)
    assert model._past is not None  # pyright: ignore[reportPrivateUsage]
    assert model._past.slots.columns < len(model.prompt(ASKED).tokens) + 8  # pyright: ignore[reportPrivateUsage]
    asked = (*ASKED, Message(role="assistant", content="Calm."), *TOLD)
    again = model.score(asked, ("calm", "rough")).logprobs
    anew = WovenModel(woven(speaking())).score(asked, ("calm", "rough")).logprobs
    assert again == pytest.approx(anew, abs=1e-4)


def test_the_question_is_read_again_and_not_the_template(monkeypatch: pytest.MonkeyPatch) -> None:
    net, asked = woven(speaking(), ("cache", "cache", "reread")), list[int]()
    tokenizer = net.backbone.tokenizer
    assert tokenizer is not None
    write = Slots.write

    def noted(self: Slots, rows: torch.Tensor, block: Block) -> torch.Tensor:
        if int(block.roles[0, 0]) == QUERY:
            asked[:] = integers(block.positions[0])
        return write(self, rows, block)

    monkeypatch.setattr(Slots, "write", noted)
    prompt = tokenizer.prompt([Message(role="user", content="abc")])
    generate(net, [prompt], decider=Always(), sampling=Sampling(1))
    assert tokenizer.decode([prompt[at] for at in asked]) == "abc"
    raw = tokenizer.encode("no template")
    generate(net, [raw], decider=Always(), sampling=Sampling(1))
    assert tokenizer.decode([raw[at] for at in asked]) == "ate"
    generate(net, [net.backbone.prompt_tail], decider=Always(), sampling=Sampling(1))
    assert asked[-1] == len(net.backbone.prompt_tail) - 1


def test_a_weaver_without_latents_is_refused() -> None:
    with pytest.raises(SettingsError, match="weaves nothing"):
        WeaverConfig(prompt_latents=0, inner_points=0)
    assert WeaverConfig(prompt_latents=0).latents("inner") == 8
    with pytest.raises(SettingsError, match='queries="learned"'):
        WeaverConfig(reads="hidden", queries="reread")


def test_a_hub_folder_comes_back_as_the_same_backbone(tmp_path: Path) -> None:
    from reverie.agent.latent.backbone import open_backbone

    made = tiny_backbone(byte_tokenizer(), dim=16, layers=1, context_tokens=256)
    made.model.save_pretrained(tmp_path)  # pyright: ignore[reportCallIssue]
    assert isinstance(made.tokenizer, HubTokenizer)
    made.tokenizer._inner.save_pretrained(tmp_path)  # pyright: ignore[reportPrivateUsage]
    opened = open_backbone(str(tmp_path))
    assert opened.fingerprint == made.fingerprint
    save_net(woven(opened), tmp_path / "weaver")
    threads = torch.get_num_threads()
    try:
        again = open_model(f"woven:{tmp_path / 'weaver'}", weave="told", threads=threads + 1)
        assert torch.get_num_threads() == threads + 1
    finally:
        torch.set_num_threads(threads)
    assert not again.chat(ASKED, max_tokens=4).tool_calls


def test_langchain_sees_a_chat_model(model: WovenModel) -> None:
    chain = WovenChatModel(model=model, max_tokens=12)
    asked = [SystemMessage("Be brief."), HumanMessage("How is the sea?")]
    said = chain.invoke(asked)
    assert said.text
    assert said.usage_metadata is not None
    assert "".join(str(one.content) for one in chain.stream(asked)) == said.text
    assert asyncio.run(chain.ainvoke(asked)).text == said.text
    told = chain.invoke([latent("It was calm."), *asked])
    assert told.usage_metadata is not None
    more = told.usage_metadata["input_tokens"] - said.usage_metadata["input_tokens"]
    assert more == len("It was calm.")
