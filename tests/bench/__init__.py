"""How fast lossctl is, in how much memory, next to what else a user would run.

    python -m tests.bench                     prints the table
    python -m tests.bench --only 'mse.*npy'   of some cells
    python -m tests.bench --quick             once each, on little data
    python -m tests.bench --write             all cells, into results.json and the page on speed

The way: `data` makes the files, `cells` says which programs run on them, `measure` runs them,
`targets` judges and `table` shows. This process imports no NumPy: a child's peak memory counts
from that of its parent.
"""
