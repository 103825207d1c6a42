"""Zones: the same addresses and ports are two connections where rules say so, in ctlab and in this machine's kernel."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sim.conntrack.show import conntrack_line
from sim.craft import craft
from sim.edges.kernel import KernelFirewall
from sim.edges.replay import load_rules
from sim.edges.replay.wall import Wall
from sim.edges.verify.pair import Pair
from sim.edges.verify.plan import Feed, Load, Plan
from tests.kernel.comparing import Fed, compare
from tests.kernel.conftest import DEVICES
from tests.kernel.test_conntrack_tool_prints_the_same import masked

BY_LENGTH = """*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -m length --length 29 -j CT --zone 7
-A PREROUTING -m length --length 30 -j MARK --set-xmark 0x10009/0xffffffff
-A PREROUTING -m length --length 30 -j CT --zone mark
-A OUTPUT -j CT --zone 3
COMMIT
"""
ASK, ANSWER = "udp 192.168.1.10:1000 > 203.0.113.9:53", "udp 203.0.113.9:53 > 192.168.1.10:1000"
FORWARD = [("lan", ASK + ' data "x"'), ("wan", ANSWER + ' data "x"'), ("wan", ANSWER + ' data "xy"'), ("lan", ASK + ' data "xy"')]
FORWARD += [("lan", ASK + ' data "xyz"'), ("lan", ASK + ' data "x"'), ("wan", ANSWER + ' data "xyz"')]


def test_a_zone_set_by_a_rule_ahead_of_conntrack_tells_connections_apart(real: Callable[..., KernelFirewall]) -> None:
    kernel, wall = real(iptables=BY_LENGTH), Wall(DEVICES)
    load_rules(wall.ip.rules, BY_LENGTH, "rules")
    fed = [Fed(number, dev, craft(text)) for number, (dev, text) in enumerate(FORWARD, 1)]
    fed.append(Fed(len(fed) + 1, None, craft("udp 203.0.113.2:1000 > 203.0.113.9:53")))
    assert not compare(fed, wall, kernel)
    ours = {(conn.zone, conn.original.sport, conn.original.dport) for conn in wall.ip.tracker.entries()}
    theirs = {(entry.get("zone", 0), entry["original"]["sport"], entry["original"]["dport"]) for entry in kernel.table()}
    assert ours == theirs and {zone for zone, _, _ in ours} == {0, 3, 7, 9}
    assert any(" zone=7 " in conntrack_line(conn, wall.now) for conn in wall.ip.tracker.entries())


ONE_WAY = """*raw
-A PREROUTING -i lan -m length --length 29 -j CT --zone-orig 7
-A PREROUTING -i wan -m length --length 30 -j CT --zone-orig 7
-A PREROUTING -i lan -m length --length 31 -j CT --zone-reply 8
-A PREROUTING -i lan -m length --length 32 -j MARK --set-mark 5
-A PREROUTING -i lan -m length --length 32 -j CT --zone-orig mark
-A PREROUTING -i lan -m length --length 33 -j CT --zone-orig 6 --zone-reply 6
COMMIT
"""
ONE_WAY_NFT = """table ip t {
 chain pre {
  type filter hook prerouting priority raw;
  iifname "lan" meta length 29 ct original zone set 7
  iifname "wan" meta length 30 ct original zone set 7
  iifname "lan" meta length 31 ct reply zone set 8
  iifname "lan" meta length 32 ct original zone set 5
  iifname "lan" meta length 33 ct zone set 6
 }
 chain seen {
  type filter hook forward priority 0;
  ct zone 7 counter
  ct original zone 7 counter
  ct reply zone 7 counter
  ct original zone 8 counter
  ct reply zone 8 counter
  ct zone 6 counter
 }
}
"""


def one_way_traffic() -> list[Fed]:
    """Each length from one side and the other, some again: which of them meet in one entry is up to the zones."""
    order = [(dev, size) for size in (1, 2, 3, 4, 5, 6) for dev in ("lan", "wan")]
    order += [("lan", 6), ("wan", 1), ("lan", 1), ("wan", 2), ("lan", 3)]
    talk = {"lan": ASK, "wan": ANSWER}
    return [Fed(number, dev, craft(f'{talk[dev]} data "{"x" * size}"')) for number, (dev, size) in enumerate(order, 1)]


@pytest.mark.parametrize("language", ["iptables", "nft"])
def test_a_zone_of_one_direction_takes_packets_of_that_direction_alone(real: Callable[..., KernelFirewall], language: str) -> None:
    text = {"iptables": ONE_WAY, "nft": ONE_WAY_NFT}[language]
    kernel, wall = real(**{language: text}), Wall(DEVICES)
    load_rules(wall.ip.rules, text, "rules")
    assert not compare(one_way_traffic(), wall, kernel)
    ours = masked("\n".join(conntrack_line(conn, wall.now) for conn in wall.ip.tracker.entries()))
    theirs = masked(kernel.command(["conntrack", "-L"]))
    assert ours == [line for line in theirs if "shown" not in line]
    assert any("zone-orig=7" in line for line in ours) and any("zone-reply=8" in line for line in ours)


@pytest.mark.parametrize("also", ["", "-A PREROUTING -i wan -m length --length 30 -j CT --zone-orig 1\n"])
@pytest.mark.kernel
def test_one_original_tuple_in_two_zones_takes_two_ports_of_the_router(also: str) -> None:
    raw = f"-A PREROUTING -i lan -m length --length 29 -j CT --zone-orig 1\n{also}"
    rules = f"*raw\n{raw}COMMIT\n*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n"
    with Pair(Plan(DEVICES, Load(iptables=rules))) as pair:
        assert not list(pair.run([Feed("lan", craft(f'{ASK} data "{said}"')) for said in ("x", "xy", "x", "xy", "xyz")]))
        assert not list(pair.finish())
        ports = {conn.zone & 0xFFFF: conn.reply.dport for conn in pair.wall.ip.tracker.entries()}
    assert ports[1] == 1000 and ports[0] != 1000
