"""The registry of losses.

`get("huber")` finds one by name or alias, `all()` lists them, `resolve("huber:delta=2")`
binds a spec to its loss and parameters. A plugin registers its own with `@loss`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

from lossctl.errors import LossctlError, SpecError, nearest
from lossctl.losses.definition import (
    REGISTRY,
    Convention,
    Elements,
    Example,
    Input,
    InvalidInput,
    Loss,
    Param,
    Sums,
    loss,
)
from lossctl.spec import LossSpec, Spec, Value, parse

__all__ = [
    "TASKS",
    "Bound",
    "Convention",
    "Elements",
    "Example",
    "Input",
    "InvalidInput",
    "Loss",
    "Param",
    "Part",
    "Sums",
    "all",
    "broken",
    "each_convention",
    "get",
    "load_plugin",
    "loss",
    "resolve",
]

TASKS = {
    "regression": "Regression",
    "likelihood": "Counts and likelihoods",
    "binary": "Binary classification",
    "multiclass": "Multi-class classification",
    "multilabel": "Multi-label classification",
    "distribution": "Distributions",
    "embedding": "Embeddings and metric learning",
    "contrastive": "Contrastive batches",
    "ranking": "Ranking",
    "segmentation": "Segmentation",
    "boxes": "Boxes",
    "image": "Images",
    "adversarial": "Adversarial",
    "sequence": "Sequences",
    "quantum": "Quantum states",
    "preference": "Preferences",
    "survival": "Survival",
}
"""The tasks in the order in which they are listed; each is a module of `losses.tasks`."""


def _load(until: str = "") -> dict[str, Loss]:
    """Import the tasks in order, up to the one that has the name; all of them by default.

    A name is given once, whatever the order, which `loss` sees to. Installed plugins come
    last, and only if the name is none of ours.
    """
    for task in TASKS:
        if until in REGISTRY:
            return REGISTRY
        import_module(f"lossctl.losses.tasks.{task}")
    if until not in REGISTRY:
        from lossctl.losses.plugins import load_installed

        load_installed()
    return REGISTRY


def broken() -> list[LossctlError]:
    """What is wrong with installed plugins whose losses are missing from `all()`."""
    from lossctl.losses.plugins import BROKEN

    _load()
    return BROKEN


def load_plugin(path: str) -> None:
    """Register the losses of a Python file, beside all that there are.

    Raises:
        LossctlError: It cannot be imported, gives a name that is taken, or has no loss.
    """
    from lossctl.losses.plugins import load_file

    _load()
    load_file(path)


def all() -> list[Loss]:
    """Every loss once, by task, in the order of definition; plugins' tasks come last."""
    order = list(TASKS)
    losses = {item.name: item for item in _load().values()}
    return sorted(
        losses.values(),
        key=lambda item: order.index(item.task) if item.task in TASKS else len(order),
    )


def get(name: str) -> Loss:
    """The loss of this name or alias.

    Raises:
        SpecError: There is none; the hint names the nearest.
        LossctlError: There is none, and an installed plugin that may have it is broken.
    """
    key = name.strip().lower().replace("-", "_")
    registry = _load(until=key)
    if key not in registry:
        if missing := broken():
            raise missing[0]
        hint = nearest(key, sorted(registry))
        raise SpecError(
            f"there is no loss {name!r}", f"{hint + '; ' if hint else ''}see: lossctl losses"
        )
    return registry[key]


_EXACT = Convention("")


