"""What was measured, as Markdown."""

from __future__ import annotations

import math
import re
from collections.abc import Container, Iterable, Sequence
from typing import Any

from tests.bench.cells import PEERS
from tests.bench.data import ROOT
from tests.bench.measure import SLOW
from tests.bench.results import FILE, Result, Results, load
from tests.bench.targets import Target, targets

PAGE = ROOT / "lossctl" / "docs" / "speed.md"
MEASURED = re.compile(r"(<!-- measured -->\n)(.*?)(<!-- /measured -->)", re.DOTALL)

_PARSER = (
    "pyarrow's parser is 60 % of the CPU time: fields 20 %, digits 20 %, conversion 15 %; of "
    "NumPy there is 2 %"
)
WHY = {
    "mse npy": "57 % of the CPU time is Python, most of it start-up, for which the script imports "
    "less; 26 % is the system, of which 9 % copies the files, and 11 % NumPy",
    "mse float32 npy": "60 % of the CPU time is Python, most of it start-up, for which the script "
    "imports less; NumPy is 11 %",
    "mse parquet": "half of the CPU time is pyarrow's decoding (zstd's Huffman codes 34 %, copies "
    "7 %), a fifth Python, most of it start-up, and 5 % NumPy",
    "mse feather": "nearly half of the CPU time is Python, most of it start-up; copies are 14 %, "
    "reading 7 %, NumPy 9 %",
    "mse csv": _PARSER,
    "mse csv.gz": "a half is pyarrow's parser, and a quarter unpacking, which is for one thread",
    "mse stdin": _PARSER,
    "five npy": "NumPy is 36 % of the CPU time: sinh and log1p 10 %, products 7 %, sums 4 %; "
    "15 passes over each block where one loss makes 2",
    "five parquet": "decoding is 40 % of the CPU time (zstd's Huffman codes 26 %), NumPy 19 %, "
    "Python, most of it start-up, a fifth",
    "bce parquet": "decoding is 35 % of the CPU time, Python, most of it start-up, a fifth, "
    "logarithms and products a fifth",
    "five feather": "as of NPY, five losses pass 15 times over each block, and one 2",
    "five csv": "pyarrow's parser is 58 % of the CPU time: digits 21 %, fields 18 %, conversion "
    "14 %; NumPy is 7 %",
    "groups parquet": "decoding is 40 % of the CPU time (zstd's Huffman codes 26 %), Python, most "
    "of it start-up, a fifth, NumPy 12 %, of which a third adds up the groups",
    "groups feather": "Python, most of it start-up, is a third of the CPU time, unpacking a fifth "
    "(LZ4 9 %, copies 10 %), NumPy a fifth, of which a third adds up the groups",
    "groups csv": "pyarrow's parser is 55 % of the CPU time; groups are read as text, lest 007 be "
    "7, and cast thereafter",
    "groups of text parquet": "decoding is 40 % of the CPU time (zstd's Huffman codes 25 %), "
    "Python, most of it start-up, a sixth, NumPy 13 %",
    "groups of text feather": "to check and to number the texts is a third of the CPU time, "
    "unpacking a tenth, Python, most of it start-up, a fifth, NumPy 15 %",
    "groups of text csv": "pyarrow's parser, which numbers the texts too, is 55 % of the CPU time; "
    "to find where records end, for the blocks that are parsed in parallel, quotes are looked for "
    "once more: 7 %",
    "per_sample csv": "half of the CPU time is pyarrow's parser: digits and fields 16 % each, "
    "conversion 12 %",
    "cross_entropy of 1,000 npy": "NumPy is 39 % of the CPU time (exp 14 %, to float64 11 %, sums "
    "6 %), Python, most of it start-up, a third, the system 22 %, of which 9 % copies the files",
    "dice npy": "NumPy is 36 % of the CPU time (to float64 11 %, sums 7 %), Python, most of it "
    "start-up, a third, the system a quarter; the script takes from 0.3 to 0.9 s",
}
"""Why a cell falls short, by its name: what a profile showed."""


