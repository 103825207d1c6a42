"""Talk: the two ends of a TCP connection or of a pair of UDP ports, and the packets they send each other. For tests of helpers."""

from __future__ import annotations

from sim import wire
from sim.units import parse_address

SYN, ACK, PSH, FIN = 2, 16, 8, 1
SIDES = ("lan", "wan")


class Talk:
    """`client` and `server` are "address port". Methods give (device, packet): what the client says comes in by lan, the rest by wan."""

    def __init__(self, client: str, server: str, protocol: str = "tcp") -> None:
        self.ends = [(parse_address(address), int(port)) for address, port in (client.split(), server.split())]
        self.protocol = protocol
        self.seq = [1000, 5000]

    def open(self) -> list[tuple[str, bytes]]:
        """The handshake."""
        syn, answer, ack = self.segment(0, SYN), self.segment(1, SYN | ACK), (0, ACK)
        self.seq = [1001, 5001]
        return [syn, answer, self.segment(*ack)]

    def segment(self, side: int, flags: int, payload: bytes = b"", seq: int | None = None) -> tuple[str, bytes]:
        """One segment of a side (0 the client), at its place in the stream unless `seq` says another; it moves nothing."""
        (src, sport), (dst, dport) = self.ends[side], self.ends[1 - side]
        at = self.seq[side] if seq is None else seq
        ack = self.seq[1 - side] if flags & ACK else 0
        ack += flags == SYN | ACK
        return SIDES[side], wire.ip(src, dst, 6, wire.tcp(src, dst, sport, dport, seq=at, ack=ack, flags=flags, payload=payload))

    def say(self, side: int, text: str | bytes) -> tuple[str, bytes]:
        """A side says something: the next bytes of its stream, or a datagram."""
        payload = text.encode("latin-1") if isinstance(text, str) else text
        if self.protocol == "udp":
            (src, sport), (dst, dport) = self.ends[side], self.ends[1 - side]
            return SIDES[side], wire.ip(src, dst, 17, wire.udp(src, dst, sport, dport, payload))
        said = self.segment(side, PSH | ACK, payload)
        self.seq[side] += len(payload)
        return said


def syn(src: str, dst: str) -> bytes:
    """The first packet of a connection from "address port" to "address port"."""
    return Talk(src, dst).segment(0, SYN)[1]


def datagram(src: str, dst: str, text: bytes = b"data") -> bytes:
    """One UDP datagram from "address port" to "address port"."""
    return Talk(src, dst, "udp").say(0, text)[1]
