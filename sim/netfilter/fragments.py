"""Fragments that wait for the rest of their packet, and the packet once nothing is missing. IPv4 and IPv6.

inet_frag_queue_insert (net/ipv4/inet_fragment.c), ip_frag_queue and ip_frag_reasm (net/ipv4/ip_fragment.c), nf_ct_frag6_queue
(net/ipv6/netfilter/nf_conntrack_reasm.c), ip6_frag_queue (net/ipv6/reassembly.c), Linux 6.18; RFC 791, RFC 8200 section 4.5, RFC 5722.
What overlaps takes its whole packet with it; what is there already is thrown away alone. The last fragment to come carries
the whole on: its id, its device. Not in here: hooks (defrag.py), cutting (machine/fragments.py), the kernel's limit on memory.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from heapq import heappop, heappush
from typing import Final, NamedTuple

from sim import wire
from sim.errors import Malformed
from sim.packet import Packet

MOST: Final = 65535
MAX_DIST: Final = 64
"""net.ipv4.ipfrag_max_dist: so many fragments of the same source in between, and what waits is given up (ip_frag_too_far)."""
_NOT_ECT, _CE = 1, 8
EXTENSIONS: Final = frozenset((0, 43, 44, 51, 60))
_SKIPPED = EXTENSIONS - {44}
Key = tuple[bytes, bytes, int, int, str]


class Whole(NamedTuple):
    """A packet put together: `largest` is its largest fragment's length, `sizes` the bytes that each brought, in order."""

    packet: Packet
    largest: int
    sizes: tuple[int, ...]


class Fate(Enum):
    """What becomes of a fragment that completes nothing."""

    WAITS = "waits for the rest"
    THROWN = "thrown away"
    PASSES = "passes as it is"
    UNEVEN = "is not the last, and no multiple of 8 long"
    TOO_FAR = "reaches beyond the longest packet"
    HEADERLESS = "is the first, and lacks a part of the headers"


class Queue:
    """The fragments of one packet so far (struct inet_frag_queue). `runs` are [begin, end) of what is there without a gap, as the
    kernel has them: a fragment joins the last run alone."""

    __slots__ = ("deadline", "dev", "ecn", "first", "largest", "largest_df", "last_in", "meat", "parts", "rid", "runs", "size")

    def __init__(self, deadline: int) -> None:
        self.largest = self.largest_df = self.rid = 0
        self.dev = ""
        self.begin(deadline)

    def begin(self, deadline: int) -> None:
        """Forget what is there (ip_frag_reinit; it keeps the sizes of the largest)."""
        self.deadline = deadline
        self.size = self.meat = self.ecn = 0
        self.last_in = False
        self.parts: dict[int, bytes] = {}
        self.runs: list[list[int]] = []
        self.first: Packet | None = None

    def ends(self, end: int, more: bool) -> bool:
        """Note how far this fragment reaches. False when that contradicts the others."""
        if not more:
            if end < self.size or (self.last_in and end != self.size):
                return False
            self.last_in = True
            self.size = end
        elif end > self.size:
            if self.last_in:
                return False
            self.size = end
        return True

    def insert(self, at: int, end: int) -> Fate | None:
        """A place among the runs: None when it is free, WAITS when all of it is there already, THROWN when a part is."""
        runs = self.runs
        if not runs or runs[-1][1] < end:
            if runs and at < runs[-1][1]:
                return Fate.THROWN
            if runs and at == runs[-1][1]:
                runs[-1][1] = end
            else:
                runs.append([at, end])
            return None
        for begin, stop in runs:
            if at < stop and begin < end:
                return Fate.WAITS if begin <= at and end <= stop else Fate.THROWN
        runs.append([at, end])
        runs.sort()
        return None

    def keep(self, packet: Packet, at: int, body: bytes, dev: str) -> None:
        """Take what `insert` found a place for."""
        self.parts[at] = body
        self.meat += len(body)
        self.ecn |= 1 << (packet.tos & 3)
        self.dev = dev
        if at == 0:
            self.first = packet

    def complete(self) -> bool:
        """Whether nothing is missing."""
        return self.last_in and self.first is not None and self.meat == self.size

    def body(self) -> tuple[bytes, tuple[int, ...]]:
        """All bytes, and how many each fragment brought."""
        parts = [self.parts[at] for at in sorted(self.parts)]
        return b"".join(parts), tuple(map(len, parts))

    def congestion(self) -> int | None:
        """ECN bits to add to the whole's: CE where one fragment had it, None where some were ECN-capable and some not."""
        if self.ecn & _NOT_ECT and self.ecn != _NOT_ECT:
            return None
        return 3 if self.ecn & _CE and self.ecn != _CE else 0


