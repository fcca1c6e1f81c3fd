"""Work on threads, its results in the order of the items."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Generic, TypeVar

Item = TypeVar("Item")
Found = TypeVar("Found")


class Job(Generic[Item, Found]):
    """An item that a thread works on."""

    def __init__(self, item: Item) -> None:
        self.item = item
        self.found: Found
        self.error: BaseException | None = None
        self.done = Lock()
        self.done.acquire()

    def run(self, work: Callable[[Item], Found]) -> None:
        """Work on it, and let those go on who wait for it."""
        try:
            self.found = work(self.item)
        except BaseException as error:
            self.error = error
        done = self.done
        del self.item  # which may hold a block
        del self  # which an error would hold, by its traceback, and be held by
        done.release()

    def result(self) -> Found:
        """What was found, as soon as it is.

        Raises:
            BaseException: What the work raised.
        """
        self.done.acquire()
        if self.error is not None:
            try:
                raise self.error
            finally:  # as above
                self.error = None
                del self
        return self.found


class Crew(Generic[Item, Found]):
    """Threads that take one job after the other.

    A pool of `concurrent.futures` would do, but its import takes as long as a million rows.
    """

    def __init__(self, work: Callable[[Item], Found], most: int) -> None:
        self._work, self._most = work, most
        self._jobs: SimpleQueue[Job[Item, Found] | None] = SimpleQueue()
        self._threads: list[Thread] = []

    def give(self, item: Item) -> Job[Item, Found]:
        """Have a thread work on an item, in turn."""
        job: Job[Item, Found] = Job(item)
        self._jobs.put(job)
        if len(self._threads) < self._most:
            thread = Thread(target=self._serve, name="lossctl", daemon=True)
            thread.start()
            self._threads.append(thread)
        return job

    def dismiss(self) -> None:
        """Forget the jobs that nobody has begun, and wait for the others."""
        with suppress(Empty):
            while True:
                self._jobs.get_nowait()
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.run(self._work)
            del job  # or it would be held until the next one comes


def ordered(
    items: Iterable[Item], work: Callable[[Item], Found], threads: int, waiting: int = 1
) -> Iterator[Found]:
    """Map in order, on threads.

    A single item, and a single thread, cost no other threads.

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
    crew = Crew(work, threads)
    pending: deque[Job[Item, Found]] = deque()
    try:
        pending.extend(crew.give(item) for item in first)
        for item in source:
            pending.append(crew.give(item))
            if len(pending) >= threads + waiting:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        crew.dismiss()


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
    crew: Crew[None, Item | None] = Crew(lambda _: next(source, None), 1)
    try:
        coming = crew.give(None)
        while (item := coming.result()) is not None:
            coming = crew.give(None)
            yield item
    finally:
        crew.dismiss()


def available_cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
