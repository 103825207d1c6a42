"""Addresses that no packet from a wire may bear. Why they are refused, in words; None where nothing is wrong.

ip_route_input_slow and fib_validate_source (net/ipv4), ip6_rcv_core (net/ipv6/ip6_input.c), Linux 6.18.
"""

from __future__ import annotations

from typing import NamedTuple

from sim.machine.routes import Kind, Routes
from sim.packet import Packet
from sim.trace import Reason
from sim.units import LOOPBACK6, Address

_NOBODY = bytes(4)
_LINK_LOCAL_GROUPS = b"\xe0\0\0"
_PAD1, _PADN, _ROUTER_ALERT = 0, 1, 5
_JUMBO = 194
_FIELD, UNKNOWN_OPTION = 0, 2  # codes of the parameter problem
_MOST_PADDING, _MOST_OPTIONS = 7, 8  # ip6_parse_tlv; net.ipv6.max_hbh_opts_number


def martian_source(src: Address, routes: Routes, accept_local: bool = False, route_localnet: bool = False) -> str | None:
    """Why an IPv4 source address is a martian; the switches are net.ipv4.conf.*'s."""
    if src[0] == 127 and not route_localnet:
        return "127.0.0.0/8 never comes in from a wire (martian source)."
    if 224 <= src[0] < 240 or src == b"\xff\xff\xff\xff":
        return "A source address is one machine's, never a group's (martian source)."
    if src == _NOBODY:
        return "0.0.0.0 is nobody's address (martian source)."
    if not accept_local and routes.decide(src).kind == Kind.LOCAL:
        return "It bears this machine's own address as its source, but came from outside (martian source)."
    return None


def may_come_from_nobody(dst: Address) -> bool:
    """Where a packet from 0.0.0.0 is taken: the limited broadcast and 224.0.0.0/24 (DHCP, IGMP)."""
    return dst == b"\xff\xff\xff\xff" or dst[:3] == _LINK_LOCAL_GROUPS


class Refused6(NamedTuple):
    """Why an IPv6 packet is dropped; `problem`: code and pointer of the ICMPv6 parameter problem that tells its sender, or None."""

    reason: Reason
    problem: tuple[int, int] | None = None


def refused_by_ipv6(packet: Packet) -> Refused6 | None:
    """What ip6_rcv_core drops ahead of PREROUTING."""
    src, dst = packet.src, packet.dst
    if src == LOOPBACK6 or dst == LOOPBACK6:
        return Refused6(Reason("loopback", "::1 never comes in from a wire."))
    if src[0] == 255:
        return Refused6(Reason("source", "A source address is one machine's, never a group's."))
    if dst[0] == 255 and dst[1] & 15 in (0, 1):
        return Refused6(Reason("scope", "A group of this scope never comes in from a wire."))
    if packet.data[6] == 0:
        return _refused_hop_by_hop(packet.data)
    return None


_HOP_BY_HOP = Reason("hop-by-hop", "Its hop-by-hop options are malformed, or ask whoever does not know them to drop it.")
_MALFORMED = Refused6(_HOP_BY_HOP)


def _refused_hop_by_hop(data: bytes) -> Refused6 | None:
    """What the hop-by-hop header says against a packet (ipv6_parse_hopopts, ip6_parse_tlv, net/ipv6/exthdrs.c)."""
    if len(data) < 48 or len(data) < 48 + data[41] * 8:
        return _MALFORMED
    at, end, padding, options = 42, 48 + data[41] * 8, 0, 0
    while at < end:
        kind = data[at]
        size = 1 if kind == _PAD1 else 2 + data[at + 1] if at + 1 < end else end
        if at + size > end:
            return _MALFORMED
        if kind in (_PAD1, _PADN):
            padding += size
            if padding > _MOST_PADDING or any(data[at + 2 : at + size]):
                return _MALFORMED
        else:
            padding, options = 0, options + 1
            if options > _MOST_OPTIONS or (kind == _ROUTER_ALERT and size != 4):
                return _MALFORMED
            if kind == _JUMBO:
                return _refused_jumbo(data, at, size)
            if kind != _ROUTER_ALERT and kind >> 6:
                return _unknown_option(data, kind, at)
        at += size
    return None


def _unknown_option(data: bytes, kind: int, at: int) -> Refused6:
    """Its two highest bits say what to do with an unknown option: 1 drop; 2 tell; 3 tell, but not if it went to a group (RFC 8200)."""
    told = kind >> 6 == 2 or (kind >> 6 == 3 and data[24] != 255)
    return Refused6(_HOP_BY_HOP, (UNKNOWN_OPTION, at) if told else None)


def _refused_jumbo(data: bytes, at: int, size: int) -> Refused6:
    """A payload of more than 65535 bytes, as no link here carries one (ipv6_hop_jumbo)."""
    if size != 6 or at & 3 != 2:
        return _MALFORMED
    if int.from_bytes(data[at + 2 : at + 6]) <= 65535:
        return Refused6(_HOP_BY_HOP, (_FIELD, at + 2))
    return Refused6(_HOP_BY_HOP, (_FIELD, at)) if any(data[4:6]) else _MALFORMED
