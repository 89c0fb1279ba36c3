"""placeholder"""

from __future__ import annotations

from .runs import RunSpec
from .stage import Stage


def stage_for(spec: RunSpec) -> Stage:
    raise NotImplementedError
