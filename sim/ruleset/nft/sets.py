"""Named sets and maps: what their blocks declare, and the draft of one set to which elements are added and from which they are deleted.

The draft speaks as nft 1.0.6 and the kernel do: which element clashes, overlaps or is not there. How they are listed: setlisting.py.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from sim.ruleset.match import Grid, holds
from sim.ruleset.model import CatchAll, Element, Item, NamedSet, Prefix, Range, Table, Verdict, Wildcard
from sim.ruleset.nft.elements import Interfaces, Values, bounds, interval_item, listed_order
from sim.ruleset.nft.keeping import check_kept
from sim.ruleset.nft.refusals import EEXIST, ENFILE, ENOENT, process
from sim.ruleset.nft.scanner import At
from sim.ruleset.nft.settypes import OBJECT_KINDS, data_rows, key_rows
from sim.ruleset.nft.syntax import Braces, Mistake, Symbol, VerdictOf
from sim.ruleset.nft.syntax import Element as Written

_MANY = 8  # so many concatenations with ranges are compared at once
_NO_INTERVAL = "You must add 'flags interval' to your set declaration if you want to add {} elements"
OVERLAPS = "interval overlaps with an existing one"
_NO_MAP = "Could not process rule: Invalid argument"


class Read(NamedTuple):
    """An element as it was read: its model, where it stands, and the place of its key."""

    element: Element
    at: At
    written: Written


class Elements:
    """Reads the elements in braces for one set. `jumps` and `objects`: the chains and objects that they name, with their places."""

    def __init__(self, found: NamedSet, interfaces: Interfaces) -> None:
        self._set, self._interfaces = found, interfaces
        self._keys = Values(key_rows(found), interfaces)
        self._data = Values(data_rows(found), interfaces) if found.data not in ("", "verdict", *OBJECT_KINDS) else None
        self.jumps: list[tuple[str, At]] = []
        self.objects: list[tuple[str, At]] = []

    def read(self, braces: Braces, deleting: bool = False) -> list[Read]:
        """All of them. Raises Mistake and NotSimulated."""
        return [self._one(each, deleting) for each in braces.elements]

    def _one(self, written: Written, deleting: bool) -> Read:
        key = self._keys.item(written.key)
        self._check_key(key, written)
        value = None if deleting and written.value is None else self._value(written)
        options = written.options
        parts = () if deleting else check_kept(self._set, written)
        if options is None:
            return Read(Element(key, value, parts=parts), written.key.at, written)
        if options.timeout is not None and "timeout" not in self._set.flags and not self._set.timeout:
            process(_whole(written), "Invalid argument")
        element = Element(key, value, options.timeout, options.expires, options.comment, parts)
        return Read(element, written.key.at, written)

    def _check_key(self, key: Item, written: Written) -> None:
        if "interval" in self._set.flags:
            return
        parts = key if isinstance(key, tuple) and not isinstance(key, Range | Prefix | Wildcard) else (key,)
        for part in parts:
            if isinstance(part, Prefix | Range | Wildcard):
                kind = "prefix" if isinstance(part, Prefix) else "range"
                raise Mistake(written.key.at, _NO_INTERVAL.format(kind))

    def _value(self, written: Written) -> Verdict | Item | None:
        value, data = written.value, self._set.data
        if not data:
            if value is not None:
                raise Mistake(written.key.at, "mapping outside of map context")
            return None
        if data == "verdict" and isinstance(value, VerdictOf):
            if value.chain_at is not None:
                self.jumps.append((value.chain, written.key.at))
            return Verdict(value.name, value.chain)
        if value is None or isinstance(value, VerdictOf) or data == "verdict":
            raise Mistake(written.key.at, _NO_MAP)
        if data in OBJECT_KINDS:
            return self._object(value, written.key.at)
        assert self._data is not None
        return self._data.item(value)

    def _object(self, value: object, at: At) -> str:
        if not isinstance(value, Symbol):
            raise Mistake(value.at, "invalid expression: an object is named by its name")  # type: ignore[attr-defined]
        self.objects.append((value.text, at))
        return value.text


def _whole(written: Written) -> At:
    """To what the kernel's refusal points: of a map's element its options too."""
    if written.options is None or written.value is None:
        return written.key.at
    return At(written.key.at.start, written.options.at.end, written.key.at.source)


class SetDraft:
    """One set while a transaction works on it; `frozen()` is what the model gets."""

    def __init__(self, found: NamedSet) -> None:
        self.named, self._found_at_first = found, found.elements
        self._entries = {each.key: each for each in found.elements}
        self._interval = "interval" in found.flags
        self._ranged = self._interval and len(found.types) == 1
        self._lows: list[tuple[int, int, Item]] = []  # of an interval set of one field, sorted
        if self._ranged:
            self._lows = sorted((*edges, key) for key in self._entries if (edges := bounds_of(key)))
        self._changed = False

    def frozen(self) -> NamedSet:
        """The set with its elements in the kernel's order."""
        if not self._changed:
            return self.named
        if self.named.auto_merge and self._ranged and not self.named.data:
            self._merge()
        datatype = self.named.types[0] if len(self.named.types) == 1 else ""
        keys = sorted(self._entries, key=lambda key: listed_order(key, datatype, self._interval))
        self.named = replace(self.named, elements=tuple(self._entries[key] for key in keys))
        self._changed = False
        return self.named

    # ---- adding ------------------------------------------------------------------------------------------------------

    def add(self, read: list[Read], create: bool) -> None:
        """Put elements in. Raises Mistake, as nft and the kernel would."""
        self._changed = True
        if self._ranged and not (self.named.auto_merge and not self.named.data):
            self._check_overlap(read)
        fresh: set[Item] = set()
        many = self._interval and not self._ranged and len(read) > _MANY
        for each in read:
            self._put(each, create, fresh, not many)
        if many:
            self._check_all_boxes({each.element.key: each for each in reversed(read)}, fresh)

    def _check_all_boxes(self, read: dict[Item, Read], fresh: set[Item]) -> None:
        """As _check_boxes, for many at once."""
        boxes = [key for key in self._entries if isinstance(key, tuple)]
        grid = Grid([(key, 0) for key in boxes])
        for number, key in enumerate(boxes):
            if key not in fresh:
                continue
            earlier = (1 << number) - 1
            if any(grid.covering(corner) & earlier for corner in zip(*(_edges(part) for part in key), strict=True)):
                process(_whole(read[key].written), EEXIST)

    def _put(self, each: Read, create: bool, fresh: set[Item], check: bool) -> None:
        element, key = each.element, each.element.key
        known = self._entries.get(key)
        if known is not None:
            if known.value != element.value or (create and key not in fresh):
                process(_whole(each.written), EEXIST)
            self._entries[key] = self._again(known, element)
            return
        if check and self._interval and not self._ranged and isinstance(key, tuple):
            self._check_boxes(each, key)
        size = len(self._found_at_first) if "constant" in self.named.flags and self._found_at_first else self.named.size
        if size and len(self._entries) >= size:
            process(_whole(each.written), ENFILE)
        fresh.add(key)
        self._entries[key] = element
        if self._ranged and (edges := bounds_of(key)):
            insort(self._lows, (*edges, key))

    def _again(self, known: Element, element: Element) -> Element:
        """An element that is there already lives on; its time-out begins anew."""
        if "timeout" not in self.named.flags:
            return known
        return replace(known, timeout=element.timeout, expires=element.expires)

    def _check_overlap(self, read: list[Read]) -> None:
        """set_overlap of nft: with what is there, and within what comes."""
        existing = [(low, high, 0, None) for low, high, _ in self._lows]
        coming = [(*edges, 1, each) for each in read if (edges := bounds_of(each.element.key))]
        coming.sort(key=lambda entry: entry[0])
        if existing and coming:
            first = max(0, bisect_right(self._lows, (coming[0][0],)) - 1)
            last = bisect_right(self._lows, (coming[-1][1] + 1,))
            existing = existing[first:last]
        merged = sorted([*existing, *coming], key=lambda entry: (entry[0], entry[2]))
        for before, after in pairwise(merged):
            if after[0] > before[1] or ((before[0], before[1]) == (after[0], after[1]) and not (before[2] and after[2])):
                continue
            self._overlap(before[3], after[3])

    @staticmethod
    def _overlap(before: Read | None, after: Read | None) -> None:
        if before is not None and after is not None:
            raise Mistake(_whole(after.written), "conflicting intervals specified", _whole(before.written))
        new = after if after is not None else before
        if new is not None:
            raise Mistake(_whole(new.written), OVERLAPS)

    def _check_boxes(self, each: Read, key: tuple[Item, ...]) -> None:
        """A concatenation with ranges may not lie with its lowest or highest corner in another (nft_pipapo_insert)."""
        low, high = zip(*(_edges(part) for part in key), strict=True)
        for other in self._entries:
            if isinstance(other, tuple) and (_inside(other, low) or _inside(other, high)):
                process(_whole(each.written), EEXIST)

    # ---- deleting ----------------------------------------------------------------------------------------------------

    def delete(self, read: list[Read]) -> None:
        """Take elements out. Raises Mistake for one that is not there."""
        self._changed = True
        if self._ranged:
            self._delete_ranges(read)
            return
        for each in read:
            key = self._found(each.element.key)
            if key is None:
                process(_whole(each.written), ENOENT)
            del self._entries[key]

    def _found(self, key: Item) -> Item | None:
        if key in self._entries:
            return key
        if not self._interval or not isinstance(key, tuple):
            return None
        low = tuple(_edges(part)[0] for part in key)
        return next((other for other in self._entries if isinstance(other, tuple) and _inside(other, low)), None)

    def _delete_ranges(self, read: list[Read]) -> None:
        """setelem_delete of nft: whole intervals, as they are listed."""
        for each in sorted(read, key=lambda one: bounds_of(one.element.key) or (-1, -1)):
            edges = bounds_of(each.element.key)
            if edges is None:
                self._drop(each)
                continue
            at = bisect_right(self._lows, edges[0], key=lambda entry: entry[0]) - 1
            if at < 0:
                raise Mistake(_whole(each.written), "element does not exist")
            low, high, key = self._lows[at]
            if (low, high) == edges:
                del self._lows[at], self._entries[key]
            else:
                raise Mistake(_whole(each.written), "element does not exist")

    def _drop(self, each: Read) -> None:
        if self._entries.pop(each.element.key, None) is None:
            process(_whole(each.written), ENOENT)

    def _merge(self) -> None:
        """Auto-merge: what overlaps or touches becomes one."""
        lows, merged = sorted(self._lows, key=lambda entry: (entry[0], entry[1])), list[tuple[int, int, Element]]()
        for low, high, key in lows:
            element = self._entries.pop(key)
            if merged and low <= merged[-1][1] + 1:
                first, last, kept = merged[-1]
                merged[-1] = (first, max(last, high), kept)
            else:
                merged.append((low, high, element))
        self._lows = []
        for low, high, element in merged:
            key = element.key if bounds_of(element.key) == (low, high) else interval_item(low, high, self.named.types[0])
            self._entries[key] = replace(element, key=key)
            self._lows.append((low, high, key))

    # ---- asking ------------------------------------------------------------------------------------------------------

    def get(self, read: list[Read]) -> NamedSet | None:
        """The set with those elements alone that hold what is asked for; None when one is not there."""
        found: dict[Item, Element] = {}
        for each in read:
            key = self._holding(each.element.key)
            if key is None:
                return None
            found[key] = self._entries[key]
        return replace(self.named, elements=tuple(found.values()), parts=())

    def _holding(self, key: Item) -> Item | None:
        if key in self._entries:
            return key
        edges = bounds_of(key)
        if self._ranged and edges is not None:
            at = bisect_left(self._lows, edges[0] + 1, key=lambda entry: entry[0]) - 1
            return self._lows[at][2] if at >= 0 and edges[1] <= self._lows[at][1] else None
        return self._found(key) if self._interval else None


