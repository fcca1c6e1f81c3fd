"""Regression: numbers against numbers."""

from lossctl.losses.tasks.regression import errors, robust, relative, deviance  # isort: skip

__all__ = ["deviance", "errors", "relative", "robust"]
