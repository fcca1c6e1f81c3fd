"""The GitHub action, the pre-commit hooks and the snippets of the documentation: do they work?"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

import lossctl
from lossctl import cli

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parent.parent
ACTION = ROOT / ".github" / "actions" / "lossctl" / "action.yml"
PAGE = ROOT / "lossctl" / "docs" / "ci.md"
COMING = {"gate", "compare"} - set(cli.COMMANDS)

action = yaml.safe_load(ACTION.read_text("utf-8"))
hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
snippets = re.findall(r"```(\w+)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


def command(name: str) -> click.Command:
    found: click.Command = import_module(f"lossctl.cli.{name}").command
    return found


def options(name: str) -> set[str]:
    return {word for param in command(name).params for word in param.opts}


def parse(line: str) -> None:
    """Check a command's words as the command line does, and stop before anything is read."""
    words = shlex.split(line)
    assert words[0] == "lossctl"
    if words[1] not in COMING:
        command(words[1]).make_context(f"lossctl {words[1]}", words[2:])


# GitHub ------------------------------------------------------------------------------------------

SETUP = {"command", "prediction", "target", "arguments", "python-version", "package"}
REPEATED = {"loss", "input", "by", "fail-if", "report"}


def test_the_action_is_one() -> None:
    assert {"name", "description", "inputs", "outputs", "runs"} < set(action)
    assert action["runs"]["using"] == "composite"
    for name, facts in action["inputs"].items():
        assert set(facts) <= {"description", "default", "required"} and facts["description"], name
    for step in action["runs"]["steps"]:
        assert ("run" in step and step["shell"] == "bash") or "uses" in step
        # what a user gives must reach the shell as data, never as text of the script
        assert "${{" not in step.get("run", "")
    text = ACTION.read_text("utf-8")
    used = set(re.findall(r"inputs\.([\w-]+)", text))
    assert used == set(action["inputs"])


def test_the_inputs_of_the_action_are_options() -> None:
    named = set(action["inputs"]) - SETUP
    assert {f"--{name}" for name in named} <= options("eval")
    several = {
        param.opts[-1].removeprefix("--")
        for param in command("eval").params
        if isinstance(param, click.Option) and param.multiple and param.callback is None
    }
    assert named & several == REPEATED
    if "gate" in cli.COMMANDS:
        assert {"--format", "--report", "--metrics"} <= options("gate")


def run_action(folder: Path, *, program: str = "", **inputs: str) -> tuple[int, str, list[str]]:
    """What the action's script does: its status, what it prints, the words of the command."""
    step = action["runs"]["steps"][-1]
    script = folder / "lossctl.sh"
    seen = folder / "seen.json"
    python = shlex.quote(sys.executable)
    write = "import json,sys; json.dump(sys.argv[2:], open(sys.argv[1], 'w'))"
    script.write_text(
        f'#!/bin/bash\n{python} -c {shlex.quote(write)} {shlex.quote(str(seen))} "$@"\n{program}\n'
    )
    script.chmod(0o755)
    given = {name: facts.get("default", "") for name, facts in action["inputs"].items()}
    given |= {name.replace("_", "-"): value for name, value in inputs.items()}
    env = {
        name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: given[found[1]], value)
        for name, value in step["env"].items()
    }
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=folder, capture_output=True, text=True, check=False,
        env={
            **os.environ, **env, "LOSSCTL": str(script), "GITHUB_OUTPUT": str(folder / "output"),
            "PYTHONPATH": str(ROOT), "GITHUB_STEP_SUMMARY": str(folder / "page.md"),
        },
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr, json.loads(seen.read_text())


def test_the_action_gives_each_line_to_its_option(tmp_path: Path) -> None:
    status, _, words = run_action(
        tmp_path,
        prediction="p q.csv::a,b\n",
        target="t.csv",
        loss="mae\n\n  huber:delta=2  \n",
        fail_if="mae > 0.3\nany group(g): mae > '5' $(touch pwned)\n",
        by="g",
        on="id",
        arguments="--seed=1\n--no-header",
    )
    assert status == 0
    assert words == [
        "eval", "--loss=mae", "--loss=huber:delta=2", "--by=g", "--on=id",
        "--fail-if=mae > 0.3", "--fail-if=any group(g): mae > '5' $(touch pwned)",
        "--format=github", "--seed=1", "--no-header", "--", "p q.csv::a,b", "t.csv",
    ]  # fmt: skip
    assert not (tmp_path / "pwned").exists()
    assert (tmp_path / "output").read_text() == "status=0\n"
    command("eval").make_context("lossctl eval", words[1:])


def test_the_action_runs_the_gates_of_a_file(tmp_path: Path) -> None:
    _, _, words = run_action(tmp_path, command="gate", report="junit=g.xml", format="")
    assert words == ["gate", "--report=junit=g.xml", "--"]


