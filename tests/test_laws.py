"""Laws that hold for every loss, on samples drawn from the registry's own examples."""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl
from lossctl import cli, losses
from lossctl.errors import LossctlError
from lossctl.losses import Loss
from lossctl.losses.definition import REQUIRED
from lossctl.spec import LossSpec

LOSSES = losses.all()
PAIRED = [item for item in LOSSES if not item.unpaired]
each_loss = pytest.mark.parametrize("loss", LOSSES, ids=lambda item: item.name)
each_paired = pytest.mark.parametrize("loss", PAIRED, ids=lambda item: item.name)


def single(loss: Loss) -> bool:
    """Whether the example's samples have no losses of their own."""
    return loss.single_for(loss.validate(dict(loss.example.params)))


def shared(loss: Loss) -> bool:
    """Whether a sample's loss depends on the other rows, as on those at risk."""
    return loss.whole and not single(loss)


SAMPLED = [item for item in PAIRED if not single(item) and not shared(item)]
each_sampled = pytest.mark.parametrize("loss", SAMPLED, ids=lambda item: item.name)
WEIGHED = [item for item in PAIRED if not item.whole]
each_weighed = pytest.mark.parametrize("loss", WEIGHED, ids=lambda item: item.name)
GROUPED = [item for item in PAIRED if not shared(item)]
each_grouped = pytest.mark.parametrize("loss", GROUPED, ids=lambda item: item.name)


def of_one_shape(loss: Loss) -> bool:
    """Whether it has several inputs, whose shapes no letters tell apart."""
    names = loss.example.inputs
    return len(names) > 1 and len({loss.input(name).shape for name in names}) == 1


OF_ONE_SHAPE = [item for item in PAIRED if of_one_shape(item)]
each_of_one_shape = pytest.mark.parametrize("loss", OF_ONE_SHAPE, ids=lambda item: item.name)


def spec_of(loss: Loss) -> str:
    return str(LossSpec(loss.name, None, tuple(loss.example.params.items())))


def example(loss: Loss) -> dict[str, Any]:
    return {name: np.asarray(value) for name, value in loss.example.inputs.items()}


def rows(loss: Loss, indices: list[int]) -> dict[str, Any]:
    """Samples of the example, drawn with repetition."""
    inputs = example(loss)
    size = len(next(iter(inputs.values())))
    return {name: array[[index % size for index in indices]] for name, array in inputs.items()}


def value(loss: Loss, inputs: dict[str, Any], **options: Any) -> float:
    return lossctl.evaluate(spec_of(loss), **inputs, **options).losses[0].value


@each_loss
def test_the_example_has_its_known_value(loss: Loss) -> None:
    found = value(loss, example(loss), reduction=loss.example.reduction)
    assert found == pytest.approx(loss.example.value, rel=1e-12, abs=1e-300)


@each_loss
def test_the_example_tells_something(loss: Loss) -> None:
    assert math.isfinite(loss.example.value)
    assert loss.example.value != 0


@each_loss
def test_the_facts_are_complete(loss: Loss) -> None:
    assert loss.task in losses.TASKS
    for text in (loss.summary, loss.formula, loss.use, loss.reference):
        assert text.strip()
    names = [item.name for item in loss.inputs]
    assert set(loss.example.inputs) <= set(names)
    assert set(loss.example.params) <= {item.name for item in loss.params} | set(names)
    for param in loss.params:
        assert param.help
        default = param.default
        assert default == REQUIRED or param.validate(default, loss.name) == default
    for convention in loss.conventions.values():
        assert convention.call
        assert set(convention.params) <= {item.name for item in loss.params}
    for alias in loss.aliases:
        assert losses.get(alias) is loss


def _ways(loss: Loss) -> list[str]:
    """The loss with its example's parameters, and under each convention as that has it."""
    return [spec_of(loss), *(f"{loss.name}@{name}" for name in loss.conventions)]


@each_of_one_shape
def test_inputs_of_one_shape_are_never_broadcast(loss: Loss) -> None:
    inputs = rows(loss, [0, 1, 2])
    for name, array in inputs.items():
        for axis in range(1, array.ndim + 1):
            for size in (2, 3):  # as many as there are samples, too
                longer = np.repeat(np.expand_dims(array, axis), size, axis=axis)
                with pytest.raises(LossctlError, match=r"fit|must"):
                    lossctl.evaluate(spec_of(loss), **(inputs | {name: longer}))


