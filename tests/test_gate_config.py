"""The file of gates: what it may say, and where an error says it is wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import lossctl
from lossctl.gates.config import read
from lossctl.gates.gate import Allowance, Config
from lossctl.gates.keys import DEFAULTS, OWN
from lossctl.gates.lines import lines_of
from lossctl.gates.wording import in_keys
from lossctl.sources.reference import Reference

DOCS = Path(lossctl.__file__).parent / "docs" / "gates.md"


def write(folder: Path, text: str, name: str = "lossctl.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def of(folder: Path, text: str) -> Config:
    return read(write(folder, text))


def test_every_key_is_read(tmp_path: Path) -> None:
    plugin = write(tmp_path, "", "plugin.py")
    plugin.write_text(
        "from lossctl.losses import Example, loss\n"
        "@loss(summary='s', formula='f', task='regression', use='u', reference='r',\n"
        "      example=Example({'prediction': [1], 'target': [0]}, 1.0))\n"
        "def gate_test_loss(xp, prediction, target):\n    return xp.abs(prediction - target)\n"
    )
    found = of(
        tmp_path,
        """
prediction = "p.csv::y_pred"
target = "y_true"
inputs = {variance = "v.npy"}
weight = "w"
cluster = "c.csv::id"
on = "id"
unmatched = "drop"
nan = "skip"
reduction = "sum"
convention = "torch"
bootstrap = 200
seed = 0
confidence = 0.9
dtype = "float64"
plugins = "plugin.py"
baseline = "/base.csv"

[[gate]]
name = "all"
loss = "gaussian_nll"
figure = "p95"
max = 3
min = -1.5
samples = 10
group = ["a", "b"]
max_regression = "2.5%"
on = ""

[[gate]]
loss = "gate_test_loss"
convention = ""
alpha = 0.01
margin = 1

