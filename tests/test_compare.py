"""`lossctl compare` and `lossctl.compare`: forms of input, what is printed, what is refused."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import lossctl
from lossctl import cli
from lossctl.align import rows
from lossctl.errors import DataError, UsageError
from lossctl.render import Style, render
from lossctl.render.comparison import short_names
from lossctl.report import Change, Comparison, Difference, InputInfo, Interval
from tests.test_cli import Ran, Run, process, run
from tests.test_render import HOSTILE, golden, parsed, validator

__all__ = ["run"]  # the fixture

N = 60
RNG = np.random.default_rng(5)
TARGET = RNG.standard_normal(N)
OLD = TARGET + RNG.standard_normal(N)
NEW = TARGET + RNG.standard_normal(N) * 0.7
OTHER = TARGET + RNG.standard_normal(N) * 1.1
GROUP = np.where(np.arange(N) % 3 == 0, "a", "b")
APART = float(((NEW - TARGET) ** 2 - (OLD - TARGET) ** 2).mean())


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Models in files of every kind, in the folder where we are."""
    monkeypatch.chdir(tmp_path)
    shuffled = RNG.permutation(N)
    ids = [f"s{i}" for i in range(N)]

    def frame(prediction: Any, **more: Any) -> pd.DataFrame:
        return pd.DataFrame({"id": ids, "y_pred": prediction, "y_true": TARGET, **more})

    for name, values in (("old", OLD), ("new", NEW), ("other", OTHER), ("target", TARGET)):
        np.save(f"{name}.npy", values)
    frame(OLD, group=GROUP, w=np.arange(N) % 4).to_csv("old.csv", index=False)
    frame(NEW).to_csv("new.csv", index=False)
    frame(OTHER).to_parquet("other.parquet")
    frame(NEW).iloc[shuffled].to_parquet("shuffled.parquet")
    frame(NEW)[["id", "y_pred"]].to_csv("bare.csv", index=False)
    frame(NEW).iloc[:50].to_csv("short.csv", index=False)
    frame(NEW, y_true=np.where(np.arange(N) == 7, 9, TARGET)).to_csv("wrong.csv", index=False)
    pd.DataFrame({"old": OLD, "new": NEW, "label": TARGET}).to_csv("both.csv", index=False)
    np.savez("old.npz", mean=OLD, variance=np.full(N, 1.0), y=TARGET)
    np.savez("new.npz", mean=NEW, variance=np.full(N, 0.5), y=TARGET)
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        "old.csv new.csv",
        "old.csv shuffled.parquet --on id",
        "old.npy new.npy --target target.npy",
        "old.npy new.npy --input target=target.npy",
        "old.csv bare.csv --target old.csv::y_true",
        "old.csv bare.csv --target old.csv::y_true --on id",
        "both.csv::old both.csv::new --target label",
        "both.csv::old both.csv::new --target both.csv::label",
        "both.csv::old both.csv::new",
        "old.csv new.npy --target old.csv",
        "old.csv new.csv --prediction y_pred --target y_true",
        "old.npz new.npz --prediction mean --target y",
    ],
)
def test_every_form_of_input(run: Run, data: Path, arguments: str) -> None:
    ran = run("compare", *arguments.split(), "-l", "mse", "-q")
    assert (ran.status, ran.err) == (0, "")
    assert float(ran.out) == pytest.approx(APART, rel=1e-12)


def test_inputs_that_each_model_brings_and_that_all_share(run: Run, data: Path) -> None:
    """Each model's variance is its own; a path names one for all."""

    def nll(prediction: Any, variance: Any) -> float:
        residual = (prediction - TARGET) ** 2 / variance
        return float((0.5 * (np.log(2 * np.pi * variance) + residual)).mean())

    files = ("old.npz", "new.npz", "--prediction", "mean", "--target", "y", "-l", "gaussian_nll")
    own = run("compare", *files, "-q")
    assert float(own.out) == pytest.approx(nll(NEW, 0.5) - nll(OLD, 1.0), rel=1e-10)
    np.save("v.npy", np.full(N, 2.0))
    shared = run("compare", *files, "--input", "variance=v.npy", "-q")
    assert float(shared.out) == pytest.approx(nll(NEW, 2.0) - nll(OLD, 2.0), rel=1e-10)