@pytest.mark.parametrize("dtype", [None, "float32"])
@each_paired
def test_losses_together_are_what_each_is_alone(loss: Loss, dtype: str | None) -> None:
    inputs = rows(loss, list(range(7)))
    # an input that is called like another loss's parameter would be taken for that
    mates = [mate for mate in PAIRED if not {param.name for param in mate.params} & set(inputs)]
    of_task = [spec for mate in mates if mate.task == loss.task for spec in _ways(mate)]
    others = [spec_of(mate) for mate in mates if mate.task != loss.task]
    alone = {}
    for spec in (*of_task, *others):
        with suppress(LossctlError):  # it takes other inputs, or other values
            alone[spec] = lossctl.evaluate(spec, **inputs, dtype=dtype).losses[0]
    assert spec_of(loss) in alone
    for specs in (list(alone), list(reversed(alone))):
        for found in lossctl.evaluate(specs, **inputs, dtype=dtype).losses:
            np.testing.assert_equal(found._asdict(), alone[found.loss]._asdict())


@settings(deadline=None, max_examples=8)
@given(indices=st.lists(st.integers(0, 50), min_size=1, max_size=12), data=st.data())
@each_paired
def test_the_order_of_samples_does_not_matter(loss: Loss, indices: list[int], data: Any) -> None:
    if loss.whole_when is not None and loss.whole_for(_params(loss)):
        return
    shuffled = data.draw(st.permutations(indices))
    straight = value(loss, rows(loss, indices))
    found = value(loss, rows(loss, list(shuffled)))  # NaN where no row drawn has a value
    assert found == pytest.approx(straight, rel=1e-12, abs=1e-15, nan_ok=True)


@settings(deadline=None, max_examples=8)
@given(
    indices=st.lists(st.integers(0, 50), min_size=1, max_size=8),
    repeats=st.lists(st.integers(1, 3), min_size=8, max_size=8),
)
@each_weighed
def test_a_weight_of_two_is_the_sample_twice(
    loss: Loss, indices: list[int], repeats: list[int]
) -> None:
    counts = repeats[: len(indices)]
    twice = [index for index, count in zip(indices, counts) for _ in range(count)]
    weighted = value(loss, rows(loss, indices), weight=np.array(counts, dtype=float))
    assert weighted == pytest.approx(value(loss, rows(loss, twice)), rel=1e-12, abs=1e-15)


@each_sampled
def test_per_sample_losses_are_the_losses_of_the_samples(loss: Loss) -> None:
    inputs = example(loss)
    report = lossctl.evaluate(spec_of(loss), **inputs, per_sample=True)
    found = report.losses[0].per_sample
    assert found is not None
    for index in range(len(found)):
        alone = {name: array[index : index + 1] for name, array in inputs.items()}
        assert found[index] == pytest.approx(value(loss, alone), rel=1e-12, abs=1e-15)


@each_grouped
def test_groups_are_the_losses_of_their_samples(loss: Loss) -> None:
    indices = list(range(7))
    inputs = rows(loss, indices)
    group = np.array(["a", "b", "a", "a", "b", "c", "c"], dtype=object)
    report = lossctl.evaluate(spec_of(loss), **inputs, by={"g": group})
    groups = report.losses[0].groups
    assert groups is not None
    assert [item.group for item in groups] == [{"g": "a"}, {"g": "b"}, {"g": "c"}]
    for item in groups:
        own = {name: array[group == item.group["g"]] for name, array in inputs.items()}
        assert item.summary.value == pytest.approx(value(loss, own), rel=1e-12, abs=1e-15)


@each_paired
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_narrow_floats_stay_close(loss: Loss, dtype: Any) -> None:
    inputs = {
        name: array.astype(dtype) if array.dtype.kind == "f" else array
        for name, array in example(loss).items()
    }
    wide = {
        name: array.astype(np.float64) if array.dtype.kind == "f" else array
        for name, array in inputs.items()
    }
    try:
        exact = value(loss, wide)
    except lossctl.DataError:  # for a float64 the rounding is an error (a trace of 0.9998)
        return
    assert value(loss, inputs) == pytest.approx(exact, rel=2e-6, abs=1e-9)


