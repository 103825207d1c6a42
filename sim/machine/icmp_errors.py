"""The ICMP errors that a machine's IP layer makes: their bytes, and when it keeps silent.

icmp_send (net/ipv4/icmp.c) and icmp6_send (net/ipv6/icmp.c), Linux 6.18. The kernel's IP id and flow label of an ICMP error come from a
hash with a secret: here both are 0. Not in here: rate limits (limits.py), and what a socket makes of an error (errors.py).
"""

from __future__ import annotations

from sim import wire
from sim.packet import Packet
from sim.units import Address

UNREACHABLE, TIME_EXCEEDED, PARAMETER = 3, 11, 12
NET_UNREACHABLE, HOST_UNREACHABLE, PROTOCOL_UNREACHABLE, PORT_UNREACHABLE, FRAGMENTATION_NEEDED, FILTERED = 0, 1, 2, 3, 4, 13
UNREACHABLE6, TOO_BIG6, TIME_EXCEEDED6, PARAMETER6 = 1, 2, 3, 4
NO_ROUTE6, PROHIBITED6, NOT_NEIGHBOUR6, ADDRESS_UNREACHABLE6, PORT_UNREACHABLE6 = 0, 1, 2, 3, 4

_ANSWERABLE = frozenset((0, 8, 13, 14, 15, 16, 17, 18))  # icmp_pointers[type].error is 0
_MAX_V4, _MAX_V6 = 576, 1280


def may_answer(packet: Packet, to_many: bool) -> bool:
    """Whether an error about `packet` may be sent at all: not about errors, IPv4's later fragments, broadcasts, or from nobody."""
    if to_many or _nobody(packet.src):
        return False
    if packet.fragment:
        return packet.version == 6  # is_ineligible asks for ICMPv6 errors alone, and sees none in a later fragment
    if packet.version == 4:
        return packet.protonum != 1 or (len(packet.data) > packet.l4 and packet.data[packet.l4] in _ANSWERABLE)
    if packet.protonum != 58:
        return True
    return bool(packet.data[packet.l4] & 128) if len(packet.data) > packet.l4 else packet.more  # a first fragment without its header


def _nobody(address: Address) -> bool:
    if len(address) == 4:
        return address == bytes(4) or 224 <= address[0] < 240 or address == b"\xff\xff\xff\xff"
    return address == bytes(16) or address[0] == 255


def error(packet: Packet, speaker: Address, kind: int, code: int, rest: int = 0) -> bytes:
    """The bytes of an ICMP error about `packet`, from `speaker`; `rest` is the word behind the checksum (the MTU)."""
    if packet.version == 4:
        message = wire.icmp(kind, code, rest, packet.data[: _MAX_V4 - 28])
        return wire.ipv4(speaker, packet.src, 1, message, tos=packet.tos & 0x1E | 0xC0, dont_fragment=False)
    message = wire.icmpv6(speaker, packet.src, kind, code, rest, packet.data[: _MAX_V6 - 48])
    return wire.ipv6(speaker, packet.src, 58, message)
