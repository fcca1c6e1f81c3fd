"""`lossctl gate`."""

from __future__ import annotations

from typing import Any

import click

from lossctl.cli import options
from lossctl.cli.console import DONE, judged, show, style
from lossctl.cli.references import named, once
from lossctl.cli.reports import CI_FORMATS, report_options, requested, summarise
from lossctl.errors import UsageError
from lossctl.render.options import Style

FORMATS = ("table", "json", "markdown", *CI_FORMATS)


@click.command(
    "gate",
    epilog="""\b
Examples:
  lossctl gate                               the gates of lossctl.toml
  lossctl gate ci/gates.toml -f markdown
  lossctl gate --init pred.csv target.csv -l rmse -l mae
  lossctl gate --update                      accept the predictions as the new baselines
\b
Exit status: 0 all gates passed, 1 a gate failed, 2 one could not be evaluated; of --update 0
where the new baselines are in place, whatever the gates say.""",
)
@click.argument("files", metavar="[CONFIG]", nargs=-1)
@click.option("--init", is_flag=True, help="Write lossctl.toml from PREDICTION [TARGET].")
@click.option(
    "--update", is_flag=True,
    help="Rewrite saved reports and copy predictions to the baselines' places; say which gates "
    "fail then.",
)  # fmt: skip
@click.option(
    "-l", "--loss", "losses", metavar="SPEC", multiple=True, help="For --init: a gate each."
)
@once("--prediction", metavar="COLS", help="For --init: the prediction's columns.")
@once("--target", metavar="COLS", help="For --init: the target's columns.")
@once("--on", metavar="KEY", help="For --init: join the tables by this column.")
@once("-o", "--output", metavar="FILE", help="For --init: the file.  [default: lossctl.toml]")
@click.option("--force", is_flag=True, help="For --init: write over a file that is there.")
@click.option(
    "-f", "--format", "format_", type=click.Choice(FORMATS), default=None,
    help="How the verdict is printed. [default: table]",
)  # fmt: skip
@report_options
@options.as_json
@click.option("-q", "--quiet", is_flag=True, help="Only what has not passed.")
@click.option(
    "--precision", type=click.IntRange(1, 17), metavar="DIGITS",
    help="Significant digits in JSON. [default: all]",
)  # fmt: skip
@options.threads
@options.progress
def command(
    files: tuple[str, ...],
    init: bool,
    update: bool,
    losses: tuple[str, ...],
    prediction: str | None,
    target: str | None,
    on: str | None,
    output: str | None,
    force: bool,
    format_: str | None,
    as_json: bool,
    quiet: bool,
    reports: tuple[str, ...],
    metrics: str | None,
    precision: int | None,
    threads: int | None,
    progress: bool | None,
) -> int:
    """Evaluate the gates of a file: what must hold of saved predictions.

    CONFIG is a file of gates, a pyproject.toml with [tool.lossctl], or the folder of one;
    without it that of the current folder.
    """
    options.prepare(())
    layout = options.layout(format_, as_json, quiet)
    only_init = {
        "--loss": losses, "--prediction": prediction, "--target": target, "--on": on,
        "--output": output, "--force": force,
    }  # fmt: skip
    if init and update:
        raise UsageError("--init and --update are two things to do", "choose one")
    only_verdict = {
        "--format": format_, "--json": as_json, "--report": reports, "--metrics": metrics,
        "--precision": precision,
    }  # fmt: skip
    for flag, given in only_verdict.items():
        if given and (init or update):
            doing = "--init" if init else "--update"
            raise UsageError(f"{flag} is for a verdict, and {doing} has none", f"leave out {flag}")
    if init:
        return _init(files, only_init, threads, progress, layout)
    for flag, given in only_init.items():
        if given:
            raise UsageError(f"{flag} is for --init", "gates say it in their file")
    if len(files) > 1:
        raise UsageError(f"{files[1]}: one file of gates is evaluated", "or say --init")
    from lossctl.cli.progress import Bar
    from lossctl.gates import config as configs

    written = requested(reports, metrics, FORMATS)
    config = configs.read(files[0] if files else None)
    references = [one for gate in config.gates for _, one in gate.options.inputs]
    references += [gate.baseline for gate in config.gates if gate.baseline]
    written.check([config.path, *(one.path for one in references if one.path)])
    if update:
        from lossctl.gates.accept import update as accept

        with Bar(progress) as bar:
            _say(accept(config, threads=threads, progress=bar), layout)
        return DONE
    from lossctl.gates.runner import run
    from lossctl.render.verdict import render

    with written.opened() as write:
        with Bar(progress) as bar:
            verdict = run(config, threads=threads, progress=bar)
        write(lambda format: render(verdict, format, Style(precision)))
    if layout != "quiet":
        show(render(verdict, layout, style(precision)))
    summarise(verdict, (layout, *written.formats), precision)
    return judged(verdict.gates)


def _init(
    files: tuple[str, ...],
    given: dict[str, Any],
    threads: int | None,
    progress: bool | None,
    layout: str,
) -> int:
    if not files or len(files) > 2:
        raise UsageError("--init makes gates of one pair of files", "--init PREDICTION [TARGET]")
    if not given["--loss"]:
        raise UsageError("--init needs a loss", "for example: -l mse; see: lossctl suggest")
    from lossctl.cli.progress import Bar
    from lossctl.gates.start import init

    inputs = named(
        files[0], files[1] if len(files) > 1 else None, given["--prediction"], given["--target"]
    )
    with Bar(progress) as bar:
        done = init(
            given["--output"] or "lossctl.toml",
            given["--loss"],
            inputs,
            force=given["--force"],
            on=given["--on"],
            threads=threads,
            progress=bar,
        )
    _say(done, layout)
    return DONE


def _say(done: list[str], layout: str) -> None:
    if layout != "quiet":
        show("\n".join(done))
