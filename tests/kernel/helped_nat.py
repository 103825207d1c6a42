"""Conversations through a translating firewall with helpers: each end answers to what has really come out on its side.

So the far end sees the addresses and numbers that NAT gave it, and acknowledges those; ours must do to every packet what the kernel did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sim import wire
from sim.edges.kernel import Answer, KernelFirewall
from sim.errors import Malformed
from sim.packet import Packet
from sim.units import Address, parse_address, show_address
from tests.kernel.expecting import same, shown
from tests.kernel.translating import Fed, Ours, differences

SYN, ACK, PSH, FIN, RST = 2, 16, 8, 1, 4
End = tuple[Address, int]


def end(text: str) -> End:
    """ "address port" """
    address, port = text.split()
    return parse_address(address), int(port)


class Side:
    """One end of a connection as it sees itself and the other; numbers are its own."""

    def __init__(self, dev: str, me: End, far: End | None, seq: int) -> None:
        self.dev, self.me, self.far, self.seq, self.ack = dev, me, far, seq, 0

    def words(self, text: str | bytes) -> bytes:
        """What it says. %me% %far% are addresses, %my-port% %far-port% ports, %me,% and %number% addresses as FTP and IRC write them.

        %length% is that of a message's body.
        """
        if isinstance(text, bytes) or self.far is None:
            return text if isinstance(text, bytes) else text.encode("latin-1")
        (me, mine), (far, theirs) = self.me, self.far
        for token, meaning in (
            ("%me%", show_address(me)), ("%far%", show_address(far)), ("%my-port%", str(mine)), ("%far-port%", str(theirs)),
            ("%me,%", ",".join(map(str, me))), ("%number%", str(int.from_bytes(me))),
        ):  # fmt: skip
            text = text.replace(token, meaning)
        return text.replace("%length%", str(len(text.partition("\r\n\r\n")[2]))).encode("latin-1")


class Both:
    """The kernel's firewall and ours with the same rules; every packet goes through both, `found` is what differed."""

    def __init__(self, kernel: KernelFirewall, rules: Mapping[str, str], devices: Mapping[str, Sequence[str]], told: bool = False) -> None:
        self.kernel = kernel
        kernel.flush()
        self.ours = Helped(rules, devices, told, {})
        self.found: list[str] = []
        self.number = 0

    def feed(self, dev: str | None, data: bytes) -> Answer:
        """One packet through both."""
        self.number += 1
        answer = self.kernel.feed_batch([(dev, data)])[0]
        theirs = self.kernel.expectations()
        self.ours.expected = [one["tuple"].get("dport", 0) for one in theirs]
        said = self.ours.feed((dev, data), answer)
        lines = differences((dev, data), answer, said)
        if list(answer.kernel_log) != list(said["kernel_log"]):
            lines.append(f"kernel_log: kernel {list(answer.kernel_log)}, ours {list(said['kernel_log'])}")
        if not same(theirs, self.ours.expectations()):
            lines.append(f"expectations: kernel {theirs}\n     ours   {self.ours.expectations()}")
        self.found += [f"packet {self.number} on {dev} {_said(data)}: {line}" for line in lines]
        return answer


class Helped(Ours):
    """A wall whose dice fall as the kernel's, for the ports of expectations too."""

    expected: Sequence[int] = ()

    def __init__(self, rules: Mapping[str, str], devices: Mapping[str, Sequence[str]], told: bool, sysctls: Mapping[str, int]) -> None:
        super().__init__(rules, devices, told, sysctls)
        self.wall.ip.nat.chooser.expected = self._fall_expected

    def _fall_expected(self, low: int, size: int) -> int:
        held = {one.tuple.dport for one in self.wall.ip.tracker.expectations.entries()}
        return next((port - low for port in self.expected if low <= port < low + size and port not in held), 0)

    def expectations(self) -> list[dict[str, Any]]:
        """As the kernel's side lists them."""
        return [shown(one, self.wall.now) for one in self.wall.ip.tracker.expectations.entries()]


def _said(data: bytes) -> str:
    try:
        return repr(Packet(data))
    except Malformed:
        return data.hex()


class Tcp:
    """A TCP connection between a client (by `dev`) and whoever gets its packets."""

    def __init__(
        self, both: Both, client: str, server: str, devs: tuple[str, str] = ("lan", "wan"), seqs: tuple[int, int] = (1000, 5000)
    ) -> None:
        self.both = both
        self.sides = [Side(devs[0], end(client), end(server), seqs[0]), Side(devs[1], end(server), None, seqs[1])]

    def open(self) -> Tcp:
        """The handshake, with SACK permitted."""
        permitted = b"\4\2\1\1"
        self.segment(0, SYN, options=permitted)
        self.segment(1, SYN | ACK, options=permitted)
        self.segment(0, ACK)
        return self

    def say(self, side: int, text: str | bytes, *, lost: bool = False, options: bytes = b"") -> Answer | None:
        """A side says something; `lost`: it gets no further than the firewall, and the other end never hears of it."""
        payload = self.sides[side].words(text)
        return self.segment(side, PSH | ACK, payload, lost=lost, options=options)

    def segment(
        self, side: int, flags: int, payload: bytes = b"", *, seq: int | None = None, ack: int | None = None, options: bytes = b"",
        lost: bool = False, moves: bool = True,
    ) -> Answer | None:  # fmt: skip
        """One segment; its numbers are the side's own unless given."""
        mine = self.sides[side]
        if mine.far is None:
            return None
        at, acked = mine.seq if seq is None else seq, mine.ack if ack is None else ack
        (src, sport), (dst, dport) = mine.me, mine.far
        data = wire.ip(src, dst, 6, wire.tcp(
            src, dst, sport, dport, seq=at, ack=acked if flags & ACK else 0, flags=flags, payload=payload, options=options,
        ))  # fmt: skip
        if seq is None and moves:
            mine.seq = at + len(payload) + bool(flags & SYN) + bool(flags & FIN)
        answer = self.both.feed(mine.dev, data)
        if not lost:
            self._arrives(1 - side, answer)
        return answer

    def _arrives(self, side: int, answer: Answer) -> None:
        heard = self.sides[side]
        for dev, data in answer.out:
            if dev != heard.dev or (data[0] >> 4 == 4 and data[9] != 6):
                continue
            packet = Packet(data)
            heard.me, heard.far = (packet.dst, packet.dport), (packet.src, packet.sport)
            heard.ack = packet.seq + len(data) - packet.payload + bool(packet.flags & SYN) + bool(packet.flags & FIN) & 0xFFFFFFFF


class Udp(Tcp):
    """A pair of UDP ports."""

    def say(self, side: int, text: str | bytes, *, lost: bool = False, options: bytes = b"") -> Answer | None:
        mine = self.sides[side]
        payload = mine.words(text)
        if mine.far is None:
            return None
        (src, sport), (dst, dport) = mine.me, mine.far
        answer = self.both.feed(mine.dev, wire.ip(src, dst, 17, wire.udp(src, dst, sport, dport, payload)))
        for dev, data in answer.out:
            if dev == self.sides[1 - side].dev:
                packet = Packet(data)
                other = self.sides[1 - side]
                other.me, other.far = (packet.dst, packet.dport), (packet.src, packet.sport)
        return answer


__all__ = ["Both", "Fed", "Tcp", "Udp", "end"]
