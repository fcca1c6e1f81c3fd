"""What a loss is: the facts that stand beside its function, and what the function returns.

A loss has three parts. Its **kernel** is a pure function of arrays that returns statistics,
which can be summed. The **state** that sums them is the engine's business and the same for
all losses. Its **finish** turns the sums into the value; for most it is their mean.

Everything else that is known of a loss (help, documentation, validation, completion, tests)
follows from the `Loss` that `@loss` puts into the registry. Nothing here needs NumPy: the
array module comes in as `xp`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import nan
from typing import Any, NamedTuple, TypeAlias

from lossctl.errors import SpecError, nearest
from lossctl.spec import Value, format_value

Array: TypeAlias = Any  # an array of the module `xp`
ArrayModule: TypeAlias = Any  # numpy or cupy
Kernel: TypeAlias = Callable[..., Any]
Finish: TypeAlias = Callable[..., Any]  # (xp, sums, weights, **params) -> values


class Elements(NamedTuple):
    """Per-element values that carry weights (class weights, an ignore mask).

    Both are (n, …), of one shape. The mean is Σ weight·value / Σ weight; an element of
    weight 0 takes no part, whatever its value.
    """

    values: Array
    weights: Array


class Sums(NamedTuple):
    """Statistics that the kernel has summed over each sample's elements itself.

    `values` is (n, *state); `weights` is the same shape, or None for ones. The finish
    gets their sums over samples; axes that it leaves are averaged and reported one by one.
    """

    values: Array
    weights: Array | None = None


# A kernel returns an array (n, …) of per-element values, `Elements`, `Sums`, or a tuple of
# arrays: one statistic each, of as many samples as its own input has.


class Domain(NamedTuple):
    """The values that an input may take."""

    text: str
    check: Callable[[ArrayModule, Array, str], None]
    """(xp, values, input name); raises `InvalidInput`."""
    exclusive: tuple[float, ...] = ()  # values of which a data set may hold only one


class InvalidInput(Exception):  # noqa: N818 - it is raised in a sentence
    """Values that a loss does not take; the engine adds the file and the row.

    Args:
        name: The input.
        bad: Boolean (n, …), true where a value is refused; None where it is the shape.
        why: The sentence's end behind the input's name; `{value}` stands for the first
            refused value.
        hint: What to do.
    """

    def __init__(self, name: str, bad: Array | None, why: str, hint: str = "") -> None:
        super().__init__(name, why)
        self.name, self.bad, self.why, self.hint = name, bad, why, hint
        self.loss = ""  # that does not take them; the engine knows


REQUIRED = "(required)"  # the default of a parameter that must be given


@dataclass(frozen=True, eq=False, repr=False)  # a third of the cost of all methods
class Param:
    """A parameter: its default, its bounds and what it means.

    The kind is that of the default, or of `kind` where the default is none or required.
    """

    name: str
    default: Value
    help: str
    kind: str = ""  # number, integer, flag, choice, text, or numbers (one or a list)
    above: float | None = None
    below: float | None = None
    least: float | None = None
    most: float | None = None
    choices: tuple[str | int, ...] = ()  # of a choice, or of a whole number
    unit: str = ""

    def __post_init__(self) -> None:
        if not self.kind:
            kinds = {bool: "flag", int: "integer", float: "number", str: "choice"}
            object.__setattr__(self, "kind", kinds[type(self.default)])

    @property
    def bounds(self) -> str:
        """The bounds as text, for example `> 0` or `one of mean, none`."""
        if self.choices:
            return f"one of {', '.join(map(str, self.choices))}"
        if self.kind == "flag":
            return "true or false"
        if self.kind == "text":
            return "text"
        signs = ((">", self.above), ("≥", self.least), ("<", self.below), ("≤", self.most))
        parts = [f"{sign} {limit:g}" for sign, limit in signs if limit is not None]
        kind = {"integer": "a whole number", "numbers": "a number or a list"}
        return " ".join(
            [kind.get(self.kind, "a number"), *([" and ".join(parts)] if parts else [])]
        )

    def validate(self, value: Value, where: str) -> Value:
        """Return the value in the parameter's own type.

        Raises:
            SpecError: The value is of another type or out of bounds.
        """
        if value is None and "none" in self.choices:
            value = "none"  # the word, which a spec reads as no value
        if value is None and self.default is None:
            return None
        items = value if isinstance(value, tuple) and self.kind == "numbers" else (value,)
        if not items or not all(self._accepts(item) for item in items):
            shown = format_value(value)
            optional = " (or none)" if self.default is None else ""
            raise SpecError(f"{where}: {self.name} must be {self.bounds}{optional}, not {shown}")
        if self.kind in ("number", "numbers"):
            numbers = tuple(float(item) for item in items)  # type: ignore[arg-type]
            return numbers if isinstance(value, tuple) else numbers[0]
        if self.kind == "integer":
            return int(value)  # type: ignore[arg-type]
        return value

    def _accepts(self, value: Value) -> bool:
        if self.kind == "text":
            return isinstance(value, str) and bool(value)
        if self.kind == "choice":
            return isinstance(value, str) and value in self.choices
        if self.kind == "flag" or isinstance(value, bool):
            return self.kind == "flag" and isinstance(value, bool)
        if not isinstance(value, int | float) or value != value:
            return False
        return (
            (self.kind != "integer" or float(value).is_integer())
            and (not self.choices or value in self.choices)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
            and (self.least is None or value >= self.least)
            and (self.most is None or value <= self.most)
        )


class Input(NamedTuple):
    """An input: its shape, its domain, and whether it may be left out."""

    name: str
    shape: str = "(N, …)"  # N is the samples; a letter is one length wherever it stands
    domain: Domain | None = None
    unless: str = ""  # the flag whose truth lifts the domain (from_logits, log_input, …)
    optional: bool = False
    constant: bool = False  # may also be one number, given as a parameter of this name
    labels: bool = False  # class ids or other whole numbers, never turned into floats
    complex: bool = False  # may hold complex numbers
    ragged: bool = False  # rows may be lists of any lengths, padded with −1
    help: str = ""


class Example(NamedTuple):
    """Inputs whose value is known independently of this program."""

    inputs: Mapping[str, Any]
    value: float
    params: Mapping[str, Value] = {}
    reduction: str = "mean"


class Convention(NamedTuple):
    """A library's definition: what its default call fixes that the exact loss leaves open."""

    call: str  # the library's function, for example `keras.losses.BinaryCrossentropy`
    params: Mapping[str, Value] = {}
    reduction: str = "mean"  # unless another is asked for
    note: str = ""  # what differs, in one line
    row_means: bool = False  # a mean over the last axis comes first, so that a sum adds means
    multiplies: bool = False  # sample weights multiply; the mean still divides by the count
    empty: float = nan  # the value where nothing is left to evaluate


