"""Traffic: a few conversations at once, each packet made as its talk would have it, then sent on its way, where things happen."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final, Protocol

from sim import wire
from sim.edges.verify.fuzz.datagrams import EchoTalk, GreTalk, PlainTalk, UdpLiteTalk, UdpTalk
from sim.edges.verify.fuzz.errors import Errors
from sim.edges.verify.fuzz.path import Path, draw_path
from sim.edges.verify.fuzz.pieces import pieces
from sim.edges.verify.fuzz.sctp import SctpTalk
from sim.edges.verify.fuzz.shadow import Shadow
from sim.edges.verify.fuzz.spoil import flip, header_spoiled, lengths_mended, padded, with_options
from sim.edges.verify.fuzz.tcp import TcpTalk
from sim.edges.verify.plan import Feed


class Talk(Protocol):
    """A conversation: whose path it takes, its protocol, its next message."""

    path: Path
    number: int

    def next(self) -> tuple[int, bytes]: ...


@dataclass(frozen=True)
class Mix:
    """How often what happens: shares of talks by kind, and chances by packet. `written`: IPv4 options into which routers write, too;
    not where errors are made, for errors that bear such options themselves are not simulated.
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


MIXES: Final = (
    Mix(), Mix(wrong=0.05), Mix(wrong=0.5), Mix(wrong=0.3, kinds=("tcp",)), Mix(wrong=0.1, kinds=("tcp",)),
    Mix(wrong=0.4, kinds=("sctp",)),
    Mix(wrong=0.3, kinds=("udp", "udplite", "gre", "plain", "echo")), Mix(error=0.3), Mix(pieces=0.25, own=0.3),
    Mix(options=0.2, header=0.1, padding=0.1),
    Mix(options=0.3, low_ttl=0, header=0, written=True),
)  # fmt: skip
TALKS: Final[dict[str, Callable[[Random, Path, tuple[int, int], Shadow, float], Talk]]] = {
    "tcp": TcpTalk, "udp": UdpTalk, "sctp": SctpTalk, "echo": EchoTalk, "udplite": UdpLiteTalk, "gre": GreTalk, "plain": PlainTalk,
}  # fmt: skip
SERVICES: Final = (22, 53, 80, 80, 443, 25, 8080, 1000)
AT_ONCE: Final = 5
REMEMBERED: Final = 20


class Traffic:
    """An endless stream of packets, by `random`."""

    def __init__(self, random: Random, mix: Mix) -> None:
        self._random, self._mix = random, mix
        self._shadow = Shadow()
        self._talks = [self._talk() for _ in range(AT_ONCE)]
        self._sent: deque[tuple[Path, int, bytes]] = deque(maxlen=REMEMBERED)
        self._late: deque[Feed] = deque()
        self._errors = Errors(random, mix.wrong, lambda data: flip(random, data))
        self._ident = random.randrange(1, 2**31)

    def _talk(self) -> Talk:
        choose = self._random
        path = draw_path(choose, self._mix.own)
        ports = (choose.choice((1000, 1001, 40000, choose.randrange(1, 65536))), choose.choice(SERVICES))
        return TALKS[choose.choice(self._mix.kinds)](choose, path, ports, self._shadow, self._mix.wrong)

    def next(self) -> Feed:
        """The next packet."""
        choose = self._random
        if self._late and choose.random() < 0.7:
            return self._late.popleft()
        if choose.random() < 0.01:
            self._talks[choose.randrange(AT_ONCE)] = self._talk()
        if self._sent and choose.random() < self._mix.error:
            path, way, quoted = choose.choice(self._sent)
            way, data = self._errors.about(path, way, quoted)
        else:
            talk = choose.choice(self._talks)
            path = talk.path
            way, message = talk.next()
            data = self._packet(path, way, talk.number, message)
            self._sent.append((path, way, data))
        return self._on_its_way(path.devs[way], data)

    def _packet(self, path: Path, way: int, number: int, message: bytes) -> bytes:
        choose, mix = self._random, self._mix
        if choose.random() < mix.flipped:
            message = flip(choose, message)
        ttl = choose.choice((0, 1, 2)) if choose.random() < mix.low_ttl else choose.choice((64, 64, 255))
        self._ident += 1
        return wire.ip(
            path.ends[way],
            path.ends[1 - way],
            number,
            message,
            ttl=ttl,
            tos=choose.choice((0, 0, 0, 0x10)),
            ident=self._ident & 0xFFFF or 1,
        )

    def _on_its_way(self, dev: str | None, data: bytes) -> Feed:
        choose, mix = self._random, self._mix
        if choose.random() < mix.options and dev is not None:
            data = with_options(choose, data, mix.written)
        self._shadow.see(data, dev is None)
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
