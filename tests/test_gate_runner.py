"""Gates: what they decide, against SciPy and by simulation; baselines, errors and the command.

`LOSSCTL_UPDATE_GOLDEN=1 pytest tests/test_gate_runner.py` writes the golden files anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from jsonschema import Draft202012Validator
from scipy import stats

import lossctl
from lossctl import cli
from lossctl import plan as plans
from lossctl.evaluation import run as evaluate
from lossctl.gates import runner
from lossctl.gates.accept import update
from lossctl.gates.config import read
from lossctl.gates.start import _rounded
from lossctl.render.options import Style
from lossctl.render.verdict import render, summary
from lossctl.report import GateResult, Verdict

GOLDEN = Path(__file__).parent / "golden"
SCHEMA = json.loads((Path(lossctl.__file__).parent / "schemas" / "gate-1.json").read_text("utf-8"))
Floats = npt.NDArray[np.float64]


class Data:
    """A target, a candidate and a baseline, with groups and clusters, in files."""

    def __init__(self, folder: Path, n: int = 60, seed: int = 0, shift: float = 0.0) -> None:
        rng = np.random.default_rng(seed)
        self.folder = folder
        self.target = rng.normal(size=n)
        self.base = self.target + rng.normal(size=n)
        self.own = self.target + (self.base - self.target) * (1 + shift) + rng.normal(size=n) / 4
        self.group = np.array([f"g{i % 3}" for i in range(n)])
        self.cluster = np.arange(n) // 4
        self.write("own.csv", self.own)
        self.write("base.csv", self.base)

    def write(self, name: str, prediction: Floats, **more: Any) -> Path:
        columns = {
            "y_pred": prediction, "y_true": self.target, "g": self.group, "c": self.cluster,
        } | more  # fmt: skip
        rows = zip(*(column.tolist() for column in columns.values()))
        text = ",".join(columns) + "\n" + "\n".join(",".join(map(str, row)) for row in rows)
        path = self.folder / name
        path.write_text(text + "\n", "utf-8")
        return path

    def losses(self, which: str) -> tuple[Floats, Floats]:
        """The candidate's and the baseline's per-sample losses."""
        own, base = self.own - self.target, self.base - self.target
        return (own**2, base**2) if which == "mse" else (abs(own), abs(base))

    def gate(self, *gates: Mapping[str, Any], **defaults: Any) -> Verdict:
        given = {"prediction": str(self.folder / "own.csv")} | defaults
        return lossctl.gate(given | {"gate": [dict(item) for item in gates]})

    def one(self, loss: str = "mae", **gate: Any) -> GateResult:
        named = {"baseline": str(self.folder / "base.csv")} if COMPARING & set(gate) else {}
        return self.gate({"loss": loss} | named | gate).gates[0]


COMPARING = {"max_regression", "alpha", "margin"}


@pytest.fixture
def data(tmp_path: Path) -> Data:
    return Data(tmp_path)


# ---- limits ------------------------------------------------------------------------------


def test_limits(data: Data) -> None:
    own, _ = data.losses("mae")
    value = float(own.mean())
    passed = data.one(max=value * 1.01, min=value * 0.99, samples=60)
    assert passed.passed
    assert passed.value == pytest.approx(value)
    assert passed.limit == value * 1.01
    assert passed.message == (
        f"mae is {value:.6g}, at most {value * 1.01:.6g}; mae is {value:.6g}, at least "
        f"{value * 0.99:.6g}; 60 samples, at least 60"
    )
    assert (passed.n, passed.loss, passed.baseline, passed.p) == (60, "mae", None, None)
    above = data.one(max=0.1, min=0)
    assert not above.passed
    assert above.message == f"mae is {value:.6g}, above 0.1; n = 60"
    below = data.one(min=9)
    assert not below.passed
    assert below.message == f"mae is {value:.6g}, below 9; n = 60"
    few = data.one(samples=61)
    assert not few.passed
    assert few.message == "60 samples, fewer than 61"
    assert (few.value, few.limit) == (60, 61)
    assert data.one(max=value).passed, "the limit itself holds"


def test_figures(data: Data) -> None:
    own, _ = data.losses("mae")
    for figure, value in (("p95", np.quantile(own, 0.95)), ("max", own.max()), ("n", 60)):
        found = data.one(figure=figure, max=1000)
        assert found.value == pytest.approx(value)
        assert found.message.startswith(f"{figure}(mae) is ")
    report = lossctl.evaluate("mae", str(data.folder / "own.csv"), confidence=0.8, bootstrap=200)
    interval = report.losses[0].summary.interval
    assert interval is not None
    found = data.one(figure="high", max=1000, confidence=0.8, bootstrap=200)
    assert found.value == interval.high


def test_groups_must_all_hold(data: Data) -> None:
    own, _ = data.losses("mae")
    values = {name: own[data.group == name].mean() for name in ("g0", "g1", "g2")}
    worst = max(values, key=lambda name: values[name])
    middle = sorted(values.values())[1]
    found = data.one(max=10, group="g")
    assert found.passed
    assert f"in g={worst}, the worst of 3 groups, at most 10; n = 20" in found.message
    assert found.value == pytest.approx(values[worst])
    found = data.one(max=middle * 0.999, group="g")
    assert not found.passed
    assert dict(found.group) == {"g": worst}
    assert f"in g={worst} and 1 more, above" in found.message
    assert not data.one(samples=21, group="g").passed
    assert data.one(samples=20, group=["g"]).passed
    several = data.one(max=10, group=["g", "c"])
    assert set(several.group) == {"g", "c"}


def test_fail_if(data: Data) -> None:
    own, _ = data.losses("mae")
    found = data.gate({"fail_if": "mae > 0.01"}, {"fail_if": "p95(mae) > 100"}).gates
    assert [item.passed for item in found] == [False, True]
    assert found[0].message == f"mae is {own.mean():.6g}; fails if mae > 0.01; n = 60"
    grouped = data.gate(
        {"fail_if": "any group(g): mae > 100"},
        {"fail_if": "mae > 100", "group": "g", "name": "the same"},
        {"fail_if": "group(g=g9): mae > 100"},
    ).gates
    assert [item.passed for item in grouped] == [True, True, False]
    assert "in g=g" in grouped[1].message
    assert grouped[2].message == "there is no group g=g9; fails if group(g=g9): mae > 100; n = 60"
    assert not grouped[2].error, "it was evaluated, and did not hold"


def test_nan_passes_no_gate(data: Data) -> None:
    data.own[3] = np.nan
    data.write("own.csv", data.own)
    for gate in ({"max": 1e9}, {"min": -1e9}, {"max_regression": 1e9}, {"alpha": 0.01}):
        found = data.one(**gate, nan="propagate")
        assert not found.passed, gate
        assert not found.error
        assert found.message == "mae is not a number, which passes no gate; n = 60"
    assert "NaN" in data.one(max=1).error
    assert data.one(max=100, nan="skip").n == 59


# ---- comparisons -------------------------------------------------------------------------


def test_max_regression(data: Data) -> None:
    own, base = (item.mean() for item in data.losses("mae"))
    share = (own - base) / base
    assert data.one(max_regression=f"{max(share, 0) * 100 + 0.1}%").passed
    worse = Data(data.folder, shift=0.5)
    own, base = (item.mean() for item in worse.losses("mae"))
    found = worse.one(max_regression="1%")
    assert not found.passed
    assert found.limit == pytest.approx(base * 1.01)
    assert found.baseline == pytest.approx(base)
    assert found.message == (
        f"mae is {own:.6g}, baseline {base:.6g} ({(own / base - 1) * 100:+.3g} %), above the "
        f"{base * 1.01:.6g} allowed; n = 60"
    )
    assert worse.one(max_regression=own - base + 1e-9).passed
    assert not worse.one(max_regression=own - base - 1e-9).passed
    assert worse.one(max_regression=9, figure="p95").baseline == pytest.approx(
        np.quantile(worse.losses("mae")[1], 0.95)
    )


def expected(own: Floats, base: Floats, scale: float, alternative: str, away: float = 0) -> float:
    """SciPy's one-sided paired t test of own − scale·base against a number."""
    found = stats.ttest_1samp(own - scale * base, away, alternative=alternative)
    return float(found.pvalue)


