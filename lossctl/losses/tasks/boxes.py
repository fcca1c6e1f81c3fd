"""Boxes: corners (x₁, y₁, x₂, y₂) of a predicted box against the true one."""

from __future__ import annotations
