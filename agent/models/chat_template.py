"""A conversation as the text a local model was trained on, by the template in its GGUF file.

Templates are Jinja programs of whoever made the file, so they run in Jinja's sandbox. What people
and memories say is data: a control token written inside a message is taken apart before it can end
a turn or open another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Protocol

from ...errors import MissingExtra, ModelError
from .base import Message

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n'"
    " + message['content'] + '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
# A space no tokenizer reads as part of a control token, and that a reader does not see.
BREAK = "\u200b"


class _Compiled(Protocol):
    def render(self, **slots: object) -> str:
        """Fill the template."""
        ...


class ChatTemplate:
    """Renders messages; ``control`` are the texts of the model's control tokens."""

    def __init__(
        self, source: str | None, *, control: Iterable[str], begin: str = "", end: str = ""
    ) -> None:
        self._source = source or CHATML
        self._begin, self._end = begin, end
        texts = sorted({t for t in control if len(t) > 1}, key=len, reverse=True)
        self._control = re.compile("|".join(map(re.escape, texts))) if texts else None

    @cached_property
    def _compiled(self) -> _Compiled:
        try:
            from jinja2.exceptions import TemplateError
            from jinja2.sandbox import ImmutableSandboxedEnvironment
        except ImportError as error:
            raise MissingExtra("jinja2", "local") from error

        sandbox = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        try:
            return sandbox.from_string(self._source)
        except TemplateError as error:
            raise ModelError(f"The model's chat template does not parse: {error}") from error

    def harmless(self, text: str) -> str:
        """``text`` with every control token in it broken after its first character."""
        if self._control is None:
            return text
        return self._control.sub(lambda m: m[0][0] + BREAK + m[0][1:], text)

    def render(self, messages: Sequence[Message]) -> str:
        """The prompt up to where the assistant's next message begins."""
        turns = [
            {"role": _ROLES.get(m.role, m.role), "content": self.harmless(m.content)}
            for m in messages
        ]
        template = self._compiled
        from jinja2.exceptions import TemplateError

        try:
            return template.render(
                messages=turns,
                add_generation_prompt=True,
                bos_token=self._begin,
                eos_token=self._end,
                tools=None,
                raise_exception=_refuse,
            )
        except TemplateError as error:
            raise ModelError(f"The model's chat template failed: {error}") from error


def _refuse(reason: str) -> str:
    """What templates call when roles do not alternate as they like."""
    raise ModelError(f"The model's chat template refuses this conversation: {reason}")


_ROLES = {"tool": "user"}  # few small models know the role; what a tool said is read as data
