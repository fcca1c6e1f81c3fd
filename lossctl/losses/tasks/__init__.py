"""The losses themselves, one module a task."""
