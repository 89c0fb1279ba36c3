"""The report's section on what was recalled, and whether it helped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape

from .cells import arm_of, coloured, percent, points_of, table
from .credit import Credit, Effect, by_chance, by_kinship, by_record
from .runs import Arm, EpisodeLine
from .statistics import Summary

SHOWN_RECORDS = 10


def section(lines: Sequence[EpisodeLine], summary: Summary) -> str:
    """The section as HTML."""
    parts: list[str] = []
    for arm in (Arm.FROZEN, Arm.ONLINE):
        if arm not in summary.arms:
            continue
        records = by_record(lines, arm)
        kin = [[escape(c.record.text), *_credit_cells(c)] for c in by_kinship(lines, arm)]
        parts.append(f"<h3>{arm_of(arm)}</h3>")
        parts.append(
            table(
                ("the episode saw", "episodes", "success", "same episodes, off", "difference"),
                kin,
                numeric=range(1, 5),
            )
        )
        for kind in sorted({credit.record.kind for credit in records}):
            of_kind = [credit for credit in records if credit.record.kind == kind]
            parts.append(
                f"<p class='note'>The {min(SHOWN_RECORDS, len(of_kind))} most recalled of "
                f"{len(of_kind)} memories of kind {escape(kind)}:</p>"
                + _records(of_kind[:SHOWN_RECORDS])
            )
        parts.append(_effects(by_chance(lines, arm)))
    if not parts:
        return "<p>No arm with a memory was played.</p>"
    return "".join(parts) + (
        "<p class='note'>A difference to the arm without memory says what went together, not what "
        "caused it: a memory is recalled on the tasks that it resembles.</p>"
    )


def _records(records: Sequence[Credit]) -> str:
    rows = [
        [
            escape(c.record.text or c.record.id),
            escape(c.record.task_type.replace("_", " ")),
            escape(c.record.outcome),
            *_credit_cells(c),
        ]
        for c in records
    ]
    head = ("memory", "type", "outcome", "episodes", "success", "off", "difference")
    return table(head, rows, numeric=range(3, 7))


def _credit_cells(credit: Credit) -> list[str]:
    return [
        str(credit.episodes),
        percent(credit.success),
        percent(credit.twins),
        "–" if credit.lift is None else points_of(credit.lift),
    ]


def _effects(effects: Sequence[Effect]) -> str:
    """What showing a memory changed, for those that chance has left out."""
    measured = [one for one in effects if one.credit.contrast.change is not None]
    if not effects:
        return ""
    if not measured:
        why = Counter(one.credit.contrast.missing for one in effects)
        said = "; ".join(f"{count} {reason}" for reason, count in sorted(why.items()))
        return (
            f"<p class='note'>What showing a memory changed, of {len(effects)} that were drawn: "
            f"{escape(said)}.</p>"
        )
    rows = [_effect_cells(one) for one in measured[:SHOWN_RECORDS]]
    head = ("memory", "type", "outcome", "offered", "shown", "left out",
            "reward with it", "reward without", "effect of showing it")  # fmt: skip
    return (
        f"<p class='note'>What showing a memory changed: the {len(rows)} that most episodes tell "
        f"of, among {len(measured)} that were drawn and then left out by chance"
        f"{_unmeasured(len(effects) - len(measured))}.</p>"
        + table(head, rows, numeric=range(3, 9))
        + "<p class='note'>Offered, shown and left out count recalls; rewards are means over "
        "episodes whose recall drew the memory, and chance alone decided whether it was shown, so "
        "the difference is its effect. 95 % intervals: Agresti and Caffo's where rewards are 0 or "
        "1, else Welch's. Of twenty memories that change nothing, one interval leaves out 0.</p>"
    )


def _unmeasured(count: int) -> str:
    return f"; {count} others were never left out, or never shown" if count else ""


def _effect_cells(effect: Effect) -> list[str]:
    record, credit = effect.record, effect.credit
    found = credit.contrast
    assert found.change is not None
    sure = found.ci is not None and (found.ci[0] > 0 or found.ci[1] < 0)
    ci = f"[{found.ci[0]:+.2f}, {found.ci[1]:+.2f}]" if found.ci else escape(found.missing)
    return [
        escape(record.text or record.id),
        escape(record.task_type.replace("_", " ")),
        escape(record.outcome),
        str(credit.recalled),
        str(credit.chosen),
        str(credit.dropped),
        f"{found.reward_shown:.2f} <span class='ci'>n = {found.shown}</span>",
        f"{found.reward_left_out:.2f} <span class='ci'>n = {found.left_out}</span>",
        f"{coloured(found.change, f'{found.change:+.2f}', sure=sure)} <span class='ci'>{ci}</span>",
    ]
