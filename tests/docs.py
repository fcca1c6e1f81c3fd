"""The generated parts of the documentation: real output, loss tables, help texts.

`python -m tests.docs --write` writes them; the tests check that nothing is stale.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from lossctl.losses.definition import REQUIRED, Param
from lossctl.spec import format_value

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
DOCS = ROOT / "lossctl" / "docs"
COMMANDS = DOCS / "commands.md"
CONSOLE = re.compile(r"```console\n\$ (?P<command>[^\n]*)\n(?P<output>.*?)```", re.DOTALL)
LOSSES = re.compile(r"(<!-- losses -->\n)(.*?)(<!-- /losses -->)", re.DOTALL)


def run(command: str) -> str:
    """What a command prints, on both streams, at the root of the project."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    kept = {k: v for k, v in os.environ.items() if k not in ("FORCE_COLOR", "COLUMNS")}
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env={**kept, "PATH": path, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "COLUMNS": "100"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    return "".join(line.rstrip() + "\n" for line in done.stdout.rstrip().splitlines())


def loss_table() -> str:
    """The losses by task, as Markdown tables."""
    from lossctl import losses

    parts = []
    for task, title in losses.TASKS.items():
        rows = [
            f"| `{item.name}` | {_cell(item.summary)} | {_cell(item.formula)} | "
            f"{' '.join(f'`{_param(param)}`' for param in item.params)} | "
            f"{' '.join(item.conventions)} |"
            for item in losses.all()
            if item.task == task
        ]
        if rows:
            head = "| loss | what it is | definition | parameters | conventions |"
            rule = "| --- | --- | --- | --- | --- |"
            parts.append("\n".join([f"**{title}**", "", head, rule, *rows]))
    return "\n\n".join(parts) + "\n"


def loss_names() -> str:
    """The losses' names by task, for the README."""
    from lossctl import losses

    rows = [
        f"| {title} | {' '.join(f'`{item.name}`' for item in losses.all() if item.task == task)} |"
        for task, title in losses.TASKS.items()
    ]
    return "\n".join(["| task | losses |", "| --- | --- |", *rows]) + "\n"


def loss_page() -> str:
    """The page of all losses."""
    intro = (
        "Each loss with its definition, its parameters with their defaults (… where one must be "
        "given), and the\nlibraries whose definition it knows. `lossctl losses NAME` says the rest."
    )
    from lossctl.losses import TASKS
    from lossctl.losses.traits import TRAITS

    tasks = ", ".join(f"`{task}`" for task in TASKS)
    traits = "\n".join(f"| `{trait}` | {meaning} |" for trait, meaning in TRAITS.items())
    chosen = (
        f"`lossctl losses --for TASK` takes one of {tasks}; `--when TRAIT` takes\n\n"
        f"| trait | means |\n| --- | --- |\n{traits}\n"
    )
    return f"# The losses\n\n{intro}\n\n{loss_table()}\n## Choosing among them\n\n{chosen}"


def _param(param: Param) -> str:
    """As it is written in a spec: `delta=1`, `beta=…` where it must be given."""
    if param.default == REQUIRED:
        return f"{param.name}=…"
    return f"{param.name}={format_value(param.default)}"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def readme() -> str:
    """The README with its generated parts made anew."""
    text = README.read_text(encoding="utf-8")
    text = CONSOLE.sub(lambda m: f"```console\n$ {m['command']}\n{run(m['command'])}```", text)
    return LOSSES.sub(lambda m: f"{m[1]}{loss_names()}{m[3]}", text)


def commands() -> str:
    """The help of every command."""
    from lossctl.cli import COMMANDS as NAMES

    parts = ["# Commands\n\nThe help of each command, as it prints it.\n"]
    for name in ("", *NAMES):
        full = f"lossctl {name}".strip()
        parts.append(f"## {full}\n\n```text\n{run(f'{full} --help')}```\n")
    return "\n".join(parts)


def speed() -> str:
    """The page on speed with the benchmark's last results."""
    from tests.bench import table

    return table.page()


GENERATED: dict[Path, Callable[[], str]] = {
    README: readme,
    COMMANDS: commands,
    DOCS / "losses.md": loss_page,
    DOCS / "speed.md": speed,
}

if __name__ == "__main__" and "--write" in sys.argv:
    for target, make in GENERATED.items():
        target.write_text(make(), encoding="utf-8")
