"""Reports to files, and the page of a GitHub job: options that several commands take."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from lossctl.cli.references import once
from lossctl.errors import UsageError

if TYPE_CHECKING:
    from lossctl.render.outcome import Found

Command = TypeVar("Command", bound=Callable[..., Any])
Write = Callable[[Callable[[str], str]], None]

CI_FORMATS = ("junit", "github", "openmetrics", "metrics")
"""Beside the formats that people read; the same as `lossctl.render.CI`."""


def report_options(command: Command) -> Command:
    """Add `--report FORMAT=FILE` and `--metrics FILE` to a command: `reports` and `metrics`."""
    for option in (
        once("--metrics", metavar="FILE", help="The same as --report metrics=FILE."),
        click.option(
            "--report", "reports", metavar="FORMAT=FILE", multiple=True,
            help="Write the report to a file too, in any format. Repeatable.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


class File(NamedTuple):
    """A report that goes to a file."""

    flag: str  # that asked for it
    format: str
    path: str


class Files(NamedTuple):
    """The reports that go to files."""

    files: tuple[File, ...]

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats that are asked for."""
        return tuple(item.format for item in self.files)

    def check(self, sources: Iterable[str], output: str | None = None) -> None:
        """Refuse what cannot be written, before anything is read.

        Args:
            sources: The paths of what is read.
            output: Another file that is written, by `--output`.

        Raises:
            UsageError: A file that is an input, that is named twice, or without a folder.
        """
        from lossctl.output import place

        sources = list(sources)
        taken = {os.path.realpath(output): "--output"} if output else {}
        for item in self.files:
            place(item.flag, item.path, sources)
            real = os.path.realpath(item.path)
            if real in taken:
                raise UsageError(
                    f"{item.flag} {item.path}: {taken[real]} writes this file already",
                    "name another",
                )
            taken[real] = item.flag

    @contextmanager
    def opened(self) -> Iterator[Write]:
        """What writes the reports, given what renders a format. All appear at the end, or none.

        Raises:
            DataError: A file cannot be written.
        """
        from lossctl.output.aside import Aside

        with Aside() as files:

            def write(render: Callable[[str], str]) -> None:
                for item in self.files:
                    files.write(item.path, render(item.format) + "\n")

            yield write
            files.commit()


def requested(reports: Sequence[str], metrics: str | None, formats: Iterable[str]) -> Files:
    """The files that `--report` and `--metrics` ask for.

    Args:
        reports: As typed: `FORMAT=FILE`.
        metrics: A file for the format `metrics`.
        formats: Those that the command has.

    Raises:
        UsageError: A format that there is not, or no file.
    """
    from lossctl.render import known

    files = []
    for item in reports:
        format, sign, path = item.partition("=")
        if not sign or path in ("", "-"):
            raise UsageError(
                f"--report {item}: not FORMAT=FILE", "for example: --report junit=gates.xml"
            )
        files.append(File("--report", known(format.strip().lower(), formats), path))
    if metrics is not None:
        if metrics in ("", "-"):
            raise UsageError(
                f"--metrics {metrics}: not a file", "for example: --metrics metrics.json"
            )
        files.append(File("--metrics", "metrics", metrics))
    return Files(tuple(files))


def summarise(found: Found, formats: Iterable[str], precision: int | None = None) -> None:
    """Append to the page of the GitHub job that runs this, if its format is among those asked.

    The page is the environment's wish, not the user's: where it cannot be written, that is
    said, and the outcome stands.
    """
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path or "github" not in formats:
        return
    from lossctl.render.github import summary
    from lossctl.render.options import Style

    text = summary(found, Style(precision=precision))
    try:
        with open(path, "a", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(text + "\n\n")
    except OSError as error:
        print(f"note: GITHUB_STEP_SUMMARY cannot be written: {error.strerror}", file=sys.stderr)
