"""tcpdump -w and -r: what was heard is kept on the machine's own file system, and read back as it was printed."""

from __future__ import annotations

import re

import pytest

from sim.edges.capture import read_bytes
from sim.scenario import Scenario
from sim.simulation import Simulation

LAB = """
title: A server
firewall: server
machines:
  ann: {interfaces: {eth0: 192.0.2.10/24}}
  server: {interfaces: {eth0: 192.0.2.20/24}}
links: [{between: [ann.eth0, server.eth0]}]
terminals: [{id: desk, machine: server, user: root}, {id: far, machine: ann, user: root}]
"""


@pytest.fixture
def lab() -> Simulation:
    return Simulation(Scenario.from_text(LAB, "lab.yaml"))


def _typed(lab: Simulation, line: str) -> str:
    return lab.type("desk", line)


@pytest.mark.parametrize("device", ["eth0", "any"])
def test_what_is_written_is_read_back_as_it_would_have_been_printed(lab: Simulation, device: str) -> None:
    _typed(lab, f"tcpdump -n -i {device} icmp > live.txt &")
    _typed(lab, f"tcpdump -n -i {device} -w kept.pcap icmp &")
    lab.type("far", "ping -c 2 server")
    _typed(lab, "kill -INT %1; kill -INT %2")
    printed = _typed(lab, "cat live.txt")
    again = _typed(lab, "tcpdump -n -r kept.pcap")
    lines = [[line for line in text.splitlines() if "ICMP echo" in line] for text in (printed, again)]
    assert len(lines[0]) == 4 and lines[0] == lines[1]


def test_a_file_is_a_capture_for_others_too_and_is_filtered_when_it_is_read(lab: Simulation) -> None:
    _typed(lab, "tcpdump -i eth0 -c 4 -w kept.pcap &")
    lab.type("far", "ping -c 2 server")
    kept = lab.world.machines["server"].files["/root/kept.pcap"].encode("latin-1")
    assert [frame.data[9] for frame in read_bytes(kept)] == [1, 1, 1, 1]
    assert len(re.findall("echo reply", _typed(lab, "tcpdump -n -r kept.pcap src host 192.0.2.20"))) == 2
    assert _typed(lab, "tcpdump -n -r kept.pcap -c 1 -w less.pcap").count("reading from file kept.pcap") == 1
    assert _typed(lab, "tcpdump -n -t -r less.pcap").splitlines()[-1].startswith("IP 192.0.2.10 > 192.0.2.20: ICMP echo request")


@pytest.mark.parametrize(
    ("made", "says"),
    [
        ("true", "tcpdump: kept.pcap: No such file or directory"),
        ("echo hello > kept.pcap", "tcpdump: unknown file format"),
        ("echo -n > kept.pcap", "tcpdump: truncated dump file; tried to read 4 file header bytes, only got 0"),
    ],
)
def test_what_is_no_capture_is_refused_in_tcpdump_s_words(lab: Simulation, made: str, says: str) -> None:
    _typed(lab, made)
    assert says in _typed(lab, "tcpdump -r kept.pcap")
