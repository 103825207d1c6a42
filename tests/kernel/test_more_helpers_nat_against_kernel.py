"""PPTP, Amanda, SANE and SNMP through NAT: what is written into their messages, and where the connections that they announce go."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sim import wire
from sim.edges.kernel import KernelFirewall
from sim.units import parse_address
from tests.conntrack.talk import datagram, syn
from tests.kernel.helped_more import INCOMING, OUTGOING, PAC, PNS, READY, SCAN, Said, gre, ids, message
from tests.kernel.helped_nat import Both, Tcp, Udp
from tests.kernel.translating import DEVICES, same_tables

CLIENT, SERVER, PUBLIC, INNER = "192.168.1.10", "203.0.113.9", "203.0.113.77", "192.168.1.20"
RULES = {
    "iptables": """*raw
-A PREROUTING -p tcp -m tcp --dport 1723 -j CT --helper pptp
-A PREROUTING -p tcp -m tcp --dport 6566 -j CT --helper sane
-A PREROUTING -p udp -m udp --dport 10080 -j CT --helper amanda
-A PREROUTING -p udp -m udp --dport 161 -j CT --helper snmp
-A PREROUTING -p udp -m udp --dport 162 -j CT --helper snmp_trap
COMMIT
*nat
-A PREROUTING -d 203.0.113.77/32 -i wan -j DNAT --to-destination 192.168.1.20
-A POSTROUTING -s 192.168.1.0/24 -o wan -p tcp -m tcp --sport 1005 -j SNAT --to-source 203.0.113.77:7000-7009
-A POSTROUTING -s 192.168.1.0/24 -o wan -j SNAT --to-source 203.0.113.77
COMMIT
"""
}


@pytest.fixture(scope="module")
def natting() -> Iterator[KernelFirewall]:
    with KernelFirewall(DEVICES, iptables=RULES["iptables"]) as kernel:
        yield kernel


@pytest.fixture
def both(natting: KernelFirewall) -> Iterator[Both]:
    """Both firewalls; at the end nothing differed."""
    pair = Both(natting, RULES, DEVICES)
    yield pair
    # the kernel's side cannot name a GRE packet's entry by the packet alone: the whole table is compared for it
    found = [line for line in pair.found if not ("entry: " in line and "GRE" in line)]
    assert found + same_tables(natting.table(), pair.ours) == []


def spoken(talk: Tcp, said: Said) -> Tcp:
    """A conversation, with its handshake."""
    talk.open()
    for side, text in said:
        talk.say(side, text)
    return talk


def tunnel(both: Both, *packets: tuple[str, bytes]) -> None:
    for dev, data in packets:
        both.feed(dev, data)


def test_a_client_behind_nat_calls_out(both: Both) -> None:
    spoken(Tcp(both, f"{CLIENT} 1000", f"{SERVER} 1723"), OUTGOING)
    tunnel(both, ("lan", gre(CLIENT, SERVER, PAC)), ("wan", gre(SERVER, PUBLIC, 1000)), ("lan", gre(CLIENT, SERVER, PAC)))


def test_the_server_s_tunnel_packet_comes_first(both: Both) -> None:
    spoken(Tcp(both, f"{CLIENT} 1000", f"{SERVER} 1723"), OUTGOING)
    tunnel(both, ("wan", gre(SERVER, PUBLIC, 1000)), ("lan", gre(CLIENT, SERVER, PAC)), ("wan", gre(SERVER, PUBLIC, 1000)))


def test_two_clients_with_the_same_call_id_behind_nat(both: Both) -> None:
    spoken(Tcp(both, f"{CLIENT} 1005", f"{SERVER} 1723"), OUTGOING)
    spoken(Tcp(both, "192.168.1.11 1005", f"{SERVER} 1723"), [*OUTGOING[:-1], (1, message(8, ids(PAC + 1, PNS)))])


def test_a_call_that_comes_in_behind_nat(both: Both) -> None:
    spoken(Tcp(both, f"{CLIENT} 1000", f"{SERVER} 1723"), INCOMING)
    tunnel(both, ("lan", gre(CLIENT, SERVER, PAC)), ("wan", gre(SERVER, PUBLIC, PNS)))


def test_a_server_behind_nat(both: Both) -> None:
    spoken(Tcp(both, f"{SERVER} 1000", f"{PUBLIC} 1723", devs=("wan", "lan")), OUTGOING)
    tunnel(both, ("wan", gre(SERVER, PUBLIC, PAC)), ("lan", gre(INNER, SERVER, PNS)), ("lan", gre(INNER, SERVER, 1000)))


def test_a_call_s_end_behind_nat(both: Both) -> None:
    answered = (1, message(8, ids(PAC, 1000)))
    talk = spoken(Tcp(both, f"{CLIENT} 1000", f"{SERVER} 1723"), [*OUTGOING[:-1], answered])
    tunnel(both, ("lan", gre(CLIENT, SERVER, PAC)), ("wan", gre(SERVER, PUBLIC, 1000)))
    for side, kind, number in ((0, 5, 0), (1, 6, 0), (1, 14, 1000), (1, 15, 1000), (0, 15, PAC)):
        talk.say(side, message(kind, ids(number)))
    talk.say(0, message(12, ids(PNS)))
    talk.say(1, message(13, ids(PAC)))
    tunnel(both, ("lan", gre(CLIENT, SERVER, PAC)))


def test_the_answer_names_the_translated_call(both: Both) -> None:
    answered = (1, message(8, ids(PAC, 1000)))
    talk = spoken(Tcp(both, f"{CLIENT} 1000", f"{SERVER} 1723"), [*OUTGOING[:-1], answered, answered])
    tunnel(both, ("lan", gre(CLIENT, SERVER, PAC)), ("wan", gre(SERVER, PUBLIC, 1000)))
    talk.segment(0, 4)
    tunnel(both, ("wan", gre(SERVER, PUBLIC, 1000)))


def test_amanda_behind_nat(both: Both) -> None:
    talk = Udp(both, f"{CLIENT} 900", f"{SERVER} 10080")
    talk.say(0, "Amanda 2.6 REQ\n")
    talk.say(1, "CONNECT DATA 5000 MESG 5001 INDEX 5002\n")
    both.feed("lan", syn(f"{CLIENT} 2000", f"{SERVER} 5001"))


def test_amanda_to_a_client_behind_nat(both: Both) -> None:
    first = Udp(both, f"{SERVER} 900", f"{PUBLIC} 10080", devs=("wan", "lan"))
    second = Udp(both, f"{SERVER} 901", f"{PUBLIC} 10080", devs=("wan", "lan"))
    first.say(0, "Amanda 2.6 REQ\n")
    second.say(0, "Amanda 2.6 REQ\n")
    first.say(1, "CONNECT DATA 9998 MESG 9999 INDEX 2 STATE 7\nOPTIONS ;\n")
    for line in ("DATA 9998 MESG 3", "DATA 4 INDEX 9999"):  # each once taken: the kernel draws another by chance
        second.say(1, f"CONNECT {line}\nOPTIONS ;\n")
    both.feed("wan", syn(f"{SERVER} 2000", f"{PUBLIC} 9998"))
    both.feed("wan", syn(f"{SERVER} 2001", f"{PUBLIC} 9999"))


def test_sane_behind_nat(both: Both) -> None:
    spoken(Tcp(both, f"{CLIENT} 1000", f"{SERVER} 6566"), [(0, SCAN), (1, READY)])
    both.feed("lan", syn(f"{CLIENT} 2000", f"{SERVER} 4000"))


# ---- SNMP ------------------------------------------------------------------------------------------------------------


def ber(tag: int, *parts: bytes, length: bytes | None = None) -> bytes:
    """One element."""
    body = b"".join(parts)
    return bytes((tag,)) + (bytes((len(body),)) if length is None else length) + body


OID, ADDRESS = ber(6, b"\x2b\6\1"), parse_address(CLIENT)


def said(*values: bytes, version: bytes = b"\1", pdu: int = 0xA2, numbers: int = 3, tail: bytes = b"") -> bytes:
    """A message with these values."""
    bindings = ber(0x30, *(ber(0x30, OID, value) for value in values))
    return ber(0x30, ber(2, version), ber(4, b"public"), ber(pdu, *[ber(2, b"\0")] * numbers, bindings), tail)


def bound(*parts: bytes) -> bytes:
    """A message with one binding of these parts."""
    return ber(0x30, *HEAD, ber(0xA2, *NUMBERS, ber(0x30, ber(0x30, *parts))))


def endless(tag: int, *parts: bytes) -> bytes:
    """A construction of indefinite length."""
    return bytes((tag, 0x80)) + b"".join(parts) + b"\0\0"


HEAD, NUMBERS = (ber(2, b"\1"), ber(4, b"p")), (ber(2, b"\0"),) * 3
MINE = ber(0x40, ADDRESS)
MESSAGES: dict[str, bytes] = {
    "an address": said(MINE),
    "three, one another's": said(MINE, ber(0x40, b"\1\2\3\4"), MINE),
    "at an even place": said(ber(2, b"\0\0"), MINE, MINE),
    "not an address": said(ber(4, ADDRESS)),
    **{f"value {tag:#x}": said(ber(tag, b"\0")) for tag in (2, 4, 5, 6, *range(0x41, 0x48), *range(0x80, 0x84), 0x22, 0x60, 0x30)},
    **{f"PDU {tag:#x}": said(MINE, pdu=tag) for tag in (0xA0, 0xA1, *range(0xA3, 0xAA), 0x82, 0x30)},
    "version 3": said(MINE, version=b"\3"),
    "a version of two bytes": said(MINE, version=b"\0\1"),
    "an address of three bytes": said(ber(0x40, b"\1\2\3")),
    "two numbers": said(MINE, numbers=2),
    "four numbers": said(MINE, numbers=4),
    "no values": said(),
    "something behind": said(MINE) + b"more",
    "something behind inside": said(MINE, tail=b"\5\0"),
    "long lengths": ber(0x30, said(MINE)[2:], length=b"\x82\0" + bytes((len(said(MINE)) - 2,))),
    "too long a length": ber(0x30, said(MINE)[2:], length=b"\x83\0\0" + bytes((len(said(MINE)) - 2,))),
    "indefinite": b"\x30\x80" + said(MINE)[2:] + b"\0\0",
    "indefinite without its end": b"\x30\x80" + said(MINE)[2:],
    "cut short": said(MINE)[:-3],
    "nothing": b"",
    "no SNMP": b"hello",
    "a name missing": bound(MINE), "two values of one name": bound(OID, MINE, MINE), "a name without a value": bound(OID),
    "no PDU": ber(0x30, ber(2, b"\1"), ber(4, b"p")), "no bindings": ber(0x30, *HEAD, ber(0xA2, *NUMBERS)),
    "no version": ber(0x30, HEAD[1], ber(0xA2, *NUMBERS, ber(0x30, ber(0x30, OID, MINE)))),
    "a PDU that is primitive": ber(0x30, *HEAD, ber(0x82, *NUMBERS, ber(0x30, ber(0x30, OID, MINE)))),
    "a sequence that is primitive": b"\x10" + said(MINE)[1:],
    "bindings that are primitive": ber(0x30, *HEAD, ber(0xA2, *NUMBERS, ber(0x10, ber(0x30, OID, MINE)))),
    "a number that is constructed": ber(0x30, ber(0x22, b"\1"), HEAD[1], ber(0xA2, *NUMBERS, ber(0x30, ber(0x30, OID, MINE)))),
    "indefinite PDU": ber(0x30, *HEAD, endless(0xA2, *NUMBERS, ber(0x30, ber(0x30, OID, MINE)))),
    "indefinite bindings": ber(0x30, *HEAD, ber(0xA2, *NUMBERS, endless(0x30, ber(0x30, OID, MINE)))),
    "indefinite binding": ber(0x30, *HEAD, ber(0xA2, *NUMBERS, ber(0x30, endless(0x30, OID, MINE)))),
    "an empty address": said(ber(0x40)), "one byte": b"\x30",
}  # fmt: skip


def traps(both: Both) -> Callable[[bytes], None]:
    def send(payload: bytes) -> None:
        both.feed("lan", datagram(f"{CLIENT} 5000", f"{SERVER} 162", payload))

    return send


def test_traps_behind_nat(both: Both) -> None:
    send = traps(both)
    for name, payload in MESSAGES.items():
        before = len(both.found)
        send(payload)
        both.found[before:] = [f"{name}: {line}" for line in both.found[before:]]


def test_answers_of_an_agent_behind_nat(both: Both) -> None:
    asked = Udp(both, f"{SERVER} 5000", f"{PUBLIC} 161", devs=("wan", "lan"))
    inside = ber(0x40, parse_address(INNER))
    for value in (inside, MINE, ber(0x40, parse_address(PUBLIC)), ber(0x40, parse_address(SERVER))):
        asked.say(0, said(value, pdu=0xA0))
        asked.say(1, said(value))


def test_questions_from_behind_nat(both: Both) -> None:
    asked = Udp(both, f"{CLIENT} 5000", f"{SERVER} 161")
    for value in (MINE, ber(0x40, parse_address(PUBLIC))):
        asked.say(0, said(value, pdu=0xA0))
        asked.say(1, said(value))


def test_a_trap_whose_udp_length_is_not_the_packet_s(both: Both) -> None:
    src, dst = parse_address(CLIENT), parse_address(SERVER)
    head = (5000).to_bytes(2) + (162).to_bytes(2)
    body = said(MINE)
    both.feed("lan", wire.ip(src, dst, 17, head + (8 + len(body)).to_bytes(2) + b"\0\0" + body + b"xx"))
    both.feed("lan", wire.ip(src, dst, 17, head + (8 + len(body)).to_bytes(2) + b"\0\0" + body))
