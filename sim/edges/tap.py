"""Tap: what `tcpdump -i any -w` would have written on a machine, or on all, read from a trace: one pcapng, its interfaces named.

The frames bear Linux's cooked header (LINKTYPE_LINUX_SLL), which says whether the machine sent or received them, so Wireshark,
tcpdump and `ctlab replay` read them alike; libpcap takes a second interface of raw IP for another type and stops. A packet that
two machines saw stands there twice, as it does when both are tapped. Not in here: reading captures (capture.py).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from sim.apps.program import EPOCH
from sim.edges.linklayer import COOKED
from sim.errors import UsageError, did_you_mean
from sim.trace import PacketArrived, PacketSent, Record
from sim.units import SECOND

START: Final = round(EPOCH.timestamp()) * SECOND
SNAPLEN: Final = 262_144
RECEIVED, SENT = 0, 4  # PACKET_HOST, PACKET_OUTGOING
_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_IF_NAME, _IF_DESCRIPTION = 2, 3
_NO_LINK: Final = 0xFFFE  # ARPHRD_NONE


class Seen(NamedTuple):
    """A packet at an interface. `time` in µs since the start; `way`: RECEIVED or SENT."""

    time: int
    machine: str
    dev: str
    way: int
    data: bytes


def seen(records: Iterable[Record]) -> Iterator[Seen]:
    """Every packet at every interface that it passed, in order of time."""
    on_the_way: dict[tuple[int, str], bytes] = {}
    for record in records:
        event = record.event
        if isinstance(event, PacketSent):
            data = bytes.fromhex(event.data)
            on_the_way[event.packet, event.to] = data
            yield Seen(record.time, record.machine, event.dev, SENT, data)
        elif isinstance(event, PacketArrived):
            known = on_the_way.get((event.packet, record.machine))
            if known is not None:
                yield Seen(record.time, record.machine, event.dev, RECEIVED, known)


def tap(records: Sequence[Record], machine: str | None = None, dev: str | None = None) -> bytes:
    """The capture of one interface, of all of a machine's, or of all there are (None). Raises UsageError where nothing is called so."""
    packets = list(seen(records))
    _check([one.machine for one in packets], machine, "no packet passed a machine called")
    wanted = [one for one in packets if machine in (None, one.machine)]
    _check([one.dev for one in wanted], dev, "no packet passed an interface called")
    return b"".join(_blocks([one for one in wanted if dev in (None, one.dev)], short=machine is not None))


def _check(known: Sequence[str], name: str | None, complaint: str) -> None:
    if name is not None and name not in known:
        raise UsageError(f"{complaint} '{name}'. {did_you_mean(name, sorted(set(known)))}".strip())


def _blocks(packets: Sequence[Seen], short: bool) -> Iterator[bytes]:
    """`short`: an interface of one machine needs no machine in its name."""
    yield _block(_SECTION, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    places = dict.fromkeys((one.machine, one.dev) for one in packets)
    for machine, dev in places:
        options = _option(_IF_NAME, dev if short else f"{machine}.{dev}") + _option(_IF_DESCRIPTION, f"{dev} of {machine} in ctlab")
        yield _block(_INTERFACE, struct.pack("<HHI", COOKED, 0, SNAPLEN) + options + bytes(4))
    numbers = {place: number for number, place in enumerate(places)}
    for one in packets:
        frame = _cooked(one)
        at = START + one.time
        head = struct.pack("<IIIII", numbers[one.machine, one.dev], at >> 32, at & 0xFFFFFFFF, len(frame), len(frame))
        yield _block(_PACKET, head + frame)


def _cooked(one: Seen) -> bytes:
    protocol = 0x86DD if one.data[:1] and one.data[0] >> 4 == 6 else 0x0800
    return struct.pack(">HHH8xH", one.way, _NO_LINK, 0, protocol) + one.data


def _option(code: int, text: str) -> bytes:
    value = text.encode()
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def _block(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size