@each_paired
def test_nan_goes_through_where_it_may_and_is_refused_where_not(loss: Loss) -> None:
    name, array = next(
        ((n, a) for n, a in example(loss).items() if a.dtype.kind in "fc"), (None, None)
    )
    if name is None or array is None:
        return
    inputs = rows(loss, list(range(4)))
    inputs[name] = inputs[name].copy()
    inputs[name][1] = np.nan
    said = rf"{name} has NaN or null in 1 row, first in row 1"
    with pytest.raises(lossctl.DataError, match=said):
        value(loss, inputs)
    kept = {key: item[[0, 2, 3]] for key, item in inputs.items()}
    assert value(loss, inputs, nan="skip") == pytest.approx(value(loss, kept), rel=1e-12)
    sampled = not single(loss)
    report = lossctl.evaluate(spec_of(loss), **inputs, nan="propagate", per_sample=sampled)
    assert math.isnan(report.losses[0].value)
    if sampled:
        assert math.isnan(report.losses[0].per_sample[1])  # type: ignore[index]


def _params(loss: Loss) -> dict[str, Any]:
    return loss.validate(dict(loss.example.params))


@each_sampled
@pytest.mark.parametrize("reduction", ["mean", "sum", "batchmean", "samplemean"])
def test_weights_of_one_change_no_figure(loss: Loss, reduction: str) -> None:
    inputs = rows(loss, list(range(9)))

    def summary(**options: Any) -> dict[str, Any]:
        found = lossctl.evaluate(spec_of(loss), **inputs, reduction=reduction, **options)
        figures = found.losses[0].summary._asdict()
        interval = figures.pop("interval")
        figures.pop("evidence")  # of differences alone
        figures.pop("quantiles")  # interpolated without weights, never with them
        return figures | ({"low": interval.low, "high": interval.high} if interval else {})

    alone, weighted = summary(), summary(weight=np.ones(9))
    assert weighted == pytest.approx(alone, rel=1e-7, abs=1e-12)


@pytest.mark.parametrize("reduction", ["mean", "sum", "batchmean", "samplemean"])
def test_samples_without_a_value_weigh_nothing(reduction: str) -> None:
    prediction = np.array([[0.5, 0.5], [0.25, 0.75], [0.1, 0.9], [0.5, 0.5], [0.3, 0.7]])
    target, weight = np.array([0, 0, 9, 9, 1]), np.array([1.0, 2.0, 3.0, 4.0, 0.0])
    group = np.array(["a", "b", "a", "b", "b"], dtype=object)
    spec = "cross_entropy:ignore_index=9"
    found = lossctl.evaluate(
        spec, prediction=prediction, target=target, weight=weight, by={"g": group},
        reduction=reduction,
    ).losses[0]  # fmt: skip
    alone = lossctl.evaluate(
        spec, prediction=prediction[:2], target=target[:2], weight=weight[:2], reduction=reduction
    ).losses[0]
    assert found.summary.value == pytest.approx(alone.summary.value, rel=1e-14)
    assert found.summary.mean == pytest.approx(alone.summary.mean, rel=1e-14)
    assert found.summary.std == pytest.approx(alone.summary.std, rel=1e-12)
    assert found.summary.n == 2
    assert found.valueless == 2
    assert found.groups is not None
    assert [item.summary.n for item in found.groups] == [1, 1]


def test_a_sample_of_weight_zero_takes_no_part() -> None:
    found = lossctl.evaluate("bce", prediction=[0.5, 0.0, 0.25], target=[1, 1, 1], weight=[1, 0, 1])
    summary = found.losses[0].summary
    assert summary.value == pytest.approx((math.log(2) + math.log(4)) / 2)
    assert (summary.n, summary.nonfinite) == (2, 0)
    assert summary.max == pytest.approx(math.log(4))


def test_unpaired_inputs_have_no_rows_in_common() -> None:
    rng = np.random.default_rng(0)
    real, fake = rng.standard_normal(1000), rng.standard_normal(700) + 1

    def interval(real: Any, fake: Any) -> tuple[float, float, float]:
        summary = lossctl.evaluate("wasserstein_critic", real=real, fake=fake).losses[0].summary
        assert summary.interval is not None
        assert math.isnan(summary.mean)
        return summary.value, summary.interval.low, summary.interval.high

    value, low, high = interval(real, fake)
    assert value == pytest.approx(real.mean() - fake.mean(), rel=1e-12)
    half = 1.96 * math.sqrt(real.var(ddof=1) / 1000 + fake.var(ddof=1) / 700)
    assert (high - low) / 2 == pytest.approx(half, rel=0.01)
    assert interval(np.sort(real), np.sort(fake)) == pytest.approx((value, low, high), rel=1e-9)
    for options in ({"reduction": "sum"}, {"per_sample": True}, {"worst": 3}, {"nan": "skip"}):
        with pytest.raises(lossctl.UsageError, match="different samples"):
            lossctl.evaluate("wasserstein_critic", real=real, fake=fake, **options)
    both = lossctl.evaluate(
        ["gan_discriminator:from_logits=true", "wgan_generator"], real=real, fake=fake
    )
    assert both.losses[1].value == pytest.approx(-fake.mean(), rel=1e-12)