def test_from_python(data: Path) -> None:
    arrays = lossctl.compare("mse", OLD, NEW, TARGET)
    assert arrays.candidates == ("candidate 1",)
    assert arrays.baseline == "baseline"
    named = lossctl.compare("mse", OLD, {"new": NEW, "other": OTHER}, TARGET)
    assert named.candidates == ("new", "other")
    listed = lossctl.compare("mse", Path("old.csv"), ["new.csv", "other.parquet"])
    assert listed.candidates == ("new.csv", "other.parquet")
    frames = lossctl.compare("mse", pd.read_csv("old.csv"), [pd.read_csv("new.csv")])
    mapped = lossctl.compare(
        "mse",
        {"prediction": OLD, "target": TARGET},
        [{"prediction": NEW}],
        inputs={"target": TARGET},
    )
    for found in (arrays, named, listed, frames, mapped):
        assert found.differences[0].difference == pytest.approx(APART, rel=1e-12)
        assert found.differences[0].p == pytest.approx(arrays.differences[0].p, rel=1e-9)


def test_values_are_those_of_eval(run: Run, data: Path) -> None:
    losses = ("rmse", "mae", "huber:delta=0.5", "0.5*mse+0.5*mae")
    found = lossctl.compare(losses, OLD, NEW, TARGET)
    old, new = (lossctl.evaluate(losses, model, TARGET).losses for model in (OLD, NEW))
    for item, one, two in zip(found.differences, old, new):
        assert (item.loss, item.baseline, item.value) == (one.loss, one.value, two.value)
        assert item.difference == pytest.approx(two.value - one.value, rel=1e-10)
        assert item.relative == pytest.approx(item.difference / one.value, rel=1e-12)
    many = ["mse", "rmse"]
    for reduction in ("sum", "batchmean", "samplemean"):
        found = lossctl.compare(many, OLD, NEW, TARGET, reduction=reduction)
        for item in found.differences:
            assert item.difference == pytest.approx(item.value - item.baseline, rel=1e-10)
            assert item.reduction == reduction


def test_several_candidates_in_any_order(data: Path) -> None:
    there = lossctl.compare(["mse", "mae"], OLD, {"new": NEW, "other": OTHER}, TARGET)
    back = lossctl.compare(["mse", "mae"], OLD, {"other": OTHER, "new": NEW}, TARGET)
    assert [(item.loss, item.candidate) for item in there.differences] == [
        ("mse", "new"), ("mse", "other"), ("mae", "new"), ("mae", "other"),
    ]  # fmt: skip
    assert there.tests == 4
    by_name = {(item.loss, item.candidate): item for item in back.differences}
    for item in there.differences:
        assert by_name[item.loss, item.candidate] == item
    alone = lossctl.compare("mse", OLD, NEW, TARGET).differences[0]
    assert alone.p == there.differences[0].p
    assert alone.adjusted == alone.p < there.differences[0].adjusted


def test_exchanging_the_models_changes_the_sign_alone() -> None:
    there = lossctl.compare(["mse", "rmse"], OLD, NEW, TARGET)
    back = lossctl.compare(["mse", "rmse"], NEW, OLD, TARGET)
    for one, two in zip(there.differences, back.differences):
        assert one.difference == -two.difference
        assert one.p == pytest.approx(two.p, rel=1e-9)
        assert (one.wins, one.ties, one.losses) == (two.losses, two.ties, two.wins)
        assert one.verdict == {"better": "worse", "worse": "better"}.get(two.verdict, two.verdict)