class Part(NamedTuple):
    """A loss bound to all its parameters."""

    loss: Loss
    params: Mapping[str, Value]
    convention: str | None = None
    model: int = 0  # whose inputs: those of the plan itself, or of one of its candidates

    @property
    def rules(self) -> Convention:
        """What the convention says beside the parameters; without one, nothing."""
        return self.loss.conventions[self.convention] if self.convention else _EXACT

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal for parts whose statistics are the same (mse and rmse share theirs)."""
        params = tuple(sorted(self.params.items()))
        return (self.loss.kernel, params, self.loss.inputs, self.rules.row_means, self.model)

    @property
    def called(self) -> str:
        """The loss and its convention, for messages."""
        return f"{self.loss.name}@{self.convention}" if self.convention else self.loss.name

    def __str__(self) -> str:
        text = str(LossSpec(self.loss.name, self.convention, tuple(self.params.items())))
        return f"{text}[{self.loss.origin}]" if self.loss.origin else text


class Bound(NamedTuple):
    """A spec bound to its losses: a weighted sum of parts, most often of one."""

    label: str  # as typed
    spec: Spec  # canonical: names for aliases, the parameters that were given
    parts: tuple[tuple[float, Part], ...]

    @property
    def name(self) -> str:
        """The loss's name, or the whole spec where it is a sum."""
        return self.parts[0][1].loss.name if len(self.parts) == 1 else str(self.spec)

    @property
    def whole(self) -> bool:
        """Whether a part needs all rows at once, and with it the sum."""
        return any(part.loss.whole_for(part.params) for _, part in self.parts)

    @property
    def single(self) -> bool:
        """Whether no sample has a loss of its own."""
        return any(part.loss.single_for(part.params) for _, part in self.parts)

    @property
    def rules(self) -> Convention:
        """What the convention says beside the parameters, where the spec has one of all parts."""
        first = self.parts[0][1]
        same = len({part.convention for _, part in self.parts}) == 1
        return first.rules if same else _EXACT

    @property
    def model(self) -> int | None:
        """Whose loss it is; None where it is what two models differ by."""
        models = {part.model for _, part in self.parts}
        return models.pop() if len(models) == 1 else None

    @property
    def difference(self) -> bool:
        """Whether it is what two models differ by."""
        return self.model is None

    def of(self, model: int) -> Bound:
        """The same loss of another model."""
        return self._replace(
            parts=tuple((factor, part._replace(model=model)) for factor, part in self.parts)
        )

    def against(self, model: int) -> Bound:
        """How much higher the loss of a model is than this one."""
        theirs = self.of(model).parts
        mine = tuple((-factor, part) for factor, part in self.parts)
        return self._replace(parts=(*theirs, *mine))

    @property
    def full(self) -> str:
        """The spec with every parameter, for the signature."""
        terms = ((factor, str(part)) for factor, part in self.parts)
        return "+".join(text if factor == 1 else f"{factor!r}*{text}" for factor, text in terms)


def each_convention(text: str) -> list[str]:
    """The specs that `NAME@*` stands for: the exact loss and every convention of it.

    The arrays are of one kind, so that what says which (`from_logits`, `log_prediction`) is
    the same for all: as given, or as the exact loss has it. Any other spec stands for itself.

    Raises:
        SpecError: `@*` in a sum.
    """
    spec = parse(text)
    if not any(item.convention == "*" for _, item in spec.terms):
        return [text]
    if len(spec.terms) > 1:
        raise SpecError(f"loss spec {text!r}: @* stands in a sum", "give it by itself: NAME@*")
    factor, item = spec.terms[0]
    loss = get(item.name)
    forms = {one.unless for one in loss.inputs} - {name for name, _ in item.params}
    exact = [(param.name, param.default) for param in loss.params if param.name in forms]
    found = [LossSpec(item.name, None, item.params)]
    for name, brought in loss.conventions.items():
        differ = tuple(
            (key, value) for key, value in exact if brought.params.get(key, value) != value
        )
        found.append(LossSpec(item.name, name, (*differ, *item.params)))
    return [str(Spec(((factor, one),))) for one in found]


def resolve(
    text: str, given: Mapping[str, Value] | None = None, convention: str | None = None
) -> Bound:
    """Bind a spec's text to losses and parameters.

    Args:
        text: The spec.
        given: More parameters, for each loss of the spec that has them.
        convention: For each loss of the spec that names none.

    Raises:
        SpecError: A loss, convention or parameter that is not known or not valid.
    """
    spec = parse(text)
    terms, parts = [], []
    for factor, item in spec.terms:
        loss = get(item.name)
        whose = item.convention or convention
        params = {**(given or {}), **dict(item.params)}
        terms.append((factor, LossSpec(loss.name, whose, tuple(params.items()))))
        parts.append((factor, Part(loss, loss.validate(params, whose), whose)))
    return Bound(text.strip(), Spec(tuple(terms)), tuple(parts))
