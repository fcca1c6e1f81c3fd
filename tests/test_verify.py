"""Reports that are evaluated again: what holds, and what differs where one does not."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

import lossctl
from lossctl import cli
from tests.test_render import parsed, validator

ROOT = Path(__file__).parent.parent
SAMPLE_DATA = ROOT / "sample_data"


class Ran(NamedTuple):
    status: int
    out: str
    err: str


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(
        {
            "id": np.arange(60),
            "prediction": rng.random(60),
            "target": rng.random(60),
            "w": rng.random(60),
            "g": rng.choice(["a", "b"], 60),
        }
    )
    rows.to_csv(tmp_path / "d.csv", index=False)
    rows[["id", "prediction"]].sample(frac=1, random_state=1).to_parquet(tmp_path / "p.parquet")
    rows[["id", "target", "g"]][:50].to_csv(tmp_path / "t.csv", index=False)
    rows.to_csv(tmp_path / "d.txt", sep=";", index=False, header=False)
    np.save(tmp_path / "v.npy", rng.random(60) + 0.5)
    monkeypatch.chdir(tmp_path)
    return tmp_path


Run = Callable[..., Ran]


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*words: object) -> Ran:
        status = cli.run([str(word) for word in words])
        return Ran(status, *capsys.readouterr())

    return call


def saved(run: Run, *words: str) -> Path:
    """A report of the evaluation."""
    ran = run("eval", *words, "--report", "json=r.json")
    assert ran.status == 0, ran.err
    return Path("r.json")


def edited(path: Path, **fields: Any) -> Path:
    """The report with other fields; `losses__0__value` is a field of a field."""
    found = json.loads(path.read_text())
    for name, value in fields.items():
        *way, last = name.split("__")
        place: Any = found
        for step in way:
            place = place[int(step) if step.isdigit() else step]
        place[last] = value
    path.write_text(json.dumps(found))
    return path


KINDS: dict[str, list[str]] = {
    "plain": ["d.csv", "-l", "mse", "-l", "huber:delta=0.2", "-l", "0.5*mae+0.5*rmse"],
    "options": [
        "d.csv", "-l", "mae", "-l", "rmse", "--weight", "w", "--by", "g", "--reduction", "sum",
        "--confidence", "0.8", "--dtype", "float32", "--nan", "skip",
    ],
    "resampled": ["d.csv", "-l", "mae", "--bootstrap", "200", "--seed", "7", "--cluster", "g"],
    "joined": ["p.parquet", "t.csv", "--on", "id", "--unmatched", "drop", "-l", "mae", "--by", "g"],
    "by row": ["p.parquet::prediction", "d.csv::target", "--on", "row", "-l", "mae"],
    "format": ["d.txt", "--input-format", "csv", "--delimiter", ";", "--no-header",
               "--prediction", "1", "--target", "2", "-l", "mae"],
    "convention": ["d.csv", "-l", "bce", "--convention", "keras", "-l", "brier"],
    "all conventions": ["d.csv", "-l", "mse", "--convention", "*"],
    "two names": ["d.csv", "-l", "mse", "-l", "mean_squared_error"],
    "input": ["d.csv", "--input", "variance=v.npy", "-l", "gaussian_nll"],
    "precision": ["d.csv", "-l", "mae", "-l", "mse", "--by", "g", "--precision", "3"],
    "more": ["d.csv", "-l", "mae", "--worst", "3", "--per-sample", "--fail-if", "mae > 99"],
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_just_evaluated_holds(run: Run, kind: str) -> None:
    words = KINDS[kind]
    if kind == "convention":
        words = [word if word != "brier" else "mae" for word in words]
    ran = run("verify", saved(run, *words))
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("r.json: holds: ")
    assert ran.out.endswith("samples, to the last bit\n")
    validator("eval-1").validate(json.loads(Path("r.json").read_text()))


@pytest.mark.parametrize(
    ("words", "files"),
    [
        (["-l", "cross_entropy:from_logits=true"], ["digits_logits.npy", "digits_labels.npy"]),
        (["-l", "0.5*dice+0.5*bce"], ["masks_prob.npy", "masks_true.npy"]),
        (["-l", "triplet:margin=0.2"], ["digits_triplets.npz"]),
        (["-l", "bce", "-l", "brier", "--by", "size"], ["cancer_boosting.parquet"]),
        (["-l", "dice:average=none"], ["masks_prob.npy", "masks_true.npy"]),
    ],
)
def test_the_sample_data_hold(run: Run, words: list[str], files: list[str]) -> None:
    path = saved(run, *(str(SAMPLE_DATA / name) for name in files), *words)
    for threads in ("1", "3"):
        assert run("verify", path, "--threads", threads).status == 0


def test_infinite_losses_hold(run: Run) -> None:
    Path("i.csv").write_text("prob,label\n0,1\n0.5,1\n")
    assert run("verify", saved(run, "i.csv", "-l", "bce")).status == 0


def test_the_python_face(run: Run) -> None:
    path = saved(run, "d.csv", "-l", "mae")
    found = lossctl.verify(path)
    assert (found.holds, found.exact, found.losses, found.samples) == (True, True, ("mae",), 60)
    assert isinstance(found, lossctl.Verification)
    report = lossctl.evaluate("huber", "d.csv", delta=0.3)
    path.write_text(json.dumps(report.to_dict()))
    assert lossctl.verify(path).holds


def test_other_data(run: Run, folder: Path) -> None:
    path = saved(run, "d.csv", "-l", "mae", "--by", "g")
    text = (folder / "d.csv").read_text().splitlines()
    last = text[-1].split(",")
    text[-1] = ",".join([last[0], "0.123", *last[2:]])
    (folder / "d.csv").write_text("\n".join(text))
    ran = run("verify", path)
    assert (ran.status, ran.err) == (1, "")
    assert "r.json: does not hold: 1 loss of 60 samples" in ran.out
    assert "\ndata  data " in ran.out
    assert "mae" in ran.out and "g=" in ran.out
    found = lossctl.verify(path)
    assert {item.kind for item in found.changed} == {"data"}
    assert found.notes == ()
    (folder / "d.csv").write_text("\n".join(text[:-2]))
    found = lossctl.verify(path)
    names = {(item.kind, item.name) for item in found.changed}
    assert {("data", "n"), ("data", "data")} <= names
    assert ("", "samples") in {(item.loss, item.figure) for item in found.figures}


def test_data_that_give_the_same_number_do_not_hold(run: Run, folder: Path) -> None:
    path = saved(run, "d.csv", "-l", "mae", "--precision", "6")
    head, *rows = (folder / "d.csv").read_text().splitlines()
    (folder / "d.csv").write_text("\n".join([head, *rows[::-1]]))
    found = lossctl.verify(path)
    assert (found.holds, found.figures) == (False, ())


def test_other_columns(run: Run, folder: Path) -> None:
    path = saved(run, "d.csv::prediction", "d.csv::target", "-l", "mae")
    edited(path, options__inputs={"prediction": "d.csv::w", "target": "d.csv::target"})
    ran = run("verify", path)
    assert ran.status == 1
    assert "columns of prediction" in ran.out


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"options__nan": "skip"}, "nan"),
        ({"options__reduction": "sum"}, "reduction"),
        ({"options__dtype": "float32"}, "dtype"),
        ({"options__losses": ["huber:delta=2"]}, "loss"),
    ],
)
def test_other_parameters(run: Run, fields: dict[str, Any], name: str) -> None:
    path = edited(saved(run, "d.csv", "-l", "huber"), **fields)
    found = lossctl.verify(path)
    assert not found.holds
    assert [(item.kind, item.name) for item in found.changed] == [("parameters", name)]
    assert run("verify", path).status == 1


def test_a_number_that_was_changed(run: Run) -> None:
    path = saved(run, "d.csv", "-l", "mae", "--by", "g")
    value = json.loads(path.read_text())["losses"][0]["value"]
    edited(path, losses__0__value=value * 2)
    ran = run("verify", path)
    assert ran.status == 1
    assert "the report's numbers were changed" in ran.out
    assert repr(value * 2) in ran.out and repr(value) in ran.out
    edited(path, losses__0__value=float(np.nextafter(value, 1)))
    ran = run("verify", path)
    assert ran.status == 1
    assert "another machine's or library's arithmetic" in ran.out
    edited(path, losses__0__value=value, losses__0__groups__1__interval__low=None)
    ran = run("verify", path)
    assert (ran.status, "interval low" in ran.out, "null" in ran.out) == (1, True, True)


def test_another_version(run: Run) -> None:
    path = saved(run, "d.csv", "-l", "mae")
    found = json.loads(path.read_text())
    value, signature = found["losses"][0]["value"], found["signature"]
    old = signature.replace(lossctl.__version__, "0.0.9", 1)
    edited(path, version="0.0.9", signature=old, losses__0__value=value * (1 + 1e-13))
    ran = run("verify", path)
    assert ran.status == 0
    assert f"to 1e-12 (lossctl 0.0.9 then, {lossctl.__version__} now)" in ran.out
    edited(path, losses__0__value=value * (1 + 1e-11))
    ran = run("verify", path)
    assert ran.status == 1
    assert "the versions compute these numbers differently" in ran.out
    assert "\nversion  lossctl  0.0.9" in ran.out


def test_a_rounded_report_holds_to_its_digits(run: Run) -> None:
    path = saved(run, "d.csv", "-l", "mae", "--precision", "3", "--confidence", "0.99")
    found = json.loads(path.read_text())
    assert (found["options"]["precision"], found["options"]["confidence"]) == (3, 0.99)
    assert run("verify", path).status == 0
    edited(path, losses__0__value=found["losses"][0]["value"] + 0.001)
    assert run("verify", path).status == 1


def test_from_another_folder(
    run: Run, folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: Any
) -> None:
    path = folder / saved(run, "d.csv", "-l", "mae", "--weight", "d.csv::w")
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    ran = run("verify", path)
    assert (ran.status, ran.out) == (2, f"{path}: could not be evaluated\n")
    assert "d.csv: no such file" in ran.err
    assert run("verify", path, "--root", folder).status == 0
    ran = run("verify", path, "--root", "no")
    assert (ran.status, ran.err) == (
        2, "error: --root no: there is no such folder\nname the report's\n",
    )  # fmt: skip


def test_json_fits_its_schema(run: Run) -> None:
    path = saved(run, "d.csv", "-l", "mae", "--by", "g")
    check = validator("verify-1")
    ran = run("verify", path, path, "--json")
    found = parsed(ran.out)
    check.validate(found)
    assert (ran.status, found["holds"], len(found["reports"])) == (0, True, 2)
    edited(path, losses__0__value=1.5, options__nan="skip")
    ran = run("verify", path, "--json")
    found = parsed(ran.out)
    check.validate(found)
    (report,) = found["reports"]
    assert (ran.status, found["holds"], report["exact"]) == (1, False, True)
    assert report["figures"][0]["reported"] == 1.5


def test_several_reports(run: Run) -> None:
    path = saved(run, "d.csv", "-l", "mae")
    Path("other.json").write_text(path.read_text())
    edited(path, losses__0__value=1.5)
    ran = run("verify", "other.json", path)
    assert ran.status == 1
    assert ran.out.startswith("other.json: holds")
    assert "r.json: does not hold" in ran.out


def test_a_report_that_cannot_be_evaluated_does_not_stop_the_others(run: Run) -> None:
    path = saved(run, "d.csv", "-l", "mae")
    Path("b.json").write_text(path.read_text())
    edited(path, losses__0__value=1.5)
    words = ("verify", "b.json", "missing.json", path, "b.json")
    ran = run(*words)
    assert ran.status == 2
    assert ran.err.startswith("error: missing.json: no such file or directory\nname a report")
    found = [line for line in ran.out.splitlines() if ".json: " in line]
    assert [line.partition(": ")[2].partition(":")[0] for line in found] == [
        "holds", "could not be evaluated", "does not hold", "holds",
    ]  # fmt: skip
    ran = run(*words, "--json")
    read = parsed(ran.out)
    validator("verify-1").validate(read)
    assert (ran.status, read["holds"]) == (2, False)
    assert [item["holds"] for item in read["reports"]] == [True, False, False, True]
    assert read["reports"][1] == {
        "report": "missing.json", "holds": False,
        "error": "missing.json: no such file or directory; name a report of lossctl eval --json",
    }  # fmt: skip


def test_a_report_of_fewer_losses(run: Run) -> None:
    path = edited(saved(run, "d.csv", "-l", "mae"), options__losses=["mae", "mse"])
    found = lossctl.verify(path)
    assert [(item.figure, item.reported, item.now) for item in found.figures] == [
        ("number of losses", 1, 2)
    ]


def test_losses_of_a_plugin(folder: Path) -> None:
    (folder / "verified.py").write_text(
        "from lossctl.losses import Example, loss\n\n\n"
        '@loss(name="verified", task="regression", summary="s", formula="f", use="u",\n'
        '      reference="r", example=Example({"prediction": [1], "target": [0]}, 1.0))\n'
        "def verified(xp, prediction, target):\n    return xp.abs(prediction - target)\n"
    )

    def lossctl_process(*arguments: str) -> subprocess.CompletedProcess[str]:
        # of its own: the registry of this one is that of the other tests
        command = [sys.executable, "-m", "lossctl", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    plugin = ("--plugin", "verified.py")
    made = lossctl_process("eval", "d.csv", "-l", "verified", "--json", *plugin)
    (folder / "report.json").write_text(made.stdout)
    ran = lossctl_process("verify", "report.json")
    assert (ran.returncode, "there is no loss 'verified'" in ran.stderr) == (2, True)
    assert lossctl_process("verify", "report.json", *plugin).returncode == 0


def test_many_numbers_are_cut(run: Run, folder: Path) -> None:
    path = saved(run, "d.csv", "-l", "mae", "--by", "id")
    text = (folder / "d.csv").read_text().replace("0.", "0.1")
    (folder / "d.csv").write_text(text)
    ran = run("verify", path)
    assert "more numbers" in ran.out
    assert len(ran.out.splitlines()) < 40


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: path.unlink(), "r.json: no such file or directory"),
    "text": (lambda path: path.write_text("{"), "is no JSON"),
    "list": (lambda path: path.write_text("[]"), "says no schema, not lossctl.eval/1"),
    "other": (lambda path: edited(path, schema="lossctl.losses/1"), "is lossctl.losses/1, not"),
    "old": (lambda path: edited(path, options=None), "does not say how it was made"),
    "half": (
        lambda path: edited(path, options={"losses": ["mae"]}),
        "options are not whole: inputs is missing\n",
    ),
    "empty": (lambda path: edited(path, losses=[{}]), "is not whole"),
    "no text": (lambda path: edited(path, signature=None), "is not whole"),
    "groups": (lambda path: edited(path, losses__0__groups=5), "is not whole"),
    "interval": (lambda path: edited(path, losses__0__interval=[1]), "is not whole"),
    "digits": (lambda path: edited(path, options__precision="3"), "is not whole"),
    "kind": (
        lambda path: edited(path, options__inputs=["d.csv"]),
        'options are not whole: inputs is ["d.csv"]\n',
    ),
    "level": (lambda path: edited(path, options__confidence="x"), 'not whole: confidence is "x"'),
    "seed": (lambda path: edited(path, options__seed=None), "not whole: seed is null"),
    "header": (lambda path: edited(path, options__header=1), "not whole: header is 1"),
    "losses": (lambda path: edited(path, options__losses="mae"), 'not whole: losses is "mae"'),
    "key": (lambda path: edited(path, options__on=[]), "not whole: on is []"),
    "stdin": (lambda path: edited(path, options__inputs={"prediction": "-"}), "standard input"),
    "array": (
        lambda path: path.write_text(json.dumps(lossctl.evaluate("mae", [1.0], [0]).to_dict())),
        "prediction was an array in memory",
    ),
    "weight": (
        lambda path: path.write_text(
            json.dumps(lossctl.evaluate("mae", "d.csv", weight=np.ones(60)).to_dict())
        ),
        "weight was an array in memory",
    ),
    "loss": (lambda path: edited(path, options__losses=["maee"]), "there is no loss 'maee'"),
    "choice": (lambda path: edited(path, options__nan="keep"), "'keep' is not known"),
    "gone": (lambda _: Path("d.csv").unlink(), "d.csv: no such file"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_refused(run: Run, kind: str) -> None:
    path = saved(run, "d.csv", "-l", "mae")
    change, what = REFUSED[kind]
    change(path)
    ran = run("verify", path)
    assert (ran.status, ran.out) == (2, "r.json: could not be evaluated\n")
    assert what in ran.err
    assert len(ran.err.splitlines()) <= 2


def test_reports_of_comparisons_have_no_options() -> None:
    assert lossctl.evaluate("mae", [1.0], [0.0]).options is not None
    assert "options" not in lossctl.Report("1", "", 0, 0, {}, ()).to_dict()


EDITS: dict[str, Any] = {
    "value": lambda loss: loss.update(value=float("inf")),
    "no value": lambda loss: loss.pop("value"),
    "no interval": lambda loss: loss.pop("interval"),
    "another loss": lambda loss: loss.update(loss="mse"),
    "another spec": lambda loss: loss.update(spec="mse"),
    "another reduction": lambda loss: loss.update(reduction="sum"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_report_that_was_edited_does_not_hold(run: Run, edit: str) -> None:
    path = saved(run, "d.csv", "-l", "mae")
    report = json.loads(path.read_text("utf-8"))
    EDITS[edit](report["losses"][0])
    path.write_text(json.dumps(report))  # which may write Infinity
    assert not lossctl.verify(path).holds
    assert run("verify", path).status == 1
