"""Ranking: refusals, limits and laws."""

from __future__ import annotations

import math
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lossctl

RNG = np.random.default_rng(11)
SCORES = RNG.standard_normal((30, 6))
RELEVANCE = RNG.integers(0, 4, (30, 6))
LISTWISE = ("ranknet", "pairwise_hinge", "listnet", "ranking_softmax", "listmle", "ndcg_loss",
            "approx_ndcg")  # fmt: skip
each = pytest.mark.parametrize("name", LISTWISE)


def evaluate(spec: str, prediction: Any, target: Any, **options: Any) -> Any:
    return lossctl.evaluate(spec, prediction=prediction, target=target, **options).losses[0]


def value(spec: str, prediction: Any, target: Any, **options: Any) -> float:
    return float(evaluate(spec, prediction, target, **options).value)


def equal(found: float, wanted: float, rel: float = 1e-12) -> None:
    assert found == pytest.approx(wanted, rel=rel, abs=1e-300)


@each
def test_refusals(name: str) -> None:
    with pytest.raises(lossctl.DataError, match=r"(?s)target has -1.*below 0.*input mask"):
        value(name, [[1.0, 2.0]], [[1, -1]])
    with pytest.raises(lossctl.DataError, match=r"mask has 2.*neither 0 nor 1"):
        value(name, [[1.0, 2.0]], [[1, 0]], mask=[[1, 2]])
    with pytest.raises(lossctl.DataError, match="do not fit"):
        value(name, [[1.0, 2.0]], [[1, 0, 2]])


@pytest.mark.parametrize(
    "spec", ["ndcg_loss:k=0", "ndcg_loss:ties=last", "approx_ndcg:temperature=0"]
)
def test_parameters_out_of_bounds(spec: str) -> None:
    with pytest.raises(lossctl.SpecError, match="must be"):
        value(spec, [[1.0, 2.0]], [[1, 0]])


@each
def test_padding_is_as_if_it_were_not_there(name: str) -> None:
    real = np.zeros((30, 9), dtype=bool)
    for row in real:
        row[RNG.permutation(9)[:6]] = True
    prediction, target = np.full((30, 9), 50.0), np.full((30, 9), -1)
    prediction[real], target[real] = SCORES.ravel(), RELEVANCE.ravel()
    found = evaluate(name, prediction, target, mask=real, per_sample=True)
    plain = evaluate(name, SCORES, RELEVANCE, per_sample=True)
    assert found.per_sample == pytest.approx(plain.per_sample, rel=1e-12, nan_ok=True)
    equal(found.value, plain.value)


@each
def test_a_list_without_items_has_no_value(name: str) -> None:
    mask = [[0, 0, 0], [1, 1, 1]]
    found = evaluate(name, [[1.0, 2.0, 3.0]] * 2, [[2, 1, 0]] * 2, mask=mask, per_sample=True)
    assert np.isnan(found.per_sample).tolist() == [True, False]
    assert found.valueless == 1


@pytest.mark.parametrize(
    ("name", "target", "has_value"),
    [
        ("ranknet", [[2, 2, 2]], False),
        ("pairwise_hinge", [[0, 0, 0]], False),
        ("listnet", [[0, 0, 0]], True),
        ("ranking_softmax", [[0, 0, 0]], True),
        ("listmle", [[1, 1, 1]], True),
        ("ndcg_loss", [[0, 0, 0]], False),
        ("ndcg_loss", [[1, 1, 1]], True),
        ("approx_ndcg", [[0, 0, 0]], False),
    ],
)
def test_lists_with_nothing_to_compare(name: str, target: Any, has_value: bool) -> None:
    assert math.isnan(value(name, [[1.0, 2.0, 3.0]], target)) != has_value


def test_the_worth_of_irrelevant_lists() -> None:
    lists: tuple[Any, Any] = ([[1.0, 2.0], [1.0, 2.0]], [[0, 0], [0, 1]])
    assert value("ndcg_loss", *lists) == 0
    assert value("ndcg_loss:irrelevant=zero", *lists) == 0.5
    assert value("ndcg_loss:irrelevant=one", *lists) == 0
    assert evaluate("ndcg_loss:irrelevant=one", *lists).summary.n == 2


@pytest.mark.parametrize("name", [name for name in LISTWISE if name != "listmle"])
def test_the_order_of_items_does_not_matter(name: str) -> None:
    order = RNG.permutation(6)
    tied = np.rint(SCORES)
    equal(value(name, tied[:, order], RELEVANCE[:, order]), value(name, tied, RELEVANCE))


@each
def test_a_shift_of_all_scores_changes_nothing(name: str) -> None:
    equal(value(name, SCORES + 64, RELEVANCE), value(name, SCORES, RELEVANCE), 1e-9)


@each
@given(indices=st.lists(st.integers(0, 29), min_size=1, max_size=8))
@settings(deadline=None, max_examples=10)
def test_a_list_does_not_depend_on_the_others(name: str, indices: list[int]) -> None:
    mask = np.ones((30, 6), dtype=bool)
    mask[::3, 4:] = False
    loss = lossctl.losses.get(name)
    whole = loss(prediction=SCORES, target=RELEVANCE, mask=mask)
    some = loss(prediction=SCORES[indices], target=RELEVANCE[indices], mask=mask[indices])
    assert np.array_equal(whole[indices], some, equal_nan=True)
    laid_out = [np.asfortranarray(array) for array in (SCORES, RELEVANCE, mask)]
    columns = loss(prediction=laid_out[0], target=laid_out[1], mask=laid_out[2])
    assert np.array_equal(whole, columns, equal_nan=True)


