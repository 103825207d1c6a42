"""A TCP segment as the stack reads it, and the bytes of TCP options. RFC 9293, 7323 (timestamps, window scale), 2018 (SACK)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from sim.machine.tcp.sequence import plus
from sim.packet import Packet

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
SackBlock = tuple[int, int]


class Options(NamedTuple):
    """What the options of a segment say; None or empty where it has no such option. `timestamps` are (value, echo)."""

    mss: int | None = None
    window_scale: int | None = None
    sack_permitted: bool = False
    timestamps: tuple[int, int] | None = None
    sack: tuple[SackBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment that came in. `end` is the sequence number behind its last byte, SYN and FIN counted."""

    seq: int
    ack: int
    flags: int
    window: int
    data: bytes
    options: Options
    packet: Packet

    @property
    def end(self) -> int:
        return plus(self.seq, len(self.data) + bool(self.flags & SYN) + (self.flags & FIN))


def read(packet: Packet) -> Segment:
    """The segment in a packet whose TCP header is complete."""
    options = read_options(packet.data[packet.l4 + 20 : packet.payload])
    return Segment(packet.seq, packet.ack, packet.flags, packet.window, packet.data[packet.payload :], options, packet)


def read_options(data: bytes) -> Options:
    """Options as tcp_parse_options reads them: what is cut short ends the list (net/ipv4/tcp_input.c, Linux 6.18)."""
    found: dict[str, object] = {}
    at = 0
    while at < len(data) and data[at]:
        if data[at] == 1:
            at += 1
            continue
        if at + 1 >= len(data) or data[at + 1] < 2 or at + data[at + 1] > len(data):
            break
        _read_option(data[at], data[at + 2 : at + data[at + 1]], found)
        at += data[at + 1]
    return Options(**found)  # type: ignore[arg-type]


def _read_option(kind: int, body: bytes, found: dict[str, object]) -> None:
    if kind == 2 and len(body) == 2:
        found["mss"] = int.from_bytes(body)
    elif kind == 3 and len(body) == 1:
        found["window_scale"] = min(body[0], 14)
    elif kind == 4 and not body:
        found["sack_permitted"] = True
    elif kind == 8 and len(body) == 8:
        found["timestamps"] = (int.from_bytes(body[:4]), int.from_bytes(body[4:]))
    elif kind == 5 and len(body) % 8 == 0:
        words = [int.from_bytes(body[at : at + 4]) for at in range(0, len(body), 4)]
        found["sack"] = tuple(zip(words[::2], words[1::2], strict=True))


def write_options(options: Options) -> bytes:
    """The bytes, laid out as Linux does: tcp_options_write, net/ipv4/tcp_output.c."""
    data = b""
    if options.mss is not None:
        data += b"\2\4" + options.mss.to_bytes(2)
    if options.timestamps is not None:
        data += (b"\4\2" if options.sack_permitted else b"\1\1") + b"\x08\x0a"
        data += options.timestamps[0].to_bytes(4) + options.timestamps[1].to_bytes(4)
    elif options.sack_permitted:
        data += b"\1\1\4\2"
    if options.window_scale is not None:
        data += b"\1\3\3" + bytes((options.window_scale,))
    if options.sack:
        blocks = options.sack[: 3 if options.timestamps else 4]
        data += b"\1\1\5" + bytes((2 + 8 * len(blocks),))
        data += b"".join(left.to_bytes(4) + right.to_bytes(4) for left, right in blocks)
    return data
