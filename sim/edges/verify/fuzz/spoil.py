"""What happens to a packet on the way: bits flip, it is cut, its lengths lie, options and headers come between."""

from __future__ import annotations

from random import Random
from typing import Final

from sim import wire

OPTIONS: Final = (
    b"\1\1\1\0", b"\1\1\1\1", b"\x94\4\0\0", b"\x94\4\0\0\1\1\1\0", b"\x88\4\0\1", b"\x83\x07\4\0\0\0\0\0",
    b"\x94\3\0\0", b"\x44\4\4\0", b"\1" * 20,
)  # fmt: skip
"""IPv4 options: padding, router alert, stream id, source routes, lengths that are too short."""
WRITTEN: Final = (
    b"\0\1\2\3",
    b"\x07\x07\4\0\0\0\0\0", b"\x07\x0b\4" + bytes(9), b"\x07\x07\x08\0\0\0\0\0", b"\x07\x07\5\0\0\0\0\0", b"\x44\x08\5\0\0\0\0\0",
    b"\x44\x0c\5\1" + bytes(8),
    b"\x44\x0c\5\3\xc0\xa8\1\1" + bytes(4), b"\x44\x08\x09\x10\0\0\0\0", b"\x44\x08\x09\xf0\0\0\0\0",
)  # fmt: skip
"""Those into which a router writes: behind the end, record route, time stamp."""
HEADERS: Final = (0, 60, 60, 60, 43, 135)
AUTHENTICATION: Final = 51


def flip(random: Random, data: bytes) -> bytes:
    """One bit or one byte is another, or a few bytes are gone or too many."""
    if not data:
        return data
    at = random.randrange(len(data))
    kind = random.random()
    if kind < 0.5:
        return data[:at] + bytes((data[at] ^ 1 << random.randrange(8),)) + data[at + 1 :]
    if kind < 0.7:
        return data[:at] + bytes((random.choice((0, 1, 127, 128, 255)),)) + data[at + 1 :]
    if kind < 0.9:
        return data[:at]
    return data + bytes(random.choice((1, 3, 8)))


def lengths_mended(data: bytes) -> bytes:
    """The packet with the length it has, and IPv4's checksum, where its header is whole."""
    if data[:1] and data[0] >> 4 == 6 and len(data) >= 40:
        return data[:4] + (len(data) - 40).to_bytes(2) + data[6:]
    size = (data[0] & 15) * 4 if data else 0
    if len(data) < 20 or data[0] >> 4 != 4 or not 20 <= size <= len(data):
        return data
    head = data[:2] + len(data).to_bytes(2) + data[4:10] + b"\0\0" + data[12:size]
    return head[:10] + wire.checksum(head).to_bytes(2) + head[12:] + data[size:]


def summed(data: bytes) -> bytes:
    """The packet with a right IPv4 header checksum, its length left as it says."""
    size = (data[0] & 15) * 4 if data else 0
    if len(data) < 20 or data[0] >> 4 != 4 or not 20 <= size <= len(data):
        return data
    head = data[:10] + b"\0\0" + data[12:size]
    return head[:10] + wire.checksum(head).to_bytes(2) + head[12:] + data[size:]


def with_options(random: Random, data: bytes, written: bool) -> bytes:
    """IPv4: options in the header (`written`: also those into which a router writes). IPv6: headers between it and the transport's.

    Authentication headers come with `written` too: behind one nft sees no transport (its l4proto is 51), and ctlab's does.
    """
    if data[0] >> 4 == 4:
        option = random.choice(OPTIONS + WRITTEN if written else OPTIONS)
        return (
            lengths_mended(bytes((0x45 + len(option) // 4,)) + data[1:20] + option + data[20:])
            if data[0] == 0x45
            else data
        )
    number, body = data[6], data[40:]
    for kind in [
        random.choice((*HEADERS, AUTHENTICATION) if written else HEADERS) for _ in range(random.choice((1, 1, 2)))
    ]:
        body = (
            bytes((number, 1 if kind == 51 else 0))
            + (bytes(10) if kind == 51 else b"\1\4\0\0\0\0" if kind != 43 else bytes(6))
            + body
        )
        number = kind
    return lengths_mended(data[:6] + bytes((number,)) + data[7:40] + body)


def header_spoiled(random: Random, data: bytes) -> bytes:
    """A field of the IP header is wrong, IPv4's checksum right nevertheless (mostly)."""
    kind = random.random()
    if data[0] >> 4 == 6:
        at = random.choice((0, 4, 5, 6, 7, 7, 8, 24, 39))
        return data[:at] + bytes((random.choice((0, 1, 2, 59, 60, 96, 255)),)) + data[at + 1 :]
    at = random.choice((0, 1, 2, 3, 6, 6, 7, 8, 8, 9, 12, 16, 19))
    spoiled = (
        data[:at] + bytes((random.choice((0, 1, 2, 0x20, 0x40, 0x80, 0x45, 0x46, 127, 224, 255)),)) + data[at + 1 :]
    )
    return spoiled if kind < 0.2 else summed(spoiled)


def padded(random: Random, data: bytes) -> bytes:
    """Bytes behind the packet's end, as Ethernet adds them, or some of it missing."""
    return data + bytes(random.choice((1, 6, 18))) if random.random() < 0.7 else data[: random.randrange(1, len(data))]
