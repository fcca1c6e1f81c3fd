"""What losses of one block share: evaluated once, kept for the block, and never written into."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple
from weakref import ref

import numpy as np
import pytest

from lossctl import cli
from lossctl.align import rows
from lossctl.losses import get
from lossctl.losses.shapes import fit
from lossctl.losses.shared import one_block, room, shared


class Pair(NamedTuple):
    left: Any
    right: Any


@pytest.fixture
def calls() -> list[Any]:
    return []


@pytest.fixture
def double(calls: list[Any]) -> Callable[..., Any]:
    @shared
    def double(array: Any, *, times: float = 2, shift: float = 0) -> Any:
        calls.append((times, shift))
        return array * times + shift

    return double


def test_the_same_arguments_are_one_call_in_a_block(double: Any, calls: list[Any]) -> None:
    array, equal = np.arange(3.0), np.arange(3.0)
    with one_block():
        assert double(array) is double(array)
        assert double(equal) is not double(array)  # equal by value: not looked at
        assert len(calls) == 2
    double(array)
    double(array)
    assert len(calls) == 4  # no block, nothing kept
    with one_block():
        double(array)
        assert len(calls) == 5  # nor from one block to the next


def test_parameters_tell_calls_apart(double: Any, calls: list[Any]) -> None:
    array = np.arange(3.0)
    with one_block():
        assert double(array, times=3, shift=1) is double(array, shift=1, times=3)
        for times in (1, 1.0, True, 0.0, -0.0):
            double(array, times=times)
            double(array, times=times)
    assert list(map(repr, calls)) == [
        *("(3, 1)", "(1, 0)", "(1.0, 0)", "(True, 0)", "(0.0, 0)", "(-0.0, 0)")
    ]


def test_an_argument_lives_as_long_as_its_block(double: Any) -> None:
    array = np.zeros(2)
    alive = ref(array)
    with one_block():
        double(array)
        del array
        assert alive() is not None  # or another array might get its identity
    assert alive() is None


def test_functions_of_the_same_arguments_differ() -> None:
    one, other = shared(lambda x: x + 1), shared(lambda x: x + 2)
    array = np.zeros(2)
    with one_block():
        np.testing.assert_array_equal(one(array), [1, 1])
        np.testing.assert_array_equal(other(array), [2, 2])


def test_what_is_shared_is_read_only() -> None:
    pair = shared(lambda x: (Pair(x + 1, None), x + 2))
    with one_block():
        first, second = pair(np.zeros(2))
        for array in (first.left, second):
            with pytest.raises(ValueError, match="read-only"):
                array += 1
    first, second = pair(np.zeros(2))
    first.left[0] = 1  # nobody else has it


def test_there_is_room_in_what_nobody_else_reads() -> None:
    fresh = shared(lambda x: x + 1)
    array = np.zeros(2)
    assert room(array) is array
    array.flags.writeable = False  # as inputs are
    assert room(array) is None
    found = fresh(array)
    assert room(found) is found
    with one_block():
        assert room(fresh(array)) is None
    assert room(1.5) is None
    assert room(np.float64(1.5)) is None


def test_a_tuple_is_the_same_where_its_arrays_are(calls: list[Any]) -> None:
    @shared
    def sums(pair: Pair) -> Any:
        calls.append(pair)
        return pair.left + pair.right

    pair = Pair(np.zeros(2), np.ones(2))
    with one_block():
        assert sums(pair) is sums(Pair(*pair))
        assert sums(Pair(pair.right, pair.left)) is not sums(pair)
    assert len(calls) == 2


def test_an_error_is_not_kept(calls: list[Any]) -> None:
    @shared
    def broken() -> None:
        calls.append(None)
        raise ValueError

    with one_block():
        for _ in range(2):
            with pytest.raises(ValueError):
                broken()
    assert len(calls) == 2


def test_an_error_ends_the_block(double: Any, calls: list[Any]) -> None:
    array = np.zeros(2)
    with pytest.raises(KeyError), one_block():
        double(array)
        raise KeyError
    double(array)
    assert len(calls) == 2


def test_a_block_within_a_block_is_its_own(double: Any, calls: list[Any]) -> None:
    array = np.zeros(2)
    with one_block():
        outer = double(array)
        with one_block():
            assert double(array) is not outer
        with one_block(keep=False):
            assert double(array) is not double(array)
        assert double(array) is outer
    assert len(calls) == 4


def test_a_number_is_shared_as_it_is() -> None:
    total = shared(lambda x: x.sum())
    with one_block():
        assert total(np.ones(3)) == 3


def test_inputs_that_are_squeezed_stay_the_same_for_all_losses() -> None:
    arrays = {"prediction": np.zeros((3, 1)), "target": np.zeros(3)}
    with one_block():
        one, other = (fit(get(name), arrays)[0] for name in ("mse", "mae"))
    assert one["prediction"].shape == (3,)
    assert one["prediction"] is other["prediction"]


def test_threads_share_nothing(double: Any, calls: list[Any]) -> None:
    array = np.zeros(2)
    with one_block():
        double(array)
        thread = Thread(target=double, args=(array,))
        thread.start()
        thread.join()
    assert len(calls) == 2


def test_what_no_later_loss_shares_is_not_kept(tmp_path: Path) -> None:
    """Several losses need what they share and temporaries, and not the results of each."""
    target = np.random.default_rng(0).normal(size=3 * rows.MOST_ROWS)
    files = [str(tmp_path / name) for name in ("prediction.npy", "target.npy")]
    for file, array in zip(files, (target + 1, target)):
        np.save(file, array)

    def arrays(*losses: str) -> float:
        """How many columns of a block are held at once."""
        command = ["eval", *files, "-q", "--threads", "1"]
        command += [word for loss in losses for word in ("-l", loss)]
        cli.run(command)  # with what is imported, and kept for good
        tracemalloc.start()
        try:
            cli.run(command)
            return tracemalloc.get_traced_memory()[1] / (8 * rows.MOST_ROWS)
        finally:
            tracemalloc.stop()

    three = arrays("mse", "mae", "huber")
    assert three < arrays("mse") + 3.5
    assert arrays("mse", "mae", "huber", "log_cosh", "pinball:alpha=0.9") < three + 0.5
