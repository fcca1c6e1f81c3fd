"""Work on threads, its results in the order of the items."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Found = TypeVar("Found")


def ordered(
    items: Iterable[Item], work: Callable[[Item], Found], threads: int, waiting: int = 1
) -> Iterator[Found]:
    """Map in order, on threads.

    A single item, and a single thread, cost no pool.

    Args:
        items: Taken one by one on the calling thread, as streams need it.
        work: What is done with each, on any thread.
        threads: How many there are.
        waiting: The items in memory beyond one for each thread.
    """
    source = iter(items)
    first = list(islice(source, 2))
    if len(first) < 2 or threads == 1:
        for item in first:
            yield work(item)
        yield from map(work, source)
        return
    from concurrent.futures import Future, ThreadPoolExecutor

    pool = ThreadPoolExecutor(threads, "lossctl")
    pending: deque[Future[Found]] = deque()
    try:
        pending.extend(pool.submit(work, item) for item in first)
        for item in source:
            pending.append(pool.submit(work, item))
            if len(pending) >= threads + waiting:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def ahead(items: Iterable[Item]) -> Iterator[Item]:
    """Take each next item on a thread of its own, while the one before is worked with.

    A single item costs no thread.

    Args:
        items: Taken one at a time, none of them None.
    """
    source = iter(items)
    first = list(islice(source, 2))
    yield from first
    if len(first) < 2:
        return
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(1, "lossctl")
    try:
        coming = pool.submit(next, source, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, source, None)
            yield item
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def available_cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