@pytest.mark.parametrize("test", ["t", "bootstrap", "permutation", "sign", "wilcoxon"])
@pytest.mark.parametrize("loss", ["mse", "rmse"])
def test_an_identical_candidate(loss: str, test: str) -> None:
    found = lossctl.compare(loss, OLD, OLD.copy(), TARGET, test=test, changed=3).differences[0]
    assert (found.difference, found.relative, found.p, found.effect) == (0, 0, 1, 0)
    assert (found.wins, found.ties, found.losses) == (0, N, 0)
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == (0, 0)
    assert (found.verdict, found.changed) == ("no difference shown", ())


def test_groups_are_compared_as_if_alone() -> None:
    found = lossctl.compare(["mse", "rmse"], OLD, NEW, TARGET, by={"g": GROUP})
    assert found.tests == 6
    for item in found.differences:
        assert item.groups is not None
        assert [one.group for one in item.groups] == [{"g": "a"}, {"g": "b"}]
        for one in item.groups:
            mine = (one.group or {})["g"] == GROUP
            alone = lossctl.compare(item.loss, OLD[mine], NEW[mine], TARGET[mine]).differences[0]
            for name in ("n", "value", "difference", "p", "error", "wins", "detectable"):
                assert getattr(one, name) == pytest.approx(getattr(alone, name), rel=1e-9), name
    ranked = lossctl.compare("mse", OLD, NEW, TARGET, by={"g": GROUP}, test="wilcoxon")
    mine = GROUP == "b"
    alone = lossctl.compare("mse", OLD[mine], NEW[mine], TARGET[mine], test="wilcoxon")
    assert (ranked.differences[0].groups or ())[1].p == alone.differences[0].p


def test_the_samples_that_changed_most() -> None:
    found = lossctl.compare("mse", OLD, NEW, TARGET, changed=4).differences[0]
    old, new = (OLD - TARGET) ** 2, (NEW - TARGET) ** 2
    places = np.argsort(-np.abs(new - old), kind="stable")[:4]
    assert found.changed is not None
    assert [item.sample for item in found.changed] == list(places)
    assert [item.baseline for item in found.changed] == pytest.approx(list(old[places]))
    assert [item.difference for item in found.changed] == pytest.approx(list((new - old)[places]))


def test_samples_with_nan_in_any_model_are_skipped_in_all() -> None:
    old, new, other = OLD.copy(), NEW.copy(), OTHER.copy()
    old[3] = new[5] = np.nan
    with pytest.raises(
        DataError, match=r"^prediction has NaN .* row 3; prediction has NaN .* row 5"
    ):
        lossctl.compare("mse", old, [new, other], TARGET)
    found = lossctl.compare("mse", old, [new, other], TARGET, nan="skip")
    assert (found.samples, found.skipped) == (N, 2)
    keep = ~np.isin(np.arange(N), (3, 5))
    kept = lossctl.compare("mse", OLD[keep], [NEW[keep], OTHER[keep]], TARGET[keep])
    for one, two in zip(found.differences, kept.differences):
        assert one.p == pytest.approx(two.p, rel=1e-10)


# ---- the same whatever the threads and the blocks ---------------------------------------


@pytest.fixture(scope="module")
def long() -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(1)
    target = rng.standard_normal(70_000)
    old = target + rng.standard_normal(70_000)
    return target, old, target + 0.99 * (old - target) + 0.05 * rng.standard_normal(70_000)


OPTIONS: list[dict[str, Any]] = [
    {"test": "t"},
    {"test": "bootstrap", "bootstrap": 100},
    {"test": "permutation", "permutations": 99},
    {"test": "wilcoxon", "changed": 5},
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: options["test"])
def test_the_same_bits_on_any_number_of_threads(
    long: tuple[Any, Any, Any], options: dict[str, Any]
) -> None:
    target, old, new = long
    by = {"g": np.arange(len(target)) % 3}
    found = [
        lossctl.compare(["mse", "rmse"], old, new, target, by=by, threads=threads, **options)
        for threads in (1, 3)
    ]
    assert found[0] == found[1]


