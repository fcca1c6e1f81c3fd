"""Tests, intervals and corrections against SciPy, published examples and other ways to them."""

from __future__ import annotations

import math
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import lossctl
from lossctl.reduce import resample, significance, student
from lossctl.report import Difference

RNG = np.random.default_rng(11)
N = 240
TARGET = RNG.standard_normal(N)
OLD = TARGET + RNG.standard_normal(N) * 1.2
NEW = TARGET + RNG.standard_normal(N)
OLD_LOSS, NEW_LOSS = (OLD - TARGET) ** 2, (NEW - TARGET) ** 2
APART = NEW_LOSS - OLD_LOSS


def difference(loss: str = "mse", **options: Any) -> Difference:
    found = lossctl.compare(loss, OLD, NEW, TARGET, **options)
    return found.differences[0]


def ends(item: Difference) -> list[float]:
    assert item.interval is not None
    return [item.interval.low, item.interval.high]


# ---- the tests, against SciPy -----------------------------------------------------------


def test_t() -> None:
    found, expected = difference(alpha=0.1), stats.ttest_rel(NEW_LOSS, OLD_LOSS)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-10)
    assert found.difference == pytest.approx(APART.mean(), rel=1e-13)
    assert found.error == pytest.approx(stats.sem(APART), rel=1e-10)
    assert found.freedom == N - 1
    interval = expected.confidence_interval(0.9)
    assert ends(found) == pytest.approx([interval.low, interval.high], rel=1e-9)
    assert found.effect == pytest.approx(APART.mean() / APART.std(ddof=1), rel=1e-12)


@pytest.mark.parametrize(
    ("freedom", "t", "p"),
    [  # integrated to 40 digits
        (2, 0.5, 0.66666666666666666667),
        (19.5, -1.3, 0.20875830383195258215),
        (99_000, -0.001, 0.99920211758703634),
        (10**6, 5.0, 5.733997870890744e-07),
        (10**8, 2.0, 0.04550026659590688),
        (10**13, 0.5, 0.6170750774519848),
    ],
)
def test_t_of_any_number_of_degrees_of_freedom(freedom: float, t: float, p: float) -> None:
    assert significance.student_p(t, 1, freedom) == pytest.approx(p, rel=1e-12)
    assert 2 * (1 - student.cdf(student.quantile(1 - p / 2, freedom), freedom)) == pytest.approx(
        p, rel=1e-9
    )


@pytest.mark.parametrize("p", [0.03, 0.5, 1e-6, 1e-30])
@pytest.mark.parametrize("freedom", [1, 2, 30, 99_999])
def test_t_far_out(p: float, freedom: int) -> None:
    t = stats.t.isf(p / 2, freedom)
    assert significance.student_p(t, 1, freedom) == pytest.approx(p, rel=1e-8)


def test_the_detectable_difference_is_found_with_a_chance_of_four_in_five() -> None:
    found = difference()
    power = stats.nct.sf(
        stats.t.isf(0.025, N - 1), N - 1, found.detectable / found.error
    )  # the noncentral t distribution, where we shift the central one
    assert power == pytest.approx(0.8, abs=0.003)


def test_sign() -> None:
    wins, losses = int((APART < 0).sum()), int((APART > 0).sum())
    found = difference(test="sign")
    assert (found.wins, found.ties, found.losses) == (wins, 0, losses)
    assert found.p == pytest.approx(stats.binomtest(wins, N).pvalue, rel=1e-10)


@pytest.mark.parametrize(
    ("below", "above"),
    [
        (0, 0),
        (0, 1),
        (0, 5),
        (3, 7),
        (5, 5),
        (490, 510),
        (499_000, 501_000),
        (49_999_000, 50_001_000),
        (49_990_000, 50_010_000),
    ],
)
def test_sign_of_counts(below: int, above: int) -> None:
    n = below + above
    expected = stats.binomtest(below, n).pvalue if n else 1.0
    assert significance.sign_p(below, above) == pytest.approx(expected, rel=1e-11)


def test_wilcoxon() -> None:
    found, expected = difference(test="wilcoxon"), stats.wilcoxon(NEW_LOSS, OLD_LOSS)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-10)


@pytest.mark.parametrize("n", [1, 2, 5, 20, 50])
def test_wilcoxon_exact(n: int) -> None:
    apart = RNG.standard_normal(n) + 0.4
    ranks = significance.signed_ranks(apart)
    expected = stats.wilcoxon(apart, method="exact").pvalue
    assert significance.wilcoxon_p(ranks) == pytest.approx(expected, rel=1e-12)


