"""A machine's rules changed whole, as an input: loaded by its own tools, on trial, taken back, kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.errors import UsageError
from sim.inputs import RulesChange, RulesKept
from sim.scenario import Scenario
from sim.simulation import Simulation
from sim.units import SECOND

SCENARIO = Scenario.from_file(Path(__file__).parent.parent / "lessons" / "scenarios" / "laptop-and-server.yaml")
CLOSED = "*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -p icmp -j ACCEPT\nCOMMIT\n"
OPEN = CLOSED.replace("INPUT DROP", "INPUT ACCEPT").replace("-A INPUT -p icmp -j ACCEPT\n", "")
NAT = "".join(f"{line}\n" for line in ("*nat", ":PREROUTING ACCEPT", ":POSTROUTING ACCEPT", "-A POSTROUTING -j MASQUERADE", "COMMIT"))


def simulation(*inputs: tuple[int, RulesChange | RulesKept]) -> Simulation:
    return Simulation(SCENARIO, inputs=[(at * SECOND, value) for at, value in inputs])


def rules(simulation: Simulation, at: int, language: str = "iptables") -> str:
    simulation.run(at * SECOND)
    return simulation.world.rulings["server"].texts()[language]


def notes(simulation: Simulation) -> list[str]:
    return [record.event.text for record in simulation.records if record.event.kind == "note"]  # type: ignore[attr-defined]


def test_rules_on_trial_come_back_unless_they_are_kept() -> None:
    change = RulesChange("server", iptables=CLOSED, timer=10 * SECOND)
    lost = simulation((1, change))
    assert rules(lost, 10) == CLOSED
    assert rules(lost, 12) == OPEN
    assert notes(lost) == ["server: Nobody kept the new rules within 10s: the old ones are back."]
    kept = simulation((1, change), (5, RulesKept("server")))
    assert rules(kept, 60) == CLOSED
    assert notes(kept) == []


def test_a_second_trial_falls_back_to_what_was_before_the_first() -> None:
    second = RulesChange("server", iptables=CLOSED.replace("icmp", "udp"), timer=10 * SECOND)
    tried = simulation((1, RulesChange("server", iptables=CLOSED, timer=10 * SECOND)), (8, second))
    assert "-p udp" in rules(tried, 12)
    assert rules(tried, 19) == OPEN


def test_a_table_that_the_new_text_does_not_name_loses_its_rules() -> None:
    changed = simulation((1, RulesChange("server", iptables=CLOSED + NAT)), (2, RulesChange("server", iptables=CLOSED)))
    assert "MASQUERADE" in rules(changed, 1)
    after = rules(changed, 2)
    assert "MASQUERADE" not in after and CLOSED in after


def test_one_language_is_left_alone_while_the_other_changes_and_the_trace_forks_with_it() -> None:
    nft = "table inet fw {\n\tchain input {\n\t\ttype filter hook input priority filter; policy drop;\n\t}\n}\n"
    changed = simulation((1, RulesChange("server", iptables=CLOSED)), (2, RulesChange("server", nft=nft)))
    assert rules(changed, 3, "nft") == nft
    assert rules(changed, 3) == CLOSED
    assert rules(changed.fork(1_500_000), 3, "nft") != nft


def test_what_cannot_be_loaded_is_refused_at_its_place_before_anything_happens() -> None:
    with pytest.raises(UsageError, match=r"iptables:2:17: unknown option \"--dprt\" did you mean '--dport'"):
        simulation().give(0, RulesChange("server", iptables="*filter\n-A INPUT -p tcp --dprt 22 -j ACCEPT\nCOMMIT\n"))
    with pytest.raises(UsageError, match=r"nft:1:"):
        simulation().give(0, RulesChange("server", nft="tabel ip x {}"))


def test_keeping_when_nothing_is_on_trial_says_so() -> None:
    changed = simulation((1, RulesKept("server")))
    changed.run(2 * SECOND)
    assert notes(changed) == ["server: There was nothing to keep: no rules are on trial."]