def test_the_same_figures_in_any_blocks(
    long: tuple[Any, Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    target, old, new = long
    losses = ["mse", "rmse"]

    def compared(**options: Any) -> tuple[Difference, ...]:
        return lossctl.compare(losses, old, new, target, **options).differences

    whole = {name: compared(test=name, permutations=99) for name in ("t", "sign", "wilcoxon")}
    drawn = compared(bootstrap=400)
    monkeypatch.setattr(rows, "MOST_ROWS", 1 << 12)
    for name, expected in whole.items():
        for one, two in zip(compared(test=name), expected):
            for figure in ("difference", "p", "error", "wins", "losses", "effect"):
                assert getattr(one, figure) == pytest.approx(getattr(two, figure), rel=1e-8)
    # other blocks are other draws
    for one, two in zip(compared(bootstrap=400), drawn):
        assert one.interval is not None and two.interval is not None
        width = two.interval.high - two.interval.low
        assert one.interval != two.interval
        assert one.interval.low == pytest.approx(two.interval.low, abs=0.2 * width)
        assert one.interval.high == pytest.approx(two.interval.high, abs=0.2 * width)


def test_a_seed_is_all_that_chance_depends_on() -> None:
    def drawn(seed: int) -> Comparison:
        return lossctl.compare("mse", OLD, NEW, TARGET, test="bootstrap", bootstrap=200, seed=seed)

    assert drawn(3) == drawn(3)
    assert drawn(3).differences[0].interval != drawn(4).differences[0].interval
    assert drawn(3).signature != drawn(4).signature


# ---- what is refused --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ("old.csv wrong.csv", ["old.csv, row 7 (line 9)", "9.0 at wrong.csv, row 7", "--target"]),
        ("old.csv short.csv", ["prediction (short.csv) has 50 rows", "--on KEY"]),
        ("old.csv short.csv --on id", ["10 keys", "--unmatched drop"]),
        ("old.csv shuffled.parquet", ["not in the same order", "--on id"]),
        ("old.csv new.csv other.parquet new.csv", ["candidate new.csv is given twice"]),
        ("old.csv", ["nothing to compare", "BASELINE CANDIDATE"]),
        ("", ["nothing to compare", "BASELINE CANDIDATE"]),
        ("old.csv none.csv", ["none.csv: no such file"]),
        ("old.npy new.npy", ["target is not given", "--target REF"]),
        ("old.csv new.csv --target labell", ["no column labell"]),
        ("old.csv new.csv --target y_true --input target=y_true", ["target is given twice"]),
        ("old.csv::y_pred new.csv --prediction y_pred", ["--prediction y_pred", "name them once"]),
        ("old.csv new.csv --test willcoxon", ["--test: 'willcoxon'", "did you mean wilcoxon?"]),
        ("old.csv new.csv --test z", ["--test: 'z'", "one of t, bootstrap, permutation"]),
        ("old.csv new.csv --correction fdr", ["--correction: 'fdr'", "one of holm, bh, none"]),
        ("old.csv new.csv --alpha 5", ["--alpha: 5 is not between 0 and 1"]),
        ("old.csv new.csv --changed 0", ["--changed: 0 is below 1"]),
        ("old.csv new.csv --bootstrap 9", ["--bootstrap: 9"]),
        ("old.csv new.csv --test sign --cluster group", ["--test sign", "--cluster"]),
        ("old.csv new.csv --test wilcoxon --cluster group", ["--test wilcoxon", "--cluster"]),
        ("old.csv new.csv --test sign --weight w", ["--test sign", "--weight"]),
        ("old.csv new.csv -q --by group --changed 1", ["-q", "--by and --changed"]),
        ("old.csv new.csv -q --json", ["choose one"]),
        ("old.csv new.csv -f csv", ["csv"]),
        ("old.csv new.csv --on id --unmatched keep", ["keep"]),
    ],
)  # fmt: skip
def test_refusals(run: Run, data: Path, arguments: str, parts: list[str]) -> None:
    ran = run("compare", *arguments.split(), "-l", "mse")
    assert (ran.status, ran.out) == (2, "")
    assert 1 <= len(ran.err.splitlines()) <= 2
    for part in parts:
        assert part in ran.err


