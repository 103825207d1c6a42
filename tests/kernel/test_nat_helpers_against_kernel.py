"""Helpers behind NAT: what is written into FTP, TFTP, IRC and SIP, the numbers shifted for it, and where what was announced goes.

Every packet that leaves, every expectation and entry as the kernel has them, in conversations chosen and by chance (by seed).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import pytest

from sim import wire
from sim.conntrack import show
from sim.edges.kernel import KernelFirewall
from sim.packet import Packet
from tests.kernel.helped import FOUR, SIX
from tests.kernel.helped_nat import ACK, Both, Tcp, Udp
from tests.kernel.nat_talk import CONVERSATIONS, Chat
from tests.kernel.translating import DEVICES, same_tables

LOGGED = {"net.netfilter.nf_conntrack_log_invalid": 255}
MASQUERADE = "-A POSTROUTING -o wan -j MASQUERADE"
LONGER = "-A POSTROUTING -o wan -j SNAT --to-source 203.0.113.177"
BY_NAME = "-A PREROUTING -i lan -d 192.168.7.1 -j DNAT --to-destination 203.0.113.9"
INWARD = "-A PREROUTING -i wan -d 203.0.113.2 -p tcp --dport 21 -j DNAT --to-destination 192.168.1.10"
BY_NAME6 = "-A PREROUTING -i lan -d fd00:1::99 -j DNAT --to-destination fd00:2::9"
TABLES: dict[str, tuple[tuple[str, ...], str]] = {
    "masquerade": ((MASQUERADE,), "203.0.113.9"),
    "snat to a longer address and other ports": (
        ("-A POSTROUTING -o wan -p udp -j SNAT --to-source 203.0.113.177:7000-7100", LONGER), "203.0.113.9",
    ),
    "dnat": ((BY_NAME,), "192.168.7.1"),
    "dnat and masquerade": ((BY_NAME, MASQUERADE), "192.168.7.1"),
    "dnat to another port, snat to a range": (
        (
            "-A PREROUTING -i lan -p udp -d 192.168.7.1 -j DNAT --to-destination 203.0.113.9:5061", BY_NAME,
            "-A POSTROUTING -o wan -j SNAT --to-source 203.0.113.50-203.0.113.60",
        ), "192.168.7.1",
    ),
    "no rules": ((), "203.0.113.9"),
    "ipv6 masquerade": ((MASQUERADE,), "fd00:2::9"),
    "ipv6 dnat and snat": ((BY_NAME6, "-A POSTROUTING -o wan -j SNAT --to-source fd00:2::50"), "fd00:1::99"),
}  # fmt: skip


def rules(name: str) -> dict[str, str]:
    """Texts for both tools; helpers in both, NAT in one."""
    six = name.startswith("ipv6")
    table = "\n".join(["*nat", *TABLES[name][0], "COMMIT", ""])
    return {"iptables": FOUR + ("*nat\nCOMMIT\n" if six else table), "ip6tables": SIX + (table if six else "*nat\nCOMMIT\n")}


def opened(tables: dict[str, str]) -> KernelFirewall:
    """A kernel with these."""
    return KernelFirewall(DEVICES, iptables=tables["iptables"], ip6tables=tables.get("ip6tables", ""), sysctls=LOGGED)


Open = Callable[[str], Both]


@pytest.fixture(scope="module")
def kernels() -> Iterator[dict[str, KernelFirewall]]:
    """A kernel for each table, opened when it is asked for."""
    by_name: dict[str, KernelFirewall] = {}
    yield by_name
    for kernel in by_name.values():
        kernel.close()


@pytest.fixture
def pair(kernels: dict[str, KernelFirewall]) -> Iterator[Open]:
    """Both firewalls with a table of TABLES; at the end nothing differed."""
    made: list[Both] = []

    def of(name: str) -> Both:
        if name not in kernels:
            kernels[name] = opened(rules(name))
        made.append(Both(kernels[name], rules(name), DEVICES, told=len(made) % 2 == 1))
        return made[-1]

    yield of
    for both in made:
        assert both.found + same_tables(both.kernel.table(), both.ours) == []


def ftp(both: Both, server: str, port: int = 1000) -> Tcp:
    """A control connection, past the greeting."""
    talk = Tcp(both, f"192.168.1.10 {port}", f"{server} 21").open()
    talk.say(1, "220 ready\r\n")
    talk.say(0, "USER me\r\n")
    return talk


def announced(both: Both, text: str = "data") -> None:
    """What is expected comes, and both ends speak."""
    for one in both.kernel.expectations():
        place = one["tuple"]
        devs = ("wan", "lan") if place["src"].startswith("203.") else ("lan", "wan")
        talk = (Tcp if one["protonum"] == 6 else Udp)(both, f"{place['src']} 2000", f"{place['dst']} {place['dport']}", devs)
        if isinstance(talk, Udp):
            talk.say(0, text)
        else:
            talk.open().say(0, text)
        talk.say(1, text)


@pytest.mark.parametrize("name", [name for name in TABLES if not name.startswith("ipv6")])
def test_an_active_ftp_connection_and_the_numbers_behind_it(pair: Open, name: str) -> None:
    both = pair(name)
    talk = ftp(both, TABLES[name][1])
    for line in ("PORT %me,%,200,10\r\n", "EPRT |1|%me%|51212|\r\n"):
        talk.say(0, line)
        announced(both)
        talk.say(1, "200 ok\r\n")
        talk.say(0, "NOOP\r\n")
    for _ in range(2):
        talk.segment(1, ACK, options=b"\1\1\5\x0a" + (talk.sides[1].ack - 20).to_bytes(4) + (talk.sides[1].ack + 20).to_bytes(4))
        talk.segment(0, ACK, options=b"\1\5\x0a" + talk.sides[0].ack.to_bytes(4) + (talk.sides[0].ack + 20).to_bytes(4))


def test_a_passive_ftp_server_behind_dnat() -> None:
    tables = {"iptables": FOUR + f"*nat\n{INWARD}\nCOMMIT\n"}
    with opened(tables) as kernel:
        both = Both(kernel, tables, DEVICES, told=True)
        talk = Tcp(both, "203.0.113.9 1000", "203.0.113.2 21", ("wan", "lan")).open()
        for line in ("220\r\n", "227 Entering (%me,%,10,1)\r\n", "229 (|||4000|)\r\n"):
            talk.say(1, line)
            talk.say(0, "NOOP\r\n")
            announced(both)
        assert both.found + same_tables(kernel.table(), both.ours) == []


def test_a_line_said_again_is_written_again_but_shifts_the_numbers_once(pair: Open) -> None:
    both = pair("snat to a longer address and other ports")
    talk = ftp(both, "203.0.113.9")
    seq = talk.sides[0].seq
    talk.say(0, "PORT %me,%,1,10\r\n", lost=True)
    for _ in range(2):
        talk.segment(0, ACK, talk.sides[0].words("PORT %me,%,1,10\r\n"), seq=seq)
    talk.say(1, "200 ok\r\n")
    talk.say(0, "NOOP\r\n")
    assert both.ours.wall.ip.tracker.entries()


def test_clients_that_announce_the_same_port_get_others(pair: Open) -> None:
    both = pair("masquerade")
    talks = [Tcp(both, f"192.168.1.{host} 1000", "203.0.113.9 21").open() for host in (10, 11, 12)]
    for talk in talks:
        talk.say(0, "USER\r\n")
        talk.say(0, "PORT %me,%,200,10\r\n")
    for talk in talks:
        talk.say(0, "PORT %me,%,255,255\r\n")
    announced(both)


def test_errors_about_a_connection_whose_numbers_are_shifted(pair: Open) -> None:
    both = pair("snat to a longer address and other ports")
    talk = ftp(both, "203.0.113.9")
    talk.say(0, "PORT %me,%,1,10\r\n")
    for side, text in ((1, "200 ok\r\n"), (0, "NOOP\r\n")):
        answer = talk.say(side, text)
        assert answer is not None
        for dev, data in answer.out:
            packet = Packet(data)
            for size in (28, 40, 200):
                both.feed(dev, wire.ip(packet.dst, packet.src, 1, wire.icmp(11, 0, 0x12345678, data[:size])))


def test_a_segment_with_options_that_make_no_sense_cannot_be_shifted(pair: Open) -> None:
    both = pair("snat to a longer address and other ports")
    talk = ftp(both, "203.0.113.9")
    talk.say(0, "PORT %me,%,1,10\r\n")
    for options in (b"\5\1\1\1", b"\1\1\1\5", b"\5\x20\0\0", b"\0\5\x20\0", b"\5\x0b" + bytes(10)):
        talk.segment(1, ACK, options=options)


LATE = """table ip t {{
 ct helper f {{ type "ftp" protocol tcp; }}
 chain h {{ type filter hook {}; tcp dport 21 ct helper set "f"; }}
 chain s {{ type nat hook postrouting priority srcnat; oifname "wan" snat to 203.0.113.177; }}
 chain d {{ type nat hook prerouting priority dstnat; ip daddr 192.168.7.1 dnat to 203.0.113.9; }}
}}
"""


PLACES = ("prerouting priority filter", "forward priority filter", "postrouting priority 150", "postrouting priority 0")


@pytest.mark.parametrize("place", PLACES)
def test_a_helper_that_nft_gives_before_and_after_the_translation(place: str) -> None:
    with KernelFirewall(DEVICES, nft=LATE.format(place), sysctls=LOGGED) as kernel:
        both = Both(kernel, {"nft": LATE.format(place)}, DEVICES)
        for server, port in (("203.0.113.9", 1000), ("192.168.7.1", 1001)):
            talk = ftp(both, server, port)
            talk.say(0, "PORT %me,%,1,10\r\n")
            talk.say(1, "200 ok\r\n")
            talk.say(0, "NOOP\r\n")
            talk.segment(1, ACK)
        assert both.found == []


@pytest.mark.parametrize("size", [1460, 1459, 1456])
def test_a_segment_that_becomes_too_long_for_the_way_is_sent_back(pair: Open, size: int) -> None:
    both = pair("snat to a longer address and other ports")
    talk = ftp(both, "203.0.113.9")
    line = talk.sides[0].words("PORT %me,%,200,10\r\n")
    answer = talk.say(0, line + b"x" * (size - len(line)))
    assert answer is not None
    # what the kernel quotes has but half of its checksum by then: see the ledger
    found = [line for line in both.found if not (answer.verdict == "DROP" and ": out: " in line)]
    both.found.clear()
    assert found == []
    conn = both.ours.wall.ip.tracker.entries()
    assert conn
    [(dev, left)] = answer.out
    assert (dev == "lan") == (size == 1460) == (left[9] == 1)


INVITE = (
    "INVITE sip:bob@%far%:%far-port% SIP/2.0\r\nVia: SIP/2.0/{0} %me%:%my-port%;branch=1;rport\r\nFrom: <sip:me@%me%>;tag=1\r\n"
    "To: <sip:bob@%far%>\r\nCSeq: 2 INVITE\r\nContact: <sip:me@%me%:%my-port%>\r\nContent-Length: %length%\r\n\r\nv=0\r\n"
    "o=me 1 1 IN IP4 %me%\r\ns=-\r\nc=IN IP4 %me%\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\nc=IN IP4 %me%\r\nm=video 4002 RTP/AVP 31\r\n"
)
ANSWER = (
    "SIP/2.0 200 OK\r\nVia: SIP/2.0/{0} %far%:%far-port%;branch=1;received=%far%;rport=%far-port%\r\nFrom: <sip:me@%far%>;tag=1\r\n"
    "To: <sip:bob@%me%>;tag=2\r\nCSeq: 2 INVITE\r\nContact: <sip:bob@%me%:%my-port%>\r\nContent-Length: %length%\r\n\r\nv=0\r\n"
    "o=bob 1 1 IN IP4 %me%\r\ns=-\r\nc=IN IP4 %me%\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\nm=video 5002 RTP/AVP 31\r\n"
)
REGISTER = (
    "REGISTER sip:%far% SIP/2.0\r\nVia: SIP/2.0/{0} %me%:%my-port%\r\nCSeq: 1 REGISTER\r\nContact: <sip:me@%me%:%my-port%>\r\n"
    "Expires: 60\r\nContent-Length: 0\r\n\r\n"
)
REGISTERED = "SIP/2.0 200 OK\r\nCSeq: 1 REGISTER\r\nContact: <sip:me@%far%:%far-port%>;expires=50\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize("protocol", ["UDP", "TCP"])
@pytest.mark.parametrize("name", [name for name in TABLES if not name.startswith("ipv6")])
def test_a_phone_registers_calls_and_hears(pair: Open, name: str, protocol: str) -> None:
    both = pair(name)
    for port in (5060, 40000):
        talk = (Tcp if protocol == "TCP" else Udp)(both, f"192.168.1.10 {port}", f"{TABLES[name][1]} 5060")
        if protocol == "TCP":
            talk.open()
        for side, text in ((0, REGISTER), (1, REGISTERED), (0, INVITE), (1, ANSWER), (1, INVITE), (0, ANSWER), (0, INVITE * 2)):
            talk.say(side, text.format(protocol))
            announced(both)


def test_a_phone_that_asks_from_a_high_port_hears_on_its_own(pair: Open) -> None:
    talk = Udp(pair("masquerade"), "192.168.1.10 40000", "203.0.113.9 5060")
    for side, text in ((0, REGISTER.replace("%me%:%my-port%\r\nCSeq", "%me%:5060\r\nCSeq")), (1, REGISTERED), (1, INVITE), (0, ANSWER)):
        talk.say(side, text.format("UDP"))


DESCRIBED = {
    "no owner": INVITE.replace("o=me 1 1 IN IP4 %me%\r\n", ""),
    "no length": INVITE.replace("Content-Length: %length%\r\n", ""),
    "no media": INVITE[: INVITE.index("m=audio")],
    "no addresses at all": INVITE[: INVITE.index("m=audio")].replace("c=IN IP4 %me%\r\n", ""),
    "media switched off": INVITE.replace("audio 4000", "audio 0").replace("video 4002", "video 0"),
    "somebody else's address": INVITE.replace("c=IN IP4 %me%", "c=IN IP4 192.168.1.99"),
    "a length of two digits that gets three": INVITE[: INVITE.index("s=-")] + "c=IN IP4 %me%\r\nm=audio 4000 R\r\nc=IN IP4 %me%\r\n",
}


@pytest.mark.parametrize("what", DESCRIBED)
def test_session_descriptions_that_are_not_whole(pair: Open, what: str) -> None:
    both = pair("snat to a longer address and other ports")
    talk = Udp(both, "192.168.1.10 5060", "203.0.113.9 5060")
    talk.say(0, DESCRIBED[what].format("UDP"))
    announced(both)
    talk.say(1, ANSWER.format("UDP"))


def test_streams_that_two_phones_announce_alike_and_to_each_other(pair: Open) -> None:
    both = pair("masquerade")
    talks = [Udp(both, f"192.168.1.{host} 5060", "203.0.113.9 5060") for host in (10, 11, 12)]
    for talk in talks:
        talk.say(0, INVITE.format("UDP"))
    # the server tells the second phone the first one's streams, as it knows them
    talks[1].say(1, ANSWER.format("UDP").replace("c=IN IP4 %me%", "c=IN IP4 203.0.113.2").replace("5000", "4000"))
    announced(both)


@pytest.mark.parametrize("seed", range(20))
def test_conversations_gone_wrong_by_chance(kernels: dict[str, KernelFirewall], seed: int) -> None:
    chance, found = Random(f"nat {seed}"), list[str]()
    for _ in range(14):
        key = chance.choice([key for key in CONVERSATIONS if chance.random() < 0.5 or key.startswith("sip")])
        said = CONVERSATIONS[key]
        name = chance.choice([name for name in TABLES if name.startswith("ipv6") == (said.version == 6)])
        if name not in kernels:
            kernels[name] = opened(rules(name))
        both = Both(kernels[name], rules(name), DEVICES, told=chance.random() < 0.3)
        Chat(both, chance, TABLES[name][1]).run(said)
        found += [f"{key} through {name}: {line}" for line in both.found]
    assert found == []


def test_entries_and_expectations_behind_nat_are_listed_as_the_real_tool_lists_them(pair: Open) -> None:
    both = pair("snat to a longer address and other ports")
    ftp(both, "203.0.113.9").say(0, "PORT %me,%,200,10\r\n")
    Udp(both, "192.168.1.10 5060", "203.0.113.9 5060").say(0, REGISTER.format("UDP"))
    tracker, now = both.ours.wall.ip.tracker, both.ours.wall.now
    for table, ours in (
        ("conntrack", [show.conntrack_line(conn, now) for conn in tracker.entries()]),
        ("expect", [show.expect_line(one, now) for one in tracker.expectations.entries()]),
    ):
        listed = both.kernel.command(["conntrack", "-L", table]).splitlines()
        assert sorted(map(_timeless, ours)) == sorted(_timeless(line) for line in listed if "src=" in line)


def _timeless(line: str) -> str:
    words = line.split()
    return " ".join(word for at, word in enumerate(words) if not (word.isdigit() and at in (0, 2)))
