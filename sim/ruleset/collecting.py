"""Python's collector of reference cycles, where it costs much and finds nothing. Nothing is kept longer for it:
counting references goes on.

It stands still while rules are read: all that is made then stays, and it would look through it again and again, a third of the time of a
large file. And a program may have it look seldom while it simulates: a trace only grows.
"""

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


def collect_seldom(every: int = 10_000) -> None:
    """From now on in this process: what is there already is passed over, and the collector looks when `every` objects more are there
    than at its last look (Python's own number is 700)."""
    gc.freeze()
    gc.set_threshold(every, 20, 20)