def test_too_few_samples_and_clusters(run: Run, data: Path) -> None:
    pd.DataFrame({"y_pred": [1.0], "y_true": [2.0], "c": [1]}).to_csv("one.csv", index=False)
    for test in ("t", "sign", "wilcoxon", "permutation", "bootstrap"):
        columns = ("one.csv::y_pred", "one.csv::c", "--target", "y_true")
        ran = run("compare", *columns, "-l", "mse", "--test", test)
        assert ran.status == 2
        assert "1 sample, too few" in ran.err
        assert "2 samples" in ran.err
    with pytest.raises(DataError, match="one cluster"):
        lossctl.compare("mse", OLD, NEW, TARGET, cluster=np.zeros(N))
    # a group may be small: then it is not tested
    found = lossctl.compare("mse", OLD, NEW, TARGET, by={"g": np.arange(N) > 0}).differences[0]
    assert (found.groups or ())[0].verdict == "not tested"


def test_losses_without_samples_of_their_own(run: Run) -> None:
    masks = (RNG.random((6, 4, 4)) < 0.5).astype(np.uint8)
    old, new = RNG.standard_normal((2, 6, 4, 4))
    loss = "lovasz_hinge:per_image=false"
    found = lossctl.compare(loss, old, new, masks)
    assert found.differences[0].verdict == "not tested"
    assert found.tests == 0
    assert any("all rows" in note for note in found.notes)
    expected = [lossctl.evaluate(loss, model, masks).losses[0].value for model in (old, new)]
    assert found.differences[0].difference == pytest.approx(expected[1] - expected[0])
    for options in ({"test": "sign"}, {"test": "permutation"}, {"bootstrap": 200}, {"changed": 1}):
        with pytest.raises(UsageError, match="all rows"):
            lossctl.compare(loss, old, new, masks, **options)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no pairs"):
        lossctl.compare(
            "wasserstein_critic",
            {"real": OLD, "fake": NEW},
            [{"real": OLD, "fake": OTHER}],
        )


def test_the_baseline_as_a_candidate_is_allowed_and_said(run: Run, data: Path) -> None:
    ran = run("compare", "old.csv", "old.csv", "-l", "mse")
    assert ran.status == 0
    assert "note: old.csv is the baseline and a candidate" in ran.out
    assert "0/60/0" in ran.out


# ---- what is printed --------------------------------------------------------------------


def item(loss: str, candidate: str, difference: float, p: float, **other: Any) -> Difference:
    facts: dict[str, Any] = {
        "candidate": candidate,
        "loss": loss,
        "spec": loss,
        "convention": None,
        "reduction": "mean",
        "unit": "nats",
        "group": None,
        "n": 442,
        "baseline": 0.5,
        "value": 0.5 + difference,
        "difference": difference,
        "relative": 2 * difference,
        "interval": Interval(0.95, difference - 0.0625, difference + 0.0625, "t"),
        "error": 0.03,
        "freedom": 441.0,
        "p": p,
        "adjusted": min(1, 2 * p),
        "verdict": "no difference shown",
        "effect": -0.25,
        "wins": 300,
        "ties": 2,
        "losses": 140,
        "detectable": 0.09,
    }
    return Difference(**(facts | other))


def comparison(*differences: Difference, **other: Any) -> Comparison:
    facts: dict[str, Any] = {
        "version": "1.2.3",
        "signature": "lossctl:1.2.3|loss:bce|models:2|test:t|n:442|data:0f1e",
        "samples": 442,
        "skipped": 0,
        "baseline": "runs/old/pred.csv",
        "candidates": ("runs/new/pred.csv",),
        "inputs": {
            "prediction": InputInfo("runs/old/pred.csv", ("prob",), (442,), "double"),
            "target": InputInfo("target.npy", (), (442,), "int64"),
            "prediction@1": InputInfo("runs/new/pred.csv", ("prob",), (442,), "double"),
        },
        "test": "t",
        "alpha": 0.05,
        "correction": "holm",
        "tests": len(differences),
        "clusters": None,
        "resamples": None,
        "permutations": None,
        "seed": None,
        "differences": differences,
    }
    return Comparison(**(facts | other))