@pytest.mark.parametrize("at", [65_535, 65_536, 131_072])
def test_blocks_leave_no_seam(at: int) -> None:
    rng = np.random.default_rng(at)
    prediction, target = rng.standard_normal((2, at + 1))
    weight = rng.random(at + 1)
    error = np.abs(prediction - target)
    found = lossctl.evaluate(
        ["mae", "rmse"], prediction=prediction, target=target, weight=weight, worst=2,
        per_sample=True,
    )  # fmt: skip
    mae, rmse = found.losses
    assert mae.value == pytest.approx((weight * error).sum() / weight.sum(), rel=1e-13)
    assert rmse.value == pytest.approx(
        math.sqrt((weight * error**2).sum() / weight.sum()), rel=1e-13
    )
    assert mae.per_sample == pytest.approx(error, rel=1e-15)
    assert [item.sample for item in mae.worst or ()] == np.argsort(-error)[:2].tolist()


def test_labels_of_two_codings_are_refused_across_blocks() -> None:
    target = np.r_[np.zeros(65_536), -np.ones(65_536)]
    with pytest.raises(lossctl.DataError, match="both -1 and 0"):
        lossctl.evaluate("hinge", prediction=np.zeros(131_072), target=target)


def test_sums_beyond_the_floats_are_infinite() -> None:
    for weight in (None, [1e10, 1e10, 1e10]):
        found = lossctl.evaluate("mae", prediction=[1e308] * 3, target=[0.0] * 3, weight=weight)
        summary = found.losses[0].summary
        assert summary.value in (pytest.approx(1e308, rel=1e-12), math.inf)
        assert summary.interval is None or math.isfinite(summary.interval.low)
    found = lossctl.evaluate("mae", prediction=[1e308] * 3, target=[0.0] * 3, reduction="sum")
    assert found.losses[0].value == math.inf


def test_probabilities_taken_for_logits_are_noted() -> None:
    spec = "bce:from_logits=true"
    doubtful = lossctl.evaluate(spec, prediction=[0.2, 0.9], target=[0, 1])
    assert any("as probabilities do" in note for note in doubtful.notes)
    assert not lossctl.evaluate(spec, prediction=[0.2, 1.9], target=[0, 1]).notes


def test_infinite_losses_are_noted_with_their_place() -> None:
    found = lossctl.evaluate("bce", prediction=[0.2, 0.0, 0.0], target=[0, 1, 1])
    assert found.notes == ("bce: not finite in 2 samples, first in row 1",)


@pytest.mark.parametrize(("n_real", "n_fake"), [(2, 1000), (5, 5), (30, 400)])
def test_the_interval_of_unpaired_means_is_welchs(n_real: int, n_fake: int) -> None:
    rng = np.random.default_rng(n_real)
    real, fake = rng.standard_normal(n_real), 2 * rng.standard_normal(n_fake)
    found = lossctl.evaluate("wasserstein_critic", real=real, fake=fake).losses[0].summary
    expected = scipy.stats.ttest_ind(real, fake, equal_var=False).confidence_interval(0.95)
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == pytest.approx(tuple(expected), rel=1e-6)


def test_one_sample_of_an_input_has_no_interval() -> None:
    found = lossctl.evaluate("wasserstein_critic", real=[1.0], fake=[1.0, 2.0, 3.0])
    assert found.losses[0].summary.interval is None


