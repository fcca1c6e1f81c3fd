"""The formats for continuous integration, read by the programs that they are for."""

from __future__ import annotations

import json
import math
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import junitparser
import numpy as np
import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families

import lossctl
from lossctl import cli
from lossctl.cli.eval import FORMATS
from lossctl.cli.reports import CI_FORMATS
from lossctl.render import CI, Style, render
from lossctl.render.github import summary
from lossctl.report import GateResult, Group, Report, Verdict
from tests.test_render import FLOATS, HOSTILE, TEXT, golden, reports
from tests.test_render import report as report_of
from tests.test_render import result as result_of
from tests.test_render import summary as summary_of

XSD = xmlschema.XMLSchema(Path(__file__).parent / "junit.xsd")


def gate(name: str = "mse > 0.25", passed: bool = False, **other: Any) -> GateResult:
    facts = {"value": 0.5, "limit": 0.25, "message": "mse is 0.5"}
    return GateResult(gate=name, passed=passed, **(facts | other))


GATES = (
    gate(passed=True, value=0.125, message="mse is 0.125"),
    gate("any group(g): mse > 0.25", message="mse is 0.5 in g=b", group={"g": "b"}),
    gate("mae > 0", value=math.nan, message="", error="p.csv: no such file\ncheck the folder"),
)
GROUPS = (Group({"g": "a", "h": 1}, summary_of(0.125)), Group({"g": None, "h": 2}, summary_of(0.5)))
REPORT = report_of(
    result_of("mse", summary_of(0.123456789), groups=GROUPS),
    result_of("bce", summary_of(math.inf, half=None, nonfinite=2)),
    gates=GATES,
)
VERDICT = Verdict("1.2.3", "lossctl.toml", ("one|data:1", "two|data:2"), 442, GATES)


@pytest.mark.parametrize("format", CI)
@pytest.mark.parametrize("case", ["report", "verdict"])
def test_golden(case: str, format: str) -> None:
    found = REPORT if case == "report" else VERDICT
    names = {
        "junit": "xml",
        "github": "github.txt",
        "openmetrics": "prom",
        "metrics": "metrics.txt",
    }
    golden(f"ci.{case}.{names[format]}", render(found, format))


@pytest.mark.parametrize("case", ["report", "verdict"])
def test_golden_summary(case: str) -> None:
    golden(f"ci.{case}.summary.md", summary(REPORT if case == "report" else VERDICT, Style()))


GATES_OF_ANY = st.lists(
    st.builds(
        GateResult, gate=TEXT, passed=st.booleans(), value=FLOATS, limit=FLOATS, message=TEXT,
        group=st.just({}), error=st.just("") | TEXT,
    ).map(lambda item: item._replace(passed=item.passed and not item.error)),
    max_size=3,
)  # fmt: skip


@st.composite
def judged(draw: st.DrawFn) -> Report | Verdict:
    gates = tuple(draw(GATES_OF_ANY))
    if draw(st.booleans()):
        return draw(reports())._replace(gates=gates)
    signatures = tuple(draw(st.lists(TEXT, max_size=2)))
    return Verdict("1.2.3", draw(TEXT), signatures, 7, gates)


# JUnit -------------------------------------------------------------------------------------------


def test_the_schema_is_no_wider_than_what_is_written() -> None:
    text = render(REPORT, "junit")
    XSD.validate(text)
    for wrong in (
        text.replace(' name="mse &gt; 0.25"', "", 1),
        text.replace(' tests="3"', "", 1),
        text.replace("<properties>", "<properties>text", 1),
        text.replace("testcase", "case"),
    ):
        assert not XSD.is_valid(wrong)