@pytest.mark.parametrize("loss", ["mae", "mse"])
def test_tests_agree_with_scipy(loss: str, data: Data) -> None:
    own, base = data.losses(loss)
    cases = [
        ({"alpha": 0.05}, expected(own, base, 1, "greater")),
        ({"alpha": 0.05, "max_regression": 0.05}, expected(own, base, 1, "greater", 0.05)),
        ({"alpha": 0.05, "max_regression": "5%"}, expected(own, base, 1.05, "greater")),
        ({"alpha": 0.05, "margin": 0.05}, expected(own, base, 1, "less", 0.05)),
        ({"alpha": 0.05, "margin": "5%"}, expected(own, base, 1.05, "less")),
        ({"alpha": 0.05, "margin": 0}, expected(own, base, 1, "less")),
    ]
    for gate, p in cases:
        found = data.one(loss, **gate)
        assert found.p == pytest.approx(p, rel=1e-6), gate
        below = p <= 0.05
        assert found.passed is (below if "margin" in gate else not below)
    for alpha in (0.9, 0.01):  # either side of a p-value
        p = expected(own, base, 1, "greater")
        assert data.one(loss, alpha=alpha).passed is (p > alpha)


def test_a_share_of_a_negative_baseline_is_of_its_size(data: Data) -> None:
    loss = "-1*mae"
    own, base = (-item for item in data.losses("mae"))
    found = data.one(loss, alpha=0.05, margin="5%")
    assert found.limit == pytest.approx(base.mean() * 0.95)
    assert found.p == pytest.approx(expected(own, base, 0.95, "less"), rel=1e-6)


def test_a_test_of_a_finished_loss_is_by_the_delta_method(data: Data) -> None:
    own, base = data.losses("mse")
    slopes = (0.5 / np.sqrt(item.mean()) for item in (own, base))
    linear = own * next(slopes) - 1.1 * base * next(slopes)
    error = linear.std(ddof=1) / np.sqrt(len(own))
    t = (np.sqrt(own.mean()) - 1.1 * np.sqrt(base.mean())) / error
    found = data.one("rmse", alpha=0.05, margin="10%")
    assert found.p == pytest.approx(stats.t.cdf(t, len(own) - 1), rel=1e-5)


def test_clusters_are_what_is_independent(data: Data) -> None:
    own, base = data.losses("mae")
    sums = np.add.reduceat(own - base, range(0, 60, 4))
    sizes = np.full(15, 4)
    away = sums - sizes * (own - base).mean()
    error = np.sqrt(15 / 14 * (away**2).sum()) / 60
    found = data.one(alpha=0.05, cluster="c")
    assert found.p == pytest.approx(stats.t.sf((own - base).mean() / error, 14), rel=1e-6)


def test_groups_are_corrected_by_holm(data: Data) -> None:
    worse = Data(data.folder, n=90, shift=0.3)
    own, base = worse.losses("mae")
    parts = [worse.group == name for name in ("g0", "g1", "g2")]
    raw = [expected(own[rows], base[rows], 1, "greater") for rows in parts]
    least = min(raw)
    found = worse.one(alpha=0.05, group="g")
    assert found.p == pytest.approx(min(1, 3 * least), rel=1e-6)
    assert "(Holm, 3 groups)" in found.message
    assert not worse.one(alpha=least * 3.001, group="g").passed
    between = worse.one(alpha=least * 2.999, group="g")
    assert between.passed, "below alpha by itself, but not of three"
    margins = [expected(own[rows], base[rows], 1, "less", 0.3) for rows in parts]
    found = worse.one(alpha=0.05, margin=0.3, group="g")
    assert found.p == pytest.approx(max(margins), rel=1e-6)
    assert worse.one(alpha=max(margins) * 1.001, margin=0.3, group="g").passed
    assert not worse.one(alpha=max(margins) * 0.999, margin=0.3, group="g").passed


