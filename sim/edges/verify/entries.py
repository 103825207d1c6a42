"""Entries and expectations of ours in the words of the kernel's side (sim/edges/kernel/table.py): values that compare equal, or differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from sim.conntrack.conn import Conn, SctpConn, TcpConn
from sim.conntrack.expect import Expectation
from sim.conntrack.show import protocol, tuple_view
from sim.conntrack.tuples import GRE, PORTED
from sim.edges.kernel.table import name_of
from sim.edges.replay.wall import entry_line
from sim.units import SECOND, show_address

Entry = dict[str, Any]
Fits = Callable[[int, int], bool]
NO_TIME: Final = {"timeout": 0}
M: Final = 0xFFFFFFFF


def details(conn: Conn) -> Entry:
    """What table.details_of tells of an entry."""
    master = conn.master
    return {
        "status": conn.status,
        "helper": conn.helper,
        "acct": None if conn.acct is None else list(conn.acct),
        "master": None if master is None else tuple_view(master.original),
        "seqadj": _adjusted(conn),
        "tcp": tuple(each for side in conn.sides for each in (side.flags, side.scale)) if isinstance(conn, TcpConn) else None,
        "vtags": tuple(conn.vtag) if isinstance(conn, SctpConn) else None,
        "labels": _labels(conn),
        "stamped": conn.started >= 0,
    }


def _adjusted(conn: Conn) -> tuple[tuple[int, int, int], ...] | None:
    shifts = () if conn.seqadj is None else conn.seqadj
    found = tuple((each.position, each.before & M, each.after & M) for each in shifts)
    return found if any(map(any, found)) else None


def _labels(conn: Conn) -> str:
    """16 bytes, the lowest label in the lowest bit of the first."""
    bits = getattr(conn, "labels", 0) or 0
    return bits.to_bytes(16, "little").hex() if bits else ""


def whole(conn: Conn, now: int) -> Entry:
    """An entry with its details."""
    return entry_line(conn, now) | details(conn)


def expected(one: Expectation, now: int) -> Entry:
    """What table.expectation_of tells of an expectation."""
    mine, master = one.tuple, one.master.original
    src, every = show_address(one.mask), show_address(b"\xff" * len(mine.dst))
    return {
        "family": "ipv4" if len(mine.dst) == 4 else "ipv6", "protocol": protocol(mine.protonum), "protonum": mine.protonum,
        "timeout": max(0, one.expires - now) // SECOND, "tuple": tuple_view(mine),
        "mask": tuple_view(mine) | {"src": src, "dst": every} | dict(zip(_ports(mine.protonum), (one.mask_port, 65535), strict=False)),
        "master": tuple_view(master), "helper": one.master.helper or "", "zone": one.zone, "flags": one.flags, "class": one.kind,
    }  # fmt: skip


def _ports(protonum: int) -> tuple[str, ...]:
    """None for what has none: the conntrack tool makes such expectations where TCP's were meant."""
    return ("srckey", "dstkey") if protonum == GRE else ("sport", "dport") if protonum in PORTED else ()


def unlike(ours: Mapping[str, tuple[Entry, int]], theirs: Mapping[str, Entry], fits: Fits, unsure: int) -> Iterator[tuple[Any, Any]]:
    """(ours, the kernel's) of what only one has or what differs. `ours` has (entry, µs left) by name; `fits` judges the time left.

    What ends within `unsure` µs, or has 0 s left with the kernel, may be there or not.
    """
    for name in sorted(ours.keys() | theirs.keys()):
        mine, left = ours.get(name, (None, 0))
        other = theirs.get(name)
        if mine is None or other is None:
            if left > unsure or (other is not None and other["timeout"]):
                yield mine, other
        elif mine | NO_TIME != other | NO_TIME or not fits(left, other["timeout"]):
            yield only_what_differs(mine, other)


def only_what_differs(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> tuple[Entry, Entry]:
    """The keys under which two entries differ."""
    keys = [key for key in {**ours, **theirs} if ours.get(key) != theirs.get(key)]
    return {key: ours.get(key) for key in keys}, {key: theirs.get(key) for key in keys}


def by_name(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Entries of a table under what tells them apart."""
    return {name_of(entry): entry for entry in entries}


def by_place(expectations: Iterable[Entry]) -> dict[str, Entry]:
    """Expectations under what tells them apart."""
    return {f"{one['zone']} {one['protonum']} {one['tuple']} {one['mask']} {one['master']}": one for one in expectations}