class Waiting:
    """Queues by key, and when each gives up. `wait()` tells for how long a packet may wait (µs)."""

    def __init__(self, wait: Callable[[], int]) -> None:
        self.wait = wait
        self.queues: dict[Key, Queue] = {}
        self._alarms: list[tuple[int, Key]] = []

    def find(self, key: Key, now: int) -> Queue:
        """The queue of that packet, a new one where there is none."""
        queue = self.queues.get(key)
        if queue is None or queue.deadline <= now:
            queue = self.queues[key] = Queue(0)
            self.restart(key, queue, now)
        return queue

    def restart(self, key: Key, queue: Queue, now: int) -> None:
        """Begin anew with nothing, and wait as long again."""
        queue.begin(now + self.wait())
        heappush(self._alarms, (queue.deadline, key))

    def next_expiry(self) -> int | None:
        """When the next packet is given up (µs), or None."""
        alarms = self._alarms
        while alarms:
            queue = self.queues.get(alarms[0][1])
            if queue is not None and queue.deadline == alarms[0][0]:
                return alarms[0][0]
            heappop(alarms)
        return None

    def expire(self, now: int) -> list[tuple[Key, Queue]]:
        """Take out what has waited too long."""
        gone = []
        at = self.next_expiry()
        while at is not None and at <= now:
            _, key = heappop(self._alarms)
            gone.append((key, self.queues.pop(key)))
            at = self.next_expiry()
        return gone


class Fragments4(Waiting):
    """ip_defrag, for every user of it (`user`: who asks; the kernel's enum ip_defrag_users): conntrack at each of its hooks, delivery."""

    def __init__(self, wait: Callable[[], int]) -> None:
        super().__init__(wait)
        self.max_dist: Callable[[], int] = lambda: MAX_DIST
        self._heard_from: dict[bytes, int] = {}

    def take(self, packet: Packet, user: str, dev: str, now: int) -> Whole | None:
        """The whole packet once `packet` completes it; else None, and `packet` is kept or thrown away."""
        data = packet.data
        key = (packet.src, packet.dst, int.from_bytes(data[4:6]), packet.protonum, user)
        queue = self.find(key, now)
        if self._too_far(packet.src, queue):
            self.restart(key, queue, now)
        head = (data[0] & 15) * 4
        at, end = packet.fragment, packet.fragment + len(data) - head
        if packet.more:
            end &= ~7
        if not queue.ends(end, packet.more) or end == at:
            del self.queues[key]
            return None
        found = queue.insert(at, end)
        if found is not None:
            if found is Fate.THROWN:
                del self.queues[key]
            return None
        queue.keep(packet, at, data[head : head + end - at], dev)
        size = head + end - at
        queue.largest = max(queue.largest, size)
        if data[6] & 0x40:
            queue.largest_df = max(queue.largest_df, size)
        if not queue.complete():
            return None
        del self.queues[key]
        return _whole4(queue, packet.id)

    def _too_far(self, src: bytes, queue: Queue) -> bool:
        """ip_frag_too_far: the identification may have come round. Counts fragments a source, as the kernel's inet_peer does."""
        most = self.max_dist()
        if not most:
            return False
        start = queue.rid
        queue.rid = self._heard_from[src] = self._heard_from.get(src, 0) + 1
        return bool(queue.runs) and queue.rid - start > most


def _whole4(queue: Queue, ident: int) -> Whole | None:
    """ip_frag_reasm. DF stands again where the largest fragment had it; then nothing larger than that may leave."""
    assert queue.first is not None
    data, (body, sizes), ecn = queue.first.data, queue.body(), queue.congestion()
    head = data[: (data[0] & 15) * 4]
    if ecn is None or len(head) + len(body) > MOST:
        return None
    head = head[:1] + bytes((head[1] | ecn,)) + head[2:]
    packet = Packet(with_ipv4_header(head, body, 0x4000 if queue.largest_df == queue.largest else 0), ident)
    return Whole(packet, max(queue.largest, queue.largest_df), sizes)


def with_ipv4_header(head: bytes, body: bytes, word: int) -> bytes:
    """The header before another body, with another fragment word."""
    size = len(head) + len(body)
    bare = head[:2] + size.to_bytes(2) + head[4:6] + word.to_bytes(2) + head[8:10] + b"\0\0" + head[12:]
    return bare[:10] + wire.checksum(bare).to_bytes(2) + bare[12:] + body


