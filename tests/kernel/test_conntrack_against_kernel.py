"""Conntrack beside this machine's own: label, direction, entry, time-out and the kernel's log words, packet by packet."""

from __future__ import annotations

import time

import pytest

from sim import wire
from sim.conntrack import show
from sim.conntrack.settings import Settings
from sim.craft import craft
from sim.edges.kernel import KernelFirewall
from sim.errors import CtlabError
from sim.units import parse_address
from tests.conntrack import conversation
from tests.kernel import beside, oddities, traffic

SETTINGS = [
    {},
    {"nf_conntrack_tcp_be_liberal": 1},
    {"nf_conntrack_tcp_loose": 0},
    {"nf_conntrack_tcp_ignore_invalid_rst": 1, "nf_conntrack_tcp_max_retrans": 1, "nf_conntrack_checksum": 0},
    {"nf_conntrack_tcp_timeout_established": 200, "nf_conntrack_tcp_timeout_unacknowledged": 50, "nf_conntrack_tcp_timeout_max_retrans": 7},
]
"""Sysctls under which the same kind of traffic is compared."""
NUMBERS = "-1 0 1 2 3 255 256 65536 8589934 8589935 4294967296 0x10 010 7x x 1.5 +5".split()
TEXTS = [*NUMBERS, " 7", "7 8", ""]
"""What is written to every sysctl."""


@pytest.mark.parametrize("sysctls", SETTINGS, ids=lambda sysctls: ",".join(sysctls) or "defaults")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_traffic_is_judged_as_the_kernel_judges_it(seed: int, sysctls: dict[str, int]) -> None:
    stream = traffic.Traffic(seed)
    assert beside.compare([stream.packet() for _ in range(1500)], sysctls) == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_sctp_udplite_gre_redirects_and_ipv6_headers_are_judged_as_the_kernel_judges_them(seed: int) -> None:
    stream = oddities.Oddities(seed)
    assert beside.compare([stream.packet() for _ in range(1500)]) == []


@pytest.mark.parametrize(("name", "spoken"), conversation.load(), ids=[name for name, _ in conversation.load()])
def test_the_packets_of_each_conversation_are_judged_as_the_kernel_judges_them(name: str, spoken: dict[str, object]) -> None:
    steps = (conversation.ESTABLISHED if spoken.get("begin") else []) + spoken["steps"]  # type: ignore[operator]
    packets = [conversation.packet_of(step) for step in steps]
    assert beside.compare([("lan", data) for data in packets if data is not None], spoken.get("sysctls")) == []


def test_udp_becomes_a_stream_after_two_seconds_and_short_time_outs_run_out_as_in_the_kernel() -> None:
    ask = ("lan", craft("udp 192.168.1.10:1000 > 203.0.113.9:53 data ask"))
    answer = ("wan", craft("udp 203.0.113.9:53 > 192.168.1.10:1000 data answer"))
    other = ("lan", craft("udp 192.168.1.10:2000 > 203.0.113.9:53 data ask"))
    half = ("lan", craft("tcp 192.168.1.10:1000 > 203.0.113.9:80 S seq 1"))
    sysctls = {"nf_conntrack_udp_timeout": 3, "nf_conntrack_tcp_timeout_syn_sent": 1}
    mine, differences = beside.Ours(sysctls), []
    with KernelFirewall(beside.DEVICES, sysctls={f"net.netfilter.{key}": value for key, value in sysctls.items()}) as firewall:
        for pause, fed in ((0, ask), (0, answer), (0, half), (0.5, other), (1.7, ask), (0, half), (1.5, other), (0, answer)):
            time.sleep(pause)
            found = firewall.feed(fed[1], fed[0])
            differences += beside.differences(found, mine.feed(fed[1], found.at_us, found.verdict == "ACCEPT"))
    assert differences == []


def test_what_conntrack_lists_is_what_the_real_tool_lists() -> None:
    client, server = parse_address("192.168.1.10"), parse_address("203.0.113.9")
    packets = [
        ("lan", craft("tcp 192.168.1.10:1000 > 203.0.113.9:80 S seq 1")),
        ("wan", craft("tcp 203.0.113.9:80 > 192.168.1.10:1000 S. seq 100 ack 2")),
        ("lan", craft("tcp 192.168.1.10:1000 > 203.0.113.9:80 . seq 2 ack 101")),
        ("lan", craft("udp 192.168.1.10:5000 > 203.0.113.9:53 data x")),
        ("lan", craft("udp [fd00:1::10]:5000 > [fd00:2::9]:53 data x")),
        ("lan", craft("icmp fd00:1::10 > fd00:2::9 echo-request id 7 seq 1")),
        ("lan", craft("icmp 192.168.1.10 > 203.0.113.9 echo-request id 7 seq 1")),
        ("lan", wire.ip(client, server, 47, bytes(4))),
        ("lan", wire.ip(client, server, 200, bytes(4))),
    ]
    for sysctls in ({}, {"nf_conntrack_acct": 1}):
        mine = beside.Ours(sysctls)
        with KernelFirewall(beside.DEVICES, sysctls={f"net.netfilter.{key}": value for key, value in sysctls.items()}) as firewall:
            answers = firewall.feed_batch(packets)
            listed = firewall.command(["conntrack", "-L", "-o", "extended"])
            read = firewall.command(["cat", "/proc/self/net/nf_conntrack"])
        for (_, data), answer in zip(packets, answers, strict=True):
            mine.feed(data, answer.at_us, True)
        now = answers[-1].at_us + 100_000
        entries = mine.tracker.entries()
        assert {show.conntrack_line(conn, now, extended=True) for conn in entries} == set(listed.splitlines()[1:])
        assert {show.proc_line(conn, now) for conn in entries} == set(read.splitlines())


@pytest.mark.parametrize("key", Settings().keys())
def test_every_sysctl_has_the_kernels_default_and_takes_what_the_kernel_takes(key: str, sysctl_judge: KernelFirewall) -> None:
    mine, name = Settings(), f"net.netfilter.{key}"
    before = sysctl_judge.get_sysctl(name)
    if key not in ("nf_conntrack_count", "nf_conntrack_log_invalid"):
        assert mine.get(key) == before
    if key in ("nf_conntrack_count", "nf_conntrack_max", "nf_conntrack_buckets", "nf_conntrack_expect_max"):
        return  # in a namespace these can only be read
    for text in TEXTS:
        theirs = _try(lambda text=text: sysctl_judge.set_sysctl(name, text))
        ours = _try(lambda text=text: mine.set(key, text))
        assert ours == theirs, f"{key}={text!r}: the kernel says {theirs or 'yes'}, we say {ours or 'yes'}"
        assert mine.get(key) == sysctl_judge.get_sysctl(name) or key == "nf_conntrack_log_invalid"
    sysctl_judge.set_sysctl(name, before)


def _try(act: object) -> str:
    try:
        act()  # type: ignore[operator]
    except CtlabError as error:
        return str(error).rpartition(": ")[2]
    return ""


@pytest.fixture(scope="module")
def sysctl_judge() -> object:
    with KernelFirewall(beside.DEVICES) as firewall:
        yield firewall
