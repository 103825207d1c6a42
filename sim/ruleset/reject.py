"""What REJECT sends: the bytes of the TCP reset or ICMP error with which the kernel answers, or None where it stays silent.

Sources: net/ipv4/netfilter/nf_reject_ipv4.c, net/ipv6/netfilter/nf_reject_ipv6.c, icmp_send in net/ipv4/icmp.c, icmp6_send in
net/ipv6/icmp.c; bytes compared with Linux 6.18.44. The kernel's IP id and flow label of an ICMP error come from a hash with
a secret: here both are 0. Rate limits (icmp_ratelimit) are the machine's.
"""

from __future__ import annotations

from collections.abc import Callable

from sim import wire
from sim.netfilter.skb import Skb
from sim.packet import Packet
from sim.ruleset.datatypes import ICMP_CODE, ICMPV6_CODE
from sim.ruleset.model import Reject
from sim.units import Address

SourceAddress = Callable[[Address], Address | None]

_ICMPX = {  # nft's icmpx: its name -> the names in ICMP and in ICMPv6
    "no-route": ("net-unreachable", "no-route"),
    "port-unreachable": ("port-unreachable", "port-unreachable"),
    "host-unreachable": ("host-unreachable", "addr-unreachable"),
    "admin-prohibited": ("admin-prohibited", "admin-prohibited"),
}
_UNSUMMED = frozenset((47, 50, 51, 132, 136))  # nf_reject_verify_csum: no Internet checksum over the whole payload
_ANSWERABLE_ICMP = frozenset((0, 8, 13, 14, 15, 16, 17, 18))  # icmp_pointers[type].error is 0
_MAX_V4, _MAX_V6 = 576, 1280


def rejection(part: Reject, skb: Skb, source: SourceAddress, is_local: bool, is_unicast: bool) -> bytes | None:
    """The answer to `skb`'s packet. `source` is the address from which this machine speaks to another (None: no route).

    `is_local`: the packet's destination is this machine's own address; `is_unicast`: it is no broadcast or multicast (in
    prerouting, where nobody has looked yet: the source is none).
    """
    packet = skb.packet
    if packet.fragment or not is_unicast:
        return None
    if part.kind == "tcp reset":
        return tcp_reset(packet)
    if not _checksum_ok(packet):
        return None
    speaker = packet.dst if is_local else source(packet.src)
    if speaker is None:
        return None
    return _icmp_error(part, packet, speaker) if packet.version == 4 else _icmpv6_error(part, packet, speaker)


def tcp_reset(packet: Packet) -> bytes | None:
    """The RST for a TCP segment; None for anything else, for a RST, and where the checksum is wrong (nf_reject_ip_tcphdr_get)."""
    if packet.protonum != 6 or not packet.complete or packet.flags & 4 or not _checksum_ok(packet):
        return None
    seq, ack, flags = packet.ack, 0, 4
    if not packet.flags & 16:
        seq, flags = 0, 4 | 16
        ack = packet.seq + bool(packet.flags & 2) + (packet.flags & 1) + len(packet.data) - packet.payload
    segment = wire.tcp(packet.dst, packet.src, packet.dport, packet.sport, seq=seq, ack=ack, flags=flags, window=0)
    return wire.ip(packet.dst, packet.src, 6, segment)


def icmp_code(part: Reject, version: int) -> int:
    """The ICMP (version 4) or ICMPv6 (6) code of destination unreachable."""
    kind = _ICMPX[part.kind][version == 6] if part.family == "inet" else part.kind
    return (ICMP_CODE if version == 4 else ICMPV6_CODE)[kind]


def _checksum_ok(packet: Packet) -> bool:
    """nf_ip_checksum and nf_ip6_checksum: the pseudo header counts for TCP and UDP, in IPv6 for every protocol."""
    data, protonum = packet.data, packet.protonum
    segment = data[packet.l4 :]
    if packet.version == 6 and not segment:
        return False
    if protonum in _UNSUMMED:
        return True
    if protonum == 17 and segment[6:8] == b"\0\0":
        return True
    if packet.version == 6:
        return wire.transport_checksum_ok(packet.src, packet.dst, protonum, segment)
    # the kernel sums from the IP header on, which is 0xFFFF if right: nothing but zeros behind it passes. (A header whose options
    # were just written into is not right yet; but conntrack has summed TCP, UDP and ICMP before, and that is not done again.)
    pseudo = wire.pseudo_header(packet.src, packet.dst, protonum, len(segment)) if protonum in (6, 17) else b""
    return wire.ones_sum(pseudo + segment) in (0, 0xFFFF) if protonum in (1, 6, 17) else wire.ones_sum(data) == 0xFFFF


def _icmp_error(part: Reject, packet: Packet, speaker: Address) -> bytes | None:
    if packet.protonum == 1 and (packet.l4 >= len(packet.data) or packet.data[packet.l4] not in _ANSWERABLE_ICMP):
        return None
    inner = packet.data[: _MAX_V4 - 28]
    message = wire.icmp(3, icmp_code(part, 4), 0, inner)
    return wire.ipv4(speaker, packet.src, 1, message, tos=packet.tos & 0x1E | 0xC0, dont_fragment=False)


def _icmpv6_error(part: Reject, packet: Packet, speaker: Address) -> bytes | None:
    if packet.protonum == 58 and not packet.data[packet.l4] & 128:
        return None
    inner = packet.data[: _MAX_V6 - 48]
    return wire.ipv6(speaker, packet.src, 58, wire.icmpv6(speaker, packet.src, 1, icmp_code(part, 6), 0, inner))
