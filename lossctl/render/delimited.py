"""CSV for programs and spreadsheets: every figure, in full precision unless one is given."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from io import StringIO
from typing import TYPE_CHECKING

from lossctl.render.rows import group_names, has_samples, records, sample_texts
from lossctl.render.text import cell

if TYPE_CHECKING:
    from lossctl.render.options import Style
    from lossctl.report import Report


def csv_text(report: Report, style: Style) -> str:
    """One row a loss; where there are groups, with a column for each key of the group.

    The first row of a loss is then of all samples, and leaves those columns empty; a row for
    each group follows.

    Where the losses of single samples were asked for: one row a sample, one column a loss.
    Fields are quoted as RFC 4180 says; lines end in a bare newline, as the other formats' do.
    What does not exist is an empty field; `nan` and `inf` are numbers. Components and worst
    samples do not fit into the rows, and are left to the other formats.
    """
    if has_samples(report):
        heads, *samples = zip(*sample_texts(report, style.precision, ""))
        return _csv(heads, samples)
    rows = records(report)
    header = list(dict.fromkeys(name for row in rows for name in row))
    verbatim = {*group_names(report).values(), "level"}  # they name something: never rounded
    digits = {name: None if name in verbatim else style.precision for name in header}
    return _csv(header, ([cell(row.get(name), digits[name]) for name in header] for row in rows))


def _csv(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([cell(name) for name in header])
    writer.writerows(rows)
    return out.getvalue().removesuffix("\n")
