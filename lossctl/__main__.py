"""The process of `lossctl`, which starts and ends quickly, around the command line."""

from __future__ import annotations

import gc
import os
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line, and end the process with its exit status."""
    status = start()
    sys.stdout.flush()
    sys.stderr.flush()
    if "lossctl.losses.plugins" in sys.modules:  # others' code may have left something to the end
        sys.exit(status)
    # All is written and closed. To take the interpreter and its libraries apart, object by
    # object, takes longer than to evaluate a million rows.
    os._exit(status)


def start() -> int:
    """Run the command line.

    Returns:
        The exit status.
    """
    # Imports allocate tens of thousands of objects, and blocks few: seldom look for garbage.
    gc.set_threshold(100_000, 20, 100)
    from lossctl.cli import run

    return run()


if __name__ == "__main__":
    sys.exit(start())  # the usual end, at which profilers and debuggers have their say
