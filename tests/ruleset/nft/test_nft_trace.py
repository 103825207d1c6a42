"""`meta nftrace set 1` and what `nft monitor` tells of it; numbers that rules make; headers that they write. Without a kernel beside it."""

from __future__ import annotations

import re

import pytest

from sim.ruleset.nft import tool
from sim.ruleset.nft.monitor import Changes, Wanted, wanted
from tests.ruleset.firewall import Firewall

TRACED = """table ip filter {
 chain input {
  type filter hook input priority 0; policy drop;
  meta nftrace set 1
  ip saddr 192.168.1.10 counter
  udp dport 53 jump side
  icmp type echo-request accept
 }
 chain side {
  udp dport 53 return
 }
}
"""


def loaded(text: str, traced: bool = True) -> Firewall:
    firewall = Firewall(traced=traced)
    result = tool.run(["nft", "-f", "-"], firewall.state, text)
    assert result.status == 0, result.err
    return firewall


def with_rule(rule: str, traced: bool = False) -> Firewall:
    return loaded(f"table ip t {{\n chain c {{\n type filter hook input priority 0; policy drop;\n{rule}\n}}\n}}\n", traced)


def test_a_traced_packet_tells_each_rule_that_it_matches_and_the_policy() -> None:
    firewall, heard = loaded(TRACED), list[str]()
    firewall.state.watchers.append(heard.append)
    firewall.passes("udp 192.168.1.10:40000 > 192.168.1.20:53")
    lines = [re.sub(r"trace id [0-9a-f]{8}", "trace", line) for line in "".join(heard).splitlines()]
    assert lines[0].startswith('trace ip filter input packet: iif "eth0" ip saddr 192.168.1.10 ip daddr 192.168.1.20 ip dscp cs0')
    assert lines[0].endswith("udp sport 40000 udp dport 53 udp length 8 ")
    assert lines[1:] == [
        "trace ip filter input rule meta nftrace set 1 (verdict continue)",
        "trace ip filter input rule ip saddr 192.168.1.10 counter packets 0 bytes 0 (verdict continue)",
        "trace ip filter input rule udp dport 53 jump side (verdict jump side)",
        "trace ip filter side rule udp dport 53 return (verdict return)",
        "trace ip filter input policy drop ",
    ]


def test_a_packet_that_no_rule_traces_tells_nothing() -> None:
    firewall, heard = loaded(TRACED.replace("set 1", "set 0")), list[str]()
    firewall.state.watchers.append(heard.append)
    firewall.passes("udp 192.168.1.10:40000 > 192.168.1.20:53")
    assert heard == []


def test_monitor_tells_what_a_load_has_changed() -> None:
    firewall = loaded("add table ip t\n")
    told = Changes(Wanted(), firewall.state)
    tool.run(["nft", "-f", "-"], firewall.state, "add chain ip t c\nadd rule ip t c counter accept\n")
    assert told.lines().splitlines()[:2] == ["add chain ip t c", "add rule ip t c counter packets 0 bytes 0 accept"]
    tool.run(["nft", "delete", "table", "ip", "t"], firewall.state)
    assert told.lines().splitlines()[0] == "delete table ip t"


@pytest.mark.parametrize(
    ("argv", "answer"),
    [
        (["nft", "monitor"], Wanted()),
        (["nft", "monitor", "trace"], Wanted("", "trace")),
        (["nft", "-a", "monitor", "new", "rules"], Wanted("new", "rules", handles=True)),
        (["nft", "list", "ruleset"], None),
    ],
)
def test_what_monitor_is_asked_for(argv: list[str], answer: Wanted | None) -> None:
    assert wanted(argv) == answer


@pytest.mark.parametrize("traced", [False, True])
def test_numgen_inc_counts_the_packets_of_its_own_rule(traced: bool) -> None:
    firewall = with_rule("numgen inc mod 3 vmap { 0 : accept, 1 : drop, 2 : accept }", traced)
    passed = [firewall.passes("udp 192.168.1.10:40000 > 192.168.1.20:53") for _ in range(6)]
    assert passed == [True, False, True, True, False, True]


@pytest.mark.parametrize(
    ("rule", "packet", "passes"),
    [
        ("@th,16,16 53 accept", "udp 192.168.1.10:40000 > 192.168.1.20:53", True),
        ("@nh,72,8 17 accept", "udp 192.168.1.10:40000 > 192.168.1.20:53", True),
        ("tcp option maxseg missing accept", "tcp 192.168.1.10:40000 > 192.168.1.20:53 S", True),
        ("tcp option maxseg size 1460 accept", "tcp 192.168.1.10:40000 > 192.168.1.20:53 S", False),
        ("tcp option 2 missing accept", "udp 192.168.1.10:40000 > 192.168.1.20:53", True),
        ("meta mark | 0x3 == 0x3 accept", "udp 192.168.1.10:40000 > 192.168.1.20:53", True),
        ("tcp flags & (syn | ack) vmap { syn : accept }", "tcp 192.168.1.10:40000 > 192.168.1.20:53 S", True),
        ("tcp flags & (syn | ack) vmap { syn : accept }", "tcp 192.168.1.10:40000 > 192.168.1.20:53 .", False),
        ('meta hour "09:00"-"10:00" meta day "Monday" accept', "udp 192.168.1.10:40000 > 192.168.1.20:53", True),
        ("udp dport set 80 udp dport 80 accept", "udp 192.168.1.10:40000 > 192.168.1.20:53", True),
        ("ip daddr set 10.0.0.1 ip daddr 10.0.0.1 accept", "udp 192.168.1.10:40000 > 192.168.1.20:53", True),
    ],
)
def test_what_a_rule_reads_and_writes(rule: str, packet: str, passes: bool) -> None:
    assert with_rule(rule).passes(packet) is passes
    assert with_rule(rule, traced=True).passes(packet) is passes


def test_a_header_that_is_written_keeps_its_checksums_right() -> None:
    from sim import wire

    firewall = with_rule("tcp dport set 8080 ip daddr set 10.0.0.1 accept")
    skb = firewall.skb("tcp 192.168.1.10:40000 > 192.168.1.20:53 S")
    assert firewall.run(skb)
    packet = skb.packet
    assert (packet.dport, packet.dst) == (8080, bytes((10, 0, 0, 1)))
    assert wire.transport_checksum_ok(packet.src, packet.dst, 6, packet.data[packet.l4 :])
