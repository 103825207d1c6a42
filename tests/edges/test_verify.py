"""Verify without a kernel: what is compared, shrinking, generators that repeat themselves, recording, measuring, and the command."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner

from sim.conntrack import tracker
from sim.conntrack.conn import Conn
from sim.craft import craft
from sim.edges.kernel import Answer
from sim.edges.replay.outcome import Outcome
from sim.edges.replay.wall import Wall
from sim.edges.verify.answers import differences, fits
from sim.edges.verify.counters import counted, listed_counters, saved_counters
from sim.edges.verify.fuzz import iptables, nft
from sim.edges.verify.fuzz.pieces import pieces
from sim.edges.verify.fuzz.session import session, with_rules
from sim.edges.verify.masks import masked
from sim.edges.verify.measure import Measure, give_rules
from sim.edges.verify.plan import Age, Feed, Forget, Load, Sysctl
from sim.edges.verify.recording import Recorder
from sim.edges.verify.shrink import shrink
from sim.edges.verify.sources import Clock
from sim.errors import UsageError
from sim.inputs import Line
from sim.scenario import Scenario
from sim.simulation import Simulation
from sim.units import SECOND
from web.commands.verify import verify

COMPILED = not str(tracker.__file__).endswith(".py")
UDP = craft("udp 192.168.1.10:1000 > 203.0.113.9:53 data x")


def outcome(**given: object) -> Outcome:
    told = {"number": 1, "time_us": 0, "dev": "lan", "data": UDP, "label": "NEW", "direction": "original", "verdict": "ACCEPT"}
    told |= {"out": (), "kernel_log": (), "reason": ""}
    return Outcome(**(told | given))  # type: ignore[arg-type]


def answer(**given: object) -> Answer:
    told = {"label": "NEW", "direction": "original", "verdict": "ACCEPT", "out": (), "kernel_log": (), "entry": None}
    return Answer(**(told | given))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "ours", "kernels"),
    [
        ("label", "NEW", "INVALID"), ("direction", "original", "reply"), ("verdict", "ACCEPT", "DROP"), ("kernel_log", ("a",), ("b",)),
        ("out", (("wan", UDP),), (("lan", UDP),)), ("out", (("wan", UDP),), (("wan", UDP + b"x"),)),
    ],
)  # fmt: skip
def test_a_field_that_differs_is_told_with_both_answers(field: str, ours: object, kernels: object) -> None:
    (difference,) = differences(7, outcome(**{field: ours}), None, answer(**{field: kernels}), 0)
    assert difference.field == field and difference.number == 7 and "kernel" in str(difference)


def test_equal_answers_differ_in_nothing_and_a_missing_entry_is_told() -> None:
    assert list(differences(1, outcome(), None, answer(), 0)) == []
    entry = {"timeout": 30, "original": {"src": "1.2.3.4"}}
    assert [each.field for each in differences(1, outcome(), None, answer(entry=entry), 0)] == ["entry"]


def test_what_the_firewall_makes_is_compared_by_its_label() -> None:
    made = outcome(made=((UDP, "RELATED", "reply"),))
    assert [each.field for each in differences(1, made, None, answer(), 0)] == ["made"]


@pytest.mark.parametrize(
    ("left", "shown", "fitting"),
    [(30 * SECOND, 30, True), (30 * SECOND, 29, True), (30 * SECOND, 28, False), (29_500_000, 29, True), (29_500_000, 30, False),
     (-5, 0, True)],
)
def test_a_time_out_may_be_off_by_three_ticks_and_not_by_more(left: int, shown: int, fitting: bool) -> None:
    assert fits(left, shown) is fitting


def test_chance_is_masked_and_nothing_else() -> None:
    error = craft("icmp 192.168.1.1 > 192.168.1.10 port-unreachable about (udp 192.168.1.10:5000 > 192.168.1.1:53)")
    other = error[:4] + b"\x12\x34" + error[6:10] + b"\xff\xff" + error[12:]
    assert masked(error) == masked(other) != masked(error[:-1] + b"!")
    assert masked(UDP) == UDP
    assert masked(b"") == b""


def test_shrinking_finds_the_two_that_matter_among_hundreds() -> None:
    tried = []

    def fails(items: object) -> bool:
        tried.append(items)
        return {3, 288} <= set(items)  # type: ignore[call-overload]

    assert shrink(list(range(300)), fails) == [3, 288]
    assert len(tried) < 150


def test_a_case_is_its_seed_and_nothing_else() -> None:
    assert session(5, 200) == session(5, 200) != session(6, 200)
    assert with_rules(5, 50) == with_rules(5, 50)
    iptables, ip6tables, of_nft = with_rules(5, 1, "nft").plan.rules
    assert of_nft and not iptables and not ip6tables
    iptables, ip6tables, of_nft = with_rules(5, 1, "iptables").plan.rules
    assert (iptables or ip6tables) and not of_nft


def test_fuzzed_traffic_has_every_protocol_fragments_and_packets_of_the_firewalls_own() -> None:
    steps = [step for seed in range(12) for step in session(seed, 400).steps if isinstance(step, Feed)]
    four = [step.data for step in steps if len(step.data) >= 20 and step.data[0] == 0x45]
    six = [step.data for step in steps if len(step.data) >= 40 and step.data[0] >> 4 == 6]
    assert {1, 6, 17, 47, 132, 136} <= {data[9] for data in four}
    assert {6, 17, 44, 58, 132} <= {data[6] for data in six}
    assert any(data[6] & 0x20 for data in four)
    assert {None, "lan", "wan"} == {step.dev for step in steps}


def test_pieces_that_nothing_happened_to_are_the_whole_packet() -> None:
    random = Random(3)
    for number in range(50):
        whole = craft(f"udp 192.168.1.10:1000 > 203.0.113.9:53 len {number * 20}")
        cut = pieces(random, whole, 0, 77)
        bodies = sorted((int.from_bytes(piece[6:8]) & 0x1FFF, piece[20:]) for piece in cut)
        assert b"".join(body for _, body in bodies) == whole[20:]


@pytest.mark.parametrize("seed", range(20))
def test_random_rulesets_are_ones_that_ctlab_takes(seed: int) -> None:
    random = Random(seed)
    give_rules(Wall({"lan": [], "wan": []}), Load(iptables.ruleset(random, "ip"), iptables.ruleset(random, "ip6")))
    give_rules(Wall({"lan": [], "wan": []}), Load(nft=nft.ruleset(random, ("ip", "ip6", "inet")[seed % 3])))


def test_rules_are_compared_by_chain_and_counter() -> None:
    saved = "# Generated\n*filter\n:FORWARD DROP [3:120]\n[1:40] -A FORWARD -p tcp -j ACCEPT\nCOMMIT\n*raw\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"
    assert [counted(line) for line in saved_counters(saved)] == [("FORWARD", "[3:120]"), ("[1:40]", "-A FORWARD")]
    listed = "table ip t {\n\tchain c {\n\t\ttcp dport 22 counter packets 1 bytes 40 accept\n\t\taccept\n\t}\n}\n"
    assert [counted(line) for line in listed_counters(listed)][-1] == ("counter packets 1 bytes 40",)


def test_time_passes_only_where_a_capture_waits() -> None:
    clock = Clock()
    moments = (1_000_000, 1_010_000, 1_050_000, 900_000, 5_000_000)
    assert [[step.us for step in clock.to(moment)] for moment in moments] == [[], [], [50_000], [], [3_950_000]]


SCENARIO = """
title: t
firewall: server
machines:
  laptop: {interfaces: {eth0: 192.168.1.10/24}}
  server: {interfaces: {eth0: 192.168.1.20/24}, services: [{http: {port: 80}}]}
