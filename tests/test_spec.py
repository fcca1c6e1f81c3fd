"""Specs: text to value and back."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossctl.errors import SpecError
from lossctl.losses import resolve
from lossctl.spec import LossSpec, Spec, parse

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True)
NUMBERS = st.one_of(
    st.integers(-(10**12), 10**12), st.floats(allow_nan=False, allow_infinity=False)
)
SCALARS = st.one_of(
    NUMBERS,
    st.booleans(),
    st.none(),
    NAMES.filter(lambda word: word not in ("true", "false", "none", "inf", "nan", "infinity")),
)
VALUES = st.one_of(SCALARS, st.lists(SCALARS, min_size=1, max_size=4).map(tuple))
PARAMS = st.dictionaries(NAMES, VALUES, max_size=3).map(lambda items: tuple(items.items()))
LOSSES = st.builds(LossSpec, NAMES, st.one_of(st.none(), NAMES), PARAMS)
FACTORS = st.floats(-1e6, 1e6, allow_nan=False).filter(lambda x: x != 0)
SPECS = st.lists(st.tuples(FACTORS, LOSSES), min_size=1, max_size=3).map(lambda t: Spec(tuple(t)))


@given(SPECS)
def test_a_printed_spec_parses_to_the_same_spec(spec: Spec) -> None:
    assert parse(str(spec)) == spec


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("huber:delta=1e+5", "huber:delta=100000"),
        ("HUBER : delta = 2", "huber:delta=2"),
        ("0.5*dice+0.5*bce:from_logits=true", "0.5*dice+0.5*bce:from_logits=true"),
        ("-0.5*a+2e+1*b", "-0.5*a+20*b"),
        ("a:p=1e+5+b", "a:p=100000+b"),
        ("ce:weights=[1,2.5],ignore_index=255", "ce:weights=[1,2.5],ignore_index=255"),
        ("a0e+a", "a0e+a"),
        ("a0e+2*a", "a0e+2*a"),
        ("2e+1*a0e+1e-3*b", "20*a0e+0.001*b"),
        ("bce@Keras", "bce@keras"),
        ("log-cosh", "log_cosh"),
    ],
)
def test_spellings(text: str, printed: str) -> None:
    assert str(parse(text)) == printed


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "''"),
        ("huber:delta", "'delta' is not PARAM=VALUE"),
        ("huber:delta=", "'delta=' is not PARAM=VALUE"),
        ("huber:delta=1,delta=2", "delta is given twice"),
        ("1e5", "'1e5'"),
        ("a+", "'a+'"),
        ("__import__('os')", "is not NAME"),
    ],
)
def test_what_is_no_spec_is_refused_with_the_part(text: str, part: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse(text)
    assert part in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hubr", "there is no loss 'hubr'\ndid you mean huber"),
        ("huber:dleta=2", "huber has no parameter 'dleta'\ndid you mean delta?"),
        ("huber:delta=-1", "huber: delta must be a number > 0, not -1"),
        ("huber:delta=true", "delta must be a number > 0, not true"),
        ("huber:delta=nan", "delta must be a number > 0, not nan"),
        ("huber:delta=[1,2]", "delta must be a number > 0, not [1,2]"),
        ("mse:delta=1", "mse has no parameter 'delta'\nit takes: none"),
        ("pinball:alpha=1", "alpha must be a number or a list > 0 and < 1, not 1"),
        ("pinball:alpha=[]", "alpha must be a number or a list"),
        ("weighted_bce", "weighted_bce needs the parameter beta"),
        ("huber@numpy", "huber has no convention 'numpy'\nits conventions: torch"),
    ],
)
def test_what_the_losses_refuse(text: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        resolve(text)
    assert message in str(caught.value)


def test_a_bound_spec_has_every_parameter() -> None:
    bound = resolve("l2+2*huber")
    assert str(bound.spec) == "mse+2*huber"
    assert bound.full == "mse+2.0*huber:delta=1"
    assert bound.label == "l2+2*huber"


def test_infinite_values_are_values() -> None:
    assert dict(parse("barron:alpha=-inf").terms[0][1].params)["alpha"] == -math.inf