def text(found: Results) -> str:
    """The machine, the targets and all cells."""
    parts = [_machine(found.machine)]
    if several := targets(found):
        parts += ["**Targets**", _targets(several)]
    if found.cells:
        short = {name for one in several for name in one.missed}
        parts += ["**Cells**: seconds, medians of whole processes", _cells(found.cells, short)]
    if found.scaling:
        parts += ["**Scaling** of mse", _scaling(found.scaling)]
    if found.starts:
        parts += ["**Start-up**", _starts(found.starts)]
    return "\n\n".join(parts) + "\n"


def page() -> str:
    """The page on speed with what was kept last."""
    kept = text(load()) if FILE.exists() else "Not measured yet.\n"
    return MEASURED.sub(lambda m: f"{m[1]}{kept}{m[3]}", PAGE.read_text("utf-8"))


def _machine(machine: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return (
        f"{machine['cores']} cores of {machine['processor']}, {machine['memory_gb']} GB, "
        f"{machine['system']}; memory is read at {machine['bandwidth_gb_s']} GB/s; the load was "
        f"{machine['load']} before. Python {machine['python']}, {versions}. {machine['date']}."
    )


def _targets(several: Sequence[Target]) -> str:
    rows = [
        (
            "✗" if one.missed else "✓",
            one.text,
            f"≤ {one.limit:g}",
            _ratio(one.ratios[one.worst]),
            one.worst if len(one.ratios) > 1 else "",
            f"{len(one.ratios) - len(one.missed)} of {len(one.ratios)}",
        )
        for one in several
    ]
    return _table("| | target | limit | worst | where | hold |", ":-- :-- --: --: :-- --:", rows)


def _cells(cells: Sequence[Result], short: Container[str]) -> str:
    names = [peer.name for peer in PEERS]
    rows = [
        (
            one.name,
            f"{one.rows:,}",
            _megabytes(one.bytes),
            _seconds(one, "lossctl"),
            *(_seconds(one, name) for name in names),
            _ratio(one.to_best),
            _ratio(one.to_floor),
            _ratio(one.to_floor_beyond_start),
            _megabytes(one.peak("lossctl")),
            _ratio(one.memory),
            WHY.get(one.name, "") if one.name in short else "",
        )
        for one in cells
    ]
    head = (
        f"| cell | rows | MB | lossctl | {' | '.join(names)} | ÷ best | ÷ floor "
        "| ÷ floor beyond start | peak MB | ÷ leanest | why |"
    )
    return _table(head, ":-- " + "--: " * (len(names) + 8) + ":--", rows)


def _scaling(scaling: Sequence[Result]) -> str:
    rows = [
        (
            one.format,
            f"{one.rows:,}",
            _seconds(one, "lossctl"),
            f"{one.beyond_start / one.rows * 1e9:.3g}",
            _megabytes(one.peak("lossctl")),
        )
        for one in scaling
    ]
    head = "| format | rows | lossctl | ns a row beyond start | peak MB |"
    return _table(head, ":-- --: --: --: --:", rows)


def _starts(starts: Sequence[Result]) -> str:
    rows = [
        (
            f"`lossctl {one.name}`" + (f", {one.rows} rows" if one.rows else ""),
            _seconds(one, "lossctl"),
            f"`{one.task}`",
            _seconds(one, "floor"),
            _ratio(one.to_floor),
        )
        for one in starts
    ]
    return _table("| | lossctl | imports | alone | ÷ |", ":-- --: :-- --: --:", rows)


def _table(head: str, rule: str, rows: Iterable[Sequence[str]]) -> str:
    line = f"| {' | '.join(rule.split())} |"
    return "\n".join([head, line, *(f"| {' | '.join(row)} |" for row in rows)])


def _seconds(result: Result, name: str) -> str:
    """`–` for what it cannot do, `?` where it is not installed, ≠ for a wrong or no value."""
    program = result.programs.get(name)
    if program is None:
        return "?" if name in result.absent else "–"
    if program.error:
        return "≠"
    once = "*" if program.seconds > SLOW else ""
    return f"{program.seconds:.3f}{once}"


def _ratio(ratio: float) -> str:
    return "–" if math.isnan(ratio) else f"{ratio:.3g}"


def _megabytes(size: float) -> str:
    return "–" if math.isnan(size) else f"{size / 1e6:,.0f}"
