"""The connection table: entries by tuple, and what the kernel evicts when it is full. Decides nothing about packets, nor when they end."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from operator import attrgetter
from typing import Final

from sim import hugepages
from sim.conntrack.conn import Conn
from sim.conntrack.tuples import Key, Packed, mark_of_second, pack
from sim.conntrack.words import ASSURED
from sim.conntrack.zones import ID, in_original, in_reply

EVICTION_RANGE: Final = 8
"""NF_CT_EVICTION_RANGE: how many buckets early_drop looks into."""
LARGE: Final = 1 << 16
"""From so many entries on the table's memory goes into huge pages, and again whenever it has grown by a quarter."""


class Table:
    """Confirmed entries by (zone and) tuple; each stands under both its tuples, the reply's over the original's when they are equal.

    `default` has those of zone 0: tuples as `tuples.pack` makes them -> entry. Where zones hold for one direction alone, one entry's
    original tuple may be another's reply in the same zone: the newer stands before the older (`_behind`), as in a bucket of the kernel's.
    """

    def __init__(self) -> None:
        self.default: dict[Packed, Conn] = {}
        self.zones: dict[int, dict[Packed, Conn]] = {0: self.default}
        self._behind: dict[tuple[int, Packed], list[Conn]] = {}
        self._one_way = False
        self._buckets: dict[int, list[Conn]] | None = None
        self._size = 0
        self._count = 0
        self._large = LARGE

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Conn]:
        """Those of a zone in the order in which they were confirmed; where there are several zones, in that of their making."""
        used = [keys for keys in self.zones.values() if keys]
        found = [conn for keys in used for key, conn in keys.items() if key == conn.back and keys is self._of(in_reply(conn.zone))]
        if self._behind:
            whole = {conn.id: conn for conn in [*found, *(conn for held in self._behind.values() for conn in held)]}
            found = list(whole.values())
        return iter(sorted(found, key=attrgetter("id")) if len(used) > 1 or self._behind else found)

    def find(self, key: Key, zone: int) -> Conn | None:
        """The entry under a tuple, or None."""
        return self.held(pack(key), zone)

    def held(self, packed: Packed, zone: int) -> Conn | None:
        """The entry under a packed tuple, or None. `zone`: the packet's, whose direction is not known yet (nf_ct_key_equal)."""
        if zone <= ID:
            keys = self.default if zone == 0 else self.zones.get(zone)
            return None if keys is None else keys.get(packed)
        return self.standing(packed, zone, in_original(zone)) or self.standing(packed, zone, in_reply(zone))

    def standing(self, packed: Packed, zone: int, id: int) -> Conn | None:
        """The entry under a packed tuple where one of `zone` with this id would stand (the hash of the zone's id, and nf_ct_key_equal)."""
        conn = self._of(id).get(packed)
        if conn is None or zone <= ID:
            return conn
        held: list[Conn] = [conn, *self._behind.get((id, packed), ())]
        for each in held:
            if (in_reply if each.back == packed else in_original)(zone) == id:
                return each
        return None

    def _of(self, id: int) -> dict[Packed, Conn]:
        """Those of a zone."""
        return self.default if id == 0 else self.zones.setdefault(id, {})

    def add(self, conn: Conn, hidden: bool = False) -> None:
        """Put an entry in; `hidden` puts it under its reply tuple only (nf_ct_resolve_clash_harder)."""
        if conn.zone == 0:
            there = back = self.default
        else:
            there, back = self._of(in_original(conn.zone)), self._of(in_reply(conn.zone))
            self._one_way = self._one_way or conn.zone > ID
        if self._one_way:
            self._step_behind(conn, hidden)
        if not hidden:
            there[conn.there] = conn
        back[conn.back] = conn
        conn.turn = mark_of_second(conn.there, conn.back)
        self._count += 1
        if self._count >= self._large:
            self._large = self._count + self._count // 4
            hugepages.collapse()
        if self._buckets is not None:
            self._into_buckets(conn)

    def remove(self, conn: Conn) -> None:
        """Take an entry out."""
        for id, key in ((in_original(conn.zone), conn.there), (in_reply(conn.zone), conn.back)):
            keys = self._of(id)
            if keys.get(key) is conn:
                del keys[key]
            if self._behind:
                self._step_forward(conn, id, key)
        self._count -= 1
        if self._buckets is not None:
            for key in (conn.there, conn.back):
                held = self._buckets.get(self._bucket(key), [])
                held[:] = [other for other in held if other is not conn]

    def _step_behind(self, conn: Conn, hidden: bool) -> None:
        """Who stands under the tuples of a new entry lets it stand before."""
        for id, key in ((in_original(conn.zone), conn.there), (in_reply(conn.zone), conn.back))[hidden:]:
            older = self._of(id).get(key)
            if older is not None:
                self._behind.setdefault((id, key), []).insert(0, older)

    def _step_forward(self, conn: Conn, id: int, key: Packed) -> None:
        """An entry is gone: the next one stands there."""
        held = self._behind.get((id, key))
        if held is None:
            return
        if conn in held:
            held.remove(conn)
        elif key not in self._of(id):
            self._of(id)[key] = held.pop(0)
        if not held:
            del self._behind[id, key]

    def evictable(self, packed: Packed, size: int) -> list[Conn]:
        """What early_drop evicts to make room for a tuple: all that is not ASSURED in the first of 8 buckets that has any.

        The kernel's hash is random; ours is CRC-32, so that a simulation can be repeated. `size` is the number of buckets.
        """
        if self._buckets is None or self._size != size:
            self._build(size)
        assert self._buckets is not None
        start = self._bucket(packed)
        for at in range(start, start + EVICTION_RANGE):
            found = {conn.id: conn for conn in self._buckets.get(at % size, ()) if not conn.status & ASSURED}
            if found:
                return list(found.values())
        return []

    def _build(self, size: int) -> None:
        self._buckets, self._size = {}, size
        for conn in self:
            self._into_buckets(conn)

    def _into_buckets(self, conn: Conn) -> None:
        assert self._buckets is not None
        for key in (conn.there, conn.back):
            self._buckets.setdefault(self._bucket(key), []).append(conn)

    def _bucket(self, packed: Packed) -> int:
        return zlib.crc32(packed) % self._size
