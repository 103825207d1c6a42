"""A simulation is a function of (scenario, seed, inputs); it runs to a time or a condition, forks its past, and keeps to its budget."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from lessons.course import read_course
from sim.errors import ScenarioError, UsageError
from sim.inputs import Crafted, Input, Key, Line, LinkChange
from sim.scenario import Scenario
from sim.simulation import Simulation
from sim.trace import EVENTS, Dropped, Labelled, Noted, Output, PacketLost, Record

PAIR = """\
title: Two machines
firewall: server
machines:
  laptop: {interfaces: {eth0: 192.168.1.10/24}}
  server: {interfaces: {eth0: 192.168.1.20/24}, services: [ssh, http], conntrack: always}
links: [{between: [laptop.eth0, server.eth0], delay: 5ms}]
terminals: [{id: laptop, machine: laptop, user: root}, {id: server, machine: server, user: root}]
"""


def pair(more: str = "") -> Scenario:
    return Scenario.from_text(PAIR + more, "pair.yaml")


def typed(*lines: tuple[int, str, str]) -> list[tuple[int, Input]]:
    return [(at, Line(terminal, text)) for at, terminal, text in lines]


def printed(simulation: Simulation, terminal: str) -> str:
    return "".join(
        r.event.text for r in simulation.records if isinstance(r.event, Output) and r.event.terminal == terminal
    )


BUSY = typed(
    (0, "laptop", "ssh admin@server"),
    (1_000_000, "laptop", "hostname"),
    (2_000_000, "server", "iptables -A INPUT -p icmp -j REJECT"),
)


def test_the_same_scenario_seed_and_inputs_give_the_same_trace_byte_for_byte() -> None:
    runs = []
    for _ in range(2):
        simulation = Simulation(pair(), 7, BUSY)
        simulation.run()
        runs.append(simulation.trace.dumps())
    assert runs[0] == runs[1]
    other = Simulation(pair(), 8, BUSY)
    other.run()
    assert other.trace.dumps() != runs[0]


def test_inputs_given_live_and_inputs_replayed_give_the_same_trace() -> None:
    live = Simulation(pair(), 7)
    for at, value in BUSY:
        live.run(at)
        live.give(at, value)
    live.run()
    replayed = Simulation(pair(), 7, live.given)
    replayed.run()
    assert live.trace.dumps() == replayed.trace.dumps()


@pytest.mark.parametrize("at", [0, 12_345, 1_000_000, 1_010_000, 2_500_000])
def test_a_fork_has_the_same_past_and_a_future_of_its_own(at: int) -> None:
    simulation = Simulation(pair(), 7, BUSY)
    simulation.run()
    fork = simulation.fork(at)
    past = [record for record in simulation.records if record.time <= at]
    assert fork.records == past
    fork.give(at, Line("laptop", "ping -c 1 192.168.1.20"))
    fork.run_until_quiet()
    assert fork.records[: len(past)] == past
    assert "ping" in printed(fork, "laptop")


def test_it_runs_to_a_time_and_no_further() -> None:
    simulation = Simulation(pair(), 0, typed((0, "laptop", "ping -c 3 192.168.1.20")))
    simulation.run(1_004_999)
    assert simulation.now == 1_004_999
    assert printed(simulation, "laptop").count("64 bytes") == 1
    simulation.run(1_010_000)
    assert printed(simulation, "laptop").count("64 bytes") == 2


def test_it_runs_to_the_first_record_that_a_condition_accepts() -> None:
    simulation = Simulation(pair(), 0, typed((0, "laptop", "curl http://server/")))
    simulation.run(lambda record: record.event.kind == "entry-new")
    assert [record.event.kind for record in simulation.records].count("entry-new") == 1
    assert simulation.now == 5_000


def test_step_does_one_thing_at_a_time_and_says_when_there_is_nothing_left() -> None:
    simulation = Simulation(pair(), 0, typed((0, "laptop", "ping -c 1 192.168.1.20")))
    steps = 0
    while simulation.step():
        steps += 1
    assert steps > 10 and simulation.peek() is None


def test_what_is_past_cannot_be_given() -> None:
    simulation = Simulation(pair())
    simulation.run(1_000_000)
    with pytest.raises(UsageError, match="Fork at 5ms to change it"):
        simulation.give(5_000, Line("laptop", "ls"))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Line("labtop", "ls"), "did you mean 'laptop'"),
        (Key("x", "^C"), "There are: laptop, server"),
        (LinkChange("laptop.eth0--server.eth1", up=False), "did you mean 'laptop.eth0--server.eth0'"),
        (Crafted("router", "hex 00"), "there is no machine 'router'"),
        (Crafted("laptop", "tcp nonsense"), "a packet is written like"),
    ],
)
def test_an_input_for_what_is_not_there_is_refused(value: Input, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Simulation(pair()).give(0, value)


def test_a_cut_link_loses_packets_and_a_mended_one_carries_them() -> None:
    link = "laptop.eth0--server.eth0"
    inputs: list[tuple[int, Input]] = [
        (0, LinkChange(link, up=False)), (1, Line("laptop", "ping -c 1 -W 1 192.168.1.20")),
        (3_000_000, LinkChange(link, up=True)), (3_000_001, Line("laptop", "ping -c 1 -W 1 192.168.1.20")),
    ]  # fmt: skip
    simulation = Simulation(pair(), 0, inputs)
    simulation.run()
    assert [r.event.reason.code for r in simulation.records if isinstance(r.event, PacketLost)] == ["down"]
    assert "100% packet loss" in printed(simulation, "laptop") and " 0% packet loss" in printed(simulation, "laptop")


def test_a_crafted_packet_is_sent_as_it_is_and_labelled_for_what_it_is() -> None:
    scenario = pair('traffic: [{at: 1s, machine: laptop, packet: "tcp 10.9.9.9:1 > 192.168.1.20:22 FPU seq 5"}]\n')
    simulation = Simulation(scenario)
    simulation.run()
    labels = [r.to_json() for r in simulation.records if r.event.kind == "label"]
    assert [(label["t"], label["machine"], label["label"]) for label in labels] == [(1_005_000, "server", "INVALID")]


def test_scheduled_traffic_is_typed_at_its_time() -> None:
    simulation = Simulation(pair("traffic: [{at: 2s, terminal: laptop, type: hostname}]\n"))
    simulation.run()
    given = [record for record in simulation.records if record.event.kind == "input"]
    assert [record.time for record in given] == [2_000_000]
    assert "laptop" in printed(simulation, "laptop")



def test_traffic_comes_again_and_again_and_links_and_keys_have_their_hour_too() -> None:
    simulation = Simulation(
        pair("""\
