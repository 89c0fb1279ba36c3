"""People: under which names somebody is spoken of, so far as it can only be them."""

from __future__ import annotations

from collections.abc import Sequence

USER = "user"


def one_person(name: str, known: Sequence[str]) -> list[str]:
    """The names of whoever ``name`` means, the fullest first.

    "Kofi" and "brother" both mean "brother Kofi", unless there is another Kofi or brother.
    """
    if name == USER:
        return [name]
    full = [one for one in known if _narrows(name, one)]
    if len(full) == 1:
        name = full[0]
    shorter = [one for one in known if _narrows(one, name) and _only(one, name, known)]
    return list(dict.fromkeys([name, *shorter]))


def alike(one: str, other: str) -> bool:
    """True if two names share a word, and so may mean the same person."""
    return USER not in (one, other) and not _words(one).isdisjoint(_words(other))


def _only(short: str, full: str, known: Sequence[str]) -> bool:
    """True if a short name can mean nobody else."""
    return [one for one in known if _narrows(short, one)] in ([full], [])


def _narrows(short: str, full: str) -> bool:
    """True if ``full`` says more about whoever ``short`` names."""
    return full != USER and short != USER and _words(short) < _words(full)


def _words(name: str) -> set[str]:
    return set(name.casefold().split())