def test_the_same_model_passes(data: Data) -> None:
    data.write("base.csv", data.own)
    for loss in ("mae", "rmse"):
        assert data.one(loss, alpha=0.05).passed
        assert data.one(loss, alpha=0.05, group="g").passed
        assert data.one(loss, alpha=0.05, margin="1%").passed
        assert data.one(loss, alpha=0.05, max_regression=0).passed
        assert data.one(loss, max_regression=0).passed
        assert not data.one(loss, alpha=0.05, margin=0).passed, "it is not better"
    data.write("base.csv", data.own * (1 + 1e-8))  # another machine's rounding
    for loss in ("mae", "rmse"):
        assert data.one(loss, alpha=0.05).passed
        assert data.one(loss, alpha=0.05, margin="1%").passed
    data.write("base.csv", data.target + abs(data.own - data.target) + 1)
    assert data.one(alpha=0.05, margin=0).passed, "each sample is better by 1"


def test_too_few_for_a_test(tmp_path: Path) -> None:
    single = Data(tmp_path, n=1)
    found = single.one(alpha=0.05)
    assert found.error == (
        "too few samples for a test: there is 1, and at least 2 are needed; evaluate more samples, "
        "or leave out alpha"
    )
    four = Data(tmp_path, n=4)
    assert "in g=g1: there is 1" in four.one(alpha=0.05, group="g").error
    assert "too few clusters" in four.one(alpha=0.05, cluster="c").error
    assert four.one(max_regression=100).passed


def alarms(folder: Path, gate: Mapping[str, Any], more: float, noise: float) -> int:
    """How many of 400 models fail that are truly worse by `more`; the loss is 1 or so."""
    rng, failed, n = np.random.default_rng(7), 0, 60
    files = {name: str(folder / f"{name}.npy") for name in ("prediction", "target", "baseline")}
    np.save(files["target"], np.zeros(n))
    for _ in range(400):
        base = 1 + 0.3 * rng.normal(size=n)
        np.save(files["baseline"], base)
        np.save(files["prediction"], base + more + noise * rng.normal(size=n))
        result = lossctl.gate({**files, "gate": [{"loss": "mae", **gate}]}, threads=1).gates[0]
        assert not result.error
        failed += not result.passed
    return failed


LEAST, MOST = stats.binom.ppf([0.001, 0.999], 400, 0.05)


def test_false_alarms_are_as_rare_as_promised(tmp_path: Path) -> None:
    assert LEAST <= alarms(tmp_path, {"alpha": 0.05}, 0, 0.1) <= MOST


def test_false_alarms_at_a_share_of_the_baseline(tmp_path: Path) -> None:
    # a third would fail if the baseline's own spread were left out
    gate = {"alpha": 0.05, "max_regression": "10%"}
    assert LEAST <= alarms(tmp_path, gate, 0.1, 0.01) <= MOST


def test_a_model_at_the_margin_is_rarely_accepted(tmp_path: Path) -> None:
    gate = {"alpha": 0.05, "margin": "10%"}
    assert LEAST <= 400 - alarms(tmp_path, gate, 0.1, 0.01) <= MOST


def test_what_is_allowed_reads_well(data: Data) -> None:
    data.write("base.csv", data.target + abs(data.own - data.target) + 1)
    for gate, told in (
        ({"margin": 0}, ": shown to be better at level 0.05;"),
        ({"margin": "0%"}, ": shown to be better at level 0.05;"),
        ({"margin": 0.5}, ": shown to be less than 0.5 worse at level 0.05;"),
        ({"max_regression": 0}, ": not shown worse at level 0.05;"),
        ({"max_regression": "2%"}, ": not shown worse by more than 2 % at level 0.05;"),
    ):
        assert told in data.one(alpha=0.05, **gate).message
    data.write("base.csv", data.own)
    assert "p = 1: not shown to be better at level 0.05;" in data.one(alpha=0.05, margin=0).message


def test_a_figure_that_is_not_there_reads_well(tmp_path: Path) -> None:
    single = Data(tmp_path, n=1)
    found = single.one(figure="high", max=1)
    assert found.message == "high(mae) is not a number, which passes no gate; n = 1"
    found = single.one(figure="high", max=1, group="g")
    assert found.message == "high(mae) is not a number in g=g0, which passes no gate; n = 1"


# ---- one pass ----------------------------------------------------------------------------


