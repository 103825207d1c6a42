"""The quick way of a replay says, line by line, what the whole way says; and counts, and leaves the table, as that does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, strategies

from sim import wire
from sim.edges.capture import CaptureError, Frame, read_capture
from sim.edges.replay import At, Outcome, Printed, Replay, Writer, load_rules
from sim.edges.replay.lane import Lane, is_plain, write_leaving
from sim.edges.replay.page import Page
from sim.edges.verify.fuzz import iptables, nft
from sim.edges.verify.fuzz.session import session
from sim.edges.verify.fuzz.session import with_rules as with_random_rules
from sim.edges.verify.fuzz.traffic import MIXES, Traffic
from sim.edges.verify.plan import DEVICES, Case, Feed, Sysctl
from sim.errors import LanguageError
from sim.machine.forwarding import lower_ttl
from sim.packet import Packet
from sim.units import parse_address
from tests.bench.traffic import ADDRESSES, STATEFUL, frames

MOST = 60
"""Packets of one capture: they are many."""
CAPTURES = Path(__file__).resolve().parents[3] / "shared" / "captures"
NAT = """*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -p tcp -m tcp --dport 8080 -j REDIRECT --to-ports 80
-A POSTROUTING -o wan -p tcp -m tcp --dport 81 -j MASQUERADE
COMMIT
*filter
:FORWARD ACCEPT [0:0]
-A FORWARD -m conntrack --ctstate INVALID -j DROP
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
"""
RAW = "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p udp -j NOTRACK\nCOMMIT\n" + STATEFUL
MARKED = """table inet t {
    set ports { type inet_service; elements = { 80, 443 } }
    chain early { type filter hook prerouting priority mangle; tcp dport 443 meta mark set 7; }
    chain f { type filter hook forward priority filter; policy drop
        meta mark 7 counter accept
        ct state vmap { established : jump known, invalid : drop }
        tcp dport @ports tcp flags syn counter accept
        udp dport 53 limit rate 2/second accept
    }
    chain known { ct original ip daddr 198.51.100.7 counter drop
        tcp flags fin counter
        ip length 40-60 counter accept
        counter accept
    }
}
"""
Prepare = Callable[[Replay], None]


def the_whole_way(replay: Replay, heard: Sequence[Frame], at: Sequence[At] = ()) -> Iterator[str]:
    writer, wall = Writer(), replay.wall
    for happened in replay.run(heard, at):
        if isinstance(happened, Outcome):
            found = wall.lookup(happened.data) if happened.data and happened.verdict else None
            yield writer.line(happened, found, wall.now)
        else:
            yield happened.output


def the_quick_way(replay: Replay, heard: Sequence[Frame], at: Sequence[At] = ()) -> Iterator[str]:
    for happened in replay.lines(heard, at):
        yield from [happened.output] if isinstance(happened, Printed) else happened.decode().split("\n")[:-1]


def what_is_left(replay: Replay) -> object:
    rules, wall = replay.wall.ip.rules, replay.wall
    counted = [rules.counters(rule.id) for _, _, _, rule in rules.ruleset.rules()]
    policies = [rules.policy_counters(table, chain) for table in rules.ruleset.tables for chain in table.chains]
    table = sorted((conn.original, conn.reply, conn.state_name() or "", conn.status, conn.expires) for conn in wall.ip.tracker.entries())
    return counted, policies, table, wall.ip.kernel_log_lines, wall.ip.tracker.stats


def compare(addresses: dict[str, list[str]], heard: Sequence[Frame], prepare: Prepare, at: Sequence[At] = ()) -> int:
    """Both ways must say the same. Gives how many plain packets there were."""
    whole, quick = Replay(addresses), Replay(addresses)
    prepare(whole)
    prepare(quick)
    for number, (wanted, line) in enumerate(zip(the_whole_way(whole, heard, at), the_quick_way(quick, heard, at), strict=True), 1):
        assert line == wanted, f"line {number}"
    assert what_is_left(quick) == what_is_left(whole)
    return sum(frame.data is not None and is_plain(frame.data) for frame in heard)


def with_rules(text: str) -> Prepare:
    return lambda replay: load_rules(replay.wall.ip.rules, text, "rules")


@pytest.mark.parametrize("rules", ["", STATEFUL, NAT, RAW, MARKED], ids=["none", "stateful", "nat", "raw", "nft"])
def test_connections_through_a_firewall(rules: str) -> None:
    heard = frames(60)
    assert compare(ADDRESSES, heard, with_rules(rules)) == len(heard)


def test_what_a_command_changes_in_the_middle_is_seen_by_the_next_packet() -> None:
    commands = [
        "iptables -I FORWARD -p tcp --tcp-flags PSH PSH -j DROP", "iptables -Z", "iptables -D FORWARD 1",
        "ip route add 198.51.100.9/32 dev lan",
        "sysctl -q -w net.netfilter.nf_conntrack_tcp_be_liberal=1", "conntrack -D -d 198.51.100.3", "sysctl -q -w net.ipv4.ip_forward=0",
        "sysctl -q -w net.ipv4.ip_forward=1", "conntrack -U -d 198.51.100.5 -m 9", "iptables -P FORWARD ACCEPT", "ip link set wan down",
    ]  # fmt: skip
    heard = frames(60)
    at = [At(number * 4000, command) for number, command in enumerate(commands, 1)]
    compare({**ADDRESSES, "dmz": ["10.9.0.1/24"]}, heard, with_rules(STATEFUL), at)


@pytest.mark.parametrize("seed", range(24))
def test_random_traffic_through_random_rules(seed: int) -> None:
    random = Random(f"lane {seed}")
    family = random.choice(("ip", "ip6"))
    text = (iptables if seed % 2 else nft).ruleset(random, family)
    traffic = Traffic(random, random.choice(MIXES))
    fed = [traffic.next() for _ in range(250)]
    heard = [Frame(number, 10**12 + number * 1700, feed.dev, feed.data, "") for number, feed in enumerate(fed, 1)]

    def prepare(replay: Replay) -> None:
        try:
            load_rules(replay.wall.ip.rules, text, "rules", family == "ip6")
        except LanguageError:  # random rules may be refused; then both ways go without
            pass

    compare({dev: list(texts) for dev, texts in DEVICES.items()}, heard, prepare)


def compare_case(case: Case) -> int:
    """Both ways with a fuzzed case: its rules, settings, packets, and settings that change among them."""
    heard, at = [], []
    for number, step in enumerate(case.steps, 1):
        now = number * 1700
        if isinstance(step, Feed):
            heard.append(Frame(number, 10**12 + now, step.dev, step.data, ""))
        elif isinstance(step, Sysctl):
            at.append(At(now, f"sysctl -q -w {step.key}={step.value}"))
    plan = case.plan

    def prepare(replay: Replay) -> None:
        for text, ipv6 in ((plan.rules.iptables, False), (plan.rules.ip6tables, True), (plan.rules.nft, False)):
            if text:
                load_rules(replay.wall.ip.rules, text, "rules", ipv6)
        for key, value in plan.sysctls.items():
            replay.set_sysctl(f"{key}={value}")

    return compare({dev: list(texts) for dev, texts in DEVICES.items()}, heard, prepare, at)


@pytest.mark.parametrize("seed", range(20))
def test_helped_and_translated_talks_zones_fragments_and_errors(seed: int) -> None:
    assert compare_case(session(seed, 200)) > 20


@pytest.mark.parametrize("seed", range(12))
def test_talks_through_rules_of_both_languages_at_once(seed: int) -> None:
    compare_case(with_random_rules(seed, 200))


def captures() -> list[Path]:
    return sorted(path for path in CAPTURES.rglob("*") if path.is_file() and path.name not in ("README.md", "COPYING"))


def test_every_capture_of_real_traffic() -> None:
    if not captures():
        pytest.skip("../shared/captures is not here")
    plain = 0
    for path in captures():
        try:
            heard = list(islice(read_capture(path), MOST))
        except CaptureError:
            continue
        plain += compare({}, heard, with_rules(STATEFUL))
    assert plain > 3_000


def test_most_of_a_plain_capture_goes_the_quick_way() -> None:
    replay, page = Replay(ADDRESSES), Page()
    load_rules(replay.wall.ip.rules, STATEFUL, "rules")
    lane = Lane(replay.wall, replay.arrivals, page)
    assert all(lane.write(frame.number, frame.data or b"", None, 0) for frame in frames(60))
    assert all(json.loads(line)["verdict"] == "ACCEPT" for line in page.take().splitlines())


def test_what_came_ahead_of_a_broken_record_is_written_ahead_of_the_error() -> None:
    def broken() -> Iterator[Frame]:
        yield from frames(50)[:3]
        raise CaptureError("broken")

    heard: list[bytes] = []
    with pytest.raises(CaptureError):
        for block in Replay(ADDRESSES).lines(broken()):
            heard += block.splitlines() if isinstance(block, bytes) else []
    assert len(heard) == 3


@pytest.mark.parametrize("ttl", [2, 3, 64, 255])
@pytest.mark.parametrize("ident", [0, 1, 0xFEFF, 0xFFFF, 0x1234])
def test_a_packet_leaves_as_the_forwarding_code_lets_it_leave(ttl: int, ident: int) -> None:
    ends = parse_address("192.168.1.2"), parse_address("198.51.100.1")
    six = parse_address("2001:db8::1"), parse_address("2001:db8::2")
    four = wire.ipv4(*ends, 17, wire.udp(*ends, 1, 2, b"x"), ttl=ttl, ident=ident)
    for data in (four, wire.ipv6(*six, 17, wire.udp(*six, 1, 2), ttl=ttl)):
        packet = Packet(data)
        lower_ttl(packet)
        page = Page()
        write_leaving(page, data)
        assert is_plain(data) and page.take() == packet.data.hex().encode()


@pytest.mark.parametrize("now", [0, 1, 37, 99, 100, 999_999, 1_000_000, 1_000_001, 1_500_000, 1_234_567_000_037, 10**15 + 1, 10**16 + 7])
def test_times_are_written_as_json_writes_them(now: int) -> None:
    page = Page()
    page.seconds(now)
    assert page.take().decode() == json.dumps(now / 1_000_000)


@given(strategies.integers(0, 1 << 40), strategies.binary(max_size=40), strategies.integers(0, 10**9))
def test_numbers_bytes_and_times_are_written_as_python_writes_them(number: int, data: bytes, now: int) -> None:
    page = Page()
    page.number(number)
    page.hex(data, 0, len(data))
    page.seconds(now)
    assert page.take().decode() == f"{number}{data.hex()}{json.dumps(now / 1_000_000)}"
    assert page.take() == b""
