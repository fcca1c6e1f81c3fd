"""Binary classification: two classes, and one number for each."""

from lossctl.losses.tasks.binary import entropy, margin, decisions  # isort: skip

__all__ = ["decisions", "entropy", "margin"]
