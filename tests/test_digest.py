"""The digest of the inputs' values: the same for the same values, another for any others."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lossctl.align.rows import Batch
from lossctl.reduce import digest


def of(*inputs: Any, weight: Any = None) -> bytes:
    named = {f"i{i}": np.asarray(array) for i, array in enumerate(inputs)}
    holes = [name for name, array in named.items() if (array != array).any()]
    return digest.block(Batch(named, weight, (), None), holes)


VALUES = st.sampled_from([0.0, 1.0, -1.0, 0.5, 2.0, 3.0, 1e-300, np.inf, -np.inf]) | st.floats(
    allow_nan=False
)
VECTORS = arrays.arrays(np.float64, st.integers(2, 40), elements=VALUES)
LONG = digest.LANES * 2 + 5


def differs(first: Any, second: Any) -> None:
    assert (of(first) != of(second)) == (not np.array_equal(first, second))


@given(VECTORS, st.data())
def test_any_change_of_one_value_changes_it(vector: Any, data: st.DataObject) -> None:
    other = vector.copy()
    other[data.draw(st.integers(0, len(vector) - 1))] = data.draw(VALUES)
    differs(vector, other)


@given(VECTORS, st.data())
def test_permutations_change_it(vector: Any, data: st.DataObject) -> None:
    differs(vector, vector[data.draw(st.permutations(range(len(vector))))])


@given(VECTORS, st.data())
def test_any_number_of_flipped_signs_changes_it(vector: Any, data: st.DataObject) -> None:
    flips = data.draw(arrays.arrays(bool, len(vector)))
    differs(vector, np.where(flips, -vector, vector))


@given(arrays.arrays(np.float64, (6, 3), elements=VALUES), st.permutations(range(6)))
def test_permutations_of_rows_change_it(table: Any, order: list[int]) -> None:
    differs(table, table[order])


@given(st.integers(0, LONG - 1), st.integers(0, LONG - 1), st.sampled_from([-1.0, 0.0, 2.0]))
def test_changes_in_long_vectors_do_not_cancel(first: int, second: int, value: float) -> None:
    assume(first != second)
    vector = np.ones(LONG)
    other = vector.copy()
    other[[first, second]] = value
    differs(vector, other)
    other[first] = 1.0
    third = vector.copy()
    third[first] = value
    differs(other, third)  # the same two values, swapped


def test_even_numbers_of_flipped_signs_in_one_chain_are_seen() -> None:
    vector = np.random.default_rng(1).normal(size=digest.LANES * 8)
    found = {of(vector)}
    for first in range(8):
        for second in range(first + 1, 8):
            other = vector.copy()
            other[[first * digest.LANES, second * digest.LANES]] *= -1
            found.add(of(other))
    assert len(found) == 1 + 28


@pytest.mark.parametrize("size", [13, 5_000, 3 * digest.LANES])
def test_labels_keep_all_their_bits(size: int) -> None:
    random = np.random.default_rng(0)
    count = 2_000 if size == 5_000 else 200
    vectors = {random.integers(0, 2, size).astype(np.uint8).tobytes() for _ in range(count)}
    found = {of(np.frombuffer(vector, np.uint8)) for vector in vectors}
    assert len(found) == len(vectors)


@given(arrays.arrays(np.float32, st.integers(0, 30)))
def test_float32_counts_as_its_float64(vector: Any) -> None:
    assert of(vector) == of(vector.astype(np.float64))


@pytest.mark.parametrize("dtype", ["?", "i1", "u1", "<i2", ">i4", "<i8", "<u8", "f2", ">f8", "O"])
def test_equal_numbers_are_equal_in_every_type(dtype: str) -> None:
    vector = np.random.default_rng(2).integers(0, 2, LONG)
    assert of(vector.astype(dtype)) == of(vector.astype(np.float64))


def test_the_layout_in_memory_does_not_matter() -> None:
    table = np.random.default_rng(3).normal(size=(50, 7))
    assert of(np.asfortranarray(table)) == of(table) == of(np.repeat(table, 2, axis=1)[:, ::2])


def test_zeros_and_nans_are_one_each() -> None:
    assert of([0.0, 1.0]) == of([-0.0, 1.0])
    bits = [0x7FF8_0000_0000_0000, 0xFFF8_0000_0000_0000, 0x7FF8_0000_0000_0001]
    nans = [np.array([bit, 0], np.uint64).view(np.float64) for bit in bits]
    assert len({of(vector) for vector in nans}) == 1
    assert of(nans[0]) not in (of([np.inf, 0.0]), of([0.0, 0.0]))
    with np.errstate(all="raise"):
        assert of([np.inf, -np.inf, np.nan]) != of([np.inf, np.nan, -np.inf])


def test_shapes_complex_numbers_and_inputs_are_told_apart() -> None:
    vector = np.arange(6.0)
    different = [
        of(vector), of(vector.reshape(3, 2)), of(vector.reshape(2, 3)), of(vector.view(complex)),
        of(vector[:5]), of(np.append(vector, 0.0)), of(vector, vector), of(vector, weight=vector),
        of(vector, vector[::-1]), of(vector[::-1], vector), of(np.empty(0)),
    ]  # fmt: skip
    assert len(set(different)) == len(different)
    assert of(vector.view(complex)) == of(vector.view(complex).astype(np.complex64))


def test_threads_do_not_disturb_each_other() -> None:
    vectors = [np.random.default_rng(i).normal(size=LONG) for i in range(8)] * 4
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(of, vectors)) == [of(vector) for vector in vectors]
