"""What clients and servers say in PPTP, Amanda and SANE, and what is asked of everybody (NetBIOS, SNMP): right, odd and wrong."""

from __future__ import annotations

from collections.abc import Sequence

from sim import wire
from sim.units import parse_address
from tests.conntrack.talk import Talk, datagram, syn
from tests.kernel.helped import CLIENT, CLIENT6, SERVER, SERVER6, THIRD, Packets

FOUR = """*raw
-A PREROUTING -p tcp -m tcp --dport 1723 -j CT --helper pptp
-A PREROUTING -p tcp -m tcp --dport 6566 -j CT --helper sane
-A PREROUTING -p udp -m udp --dport 10080 -j CT --helper amanda
-A PREROUTING -p udp -m udp --dport 137 -j CT --helper netbios-ns
-A OUTPUT -p udp -m udp --dport 137 -j CT --helper netbios-ns
-A OUTPUT -p udp -m udp --dport 161 -j CT --helper snmp
-A OUTPUT -p udp -m udp --dport 162 -j CT --helper snmp_trap
COMMIT
"""
SIX = """*raw
-A PREROUTING -p tcp -m tcp --dport 6566 -j CT --helper sane
-A PREROUTING -p udp -m udp --dport 10080 -j CT --helper amanda
COMMIT
"""
Said = Sequence[tuple[int, bytes]]


def conversation(said: Said, port: int, client: str = CLIENT, server: str = SERVER, sport: int = 1000) -> list[tuple[str, bytes]]:
    """A TCP conversation with its handshake: (0 client or 1 server, bytes)."""
    talk = Talk(f"{client} {sport}", f"{server} {port}")
    return [*talk.open(), *(talk.say(side, text) for side, text in said)]


# ---- PPTP ------------------------------------------------------------------------------------------------------------

SIZES = (0, 144, 144, 4, 4, 4, 8, 156, 20, 208, 12, 16, 4, 136, 28, 12)


def message(kind: int, body: bytes = b"", size: int | None = None, cookie: int = 0x1A2B3C4D, packet: int = 1) -> bytes:
    """A control message of a type, its body filled up with zeros."""
    body = body.ljust(SIZES[kind] if kind < len(SIZES) else 0, b"\0")[:size]
    return b"".join((
        (len(body) + 12).to_bytes(2), packet.to_bytes(2), cookie.to_bytes(4), kind.to_bytes(2), bytes(2), body,
    ))  # fmt: skip


def ids(*numbers: int, code: int = 1) -> bytes:
    """Call ids and a result code."""
    return b"".join(number.to_bytes(2) for number in numbers) + bytes((code, 0))


def gre(src: str, dst: str, call: int, data: bytes = b"ppp", head: bytes = b"\x30\x01\x88\x0b") -> bytes:
    """A GRE packet as PPTP has them (RFC 2637, section 4.1), with its receiver's call id."""
    body = head + len(data).to_bytes(2) + call.to_bytes(2) + bytes(4) + data
    return wire.ip(parse_address(src), parse_address(dst), 47, body)


def there(call: int = 700) -> tuple[str, bytes]:
    """The client's GRE packet."""
    return "lan", gre(CLIENT, SERVER, call)


def back(call: int = 500) -> tuple[str, bytes]:
    """The server's."""
    return "wan", gre(SERVER, CLIENT, call)


PNS, PAC = 500, 700
START: Said = ((0, message(1)), (1, message(2, b"\1\0\1\0")))
OUTGOING: Said = (*START, (0, message(7, ids(PNS))), (1, message(8, ids(PAC, PNS))))
INCOMING: Said = (*START, (1, message(9, ids(PAC))), (0, message(10, ids(PNS, PAC))), (1, message(11, ids(PNS))))


def pptp(said: Said, sport: int = 1000) -> list[tuple[str, bytes]]:
    """A control connection."""
    return conversation(said, 1723, sport=sport)


def closed(said: Said, *between: tuple[str, bytes]) -> list[tuple[str, bytes]]:
    """A control connection that is reset behind what went between."""
    talk = Talk(f"{CLIENT} 1000", f"{SERVER} 1723")
    return [*talk.open(), *(talk.say(side, text) for side, text in said), *between, talk.segment(0, 4)]


