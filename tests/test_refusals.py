"""What the losses, the plan and the alignment refuse, from Python: every message once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

import lossctl
from lossctl import cli
from lossctl.losses.definition import REGISTRY, loss

HALF = [[0.5, 0.5], [0.25, 0.75]]
EYE = np.eye(2)[None] / 2
IMAGES = np.arange(16.0).reshape(2, 2, 2, 2) / 16
LOGS = np.log(np.full((1, 3, 2), 0.5))

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("mae,rmse", {"prediction": [1.0], "target": [1.0]}, "give each loss by itself: -l mse -l mae"),
    ("0.5*bce-0.5*hamming", {"prediction": [0.5], "target": [1]}, "terms are joined by \\+"),
    ("max_error", {"prediction": [1.0, 2.0], "target": [1.0, 3.0], "bootstrap": 200}, "--bootstrap has no interval to make"),
    ("supcon", {"prediction": HALF, "target": [0, 0], "cluster": [1, 2]}, "--cluster has no interval to make"),
    ("bce:clip=[0.1,0.1,0.1]", {"prediction": [0.5], "target": [1]}, "list of two"),
    ("cross_entropy", {"prediction": HALF, "target": np.zeros((2, 3))}, "do not fit"),
    ("cross_entropy:axis=2", {"prediction": IMAGES[:, :, :, 0], "target": [[0, 1], [1, 0]]}, "say|may|sum"),
    ("cross_entropy:axis=5", {"prediction": HALF, "target": [0, 1]}, "no class axis 5"),
    ("cross_entropy:from_logits=true", {"prediction": IMAGES, "target": np.zeros((2, 2, 2))}, "may have its classes on axis"),
    ("cross_entropy:class_weights=[1,2,3]", {"prediction": HALF, "target": [0, 1]}, "has 2 classes, but class_weights has 3"),
    ("cross_entropy", {"prediction": HALF, "target": [[1.5, -0.5], [0, 1]]}, "below 0"),
    ("cross_entropy", {"prediction": HALF, "target": [0, 2]}, "subtract 1"),
    ("categorical_crossentropy", {"prediction": HALF, "target": [0, 1]}, "takes one-hot or soft targets"),
    ("sparse_categorical_crossentropy", {"prediction": HALF, "target": HALF}, "takes class ids"),
    ("bce:pos_weight=[1,2]", {"prediction": [0.5], "target": [1]}, "one for each pos_weight"),
    ("kl_divergence:log_prediction=true", {"prediction": HALF, "target": HALF}, "exponentials sum to"),
    ("wasserstein:positions=[0,1,2]", {"prediction": HALF, "target": HALF}, "has 2 bins, but positions has 3"),
    ("wasserstein:positions=[1,0]", {"prediction": HALF, "target": HALF}, "positions must ascend"),
    ("total_variation", {"prediction": IMAGES}, "channels=first"),
    ("gaussian_nll:variance=-1", {"prediction": [1.0], "target": [1.0]}, "variance"),
    ("dice:ignore_index=1,axis=1", {"prediction": IMAGES, "target": IMAGES.round()}, "is no class"),
    ("lovasz_softmax", {"prediction": IMAGES[:, :1], "target": np.zeros((2, 2, 2))}, "lovasz_hinge"),
    ("ctc:blank=7", {"prediction": LOGS, "target": [[1]]}, "give blank= from 0 to 1"),
    ("ctc", {"prediction": np.exp(LOGS), "target": [[1]]}, "of probabilities give the logarithm"),
    ("ctc", {"prediction": LOGS - 1, "target": [[1]]}, "do not sum to 1"),
    ("ctc", {"prediction": LOGS, "target": [[0.5]]}, "not a whole number"),
    ("pinball", {"prediction": np.ones((2, 3)), "target": [1.0, 2]}, "3 of them"),
    ("pinball:alpha=[0.1,0.9]", {"prediction": np.ones((2, 3)), "target": [1.0, 2]}, "one column for each alpha"),
    ("wasserstein_critic:sign=0", {"real": [1.0], "fake": [1.0]}, "sign must be one of 1, -1, not 0"),
    ("mse", {"prediction": [1 + 2j], "target": [1.0]}, "holds complex numbers"),
    ("mse", {"prediction": [[1.0], [2.0, 3.0]], "target": [1.0, 2]}, "is no array"),
    ("mse", {"prediction": np.ones((2, 0)), "target": np.ones((2, 0))}, "rows of no elements"),
    ("mse", {"prediction": [1.0], "target": [1.0], "reduction": "men"}, "did you mean mean"),
    ("mse", {"prediction": [1.0], "target": [1.0], "worst": 1.5}, "no whole number"),
    ("mse", {"prediction": [1.0], "target": [1.0], "threads": 0}, "--threads: 0 is below 1"),
    ("mse", {"prediction": [1.0], "target": [1.0], "on": "id"}, "there is only one|no column"),
    ("gan_discriminator", {"real": [0.5], "fake": [0.5], "on": "id"}, "nothing to join"),
    ("gan_discriminator", {"real": [0.5], "fake": [0.5], "weight": [1]}, "--weight"),
    ("gan_discriminator", {"real": [0.5], "fake": [0.5], "nan": "skip"}, "no sample to skip"),
    ("gan_discriminator", {"real": [0.5], "fake": [0.5], "reduction": "sum"}, "has no sum"),
    ("lovasz_softmax:per_image=false", {"prediction": HALF, "target": [0, 5], "weight": [1, 2]}, "--weight"),
    ("lovasz_hinge:per_image=false", {"prediction": [[1.0, 2.0]], "target": [[0, 5]]}, "neither 0 nor 1"),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "arguments", "part"), REFUSED)
def test_refused(spec: str, arguments: dict[str, Any], part: str) -> None:
    with pytest.raises(lossctl.LossctlError, match=part) as caught:
        lossctl.evaluate(spec, **arguments)
    assert 1 <= len(str(caught.value).splitlines()) <= 2


def test_unpaired_losses_are_evaluated_by_themselves() -> None:
    with pytest.raises(lossctl.UsageError, match="by itself"):
        lossctl.evaluate(["gan_discriminator", "mse"], [1.0], [1.0], real=[0.5, 0.1], fake=[0.5])


def test_a_name_is_given_once() -> None:
    facts = REGISTRY["mse"]
    with pytest.raises(
        lossctl.SpecError, match="the name 'mse' is already taken by mse of lossctl"
    ):
        loss(
            name="mse", task="regression", summary="", formula="", use="", reference="",
            example=facts.example,
        )(facts.kernel)  # fmt: skip


def test_tables_that_do_not_join(tmp_path: Path) -> None:
    keys: Any = [1.0, None, 3.0]
    pd.DataFrame({"id": keys, "y_true": [1, 2, 3]}).to_csv(tmp_path / "t.csv", index=False)
    pd.DataFrame({"id": [1, 2, 3], "y_pred": [1, 2, 3]}).to_csv(tmp_path / "p.csv", index=False)
    files = {"prediction": tmp_path / "p.csv", "target": tmp_path / "t.csv"}
    with pytest.raises(lossctl.DataError, match="the key id is null in 1 row"):
        lossctl.evaluate("mse", on="id", **files)
    with pytest.raises(lossctl.UsageError, match="the key must be one column"):
        lossctl.evaluate("mse", on="*", **files)


def test_lengths_that_show_only_at_the_end(tmp_path: Path) -> None:
    for name, rows in (("p", 70_000), ("t", 140_000)):
        text = "".join(f"{i}\n" for i in range(rows))
        (tmp_path / f"{name}.csv").write_text(f"{name}\n{text}")
    with pytest.raises(lossctl.DataError) as caught:
        lossctl.evaluate("mse", tmp_path / "p.csv", tmp_path / "t.csv")
    for part in ("70,000 rows", "140,000 rows", "p.csv", "t.csv"):
        assert part in str(caught.value)


def test_lists_side_by_side(tmp_path: Path) -> None:
    table = pa.table({"a": [[1.0, 2.0]], "b": [[1.0, 2.0, 3.0]], "y_true": [1.0]})
    parquet.write_table(table, tmp_path / "d.parquet")
    with pytest.raises(lossctl.DataError, match="length"):
        lossctl.evaluate(
            "mse", f"{tmp_path / 'd.parquet'}::a,b", f"{tmp_path / 'd.parquet'}::y_true"
        )


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["evl"], "did you mean eval?"),
        (["nothing"], "commands: eval, "),
        (["eval", "p.csv::a", "--prediction", "b", "-l", "mse"], "name them once"),
        (["eval", "x.npz", "-l", "gan_discriminator", "-o", "o.csv"], "leave out -o"),
        (["eval", "x.csv", "--by", "a,b", "-l", "mse"], "x.csv"),
    ],
)
def test_words_that_are_refused(
    arguments: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(arguments) == 2
    caught = capsys.readouterr()
    assert caught.out == ""
    assert part in caught.err
