"""The reduction: exact sums, states that merge in any order, quantiles, intervals."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl.align import rows as align
from lossctl.reduce import engine, exact, student
from lossctl.reduce.grouping import Grouping
from lossctl.reduce.groups import group_codes
from lossctl.reduce.quantiles import EXACT, Quantiles
from lossctl.reduce.state import Block, Columns, State
from lossctl.report import Summary

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SMALL = st.floats(-1e6, 1e6)
PLAIN = Columns(1, (1.0,), derived=True, weighted=False)


@given(st.lists(FLOATS, max_size=30))
def test_exact_sums_are_the_rounded_true_sum(values: list[float]) -> None:
    total = exact.units(np.array(values, dtype=float)).sum() if values else 0
    true = sum((Fraction(value) for value in values), Fraction(0))
    try:
        expected = float(true)
    except OverflowError:
        expected = math.inf if true > 0 else -math.inf
    assert exact.quotient(int(total), 1 << exact.SHIFT) == expected


def state_of(values: np.ndarray[Any, Any], groups: int = 1) -> State:
    state = State(PLAIN, groups, quantiles=True)
    if len(values):
        state.add(Block(PLAIN, values[:, None], None, values, None, None), None)
    return state


@given(st.lists(st.lists(SMALL, min_size=1, max_size=8), min_size=1, max_size=6), st.randoms())
def test_states_merge_in_any_order_to_the_same_bits(blocks: list[list[float]], random: Any) -> None:
    def merged(order: list[int]) -> tuple[Any, ...]:
        total = State(PLAIN, 1, quantiles=True)
        for index in order:
            total.merge(state_of(np.array(blocks[index])))
        low, high = float(total.low[0]), float(total.high[0])
        return (
            total.loss_sum(total.totals(0)),
            total.std(0) if total.n[0] > 1 else 0.0,
            low,
            high,
            tuple(total.all_quantiles().query((0.05, 0.5, 0.95), low, high).values()),
        )

    order = list(range(len(blocks)))
    straight = merged(order)
    random.shuffle(order)
    assert merged(order) == straight


@given(st.lists(SMALL, min_size=2, max_size=50), st.integers(1, 10))
def test_moments_are_right_however_the_rows_are_split(values: list[float], parts: int) -> None:
    array = np.array(values)
    total = State(PLAIN, 1, quantiles=True)
    for block in np.array_split(array, parts):
        total.merge(state_of(block))
    scale = max(np.abs(array).max(), 1e-200)
    assert total.loss_sum(total.totals(0)) == pytest.approx(math.fsum(values), abs=1e-12 * scale)
    assert total.std(0) == pytest.approx(array.std(ddof=1), rel=1e-9, abs=1e-12 * scale)
    found = total.all_quantiles().query((0.25, 0.5), array.min(), array.max())
    assert list(found.values()) == pytest.approx(np.quantile(array, (0.25, 0.5)), abs=1e-12 * scale)


def test_a_small_spread_around_a_large_mean_survives() -> None:
    values = 1e9 + np.array([0.0, 1e-6, 2e-6, 3e-6])
    total = State(PLAIN, 1, quantiles=True)
    for value in values:
        total.merge(state_of(np.array([value])))
    assert total.std(0) == pytest.approx(float(np.std(values - 1e9, ddof=1)), rel=1e-9)


@given(st.lists(st.tuples(SMALL, st.integers(0, 3)), min_size=1, max_size=40), st.integers(1, 5))
def test_groups_are_states_of_their_own(rows: list[tuple[float, int]], parts: int) -> None:
    values = np.array([value for value, _ in rows])
    codes = np.array([code for _, code in rows])
    total = State(PLAIN, 0, quantiles=True)
    for index in np.array_split(np.arange(len(rows)), parts):
        if len(index) == 0:
            continue
        present, local = np.unique(codes[index], return_inverse=True)
        part = State(PLAIN, len(present), quantiles=True)
        block = values[index]
        part.add(
            Block(PLAIN, block[:, None], None, block, None, None),
            Grouping(local, np.bincount(local), None),
        )
        total.merge(part, present)
    for code in range(int(codes.max()) + 1):
        own = values[codes == code]
        assert total.n[code] == len(own)
        assert total.loss_sum(total.totals(code)) == pytest.approx(math.fsum(own), abs=1e-6)
        if len(own):
            assert total.low[code] == own.min()
            assert total.high[code] == own.max()
            query = total.quantiles[code].query((0.5,), own.min(), own.max())
            assert query[0.5] == pytest.approx(np.median(own), abs=1e-9)


@pytest.mark.parametrize("groups", [1, 2, 300, 1024, 1025, 5000])
@pytest.mark.parametrize("rows", [255, 256, 257, 70_000])
def test_the_sums_of_groups_are_right_to_the_last_digits(groups: int, rows: int) -> None:
    """One by one, 70,000 times 0.1 is wrong in the eleventh."""
    rng = np.random.default_rng(groups)
    codes = np.where(rng.random(rows) < 0.9, 0, rng.integers(0, groups, rows))
    sizes = np.bincount(codes, minlength=groups)
    for column in (np.full(rows, 0.1), rng.lognormal(0, 5, rows)):
        grouping = Grouping(codes, sizes, None)
        present = np.flatnonzero(sizes)
        assert grouping.codes.tolist() == present.tolist()
        exact = [math.fsum(column[codes == code]) for code in present]
        np.testing.assert_allclose(grouping.sums(column), exact, rtol=2e-14)
        np.testing.assert_allclose(grouping.sorted_sums(column[grouping.order]), exact, rtol=2e-14)
        flags = column > 1
        assert grouping.counts(flags).tolist() == [flags[codes == code].sum() for code in present]


@pytest.mark.parametrize("bad", [math.inf, math.nan, 1e308])
def test_what_is_not_finite_in_a_group_changes_nothing_in_another(bad: float) -> None:
    """Nor what adds up to more than a float holds; spreads are the first to show it."""
    rng = np.random.default_rng(0)
    group = rng.integers(0, 3, 50_000)
    prediction = 1e9 + 1e-3 * rng.normal(size=50_000)
    others = group != 0

    def evaluate(rows: Any) -> dict[int, Summary]:
        found = lossctl.evaluate(
            "mae", prediction[rows], np.zeros(len(prediction))[rows], by={"g": group[rows]},
            nan="propagate",
        ).losses[0]  # fmt: skip
        return {item.group["g"]: item.summary for item in found.groups or ()}

    alone = evaluate(others)
    prediction[np.flatnonzero(~others)[:3]] = bad
    together = evaluate(slice(None))
    for code in (1, 2):
        assert alone[code].std == pytest.approx(1e-3, rel=0.02)
        assert together[code].std == pytest.approx(alone[code].std, rel=1e-6)
        found, expected = together[code].interval, alone[code].interval
        assert found is not None and expected is not None
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-15)


@pytest.mark.parametrize("groups", [1, 3, 2000])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_spread_of_groups_around_a_large_mean_survives(groups: int, weighted: bool) -> None:
    rng = np.random.default_rng(groups)
    group = rng.integers(0, groups, 300_000)
    apart = 1e-3 * rng.normal(size=len(group))
    weight = rng.integers(1, 4, len(group)).astype(float) if weighted else None
    found = lossctl.evaluate(
        "mae", 1e9 + apart, np.zeros(len(group)), by={"g": group}, weight=weight
    ).losses[0]  # fmt: skip
    own = np.ones(len(group)) if weight is None else weight
    apart = (1e9 + apart) - 1e9  # as a float64 holds it
    assert len(found.groups or ()) == groups
    for item in (found.groups or ())[:50]:
        rows = group == item.group["g"]
        w, x = own[rows], apart[rows]
        squares = (w * (x - (w @ x) / w.sum()) ** 2).sum()
        expected = math.sqrt(squares / (w.sum() - (w @ w) / w.sum()))
        assert item.summary.std == pytest.approx(expected, rel=1e-4)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["normal", "lognormal", "tiny", "mixed"]))
def test_counted_quantiles_are_within_a_thousandth(seed: int, shape: str) -> None:
    rng = np.random.default_rng(seed)
    values = {
        "normal": lambda: rng.standard_normal(5000),
        "lognormal": lambda: rng.lognormal(0, 10, 5000),
        "tiny": lambda: rng.random(5000) * 1e-300,
        "mixed": lambda: np.where(rng.random(5000) < 0.3, 0.0, rng.standard_normal(5000) * 1e5),
    }[shape]()
    levels = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
    counted = Quantiles()
    for block in np.array_split(values, 7):
        part = Quantiles(block)
        part.compress()
        counted.merge(part)
    found = counted.query(levels, values.min(), values.max())
    ordered = np.sort(values)
    for level in levels:
        position = level * (len(values) - 1)
        low, high = ordered[math.floor(position)], ordered[math.ceil(position)]
        slack = 0.001 * max(abs(low), abs(high))
        assert low - slack <= found[level] <= high + slack


def test_quantiles_are_exact_up_to_a_million_and_counted_beyond() -> None:
    rng = np.random.default_rng(5)
    values = rng.exponential(size=EXACT)
    at_most = lossctl.evaluate("mae", prediction=values, target=np.zeros(EXACT)).losses[0]
    exactly = np.quantile(values, (0.05, 0.25, 0.5, 0.75, 0.95))
    assert list(at_most.summary.quantiles.values()) == pytest.approx(exactly, rel=1e-14)
    more = np.append(values, 0.5)
    beyond = lossctl.evaluate("mae", prediction=more, target=np.zeros(EXACT + 1)).losses[0]
    assert list(beyond.summary.quantiles.values()) == pytest.approx(exactly, rel=1.1e-3)


def test_infinite_losses_are_at_the_end_of_the_quantiles() -> None:
    counted = Quantiles(np.array([1.0, 2.0, math.inf, math.inf]))
    for compress in (False, True):
        if compress:
            counted.compress()
        found = counted.query((0.0, 0.9), 1.0, math.inf)
        assert found[0.0] == pytest.approx(1.0, rel=1e-3)
        assert found[0.9] == math.inf


@pytest.mark.parametrize("df", [1, 2, 3, 10, 29, 299, 9999, 1e6])
@pytest.mark.parametrize("level", [0.6, 0.9, 0.975, 0.9995])
def test_student_agrees_with_scipy(df: float, level: float) -> None:
    assert student.quantile(level, df) == pytest.approx(scipy.stats.t.ppf(level, df), rel=1e-9)


def test_the_interval_of_a_mean_is_the_t_interval() -> None:
    rng = np.random.default_rng(1)
    errors = rng.standard_normal(200) ** 2
    found = lossctl.evaluate("mae", prediction=errors, target=np.zeros(200), confidence=0.9)
    interval = found.losses[0].summary.interval
    assert interval is not None
    half = scipy.stats.t.ppf(0.95, 199) * errors.std(ddof=1) / math.sqrt(200)
    assert (interval.low, interval.high) == pytest.approx(
        (errors.mean() - half, errors.mean() + half), rel=1e-9
    )
    assert interval.method == "t"


def test_the_interval_of_a_root_is_by_the_delta_method() -> None:
    rng = np.random.default_rng(2)
    errors = rng.standard_normal(400)
    found = lossctl.evaluate("rmse", prediction=errors, target=np.zeros(400)).losses[0].summary
    assert found.interval is not None
    squares = errors**2
    half = scipy.stats.t.ppf(0.975, 399) * squares.std(ddof=1) / 20 / (2 * found.value)
    assert found.interval.high - found.value == pytest.approx(half, rel=1e-6)
    assert found.interval.method == "delta"


def test_weighted_figures() -> None:
    rng = np.random.default_rng(3)
    errors, weight = rng.exponential(size=50), rng.integers(1, 4, 50).astype(float)
    found = lossctl.evaluate("mae", prediction=errors, target=np.zeros(50), weight=weight)
    summary = found.losses[0].summary
    repeated = np.repeat(errors, weight.astype(int))
    assert summary.value == pytest.approx(repeated.mean(), rel=1e-14)
    assert summary.quantiles[0.5] == np.quantile(repeated, 0.5, method="inverted_cdf")
    mean = repeated.mean()
    spread = (weight * (errors - mean) ** 2).sum()
    unbiased = spread / (weight.sum() - (weight**2).sum() / weight.sum())
    assert summary.std == pytest.approx(math.sqrt(unbiased), rel=1e-12)


@pytest.mark.parametrize("reduction", ["mean", "sum", "batchmean", "samplemean"])
@pytest.mark.parametrize("threads", [1, 3])
def test_threads_do_not_change_a_bit(reduction: str, threads: int) -> None:
    rng = np.random.default_rng(4)
    inputs = {"prediction": rng.standard_normal((300_000, 2)), "target": rng.random((300_000, 2))}
    specs = ["mse", "rmse", "huber:delta=0.3", "0.5*mae+2*rmse"]
    group = rng.integers(0, 5, 300_000)
    found = lossctl.evaluate(specs, by={"g": group}, reduction=reduction, threads=threads, **inputs)
    once = lossctl.evaluate(specs, by={"g": group}, reduction=reduction, threads=2, **inputs)
    assert found.to_dict() == once.to_dict()


def test_blocks_of_a_loss_that_goes_step_by_step_are_longer(monkeypatch: Any) -> None:
    steps, classes, rows = 40, 4, 20_000
    rng = np.random.default_rng(0)
    given = {"prediction": rng.normal(size=(rows, steps, classes)), "target": [[1, 2]] * rows}
    loaded = []

    def block_rows(*arguments: Any) -> int:
        loaded.append(align.block_rows(*arguments))
        return loaded[-1]

    monkeypatch.setattr(engine, "block_rows", block_rows)
    lossctl.evaluate("mse", given["prediction"], given["prediction"])
    result = lossctl.evaluate("ctc:from_logits=true", **given)
    assert loaded[1] == align.STEPWISE * loaded[0] < rows
    parts = [
        lossctl.evaluate(
            "ctc:from_logits=true", **{name: one[at : at + 5000] for name, one in given.items()}
        )
        for at in range(0, rows, 5000)
    ]
    values = [part.losses[0].value for part in parts]
    assert result.losses[0].value == pytest.approx(np.mean(values), rel=1e-13)


def test_grouping_does_not_change_the_whole() -> None:
    rng = np.random.default_rng(6)
    errors, group = rng.standard_normal(100_000), rng.integers(0, 400, 100_000)
    alone = lossctl.evaluate("rmse", prediction=errors, target=errors**2).losses[0]
    split = lossctl.evaluate("rmse", prediction=errors, target=errors**2, by={"g": group}).losses[0]
    assert split.summary == alone.summary
    assert split.groups is not None
    assert sum(item.summary.n for item in split.groups) == 100_000
    assert split.groups[0].summary.quantiles == {}  # beyond 256 groups, for the whole alone


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("loss", ["mae", "median_absolute_error"])
def test_groups_of_floats_that_are_no_whole_numbers(loss: str) -> None:
    group = np.array([2.0, math.nan, 1e300, 0.5, 2.0, -0.0, 0.0, math.nan])
    found = lossctl.evaluate(loss, np.arange(8.0), np.zeros(8), by={"g": group}).losses[0]
    values = {item.group["g"]: item.value for item in found.groups or ()}
    assert values == {0: 5.5, 0.5: 3.0, 2: 2.0, int(1e300): 2.0, None: 4.0}


@pytest.mark.parametrize("kind", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", ">i4", ">u8"])
@given(st.data())
def test_integers_of_any_type_are_grouped_by_their_value(kind: str, data: st.DataObject) -> None:
    """Ends of the type included: ids that are hashes do not fit a signed integer."""
    ends = np.iinfo(np.dtype(kind))
    near = st.sampled_from([ends.min, ends.max]).map(int)
    apart = data.draw(st.sampled_from([3, 300, 1 << 17]))
    whole = st.builds(
        lambda end, by: min(max(end + by, int(ends.min)), int(ends.max)),
        near, st.integers(-apart, apart),
    )  # fmt: skip
    rows = data.draw(st.lists(whole, min_size=1, max_size=30))
    codes, groups, sizes = group_codes((np.array(rows, kind),))
    assert sizes.tolist() == np.bincount(codes).tolist()
    assert [groups[code] for code in codes] == [(row,) for row in rows]
    assert len(set(groups)) == len(groups)