traffic:
  - {at: 1s, machine: laptop, packet: "udp 192.168.1.10:9 > 192.168.1.20:9", every: 2s, times: 3}
  - {at: 2s, link: laptop.eth0--server.eth0, change: down}
  - {at: 4s, link: laptop.eth0--server.eth0, change: "up, delay 1s"}
  - {at: 6s, terminal: laptop, type: sleep 100}
  - {at: 8s, terminal: laptop, type: ^C}
""")
    )
    simulation.run()
    labels = [r.time for r in simulation.records if isinstance(r.event, Labelled) and r.event.hook == "PREROUTING"]
    assert labels == [1_005_000, 6_000_000]
    assert simulation.now < 100_000_000 and [r.time for r in simulation.records if isinstance(r.event, PacketLost)] == [3_000_000]


def test_a_link_can_be_cut_from_the_beginning() -> None:
    scenario = Scenario.from_text(PAIR.replace("delay: 5ms", "up: false"), "pair.yaml")
    simulation = Simulation(scenario, 0, typed((0, "laptop", "ping -c 1 192.168.1.20")))
    simulation.run()
    assert "100% packet loss" in printed(simulation, "laptop")


def test_a_fork_of_a_scenario_with_traffic_of_its_own_goes_the_same_way() -> None:
    simulation = Simulation(pair("traffic: [{at: 1s, terminal: laptop, type: ping -c 1 server, times: 3, every: 5s}]\n"))
    simulation.run(20_000_000)
    fork = simulation.fork(7_000_000)
    fork.run(20_000_000)
    assert fork.records == simulation.records


BUDGETS = [
    ("budget: {records: 300}\n", "300 events"),
    ("budget: {time: 5s}\n", "5s of simulated time"),
    ("budget: {memory: 1}\n", "1 MB of memory"),
]


@pytest.mark.parametrize(("budget", "words"), BUDGETS, ids=["events", "time", "memory"])
def test_an_experiment_that_runs_into_its_budget_ends_and_says_so(budget: str, words: str) -> None:
    simulation = Simulation(pair(budget), 0, typed((0, "laptop", "ping -i 0.2 -s 1400 192.168.1.20")))
    simulation.run()
    assert words in simulation.ended
    last = simulation.records[-1].event
    assert isinstance(last, Noted) and last.code == "budget" and words in last.text
    assert not simulation.step()


def test_a_packet_that_a_loop_of_routes_brings_back_is_a_martian_at_its_sender() -> None:
    text = PAIR.replace("server: {interfaces", "server: {kind: router, routes: {default: 192.168.1.10}, interfaces", 1)
    text = text.replace("laptop: {interfaces", "laptop: {kind: router, routes: {default: 192.168.1.20}, interfaces", 1)
    simulation = Simulation(Scenario.from_text(text, "loop.yaml"), 0, typed((0, "laptop", "ping -c 1 -W 1 10.0.0.1")))
    simulation.run()
    assert [r.event.reason.code for r in simulation.records if isinstance(r.event, Dropped)] == ["martian"]


def test_a_crafted_packet_in_a_loop_of_routes_ends_by_its_ttl() -> None:
    text = PAIR.replace("server: {interfaces", "server: {kind: router, routes: {default: 192.168.1.10}, interfaces", 1)
    text = text.replace("laptop: {interfaces", "laptop: {kind: router, routes: {default: 192.168.1.20}, interfaces", 1)
    simulation = Simulation(
        Scenario.from_text(text, "loop.yaml"), 0, [(0, Crafted("laptop", "udp 10.9.9.9:1 > 10.0.0.1:9 ttl 20"))]
    )
    simulation.run_until_quiet()
    assert not simulation.ended
    assert next(r.event.reason.code for r in simulation.records if isinstance(r.event, Dropped)) == "ttl"


REFUSED = [
    (
        "conntrack: always}",
        'conntrack: always, rules: {iptables: "*filter\\n-A INPUT -j ACEPT\\nCOMMIT\\n"}}',
        "server: iptables refuses",
    ),
    (
        "conntrack: always}",
        'conntrack: always, rules: {nft: "table ip x { chain c { tcp dprt 22 } }"}}',
        "server: nft refuses",
    ),
    (
        "conntrack: always}",
        "conntrack: always, sysctls: {net.ipv4.ip_forwrd: 1}}",
        "server: sysctls: net.ipv4.ip_forwrd",
    ),
    ("conntrack: always}", "conntrack: always, routes: {default: 10.9.9.9}}", "server: routes: default"),
]


@pytest.mark.parametrize(("old", "new", "words"), REFUSED, ids=["iptables", "nft", "sysctl", "route"])
def test_what_a_machine_refuses_at_the_start_is_a_scenario_error(old: str, new: str, words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        Simulation(Scenario.from_text(PAIR.replace(old, new), "s.yaml"))


def test_records_count_from_nought_and_never_go_back_in_time() -> None:
    simulation = Simulation(pair(), 7, BUSY)
    simulation.run()
    records: list[Record] = simulation.records
    assert [record.n for record in records] == list(range(len(records)))
    assert all(a.time <= b.time for a, b in pairwise(records))


def test_each_kind_of_event_but_expectations_comes_up_in_the_course_and_goes_to_json() -> None:
    """Each packet's way is told whole: what was sent arrived, was lost, or is still on its way."""
    from lessons.rehearse import rehearse

    kinds: set[str] = set()
    for lesson in read_course().lessons:
        for rehearsal in rehearse(lesson):
            kinds |= {record.event.kind for record in rehearsal.records}
            whole: list[dict[str, Any]] = [record.to_json() for record in rehearsal.records]
            assert all({"n", "t", "machine", "kind"} <= set(record) for record in whole)
    assert kinds >= set(EVENTS) - {"expectation", "lost", "note", "reach", "kernel-log", "nat"}
