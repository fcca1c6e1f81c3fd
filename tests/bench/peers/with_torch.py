"""PyTorch's losses on the CPU, on mapped NPY files."""

import json
import sys

import numpy as np
import torch
import torch.nn.functional as F


def read(files):
    # copy on write, because torch takes no arrays that are read only
    return [torch.from_numpy(np.load(file, mmap_mode="c")) for file in files]


def mse(*files):
    p, t = read(files)
    return F.mse_loss(p, t)


def five(*files):
    p, t = read(files)
    d = p - t
    return [
        F.mse_loss(p, t),
        F.l1_loss(p, t),
        F.huber_loss(p, t),
        (torch.logaddexp(d, -d) - np.log(2)).mean(),
        torch.maximum(-0.9 * d, 0.1 * d).mean(),
    ]


def bce(*files):
    p, t = read(files)
    return F.binary_cross_entropy(p, t)


def cross_entropy(*files):
    z, y = read(files)
    return F.cross_entropy(z, y)


def dice(*files):
    p, t = read(files)
    both = (p * t).sum(dim=(1, 2))
    return (1 - 2 * both / (p.sum(dim=(1, 2)) + t.sum(dim=(1, 2)))).mean()


def kl(*files):
    p, t = read(files)
    return F.kl_div(p.log(), t, reduction="batchmean")


def triplet(*files):
    a, p, n = read(files)
    return F.triplet_margin_loss(a, p, n)


def ctc(*files):
    p, y = read(files)
    steps = torch.full((len(p),), p.shape[1])
    labels = torch.full((len(y),), y.shape[1])
    return F.ctc_loss(p.transpose(0, 1), y, steps, labels, reduction="none").mean()


def groups(*files):
    p, t, segment = read(files)
    return torch.bincount(segment, (p - t) ** 2) / torch.bincount(segment)


if __name__ == "__main__":
    task, *given = sys.argv[1:]
    with torch.inference_mode():
        found = globals()[task](*given)
    print(json.dumps(np.atleast_1d(found).tolist()))
