"""Which entries a conntrack command line means. As conntrack-tools 1.4.7 compares them (nfct_filter), and the kernel for -L.

The tool keeps only IPv4 addresses of NAT: an IPv6 one behind --src-nat is read, and then any will do.
"""

from __future__ import annotations

from collections.abc import Callable

from sim.conntrack.conn import Conn, SctpConn, TcpConn
from sim.conntrack.labels import MOST, mask_of
from sim.conntrack.show import seconds_left
from sim.conntrack.tuples import GRE, ICMPS, PORTED, invert
from sim.conntrack.zones import ID, ORIGINAL_ONLY, REPLY_ONLY
from sim.packet import Tuple
from sim.shell.conntrack_options import Request
from sim.units import Address

Test = Callable[[Conn], bool]
SRC_NAT_DONE, DST_NAT_DONE = 128, 256
_ENDS: dict[str, Callable[[Conn], Address]] = {
    "src": lambda conn: conn.original.src, "dst": lambda conn: conn.original.dst, "reply-src": lambda conn: conn.reply.src,
    "reply-dst": lambda conn: conn.reply.dst,
}  # fmt: skip
_NUMBERS: dict[str, Callable[[Conn], int]] = {
    "sport": lambda conn: conn.original.sport, "dport": lambda conn: conn.original.dport,
    "reply-port-src": lambda conn: conn.reply.sport, "reply-port-dst": lambda conn: conn.reply.dport,
    "type": lambda conn: conn.original.dport >> 8, "code": lambda conn: conn.original.dport & 255, "id": lambda conn: conn.original.sport,
}  # fmt: skip


COMPARED = frozenset("sdrqpmcuiwl()")
"""Options for which the tool compares entries with all that was said: then -t must be the time left, too."""


def tests(request: Request, now: int = 0) -> list[Test]:
    """The tests that an entry must all pass for -L, -D and -E."""
    found = [*common(request), *_ends(request), *_numbers(request), *_state(request)]
    if "t" in request.numbers and request.given & COMPARED:
        found.append(lambda conn: seconds_left(conn, now) == request.numbers["t"])
    return found


def updated(request: Request) -> list[Test]:
    """Those for -U: mark, status and state are what is set, not what is asked for."""
    return [*_family(request), *_nat(request), *_labels(request), *_ends(request), *_numbers(request)]


def common(request: Request) -> list[Test]:
    """Family, mark, NAT, labels, zone and status."""
    found = [*_family(request), *_nat(request), *_labels(request)]
    (value, mask), (asked, _) = request.mark, request.mark_asked
    if "m" in request.given:
        found.append(lambda conn: conn.mark & mask == value and (request.command == "E" or conn.mark & mask == asked))
    numbers = request.numbers
    if "w" in numbers:
        found.append(lambda conn: (conn.zone if conn.zone <= ID else 0) == numbers["w"])
    if "(" in numbers:
        found.append(lambda conn: (conn.zone & ID if conn.zone & ORIGINAL_ONLY else 0) == numbers["("])
    if ")" in numbers:
        found.append(lambda conn: (conn.zone & ID if conn.zone & REPLY_ONLY else 0) == numbers[")"])
    if "u" in request.given:
        found.append(lambda conn: conn.status & request.status == request.status)
        if request.command == "L":
            wanted = request.status_off or request.status
            found.append(lambda conn: conn.status & wanted == request.status)
    return found


def _family(request: Request) -> list[Test]:
    size = {4: 4, 6: 16}.get(request.family)
    return [] if size is None else [lambda conn: len(conn.original.src) == size]


def _ends(request: Request) -> list[Test]:
    return [_end(take, request.ends[name], request.ends.get(f"mask-{name}")) for name, take in _ENDS.items() if name in request.ends]


def _end(take: Callable[[Conn], Address], wanted: Address, mask: Address | None) -> Test:
    if mask is None:
        return lambda conn: take(conn) == wanted
    bits, value = int.from_bytes(mask), int.from_bytes(wanted) & int.from_bytes(mask)
    return lambda conn: int.from_bytes(take(conn)) & bits == value


