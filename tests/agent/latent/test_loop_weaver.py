"""Latent memory in the loop: for models that weave; the others read it, and are told so once."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest

from reverie.agent.abstraction import Lifter
from reverie.agent.actor import conversation
from reverie.agent.arms import AgentOptions, build_agent
from reverie.agent.environment import Observation, Task
from reverie.agent.latent.loop_weaver import LatentWeaver, woven_name
from reverie.agent.models.base import ChatModel
from reverie.agent.models.scripted import ScriptedModel
from reverie.agent.state import RecalledCase, View
from reverie.agent.weaver import JointWeaver, PriorWeaver, TextWeaver

CASE = RecalledCase(
    id="01ARZ3NDEKTSV4RRFFQ69G5FAV",
    score=1.0,
    task="put a mug on the desk",
    plan=["take mug 1", "move mug 1 to desk 1"],
    outcome="success",
    reason="",
    origin="reflection",
    date="2026-01-02",
)
VIEW = View(
    task=Task(id="t", type="put", split="train"),
    goal="put a cup on the desk",
    observation=Observation(text="You are in a room.", goal="put a cup on the desk", actions=()),
    steps=[],
)


class Weaving(ScriptedModel):
    """A scripted model that says it weaves."""

    weaves = True


def _words(text: str) -> int:
    return len(text.split())


def test_what_is_recalled_becomes_a_latent_message() -> None:
    model = Weaving(["ok"])
    woven = LatentWeaver(model, TextWeaver(_words)).weave(VIEW, [CASE], [])
    assert woven["text"] == ""
    assert "put a mug on the desk" in woven.get("latent", "")
    assert woven["sources"] == [CASE["id"]]
    messages = conversation(model, VIEW, woven, "Play.")
    assert [one.latent for one in messages] == [False, True, False]
    assert "mug" not in messages[-1].content


def test_a_model_that_does_not_weave_reads_text_and_it_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    model = ScriptedModel(["ok"])
    text = TextWeaver(_words)
    with caplog.at_level(logging.WARNING):
        weaver = LatentWeaver(model, text)
        woven = [weaver.weave(VIEW, [CASE], []) for _ in range(3)]
    assert woven == [text.weave(VIEW, [CASE], [])] * 3
    assert len(caplog.records) == 1
    assert "given as text" in caplog.text


def test_nothing_recalled_is_nothing_woven() -> None:
    assert not LatentWeaver(Weaving(["ok"]), TextWeaver(_words)).weave(VIEW, [], [])["text"]


def test_latents_join_with_a_prior() -> None:
    latent = LatentWeaver(Weaving(["ok"]), TextWeaver(_words))
    joint = JointWeaver(latent, PriorWeaver(Lifter()))
    assert joint.name == "latent+prior"
    assert joint.weave(VIEW, [CASE], []).get("latent")


def test_the_agent_takes_it_by_name(caplog: pytest.LogCaptureFixture) -> None:
    options = AgentOptions(weaver="latent")
    agent = build_agent("off", cast(ChatModel, Weaving(["ok"])), options=options)
    assert isinstance(agent.parts.weaver, LatentWeaver)
    assert not caplog.records


def test_the_weaver_of_a_local_model_is_opened_in_its_place(tmp_path: Path) -> None:
    why = "latent memory needs torch and transformers: pip install 'reverie[latent]'"
    pytest.importorskip("torch", reason=why)
    pytest.importorskip("transformers", reason=why)
    from reverie.agent.latent.checkpoint import save_net
    from reverie.tests.agent.latent.nets import tiny, woven

    backbone = tiny()
    save_net(woven(backbone), tmp_path)
    path = str(tmp_path)
    assert woven_name("local:tiny-32x2-0", path) == f"woven:{path}"
    assert woven_name("local", path) == "local"
    assert woven_name("openai/gpt", path) == "openai/gpt"
    assert woven_name("local", None) == "local"


def test_without_torch_the_extra_is_named() -> None:
    code = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "transformers"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
from reverie.agent.latent import LatentConfig
from reverie.agent.models import open_model
from reverie.errors import MissingExtra
try:
    open_model("woven:nowhere")
except MissingExtra as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert "pip install 'reverie[latent]'" in done.stdout, done.stderr