def cases() -> dict[str, Comparison]:
    first = item("bce", "runs/new/pred.csv", -0.125, 0.00125, verdict="better", adjusted=0.00125)
    worse = item("brier", "runs/b.csv", 0.25, 1e-9, verdict="worse", unit="", value=0.75)
    skewed = Interval(0.9, -0.1875, -0.03125, "bca")
    unknown = item(
        "brier", "runs/new/pred.csv", math.inf, math.nan, adjusted=math.nan, verdict="not tested",
        interval=None, relative=math.nan, effect=math.nan, error=math.nan, freedom=math.nan,
        detectable=math.nan, value=math.inf, n=440, unit="",
    )  # fmt: skip
    groups = (
        first._replace(group={"site": "north", "year": 2024}, n=200, interval=skewed),
        first._replace(group={"site": None, "year": 2024}, n=242, verdict="mixed"),
    )
    changed = (Change(17, "P018", 2.5, 0.25), Change(3, "P004", 0.125, 1.75))
    hostile = [
        item(name, name, -0.125, 0.5, groups=(item(name, name, 0.0, 1.0, group={name: name}),))
        for name in HOSTILE
    ]
    return {
        "one": comparison(first),
        "several": comparison(
            first._replace(changed=changed),
            item("bce", "runs/b.csv", 0.0, 1.0, wins=0, ties=442, losses=0),
            unknown,
            worse,
            candidates=("runs/new/pred.csv", "runs/b.csv"),
            tests=3,
            notes=("runs/b.csv: trailing axes of length 1 were squeezed",),
        ),
        "groups": comparison(
            first._replace(groups=groups, interval=skewed),
            alpha=0.1,
            correction="bh",
            tests=3,
            clusters=31,
            test="permutation",
            resamples=2000,
            permutations=9999,
            seed=7,
            skipped=2,
        ),
        "hostile": comparison(
            *hostile,
            baseline=HOSTILE[0],
            candidates=tuple(HOSTILE),
            inputs={name: InputInfo(name, (name, "x"), (7, 2), name) for name in HOSTILE},
            notes=tuple(HOSTILE),
            signature=" ".join(HOSTILE),
        ),
    }


CASES = cases()
NAMES = {"table": "table.txt", "json": "json", "markdown": "md", "quiet": "quiet.txt"}


@pytest.mark.parametrize("format", NAMES)
@pytest.mark.parametrize("case", CASES)
def test_golden(case: str, format: str) -> None:
    golden(f"compare.{case}.{NAMES[format]}", render(CASES[case], format))


def test_golden_on_a_narrow_terminal() -> None:
    style = Style(terminal=True, width=60, color=True)
    golden("compare.several.terminal.txt", render(CASES["several"], "table", style))


def test_ascii_and_precision() -> None:
    assert render(CASES["hostile"], "table", Style(unicode=False)).isascii()
    exact = render(CASES["one"], "json", Style(precision=2))
    assert parsed(exact)["alpha"] == 0.05
    assert parsed(exact)["differences"][0]["difference"] == -0.12
    assert parsed(render(CASES["one"], "json"))["differences"][0]["p"] == 0.00125
    with pytest.raises(UsageError, match="table, json, markdown"):
        render(CASES["one"], "csv")


@pytest.mark.parametrize("case", CASES)
def test_documents_fit_the_schema(case: str) -> None:
    document = parsed(render(CASES[case], "json"))
    check = validator("compare-1")
    check.validate(document)
    document["differences"][0]["more"] = 1
    assert not check.is_valid(document)


def test_real_documents_fit_the_schema(run: Run, data: Path) -> None:
    check = validator("compare-1")
    for options in (
        ["--by", "group", "--changed", "2", "--test", "permutation"],
        ["--bootstrap", "200", "--cluster", "group"],
        ["--on", "id", "--test", "wilcoxon", "--correction", "bh", "--changed", "1"],
    ):
        ran = run("compare", "old.csv", "new.csv", "-l", "mse", "-l", "rmse", "--json", *options)
        assert ran.status == 0, ran.err
        document = parsed(ran.out)
        check.validate(document)
    assert document["differences"][0]["changed"][0]["key"].startswith("s")
    assert (
        document
        == lossctl.compare(
            ["mse", "rmse"],
            "old.csv",
            "new.csv",
            on="id",
            test="wilcoxon",
            correction="bh",
            changed=1,
        ).to_dict()
    )