@given(judged(), st.booleans())
def test_junit_is_valid_and_read(found: Report | Verdict, unicode: bool) -> None:
    text = render(found, "junit", Style(unicode=unicode))
    XSD.validate(text)
    assert unicode or text.isascii()
    parsed = junitparser.JUnitXml.fromstring(text.encode("utf-8"))
    (suite,) = parsed
    cases = list(suite)
    assert (suite.tests, suite.time) == (len(found.gates), 0)
    assert len({case.name for case in cases}) == len(cases) == len(found.gates)
    for case, gate in zip(cases, found.gates):
        outcomes = {type(item).__name__ for item in case.result}
        assert outcomes == ({"Error"} if gate.error else set() if gate.passed else {"Failure"})
        assert case.is_passed == gate.passed
    properties = [item.name for item in suite.properties()]
    assert properties[0] == "version"
    assert len(set(properties)) == len(properties)


def test_junit_says_what_was_found() -> None:
    (suite,) = junitparser.JUnitXml.fromstring(render(REPORT, "junit").encode())
    assert (suite.tests, suite.failures, suite.errors) == (3, 1, 1)
    passed, failed, broken = suite
    assert passed.system_out == "mse is 0.125"
    assert failed.result[0].message == "mse is 0.5 in g=b"
    assert broken.result[0].message == "p.csv: no such file check the folder"
    assert broken.result[0].text == "p.csv: no such file\ncheck the folder"
    values = {item.name: item.value for item in suite.properties()}
    assert values["signature"] == REPORT.signature
    assert (values["mse"], values["bce"]) == ("0.123456789", "inf")


# GitHub ------------------------------------------------------------------------------------------

COMMAND = re.compile(r"::(?P<name>\w+) (?P<properties>[^:]*)::(?P<data>.*)")


class Command(NamedTuple):
    name: str
    properties: Mapping[str, str]
    data: str


def runner(line: str) -> Command:
    """Read a workflow command as GitHub's runner does."""
    match = COMMAND.fullmatch(line)
    assert match, line

    def plain(text: str, codes: Mapping[str, str]) -> str:
        for code, sign in codes.items():
            text = text.replace(code, sign)
        return text.replace("%25", "%")

    data = {"%0D": "\r", "%0A": "\n"}
    found = {}
    for item in match["properties"].split(","):
        name, _, value = item.partition("=")
        found[name] = plain(value, {**data, "%3A": ":", "%2C": ","})
    return Command(match["name"], found, plain(match["data"], data))


@given(judged())
def test_each_gate_that_has_not_passed_is_an_annotation(found: Report | Verdict) -> None:
    lines = render(found, "github").split("\n")
    commands = list(map(runner, lines))
    open_ = [gate for gate in found.gates if not gate.passed]
    assert lines == "\n".join(lines).splitlines()
    assert [item.name for item in commands] == (["error"] * len(open_) or ["notice"])
    assert all(item.properties.keys() == {"title"} for item in commands)


def test_signs_that_mean_something_arrive_as_they_are() -> None:
    text = "a,b: 50% of\nc::d%0A"
    (command,) = map(
        runner, render(VERDICT._replace(gates=(gate(text, message=text),)), "github").split("\n")
    )
    assert command.data == text
    assert command.properties["title"] == f"gate failed: {text}"


def test_passes_are_one_notice() -> None:
    found = VERDICT._replace(gates=(gate(passed=True), gate("mae > 1", True, message="mae is 1")))
    command = runner(render(found, "github"))
    assert command == ("notice", {"title": "lossctl: 2 gates passed"}, "mse is 0.5\nmae is 1")
    command = runner(render(REPORT._replace(gates=()), "github"))
    assert command.data == "mse is 0.123457\nbce is inf"


def test_a_summary_of_many_groups_is_cut() -> None:
    groups = tuple(Group({"g": i}, summary_of(1.5)) for i in range(200))
    text = summary(report_of(result_of("mse", summary_of(1), groups=groups)), Style())
    assert "By g (the first 50 of 200)" in text
    assert text.count("\n| ") < 70