PPTP: dict[str, Packets] = {
    "an outgoing call, the client speaks first": [*pptp(OUTGOING), there(), back(), there(), back()],
    "an outgoing call, the server speaks first": [*pptp(OUTGOING), back(), there(), back()],
    "an incoming call": [*pptp(INCOMING), there(), back()],
    "GRE without a call": [there(), back(), there(701)],
    "GRE with another call id": [*pptp(OUTGOING), there(701), back(501), there()],
    "another's GRE": [*pptp(OUTGOING), ("wan", gre(THIRD, CLIENT, PNS))],
    "GRE of version 0 and of another protocol": [
        *pptp(OUTGOING), *(("lan", gre(CLIENT, SERVER, PAC, head=head)) for head in (b"\x30\x00\x88\x0b", b"\x30\x01\x08\x00")), there(),
    ],
    "the call ends": [*pptp([*OUTGOING, (1, message(13, ids(PAC)))]), there(), back()],
    "the call ends while its tunnel is up": [
        *(lambda talk: [
            *talk.open(), *(talk.say(side, text) for side, text in OUTGOING), there(), back(), talk.say(0, message(12, ids(PNS))),
            talk.say(1, message(13, ids(PAC))), there(), back(),
        ])(Talk(f"{CLIENT} 1000", f"{SERVER} 1723")),
    ],
    "the call is refused": pptp([*OUTGOING[:-1], (1, message(8, ids(PAC, PNS, code=2)))]),
    "the session is refused": pptp([(0, message(1)), (1, message(2, b"\1\0\2\0")), *OUTGOING[2:]]),
    "the answer names another call": pptp([*OUTGOING[:-1], (1, message(8, ids(PAC, PNS + 1)))]),
    "no session": pptp(OUTGOING[2:]),
    "the answer again": pptp([*OUTGOING, OUTGOING[-1], OUTGOING[-1]]),
    "a second call of the server's": pptp([*OUTGOING, (1, message(8, ids(PAC + 1, PNS)))]),
    "a second call of the client's": pptp([*OUTGOING, (0, message(7, ids(PNS + 1))), (1, message(8, ids(PAC, PNS + 1)))]),
    "a second call with new ids": [
        *pptp([*OUTGOING, (0, message(7, ids(PNS + 1))), (1, message(8, ids(PAC + 1, PNS + 1)))]), there(), there(PAC + 1), back(PNS + 1),
    ],
    "an incoming call refused": pptp([*INCOMING[:-2], (0, message(10, ids(PNS, PAC, code=2))), INCOMING[-1]]),
    "an incoming call answered for another": pptp([*INCOMING[:-2], (0, message(10, ids(PNS, PAC + 1))), INCOMING[-1]]),
    "stop and start again": pptp([*START, (0, message(3, b"\1")), (1, message(4, b"\1")), *OUTGOING]),
    "stop refused": pptp([*START, (0, message(3, b"\1")), (1, message(4, b"\2")), *OUTGOING[2:]]),
    "the wrong way round": pptp([(1, message(1)), (0, message(2, b"\1\0\1\0")), (1, message(7, ids(PNS))), (0, message(8, ids(PAC, PNS)))]),
    "messages too short": pptp([(0, message(1, size=143)), *(
        (number % 2, message(number, size=max(0, SIZES[number] - 1))) for number in range(1, 16))]),
    "not a control message": pptp([
        (0, message(1, packet=2)), (0, message(1, cookie=0)), (0, message(1)[:11]), (0, message(99)), (0, message(0)),
    ]),
    "echo, errors, link information": pptp([
        *OUTGOING, *((side, message(kind)) for side, kind in ((0, 5), (1, 6), (1, 14), (0, 15), (1, 15))),
    ]),
    "two control connections": [*pptp(OUTGOING), *pptp(OUTGOING, 1001), there(), back()],
    "the control connection is reset": [*closed(OUTGOING), there()],
    "ICMP about the tunnel": [
        *pptp(OUTGOING), there(), back(),
        ("wan", wire.ip(parse_address(SERVER), parse_address(CLIENT), 1, wire.icmp(3, 1, 0, gre(CLIENT, SERVER, PAC)[:40]))),
    ],
}  # fmt: skip

# ---- SANE ------------------------------------------------------------------------------------------------------------

SCAN = (7).to_bytes(4) + (1).to_bytes(4)
READY = bytes(6) + (4000).to_bytes(2)


def sane(*said: tuple[int, bytes], client: str = CLIENT, server: str = SERVER) -> list[tuple[str, bytes]]:
    return conversation(said, 6566, client, server)


SANE: dict[str, Packets] = {
    "a scan and its connection": [
        *sane((0, SCAN), (1, READY + b"more")), *(("lan", syn(f"{CLIENT} 2000", f"{SERVER} {port}")) for port in (4000, 4001)),
    ],
    "an answer too short": sane((0, SCAN), (1, READY[:7]), (1, READY)),
    "refused": sane((0, SCAN), (1, b"\0\0\0\7" + READY[4:])),
    "without its zeros": sane((0, SCAN), (1, bytes(5) + b"\1" + READY[6:])),
    "another request": sane((0, b"\0\0\0\6" + bytes(4)), (1, READY)),
    "another request behind it": sane((0, SCAN), (0, b"\0\0\0\6" + bytes(4)), (1, READY)),
    "a longer request behind it": sane((0, SCAN), (0, SCAN + b"x"), (1, READY)),
    "two scans": sane((0, SCAN), (1, READY), (0, SCAN), (1, bytes(6) + (4001).to_bytes(2))),
    "the answer twice": sane((0, SCAN), (1, READY), (1, bytes(6) + (4001).to_bytes(2))),
}  # fmt: skip
SANE6: dict[str, Packets] = {
    "a scan and its connection": [
        *sane((0, SCAN), (1, READY), client=CLIENT6, server=SERVER6), ("lan", syn(f"{CLIENT6} 2000", f"{SERVER6} 4000")),
    ],
}

