"""The collector of reference cycles stands still while rules are read: all that is made then stays, and it would look through it again and
again, a third of the time of a large file. Nothing is kept longer for it: counting references goes on."""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def uncollected(function: Callable[P, T]) -> Callable[P, T]:
    """The function, with the collector off while it runs, if it was on."""

    @wraps(function)
    def quietly(*args: P.args, **kwargs: P.kwargs) -> T:
        was_on = gc.isenabled()
        gc.disable()
        try:
            return function(*args, **kwargs)
        finally:
            if was_on:
                gc.enable()

    return quietly
