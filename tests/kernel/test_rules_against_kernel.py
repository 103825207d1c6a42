"""iptables' rules at work: the same packets through the real kernel and through ours; what REJECT sends, and every rule's counters."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest

from sim import wire
from sim.craft import craft
from sim.edges.kernel import KernelFirewall
from sim.edges.verify.pair import Pair
from sim.edges.verify.plan import Feed, Load, Plan
from sim.machine.ip import IpLayer
from sim.ruleset.iptables import tool
from sim.units import parse_address
from tests.ruleset.random_rules import FROM, FROM6, TO, packets, ruleset

Open = Callable[..., KernelFirewall]
DEVICES = {"lan": ["192.168.1.1/24", "fd00:1::1/64"], "wan": ["203.0.113.2/24", "fd00:2::1/64"]}


class Ours:
    """A firewall of ours between lan and wan, with the same rules."""

    def __init__(self, iptables: str = "", ip6tables: str = "") -> None:
        self.out: list[tuple[str, bytes]] = []
        self.ip = IpLayer("fw", lambda: 0, lambda dev, via, packet: self.out.append((dev, packet.data)), self._deliver)
        for dev, addresses in DEVICES.items():
            self.ip.add_interface(dev, addresses)
        self.ip.forward(True)
        for key in ("net.ipv4.icmp_ratelimit", "net.ipv6.icmp.ratelimit", "net.ipv4.conf.all.rp_filter"):
            self.ip.sysctls.preset(key, 0)
        self.ip.track_always = True
        self.ip.arrange_conntrack()
        for program, text in (("iptables-restore", iptables), ("ip6tables-restore", ip6tables)):
            if text:
                assert tool.run([program], self.ip.rules, text) == tool.Result()

    def _deliver(self, skb: object) -> None:
        self.out.append(("self", skb.packet.data))  # type: ignore[attr-defined]

    def feed(self, data: bytes) -> list[tuple[str, bytes]]:
        self.out.clear()
        self.ip.receive(data, "lan", 1)
        return list(self.out)


def comparable(out: list[tuple[str, bytes]]) -> list[tuple[str, str]]:
    """Without what the kernel makes by chance: an ICMP error's IP id (and with it the header's sum), an ICMPv6 error's flow label."""
    return [(dev, _plain(data).hex()) for dev, data in out]


def _plain(data: bytes) -> bytes:
    if data[0] >> 4 == 6:
        return data[:1] + b"\0\0\0" + data[4:] if data[6] == 58 else data
    return data[:4] + b"\0\0" + data[6:10] + b"\0\0" + data[12:] if data[9] == 1 else data


TYPES = {
    "ip": "icmp-net-unreachable icmp-host-unreachable icmp-proto-unreachable icmp-port-unreachable icmp-net-prohibited "
    "icmp-host-prohibited icmp-admin-prohibited tcp-reset",
    "ip6": "icmp6-no-route icmp6-adm-prohibited icmp6-addr-unreachable icmp6-port-unreachable icmp6-policy-fail "
    "icmp6-reject-route tcp-reset",
}
REJECTED = """
    tcp {s}:1000 > {d}:80 S seq 1000 tos 16 ttl 33
    tcp {s}:1000 > {d}:80 .P seq 1000 ack 55 data "hello"
    tcp {s}:1000 > {d}:80 FPU seq 1000 data "hello"
    tcp {s}:1000 > {d}:80 SF seq 4294967295 data "abc"
    tcp {s}:1000 > {d}:80 R seq 1000
    tcp {s}:1000 > {d}:80 S bad-checksum
    udp {s}:1000 > {d}:53 data "hello" tos 255
    udp {s}:1000 > {d}:53 data "hello" bad-checksum
    udp {s}:1000 > {d}:53 len 1400
    icmp {h} > {g} echo-request id 7 seq 1
    icmp {h} > {g} echo-request id 7 seq 1 bad-checksum
    icmp {h} > {g} time-exceeded about (udp {d}:5 > {s}:6)
    icmp {h} > {g} type 99
    icmp {h} > {g} type 200
    ip {h} > {g} proto 47 hex 00000800
    ip {h} > {g} proto 50 hex 0001000200080000
    ip {h} > {g} proto 132 hex 00000800
    ip {h} > {g} proto 136 hex 0001000200080000
    ip {h} > {g} proto 253 hex 00010002
    ip {h} > {g} proto 253 hex fffe0001
    ip {h} > {g} proto 4 hex 0001000200080000
"""


