"""IPv4 options on their way through a machine: read when a packet has been routed, completed when it is passed on.

ip_options_compile, ip_options_rcv_srr and ip_forward_options (net/ipv4/ip_options.c), Linux 6.18; RFC 791 section 3.1. Source
routing is refused, as Linux has it unless told otherwise. Not in here: options in what this machine makes (icmp_send repeats a
record route and a time stamp in an error about a packet that bore them; ours bears none).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from sim import wire
from sim.packet import Packet
from sim.units import Address

END, NOOP, RECORD_ROUTE, TIMESTAMP, LOOSE, STRICT, ROUTER_ALERT = 0, 1, 7, 68, 131, 137, 148
ONLY, WITH_ADDRESS, GIVEN = 0, 1, 3
"""A time stamp option's flag: times alone, with addresses, for the addresses given."""
FIRST: Final = 20
MILLISECOND: Final = 1000
DAY: Final = 86_400_000


class Options(NamedTuple):
    """What was found. `wrong`: the offset of the byte at fault, or 0; `source_routed`; `changed`: bytes were written;

    `addresses`: where the address of the device it leaves by must be written (0: nowhere).
    """

    wrong: int = 0
    source_routed: bool = False
    changed: bool = False
    addresses: tuple[int, ...] = ()


class _Wrong(Exception):
    def __init__(self, at: int) -> None:
        self.at = at


def read(packet: Packet, own: Address, is_remote: Callable[[Address], bool], now: int) -> Options:
    """Read the options of an IPv4 packet; record route and time stamp are written into it with the address `own`.

    `is_remote(address)`: whether it is another machine's (inet_addr_type is RTN_UNICAST); `now` µs. The header's checksum is not
    mended: the kernel does that only for what it passes on.
    """
    reader = _Reader(bytearray(packet.data), packet.l4, own, is_remote, now)
    try:
        reader.run()
    except _Wrong as wrong:
        return Options(wrong=wrong.at)
    if reader.changed:
        packet.data = bytes(reader.data)
    return Options(0, reader.source_routed, reader.changed, tuple(reader.addresses))


def pass_on(packet: Packet, options: Options, leaving: Address) -> None:
    """Write the address of the device it leaves by, and the header's checksum (ip_forward_options)."""
    if not options.changed and not options.addresses:
        return
    data = bytearray(packet.data)
    for at in options.addresses:
        data[at : at + 4] = leaving
    data[10:12] = b"\0\0"
    data[10:12] = wire.checksum(bytes(data[: packet.l4])).to_bytes(2)
    packet.data = bytes(data)


class _Reader:
    def __init__(self, data: bytearray, end: int, own: Address, is_remote: Callable[[Address], bool], now: int) -> None:
        self.data, self._end, self._own, self._is_remote, self._now = data, end, own, is_remote, now
        self.source_routed = self.changed = False
        self.addresses: list[int] = []
        self._seen: set[int] = set()

    def run(self) -> None:
        """Option by option. Raises _Wrong."""
        at, data = FIRST, self.data
        while at < self._end:
            kind = data[at]
            if kind == END:
                self._pad(at + 1)
                return
            if kind == NOOP:
                at += 1
                continue
            if self._end - at < 2 or not 2 <= data[at + 1] <= self._end - at:
                raise _Wrong(at)
            self._one(kind, at, data[at + 1])
            at += data[at + 1]

    def _pad(self, at: int) -> None:
        """Nothing but zeros stands behind the end."""
        if any(self.data[at : self._end]):
            self.data[at : self._end] = bytes(self._end - at)
            self.changed = True

    def _one(self, kind: int, at: int, size: int) -> None:
        if kind in (LOOSE, STRICT):
            self._needs(at, size, 3, 4)
            self._once(LOOSE, at)
            self.source_routed = True
        elif kind == RECORD_ROUTE:
            self._once(kind, at)
            self._needs(at, size, 3, 4)
            self._record(at, size)
        elif kind == TIMESTAMP:
            self._once(kind, at)
            self._needs(at, size, 4, 5)
            self._stamp(at, size)
        elif kind == ROUTER_ALERT and size < 4:
            raise _Wrong(at + 1)

    def _needs(self, at: int, size: int, least: int, first: int) -> None:
        if size < least:
            raise _Wrong(at + 1)
        if self.data[at + 2] < first:
            raise _Wrong(at + 2)

    def _once(self, kind: int, at: int) -> None:
        if kind in self._seen:
            raise _Wrong(at)
        self._seen.add(kind)

    def _record(self, at: int, size: int) -> None:
        pointer = self.data[at + 2]
        if pointer > size:
            return
        self._write(at, size, pointer, self._own)
        self.data[at + 2] += 4
        self.addresses.append(at + pointer - 1)

    def _write(self, at: int, size: int, pointer: int, value: bytes) -> None:
        if pointer + len(value) - 1 > size:
            raise _Wrong(at + 2)
        self.data[at + pointer - 1 : at + pointer - 1 + len(value)] = value
        self.changed = True

    def _stamp(self, at: int, size: int) -> None:
        pointer, flag = self.data[at + 2], self.data[at + 3] & 15
        time = (self._now // MILLISECOND % DAY).to_bytes(4)
        if pointer > size:
            self._overflow(at, flag)
            return
        if pointer + 3 > size or (flag in (WITH_ADDRESS, GIVEN) and pointer + 7 > size):
            raise _Wrong(at + 2)
        if flag == ONLY:
            self._write(at, size, pointer, time)
        elif flag == WITH_ADDRESS:
            self._write(at, size, pointer, self._own + time)
            self.addresses.append(at + pointer - 1)
        elif flag == GIVEN:
            if self._is_remote(bytes(self.data[at + pointer - 1 : at + pointer + 3])):
                return
            self._write(at, size, pointer + 4, time)
        else:
            return
        self.data[at + 2] += 4 if flag == ONLY else 8

    def _overflow(self, at: int, flag: int) -> None:
        """No room is left: only how many had none is counted, up to 15."""
        if flag == GIVEN:
            return
        missed = self.data[at + 3] >> 4
        if missed == 15:
            raise _Wrong(at + 3)
        self.data[at + 3] = flag | (missed + 1) << 4
        self.changed = True
