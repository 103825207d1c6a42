"""From a captured frame to the raw IP packet in it: one function a link type. Not a dissector: what is not IP is named only.

Link types: www.tcpdump.org/linktypes.html. A packet is cut to the length that its IP header gives (Ethernet pads), as ip_rcv
and ip6_rcv do (Linux 6.18); one that is shorter than that is left as it is, for the reader of the packet to judge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

Inner = tuple[bytes | None, str]
"""(the raw IP packet, "") or (None, why there is none)."""
Strip = Callable[[bytes], Inner]

ETHERTYPES: Final[Mapping[int, str]] = {
    0x0806: "ARP",
    0x8035: "RARP",
    0x809B: "AppleTalk",
    0x80F3: "AppleTalk ARP",
    0x8137: "IPX",
    0x8847: "MPLS",
    0x8848: "MPLS multicast",
    0x8863: "PPPoE discovery",
    0x888E: "EAPOL",
    0x88CC: "LLDP",
    0x88F7: "PTP",
    0x9000: "Ethernet loopback test",
}
TAGS: Final = frozenset({0x8100, 0x88A8, 0x9100})
IPV4, IPV6, PPPOE = 0x0800, 0x86DD, 0x8864
PPP_IPV4, PPP_IPV6 = 0x0021, 0x0057
SHORT: Final[Inner] = (None, "not IP: the frame is shorter than its header")
NULL_FAMILIES: Final[Mapping[int, int]] = {2: 4, 10: 6, 23: 6, 24: 6, 28: 6, 30: 6}
"""AF_INET, and AF_INET6 as Linux, Windows, the BSDs and macOS number it -> IP version."""


def bare(data: bytes) -> Inner:
    """A raw IP packet of either version."""
    if not data:
        return SHORT
    version = data[0] >> 4
    if version == 4:
        length = int.from_bytes(data[2:4])
        return (data[:length] if 20 <= length < len(data) else data), ""
    if version == 6:
        payload = int.from_bytes(data[4:6])
        return (data[: payload + 40] if 0 < payload < len(data) - 40 else data), ""
    return None, f"not IP: version {version}"


def _version(data: bytes, version: int, said: str) -> Inner:
    if data and data[0] >> 4 != version:
        return None, f"not IP: {said} says IPv{version}, the packet's version is {data[0] >> 4}"
    return bare(data)


def by_ethertype(kind: int, data: bytes) -> Inner:
    """What follows an ethertype: through any number of VLAN tags, and through PPPoE."""
    while kind in TAGS:
        if len(data) < 4:
            return SHORT
        kind, data = int.from_bytes(data[2:4]), data[4:]
    if kind == IPV4:
        return _version(data, 4, "the frame")
    if kind == IPV6:
        return _version(data, 6, "the frame")
    if kind == PPPOE:
        return by_ppp(data[6:])
    return None, f"not IP: {_ethertype_name(kind)}"


def _ethertype_name(kind: int) -> str:
    return "802.3 LLC" if kind < 0x0600 else ETHERTYPES.get(kind, f"ethertype 0x{kind:04x}")


def ethernet(data: bytes) -> Inner:
    """Ethernet II, 802.1Q and 802.1ad tags."""
    if data[12:15] == b"\x08\x00\x45":
        length = data[16] << 8 | data[17] if len(data) > 17 else 0
        return (data[14 : 14 + length] if length >= 20 else data[14:]), ""
    return by_ethertype(int.from_bytes(data[12:14]), data[14:]) if len(data) >= 14 else SHORT


def by_ppp(data: bytes) -> Inner:
    """PPP, with or without HDLC's address and control, with a protocol field of one byte or two."""
    if data[:2] == b"\xff\x03":
        data = data[2:]
    if not data:
        return SHORT
    size = 1 if data[0] & 1 else 2
    kind = int.from_bytes(data[:size])
    if kind == PPP_IPV4:
        return _version(data[size:], 4, "PPP")
    if kind == PPP_IPV6:
        return _version(data[size:], 6, "PPP")
    return None, f"not IP: PPP protocol 0x{kind:04x}"


def cooked(data: bytes) -> Inner:
    """Linux cooked capture, version 1."""
    return by_ethertype(int.from_bytes(data[14:16]), data[16:]) if len(data) >= 16 else SHORT


def cooked2(data: bytes) -> Inner:
    """Linux cooked capture, version 2."""
    return by_ethertype(int.from_bytes(data[:2]), data[20:]) if len(data) >= 20 else SHORT


def null(data: bytes) -> Inner:
    """BSD loopback: an address family in the byte order of whoever wrote it."""
    if len(data) < 4:
        return SHORT
    family = min(int.from_bytes(data[:4], "big"), int.from_bytes(data[:4], "little"))
    if family not in NULL_FAMILIES:
        return None, f"not IP: address family {family}"
    return _version(data[4:], NULL_FAMILIES[family], "the loopback header")


def _only(version: int) -> Strip:
    return lambda data: _version(data, version, "the capture")


def unknown(link_type: int) -> Strip:
    """For a link type that is not read: says so for every frame."""
    return lambda data: (None, f"not read: link type {link_type}")


NULL, ETHERNET, RAW, COOKED, COOKED2 = 0, 1, 101, 113, 276
STRIPS: Final[Mapping[int, Strip]] = {
    NULL: null,
    ETHERNET: ethernet,
    9: by_ppp,
    12: bare,
    14: bare,
    50: by_ppp,
    51: lambda data: by_ppp(data[6:]),
    RAW: bare,
    108: null,
    COOKED: cooked,
    228: _only(4),
    229: _only(6),
    COOKED2: cooked2,
}


def cooked_interface(link_type: int, data: bytes) -> str | None:
    """The interface that version 2 of Linux cooked capture names, by index: "#3"; None for all others."""
    return f"#{int.from_bytes(data[4:8])}" if link_type == COOKED2 and len(data) >= 8 else None


def outgoing(link_type: int, data: bytes) -> bool:
    """Whether Linux cooked capture says that the capturing machine itself sent this frame (PACKET_OUTGOING, 4)."""
    if link_type == COOKED:
        return data[:2] == b"\0\4"
    return link_type == COOKED2 and data[10:11] == b"\4"