# OpenMetrics -------------------------------------------------------------------------------------


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    found: dict[Any, float] = {}
    for family in text_string_to_metric_families(text + "\n"):
        assert family.documentation
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in found
            found[key] = sample.value
    return found


@given(judged(), st.none() | st.integers(1, 17))
def test_openmetrics_is_read(found: Report | Verdict, precision: int | None) -> None:
    read = samples(render(found, "openmetrics", Style(precision=precision)))
    values = [value for (name, _), value in read.items() if name == "lossctl_loss_value"]
    if isinstance(found, Report):
        assert len(values) == sum(1 + len(item.groups or ()) for item in found.losses)
    passed = [value for (name, _), value in read.items() if name == "lossctl_gate_passed"]
    assert passed == [gate.passed for gate in found.gates]


@given(judged())
def test_gitlab_reads_openmetrics(found: Report | Verdict) -> None:
    """It splits each line, less what follows a #, as a shell does: a name, then a value."""
    read = {}
    for line in render(found, "openmetrics").split("\n"):
        if "#" not in line:
            name, value = shlex.split(line)
            float(value)
            read[name] = value
    assert "lossctl_info{version=1.2.3}" in read


def test_openmetrics_says_what_was_found() -> None:
    read = samples(render(REPORT, "openmetrics"))
    assert read["lossctl_loss_value", (("loss", "mse"),)] == 0.123457
    assert read["lossctl_loss_value", (("loss", "bce"),)] == math.inf
    assert read["lossctl_loss_value", (("group", "g=null,h=2"), ("loss", "mse"))] == 0.5
    assert read["lossctl_loss_figure", (("figure", "median"), ("loss", "mse"))] == 0.123457
    assert read["lossctl_loss_samples", (("loss", "mse"),)] == 442
    assert read["lossctl_gate_passed", (("gate", "mse > 0.25"),)] == 1
    assert read["lossctl_gate_limit", (("gate", "mse > 0.25"),)] == 0.25
    assert ("lossctl_gate_value", (("gate", "mae > 0"),)) not in read


@pytest.mark.parametrize("format", ["openmetrics", "metrics"])
def test_noise_in_the_last_digits_makes_no_difference(format: str) -> None:
    def text(scale: float) -> str:
        values = (0.123456789, 2859.71234, 1.5e-300)
        return render(
            report_of(*(result_of(f"l{v}", summary_of(v * scale, half=None)) for v in values)),
            format,
        )

    assert text(1) == text(1 + 3e-16) == text(1 - 1e-12)
    assert text(1) != text(1 + 1e-4)


# Metrics -----------------------------------------------------------------------------------------


@given(judged())
def test_metrics_are_nested_finite_numbers(found: Report | Verdict) -> None:
    def refuse(token: str) -> None:
        raise AssertionError(token)

    read = json.loads(render(found, "metrics"), parse_constant=refuse)

    def walk(part: Any) -> None:
        if isinstance(part, dict):
            for item in part.values():
                walk(item)
        else:
            assert isinstance(part, int | float) and math.isfinite(part)

    walk(read)
    count = len(getattr(found, "losses", ())) + bool(found.gates)
    assert len(read) in (count, count - 1)  # a loss called gates would give way


def test_metrics_say_what_was_found() -> None:
    read = json.loads(render(REPORT, "metrics"))
    assert read["mse"]["value"] == 0.123457
    assert read["mse"]["groups"]["g=a,h=1"]["value"] == 0.125
    assert read["bce"] == {"n": 442, "nonfinite": 2}
    assert read["gates"]["mse > 0.25"] == {"passed": 1, "value": 0.125, "limit": 0.25}
    assert read["gates"]["mae > 0"] == {"passed": 0, "limit": 0.25}


P = np.array([1.0, 2.0, 4.0, 8.0])
CANDIDATES = {"new": P - 0.5, 'old, or "odd"': P + 0.25}
COMPARED = lossctl.compare(["mae", "rmse"], P, CANDIDATES, np.zeros(4), by={"g": [1, 1, 2, 2]})


