"""Contrastive batches: each row of a batch is an anchor, judged against all the others."""

from lossctl.losses.tasks.contrastive import tuples, pairs, redundancy  # isort: skip

__all__ = ["pairs", "redundancy", "tuples"]
