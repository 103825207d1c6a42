"""NAT for SNMP: the client's own address among a message's values becomes the one that others see. nf_nat_snmp_basic, Linux 6.18.

SNMP versions 1 and 2 (RFC 1157, 3416) in BER; only values of type IpAddress are looked at. What is no such message is dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sim import wire
from sim.conntrack.words import ACCEPT
from sim.packet import Packet

if TYPE_CHECKING:
    from sim.conntrack.helpers import Help
    from sim.netfilter.nat.engine import Nat

SNMP_PORT: Final = 161
TRAP_PORT: Final = 162
SEQUENCE, INTEGER, OCTETS, OBJECT, IP_ADDRESS = 0x30, 2, 4, 6, 0x40
PDUS: Final = frozenset((0xA0, 0xA1, 0xA2, 0xA3, 0xA5, 0xA6, 0xA7, 0xA8))
VALUES: Final = frozenset((INTEGER, OCTETS, OBJECT, 5, IP_ADDRESS, 0x41, 0x42, 0x43, 0x44, 0x46, 0x80, 0x81, 0x82))
"""What a variable may hold (SMI): integer, string, object, null, address, counters, ticks, opaque; and the three "no such"."""
LAST_PDU: Final = 0xA8
LAST_VALUES: Final = frozenset((5, 0x42, 0x80, 0x81, 0x82))
"""The last of their choices. Behind any other the decoder still looks for those that follow, and where the construction around them
is of indefinite length it takes the end's zeros for a choice that fails."""
CONSTRUCTED: Final = 0x20
INDEFINITE: Final = -1
WHY_LENGTH: Final = "The UDP header's length is not the packet's: the helper drops it."
WHY_PARSER: Final = "This is no SNMP message of version 1 or 2 that NAT could translate: the helper drops it."


class NotSnmp(Exception):
    """The bytes are not what nf_nat_snmp_basic.asn1 describes."""


class _Ber:
    """A walk over BER (lib/asn1_decoder.c): `at` is the place, `end` where the innermost construction ends."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at, self.end = data, 0, len(data)

    def peek(self) -> int:
        """The next tag, 0 at the end."""
        return self.data[self.at] if self.at < self.end else 0

    def take(self, *tags: int) -> int:
        """Go past a tag and its length: the length, or INDEFINITE. Raises NotSnmp."""
        tag = self.peek()
        if self.end - self.at < 2 or not any(tag == one or (one & CONSTRUCTED and tag | CONSTRUCTED == one) for one in tags):
            raise NotSnmp
        length, self.at = self.data[self.at + 1], self.at + 2
        if length == 0x80:
            if not tag & CONSTRUCTED:
                raise NotSnmp
            return INDEFINITE
        return length if length < 0x80 else self._long(length - 0x80)

    def _long(self, size: int) -> int:
        if size > 2 or size > self.end - self.at:
            raise NotSnmp
        self.at += size
        return int.from_bytes(self.data[self.at - size : self.at])

    def primitive(self, *tags: int) -> tuple[int, int]:
        """(where its value begins, its length) of the next element, which is left behind."""
        length = self.take(*tags)
        if length > self.end - self.at:
            raise NotSnmp
        self.at += length
        return self.at - length, length

    def enter(self, *tags: int) -> int:
        """Go into a construction: what `leave` needs to come out again, below 0 where its length is indefinite. Raises NotSnmp."""
        outer, length = self.end, self.take(*tags)
        if length == INDEFINITE:
            return -1 - outer
        if length > self.end - self.at:
            raise NotSnmp
        self.end = self.at + length
        return outer

    def more(self, outer: int) -> bool:
        """Whether another element follows in the construction."""
        return self.at < self.end if outer >= 0 else self.data[self.at : self.at + 1] != b"\0"

    def leave(self, outer: int) -> None:
        """Come out of a construction, which must be used up."""
        if outer < 0:
            if self.data[self.at : self.at + 2] != b"\0\0":
                raise NotSnmp
            self.at += 2
            self.end = -1 - outer
        elif self.at != self.end:
            raise NotSnmp
        else:
            self.end = outer


def addresses(data: bytes) -> list[int]:
    """Where the values of type IpAddress stand in a message; without a PDU nowhere. Raises NotSnmp."""
    ber = _Ber(data)
    outer = ber.enter(SEQUENCE)
    at, length = ber.primitive(INTEGER)
    if length != 1 or data[at] > 1:
        raise NotSnmp
    ber.primitive(OCTETS)
    tag = ber.peek()
    found = _pdu(ber) if ber.more(outer) else []
    ber.leave(outer)
    if outer < 0 and tag != LAST_PDU:
        raise NotSnmp
    return found


def _pdu(ber: _Ber) -> list[int]:
    """Three numbers, and the bindings: at least one."""
    pdu = ber.enter(*PDUS)
    for _ in range(3):
        ber.primitive(INTEGER)
    bindings = ber.enter(SEQUENCE)
    found = _binding(ber)
    while ber.more(bindings):
        found += _binding(ber)
    ber.leave(bindings)
    ber.leave(pdu)
    return found


def _binding(ber: _Ber) -> list[int]:
    """A variable's name and its value, which may be missing."""
    outer = ber.enter(SEQUENCE)
    ber.primitive(OBJECT)
    tag, at, length = ber.peek(), 0, 0
    if ber.more(outer):
        at, length = ber.primitive(*VALUES)
    ber.leave(outer)
    if outer < 0 and tag not in LAST_VALUES:
        raise NotSnmp
    if tag != IP_ADDRESS:
        return []
    if length != 4:
        raise NotSnmp
    return [at]


def nat_snmp(nat: Nat, help: Help) -> int:
    """Look into one datagram under NAT: answers of an agent, and traps on their way."""
    packet = help.packet
    if (packet.sport == SNMP_PORT and not help.direction) or (packet.dport == TRAP_PORT and help.direction):
        return ACCEPT
    if int.from_bytes(packet.data[packet.l4 + 4 : packet.l4 + 6]) != len(packet.data) - packet.l4:
        return help.drop("dropping malformed packet\n", WHY_LENGTH)
    old, new = help.conn.original.src, help.conn.reply.dst
    if old == new:
        return ACCEPT
    data = help.datagram()
    try:
        found = addresses(data)
    except NotSnmp:
        return help.drop("parser failed\n", WHY_PARSER)
    for at in found:
        if data[at : at + 4] == old:
            _write(help, packet.l4 + 8 + at, old, new)
    return ACCEPT


def _write(help: Help, at: int, old: bytes, new: bytes) -> None:
    """Put the address there; the checksum, if there is one, is mended and not made anew: what was wrong stays wrong (fast_csum)."""
    out, place = bytearray(help.packet.data), help.packet.l4 + 6
    check = int.from_bytes(out[place : place + 2])
    if check:
        pad = b"\0" * ((at - help.packet.l4) & 1)
        out[place : place + 2] = wire.mended(check, pad + old + pad, pad + new + pad).to_bytes(2)
    out[at : at + 4] = new
    help.packet, help.summed = Packet(bytes(out), help.packet.id), True
    help.written.append((old, new))
