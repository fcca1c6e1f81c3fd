"""The Python interface."""

from __future__ import annotations

import inspect
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import lossctl

P = np.array([2.5, 0.0, 2.0, 8.0])
T = np.array([3.0, -0.5, 2.0, 7.0])


def test_one_loss_or_several() -> None:
    one = lossctl.evaluate("mse", prediction=P, target=T)
    several = lossctl.evaluate(["mse", "mae"], prediction=P, target=T)
    assert one.losses[0].value == several.losses[0].value == 0.375
    assert [item.loss for item in several.losses] == ["mse", "mae"]


@pytest.mark.parametrize(
    "make",
    [list, tuple, np.array, pd.Series, lambda x: pd.Series(x, index=[9, 8, 7, 6]), np.float32],
)
def test_anything_like_an_array_is_taken(make: Any) -> None:
    found = lossctl.evaluate("mse", prediction=make(P), target=make(T))
    assert found.losses[0].value == 0.375


def test_a_data_frame_holds_both(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": list("abcd"), "y_pred": P, "y_true": T, "w": [1, 1, 1, 0]})
    found = lossctl.evaluate("mse", prediction=frame, weight="w", by="id")
    assert found.losses[0].value == pytest.approx(0.5 / 3)
    assert len(found.losses[0].groups or ()) == 4
    frame.to_csv(tmp_path / "d.csv", index=False)
    assert lossctl.evaluate("mse", prediction=tmp_path / "d.csv").losses[0].value == 0.375
    mixed = lossctl.evaluate("mse", prediction=P, target=f"{tmp_path / 'd.csv'}::y_true")
    assert mixed.losses[0].value == 0.375


def test_parameters_are_keywords() -> None:
    found = lossctl.evaluate("huber", prediction=P, target=T, delta=0.5)
    assert found.losses[0].spec == "huber:delta=0.5"
    assert (
        found.losses[0].value
        == lossctl.evaluate("huber:delta=0.5", prediction=P, target=T).losses[0].value
    )
    levels = lossctl.evaluate("pinball", prediction=np.c_[P, P], target=T, alpha=[0.1, 0.9])
    assert levels.losses[0].spec == "pinball:alpha=[0.1,0.9]"
    constant = lossctl.evaluate("gaussian_nll", prediction=P, target=T, variance=2.0)
    array = lossctl.evaluate("gaussian_nll", prediction=P, target=T, variance=np.full(4, 2.0))
    assert constant.losses[0].value == pytest.approx(array.losses[0].value, rel=1e-15)


def test_a_loss_is_a_function_of_arrays() -> None:
    found = lossctl.losses.get("huber")(prediction=P, target=T, delta=0.5)
    error = np.abs(P - T)
    assert found == pytest.approx(np.where(error <= 0.5, error**2 / 2, 0.5 * (error - 0.25)))


def test_inputs_are_not_changed() -> None:
    before = P.copy(), T.copy()
    frozen = P.copy()
    frozen.flags.writeable = False
    lossctl.evaluate(["mse", "rmse", "log_cosh"], prediction=frozen, target=T, nan="skip")
    assert (before[1] == T).all()


def test_the_report_as_a_table() -> None:
    report = lossctl.evaluate(["mse", "rmse"], prediction=P, target=T, by={"g": [1, 1, 2, 2]})
    frame = report.to_pandas()
    assert list(frame["loss"]) == ["mse", "mse", "rmse", "rmse"]
    assert list(frame["g"]) == [1, 2, 1, 2]
    assert list(frame["value"]) == pytest.approx([0.25, 0.5, 0.5, math.sqrt(0.5)])


def test_errors_are_of_their_kind_and_say_what_the_command_says() -> None:
    with pytest.raises(lossctl.SpecError, match="there is no loss 'mze'"):
        lossctl.evaluate("mze", prediction=P, target=T)
    with pytest.raises(lossctl.DataError, match="differ in length"):
        lossctl.evaluate("mse", prediction=P, target=T[:3])
    with pytest.raises(lossctl.DataError, match="no numbers"):
        lossctl.evaluate("mse", prediction=np.array(list("abcd")), target=T)
    with pytest.raises(lossctl.DataError, match="single number"):
        lossctl.evaluate("mse", prediction=1.0, target=2.0)
    with pytest.raises(lossctl.DataError, match="holds no rows"):
        lossctl.evaluate("mse", prediction=[], target=[])
    with pytest.raises(lossctl.UsageError, match="target is not given"):
        lossctl.evaluate("mse", prediction=P)
    for error in (lossctl.SpecError, lossctl.DataError, lossctl.UsageError):
        assert issubclass(error, lossctl.LossctlError)


def test_nothing_broadcasts() -> None:
    with pytest.raises(lossctl.DataError, match=r"mse takes"):
        lossctl.evaluate("mse", prediction=np.ones((4, 3)), target=T)
    column = lossctl.evaluate("mse", prediction=P[:, None], target=T)
    assert column.losses[0].value == 0.375
    assert column.notes == ("prediction: trailing axes of length 1 were squeezed",)


def test_a_signature_tells_data_apart() -> None:
    def signature(p: Any, t: Any = T, **options: Any) -> str:
        return lossctl.evaluate("mse", prediction=p, target=t, **options).signature

    assert signature(P) == signature(list(P)) == signature(P, threads=1)
    assert signature(P.astype(np.float32)) == signature(P)
    others = [signature(P[::-1]), signature(P, T + 1e-9), signature(T, P)]
    others += [signature(P, reduction="sum"), signature(P, nan="skip")]
    assert len({signature(P), *others}) == 6


def test_integers_do_not_wrap() -> None:
    found = lossctl.evaluate("mae", prediction=np.uint8([5]), target=np.uint8([7]))
    assert found.losses[0].value == 2.0


def test_float16_does_not_overflow() -> None:
    found = lossctl.evaluate("mse", prediction=np.float16([60000]), target=np.float16([-60000]))
    assert found.losses[0].value == pytest.approx(float(np.float16(60000)) ** 2 * 4, rel=1e-6)


def test_public_functions_say_what_they_take() -> None:
    for item in (lossctl.evaluate, lossctl.Report, lossctl.losses.get, lossctl.losses.resolve):
        assert inspect.getdoc(item)
    with pytest.raises(AttributeError, match="no attribute"):
        lossctl.nothing  # noqa: B018
