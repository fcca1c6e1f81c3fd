"""Survival: times to an event, of which some were not observed."""

from __future__ import annotations