@pytest.mark.parametrize("empty", ["ignored", "weightless"])
def test_a_block_in_which_nothing_takes_part(empty: str) -> None:
    n = 131_077
    group, first = np.arange(n) % 3, np.arange(n) < 65_536
    if empty == "ignored":
        arguments: dict[str, Any] = {
            "prediction": np.full((n, 2), 0.5), "target": np.where(first, 255, 1),
        }  # fmt: skip
        found = lossctl.evaluate("cross_entropy:ignore_index=255", by={"g": group}, **arguments)
        assert found.losses[0].valueless == 65_536
    else:
        arguments = {"prediction": np.full(n, math.log(2)), "target": np.zeros(n)}
        found = lossctl.evaluate("mae", by={"g": group}, weight=(~first) * 1.0, **arguments)
    assert found.losses[0].value == pytest.approx(math.log(2), rel=1e-12)
    assert [item.summary.n for item in found.losses[0].groups or ()] == [
        int(((group == code) & ~first).sum()) for code in range(3)
    ]


@pytest.mark.parametrize("first", [True, False])
def test_a_block_of_which_every_row_is_skipped(first: bool, tmp_path: Path) -> None:
    n = 2 * 65_536
    target, group = np.zeros(n), np.arange(n) % 3
    prediction = np.arange(n) / n
    gone = slice(65_536) if first else slice(65_536, n)
    prediction[gone] = np.nan
    left = ~np.isnan(prediction)
    found = lossctl.evaluate(
        ["mae", "medae", "max_error"], prediction, target, nan="skip", by={"g": group}
    )
    mae, medae, _ = (loss.value for loss in found.losses)
    assert mae == pytest.approx(prediction[left].mean(), rel=1e-14)
    assert medae == pytest.approx(np.median(prediction[left]), rel=1e-14)
    found = lossctl.evaluate(
        ["mae", "mse"], prediction, target, nan="skip", by={"g": group}, worst=2, per_sample=True
    )
    np.testing.assert_array_equal(found.losses[0].per_sample, prediction)
    top = np.flatnonzero(left)[-2:][::-1].tolist()
    assert [item.sample for item in found.losses[0].worst or ()] == top
    np.save(tmp_path / "p.npy", prediction)
    np.save(tmp_path / "t.npy", target)
    files = (str(tmp_path / name) for name in ("p.npy", "t.npy"))
    out = tmp_path / "o.npy"
    assert cli.run(["eval", *files, "-l", "mae", "--nan", "skip", "-q", "-o", str(out)]) == 0
    np.testing.assert_array_equal(np.load(out), prediction)


# Traits are claims ----------------------------------------------------------------------------


def _with_trait(trait: str) -> Any:
    claimed = [item for item in PAIRED if trait in item.traits]
    return pytest.mark.parametrize("loss", claimed, ids=lambda item: item.name)


def _mixed(loss: Loss, data: Any) -> dict[str, Any]:
    """The example's rows, those of each input in an order of its own."""
    inputs = example(loss)
    size = len(next(iter(inputs.values())))
    draw = st.lists(st.integers(0, size - 1), min_size=4, max_size=4)
    return {name: array[data.draw(draw)] for name, array in inputs.items()}


@settings(deadline=None, max_examples=15)
@given(data=st.data())
@_with_trait("nonnegative")
def test_what_claims_it_is_never_below_zero(loss: Loss, data: Any) -> None:
    try:
        found = value(loss, _mixed(loss, data), nan="propagate")
    except lossctl.DataError:  # rows that do not go together
        return
    assert not found < -1e-12


@_with_trait("zero")
def test_what_claims_it_is_zero_for_equals(loss: Loss) -> None:
    inputs = example(loss)
    ours, theirs = _pair(loss)
    wanted = inputs[theirs]
    if wanted.ndim < inputs[ours].ndim:  # class ids: all on the class
        wanted = np.eye(inputs[ours].shape[-1])[wanted]
    inputs[ours] = wanted.astype(complex if wanted.dtype.kind == "c" else float)
    assert value(loss, inputs) == pytest.approx(0, abs=1e-12)


@_with_trait("symmetric")
def test_what_claims_it_may_be_exchanged(loss: Loss) -> None:
    inputs = example(loss)
    ours, theirs = _pair(loss)
    straight = value(loss, inputs)
    inputs[ours], inputs[theirs] = inputs[theirs].astype(float), inputs[ours].astype(float)
    assert value(loss, inputs) == pytest.approx(straight, rel=1e-12)


def _pair(loss: Loss) -> tuple[str, str]:
    """The two inputs that a loss compares."""
    names = [item.name for item in loss.inputs]
    return ("prediction", "target") if "target" in names[:2] else (names[0], names[1])
