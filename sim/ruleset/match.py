"""Is a value one of these items? As source for a comparison, and as a Finder for sets with many intervals and for maps.

Scalars are looked up by hash, intervals by bisection, concatenations with ranges in a Grid, so that none grows with the size of the set.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from sim.ruleset.model import CatchAll, Item, Prefix, Range, Wildcard

Span = tuple[Any, Any]
_FEW = 8  # fewer concatenations with ranges than this are walked
_LAST = "\U0010ffff"


def span(item: Item) -> Span | None:
    """(low, high) of a range or prefix, both included; None for anything else."""
    if isinstance(item, Range):
        return item.low, item.high
    if isinstance(item, Prefix):
        host = (1 << (len(item.address) * 8 - item.length)) - 1
        return item.address, (int.from_bytes(item.address) | host).to_bytes(len(item.address))
    return None


def _is_plain(item: Item) -> bool:
    """Whether equality decides: a scalar, or a concatenation of scalars."""
    if isinstance(item, Range | Prefix | Wildcard | CatchAll):
        return False
    return not isinstance(item, tuple) or all(_is_plain(each) for each in item)


def _is_mixed(item: Item) -> bool:
    """Whether it is a concatenation with ranges in it."""
    return not _is_plain(item) and not isinstance(item, Range | Prefix | Wildcard | CatchAll)


def holds(item: Item, value: Any) -> bool:
    """Whether one item holds the value."""
    if isinstance(item, CatchAll):
        return True
    if isinstance(item, Wildcard):
        return bool(value.startswith(item.start))
    edges = span(item)
    if edges is not None:
        return bool(edges[0] <= value <= edges[1])
    if isinstance(item, tuple):
        return all(holds(each, part) for each, part in zip(item, value, strict=True))
    return bool(item == value)


class Grid:
    """Concatenations with ranges: for each field the stretches between all edges, each with the items that cover it as bits of a number.

    A value is looked for by bisection in each field, and the numbers are and-ed: the lowest bit left is the item. So the work does
    not grow with the items but by a machine word for 64 of them.
    """

    def __init__(self, entries: Sequence[tuple[Item, int]]) -> None:
        self._payloads = [payload for _, payload in entries]
        self._fields = [_stretches(column) for column in zip(*(item for item, _ in entries), strict=True)]

    def find(self, value: Any) -> int:
        """The payload for a tuple, or -1."""
        left = self.covering(value)
        return self._payloads[(left & -left).bit_length() - 1] if left else -1

    def covering(self, value: Any) -> int:
        """The items that hold a tuple, as bits."""
        left = -1
        for (starts, covers), part in zip(self._fields, value, strict=True):
            at = bisect_right(starts, part) - 1
            if at < 0 or not (left := left & covers[at]):
                return 0
        return left


def _stretches(column: Sequence[Item]) -> tuple[list[Any], list[int]]:
    """Where each stretch of one field starts, and which items cover it."""
    changes: dict[Any, int] = {}
    for number, item in enumerate(column):
        low, high = _ends(item)
        changes[low] = changes.get(low, 0) ^ 1 << number
        behind = _next(high)
        if behind is not None:
            changes[behind] = changes.get(behind, 0) ^ 1 << number
    starts, covers, cover = sorted(changes), [], 0
    for start in starts:
        cover ^= changes[start]
        covers.append(cover)
    return starts, covers


def _ends(item: Any) -> Span:
    if isinstance(item, Wildcard):
        return item.start, item.start + _LAST
    return span(item) or (item, item)


def _next(value: Any) -> Any:
    """The smallest value above; None above the greatest address."""
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return value + "\0"
    number = int.from_bytes(value) + 1
    return None if number >> len(value) * 8 else number.to_bytes(len(value))


class Finder:
    """Finds the payload (an int from 0) of the item that holds a value; -1 when none does."""

    def __init__(self, entries: Sequence[tuple[Item, int]]) -> None:
        self._plain = {item: payload for item, payload in entries if _is_plain(item)}
        spans = sorted((edges, payload) for item, payload in entries if (edges := span(item)) is not None)
        self._apart = all(left[0][1] < right[0][0] for left, right in pairwise(spans))
        self._lows = [edges[0] for edges, _ in spans]
        self._spans = spans
        others = [(item, payload) for item, payload in entries if not _is_plain(item) and span(item) is None]
        self._otherwise = next((payload for item, payload in others if isinstance(item, CatchAll)), -1)
        boxes = [(item, payload) for item, payload in others if isinstance(item, tuple) and not isinstance(item, Wildcard)]
        self._grid = Grid(boxes) if len(boxes) > _FEW else None
        self._walked = [each for each in others if not isinstance(each[0], CatchAll) and (self._grid is None or each not in boxes)]

    def find(self, value: Any) -> int:
        """The payload for `value`, or -1."""
        found = self._plain.get(value, -1)
        if found < 0 and self._spans:
            found = self._in_spans(value)
        if found < 0 and self._walked:
            found = next((payload for item, payload in self._walked if holds(item, value)), -1)
        if found < 0 and self._grid is not None:
            found = self._grid.find(value)
        return found if found >= 0 else self._otherwise

    def _in_spans(self, value: Any) -> int:
        if not self._apart:
            return next((payload for (low, high), payload in self._spans if low <= value <= high), -1)
        at = bisect_right(self._lows, value) - 1
        return self._spans[at][1] if at >= 0 and value <= self._spans[at][0][1] else -1


def items_test(source: str, items: Sequence[Item], negate: bool, keep: Callable[[Any], str]) -> str:
    """The source that says whether the value read by `source` is one of `items` (is none of them, with `negate`)."""

    def literal(value: Any) -> str:
        return repr(int(value)) if isinstance(value, int) else keep(value)

    if any(isinstance(item, CatchAll) for item in items):
        return "False" if negate else "True"
    plain = [item for item in items if _is_plain(item)]
    if len(plain) == len(items) == 1:
        return f"{source} {'!=' if negate else '=='} {literal(plain[0])}"
    if len(plain) == len(items):
        return f"{source} {'not in' if negate else 'in'} {keep(frozenset(plain))}"
    if len(items) > 2 or any(_is_mixed(item) for item in items):
        return f"{keep(Finder([(item, 0) for item in items]))}.find({source}) {'<' if negate else '>='} 0"
    atoms = []
    for item in items:
        edges = span(item)
        if isinstance(item, Wildcard):
            atoms.append(f"{source}.startswith({keep(item.start)})")
        elif edges is not None:
            atoms.append(f"{literal(edges[0])} <= {source} <= {literal(edges[1])}")
        else:
            atoms.append(f"{source} == {literal(item)}")
    test = atoms[0] if len(atoms) == 1 else f"({' or '.join(atoms)})"
    return f"not ({test})" if negate else test
