"""A JSON schema as a GBNF grammar, so that a local model can write nothing else.

Covers what pydantic writes for models of plain fields: objects, arrays, strings, numbers, booleans,
null, enumerations, constants, unions, references (also recursive ones) and maps. Bounds of numbers,
patterns and formats are left to the validation that follows. Required keys come first, in the
schema's order, then those optional ones the model cares to give.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeGuard

from pydantic import JsonValue

from ...errors import SettingsError

Schema = Mapping[str, JsonValue]

# A space after a comma or colon is what models write; more would let a small one pad for ever.
_PRIMITIVES = {
    "space": '" "?',
    "char": r'[^"\\\x7F\x00-\x1F] | "\\" (["\\bfnrt/] | "u" [0-9a-fA-F]{4})',
    "string": '"\\"" char* "\\""',
    "integer": '"-"? ("0" | [1-9] [0-9]{0,15})',
    "number": 'integer ("." [0-9]{1,16})? ([eE] [-+]? [0-9]{1,3})?',
    "boolean": '"true" | "false"',
    "null": '"null"',
    "value": "string | number | boolean | null | list | map",
    "list": '"[" (value ("," space value)*)? "]"',
    "map": '"{" (string ":" space value ("," space string ":" space value)*)? "}"',
}


def schema_to_gbnf(schema: Schema) -> str:
    """The grammar of the JSON texts that satisfy ``schema``; its start symbol is ``root``."""
    writer = _Writer(schema)
    writer.rules["root"] = writer.rule(dict(schema), "root")
    return "\n".join(f"{name} ::= {body}" for name, body in writer.rules.items()) + "\n"


class _Writer:
    """Collects the rules; a schema becomes the right-hand side of one."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._named: dict[str, str] = {}
        self.rules: dict[str, str] = {"root": "", **_PRIMITIVES}

    def rule(self, schema: JsonValue, name: str) -> str:
        """The right-hand side for ``schema``; rules it needs get names that begin with ``name``."""
        if schema is True or schema == {}:
            return "value"
        if not isinstance(schema, dict):
            raise SettingsError(f"No JSON satisfies the schema {schema!r}")
        if "$defs" in schema and schema != self._root:
            return self._nested(schema, name)
        if "$ref" in schema:
            return self._reference(str(schema["$ref"]))
        if "const" in schema:
            return _literal(schema["const"])
        options = schema.get("enum")
        if _items(options):
            return " | ".join(_literal(option) for option in options)
        for key in ("anyOf", "oneOf"):
            options = schema.get(key)
            if _items(options):
                return self._union(options, name)
        whole = schema.get("allOf")
        if _items(whole) and len(whole) == 1:
            return self.rule(whole[0], name)
        kind = schema.get("type")
        if _items(kind):
            return self._union([{**schema, "type": k} for k in kind], name)
        return self._typed(schema, kind, name)

    def _nested(self, schema: dict[str, JsonValue], name: str) -> str:
        """A schema with definitions of its own: its references are its own, too."""
        outer = self._root, self._named
        self._root, self._named = schema, {}
        try:
            return self.rule(schema, name)
        finally:
            self._root, self._named = outer

    def _typed(self, schema: Schema, kind: JsonValue, name: str) -> str:
        if kind == "object" or (kind is None and "properties" in schema):
            return self._object(schema, name)
        if kind == "array":
            return self._array(schema, name)
        if kind == "string":
            bounds = _bounds(schema, "minLength", "maxLength")
            return f'"\\"" char{bounds} "\\""' if bounds != "*" else "string"
        if kind in ("integer", "number", "boolean", "null"):
            return str(kind)
        if kind is None:
            return "value"
        raise SettingsError(f"Not a JSON schema type: {kind!r}")

    def _add(self, schema: JsonValue, name: str) -> str:
        """The name of a rule for ``schema``."""
        name = re.sub(r"[^a-zA-Z0-9]+", "-", name).strip("-") or "x"
        while name in self.rules:
            name += "-x"
        self.rules[name] = ""
        body = self.rule(schema, name)
        self.rules[name] = body
        return name

    def _reference(self, path: str) -> str:
        if path in self._named:
            return self._named[path]
        found: JsonValue = dict(self._root)
        for part in path.removeprefix("#").strip("/").split("/") if path != "#" else ():
            if not isinstance(found, dict) or part not in found:
                raise SettingsError(f"The schema has no {path}")
            found = found[part]
        name = "ref-" + re.sub(r"[^a-zA-Z0-9]+", "-", path.rsplit("/", 1)[-1])
        while name in self.rules:
            name += "-x"
        self._named[path] = name
        self.rules[name] = ""
        self.rules[name] = self.rule(found, name)
        return name

    def _union(self, options: Sequence[JsonValue], name: str) -> str:
        return " | ".join(self._add(option, f"{name}-{i}") for i, option in enumerate(options))

    def _object(self, schema: Schema, name: str) -> str:
        fields = schema.get("properties")
        if not isinstance(fields, dict) or not fields:
            return self._map(schema, name)
        needed = schema.get("required")
        required = [k for k in fields if _items(needed) and k in needed]
        pairs = {
            key: f'{_literal(key)} ":" space {self._add(value, f"{name}-{key}")}'
            for key, value in fields.items()
        }
        optional = [pairs[k] for k in fields if k not in required]
        first = ' "," space '.join(pairs[k] for k in required)
        if first:
            rest = "".join(f' ("," space {pair})?' for pair in optional)
            return f'"{{" {first}{rest} "}}"'
        chains = (
            pair + "".join(f' ("," space {later})?' for later in optional[i + 1 :])
            for i, pair in enumerate(optional)
        )
        return f'"{{" ({" | ".join(chains)})? "}}"'

    def _map(self, schema: Schema, name: str) -> str:
        values = schema.get("additionalProperties", True)
        if values is False:
            return '"{}"'
        value = self._add(values, f"{name}-value")
        pair = f'string ":" space {value}'
        return f'"{{" ({pair} ("," space {pair})*)? "}}"'

    def _array(self, schema: Schema, name: str) -> str:
        fixed = schema.get("prefixItems")
        if _items(fixed):
            items = [self._add(item, f"{name}-{i}") for i, item in enumerate(fixed)]
            return '"[" ' + ' "," space '.join(items) + ' "]"'
        item = self._add(schema.get("items", True), f"{name}-item")
        least = _count(schema, "minItems") or 0
        most = _count(schema, "maxItems")
        if most == 0:
            return '"[]"'
        more = f"{{{max(least - 1, 0)},{'' if most is None else most - 1}}}"
        filled = f'{item} ("," space {item}){more}'
        return f'"[" {filled} "]"' if least else f'"[" ({filled})? "]"'


def _items(value: JsonValue) -> TypeGuard[list[JsonValue]]:
    return isinstance(value, list)


def _count(schema: Schema, key: str) -> int | None:
    value = schema.get(key)
    return value if isinstance(value, int) else None


def _bounds(schema: Schema, least: str, most: str) -> str:
    low, high = _count(schema, least) or 0, _count(schema, most)
    if high is None:
        return "*" if not low else f"{{{low},}}"
    return f"{{{low},{high}}}"


def _literal(value: JsonValue) -> str:
    """The JSON text of ``value`` as a quoted terminal."""
    text = json.dumps(value, ensure_ascii=False)
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def union(schemas: Iterable[dict[str, JsonValue]]) -> dict[str, JsonValue]:
    """The schema of what satisfies any of ``schemas``."""
    options: list[JsonValue] = list(schemas)
    return {"anyOf": options}
