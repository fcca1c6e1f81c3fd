"""The process of `lossctl`, which starts and ends quickly, around the command line."""

from __future__ import annotations

import gc
import os
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line, and end the process with its exit status."""
    # imports allocate tens of thousands of objects and no garbage: do not look for any in them
    gc.set_threshold(100_000, 20, 100)
    from lossctl.cli import run

    status = run()
    sys.stdout.flush()
    sys.stderr.flush()
    # All is written and closed. To take the interpreter and its libraries apart, object by
    # object, takes longer than to evaluate a million rows.
    os._exit(status)


if __name__ == "__main__":
    main()
