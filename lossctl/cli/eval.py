"""`lossctl eval`."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import click

from lossctl.cli import options
from lossctl.cli.console import judged, show, style
from lossctl.cli.references import named, once, with_inputs
from lossctl.cli.reports import CI_FORMATS, report_options, requested, summarise
from lossctl.errors import UsageError

FORMATS = ("table", "json", "jsonl", "csv", "markdown", *CI_FORMATS)


@click.command(
    "eval",
    epilog="""\b
Examples:
  lossctl eval predictions.csv -l mse
  lossctl eval pred.npy target.npy -l mse -l huber:delta=2 --json
  lossctl eval scores.parquet -l bce --prediction prob --target label --by segment
  lossctl eval pred.parquet target.csv --on id -l mae --worst 5
  lossctl eval logits.npy labels.npy -l cross_entropy:from_logits=true -o losses.parquet
  lossctl eval embeddings.npz -l triplet:margin=0.2
  lossctl eval pred.npy target.npy --input variance=var.npy -l gaussian_nll
  cat pred.csv | lossctl eval - --input-format csv -l mae -q
\b
A reference is PATH[::COLUMNS]: a file, a folder or glob of parts, `-` for standard
input; COLUMNS is a comma list that may hold globs (p_*), or an NPZ's array.
Losses are listed by: lossctl losses
\b
A gate is [any|all group(COL[=VALUE]):] FIGURE(LOSS) > NUMBER[%], with >, >=, <, <=, ==
or !=; FIGURE( ) left out is the value, else mean, std, min, max, sum, p5, p25, median,
p75, p95, low, high (the interval's ends), n or nonfinite. It says what must not hold.
5% is 0.05.""",
)
@click.argument("prediction_file", metavar="[PREDICTION]", required=False)
@click.argument("target_file", metavar="[TARGET]", required=False)
@options.loss
@options.convention
@options.prediction
@once("--target", metavar="COLS", help="The target's columns.")
@click.option(
    "--input", "inputs", metavar="NAME=REF", multiple=True,
    help="An input of the loss by its name; REF without a path is a column of PREDICTION.",
)  # fmt: skip
@options.plugin
@options.weight
@options.by
@options.on
@options.unmatched
@options.reduction
@click.option("--per-sample", is_flag=True, help="Every sample's loss in the report.")
@click.option("--worst", type=int, metavar="K", help="The K samples with the largest losses.")
@once(
    "-o", "--output", metavar="FILE",
    help="Every sample's loss to a .csv, .parquet, .npy or .jsonl file.",
)  # fmt: skip
@click.option(
    "-f", "--format", "format_", type=click.Choice(FORMATS), default=None,
    help="How the report is printed. [default: table]",
)  # fmt: skip
@report_options
@options.as_json
@click.option(
    "-q",
    "--quiet",
    is_flag=True,
    help="The values alone, one a line; a line for each group of --by.",
)
@options.precision
@options.nan
@click.option(
    "--confidence", type=float, default=0.95, show_default=True, metavar="LEVEL",
    help="The level of the intervals.",
)  # fmt: skip
@options.bootstrap
@options.seed
@options.interval
@options.cluster
@click.option(
    "--fail-if", metavar="EXPR", multiple=True,
    help="Exit with 1 where this holds: 'mse > 0.25', 'p95(mae) > 3', "
    "'any group(COL): mae > 1.5'. Repeatable.",
)  # fmt: skip
@options.backend
@options.threads
@options.dtype
@options.progress
@options.input_format
@options.delimiter
@options.no_header
def command(
    prediction_file: str | None,
    target_file: str | None,
    losses: tuple[str, ...],
    prediction: str | None,
    target: str | None,
    inputs: tuple[str, ...],
    plugins: tuple[str, ...],
    output: str | None,
    format_: str | None,
    as_json: bool,
    quiet: bool,
    reports: tuple[str, ...],
    metrics: str | None,
    precision: int | None,
    progress: bool | None,
    input_format: str | None,
    delimiter: str | None,
    no_header: bool,
    **others: Any,
) -> int:
    """Evaluate losses of saved predictions.

    PREDICTION and TARGET are files (CSV, Parquet, NPY, NPZ, Arrow, JSON lines); one file
    that holds both columns is enough.
    """
    options.prepare(plugins)
    from lossctl import plan as plans
    from lossctl.render import FORMATS as ALL
    from lossctl.render import Style, check
    from lossctl.sources.table import Format

    layout = options.layout(format_, as_json, quiet)
    others = options.drawn(others)
    files = requested(reports, metrics, ALL)
    layouts = (layout, *files.formats)
    shown = {name: others[name] for name in ("worst", "per_sample", "by")}
    shown["by"] = () if others["fail_if"] else shown["by"]  # groups that a gate is for
    check(layout, **shown, output=output, gates=bool(others["fail_if"]), also=files.formats)
    references = with_inputs(named(prediction_file, target_file, prediction, target), inputs)
    quiet_alone = set(layouts) == {"quiet"}
    plan = plans.make(
        losses,
        references,
        sign=not quiet_alone,
        quantiles=not quiet_alone or bool(others["fail_if"]),
        format=Format(input_format, delimiter, not no_header),
        **others,
    )
    if quiet_alone and not plan.gates:  # nobody sees an interval
        plan = plan._replace(confidence=None, bootstrap=None, described=False)
    files.check(plan.paths, output)
    from lossctl.cli.progress import Bar
    from lossctl.evaluation import run
    from lossctl.render import render

    with ExitStack() as stack:
        bar = stack.enter_context(Bar(progress))
        write = stack.enter_context(files.opened())
        sink = stack.enter_context(_output(output, plan)) if output else None
        report = run(plan, sink, bar)
        text = render(report, layout, style(precision))
        write(lambda format: render(report, format, Style(precision)))
    show(text)
    summarise(report, layouts, precision)
    return judged(report.gates)


def _output(path: str, plan: Any) -> Any:
    from lossctl import output

    output.check(path, plan.paths)
    if plan.single:
        name = next((item.label for item in plan.losses if item.single), plan.losses[0].label)
        raise UsageError(
            f"-o writes per-sample losses, and {name} has none",
            f"leave out -o, or evaluate {name} by itself",
        )
    return output.opened(path, [item.label for item in plan.losses], plan.on, list(plan.by))
