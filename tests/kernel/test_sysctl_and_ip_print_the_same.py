"""`sysctl` and `ip`, the real ones and ours, on machines with the same addresses: what they print, and their exit statuses."""

from __future__ import annotations

from sim.edges.kernel import KernelFirewall, ToolFailed
from tests.kernel.asking import Open
from tests.kernel.conftest import DEVICES
from tests.shell.one_machine import OneMachine

SYSCTLS = """
sysctl net.netfilter.nf_conntrack_udp_timeout
sysctl -n net.netfilter.nf_conntrack_udp_timeout
sysctl -N net.netfilter.nf_conntrack_udp_timeout
sysctl -w net.netfilter.nf_conntrack_udp_timeout=31
sysctl net.netfilter.nf_conntrack_udp_timeout=32
sysctl -n -w net.netfilter.nf_conntrack_udp_timeout=33
sysctl -q -w net.netfilter.nf_conntrack_udp_timeout=34
sysctl net/netfilter/nf_conntrack_udp_timeout
sysctl -w net.netfilter.nf_conntrack_udp_timeout=abc
sysctl -w net.netfilter.nf_conntrack_udp_timeout
sysctl -w net.netfilter.nf_conntrack_udp_timeout = 30
sysctl net.netfilter.nosuch
sysctl -w net.netfilter.nosuch=1
sysctl -e net.nosuch
sysctl -w net.ipv4.ip_forward=x
sysctl -w net.ipv4.tcp_retries2=9999
sysctl net.ipv4.tcp_syn_retries net.ipv4.nosuch net.ipv4.tcp_synack_retries
sysctl -x
sysctl -a --pattern nf_conntrack_udp
""".strip().splitlines()

ROUTES = """
ip route
ip r
ip route show
ip route list
ip -6 route
ip route show dev lan
ip route show 192.168.1.0/24
ip route get 192.168.1.7
ip route get 10.0.0.1
ip route get nosuch
ip route add default via 192.168.1.254
ip route add default via 192.168.1.254
ip route add 172.16.0.0/12 via 192.168.1.253
ip route add 172.16.0.0/12 via 9.9.9.9
ip route add 172.17.0.1/12 via 192.168.1.253
ip route add 10.9.9.9 via 192.168.1.253 metric 100
ip route add blackhole 10.66.0.0/16
ip route add 9.0.0.0/8 dev wan
ip route add 9.0.0.0/8 dev nosuch
ip route add bogus via 192.168.1.1
ip route
ip route get 8.8.8.8
ip route get 10.66.1.1
ip route get 172.16.1.1
ip route show default
ip route replace 9.0.0.0/8 via 192.168.1.253
ip route del 172.16.0.0/12
ip route del 172.16.0.0/12
ip route del default
ip route bogus
ip route
ip bogus
ip addr bogus
ip addr show nosuch
ip addr add 10.0.0.1/24
ip addr add x dev lan
ip addr add 192.168.1.1/24 dev lan
ip addr add 10.0.0.1/24 dev lan
ip addr del 10.0.0.2/24 dev lan
ip route
ip addr del 10.0.0.1/24 dev lan
ip link set nosuch up
ip link set lan bogus
ip link set lan down
ip route
""".strip().splitlines()


def real_answer(kernel: KernelFirewall, argv: list[str]) -> tuple[int, list[str]]:
    try:
        return 0, kernel.command(argv).splitlines()
    except ToolFailed as error:
        return error.code, error.output.splitlines()


def compare(kernel: KernelFirewall, machine: OneMachine, lines: list[str]) -> None:
    for line in lines:
        expected = real_answer(kernel, line.split())
        printed = machine.type(line).splitlines()
        assert (machine.shell.status, printed) == expected, line


def test_sysctl_prints_what_the_real_tool_prints(real: Open) -> None:
    compare(real(), OneMachine(interfaces=DEVICES), SYSCTLS)


def test_ip_prints_what_the_real_tool_prints(real: Open) -> None:
    kernel = real()
    for leftover in kernel.command(["ip", "route"]).splitlines():
        if "proto kernel" not in leftover:
            kernel.command(["ip", "route", "del", *leftover.split()[:1]])
    for leftover in kernel.command(["ip", "-6", "route"]).splitlines():
        if leftover.startswith("default") or "fe80" in leftover:
            kernel.command(["ip", "-6", "route", "del", *leftover.split()[:3]])
    compare(kernel, OneMachine(interfaces={"lo": ["127.0.0.1/8"], **DEVICES}), ROUTES)


def test_a_device_that_goes_down_keeps_its_ipv6_addresses_here_alone(real: Open) -> None:
    kernel, machine = real(), OneMachine(interfaces={"lo": ["127.0.0.1/8"], **DEVICES})
    machine.type("ip link set lan down")
    kernel.command("ip link set lan down".split())
    line = "ip -6 addr show dev lan"
    assert "fd00:1::1/64" in machine.type(line)
    assert "fd00:1::1/64" not in kernel.command(line.split())