def test_wilcoxon_with_ties_and_zeros_goes_over_all_signs() -> None:
    apart = np.array([1, 1, -1, 2, 2, 0, 3, -2, 5, 1, 0, 4.0])
    expected = stats.wilcoxon(apart, method=stats.PermutationMethod(n_resamples=10_000))
    found = significance.wilcoxon_p(significance.signed_ranks(apart))
    assert found == pytest.approx(expected.pvalue, rel=1e-12)


def test_wilcoxon_of_many_ties_is_normal() -> None:
    apart = np.round(RNG.standard_normal(300) + 0.1, 1)
    expected = stats.wilcoxon(apart, method="asymptotic").pvalue
    found = significance.wilcoxon_p(significance.signed_ranks(apart))
    assert found == pytest.approx(expected, rel=1e-12)


def test_nothing_but_ties() -> None:
    assert significance.sign_p(0, 0) == 1
    assert significance.wilcoxon_p(significance.signed_ranks(np.zeros(9))) == 1


def test_permutation() -> None:
    expected = stats.permutation_test(
        (NEW_LOSS, OLD_LOSS), lambda a, b, axis: np.mean(a - b, axis=axis),
        permutation_type="samples", n_resamples=9999, vectorized=True, random_state=1,
    ).pvalue  # fmt: skip
    found = difference(test="permutation")
    assert found.p == pytest.approx(expected, abs=5 * math.sqrt(2 * expected / 9999))


def test_permutation_of_few_samples_takes_every_exchange_once() -> None:
    found = lossctl.compare("mse", OLD[:12], NEW[:12], TARGET[:12], test="permutation")
    expected = stats.permutation_test(
        (NEW_LOSS[:12], OLD_LOSS[:12]), lambda a, b, axis: np.mean(a - b, axis=axis),
        permutation_type="samples", n_resamples=np.inf, vectorized=True,
    ).pvalue  # fmt: skip
    assert found.differences[0].p == pytest.approx(expected, rel=1e-12)
    assert found.permutations == 2**12


@pytest.mark.parametrize(
    ("n", "asked", "taken"), [(13, 8193, 8192), (13, 8192, 8192), (14, 4999, 4999)]
)
def test_exchanges_are_drawn_only_where_there_are_more_than_asked_for(
    n: int, asked: int, taken: int
) -> None:
    how = {"test": "permutation", "permutations": asked}
    found = lossctl.compare("mse", OLD[:n], NEW[:n], TARGET[:n], seed=1, **how)
    other = lossctl.compare("mse", OLD[:n], NEW[:n], TARGET[:n], seed=2, **how)
    assert found.permutations == taken
    same = found.differences[0].p == other.differences[0].p
    assert same is (asked > 2**n)


def test_every_exchange_of_few_clusters() -> None:
    cluster = np.arange(N) % 6
    found = difference(cluster=cluster, test="permutation")
    sums = np.bincount(cluster, APART)
    signs = 1 - 2 * (np.arange(64)[:, None] >> np.arange(6) & 1)
    means = (signs * sums).sum(axis=1) / N
    low, high = ((means <= means[0] + 1e-15).mean(), (means >= means[0] - 1e-15).mean())
    assert found.p == pytest.approx(min(1, 2 * min(low, high)), rel=1e-12)


def test_every_exchange_within_groups_and_without_skipped_samples() -> None:
    old, by = OLD[:11].copy(), {"half": np.arange(11) % 2}
    old[4] = math.nan
    found = lossctl.compare(
        "mse", old, NEW[:11], TARGET[:11], by=by, nan="skip", test="permutation"
    ).differences[0]
    assert found.groups is not None
    for item in found.groups:
        own = np.flatnonzero((by["half"] == item.group["half"]) & ~np.isnan(old))
        expected = stats.permutation_test(
            (NEW_LOSS[own], OLD_LOSS[own]), lambda a, b, axis: np.mean(a - b, axis=axis),
            permutation_type="samples", n_resamples=np.inf, vectorized=True,
        ).pvalue  # fmt: skip
        assert item.p == pytest.approx(expected, rel=1e-12)