def bounds_of(key: Item) -> tuple[int, int] | None:
    """(low, high) as numbers; names by their bytes, as nft's intervals of names go. None for `*`."""
    if isinstance(key, CatchAll):
        return None
    if isinstance(key, str):
        return _name_number(key, 0), _name_number(key, 0)
    if isinstance(key, Wildcard):
        return _name_number(key.start, 0), _name_number(key.start, 255)
    return bounds(key)


def _name_number(text: str, fill: int) -> int:
    raw = text.encode()[:16]
    return int.from_bytes(raw + bytes((fill,)) * (16 - len(raw)))


def _edges(part: Item) -> tuple[Item, Item]:
    if isinstance(part, Range):
        return part.low, part.high
    if isinstance(part, Prefix):
        host = (1 << len(part.address) * 8 - part.length) - 1
        return part.address, (int.from_bytes(part.address) | host).to_bytes(len(part.address))
    if isinstance(part, Wildcard):
        return part.start, part.start + "\U0010ffff"
    return part, part


def _inside(box: tuple[Item, ...], corner: tuple[Item, ...]) -> bool:
    return len(box) == len(corner) and all(holds(part, value) for part, value in zip(box, corner, strict=True))


def set_targets(named: NamedSet) -> Iterator[str]:
    """The chains that a verdict map goes to."""
    return (each.value.chain for each in named.elements if isinstance(each.value, Verdict) and each.value.chain)


def same_kind(one: NamedSet, other: NamedSet) -> bool:
    """Whether adding `other` where `one` is changes nothing."""
    return (one.types, one.flags, one.data) == (other.types, other.flags, other.data)


def put(table: Table, changed: NamedSet) -> Table:
    """The table with the set in the place of the one of its name."""
    return replace(table, sets=tuple(changed if each.name == changed.name else each for each in table.sets))

