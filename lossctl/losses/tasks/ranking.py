"""Ranking: scores of lists of items against their relevance.

Everything is computed in float64, for exp makes of a score's rounding a relative error. Pairs are
made one offset after the other, so that no array is larger than the lists themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import log
from typing import NamedTuple

from lossctl.losses.definition import (
    Array,
    ArrayModule,
    Convention,
    Domain,
    Elements,
    Example,
    Input,
    Param,
    Sums,
    loss,
)
from lossctl.losses.domains import require
from lossctl.losses.numerics import log_softmax, ordered_sum, softplus, weighed
from lossctl.losses.shared import shared


def _check_mask(xp: ArrayModule, values: Array, name: str) -> None:
    require(
        xp,
        (values == 0) | (values == 1),
        name,
        "has {value}, neither 0 nor 1",
        "the mask is 1 (or true) for an item and 0 for padding",
        values,
    )


_INPUTS = (
    Input("prediction", "(N, L)", help="scores; the highest is ranked first"),
    Input("target", "(N, L)", help="relevance, ≥ 0; higher is better"),
    Input(
        "mask",
        "(N, L)",
        domain=Domain("0 and 1", _check_mask),
        optional=True,
        labels=True,
        help="1 for an item, 0 for padding; default: no padding",
    ),
)


class _Lists(NamedTuple):
    """Lists of items, in float64; scores and relevance are 0 at padding."""

    scores: Array
    relevance: Array
    real: Array  # where there is an item
    unknown: Array  # (n,): the lists with a NaN

    def value(self, xp: ArrayModule, values: Array, counts: Array) -> Elements:
        """One value for each list, of those with a count above 0; NaN for the unknown."""
        values = xp.where(self.unknown, xp.nan, values)
        return Elements(values, ((counts > 0) | self.unknown).astype("float64"))

    def sorted(self, xp: ArrayModule, by: Array) -> _Lists:
        """The items from the highest of `by` to the lowest, equals as they were, then padding."""
        order = xp.argsort(-by, axis=-1, kind="stable")
        if not bool(self.real.all()):
            padding = xp.take_along_axis(~self.real, order, axis=-1)
            last = xp.argsort(padding, axis=-1, kind="stable")
            order = xp.take_along_axis(order, last, axis=-1)
        scores, relevance, real = (
            xp.take_along_axis(array, order, axis=-1)
            for array in (self.scores, self.relevance, self.real)
        )
        return _Lists(scores, relevance, real, self.unknown)


@shared
def _lists(xp: ArrayModule, prediction: Array, target: Array, mask: Array | None) -> _Lists:
    if mask is None:
        mask = xp.ones(prediction.shape, dtype=bool)
    real = xp.ascontiguousarray(mask) == 1
    scores = xp.where(real, prediction.astype("float64", order="C", copy=False), 0)
    relevance = xp.where(real, target.astype("float64", order="C", copy=False), 0)
    require(
        xp,
        relevance >= 0,
        "target",
        "has {value}, a relevance below 0",
        "if it marks padding, give the input mask; else add a constant to every relevance",
        relevance,
    )
    unknown = (xp.isnan(scores) | xp.isnan(relevance)).any(axis=-1)
    return _Lists(scores, relevance, real, unknown)


def _pairs(xp: ArrayModule, lists: _Lists) -> Iterator[tuple[Array, Array]]:
    """Pairs of items so far apart in the list, for every distance.

    Yields:
        The score of the more relevant item minus that of the other, and which pairs are of
        different relevance, (n, pairs) both.
    """
    for offset in range(1, lists.scores.shape[1]):
        before, after = slice(None, -offset), slice(offset, None)
        gap = lists.relevance[:, before] - lists.relevance[:, after]
        pair = lists.real[:, before] & lists.real[:, after] & (gap != 0)
        lead = lists.scores[:, before] - lists.scores[:, after]
        yield xp.where(gap > 0, lead, -lead), pair


def _mean_of_pairs(xp: ArrayModule, lists: _Lists, cost: Callable[[Array], Array]) -> Sums:
    total = xp.zeros(len(lists.scores))
    count = xp.zeros(len(lists.scores))
    for lead, pair in _pairs(xp, lists):
        total += ordered_sum(xp, xp.where(pair, cost(lead), 0))
        count += ordered_sum(xp, pair.astype("float64"))
    total = xp.where(lists.unknown, xp.nan, total)
    return Sums(total, xp.where(lists.unknown, xp.maximum(count, 1), count))


_NO_PAIR = "A list whose items are all of one relevance has no pair, and no value."


@loss(
    summary="RankNet: logistic loss of pairs of items",
    formula="mean of log(1 + exp(−(s_i − s_j))) over the pairs of a list with y_i > y_j",
    unit="nats",
    inputs=_INPUTS,
    use="Scores whose differences are log-odds of the better item being first. Every pair "
    "counts alike, at the top as at the bottom; the mean is over the pairs of all lists "
    f"(reduction=samplemean: over the lists). {_NO_PAIR}",
    traits=("convex", "smooth", "shift", "nonnegative"),
    reference="Burges et al. 2005, Learning to rank using gradient descent, ICML",
    # one pair, with odds of 3
    example=Example(
        {"prediction": [[1.0986122886681098, 0.0]], "target": [[1, 0]]}, 0.28768207245178085
    ),
)
def ranknet(xp: ArrayModule, prediction: Array, target: Array, mask: Array | None) -> Sums:
    lists = _lists(xp, prediction, target, mask)
    return _mean_of_pairs(xp, lists, lambda lead: softplus(xp, -lead))


@loss(
    summary="Hinge loss of pairs of items",
    formula="mean of max(0, m − (s_i − s_j)) over the pairs of a list with y_i > y_j",
    inputs=_INPUTS,
    params=(Param("margin", 1.0, "the lead up to which the better item costs", least=0),),
    use="As ranknet, and pairs that are right by the margin cost nothing: RankSVM's loss. "
    f"{_NO_PAIR}",
    traits=("convex", "shift", "nonnegative"),
    reference="Joachims 2002, Optimizing search engines using clickthrough data, KDD",
    example=Example(
        {"prediction": [[2.0, 0.5, 1.0], [0.0, 0.25, 0.0]], "target": [[2, 1, 0], [1, 0, 0]]}, 0.75
    ),
)
def pairwise_hinge(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    mask: Array | None,
    *,
    margin: float,
) -> Sums:
    lists = _lists(xp, prediction, target, mask)
    return _mean_of_pairs(xp, lists, lambda lead: xp.maximum(margin - lead, 0))


@loss(
    summary="Bayesian personalised ranking",
    formula="−log σ(s⁺ − s⁻)",
    unit="nats",
    inputs=(
        Input("positive", help="scores of the items that were chosen"),
        Input("negative", help="scores of items that were not"),
    ),
    use="Implicit feedback: a chosen item against one drawn from the rest. Its value depends on "
    "how these were drawn.",
    traits=("convex", "smooth", "shift", "nonnegative"),
    reference="Rendle et al. 2009, BPR: Bayesian personalized ranking from implicit feedback, UAI",
    # log(4/3) and log 2, of odds of 3 and of 1
    example=Example(
        {"positive": [1.0986122886681098, 2.0], "negative": [0.0, 2.0]}, 0.49041462650586309
    ),
)
def bpr(xp: ArrayModule, positive: Array, negative: Array) -> Array:
    positive = positive.astype("float64", copy=False)
    return softplus(xp, negative.astype("float64", copy=False) - positive)


def _log_shares(xp: ArrayModule, values: Array, real: Array) -> Array:
    """log softmax over the items of each list; −∞ at padding, beside which it is as if alone."""
    # a list without items must not be −∞ throughout
    padded = xp.where(real | ~real.any(axis=-1, keepdims=True), values, -xp.inf)
    return log_softmax(xp, padded)


@loss(
    summary="ListNet: cross entropy of top-one probabilities",
    formula="−Σ_i softmax(y)_i log softmax(s)_i over the items of a list",
    unit="nats",
    inputs=_INPUTS,
    use="Relevance grades taken as scores of their own: a difference of 1 is odds of e. Its "
    "least value is the entropy of softmax(y), not 0, also for a list of equal relevance. "
    "A list without items has no value.",
    traits=("convex", "smooth", "shift", "nonnegative"),
    reference="Cao et al. 2007, Learning to rank: from pairwise to listwise approach, ICML",
    # shares of ¾ and ¼ against ½ and ½
    example=Example(
        {"prediction": [[2.0, 2.0]], "target": [[1.0986122886681098, 0.0]]}, 0.6931471805599453
    ),
)
def listnet(xp: ArrayModule, prediction: Array, target: Array, mask: Array | None) -> Elements:
    lists = _lists(xp, prediction, target, mask)
    shares = xp.exp(_log_shares(xp, lists.relevance, lists.real))
    surprise = -_log_shares(xp, lists.scores, lists.real)
    return lists.value(xp, ordered_sum(xp, weighed(xp, shares, surprise)), lists.real.sum(axis=-1))


@loss(
    summary="Ranking softmax: cross entropy with relevance as weights",
    formula="−Σ_i y_i log softmax(s)_i over the items of a list",
    unit="nats",
    inputs=_INPUTS,
    use="One or a few relevant items, such as clicks. Relevance is not normalised, so that lists "
    "of much relevance count more, and a list of none is 0. A list without items has no value.",
    traits=("convex", "smooth", "shift", "nonnegative"),
    reference="optax.losses.ranking_softmax_loss; Bruch et al. 2019, An analysis of the softmax "
    "cross entropy loss for learning-to-rank with binary relevance, ICTIR",
    # 2 log 4 + log(4/3), of shares of ¼ and ¾
    example=Example(
        {"prediction": [[0.0, 1.0986122886681098]], "target": [[2, 1]]}, 3.0602707946915624
    ),
    conventions={
        "optax": Convention(
            "optax.losses.ranking_softmax_loss", note="mask is its where", empty=0.0
        ),
    },
)
def ranking_softmax(
    xp: ArrayModule, prediction: Array, target: Array, mask: Array | None
) -> Elements:
    lists = _lists(xp, prediction, target, mask)
    surprise = -_log_shares(xp, lists.scores, lists.real)
    values = ordered_sum(xp, weighed(xp, lists.relevance, surprise))
    return lists.value(xp, values, lists.real.sum(axis=-1))


@loss(
    summary="ListMLE: likelihood of the true order",
    formula="−Σ_i log (exp s_i / Σ_{j from i on} exp s_j), i in the order of falling relevance",
    unit="nats",
    inputs=_INPUTS,
    use="The whole order under the Plackett-Luce model, summed over its places: long lists "
    "weigh more. Items of equal relevance count as ordered the way they are listed, so that "
    "their order in the file matters. A list without items has no value.",
    traits=("convex", "smooth", "shift", "nonnegative"),
    reference="Xia et al. 2008, Listwise approach to learning to rank: theory and algorithm, ICML",
    # exp s = 1, 2, 1: places of 2/4 and of 1/2
    example=Example(
        {"prediction": [[0.0, 0.6931471805599453, 0.0]], "target": [[1, 2, 0]]},
        1.3862943611198906,
    ),
)
def listmle(xp: ArrayModule, prediction: Array, target: Array, mask: Array | None) -> Elements:
    lists = _lists(xp, prediction, target, mask)
    ordered = lists.sorted(xp, lists.relevance)
    rows = len(prediction)
    # log Σ exp of the items seen is kept as peak + rest: their sum would lose digits of the rest
    peak, rest, total = xp.full(rows, -xp.inf), xp.zeros(rows), xp.zeros(rows)
    for place in range(prediction.shape[1] - 1, -1, -1):
        score, real = ordered.scores[:, place], ordered.real[:, place]
        ahead = (peak - score) + rest  # log Σ exp of those after, against this one
        cost = softplus(xp, ahead)
        higher = score > peak
        grown = xp.where(higher, cost, rest + softplus(xp, -ahead))
        total += xp.where(real, cost, 0)
        rest = xp.where(real, grown, rest)
        peak = xp.where(real & higher, score, peak)
    return lists.value(xp, total, lists.real.sum(axis=-1))


_GAIN = Param(
    "gain",
    "linear",
    "what an item of relevance y is worth: linear, y; exponential, 2^y − 1",
    choices=("linear", "exponential"),
)


def _gains(xp: ArrayModule, lists: _Lists, gain: str) -> _Lists:
    """The lists with gains in place of relevance."""
    if gain == "linear":
        return lists
    power = lists.relevance
    # 2^y − 1 is exact for whole y, expm1 is accurate for the others
    whole = power == xp.floor(power)
    return lists._replace(relevance=xp.where(whole, xp.exp2(power) - 1, xp.expm1(power * log(2))))


def _discounts(xp: ArrayModule, length: int, k: int | None) -> tuple[Array, Array]:
    """1/log₂(1 + r) of the ranks r, 0 beyond k; and how far each is above the next one."""
    logs = xp.log(xp.arange(2.0, length + 3))
    steps = log(2) * xp.log1p(1 / xp.arange(2.0, length + 2)) / (logs[:-1] * logs[1:])
    discounts = log(2) / logs[:-1]
    if k is None or k >= length:
        steps[-1] = discounts[-1]
        return discounts, steps
    steps[k - 1] = discounts[k - 1]
    steps[k:] = discounts[k:] = 0
    return discounts, steps


def _ideal(xp: ArrayModule, lists: _Lists, discounts: Array) -> tuple[Array, Array]:
    """The gains in the best order, and their discounted sum."""
    gains = lists.sorted(xp, lists.relevance).relevance
    return gains, ordered_sum(xp, gains * discounts)


def _lost(xp: ArrayModule, best: Array, gains: Array, steps: Array) -> Array:
    """Σ discount·(best − gain): what an order of the gains loses to the best one.

    Summed by parts no term is negative, and what is lost far down the list is not lost in
    the rounding of the sum.
    """
    return ordered_sum(xp, xp.maximum(xp.cumsum(best - gains, axis=-1), 0) * steps)


def _averaged(xp: ArrayModule, ordered: _Lists) -> Array:
    """The gains of sorted lists, those of equal scores replaced by their mean."""
    scores, gains, real = ordered.scores, ordered.relevance, ordered.real
    same = (scores[:, 1:] == scores[:, :-1]) & (real[:, 1:] == real[:, :-1])
    if not bool(same.any()):
        return gains
    means = gains.copy()
    total, count = gains[:, 0], xp.ones(len(gains))
    for place in range(1, gains.shape[1]):
        goes_on = same[:, place - 1]
        total = xp.where(goes_on, total, 0) + gains[:, place]
        count = xp.where(goes_on, count, 0) + 1
        means[:, place] = total / count
    for place in range(gains.shape[1] - 2, -1, -1):  # the last of equals has the mean of all
        means[:, place] = xp.where(same[:, place], means[:, place + 1], means[:, place])
    return means


@loss(
    summary="One minus the normalised discounted cumulative gain",
    formula="1 − DCG/IDCG, DCG = Σ_{r ≤ k} gain_r / log₂(1 + r) in the order of the scores, IDCG "
    "in that of the relevance",
    inputs=_INPUTS,
    params=(
        Param("k", None, "the ranks that count; none: all", kind="integer", least=1),
        _GAIN,
        Param(
            "ties",
            "average",
            "equal scores: average, the mean of all their orders; first, as they are listed",
            choices=("average", "first"),
        ),
        Param(
            "irrelevant",
            "skip",
            "a list in which nothing is relevant: skip, it has no value; zero or one, its NDCG",
            choices=("skip", "zero", "one"),
        ),
    ),
    use="What a reader of ranked results misses, most of it at the top. Only the order of the "
    "scores counts. A list in which nothing is relevant has no value, unless irrelevant says "
    "what it is worth.",
    traits=("bounded", "shift", "nonnegative"),
    reference="Järvelin & Kekäläinen 2002, Cumulated gain-based evaluation of IR techniques, ACM "
    "TOIS 20; ties: McSherry & Najork 2008, ECIR",
    # the only relevant item is at rank 3, where the discount is ½
    example=Example({"prediction": [[0.5, 0.75, 0.25]], "target": [[0, 0, 1]]}, 0.5),
    conventions={
        "sklearn": Convention(
            "sklearn.metrics.ndcg_score",
            {"gain": "linear", "ties": "average", "irrelevant": "zero"},
            note="one minus it; a list in which nothing is relevant has an NDCG of 0",
        ),
    },
    contrast={"prediction": [[0.5, 0.75, 0.25], [1, 2, 3]], "target": [[0, 0, 1], [0, 0, 0]]},
)
def ndcg_loss(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    mask: Array | None,
    *,
    k: int | None,
    gain: str,
    ties: str,
    irrelevant: str,
) -> Elements:
    lists = _gains(xp, _lists(xp, prediction, target, mask), gain)
    discounts, steps = _discounts(xp, prediction.shape[1], k)
    best, ideal = _ideal(xp, lists, discounts)
    ordered = lists.sorted(xp, lists.scores)
    gains = _averaged(xp, ordered) if ties == "average" else ordered.relevance
    lost = _lost(xp, best, gains, steps)
    values = xp.where(ideal == 0, 1.0 if irrelevant == "zero" else 0.0, lost / ideal)
    counts = ideal if irrelevant == "skip" else lists.real.sum(axis=-1)
    return lists.value(xp, values, counts)


@loss(
    summary="One minus an NDCG with smoothed ranks",
    formula="1 − ADCG/IDCG, ADCG = Σ_i gain_i / log₂(1 + r_i), r_i = 1 + Σ_{j≠i} σ((s_j − s_i)/T)",
    inputs=_INPUTS,
    params=(
        Param("temperature", 0.1, "T: the lead in score that begins to be a rank", above=0),
        Param(
            "gain",
            "exponential",
            _GAIN.help,
            choices=("linear", "exponential"),
        ),
    ),
    use="What is trained in place of ndcg_loss, which is its limit for a small temperature. It "
    "depends on the scores' scale. Its gain is the paper's 2^y − 1, where ndcg_loss has y. A "
    "list in which nothing is relevant has no value.",
    traits=("bounded", "smooth", "shift", "nonnegative"),
    reference="Qin, Liu & Li 2010, A general approximation framework for direct optimization of "
    "information retrieval measures, Information Retrieval 13",
    # equal scores: both are at rank 1.5
    example=Example({"prediction": [[1.0, 1.0]], "target": [[1, 0]]}, 1 - log(2) / log(2.5)),
)
def approx_ndcg(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    mask: Array | None,
    *,
    temperature: float,
    gain: str,
) -> Elements:
    lists = _gains(xp, _lists(xp, prediction, target, mask), gain)
    length = prediction.shape[1]
    discounts, steps = _discounts(xp, length, None)
    best, ideal = _ideal(xp, lists, discounts)
    ordered = lists.sorted(xp, lists.scores)
    ranks = xp.arange(1.0, length + 1)
    shift = _rank_shift(xp, ordered, temperature)
    # 1/log(1 + r) − 1/log(1 + r + shift), which is small where the order is clear
    logs = xp.log1p(ranks)
    fall = log(2) * xp.log1p(shift / (1 + ranks)) / (logs * xp.log1p(ranks + shift))
    lost = _lost(xp, best, ordered.relevance, steps) + ordered_sum(xp, ordered.relevance * fall)
    return lists.value(xp, xp.where(ideal == 0, 0, lost / ideal), ideal)


def _rank_shift(xp: ArrayModule, ordered: _Lists, temperature: float) -> Array:
    """By how much the smoothed rank of each item of a sorted list exceeds its rank."""
    scores = ordered.scores
    shift = xp.zeros(scores.shape)
    for offset in range(1, scores.shape[1]):
        before, after = slice(None, -offset), slice(offset, None)
        odds = xp.exp((scores[:, after] - scores[:, before]) / temperature)
        # the share by which the later item comes first; padding, all at the end, never does
        share = xp.where(ordered.real[:, after], odds / (1 + odds), 0)
        shift[:, before] += share
        shift[:, after] -= share
    return shift
