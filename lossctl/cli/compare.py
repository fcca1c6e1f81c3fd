"""`lossctl compare`."""

from __future__ import annotations

from typing import Any

import click

from lossctl.cli import options
from lossctl.cli.console import judged, show, style
from lossctl.cli.references import named, once, with_inputs
from lossctl.cli.reports import CI_FORMATS, report_options, requested, summarise
from lossctl.errors import UsageError

FORMATS = ("table", "json", "markdown", *CI_FORMATS)


@click.command(
    "compare",
    epilog="""\b
Examples:
  lossctl compare old.csv new.csv -l rmse
  lossctl compare old.npy new.npy --target target.npy -l mae -l huber:delta=2
  lossctl compare old.parquet a.parquet b.parquet --on id -l bce --by segment
  lossctl compare scores.csv::old scores.csv::new --target label -l bce --test permutation
  lossctl compare old.csv new.csv -l mae --cluster patient --changed 10
\b
A reference is PATH[::COLUMNS], as in lossctl eval. Without --target each file holds its
own target, and they must be equal. The difference is the candidate's loss less the
baseline's: below 0 the candidate is better.
\b
A gate is [any|all group(COL[=VALUE]):] FIGURE(LOSS) > NUMBER[%]. FIGURE is value (the
candidate's), baseline, difference, relative, low, high, p, effect, n, wins, ties or
losses. It says what must not hold of any candidate. 2% is 0.02; relative(LOSS) is the
difference over the baseline's value.
\b
A bare column of --by, --weight or --cluster is the baseline's.""",
)
@click.argument("baseline", metavar="BASELINE", required=False)
@click.argument("candidates", metavar="CANDIDATE…", nargs=-1)
@options.loss
@options.convention
@options.prediction
@once("--target", metavar="REF", help="The target of all: a reference, or a column of each file.")
@click.option(
    "--input", "inputs", metavar="NAME=REF", multiple=True,
    help="An input of the loss by its name; REF without a path is a column of each model's file.",
)  # fmt: skip
@options.plugin
@options.weight
@options.by
@options.on
@options.unmatched
@options.reduction
@click.option(
    "--test", default="t", show_default=True, metavar="TEST",
    help="t (paired), bootstrap, permutation, sign or wilcoxon (signed ranks).",
)  # fmt: skip
@click.option(
    "--alpha", type=float, default=0.05, show_default=True, metavar="LEVEL",
    help="Of the test; the intervals are of 1 - LEVEL.",
)  # fmt: skip
@click.option(
    "--correction", default="holm", show_default=True, metavar="NAME",
    help="Of the p-values for their number: holm, bh (Benjamini and Hochberg) or none.",
)  # fmt: skip
@click.option("--changed", type=int, metavar="K", help="The K samples whose losses changed most.")
@click.option(
    "-f", "--format", "format_", type=click.Choice(FORMATS), default=None,
    help="How the comparison is printed. [default: table]",
)  # fmt: skip
@report_options
@options.as_json
@click.option(
    "--fail-if", metavar="EXPR", multiple=True,
    help="Exit with 1 where this holds of a candidate: 'relative(mse) > 2%', 'p(mae) < 0.05'. "
    "Repeatable.",
)  # fmt: skip
@click.option("-q", "--quiet", is_flag=True, help="The differences alone, one a line.")
@options.precision
@options.nan
@options.bootstrap
@options.seed
@options.interval
@options.cluster
@options.backend
@options.threads
@options.dtype
@options.progress
@options.input_format
@options.delimiter
@options.no_header
def command(
    baseline: str | None,
    candidates: tuple[str, ...],
    losses: tuple[str, ...],
    prediction: str | None,
    target: str | None,
    inputs: tuple[str, ...],
    plugins: tuple[str, ...],
    alpha: float,
    correction: str,
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
    """Compare the losses of candidates with a baseline's, sample by sample.

    BASELINE and CANDIDATE are files of predictions for the same samples (CSV, Parquet, NPY,
    NPZ, Arrow, JSON lines), or columns of one file.
    """
    if baseline is None or not candidates:
        raise UsageError("there is nothing to compare", "give BASELINE CANDIDATE")
    layout = options.layout(format_, as_json, quiet)
    others = options.drawn(others, others["test"])
    options.prepare(plugins)
    from lossctl import comparing
    from lossctl import plan as plans
    from lossctl.render import comparison as shown
    from lossctl.sources.table import Format

    files = requested(reports, metrics, (*FORMATS, "quiet"))
    layouts = (layout, *files.formats)
    gates = bool(others["fail_if"])
    shown.check(layout, by=others["by"], changed=others["changed"], gates=gates, also=files.formats)
    shared = with_inputs({} if target is None else {"target": plans.column(target)}, inputs)
    names = list(comparing.by_name(list(candidates)))
    plan = comparing.make(
        losses,
        [{**named(path, None, prediction, None), **shared} for path in (baseline, *names)],
        alpha=alpha,
        correction=correction,
        sign=set(layouts) != {"quiet"},
        format=Format(input_format, delimiter, not no_header),
        **others,
    )
    from lossctl.cli.progress import Bar
    from lossctl.render import Style, render

    files.check(plan.paths)
    with Bar(progress) as bar, files.opened() as write:
        found = comparing.carry_out(plan, baseline, names, alpha, correction, bar)
        text = render(found, layout, style(precision))
        write(lambda format: render(found, format, Style(precision)))
    show(text)
    summarise(found, layouts, precision)
    return judged(found.gates)