def test_permutation_of_a_value_with_a_finish_exchanges_the_models() -> None:
    """The RMSEs are taken anew each time the models change places in some samples."""
    flips = np.random.default_rng(0).random((4000, N)) < 0.5
    first = np.where(flips, OLD_LOSS, NEW_LOSS).mean(axis=1)
    second = np.where(flips, NEW_LOSS, OLD_LOSS).mean(axis=1)
    apart = np.sqrt(first) - np.sqrt(second)
    real = math.sqrt(NEW_LOSS.mean()) - math.sqrt(OLD_LOSS.mean())
    expected = 2 * min((apart <= real).mean(), (apart >= real).mean())
    found = difference("rmse", test="permutation")
    assert found.p == pytest.approx(expected, abs=5 * math.sqrt(2 * expected / 4000))


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_bootstrap(method: str) -> None:
    expected = stats.bootstrap(
        (APART,), np.mean, method=method, n_resamples=20_000, vectorized=True, random_state=2
    )
    found = difference(bootstrap=20_000, interval=method)
    width = float(np.diff(ends(found))[0])
    interval = expected.confidence_interval
    assert ends(found) == pytest.approx([interval.low, interval.high], abs=0.03 * width)
    # its p-value is the level at which the percentile interval ends at 0
    p = difference(bootstrap=20_000, test="bootstrap").p
    tail = 2 * (expected.bootstrap_distribution >= 0).mean()
    assert p == pytest.approx(tail, abs=5 * math.sqrt(2 * tail / 20_000))


def test_bootstrap_of_a_skewed_value() -> None:
    """BCa of a difference of roots, where the percentile interval is off."""

    def apart(old: Any, new: Any, axis: int) -> Any:
        return np.sqrt(new.mean(axis=axis)) - np.sqrt(old.mean(axis=axis))

    expected = stats.bootstrap(
        (OLD_LOSS[:40] ** 2, NEW_LOSS[:40] ** 2), apart, paired=True, method="BCa",
        n_resamples=20_000, vectorized=True, random_state=3,
    ).confidence_interval  # fmt: skip
    t = TARGET[:40]
    found = lossctl.compare(
        "rmse", t + OLD_LOSS[:40], t + NEW_LOSS[:40], t, bootstrap=20_000
    ).differences[0]
    width = float(np.diff(ends(found))[0])
    assert ends(found) == pytest.approx([expected.low, expected.high], abs=0.03 * width)


@pytest.mark.parametrize("rows", [50, 5000])
@pytest.mark.parametrize("alone", [True, False])
def test_counts_are_those_of_drawing_with_replacement(rows: int, alone: bool) -> None:
    draws = resample.Draws(resample.Resampling(400, 3), 0, rows, alone)
    counts = np.concatenate([chunk.copy() for _, chunk in draws.chunks()]).astype(int)
    assert counts.shape == (400, rows)
    if alone:
        assert (counts.sum(axis=1) == rows).all()
    expected = stats.binom(rows, 1 / rows) if alone else stats.poisson(1)
    seen = np.bincount(counts.reshape(-1), minlength=12)[:5] / counts.size
    assert seen == pytest.approx(expected.pmf(range(5)), abs=5 / math.sqrt(counts.size))
    # no row, and no neighbour, is drawn together with another
    assert np.corrcoef(counts[:, 0], counts[:, 1])[0, 1] == pytest.approx(0, abs=0.25)
    assert counts.mean(axis=0) == pytest.approx(1, abs=0.35)


@pytest.mark.parametrize(
    ("rows", "alone", "signs", "expected"),
    [
        (1000, True, False, 2228044405),
        (1000, False, False, 431040388),
        (1000, False, True, 2861857575),
        (100_001, True, False, 195861259),
        (100_001, False, False, 4111210077),
        (100_001, False, True, 1313440636),
    ],
)
def test_a_seed_draws_the_same_for_a_block_in_every_version(
    rows: int, alone: bool, signs: bool, expected: int
) -> None:
    """However many resamples are drawn, or multiplied, at once."""
    draws = resample.Draws(resample.Resampling(20, 3), 7, rows, alone, signs)
    counts = np.concatenate([chunk.astype(np.uint8) for _, chunk in draws.chunks()])
    assert zlib.crc32(counts.tobytes()) == expected


def test_signs_are_fair() -> None:
    draws = resample.Draws(resample.Resampling(500, 3), 7, 333, True, True)
    coins = np.concatenate([chunk.copy() for _, chunk in draws.chunks()])
    assert set(np.unique(coins)) == {0, 1}
    assert coins.mean() == pytest.approx(0.5, abs=5 * 0.5 / math.sqrt(coins.size))


