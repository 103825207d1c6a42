"""Traffic: a few conversations at once, each packet made as its talk would have it, then sent on its way, where things happen."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from sim import wire
from sim.edges.replay.outcome import SELF
from sim.edges.verify.fuzz.commands import Commands
from sim.edges.verify.fuzz.datagrams import EchoTalk, GreTalk, PlainTalk, UdpLiteTalk, UdpTalk
from sim.edges.verify.fuzz.errors import Errors
from sim.edges.verify.fuzz.helped import TALKS as HELPED_TALKS
from sim.edges.verify.fuzz.helped import Make, expected_talk, helped
from sim.edges.verify.fuzz.path import Path, Said, Spoken, device_of, draw_path
from sim.edges.verify.fuzz.pieces import pieces
from sim.edges.verify.fuzz.sctp import SctpTalk
from sim.edges.verify.fuzz.shadow import Shadow
from sim.edges.verify.fuzz.spoil import flip, header_spoiled, lengths_mended, padded, with_options
from sim.edges.verify.fuzz.tcp import TcpTalk
from sim.edges.verify.plan import Feed, Load, Typed


@dataclass(frozen=True)
class Mix:
    """How often what happens: shares of talks by kind, and chances by packet. `written`: IPv4 options into which routers write, too;
    not where errors are made, for errors that bear such options themselves are not simulated. `changes`: how often a new talk takes
    the place of another; `ways`: how many paths there are at most, so that talks get in each other's way (0: all); `brief`: to one port.
    """

    kinds: tuple[str, ...] = ("tcp",) * 10 + ("udp", "udp", "sctp", "sctp", "echo", "echo", "udplite", "gre", "plain")
    wrong: float = 0.2
    own: float = 0.2
    error: float = 0.06
    flipped: float = 0.01
    options: float = 0.01
    header: float = 0.006
    padding: float = 0.006
    pieces: float = 0.02
    low_ttl: float = 0.01
    written: bool = False
    expected: float = 0.0
    changes: float = 0.01
    ways: int = 0
    brief: bool = False


MIXES: Final = (
    Mix(), Mix(wrong=0.05), Mix(wrong=0.5), Mix(wrong=0.3, kinds=("tcp",)), Mix(wrong=0.1, kinds=("tcp",)),
    Mix(wrong=0.4, kinds=("sctp",)),
    Mix(wrong=0.3, kinds=("udp", "udplite", "gre", "plain", "echo")), Mix(error=0.3), Mix(pieces=0.25, own=0.3),
    Mix(options=0.2, header=0.1, padding=0.1),
    Mix(options=0.3, low_ttl=0, header=0, written=True),
)  # fmt: skip
HELPED: Final = Mix(
    kinds=(
        *("ftp",) * 4, *("sip",) * 4, "irc", "irc", "tftp", "sip-tcp", "tcp", "udp", "echo", "pptp", "pptp", "sane", "amanda", "netbios-ns",
        "snmp", "snmp_trap", "gre",
    ), wrong=0.15, expected=0.06, own=0.15,
)  # fmt: skip
HELPED_MIXES: Final = (
    HELPED, replace(HELPED, wrong=0.4), replace(HELPED, wrong=0.05), replace(HELPED, kinds=("ftp",)), replace(HELPED, kinds=("irc",)),
    replace(HELPED, kinds=("sip", "sip-tcp")), replace(HELPED, kinds=("tftp", "irc", "ftp"), pieces=0.1), replace(HELPED, error=0.2),
    replace(HELPED, kinds=("pptp", "pptp", "gre", "sane", "amanda")), replace(HELPED, kinds=("netbios-ns", "snmp", "amanda"), own=0.6),
    replace(HELPED, kinds=("pptp",), wrong=0.05, expected=0.1), replace(HELPED, kinds=("snmp", "snmp", "snmp_trap"), wrong=0.05),
    replace(HELPED, kinds=("sip",), ways=2, expected=0.1), replace(HELPED, kinds=("sip", "sip", "sip-tcp"), wrong=0, own=0.1, expected=0.1),
    replace(HELPED, kinds=("pptp",), wrong=0, own=0, ways=2, changes=0.04, expected=0.15), replace(HELPED, wrong=0),
    replace(HELPED, kinds=("ftp", "irc", "amanda"), ways=2, changes=0.1),
)  # fmt: skip
"""Where rules assign helpers. `expected`: how often a talk begins that some helper expects."""
TRANSLATED_MIXES: Final = (
    Mix(low_ttl=0.05), Mix(wrong=0.05, error=0.15), Mix(kinds=("udp", "udplite", "gre", "plain", "echo", "sctp"), wrong=0.1, error=0.2),
    Mix(own=0.5), Mix(pieces=0.15), Mix(wrong=0.3), Mix(options=0.1, padding=0.05), Mix(wrong=0.05, changes=0.4, ways=3),
    Mix(wrong=0.05, changes=0.3, ways=2, kinds=("tcp", "udp")), Mix(wrong=0, changes=0.15, ways=2, kinds=("tcp",), brief=True),
)  # fmt: skip
TALKS: Final[dict[str, Make]] = {
    "tcp": TcpTalk, "udp": UdpTalk, "sctp": SctpTalk, "echo": EchoTalk, "udplite": UdpLiteTalk, "gre": GreTalk, "plain": PlainTalk,
}  # fmt: skip
SERVICES: Final = (22, 53, 80, 80, 443, 25, 8080, 1000)
NO_RULES: Final = Load()
AT_ONCE: Final = 5
REMEMBERED: Final = 20


class Traffic:
    """An endless stream of packets, by `random`, through a firewall with these rules and settings."""

    def __init__(self, random: Random, mix: Mix, rules: Load = NO_RULES, sysctls: Mapping[str, str] | None = None) -> None:
        self._random, self._mix = random, mix
        self._shadow = Shadow(rules, sysctls)
        self._paths = [draw_path(random, mix.own) for _ in range(mix.ways)]
        self._talks = [self._talk() for _ in range(AT_ONCE)]
        self._sent: deque[tuple[Path, int, bytes]] = deque(maxlen=REMEMBERED)
        self._late: deque[Feed] = deque()
        self._errors = Errors(random, mix.wrong, lambda data: flip(random, data))
        self._ident = random.randrange(1, 2**31)

    def _talk(self) -> Spoken:
        choose = self._random
        path = choose.choice(self._paths) if self._paths else draw_path(choose, self._mix.own)
        kind = choose.choice(self._mix.kinds)
        if kind in HELPED_TALKS:
            return helped(choose, kind, path, self._shadow, self._mix.wrong)
        ports = (choose.choice((1000, 1001, 40000, choose.randrange(1, 65536))), 80 if self._mix.brief else choose.choice(SERVICES))
        return TALKS[kind](choose, path, ports, self._shadow, self._mix.wrong)

    def typed(self, random: Random) -> Typed:
        """A line of the conntrack tool, about what the table has by now."""
        return Typed(Commands(random, self._shadow.entries(), self._shadow.expectations()).next())

    def next(self) -> Feed:
        """The next packet."""
        choose = self._random
        if self._late and choose.random() < 0.7:
            return self._late.popleft()
        self._change()
        if self._sent and choose.random() < self._mix.error:
            path, way, quoted = choose.choice(self._sent)
            way, data = self._errors.about(path, way, quoted)
            return self._on_its_way(path.devs[way], data)
        talk = choose.choice(self._talks)
        said = talk.next()
        data = self._packet(talk.number, said)
        dev = talk.device(said.way, said.view)
        devs = (dev, talk.path.devs[1 - said.way])
        self._sent.append((Path((said.view.src, said.view.dst), devs), 0, data))
        return self._on_its_way(dev, data)

    def _change(self) -> None:
        """Now and then another conversation begins in the place of one."""
        choose = self._random
        if choose.random() < self._mix.changes:
            self._talks[choose.randrange(AT_ONCE)] = self._talk()
        if choose.random() < self._mix.expected and (waiting := self._shadow.expectations()):
            talk = expected_talk(choose, choose.choice(waiting), self._shadow, self._mix.wrong)
            if talk is not None:
                self._talks[choose.randrange(AT_ONCE)] = talk

    def _packet(self, number: int, said: Said) -> bytes:
        choose, mix, message = self._random, self._mix, said.message
        if choose.random() < mix.flipped:
            message = flip(choose, message)
        ttl = choose.choice((0, 1, 2)) if choose.random() < mix.low_ttl else choose.choice((64, 64, 255))
        self._ident += 1
        tos, ident = choose.choice((0, 0, 0, 0x10)), self._ident & 0xFFFF or 1
        return wire.ip(said.view.src, said.view.dst, number, message, ttl=ttl, tos=tos, ident=ident)

    def _see(self, data: bytes, dev: str | None) -> None:
        """The shadow sees it; what leaves it may be quoted, too."""
        self._shadow.see(data, dev)
        for out, left in self._shadow.left:
            if left != data and len(left) > 40 and self._random.random() < 0.5:
                ends = (left[12:16], left[16:20]) if left[0] >> 4 == 4 else (left[8:24], left[24:40])
                self._sent.append((Path(ends, (device_of(ends[0]), None if out == SELF else out)), 0, left))

    def _on_its_way(self, dev: str | None, data: bytes) -> Feed:
        choose, mix = self._random, self._mix
        if choose.random() < mix.options and dev is not None:
            data = with_options(choose, data, mix.written)
        self._see(data, dev)
        if dev is None:
            return Feed(None, data)
        if choose.random() < mix.header:
            data = header_spoiled(choose, data)
        if choose.random() < mix.padding:
            data = padded(choose, data)
        elif choose.random() < mix.padding:
            data = lengths_mended(flip(choose, data))
        elif choose.random() < mix.pieces:
            self._ident += 1
            first, *rest = pieces(choose, data, mix.wrong, self._ident)
            self._late.extend(Feed(dev, piece) for piece in rest)
            return Feed(dev, first)
        return Feed(dev, data)
