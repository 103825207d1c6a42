"""Lines as conntrack-tools 1.4.7 printed them on Linux 6.18 for the same entries."""

from __future__ import annotations

from sim.conntrack import show
from sim.conntrack.expect import Expectation
from sim.conntrack.settings import Settings
from sim.conntrack.tracker import Tracker
from sim.craft import craft
from sim.packet import Packet, Tuple
from sim.units import SECOND, parse_address

REAL = {
    "udp [fd00:1::10]:5000 > [fd00:2::9]:53 data x": "udp      17 29 src=fd00:1::10 dst=fd00:2::9 sport=5000 dport=53 [UNREPLIED]"
    " src=fd00:2::9 dst=fd00:1::10 sport=53 dport=5000 mark=0 use=1",
    "ip 192.168.1.10 > 203.0.113.9 proto 47 hex 0000": "gre      47 29 src=192.168.1.10 dst=203.0.113.9 srckey=0x0 dstkey=0x0 [UNREPLIED]"
    " src=203.0.113.9 dst=192.168.1.10 srckey=0x0 dstkey=0x0 mark=0 use=1",
    "icmp 192.168.1.10 > 203.0.113.9 echo-request id 7 seq 1": "icmp     1 29 src=192.168.1.10 dst=203.0.113.9 type=8 code=0 id=7"
    " [UNREPLIED] src=203.0.113.9 dst=192.168.1.10 type=0 code=0 id=7 mark=0 use=1",
    "ip 192.168.1.10 > 203.0.113.9 proto 200 hex 0000": "unknown  200 599 src=192.168.1.10 dst=203.0.113.9 [UNREPLIED]"
    " src=203.0.113.9 dst=192.168.1.10 mark=0 use=1",
    "tcp 192.168.1.10:1000 > 203.0.113.9:80 S seq 1": "tcp      6 119 SYN_SENT src=192.168.1.10 dst=203.0.113.9 sport=1000 dport=80"
    " [UNREPLIED] src=203.0.113.9 dst=192.168.1.10 sport=80 dport=1000 mark=0 use=1",
}


def tracked(text: str, **values: int) -> Tracker:
    settings = Settings()
    for key, value in values.items():
        settings.set(f"nf_conntrack_{key}", str(value))
    tracker, packet = Tracker(settings), Packet(craft(text))
    tracker.listeners.append(lambda event, conn, now: None)
    found = tracker.track(packet, 0, 0)
    assert found.conn is not None
    tracker.confirm(found.conn, packet, 0)
    return tracker


def test_a_line_of_conntrack_l_for_each_kind_of_protocol() -> None:
    for text, line in REAL.items():
        (conn,) = tracked(text).entries()
        assert show.conntrack_line(conn, 1) == line


def test_accounting_time_stamps_zone_helper_and_id_stand_where_the_real_tool_puts_them() -> None:
    (conn,) = tracked("udp 192.168.1.11:5000 > 203.0.113.9:53 data x", acct=1, timestamp=1).entries()
    conn.zone, conn.helper = 5, "ftp"
    assert show.conntrack_line(conn, SECOND, extended=True, with_id=True, ktimestamp="Mon Nov 23 07:16:32 2026") == (
        "ipv4     2 udp      17 29 src=192.168.1.11 dst=203.0.113.9 sport=5000 dport=53 packets=1 bytes=29 [UNREPLIED]"
        " src=203.0.113.9 dst=192.168.1.11 sport=53 dport=5000 packets=0 bytes=0"
        " mark=0 zone=5 delta-time=1 [start=Mon Nov 23 07:16:32 2026] helper=ftp use=1 id=1"
    )


def test_events_leave_out_a_mark_of_zero_a_time_out_of_zero_and_a_state_that_did_not_change() -> None:
    tracker, lines = tracked("tcp 192.168.1.10:1002 > 203.0.113.9:80 . seq 2 ack 5"), list[str]()
    tracker.listeners[:] = [lambda event, conn, now: lines.append(show.event_line(event, conn, now, timestamp=1795417200871797))]
    packet = Packet(craft("tcp 203.0.113.9:80 > 192.168.1.10:1002 . seq 5 ack 2"))
    found = tracker.track(packet, 0, 1)
    assert found.conn is not None
    tracker.confirm(found.conn, packet, 1, found.ctinfo)
    tracker.expire(301 * SECOND)
    tuples = "src=192.168.1.10 dst=203.0.113.9 sport=1002 dport=80 src=203.0.113.9 dst=192.168.1.10 sport=80 dport=1002"
    assert lines == [
        f"[1795417200.871797]\t [UPDATE] tcp      6 300 {tuples}",
        f"[1795417200.871797]\t[DESTROY] tcp      6 ESTABLISHED {tuples}",
    ]


def test_an_expectation_as_conntrack_l_expect_lists_it() -> None:
    tracker = tracked("tcp 192.168.1.10:1000 > 203.0.113.9:21 S seq 1")
    (master,) = tracker.entries()
    master.helper = "ftp"
    client, server = parse_address("192.168.1.10"), parse_address("203.0.113.9")
    tracker.expectations.expect(Expectation(master, Tuple(client, server, 0, 25701, 6)), 0)
    (one,) = tracker.expectations.entries()
    assert show.expect_line(one, 0) == (
        "300 proto=6 src=192.168.1.10 dst=203.0.113.9 sport=0 dport=25701 mask-src=255.255.255.255 mask-dst=255.255.255.255"
        " sport=0 dport=65535 master-src=192.168.1.10 master-dst=203.0.113.9 sport=1000 dport=21 class=0 helper=ftp"
    )


def test_the_proc_file_writes_ipv6_in_full_and_the_zone_always() -> None:
    (conn,) = tracked("udp [fd00:1::10]:5000 > [fd00:2::9]:53 data x").entries()
    long = "fd00:0001:0000:0000:0000:0000:0000:0010", "fd00:0002:0000:0000:0000:0000:0000:0009"
    assert show.proc_line(conn, 1) == (
        f"ipv6     10 udp      17 29 src={long[0]} dst={long[1]} sport=5000 dport=53 [UNREPLIED]"
        f" src={long[1]} dst={long[0]} sport=53 dport=5000 mark=0 zone=0 use=2"
    )