class Fragments6(Waiting):
    """nf_ct_frag6_gather, or with `strict` ipv6_frag_rcv, where what contradicts the rest takes all of it along."""

    def __init__(self, wait: Callable[[], int], strict: bool = False) -> None:
        super().__init__(wait)
        self._strict = strict

    def take(self, packet: Packet, user: str, dev: str, now: int) -> Whole | Fate:
        """The whole packet once `packet` completes it; else what became of `packet`."""
        data = packet.data
        where = fragment_header(data)
        if where is None or len(data) == 40:
            return Fate.PASSES
        if _headers_cut_short(data, where):
            return Fate.HEADERLESS
        if where + 8 > len(data):
            return Fate.THROWN
        word = int.from_bytes(data[where + 2 : where + 4])
        at, more = word & 0xFFF8, bool(word & 1)
        key = self._key(packet, data[where + 4 : where + 8], user, dev)
        queue = self.find(key, now)
        fate = self._add(queue, key, packet, where, (at, at + len(data) - where - 8, more), dev)
        if fate is not None:
            return fate
        del self.queues[key]
        return _whole6(queue, packet.id) or Fate.WAITS

    @staticmethod
    def _key(packet: Packet, ident: bytes, user: str, dev: str) -> Key:
        """By device only where the address means something on one link alone."""
        near = packet.dst[0] == 255 or (packet.dst[0] == 254 and packet.dst[1] & 0xC0 == 0x80)
        return packet.src, packet.dst, int.from_bytes(ident), 0, f"{user} {dev}" if near else user

    def _add(self, queue: Queue, key: Key, packet: Packet, where: int, place: tuple[int, int, bool], dev: str) -> Fate | None:
        """None when the packet is complete with this."""
        at, end, more = place
        if end > MOST:
            return Fate.TOO_FAR
        if more and end & 7:
            if not self._strict:
                del self.queues[key]
            return Fate.UNEVEN
        if not queue.ends(end, more) or end == at:
            if self._strict:
                del self.queues[key]
            return Fate.THROWN
        found = queue.insert(at, end)
        if found is not None:
            if found is Fate.THROWN:
                del self.queues[key]
            return found
        queue.keep(packet, at, packet.data[where + 8 :], dev)
        queue.largest = max(queue.largest, len(packet.data))
        return None if queue.complete() else Fate.WAITS


def _whole6(queue: Queue, ident: int) -> Whole | None:
    """nf_ct_frag6_reasm: the first fragment's headers without the fragment header."""
    assert queue.first is not None
    data, (body, sizes), ecn = queue.first.data, queue.body(), queue.congestion()
    where = fragment_header(data)
    assert where is not None
    if ecn is None or where - 40 + len(body) > MOST:
        return None
    head = bytearray(data[:where])
    head[_named_at(data, where)] = data[where]
    head[4:6] = (where - 40 + len(body)).to_bytes(2)
    head[1] |= ecn << 4
    try:
        return Whole(Packet(bytes(head) + body, ident), queue.largest, sizes)
    except Malformed:
        return None




def fragment_header(data: bytes) -> int | None:
    """The offset of the IPv6 fragment header, which may be cut short, or None (find_prev_fhdr)."""
    at, kind, size = 40, data[6], len(data)
    while kind != 44:
        if kind not in _SKIPPED or at + 2 > size:
            return None
        step = (data[at + 1] + 2) * 4 if kind == 51 else (data[at + 1] + 1) * 8
        kind, at = data[at], at + step
    return at if at <= size else None


def _named_at(data: bytes, where: int) -> int:
    """The offset of the byte that names the header at `where`."""
    at, byte, kind = 40, 6, data[6]
    while at < where:
        step = (data[at + 1] + 2) * 4 if kind == 51 else (data[at + 1] + 1) * 8
        kind, at, byte = data[at], at + step, at
    return byte


_LEAST = {6: 20, 17: 8, 58: 8}


def _headers_cut_short(data: bytes, where: int) -> bool:
    """ipv6frag_thdr_truncated: a first fragment must hold all headers, the transport header too (RFC 8200 section 4.5)."""
    at, kind, size = where, 44, len(data)
    while kind in EXTENSIONS:
        if at + 2 > size:
            return False
        if kind == 44:
            if at + 4 > size or int.from_bytes(data[at + 2 : at + 4]) & 0xFFF8:
                return False
            step = 8
        else:
            step = (data[at + 1] + 2) * 4 if kind == 51 else (data[at + 1] + 1) * 8
        kind, at = data[at], at + step
    return kind != 59 and at + _LEAST.get(kind, 1) > size
