"""What helpers hear through NAT: the conversations of helped.py in the words of whoever speaks, and the same gone wrong by chance."""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random
from typing import NamedTuple

from sim import wire
from sim.edges.kernel import Answer
from sim.packet import Packet
from tests.kernel.helped import FTP, FTP6, IRC, SIP, SIP6, SIP_TCP, TFTP, Packets
from tests.kernel.helped_nat import ACK, PSH, SYN, Both, Tcp, Udp
from tests.kernel.test_mutated_helpers_against_kernel import spoil

PORTS = {21, 69, 6667, 5060}
ENDS = {4: ("192.168.1.10", "203.0.113.9"), 6: ("fd00:1::10", "fd00:2::9")}
MOST = 1300
"""Bytes of a payload: room for what NAT adds."""


class Said(NamedTuple):
    """A conversation: the helper, the server's port, the protocol, the IP version, and (0 client or 1 server, text)."""

    helper: str
    port: int
    protonum: int
    version: int
    lines: tuple[tuple[int, str], ...]


def _line(dev: str, data: bytes) -> tuple[int, str] | None:
    """What was said to or by the server, with words for the addresses that NAT changes."""
    packet = Packet(data)
    if not {packet.sport, packet.dport} & PORTS or packet.protonum not in (6, 17):
        return None
    payload, side = data[packet.payload if packet.protonum == 6 else packet.l4 + 8 :], int(dev != "lan")
    text = payload.decode("latin-1")
    me, far = ENDS[packet.version][side], ENDS[packet.version][1 - side]
    text = text.replace(me.replace(".", ","), "%me,%").replace("3232235786", "%number%")
    text = text.replace(me, "%me%").replace(far, "%far%")
    return (side, re.sub(r"Content-Length: \d+", "Content-Length: %length%", text)) if text else None


def _all() -> dict[str, Said]:
    found = {}
    tables: tuple[tuple[str, int, int, int, Mapping[str, Packets]], ...] = (
        ("ftp", 21, 6, 4, FTP), ("tftp", 69, 17, 4, TFTP), ("irc", 6667, 6, 4, IRC), ("sip", 5060, 17, 4, SIP),
        ("sip", 5060, 6, 4, SIP_TCP), ("ftp", 21, 6, 6, FTP6), ("sip", 5060, 17, 6, SIP6),
    )  # fmt: skip
    for helper, port, protonum, version, table in tables:
        for name, packets in table.items():
            lines = tuple(line for dev, data in packets if (line := _line(dev, data)) is not None)
            if lines:
                found[f"{helper} {protonum} {version} {name}"] = Said(helper, port, protonum, version, lines)
    return found


CONVERSATIONS = _all()


def with_addresses(chance: Random, text: str, protonum: int) -> str:
    """A SIP message with Via, From, To and more contacts, right or nearly so."""
    first, _, rest = text.partition("\r\n")
    if "CSeq" not in rest:
        return text
    kind = "TCP" if protonum == 6 else "UDP"
    if first.startswith("SIP/2.0"):
        parameters = f"received={chance.choice(('%far%', '%me%'))};rport={chance.choice(('%far-port%', '80'))};maddr=%me%"
        via = f"Via: SIP/2.0/{kind} %far%:%far-port%;branch=1;{parameters}"
    else:
        port = chance.choice((":%my-port%", ":%my-port%", ":5060", ":6000", ""))
        via = f"Via: SIP/2.0/{kind} %me%{port};branch=1{chance.choice(('', ';rport', ';maddr=%me%', ';maddr=%far%;rport=%my-port%'))}"
    more = (
        via, f"From: <sip:a@{chance.choice(('%me%', '%far%', '%me%:%my-port%', 'host'))}>;tag=1",
        f"t: <sip:b@{chance.choice(('%me%', '%far%', '%far%:%far-port%'))}>",
        f"m: <sip:b@{chance.choice(('%me%:%my-port%', '%far%:%far-port%', '1.2.3.4'))}>, <sip:c@%me%:%my-port%>,<sip:d@%me%:%my-port%>",
    )  # fmt: skip
    return "\r\n".join([first, *(line for line in more if chance.random() < 0.6), rest])


