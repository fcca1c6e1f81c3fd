"""Quantum states: the cases."""

from __future__ import annotations

from tests.reference.cases import BOTH, Inputs, Plan, given, key

HALF = [[0.5, 0.5], [0.5, 0.5]]
TILTED = [[0.75, 0.25], [0.25, 0.25]]
UP = [[1, 0], [0, 0]]
STATES = [
    Inputs("float64", key("density", 201), BOTH),
    Inputs("qubits", key("density", 202, rows=7, size=2)),
    Inputs("four", key("density", 203, size=4)),
    Inputs("diagonal", key("density", 204, diagonal=True)),
    Inputs("complex64", key("density", 205, dtype="complex64")),
    Inputs("many", key("density", 206, rows=501, size=2)),
    Inputs(
        "pure", given("complex128", prediction=[TILTED] * 2, target=[HALF, UP]), in_library=False
    ),
]
UNSUPPORTED = Inputs(
    "unsupported",
    given("complex128", prediction=[HALF, TILTED], target=[UP, UP]),
    in_library=False,
)
SUPPORTED = Inputs(
    "supported",
    given("complex128", prediction=[HALF, UP], target=[HALF, UP]),
    in_library=False,
)

PLANS = [
    Plan(
        "quantum_cross_entropy",
        [*STATES, UNSUPPORTED, SUPPORTED],
        variants=[{"base": 2}],
        on=("float64",),
    ),
    Plan(
        "quantum_relative_entropy",
        [*STATES, UNSUPPORTED, SUPPORTED],
        variants=[{"base": 2}],
        on=("float64",),
    ),
    Plan("infidelity", STATES),
    Plan("trace_distance", [*STATES, UNSUPPORTED]),
]
