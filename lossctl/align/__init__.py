"""Inputs side by side: which columns they are, and the rows that belong together."""
