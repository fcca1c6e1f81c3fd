"""Preferences: what a model gives the chosen answer over the rejected one."""

from __future__ import annotations