@pytest.mark.parametrize("signs", [False, True])
def test_shares_are_the_products_of_what_was_drawn(signs: bool) -> None:
    draws = resample.Draws(resample.Resampling(70, 5), 0, 40_000, False, signs)
    drawn = np.concatenate([chunk.copy() for _, chunk in draws.chunks()]).astype(float)
    drawn = 2 * drawn - 1 if signs else drawn
    columns = RNG.standard_normal((40_000, 3))
    rows = np.flatnonzero(RNG.random(40_000) < 0.3)
    both = [np.zeros((70, 3)), np.zeros((70, 2)), np.zeros((70, 2))]
    draws.fill(
        [
            resample.Share(both[0], slice(None), columns),
            resample.Share(both[1], rows, columns[rows][:, :2]),
            resample.Share(both[2], slice(None), columns[:, [2, 0]]),
        ]
    )
    assert both[0] == pytest.approx(drawn @ columns, rel=1e-9, abs=1e-9)
    assert both[1] == pytest.approx(drawn[:, rows] @ columns[rows][:, :2], rel=1e-9, abs=1e-9)
    assert (both[2] == both[0][:, [2, 0]]).all()


# ---- other values, weights and clusters -------------------------------------------------


def jackknife(value: Any, rows: int) -> float:
    """The standard error by leaving out one row at a time."""
    found = np.array([value(np.arange(rows) != row) for row in range(rows)])
    return math.sqrt((rows - 1) / rows * ((found - found.mean()) ** 2).sum())


def test_the_delta_method_agrees_with_the_jackknife() -> None:
    def apart(rows: Any) -> float:
        return math.sqrt(NEW_LOSS[rows].mean()) - math.sqrt(OLD_LOSS[rows].mean())

    found = difference("rmse")
    assert found.difference == pytest.approx(apart(np.full(N, True)), rel=1e-12)
    assert found.error == pytest.approx(jackknife(apart, N), rel=0.01)
    assert found.p == pytest.approx(
        2 * stats.t.sf(abs(found.difference / found.error), N - 1), rel=1e-9
    )


def test_weights() -> None:
    weight = RNG.random(N) + 0.2
    weight[::17] = 0
    found = difference(weight=weight)
    kept = weight > 0
    mean = np.average(APART, weights=weight)
    influence = (weight * (APART - mean))[kept] / weight.sum()
    n = int(kept.sum())
    error = math.sqrt(n / (n - 1) * (influence**2).sum())
    assert found.difference == pytest.approx(mean, rel=1e-12)
    assert found.error == pytest.approx(error, rel=1e-8)
    assert (found.n, found.freedom) == (n, n - 1)


def test_clusters_are_what_is_independent() -> None:
    cluster = RNG.integers(0, 25, N)
    found = difference(cluster=cluster)
    sums = np.bincount(cluster, weights=APART, minlength=25)
    sizes = np.bincount(cluster, minlength=25)
    sums, sizes = sums[sizes > 0], sizes[sizes > 0]
    count = len(sizes)
    influence = (sums - sizes * APART.mean()) / N
    error = math.sqrt(count / (count - 1) * (influence**2).sum())
    assert found.error == pytest.approx(error, rel=1e-8)
    assert found.freedom == count - 1
    assert found.p == pytest.approx(2 * stats.t.sf(abs(APART.mean() / error), count - 1), rel=1e-7)
    assert found.interval is not None
    assert found.interval.method == "cluster"


def test_clusters_of_a_group_are_those_of_its_samples_alone() -> None:
    """Also where a cluster has samples in several groups."""
    rng = np.random.default_rng(2)
    prediction, target = rng.random((2, 400))
    group, cluster = rng.integers(0, 5, 400), rng.integers(0, 40, 400)

    def evaluate(rows: Any, **more: Any) -> Any:
        found = lossctl.evaluate(
            "mse", prediction[rows], target[rows], cluster=cluster[rows], **more
        )
        return found.losses[0]

    groups = evaluate(slice(None), by={"g": group}).groups or ()
    assert [item.group["g"] for item in groups] == [0, 1, 2, 3, 4]
    for item in groups:
        alone = evaluate(group == item.group["g"]).summary
        assert item.summary.interval.method == alone.interval.method == "cluster"
        for name in ("low", "high"):
            found, own = (getattr(one.interval, name) for one in (item.summary, alone))
            assert found == pytest.approx(own, rel=1e-12)


def test_clusters_of_one_sample_are_samples() -> None:
    alone, clusters = difference(), difference(cluster=np.arange(N))
    assert clusters.p == pytest.approx(alone.p, rel=1e-8)
    assert ends(clusters) == pytest.approx(ends(alone), rel=1e-8)


