"""pandas: the whole table in memory."""

import json
import sys

import numpy as np
import pandas as pd

FIGURES = [0.05, 0.25, 0.5, 0.75, 0.95]


def read(file):
    if file.endswith(".parquet"):
        return pd.read_parquet(file)
    if file.endswith(".feather"):
        return pd.read_feather(file)
    return pd.read_csv(sys.stdin.buffer if file == "-" else file, engine="pyarrow")


def squares(table):
    return (table["y_pred"] - table["y_true"]) ** 2


def mse(file):
    return [squares(read(file)).mean()]


def five(file):
    table = read(file)
    d = table["y_pred"] - table["y_true"]
    a = d.abs()
    return [
        (d**2).mean(),
        a.mean(),
        np.where(a <= 1, 0.5 * d**2, a - 0.5).mean(),
        np.logaddexp(d, -d).mean() - np.log(2),
        np.maximum(-0.9 * d, 0.1 * d).mean(),
    ]


def bce(file):
    table = read(file)
    p, t = table["y_pred"], table["y_true"]
    return [-(t * np.log(p) + (1 - t) * np.log1p(-p)).mean()]


def per_sample(file, out):
    losses = squares(read(file))
    table = pd.DataFrame({"sample": losses.index, "mse": losses})
    table.to_parquet(out, compression="zstd")
    return [losses.mean()]


def groups(file):
    table = read(file)
    return squares(table).groupby(table["segment"]).mean().to_list()


def statistics(file):
    losses = squares(read(file))
    plain = [losses.mean(), losses.std(), losses.min(), losses.max()]
    return [*plain, *losses.quantile(FIGURES)]


if __name__ == "__main__":
    task, *given = sys.argv[1:]
    print(json.dumps([float(one) for one in globals()[task](*given)]))
