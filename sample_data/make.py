"""Make the files beside this script: predictions of real models on real data.

    pip install "numpy==2.4.6" "pandas==3.1.1" "pyarrow==26.0.1" "scikit-learn==1.9.1" "tifffile==2026.3.3"
    pip install "torch==2.13.0"  # the CPU build is enough
    pip install --no-deps "stardist==0.9.2"
    python sample_data/make.py [FOLDER]

Those are the versions that made the committed files (Python 3.11). FOLDER is where the files go, by default beside
this script; name another to compare a fresh run with what is committed. Nothing is downloaded: the data are those that
scikit-learn and stardist carry in their wheels. stardist is never imported, only the picture inside it is read, hence
``--no-deps``. It takes less than a minute on one core. README.md describes the files.

Three rules hold for all of them:

- No model has seen the rows it predicts: they are held out, or predicted out of fold.
- One seed, and torch on one thread. Parallel sums round in an order of their own, and training amplifies the difference.
- What a model gives out is rounded before anything is derived from it, so that probabilities and logits in one file
  say the same, and a last bit that differs on another machine has less chance to reach the file.
"""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tifffile
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.ensemble import GradientBoostingClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.nn import functional as F

Array = NDArray[Any]

SEED = 0
DIGIT_SIDE = 8  # pixels; scikit-learn's digits are 8 by 8
BLANK = 0  # the CTC class that means "no symbol", so digit d is class d + 1
MAX_DIGITS = 5  # the longest sequence for CTC
TILE = (32, 64)  # height and width; unlike, so that swapped axes cannot go unnoticed


# -- The three data sets that come as tables ---------------------------------------------------------------------------


def diabetes(folder: Path) -> None:
    """Two regressors on the same rows, and one of them again as two tables that only a key can bring together."""
    data = load_diabetes(scaled=False)
    names = list(data.feature_names)
    age, sex = data.data[:, names.index("age")], data.data[:, names.index("sex")]
    frame = pd.DataFrame(
        {
            "id": [f"P{row:03d}" for row in range(1, len(age) + 1)],
            "age_band": pd.cut(
                age, [0, 40, 60, 100], right=False, labels=["19-39", "40-59", "60-79"]
            ).astype(str),
            "sex": sex.astype(int),
            "y_true": data.target.astype(int),
        }
    )
    folds = KFold(10, shuffle=True, random_state=SEED)
    models = {
        "ridge": make_pipeline(StandardScaler(), Ridge(alpha=10.0)),
        "forest": RandomForestRegressor(200, min_samples_leaf=5, random_state=SEED, n_jobs=1),
    }
    predicted = {
        name: np.round(cross_val_predict(model, data.data, data.target, cv=folds), 3)
        for name, model in models.items()
    }
    for name, values in predicted.items():
        write_csv(frame.assign(y_pred=values), folder / f"diabetes_{name}.csv")

    # The pair repeats the ridge predictions: joined by id it must give the loss of diabetes_ridge.csv, and taken row by
    # row, which is the mistake that a key prevents, it gives a much larger one.
    order = np.random.default_rng(SEED).permutation(len(frame))
    pair = frame[["id"]].assign(y_pred=predicted["ridge"])
    pair.to_parquet(folder / "diabetes_pred.parquet", index=False)
    write_csv(frame[["id", "y_true"]].iloc[order], folder / "diabetes_target.csv")


def cancer(folder: Path) -> None:
    """Two binary classifiers, each with the probability of malignancy and its log odds.

    The log odds are not called ``logit``: that is a usual name for a prediction, as ``prob`` is, and a file with two of
    them would leave open which one is meant.
    """
    data = load_breast_cancer()
    label = (
        1 - data.target
    )  # scikit-learn has 1 for benign; here 1 is the finding that one tests for
    radius = data.data[:, list(data.feature_names).index("mean radius")]
    size = pd.qcut(radius, 3, labels=["small", "medium", "large"]).astype(str)
    folds = StratifiedKFold(10, shuffle=True, random_state=SEED)
    models = {
        "logistic": make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=1000)),
        "boosting": GradientBoostingClassifier(n_estimators=100, max_depth=2, random_state=SEED),
    }
    for name, model in models.items():
        scores = cross_val_predict(model, data.data, label, cv=folds, method="decision_function")
        log_odds = np.round(scores, 6)
        frame = pd.DataFrame(
            {
                "id": np.arange(1, len(label) + 1),
                "size": size,
                "prob": 1.0 / (1.0 + np.exp(-log_odds)),
                "log_odds": log_odds,
                "label": label,
            }
        )
        frame.to_parquet(folder / f"cancer_{name}.parquet", index=False)