def rejected(family: str, hook: str) -> list[tuple[str, bytes]]:
    s, d = (FROM, TO[hook][0]) if family == "ip" else (f"[{FROM6}]", f"[{TO[hook][1]}]")
    lines = [line.strip().format(s=s, d=d, h=s.strip("[]"), g=d.strip("[]")) for line in REJECTED.strip().splitlines()]
    return [(line, craft(line)) for line in lines]


@pytest.mark.parametrize("hook", ["INPUT", "FORWARD"])
@pytest.mark.parametrize("family", ["ip", "ip6"])
def test_reject_answers_with_the_kernels_bytes_or_as_silently(real: Open, family: str, hook: str) -> None:
    wrong = []
    for kind in TYPES[family].split():
        only = "-p tcp " if kind == "tcp-reset" else ""
        rules = f"*filter\n-A {hook} {only}-s {FROM if family == 'ip' else FROM6} -j REJECT --reject-with {kind}\nCOMMIT\n"
        loaded = {"iptables" if family == "ip" else "ip6tables": rules}
        with real(DEVICES, **loaded) as kernel:
            mine = Ours(**loaded)
            packets = rejected(family, hook)
            answers = kernel.feed_batch([("lan", data) for _, data in packets])
            for (line, data), answer in zip(packets, answers, strict=True):
                theirs = [each for each in answer.out if each[0] != "self" or only]
                ours = [each for each in mine.feed(data) if each[0] != "self" or only]
                if comparable(theirs) != comparable(ours):
                    wrong.append((kind, line, comparable(theirs), comparable(ours)))
    assert not wrong


# ---- random rulesets -------------------------------------------------------------------------------------------------


def counters(saved: str) -> list[str]:
    """The lines with counters: rules, and the policies of INPUT and FORWARD; tables in one order, whichever is saved first."""
    tables = sorted(re.sub(r"^#.*\n", "", saved, flags=re.MULTILINE).split("COMMIT\n"))
    return [line for table in tables for line in table.splitlines() if line[:1] == "[" or line.startswith((":INPUT", ":FORWARD"))]


@pytest.mark.parametrize("family", ["ip", "ip6"])
@pytest.mark.parametrize("seed", range(12))
def test_every_counter_of_a_random_ruleset_is_the_kernels(real: Open, seed: int, family: str) -> None:
    r = random.Random(f"{seed} {family}")
    text = ruleset(r, family)
    loaded = {"iptables" if family == "ip" else "ip6tables": text}
    program = "iptables" if family == "ip" else "ip6tables"
    with real(DEVICES, **loaded) as kernel:
        mine = Ours(**loaded)
        sent = packets(r, family, 120)
        kernel.feed_batch([("lan", data) for data in sent])
        for data in sent:
            mine.feed(data)
        theirs = counters(kernel.counters(program))
    assert counters(tool.run([f"{program}-save", "-c"], mine.ip.rules).out) == theirs


@pytest.mark.parametrize("what", ["reject with icmpx admin-prohibited", "meta l4proto tcp reject with tcp reset"])
@pytest.mark.parametrize("hook", ["prerouting", "input", "forward"])
def test_who_is_many_is_not_answered_and_in_prerouting_the_source_is_asked(hook: str, what: str) -> None:
    text = f"table inet f {{\n chain c {{\n  type filter hook {hook} priority 10\n  counter {what}\n }}\n}}\n"
    fed = []
    for source in map(parse_address, ("224.1.1.1", "255.255.255.255", "192.168.1.255", "203.0.113.255", "198.51.100.255", "192.168.1.10")):
        for target in map(parse_address, ("192.168.1.1", "224.0.0.1", "255.255.255.255", "192.168.1.255", "203.0.113.9")):
            fed.append(wire.ip(source, target, 17, wire.udp(source, target, 1000, 53, b"x")))
            fed.append(wire.ip(source, target, 6, wire.tcp(source, target, 1000, 80, flags=2)))
    with Pair(Plan(rules=Load(nft=text))) as pair:
        assert list(pair.run([Feed("lan", packet) for packet in fed])) == []
        assert list(pair.finish()) == []