def test_to_pandas() -> None:
    found = lossctl.compare(
        ["mse", "mae"], OLD, {"a": NEW, "b": OTHER}, TARGET, by={"n": GROUP}
    ).to_pandas()
    assert list(found["candidate"]) == ["a", "a", "b", "b"] * 2
    assert list(found["group_n"]) == ["a", "b"] * 4
    assert {"loss", "difference", "p", "adjusted", "verdict", "low", "high"} <= set(found)
    one = lossctl.compare("mse", OLD, NEW, TARGET).to_pandas()
    assert len(one) == 1
    assert one["difference"][0] == pytest.approx(APART)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a/old.csv", "a/new.csv"], ["old.csv", "new.csv"]),
        (["runs/a/p.csv", "runs/b/p.csv"], ["a/p.csv", "b/p.csv"]),
        (["d.csv::old", "d.csv::new"], ["old", "new"]),
        (["baseline", "candidate 1"], ["baseline", "candidate 1"]),
        (["same", "same"], ["same", "same"]),
        (["a/b", "a/b/c"], ["b", "b/c"]),
    ],
)
def test_short_names(names: list[str], expected: list[str]) -> None:
    assert short_names(names) == expected


def test_as_a_process(data: Path) -> None:
    ran: Ran = process("compare", "old.csv", "new.csv", "-l", "mse", cwd=data)
    assert (ran.status, ran.err) == (0, "")
    assert "better" in ran.out
    assert "\x1b" not in ran.out
    stream = (data / "both.csv").read_bytes()
    quiet = process(
        "compare", "--target", "label", "--input-format", "csv", "-l", "mse", "-q",
        "--", "-::old", "-::new", stdin=stream,
    )  # fmt: skip
    assert (quiet.status, quiet.err) == (0, "")
    assert float(quiet.out) == pytest.approx(APART, rel=1e-12)