def digits(folder: Path) -> None:
    """A ten-class network's logits, and the same as probabilities beside the label."""
    images, held_out, labels, held_out_labels = split_digits()
    model = nn.Sequential(nn.Linear(DIGIT_SIDE**2, 32), nn.ReLU(), nn.Linear(32, 10))
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(60):  # whole-set steps; stopped while it still makes honest mistakes
        step(optimiser, F.cross_entropy(model(images.flatten(1)), labels))
    logits = output(model(held_out.flatten(1)), decimals=4)

    probabilities = torch.from_numpy(logits).double().softmax(dim=1).numpy()
    frame = pd.DataFrame(probabilities, columns=[f"p_{digit}" for digit in range(10)])
    frame.assign(label=held_out_labels.numpy()).to_parquet(
        folder / "digits_probs.parquet", index=False
    )
    np.save(folder / "digits_logits.npy", logits)
    np.save(folder / "digits_labels.npy", held_out_labels.numpy())


# -- Masks, embeddings and sequences -----------------------------------------------------------------------------------


def masks(folder: Path) -> None:
    """Nuclei in a fluorescence micrograph: the left half trains a small convolutional net, the right half is tiled.

    A tile without a nucleus stays in: its mask is empty, which is where definitions of the overlap losses differ.
    """
    picture, truth = nuclei()
    half = picture.shape[-1] // 2
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, padding=2, dilation=2),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, padding=4, dilation=4),
        nn.ReLU(),
        nn.Conv2d(8, 1, 1),
    )
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(120):
        step(
            optimiser,
            F.binary_cross_entropy_with_logits(model(picture[..., :half]), truth[..., :half]),
        )
    logits = output(model(picture[..., half:]), decimals=3)
    np.save(folder / "masks_prob.npy", tiles(torch.from_numpy(logits).sigmoid().numpy()))
    np.save(folder / "masks_true.npy", tiles(truth[..., half:].numpy().astype(np.uint8)))


def triplets(folder: Path) -> None:
    """Embeddings on the unit sphere: two images of one digit and one image of another, 300 times."""
    images, held_out, labels, held_out_labels = split_digits()
    model = nn.Sequential(nn.Linear(DIGIT_SIDE**2, 64), nn.ReLU(), nn.Linear(64, 16))
    optimiser = torch.optim.Adam(model.parameters(), lr=0.003)
    rng = np.random.default_rng(SEED)
    for _ in range(60):
        embedded = F.normalize(model(images.flatten(1)))
        anchor, positive, negative = draw_triplets(labels.numpy(), 256, rng)
        loss = F.triplet_margin_loss(
            embedded[anchor], embedded[positive], embedded[negative], margin=0.5
        )
        step(optimiser, loss)
    rounded = torch.from_numpy(output(model(held_out.flatten(1)), decimals=4))
    vectors = F.normalize(rounded).numpy()
    anchor, positive, negative = draw_triplets(held_out_labels.numpy(), 300, rng)
    np.savez(
        folder / "digits_triplets.npz",
        anchor=vectors[anchor],
        positive=vectors[positive],
        negative=vectors[negative],
        label=held_out_labels.numpy()[anchor],
    )


def ctc(folder: Path) -> None:
    """A reader of digit strings: a convolutional net along the columns of the picture, trained with CTC."""
    images, held_out, labels, held_out_labels = split_digits()
    rng = np.random.default_rng(SEED)
    model = nn.Sequential(
        nn.Conv1d(DIGIT_SIDE, 32, 9, padding=4),
        nn.ReLU(),
        nn.Conv1d(32, 32, 5, padding=2),
        nn.ReLU(),
        nn.Conv1d(32, 11, 1),
    )
    optimiser = torch.optim.Adam(model.parameters(), lr=0.005)
    for _ in range(400):  # most strips are read right by then, not all
        strips, target, strip_lengths, target_lengths = draw_strips(images, labels, 64, rng)
        log_probs = model(strips).log_softmax(dim=1).permute(2, 0, 1)
        step(optimiser, F.ctc_loss(log_probs, target, strip_lengths, target_lengths, blank=BLANK))
    strips, target, strip_lengths, target_lengths = draw_strips(held_out, held_out_labels, 50, rng)
    logits = torch.from_numpy(output(model(strips), decimals=4))
    np.savez(
        folder / "digits_ctc.npz",
        prediction=logits.log_softmax(dim=1).permute(0, 2, 1).contiguous().numpy(),
        target=target.numpy(),
        prediction_lengths=strip_lengths.numpy(),
        target_lengths=target_lengths.numpy(),
    )


