"""One data set in every format, through a pipe, and cut into files: the same bits."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import feather, parquet

import lossctl
from lossctl import cli

LOSSES = ("mse", "rmse", "huber:delta=0.3", "0.5*mae+0.5*log_cosh")
OPTIONS = [item for loss in LOSSES for item in ("-l", loss)]


def table(rows: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "y_pred": rng.standard_normal(rows) * 10.0 ** rng.integers(-5, 5, rows),
            "y_true": rng.integers(-3, 4, rows),
            "segment": rng.choice(["north", "south", "a,b"], rows),
        }
    )


def write_all(folder: Path, data: pd.DataFrame) -> dict[str, list[str]]:
    """The arguments that name the data set in each format."""
    arrow = pa.Table.from_pandas(data, preserve_index=False)
    data.to_csv(folder / "d.csv", index=False)
    data.to_csv(folder / "d.tsv", index=False, sep="\t")
    (folder / "z.csv.gz").write_bytes(gzip.compress((folder / "d.csv").read_bytes()))
    parquet.write_table(arrow, folder / "d.parquet", row_group_size=max(1, len(data) // 3))
    feather.write_feather(arrow, str(folder / "d.feather"))
    data.to_json(folder / "d.jsonl", orient="records", lines=True, double_precision=15)
    # pandas writes 15 decimals, which is not all of a double
    with open(folder / "d.jsonl", "w") as out:
        for row in data.to_dict("records"):
            out.write(json.dumps(row) + "\n")
    np.save(folder / "p.npy", data["y_pred"])
    np.save(folder / "t.npy", data["y_true"])
    np.savez(folder / "d.npz", y_pred=data["y_pred"], y_true=data["y_true"])
    parts = folder / "parts"
    parts.mkdir()
    for index, part in enumerate(np.array_split(np.arange(len(data)), min(12, len(data)))):
        parquet.write_table(arrow.take(pa.array(part)), parts / f"part-{index}.parquet")
    named = ("d.csv", "d.tsv", "z.csv.gz", "d.parquet", "d.feather", "d.jsonl", "d.npz", "parts")
    return {name: [str(folder / name)] for name in named} | {
        "npy": [str(folder / "p.npy"), str(folder / "t.npy")],
        "mixed": [str(folder / "p.npy"), f"{folder / 'd.csv'}::y_true"],
    }


def figures(arguments: list[str], capsys: Any, *more: str) -> dict[str, Any]:
    assert cli.run(["eval", *arguments, *OPTIONS, "--json", *more]) == 0
    return numbers(json.loads(capsys.readouterr().out))


def numbers(found: dict[str, Any]) -> dict[str, Any]:
    """The report without what says where the numbers came from."""
    return {name: value for name, value in found.items() if name not in ("inputs", "options")}


def test_every_format_gives_the_same_bits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ways = write_all(tmp_path, table(70_001))
    expected = figures(ways["npy"], capsys)
    assert expected["samples"] == 70_001
    for name, arguments in ways.items():
        for threads in ("1", "3"):
            assert figures(arguments, capsys, "--threads", threads) == expected, (name, threads)


@pytest.mark.parametrize(
    ("name", "format_"), [("d.csv", "csv"), ("d.tsv", "tsv"), ("d.jsonl", "jsonl")]
)
def test_a_pipe_gives_the_same_bits(tmp_path: Path, name: str, format_: str) -> None:
    write_all(tmp_path, table(70_001))
    command = [sys.executable, "-m", "lossctl", "eval", *OPTIONS, "--by", "segment", "--json"]
    direct = subprocess.run([*command, str(tmp_path / name)], capture_output=True, check=True)
    with subprocess.Popen(["cat", str(tmp_path / name)], stdout=subprocess.PIPE) as cat:
        piped = subprocess.run(
            [*command, "-", "--input-format", format_],
            stdin=cat.stdout, capture_output=True, check=True,
        )  # fmt: skip
    assert numbers(json.loads(direct.stdout)) == numbers(json.loads(piped.stdout))


@settings(max_examples=12, deadline=None)
@given(rows=st.integers(1, 300), seed=st.integers(0, 1000))
def test_any_data_set_is_the_same_in_any_format(
    tmp_path_factory: pytest.TempPathFactory, rows: int, seed: int
) -> None:
    ways = write_all(tmp_path_factory.mktemp("formats"), table(rows, seed))

    def evaluated(arguments: list[str]) -> dict[str, Any]:
        given = dict(zip(("prediction", "target"), arguments))
        return numbers(lossctl.evaluate(list(LOSSES), **given, per_sample=True).to_dict())

    expected = json.dumps(evaluated(ways["npy"]))
    for arguments in ways.values():
        assert json.dumps(evaluated(arguments)) == expected


def test_a_joined_table_gives_what_the_rows_gave(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = table(70_001).assign(id=np.arange(70_001) * 7)
    shuffled = data.sample(frac=1, random_state=1)
    data[["id", "y_pred"]].to_csv(tmp_path / "p.csv", index=False)
    parquet.write_table(
        pa.Table.from_pandas(shuffled[["id", "y_true"]], preserve_index=False),
        tmp_path / "t.parquet",
    )
    data.to_csv(tmp_path / "d.csv", index=False)
    joined = [str(tmp_path / "p.csv"), str(tmp_path / "t.parquet"), "--on", "id"]
    assert figures(joined, capsys) == figures([str(tmp_path / "d.csv")], capsys)


def test_the_json_of_every_option_fits_its_schema(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    schema = json.loads((files("lossctl") / "schemas" / "eval-1.json").read_text())
    ways = write_all(tmp_path, table(500))
    options = ("--by", "segment", "--worst", "3", "--per-sample", "--weight", "w", "--nan", "skip")
    data = table(500)
    data["w"] = np.arange(500) % 3
    data.loc[4, "y_pred"] = np.nan
    data.to_csv(tmp_path / "w.csv", index=False)
    for arguments, more in ((ways["d.csv"], ()), ([str(tmp_path / "w.csv")], options)):
        assert cli.run(["eval", *arguments, *OPTIONS, "--json", *more]) == 0
        found = json.loads(capsys.readouterr().out)
        jsonschema.validate(found, schema)
    assert found["skipped"] == 1
    assert cli.run(["losses", "--json"]) == 0
    losses = json.loads((files("lossctl") / "schemas" / "losses-1.json").read_text())
    jsonschema.validate(json.loads(capsys.readouterr().out), losses)
