"""Losses that are not ours: files, installed packages, and what is wrong with some of them."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "lossctl" / "docs" / "plugins.md"
EXAMPLE = re.search(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)[1]  # type: ignore[index]

DATA = "prediction,target\n0.5,0\n3,1\n-2,1\n"
FAILING = {
    "missing.py": (None, "there is no such file"),
    "broken.py": ("import not_there_at_all", "cannot be imported: ModuleNotFoundError"),
    "syntax.py": ("def f(:\n", "cannot be imported: SyntaxError"),
    "empty.py": ("x = 1\n", "it registers no loss"),
    "exits.py": ("raise SystemExit(0)\n", "cannot be imported: SystemExit"),
    "text.txt": ("hello", "not a Python file"),
}


def lossctl(
    *arguments: str, cwd: Path, path: Path | None = None
) -> subprocess.CompletedProcess[str]:
    extra = [str(path)] if path else []
    return subprocess.run(
        [sys.executable, "-m", "lossctl", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*extra, str(ROOT)])},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data.csv").write_text(DATA)
    (tmp_path / "my_losses.py").write_text(EXAMPLE)
    return tmp_path


def test_the_example_is_short() -> None:
    code = [line for line in EXAMPLE.splitlines() if line.strip()]
    assert len(code) <= 12


def test_a_file_adds_a_loss(folder: Path) -> None:
    plugin = ("--plugin", "my_losses.py")
    done = lossctl("eval", "data.csv", "-l", "cauchy:c=2", *plugin, "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    expected = sum(2 * __import__("math").log1p((e / 2) ** 2) for e in (0.5, 2, -3)) / 3
    assert report["losses"][0]["value"] == pytest.approx(expected, rel=1e-14)
    assert "my_losses.py#" in report["signature"]
    page = lossctl("losses", "cauchy", *plugin, cwd=folder)
    assert page.returncode == 0, page.stderr
    assert "my_losses" in page.stdout
    assert "Parameters" in page.stdout
    listed = lossctl("losses", *plugin, cwd=folder)
    assert "cauchy" in listed.stdout


def wheel(folder: Path, name: str, code: str) -> Path:
    """A wheel of one module with the entry point."""
    info = f"{name}-1.2.dist-info"
    files = {
        f"{name}.py": code,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[lossctl.losses]\n{name} = {name}\n",
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
        record += f"{path},sha256={digest.decode()},{len(text)}\n"
    files[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    target = folder / f"{name}-1.2-py3-none-any.whl"
    with zipfile.ZipFile(target, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return target


def install(folder: Path, name: str, code: str) -> Path:
    site = folder / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    options = ["--disable-pip-version-check", "--target", str(site)]
    subprocess.run([*pip, *options, str(wheel(folder, name, code))], check=True)
    return site


def test_an_installed_package_adds_a_loss(folder: Path) -> None:
    (folder / "my_losses.py").unlink()
    site = install(folder, "cauchy_loss", EXAMPLE)
    done = lossctl("eval", "data.csv", "-l", "cauchy:c=2", "--json", cwd=folder, path=site)
    assert done.returncode == 0, done.stderr
    assert "cauchy_loss 1.2" in json.loads(done.stdout)["signature"]
    assert "cauchy" in lossctl("losses", cwd=folder, path=site).stdout


def test_a_broken_package_is_named_where_it_is_needed(folder: Path) -> None:
    site = install(folder, "broken_loss", "import not_there_at_all\n")
    done = lossctl("eval", "data.csv", "-l", "cauchy", cwd=folder, path=site)
    assert done.returncode == 2
    assert "plugin broken_loss 1.2 (broken_loss) cannot be imported" in done.stderr
    assert "not_there_at_all" in done.stderr
    assert len(done.stderr.splitlines()) == 2
    done = lossctl("eval", "data.csv", "-l", "mse", "-q", cwd=folder, path=site)
    assert done.returncode == 0, "a loss of ours does not need it"


def test_a_broken_package_does_not_hide_the_others(folder: Path) -> None:
    install(folder, "cauchy_loss", EXAMPLE)
    site = install(folder, "broken_loss", "import not_there_at_all\n")
    for words in ((), ("--json",), ("--for", "regression"), ("--plugin", "my_losses.py")):
        if words[:1] == ("--plugin",):
            text = EXAMPLE.replace("def cauchy", "def mine")
            (folder / "my_losses.py").write_text(text)
        done = lossctl("losses", *words, cwd=folder, path=site)
        assert done.returncode == 0, done.stderr
        assert "cauchy" in done.stdout or "--for" in words
        assert "huber" in done.stdout
        (line,) = done.stderr.splitlines()
        assert line.startswith(
            "warning: plugin broken_loss 1.2 (broken_loss) cannot be imported: ModuleNotFoundError"
        )
    done = lossctl("losses", "huber", cwd=folder, path=site)
    assert (done.returncode, done.stderr) == (0, "")
    done = lossctl("losses", "nowhere", cwd=folder, path=site)
    assert done.returncode == 2
    assert done.stderr.startswith("error: plugin broken_loss 1.2 (broken_loss) cannot be imported")
    done = lossctl("eval", "data.csv", "-l", "cauchy:c=2", "-q", cwd=folder, path=site)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", FAILING)
def test_a_file_that_is_no_plugin(folder: Path, name: str) -> None:
    code, message = FAILING[name]
    if code is not None:
        (folder / name).write_text(code)
    done = lossctl("eval", "data.csv", "-l", "mse", "--plugin", name, cwd=folder)
    assert done.returncode == 2
    assert f"plugin {name}" in done.stderr
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 2
    assert not done.stdout


@pytest.mark.parametrize("taken", ["mse", "l2", "dice"])
def test_a_name_is_given_once(folder: Path, taken: str) -> None:
    (folder / "again.py").write_text(EXAMPLE.replace("def cauchy", f"def {taken}"))
    done = lossctl("eval", "data.csv", "-l", "mae", "--plugin", "again.py", cwd=folder)
    assert done.returncode == 2
    assert f"the name '{taken}' is already taken" in done.stderr


LOSS = "abs(prediction - target)"
KERNELS = {
    "raises": ("raise ValueError('boom')", "fails: ValueError: boom"),
    "writes": ("prediction -= target", "fails: ValueError: output array is read-only"),
    "shorter": (f"return {LOSS}[1:]", "returns values of 2 samples where there are 3"),
    "mean": (f"return {LOSS}.mean(keepdims=True)", "returns values of 1 samples"),
    "words": ("return 'good'", "returns str, and no array of values"),
    "nothing": ("return None", "returns NoneType, and no array of values"),
}


@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_that_fails_is_the_plugins(folder: Path, name: str) -> None:
    body, message = KERNELS[name]
    code = EXAMPLE.replace("return c * xp.log1p(((prediction - target) / c) ** 2)", body)
    assert body in code
    (folder / "wrong.py").write_text(code)
    words = ("eval", "data.csv", "-l", "cauchy", "-l", "mae", "--plugin", "wrong.py")
    done = lossctl(*words, cwd=folder)
    assert done.returncode == 2
    assert "the loss cauchy of the plugin wrong.py#" in done.stderr
    assert message in done.stderr
    assert not done.stdout


def test_a_kernel_may_write_into_what_another_returns(folder: Path) -> None:
    """Whether or not other losses share that."""
    body = "error = get('mae').kernel(xp, prediction, target)\n    error *= error\n    return error"
    code = EXAMPLE.replace("return c * xp.log1p(((prediction - target) / c) ** 2)", body)
    (folder / "square.py").write_text(code.replace("import Example", "import get, Example"))
    plugin = ("-q", "--plugin", "square.py")
    alone = lossctl("eval", "data.csv", "-l", "cauchy", *plugin, cwd=folder)
    beside = lossctl("eval", "data.csv", "-l", "mae", "-l", "cauchy", *plugin, cwd=folder)
    assert (alone.returncode, beside.returncode) == (0, 0), alone.stderr + beside.stderr
    assert beside.stdout.splitlines()[1:] == alone.stdout.splitlines()


def test_code_of_others_may_end_its_own_way(tmp_path: Path) -> None:
    """The process that ends quickly where it is alone leaves to plugins what they do at exit."""
    (tmp_path / "plugin.py").write_text(
        f"{EXAMPLE}\nimport atexit\nlog = open('log', 'w')\nlog.write('kept')\n"
        "atexit.register(lambda: open('done', 'w').close())\n"
    )
    (tmp_path / "d.csv").write_text("y_pred,y_true\n1,2\n")
    run = "import sys; sys.argv[0] = 'lossctl'; from lossctl.__main__ import main; main()"
    line = [sys.executable, "-c", run, "eval", "d.csv", "-l", "mae", "-q", "--plugin", "plugin.py"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1.0\n", "")
    assert (tmp_path / "log").read_text() == "kept"
    assert (tmp_path / "done").exists()


def test_the_module_ends_as_profilers_want_it(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("y_pred,y_true\n1,2\n")
    line = [sys.executable, "-m", "cProfile", "-m", "lossctl", "eval", "d.csv", "-l", "mae", "-q"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.startswith("1.0\n")
    assert "function calls" in done.stdout
