"""Preferences: what a model gives the chosen answer over the rejected one."""

from __future__ import annotations

from lossctl.errors import SpecError
from lossctl.losses.definition import Array, ArrayModule, Example, Input, Param, loss
from lossctl.losses.numerics import softplus


def _wide(array: Array) -> Array:
    """In float64: of a difference the last digits decide once it is in an exponent."""
    return array.astype("float64", copy=False)


@loss(
    summary="Bradley–Terry loss of a reward model",
    formula="−log σ(c − r) = log(1 + exp(r − c))",
    unit="nats",
    inputs=(
        Input("chosen", help="the scores of the answers that were preferred"),
        Input("rejected", help="the scores of the others"),
    ),
    use="Reward models on held-out preferences: log 2 is chance. It depends on the differences "
    "of the scores alone.",
    traits=("convex", "smooth", "nonnegative", "shift", "proper"),
    reference="Bradley & Terry 1952, Rank analysis of incomplete block designs",
    example=Example({"chosen": [1.0, 0.0], "rejected": [0.0, 2.0]}, 1.2200948492805977),
)
def bradley_terry(xp: ArrayModule, chosen: Array, rejected: Array) -> Array:
    return softplus(xp, _wide(rejected) - _wide(chosen))


_PAIR = "log-probabilities of the whole answers, (N,)"


@loss(
    summary="Direct preference optimisation",
    formula="−log σ(βh), h = log π(c)/π₀(c) − log π(r)/π₀(r); hinge: (1 − βh)₊; ipo: (h − 1/2β)²",
    unit="nats",
    inputs=(
        Input("policy_chosen", "(N,)", help=f"the model's {_PAIR}"),
        Input("policy_rejected", "(N,)"),
        Input("reference_chosen", "(N,)", help=f"the reference model's {_PAIR}"),
        Input("reference_rejected", "(N,)"),
    ),
    params=(
        Param("beta", 0.1, "how much a log-ratio counts (the τ of ipo)", above=0),
        Param(
            "label_smoothing",
            0.0,
            "the share of preferences taken to be wrong way round (sigmoid)",
            least=0,
            most=0.5,
        ),
        Param("variant", "sigmoid", "which loss of βh", choices=("sigmoid", "hinge", "ipo")),
    ),
    use="Language models tuned on preferences, against the model they started from: log 2 where "
    "they are still the same. ipo takes log-probabilities that are averaged over tokens.",
    traits=("convex", "nonnegative"),
    reference="Rafailov 2023, Direct preference optimization; Zhao 2023, SLiC-HF (hinge); Azar "
    "2024, A general theoretical paradigm (ipo); TRL's DPOTrainer",
    example=Example(
        {
            "policy_chosen": [-10.0, -12.0],
            "policy_rejected": [-14.0, -11.0],
            "reference_chosen": [-11.0, -11.0],
            "reference_rejected": [-12.0, -13.0],
        },
        0.7043552444685271,
    ),
)
def dpo(
    xp: ArrayModule,
    policy_chosen: Array,
    policy_rejected: Array,
    reference_chosen: Array,
    reference_rejected: Array,
    *,
    beta: float,
    label_smoothing: float,
    variant: str,
) -> Array:
    if label_smoothing and variant != "sigmoid":
        raise SpecError(
            f"dpo: variant={variant} has no label_smoothing", "leave it out, or variant=sigmoid"
        )
    # Both models give an answer about the same probability, so that these differences are exact
    # where those between the answers would be rounded.
    gain = _wide(policy_chosen) - _wide(reference_chosen)
    margin = gain - (_wide(policy_rejected) - _wide(reference_rejected))
    if variant == "hinge":
        return xp.maximum(1 - beta * margin, 0)
    if variant == "ipo":
        return xp.square(margin - 1 / (2 * beta))
    right = softplus(xp, -beta * margin)
    if not label_smoothing:
        return right
    return (1 - label_smoothing) * right + label_smoothing * softplus(xp, beta * margin)
