"""Corners of PPTP and of its tunnels: see corners.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from sim import wire
from sim.edges.verify.fuzz.scene import Scene, Tcp
from sim.units import parse_address

Corner = Callable[[Scene], None]
ME, HE = "192.168.1.10", "203.0.113.9"
ME6, HE6 = "fd00:1::10", "fd00:2::9"
SIZES: Final = {1: 144, 2: 144, 3: 4, 4: 4, 7: 156, 8: 20, 9: 208, 10: 12, 11: 16, 12: 4, 13: 136, 15: 12}


def _control(kind: int, body: bytes = b"", size: int | None = None) -> bytes:
    body = body.ljust(SIZES[kind] if size is None else size, b"\0")
    return (len(body) + 12).to_bytes(2) + b"\0\1\x1a\x2b\x3c\x4d" + kind.to_bytes(2) + b"\0\0" + body


def _ids(*numbers: int, code: int = 1) -> bytes:
    return b"".join(number.to_bytes(2) for number in numbers) + bytes((code, 0))


def _opened(s: Scene, port: int = 1000) -> Tcp:
    line = s.tcp(f"{ME} {port}", f"{HE} 1723")
    line.say(0, _control(1, b"\1\0\1\0"))
    line.say(1, _control(2, b"\1\0\1\0"))
    return line


def _tunnel(s: Scene, ours: int, theirs: int, way: int) -> None:
    """A packet of a call's tunnel: of the client (0) or of the server."""
    ends = parse_address(ME), parse_address(HE)
    head = b"\x30\1\x88\x0b\0\4" + (theirs, ours)[way].to_bytes(2)
    s.feed(("lan", "wan")[way], wire.ip(ends[way], ends[1 - way], 47, head + b"data"))


def calls(s: Scene) -> None:
    """Calls out: answers to other calls, refusals, a tunnel, the end of it and of the session."""
    line = _opened(s)
    line.say(0, _control(7, _ids(500)))
    line.say(1, _control(8, _ids(700, 501)), _control(8, _ids(700, 500, code=2)))
    line.say(0, _control(7, _ids(500)))
    line.say(1, _control(8, _ids(700, 500)), _control(8, _ids(700, 500)))
    for way in (0, 1, 0):
        _tunnel(s, 500, 700, way)
    me6, he6 = parse_address(ME6), parse_address(HE6)
    s.feed("wan", wire.ip(he6, me6, 58, wire.icmpv6(he6, me6, 1, 0, 0, wire.ip(me6, he6, 47, bytes(8)))))
    for head in (b"\0\0\x08\0", b"\x30\1", b"\0\0\x08\0\0\0\0\0"):
        s.feed("lan", wire.ip(parse_address(ME), parse_address(HE), 47, head))
    second = _opened(s, 1001)
    for ours, theirs in ((500, 700), (501, 701), (503, 703), (504, 703), (504, 703)):
        second.say(0, _control(7, _ids(ours)))
        second.say(1, _control(8, _ids(theirs, ours)))
    line.say(0, _control(12, _ids(500)))
    line.say(1, _control(13, _ids(700)))
    line.say(0, _control(3, b"\1"))
    line.say(1, _control(4, b"\2"), _control(4, b"\1"))


def tunnels(s: Scene) -> None:
    """A session that ends while its tunnel stands, one while it is expected, and a server that speaks first."""
    for port, ours in ((1000, 510), (1001, 511), (1002, 512)):
        line = _opened(s, port)
        line.say(0, _control(7, _ids(ours)))
        line.say(1, _control(8, _ids(ours + 200, _heard(line, ours))))
        if port != 1001:
            for way in (0, 1) if port == 1000 else (1, 0):
                _tunnel(s, ours, ours + 200, way)
        line.say(1, _control(13, _ids(ours + 200)))
        line.say(0, _control(3, b"\1"))
        line.say(1, _control(4, b"\1"))


def called(s: Scene) -> None:
    """The server calls: asked, answered, connected; answered with no, connected under another name."""
    for port, code, name, twice in ((1000, 1, 510, 1), (1001, 2, 510, 1), (1002, 1, 511, 2), (1003, 1, 510, 2)):
        line = _opened(s, port)
        line.say(1, _control(9, _ids(700, 700)))
        line.say(0, _control(10, _ids(510, 700, code=code)), _control(10, _ids(510, 701)))
        for _ in range(twice):
            line.say(1, _control(11, _ids(name, 0)))
        line.say(1, _control(4, b"\1"))


def out_of_order(s: Scene) -> None:
    """Calls ahead of the session, a session that is refused, answers that nobody asked for, messages of no kind and of half a size."""
    line = s.tcp(f"{ME} 1000", f"{HE} 1723")
    line.say(1, _control(2, b"\1\0\1\0"), _control(8, _ids(700, 500)), _control(9, _ids(700, 700)), _control(11, _ids(500, 0)))
    line.say(0, _control(7, _ids(500)), _control(12, _ids(500)), _control(10, _ids(500, 700)), _control(1, b"\2\0\1\0"))
    line.say(1, _control(2, b"\1\0\2\0"))
    for kind in (0, 16, 99):
        line.say(0, _control(kind, size=8))
    again = _opened(s, 1001)
    again.say(0, _control(7, _ids(500), size=20), _control(1, size=4), b"\0\x10\0\2" + bytes(12))
    again.say(1, _control(8, _ids(700, 500)))
    again.say(0, _control(7, _ids(500)))
    again.say(1, _control(8, _ids(700, 900)), _control(8, _ids(700, _heard(again, 500)), size=4))
    once = s.tcp(f"{ME} 1002", f"{HE} 1723")
    once.say(0, _control(1, b"\1\0\1\0"))
    once.say(1, _control(2, b"\1\0\2\0"))
    once.say(0, _control(7, _ids(500)))
    once.say(1, _control(8, _ids(700, 500)), _control(11, _ids(500, 0)))


def _heard(line: Tcp, ours: int) -> int:
    """The client's call id as the server has heard it: NAT makes it the port."""
    client = line.sides[1].far
    return ours if client is None or client == line.sides[0].me else client[1]


def one_id_twice(s: Scene) -> None:
    """Two sessions whose server gives both calls one id; the tunnels' packets, the server's first; what ICMP says of them."""
    lines = [_opened(s, 1000), _opened(s, 1001)]
    for line, ours in zip(lines, (500, 501), strict=True):
        line.say(0, _control(7, _ids(ours)))
        line.say(1, _control(8, _ids(700, _heard(line, ours))))
    server = parse_address(HE)
    for line in lines:
        client = line.sides[1].far
        assert client is not None
        for key in (client[1], 500, 501):
            s.feed("wan", wire.ip(server, client[0], 47, b"\x30\1\x88\x0b\0\4" + key.to_bytes(2) + b"data"))
    for ours in (500, 501):
        _tunnel(s, ours, 700, 0)
    for line in lines:
        client = line.sides[1].far
        assert client is not None
        quoted = wire.ip(client[0], server, 47, b"\x30\1\x88\x0b\0\4" + (700).to_bytes(2) + b"data")
        s.feed("wan", wire.ip(server, client[0], 1, wire.icmp(3, 1, 0, quoted)))


PPTP: Final[Sequence[Corner]] = (calls, tunnels, called, out_of_order, one_id_twice)