PREDICTION = Input("prediction")
TARGET = Input("target")


@dataclass(frozen=True, eq=False, repr=False)
class Loss:
    """A registered loss: all its facts, its kernel and its finish."""

    name: str
    task: str
    summary: str
    formula: str
    use: str  # when to choose it and what it is sensitive to
    reference: str
    example: Example
    kernel: Kernel
    inputs: tuple[Input, ...] = (PREDICTION, TARGET)
    alternatives: tuple[tuple[str, ...], ...] = ()  # sets of inputs of which one is needed
    params: tuple[Param, ...] = ()
    aliases: tuple[str, ...] = ()
    finish: Finish | None = None
    finish_when: tuple[str, Value] | None = None  # the parameter's value that asks for it
    whole: bool = False  # the kernel needs all rows at once, in memory
    single: bool = False  # one number of all rows together; a sample has no loss of its own
    whole_when: tuple[str, Value] | None = None  # the value that asks for both
    stepwise: bool = False  # it goes along an axis of its input, with a few numbers at a time
    memory: str = ""  # what it holds beside the rows, for one that needs them all
    spread: int | None = None  # the statistic of whose Σ w (x − x̄)² the finish takes, exactly
    pivot: str = ""  # the input whose mean over the first block the kernel takes as `pivot`
    unpaired: bool = False  # the inputs are samples of their own, of any lengths
    unit: str = ""  # of the value: "target", "target²", "nats", "" for none
    curve: str = ""  # of which one number it is a function: error, margin, probability
    traits: tuple[str, ...] = ()
    conventions: Mapping[str, Convention] = field(default_factory=dict)
    # inputs that tell the conventions apart, and parameters that all of them are to have
    contrast: Mapping[str, Any] = field(default_factory=dict)
    origin: str = ""  # the plugin that it comes from

    def finish_for(self, params: Mapping[str, Value]) -> Finish | None:
        """The finish under these parameters; None where the value is the mean itself."""
        return self.finish if _holds(self.finish_when, params) else None

    def whole_for(self, params: Mapping[str, Value]) -> bool:
        """Whether the loss needs all rows at once under these parameters."""
        return self.whole or (self.whole_when is not None and _holds(self.whole_when, params))

    def single_for(self, params: Mapping[str, Value]) -> bool:
        """Whether no sample has a loss of its own under these parameters."""
        return self.single or (self.whole_when is not None and _holds(self.whole_when, params))

    def input(self, name: str) -> Input:
        """The input of this name."""
        return next(item for item in self.inputs if item.name == name)

    def validate(
        self, given: Mapping[str, Value], convention: str | None = None
    ) -> dict[str, Value]:
        """All parameters: the defaults, then the convention's, then those given.

        Raises:
            SpecError: An unknown parameter or convention, one out of bounds, or one missing.
        """
        if convention is not None and convention not in self.conventions:
            known = ", ".join(self.conventions) or "none"
            raise SpecError(
                f"{self.name} has no convention {convention!r}", f"its conventions: {known}"
            )
        declared = {param.name: param for param in self.params}
        constants = {item.name for item in self.inputs if item.constant}
        for name in given:
            if name not in declared and name not in constants:
                names = [*declared, *sorted(constants)]
                hint = nearest(name, names) or f"it takes: {', '.join(names) or 'none'}"
                raise SpecError(f"{self.name} has no parameter {name!r}", hint)
        brought = self.conventions[convention].params if convention else {}
        values: dict[str, Value] = {}
        for name, param in declared.items():
            value = given.get(name, brought.get(name, param.default))
            if value == REQUIRED:
                raise SpecError(
                    f"{self.name} needs the parameter {name}: {param.help}",
                    f"for example: {self.name}:{name}={self._sample(name)}",
                )
            values[name] = param.validate(value, self.name)
        for name in constants & set(given):
            number = Param(name, 0.0, f"{name}, the same for all samples")
            values[name] = number.validate(given[name], self.name)
        return values

    def _sample(self, name: str) -> str:
        return format_value(self.example.params.get(name, 1))

    def __call__(self, **arguments: Any) -> Any:
        """Per-sample losses, (N,) float64, of arrays given by input name.

        Args:
            **arguments: The inputs by name, and parameters by name.

        Raises:
            DataError: The arrays do not fit the loss.
            SpecError: A parameter does not.
        """
        from lossctl.evaluation import per_sample

        return per_sample(self, arguments)


