"""Memory that is given back and asked for again, block by block."""

from __future__ import annotations

import os
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # of glibc's <malloc.h>
_LARGEST = 1 << 25  # what a threshold may be at most


def keep() -> None:
    """Keep what is freed for the next block, where the C library can be told so.

    Each block's temporaries are large enough for glibc to return them to the system at once,
    which then clears every page anew: more than half of the time of a simple loss.
    """
    import ctypes

    from lossctl.ordered import available_cores

    cores = available_cores()
    # Of Arrow's allocators the one that holds the least beside what is in use, which its builds
    # for Linux have; to be chosen before it is loaded.
    pool = "jemalloc" if sys.platform == "linux" else "system"
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", pool)
    # Two threads to an arena: what one of them frees, the other takes.
    os.environ.setdefault("JE_ARROW_MALLOC_CONF", f"narenas:{max(1, cores // 2)}")
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return  # another C library
    mallopt(_MMAP_THRESHOLD, _LARGEST)
    mallopt(_TRIM_THRESHOLD, 1 << 30)
    # Those that read and those that evaluate take turns on the cores, and share what is kept.
    mallopt(_ARENA_MAX, cores)
