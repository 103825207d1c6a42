"""What rules change in a packet's bytes: TOS, TTL, MSS, ECN. In place, so that whoever holds the packet sees it; sums are mended.

Sources: net/netfilter/xt_DSCP.c, xt_HL.c, xt_TCPMSS.c, net/ipv4/netfilter/ipt_ECN.c, Linux 6.18.
"""

from __future__ import annotations

from collections.abc import Callable

from sim import wire
from sim.netfilter.skb import Skb
from sim.packet import Packet
from sim.ruleset.headers import PROTOCOLS, field_of
from sim.ruleset.parts import Rewrite
from sim.ruleset.patching import SUM_AT, with_field
from sim.units import Address

PathMtu = Callable[[Address], int]  # how large a packet to that address may be
_MSS, _MSS_SIZE, _TCP_SIZE = 2, 4, 20
_SMALLEST = {4: 536, 6: 1220}  # the MSS of who says none (RFC 9293 section 3.7.1)


def rewrite(part: Rewrite, skb: Skb, path_mtu: PathMtu) -> bool:
    """Change the packet; False when the kernel drops it instead (a TCP header cut short for TCPMSS)."""
    packet = skb.packet
    what, _, how = part.field.partition(" ")
    if what == "tos":
        _put(packet, with_tos(packet.data, (packet.tos & part.keep) ^ part.value))
    elif what == "ttl":
        ttl = {"set": part.value, "inc": min(255, packet.ttl + part.value), "dec": max(0, packet.ttl - part.value)}[how]
        _put(packet, wire.with_ttl(packet.data, ttl))
    elif what == "set":
        _put(packet, with_field(packet, how, part.value))
    elif what == "maxseg":
        _lower_maxseg(packet, route_mss(packet, path_mtu) if how else part.value)
    elif what == "ecn":
        return _remove_ecn(packet)
    else:
        return _set_mss(packet, part.value if what == "mss" and not how else _clamped(packet, path_mtu))
    return True


def rewrite_needs(part: Rewrite) -> tuple[str, ...]:
    """What must be there, as keys of selectors.NEEDS; without it nft's rule ends there."""
    field = field_of(part.field[4:]) if part.field.startswith("set ") else None
    if field is not None and field.header in PROTOCOLS:
        sum_ends = SUM_AT.get(field.header, -2) + 2
        return field.header, "first", f"any {max(field.bytes[1], sum_ends)} bytes"
    if field is not None:
        return (field.header,)
    if part.field.startswith("maxseg"):
        return ("tcp", "header", "settable")
    return {4: ("ip",), 6: ("ip6",)}.get(part.only, ())


def _put(packet: Packet, data: bytes) -> None:
    """The packet with other bytes, under the same name."""
    packet.rewrite(data)


def with_tos(data: bytes, tos: int) -> bytes:
    """The packet with this TOS byte (traffic class), IPv4's checksum mended."""
    if data[0] >> 4 == 6:
        first = int.from_bytes(data[:4]) & 0xF00FFFFF | tos << 20
        return first.to_bytes(4) + data[4:]
    size = (data[0] & 15) * 4
    head = data[:1] + bytes((tos,)) + data[2:10] + b"\0\0" + data[12:size]
    return head[:10] + wire.checksum(head).to_bytes(2) + head[12:] + data[size:]


def mended(old_sum: int, old: bytes, new: bytes) -> bytes:
    """csum_replace (RFC 1624): the sum when `old` became `new` under it."""
    total = wire.ones_sum((old_sum ^ 0xFFFF).to_bytes(2) + bytes(byte ^ 255 for byte in old) + new)
    return (total ^ 0xFFFF).to_bytes(2)


def _with_tcp(packet: Packet, at: int, new: bytes) -> None:
    """Replace two bytes at offset `at` of the TCP header. The kernel mends the sum as if they stood at an even offset, so do we."""
    data, start = packet.data, packet.l4
    total = mended(int.from_bytes(data[start + 16 : start + 18]), data[start + at : start + at + 2], new)
    data = data[: start + at] + new + data[start + at + len(new) :]
    _put(packet, data[: start + 16] + total + data[start + 18 :])


def _remove_ecn(packet: Packet) -> bool:
    """set_ect_tcp: ECE and CWR are cleared."""
    if not packet.complete:
        return False
    word = packet.data[packet.l4 + 12 : packet.l4 + 14]
    if word[1] & 0xC0:
        _with_tcp(packet, 12, bytes((word[0], word[1] & 0x3F)))
    return True