[[gate]]
fail_if = "any group(a=1): mse > 3"
""",
    )
    first, second, third = found.gates
    assert first.name == "all"
    assert dict(first.options.inputs) == {
        "prediction": Reference(str(tmp_path / "p.csv"), "y_pred"),
        "target": Reference("", "y_true"),
        "variance": Reference(str(tmp_path / "v.npy")),
    }
    assert first.options.weight == Reference("", "w")
    assert first.options.cluster == Reference(str(tmp_path / "c.csv"), "id")
    assert first.options[3:] == (None, "drop", "skip", "sum", "torch", "float64")
    assert second.options.on == "id"
    assert second.options.convention is None
    assert first.intervals == (0.9, 200, 0)
    assert (first.figure, first.most, first.least, first.samples) == ("p95", 3, -1.5, 10)
    assert first.group == first.columns == ("a", "b")
    assert first.max_regression == Allowance(0.025, True)
    assert first.baseline == Reference("/base.csv")
    assert (second.alpha, second.margin) == (0.01, Allowance(1))
    assert third.baseline is None, "nothing is compared with it"
    assert third.columns == ("a",)
    assert [item.name for item in found.gates[1:]] == [
        "gate_test_loss against base.csv", "not any group(a=1): mse > 3",
    ]  # fmt: skip


TOP = 'prediction = "p.npy"\ntarget = "t.npy"\n'  # lines 1 and 2; [[gate]] is line 3
BROKEN = [
    ("x = 1\n", 1, "there is no key 'x'", "keys: prediction, target"),
    ('predicton = "p"\n', 1, "there is no key 'predicton'", "did you mean prediction"),
    ("max = 1\n", 1, "max belongs to a gate", "under [[gate]]"),
    (TOP, None, "there is no gate", "--init"),
    ("[gate]\nmax = 1\n", 1, "there may be several gates", "[[gate]]"),
    ("gate = 3\n", 1, "gate must be a list of tables", "under [[gate]]"),
    ("a = \n", 1, "invalid value", "TOML"),
    (TOP + '[[gate]]\nloss = "mse"\nmaxx = 1\n', 5, "there is no key 'maxx'", "did you mean max"),
    (TOP + "[[gate]]\nmax = 1\n", 3, "the gate has no loss", 'loss = "mse"'),
    (TOP + '[[gate]]\nloss = "msee"\nmax = 1\n', 4, "there is no loss 'msee'", "mse"),
    (TOP + '[[gate]]\nloss = "huber:dleta=1"\nmax = 1\n', 4, "dleta", ""),
    (TOP + '[[gate]]\nloss = "bce@*"\nmax = 1\n', 3, "stands for several losses", "one"),
    (TOP + '[[gate]]\nloss = "mse"\n', 3, "nothing to check", "max, min, max_regression"),
    (TOP + '[[gate]]\nloss = "mse"\nmin = 2\nmax = 1\n', 5, "min 2 is above max 1", "between"),
    (TOP + '[[gate]]\nloss = "mse"\nmax = "1"\n', 5, 'max must be a number, not "1"', ""),
    (TOP + '[[gate]]\nloss = "mse"\nmax = true\n', 5, "max must be a number, not true", ""),
    (TOP + '[[gate]]\nloss = "mse"\nmax = nan\n', 5, "max must be a number", ""),
    (TOP + '[[gate]]\nloss = 3\nmax = 1\n', 4, "loss must be text in quotes, not 3", ""),
    (TOP + '[[gate]]\nloss = "mse"\nsamples = 0\n', 5, "samples must be a whole number of 1", ""),
    (TOP + '[[gate]]\nloss = "mse"\nsamples = 1.5\n', 5, "samples must be a whole number", ""),
    (TOP + '[[gate]]\nloss = "mse"\nfigure = "p96"\nmax = 1\n', 5, "one of value, mean", ""),
    (TOP + '[[gate]]\nloss = "mse"\nfigure = "p95"\nsamples = 1\n', 5, "figure goes with max", ""),
    (TOP + '[[gate]]\nloss = "mse"\ngroup = [1]\nmax = 1\n', 5, "group must be text in quotes", ""),
    (TOP + '[[gate]]\nloss = "mse"\ngroup = []\nmax = 1\n', 5, "group must be text in quotes", ""),
    (TOP + '[[gate]]\nloss = "mse"\nalpha = 5\n', 5, "alpha must be a number between 0 and 1", ""),
    (TOP + '[[gate]]\nloss = "mse"\nmax_regression = "2"\n', 5, "or a share such as", ""),
    (TOP + '[[gate]]\nloss = "mse"\nmax_regression = -1\n', 5, "a number of 0 or more", ""),
    (TOP + '[[gate]]\nloss = "mse"\nmax_regression = 1\n', 5, "there is none", "baseline ="),
    (TOP + '[[gate]]\nloss = "mse"\nalpha = 0.05\n', 5, "alpha compares with a baseline", ""),
    (
        TOP + '[[gate]]\nloss = "mse"\nmax = 1\nbaseline = "b.npy"\n',
        6, "nothing is compared with the baseline", "max_regression, or alpha",
    ),
    (
        TOP + '[[gate]]\nloss = "mse"\nbaseline = "b.npy"\nmargin = 1\nmax_regression = 1\n',
        6, "margin is for a test", "alpha = 0.05",
    ),
    (
        TOP + '[[gate]]\nloss = "mse"\nbaseline = "b.npy"\nalpha = 0.1\nmargin = 1\n'
        "max_regression = 1\n",
        7, "margin and max_regression are two questions", "a gate of its own",
    ),
    (
        TOP + '[[gate]]\nloss = "mse"\nbaseline = "b.json"\nalpha = 0.1\n',
        6, "b.json holds no samples", "the baseline's predictions",
    ),
    (
        TOP + '[[gate]]\nloss = "mse"\nbaseline = "b.npy"\nalpha = 0.1\nfigure = "p95"\n'
        "max_regression = 1\n",
        6, "the test is of the loss's value, not of its p95", "leave out",
    ),
    (
        TOP + '[[gate]]\nloss = "lovasz_hinge:per_image=false"\nbaseline = "b.npy"\nalpha = 0.1\n',
        6, "per_image=false has no independent paired samples", "another loss",
    ),
    (
        TOP + '[[gate]]\nloss = "mse"\nbaseline = "b.npy"\nmax_regression = 1\nfigure = "high"\n'
        "bootstrap = 200\n",
        5, "resamples differences alone", "leave out bootstrap",
    ),
    (
        'target = "t.npy"\n\n[[gate]]\nloss = "mse"\nbaseline = "b.npy"\nalpha = 0.1\n',
        5, "takes the place of prediction", "give prediction",
    ),
    ('\n\n[[gate]]\nloss = "mse"\nmax = 1\n', 3, "the gate has no prediction", "at the top"),
    (TOP + '[[gate]]\nfail_if = "mse >"\n', 4, "fail_if mse >  ← at character 6", "for example"),
    (
        TOP + '[[gate]]\nloss = "mae"\nfail_if = "mse > 1"\n',
        5, "fail_if speaks of mse, and the gate's loss is mae", "name the same",
    ),
    (
        TOP + '[[gate]]\ngroup = "a"\nfail_if = "group(b): mse > 1"\n',
        4, "fail_if speaks of groups of b, and group does not", "the same columns",
    ),
    (
        TOP + '[[gate]]\nloss = "mse"\nmax = 1\n[[gate]]\nloss = "mse"\nmax = 1\n',
        6, "there are two gates 'mse <= 1'", "name of its own",
    ),
    (
        TOP + '[[gate]]\nloss = "mse"\nmax = 1\ninputs = {varance = "v.npy"}\n',
        6, "mse takes no input 'varance'", "inputs: prediction, target",
    ),
    (
        TOP + '[[gate]]\nloss = "gaussian_nll"\nmax = 1\n[gate.inputs]\nvarance = "v.npy"\n',
        7, "gaussian_nll takes no input 'varance'", "did you mean variance",
    ),
    ('prediction = "-"\n', 1, "standard input, which can be read once", "name a file"),
    ("nan = 1\n", 1, "nan must be one of error, skip, propagate, not 1", ""),
    ('nan = "skp"\n', 1, 'not "skp"', "did you mean skip"),
    ("inputs = 1\n", 1, "inputs must be a table of references by name", ""),
    ("inputs = {v = 1}\n", 1, "inputs must be a table of references by name", ""),
    ("bootstrap = 50\n", 1, "bootstrap must be a whole number from 100 to 1,000,000", ""),
    ("seed = -1\n", 1, "seed must be a whole number of 0 or more", ""),
    ("confidence = 95\n", 1, "confidence must be a number between 0 and 1, not 95", ""),
    ('plugins = ["no.py"]\n[[gate]]\n', 1, "no.py", ""),
    ("baseline = 3\n", 1, "baseline must be a reference", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "what", "hint"), BROKEN)
def test_an_error_says_where_what_and_what_to_do(
    text: str, line: int | None, what: str, hint: str, tmp_path: Path
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(lossctl.UsageError) as caught:
        read(path)
    where = str(path) if line is None else f"{path}:{line}"
    assert caught.value.what.startswith(f"{where}: ")
    assert what in caught.value.what
    assert hint in caught.value.hint
    assert len(str(caught.value).splitlines()) <= 2


def test_pyproject_and_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f'[project]\nname = "x"\n[tool.lossctl]\n{TOP}[[tool.lossctl.gate]]\nloss = "mse"\n'
    path = write(tmp_path, text + "max = 1\n", "pyproject.toml")
    for given in (path, tmp_path):
        assert [item.name for item in read(given).gates] == ["mse <= 1"]
    monkeypatch.chdir(tmp_path)
    assert read().path == "pyproject.toml"
    with pytest.raises(lossctl.UsageError, match=r"pyproject\.toml:8: max must be"):
        path.write_text(text + "max = []\n", "utf-8")
        read()
    write(tmp_path, TOP + '[[gate]]\nloss = "mae"\nmax = 1\n')
    assert read().path == "lossctl.toml"
    assert read().gates[0].options.inputs[0] == ("prediction", Reference("p.npy"))


def test_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(lossctl.UsageError, match=r"there is no lossctl\.toml"):
        read()
    write(tmp_path, '[project]\nname = "x"\n', "pyproject.toml")
    with pytest.raises(lossctl.UsageError, match=r"there is no lossctl\.toml"):
        read()
    with pytest.raises(lossctl.UsageError, match=r"there is no \[tool.lossctl\]"):
        read("pyproject.toml")
    with pytest.raises(lossctl.UsageError, match="no such file"):
        read("other.toml")
    (tmp_path / "x.toml").write_bytes(b"\xff")
    with pytest.raises(lossctl.UsageError, match="not text in UTF-8"):
        read("x.toml")


def test_a_mapping_is_a_config() -> None:
    gate = {"loss": "mse", "max": 1}
    assert read({"prediction": "p.npy", "gate": [gate]}).gates[0].most == 1
    with pytest.raises(lossctl.UsageError, match=r"\(config\): there is no key 'x'"):
        read({"x": 1, "gate": [gate]})


def test_lines_are_found_whatever_the_writing() -> None:
    text = '''# c [x
a = "x # ] [" # [
"b c".d = [1, # [[
 2]
[t]
s = """
q = 1
"""
v.w = 1
[[gate]]
max = 1
[gate.inputs]
v = 2
[[gate]]   # x
'l' = {a = 1}
'''
    found = lines_of(text)
    assert found[("a",)] == 2
    assert found[("b c", "d")] == 3
    assert found[("t", "s")] == 6
    assert ("t", "q") not in found
    assert found[("t", "v", "w")] == 9
    assert found[("gate", 0, "max")] == 11
    assert found[("gate", 0, "inputs", "v")] == 13
    assert found[("gate", 1)] == 14
    assert found[("gate", 1, "l")] == 15


def test_a_key_is_of_the_top_or_of_a_gate() -> None:
    assert not set(DEFAULTS) & set(OWN)


def rows(text: str, title: str) -> dict[str, str]:
    """The table under a heading, by the first column."""
    part = text.split(f"## {title}\n")[1].split("\n## ")[0]
    found: dict[str, Any] = dict(re.findall(r"^\| `([^`]+)` \| (.*) \|$", part, re.MULTILINE))
    return found


def test_the_page_has_every_key_and_every_figure() -> None:
    from lossctl.gates.expression import FIGURES

    text = DOCS.read_text("utf-8")
    assert rows(text, "Expressions") == FIGURES
    assert rows(text, "Keys at the top") == {name: key.meaning for name, key in DEFAULTS.items()}
    assert rows(text, "Keys of a gate") == {name: key.meaning for name, key in OWN.items()}


@pytest.mark.parametrize("block", re.findall(r"```toml\n(.*?)```", DOCS.read_text("utf-8"), re.S))
def test_the_examples_of_the_page_are_read(block: str, tmp_path: Path) -> None:
    assert of(tmp_path, block).gates


def test_a_target_alone_is_no_prediction() -> None:
    with pytest.raises(lossctl.UsageError, match="the gate has no prediction"):
        read({"target": "t.csv", "gate": [{"loss": "mae", "max": 1}]})


def test_an_input_that_no_loss_takes() -> None:
    config = {"prediction": "p.csv", "inputs": {"varaince": "v.npy"}}
    with pytest.raises(lossctl.UsageError, match="no gate's loss takes an input 'varaince'") as got:
        read(config | {"gate": [{"loss": "gaussian_nll", "max": 1}]})
    assert "variance" in str(got.value)


def test_two_questions_of_one_loss_have_two_names() -> None:
    gates = [{"loss": "mae", "alpha": 0.05}, {"loss": "mae", "alpha": 0.05, "margin": 0.1}]
    found = read({"prediction": "p.csv", "baseline": "b.csv", "gate": gates}).gates
    assert found[0].name != found[1].name
    named = [item | {"name": "same"} for item in gates]
    with pytest.raises(lossctl.UsageError, match="two gates 'same'"):
        read({"prediction": "p.csv", "baseline": "b.csv", "gate": named})


@pytest.mark.parametrize(
    ("hint", "told"),
    [
        ("", ""),
        ("say it with --prediction COLUMN", 'say it with prediction = "PATH::COLUMN"'),
        ("say it with --target COLUMN", 'say it with target = "COLUMN"'),
        ("give --input target=REF", 'give target = "REF"'),
        ("give --input variance=v.npy::x", 'give inputs = {variance = "v.npy::x"}'),
        ("all columns with --prediction 'p_*'", 'all columns with prediction = "PATH::p_*"'),
        ("say it with --weight ::COLUMN", 'say it with weight = "::COLUMN"'),
        ("compare the same (--on KEY joins them)", 'compare the same (on = "KEY" joins them)'),
        ("leave out --bootstrap: or not", "leave out bootstrap: or not"),
        ("give --by g", 'give group = "g"'),
        ("did you mean a--nan.csv?", "did you mean a--nan.csv?"),
        ("mend the row, or check --delimiter and the quotes", "mend the row"),
        ("known: .csv (.tsv too); or say it with --input-format", "known: .csv (.tsv too)"),
        ("if the file has no header, say --no-header", "a file of gates has no key for that"),
        ("look: lossctl compare --test sign", "look: lossctl compare --test sign"),
        ("write it anew: lossctl gate --update", "write it anew: lossctl gate --update"),
    ],
)
def test_a_hint_speaks_of_keys(hint: str, told: str) -> None:
    found = in_keys(lossctl.DataError("--on id: the key must be one column", hint))
    assert isinstance(found, lossctl.DataError)
    assert found.what == 'on = "id": the key must be one column'
    assert found.hint.partition(": save")[0] == told


def test_every_option_of_an_evaluation_has_a_key() -> None:
    from lossctl.cli.eval import command

    options = {word for param in command.params for word in param.opts if word.startswith("--")}
    without = {
        "--backend", "--delimiter", "--format", "--input-format", "--interval", "--json", "--loss",
        "--metrics", "--no-header", "--output", "--per-sample", "--precision", "--progress",
        "--quiet", "--report", "--threads", "--worst",
    }  # fmt: skip
    assert {word for word in options if in_keys(lossctl.DataError(word)).what == word} == without