# -- What they share ---------------------------------------------------------------------------------------------------


def split_digits() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Images (N, 8, 8) in [0, 1] to train on and held out, then their labels; the same halves for every model."""
    data = load_digits()
    images = (data.images / 16.0).astype(np.float32)
    train, held_out, labels, held_out_labels = train_test_split(
        images, data.target, test_size=0.5, stratify=data.target, random_state=SEED
    )
    return (
        torch.from_numpy(train),
        torch.from_numpy(held_out),
        torch.from_numpy(labels.astype(np.int64)),
        torch.from_numpy(held_out_labels.astype(np.int64)),
    )


def nuclei() -> tuple[torch.Tensor, torch.Tensor]:
    """A micrograph and its hand-annotated mask, both (1, 1, 512, 512), out of stardist's wheel without importing it."""
    package = importlib.util.find_spec("stardist")
    if package is None or not package.submodule_search_locations:
        raise SystemExit(
            "make.py needs the picture inside stardist: pip install --no-deps stardist==0.9.2"
        )
    pictures = Path(package.submodule_search_locations[0]) / "data" / "images"
    # Dividing cells are several times as bright as their neighbours: the logarithm lets one small net see both.
    picture = np.log1p(tifffile.imread(pictures / "img2d.tif").astype(np.float32))
    picture = (picture - picture.mean()) / picture.std()
    truth = (tifffile.imread(pictures / "mask2d.tif") > 0).astype(
        np.float32
    )  # nuclei are numbered from 1
    return torch.from_numpy(picture)[None, None], torch.from_numpy(truth)[None, None]


def tiles(picture: Array) -> Array:
    """Cut (1, 1, H, W) into tiles (N, *TILE), row by row."""
    height, width = TILE
    rows, columns = picture.shape[-2] // height, picture.shape[-1] // width
    cut = picture.reshape(rows, height, columns, width).swapaxes(1, 2)
    return np.ascontiguousarray(cut.reshape(rows * columns, height, width))


def draw_triplets(
    labels: Array, count: int, rng: np.random.Generator
) -> tuple[Array, Array, Array]:
    """Positions of anchors, of other images of the same digit, and of images of another digit."""
    anchor = rng.integers(len(labels), size=count)
    positive, negative = np.empty_like(anchor), np.empty_like(anchor)
    for row, position in enumerate(anchor):
        same = labels == labels[position]
        negative[row] = rng.choice(np.flatnonzero(~same))
        same[position] = False
        positive[row] = rng.choice(np.flatnonzero(same))
    return anchor, positive, negative


def draw_strips(
    images: torch.Tensor, labels: torch.Tensor, count: int, rng: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Three to five digits side by side, columns as time: strips (N, 8, T), targets (N, S), and the lengths of both.

    Strips are padded with empty columns and targets with the blank, which is no symbol; the lengths say where they end.
    """
    strips = torch.zeros(count, DIGIT_SIDE, MAX_DIGITS * DIGIT_SIDE)
    target = torch.full((count, MAX_DIGITS), BLANK)
    target_lengths = torch.from_numpy(rng.integers(3, MAX_DIGITS + 1, size=count))
    for row, length in enumerate(target_lengths.tolist()):
        chosen = torch.from_numpy(rng.integers(len(labels), size=length))
        strips[row, :, : length * DIGIT_SIDE] = torch.cat(list(images[chosen]), dim=1)
        target[row, :length] = labels[chosen] + 1
    return strips, target, target_lengths * DIGIT_SIDE, target_lengths


def step(optimiser: torch.optim.Optimizer, loss: torch.Tensor) -> None:
    """One step of training."""
    optimiser.zero_grad()
    torch.autograd.backward(loss)
    optimiser.step()


def output(raw: torch.Tensor, decimals: int) -> Array:
    """What a network gives out, as a rounded array."""
    return raw.detach().round(decimals=decimals).numpy()


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """CSV with the same bytes on every system."""
    frame.to_csv(path, index=False, lineterminator="\n")


def main(folder: Path) -> None:
    """Make every file; each maker starts from the seed, so none depends on those before it."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    folder.mkdir(parents=True, exist_ok=True)
    for maker in (diabetes, cancer, digits, masks, triplets, ctc):
        torch.manual_seed(SEED)
        maker(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
