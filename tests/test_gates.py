"""Gates: what `--fail-if` says, what it means, and what it exits with."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lossctl
from lossctl import cli
from lossctl.gates.expression import DIFFERENCES, FIGURES, parse

P = np.array([1.0, 2.0, 4.0, 8.0])
T = np.zeros(4)
G = {"segment": np.array(["a", "a", "b", "b"], dtype=object), "size": np.array([1, 2, 1, 2])}


def gate(expression: str, loss: str | list[str] = "mae", **options: Any) -> Any:
    return lossctl.evaluate(loss, P, T, fail_if=expression, **options).gates[0]


@pytest.mark.parametrize(
    ("expression", "passed", "value"),
    [
        ("mae > 3.75", True, 3.75),
        ("mae >= 3.75", False, 3.75),
        ("mae < 3.75", True, 3.75),
        ("mae <= 3.75", False, 3.75),
        ("mae == 3.75", False, 3.75),
        ("mae != 3.75", True, 3.75),
        ("value(mae)>375%", True, 3.75),
        ("mae > 1e-3", False, 3.75),
        ("  max( mae )  >  7.5 ", False, 8),
        ("MAX(mae) > 8", True, 8),
        ("min(mae) < 1", True, 1),
        ("sum(mae) > 15", True, 15),
        ("median(mae) > 3", True, 3),
        ("n(mae) < 5", False, 4),
        ("nonfinite(mae) > 0", True, 0),
        ("high(mae) > 8", False, 8.676),
        ("low(mae) < -2", True, -1.176),
    ],
)
def test_what_an_expression_means(expression: str, passed: bool, value: float) -> None:
    found = gate(expression)
    assert found.passed is passed
    assert found.value == pytest.approx(value, rel=2e-3)
    assert found.gate == expression.strip()


def test_every_figure_is_one() -> None:
    for name in FIGURES:
        assert math.isfinite(gate(f"{name}(mae) > 1").value), name


def test_a_loss_goes_by_its_spec_or_its_name() -> None:
    losses = ["huber:delta=2", "huber:delta=4", "0.5*mae+0.5*mse", "bce:from_logits=true"]
    target = T + 1
    for expression in ("huber:delta=2 > 0", "p95(huber:delta=4) > 0", "0.5*mae+0.5*mse > 0",
                       "bce > 0", "bce:from_logits=true > 0"):  # fmt: skip
        found = lossctl.evaluate(losses, P, target, fail_if=expression).gates[0]
        assert not found.passed
    with pytest.raises(lossctl.UsageError, match="huber stands for several losses"):
        lossctl.evaluate(losses, P, target, fail_if="huber > 0")


def test_groups() -> None:
    by = {"by": G}
    found = gate("any group(segment, size): mae > 5", **by)
    assert (found.passed, found.value) == (False, 8)
    assert dict(found.group) == {"segment": "b", "size": 2}
    with pytest.raises(lossctl.UsageError, match="a group is a combination") as caught:
        gate("any group(segment): mae > 5", **by)
    assert "group(segment, size)" in str(caught.value)
    one = {"by": {"segment": G["segment"]}}
    found = gate("any group(segment): mae > 5", **one)
    assert (found.passed, found.value, dict(found.group)) == (False, 6, {"segment": "b"})
    assert found.message == "mae is 6 in segment=b"
    assert gate("group(segment): mae > 6", **one).passed
    assert gate("all group(segment): mae > 5", **one).passed
    assert not gate("all group(segment): mae > 1", **one).passed
    assert gate("group(segment=a): mae > 2", **one).passed
    assert not gate("group(segment=b): mae > 2", **one).passed
    assert not gate("group(size=2, segment=b): mae > 7", **by).passed
    assert gate("group(size=1,segment=b): mae > 7", **by).passed
    assert gate("n(mae) > 2", **one).value == 4
    missing = gate("group(segment=c): mae > 2", **one)
    assert not missing.passed
    assert missing.message == "there is no group segment=c"
    many = gate("any group(segment): mae > 1", **one)
    assert many.message == "mae is 6 in segment=b and 1 more"


def test_nan_passes_no_gate() -> None:
    for sign in (">", "<", "==", "!="):
        report = lossctl.evaluate(
            "mae", [1.0, np.nan], [0, 0], nan="propagate", fail_if=f"mae {sign} 1"
        )
        assert not report.gates[0].passed
        assert not report.passed
        assert "passes no gate" in report.gates[0].message
    alone = lossctl.evaluate("mae", [1.0], [0.0], fail_if="high(mae) > 5")
    assert not alone.passed, "one sample has no interval"


BROKEN = [
    ("", "a comparison is missing"),
    ("mae", "at character 4: a comparison is missing"),
    ("mae >", "at character 6: '' is no number"),
    ("mae > x", "at character 7: 'x' is no number"),
    ("mae > 1 > 2", "is not evaluated"),
    ("mae > nan", "nothing compares with NaN"),
    ("> 1", "the loss is missing"),
    ("p95() > 1", "the loss is missing"),
    ("p96(mae) > 1", "there is no figure 'p96'"),
    ("mse > 1", "mse is not evaluated"),
    ("any group(segment: mae > 1", "the group is not closed"),
    ("group(): mae > 1", "a column is missing"),
    ("group(=a): mae > 1", "a column is missing"),
    ("group(segment=): mae > 1", "a column is missing"),
    ("group(colour): mae > 1", "there are no groups of colour"),
    ("__import__('os').system('x') > 1", "is not evaluated|no figure"),
]


@pytest.mark.parametrize(("expression", "message"), BROKEN)
def test_what_does_not_parse_says_where(expression: str, message: str) -> None:
    with pytest.raises(lossctl.LossctlError, match=message):
        gate(expression, by={"segment": G["segment"]})


def test_comparisons_have_figures_of_their_own() -> None:
    assert parse("relative(mae) > 2%", DIFFERENCES).limit == 0.02
    with pytest.raises(lossctl.SpecError, match="no figure 'p95'"):
        parse("p95(mae) > 2", DIFFERENCES)


@pytest.fixture
def table(tmp_path: Path) -> str:
    file = tmp_path / "data.csv"
    file.write_text("prediction,target,segment\n1,0,a\n2,0,a\n4,0,b\n8,0,b\n")
    return str(file)


def test_the_command_exits_with_1_for_a_failed_gate_alone(
    table: str, capfd: pytest.CaptureFixture[str]
) -> None:
    def run(*words: str) -> tuple[int, str, str]:
        status = cli.run(["eval", table, "-l", "mae", *words])
        out, err = capfd.readouterr()
        return status, out, err

    assert run("--fail-if", "mae > 4", "-q") == (0, "3.75\n", "")
    status, out, err = run("--fail-if", "mae > 3", "-q")
    assert (status, out) == (1, "3.75\n")
    assert err == "gate failed: mae > 3: mae is 3.75\n"
    status, out, _ = run("--by", "segment", "--fail-if", "any group(segment): mae > 3", "--json")
    gates = json.loads(out)["gates"]
    assert status == 1
    assert gates == [
        {
            "gate": "any group(segment): mae > 3", "passed": False, "value": 6, "limit": 3,
            "message": "mae is 6 in segment=b", "group": {"segment": "b"},
        }
    ]  # fmt: skip
    status, out, _ = run("--fail-if", "mae > 4", "--fail-if", "n(mae) < 9")
    assert status == 1
    assert "passed" in out
    assert "FAILED" in out
    assert run("--fail-if", "mae >")[0] == 2
    assert run("--fail-if", "mse > 3")[0] == 2
    assert run("--by", "segment", "--fail-if", "group(segment=a): mae > 3", "-q")[0] == 0
    status, out, _ = run("--fail-if", "mae > 3", "-f", "markdown")
    assert (status, "### Gates" in out) == (1, True)


def test_nan_in_a_group_passes_no_gate() -> None:
    prediction = np.array([1.0, np.nan, 4.0, 8.0])
    options: dict[str, Any] = {"by": {"segment": G["segment"]}, "nan": "propagate"}
    for quantity in ("any", "all"):
        found = lossctl.evaluate(
            "mae", prediction, T, fail_if=f"{quantity} group(segment): mae > 100", **options
        ).gates[0]
        assert not found.passed
        assert "passes no gate" in found.message
