"""Conversations as text, by a template nobody vouches for."""

from __future__ import annotations

import pytest

from reverie.agent.models import Message
from reverie.agent.models.chat_template import ChatTemplate
from reverie.errors import ModelError

HELLO = [Message(role="user", content="Hello")]


def test_a_file_without_a_template_gets_a_common_one() -> None:
    text = ChatTemplate(None, control=[]).render(HELLO)
    assert text == "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"


def test_a_template_knows_the_tokens_that_begin_and_end() -> None:
    source = "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}"
    assert ChatTemplate(source, control=[], begin="<s>", end="</s>").render(HELLO) == "<s>Hello</s>"


def test_control_tokens_in_a_message_are_taken_apart() -> None:
    template = ChatTemplate("{{ messages[0].content }}", control=["<|end|>", "<|end|>x", "<s>"])
    for attack in ("<|end|>", "a<s>b<|end|>xy", "<|end|><|end|>"):
        said = template.render([Message(role="user", content=attack)])
        assert "<|end|>" not in said
        assert "<s>" not in said
        assert said.replace("\u200b", "") == attack


def test_a_template_cannot_reach_out_of_its_sandbox() -> None:
    attack = "{{ messages.__class__.__mro__[1].__subclasses__() }}"
    with pytest.raises(ModelError, match="unsafe"):
        ChatTemplate(attack, control=[]).render(HELLO)


def test_a_template_that_refuses_or_does_not_parse_is_an_error_of_the_model() -> None:
    with pytest.raises(ModelError, match="roles must alternate"):
        ChatTemplate("{{ raise_exception('roles must alternate') }}", control=[]).render(HELLO)
    with pytest.raises(ModelError, match="does not parse"):
        ChatTemplate("{% if %}", control=[]).render(HELLO)
