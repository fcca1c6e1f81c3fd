"""The options that commands share: the same words for the same things."""

from __future__ import annotations

import os
from typing import Any

import click

from lossctl.cli.references import once
from lossctl.errors import UsageError


def _complete_loss(_: click.Context, __: click.Parameter, typed: str) -> list[str]:
    from lossctl.losses import all

    return [item.name for item in all() if item.name.startswith(typed.lower())]


loss = click.option(
    "-l", "--loss", "losses", metavar="SPEC", multiple=True, shell_complete=_complete_loss,
    help="NAME[@CONVENTION][:PARAM=VALUE,…], or a weighted sum: 0.5*dice+0.5*bce. Repeatable.",
)  # fmt: skip
convention = once(
    "--convention", metavar="NAME",
    help="Whose definition, for losses without @CONVENTION: torch, keras, sklearn, …; '*' for all.",
)  # fmt: skip
prediction = once("--prediction", metavar="COLS", help="The prediction's columns.")
plugin = click.option(
    "--plugin", "plugins", metavar="FILE.py", multiple=True,
    help="A Python file that registers losses. Repeatable.",
)  # fmt: skip
weight = once("--weight", metavar="REF", help="Sample weights: a column, or a reference.")
by = click.option(
    "--by",
    metavar="COL",
    multiple=True,
    help="Also by group of this column. Repeatable: a group of each combination.",
)
on = once(
    "--on", metavar="KEY",
    help="Join the tables by this column. `--on row` pairs them by row whatever their columns say.",
)  # fmt: skip
unmatched = click.option(
    "--unmatched", type=click.Choice(["error", "drop"]), default="error", show_default=True,
    help="What a join does with rows without a partner.",
)  # fmt: skip
reduction = click.option(
    "--reduction", type=click.Choice(["mean", "sum", "batchmean", "samplemean"]),
    help="How the value comes of the elements: their mean, their sum, the sum by sample, or the "
    "mean of the per-sample losses. [default: the convention's, without one mean]",
)  # fmt: skip
as_json = click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
precision = click.option(
    "--precision", type=click.IntRange(1, 17), metavar="DIGITS",
    help="Significant digits. [default: 6 in tables, all elsewhere]",
)  # fmt: skip
nan = click.option(
    "--nan", type=click.Choice(["error", "skip", "propagate"]), default="error", show_default=True,
    help="What happens to samples with NaN or null.",
)  # fmt: skip
bootstrap = click.option(
    "--bootstrap", type=int, metavar="B",
    help="Intervals from B resamples of the samples (or of the clusters).",
)  # fmt: skip
seed = click.option("--seed", type=int, help="Of what is drawn by chance. [default: 0]")
interval = click.option(
    "--interval", type=click.Choice(["bca", "percentile"]),
    help="Which interval the resamples give. [default: bca]",
)  # fmt: skip
cluster = once(
    "--cluster", metavar="COL",
    help="Rows that agree in this column are not independent: intervals are of its values.",
)  # fmt: skip
backend = click.option(
    "--backend", type=click.Choice(["numpy", "cupy"]), default="numpy", show_default=True,
    help="cupy evaluates on a GPU.",
)  # fmt: skip
threads = click.option("--threads", type=int, metavar="N", help="[default: the cores available]")
dtype = click.option(
    "--dtype", type=click.Choice(["float32", "float64"]),
    help="Compute in this type. [default: the inputs', float32 at least]",
)  # fmt: skip
progress = click.option("--progress/--no-progress", default=None, help="[default: on a terminal]")
input_format = click.option(
    "--input-format", metavar="FORMAT", help="csv, tsv, parquet, npy, arrow, jsonl, …"
)
delimiter = click.option("--delimiter", metavar="CHAR", help="Between a CSV's fields.")
no_header = click.option(
    "--no-header", is_flag=True, help="The CSV has no header; columns are 0, 1, 2, …"
)


def layout(format_: str | None, as_json: bool, quiet: bool) -> str:
    """The one way to print that `--format`, `--json` and `--quiet` ask for.

    Raises:
        UsageError: They ask for several.
    """
    asked = [format_] * bool(format_) + ["json"] * as_json + ["quiet"] * quiet
    if len(set(asked)) > 1:
        raise UsageError("--format, --json and --quiet are three ways to print", "choose one")
    return asked[0] if asked and asked[0] else "table"


def drawn(given: dict[str, Any], test: str = "") -> dict[str, Any]:
    """The options, of which `--seed` and `--interval` are for what is drawn by chance.

    Args:
        given: All of them; those that were not given are None.
        test: Of a comparison, which may draw too.

    Returns:
        The same without the two where they were not given.

    Raises:
        UsageError: One is given, and does nothing.
    """
    resampled = given["bootstrap"] is not None or test == "bootstrap"
    for name, used in (
        ("seed", resampled or test == "permutation"),
        ("interval", resampled),
    ):
        if given[name] is not None and not used:
            hint = f"add --bootstrap 2000, or leave out --{name}"
            raise UsageError(f"--{name} does nothing: nothing is resampled", hint)
    return {
        name: value
        for name, value in given.items()
        if name not in ("seed", "interval") or value is not None
    }


def prepare(plugins: tuple[str, ...]) -> None:
    """What comes before anything is computed: the libraries' settings, and the plugins."""
    # blocks run on threads of our own; a library's beneath them would only contend
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from lossctl.cli import heap
    from lossctl.losses import load_plugin

    heap.keep()
    for path in plugins:
        load_plugin(path)
