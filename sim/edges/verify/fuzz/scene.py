"""Scene: packets of directed cases, made by a firewall of ours: who answers, answers what came to it, under NAT too.

It only makes packets: what is said of them is compared elsewhere. Texts have words for what an end knows: %me% %far% addresses,
%my-port% %far-port% ports, %me,% and %number% its address as FTP and IRC write them, %length% that of a message's body.
"""

from __future__ import annotations

from typing import Final

from sim import wire
from sim.craft import craft
from sim.edges.replay.console import Console
from sim.edges.replay.wall import Wall
from sim.edges.verify.fuzz.path import device_of
from sim.edges.verify.measure import flush, give_rules
from sim.edges.verify.plan import DEVICES, Case, Feed, Flush, Load, Plan, Step, Sysctl, Typed, Wait
from sim.packet import Packet
from sim.units import SECOND, Address, parse_address, show_address

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
A_PACKET: Final = 80
End = tuple[Address, int]


class Scene:
    """The steps of one case, as they are made."""

    def __init__(self, name: str, rules: Load) -> None:
        self.name, self.rules = name, rules
        self.steps: list[Step] = []
        self._wall = Wall(DEVICES)
        give_rules(self._wall, rules)

    def case(self) -> Case:
        """All of it."""
        return Case(self.name, Plan(rules=self.rules), tuple(self.steps))

    def feed(self, dev: str | None, data: bytes) -> list[tuple[str, bytes]]:
        """A packet comes in `dev`, or the firewall sends it: what leaves then."""
        self.steps.append(Feed(dev, data))
        wall = self._wall
        wall.advance(wall.now + A_PACKET)
        return list((wall.send(data, 1) if dev is None else wall.receive(data, dev, 1)).out)

    def send(self, *packets: str) -> None:
        """Packets in words (craft), each by the device at which its source stands."""
        for text in packets:
            data = craft(text)
            packet = Packet(data)
            self.feed(device_of(packet.src), data)

    def wait(self, seconds: float) -> None:
        """Nothing comes."""
        self.steps.append(Wait(seconds))
        self._wall.advance(self._wall.now + int(seconds * SECOND))

    def set(self, **sysctls: str) -> None:
        """nf_conntrack_... otherwise."""
        for key, value in sysctls.items():
            self.steps.append(Sysctl(f"net.netfilter.nf_conntrack_{key}", value))
            self._wall.ip.sysctls.set(f"net.netfilter.nf_conntrack_{key}", value)

    def load(self, rules: Load) -> None:
        """Other rules than those before, of which there were none."""
        self.steps.append(rules)
        give_rules(self._wall, rules)

    def typed(self, line: str) -> None:
        """Somebody types at the conntrack tool, or gives a device another address."""
        self.steps.append(Typed(line))
        Console(self._wall).run(line)

    def anew(self) -> None:
        """The table is emptied: another scene begins."""
        self.steps.append(Flush())
        flush(self._wall)

    def tcp(self, client: str, server: str, options: bytes = b"\4\2\1\1") -> Tcp:
        """A connection, opened."""
        return Tcp(self, client, server).open(options)

    def udp(self, client: str, server: str) -> Udp:
        """A pair of ports."""
        return Udp(self, client, server)


class Side:
    """One end as it sees itself and the other; numbers are its own."""

    def __init__(self, me: End, far: End | None, seq: int) -> None:
        self.me, self.far, self.seq, self.ack = me, far, seq, 0

    def words(self, text: str | bytes) -> bytes:
        """What it says."""
        if isinstance(text, bytes) or self.far is None:
            return text if isinstance(text, bytes) else text.encode("latin-1")
        (me, mine), (far, theirs) = self.me, self.far
        for token, meaning in (
            ("%me%", show_address(me)), ("%far%", show_address(far)), ("%my-port%", str(mine)), ("%far-port%", str(theirs)),
            ("%me,%", ",".join(map(str, me))), ("%number%", str(int.from_bytes(me[:4]))),
        ):  # fmt: skip
            text = text.replace(token, meaning)
        return text.replace("%length%", str(len(text.partition("\r\n\r\n")[2]))).encode("latin-1")


def _end(text: str) -> End:
    address, port = text.split()
    return parse_address(address), int(port)


class Udp:
    """Datagrams between two ends ("address port"); `say(0, ...)` is the client."""

    number = 17

    def __init__(self, scene: Scene, client: str, server: str) -> None:
        self.scene = scene
        self.sides = [Side(_end(client), _end(server), 1000), Side(_end(server), None, 5000)]

    def say(self, side: int, *texts: str | bytes) -> None:
        """A side says something, as often as there are texts."""
        for text in texts:
            mine = self.sides[side]
            if mine.far is not None:
                self.message(side, wire.udp(mine.me[0], mine.far[0], mine.me[1], mine.far[1], mine.words(text)))

    def message(self, side: int, data: bytes) -> None:
        """A whole message of the protocol; the other side hears what comes of it."""
        mine = self.sides[side]
        if mine.far is None:
            return
        out = self.scene.feed(device_of(mine.me[0]), wire.ip(mine.me[0], mine.far[0], self.number, data))
        for _, left in out:
            packet = Packet(left)
            if packet.protonum == self.number and packet.complete:
                self._heard(self.sides[1 - side], packet)

    def _heard(self, other: Side, packet: Packet) -> None:
        other.me, other.far = (packet.dst, packet.dport), (packet.src, packet.sport)


class Tcp(Udp):
    """The same over TCP, each end with the numbers that it has seen."""

    number = 6

    def open(self, options: bytes) -> Tcp:
        """The handshake."""
        self.segment(0, SYN, options=options)
        self.segment(1, SYN | ACK, options=options)
        self.segment(0, ACK)
        return self

    def say(self, side: int, *texts: str | bytes) -> None:
        for text in texts:
            self.segment(side, PSH | ACK, self.sides[side].words(text))
            self.segment(1 - side, ACK)

    def segment(self, side: int, flags: int, payload: bytes = b"", *, options: bytes = b"", moves: bool = True) -> None:
        """One segment; with `moves` False the next one bears the same number."""
        mine = self.sides[side]
        if mine.far is None:
            return
        (src, sport), (dst, dport) = mine.me, mine.far
        ack = mine.ack if flags & ACK else 0
        data = wire.tcp(src, dst, sport, dport, seq=mine.seq, ack=ack, flags=flags, payload=payload, options=options)
        if moves:
            mine.seq += len(payload) + bool(flags & SYN) + bool(flags & FIN)
        self.message(side, data)

    def _heard(self, other: Side, packet: Packet) -> None:
        super()._heard(other, packet)
        other.ack = packet.seq + len(packet.data) - packet.payload + bool(packet.flags & SYN) + bool(packet.flags & FIN) & 0xFFFFFFFF
