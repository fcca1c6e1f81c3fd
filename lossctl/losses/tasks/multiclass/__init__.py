"""Multi-class classification: one of C classes, as class ids or as distributions."""

from lossctl.losses.tasks.multiclass import entropy, focal, margin, ordinal, robust

__all__ = ["entropy", "focal", "margin", "ordinal", "robust"]
