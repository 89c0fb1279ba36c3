"""What a dream did, in words for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .dream_concepts import Consolidated

SHOWN_PAIRS = 10
"""Pairs left apart that are shown; ``--json`` has all."""

Told = Mapping[str, object]
"""What became of the weaver, as ``--json`` has it."""


def of_concepts(found: Consolidated, *, dry_run: bool) -> list[str]:
    """A line for each concept that was archived or united, or would be."""
    archived, united = ("Would archive", "Would unite") if dry_run else ("Archived", "United")
    lines = [
        f"{archived} {one.concept.title!r}: it did harm (lift {one.lift:+.2f} in {one.pairs}"
        f" matched puzzles)  {one.concept.id}"
        for one in found.archived
    ]
    lines += [
        f"{united} {one.other.title!r} into {one.keep.title!r}: {one.why}  {one.keep.id}"
        for one in found.united
    ]
    if found.expired:
        lines.append(f"{'Would drop' if dry_run else 'Dropped'} {found.expired} expired cues")
    lines += [
        f"Left apart {one.keep.title!r} and {one.other.title!r} ({one.score:.2f} alike): {one.why}"
        for one in found.apart[:SHOWN_PAIRS]
    ]
    if len(found.apart) > SHOWN_PAIRS:
        lines.append(f"... and {len(found.apart) - SHOWN_PAIRS} more pairs: --json lists them")
    if not (found.archived or found.united or found.expired):
        lines.append(f"Nothing to do for {found.concepts} concepts")
    return lines


def of_weaver(told: Told) -> list[str]:
    """A line on what the weaver learnt, or why it did not."""
    cases, folder = told["cases"], told["folder"]
    if told["state"] == "waiting":
        why = f"{cases} new successes, of at least {told['least']}"
        todo = "Live more, or give a smaller --least."
        if "context_tokens" in told:
            held = f"its model's context of {told['context_tokens']} tokens"
            why = f"none of {cases} new successes fits {held}"
            todo = "One of a model that reads more can learn them: another --weaver and --backbone."
        return [f"The weaver waits: {why}. {todo}"]
    which = f"dream {told['dream']}, on {cases} new successes in {told['steps']} steps"
    if told["state"] == "due":
        return [
            f"The weaver would {'go on with' if told['goes_on'] else 'begin'} {which}: {folder}"
        ]
    loss = told["last_loss"]
    ended = "" if loss is None else f", loss {loss:.3f} nats a token"
    return [f"The weaver has had {which} ({told['examples']} actions{ended}): {folder}"]
