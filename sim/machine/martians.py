"""Addresses that no packet from a wire may bear. Why they are refused, in words; None where nothing is wrong.

ip_route_input_slow and fib_validate_source (net/ipv4), ip6_rcv_core (net/ipv6/ip6_input.c), Linux 6.18.
"""

from __future__ import annotations

from sim.machine.routes import Kind, Routes
from sim.packet import Packet
from sim.trace import Reason
from sim.units import Address

_LOOPBACK6 = bytes(15) + b"\1"


def martian_source(src: Address, routes: Routes, accept_local: bool = False, route_localnet: bool = False) -> str | None:
    """Why an IPv4 source address is a martian; the switches are net.ipv4.conf.*'s."""
    if src[0] == 127 and not route_localnet:
        return "127.0.0.0/8 never comes in from a wire (martian source)."
    if 224 <= src[0] < 240 or src == b"\xff\xff\xff\xff":
        return "A source address is one machine's, never a group's (martian source)."
    if src[0] == 0:
        return "0.0.0.0/8 is no source address (martian source)."
    kind = None if accept_local else routes.decide(src).kind
    if kind == Kind.LOCAL:
        return "It bears this machine's own address as its source, but came from outside (martian source)."
    if kind == Kind.BROADCAST:
        return "A broadcast address is no source address (martian source)."
    return None


def refused_by_ipv6(packet: Packet) -> Reason | None:
    """What ip6_rcv_core drops ahead of PREROUTING."""
    src, dst = packet.src, packet.dst
    if src == _LOOPBACK6 or dst == _LOOPBACK6:
        return Reason("loopback", "::1 never comes in from a wire.")
    if src[0] == 255:
        return Reason("source", "A source address is one machine's, never a group's.")
    if dst[0] == 255 and dst[1] & 15 in (0, 1):
        return Reason("scope", "A group of this scope never comes in from a wire.")
    return None