class Chat:
    """Random talk through both firewalls, by `chance`. `server`: the address that the client speaks to, by IP version."""

    def __init__(self, both: Both, chance: Random, server: str) -> None:
        self.both, self.chance, self.server = both, chance, server
        self._left: list[tuple[str, bytes]] = []

    def run(self, said: Said) -> None:
        """One or two clients have the conversation, and what was announced comes."""
        chance, client = self.chance, ENDS[said.version][0]
        kind = Tcp if said.protonum == 6 else Udp
        ports = [chance.choice((1000, 5060, 40000)), *([4444] if chance.random() < 0.25 else [])]
        talks = [kind(self.both, f"{client} {port}", f"{self.server} {said.port}") for port in ports]
        for talk in talks if said.protonum == 6 else ():
            talk.open()
            if chance.random() < 0.3:
                talk.say(1, "hello\r\n")
        for side, text in said.lines * chance.choice((1, 1, 2)):
            for talk in talks:
                self._say(talk, side, with_addresses(chance, text, said.protonum) if said.helper == "sip" else text)
            if chance.random() < 0.5:
                self._announced(said.version)
            if self.both.found:
                return

    def _say(self, talk: Tcp, side: int, text: str) -> None:
        payload = talk.sides[side].words(text)
        if self.chance.random() < 0.3:
            payload = spoil(self.chance, payload)
        if payload and len(payload) <= MOST:
            self._udp(talk, side, payload) if isinstance(talk, Udp) else self._tcp(talk, side, payload)
            self._error()

    def _udp(self, talk: Udp, side: int, payload: bytes) -> None:
        self._keep(talk.say(side, payload))

    def _tcp(self, talk: Tcp, side: int, payload: bytes) -> None:
        chance = self.chance
        cut = chance.randrange(len(payload) + 1) if chance.random() < 0.1 else 0
        options = self._options(talk.sides[side].ack)
        for part in filter(None, (payload[:cut], payload[cut:])):
            seq = talk.sides[side].seq
            self._keep(talk.say(side, part, lost=chance.random() < 0.1, options=options))
            if chance.random() < 0.1:
                talk.segment(side, PSH | ACK, part, seq=seq)
            if chance.random() < 0.3:
                talk.segment(1 - side, ACK, options=self._options(talk.sides[1 - side].ack))
            if chance.random() < 0.03:
                talk.segment(side, SYN, seq=chance.randrange(1 << 32))

    def _options(self, ack: int) -> bytes:
        """Mostly none; SACK blocks, aligned or not; options that make no sense."""
        chance = self.chance.random()
        if chance < 0.85:
            return b""
        if chance > 0.97:
            return self.chance.choice((b"\5\1\1\1", b"\1\1\1\5", b"\5\x20\0\0"))
        edges = [(ack + self.chance.choice((-20, 0, 5, 40))) & 0xFFFFFFFF for _ in range(4)]
        return self.chance.choice((b"\1\1\5\x0a", b"\1\5\x0a", b"\5\x12")) + b"".join(edge.to_bytes(4) for edge in edges)

    def _keep(self, answer: Answer | None) -> None:
        self._left += [(dev, data) for dev, data in (answer.out if answer is not None else ()) if dev in ("lan", "wan")]

    def _error(self) -> None:
        """An ICMP error about something that left."""
        if not self._left or self.chance.random() > 0.15:
            return
        dev, data = self.chance.choice(self._left[-6:])
        packet, body = Packet(data), data[: self.chance.choice((28, 60, 200, len(data)))]
        if packet.version == 4:
            made = wire.ip(packet.dst, packet.src, 1, wire.icmp(self.chance.choice((3, 11)), 1, 0, body))
        else:
            made = wire.ip(packet.dst, packet.src, 58, wire.icmpv6(packet.dst, packet.src, self.chance.choice((1, 3)), 0, 0, body))
        self.both.feed(dev, made)

    def _announced(self, version: int) -> None:
        """What is expected comes, from either side."""
        for one in self.both.kernel.expectations()[:3]:
            place, kind = one["tuple"], Tcp if one["protonum"] == 6 else Udp
            anybody = "203.0.113.200" if version == 4 else "fd00:2::200"
            src = place["src"] if place["src"] not in ("0.0.0.0", "::") else anybody
            port = self.chance.choice((20, 5000, place["dport"], 4000))
            for devs in (("wan", "lan"), ("lan", "wan")):
                talk = kind(self.both, f"{src} {port}", f"{place['dst']} {place['dport']}", devs)
                if kind is Tcp:
                    talk.open()
                talk.say(0, "data")
                talk.say(1, "back")


__all__ = ["CONVERSATIONS", "Chat", "Said"]
