"""`lossctl suggest`."""

from __future__ import annotations

import click

from lossctl.cli import options
from lossctl.cli.console import show, style
from lossctl.cli.references import named, once


@click.command(
    "suggest",
    epilog="""\b
Examples:
  lossctl suggest predictions.csv
  lossctl suggest logits.npy labels.npy
  lossctl suggest scores.parquet --prediction prob --target label --json""",
)
@click.argument("prediction_file", metavar="PREDICTION")
@click.argument("target_file", metavar="[TARGET]", required=False)
@options.prediction
@once("--target", metavar="COLS", help="The target's columns.")
@options.plugin
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
@options.input_format
@options.delimiter
@options.no_header
def command(
    prediction_file: str,
    target_file: str | None,
    prediction: str | None,
    target: str | None,
    plugins: tuple[str, ...],
    as_json: bool,
    input_format: str | None,
    delimiter: str | None,
    no_header: bool,
) -> None:
    """Name the losses that fit a prediction and a target.

    Looks at the shapes, types and values of the first rows, and prints for each loss that
    takes them its value there, when to use it, and the command to run.
    """
    options.prepare(plugins)
    from lossctl.render import advice
    from lossctl.sources.table import Format
    from lossctl.suggest import suggest

    references = named(prediction_file, target_file, prediction, target)
    found = suggest(
        references["prediction"],
        references.get("target"),
        format=Format(input_format, delimiter, not no_header),
    )
    words = [
        *filter(None, (prediction_file, target_file)),
        *(["--prediction", prediction] if prediction else []),
        *(["--target", target] if target else []),
        *(["--input-format", input_format] if input_format else []),
        *(["--delimiter", delimiter] if delimiter else []),
        *(["--no-header"] if no_header else []),
    ]
    if as_json:
        show(advice.advice_json(found, words))
    else:
        show(advice.advice_page(found, words, style()))
