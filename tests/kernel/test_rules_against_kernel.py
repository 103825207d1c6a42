"""iptables' rules at work: the same packets through the real kernel and through ours; what REJECT sends, and every rule's counters."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest

from sim.craft import craft
from sim.edges.kernel import KernelFirewall
from sim.machine.ip import IpLayer
from sim.ruleset.iptables import tool

Open = Callable[..., KernelFirewall]
DEVICES = {"lan": ["192.168.1.1/24", "fd00:1::1/64"], "wan": ["203.0.113.2/24", "fd00:2::1/64"]}
FROM, FROM6 = "192.168.1.10", "fd00:1::10"
TO = {"INPUT": ("192.168.1.1", "fd00:1::1"), "FORWARD": ("203.0.113.9", "fd00:2::9")}


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
    "ip6": "icmp6-no-route icmp6-adm-prohibited icmp6-addr-unreachable icmp6-port-unreachable icmp6-policy-fail icmp6-reject-route tcp-reset",
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

PORTS = (22, 53, 80, 443, 8080, 1000)
MATCHES: dict[str, Callable[[random.Random, str], str]] = {
    "tcp": lambda r, f: f"-p tcp -m tcp {_not(r)}--dport {r.choice(PORTS)}",
    "tcp range": lambda r, f: f"-p tcp -m tcp {_not(r)}--sport {r.choice((1, 1000))}:{r.choice((1000, 5000))}",
    "flags": lambda r, f: f"-p tcp -m tcp {_not(r)}--tcp-flags {r.choice(('SYN,RST,ACK,FIN SYN', 'ALL NONE', 'SYN,FIN SYN,FIN', 'ACK ACK'))}",
    "udp": lambda r, f: f"-p udp -m udp {_not(r)}--dport {r.choice(PORTS)}",
    "multiport": lambda r, f: f"-p {r.choice(('tcp', 'udp'))} -m multiport {_not(r)}--{r.choice(('sports', 'dports', 'ports'))} 22,53,1000:2000",
    "icmp": lambda r, f: (
        f"-p icmp -m icmp {_not(r)}--icmp-type {r.choice(('8', '0', '3/3', '3', 'any'))}"
        if f == "ip" else f"-p ipv6-icmp -m icmp6 {_not(r)}--icmpv6-type {r.choice(('128', '129', '1/4', '1'))}"
    ),
    "protocol": lambda r, f: f"{_not(r)}-p {r.choice(('tcp', 'udp', 'gre'))}",
    "state": lambda r, f: f"-m conntrack {_not(r)}--ctstate {r.choice(('NEW', 'ESTABLISHED,RELATED', 'INVALID', 'UNTRACKED,NEW'))}",
    "status": lambda r, f: f"-m conntrack {_not(r)}--ctstatus {r.choice(('SEEN_REPLY', 'CONFIRMED', 'NONE', 'ASSURED'))}",
    "proto": lambda r, f: f"-m conntrack {_not(r)}--ctproto {r.choice(('6', '17', '1'))} --ctdir {r.choice(('ORIGINAL', 'REPLY'))}",
    "both": lambda r, f: f"-m conntrack --ctstate {r.choice(('INVALID', 'NEW'))} --ctorigdstport {r.choice(PORTS)}",
    "source": lambda r, f: f"{_not(r)}-s {r.choice(('192.168.1.10', '192.168.0.0/16', '0.0.0.10/0.0.0.255') if f == 'ip' else ('fd00:1::10', 'fd00:1::/64'))}",
    "range": lambda r, f: f"-m iprange {_not(r)}--src-range {'192.168.1.5-192.168.1.15' if f == 'ip' else 'fd00:1::5-fd00:1::15'}",
    "device": lambda r, f: f"{_not(r)}-i {r.choice(('lan', 'wan', 'l+', '+'))}",
    "length": lambda r, f: f"-m length {_not(r)}--length {r.choice(('40', '41:80', '0:60'))}",
    "ttl": lambda r, f: f"-m {'ttl --ttl' if f == 'ip' else 'hl --hl'}-{r.choice(('eq', 'lt', 'gt'))} {r.choice((5, 63, 64))}",
    "mark": lambda r, f: f"-m mark {_not(r)}--mark {r.choice(('0', '1', '3/1'))}",
    "type": lambda r, f: f"-m addrtype {_not(r)}--dst-type {r.choice(('LOCAL', 'UNICAST', 'LOCAL,MULTICAST'))}",
    "pkttype": lambda r, f: f"-m pkttype {_not(r)}--pkt-type unicast",
}  # fmt: skip
TARGETS = ("-j ACCEPT", "-j DROP", "-j RETURN", "-j web", "-g web", "-j web2", "", "", "", "-j REJECT")


def _not(r: random.Random) -> str:
    return "! " if r.random() < 0.3 else ""


def ruleset(r: random.Random, family: str) -> str:
    lines = ["*mangle", *(f"-A PREROUTING {_match(r, family)} -j MARK --set-xmark {r.choice(('0x1/0xff', '0x3/0x0'))}" for _ in range(2)), "COMMIT"]
    lines += ["*filter", f":INPUT {r.choice(('ACCEPT', 'DROP'))} [0:0]", ":FORWARD ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]", ":web - [0:0]", ":web2 - [0:0]"]
    for chain, count in (("INPUT", 6), ("FORWARD", 6), ("web", 4), ("web2", 3)):
        targets = TARGETS if chain not in ("web", "web2") else TARGETS[:3] + TARGETS[6:] + (("-g web2",) if chain == "web" else ())
        lines += [f"-A {chain} {_match(r, family)} {r.choice(targets)}".strip() for _ in range(count)]
    return "\n".join([*lines, "COMMIT"]) + "\n"


def _match(r: random.Random, family: str) -> str:
    chosen = r.sample(sorted(MATCHES), r.choice((1, 1, 2)))
    if sum("-p " in MATCHES[name](random.Random(0), family) for name in chosen) > 1:
        chosen = chosen[:1]
    return " ".join(MATCHES[name](r, family) for name in chosen)


def packets(r: random.Random, family: str, count: int) -> list[bytes]:
    found = []
    for _ in range(count):
        host, to = (FROM, r.choice(TO["INPUT"][:1] + TO["FORWARD"][:1])) if family == "ip" else (FROM6, r.choice((TO["INPUT"][1], TO["FORWARD"][1])))
        s, d = (host, to) if family == "ip" else (f"[{host}]", f"[{to}]")
        sport, dport, ttl = r.choice((1000, 40000)), r.choice(PORTS), r.choice((64, 6))
        line = r.choice((
            f"tcp {s}:{sport} > {d}:{dport} {r.choice(('S', '.', 'R', 'none', 'SF', 'F.'))} seq {r.choice((1, 1000))} ttl {ttl}",
            f"udp {s}:{sport} > {d}:{dport} len {r.choice((0, 10, 100))} ttl {ttl}",
            f"icmp {host} > {to} {r.choice(('echo-request', 'echo-reply'))} id {r.choice((1, 2))} ttl {ttl}",
            f"icmp {host} > {to} port-unreachable about (udp {d}:{dport} > {s}:{sport})",
            f"ip {host} > {to} proto {r.choice((47, 132, 253))} hex 0000080000000000",
        ))  # fmt: skip
        found.append(craft(line))
    return found


def counters(saved: str) -> list[str]:
    """The lines with counters: rules, and the policies of INPUT and FORWARD; tables in one order, whichever is saved first."""
    tables = sorted(re.sub(r"^#.*\n", "", saved, flags=re.MULTILINE).split("COMMIT\n"))
    return [line for table in tables for line in table.splitlines() if line[:1] == "[" or line.startswith((":INPUT", ":FORWARD"))]


@pytest.mark.parametrize("family", ["ip", "ip6"])
@pytest.mark.parametrize("seed", range(60))
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
