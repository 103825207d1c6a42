"""What rules read that is no field of a packet: numbers drawn or hashed, the clock, what a device is like.

`drawn`, `symmetric` stand for numbers that are secret in the kernel: here they follow from the packet's number and bytes, the same
in every run. `hashed` is the kernel's jhash. All are pure functions of the packet and the time (drawn, moment, day, hour), of the
connection's tuple (symmetric) or of the values given (hashed), of the device (link_type).
"""

from __future__ import annotations

import zlib
from typing import Any

from sim.netfilter.nat.ranges import jhash2
from sim.netfilter.skb import Skb
from sim.packet import Packet
from sim.ruleset.circumstances import START
from sim.ruleset.optional import bits, look, there

_LOOPBACK, _NO_LINK_LAYER = 772, 65534  # ARPHRD_LOOPBACK, ARPHRD_NONE
_DAY = 86400
_MICROSECONDS = 1_000_000


def drawn(skb: Skb, salt: str) -> int:
    """32 bits by chance: what the kernel's prandom would give; ours follow from the packet, the time and `salt`."""
    return zlib.crc32(f"{salt} {skb.packet.id} {skb.now}".encode() + skb.packet.data[:64])


def hashed(values: tuple[tuple[int | bytes, int, str], ...], seed: int) -> int:
    """nft_jhash_eval: jhash of registers: (value, its bits, the order of its bytes). The last of several counts with its padding too."""
    data = b""
    for value, size, order in values:
        raw = value if isinstance(value, bytes) else value.to_bytes((size + 7) // 8, "big" if order == "big" else "little")
        data += raw if len(values) == 1 else raw + bytes(-len(raw) % 4)
    words = [int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data), 4)]
    return jhash2(words, seed + len(data) - len(words) * 4)


def symmetric(packet: Packet) -> int:
    """The same number for both directions of a connection (skb_get_hash_symmetric, whose seed is secret)."""
    ends = sorted(((packet.src, packet.sport), (packet.dst, packet.dport)))
    return zlib.crc32(repr((packet.protonum, ends)).encode())


def link_type(dev: str) -> int:
    """The ARPHRD_ number of a device: links are cables between IP interfaces, without a link layer."""
    return _LOOPBACK if dev == "lo" else _NO_LINK_LAYER


def _seconds(skb: Skb) -> int:
    return START + skb.now // _MICROSECONDS


def moment(skb: Skb) -> int:
    """Nanoseconds since 1970."""
    return START * 1_000_000_000 + skb.now * 1000


def day(skb: Skb) -> int:
    """0 Sunday to 6 Saturday; 1970 began on a Thursday."""
    return (_seconds(skb) // _DAY + 4) % 7


def hour(skb: Skb) -> int:
    """Seconds since midnight, UTC."""
    return _seconds(skb) % _DAY


CALLS: dict[str, Any] = {
    "drawn": drawn, "hashed": hashed, "symmetric": symmetric, "link_type": link_type, "moment": moment, "day": day, "hour": hour,
    "look": look, "there": there, "bits": bits,
}  # fmt: skip