def test_what_is_alike_is_evaluated_once(data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []
    monkeypatch.setattr(
        runner, "evaluate", lambda plan, *rest: ran.append(plan) or evaluate(plan, *rest)
    )
    base = str(data.folder / "base.csv")
    found = data.gate(
        {"loss": "mae", "max": 9},
        {"loss": "mse", "max": 9},
        {"loss": "mae", "max": 9, "group": "g"},
        {"loss": "mae", "max": 9, "figure": "high"},
        {"fail_if": "group(g): p95(mse) > 99"},
        {"loss": "rmse", "min": 0},
        {"loss": "mae", "alpha": 0.01, "baseline": base},
        {"loss": "mae", "max_regression": "90%", "baseline": base, "group": "g"},
        {"loss": "mae", "max": 9, "group": "c"},
    )
    assert found.passed, [item.message + item.error for item in found.gates]
    assert len(ran) == 3
    plain = next(plan for plan in ran if "g" in plan.by and not plan.models)
    assert [bound.label for bound in plain.losses] == ["mae", "mse", "rmse"]
    assert plain.ungrouped == ("rmse",)
    assert plain.quantiles
    assert not ran[1].quantiles
    assert len(found.signatures) == 3
    assert found.samples == 60


def test_a_loss_without_groups_beside_one_with(data: Data) -> None:
    path = str(data.folder / "own.csv")
    options: dict[str, Any]
    for options in ({}, {"bootstrap": 200}, {"cluster": "c"}, {"weight": "c"}):
        both = plans.make(
            ["mae", "rmse"], {"prediction": path}, by=["g"], ungrouped=("rmse",), **options
        )
        report = evaluate(both)
        alone = lossctl.evaluate("rmse", path, **options).losses[0]
        assert report.losses[1].groups is None
        mine, theirs = report.losses[1].summary, alone.summary
        assert mine._replace(interval=None) == theirs._replace(interval=None)
        assert mine.interval and theirs.interval
        # clusters are summed group by group, which rounds in another order
        assert mine.interval[:3] == pytest.approx(theirs.interval[:3], rel=1e-14)
        assert len(report.losses[0].groups or ()) == 3


def test_defaults_are_for_the_losses_that_take_them(data: Data) -> None:
    data.write("own.csv", data.own, var=data.own**2 + 1)
    found = data.gate(
        {"loss": "gaussian_nll", "max": 99}, {"loss": "mae", "max": 99}, inputs={"variance": "var"}
    )
    assert found.passed, [item.error for item in found.gates]
    assert len(found.signatures) == 1


def test_an_error_is_of_its_gates_alone(data: Data) -> None:
    found = data.gate(
        {"loss": "mae", "max": 99},
        {"loss": "bce", "max": 99},
        {"loss": "mse", "max": 99, "group": "nowhere"},
        {"loss": "mse", "max": 99, "prediction": str(data.folder / "no.csv"), "name": "no file"},
        {"loss": "mse", "alpha": 0.01, "baseline": str(data.folder / "no.csv")},
        {"loss": "mse", "max": 99, "name": "the last"},
    ).gates
    assert [bool(item.error) for item in found] == [False, True, True, True, True, False]
    assert [item.passed for item in found] == [True, False, False, False, False, True]
    assert "prediction" in found[1].error
    assert "nowhere" in found[2].error
    assert "no.csv: no such file" in found[3].error
    assert "no.csv: no such file" in found[4].error
    assert all(len(item.error.splitlines()) <= 1 for item in found)
    assert found[1].message == "not evaluated"


def test_errors_name_the_keys_of_the_file(data: Data) -> None:
    rows = {"y_pred": data.own, "y_true": data.target, "id": np.arange(60)}
    data.folder.joinpath("x.txt").write_text("y_pred,y_true\n1,2\n")
    np.savez(data.folder / "own.npz", prediction=data.own, other=data.own)

    def table(name: str, step: int = 1, **more: Any) -> str:
        columns = {key: value[::step] for key, value in (rows | more).items()}
        path = data.folder / name
        lines = [",".join(map(str, row)) for row in zip(*columns.values())]
        path.write_text("\n".join([",".join(columns), *lines]) + "\n", "utf-8")
        return str(path)

    forth = table("forth.csv")
    back = f"{table('back.csv', -1)}::y_true"
    few = f"{table('few.csv', 2)}::y_true"
    missing = table("missing.csv", y_pred=np.full(60, np.nan))
    for gate, told in (
        ({"prediction": missing}, 'with nan = "skip", or let NaN through with nan = "propagate"'),
        ({"prediction": forth, "target": back}, 'by it: on = "id"; or'),
        ({"prediction": forth, "target": back}, 'all the same: on = "row"'),
        ({"prediction": forth, "target": few, "on": "id"}, 'rows out with unmatched = "drop"'),
        ({"prediction": forth, "unmatched": "drop"}, 'give the key: on = "KEY"'),
        ({"prediction": forth, "unmatched": "drop"}, "unmatched says what a join does"),
        ({"prediction": forth, "on": "id"}, "on joins two tables, and there is only one"),
        ({"prediction": forth, "on": "id"}, "leave out on"),
        ({"loss": "gaussian_nll"}, 'give inputs = {variance = "REF"}'),
        ({"target": str(data.folder / "x.txt")}, "known: .csv, .tsv"),
    ):
        error = data.one(**{"max": 1} | gate).error
        assert told in error, error
        assert "--" not in error


def test_a_mistake_of_ours_is_an_error(data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(runner, "evaluate", broken)
    found = data.one(max=1)
    assert "a mistake in lossctl, not in your data: RuntimeError: two lines" in found.error
    monkeypatch.setenv("LOSSCTL_DEBUG", "1")
    with pytest.raises(RuntimeError):
        data.one(max=1)


def test_quantiles_of_many_groups_are_no_failure(tmp_path: Path) -> None:
    many = Data(tmp_path, n=600)
    many.group = np.arange(600)
    many.write("own.csv", many.own)
    assert "there is no p95 of each group" in many.one(max=99, figure="p95", group="g").error
    expression = many.gate({"fail_if": "group(g): p95(mae) > 99"}).gates[0]
    assert "there is no p95 of each group" in expression.error
    assert many.one(max=99, figure="max", group="g").passed


# ---- saved reports -----------------------------------------------------------------------


@pytest.fixture
def saved(data: Data, capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """Saves a report of the baseline, and returns the gate's words for it."""

    def save(*words: str, loss: str = "mae") -> dict[str, Any]:
        path = data.folder / "base.json"
        assert cli.run(["eval", str(data.folder / "base.csv"), "-l", loss, "--json", *words]) == 0
        path.write_text(capsys.readouterr().out, "utf-8")
        return {"baseline": str(path)}

    return save


def test_a_saved_report_is_a_baseline(data: Data, saved: Any) -> None:
    base = data.losses("mae")[1]
    found = data.one(max_regression="100%", **saved())
    assert found.passed
    assert found.baseline == pytest.approx(base.mean())
    assert not data.one(max_regression=0, min=0, **saved()).passed or found.value < base.mean()
    figure = data.one(max_regression=9, figure="p95", **saved())
    assert figure.baseline == pytest.approx(np.quantile(base, 0.95))
    high = data.one(max_regression=9, figure="high", **saved())
    assert high.baseline is not None
    assert high.baseline > base.mean()
    grouped = data.one(max_regression="100%", group="g", **saved("--by", "g"))
    assert grouped.passed
    assert grouped.baseline == pytest.approx(base[data.group == grouped.group["g"]].mean())


def test_a_saved_report_that_does_not_compare(data: Data, saved: Any) -> None:
    def error(loss: str = "mae", **gate: Any) -> str:
        return data.one(loss, max_regression=1, **gate).error

    assert "has no mse: it has mae" in error("mse", **saved())
    assert "the loss is huber:delta=1 there and huber:delta=2 here" in error(
        "huber:delta=2", **saved(loss="huber")
    )
    assert "the reduction is mean there and sum here" in error(reduction="sum", **saved())
    assert "the policy for NaN is error there and skip here" in error(nan="skip", **saved())
    assert "the weight is not given there and given here" in error(weight="c", **saved())
    assert "mae has no groups there" in error(group="g", **saved())
    one = saved()
    Data(data.folder, n=61)
    assert "the number of samples is 60 there and 61 here" in error(**one)
    path = data.folder / "base.json"
    found = json.loads(path.read_text("utf-8"))
    Data(data.folder)
    for change, message in (
        ({"schema": "lossctl.eval/2"}, "of the schema lossctl.eval/2, not lossctl.eval/1"),
        ({"losses": [found["losses"][0] | {"value": None}]}, "mae is not a finite number there"),
    ):
        path.write_text(json.dumps(found | change), "utf-8")
        assert message in error(**one)
    for n in (59, None):
        losses = [found["losses"][0] | {"n": n}]
        path.write_text(json.dumps(found | {"losses": losses}), "utf-8")
        assert f"n(mae) is {n} there and 60 here" in error(**one)
    path.write_text(json.dumps({"schema": "lossctl.eval/1"}), "utf-8")
    assert "lacks inputs, losses" in error(**one)
    path.write_text('{"schema": "lossctl.eval/1"', "utf-8")
    assert "is not JSON" in error(**one)
    path.unlink()
    assert "there is no saved report; write it: lossctl gate --update" in error(**one)
    gate = {"loss": "mae", "max_regression": 1, **one}
    for version, told in (("0.0.1", "0.0.1"), ("", "of an unknown version")):
        path.write_text(json.dumps(found | {"version": version}), "utf-8")
        assert data.gate(gate).notes == (
            f"{path} was written by lossctl {told}; this is {lossctl.__version__}",
        )
    path.write_text(json.dumps(found), "utf-8")
    assert data.gate(gate).notes == ()


def test_a_saved_report_that_was_made_in_another_way(data: Data, saved: Any) -> None:
    wide = {"max_regression": 1, "figure": "high"}
    assert (
        "confidence is 0.5 there and 0.95 here"
        in data.one(**wide, **saved("--confidence", "0.5")).error
    )
    assert (
        "cluster is c there and not given here" in data.one(**wide, **saved("--cluster", "c")).error
    )
    assert (
        "dtype is float32 there" in data.one(max_regression=1, **saved("--dtype", "float32")).error
    )
    data.write("own.csv", data.own, w=np.ones(60))
    found = data.one(max_regression=1, weight="w", **saved("--weight", "c"))
    assert "weight is c there and w here" in found.error
    assert data.one(max_regression=9, **saved("--confidence", "0.5")).passed, "the value has none"


def test_a_group_that_is_only_in_the_baseline_does_not_pass(data: Data, saved: Any) -> None:
    words = saved("--by", "g")
    data.group = np.where(data.group == "g2", "g1", data.group)
    data.write("own.csv", data.own)
    found = data.one(max_regression="900%", group="g", **words)
    assert not found.passed
    assert "has a group g=g2 that is not in the data" in found.error


def test_a_baseline_whose_loss_is_infinite_does_not_pass(data: Data) -> None:
    prediction = np.where(np.arange(60) == 3, 0.0, 0.5)
    for name in ("own.csv", "base.csv"):
        data.target = np.ones(60)
        data.write(name, prediction)
    found = data.one("bce", max_regression=1)
    assert not found.passed
    assert "the baseline's bce is no finite number" in found.error


def test_a_difference_that_is_infinite_is_not_tested(data: Data) -> None:
    data.target = np.ones(60)
    data.write("own.csv", np.full(60, 0.5))
    data.write("base.csv", np.where(np.arange(60) == 3, 0.0, 0.5))
    found = data.one("bce", alpha=0.05)
    assert not found.passed
    assert "there is no difference to test" in found.error
    path = data.folder / "base.json"
    path.write_text(
        '{"schema": "lossctl.eval/1", "signature": "", "samples": 1, "skipped": 0, '
        '"inputs": {}, "losses": 5}'
    )
    assert "is not whole" in data.one(max_regression=1, baseline=str(path)).error


def test_json_lines_of_predictions_are_no_report(data: Data) -> None:
    rows = [{"y_pred": p, "y_true": t} for p, t in zip(data.base, data.target)]
    path = data.folder / "base.json"
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    found = data.one(alpha=0.05, baseline=str(path))
    assert found.baseline == pytest.approx(data.losses("mae")[1].mean())


def test_one_row_of_predictions_is_no_report(tmp_path: Path) -> None:
    one = Data(tmp_path, n=1)
    path = tmp_path / "base.json"
    path.write_text(json.dumps({"y_pred": one.base[0], "y_true": one.target[0]}), "utf-8")
    found = one.one(max_regression=9, baseline=str(path))
    assert found.baseline == abs(one.base[0] - one.target[0])


@pytest.mark.parametrize("text", ["{}", "[1]", '[{"y_pred": 1}]', "3", '{"mae": {"value": 0.5}}'])
def test_json_that_is_neither_report_nor_predictions(text: str, data: Data) -> None:
    path = data.folder / "base.json"
    path.write_text(text, "utf-8")
    with pytest.raises(lossctl.UsageError) as caught:
        data.one(max_regression=1, baseline=str(path))
    assert caught.value.what == (
        f"(config): {path} is JSON, but neither a saved report nor lines of predictions"
    )
    assert "lossctl gate --update" in caught.value.hint


def test_a_long_list_is_refused_by_its_reader(data: Data) -> None:
    path = data.folder / "base.json"
    path.write_text(json.dumps([{"y_pred": 1.5, "y_true": 1.25}] * 4000), "utf-8")
    assert "begins with a list" in data.one(max_regression=1, baseline=str(path)).error


# ---- --update ----------------------------------------------------------------------------


def config(folder: Path, *gates: str) -> Path:
    text = 'prediction = "own.csv"\n' + "".join(f"[[gate]]\n{gate}\n" for gate in gates)
    path = folder / "lossctl.toml"
    path.write_text(text, "utf-8")
    return path


MAE = 'loss = "mae"\nmax_regression = 0\nbaseline = '


def test_update_accepts_the_candidate(data: Data) -> None:
    path = config(
        data.folder,
        f'{MAE}"base.csv"\nname = "a"',
        f'{MAE}"saved.json"\nname = "b"',
        f'{MAE}"saved.json"\nname = "c"\ngroup = "g"',
        'loss = "rmse"\nmax_regression = 0\nbaseline = "saved.json"',
    )
    assert not lossctl.gate(path).passed
    said = update(read(path))
    assert len(said) == 2
    value = data.losses("mae")[0].mean()
    assert said[0].startswith(f"{data.folder / 'saved.json'}: mae {value:.6g}, rmse ")
    assert said[1] == f"{data.folder / 'base.csv'}: copied from {data.folder / 'own.csv'}"
    assert (data.folder / "base.csv").read_text() == (data.folder / "own.csv").read_text()
    found = lossctl.gate(path)
    assert found.passed, [item.message + item.error for item in found.gates]
    names = {item.name for item in data.folder.iterdir()}
    assert names == {"own.csv", "base.csv", "lossctl.toml", "saved.json"}


def test_update_does_not_look_at_the_old_baseline(data: Data) -> None:
    path = config(
        data.folder,
        f'{MAE}"base.csv"\nname = "a"',
        f'{MAE}"saved.json"\nname = "b"',
        'loss = "mae"\nbaseline = "base.csv"\nalpha = 0.05\ngroup = "g"\nname = "c"',
    )
    update(read(path))
    for n, old in ((40, None), (70, "no table"), (50, "y_pred,y_true,g\n" + "1,2,g0\n" * 30)):
        Data(data.folder, n=n)  # both files
        if old is None:
            (data.folder / "base.csv").unlink()
        else:
            (data.folder / "base.csv").write_text(old, "utf-8")
        assert len(update(read(path))) == 2
        assert lossctl.gate(path).passed


def test_update_says_which_gates_fail_with_the_new_baselines(data: Data) -> None:
    gates = [
        f'{MAE}"base.csv"\nname = "a"',
        'loss = "mae"\nbaseline = "base.csv"\nalpha = 0.05\nmargin = 0\nname = "better"',
        'loss = "mae"\nmax = 0.1\nname = "good"',
    ]
    path = config(data.folder, *gates)
    value = data.losses("mae")[0].mean()
    assert update(read(path))[1:] == [
        f"gate fails now: better: mae is {value:.6g}, baseline {value:.6g} (+0 %), p = 1: not "
        "shown to be better at level 0.05; n = 60",
        f"gate fails now: good: mae is {value:.6g}, above 0.1; n = 60",
    ]
    single = Data(data.folder, n=1)
    path = config(single.folder, gates[1])
    assert update(read(path))[1].startswith(
        "gate cannot be evaluated now: better: too few samples for a test"
    )


NOT_FINITE = [
    ("mae", np.inf, 'baseline = "base.csv"\nmax_regression = 0', "mae is inf"),
    ("mae", np.inf, 'baseline = "b.json"\nmax_regression = 0', "mae is inf"),
    ("-1*mae", np.inf, 'baseline = "base.csv"\nalpha = 0.1', r"-1\*mae is -inf"),
    ("mae", np.inf, 'baseline = "base.csv"\nalpha = 0.1\ngroup = "g"', "mae is inf in g=g0"),
    ("mae", np.nan, 'baseline = "b.json"\nmax_regression = 0\nnan = "propagate"',
     "mae is not a number"),
    ("mae", np.inf, 'baseline = "b.json"\nmax_regression = 0\nfigure = "high"\n'
     'fail_if = "mae > 0"', r"high\(mae\) is "),
]  # fmt: skip


@pytest.mark.parametrize(("loss", "value", "keys", "message"), NOT_FINITE)
def test_update_refuses_what_is_not_finite(
    loss: str, value: float, keys: str, message: str, data: Data
) -> None:
    data.own[3] = value
    data.write("own.csv", data.own)
    path = config(data.folder, f'loss = "{loss}"\n{keys}\nname = "x"')
    before = {item: item.read_bytes() for item in data.folder.iterdir()}
    with pytest.raises(lossctl.DataError, match=f"gate x: {message}") as caught:
        update(read(path))
    assert "which can be no baseline" in caught.value.what
    assert "nothing was changed" in caught.value.hint
    assert {item: item.read_bytes() for item in data.folder.iterdir()} == before


def test_update_takes_what_is_infinite_where_it_is_not_compared(data: Data) -> None:
    data.own[3] = np.inf
    data.write("own.csv", data.own)
    path = config(data.folder, f'{MAE}"base.csv"\nfigure = "median"', 'loss = "mae"\nmax = 1')
    assert update(read(path))[1].startswith("gate fails now: mae <= 1: mae is inf, above 1")


REFUSED = [
    ('loss = "mae"\nmax = 1', "no gate has a baseline"),
    (f'{MAE}"own.csv"', "are one file"),
    (f'{MAE}"base.npy"', "are of different formats"),
    (f'{MAE}"no/base.csv"', "there is no folder"),
    (f'{MAE}"base.csv::y_pred"', "names the columns None, and baseline y_pred"),
    (f'{MAE}"s3://b/base.csv"', "is no single file"),
    (f'{MAE}"."', "is no single file"),
    (f'{MAE}"base.csv"\nprediction = "no.csv"', "no.csv: no such file"),
    (f'{MAE}"base.csv"\n[[gate]]\n{MAE}"base.csv"\nname = "x"\nprediction = "base2.csv"',
     "have different predictions"),
    (f'{MAE}"b.json"\n[[gate]]\n{MAE}"b.json"\nname = "x"\nnan = "skip"', "evaluate differently"),
    (f'{MAE}"b.json"\ngroup = "g"\n[[gate]]\n{MAE}"b.json"\nname = "x"\ngroup = "c"',
     "have different groups"),
    (f'{MAE}"b.json"\nfigure = "high"\n[[gate]]\n{MAE}"b.json"\nname = "x"\nfigure = "high"\n'
     "confidence = 0.5", "have different intervals"),
    (f'{MAE}"base.csv"\n[[gate]]\nloss = "bce"\nmax = 1', "gate bce <= 1: "),
    (f'{MAE}"b.json"\n[[gate]]\n{MAE}"base.csv"\nname = "x"\ngroup = "no"', "gate x: "),
]  # fmt: skip


@pytest.mark.parametrize(("gates", "message"), REFUSED)
def test_update_changes_nothing_where_something_is_wrong(
    gates: str, message: str, data: Data
) -> None:
    path = config(data.folder, gates)
    before = {item: item.read_bytes() for item in data.folder.iterdir()}
    with pytest.raises(lossctl.LossctlError, match=message):
        update(read(path))
    assert {item: item.read_bytes() for item in data.folder.iterdir()} == before


def test_update_renames_all_or_says_so(data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    path = config(data.folder, f'{MAE}"b.json"')

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(lossctl.DataError, match=r"b\.json: no space left on device"):
        update(read(path))
    assert not [item for item in data.folder.iterdir() if "part" in item.name]


# ---- the command -------------------------------------------------------------------------


class Ran:
    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err


@pytest.fixture
def run(
    data: Data, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Ran]:
    monkeypatch.chdir(data.folder)

    def call(*words: str) -> Ran:
        status = cli.run(["gate", *words])
        return Ran(status, *capsys.readouterr())

    return call


def test_exit_status(run: Callable[..., Ran], data: Data) -> None:
    config(data.folder, 'loss = "mae"\nmax = 9')
    ran = run()
    assert (ran.status, ran.err) == (0, "")
    assert "1 of 1 gate passed" in ran.out
    assert run("-q").out == ""
    config(data.folder, 'loss = "mae"\nmax = 9', 'loss = "mae"\nmax = 0.1\nname = "x"')
    ran = run("-q")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("gate failed: x: mae is 0.")
    config(data.folder, 'loss = "mae"\nmax = 0.1', 'loss = "mae"\nmax = 9\ngroup = "no"')
    ran = run()
    assert ran.status == 2, "a gate that could not be evaluated weighs more than one that failed"
    assert "gate failed" in ran.err
    assert "gate could not be evaluated" in ran.err
    assert "FAILED" in ran.out
    assert "0 of 2 gates passed, 1 failed, 1 could not be evaluated" in ran.out
    config(data.folder, 'loss = "mae"\nmaxx = 9')
    ran = run()
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == "error: lossctl.toml:4: there is no key 'maxx'\ndid you mean max?\n"


def test_json_fits_the_schema(run: Callable[..., Ran], data: Data) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    config(
        data.folder,
        'loss = "mae"\nmax = 9',
        'loss = "mae"\nalpha = 0.01\nbaseline = "base.csv"\ngroup = "g"',
        'loss = "bce"\nmax = 9',
    )
    ran = run("--json")
    found = json.loads(ran.out, parse_constant=pytest.fail)
    Draft202012Validator(SCHEMA).validate(found)
    assert found["passed"] is False
    assert [item["passed"] for item in found["gates"]] == [True, True, False]
    assert set(found["gates"][1]) == {
        "gate", "passed", "value", "limit", "message", "loss", "n", "baseline", "p", "group",
    }  # fmt: skip
    assert found["gates"][2]["value"] is None
    assert found["samples"] == 60
    assert json.loads(run("--json", "--precision", "2").out)["gates"][0]["limit"] == 9
    assert not Draft202012Validator(SCHEMA).is_valid({**found, "more": 1})


def test_words_that_do_not_go_together(run: Callable[..., Ran]) -> None:
    for words, message in (
        (["a.toml", "b.toml"], "b.toml: one file of gates"),
        (["-l", "mse"], "--loss is for --init"),
        (["--force"], "--force is for --init"),
        (["--init", "--update"], "--init and --update are two things to do"),
        (["--init", "-l", "mse"], "--init makes gates of one pair of files"),
        (["--init", "own.csv"], "--init needs a loss"),
        (["--json", "-q"], "three ways to print"),
        (["--update", "--json"], "--json is for a verdict, and --update has none"),
        (["--update", "-f", "markdown"], "--format is for a verdict"),
        (["--update", "--report", "json=x"], "leave out --report"),
        (["--update", "--metrics", "x"], "--metrics is for a verdict"),
        (["--init", "own.csv", "-l", "mae", "--json"], "--json is for a verdict, and --init has"),
        (["--metrics", "-"], "--metrics -: not a file"),
        (["-f", "csv"], "'csv' is not one of"),
        (["no.toml"], "no.toml: no such file"),
        (["--init", "-", "-l", "mse"], "standard input can be read once"),
        (["--init", "own.csv", "-l", "mse", "-o", "pyproject.toml"], "holds more than gates"),
        (["--init", "no.csv", "-l", "mse"], "no.csv: no such file"),
    ):
        ran = run(*words)
        assert (ran.status, ran.out) == (2, ""), words
        assert message in ran.err, words


def test_init_writes_gates_that_pass(run: Callable[..., Ran], data: Data) -> None:
    losses = ["mae", "rmse", "huber:delta=2", "-1*mae"]
    words = [word for loss in losses for word in ("-l", loss)]
    ran = run("--init", "own.csv", *words, "--prediction", "y_pred", "--target", "y_true")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == "lossctl.toml: 4 gates\nevaluate them with: lossctl gate\n"
    ran = run()
    assert ran.status == 0, ran.out
    found = read("lossctl.toml")
    assert [item.loss for item in found.gates] == losses
    report = lossctl.evaluate(losses, "own.csv")
    for gate, loss in zip(found.gates, report.losses):
        interval = loss.summary.interval
        assert interval is not None
        assert gate.most is not None
        assert interval.high <= gate.most <= interval.high + 0.01 * abs(interval.high)
        assert gate.samples == 60
    before = Path("lossctl.toml").read_bytes()
    ran = run("--init", "own.csv", "-l", "mse")
    assert ran.status == 2
    assert "is there already" in ran.err
    assert Path("lossctl.toml").read_bytes() == before
    assert run("--init", "own.csv", "-l", "mse", "--force", "-q").status == 0
    assert len(read("lossctl.toml").gates) == 1
    # what is commented out is right too
    text = Path("lossctl.toml").read_text("utf-8")
    start = text.index("# [[gate]]")
    more = "\n".join(line.removeprefix("# ") for line in text[start:].splitlines()
                     if line.startswith("# ") and (" = " in line or "[[" in line))  # fmt: skip
    Path("lossctl.toml").write_text(text + more, "utf-8")
    assert len(read("lossctl.toml").gates) == 3


def test_init_of_two_files_elsewhere(run: Callable[..., Ran], data: Data) -> None:
    Path("ci").mkdir()
    Path("t.csv").write_text("id,y_true\n1,1\n2,2\n3,3\n")
    Path("p.csv").write_text("id,y_pred\n3,3.5\n1,1.25\n2,2\n")
    words = ["--init", "p.csv", "t.csv", "-l", "mae", "--on", "id", "-o", "ci/gates.toml"]
    ran = run(*words)
    assert ran.out == "ci/gates.toml: 1 gate\nevaluate them with: lossctl gate ci/gates.toml\n"
    text = Path("ci/gates.toml").read_text("utf-8")
    assert 'prediction = "../p.csv"' in text
    assert 'on = "id"' in text
    assert run("ci/gates.toml").status == 0
    Path("p.csv").write_text("id,y_pred\n3,3.5\n1,1.25\n2,inf\n")
    ran = run("--init", "p.csv", "t.csv", "-l", "mae", "--on", "id")
    assert ran.status == 2
    assert "mae is inf, which no limit can be made of" in ran.err


def test_limits_are_rounded_up() -> None:
    for value, limit in ((58.03, 58.1), (58.0, 58.0), (0.0012341, 0.00124), (123456, 124000),
                         (0.0, 0.0), (-1.2345, -1.23)):  # fmt: skip
        assert _rounded(value) == limit


def test_update_says_what_it_did(run: Callable[..., Ran], data: Data) -> None:
    config(data.folder, f'{MAE}"base.csv"')
    ran = run("--update")
    assert (ran.status, ran.out) == (0, "base.csv: copied from own.csv\n")
    config(data.folder, f'{MAE}"base.csv"', 'loss = "mae"\nmin = 9')
    ran = run("--update")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.splitlines()[1].startswith("gate fails now: mae >= 9: mae is 0.")
    assert run("--update", "-q").out == ""
    config(data.folder, f'{MAE}"base.csv"')
    assert run().status == 0


# ---- what it looks like ------------------------------------------------------------------


def verdict() -> Verdict:
    nan = float("nan")
    return Verdict(
        version="1.2.3",
        config="ci/gates.toml",
        signatures=("lossctl:1.2.3|loss:rmse|reduction:mean|nan:error|n:442|data:0f1e",),
        samples=442,
        gates=(
            GateResult("good enough", True, 54.678, 60.0, "rmse is 54.678, at most 60; n = 442",
                       loss="rmse", n=442),
            GateResult("not worse", False, 54.678, 50.0,
                       "rmse is 54.678, baseline 50 (+9.36 %), p = 0.0012: worse at level 0.05; "
                       "n = 442", loss="rmse", n=442, baseline=50.0, p=0.0012345),
            GateResult("each <b>|group|", False, 9.5, 3.25,
                       "mae is 9.5 in region=[eu] and 1 more, above 3.25; n = 12",
                       {"region": "[eu]"}, loss="mae", n=12),
            GateResult("bce", False, nan, nan, "not evaluated",
                       error="p.csv: no such file", loss="bce"),
        ),
        notes=("base.json was written by lossctl 1.2.2",),
    )  # fmt: skip


NAMES = {"table": "txt", "json": "json", "markdown": "md"}


@pytest.mark.parametrize("format", NAMES)
def test_golden(format: str) -> None:
    path = GOLDEN / f"verdict.{NAMES[format]}"
    text = render(verdict(), format) + "\n"
    if os.environ.get("LOSSCTL_UPDATE_GOLDEN"):
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


def test_colours_and_words() -> None:
    text = render(verdict(), "table", Style(color=True, terminal=True, width=60))
    assert "\x1b[32mpassed" in text
    assert "\x1b[1;31mFAILED" in text
    with pytest.raises(lossctl.UsageError, match="markdown"):
        render(verdict(), "markdwn")
    found = verdict()
    assert summary(found._replace(gates=found.gates[:1] * 2)) == "all 2 gates passed"
