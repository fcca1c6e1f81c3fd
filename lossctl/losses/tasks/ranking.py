"""Ranking: scores of lists of items against their relevance."""

from __future__ import annotations
