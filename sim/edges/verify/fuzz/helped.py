"""Talks of which a helper reads what is said, and talks that a helper expects. What they say: texts.py, sip.py."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Final

from sim.conntrack.expect import Expectation
from sim.edges.verify.fuzz.datagrams import GreTalk, UdpTalk
from sim.edges.verify.fuzz.path import Path, Spoken, View, device_of
from sim.edges.verify.fuzz.pptp import Pptp
from sim.edges.verify.fuzz.shadow import Shadow
from sim.edges.verify.fuzz.sip import Sip
from sim.edges.verify.fuzz.snmp import snmp
from sim.edges.verify.fuzz.tcp import ACK, PSH, Say, TcpTalk
from sim.edges.verify.fuzz.texts import Speak, amanda, ftp, irc, name_asked, sane, spoilt, tftp
from sim.units import Address, parse_address

SIP_PORT: Final = 5060
OUTSIDE: Final = tuple(map(parse_address, ("203.0.113.9", "203.0.113.77", "192.168.1.10")))
OUTSIDE6: Final = tuple(map(parse_address, ("fd00:2::9", "fd00:2::77", "fd00:1::10")))


class HelpedTcp(TcpTalk):
    """A TCP conversation in which `speak` says what is said."""

    speak: Speak

    def _begin(self) -> None:
        choose = self._random
        if self._acts == 0 or choose.random() < 0.12:
            super()._begin()
            return
        self._acts += 1
        if self._acts > 60:
            self._acts = 0
        way = self._turn()
        text = self._said(way) or b"\n"
        if choose.random() < self._wrong / 2:
            text = spoilt(choose, text) or b"\n"
        parts = [Say(way, PSH | ACK, len(part), text=part) for part in _parts(choose, text)]
        self._coming = deque([*parts, Say(1 - way, ACK)] if choose.random() < 0.8 else parts)


    def _turn(self) -> int:
        return self._random.randrange(2)

    def _said(self, way: int) -> bytes:
        return type(self).speak(self._random, way, self.view(way))


class PptpTcp(HelpedTcp):
    """PPTP's control connection: what is said follows from what was."""

    def __init__(self, random: Random, path: Path, ports: tuple[int, int], shadow: Shadow, wrong: float) -> None:
        super().__init__(random, path, ports, shadow, wrong)
        self._pptp = Pptp(random)

    def _turn(self) -> int:
        return self._pptp.turn()

    def _said(self, way: int) -> bytes:
        return self._pptp.say(way, self.view(way))


class CalledGre(GreTalk):
    """The tunnel of a PPTP call: each packet bears its receiver's call id."""

    def __init__(self, random: Random, path: Path, ports: tuple[int, int], shadow: Shadow, wrong: float) -> None:
        super().__init__(random, path, ports, shadow, wrong)
        self._ports = ports

    def _datagram(self, view: View, text: bytes) -> bytes:
        if self._random.random() < self._wrong / 4:
            return super()._datagram(view, text)
        return b"\x30\1\x88\x0b" + len(text).to_bytes(2) + view.dport.to_bytes(2) + bytes(4) + text


def _parts(random: Random, text: bytes) -> list[bytes]:
    """In one segment mostly, else in two or three."""
    if random.random() < 0.85 or len(text) < 3:
        return [text]
    at = sorted({random.randrange(1, len(text)) for _ in range(random.choice((1, 1, 2)))})
    return [text[start:end] for start, end in zip([0, *at], [*at, len(text)], strict=True)]


class HelpedUdp(UdpTalk):
    """Datagrams in which `speak` says what is said."""

    speak: Speak

    def _text(self, way: int) -> bytes:
        choose = self._random
        text = type(self).speak(choose, way, self.view(way))
        return spoilt(choose, text) if choose.random() < self._wrong / 2 else text


class SipUdp(HelpedUdp):
    """SIP over UDP."""

    def __init__(self, random: Random, path: Path, ports: tuple[int, int], shadow: Shadow, wrong: float) -> None:
        super().__init__(random, path, ports, shadow, wrong)
        self._sip = Sip(random)

    def _text(self, way: int) -> bytes:
        text = self._sip.say(way, self.view(way))
        return spoilt(self._random, text) if self._random.random() < self._wrong / 2 else text[:1400]


class SipTcp(HelpedTcp):
    """SIP over TCP; two messages in a segment now and then."""

    def __init__(self, random: Random, path: Path, ports: tuple[int, int], shadow: Shadow, wrong: float) -> None:
        super().__init__(random, path, ports, shadow, wrong)
        self._sip = Sip(random)

    def _said(self, way: int) -> bytes:
        text = self._sip.say(way, self.view(way))
        return (text + self._sip.say(way, self.view(way)) if self._random.random() < 0.15 else text)[:1400]


def _tcp(speak_: Speak) -> type[HelpedTcp]:
    return type("Helped", (HelpedTcp,), {"speak": staticmethod(speak_)})


def _udp(speak_: Speak) -> type[HelpedUdp]:
    return type("Helped", (HelpedUdp,), {"speak": staticmethod(speak_)})


Make = Callable[[Random, Path, tuple[int, int], Shadow, float], Spoken]
TALKS: Final[dict[str, tuple[Make, int, tuple[int, ...]]]] = {
    "ftp": (_tcp(ftp), 21, ()), "irc": (_tcp(irc), 6667, ()), "tftp": (_udp(tftp), 69, ()),
    "sip": (SipUdp, SIP_PORT, (SIP_PORT, SIP_PORT, 1000)), "sip-tcp": (SipTcp, SIP_PORT, ()),
    "pptp": (PptpTcp, 1723, ()), "sane": (_tcp(sane), 6566, ()), "amanda": (_udp(amanda), 10080, ()),
    "netbios-ns": (_udp(name_asked), 137, (137, 1000)), "snmp": (_udp(snmp), 161, ()),
    "snmp_trap": (_udp(snmp), 162, ()),
}  # fmt: skip
"""Kind -> who speaks, the server's port, the client's ports (none: any)."""


def helped(random: Random, kind: str, path: Path, shadow: Shadow, wrong: float) -> Spoken:
    """A new conversation of that kind."""
    make, port, clients = TALKS[kind]
    mine = random.choice(clients) if clients else random.choice((1000, 1001, 40000, random.randrange(1024, 65536)))
    return make(random, path, (mine, port), shadow, wrong)


def expected_talk(random: Random, one: Expectation, shadow: Shadow, wrong: float) -> Spoken | None:
    """A conversation that meets an expectation, or nearly."""
    wanted = one.tuple
    outside = OUTSIDE if len(wanted.dst) == 4 else OUTSIDE6
    src: Address = random.choice(outside) if one.any_src or random.random() < 0.05 else wanted.src
    sport = random.choice((20, 1000, 4000, 5060, random.randrange(1, 65536))) if one.any_sport else wanted.sport
    dport = wanted.dport + (random.random() < 0.05)
    path = Path((src, wanted.dst), (device_of(src), device_of(wanted.dst)))
    make = EXPECTED.get(wanted.protonum)
    return None if make is None else make(random, path, (sport, dport & 0xFFFF), shadow, wrong)


EXPECTED: Final[dict[int, Make]] = {6: TcpTalk, 17: UdpTalk, 47: CalledGre}
"""By protocol number."""
