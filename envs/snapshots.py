"""Copies of a memory's folder, made while it is open; a copy appears whole or not at all."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

JOURNAL = "journal.db"


def copy_store(source: Path, target: Path) -> None:
    """Make ``target`` a copy of the memory in ``source``, in place of what was there.

    The journal alone is copied: the index is made from it again. A crash leaves the old, none, or
    the whole new one.
    """
    fresh = target.with_name(target.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    with (
        closing(sqlite3.connect(source / JOURNAL)) as old,
        closing(sqlite3.connect(fresh / JOURNAL)) as new,
    ):
        old.backup(new)
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)
