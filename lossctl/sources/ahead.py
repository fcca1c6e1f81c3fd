"""Work done on threads a few items ahead, its results in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(work: Callable[[Item], Result], items: Iterator[Item], most: int) -> Iterator[Result]:
    """Map in order, on at most so many threads.

    Items are taken one by one on the calling thread, as streams need it. One item more than
    there are threads is in memory.
    """
    threads = min(most, os.cpu_count() or 1)
    running: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads, "lossctl-read") as pool:
        for item in items:
            running.append(pool.submit(work, item))
            if len(running) > threads:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
