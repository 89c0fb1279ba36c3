"""Whether a memory knows what it does not know: verdicts against what can be answered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..memory.evidence import Verdict
from ..memory.records import Frozen


class Abstention(Frozen):
    """Verdicts over ``answerable`` and ``unanswerable`` questions.

    ``auroc`` is the chance that an answerable one is given more confidence than one that is not;
    ``accuracy`` how often ``found`` is right at the built-in threshold, ``balanced`` its mean over
    the two kinds. The shares are of each kind that was said to be told of another speaker.
    """

    answerable: int
    unanswerable: int
    auroc: float
    accuracy: float
    balanced: float
    other_speaker_answerable: float
    other_speaker_unanswerable: float
    nothing_answerable: float
    nothing_unanswerable: float


def abstention(verdicts: Sequence[Verdict], answerable: Sequence[bool]) -> Abstention | None:
    """What the verdicts are worth; None unless there are questions of both kinds."""
    yes = [v for v, can in zip(verdicts, answerable, strict=True) if can]
    no = [v for v, can in zip(verdicts, answerable, strict=True) if not can]
    if not yes or not no:
        return None
    right_yes, right_no = sum(v.found for v in yes), sum(not v.found for v in no)
    return Abstention(
        answerable=len(yes),
        unanswerable=len(no),
        auroc=auroc([v.confidence for v in verdicts], answerable),
        accuracy=(right_yes + right_no) / (len(yes) + len(no)),
        balanced=(right_yes / len(yes) + right_no / len(no)) / 2,
        other_speaker_answerable=_share(yes, "other speaker"),
        other_speaker_unanswerable=_share(no, "other speaker"),
        nothing_answerable=_share(yes, "nothing"),
        nothing_unanswerable=_share(no, "nothing"),
    )


def auroc(scores: Sequence[float], positive: Sequence[bool]) -> float:
    """The chance that a positive scores above a negative; ties count half (Mann and Whitney)."""
    values, is_positive = np.asarray(scores, np.float64), np.asarray(positive, np.bool_)
    ordered, place = np.unique(values, return_inverse=True)
    counts = np.bincount(place, minlength=len(ordered))
    middle = np.cumsum(counts) - (counts - 1) / 2  # the mean rank of each value
    positives = int(is_positive.sum())
    negatives = len(values) - positives
    total = float(middle[place][is_positive].sum()) - positives * (positives + 1) / 2
    return total / (positives * negatives)


def _share(verdicts: Sequence[Verdict], reason: str) -> float:
    return sum(v.reason == reason for v in verdicts) / len(verdicts)
