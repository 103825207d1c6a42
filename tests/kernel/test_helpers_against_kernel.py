"""Helpers: what they expect, what they drop and what is RELATED for it, packet by packet as the kernel has it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from sim.conntrack.expect import Expectation
from sim.edges.kernel import KernelFirewall
from sim.edges.replay import load_rules
from sim.edges.replay.wall import Wall
from sim.packet import protocol_name
from sim.units import SECOND, show_address
from tests.conntrack.talk import Talk, datagram, syn
from tests.kernel.comparing import Fed, compare
from tests.kernel.conftest import DEVICES

Packets = Sequence[tuple[str, bytes]]
FOUR = """*raw
-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp
-A PREROUTING -p udp -m udp --dport 69 -j CT --helper tftp
-A PREROUTING -p tcp -m tcp --dport 6667 -j CT --helper irc
COMMIT
"""
SIX = """*raw
-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp
-A PREROUTING -p udp -m udp --dport 69 -j CT --helper tftp
COMMIT
"""
CLIENT, SERVER, THIRD = "192.168.1.10", "203.0.113.9", "203.0.113.77"
CLIENT6, SERVER6 = "fd00:1::10", "fd00:2::9"


def said(conversation: Sequence[tuple[int, str]], client: str = CLIENT, server: str = SERVER, port: int = 21) -> list[tuple[str, bytes]]:
    """A TCP conversation with its handshake: (0 client or 1 server, text)."""
    talk = Talk(f"{client} 1000", f"{server} {port}")
    return [*talk.open(), *(talk.say(side, text) for side, text in conversation)]


def asked(*datagrams: tuple[int, bytes], port: int = 69) -> list[tuple[str, bytes]]:
    """Datagrams between a client and a server."""
    talk = Talk(f"{CLIENT} 1069", f"{SERVER} {port}", "udp")
    return [talk.say(side, text) for side, text in datagrams]


GREETING = [(1, "220 ready\r\n"), (0, "USER me\r\n"), (1, "230 in\r\n")]
FTP: dict[str, Packets] = {
    "PORT and its connection": [
        *said([*GREETING, (0, "PORT 192,168,1,10,200,10\r\n"), (1, "200 ok\r\n")]),
        ("wan", syn(f"{SERVER} 20", f"{CLIENT} 51210")), ("wan", syn(f"{SERVER} 20", f"{CLIENT} 51210")),
        ("wan", syn(f"{SERVER} 20", f"{CLIENT} 51211")),
    ],
    "PASV and its connection": [
        *said([*GREETING, (0, "PASV\r\n"), (1, "227 Entering Passive Mode (203,0,113,9,100,1)\r\n")]),
        ("lan", syn(f"{CLIENT} 3333", f"{SERVER} 25601")),
    ],
    "PASV without brackets, with text": said([*GREETING, (1, "227 =203,0,113,9,100,1 there\r\n")]),
    "PASV with text around it": said([*GREETING, (1, "227 Mode 12 (203,0,113,9,100,1)\r\n")]),
    "EPRT": said([*GREETING, (0, "EPRT |1|192.168.1.10|51212|\r\n")]),
    "EPRT with another delimiter": said([*GREETING, (0, "EPRT !1!192.168.1.10!51212!\r\n")]),
    "EPRT of the wrong family": said([*GREETING, (0, "EPRT |2|fd00::1|51212|\r\n")]),
    "EPRT divided by dots": said([*GREETING, (0, "EPRT .1.192.168.1.10.51212.\r\n")]),
    "EPSV and its connection": [
        *said([*GREETING, (0, "EPSV\r\n"), (1, "229 Entering Extended Passive Mode (|||25602|)\r\n")]),
        ("lan", syn(f"{CLIENT} 3333", f"{SERVER} 25602")), ("lan", syn("192.168.1.11 3333", f"{SERVER} 25602")),
    ],
    "EPSV with port nought": said([*GREETING, (1, "229 x (|||0|)\r\n")]),
    "EPSV that wraps": said([*GREETING, (1, "229 x (|||65537|)\r\n")]),
    "EPSV cut short": said([*GREETING, (1, "229 x (||"), (1, "|25602|)\r\n")]),
    "somebody else's address": said([*GREETING, (0, "PORT 192,168,1,11,200,10\r\n"), (1, "227 (203,0,113,77,100,1)\r\n")]),
    "numbers above 255": said([*GREETING, (0, "PORT 192,168,0,266,456,10\r\n"), (0, "PORT 192,168,1,10,456,300\r\n")]),
    "garbage": said([*GREETING, (0, "PORT 1,2,x\r\n"), (0, "PORTX\r\n"), (0, "port\r\n"), (0, "\0PORT\r\n"), (0, "\r\n"), (0, "\n"), (1, "\xff\n")]),
    "in small letters": said([*GREETING, (0, "port 192,168,1,10,200,10\r\n")]),
    "without an end": said([*GREETING, (0, "PORT 192,168,1,10,200,10")]),
    "ended by a newline alone": said([*GREETING, (0, "PORT 192,168,1,10,200,10\n")]),
    "split after the word": said([*GREETING, (0, "PORT"), (0, " 192,168,1,10,200,10\r\n")]),
    "split in the word": said([*GREETING, (0, "PO"), (0, "PORT 192,168,1,10,200,10\r\n")]),
    "in the middle of a line": said([*GREETING, (0, "NOOP"), (0, "PORT 192,168,1,10,200,10\r\n"), (0, "PORT 192,168,1,10,200,11\r\n")]),
    "two commands in one segment": said([*GREETING, (0, "NOOP\r\nPORT 192,168,1,10,200,10\r\n")]),
    "before anything ended in a newline": said([(0, "PORT 192,168,1,10,200,10\r\n"), (0, "PORT 192,168,1,10,200,10\r\n")]),
    "one expectation takes the place of another": [
        *said([*GREETING, (0, "PORT 192,168,1,10,200,10\r\n"), (0, "PORT 192,168,1,10,200,11\r\n"), (0, "PORT 192,168,1,10,200,11\r\n")]),
        ("wan", syn(f"{SERVER} 20", f"{CLIENT} 51210")), ("wan", syn(f"{SERVER} 20", f"{CLIENT} 51211")),
    ],
    "the wrong direction": said([*GREETING, (1, "PORT 192,168,1,10,200,10\r\n"), (0, "227 (192,168,1,10,100,1)\r\n")]),
    "from another server": [
        *said([*GREETING, (0, "PORT 192,168,1,10,200,10\r\n")]), ("wan", syn(f"{THIRD} 20", f"{CLIENT} 51210")),
        ("wan", datagram(f"{SERVER} 20", f"{CLIENT} 51210")),
    ],
    "two clients' connections that would clash": [
        *said([*GREETING, (0, "PORT 192,168,1,10,200,10\r\n")]),
        *(lambda talk: [*talk.open(), talk.say(1, "220\r\n"), talk.say(0, "a\r\n"), talk.say(0, "PORT 192,168,1,10,200,10\r\n")])(
            Talk(f"{CLIENT} 1001", f"{SERVER} 21")
        ),
    ],
    "no helper on another port": said([*GREETING, (0, "PORT 192,168,1,10,200,10\r\n")], port=2121),
}  # fmt: skip
FTP6: dict[str, Packets] = {
    "EPRT and its connection": [
        *said([*GREETING, (0, "EPRT |2|fd00:1::10|51212|\r\n")], CLIENT6, SERVER6), ("wan", syn(f"{SERVER6} 20", f"{CLIENT6} 51212")),
    ],
    "EPSV and its connection": [
        *said([*GREETING, (1, "229 Extended (|||25602|)\r\n")], CLIENT6, SERVER6), ("lan", syn(f"{CLIENT6} 3333", f"{SERVER6} 25602")),
    ],
    **{
        f"EPRT |2|{text}|": said([*GREETING, (0, f"EPRT |2|{text}|51212|\r\n")], CLIENT6, SERVER6)
        for text in (
            "fd00:1:0:0:0:0:0:10", "fd00:0001::10", "FD00:1::10", "fd00:1:::10", "fd00:1::0.0.0.16", "fd00:1:0:0:0:0:0.0.0.16", "::", ":",
            "fd00:1::1:", "12345::", "fd00:1:0:0:0:0:0:10:1", "fd00:1:0:0:0:0::10", "fd00:1:0:0:0:0:0::10", "fd00:1::10%", "", "::1:2:3:4:5:6:7:8",
        )
    },
    "PORT in IPv6": said([*GREETING, (0, "PORT 192,168,1,10,200,10\r\n")], CLIENT6, SERVER6),
}  # fmt: skip
READ, WRITE, DATA = b"\0\1file\0octet\0", b"\0\2file\0octet\0", b"\0\3\0\1data"
TFTP: dict[str, Packets] = {
    "read": [*asked((0, READ)), ("wan", datagram(f"{SERVER} 4000", f"{CLIENT} 1069", DATA)), ("lan", datagram(f"{CLIENT} 1069", f"{SERVER} 4000"))],
    "write": [*asked((0, WRITE)), ("wan", datagram(f"{SERVER} 4000", f"{CLIENT} 1069", b"\0\4\0\0"))],
    "asked again": asked((0, READ), (0, READ), (0, WRITE)),
    "the server asks": asked((0, b"\0\5x"), (1, READ)),
    "other opcodes and stumps": asked((0, DATA), (0, b"\0"), (0, b""), (0, b"\1\1xx"), (0, b"\0\1")),
    "from a third machine": [*asked((0, READ)), ("wan", datagram(f"{THIRD} 4000", f"{CLIENT} 1069", DATA))],
}
OFFER = "PRIVMSG bob :\1DCC SEND file {} {} 1000\1\r\n"
HERE = 192 << 24 | 168 << 16 | 1 << 8 | 10
IRC: dict[str, Packets] = {
    "DCC SEND and its connection": [
        *said([(0, OFFER.format(HERE, 5555))], port=6667), ("wan", syn("203.0.113.200 9999", f"{CLIENT} 5555")),
    ],
    **{
        text: said([(0, text)], port=6667)
        for text in (
            OFFER.format(HERE, 0), OFFER.format(HERE + 1, 5555), OFFER.format(HERE + 2**32, 5555 + 65536), OFFER.format(HERE, "   5555"),
            OFFER.format("x", 5555), OFFER.format(HERE, "x"), "  \r\n" + OFFER.format(HERE, 5555), OFFER.format(HERE, 5555).lower(),
            "PRIVMSG bob :\1DCC CHAT chat 3232235786 5556\1\r\n", "PRIVMSG bob :\1DCC TSEND file 3232235786 5556 1\1\n",
            "PRIVMSG bob :\1DCC RESUME file 3232235786 5556 1\1\n", "PRIVMSG bob :\1DCC CHAT chat 3232235786 5556\1",
            "PRIVMSG bob :hello :\1DCC CHAT chat 3232235786 5556\1\r\n", "PRIVMSG bob :\1DCC CHAT 3232235786 5556\1\r\n",
            "NOTICE bob :\1DCC CHAT chat 3232235786 5556\1\r\n", "PRIVMSG b", "PRIVMSG bob :\1DCC NONE :\1DCC CHAT chat 3232235786 5556\1\r\n",
            ":me PRIVMSG bob :\1DCC CHAT chat 3232235786 5556\1\r\n", "PRIVMSG bob :\1DCC CHAT chatchatchatchatchat\1\r\n", "\n\n\n\n",
        )
    },
    "more offers than may be expected at once": said([(0, OFFER.format(HERE, 5000 + number)) for number in range(10)], port=6667),
    "the server says it": said([(1, OFFER.format(HERE, 5555))], port=6667),
}  # fmt: skip


def shown(one: Expectation, now: int) -> dict[str, Any]:
    """An expectation as the kernel's side of the comparison has it."""
    mine, master = one.tuple, one.master.original
    none, every = show_address(bytes(len(mine.dst))), show_address(b"\xff" * len(mine.dst))
    return {
        "family": "ipv4" if len(mine.dst) == 4 else "ipv6", "protocol": protocol_name(mine.protonum), "protonum": mine.protonum,
        "timeout": max(0, one.expires - now) // SECOND,
        "tuple": {"src": show_address(mine.src), "dst": show_address(mine.dst), "sport": mine.sport, "dport": mine.dport},
        "mask": {"src": none if one.any_src else every, "dst": every, "sport": 0 if one.any_sport else 65535, "dport": 65535},
        "master": {"src": show_address(master.src), "dst": show_address(master.dst), "sport": master.sport, "dport": master.dport},
        "helper": one.master.helper,
    }  # fmt: skip


