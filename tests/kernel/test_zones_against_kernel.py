"""Zones: the same addresses and ports are two connections where rules say so, in ctlab and in this machine's kernel."""

from __future__ import annotations

from collections.abc import Callable

from sim.conntrack.show import conntrack_line
from sim.craft import craft
from sim.edges.kernel import KernelFirewall
from sim.edges.replay import load_rules
from sim.edges.replay.wall import Wall
from tests.kernel.comparing import Fed, compare
from tests.kernel.conftest import DEVICES

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
