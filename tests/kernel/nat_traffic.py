"""Traffic through a translating firewall, by seed: connections both ways, answers to what left, ICMP errors, hairpin, own packets."""

from __future__ import annotations

from random import Random

from sim import wire
from sim.conntrack.checksums import crc32c
from sim.errors import Malformed
from sim.packet import Packet
from sim.units import Address, parse_address

LAN4 = [parse_address(f"192.168.1.{host}") for host in (10, 11, 12)]
WAN4 = [parse_address(f"203.0.113.{host}") for host in (9, 10)]
OWN4 = [parse_address(text) for text in ("192.168.1.1", "203.0.113.2", "203.0.113.77", "203.0.113.50", "192.168.7.1")]
LAN6 = [parse_address(f"fd00:1::{host}") for host in (10, 11)]
WAN6 = [parse_address("fd00:2::9"), parse_address("2001:db8::7")]
OWN6 = [parse_address(text) for text in ("fd00:1::1", "fd00:2::1", "fd00:2::77", "fd00:2::50")]
PORTS = (22, 53, 80, 600, 1000, 1001, 8080, 40000)
SYN, ACK, FIN, RST, PSH = 2, 16, 1, 4, 8
KINDS = (6, 6, 6, 17, 17, 17, 1, 1, 132, 136, 47, 200)
Fed = tuple[str | None, bytes]
Left = tuple[str, bytes]


class Traffic:
    """`next(left)` gives the next packet; `left` is what left the kernel so far, the newest last."""

    def __init__(self, seed: object) -> None:
        self.random = Random(str(seed))

    def next(self, left: list[Left]) -> Fed:
        """The next packet and where it comes in (None: the firewall's own)."""
        chance = self.random.random()
        if left and chance < 0.45:
            made = self._answer(*self.random.choice(left[-12:]))
            if made is not None:
                return made
        if left and chance < 0.6:
            made = self._error(*self.random.choice(left[-12:]))
            if made is not None:
                return made
        return self._begin()

    def _begin(self) -> Fed:
        choose = self.random
        six = choose.random() < 0.3
        lan, wan, own = (LAN6, WAN6, OWN6) if six else (LAN4, WAN4, OWN4)
        side = choose.random()
        if side < 0.55:
            dev, src, dst = "lan", choose.choice(lan), choose.choice(wan + own)
        elif side < 0.85:
            dev, src, dst = "wan", choose.choice(wan), choose.choice(lan + own + own)
        else:
            dev, src, dst = None, choose.choice(own[:2]), choose.choice(wan + lan)
        return dev, self._packet(src, dst, choose.choice(KINDS), choose.choice(PORTS), choose.choice(PORTS))

    def _packet(
        self, src: Address, dst: Address, kind: int, sport: int, dport: int, flags: int = SYN, seq: int = 1000, ack: int = 0
    ) -> bytes:
        body = bytes(self.random.randrange(4)) if kind not in (6, 132) else b""
        number = 58 if kind == 1 and len(src) == 16 else kind
        segment = self._transport(src, dst, kind, (sport, dport), (flags, seq, ack), body)
        return wire.ip(src, dst, number, segment, ttl=self.random.choice((64, 64, 64, 2, 1)))

    def _transport(self, src: Address, dst: Address, kind: int, ends: tuple[int, int], tcp: tuple[int, int, int], body: bytes) -> bytes:
        (sport, dport), (flags, seq, ack) = ends, tcp
        ports = sport.to_bytes(2) + dport.to_bytes(2)
        match kind:
            case 6:
                return wire.tcp(src, dst, sport, dport, seq=seq, ack=ack, flags=flags, payload=body)
            case 17:
                datagram = wire.udp(src, dst, sport, dport, body)
                return datagram[:6] + b"\0\0" + datagram[8:] if self.random.random() < 0.15 else datagram
            case 1:
                return wire.icmp(8, 0, sport << 16 | 1, body) if len(src) == 4 else wire.icmpv6(src, dst, 128, 0, sport << 16 | 1, body)
            case 132:
                chunk = b"\1\0\0\x14" + b"\x11\x11\x11\x11" + bytes(12)
                head = ports + bytes(8)
                return ports + bytes(4) + crc32c(head + chunk).to_bytes(4, "little") + chunk
            case 136:
                head = ports + b"\0\0\0\0" + body
                total = wire.checksum(wire.pseudo_header(src, dst, 17, len(head)) + head) or 0xFFFF
                return head[:6] + total.to_bytes(2) + body
            case 47:
                return b"\0\0\x08\0" + body
        return b"data" + body

    def _answer(self, dev: str, data: bytes) -> Fed | None:
        """What the far end would answer to a packet that left by `dev`; what was delivered here is answered by the firewall itself."""
        try:
            packet = Packet(data)
        except Malformed:
            return None
        way = None if dev == "self" else dev
        if packet.protonum in (1, 58):
            return way, self._echo_answer(packet)
        if packet.protonum == 6:
            flags = SYN | ACK if packet.flags & (SYN | ACK) == SYN else self.random.choice((ACK, ACK | PSH, ACK | FIN, RST | ACK, ACK))
            ack = packet.seq + (1 if packet.flags & (SYN | FIN) else 0) + len(data) - packet.payload
            seq = packet.ack if packet.flags & ACK else 5000
            return way, self._packet(packet.dst, packet.src, 6, packet.dport, packet.sport, flags, seq, ack)
        return way, self._packet(packet.dst, packet.src, packet.protonum, packet.dport, packet.sport)

    def _echo_answer(self, packet: Packet) -> bytes:
        message = packet.data[packet.l4 :]
        rest, body = int.from_bytes(message[4:8]), message[8:]
        if packet.version == 4:
            return wire.ip(packet.dst, packet.src, 1, wire.icmp(0, 0, rest, body))
        return wire.ip(packet.dst, packet.src, 58, wire.icmpv6(packet.dst, packet.src, 129, 0, rest, body))

    def _error(self, dev: str, data: bytes) -> Fed | None:
        """An ICMP error about a packet that left, from its target or a router on the way, cut anywhere sensible; at times wrong."""
        choose = self.random
        try:
            packet = Packet(data)
        except Malformed:
            return None
        six = packet.version == 6
        speaker = choose.choice([packet.dst, *((WAN6 if six else WAN4) if dev == "wan" else (LAN6 if six else LAN4))])
        quoted = data[: choose.choice((28, 32, 40, 48, 56, 60, 68, len(data), len(data), len(data)))]
        if six:
            message = wire.icmpv6(speaker, packet.src, choose.choice((1, 1, 2, 3, 4)), choose.choice((0, 1, 4)), 0, quoted)
        else:
            message = wire.icmp(choose.choice((3, 3, 3, 11, 12, 4, 5)), choose.choice((0, 1, 3)), 0, quoted)
        if choose.random() < 0.05:
            message = message[:2] + b"\x12\x34" + message[4:]
        return (None if dev == "self" else dev), wire.ip(speaker, packet.src, 58 if six else 1, message)
