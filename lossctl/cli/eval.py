"""`lossctl eval`."""

from __future__ import annotations

import os
import re
from contextlib import ExitStack
from typing import Any

import click

from lossctl.cli.console import judged, show, style
from lossctl.cli.references import named, once
from lossctl.cli.reports import CI_FORMATS, report_options, requested, summarise
from lossctl.errors import UsageError

FORMATS = ("table", "json", "jsonl", "csv", "markdown", *CI_FORMATS)


def _complete_loss(_: click.Context, __: click.Parameter, typed: str) -> list[str]:
    from lossctl.losses import all

    return [item.name for item in all() if item.name.startswith(typed.lower())]


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
Losses are listed by: lossctl losses""",
)
@click.argument("prediction_file", metavar="[PREDICTION]", required=False)
@click.argument("target_file", metavar="[TARGET]", required=False)
@click.option(
    "-l", "--loss", "losses", metavar="SPEC", multiple=True, shell_complete=_complete_loss,
    help="NAME[@CONVENTION][:PARAM=VALUE,…], or a weighted sum: 0.5*dice+0.5*bce. Repeatable.",
)  # fmt: skip
@once(
    "--convention", metavar="NAME",
    help="Whose definition, for losses without @CONVENTION: torch, keras, sklearn, …; '*' for all.",
)  # fmt: skip
@once("--prediction", metavar="COLS", help="The prediction's columns.")
@once("--target", metavar="COLS", help="The target's columns.")
@click.option(
    "--input", "inputs", metavar="NAME=REF", multiple=True,
    help="An input of the loss by its name; REF without a path is a column of PREDICTION.",
)  # fmt: skip
@click.option(
    "--plugin", "plugins", metavar="FILE.py", multiple=True,
    help="A Python file that registers losses. Repeatable.",
)  # fmt: skip
@once("--weight", metavar="REF", help="Sample weights: a column, or a reference.")
@click.option(
    "--by", metavar="COL", multiple=True, help="Also by group of this column. Repeatable."
)
@once(
    "--on", metavar="KEY",
    help="Join the tables by this column. `--on row` pairs them by row whatever their columns say.",
)  # fmt: skip
@click.option(
    "--unmatched", type=click.Choice(["error", "drop"]), default="error", show_default=True,
    help="What a join does with rows without a partner.",
)  # fmt: skip
@click.option(
    "--reduction", type=click.Choice(["mean", "sum", "batchmean", "samplemean"]),
    help="How the value comes of the elements: their mean, their sum, the sum by sample, or the "
    "mean of the per-sample losses. [default: the convention's, without one mean]",
)  # fmt: skip
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
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("-q", "--quiet", is_flag=True, help="The values alone, one a line.")
@click.option(
    "--precision", type=click.IntRange(1, 17), metavar="DIGITS",
    help="Significant digits. [default: 6 in tables, all elsewhere]",
)  # fmt: skip
@click.option(
    "--nan", type=click.Choice(["error", "skip", "propagate"]), default="error", show_default=True,
    help="What happens to samples with NaN or null.",
)  # fmt: skip
@click.option(
    "--confidence", type=float, default=0.95, show_default=True, metavar="LEVEL",
    help="The level of the intervals.",
)  # fmt: skip
@click.option(
    "--bootstrap", type=int, metavar="B",
    help="Intervals from B resamples of the samples (or of the clusters).",
)  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Of the resamples.")
@click.option(
    "--interval", type=click.Choice(["bca", "percentile"]), default="bca", show_default=True,
    help="Which interval the resamples give.",
)  # fmt: skip
@once(
    "--cluster", metavar="COL",
    help="Rows that agree in this column are not independent: intervals are of its values.",
)  # fmt: skip
@click.option(
    "--fail-if", metavar="EXPR", multiple=True,
    help="Exit with 1 where this holds: 'mse > 0.25', 'p95(mae) > 3', "
    "'any group(COL): mae > 1.5'. Repeatable.",
)  # fmt: skip
@click.option(
    "--backend", type=click.Choice(["numpy", "cupy"]), default="numpy", show_default=True,
    help="cupy evaluates on a GPU.",
)  # fmt: skip
@click.option("--threads", type=int, metavar="N", help="[default: the cores available]")
@click.option(
    "--dtype", type=click.Choice(["float32", "float64"]),
    help="Compute in this type. [default: the inputs', float32 at least]",
)  # fmt: skip
@click.option("--progress/--no-progress", default=None, help="[default: on a terminal]")
@click.option("--input-format", metavar="FORMAT", help="csv, tsv, parquet, npy, arrow, jsonl, …")
@click.option("--delimiter", metavar="CHAR", help="Between a CSV's fields.")
@click.option("--no-header", is_flag=True, help="The CSV has no header; columns are 0, 1, 2, …")
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
    **options: Any,
) -> int:
    """Evaluate losses of saved predictions.

    PREDICTION and TARGET are files (CSV, Parquet, NPY, NPZ, Arrow, JSON lines); one file
    that holds both columns is enough.
    """
    # blocks run on threads of our own; a library's beneath them would only contend
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Arrow's own allocators keep freed memory, which streams of blocks never ask for again
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    from lossctl import plan as plans
    from lossctl.losses import load_plugin
    from lossctl.render import FORMATS as ALL
    from lossctl.render import Style, check
    from lossctl.sources.table import Format

    for path in plugins:
        load_plugin(path)
    layout = _layout(format_, as_json, quiet)
    files = requested(reports, metrics, ALL)
    layouts = (layout, *files.formats)
    shown = {name: options[name] for name in ("worst", "per_sample", "by")}
    shown["by"] = () if options["fail_if"] else shown["by"]  # groups that a gate is for
    check(layout, **shown, output=output, gates=bool(options["fail_if"]), also=files.formats)
    references = _references(named(prediction_file, target_file, prediction, target), inputs)
    plan = plans.make(
        losses,
        references,
        sign=set(layouts) != {"quiet"},
        quantiles=set(layouts) != {"quiet"} or bool(options["fail_if"]),
        format=Format(input_format, delimiter, not no_header),
        **options,
    )
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


def _layout(format_: str | None, as_json: bool, quiet: bool) -> str:
    asked = [format_] * bool(format_) + ["json"] * as_json + ["quiet"] * quiet
    if len(set(asked)) > 1:
        raise UsageError("--format, --json and --quiet are three ways to print", "choose one")
    return asked[0] if asked and asked[0] else "table"


def _references(main: dict[str, Any], inputs: tuple[str, ...]) -> dict[str, Any]:
    """The inputs as they were named, by input name, with those of `--input`."""
    found = dict(main)
    for item in inputs:
        name, sign, reference = item.partition("=")
        if not sign or not name or not reference:
            raise UsageError(f"--input {item}: not NAME=REF", "for example: --input variance=v.npy")
        if name in found:
            raise UsageError(f"the input {name} is given twice", "give it once")
        # a bare word is a column of PREDICTION, as it is for --weight and --by
        bare = name == "target" and not re.search(r"[/:.*]", reference)
        found[name] = f"::{reference}" if bare else reference
    return found


def _output(path: str, plan: Any) -> Any:
    from lossctl import output

    output.check(path, plan.paths)
    if plan.single:
        raise UsageError("-o writes per-sample losses, and a loss here has none", "leave out -o")
    return output.opened(path, [item.label for item in plan.losses], plan.on, list(plan.by))