def _numbers(request: Request) -> list[Test]:
    found: list[Test] = []
    if request.protonum is not None:
        found.append(lambda conn: conn.original.protonum == request.protonum)
    for name, value in request.special.items():
        take = _NUMBERS.get(name.rpartition("-")[2] if name.startswith("icmp") else name)
        if take is not None and request.protonum != GRE:
            found.append(lambda conn, take=take, value=value: take(conn) == value)  # type: ignore[misc]
    return found


def _state(request: Request) -> list[Test]:
    if "state" not in request.special:
        return []
    state = request.special["state"]
    return [lambda conn: isinstance(conn, TcpConn | SctpConn) and conn.state == state]


def _labels(request: Request) -> list[Test]:
    """-l: every one of them. One past the 128th is on no entry."""
    if not request.labels:
        return []
    known = request.known or {}
    mask, high = mask_of(request.labels, known), any(known[name] >= MOST for name in request.labels)
    return [lambda conn: not high and conn.labels is not None and conn.labels & mask == mask]


# ---- NAT -------------------------------------------------------------------------------------------------------------


def _nat(request: Request) -> list[Test]:
    keys = request.given & {"n", "g", "j"}
    if not keys:
        return []

    def test(conn: Conn) -> bool:
        source, target = _source(conn, *request.snat), _target(conn, *request.dnat)
        if "j" in keys:
            return source or target
        return ("n" not in keys or source) and ("g" not in keys or target)

    return [test]


def _source(conn: Conn, address: Address | None, port: int | None) -> bool:
    """Whether the answers go to another address or port than the original came from; to those given, if any are."""
    done = bool(conn.status & SRC_NAT_DONE)
    there = (conn.reply.dst, conn.reply.dport)
    return _changed(done, there, (conn.original.src, conn.original.sport), address, port)


def _target(conn: Conn, address: Address | None, port: int | None) -> bool:
    """Whether the answers come from another than the original went to."""
    done = bool(conn.status & DST_NAT_DONE)
    there = (conn.reply.src, conn.reply.sport)
    return _changed(done, there, (conn.original.dst, conn.original.dport), address, port)


def _changed(
    done: bool, now: tuple[Address, int], before: tuple[Address, int], address: Address | None, port: int | None
) -> bool:  # fmt: skip
    moved, ported = done and now[0] != before[0], done and now[1] != before[1]
    asked = address is not None and len(address) == 4
    here, this = moved and now[0] == address, ported and now[1] == port
    if asked:
        return here and (port is None or this)
    return this if port is not None else moved or ported


def is_translated(conn: Conn) -> tuple[bool, bool]:
    """Whether NAT changed the source's address, and the target's."""
    status, original, reply = conn.status, conn.original, conn.reply
    return bool(status & SRC_NAT_DONE) and reply.dst != original.src, bool(status & DST_NAT_DONE) and reply.src != original.dst


def wanted_tuples(request: Request) -> tuple[Tuple | None, Tuple | None]:
    """The original and the reply tuple that the command line names, each None where it does not."""
    return _said(request, "src", "dst", 0), _said(request, "reply-src", "reply-dst", 2)


_PORTS = ("sport", "dport", "reply-port-src", "reply-port-dst")
_KEYS = ("srckey", "dstkey", "reply-key-src", "reply-key-dst")


def _said(request: Request, src: str, dst: str, at: int) -> Tuple | None:
    ends, special, protonum = request.ends, request.special, request.protonum or 0
    if src not in ends and dst not in ends:
        return None
    size = len(ends[src] if src in ends else ends[dst])
    addresses = ends.get(src, bytes(size)), ends.get(dst, bytes(size))
    if protonum in ICMPS:
        word = "icmp" if protonum == 1 else "icmpv6"
        kind = special.get(f"{word}-type", 0) << 8 | special.get(f"{word}-code", 0)
        there = Tuple(*addresses[::-1] if at else addresses, special.get(f"{word}-id", 0), kind, protonum)
        return invert(there) if at else there
    names = _KEYS if protonum == GRE else _PORTS
    ports = (special.get(names[at], 0), special.get(names[at + 1], 0)) if protonum in PORTED or protonum == GRE else (0, 0)
    return Tuple(*addresses, *ports, protonum)