def test_json_imports_neither_tables_nor_terminals(data: Path) -> None:
    code = (
        "import sys; from lossctl import cli; status = cli.run(sys.argv[1:]); "
        "print([m for m in ('pyarrow', 'pandas', 'rich') if m in sys.modules], status)"
    )
    arguments = ["compare", "old.npy", "new.npy", "--target", "target.npy", "-l", "mse", "--json"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    assert done.stdout.rstrip().endswith("[] 0")
    assert json.loads(done.stdout.rpartition("\n[")[0])["tests"] == 1


def test_help_has_examples(run: Run) -> None:
    found = run("compare", "--help")
    assert "Examples:" in found.out
    assert cli.COMMANDS["compare"] in run("--help").out


def test_gates_of_a_comparison(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(1)
    target = rng.standard_normal(200)
    worse = target + 2 * rng.standard_normal(200)
    base = target + rng.standard_normal(200)
    found = lossctl.compare(
        ["mse", "huber:delta=2"], base, {"same": base, "worse": worse}, target,
        by={"half": np.arange(200) % 2},
        fail_if=["difference(mse) > 0", "p(huber) < 0.2", "any group(half=1): relative(mse) > 5%"],
    )  # fmt: skip
    assert [(gate.gate, gate.passed) for gate in found.gates] == [
        ("difference(mse) > 0 (same)", True),
        ("difference(mse) > 0 (worse)", False),
        ("p(huber) < 0.2 (same)", True),
        ("p(huber) < 0.2 (worse)", False),
        ("any group(half=1): relative(mse) > 5% (same)", True),
        ("any group(half=1): relative(mse) > 5% (worse)", False),
    ]
    assert not found.passed
    for name, array in (("old", base), ("new", worse), ("t", target)):
        np.save(tmp_path / f"{name}.npy", array)
    words = ["compare", *(str(tmp_path / f"{name}.npy") for name in ("old", "new"))]
    words += ["--target", str(tmp_path / "t.npy"), "-l", "mse"]
    junit = tmp_path / "gates.xml"
    asked = [*words, "--fail-if", "relative(mse) > 2%", "--json", "--report", f"junit={junit}"]
    assert cli.run(asked) == 1
    out, err = capfd.readouterr()
    gates = json.loads(out)["gates"]
    assert [gate["passed"] for gate in gates] == [False]
    assert "gate failed: relative(mse) > 2%: relative(mse) is" in err
    assert "<failure" in junit.read_text("utf-8")
    assert cli.run([*words, "--fail-if", "relative(mse) > 9000%"]) == 0
    assert "passed" in capfd.readouterr().out
    for wrong, said in (("p95(mse) > 1", "no figure 'p95'"), ("mae > 1", "mae is not evaluated")):
        assert cli.run([*words, "--fail-if", wrong]) == 2
        assert said in capfd.readouterr().err
    assert cli.run([*words, "-f", "junit"]) == 2
    assert "junit is for gates" in capfd.readouterr().err


def test_a_loss_without_samples_of_its_own_has_an_honest_test() -> None:
    rng = np.random.default_rng(5)
    n, runs, found = 200, 60, 0
    for _ in range(runs):
        target = rng.standard_normal(n)
        old, new = (target + 0.5 * rng.standard_normal(n) for _ in range(2))
        one = lossctl.compare("nmse", old, new, target).differences[0]
        assert one.interval is not None
        assert one.interval.high > one.interval.low
        assert (one.wins, one.ties, one.losses) == (0, 0, 0)
        found += one.p < 0.05
    assert found <= 10  # of 60 at 5 %: more has a chance of 1 in 10,000


@pytest.mark.parametrize(("loss", "scale"), [("mae", 1e-200), ("rmse", 1e-100)])
def test_differences_too_small_to_square_are_not_tested(loss: str, scale: float) -> None:
    rng = np.random.default_rng(2)
    target, old, new = (scale * rng.standard_normal(100) for _ in range(3))
    one = lossctl.compare(loss, old, new, target).differences[0]
    assert math.isnan(one.p)
    assert one.interval is None
    assert one.verdict == "not tested"


def test_a_note_names_the_model_whose_loss_is_infinite(tmp_path: Path) -> None:
    for name, values in (("old", [0.5, 0.5]), ("new", [0.0, 0.5])):
        lines = "".join(f"{value},1\n" for value in values)
        (tmp_path / f"{name}.csv").write_text(f"y_pred,y_true\n{lines}")
    old, new = (str(tmp_path / f"{name}.csv") for name in ("old", "new"))
    found = lossctl.compare("bce", old, new)
    assert any(f"bce of {new}: not finite in 1 sample, first in {new}" in n for n in found.notes)


# ---- why there is no test ---------------------------------------------------------------


def test_a_group_of_one_sample_has_no_test_and_a_note_says_so() -> None:
    by = {"site": np.array(["a"] * 5 + ["b"])}
    target = np.zeros(6)
    found = lossctl.compare("mse", np.arange(1.0, 7), np.array([2, 1, 5, 2, 7, 1.0]), target, by=by)
    assert "mse of candidate 1: no test in 1 group of 1 sample" in found.notes


@pytest.mark.parametrize(
    ("loss", "scale", "apart"),
    [("mse", 1e100, 0.5), ("mae", 1e200, 0.5), ("mae", 1e-200, 0.5)],
)
def test_losses_that_cannot_be_squared_have_no_test_and_a_note_says_so(
    loss: str, scale: float, apart: float
) -> None:
    rng = np.random.default_rng(0)
    old, target = rng.standard_normal((2, 40)) * scale
    found = lossctl.compare(loss, old, old * apart, target)
    assert math.isnan(found.differences[0].p)
    assert any(
        "no test where the spread of the differences is lost" in note for note in found.notes
    )
