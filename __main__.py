"""Run the command line: ``python -m reverie``."""

from __future__ import annotations

import sys

from .cli import call


def main() -> None:
    """The ``reverie`` command."""
    sys.exit(call(sys.argv[1:]))


if __name__ == "__main__":
    main()
