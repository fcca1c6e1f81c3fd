"""Reference values: the cases, their inputs, and how the values are made."""
