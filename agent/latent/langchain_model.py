"""A woven model for LangChain: a chat model that takes part in any chain or graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import ConfigDict

from ...errors import ModelError
from ..models.base import ChatModel, Message

_ROLES = {"system": "system", "human": "user", "ai": "assistant", "tool": "tool"}


def latent(text: str) -> dict[str, Any]:
    """A message for LangChain that is not read but woven: memory for the weaver."""
    return {"role": "user", "content": text, "additional_kwargs": {"latent": True}}


class WovenChatModel(BaseChatModel):
    """`WovenModel`, or any other model of ours, as LangChain calls chat models.

    A message with ``additional_kwargs={"latent": True}`` is memory for the weaver; a model without
    one reads it as text.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    model: ChatModel
    max_tokens: int = 256
    temperature: float = 0.0
    seed: int | None = None

    @classmethod
    def open(cls, folder: str | Path, **options: Any) -> WovenChatModel:
        """The weaver of a checkpoint on the backbone that it names."""
        from .woven_model import WovenModel

        return cls(model=WovenModel.open(folder), **options)

    @property
    def _llm_type(self) -> str:
        return "reverie-woven"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self.model.id, "temperature": self.temperature, "seed": self.seed}

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        reply = self.model.chat(
            [_ours(message) for message in messages],
            max_tokens=kwargs.get("max_tokens", self.max_tokens),
            temperature=kwargs.get("temperature", self.temperature),
            seed=kwargs.get("seed", self.seed),
            stop=stop or (),
        )
        usage = reply.usage
        message = AIMessage(
            reply.text,
            usage_metadata={
                "input_tokens": usage.prompt_tokens,
                "output_tokens": usage.completion_tokens,
                "total_tokens": usage.tokens,
            },
            response_metadata={"finish_reason": reply.finish, "model_name": self.model.id},
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        pieces = self.model.stream(
            [_ours(message) for message in messages],
            max_tokens=kwargs.get("max_tokens", self.max_tokens),
            temperature=kwargs.get("temperature", self.temperature),
            seed=kwargs.get("seed", self.seed),
            stop=stop or (),
        )
        for piece in pieces:
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=piece))
            if run_manager is not None:
                run_manager.on_llm_new_token(piece, chunk=chunk)
            yield chunk


def _ours(message: BaseMessage) -> Message:
    role = _ROLES.get(message.type)
    if role is None:
        raise ModelError(
            f"A {message.type} message has no place in a conversation with this model."
        )
    content: Any = message.content
    if not isinstance(content, str):
        blocks: Sequence[Any] = content
        content = "".join(_text(block) for block in blocks)
    return Message.model_validate(
        {
            "role": role,
            "content": content,
            "tool_call_id": getattr(message, "tool_call_id", None),
            "latent": bool(message.additional_kwargs.get("latent")),
        }
    )


def _text(block: Any) -> str:
    if isinstance(block, str):
        return block
    if block.get("type") == "text":
        return str(block["text"])
    raise ModelError("This model reads text only; leave images and other media out.")
