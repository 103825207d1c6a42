"""SNMP in BER: answers and traps in which addresses stand, and what is nearly so (RFC 1157, 3416)."""

from __future__ import annotations

from random import Random
from typing import Final

from sim.edges.verify.fuzz.path import View
from sim.edges.verify.fuzz.texts import STRANGERS, spoilt
from sim.units import parse_address

PDUS: Final = (0xA0, 0xA2, 0xA2, 0xA2, 0xA3, 0xA5, 0xA7, 0xA4, 0xA8, 0xA9)
INDEFINITE: Final = 0.04
VALUES: Final = (
    b"\2\1\5", b"\4\3abc", b"\5\0", b"\x41\1\7", b"\x43\2\1\1", b"\x40\3\1\2\3", b"\x80\0", b"\x82\0", b"", b"\x09\1\1",
    b"\x02\x83\0\0\1\1", b"\2\x80", b"\4\x80\0\0", b"\2\x82", b"\2\x81", b"\2\5\1", b"\x40\x80",
)  # fmt: skip
"""Of other types, of no type, too short for an address, with a length too long to be one."""
NAME: Final = b"\x06\x08\x2b\x06\1\2\1\4\x14\1"
"""An object's name: ipAdEntAddr."""


def _wrapped(random: Random, tag: int, content: bytes) -> bytes:
    """A construction; its length said shortly, at length, wrongly, or not at all."""
    at, size = random.random(), len(content)
    if at < INDEFINITE:
        return bytes((tag, 0x80)) + content + (b"\0\0" if random.random() < 0.8 else b"")
    if at < 0.06:
        size = max(0, size + random.choice((-1, 1, 5)))
    if size > 127 or at > 0.9:
        return bytes((tag, 0x82)) + size.to_bytes(2) + content
    return bytes((tag, size)) + content


def _value(random: Random, mine: bytes) -> bytes:
    """Of any type: addresses mostly, some of them the speaker's own."""
    at = random.random()
    if at < 0.7:
        address = mine if random.random() < 0.7 else parse_address(random.choice(STRANGERS))
        return b"\x40" + bytes((len(address),)) + address
    return random.choice(VALUES)


def _binding(random: Random, mine: bytes) -> bytes:
    return _wrapped(random, 0x30, (NAME if random.random() < 0.97 else b"\4\1x") + _value(random, mine))


def snmp(random: Random, way: int, view: View) -> bytes:
    """A message: its version, its community, and a PDU with up to four variables."""
    bindings = b"".join(_binding(random, view.src[:4]) for _ in range(random.choice((0, 1, 1, 1, 2, 4))))
    numbers = b"".join(random.choice((b"\2\1\1", b"\2\1\1", b"\2\2\1\1", b"\2\x81\1\0")) for _ in range(3))
    pdu = _wrapped(random, random.choice(PDUS), numbers + _wrapped(random, 0x30, bindings)) if random.random() < 0.95 else b""
    version = random.choice((b"\2\1\0", b"\2\1\1", b"\2\1\1", b"\2\1\2", b"\2\2\0\1") if random.random() < 0.3 else (b"\2\1\0", b"\2\1\1"))
    text = _wrapped(random, 0x30, version + b"\4\6public" + pdu)
    return spoilt(random, text) if random.random() < 0.05 else text