@each
@pytest.mark.parametrize("where", ["prediction", "target"])
def test_unknown_numbers_make_the_list_unknown(name: str, where: str) -> None:
    inputs = {"prediction": SCORES[:3].copy(), "target": RELEVANCE[:3].astype(float)}
    inputs[where][1, 2] = math.nan
    found = lossctl.evaluate(name, **inputs, nan="propagate", per_sample=True).losses[0]
    assert np.isnan(found.per_sample).tolist() == [False, True, False]
    assert math.isnan(found.value)


def test_pairs_are_pooled_and_lists_are_averaged_on_demand() -> None:
    prediction, target = [[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]], [[1, 1, 0], [2, 1, 0]]
    logistic = math.log1p(math.exp(-1))
    first, second = logistic + math.log(2), 3 * math.log(2)
    equal(value("ranknet", prediction, target), (first + second) / 5)
    equal(value("ranknet", prediction, target, reduction="sum"), first + second)
    found = value("ranknet", prediction, target, reduction="samplemean")
    equal(found, (first / 2 + second / 3) / 2)


def test_bpr_is_ranknet_of_one_pair() -> None:
    found = lossctl.evaluate("bpr", positive=SCORES[:, 0], negative=SCORES[:, 1]).losses[0].value
    equal(found, value("ranknet", SCORES[:, :2], [[1, 0]] * 30))


def test_softmax_of_one_relevant_item_is_cross_entropy() -> None:
    ids = RNG.integers(0, 6, 30)
    wanted = lossctl.evaluate("cross_entropy:from_logits=true", prediction=SCORES, target=ids)
    equal(value("ranking_softmax", SCORES, np.eye(6)[ids]), wanted.losses[0].value)


def test_listnet_is_least_at_the_relevance() -> None:
    least = value("listnet", RELEVANCE, RELEVANCE)
    assert least < value("listnet", SCORES, RELEVANCE)
    shares = np.exp(RELEVANCE) / np.exp(RELEVANCE).sum(axis=1, keepdims=True)
    equal(least, -(shares * np.log(shares)).sum(axis=1).mean())


def test_the_likelihoods_of_all_orders_sum_to_one() -> None:
    scores = SCORES[0, :4]
    orders = np.array(list(permutations(range(4))))
    losses = lossctl.losses.get("listmle")(prediction=np.tile(scores, (24, 1)), target=orders)
    equal(float(np.exp(-losses).sum()), 1.0)


def test_listmle_takes_equal_relevance_in_input_order() -> None:
    equal(
        value("listmle", SCORES, np.ones_like(RELEVANCE)),
        value("listmle", SCORES, [[6, 5, 4, 3, 2, 1]] * 30),
    )


def test_averaged_ties_are_the_mean_of_all_orders() -> None:
    scores, relevance = np.array([1.0, 2, 1, 1, 0]), np.array([3.0, 0, 1, 2, 1])
    orders = np.array(list(permutations(range(5))))
    for k in (1, 3, 5):
        spec = f"ndcg_loss:k={k},ties="
        ways = value(f"{spec}first", scores[orders], relevance[orders])
        equal(value(f"{spec}average", [scores], [relevance]), ways)


def test_a_perfect_order_loses_nothing() -> None:
    for spec in ("ndcg_loss", "ndcg_loss:k=2", "ndcg_loss:gain=exponential"):
        assert value(spec, RELEVANCE, RELEVANCE) == 0
    assert value("ndcg_loss:k=1", [[3.0, 2.0, 1.0]], [[1, 0, 2]]) == 0.5


def test_what_is_lost_far_down_is_not_lost_in_rounding() -> None:
    length = 2000
    relevance = np.zeros(length)
    relevance[: length // 2] = 5
    relevance[-2] = 1e-9
    scores = -np.arange(length, dtype=float)
    ranks = np.arange(1, length + 1)
    ideal = (np.sort(relevance)[::-1] / np.log2(1 + ranks)).sum()
    lost = 1e-9 * (1 / np.log2(length // 2 + 2) - 1 / np.log2(length))
    equal(value("ndcg_loss", [scores], [relevance]), lost / ideal, 1e-11)


@pytest.mark.parametrize("gain", ["linear", "exponential"])
def test_smoothed_ranks_become_ranks(gain: str) -> None:
    wanted = value(f"ndcg_loss:gain={gain}", SCORES, RELEVANCE)
    found = value(f"approx_ndcg:temperature=1e-6,gain={gain}", SCORES, RELEVANCE)
    equal(found, wanted, 1e-9)


def test_a_real_item_of_score_minus_infinity_is_before_padding() -> None:
    found = value("ndcg_loss", [[0.0, 1.0, -math.inf]], [[-1, 0, 1]], mask=[[0, 1, 1]])
    equal(found, 1 - 1 / math.log2(3))


@each
def test_long_lists_take_little_memory(name: str) -> None:
    import tracemalloc

    prediction, target = RNG.standard_normal((2, 700)), RNG.integers(0, 5, (2, 700))
    loss = lossctl.losses.get(name)
    loss(prediction=prediction[:, :9], target=target[:, :9])
    tracemalloc.start()
    loss(prediction=prediction, target=target)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 * prediction.nbytes