links: [{between: [laptop.eth0, server.eth0]}]
terminals: [{id: laptop, machine: laptop}, {id: server, machine: server, user: root}]
"""


def test_a_recording_has_packets_both_ways_rules_settings_and_deleted_entries(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(SCENARIO)
    simulation = Simulation(Scenario.from_file(file))
    recorder = Recorder(simulation.world.machines["server"].ip)
    for line in ("iptables -A INPUT -m conntrack --ctstate INVALID -j DROP", "sysctl -w net.netfilter.nf_conntrack_tcp_loose=0"):
        simulation.give(simulation.now, Line("server", line))
        simulation.run_until_quiet()
    simulation.give(simulation.now, Line("laptop", "curl http://192.168.1.20/"))
    simulation.run_until_quiet()
    simulation.give(simulation.now, Line("server", "conntrack -D -p tcp"))
    simulation.run_until_quiet()
    kinds = [type(step) for step in recorder.steps]
    assert {Feed, Load, Sysctl, Forget} <= set(kinds)
    assert {step.dev for step in recorder.steps if isinstance(step, Feed)} == {None, "eth0"}
    assert recorder.plan.addresses == {"eth0": ["192.168.1.20/24"]}
    assert all(step.us > 0 for step in recorder.steps if isinstance(step, Age))


@pytest.mark.skipif(COMPILED, reason="branches are counted in pure Python, where these tests run once more")
def test_measuring_counts_branches_and_cells_and_names_what_is_missing() -> None:
    measure = Measure()
    measure.run([session(1, 150)])
    lines = list(measure.lines())
    assert lines[0] == "150 packets"
    assert any(line.startswith("branches of sim/conntrack and") for line in lines)
    assert 0 < len(measure.branches.never()) < len(measure.branches.counts)
    assert measure.cells.tcp[0, 0, 0] > 0


def test_the_command_says_what_it_wants() -> None:
    done = CliRunner().invoke(verify, [])
    assert isinstance(done.exception, UsageError) and "say what to compare" in str(done.exception)


@pytest.mark.skipif(COMPILED, reason="branches are counted in pure Python, where these tests run once more")
def test_the_command_counts_branches() -> None:
    done = CliRunner().invoke(verify, ["--coverage", "--fuzz", "100", "--seed", "1"])
    assert done.exit_code == 0 and "branches of sim/conntrack" in done.output


def test_a_known_entry_is_compared_but_for_what_is_equal() -> None:
    wall = Wall({"lan": [], "wan": []})
    wall.receive(UDP, "lan", 1)
    conn = wall.lookup(UDP)
    assert isinstance(conn, Conn)
    theirs = dict(wall.entry(UDP) or {})
    assert list(differences(1, outcome(), conn, answer(entry=theirs), wall.now)) == []
    (difference,) = differences(1, outcome(), conn, answer(entry=theirs | {"mark": 5}), wall.now)
    assert difference.ours == {"mark": 0} and difference.kernels == {"mark": 5}
