"""Clients that act by themselves tell what they found out: downtime is counted, a connection is given up, a walk takes its time."""

from __future__ import annotations

from sim.inputs import Attempt, Line
from sim.scenario import Scenario
from sim.simulation import Simulation
from sim.trace import Noted, Reached

SCENARIO = Scenario.from_text(
    """\
title: A server and who needs it
firewall: server
machines:
  ann:
    interfaces: {eth0: 192.0.2.10/24}
    clients:
      - {does: probe, name: web, to: server, port: 80, until: 60s}
      - {does: talk, name: database, to: server, port: 5432, until: 60s}
  server:
    interfaces: {eth0: 192.0.2.20/24}
    services: [ssh, http, {echo: {port: 5432}}, {udp-echo: {port: 5060}}, {dns: {}}]
    rules: {iptables: "*filter\\n:INPUT ACCEPT [0:0]\\nCOMMIT\\n"}
links: [{between: [ann.eth0, server.eth0]}]
terminals: [{id: desk, machine: server, user: root}, {id: far, machine: server, user: root, walk: 20s}]
""",
    "clients.yaml",
)
SHUT, OPEN = "iptables -P INPUT DROP", "iptables -P INPUT ACCEPT"


def heard(*inputs: tuple[int, Line | Attempt]) -> list[Reached]:
    simulation = Simulation(SCENARIO, inputs=[(second * 1_000_000, value) for second, value in inputs])
    simulation.run(70_000_000)
    return [record.event for record in simulation.records if isinstance(record.event, Reached)]


def test_a_service_that_always_answers_has_no_downtime() -> None:
    told = heard()
    probes = [event for event in told if event.what == "probe"]
    assert len(probes) == 12
    assert all(event.ok and event.down == 0 for event in probes)
    assert [event.ok for event in told if event.what == "talk"] == [True]


def test_each_failed_try_counts_for_the_time_until_the_next() -> None:
    told = heard((10, Line("desk", SHUT)), (25, Line("desk", OPEN)))
    assert max(event.down for event in told if event.what == "probe") == 15_000_000
    assert [event.reason.code for event in told if event.what == "talk"] == ["answered", "silence", "answered"]


def test_a_connection_that_is_shut_out_for_too_long_is_given_up() -> None:
    told = heard((10, Line("desk", SHUT)), (55, Line("desk", OPEN)))
    assert [event.reason.code for event in told if event.what == "talk"] == ["answered", "silence", "lost"]


def test_a_connection_that_is_reset_is_told_as_such() -> None:
    told = heard((10, Line("desk", "iptables -A INPUT -p tcp --dport 5432 -j REJECT --reject-with tcp-reset")))
    assert [event.reason.code for event in told if event.what == "talk"] == ["answered", "ECONNRESET"]


def test_somebody_must_walk_to_a_terminal_that_is_far_away() -> None:
    simulation = Simulation(SCENARIO, inputs=[(1_000_000, Line("far", SHUT)), (2_000_000, Line("far", OPEN))])
    simulation.run(30_000_000)
    loads = [record.time for record in simulation.records if record.event.kind == "rules"]
    notes = [record.event.code for record in simulation.records if isinstance(record.event, Noted)]
    assert [time for time in loads if time > 0] == [21_000_000, 21_000_000]
    assert notes == ["walk", "there"]


def test_an_attempt_says_how_it_ended() -> None:
    tries = [("tcp", 22), ("tcp", 80), ("tcp", 23), ("udp", 5060), ("udp", 53), ("udp", 9999), ("ping", 0)]
    told = heard(*[(5, Attempt("ann", "server", protocol, port)) for protocol, port in tries])
    codes = {event.to: event.reason.code for event in told if event.what == "attempt"}
    assert [codes[f"{protocol} server" + (f":{port}" if port else "")] for protocol, port in tries] == [
        "answered", "answered", "ECONNREFUSED", "answered", "answered", "ECONNREFUSED", "answered",
    ]


def test_a_handshake_whose_last_packet_is_dropped_is_no_success() -> None:
    rule = "iptables -A INPUT -p tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT"
    told = heard((5, Line("desk", rule)), (6, Line("desk", SHUT)), (7, Attempt("ann", "server", "tcp", 22)))
    assert [event.reason.code for event in told if event.what == "attempt"] == ["half"]
