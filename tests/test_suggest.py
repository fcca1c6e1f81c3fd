"""Which losses are named for which arrays; and that each command that is printed works."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

import lossctl
from lossctl import cli
from lossctl.suggest import suggest

ROOT = Path(__file__).parent.parent
RNG = np.random.default_rng(7)
N = 40


def softmax(array: Any) -> Any:
    odds = np.exp(array - array.max(axis=-1, keepdims=True))
    return odds / odds.sum(axis=-1, keepdims=True)


IDS = RNG.integers(0, 3, N)
SCORES = RNG.standard_normal((N, 3)) * 3
YES = (RNG.random(N) < 0.4).astype(int)
RARE = (np.arange(N) == 3).astype(int)
MASK = (RNG.random((N, 4, 5)) < 0.3).astype(np.uint8)
CORNERS = RNG.random((N, 2))
BOXES = np.concatenate([CORNERS, CORNERS + 1 + RNG.random((N, 2))], axis=1)
READINGS: dict[str, tuple[Any, Any, str, list[str]]] = {
    "yes/no": (RNG.random(N), YES, "probabilities of yes/no", ["bce", "brier", "zero_one"]),
    "rare": (RNG.random(N), RARE, "probabilities of yes/no", ["binary_focal", "weighted_bce:beta=39"]),
    "logits": (RNG.standard_normal(N) * 3, YES, "scores (logits) of yes/no", ["bce:from_logits=true"]),
    "signs": (RNG.standard_normal(N), 2 * YES - 1, "classes −1 and 1", ["hinge", "logistic"]),
    "labels": (RNG.random((N, 4)), (RNG.random((N, 4)) < 0.5) * 1, "several labels", ["bce", "hamming"]),
    "classes": (softmax(SCORES), IDS, "probabilities of classes", ["cross_entropy", "top_k_error"]),
    "class logits": (SCORES, IDS, "logits", ["cross_entropy:from_logits=true"]),
    "logs": (np.log(softmax(SCORES)), IDS, "log-probabilities", ["nll"]),
    "one-hot": (softmax(SCORES), np.eye(3)[IDS], "one-hot", ["cross_entropy", "brier"]),
    "soft": (softmax(SCORES), softmax(-SCORES), "distributions", ["kl_divergence", "wasserstein"]),
    "masks": (RNG.random((N, 4, 5)), MASK, "masks of probabilities", ["dice", "jaccard"]),
    "mask scores": (RNG.standard_normal((N, 4, 5)), MASK, "masks of scores", ["dice:from_logits=true"]),
    "maps": (np.moveaxis(softmax(RNG.standard_normal((N, 4, 5, 3))), -1, 1), MASK, "probabilities of classes", ["dice", "lovasz_softmax"]),
    "counts": (RNG.random(N) * 5 + 0.1, RNG.integers(0, 9, N), "counts", ["poisson"]),
    "numbers": (RNG.standard_normal(N), RNG.standard_normal(N), "numbers", ["rmse", "log_cosh"]),
    "members": (RNG.standard_normal((N, 5)), RNG.standard_normal(N), "members or quantiles", ["crps_ensemble"]),
    "boxes": (BOXES, BOXES + 0.1, "boxes", ["giou"]),
    "embeddings": (RNG.standard_normal((N, 32)), RNG.standard_normal((N, 32)), "embeddings", ["cosine_distance"]),
    "images": (RNG.random((N, 16, 16)), RNG.random((N, 16, 16)), "images", ["ssim:data_range=1", "mae"]),
    "sequences": (RNG.standard_normal((N, 9, 5)), RNG.integers(1, 5, (N, 3)), "sequences", ["ctc:from_logits=true"]),
    "states": (np.stack([np.eye(2) / 2 + 0j] * N), np.stack([np.diag([0.25, 0.75])] * N), "density", ["infidelity"]),
}  # fmt: skip


@pytest.mark.parametrize("name", READINGS)
def test_what_fits(name: str) -> None:
    prediction, target, looks, specs = READINGS[name]
    found = suggest(prediction, target)
    first = found.kinds[0]
    assert looks in first.looks
    named = [item.spec for item in first.suggestions]
    assert set(specs) <= set(named), named
    for kind in found.kinds:
        for item in kind.suggestions:
            value = (
                lossctl.evaluate(item.spec, prediction=prediction, target=target).losses[0].value
            )
            assert item.value == value
            assert item.why


def test_rows_with_nan_are_not_judged() -> None:
    prediction = np.where(YES == 1, np.nan, 0.5)
    found = suggest(prediction, YES)
    assert found.rows == N - YES.sum()
    assert found.facts == {"prediction": "numbers from 0.5 to 0.5", "target": "only 0"}


@pytest.mark.parametrize(
    ("prediction", "target"),
    [(np.zeros((5, 2, 3)), np.zeros(5)), (np.full(5, np.nan), np.zeros(5))],
)
def test_nothing_fits(prediction: Any, target: Any) -> None:
    with pytest.raises(lossctl.UsageError, match=r"no loss of a prediction .* fits"):
        suggest(prediction, target)


SAMPLES = [
    "sample_data/diabetes_ridge.csv",
    "sample_data/cancer_logistic.parquet --prediction log_odds --target label",
    "sample_data/digits_logits.npy sample_data/digits_probs.parquet::label",
    "sample_data/masks_prob.npy sample_data/masks_true.npy",
]


@pytest.mark.parametrize("words", SAMPLES)
def test_the_commands_that_are_printed_work(
    words: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert cli.run(["suggest", *shlex.split(words), "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    schema = json.loads((ROOT / "lossctl" / "schemas" / "suggest-1.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(found)
    assert cli.run(["suggest", *shlex.split(words)]) == 0
    page = capfd.readouterr().out
    for item in found["suggestions"]:
        assert item["command"] in page
        assert cli.run([*shlex.split(item["command"])[1:], "-q"]) == 0
        assert float(capfd.readouterr().out) == pytest.approx(item["value"], rel=1e-12)


def test_what_is_typed_is_in_the_commands(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "with space.txt"
    file.write_text("0.5;1\n0.25;0\n")
    words = [str(file), "--prediction", "0", "--target", "1"]
    words += ["--input-format", "csv", "--delimiter", ";", "--no-header"]
    assert cli.run(["suggest", *words, "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert cli.run(shlex.split(found["suggestions"][0]["command"])[1:]) == 0


def test_bad_input(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert cli.run(["suggest", str(tmp_path / "none.csv")]) == 2
    assert "none.csv" in capfd.readouterr().err
    assert cli.run(["suggest", "a.csv", "--target", "x", "--target", "y"]) == 2
    assert "--target is given twice" in capfd.readouterr().err
