"""The bytes of a translated packet: addresses, ports, ids, and every checksum mended the way the kernel mends it.

nf_nat_proto.c, Linux 6.18. A header that is cut short cannot be rewritten: None, and the packet is dropped.
"""

from __future__ import annotations

from typing import Final

from sim import wire
from sim.conntrack.checksums import crc32c
from sim.conntrack.tuples import GRE, ICMP, ICMPV6, SCTP, TCP, UDP, UDPLITE, skip_extensions
from sim.netfilter.nat.choice import SRC
from sim.packet import Tuple

ICMP_WITH_ID: Final = frozenset((0, 8, 13, 14, 15, 16, 17, 18))
ECHO6: Final = frozenset((128, 129))
_CHECKSUM_AT: Final = {TCP: 16, UDP: 6, UDPLITE: 6}
_NEEDED: Final = {TCP: 8, UDP: 8, UDPLITE: 8, SCTP: 8, ICMP: 8, ICMPV6: 8, GRE: 8}
_WHOLE: Final = {TCP: 20, SCTP: 12}
"""With the checksum, which is mended where it is there: a packet that is quoted may end ahead of it."""


def rewritten(data: bytes, at: int, target: Tuple, manip: int) -> bytes | None:
    """`data` with `target`'s source or destination in the packet whose IP header stands at `at` (0, or behind an ICMP error's header)."""
    out = bytearray(data)
    done = _ipv4(out, at, target, manip) if len(target.src) == 4 else _ipv6(out, at, target, manip)
    return bytes(out) if done else None


def writable(data: bytes, at: int, version: int) -> int:
    """Where the headers end that are made writable in the packet whose IP header stands at `at` (skb_ensure_writable, nf_nat_proto.c)."""
    if version == 4:
        protonum, l4 = data[at + 9], at + (data[at] & 15) * 4
    else:
        protonum, l4 = skip_extensions(data, at + 40, data[at + 6]) or (0, at + 40)
    whole = _WHOLE.get(protonum, 0)
    return l4 + (whole if whole and len(data) >= l4 + whole else _NEEDED.get(protonum, 0))


def _ipv4(out: bytearray, at: int, target: Tuple, manip: int) -> bool:
    if len(out) < at + 20 or not _transport(out, at, at + (out[at] & 15) * 4, target, manip):
        return False
    place = at + (12 if manip == SRC else 16)
    new = target.src if manip == SRC else target.dst
    _mend(out, at + 10, bytes(out[place : place + 4]), new)
    out[place : place + 4] = new
    return True


def _ipv6(out: bytearray, at: int, target: Tuple, manip: int) -> bool:
    if len(out) < at + 40:
        return False
    found = skip_extensions(bytes(out), at + 40, out[at + 6])
    if found is not None and not _transport(out, at, found[1], target, manip):
        return False
    place = at + (8 if manip == SRC else 24)
    out[place : place + 16] = target.src if manip == SRC else target.dst
    return True


def _mend(out: bytearray, place: int, old: bytes, new: bytes) -> None:
    out[place : place + 2] = wire.mended(int.from_bytes(out[place : place + 2]), old, new).to_bytes(2)


def _mend_pseudo(out: bytearray, ip: int, place: int, target: Tuple, manip: int) -> None:
    """nf_csum_update: the address under the transport checksum; the IP header still has the old one."""
    size = len(target.src)
    start = ip + ((12 if manip == SRC else 16) if size == 4 else (8 if manip == SRC else 24))
    _mend(out, place, bytes(out[start : start + size]), target.src if manip == SRC else target.dst)


def _transport(out: bytearray, ip: int, at: int, target: Tuple, manip: int) -> bool:
    """l4proto_manip_pkt. A protocol that is not known stays as it is."""
    protonum = target.protonum
    if protonum not in _NEEDED:
        return True
    if len(out) < at + _NEEDED[protonum]:
        return False
    if protonum in (TCP, UDP, UDPLITE, SCTP):
        _ports(out, ip, at, target, manip)
    elif protonum == ICMP and out[at] in ICMP_WITH_ID:
        _id(out, at, target)
    elif protonum == ICMPV6:
        _mend_pseudo(out, ip, at + 2, target, manip)
        if out[at] in ECHO6:
            _id(out, at, target)
    elif protonum == GRE and manip != SRC:
        return _gre(out, at, target)
    return True


def _ports(out: bytearray, ip: int, at: int, target: Tuple, manip: int) -> None:
    place = at if manip == SRC else at + 2
    old, new = bytes(out[place : place + 2]), (target.sport if manip == SRC else target.dport).to_bytes(2)
    out[place : place + 2] = new
    protonum = target.protonum
    if protonum == SCTP:
        if len(out) >= at + _WHOLE[SCTP]:
            out[at + 8 : at + 12] = bytes(4)
            out[at + 8 : at + 12] = crc32c(bytes(out[at:])).to_bytes(4, "little")
        return
    check = at + _CHECKSUM_AT[protonum]
    if (protonum == TCP and len(out) < at + _WHOLE[TCP]) or (protonum == UDP and out[check : check + 2] == b"\0\0"):
        return
    _mend_pseudo(out, ip, check, target, manip)
    _mend(out, check, old, new)
    if protonum != TCP and out[check : check + 2] == b"\0\0":
        out[check : check + 2] = b"\xff\xff"


def _id(out: bytearray, at: int, target: Tuple) -> None:
    new = target.sport.to_bytes(2)
    _mend(out, at + 2, bytes(out[at + 4 : at + 6]), new)
    out[at + 4 : at + 6] = new


def _gre(out: bytearray, at: int, target: Tuple) -> bool:
    """Only PPTP's version 1 has a call id."""
    version = out[at + 1] & 7
    if version == 1:
        out[at + 6 : at + 8] = target.dport.to_bytes(2)
    return version < 2


def icmp_summed_anew(data: bytes, at: int) -> bytes:
    """The ICMP or ICMPv6 error at `at` with its checksum computed from the start, as after its quoted packet was rewritten."""
    bare = data[:at] + data[at : at + 2] + b"\0\0" + data[at + 4 :]
    body = bare[at:]
    if data[0] >> 4 == 6:
        body = wire.pseudo_header(data[8:24], data[24:40], ICMPV6, len(body)) + body
    return bare[: at + 2] + wire.checksum(body).to_bytes(2) + bare[at + 4 :]
