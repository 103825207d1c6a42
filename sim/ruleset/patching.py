"""A field of a header written anew, with its checksum mended as nft's payload statement does (nft_payload_set_eval).

The checksum of the header itself, and for an address that of the transport behind it too. Source: net/netfilter/nft_payload.c,
Linux 6.18. Not in here: TTL, TOS, MSS (rewrite.py).
"""

from __future__ import annotations

from sim import wire
from sim.packet import Packet
from sim.ruleset.headers import HeaderField, field_of

SUM_AT = {"ip": 10, "tcp": 16, "udp": 6, "udplite": 6, "icmp": 2, "icmpv6": 2, "igmp": 2}
"""Where a header's own checksum stands; a packet that ends before it is not changed at all."""
_BEHIND = {6: 16, 17: 6, 136: 6, 58: 2}  # where the sum over the pseudo header stands, by protocol
_MANGLED = b"\xff\xff"


def with_field(packet: Packet, name: str, value: int) -> bytes:
    """The packet's bytes with the field `name` ("tcp dport") set to `value`."""
    field = field_of(name)
    assert field is not None
    base = 0 if field.header in ("ip", "ip6") else packet.l4
    start, old, new = _words(packet.data, base, field, value)
    data = packet.data[:start] + new + packet.data[start + len(new) :]
    if field.header in SUM_AT and field.name != "checksum":
        data = _mended(data, base + SUM_AT[field.header], old, new)
    if field.name in ("saddr", "daddr") and packet.protonum in _BEHIND and not packet.fragment:
        at = packet.l4 + _BEHIND[packet.protonum]
        if packet.protonum != 17 or data[at : at + 2] != b"\0\0":
            data = _mended(data, at, old, new)
    return data


def _words(data: bytes, base: int, field: HeaderField, value: int) -> tuple[int, bytes, bytes]:
    """Where the 16-bit words of the field start, what they are and what they become."""
    first, end = field.at // 16 * 2, (field.at + field.bits + 15) // 16 * 2
    old = data[base + first : base + end]
    shift = first * 8 + len(old) * 8 - field.at - field.bits
    mask = (1 << field.bits) - 1 << max(0, shift)
    number = int.from_bytes(old) & ~mask | value << max(0, shift) & mask
    return base + first, old, number.to_bytes(len(old))


def _mended(data: bytes, at: int, old: bytes, new: bytes) -> bytes:
    """csum_replace of the sum at `at`; one that becomes zero is written as all ones."""
    words = (int.from_bytes(data[at : at + 2]) ^ 0xFFFF).to_bytes(2) + bytes(byte ^ 255 for byte in old) + new
    total = (wire.ones_sum(words) ^ 0xFFFF).to_bytes(2)
    return data[:at] + (total if any(total) else _MANGLED) + data[at + 2 :]
