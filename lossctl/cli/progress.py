"""A progress bar on standard error, for work that takes long enough to wonder."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

PATIENCE = 0.7
"""Seconds before a bar appears, unless it was asked for."""


class Bar:
    """Shows the rows done; imports nothing until there is something to show."""

    def __init__(self, shown: bool | None) -> None:
        self._on = sys.stderr.isatty() if shown is None else shown
        self._patience = 0.0 if shown else PATIENCE
        self._since = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def __call__(self, done: int, total: int | None) -> None:
        """Take note of the rows done."""
        if not self._on:
            return
        if self._bar is None:
            if time.monotonic() - self._since < self._patience:
                return
            self._start(total)
        self._bar.update(self._task, completed=done, total=total)

    def _start(self, total: int | None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("evaluating"),
            BarColumn(),
            TextColumn("{task.completed:,} rows"),
            TimeRemainingColumn(),
            console=console,
            transient=console.is_terminal,  # a file keeps what was reached
        )
        self._task = self._bar.add_task("rows", total=total)
        self._bar.start()

    def __enter__(self) -> Bar:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