def differences(kernel: KernelFirewall, wall: Wall, packets: Packets) -> list[str]:
    """Packet by packet: what the two say of it, and what each expects then."""
    found: list[str] = []
    for number, (dev, data) in enumerate(packets, 1):
        found += [str(each) for each in compare([Fed(number, dev, data)], wall, kernel)]
        theirs, ours = kernel.expectations(), [shown(one, wall.now) for one in wall.ip.tracker.expectations.entries()]
        if not _same(theirs, ours):
            found.append(f"packet {number}: expectations: ctlab {ours}, kernel {theirs}")
    return found


def _same(theirs: list[dict[str, Any]], ours: list[dict[str, Any]]) -> bool:
    """Equal but for the order, and for a second that the time of asking may take off."""
    pairs = zip(*(sorted(each, key=lambda one: str(one["tuple"])) for each in (theirs, ours)), strict=False)
    near = all(a | {"timeout": 0} == b | {"timeout": 0} and abs(a["timeout"] - b["timeout"]) <= 1 for a, b in pairs)
    return near and len(theirs) == len(ours)


@pytest.fixture(scope="module")
def helping() -> Iterator[KernelFirewall]:
    """The kernel with the rules above; each test begins with an empty table."""
    with KernelFirewall(DEVICES, iptables=FOUR, ip6tables=SIX) as kernel:
        yield kernel


def check(kernel: KernelFirewall, packets: Packets) -> None:
    kernel.flush()
    wall = Wall(DEVICES)
    load_rules(wall.ip.rules, FOUR, "rules")
    load_rules(wall.ip.rules, SIX, "rules", ipv6=True)
    assert differences(kernel, wall, packets) == []


@pytest.mark.parametrize("name", FTP)
def test_ftp_in_ipv4(helping: KernelFirewall, name: str) -> None:
    check(helping, FTP[name])


@pytest.mark.parametrize("name", FTP6)
def test_ftp_in_ipv6(helping: KernelFirewall, name: str) -> None:
    check(helping, FTP6[name])


@pytest.mark.parametrize("name", TFTP)
def test_tftp(helping: KernelFirewall, name: str) -> None:
    check(helping, TFTP[name])


@pytest.mark.parametrize("name", IRC)
def test_irc(helping: KernelFirewall, name: str) -> None:
    check(helping, IRC[name])
