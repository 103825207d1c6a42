"""The Amanda helper: a backup client names in its answer the ports of the connections that the server will open.

As nf_conntrack_amanda.c, Linux 6.18.

    CONNECT DATA 1024 MESG 1025 INDEX 1026 STATE 1027\\n
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sim.conntrack.helpers.help import Help, Helper, Policy
from sim.conntrack.helpers.numbers import decimal
from sim.conntrack.words import ACCEPT
from sim.units import SECOND

LIFETIME: Final = 300 * SECOND
"""master_timeout: how long an answer keeps the connection."""
CONNECT: Final = b"CONNECT "
STREAMS: Final = (b"DATA ", b"MESG ", b"INDEX ", b"STATE ")
DIGITS: Final = 5


def ports(help: Help) -> Iterator[tuple[bytes, int, int, int]]:
    """(stream, port, where its digits begin, how many) for each stream named between CONNECT and the line's end.

    The payload is read anew for each: NAT may have written into it.
    """
    data = help.datagram()
    start = data.find(CONNECT) + len(CONNECT)
    stop = data.find(b"\n", start) if start >= len(CONNECT) else -1
    if stop < 0:
        return
    for stream in STREAMS:
        data = help.datagram()
        at = data.find(stream, start, stop)
        if at < 0:
            continue
        at += len(stream)
        number, end = decimal(data[at : min(at + DIGITS, stop)], 0)
        if not number & 0xFFFF:
            return
        yield stream, number & 0xFFFF, at, end


def help_amanda(help: Help) -> int:
    """Look into one datagram of the client's answers."""
    if not help.direction:
        return ACCEPT
    help.tracker.refresh(help.conn, LIFETIME, help.now)
    if not help.datagram():
        help.tracker.warn(f"amanda_help: skblen = {len(help.packet.data)}")
        return ACCEPT
    verdict, mine = ACCEPT, help.conn.original
    for stream, port, at, length in ports(help):
        new = help.expectation(mine.src, mine.dst, port, 6)
        why = f"The client says CONNECT {stream.decode()}{port}: the server will open a connection to that port."
        found = help.expect(new, why, at, length)
        if found != ACCEPT or help.nat("amanda") is not None:
            verdict = found  # one that cannot be expected drops the packet, unless NAT finds room for a later one
    return verdict


AMANDA: Final = Helper("amanda", 17, ("ip", "ip6"), (Policy(4, 180 * SECOND),), help_amanda)
