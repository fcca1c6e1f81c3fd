"""What several losses of one block start from, evaluated once for all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")

_thread = threading.local()


@contextmanager
def one_block(*, keep: bool = True) -> Iterator[None]:
    """Keep the results of `shared` functions meanwhile, on this thread; or share nothing."""
    before = getattr(_thread, "results", None)
    _thread.results = {} if keep else None
    try:
        yield
    finally:
        _thread.results = before


def shared(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Call the function once a block for the same arguments.

    Its arrays are not to be written into: they are read-only while they are kept.
    """

    @wraps(function)
    def kept(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        results = getattr(_thread, "results", None)
        if results is None:
            return function(*args, **kwargs)
        named = ((name, _identity(value)) for name, value in sorted(kwargs.items()))
        key = (function, *map(_identity, args), *named)
        if key not in results:
            found = function(*args, **kwargs)
            _protect(found)
            # with its arguments: none of their identities can pass to another array meanwhile
            results[key] = found, args, kwargs
        found = results[key][0]
        return found

    return kept


def room(array: Any) -> Any:
    """The array for `out=`, where a fresh one that nothing else reads; None where it is shared."""
    flags = getattr(array, "flags", None)
    return array if getattr(flags, "writeable", False) else None


def _identity(value: Any) -> Any:
    """What is equal for the same array, and for values that are the same in type and sign."""
    if isinstance(value, tuple):
        return type(value), *map(_identity, value)
    if isinstance(value, float):
        return float, repr(value)  # 0.0 equals −0.0
    try:
        hash(value)
    except TypeError:  # an array
        return "the object", id(value)
    return type(value), value


def _protect(found: Any) -> None:
    """Make arrays read-only, where the array module can."""
    if isinstance(found, tuple):
        for item in found:
            _protect(item)
    elif room(found) is not None:
        found.flags.writeable = False
