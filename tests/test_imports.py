"""What each command imports: a one-liner does not wait for what it does not use.

Not a timing: the lists say which packages, and which parts of lossctl, a command loads. Where a
list grows, the command has become slower to start, and the list says by what.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

START = {"lossctl", "lossctl._version", "lossctl.cli", "lossctl.cli.console", "lossctl.errors"}
PACKAGES = {"click", "numpy", "pandas", "pyarrow", "rich", "scipy", "cupy", "onnx", "markdown_it"}
PARTS = {"pyarrow": "pyarrow.csv", "rich": "rich.table, rich.console, rich.progress"}
HEAVY = {  # of the standard library: a hundredth of a small evaluation or more
    "asyncio", "concurrent.futures", "decimal", "email", "hashlib", "inspect", "multiprocessing",
    "random", "sqlite3", "ssl", "tempfile", "tomllib", "unittest", "urllib", "xml.etree",
}  # fmt: skip
ONLY_WHERE_USED = {  # parts of lossctl, by what asks for them
    "lossctl.comparing": "compare",
    "lossctl.gates": "--fail-if",
    "lossctl.reduce.significance": "compare",
    "lossctl.align.join": "--on",
    "lossctl.output.parquet": "-o",
    "lossctl.plugins": "--plugin",
    "lossctl.network": "a network",
    "lossctl.suggest": "suggest",
    "lossctl.verifying": "verify",
    "lossctl.render.table": "a table",
    "lossctl.sources.delimited": "CSV",
    "lossctl.sources.arrow": "Arrow",
}


def imported(folder: Path, *arguments: str) -> set[str]:
    """The modules that a command loads."""
    return loaded(folder, f"from lossctl.cli import run; run({list(arguments)!r})")


def loaded(folder: Path, code: str) -> set[str]:
    """The modules that a program loads; `-X importtime` leaves out those that a name loads."""
    last = "import sys; print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{last}"],
        capture_output=True, text=True, cwd=folder, check=True,
    )  # fmt: skip
    return set(done.stderr.split())


def within(modules: set[str], names: set[str]) -> set[str]:
    """Those of the names of which the modules hold anything."""
    return {name for name in names if any(f"{one}.".startswith(f"{name}.") for one in modules)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prediction and a target as NPY, and both as CSV."""
    found = tmp_path_factory.mktemp("imports")
    target = np.linspace(1, 2, 100)
    np.save(found / "prediction.npy", target * 1.1)
    np.save(found / "target.npy", target)
    rows = "\n".join(f"{value * 1.1},{value}" for value in target)
    (found / "both.csv").write_text(f"prediction,target\n{rows}\n")
    return found


@pytest.mark.parametrize("command", [["--help"], ["--version"]])
def test_help_loads_nothing_but_the_command_line(folder: Path, command: list[str]) -> None:
    found = imported(folder, *command)
    assert {name for name in found if name.split(".")[0] == "lossctl"} == START
    assert within(found, PACKAGES) == {"click"}
    assert within(found - loaded(folder, "import click"), HEAVY) == set()


NPY = ["prediction.npy", "target.npy", "-l", "mse"]


@pytest.mark.parametrize(
    ("arguments", "packages", "parts"),
    [
        (["eval", "--help"], {"click"}, set()),
        (["eval", *NPY, "-q"], {"click", "numpy"}, set()),
        (["eval", *NPY, "--json"], {"click", "numpy"}, set()),
        (["eval", *NPY, "--json", "--fail-if", "mse > 9"], {"click", "numpy"}, {"lossctl.gates"}),
        (["eval", *NPY], {"click", "numpy", "rich"}, {"lossctl.render.table"}),
        (
            ["eval", "both.csv", "-l", "mse", "--json"],
            {"click", "numpy", "pyarrow"},
            {"lossctl.sources.delimited"},
        ),
        (
            ["compare", "prediction.npy", "prediction.npy", "--target", "target.npy", "-l", "mse",
             "--json"],
            {"click", "numpy"},
            {"lossctl.comparing", "lossctl.reduce.significance"},
        ),
    ],
    ids=lambda item: " ".join(item) if isinstance(item, list) else "",
)  # fmt: skip
def test_a_command_loads_what_it_uses(
    folder: Path, arguments: list[str], packages: set[str], parts: set[str]
) -> None:
    found = imported(folder, *arguments)
    assert within(found, PACKAGES) == packages
    assert within(found, set(ONLY_WHERE_USED)) == parts
    theirs = loaded(folder, "; ".join(f"import {PARTS.get(name, name)}" for name in packages))
    assert within(found - theirs, HEAVY) == set()
