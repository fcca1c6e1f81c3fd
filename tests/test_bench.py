"""The benchmark measures what it says: all programs agree, on little data. No time is judged."""

from __future__ import annotations

import ast
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bench import data, table
from tests.bench.__main__ import quick
from tests.bench.cells import CELLS, HERE, PEERS, Cell, Peer
from tests.bench.data import ROOT, Dataset
from tests.bench.results import Program, Result, Results, load, save
from tests.bench.run import compare
from tests.bench.targets import targets


def name(one: Any) -> str:
    return str(one.name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench")


def made(cell: Cell, folder: Path) -> Cell:
    if not (folder / str(cell.dataset)).exists():
        data.make(cell.dataset, folder)
    return cell


@pytest.mark.parametrize("cell", quick(CELLS), ids=name)
def test_lossctl_and_numpy_agree(cell: Cell, folder: Path) -> None:
    found = compare(made(cell, folder), folder, 1, peers=["numpy"], starts=False)
    assert not {name: one.error for name, one in found.programs.items() if one.error}
    values = found.programs["lossctl"].values
    assert values
    assert all(map(math.isfinite, values))
    assert ("numpy" in found.programs) == PEERS[0].does(cell)
    assert all(one.seconds > 0 and one.peak > 0 for one in found.programs.values())


def test_a_value_that_differs_is_an_error(folder: Path) -> None:
    cell = made(quick(CELLS)[0], folder)
    other = cell._replace(task=cell.task._replace(losses=("mae",)))
    found = compare(other, folder, 1, peers=["numpy"], starts=False)
    assert "where lossctl has" in found.programs["numpy"].error
    assert found.peers == []
    assert "≠" in table.text(Results(MACHINE, [found], [], []))


def test_a_peer_that_is_missing_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.bench.run.find_spec", lambda name: None)
    cell = made(quick(CELLS)[0], folder)
    found = compare(cell, folder, 1, starts=False)
    assert found.absent["torch"] == "is not installed"
    assert "?" in table.text(Results(MACHINE, [found], [], []))


@pytest.mark.parametrize("peer", PEERS, ids=name)
def test_a_peer_has_a_function_for_each_task(peer: Peer) -> None:
    script = (HERE / "peers" / f"with_{peer.name}.py").read_text("utf-8")
    functions = {one.name for one in ast.parse(script).body if isinstance(one, ast.FunctionDef)}
    assert set(peer.tasks) <= functions


def test_the_command(folder: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    options = ["--quick", "--peers", "numpy", "--only", "mse npy|eval --json of NPY"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", *options, "--data", folder, "--json", kept],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = load(kept)
    assert done.stdout == table.text(found) + "\n"
    assert [one.name for one in found.cells] == ["mse npy"]
    assert [one.name for one in found.scaling] == ["mse npy"]
    assert [one.name for one in found.starts] == ["eval --json of NPY"]
    assert set(found.machine) == set(MACHINE)
    assert json.loads(kept.read_text("utf-8"))["cells"][0]["programs"]["numpy"]["values"]


MACHINE = {
    "date": "2024-05-01", "load": 0.1, "cores": 2,
    "memory_gb": 8.0, "processor": "one", "system": "Linux", "python": "3.11",
    "versions": {"numpy": "2"}, "bandwidth_gb_s": 10.0,
}  # fmt: skip


def result(name: str, rows: int = 10, **seconds: float) -> Result:
    """Of a task in a format; peak memory is in proportion to the time."""
    task, format = name.split()
    programs = {
        one.replace("_", " "): Program(time, int(1e8 * time), [time], [1.0])
        for one, time in seconds.items()
    }
    return Result(name, task, "pairs", format, rows, 400_000_000, programs, {})


def test_targets_are_judged_by_their_worst_cell() -> None:
    cells = [
        result("mse npy", lossctl=0.5, lossctl_start=0.1, numpy=1, floor=0.4, floor_start=0.1),
        result("five npy", lossctl=1.5, lossctl_start=0.1, numpy=1, torch=3, floor=0.4),
        result("bce npy", lossctl=1, torch=4, sklearn=10, floor=0.4),
        result("mse csv", lossctl=1, floor=0.5),
    ]
    found = {one.text: one for one in targets(Results(MACHINE, cells, [], []))}
    every = found["every cell: time ÷ the best peer's"]
    assert dict(every.ratios) == {"mse npy": 0.5, "five npy": 1.5, "bce npy": 0.25}
    assert every.missed == ["five npy"] == [every.worst]
    assert not found["cross entropy and bce: time ÷ torch's"].missed
    assert not found["time ÷ scikit-learn's"].missed
    assert found["five losses: time ÷ one loss's"].ratios == {"five npy": 3}
    beyond = found["mse of NPY, beyond start-up: time ÷ a bare read's"]
    assert beyond.ratios["mse npy"] == pytest.approx(4 / 3)
    assert found["mse of Parquet and CSV: time ÷ decoding's alone"].ratios == {"mse csv": 2}
    assert "300 MB and more: peak memory ÷ the leanest peer's" in found


def test_scaling_is_judged_by_format() -> None:
    scaling = [
        result("mse npy", 10, lossctl=0.11, lossctl_start=0.1),
        result("mse npy", 100, lossctl=0.22, lossctl_start=0.1),
    ]
    memory, linear = targets(Results(MACHINE, [], scaling, []))
    assert memory.ratios == {"npy": pytest.approx(2)}
    assert linear.ratios == {"npy": pytest.approx(1.2)}
    assert memory.missed == linear.missed == ["npy"]


def test_what_cannot_be_told_holds_for_nothing() -> None:
    broken = result("mse npy", lossctl=1, lossctl_start=0.1, numpy=1, floor=0.1, floor_start=0.2)
    found = {one.text: one for one in targets(Results(MACHINE, [broken], [], []))}
    assert found["mse of NPY, beyond start-up: time ÷ a bare read's"].missed == ["mse npy"]


def test_results_are_kept_as_they_are(tmp_path: Path) -> None:
    found = Results(MACHINE, [result("mse npy", lossctl=1, numpy=2)], [], [])
    save(found, tmp_path / "kept.json")
    assert load(tmp_path / "kept.json") == found


def test_data_are_the_same_in_every_format(tmp_path: Path) -> None:
    import numpy as np
    from pyarrow import csv, feather, parquet

    sets = [Dataset("pairs", format, 50) for format in ("npy", "csv", "parquet", "feather")]
    for one in sets:
        data.make(one, tmp_path)
    array, *others = (one.files(tmp_path)[0] for one in sets)
    for read, file in zip((csv.read_csv, parquet.read_table, feather.read_table), others):
        assert (read(file)["y_pred"].to_numpy() == np.load(array)).all()


def test_every_cell_that_falls_short_says_why() -> None:
    found = load()
    cells = {one.name for one in found.cells}
    short = {name for one in targets(found) for name in one.missed}
    assert not (short & cells) - set(table.WHY)
    assert set(table.WHY) <= cells
