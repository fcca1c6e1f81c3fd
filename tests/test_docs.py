"""The documentation's generated parts are what the commands print today."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs import GENERATED, ROOT


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: path.name)
def test_generated_text_is_not_stale(path: Path) -> None:
    stale = f"{path.relative_to(ROOT)} is stale: make docs"
    assert path.read_text(encoding="utf-8") == GENERATED[path](), stale