def _clamped(packet: Packet, path_mtu: PathMtu) -> int:
    """--clamp-mss-to-pmtu: what fits both ways; -1 when nothing does."""
    smallest = 40 if packet.version == 4 else 60
    mtu = min(path_mtu(packet.dst), path_mtu(packet.src))
    return mtu - smallest if mtu > smallest else -1


def _set_mss(packet: Packet, mss: int) -> bool:
    """tcpmss_mangle_packet: never raises an MSS, adds the option to a bare SYN that has none."""
    if packet.fragment:
        return True
    data, start = packet.data, packet.l4
    size = (data[start + 12] >> 4) * 4 if packet.complete else 0
    if size < _TCP_SIZE or len(data) - start < size or mss < 0:
        return False
    at = _find_mss(data[start : start + size])
    if at:
        if int.from_bytes(data[start + at + 2 : start + at + 4]) > mss:
            _with_tcp(packet, at + 2, mss.to_bytes(2))
    elif len(data) - start == size and size < 60:
        _add_mss(packet, min(mss, _SMALLEST[packet.version]))
    return True


def route_mss(packet: Packet, path_mtu: PathMtu) -> int:
    """get_tcpmss (net/netfilter/nft_rt.c): what the path takes both ways."""
    smallest = 40 if packet.version == 4 else 60
    mtu = min(path_mtu(packet.dst), path_mtu(packet.src))
    return mtu - smallest if smallest < mtu <= 0xFFFF else 536


def maxseg_place(packet: Packet) -> int:
    """Where nft finds the MSS option in a TCP header: 0 without one, -1 when header or option are cut short (nft's rule ends there)."""
    data, start = packet.data, packet.l4
    size, at = (data[start + 12] >> 4) * 4, _TCP_SIZE
    if size < _TCP_SIZE or len(data) - start < size:
        return -1
    while at < size - 1:
        length = 1 if data[start + at] < 2 else max(1, data[start + at + 1])
        if data[start + at] == _MSS:
            return at if at + length <= size and length >= _MSS_SIZE else -1
        at += length
    return 0


def _lower_maxseg(packet: Packet, mss: int) -> None:
    """nft_exthdr_tcp_set_eval: an option that is there is lowered."""
    data, start, at = packet.data, packet.l4, maxseg_place(packet)
    if at > 0 and int.from_bytes(data[start + at + 2 : start + at + 4]) > mss:
        _with_tcp(packet, at + 2, mss.to_bytes(2))


def _find_mss(header: bytes) -> int:
    """Where the MSS option stands in a TCP header, 0 when it does not."""
    at = _TCP_SIZE
    while at <= len(header) - _MSS_SIZE:
        if header[at] == _MSS and header[at + 1] == _MSS_SIZE:
            return at
        at += 1 if header[at] <= 1 or header[at + 1] == 0 else header[at + 1]
    return 0


def _add_mss(packet: Packet, mss: int) -> None:
    data, start = packet.data, packet.l4
    option = bytes((_MSS, _MSS_SIZE)) + mss.to_bytes(2)
    header = data[start:]
    header = header[:12] + bytes((header[12] + 0x10,)) + header[13:_TCP_SIZE] + option + header[_TCP_SIZE:]
    if not wire.transport_checksum_ok(packet.src, packet.dst, 6, data[start:]):
        total = _mended_for_option(data[start:], header, option)
    else:
        bare = header[:16] + b"\0\0" + header[18:]
        total = wire.checksum(wire.pseudo_header(packet.src, packet.dst, 6, len(bare)) + bare).to_bytes(2)
    segment = header[:16] + total + header[18:]
    _put(packet, _longer(data[:start], 4) + segment)


def _mended_for_option(before: bytes, header: bytes, option: bytes) -> bytes:
    """The kernel mends what it changed: a sum that was wrong stays wrong by as much."""
    old = int.from_bytes(before[16:18])
    total = mended(old, len(before).to_bytes(2), len(header).to_bytes(2))
    total = mended(int.from_bytes(total), bytes(4), option)
    return mended(int.from_bytes(total), before[12:14], header[12:14])


def _longer(head: bytes, by: int) -> bytes:
    """The IP header of a packet that grew by `by` bytes."""
    if head[0] >> 4 == 6:
        return head[:4] + (int.from_bytes(head[4:6]) + by).to_bytes(2) + head[6:]
    bare = head[:2] + (int.from_bytes(head[2:4]) + by).to_bytes(2) + head[4:10] + b"\0\0" + head[12:]
    return bare[:10] + wire.checksum(bare).to_bytes(2) + bare[12:]
