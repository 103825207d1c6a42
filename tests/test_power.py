"""A machine without power, and what it is once it has booted."""

from __future__ import annotations

import gc

import pytest

from sim import Power, Scenario, Simulation, UsageError
from sim.inputs import Command, from_json, to_json
from sim.trace import InputGiven, Noted, PacketLost, Reached
from sim.units import SECOND

RULES = """*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
-A INPUT -p tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
"""
SCENARIO = {
    "title": "Two machines", "firewall": "server",
    "machines": {
        "laptop": {"interfaces": {"eth0": "192.168.1.10/24"}},
        "server": {
            "interfaces": {"eth0": "192.168.1.20/24"}, "services": ["ssh"], "rules": {"iptables": RULES},
            "sysctls": {"net.ipv4.ip_forward": 1},
            "clients": [{"does": "probe", "to": "laptop", "protocol": "ping", "every": "5s", "until": "40s"}]},
    },
    "links": [{"between": ["laptop.eth0", "server.eth0"], "delay": "5ms"}],
    "terminals": [{"id": "laptop", "machine": "laptop"}, {"id": "root", "machine": "server", "user": "root"}],
}  # fmt: skip
RESET = Power("server", "reset")


def at_work(*, reset: bool = True, save: bool = False) -> Simulation:
    simulation = Simulation(Scenario.of(SCENARIO))
    simulation.type("laptop", "ssh server")
    simulation.type("root", "iptables -A INPUT -p icmp -j ACCEPT; sysctl -w net.ipv4.ip_forward=0")
    if save:
        simulation.type("root", "iptables-save > /etc/iptables/rules.v4")
    if reset:
        simulation.give(simulation.now, RESET)
        simulation.run(simulation.now + 25 * SECOND)
    return simulation


def test_a_boot_brings_an_empty_table_and_the_rules_and_settings_of_the_start() -> None:
    simulation = at_work()
    assert "-p icmp" not in simulation.type("root", "iptables -S")
    assert "0 flow entries" in simulation.type("root", "conntrack -L -p tcp")
    assert "ip_forward = 1" in simulation.type("root", "sysctl net.ipv4.ip_forward")
    gone = simulation.ask("entry-destroy", machine="server")
    assert [one["reason"]["code"] for one in gone if one["entry"]["protocol"] == "tcp"] == ["power"]


def test_rules_that_were_saved_on_the_disk_come_back_with_the_boot() -> None:
    assert "-p icmp" in at_work(save=True).type("root", "iptables -S")


def test_reboot_is_roots_and_a_queued_one_brings_the_rules_of_the_disk_back_to_who_is_locked_out() -> None:
    simulation = at_work(reset=False)
    assert "Interactive authentication required" in simulation.type("laptop", "reboot")
    simulation.type("laptop", "echo reboot | sudo at now + 1 minute; sudo iptables -F")
    assert "100% packet loss" not in simulation.type("root", "ping -c 1 laptop"), "it has not booted"
    assert simulation.type("laptop", "ls", wait=5 * SECOND) == "", "locked out"
    simulation.run(lambda record: isinstance(record.event, Noted) and record.event.code == "power-up")
    assert simulation.now == 80 * SECOND, "the full minute, and a boot"
    assert "--dport 22" in simulation.type("root", "iptables -S") and simulation.type("root", "atq").endswith("# atq\n")


def test_saved_rules_that_the_tool_refuses_are_not_there_and_it_is_said() -> None:
    simulation = at_work(reset=False)
    simulation.type("root", "echo '*filtre' > /etc/iptables/rules.v4")
    simulation.give(simulation.now, RESET)
    simulation.run(simulation.now + 25 * SECOND)
    assert "-P INPUT ACCEPT" in simulation.type("root", "iptables -S")
    notes = [r.event.text for r in simulation.records if isinstance(r.event, Noted) and r.event.code.startswith("power")]
    assert "iptables refuses the rules it finds" in notes[-1]


def test_a_connection_of_before_meets_a_machine_that_does_not_know_it() -> None:
    simulation = at_work()
    printed = simulation.type("laptop", "ls")
    assert "Connection reset by peer" in printed or "Broken pipe" in printed
    assert "admin@laptop" in simulation.type("laptop", "")


def test_what_comes_while_there_is_no_power_is_lost_and_says_why() -> None:
    simulation = at_work(reset=False)
    simulation.give(simulation.now, Power("server", "off"))
    simulation.run(simulation.now)
    begun = len(simulation.records)
    assert simulation.type("root", "iptables -L", wait=SECOND) == ""
    assert "100% packet loss" in simulation.type("laptop", "~.") + simulation.type("laptop", "ping -c 1 -W 1 server")
    since = simulation.records[begun:]
    lost = [r.event.reason.code for r in since if isinstance(r.event, PacketLost)]
    assert lost and set(lost) == {"off"}
    assert not [r for r in since if r.machine == "server" and not isinstance(r.event, Noted | InputGiven)], "it says nothing"


def test_without_power_clients_are_silent_and_go_on_after_the_boot() -> None:
    simulation = Simulation(Scenario.of(SCENARIO), inputs=[(8 * SECOND, RESET)])
    simulation.run(60 * SECOND)
    tries = [r.time // SECOND for r in simulation.records if isinstance(r.event, Reached)]
    assert not [t for t in tries if 8 <= t < 28] and [t for t in tries if t >= 28]


def test_power_on_ends_an_off_and_says_so_where_nothing_is_to_be_done() -> None:
    simulation = at_work(reset=False)
    simulation.give(simulation.now, Power("server", "on"))
    simulation.run(simulation.now + SECOND)
    assert "running already" in simulation.records[-1].event.text  # type: ignore[attr-defined]
    simulation.give(simulation.now, Power("server", "reset"))
    simulation.run(simulation.now + SECOND)
    simulation.give(simulation.now, Power("server", "off"))
    simulation.run(simulation.now + 30 * SECOND)
    simulation.give(simulation.now, Command("server", "true"))
    simulation.run(simulation.now + SECOND)
    assert "has no power" in simulation.records[-1].event.text, "off while it boots is off"  # type: ignore[attr-defined]


def test_it_is_an_input_and_traffic_like_any_other() -> None:
    assert from_json(to_json(RESET)) == RESET
    with pytest.raises(UsageError, match="did you mean 'reset'"):
        from_json({"type": "power", "machine": "server", "power": "rest"})
    scenario = Scenario.of(SCENARIO | {"traffic": [{"at": "2s", "machine": "server", "power": "off"}]})
    simulation = Simulation(scenario)
    simulation.run(3 * SECOND)
    assert simulation.ask("input")[0]["input"] == to_json(Power("server", "off"))


def test_it_repeats_byte_for_byte_and_numbers_stand_for_one_thing_each() -> None:
    one, two = at_work(), at_work()
    for simulation in (one, two):
        gc.collect()  # programs that the power took away are forgotten now, and nobody hears of it
        simulation.type("laptop", "ssh server")
    assert one.trace.dumps() == two.trace.dumps()
    born = [record["conn"] for record in one.ask("entry-new", machine="server")]
    assert len(born) == len(set(born))
    ends: dict[int, set[str]] = {}
    for told in one.ask("socket", machine="server"):
        ends.setdefault(told["socket"], set()).add(told["local"] + told["remote"])
    assert all(len(known) == 1 for known in ends.values())