def test_the_action_annotates_and_fails(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("prediction,target\n1,0\n2,0\n")
    program = f'exec {shlex.quote(sys.executable)} -m lossctl "$@"'
    status, out, _ = run_action(
        tmp_path, program=program, prediction="d.csv", loss="mae", fail_if="mae > 1",
        report="junit=g.xml\njson=r.json", metrics="m.json",
    )  # fmt: skip
    assert status == 1
    assert "::error title=gate failed%3A mae > 1::mae is 1.5\n" in out
    assert "## lossctl: 1 of 1 gate failed" in (tmp_path / "page.md").read_text()
    assert (tmp_path / "output").read_text() == "status=1\n"
    assert all((tmp_path / name).exists() for name in ("g.xml", "r.json", "m.json"))
    status, _, _ = run_action(tmp_path, program=program, prediction="no.csv", loss="mae")
    assert status == 2


# pre-commit --------------------------------------------------------------------------------------


def test_the_hooks_run_commands() -> None:
    assert [hook["id"] for hook in hooks] == ["lossctl-gate", "lossctl-verify"]
    for hook in hooks:
        assert hook["language"] == "python"
        program, name, *_ = hook["entry"].split()
        assert program == "lossctl"
        assert name in (*cli.COMMANDS, *COMING)
    verify = hooks[1]
    assert re.search(verify["files"], "runs/a.lossctl.json")
    assert not re.search(verify["files"], "package.json")
    parse("lossctl verify a.lossctl.json b.lossctl.json")


PATHS = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
pre_commit = shutil.which("pre-commit", path=PATHS)


@pytest.mark.skipif(pre_commit is None, reason="needs pre-commit")
def test_pre_commit_takes_the_hooks() -> None:
    assert pre_commit is not None
    subprocess.run([pre_commit, "validate-manifest", ROOT / ".pre-commit-hooks.yaml"], check=True)


# The page ----------------------------------------------------------------------------------------


def lines(text: str) -> list[str]:
    """The commands in a snippet."""
    text = text.replace("\\\n", " ")
    return [
        found[0].rstrip('"') for found in re.finditer(r"(?<![\w/\"-])lossctl (?=[a-z]).*", text)
    ] + [found[1] for found in re.finditer(r'"(lossctl [a-z].*)"', text)]


def test_every_command_of_the_page_parses() -> None:
    found = [line for language, text in snippets if language != "python" for line in lines(text)]
    found += re.findall(r"`(lossctl eval [^`]+)`", PAGE.read_text("utf-8"))
    assert len(found) >= 7
    for line in found:
        if line != "lossctl":
            parse(line)


def test_the_page_names_every_format() -> None:
    from lossctl.render import FORMATS

    text = PAGE.read_text("utf-8")
    table = text[text.index("| format |") : text.index("`openmetrics` and `metrics` round")]
    assert set(re.findall(r"`(\w+)`", table)) - {"GITHUB_STEP_SUMMARY"} == set(FORMATS)


def of(*keys: str) -> Any:
    """The YAML snippet that has these keys on the way."""
    for language, text in snippets:
        found = yaml.safe_load(text) if language == "yaml" else None
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        if found is not None:
            return found
    raise AssertionError(keys)


def test_the_snippets_for_services_fit_them() -> None:
    (checkout, step) = of("jobs", "losses", "steps")
    assert checkout["uses"].startswith("actions/checkout@")
    assert f"/{ACTION.parent.relative_to(ROOT)}@" in step["uses"]
    assert set(step["with"]) <= set(action["inputs"])
    job = of("losses")
    written = dict(re.findall(r"--report (\w+)=(\S+)", job["script"][-1]))
    assert job["artifacts"]["reports"] == {
        "junit": written["junit"], "metrics": written["openmetrics"],
    }  # fmt: skip
    stage = of("stages", "evaluate")
    assert stage["metrics"] == [{"metrics.json": {"cache": False}}]
    assert "--metrics metrics.json" in stage["cmd"]
    (repository,) = of("repos")
    assert {hook["id"] for hook in repository["hooks"]} == {hook["id"] for hook in hooks}
    versions = re.findall(r"v(\d+\.\d+\.\d+)", PAGE.read_text("utf-8"))
    assert set(versions) == {lossctl.__version__}


DATA = "prediction,target,segment\n" + "".join(f"{i},{i + 0.25},{'ab'[i % 2]}\n" for i in range(9))


def test_the_snippets_for_the_shell_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("predictions.csv").write_text(DATA)
    for language, text in snippets:
        for line in lines(text) if language == "sh" else []:
            assert cli.run(shlex.split(line)[1:]) == 0, line
    assert "mae.lossctl.json: holds" in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {
        "predictions.csv", "gates.xml", "metrics.txt", "metrics.json", "mae.lossctl.json",
    }  # fmt: skip


def test_the_snippet_for_pytest_works(pytester: pytest.Pytester) -> None:
    from tests.test_pytest_plugin import LOADED

    (pytester.path / "predictions.csv").write_text(DATA)
    (text,) = (text for language, text in snippets if language == "python")
    pytester.makepyfile(text)
    pytester.runpytest_subprocess(*LOADED, "-p", "no:cacheprovider").assert_outcomes(passed=1)
