"""Shrink: of a case that fails, the fewest steps that still fail. Delta debugging (Zeller and Hildebrandt, ddmin, 2002)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def shrink(items: Sequence[Item], fails: Callable[[Sequence[Item]], bool], tries: int = 400) -> list[Item]:
    """A part of `items`, in their order, that still fails and of which (within `tries`) nothing can be left out."""
    now, parts = list(items), 2
    while len(now) > 1 and tries > 0:
        size = -(-len(now) // parts)
        for start in range(0, len(now), size):
            less = now[:start] + now[start + size :]
            tries -= 1
            if less and fails(less):
                now, parts = less, max(parts - 1, 2)
                break
            if tries <= 0:
                return now
        else:
            if size == 1:
                return now
            parts = min(len(now), parts * 2)
    return now