def test_a_comparison_is_read_too() -> None:
    read = samples(render(COMPARED, "openmetrics"))
    new = (("candidate", "new"), ("loss", "mae"))
    assert read["lossctl_loss_value", new] == 3.25
    assert read["lossctl_loss_value", (("candidate", "baseline"), ("loss", "mae"))] == 3.75
    assert read["lossctl_difference", (*new[:1], ("figure", "difference"), *new[1:])] == -0.5
    values = json.loads(render(COMPARED, "metrics"))
    assert values["mae"]["candidates"]["new"]["difference"] == -0.5
    assert values["mae"]["candidates"]["new"]["groups"]["g=1"]["value"] == 1.0
    assert "mae of new is 3.25, -0.5 from the baseline's" in render(COMPARED, "github")
    XSD.validate(render(COMPARED, "junit"))


PATHS = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
dvc = shutil.which("dvc", path=PATHS)


@pytest.mark.skipif(dvc is None, reason="needs dvc")
def test_dvc_shows_and_compares_metrics(tmp_path: Path) -> None:
    env = {
        **os.environ, "HOME": str(tmp_path), "DVC_NO_ANALYTICS": "1", "PYTHONPATH": "",
        "DVC_GLOBAL_CONFIG_DIR": str(tmp_path), "DVC_SYSTEM_CONFIG_DIR": str(tmp_path),
        "DVC_SITE_CACHE_DIR": str(tmp_path / "cache"), "DVC_TEST": "1",
    }  # fmt: skip

    def run(*words: str) -> str:
        done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def git(*words: str) -> None:
        run("git", "-c", "user.name=a", "-c", "user.email=a@b", *words)

    def write(scale: float) -> None:
        data = "".join(f"{i * scale},{i * 0.9},{'ab'[i % 2]}\n" for i in range(9))
        (tmp_path / "d.csv").write_text(f"prediction,target,g\n{data}")
        words = ["eval", "d.csv", "-l", "mae", "-l", "rmse", "--by", "g", "--fail-if", "mae > 99"]
        run(sys.executable, "-m", "lossctl", *words, "--metrics", "metrics.json")

    env["PYTHONPATH"] = str(Path(lossctl.__file__).parents[1])
    assert dvc is not None
    git("init", "-q")
    run(dvc, "init", "-q")
    (tmp_path / "dvc.yaml").write_text("metrics:\n  - metrics.json\n")
    write(1)
    git("add", "metrics.json", "dvc.yaml", ".dvc", "d.csv")
    git("commit", "-qm", "one")
    shown = json.loads(run(dvc, "metrics", "show", "--json"))
    values = shown[""]["data"]["metrics.json"]["data"]
    assert values == json.loads((tmp_path / "metrics.json").read_text())
    assert values["mae"]["groups"]["g=a"]["value"] == 0.4
    write(1.5)
    changed = json.loads(run(dvc, "metrics", "diff", "--json"))["metrics.json"]
    assert changed["mae.value"] == {"old": 0.4, "new": 2.4, "diff": 2.0}
    assert "mae.groups.g=a.high" in changed


# Options -----------------------------------------------------------------------------------------


class Ran(NamedTuple):
    status: int
    out: str
    err: str


