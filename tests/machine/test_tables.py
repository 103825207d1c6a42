"""The machine's small rooms: routes, sysctls, timers, names of errors, packets in words."""

from __future__ import annotations

import pytest
import simpy

from sim.conntrack.settings import SysctlError
from sim.craft import craft
from sim.machine import describe
from sim.machine.errors import STRERROR, SocketError, icmp_errno
from sim.machine.routes import Kind, Route
from sim.machine.tcp.segment import Options, read_options, write_options
from sim.machine.timer import Timer
from sim.packet import Packet
from sim.trace import Event, SysctlSet
from sim.units import parse_address
from tests.machine.lab import Lab


def test_the_longest_prefix_wins_and_then_the_lowest_metric() -> None:
    lab = Lab()
    routes = lab.left.ip.routes
    routes.add(Route.through("default", "192.168.1.1"))
    routes.add(Route.through("10.0.0.0/8", "192.168.1.2"))
    routes.add(Route(parse_address("10.1.0.0"), 16, "eth0", parse_address("192.168.1.3"), metric=50))
    routes.add(Route(parse_address("10.1.0.0"), 16, "eth0", parse_address("192.168.1.4"), metric=10))
    ways = {"8.8.8.8": "192.168.1.1", "10.9.9.9": "192.168.1.2", "10.1.9.9": "192.168.1.4"}
    assert {dst: routes.decide(parse_address(dst)).via for dst in ways} == {dst: parse_address(via) for dst, via in ways.items()}
    assert routes.decide(parse_address("192.168.1.77")).via is None
    assert routes.decide(parse_address("127.9.9.9")).kind is Kind.LOCAL
    assert routes.decide(parse_address("192.168.1.255")).kind is Kind.BROADCAST


@pytest.mark.parametrize(
    ("prefix", "via", "words"),
    [
        ("default", "10.0.0.1", "Network is unreachable"),
        ("10.0.0.0/8", "192.168.1.10", "Invalid argument"),
        ("default", "192.168.1.1", "File exists"),
    ],
)
def test_routes_that_make_no_sense_are_refused_as_the_kernel_does(prefix: str, via: str, words: str) -> None:
    lab = Lab()
    lab.left.ip.routes.add(Route.through("default", "192.168.1.1"))
    with pytest.raises(SocketError, match=words):
        lab.left.ip.routes.add(Route.through(prefix, via))


def test_a_route_that_is_not_there_cannot_be_deleted_and_a_device_that_goes_down_takes_its_routes_along() -> None:
    lab = Lab()
    routes = lab.left.ip.routes
    with pytest.raises(SocketError, match="No such process"):
        routes.delete(parse_address("10.0.0.0"), 8)
    routes.add(Route.through("default", "192.168.1.1"))
    lab.left.ip.interfaces["eth0"].up = False
    lab.left.ip.addresses_changed()
    assert routes.rows() == []


def test_the_rows_stand_as_ip_route_orders_them() -> None:
    routes = Lab().left.ip.routes
    for prefix in ("10.0.0.0/8", "default", "172.16.0.0/12"):
        routes.add(Route.through(prefix, "192.168.1.1"))
    rows = [(row.length, row.protocol, row.scope_link) for row in routes.rows()]
    assert rows == [(0, "boot", False), (8, "boot", False), (12, "boot", False), (24, "kernel", True)]


def test_sysctls_have_the_kernels_ranges_and_are_told() -> None:
    lab = Lab()
    sysctls = lab.right.sysctls
    told: list[Event] = []
    sysctls._emit = told.append
    sysctls.set("net.ipv4.ip_forward", "1")
    assert told == [SysctlSet("net.ipv4.ip_forward", "1", "0")] and sysctls.get("net.ipv4.conf.all.forwarding") == "1"
    refused = (("net.ipv4.tcp_syn_retries", "0", "EINVAL"), ("net.ipv4.tcp_sack", "x", "EINVAL"), ("net.ipv4.nope", "1", "ENOENT"))
    for key, value, code in refused:
        with pytest.raises(SysctlError) as error:
            sysctls.set(key, value)
        assert error.value.code == code
    sysctls.set("net.netfilter.nf_conntrack_udp_timeout", "90")
    assert lab.right.ip.tracker.settings.udp == 90_000_000
    sysctls.set("net.ipv4.ip_local_port_range", "2000 2001")
    assert sysctls.get("net.ipv4.ip_local_port_range") == "2000\t2001" and "net.ipv4.ip_forward" in list(sysctls.keys())


def test_a_timer_that_was_stopped_or_moved_leaves_nothing_in_the_queue() -> None:
    env, rung = simpy.Environment(), list[int]()
    timer = Timer(env, lambda: rung.append(int(env.now)))
    timer.start(1_000_000)
    timer.start(10)
    other = Timer(env, lambda: rung.append(-1))
    other.start(5_000_000)
    other.stop()
    env.run()
    assert rung == [10] and env.now == 10 and timer.at is None


def test_every_errno_that_an_icmp_error_can_mean_has_words() -> None:
    meanings = [icmp_errno(version, kind, code) for version in (4, 6) for kind in range(13) for code in range(16)]
    assert {meaning[0] for meaning in meanings if meaning} <= set(STRERROR)


def test_options_are_read_back_as_they_were_written_and_lists_cut_short_end() -> None:
    for options in (
        Options(1460, 7, True, (5, 0)), Options(1440, None, True), Options(timestamps=(1, 2), sack=((10, 20), (30, 40))), Options(),
    ):  # fmt: skip
        data = write_options(options)
        assert read_options(data) == options and len(data) % 4 == 0
        for end in range(len(data)):
            read_options(data[:end])


@pytest.mark.parametrize(
    ("packet", "name"),
    [
        ("tcp 10.0.0.1:1 > 10.0.0.2:22 S", "SYN"),
        ("tcp 10.0.0.1:1 > 10.0.0.2:22 S.", "SYN ACK"),
        ("tcp 10.0.0.1:1 > 10.0.0.2:22 .", "ACK"),
        ("tcp 10.0.0.1:1 > 10.0.0.2:22 F.", "FIN"),
        ("tcp 10.0.0.1:1 > 10.0.0.2:22 R.", "RST"),
        ('tcp 10.0.0.1:1 > 10.0.0.2:22 P. data "ls"', 'PSH "ls"'),
        ("tcp 10.0.0.1:1 > 10.0.0.2:22 none", "no flags"),
        ("tcp 10.0.0.1:1 > 10.0.0.2:22 FPU", "FIN"),
        ("icmp 10.0.0.1 > 10.0.0.2 echo-request", "echo request"),
        ("icmp 10.0.0.1 > 10.0.0.2 port-unreachable about (udp 10.0.0.2:5 > 10.0.0.1:6)", "port unreachable"),
        ('udp 10.0.0.1:1 > 10.0.0.2:53 data "twelve bytes"', "DNS query"),
        ('udp 10.0.0.1:1 > 10.0.0.2:5060 data "OPTIONS"', 'datagram "OPTIONS"'),
        ("icmp fd00::1 > fd00::2 packet-too-big", "packet too big"),
        ("ip 10.0.0.1 > 10.0.0.2 proto 47", "GRE"),
    ],
)
def test_a_packet_is_called_what_a_person_would_call_it(packet: str, name: str) -> None:
    made = Packet(craft(packet))
    assert describe.about(made) == name
    headers = describe.headers(made)
    assert describe.text(made, headers).startswith("IP") and headers["len"] == len(made.data)
