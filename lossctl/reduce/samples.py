"""From what a kernel returns to sums over each sample's own elements."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any, NamedTuple

from lossctl.backend import Backend
from lossctl.errors import LossctlError
from lossctl.losses import Part
from lossctl.losses.definition import Array, Elements, InvalidInput, Sums
from lossctl.losses.numerics import weighed
from lossctl.losses.shared import one_block


class SampleSums(NamedTuple):
    """Per sample: sums of statistics and of their weights, on the host in float64.

    `values` is (n, *state). `weights` is the same shape, or one number where every sample
    weighs the same.
    """

    values: Array
    weights: Array | float
    unpaired: bool = False  # each statistic is of an input with rows of its own

    def times(self, weight: Array) -> SampleSums:
        """The statistics multiplied by each sample's weight; the counts stay."""
        import numpy as np

        factor = weight.reshape(-1, *[1] * (self.values.ndim - 1))
        # a weight of 0 leaves out even what is infinite
        return self._replace(values=np.where(factor == 0, 0.0, self.values * factor))

    def finished(self, part: Part, xp: Any) -> Array:
        """The per-sample losses (n,): the finish of each sample's own sums."""
        return finish(part, xp, self.values, self.weights, lead=1)


def finish(
    part: Part,
    xp: Any,
    values: Array,
    weights: Array | float,
    lead: int,
    spread: Array | None = None,
) -> Array:
    """The loss of sums of shape (*lead, *state); components are averaged."""
    return average(components(part, xp, values, weights, spread), xp, lead)


def average(found: Array, xp: Any, lead: int) -> Array:
    """Average the component axes, leaving out components that have no value."""
    if found.ndim == lead:
        return found
    axes = tuple(range(lead, found.ndim))
    missing = xp.isnan(found)
    count = (~missing).sum(axis=axes)
    return xp.where(missing, 0.0, found).sum(axis=axes) / xp.where(count == 0, xp.nan, count)


def components(
    part: Part, xp: Any, values: Array, weights: Array | float, spread: Array | None = None
) -> Array:
    """The finish of sums, before components are averaged."""
    function = part.loss.finish_for(part.params)
    if function is None:
        plain = isinstance(weights, float) and weights == 1.0
        return values if plain else values / weights
    more = {} if part.loss.spread is None else {"spread": spread}
    weights = xp.broadcast_to(xp.asarray(weights), values.shape)
    return function(xp, values, weights, **more, **part.params)


def summed(
    backend: Backend, part: Part, inputs: Mapping[str, Array], rows: int, **context: Any
) -> SampleSums:
    """Call the kernel and sum its statistics over each sample's elements.

    Args:
        backend: The array module's keeper.
        part: The loss and its parameters.
        inputs: Its arrays by name, (n, …) each.
        rows: The samples of the block, n; unpaired inputs may have fewer.
        **context: What the kernel takes beside them.
    """
    declared = {param.name for param in part.loss.params}
    params = {name: value for name, value in part.params.items() if name in declared}
    found = called(part, backend.xp, {**inputs, **params, **context})
    if part.rules.row_means and found.ndim > 1:
        found = found.mean(axis=-1, dtype="float64")
    if part.loss.origin and not _is_statistic(found):
        raise _plugin_error(part, f"returns {type(found).__name__}, and no array of values")
    if isinstance(found, tuple) and not isinstance(found, Elements | Sums):
        return _stacked(backend, found, rows)
    if isinstance(found, Sums):
        values = backend.host(found.values)
        weights = 1.0 if found.weights is None else backend.host(found.weights)
        return SampleSums(values.astype("float64", copy=False), weights)
    return _elements(backend, found)


def _is_statistic(found: Any) -> bool:
    return isinstance(found, tuple) or hasattr(found, "reshape")


def called(part: Part, xp: Any, arguments: Mapping[str, Any]) -> Any:
    """What the kernel returns; a plugin's mistakes are said to be the plugin's.

    Raises:
        LossctlError: A plugin's kernel fails.
    """
    try:
        # a plugin may write into what our kernels return to it
        with one_block(keep=False) if part.loss.origin else nullcontext():
            return part.loss.kernel(xp, **arguments)
    except (LossctlError, InvalidInput):
        raise
    except Exception as error:
        if not part.loss.origin:
            raise
        what = " ".join(f"{type(error).__name__}: {error}".split())
        raise _plugin_error(part, f"fails: {what}") from error


def _plugin_error(part: Part, what: str) -> LossctlError:
    return LossctlError(
        f"the loss {part.loss.name} of the plugin {part.loss.origin} {what}", "mend the plugin"
    )


def checked(part: Part, found: SampleSums, rows: int) -> SampleSums:
    """The sums, if there is one for each sample.

    Raises:
        LossctlError: There are more or fewer.
    """
    if found.unpaired or len(found.values) == rows:
        return found
    raise _plugin_error(
        part, f"returns values of {len(found.values)} samples where there are {rows}"
    )


def _elements(backend: Backend, found: Any) -> SampleSums:
    if isinstance(found, Elements):
        # a weight of 0 leaves out even what is infinite
        values = _row_sums(weighed(backend.xp, found.weights, found.values))
        return SampleSums(backend.host(values), backend.host(_row_sums(found.weights)))
    found = found.reshape(1) if found.ndim == 0 else found  # one number of all rows
    return SampleSums(backend.host(_row_sums(found)), float(math.prod(found.shape[1:])))


def _row_sums(array: Array) -> Array:
    """Sums in float64 over all axes but the first."""
    # cast before the sum: NumPy's buffered cast adds in an order that depends on the rows
    size = math.prod(array.shape[1:])
    flat = array.reshape(len(array), size).astype("float64", copy=False)
    return flat[:, 0] if size == 1 else flat.sum(axis=1)


def _stacked(backend: Backend, found: tuple[Any, ...], rows: int) -> SampleSums:
    import numpy as np

    values, weights = np.zeros((rows, len(found))), np.zeros((rows, len(found)))
    for index, statistic in enumerate(found):
        sums = _elements(backend, statistic)
        count = len(sums.values)
        values[:count, index] = sums.values
        weights[:count, index] = sums.weights
    return SampleSums(values, weights, unpaired=True)