def _holds(condition: tuple[str, Value] | None, params: Mapping[str, Value]) -> bool:
    return condition is None or params[condition[0]] == condition[1]


def _task(module: str) -> str:
    """The task of a module: its own name, or that of the task's package that it is in."""
    ours = module.removeprefix("lossctl.losses.tasks.")
    return module.rpartition(".")[2] if ours == module else ours.partition(".")[0]


REGISTRY: dict[str, Loss] = {}
"""Every loss under its name and each of its aliases."""


def loss(*, name: str = "", task: str = "", **facts: Any) -> Callable[[Kernel], Kernel]:
    """Register the decorated kernel as a loss; decorators may be stacked on one kernel.

    Args:
        name: The loss's name; default the function's.
        task: The task; default the name of the module, or of the task's package.
        **facts: The other fields of `Loss`.
    """

    def register(kernel: Kernel) -> Kernel:
        item = Loss(
            name=name or kernel.__name__,
            task=task or _task(kernel.__module__),
            kernel=kernel,
            **facts,
        )
        for key in (item.name, *item.aliases):
            if key in REGISTRY:
                known = REGISTRY[key]
                whose = f"the plugin {known.origin}" if known.origin else "lossctl"
                raise SpecError(
                    f"{item.name}: the name {key!r} is already taken by {known.name} of {whose}",
                    "choose another name",
                )
            REGISTRY[key] = item
        return kernel

    return register
