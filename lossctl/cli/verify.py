"""`lossctl verify`."""

from __future__ import annotations

import os
import sys

import click

from lossctl.cli import options
from lossctl.cli.console import DONE, GATE_FAILED, NOT_EVALUATED, harmless, show, style
from lossctl.cli.references import once


@click.command(
    "verify",
    epilog="""\b
Examples:
  lossctl eval pred.npy target.npy -l mse --json > report.json
  lossctl verify report.json
  lossctl verify run/report.json --root run
\b
Exit status: 0 every number holds, 1 one does not, 2 one could not be evaluated.""",
)
@click.argument("reports", metavar="REPORT.json...", nargs=-1, required=True)
@once("--root", metavar="DIR", help="Where the report's relative paths start. [default: here]")
@click.option(
    "--plugin", "plugins", metavar="FILE.py", multiple=True,
    help="A Python file that registers the losses that the report names. Repeatable.",
)  # fmt: skip
@options.threads
@options.progress
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
def command(
    reports: tuple[str, ...],
    root: str | None,
    plugins: tuple[str, ...],
    threads: int | None,
    progress: bool | None,
    as_json: bool,
) -> int:
    """Evaluate again what a saved report says.

    REPORT.json was written by `lossctl eval --json` or `--report json=FILE`. Its numbers hold if
    the data, the parameters and every figure are the same: to the last bit under the version
    of lossctl that wrote it, to 1e-12 under another. If not, it is said what differs. One that
    cannot be evaluated does not stop the others.
    """
    options.prepare(plugins)
    from lossctl.cli.progress import Bar
    from lossctl.errors import UsageError
    from lossctl.render import verification as texts
    from lossctl.verifying import Failure, verify_all

    if root is not None and not os.path.isdir(root):
        raise UsageError(f"--root {root}: there is no such folder", "name the report's")
    with Bar(progress) as bar:
        found = list(verify_all(reports, root or ".", threads=threads, progress=bar))
    if as_json:
        show(texts.verification_json(found))
    else:
        show("\n".join(texts.verification(item, style()) for item in found))
    failures = [item for item in found if isinstance(item, Failure)]
    for item in failures:
        print(harmless(f"error: {item.error}"), file=sys.stderr)
    return NOT_EVALUATED if failures else DONE if all(i.holds for i in found) else GATE_FAILED