Run = Callable[..., Ran]
GROUPS = "a\t1.5\nb\t6.0\n"
"""What `-q --by g` prints of the data below."""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`lossctl eval d.csv -l mae …` in a folder of its own."""
    (tmp_path / "d.csv").write_text("prediction,target,g\n1,0,a\n2,0,a\n4,0,b\n8,0,b\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)

    def call(*words: str) -> Ran:
        status = cli.run(["eval", "d.csv", "-l", "mae", *words])
        return Ran(status, *capsys.readouterr())

    return call


def test_the_names_are_the_same_everywhere() -> None:
    assert CI_FORMATS == CI
    assert set(CI) < set(FORMATS)


@pytest.mark.parametrize("format", CI)
def test_a_format_is_printed(run: Run, format: str) -> None:
    ran = run("-f", format, "--fail-if", "mae > 3")
    assert ran.status == 1
    assert ran.err == "gate failed: mae > 3: mae is 3.75\n"
    assert ran.out.strip() == ran.out[:-1]
    assert "3.75" in ran.out


def test_several_reports_at_once(run: Run, tmp_path: Path) -> None:
    words = [f"--report={format}=r.{format}" for format in (*FORMATS, "quiet")]
    ran = run(*words, "--metrics", "m.json", "--fail-if", "mae > 3", "--by", "g", "-o", "o.csv")
    assert (ran.status, ran.out.count("3.75")) == (1, 2)
    for format in (*FORMATS, "quiet"):
        text = (tmp_path / f"r.{format}").read_text("utf-8")
        assert text.endswith("\n") and ("3.75" in text or format in ("jsonl", "quiet")), format
    assert (tmp_path / "r.quiet").read_text() == GROUPS
    assert (tmp_path / "r.table").read_text() == ran.out
    assert (tmp_path / "m.json").read_text() == (tmp_path / "r.metrics").read_text()
    assert len(list(tmp_path.iterdir())) == len(words) + 3


def test_a_quiet_command_still_writes_whole_reports(run: Run, tmp_path: Path) -> None:
    assert run("-q", "--report", "json=r.json") == (0, "3.75\n", "")
    found = json.loads((tmp_path / "r.json").read_text())
    assert found["losses"][0]["quantiles"]["0.5"] == 3
    assert "data:none" not in found["signature"]


def test_a_link_is_followed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "r.txt").symlink_to(tmp_path / "there" / "r.txt")
    (tmp_path / "o.csv").symlink_to(tmp_path / "there" / "o.csv")
    assert run("--report", "quiet=r.txt", "-o", "o.csv").status == 0
    assert (tmp_path / "r.txt").is_symlink() and (tmp_path / "o.csv").is_symlink()
    assert (tmp_path / "there" / "r.txt").read_text() == "3.75\n"
    assert (tmp_path / "there" / "o.csv").read_text().endswith("\n3,8\n")


REFUSED = [
    (["--report", "junt=r.xml"], "there is no format 'junt'", "did you mean junit?"),
    (["--report", "r.xml"], "not FORMAT=FILE", "junit=gates.xml"),
    (["--report", "json="], "not FORMAT=FILE", ""),
    (["--report", "json=-"], "not FORMAT=FILE", ""),
    (["--report", "json=no/r.json"], "there is no folder no", "make it first"),
    (["--metrics", "-"], "--metrics -: not a file", "--metrics metrics.json"),
    (["--metrics", ""], "--metrics : not a file", ""),
    (["--metrics", "no/m.json"], "--metrics no/m.json: there is no folder no", ""),
    (["--report", "json=."], "--report . is a folder", ""),
    (["--report", "json=/dev/null"], "--report /dev/null is no file", ""),
    (["--report", "json=r", "--report", "csv=./r"], "--report writes this file already", "another"),
    (["--report", "json=r.json", "--metrics", "r.json"], "--report writes this file already", ""),
    (["--report", "csv=o.csv", "-o", "o.csv"], "--output writes this file already", ""),
    (["--report", "csv=d.csv"], "d.csv is among the inputs", "another file"),
    (["--metrics", "a", "--metrics", "b"], "--metrics is given twice", ""),
    (["--report", "junit=r.xml"], "junit shows gates, and there are none", "--fail-if"),
    (["-f", "junit"], "junit shows gates, and there are none", "--fail-if"),
    (["-f", "metrics", "--worst", "1"], "no place for single samples", ""),
    (["-f", "github", "--by", "g"], "--format github is for gates", "choose"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "what", "hint"), REFUSED)
def test_refused_before_anything_is_read(
    run: Run, tmp_path: Path, words: list[str], what: str, hint: str
) -> None:
    before = (tmp_path / "d.csv").read_text()
    ran = run(*words, "--nan", "propagate")
    assert (ran.status, ran.out) == (2, "")
    assert what in ran.err and hint in ran.err
    assert len(ran.err.splitlines()) <= 2
    assert [path.name for path in tmp_path.iterdir()] == ["d.csv"]
    assert (tmp_path / "d.csv").read_text() == before


def test_what_a_report_shows_is_not_left_out(run: Run, tmp_path: Path) -> None:
    ran = run("-q", "--worst", "1", "--by", "g", "--report", "json=r.json")
    assert (ran.status, ran.out) == (0, GROUPS)
    ran = run("-f", "csv", "--worst", "1", "--report", "metrics=m.json")
    assert ran.status == 2


def test_none_is_written_where_one_cannot_be(run: Run, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text("as it was")
    aside = tmp_path / f"m.json.part-{os.getpid()}"
    aside.mkdir()  # where the second file is to be written first
    ran = run("--report", "json=r.json", "--report", "metrics=m.json", "-o", "o.csv")
    assert (ran.status, ran.out) == (2, "")
    assert "error: cannot write m.json: is a directory" in ran.err
    aside.rmdir()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.csv", "r.json"]
    assert (tmp_path / "r.json").read_text() == "as it was"


@pytest.mark.skipif(os.getuid() == 0 if hasattr(os, "getuid") else True, reason="root may write")
def test_a_folder_that_takes_no_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    ran = run("--report", "json=r.json", "--report", "csv=locked/r.csv")
    assert (ran.status, "cannot write locked/r.csv" in ran.err) == (2, True)
    assert not (tmp_path / "r.json").exists()


def test_nothing_is_written_where_the_evaluation_fails(run: Run, tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("prediction,target\n1,0\n,0\n")
    ran = run("--report", "json=r.json", "--report", "junit=r.xml", "--fail-if", "mae > 3")
    assert ran.status == 2
    assert [path.name for path in tmp_path.iterdir()] == ["d.csv"]


def test_the_page_of_a_job_is_appended_to(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    run("--fail-if", "mae > 3")
    assert page.read_text() == "before\n"
    ran = run("--fail-if", "mae > 3", "--fail-if", "mae > 4", "--by", "g", "-f", "github")
    assert (ran.status, ran.out.count("::error")) == (1, 1)
    text = page.read_text()
    assert text.startswith("before\n## lossctl: 1 of 2 gates failed\n\n### Gates\n\n| gate |")
    assert "| mae &#62; 3 | FAILED | mae is 3.75 |" in text
    assert run("--report", "github=g.txt").status == 0
    assert page.read_text().count("## lossctl") == 2
    assert Path("g.txt").read_text() == "::notice title=lossctl%3A 4 samples::mae is 3.75\n"


def test_a_page_that_cannot_be_written_is_said_and_the_outcome_stands(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "no/page.md")
    ran = run("-f", "github", "--fail-if", "mae > 3")
    assert ran.status == 1
    assert "note: GITHUB_STEP_SUMMARY cannot be written: No such file" in ran.err


def test_precision_is_every_formats(run: Run, tmp_path: Path) -> None:
    run("--precision", "2", "--metrics", "m.json", "--report", "openmetrics=m.txt")
    assert json.loads((tmp_path / "m.json").read_text())["mae"]["value"] == 3.8
    assert 'lossctl_loss_value{loss="mae"} 3.8\n' in (tmp_path / "m.txt").read_text()


def test_hostile_names_do_no_harm() -> None:
    gates = tuple(gate(name, message=name) for name in HOSTILE)
    for format in CI:
        text = render(VERDICT._replace(gates=gates), format)
        assert "\x1b" not in text and "\u202e" not in text
