"""What concepts say, by key, kept in step with what changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from .records import ConceptPayload

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True)
class Index(Generic[K, V]):
    """For each key the concepts that say something under it, by id, and what they say.

    Never changed: `after` makes a new one that shares all that stayed the same. It holds what
    `of` would have built anew; the order within it may differ, and nothing may depend on that.
    """

    says: Callable[[ConceptPayload], Mapping[K, V]]
    rows: Mapping[K, Mapping[str, V]]

    @classmethod
    def of(
        cls, says: Callable[[ConceptPayload], Mapping[K, V]], payloads: Mapping[str, ConceptPayload]
    ) -> Index[K, V]:
        """The index of all these concepts."""
        rows: dict[K, dict[str, V]] = {}
        for name, payload in payloads.items():
            for key, value in says(payload).items():
                rows.setdefault(key, {})[name] = value
        return cls(says, rows)

    def after(
        self, before: Mapping[str, ConceptPayload], now: Mapping[str, ConceptPayload]
    ) -> Index[K, V]:
        """The index once the concepts ``before`` are gone and those of ``now`` have come.

        A concept that changed stands in both.
        """
        fresh: dict[K, dict[str, V]] = {}
        for name in {**before, **now}:
            said: Mapping[K, V] = self.says(before[name]) if name in before else {}
            says: Mapping[K, V] = self.says(now[name]) if name in now else {}
            for key in {**said, **says}:
                if key in said and key in says and said[key] == says[key]:
                    continue
                row = fresh.get(key)
                if row is None:
                    row = fresh[key] = {**self.rows.get(key, {})}
                if key in says:
                    row[name] = says[key]
                else:
                    del row[name]
        if not fresh:
            return self
        rows = {**self.rows, **fresh}
        for key, row in fresh.items():
            if not row:
                del rows[key]
        return Index(self.says, rows)
