"""The tuple of a raw packet, as a ctnetlink attribute: written apart from the simulator's own, which it helps to judge.

Mirrors nf_ct_get_tuple and the l4 trackers' pkt_to_tuple (net/netfilter/nf_conntrack_core.c, 6.18). A fragment that is not
the first has no ports and so no tuple; neither has an ICMP error.
"""

from __future__ import annotations

import struct
from typing import Final

from sim.edges.kernel.netlink import attribute, nested

TCP, UDP, GRE, ICMP, ICMPV6, SCTP, UDPLITE = 6, 17, 47, 1, 58, 132, 136
PORTED: Final = frozenset({TCP, UDP, SCTP, UDPLITE})
CTA_TUPLE_IP, CTA_TUPLE_PROTO = 1, 2
PROTO_NUM, SRC_PORT, DST_PORT = 1, 2, 3
ICMP_FIRST, ICMPV6_FIRST = 4, 7
AF_INET, AF_INET6 = 2, 10
HOP, ROUTING, FRAGMENT, AUTH, NO_NEXT, DESTINATION = 0, 43, 44, 51, 59, 60
PPP: Final = b"\x88\x0b"
OPTIONS: Final = frozenset({HOP, ROUTING, DESTINATION})


def family_of(data: bytes) -> int:
    """AF_INET or AF_INET6 by the version nibble; 0 for anything else."""
    return {4: AF_INET, 6: AF_INET6}.get(data[0] >> 4, 0) if data else 0


def tuple_of(data: bytes) -> tuple[int, bytes] | None:
    """(family, the nested attributes of the tuple) of a raw IP packet, or None when it has no tuple."""
    family = family_of(data)
    data = data[: _length(data, family)]
    if family == AF_INET and len(data) >= 20:
        found = _transport4(data)
        addresses = attribute(1, data[12:16]) + attribute(2, data[16:20])
    elif family == AF_INET6 and len(data) >= 40:
        found = _transport6(data)
        addresses = attribute(3, data[8:24]) + attribute(4, data[24:40])
    else:
        return None
    if found is None:
        return None
    protocol, start = found
    rest = _protocol_part(protocol, data[start : start + 8])
    if rest is None:
        return None
    numbered = attribute(PROTO_NUM, bytes([protocol])) + rest
    return family, nested(CTA_TUPLE_IP, addresses) + nested(CTA_TUPLE_PROTO, numbered)


def _length(data: bytes, family: int) -> int:
    """Where the packet ends, if its header says so before the bytes do: what stands behind is padding."""
    if family == AF_INET and len(data) >= 20:
        said = int.from_bytes(data[2:4])
        return said if said >= (data[0] & 15) * 4 else len(data)
    if family == AF_INET6 and len(data) >= 40:
        said = int.from_bytes(data[4:6])
        return 40 + said if said or data[6] else len(data)
    return len(data)


def _transport4(data: bytes) -> tuple[int, int] | None:
    if int.from_bytes(data[6:8]) & 0x1FFF:
        return None
    start = (data[0] & 15) * 4
    return (data[9], start) if 20 <= start <= len(data) else None


def _transport6(data: bytes) -> tuple[int, int] | None:
    """Walk the extension headers as ipv6_skip_exthdr does."""
    protocol, at = data[6], 40
    while protocol in OPTIONS or protocol in (FRAGMENT, AUTH, NO_NEXT):
        if protocol == NO_NEXT or at + (4 if protocol == FRAGMENT else 2) > len(data):
            return None
        if protocol == FRAGMENT:
            if int.from_bytes(data[at + 2 : at + 4]) & 0xFFF8:
                return None
            length = 8
        else:
            length = (data[at + 1] + 2) * 4 if protocol == AUTH else (data[at + 1] + 1) * 8
        protocol, at = data[at], at + length
    return protocol, at


def _protocol_part(protocol: int, head: bytes) -> bytes | None:
    if protocol in PORTED:
        return attribute(SRC_PORT, head[:2]) + attribute(DST_PORT, head[2:4]) if len(head) >= 4 else None
    if protocol in (ICMP, ICMPV6):
        first = ICMP_FIRST if protocol == ICMP else ICMPV6_FIRST
        if len(head) < 8:
            return None
        return attribute(first, head[4:6]) + attribute(first + 1, head[:1]) + attribute(first + 2, head[1:2])
    if protocol == GRE:
        return _gre_keys(head)
    return b""


def _gre_keys(head: bytes) -> bytes | None:
    """GRE has keys only in PPTP's version 1, and there the source's is known to the helper alone (gre_keymap_lookup): 0.

    Version 1 with another protocol than PPP has no tuple (gre_pkt_to_tuple); what is cut short has one without keys.
    """
    call = b"\0\0"
    if len(head) == 8 and head[1] & 7 == 1:
        if head[2:4] != PPP:
            return None
        call = head[6:8]
    return attribute(SRC_PORT, struct.pack("!H", 0)) + attribute(DST_PORT, call)
