"""JSON schemas as grammars: what a model may write satisfies the schema."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from reverie.agent.models import Message
from reverie.agent.models.json_grammar import schema_to_gbnf
from reverie.agent.models.llama_session import LlamaSession
from reverie.agent.models.local import LocalModel
from reverie.errors import SettingsError


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Node(BaseModel):
    name: str = Field(min_length=1, max_length=4)
    children: list[Node] = []


class Everything(BaseModel):
    text: str
    count: int
    ratio: float
    flag: bool
    colour: Colour
    kind: Literal["a", 'quote " and \\ slash']
    maybe: str | None
    pair: tuple[int, str]
    some: list[int] = Field(min_length=1, max_length=2)
    table: dict[str, float] = {}
    tree: Node | None = None


def accepts(session: LlamaSession, schema: dict[str, Any], text: str) -> bool:
    """Whether the grammar takes ``text``, token by token, and may end after it."""
    grammar = session.grammar(schema_to_gbnf(schema))
    for token in session.tokenize(text):
        if not grammar.allows(token):
            return False
        grammar.accept(token)
    return grammar.allows(session.end_token())


@pytest.fixture
def session(local: LocalModel) -> LlamaSession:
    return local._session  # pyright: ignore[reportPrivateUsage]


GOOD = Everything(
    text='é \n " \\ 🙂',
    count=-12,
    ratio=1e-7,
    flag=True,
    colour=Colour.BLUE,
    kind='quote " and \\ slash',
    maybe=None,
    pair=(1, "x"),
    some=[1, 2],
    table={"a": 0.5, "b": 2},
    tree=Node(name="r", children=[Node(name="l"), Node(name="m", children=[Node(name="n")])]),
)


def test_it_takes_what_satisfies_the_schema(session: LlamaSession) -> None:
    schema = Everything.model_json_schema()
    assert accepts(session, schema, GOOD.model_dump_json())
    assert accepts(session, schema, GOOD.model_dump_json(exclude={"table", "tree"}))
    assert accepts(session, schema, json.dumps(GOOD.model_dump(mode="json")))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("text", 1),
        ("count", 1.5),
        ("count", "1"),
        ("flag", "true"),
        ("colour", "green"),
        ("kind", "b"),
        ("pair", [1]),
        ("some", []),
        ("some", [1, 2, 3]),
        ("table", {"a": "b"}),
        ("tree", {"name": "too long"}),
        ("tree", {"children": []}),
    ],
)
def test_it_takes_nothing_else(session: LlamaSession, key: str, value: object) -> None:
    bad = {**GOOD.model_dump(mode="json"), key: value}
    assert not accepts(session, Everything.model_json_schema(), json.dumps(bad))


def test_a_required_key_cannot_be_left_out(session: LlamaSession) -> None:
    bad = GOOD.model_dump(mode="json", exclude={"count"})
    assert not accepts(session, Everything.model_json_schema(), json.dumps(bad))


def test_any_subset_of_optional_keys_may_be_given(session: LlamaSession) -> None:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {k: {"type": "integer"} for k in "abc"},
    }
    for keys in ("", "a", "b", "c", "ab", "ac", "bc", "abc"):
        assert accepts(session, schema, json.dumps(dict.fromkeys(keys, 1)))
    assert not accepts(session, schema, '{,"a": 1}')


def test_a_recursive_model_at_the_root_is_read(session: LlamaSession) -> None:
    tree = Node(name="r", children=[Node(name="l")])
    assert accepts(session, Node.model_json_schema(), tree.model_dump_json())


def test_definitions_of_a_part_are_the_parts_own(session: LlamaSession) -> None:
    part: dict[str, Any] = {"$defs": {"X": {"const": 1}}, "$ref": "#/$defs/X"}
    other: dict[str, Any] = {"$defs": {"X": {"const": 2}}, "$ref": "#/$defs/X"}
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {"a": part, "b": other},
        "required": ["a", "b"],
    }
    assert accepts(session, schema, '{"a": 1, "b": 2}')
    assert not accepts(session, schema, '{"a": 1, "b": 1}')


@pytest.mark.parametrize("schema", [{}, {"type": "object"}, {"type": ["object", "null"]}])
def test_a_loose_schema_takes_any_such_value(session: LlamaSession, schema: dict[str, Any]) -> None:
    assert accepts(session, schema, '{"a": [1, {"b": null}], "c": "d"}')


@pytest.mark.parametrize(
    "schema",
    [{"type": "date"}, {"$ref": "#/$defs/Nobody"}, {"properties": {"a": False}}],
)
def test_a_schema_without_meaning_is_an_error(schema: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        schema_to_gbnf(schema)


def test_a_model_fills_a_nested_schema(local: LocalModel) -> None:
    said = local.chat(
        [Message(role="user", content="A family tree of two.")],
        schema={"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 2, "maxItems": 3},
        max_tokens=30,
    )
    assert 2 <= len(json.loads(said.text)) <= 3
