"""Files read by position, from any thread.

Never mapped: a mapped file that is cut while it is read kills the process, and its pages
count as memory used.
"""

from __future__ import annotations

import os
from threading import Lock
from typing import TYPE_CHECKING, Any

from lossctl.errors import DataError
from lossctl.sources.failures import reading

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


class Opened:
    """An open file that is read by position, from any thread, closed with its last user.

    Takes over the stream that it is given.
    """

    def __init__(self, stream: Any, name: str) -> None:
        self.name = name
        self._stream: Any = None
        self._lock = Lock()
        self._descriptor = _descriptor_of(stream)
        if self._descriptor is None:
            self._stream = stream
        else:
            stream.close()

    def size(self) -> int:
        """The length of the file in bytes."""
        if self._descriptor is not None:
            return os.fstat(self._descriptor).st_size
        with self._lock:
            return int(self._stream.seek(0, os.SEEK_END))

    def fill(self, array: Array, offset: int) -> None:
        """Fill a contiguous array with the bytes at an offset."""
        import numpy as np

        if not array.nbytes:
            return
        view = array.reshape(-1).view(np.uint8).data
        done = 0
        with reading(self.name):
            while done < len(view):
                read = self._read(view[done:], offset + done)
                if not read:
                    raise DataError(
                        f"{self.name}: ended at byte {offset + done} while it was read",
                        "something cut it short: write it again, and leave it alone",
                    )
                done += read

    def take(self, offset: int, size: int) -> bytes:
        """Read some bytes."""
        import numpy as np

        if offset < 0:
            raise DataError(f"{self.name}: was cut short", "write it again")
        array = np.empty(size, np.uint8)
        self.fill(array, offset)
        return array.tobytes()

    def _read(self, view: memoryview, offset: int) -> int:
        if self._descriptor is not None:
            return os.preadv(self._descriptor, [view], offset)
        with self._lock:
            self._stream.seek(offset)
            return int(self._stream.readinto(view) or 0)

    def __del__(self) -> None:
        # Pieces on the worker threads hold on to the file, so it is closed with the last.
        if self._descriptor is not None:
            os.close(self._descriptor)
        elif self._stream is not None:
            self._stream.close()


def _descriptor_of(stream: Any) -> int | None:
    """A descriptor of our own of a file of the system; others are read under a lock."""
    if not hasattr(os, "preadv"):
        return None
    try:
        return os.dup(stream.fileno())
    except (AttributeError, OSError, ValueError):
        return None
