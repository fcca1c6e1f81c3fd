"""Work on threads: in order, whole, and with nothing left behind."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossctl.ordered import Crew, ahead, ordered

counts = st.integers(0, 40)
few = st.integers(1, 5)


def crew() -> list[str]:
    """The threads that work."""
    return [one.name for one in threading.enumerate() if one.name == "lossctl"]


@given(counts, few, st.integers(0, 4))
def test_it_is_a_map(items: int, threads: int, waiting: int) -> None:
    assert list(ordered(range(items), str, threads, waiting)) == list(map(str, range(items)))
    assert crew() == []


@given(counts)
def test_ahead_gives_the_same_items(items: int) -> None:
    assert list(ahead(range(items))) == list(range(items))
    assert crew() == []


@given(st.integers(2, 40), few, st.data())
def test_an_error_comes_in_its_place(items: int, threads: int, data: st.DataObject) -> None:
    bad = data.draw(st.integers(0, items - 1))

    def work(item: int) -> int:
        if item >= bad:
            raise ValueError(item)
        return item

    found = []
    with pytest.raises(ValueError, match=f"^{bad}$"):
        for one in ordered(range(items), work, threads):
            found.append(one)
    assert found == list(range(bad))
    assert crew() == []


def test_items_are_taken_on_the_calling_thread_and_no_further_than_is_asked() -> None:
    taken = []

    def items() -> Iterator[int]:
        for item in range(100):
            assert threading.current_thread() is threading.main_thread()
            taken.append(item)
            yield item

    found = ordered(items(), str, threads=2, waiting=1)
    assert next(found) == "0"
    assert len(taken) == 3  # one for each thread, and one that waits
    found.close()  # type: ignore[attr-defined]
    assert crew() == []


def test_an_error_of_the_source_comes_after_what_was_found() -> None:
    def items() -> Iterator[int]:
        yield from range(3)
        raise OSError("gone")

    found = ahead(items())
    assert [next(found) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(OSError, match="gone"):
        next(found)
    assert crew() == []


def test_jobs_that_nobody_has_begun_are_forgotten() -> None:
    begun, go = threading.Event(), threading.Event()
    done = []

    class Told(SimpleQueue[Any]):
        def put(self, item: Any, *_: Any) -> None:
            super().put(item)
            if item is None:  # the others are forgotten by now
                go.set()

    def work(item: int) -> None:
        begun.set()
        go.wait()
        done.append(item)

    busy: Crew[int, None] = Crew(work, 1)
    busy._jobs = Told()
    for item in range(5):
        busy.give(item)
    begun.wait()
    busy.dismiss()
    assert done == [0]


def test_an_error_holds_nothing_that_was_in_flight() -> None:
    class Thing:
        pass

    alive = []

    def things() -> Iterator[Thing]:
        for _ in range(6):
            thing = Thing()
            alive.append(weakref.ref(thing))
            yield thing

    def work(thing: Thing) -> None:
        raise ValueError("no")

    gc.disable()
    try:
        with suppress(ValueError):  # pytest.raises would hold the error
            list(ordered(things(), work, threads=2))
        found = [one() for one in alive]
    finally:
        gc.enable()
    assert found == [None] * len(alive)
