"""Counts and likelihoods: refusals, limits and laws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl

RNG = np.random.default_rng(11)
N = 40
PREDICTION, TARGET = RNG.standard_normal((2, N))
SCALE = RNG.uniform(0.2, 3, N)
RATES, COUNTS = RNG.uniform(0.1, 30, N), RNG.integers(0, 40, N).astype(float)
MEMBERS, OBSERVED = RNG.standard_normal((N, 9)), RNG.standard_normal(N)
QUANTILES = np.sort(RNG.standard_normal((N, 7)), axis=1)
ALPHAS = "alphas=[0.1,0.4,0.8]"


def each(spec: str, prediction: Any = PREDICTION, target: Any = TARGET, **inputs: Any) -> Any:
    """The per-sample losses."""
    found = lossctl.evaluate(spec, prediction, target, per_sample=True, confidence=None, **inputs)
    return found.losses[0].per_sample


def close(found: Any, wanted: Any, rel: float = 1e-12) -> None:
    assert found == pytest.approx(wanted, rel=rel, abs=1e-300)


@pytest.mark.parametrize(
    ("spec", "inputs", "said"),
    [
        ("laplace_nll", {"scale": [1.0, 0.0]}, "scale has 0, not above 0"),
        ("laplace_nll:scale=0", {}, "scale is 0, not above 0"),
        ("student_t_nll:df=3", {"scale": [1.0, -1.0]}, "scale has -1, not above 0"),
        ("student_t_nll:scale=1", {"df": [1.0, 0.0]}, "df has 0, not above 0"),
        ("student_t_nll:scale=1,df=-2", {}, "df is -2, not above 0"),
        ("gaussian_nll", {"variance": [1.0, 0.0]}, "variance has 0, not above 0"),
        ("gaussian_nll:variance=0", {}, "variance is 0, not above 0"),
        ("negative_binomial_nll", {"dispersion": [1.0, -1.0]}, "dispersion has -1, below 0"),
        ("negative_binomial_nll:dispersion=-1", {}, "dispersion is -1, below 0"),
        ("crps_gaussian", {"std": [1.0, -1.0]}, "std has -1, below 0"),
        ("crps_gaussian:std=-1", {}, "std is -1, below 0"),
    ],
)
def test_parameters_out_of_their_domain_are_refused(
    spec: str, inputs: dict[str, Any], said: str
) -> None:
    with pytest.raises(lossctl.DataError, match=said):
        lossctl.evaluate(spec, [1.0, 2.0], [1.0, 3.0], **inputs)


@pytest.mark.parametrize("loss", ["crps_ensemble", "energy_score"])
def test_a_fair_score_needs_two_members(loss: str) -> None:
    shape = (3, 1, 2) if loss == "energy_score" else (3, 1)
    target = np.zeros(shape[:1] + shape[2:])
    with pytest.raises(lossctl.DataError, match="has one member a row"):
        lossctl.evaluate(loss, np.ones(shape), target)
    close(
        each(f"{loss}:estimator=nrg", np.ones(shape), target), [math.sqrt(math.prod(shape[1:]))] * 3
    )


def test_intervals_that_cross_are_refused_unless_they_may() -> None:
    arrays = {"lower": [0.0, 3.0], "upper": [1.0, 2.0], "target": [0.0, 0.0]}
    with pytest.raises(lossctl.DataError, match="upper has 2, which is below lower"):
        lossctl.evaluate("interval_score:alpha=0.5", **arrays)
    found = lossctl.evaluate("interval_score:alpha=0.5,crossing=true", **arrays, per_sample=True)
    close(found.losses[0].per_sample, [1.0, -1.0 + 4 * 3.0])
    with pytest.raises(lossctl.DataError, match="quantiles that do not ascend"):
        each(f"weighted_interval_score:{ALPHAS}", QUANTILES[:, ::-1], OBSERVED)


@pytest.mark.parametrize(
    ("alphas", "said"),
    [
        ("[0.5,0.1,0.8]", "alphas must rise"),
        ("[0.1,0.1,0.8]", "alphas must rise"),
        ("[0.1,0.5]", "has 7 quantiles, but alphas has 2"),
        ("0.5", "has 7 quantiles, but alphas has 1"),
        ("[0.1,0.5,1]", "alphas must be a number or a list > 0 and < 1"),
    ],
)
def test_alphas_that_do_not_fit_are_refused(alphas: str, said: str) -> None:
    with pytest.raises(lossctl.LossctlError, match=said):
        each(f"weighted_interval_score:alphas={alphas}", QUANTILES, OBSERVED)


@pytest.mark.parametrize("spec", ["interval_score", "weighted_interval_score"])
def test_levels_must_be_given(spec: str) -> None:
    with pytest.raises(lossctl.SpecError, match="needs the parameter alpha"):
        lossctl.losses.resolve(spec)


def test_many_degrees_of_freedom_are_gaussian() -> None:
    gaussian = each("gaussian_nll", variance=SCALE**2)
    close(each("student_t_nll:df=1e15", scale=SCALE), gaussian, rel=1e-11)
    close(each("student_t_nll", scale=SCALE, df=np.full(N, np.inf)), gaussian)


def test_one_degree_of_freedom_is_cauchy() -> None:
    wanted = -scipy.stats.cauchy.logpdf(TARGET, PREDICTION, SCALE)
    close(each("student_t_nll:df=1", scale=SCALE), wanted)


def test_a_negative_binomial_without_dispersion_is_poisson() -> None:
    poisson = each("poisson:full=true", RATES, COUNTS)
    for dispersion in ("0", "1e-300", "1e-18"):
        found = each(f"negative_binomial_nll:dispersion={dispersion}", RATES, COUNTS)
        close(found, poisson, rel=1e-13)


def test_a_dispersion_of_one_is_geometric() -> None:
    wanted = COUNTS * np.log1p(1 / RATES) + np.log1p(RATES)
    close(each("negative_binomial_nll:dispersion=1", RATES, COUNTS), wanted)


@pytest.mark.parametrize("dispersion", [0.0, 1e-6, 0.3, 20.0])
@pytest.mark.parametrize("mean", [0.4, 3.0])
def test_the_probabilities_of_all_counts_sum_to_one(dispersion: float, mean: float) -> None:
    counts = np.arange(20_000.0)
    spec = f"negative_binomial_nll:dispersion={dispersion!r}"
    probabilities = np.exp(-each(spec, np.full(len(counts), mean), counts))
    assert probabilities.sum() == pytest.approx(1, abs=1e-12)
    assert (probabilities * counts).sum() == pytest.approx(mean, rel=1e-9)


def test_a_constant_is_a_column_of_it() -> None:
    column = np.full(N, 0.7)
    for loss, name in (("laplace_nll", "scale"), ("crps_gaussian", "std")):
        close(each(f"{loss}:{name}=0.7"), each(loss, **{name: column}), rel=0)
    both = each("student_t_nll", scale=column, df=np.full(N, 40.0))
    close(each("student_t_nll:scale=0.7,df=40"), both, rel=0)
    matrix = each("negative_binomial_nll:dispersion=0.7", RATES[:, None], COUNTS[:, None])
    close(matrix, each("negative_binomial_nll", RATES, COUNTS, dispersion=column), rel=0)


@pytest.mark.parametrize(
    ("spec", "inputs"),
    [
        ("gaussian_nll", {"variance": np.ones(2)}),
        ("laplace_nll", {"scale": np.ones(2)}),
        ("student_t_nll", {"scale": np.ones(2), "df": np.full(2, 500.0)}),
    ],
)
def test_a_density_that_underflows_is_infinite_where_asked(spec: str, inputs: Any) -> None:
    for dtype, far in ((np.float64, 1e4), (np.float32, 200.0)):
        arrays = {name: array.astype(dtype) for name, array in inputs.items()}
        prediction, target = np.array([0, far], dtype), np.zeros(2, dtype)
        assert np.isfinite(each(spec, prediction, target, **arrays)).all()
        found = each(f"{spec}:underflow=true", prediction, target, **arrays)
        assert found[0] == each(spec, prediction, target, **arrays)[0]
        assert found[1] == np.inf


def test_strict_counts_are_whole() -> None:
    for spec in ("poisson:full=true,strict=true", "negative_binomial_nll:dispersion=1,strict=true"):
        found = each(spec, [2.0, 2.0], [1.0, 1.5])
        assert np.isfinite(found[0])
        assert found[1] == np.inf


def test_a_forecast_without_spread_has_its_absolute_error() -> None:
    error = np.abs(PREDICTION - TARGET)
    close(each("crps_gaussian:std=0"), error, rel=0)
    close(each("crps_gaussian:std=1e-320"), error)
    assert each("crps_gaussian:std=0", TARGET, TARGET).tolist() == [0] * N
    same = np.repeat(PREDICTION[:, None], 5, axis=1)
    for estimator in ("fair", "nrg"):
        close(each(f"crps_ensemble:estimator={estimator}", same), error)
        spec = f"energy_score:estimator={estimator}"
        close(each(spec, same[..., None], TARGET[:, None]), error)


@pytest.mark.parametrize("estimator", ["fair", "nrg"])
def test_the_energy_score_of_one_variable_is_the_crps(estimator: str) -> None:
    wanted = each(f"crps_ensemble:estimator={estimator}", MEMBERS, OBSERVED)
    spec = f"energy_score:estimator={estimator}"
    close(each(spec, MEMBERS[..., None], OBSERVED[:, None]), wanted)


@settings(deadline=None, max_examples=30)
@given(
    members=st.lists(st.floats(-100, 100), min_size=2, max_size=8),
    observed=st.floats(-100, 100),
    shift=st.integers(-50, 50),
)
def test_the_estimators_are_two_means_less_their_spread(
    members: list[float], observed: float, shift: int
) -> None:
    x = np.round(np.array(members) * 8) / 8  # so that shifting rounds nothing
    y = round(observed * 8) / 8
    spread = np.abs(x[:, None] - x).sum() / 2
    for estimator, pairs in (("fair", len(x) * (len(x) - 1)), ("nrg", len(x) ** 2)):
        spec = f"crps_ensemble:estimator={estimator}"
        (found,) = each(spec, x[None], [y])
        assert found == pytest.approx(np.abs(x - y).mean() - spread / pairs, rel=1e-12, abs=1e-11)
        assert found >= 0
        assert each(spec, x[None] + shift, [y + shift])[0] == found
        assert each(spec, x[None, ::-1], [y])[0] == found


def test_many_members_near_the_closed_form() -> None:
    levels = (np.arange(4000) + 0.5) / 4000
    members = 0.3 + 1.7 * scipy.stats.norm.ppf(levels)[None]
    (found,) = each("crps_ensemble:estimator=nrg", members, [1.0])
    assert found == pytest.approx(each("crps_gaussian:std=1.7", [0.3], [1.0])[0], rel=1e-4)


def test_interval_scores_are_pinball_losses() -> None:
    levels = [0.05, 0.2, 0.4, 0.5, 0.6, 0.8, 0.95]
    listed = ",".join(map(str, levels))
    pinball = each(f"pinball:alpha=[{listed}]", QUANTILES, OBSERVED)
    close(each(f"weighted_interval_score:{ALPHAS}", QUANTILES, OBSERVED), 2 * pinball)
    outer = lossctl.evaluate(
        "interval_score:alpha=0.1", lower=QUANTILES[:, 0], upper=QUANTILES[:, 6], target=OBSERVED,
        per_sample=True,
    )  # fmt: skip
    ends = each("pinball:alpha=[0.05,0.95]", QUANTILES[:, [0, 6]], OBSERVED)
    close(outer.losses[0].per_sample, 4 * ends / 0.1)


@pytest.mark.parametrize(
    ("spec", "shape"),
    [
        ("crps_ensemble", (17,)),
        ("crps_ensemble:estimator=nrg", (2,)),
        ("energy_score", (5, 3)),
        ("energy_score:estimator=nrg", (2, 20)),
        ("energy_score", (12, 1)),
    ],
)
def test_a_sample_does_not_depend_on_its_neighbours(spec: str, shape: tuple[int, ...]) -> None:
    prediction = RNG.standard_normal((60, *shape))
    target = RNG.standard_normal((60, *shape[1:]))
    together = each(spec, prediction, target)
    for size in (1, 2, 7):
        parts = [slice(start, start + size) for start in range(0, 60, size)]
        apart = np.concatenate([each(spec, prediction[part], target[part]) for part in parts])
        assert np.array_equal(apart, together)
    assert np.array_equal(each(spec, np.asfortranarray(prediction), target), together)
