"""scikit-learn's metrics, on arrays of NumPy or columns of pandas."""

import json
import sys

import numpy as np
from sklearn import metrics


def read(files):
    if files[0].endswith(".npy"):
        return [np.load(file, mmap_mode="r") for file in files]
    import pandas as pd

    if files[0].endswith(".parquet"):
        table = pd.read_parquet(files[0])
    elif files[0].endswith(".feather"):
        table = pd.read_feather(files[0])
    else:
        table = pd.read_csv(sys.stdin.buffer if files[0] == "-" else files[0], engine="pyarrow")
    return [table[name] for name in table]


def mse(*files):
    p, t = read(files)
    return metrics.mean_squared_error(t, p)


def bce(*files):
    p, t = read(files)
    return metrics.log_loss(t, p)


def cross_entropy(*files):
    from scipy.special import softmax
    from with_numpy import read as arrays  # pandas makes an object of each list

    z, y = arrays(files)
    return metrics.log_loss(y, softmax(z, axis=1), labels=np.arange(z.shape[1]))


if __name__ == "__main__":
    task, *given = sys.argv[1:]
    print(json.dumps([float(globals()[task](*given))]))