def test_permutation_of_clusters_exchanges_them_whole() -> None:
    cluster = np.arange(N) % 8
    sums = np.bincount(cluster, weights=APART)
    signs = 1 - 2 * (np.arange(256)[:, None] >> np.arange(8) & 1)
    means = (signs * sums).sum(axis=1)
    slack = 1e-9
    tails = ((means <= means[0] + slack).mean(), (means >= means[0] - slack).mean())
    exact = min(1, 2 * min(tails))
    found = difference(cluster=cluster, test="permutation")
    assert found.p == pytest.approx(exact, abs=5 * math.sqrt(exact / 9999))


def test_models_that_are_nearly_alike_are_told_apart() -> None:
    """The losses differ by a part in 10⁹; sums of each would leave rounding between them."""
    apart = 1e-9 * np.sin(np.arange(N))
    found = lossctl.compare("mae", TARGET + 5, TARGET + 5 + apart, TARGET).differences[0]
    expected = stats.ttest_1samp((TARGET + 5 + apart - TARGET) - (TARGET + 5 - TARGET), 0)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-3)


# ---- corrections ------------------------------------------------------------------------

# Benjamini & Hochberg 1995, section 3.2: of 15 tests four are found, and three by Bonferroni
PUBLISHED = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
    0.5719, 0.6528, 0.7590, 1.0,
]  # fmt: skip


def test_benjamini_hochberg() -> None:
    found = significance.benjamini_hochberg(PUBLISHED)
    assert found == pytest.approx(stats.false_discovery_control(PUBLISHED), rel=1e-14)
    assert sum(p <= 0.05 for p in found) == 4


def test_holm() -> None:
    # Holm 1979 as R's p.adjust works it out
    assert significance.holm([0.01, 0.02, 0.03, 0.005]) == pytest.approx([0.03, 0.04, 0.04, 0.02])
    found = significance.holm(PUBLISHED)
    assert found[:5] == pytest.approx([0.0015, 0.0056, 0.0247, 0.114, 0.2211])
    assert sum(p <= 0.05 for p in found) == 3


@given(st.lists(st.floats(0, 1) | st.just(math.nan), max_size=12), st.randoms())
def test_corrections_are_fair(p_values: list[float], random: Any) -> None:
    """In no order, never below p, never above Bonferroni; what is unknown counts for nothing."""
    known = [p for p in p_values if not math.isnan(p)]
    order = list(range(len(p_values)))
    random.shuffle(order)
    for name, correct in significance.CORRECTIONS.items():
        found = correct(p_values)
        shuffled = correct([p_values[i] for i in order])
        assert shuffled == pytest.approx([found[i] for i in order], nan_ok=True)
        assert [p for p in found if not math.isnan(p)] == pytest.approx(correct(known))
        for p, adjusted in zip(p_values, found):
            if math.isnan(p):
                assert math.isnan(adjusted)
            else:
                assert p - 1e-15 <= adjusted <= min(1, p * len(known)) + 1e-15
                assert name != "none" or adjusted == p


# ---- what cannot be known ---------------------------------------------------------------


def test_an_infinite_difference_has_signs_and_ranks_but_no_mean() -> None:
    target = np.array([1, 1, 0, 1, 0, 1, 1, 0.0])
    old = np.array([0, 0.6, 0.3, 0.8, 0.4, 0.7, 0.9, 0.2])
    new = np.array([0.5, 0.7, 0.2, 0.9, 0.3, 0.8, 0.95, 0.1])
    found = {
        test: lossctl.compare("bce", old, new, target, test=test).differences[0]
        for test in significance.TESTS
    }
    for test in ("t", "bootstrap", "permutation"):
        assert math.isnan(found[test].p)
        assert found[test].verdict == "not tested"
    assert found["sign"].p == pytest.approx(2 / 2**8)
    assert found["wilcoxon"].p == pytest.approx(2 / 2**8)
    assert found["sign"].verdict == "better"
    assert found["sign"].difference == -math.inf


def test_two_infinite_losses_differ_by_nobody_knows_what() -> None:
    target = np.array([1, 1, 0, 1.0])
    old, new = np.array([0, 0.6, 0.3, 0.8]), np.array([0, 0.7, 0.2, 0.9])
    for test in significance.TESTS:
        found = lossctl.compare("bce", old, new, target, test=test).differences[0]
        assert math.isnan(found.p)
        assert (found.wins, found.ties, found.losses) == (3, 0, 0)


def test_the_sign_test_and_the_mean_may_point_different_ways() -> None:
    target = np.zeros(40)
    new = np.full(40, 0.9)
    new[0] = 50
    found = lossctl.compare("mae", np.ones(40), new, target, test="sign").differences[0]
    assert found.difference > 0
    assert (found.wins, found.losses, found.verdict) == (39, 1, "mixed")
