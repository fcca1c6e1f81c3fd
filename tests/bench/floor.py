"""Only reading the files, or decoding them in bounded memory, on the threads there are.

What any program that evaluates them must do at least; `measure` runs it as a process of its own.

    python floor.py FILE…          prints how many bytes or rows it saw
    python floor.py --bandwidth    prints the GB/s at which memory is read
"""

from __future__ import annotations

import gzip
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

THREADS = len(os.sched_getaffinity(0))
PIECE = 1 << 18  # bytes of a pass over memory; stays in the cache
SLAB = 4 << 20  # bytes of CSV that are parsed at once


def on_threads(work: Callable[[Any], int], items: Iterable[Any]) -> int:
    """The sum over all items, of which a few at a time are under way."""
    total = 0
    with ThreadPoolExecutor(THREADS) as pool:
        waiting: deque[Future[int]] = deque()
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > 2 * THREADS:
                total += waiting.popleft().result()
        return total + sum(one.result() for one in waiting)


def touch(data: Any) -> int:
    """Read all bytes once, by copying them into the cache."""
    import numpy as np

    size = len(data)
    each = -(-size // (4 * THREADS))

    def work(start: int) -> int:
        stop = min(start + each, size)
        cache = np.empty(min(PIECE, max(stop - start, 1)), "u1")
        for at in range(start, stop, PIECE):
            piece = data[at : min(at + PIECE, stop)]
            np.copyto(cache[: len(piece)], piece)
        return stop - start

    return on_threads(work, range(0, size, max(each, 1)))


def npy(files: list[str]) -> int:
    """Each file, mapped."""
    import numpy as np

    return sum(touch(np.memmap(file, "u1", "r")) for file in files)


def parquet(files: list[str]) -> int:
    """Row group by row group; a reader serves one thread at a time."""
    import pyarrow as pa
    from pyarrow import parquet

    def open_file() -> Any:
        return parquet.ParquetFile(pa.memory_map(files[0]), metadata=metadata)

    metadata = parquet.read_metadata(files[0])
    idle = deque(open_file() for _ in range(THREADS))

    def work(group: int) -> int:
        reader = idle.pop()
        rows = reader.read_row_group(group, use_threads=False).num_rows
        idle.append(reader)
        return int(rows)

    return on_threads(work, range(metadata.num_row_groups))


def feather(files: list[str]) -> int:
    """Batch by batch."""
    import pyarrow as pa

    idle = deque(pa.ipc.open_file(pa.memory_map(files[0])) for _ in range(THREADS))
    batches = idle[0].num_record_batches

    def work(index: int) -> int:
        reader = idle.pop()
        rows = reader.get_batch(index).num_rows
        idle.append(reader)
        return int(rows)

    return on_threads(work, range(batches))


def csv(files: list[str]) -> int:
    """Slabs of whole lines."""
    import pyarrow as pa
    from pyarrow import csv

    def work(slab: bytes) -> int:
        return int(csv.read_csv(pa.BufferReader(slab), read, convert_options=convert).num_rows)

    with open_bytes(files[0]) as source:
        names = source.readline().decode().rstrip().replace('"', "").split(",")
        types = {name: pa.float64() for name in names if name != "segment"}
        read = csv.ReadOptions(column_names=names, use_threads=False, block_size=SLAB * 2)
        convert = csv.ConvertOptions(column_types=types)
        return on_threads(work, slabs(source))


def slabs(source: Any) -> Iterator[bytes]:
    """The lines, some at a time."""
    rest = b""
    while piece := source.read(SLAB):
        body, newline, tail = piece.rpartition(b"\n")
        yield rest + body + newline
        rest = tail
    if rest:
        yield rest


def open_bytes(file: str) -> Any:
    if file == "-":
        return sys.stdin.buffer
    return gzip.open(file) if file.endswith(".gz") else open(file, "rb")


def bandwidth() -> float:
    """GB/s of the same pass over memory that `npy` makes, the best of several."""
    import numpy as np

    data = np.ones(1 << 29, "u1")
    fastest = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        touch(data)
        fastest = min(fastest, time.perf_counter() - start)
    return len(data) / fastest / 1e9


BY_FORMAT = {"npy": npy, "parquet": parquet, "feather": feather, "csv": csv, "gz": csv, "-": csv}

if __name__ == "__main__":
    given = sys.argv[1:]
    if given == ["--bandwidth"]:
        print(bandwidth())
    else:
        print(BY_FORMAT[given[0].rpartition(".")[2]](given))
