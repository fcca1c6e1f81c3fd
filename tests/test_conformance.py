"""Every ``loss@library`` against the numbers of the library's own call.

``python -m tests.reference.freeze --conventions`` made ``reference/frozen/conventions/*.json``.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

import lossctl
from tests.reference.compare import FROZEN, agree, frozen, inputs_of
from tests.reference.inputs import digest

RECORDS = frozen(FROZEN / "conventions")


def labels() -> dict[tuple[str, str | None], list[str]]:
    """The labels of the records, by loss and convention."""
    found = defaultdict(list)
    for record in RECORDS:
        part = lossctl.losses.resolve(record["spec"]).parts[0][1]
        found[part.loss.name, part.convention].append(record["id"].removeprefix(record["spec"]))
    return found


def registered() -> set[tuple[str, str]]:
    return {(loss.name, name) for loss in lossctl.losses.all() for name in loss.conventions}


@pytest.mark.parametrize("record", RECORDS, ids=[record["id"] for record in RECORDS])
def test_convention(record: dict[str, Any]) -> None:
    inputs = inputs_of(record)
    assert digest(inputs) == record["digest"], "the inputs are not those that were frozen"
    samples = "per_sample" in record
    report = lossctl.evaluate(record["spec"], **inputs, per_sample=samples, **record["options"])
    loss = report.losses[0]
    agree(loss.value, record["value"], record["rtol"])
    if samples:
        agree(loss.per_sample, record["per_sample"], record["rtol"])


def test_every_convention_has_records() -> None:
    found = labels()
    few = {
        pair: found[pair]
        for pair in registered()
        if len(found[pair]) < 3 or not any("nasty" in label for label in found[pair])
    }
    assert not few, "three records are wanted, one of them nasty"


def test_frozen_conventions_are_registered() -> None:
    assert labels().keys() <= registered()
