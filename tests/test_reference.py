"""Every loss against numbers that other programs computed.

``reference/freeze.py`` made ``reference/frozen/*.json`` with the libraries and at 50 digits; here
the inputs are rebuilt from their keys and lossctl has to give the same numbers.
"""

from __future__ import annotations

from typing import Any

import pytest

import lossctl
from lossctl import losses
from tests.reference.compare import FROZEN, agree, frozen, inputs_of
from tests.reference.inputs import digest
from tests.test_catalogue import NAMES

CASES = frozen(FROZEN)


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_value(case: dict[str, Any]) -> None:
    inputs = inputs_of(case)
    assert digest(inputs) == case["digest"], "the inputs are not those that were frozen"
    report = lossctl.evaluate(
        case["spec"], **inputs, reduction=case["reduction"], per_sample="per_sample" in case
    )
    loss = report.losses[0]
    agree(loss.value, case["value"], case["rtol"])
    if "per_sample" in case:
        agree(loss.per_sample, case["per_sample"], case["rtol"])


@pytest.mark.parametrize("name", sorted({losses.get(name).name for name in NAMES}))
def test_a_loss_of_the_catalogue_has_an_exact_reference(name: str) -> None:
    loss = losses.get(name)
    cases = [case for case in CASES if case["loss"] == name and case["rtol"] == 1e-12]
    assert cases
    single = loss.unpaired or loss.single
    assert single or any("per_sample" in case for case in cases)


def test_frozen_names_are_registered() -> None:
    registered = {loss.name for loss in losses.all()}
    assert {case["loss"] for case in CASES} <= registered
