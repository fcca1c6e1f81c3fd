"""The fixture `lossctl_gate`, in a pytest of its own."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

NAME = "lossctl.pytest_plugin"
INSTALLED = any(item.name == NAME for item in entry_points(group="pytest11"))
LOADED = [] if INSTALLED else ["-p", NAME]


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    (pytester.path / "d.csv").write_text("prediction,target,g\n1,0,a\n2,0,a\n4,0,b\n8,0,b\n")
    return pytester


def outcomes(project: pytest.Pytester, test: str, *words: str) -> pytest.RunResult:
    body = test.strip().replace("\n", "\n    ")
    project.makepyfile(
        f"import numpy as np\nimport pytest\n\n\ndef test_it(lossctl_gate):\n    {body}\n"
    )
    # no cache, and none of the plugins that are installed by chance
    return project.runpytest_subprocess(*LOADED, "-p", "no:cacheprovider", *words)


def test_gates_that_pass(project: pytest.Pytester) -> None:
    found = outcomes(
        project,
        """
report = lossctl_gate(loss="mae", prediction="d.csv", fail_if="mae > 4")
assert report.losses[0].value == 3.75
report = lossctl_gate(
    loss=["mae", "mse"], prediction=np.ones(3), target=np.zeros(3), fail_if=["mae > 4", "mse > 4"]
)
assert len(report.gates) == 2 and report.passed
""",
    )
    found.assert_outcomes(passed=1)


def test_a_gate_that_fails_says_what_it_found(project: pytest.Pytester) -> None:
    found = outcomes(
        project,
        """
lossctl_gate(
    loss="mae", prediction="d.csv", by="g", fail_if=["mae > 3", "any group(g): mae > 3", "mae > 9"]
)
""",
        "--junit-xml=r.xml",
    )
    found.assert_outcomes(failed=1)
    found.stdout.fnmatch_lines(
        ["gate failed: mae > 3: mae is 3.75", "gate failed: any group(g): mae > 3: mae is 6 in g=b"]
    )
    found.stdout.no_fnmatch_line("*mae > 9*")
    found.stdout.no_fnmatch_line("*pytest_plugin.py*")
    text = (project.path / "r.xml").read_text()
    assert 'name="lossctl_signature" value="lossctl:' in text


MISUSED = [
    (
        'loss="mae", prediction="no.csv", fail_if="mae > 1"',
        ["no.csv: no such file", "did you mean d.csv?"],
    ),
    (
        'loss="mae", prediction="d.csv", fail_iff="mae > 1"',
        ["there is no option, input or parameter 'fail_iff'", "did you mean fail_if?"],
    ),
    (
        'loss="huber", prediction="d.csv", fail_if="huber > 1", dleta=2',
        ["there is no option, input or parameter 'dleta'", "did you mean delta?"],
    ),
    (
        'loss="mae", prediction="d.csv", fail_if="mae > 1", colour=2',
        ["mae takes no input 'colour'", "inputs: prediction, target"],
    ),
    ('prediction="d.csv", fail_if="mae > 1"', ["no loss is given", "name one: *"]),
    ('loss="maee", prediction="d.csv"', ["there is no loss 'maee'", "did you mean *mae*"]),
    ('loss="mae", prediction="d.csv"', ["there is no gate", "name a file of gates, or *"]),
    ('loss="mae", prediction="d.csv", fail_if=[]', ["there is no gate", "name a file *"]),
    ('"no.toml"', ["no.toml: no such file or directory", "name a file of gates, or *"]),
    ('"bad.toml"', ["bad.toml:1: there is no key 'maxx'", "keys: *"]),
    ('"bad.toml", thread=1', ["lossctl_gate takes no 'thread' beside a file", "*mean threads?"]),
    (
        '"bad.toml", loss="mae"',
        ["lossctl_gate takes no 'loss' beside a file", "it takes *"],
    ),
]


@pytest.mark.parametrize(("words", "told"), MISUSED)
def test_misuse_is_said_in_two_lines(words: str, told: list[str], project: pytest.Pytester) -> None:
    (project.path / "bad.toml").write_text("maxx = 1\n")
    found = outcomes(project, f"lossctl_gate({words})")
    found.assert_outcomes(failed=1)
    found.stdout.fnmatch_lines(["*_ test_it _*", *told, "*= short test summary info =*"])
    start = next(i for i, line in enumerate(found.outlines) if "_ test_it _" in line)
    end = next(i for i, line in enumerate(found.outlines) if "short test summary" in line)
    assert end - start - 1 == len(told), "no traceback"


def test_what_the_gates_of_a_file_found(project: pytest.Pytester) -> None:
    found = outcomes(
        project,
        """
import lossctl
from lossctl.report import GateResult, Verdict
gates = (
    GateResult("good", True, 0.1, 0.2, "mae is 0.1"),
    GateResult("bad", False, 0.3, 0.2, "mae is 0.3"),
    GateResult("lost", False, 0.3, 0.2, "", error="p.csv: no such file"),
)
seen = []
lossctl.gate = lambda path: seen.append(path) or Verdict("1", path, ("a", "b"), 3, gates[:many])
many = 1
assert lossctl_gate("lossctl.toml").passed
assert seen == ["lossctl.toml"]
many = 3
lossctl_gate("lossctl.toml")
""",
    )
    found.assert_outcomes(failed=1)
    found.stdout.fnmatch_lines(
        ["gate failed: bad: mae is 0.3", "gate could not be evaluated: lost: p.csv: no such file"]
    )


@pytest.mark.skipif(find_spec("lossctl.gates.runner") is None, reason="needs lossctl.gate")
def test_the_gates_of_a_file(project: pytest.Pytester) -> None:
    (project.path / "lossctl.toml").write_text(
        'prediction = "d.csv"\n[[gate]]\nloss = "mae"\nmax = 4\n[[gate]]\nloss = "mae"\nmin = 4\n'
    )
    found = outcomes(project, 'lossctl_gate("lossctl.toml")')
    found.assert_outcomes(failed=1)
    found.stdout.fnmatch_lines(["gate failed: *3.75*"])


def test_it_is_listed_and_can_be_left_out(project: pytest.Pytester) -> None:
    for words in (LOADED, ["-p", NAME]):  # by name too, where it is installed
        found = project.runpytest_subprocess(*words, "--fixtures")
        found.stdout.fnmatch_lines(["*lossctl_gate*"])
    without = project.runpytest_subprocess("--fixtures", "-p", f"no:{NAME}")
    assert "lossctl_gate" not in without.stdout.str()


def test_pytest_starts_as_quickly_as_without() -> None:
    code = (
        "import sys, pytest; before = set(sys.modules); import lossctl.pytest_plugin; "
        "print(sorted(set(sys.modules) - before))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == str(["lossctl", "lossctl._version", "lossctl.pytest_plugin"])


def test_the_entry_point_is_declared() -> None:
    text = (Path(__file__).parent.parent / "pyproject.toml").read_text("utf-8")
    assert tomllib.loads(text)["project"]["entry-points"]["pytest11"] == {NAME: NAME}
