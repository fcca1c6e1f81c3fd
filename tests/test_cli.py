"""The command line: what it prints where, with which exit status, and what it leaves behind."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from lossctl import cli, losses

SAMPLE_DATA = Path(__file__).parent.parent / "sample_data"


class Ran(NamedTuple):
    status: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """The command line in this process."""

    def call(*arguments: object) -> Ran:
        status = cli.run([str(item) for item in arguments])
        caught = capsys.readouterr()
        return Ran(status, caught.out, caught.err)

    return call


def process(*arguments: object, stdin: bytes | None = None, **options: Any) -> Ran:
    """The command line as a process."""
    done = subprocess.run(
        [sys.executable, "-m", "lossctl", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        check=False,
        **options,
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def csv(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    rng = np.random.default_rng(0)
    np.save(tmp_path / "p.npy", rng.standard_normal(100))
    np.save(tmp_path / "t.npy", rng.standard_normal(100))
    return tmp_path / "p.npy", tmp_path / "t.npy"


# ---- the known values of the definitions ------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "data", "expected"),
    [
        ("mae", "y_pred,y_true\n1,0\n1,0\n", 1.0),
        ("mse", "y_pred,y_true\n1,0\n1,1\n", 0.5),
        ("huber", "y_pred,y_true\n0.6,0\n0.4,1\n", 0.18),
        ("bce", "prob,label\n0.4,0\n0.6,1\n", 0.5108256),
    ],
)
def test_known_values(run: Run, tmp_path: Path, spec: str, data: str, expected: float) -> None:
    ran = run("eval", csv(tmp_path / "d.csv", data), "-l", spec, "-q")
    assert (ran.status, ran.err) == (0, "")
    assert float(ran.out) == pytest.approx(expected, abs=5e-8)


def test_known_value_of_keras_in_float32(run: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", np.array([0.4, 0.6], dtype=np.float32))
    np.save(tmp_path / "t.npy", np.array([0, 1], dtype=np.float32))
    paths = (tmp_path / "p.npy", tmp_path / "t.npy")
    ran = run("eval", *paths, "-l", "bce@keras2", "-l", "bce@keras", "-q")
    second, third = map(float, ran.out.split())
    assert second == pytest.approx(0.5108254, abs=5e-8)
    assert third == pytest.approx(0.5108254, rel=1e-6)  # Keras 3 itself: 0.51082563


def test_known_value_of_cce(run: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", [[0.05, 0.95, 0], [0.1, 0.8, 0.1]])
    np.save(tmp_path / "t.npy", [[0, 1, 0], [0, 0, 1]])
    paths = (tmp_path / "p.npy", tmp_path / "t.npy")
    ran = run("eval", *paths, "-l", "cce", "-q")
    assert float(ran.out) == pytest.approx(1.1769392, abs=5e-8)
    total = run("eval", *paths, "-l", "cce", "-q", "--reduction", "sum")
    assert float(total.out) == pytest.approx(2 * 1.1769392, abs=1e-7)


# ---- what is printed where --------------------------------------------------------------


def test_results_go_to_standard_output_alone(pair: tuple[Path, Path]) -> None:
    ran = process("eval", *pair, "-l", "mse")
    assert ran.status == 0
    assert ran.err == ""
    assert "mse" in ran.out
    assert "\x1b" not in ran.out


@pytest.mark.parametrize("format_", ["table", "json", "jsonl", "csv", "markdown"])
def test_formats_are_text_with_one_last_newline(
    run: Run, pair: tuple[Path, Path], format_: str
) -> None:
    ran = run("eval", *pair, "-l", "mse", "-l", "mae", "-f", format_)
    assert ran.status == 0
    assert ran.out.endswith("\n")
    assert not ran.out.endswith("\n\n")


def test_colour_is_forced_and_refused(pair: tuple[Path, Path]) -> None:
    arguments = ("eval", *pair, "-l", "mse")
    env = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    assert "\x1b[" in process(*arguments, env={**env, "FORCE_COLOR": "1"}).out
    assert "\x1b[" not in process(*arguments, env={**env, "NO_COLOR": "1"}).out


def test_json_is_strict_and_complete(run: Run, tmp_path: Path) -> None:
    path = csv(tmp_path / "d.csv", "prob,label,g\n0,1,a\n0.5,1,b\n0.9,1,b\n")
    ran = run(
        "eval", path, "-l", "bce", "--by", "g", "--worst", 2, "--per-sample", "--json",
    )  # fmt: skip

    def refuse(token: str) -> None:
        raise AssertionError(token)

    found = json.loads(ran.out, parse_constant=refuse)
    loss = found["losses"][0]
    assert loss["value"] is None
    assert loss["nonfinite"] == 1
    assert loss["per_sample"][0] is None
    assert loss["groups"][1]["value"] == pytest.approx(-(np.log(0.5) + np.log(0.9)) / 2)
    assert [item["sample"] for item in loss["worst"]] == [0, 1]
    assert found["inputs"]["prediction"]["columns"] == ["prob"]


def test_a_single_stream_serves_all_inputs() -> None:
    ran = process(
        "eval", "-", "--input-format", "csv", "-l", "mae", "-q",
        stdin=b"y_pred,y_true\n1,3\n2,2\n",
    )  # fmt: skip
    assert (ran.status, ran.out) == (0, "1.0\n")


def test_quiet_prints_every_value(run: Run, pair: tuple[Path, Path]) -> None:
    ran = run("eval", *pair, "-l", "mse", "-l", "mae", "-q")
    values = [float(line) for line in ran.out.splitlines()]
    p, t = (np.load(path) for path in pair)
    assert values == pytest.approx([((p - t) ** 2).mean(), abs(p - t).mean()], rel=1e-14)


def test_quiet_prints_a_line_for_each_group(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("y_pred,y_true,g,h\n1,3,x,1\n2,2,y y,2\n5,2,x,1\n0,1,,2\n", encoding="utf-8")
    asked = ("eval", path, "-l", "mse", "-l", "rmse", "--by", "g", "--by", "h")
    quiet = run(*asked, "-q")
    assert quiet.out == f"x\t1\t6.5\t{6.5**0.5}\ny y\t2\t0.0\t0.0\nnull\t2\t1.0\t1.0\n"
    found = json.loads(run(*asked, "--json").out)["losses"]
    lines = [line.split("\t") for line in quiet.out.splitlines()]
    for index, loss in enumerate(found):
        assert [float(line[2 + index]) for line in lines] == [g["value"] for g in loss["groups"]]


def test_progress_goes_to_standard_error(pair: tuple[Path, Path]) -> None:
    quiet = process("eval", *pair, "-l", "mse", "--no-progress")
    loud = process("eval", *pair, "-l", "mse", "--progress")
    assert quiet.err == ""
    assert "100 rows" in loud.err
    assert loud.out == quiet.out


def test_precision(run: Run, pair: tuple[Path, Path]) -> None:
    ran = run("eval", *pair, "-l", "mse", "-q", "--precision", 3)
    assert len(ran.out.strip().replace(".", "").lstrip("0")) == 3


@pytest.mark.parametrize("name", ["", *cli.COMMANDS])
def test_every_help_has_examples_and_imports_no_numpy(name: str) -> None:
    code = (
        "import sys; from lossctl import cli; status = cli.run(sys.argv[1:]); "
        "print([m for m in ('numpy', 'pyarrow', 'pandas', 'rich') if m in sys.modules], status)"
    )
    arguments = [name, "--help"] if name else ["--help"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    assert "Examples:" in done.stdout
    assert done.stdout.rstrip().endswith("[] 0")


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (("-q",), ("pyarrow", "pandas", "rich", "concurrent.futures", "email", "ssl")),
        (("--json",), ("pyarrow", "pandas", "rich", "concurrent.futures", "email", "ssl")),
        ((), ("pyarrow", "pandas")),
    ],
)
def test_a_one_liner_imports_only_what_it_uses(
    pair: tuple[Path, Path], arguments: tuple[str, ...], absent: tuple[str, ...]
) -> None:
    code = (
        "import sys; from lossctl import cli; status = cli.run(sys.argv[1:]); "
        f"print([m for m in {absent!r} if m in sys.modules], status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "eval", *map(str, pair), "-l", "mse", *arguments],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.rstrip().endswith("[] 0")


def test_version_and_module(run: Run) -> None:
    assert process("--version").out.startswith("lossctl ")


def test_losses_lists_and_explains(run: Run) -> None:
    assert "huber" in run("losses").out
    page = run("losses", "huber").out
    for part in ("delta", "|e|", "Huber 1964", "0.18", "prediction"):
        assert part in page
    found = json.loads(run("losses", "huber", "--json").out)
    assert "huber" in json.dumps(found)
    missing = run("losses", "hubre")
    assert (missing.status, missing.out) == (2, "")
    assert "did you mean huber" in missing.err


# ---- the per-sample file ----------------------------------------------------------------


@pytest.mark.parametrize("extension", ["csv", "parquet", "npy", "jsonl"])
def test_per_sample_losses_are_written(
    run: Run, tmp_path: Path, pair: tuple[Path, Path], extension: str
) -> None:
    import pandas as pd

    out = tmp_path / f"losses.{extension}"
    ran = run("eval", *pair, "-l", "mse", "-l", "huber:delta=0.5", "-o", out, "-q")
    assert ran.status == 0, ran.err
    p, t = (np.load(path) for path in pair)
    if extension == "npy":
        assert np.load(out)[:, 0] == pytest.approx((p - t) ** 2, rel=1e-15)
        return
    readers: dict[str, Any] = {
        "csv": pd.read_csv,
        "parquet": pd.read_parquet,
        "jsonl": lambda path: pd.read_json(path, lines=True, precise_float=True),
    }
    found = readers[extension](out)
    assert list(found.columns) == ["sample", "mse", "huber:delta=0.5"]
    assert list(found["sample"]) == list(range(100))
    assert list(found["mse"]) == pytest.approx((p - t) ** 2, rel=1e-15)
    assert list(tmp_path.glob("*.part-*")) == []


def test_skipped_samples_keep_their_place(run: Run, tmp_path: Path) -> None:
    path = csv(tmp_path / "d.csv", "y_pred,y_true,g\n1,0,a\n,1,b\n3,1,a\n")
    out = tmp_path / "o.jsonl"
    ran = run("eval", path, "-l", "mse", "--nan", "skip", "--by", "g", "-o", out, "--json")
    assert json.loads(ran.out)["skipped"] == 1
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["mse"] for line in lines] == [1.0, None, 4.0]
    assert [line["sample"] for line in lines] == [0, 1, 2]
    assert [line["g"] for line in lines] == ["a", "b", "a"]


def test_an_error_leaves_the_old_file_as_it_was(run: Run, tmp_path: Path) -> None:
    path = csv(tmp_path / "d.csv", "y_pred,y_true\n1,0\nNaN,1\n")
    out = csv(tmp_path / "o.csv", "precious")
    ran = run("eval", path, "-l", "mse", "-o", out)
    assert ran.status == 2
    assert out.read_text() == "precious"
    assert sorted(item.name for item in tmp_path.iterdir()) == ["d.csv", "o.csv"]


# ---- how it ends ------------------------------------------------------------------------


def test_a_closed_pipe_ends_it_quietly(tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", np.arange(200_000.0))
    command = (
        f"{sys.executable} -m lossctl eval {tmp_path}/p.npy {tmp_path}/p.npy -l mse --per-sample"
        " -f csv | head -1"
    )
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_under_standard_output_is_said(pair: tuple[Path, Path]) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "lossctl", "eval", *map(str, pair), "-l", "mse"],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == "error: cannot write the result: no space left on device"
    assert len(done.stderr.splitlines()) == 2


def test_interruption_ends_with_130_and_leaves_nothing(tmp_path: Path) -> None:
    fifo, out = tmp_path / "in.csv", tmp_path / "out.csv"
    os.mkfifo(fifo)
    running = subprocess.Popen(
        [sys.executable, "-m", "lossctl", "eval", str(fifo), "-l", "mae", "-o", str(out)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # a runner in the background ignores interrupts, and its children would too
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    try:
        with open(fifo, "w") as writer:  # opens once the command reads, which then waits for rows
            writer.write("y_pred,y_true\n")
            writer.flush()
            running.send_signal(signal.SIGINT)
            printed, said = running.communicate(timeout=60)
    finally:
        running.kill()
    assert running.returncode == 130
    assert (printed, said.strip()) == ("", "interrupted")
    assert not out.exists()


@pytest.mark.parametrize(("redirect", "status"), [("2>&-", 0), (">&-", 2), (">&- 2>&-", 2)])
def test_closed_streams_are_no_crash(pair: tuple[Path, Path], redirect: str, status: int) -> None:
    command = f"{sys.executable} -m lossctl eval {pair[0]} {pair[1]} -l mse -q {redirect}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert "mistake" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_help_on_a_full_disk() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "lossctl", "--help"],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("error: cannot write the result")


def test_rows_in_another_order_are_refused(run: Run, tmp_path: Path) -> None:
    first = csv(tmp_path / "p.csv", "id,y_pred\na,1\nb,2\nc,3\n")
    second = csv(tmp_path / "t.csv", "id,y_true\na,1\nc,3\nb,2\n")
    ran = run("eval", first, second, "-l", "mae")
    assert (ran.status, ran.out) == (2, "")
    assert "id is b at" in ran.err
    assert "--on id" in ran.err
    assert run("eval", first, second, "-l", "mae", "--on", "id", "-q").out == "0.0\n"
    by_row = run("eval", first, second, "-l", "mae", "--on", "row", "-q")
    assert float(by_row.out) == pytest.approx(2 / 3)


def test_ids_are_compared_by_what_they_say(run: Run, tmp_path: Path) -> None:
    first = csv(tmp_path / "p.csv", "id,y_pred\n1,1\n,2\n3,3\n")
    same = csv(tmp_path / "t.csv", "id,y_true\n1.0,1\n,2\n3.0,3\n")
    ran = run("eval", first, same, "-l", "mae", "-q")
    assert (ran.status, ran.out) == (0, "0.0\n"), ran.err
    lettered = csv(tmp_path / "u.csv", "id,y_true\n1,1\n,2\nA7,3\n")
    ran = run("eval", first, lettered, "-l", "mae", "-q")
    assert ran.status == 2
    assert "and A7 at" in ran.err


def test_a_key_may_be_text_here_and_a_number_there(run: Run, tmp_path: Path) -> None:
    first = csv(tmp_path / "p.csv", "id,y_pred\n1,1\n2,2\n")
    second = csv(tmp_path / "t.csv", "id,y_true\nA7,5\n2,2\n1,1\n")
    for files in ((first, second), (second, first)):
        named = ("--prediction", "y_true", "--target", "y_pred") if files[0] == second else ()
        ran = run("eval", *files, "-l", "mae", "--on", "id", "--unmatched", "drop", "-q", *named)
        assert ran.out == "0.0\n", ran.err


def test_columns_are_never_taken_for_what_they_are_not(run: Run, tmp_path: Path) -> None:
    forgotten = run("eval", csv(tmp_path / "a.csv", "id,y_pred\n1,5\n2,6\n"), "-l", "mae")
    assert (forgotten.status, forgotten.out) == (2, "")
    weight = csv(tmp_path / "b.csv", "y_pred,w\n1,5\n2,6\n")
    assert run("eval", weight, "-l", "mae", "--weight", "w").status == 2
    text = csv(tmp_path / "c.csv", "id,y_pred\n1,0.5\n2,n/d\n")
    target = csv(tmp_path / "d.csv", "y_true\n1\n2\n")
    ran = run("eval", text, target, "-l", "mae")
    assert ran.status == 2
    assert "row 1 (line 3), column y_pred" in ran.err
    same = run("eval", forgotten_path := tmp_path / "a.csv", "-l", "mae", "--prediction", "id",
               "--target", "id")  # fmt: skip
    assert same.status == 2
    assert "the same column" in same.err
    assert forgotten_path.exists()


def test_the_output_may_not_be_an_input(run: Run, tmp_path: Path) -> None:
    path = csv(tmp_path / "d.csv", "y_pred,y_true\n1,0\n")
    before = path.read_text()
    for output in (path, tmp_path / "." / "d.csv"):
        ran = run("eval", path, "-l", "mae", "-o", output)
        assert ran.status == 2
        assert "among the inputs" in ran.err
    (tmp_path / "parts").mkdir()
    csv(tmp_path / "parts" / "1.csv", before)
    ran = run("eval", tmp_path / "parts", "-l", "mae", "-o", tmp_path / "parts" / "2.csv")
    assert ran.status == 2
    assert path.read_text() == before


def test_an_input_may_be_a_column_by_its_bare_name(run: Run, tmp_path: Path) -> None:
    path = csv(tmp_path / "d.csv", "mean,var,y\n1,2,0\n1,3,2\n")
    arguments = ("eval", path, "-l", "gaussian_nll", "--prediction", "mean", "-q")
    bare = run(*arguments, "--input", "variance=var", "--input", "target=y")
    coloned = run(*arguments, "--input", "variance=::var", "--target", "y")
    assert bare.status == 0, bare.err
    assert bare.out == coloned.out


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("--from-logits",), "-l NAME:from_logits=VALUE"),
        (("b.csv", "c.csv"), "quote a glob"),
        (("--prediction", "a", "--prediction", "b"), "given twice"),
        (("--on", "a", "--on", "b"), "given twice"),
    ],
)
def test_words_that_are_not_understood(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], hint: str
) -> None:
    path = csv(tmp_path / "d.csv", "y_pred,y_true\n1,0\n")
    ran = run("eval", path, "-l", "mae", *arguments)
    assert ran.status == 2
    assert hint in ran.err
    assert len(ran.err.splitlines()) == 2


DRAWN = ["--bootstrap", "100"]


@pytest.mark.parametrize(
    ("words", "flag"),
    [
        (["eval", "--seed", "0"], "--seed"),
        (["eval", "--interval", "bca"], "--interval"),
        (["eval", "--seed", "1", "--interval", "percentile", *DRAWN], ""),
        (["compare", "--seed", "0"], "--seed"),
        (["compare", "--interval", "bca", "--test", "sign"], "--interval"),
        (["compare", "--interval", "bca", "--test", "permutation"], "--interval"),
        (["compare", "--seed", "3", "--test", "permutation"], ""),
        (["compare", "--seed", "3", "--interval", "bca", "--test", "bootstrap"], ""),
        (["compare", "--seed", "3", "--interval", "percentile", *DRAWN], ""),
    ],
)
def test_a_flag_that_does_nothing_is_refused(
    run: Run, tmp_path: Path, words: list[str], flag: str
) -> None:
    first = csv(tmp_path / "a.csv", "y_pred,y_true\n1,0\n2,0\n3,1\n")
    second = csv(tmp_path / "b.csv", "y_pred,y_true\n2,0\n2,0\n5,1\n")
    files = [first, second] if words[0] == "compare" else [first]
    ran = run(words[0], *files, "-l", "mae", *words[1:])
    if not flag:
        assert (ran.status, ran.err) == (0, "")
        return
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == (
        f"error: {flag} does nothing: nothing is resampled\n"
        f"add --bootstrap 2000, or leave out {flag}\n"
    )


@pytest.mark.parametrize("option", ["--weight", "--by"])
def test_weights_and_groups_in_another_order_are_refused(
    run: Run, tmp_path: Path, option: str
) -> None:
    first = csv(tmp_path / "p.csv", "id,y_pred\n1,1\n2,2\n")
    second = csv(tmp_path / "t.csv", "ID,y_true\n1,2\n2,4\n")
    third = csv(tmp_path / "w.csv", "id,w\n2,5\n1,1\n")
    ran = run("eval", first, second, option, f"{third}::w", "-l", "mse")
    assert ran.status == 2
    assert "not in the same order" in ran.err


def test_a_file_of_ids_is_no_prediction(run: Run, tmp_path: Path) -> None:
    first = csv(tmp_path / "p.csv", "id,y_pred\n1,5\n2,6\n")
    second = csv(tmp_path / "t.csv", "id\n1\n2\n")
    assert run("eval", first, second, "-l", "mse").status == 2


def test_the_signature_covers_the_groups(run: Run, tmp_path: Path) -> None:
    def signature(groups: str) -> str:
        rows = "".join(f"{i},{i * i},{g}\n" for i, g in enumerate(groups))
        path = csv(tmp_path / f"{groups}.csv", f"y_pred,y_true,g\n{rows}")
        found = json.loads(run("eval", path, "-l", "mse", "--by", "g", "--json").out)
        return str(found["signature"])

    assert signature("aabb") == signature("aabb")
    assert signature("aabb") != signature("aabc")
    assert "|by:g:" in signature("aabb")


@pytest.mark.parametrize("name", [item.name for item in losses.all()])
def test_the_example_of_every_page_runs(name: str, run: Run, tmp_path: Path) -> None:
    page = run("losses", name).out.splitlines()
    start = page.index("Example")
    write, evaluate, value = (line.strip() for line in page[start + 1 : start + 4])
    quick = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(["bash", "-c", write], cwd=tmp_path, env=quick, check=True)
    words = shlex.split(evaluate)
    assert words[:2] == ["lossctl", "eval"]
    with contextlib.chdir(tmp_path):
        ran = run(*words[1:], "-q")
    assert ran.status == 0, ran.err
    assert float(ran.out) == pytest.approx(float(value.removeprefix("value: ")), rel=1e-12)
