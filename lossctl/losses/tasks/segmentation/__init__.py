"""Segmentation: masks of probabilities against masks, or against class ids."""

from lossctl.losses.tasks.segmentation import compound, distance, generalized, lovasz, overlap

__all__ = ["compound", "distance", "generalized", "lovasz", "overlap"]