# ---- Amanda ----------------------------------------------------------------------------------------------------------


def amanda(*said: tuple[int, bytes], client: str = CLIENT, server: str = SERVER) -> list[tuple[str, bytes]]:
    talk = Talk(f"{client} 900", f"{server} 10080", "udp")
    return [talk.say(side, text) for side, text in said]


ASK = (0, b"Amanda 2.6 REQ HANDLE 000 SEQ 1\nSERVICE sendbackup\n")
ANSWERS = (
    b"CONNECT DATA 5000 MESG 5001 INDEX 5002\n", b"CONNECT DATA 5000 MESG 5001 INDEX 5002", b"CONNECT DATA 0 MESG 5001 INDEX 5002\n",
    b"CONNECT DATA 65536 MESG 1\n", b"CONNECT DATA 99999 MESG 5001 INDEX 5002\n",
    b"CONNECT DATA 123456 MESG 5001\n", b"CONNECT INDEX 5002 DATA 5000\n",
    b"CONNECT DATA x MESG 5001\n", b"CONNECT MESG 5001\n",
    b"CONNECT\nDATA 5000\n", b"OPTIONS\nCONNECT DATA 5000\nMESG 5001\n", b"connect DATA 5000\n",
    b"CONNECT DATA 5000 DATA 5001\n", b"CONNECT DATA 50 00\n",
    b"CONNECT DATA \n", b"CONNECT CONNECT DATA 5\n", b"DATA 1 CONNECT MESG 2\n", b"",
    b"CONNECT DATA 5000 MESG 5000 INDEX 5000\n",
    b"CONNECT DATA 5000 MESG 5001 INDEX 5002 STATE 5003\n",
)  # fmt: skip
AMANDA: dict[str, Packets] = {
    "the streams and their connections": [
        *amanda(ASK, (1, ANSWERS[0])), *(("lan", syn(f"{CLIENT} 2000", f"{SERVER} {port}")) for port in (5000, 5001, 5002, 5003)),
    ],
    **{str(text): amanda(ASK, (1, text)) for text in ANSWERS},
    "the server says it": amanda(ASK, (0, ANSWERS[0])),
    "twice": amanda(ASK, (1, ANSWERS[0]), (1, ANSWERS[0])),
    "other ports": amanda(ASK, (1, ANSWERS[0]), (1, b"CONNECT DATA 6000 MESG 6001 INDEX 6002\n")),
}  # fmt: skip
AMANDA6: dict[str, Packets] = {
    "the streams and their connections": [
        *amanda(ASK, (1, ANSWERS[0]), client=CLIENT6, server=SERVER6), ("lan", syn(f"{CLIENT6} 2000", f"{SERVER6} 5001")),
    ],
}  # fmt: skip

# ---- questions to everybody ------------------------------------------------------------------------------------------

OWN, EVERYBODY, NEAR = "192.168.7.1", "192.168.7.255", "192.168.7.10"
Fed = Sequence[tuple[str | None, bytes]]
BROADCAST: dict[str, Fed] = {
    "NetBIOS: two machines answer": [
        (None, datagram(f"{OWN} 5000", f"{EVERYBODY} 137")), ("lan", datagram(f"{NEAR} 137", f"{OWN} 5000")),
        ("lan", datagram("192.168.7.11 137", f"{OWN} 5000")), ("wan", datagram(f"{SERVER} 137", f"{OWN} 5000")),
        ("lan", datagram("192.168.7.12 138", f"{OWN} 5000")), ("lan", datagram("192.168.7.13 137", f"{OWN} 5001")),
    ],
    "NetBIOS: asked again": [(None, datagram(f"{OWN} 5000", f"{EVERYBODY} 137"))] * 3,
    "NetBIOS: of one machine": [(None, datagram(f"{OWN} 5000", f"{NEAR} 137")), ("lan", datagram(f"{NEAR} 137", f"{OWN} 5000"))],
    "NetBIOS: forwarded": [("wan", datagram(f"{SERVER} 5000", f"{NEAR} 137"))],
    "SNMP": [(None, datagram(f"{OWN} 5000", f"{EVERYBODY} 161")), ("lan", datagram(f"{NEAR} 161", f"{OWN} 5000"))],
    "a trap": [(None, datagram(f"{OWN} 5000", f"{EVERYBODY} 162")), (None, datagram(f"{OWN} 5000", f"{NEAR} 162"))],
    "everybody there is": [(None, datagram(f"{OWN} 5000", "255.255.255.255 137"))],
}  # fmt: skip
