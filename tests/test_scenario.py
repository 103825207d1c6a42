"""Scenarios are read strictly: each mistake is reported at its place, with the nearest right word."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.errors import ScenarioError
from sim.scenario import Scenario

GOOD = """\
title: Two machines
firewall: server
machines:
  laptop: {interfaces: {eth0: 192.168.1.10/24}}
  server:
    interfaces: {eth0: [192.168.1.20/24, "fd00::20/64"]}
    services: [ssh, {http: {port: 8080}}]
links:
  - {between: [laptop.eth0, server.eth0], delay: 5ms, loss: 0.1}
terminals:
  - {id: laptop, machine: laptop}
traffic:
  - {at: 1s, terminal: laptop, type: ping server}
"""
MISTAKES = [
    ("firewall: server", "firewall: sever", "s.yaml:2:11: no machine is called 'sever'", "did you mean 'server'?"),
    ("services:", "servces:", "s.yaml:7:5: unknown key 'servces'", "did you mean 'services'?"),
    ("delay: 5ms", "delay: 5 parsecs", "s.yaml:9:50: '5 parsecs' is no time", ""),
    ("loss: 0.1", "loss: 3", "s.yaml:9:61:", ""),
    ("server.eth0]", "server.eth7]", "s.yaml:9:29: server has no interface 'eth7'", "did you mean 'eth0'?"),
    ("    services:", "    mtu: {eth1: 1400}\n    services:", "s.yaml:7:17: server has no interface 'eth1'", "did you mean 'eth0'?"),
    ("    services:", "    mtu: {eth0: 14}\n    services:", "s.yaml:7:17:", ""),
    ("[laptop.eth0, server.eth0]", "[laptop.eth0, laptop.eth0]", "laptop.eth0 is linked already", ""),
    ("192.168.1.10/24", "192.168.1.300/24", "s.yaml:4:31: eth0: '192.168.1.300/24' is no address with prefix", ""),
    ("title: Two machines\n", "", "'title' is missing here", ""),
    ("machine: laptop}\ntraffic", "machine: lptop}\ntraffic", "no machine is called 'lptop'", "did you mean 'laptop'?"),
    ("terminal: laptop, type: ping server", "terminal: laptop", "say one of: `terminal` and `type`", ""),
    (
        "at: 1s, terminal: laptop",
        "at: 1s, terminal: labtop",
        "no terminal has the id 'labtop'",
        "did you mean 'laptop'?",
    ),
    ("at: 1s, terminal", "at: 1s, times: 20000, terminal", "s.yaml:13:21: this is 10000 at most", ""),
    ("at: 1s", "at: -1", "'-1' is not a time from 0", ""),
    ("at: 1s", "at: true", "a time is wanted here", ""),
    ("at: 1s", "at: 99999999999999999999s", "is no time", ""),
    ("type: ping server", "type: ping server, machine: laptop", "say one of:", ""),
    ("terminal: laptop, type: ping server", "link: laptop.eth0--srv, change: down", "no link has the id", "did you mean"),
    ("terminal: laptop, type: ping server", "link: laptop.eth0--server.eth0, change: dwn", "s.yaml:13:54:", "did you mean 'down'?"),
    ("terminal: laptop, type: ping server", "machine: laptop, packet: tpc", "a packet is written like", ""),
    (
        "laptop: {", "laptop: {clients: [{does: probe, to: sever, port: 22}], ",
        "'sever' is no machine and no address", "did you mean 'server'?",
    ),
    ("laptop: {", "laptop: {clients: [{does: talk, to: server, protocol: udp, port: 22}], ", "a talk is a TCP connection", ""),
    ("laptop: {", "laptop: {clients: [{does: probe, to: server}], ", "tcp and udp need a port", ""),
    ("laptop: {", "laptop: {clients: [{does: probe, to: server, port: 22, every: 1s}], ", "every is 4s or more", ""),
    ("title: Two", "title: &a Two", "anchors and aliases", ""),
    ("title: Two machines", "title: One\ntitle: Two machines", "s.yaml:2:1: 'title' stands here twice", ""),
    ("title: Two machines", "title: [", "this is not YAML", ""),
    ("title: Two machines", "title: !!python/name:os.system x", "tags like", ""),
]


def test_a_good_scenario_is_read_with_its_short_forms() -> None:
    scenario = Scenario.from_text(GOOD, "two.yaml")
    assert scenario.id == "two"
    assert scenario.links[0].delay == 5_000
    assert [s.name for s in scenario.machines["server"].services] == ["ssh", "http"]
    assert scenario.machines["server"].services[1].options == {"port": 8080}
    assert scenario.machines["laptop"].interfaces == {"eth0": ["192.168.1.10/24"]}
    assert scenario.traffic[0].at == 1_000_000


@pytest.mark.parametrize(
    ("old", "new", "message", "hint"), MISTAKES, ids=[m[1][:40].strip() or "nothing" for m in MISTAKES]
)
def test_a_mistake_is_reported_where_it_stands(old: str, new: str, message: str, hint: str) -> None:
    assert GOOD.count(old) >= 1
    with pytest.raises(ScenarioError) as caught:
        Scenario.from_text(GOOD.replace(old, new, 1), "s.yaml")
    assert message in str(caught.value)
    assert hint in str(caught.value)


def test_all_mistakes_of_a_file_are_told_at_once() -> None:
    text = GOOD.replace("firewall: server", "firewall: x").replace("server.eth0]", "server.eth7]")
    assert len(Scenario.problems(text)) == 2


def test_yes_and_no_and_on_are_words_not_booleans() -> None:
    assert Scenario.from_text(GOOD.replace("Two machines", "no"), "s.yaml").title == "no"


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="cannot read this file"):
        Scenario.from_file(tmp_path / "none.yaml")


def test_a_text_nested_without_end_is_refused() -> None:
    with pytest.raises(ScenarioError, match="nested too deep"):
        Scenario.from_text("title: " + "[" * 200 + "]" * 200, "deep.yaml")
