"""A capture through a firewall: where packets arrive, what becomes of them, when commands run, and the lines that come out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sim import wire
from sim.edges.capture import Frame, write_pcap, write_pcapng
from sim.edges.replay import Outcome, Replay, Writer, dumps, load_rules, read_at, to_json
from sim.edges.replay.arrival import OWN, ByAddress, BySides
from sim.errors import CtlabError, LanguageError, UsageError
from sim.units import parse_address as address
from web.commands.replay import replay as command

LAN, WAN = "192.168.1.1", "203.0.113.2"
ADDRESSES = {"lan": [f"{LAN}/24", "fd00:1::1/64"], "wan": [f"{WAN}/24"]}
OPTIONS = ["--addr", f"lan={LAN}/24", "--addr", f"wan={WAN}/24"]
CLIENT, SERVER = "192.168.1.10", "198.51.100.7"
START = 1_700_000_000_000_000
SYN, SYNACK, ACK, RST = 2, 18, 16, 4

STATEFUL = """*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i lan -p udp -j REJECT
-A FORWARD -i lan -m conntrack --ctstate NEW -j ACCEPT
COMMIT
"""
NFT = """table inet f {
 chain c {
  type filter hook forward priority 0; policy drop;
  ct state established accept
  iifname lan accept
 }
}
"""


def tcp(flags: int, seq: int = 1000, ack: int = 0, back: bool = False, src: str = CLIENT, dst: str = SERVER) -> bytes:
    one, other = (address(dst), address(src)) if back else (address(src), address(dst))
    ports = (80, 40000) if back else (40000, 80)
    return wire.ip(one, other, 6, wire.tcp(one, other, *ports, seq=seq, ack=ack, flags=flags))


def udp(src: str = CLIENT, dst: str = SERVER, sport: int = 40000, dport: int = 53, ident: int = 0) -> bytes:
    return wire.ip(address(src), address(dst), 17, wire.udp(address(src), address(dst), sport, dport, b"x"), ident=ident)


HANDSHAKE = [tcp(SYN), tcp(SYNACK, 5000, 1001, back=True), tcp(ACK, 1001, 5001)]


def frames(*packets: bytes | None, every: float = 1.0, interface: str | None = None) -> list[Frame]:
    """The packets as a capture has them, `every` so many seconds."""
    times = [START + round(n * every * 1e6) for n in range(len(packets))]
    notes = ["" if data else "not IP: ARP" for data in packets]
    return [Frame(n, *rest) for n, rest in enumerate(zip(times, [interface] * len(times), packets, notes, strict=True), 1)]


def outcomes(replay: Replay, heard: list[Frame]) -> list[Outcome]:
    return [happened for happened in replay.run(heard) if isinstance(happened, Outcome)]


def run(path: Path, *options: str) -> Result:
    result = CliRunner().invoke(command, [str(path), *options], catch_exceptions=True)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def lines(path: Path, *options: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run(path, "--jsonl", *OPTIONS, *options).stdout.splitlines()]


def captured(tmp_path: Path, *packets: bytes, every: float = 1.0) -> Path:
    write_pcap(tmp_path / "capture.pcap", frames(*packets, every=every))
    return tmp_path / "capture.pcap"


# -- where a packet arrives

ARRIVALS = [
    # the capture's interface, the source, where it arrives
    (None, "192.168.1.77", "lan"),
    (None, "203.0.113.9", "wan"),
    (None, "8.8.8.8", "wan"),
    (None, LAN, OWN),
    (None, WAN, OWN),
    (None, "fd00:1::7", "lan"),
    (None, "2001:db8::1", "wan"),
    ("lan", "8.8.8.8", "lan"),
    ("wan", "192.168.1.77", "wan"),
    ("wan", LAN, OWN),
    ("eth7", "192.168.1.77", "lan"),
    ("#3", "8.8.8.8", "wan"),
]


@pytest.mark.parametrize(("interface", "source", "expected"), ARRIVALS)
def test_a_packet_arrives_where_the_capture_says_or_its_source_lies(interface: str | None, source: str, expected: str) -> None:
    packet = udp(source, "2001:db8::9" if ":" in source else SERVER)
    assert ByAddress(ADDRESSES).device(interface, packet) == expected


def test_the_narrowest_network_decides_where_a_source_lies() -> None:
    arrivals = ByAddress({"wide": ["10.0.0.1/8"], "narrow": ["10.1.0.1/16"], "rest": []})
    found = [arrivals.device(None, udp(source, SERVER)) for source in ("10.2.3.4", "10.1.3.4", "11.1.1.1")]
    assert found == ["wide", "narrow", "rest"]


def test_without_addresses_who_speaks_first_is_behind_lan_and_its_partner_across() -> None:
    sides = BySides(("lan", "wan"))
    talk = [("10.0.0.1", "8.8.8.8"), ("8.8.8.8", "10.0.0.1"), ("10.0.0.2", "8.8.8.8"), ("9.9.9.9", "10.0.0.2"), ("10.0.0.3", "224.0.0.1")]
    assert [sides.device(None, udp(src, dst)) for src, dst in talk] == ["lan", "wan", "lan", "wan", "lan"]


# -- what becomes of it


def test_a_handshake_is_labelled_and_crosses_one_hop_older() -> None:
    found = outcomes(Replay(ADDRESSES), frames(*HANDSHAKE))
    assert [(o.dev, o.label, o.direction, o.verdict) for o in found] == [
        ("lan", "NEW", "original", "ACCEPT"),
        ("wan", "ESTABLISHED", "reply", "ACCEPT"),
        ("lan", "ESTABLISHED", "original", "ACCEPT"),
    ]
    assert found[0].out == (("wan", wire.with_ttl(HANDSHAKE[0], 63)),)


def test_two_devices_cross_whatever_the_addresses_and_three_follow_the_routes() -> None:
    inside = udp("192.168.1.10", "192.168.1.11")
    assert [dev for dev, _ in outcomes(Replay(ADDRESSES), frames(inside))[0].out] == ["wan"]
    three = Replay({**ADDRESSES, "dmz": ["10.9.0.1/16"]})
    found = outcomes(three, frames(inside, udp(CLIENT, "10.9.1.1"), udp(CLIENT, "8.8.8.8"), udp("203.0.113.9", CLIENT)))
    assert [[dev for dev, _ in o.out] for o in found] == [["lan"], ["dmz"], ["dmz"], ["lan"]]


def test_what_is_for_the_firewall_goes_to_self_and_is_not_answered() -> None:
    (found,) = outcomes(Replay(ADDRESSES), frames(tcp(SYN, dst=LAN)))
    assert (found.label, found.verdict, found.out) == ("NEW", "ACCEPT", (("self", tcp(SYN, dst=LAN)),))


def test_the_firewalls_own_packet_goes_through_output_and_its_answer_is_a_reply() -> None:
    replay = Replay(ADDRESSES)
    load_rules(replay.wall.ip.rules, "*filter\n:OUTPUT ACCEPT\n-A OUTPUT -p udp --dport 99 -j DROP\nCOMMIT\n", "r")
    found = outcomes(replay, frames(udp(WAN), udp(SERVER, WAN, 53, 40000), udp(WAN, dport=99)))
    assert [(o.dev, o.label, o.direction, o.verdict) for o in found] == [
        (None, "NEW", "original", "ACCEPT"),
        ("wan", "ESTABLISHED", "reply", "ACCEPT"),
        (None, "NEW", "original", "DROP"),
    ]
    assert [dev for dev, _ in found[0].out] == ["wan"]


def test_what_reject_made_is_in_out_and_when_the_capture_has_it_too_it_is_known_again() -> None:
    replay = Replay(ADDRESSES)
    load_rules(replay.wall.ip.rules, STATEFUL, "r")
    (refused,) = outcomes(replay, frames(udp()))
    ((dev, answer),) = refused.out
    assert (refused.verdict, dev, refused.made[0][1:]) == ("DROP", "lan", ("RELATED", "reply"))
    with_other_id = answer[:4] + b"\x12\x34" + answer[6:10] + b"\0\0" + answer[12:]
    again = outcomes(replay, [Frame(2, START, None, with_other_id, "")])[0]
    assert (again.label, again.direction, again.verdict, again.out) == ("RELATED", "reply", "ACCEPT", ())
    assert again.reason == "The firewall's own answer to packet 1."


def test_a_packet_recorded_on_its_way_out_is_not_fed_again() -> None:
    left = Frame(2, START, "#3", wire.with_ttl(HANDSHAKE[0], 63), "", outgoing=True)
    first, second = outcomes(Replay(ADDRESSES), [frames(HANDSHAKE[0])[0], left])
    assert (first.label, second.label, second.verdict) == ("NEW", None, None)


@pytest.mark.parametrize(
    ("packet", "why"),
    [
        (None, "not IP: ARP"),
        (udp()[:15], "too short for an IPv4 header"),
        (udp()[:10] + b"\0\0" + udp()[12:], "checksum is wrong"),
    ],
)
def test_what_never_reaches_conntrack_has_no_label_and_says_why(packet: bytes | None, why: str) -> None:
    (found,) = outcomes(Replay(ADDRESSES), frames(packet))
    assert found.label is None and found.out == ()
    assert why in found.reason


# -- time and commands


def test_entries_expire_between_packets_exactly() -> None:
    query, answer = udp(), udp(SERVER, CLIENT, 53, 40000)
    early = outcomes(Replay(ADDRESSES), frames(query, answer, every=29.999))
    late = outcomes(Replay(ADDRESSES), frames(query, answer, every=30.0))
    assert [early[1].label, late[1].label] == ["ESTABLISHED", "NEW"]


def test_a_clock_that_goes_back_stands_still() -> None:
    heard = [Frame(1, START + 5_000_000, None, udp(), ""), Frame(2, START, None, udp(), ""), Frame(3, START + 7_000_000, None, udp(), "")]
    assert [o.time_us for o in outcomes(Replay(ADDRESSES), heard)] == [0, 0, 2_000_000]


def test_a_command_runs_at_its_moment_ahead_of_that_moments_packets(tmp_path: Path) -> None:
    path = captured(tmp_path, *[udp()] * 4)
    block = "iptables -A FORWARD -p udp -j DROP"
    assert [line["verdict"] for line in lines(path, "--at", f"1.5 {block}")] == ["ACCEPT", "ACCEPT", "DROP", "DROP"]
    assert [line["verdict"] for line in lines(path, "--at", f"1 {block}")] == ["ACCEPT", "DROP", "DROP", "DROP"]


def test_then_commands_print_what_the_tools_print_at_the_last_packets_time(tmp_path: Path) -> None:
    *_, first, second = lines(captured(tmp_path, *HANDSHAKE), "--then", "conntrack -L", "--then", "sleep 10; conntrack -L")
    assert first["command"] == "conntrack -L"
    assert first["output"] == (
        f"tcp      6 432000 ESTABLISHED src={CLIENT} dst={SERVER} sport=40000 dport=80 "
        f"src={SERVER} dst={CLIENT} sport=80 dport=40000 [ASSURED] mark=0 use=1\n"
        "conntrack v1.4.7 (conntrack-tools): 1 flow entries have been shown.\n"
    )
    assert " 431990 ESTABLISHED " in second["output"]


def test_a_command_that_waits_for_ever_is_interrupted_and_one_for_the_network_refused(tmp_path: Path) -> None:
    path = captured(tmp_path, udp())
    assert "flow events" in lines(path, "--then", "conntrack -E")[-1]["output"]
    with pytest.raises(UsageError, match="no sockets"):
        run(path, "--then", "echo a; curl http://203.0.113.9/")


# -- the lines


def test_a_line_has_the_fields_that_are_promised(tmp_path: Path) -> None:
    (line,) = lines(captured(tmp_path, HANDSHAKE[0]))
    assert list(line) == "packet time in label direction verdict out kernel_log reason entry".split()
    assert line | {"reason": ""} == {
        "packet": 1,
        "time": 0.0,
        "in": "lan",
        "label": "NEW",
        "direction": "original",
        "verdict": "ACCEPT",
        "out": [{"dev": "wan", "bytes": wire.with_ttl(HANDSHAKE[0], 63).hex()}],
        "kernel_log": [],
        "reason": "",
        "entry": {
            "family": "ipv4",
            "protocol": "tcp",
            "protonum": 6,
            "timeout": 120,
            "state": "SYN_SENT",
            "original": {"src": CLIENT, "dst": SERVER, "sport": 40000, "dport": 80},
            "reply": {"src": SERVER, "dst": CLIENT, "sport": 80, "dport": 40000},
            "unreplied": True,
            "assured": False,
            "mark": 0,
        },
    }


def test_the_trace_has_every_rule_tried_in_order(tmp_path: Path) -> None:
    (tmp_path / "rules").write_text(STATEFUL)
    path = captured(tmp_path, HANDSHAKE[0])
    (line,) = lines(path, "--rules", str(tmp_path / "rules"), "--trace")
    rules = {
        "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT": None,
        "-A FORWARD -i lan -p udp -j REJECT --reject-with icmp-port-unreachable": None,
        "-A FORWARD -i lan -m conntrack --ctstate NEW -j ACCEPT": "ACCEPT",
    }
    assert line["trace"] == [{"table": "filter", "chain": "FORWARD", "rule": rule, "verdict": verdict} for rule, verdict in rules.items()]


def test_the_fast_writer_writes_what_json_would() -> None:
    odd = udp()[:10] + b"\0\0" + udp()[12:]
    echo = wire.ip(address(CLIENT), address(SERVER), 1, wire.icmp(8, 0, 7 << 16 | 1))
    far = tcp(ACK, 900_000_000, 5001)
    replay = Replay(ADDRESSES, told=True)
    load_rules(replay.wall.ip.rules, STATEFUL, "r")
    writer = Writer()
    for outcome in replay.run(frames(*HANDSHAKE, far, echo, udp(), odd, None, udp(dst=LAN), udp(WAN), every=0.333333)):
        assert isinstance(outcome, Outcome)
        data = outcome.data or b""
        conn, entry = (replay.wall.lookup(data), replay.wall.entry(data)) if data else (None, None)
        assert writer.line(outcome, conn, replay.wall.now) == dumps(to_json(outcome, entry, False))
        assert writer.traced(outcome, conn, replay.wall.now) == dumps(to_json(outcome, entry, True))


def test_both_languages_are_told_apart_by_their_look(tmp_path: Path) -> None:
    path = captured(tmp_path, HANDSHAKE[0], HANDSHAKE[1], udp("8.8.8.8", CLIENT))
    for text in (STATEFUL, NFT):
        (tmp_path / "rules").write_text(text)
        assert [line["verdict"] for line in lines(path, "--rules", str(tmp_path / "rules"))] == ["ACCEPT", "ACCEPT", "DROP"]


def test_ipv6_rules_are_told_by_the_option_or_their_look(tmp_path: Path) -> None:
    packet = udp("fd00:1::10", "2001:db8::7")
    write_pcapng(tmp_path / "capture.pcapng", frames(packet, interface="lan"))
    (tmp_path / "plain").write_text("*filter\n:FORWARD DROP\nCOMMIT\n")
    (tmp_path / "six").write_text("*filter\n:FORWARD ACCEPT\n-A FORWARD -s fd00:1::/64 -j DROP\nCOMMIT\n")
    for option, name, verdict in (("--rules", "plain", "ACCEPT"), ("--rules6", "plain", "DROP"), ("--rules", "six", "DROP")):
        assert lines(tmp_path / "capture.pcapng", option, str(tmp_path / name))[0]["verdict"] == verdict


def test_the_table_names_label_verdict_and_reason_and_counts(tmp_path: Path) -> None:
    (tmp_path / "rules").write_text(STATEFUL)
    said = run(captured(tmp_path, *HANDSHAKE, udp()), *OPTIONS, "--rules", str(tmp_path / "rules"), "--then", "conntrack -C").stdout
    assert "● NEW" in said and "⇄ ESTABLISHED" in said
    assert "Dropped: filter FORWARD rule 2." in said
    assert "4 packets: 2 NEW, 2 ESTABLISHED; 3 ACCEPT, 1 DROP" in said
    assert said.rstrip().endswith("conntrack -C\n1")


def test_a_setting_reaches_conntrack(tmp_path: Path) -> None:
    path = captured(tmp_path, tcp(ACK, 7, 9))
    assert lines(path)[0]["label"] == "NEW"
    assert lines(path, "--sysctl", "net.netfilter.nf_conntrack_tcp_loose=0")[0]["label"] == "INVALID"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--addr", "lan"], "write DEV=ADDRESS/LENGTH"),
        (["--addr", "lan=1.2.3"], "1.2.3"),
        (["--sysctl", "net.netfilter.nf_conntrack_tcp_lose=1"], "did you mean 'net.netfilter.nf_conntrack_tcp_loose'"),
        (["--sysctl", "net.netfilter.nf_conntrack_tcp_loose=maybe"], "Invalid argument"),
        (["--at", "conntrack -F"], "write 'SECONDS COMMAND'"),
        (["--at", "-1 conntrack -F"], "write 'SECONDS COMMAND'"),
        (["--then", "echo 'open"], "is no command"),
    ],
)
def test_a_wrong_option_says_what_to_write(tmp_path: Path, options: list[str], said: str) -> None:
    with pytest.raises(CtlabError) as caught:
        run(captured(tmp_path, udp()), *options)
    assert said in str(caught.value)


def test_a_mistake_in_the_rules_is_shown_with_file_line_and_column(tmp_path: Path) -> None:
    (tmp_path / "bad.v4").write_text("*filter\n-A FORWARD -m conntrck -j ACCEPT\nCOMMIT\n")
    with pytest.raises(LanguageError) as caught:
        run(captured(tmp_path, udp()), "--rules", str(tmp_path / "bad.v4"))
    assert "bad.v4:2:15: " in str(caught.value)


def test_a_moment_is_seconds_and_a_command() -> None:
    assert read_at("2.5 conntrack -D -p tcp") == (2_500_000, "conntrack -D -p tcp")
