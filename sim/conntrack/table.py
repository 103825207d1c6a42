"""The connection table: entries by tuple, their expiry, and what the kernel evicts when it is full. Decides nothing about packets.

Expiry costs a packet nothing: refreshing an entry only moves its `expires`; the heap is put right when an old place in it
comes to the top, or when an entry is to end earlier than its place says.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from heapq import heappop, heappush, heapreplace
from typing import Final

from sim.conntrack.conn import Conn, Timed
from sim.conntrack.tuples import Key
from sim.conntrack.words import ASSURED

NEVER: Final = 1 << 62
EVICTION_RANGE: Final = 8
"""NF_CT_EVICTION_RANGE: how many buckets early_drop looks into."""


class Timers:
    """A heap of things that end. `due` is a time before which nothing can end."""

    __slots__ = ("_heap", "due")

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Timed]] = []
        self.due = NEVER

    def set(self, timed: Timed) -> None:
        """`timed.expires` became earlier than its place in the heap, or it has none."""
        timed.scheduled = timed.expires
        heappush(self._heap, (timed.expires, timed.id, timed))
        self.due = self._heap[0][0]

    def next(self) -> int | None:
        """The exact time at which something ends next, or None."""
        heap = self._heap
        while heap:
            when, _, timed = heap[0]
            if timed.scheduled != when:
                heappop(heap)
            elif timed.expires > when:
                timed.scheduled = timed.expires
                heapreplace(heap, (timed.expires, timed.id, timed))
            else:
                break
        self.due = heap[0][0] if heap else NEVER
        return heap[0][0] if heap else None

    def pop(self, now: int) -> Timed | None:
        """Take out one thing that has ended by `now`, earliest first, then oldest; or None."""
        when = self.next()
        if when is None or when > now:
            return None
        timed = heappop(self._heap)[2]
        timed.scheduled = -1
        return timed

    @staticmethod
    def cancel(timed: Timed) -> None:
        """Forget it; its place in the heap is void."""
        timed.scheduled = -1


class Table:
    """Confirmed entries by (zone and) tuple; each stands under both its tuples, the reply's over the original's when they are equal."""

    def __init__(self) -> None:
        self.zones: dict[int, dict[Key, Conn]] = {0: {}}
        self.default = self.zones[0]
        self.conns: dict[int, Conn] = {}
        self._buckets: dict[int, list[Conn]] | None = None
        self._size = 0

    def __len__(self) -> int:
        return len(self.conns)

    def __iter__(self) -> Iterator[Conn]:
        return iter(list(self.conns.values()))

    def find(self, key: Key, zone: int) -> Conn | None:
        """The entry under `key`, or None."""
        keys = self.default if zone == 0 else self.zones.get(zone)
        return None if keys is None else keys.get(key)

    def add(self, conn: Conn, hidden: bool = False) -> None:
        """Put an entry in; `hidden` puts it under its reply tuple only (nf_ct_resolve_clash_harder)."""
        keys = self.zones.setdefault(conn.zone, {})
        if not hidden:
            keys[conn.original] = conn
        keys[conn.reply] = conn
        self.conns[conn.id] = conn
        if self._buckets is not None:
            self._into_buckets(conn)

    def remove(self, conn: Conn) -> None:
        """Take an entry out."""
        keys = self.zones[conn.zone]
        for key in (conn.original, conn.reply):
            if keys.get(key) is conn:
                del keys[key]
        self.conns.pop(conn.id, None)
        if self._buckets is not None:
            for key in (conn.original, conn.reply):
                held = self._buckets.get(self._bucket(key), [])
                held[:] = [other for other in held if other is not conn]

    def evictable(self, key: Key, size: int) -> list[Conn]:
        """What early_drop evicts to make room for `key`: all that is not ASSURED in the first of 8 buckets that has any.

        The kernel's hash is random; ours is CRC-32, so that a simulation can be repeated. `size` is the number of buckets.
        """
        if self._buckets is None or self._size != size:
            self._build(size)
        assert self._buckets is not None
        start = self._bucket(key)
        for at in range(start, start + EVICTION_RANGE):
            found = [conn for conn in self._buckets.get(at % size, ()) if not conn.status & ASSURED]
            if found:
                return list(dict.fromkeys(found))
        return []

    def _build(self, size: int) -> None:
        self._buckets, self._size = {}, size
        for conn in self.conns.values():
            self._into_buckets(conn)

    def _into_buckets(self, conn: Conn) -> None:
        assert self._buckets is not None
        for key in (conn.original, conn.reply):
            self._buckets.setdefault(self._bucket(key), []).append(conn)

    def _bucket(self, key: Key) -> int:
        src, dst, sport, dport, protonum = key
        return zlib.crc32(b"%b%b%x %x %x" % (src, dst, sport, dport, protonum)) % self._size
