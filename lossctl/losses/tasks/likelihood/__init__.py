"""Counts and likelihoods: predicted distributions against what was observed."""

from lossctl.losses.tasks.likelihood import counts, densities, scores  # isort: skip

__all__ = ["counts", "densities", "scores"]
