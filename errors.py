"""Every error Reverie raises on purpose, as one tree.

    ReverieError
    ├── MissingExtra            an optional dependency is absent; names the command that installs it
    ├── SettingsError           a setting or option has no meaning
    ├── MemoryFault             the store could not do what was asked, and changed nothing
    │   ├── ScopeError          a query or a write without the scope it needs, or across scopes
    │   ├── InvalidRecord       a record that cannot be stored, with its position in the batch
    │   ├── RecordNotFound      no such id in this scope
    │   ├── DuplicateRecord     the id exists with other content
    │   ├── StoreLocked         another process owns the store's index; names it
    │   ├── StoreCorrupt        the journal or the index is damaged; names the command that mends it
    │   ├── StoreFull           the disk is full; the write was rolled back
    │   └── EmbedderMismatch    the store was written with another embedder; names the migration
    ├── PolicyFault             a policy file that cannot be used
    ├── WeaverFault             a latent weaver's checkpoint that cannot be used, or not here
    ├── ModelError              a language model call failed for good
    │   ├── ModelUnavailable    no such model, no key, or no connection
    │   ├── ContextOverflow     the prompt does not fit the model's context
    │   └── MalformedReply      the reply did not parse, nor did its repair
    ├── ToolFault               a tool was given what it cannot work with
    │   ├── BadGrid             cells that are no coloured grid
    │   ├── Inapplicable        a grid routine means nothing for these values
    │   └── NoSandbox           nothing here can contain foreign code; names what would
    ├── BudgetExceeded          a limit on steps, tokens, cost or seconds was reached
    └── EnvironmentFault        an environment could not be built or stepped
        └── DataMissing         a benchmark's data is not where it should be; says how to get it

Messages say what happened, to what, and the next step.
"""

from __future__ import annotations


class ReverieError(Exception):
    """Root of the tree; catch it to catch everything Reverie raises on purpose."""


class MissingExtra(ReverieError):
    """An optional dependency is absent.

    ``command`` installs it; left out, it is the installation of Reverie's ``extra``.
    """

    def __init__(self, package: str, extra: str, *, command: str | None = None) -> None:
        command = command or f"pip install 'reverie[{extra}]'"
        super().__init__(f"{package} is not installed. Install it with: {command}")
        self.command = command
        self.package = package
        self.extra = extra


class SettingsError(ReverieError):
    """A setting or option has no meaning."""


class MemoryFault(ReverieError):
    """The store could not do what was asked, and changed nothing."""


class ScopeError(MemoryFault):
    """A query or write lacks the scope it needs, or reaches into another scope."""


class InvalidRecord(MemoryFault):
    """A record that cannot be stored.

    ``position`` is its place in the batch, counted from 0.
    """

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.position = position


class RecordNotFound(MemoryFault):
    """No record with this id in this scope."""


class DuplicateRecord(MemoryFault):
    """The id is taken by a record with other content."""


class StoreLocked(MemoryFault):
    """Another process owns the index of this store."""


class StoreCorrupt(MemoryFault):
    """The journal or the index is damaged."""


class StoreFull(MemoryFault):
    """The disk is full; the write was rolled back."""


class EmbedderMismatch(MemoryFault):
    """The store was written with another embedder."""


class PolicyFault(ReverieError):
    """A policy file that cannot be used."""


class WeaverFault(ReverieError):
    """A latent weaver's checkpoint cannot be used, or belongs to another backbone."""


class ModelError(ReverieError):
    """A language model call failed for good."""


class ModelUnavailable(ModelError):
    """No such model, no key, or no connection."""


class ContextOverflow(ModelError):
    """The prompt does not fit the model's context."""


class MalformedReply(ModelError):
    """A reply did not parse by its schema, nor did its one repair. ``reply`` is the last text."""

    def __init__(self, message: str, reply: str = "") -> None:
        super().__init__(message)
        self.reply = reply


class ToolFault(ReverieError):
    """A tool was given what it cannot work with."""


class BadGrid(ToolFault):
    """Cells that are no coloured grid."""


class Inapplicable(ToolFault):
    """A grid routine means nothing for these values; a search goes on to the next program."""


class NoSandbox(ToolFault):
    """Nothing on this machine can contain foreign code."""


class BudgetExceeded(ReverieError):
    """A limit was reached. ``limit`` names it: steps, tokens, usd or seconds."""

    def __init__(self, message: str, limit: str) -> None:
        super().__init__(message)
        self.limit = limit


class EnvironmentFault(ReverieError):
    """An environment could not be built or stepped."""


class DataMissing(EnvironmentFault):
    """A benchmark's data is not where it should be."""
