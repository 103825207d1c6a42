"""Random iptables rulesets and packets for them, from a seed: every match that is simulated, chains of chains, all verdicts."""

from __future__ import annotations

import random
from collections.abc import Callable

from sim import wire
from sim.craft import craft
from sim.units import parse_address

FROM, FROM6 = "192.168.1.10", "fd00:1::10"
TO = {"INPUT": ("192.168.1.1", "fd00:1::1"), "FORWARD": ("203.0.113.9", "fd00:2::9")}
PORTS = (22, 53, 80, 443, 8080, 1000)
FLAGS = ("SYN,RST,ACK,FIN SYN", "ALL NONE", "SYN,FIN SYN,FIN", "ACK ACK")
SOURCES = {"ip": ("192.168.1.10", "192.168.0.0/16", "0.0.0.10/0.0.0.255"), "ip6": ("fd00:1::10", "fd00:1::/64")}
MATCHES: dict[str, Callable[[random.Random, str], str]] = {
    "tcp": lambda r, f: f"-p tcp -m tcp {_not(r)}--dport {r.choice(PORTS)}",
    "tcp range": lambda r, f: f"-p tcp -m tcp {_not(r)}--sport {r.choice((1, 1000))}:{r.choice((1000, 5000))}",
    "flags": lambda r, f: f"-p tcp -m tcp {_not(r)}--tcp-flags {r.choice(FLAGS)}",
    "udp": lambda r, f: f"-p udp -m udp {_not(r)}--dport {r.choice(PORTS)}",
    "multiport": lambda r, f: (
        f"-p {r.choice(('tcp', 'udp'))} -m multiport {_not(r)}--{r.choice(('sports', 'dports', 'ports'))} 22,53,1000:2000"
    ),
    "icmp": lambda r, f: (
        f"-p icmp -m icmp {_not(r)}--icmp-type {r.choice(('8', '0', '3/3', '3', 'any'))}"
        if f == "ip" else f"-p ipv6-icmp -m icmp6 {_not(r)}--icmpv6-type {r.choice(('128', '129', '1/4', '1'))}"
    ),
    "protocol": lambda r, f: f"{_not(r)}-p {r.choice(('tcp', 'udp', 'gre'))}",
    "state": lambda r, f: f"-m conntrack {_not(r)}--ctstate {r.choice(('NEW', 'ESTABLISHED,RELATED', 'INVALID', 'UNTRACKED,NEW'))}",
    "status": lambda r, f: f"-m conntrack {_not(r)}--ctstatus {r.choice(('SEEN_REPLY', 'CONFIRMED', 'NONE', 'ASSURED'))}",
    "proto": lambda r, f: f"-m conntrack {_not(r)}--ctproto {r.choice(('6', '17', '1'))} --ctdir {r.choice(('ORIGINAL', 'REPLY'))}",
    "both": lambda r, f: f"-m conntrack --ctstate {r.choice(('INVALID', 'NEW'))} --ctorigdstport {r.choice(PORTS)}",
    "source": lambda r, f: f"{_not(r)}-s {r.choice(SOURCES[f])}",
    "range": lambda r, f: f"-m iprange {_not(r)}--src-range {'192.168.1.5-192.168.1.15' if f == 'ip' else 'fd00:1::5-fd00:1::15'}",
    "device": lambda r, f: f"{_not(r)}-i {r.choice(('lan', 'wan', 'l+', '+'))}",
    "length": lambda r, f: f"-m length {_not(r)}--length {r.choice(('40', '41:80', '0:60'))}",
    "ttl": lambda r, f: f"-m {'ttl --ttl' if f == 'ip' else 'hl --hl'}-{r.choice(('eq', 'lt', 'gt'))} {r.choice((5, 63, 64))}",
    "mark": lambda r, f: f"-m mark {_not(r)}--mark {r.choice(('0', '1', '3/1'))}",
    "type": lambda r, f: f"-m addrtype {_not(r)}--dst-type {r.choice(('LOCAL', 'UNICAST', 'LOCAL,MULTICAST'))}",
    "pkttype": lambda r, f: f"-m pkttype {_not(r)}--pkt-type unicast",
    "connmark": lambda r, f: f"-m connmark {_not(r)}--mark {r.choice(('0', '1', '3/1'))}",
    "dscp": lambda r, f: f"-m dscp {_not(r)}--dscp {r.choice((0, 4, 46))}",
    "tos": lambda r, f: f"-m tos {_not(r)}--tos {r.choice(('0', '0x10', '0x10/0x3f', '0xb8/0xfc'))}",
    "ecn": lambda r, f: f"-p tcp -m ecn {_not(r)}--{r.choice(('ecn-tcp-cwr', 'ecn-tcp-ece', 'ecn-ip-ect 1'))}",
    "tcpmss": lambda r, f: f"-p tcp -m tcpmss {_not(r)}--mss {r.choice(('1460', '500:1400'))}",
    "sctp": lambda r, f: f"-p sctp -m sctp {_not(r)}--dport {r.choice((8, 2048))}",
    "string": lambda r, f: (
        f"-m string {_not(r)}--string {r.choice(('GET', 'xyz'))} --algo {r.choice(('bm', 'kmp --icase', 'bm --from 60'))}"
    ),
    "nth": lambda r, f: f"-m statistic --mode nth {_not(r)}--every {r.choice((2, 5))} --packet {r.choice((0, 1))}",
    "quota": lambda r, f: f"-m quota {_not(r)}--quota {r.choice((100, 1000, 5000))}",
    "connbytes": lambda r, f: (
        f"-m connbytes {_not(r)}--connbytes {r.choice(('100', '3:5', '0:200'))} --connbytes-dir {r.choice(('both', 'original', 'reply'))} "
        f"--connbytes-mode {r.choice(('bytes', 'packets', 'avgpkt'))}"
    ),
    "recent": lambda r, f: (
        f"-m recent {_not(r)}--{r.choice(('set', 'rcheck', 'update --hitcount 3', 'rcheck --seconds 60', 'remove', 'update --rttl'))} "
        f"--name {r.choice(('a', 'b'))} {r.choice(('--rsource', '--rdest'))}"
    ),
    "hashlimit": lambda r, f: (
        f"-m hashlimit --hashlimit-{r.choice(('upto', 'above'))} {r.choice(('2/min', '1/hour'))} --hashlimit-burst {r.choice((1, 4))} "
        f"{r.choice(('', '--hashlimit-mode srcip', '--hashlimit-mode dstip,dstport'))} --hashlimit-name h{r.randrange(10**6)}"
    ),
    "physdev": lambda r, f: "-m physdev ! --physdev-is-bridged",
}  # fmt: skip
CHANGES = {
    family: (
        "-j MARK --set-xmark 0x1/0xff", "-j MARK --set-xmark 0x3/0x0", "-j CONNMARK --set-xmark 0x1/0xf", "-j CONNMARK --save-mark",
        "-j CONNMARK --restore-mark --nfmask 0x3 --ctmask 0x1", "-j CONNMARK --save-mark --nfmask 0x1 --ctmask 0x3",
        "-j TOS --set-tos 0x10/0x3f", "-j TOS --xor-tos 0x5", "-j DSCP --set-dscp-class EF",
        f"-j {'TTL --ttl' if family == 'ip' else 'HL --hl'}-dec 5", f"-j {'TTL --ttl' if family == 'ip' else 'HL --hl'}-set 6",
        f"-j {'TTL --ttl' if family == 'ip' else 'HL --hl'}-inc 200",
    )
    for family in ("ip", "ip6")
}  # fmt: skip
TARGETS = ("-j ACCEPT", "-j DROP", "-j RETURN", "-j web", "-g web", "-j web2", "", "", "", "-j REJECT")


def _not(r: random.Random) -> str:
    return "! " if r.random() < 0.3 else ""


def ruleset(r: random.Random, family: str) -> str:
    """An iptables-save text with tables mangle and filter."""
    marks = [f"-A PREROUTING {_match(r, family)} {r.choice(CHANGES[family])}" for _ in range(4)]
    lines = ["*mangle", *marks, "COMMIT", "*filter", f":INPUT {r.choice(('ACCEPT', 'DROP'))} [0:0]"]
    lines += [":FORWARD ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]", ":web - [0:0]", ":web2 - [0:0]"]
    for chain, count in (("INPUT", 6), ("FORWARD", 6), ("web", 4), ("web2", 3)):
        targets = TARGETS if chain not in ("web", "web2") else TARGETS[:3] + TARGETS[6:] + (("-g web2",) if chain == "web" else ())
        lines += [f"-A {chain} {_match(r, family)} {r.choice(targets)}".strip() for _ in range(count)]
    return "\n".join([*lines, "COMMIT"]) + "\n"


def _match(r: random.Random, family: str) -> str:
    chosen = r.sample(sorted(MATCHES), r.choice((1, 1, 2)))
    if sum("-p " in MATCHES[name](random.Random(0), family) for name in chosen) > 1:
        chosen = chosen[:1]
    return " ".join(MATCHES[name](r, family) for name in chosen)


def _with_mss(host: str, to: str, sport: int, dport: int, mss: int) -> bytes:
    src, dst = parse_address(host), parse_address(to)
    options = b"\1\1\x02\x04" + mss.to_bytes(2) + b"\0\0"
    return wire.ip(src, dst, 6, wire.tcp(src, dst, sport, dport, seq=1000, flags=0xC2, options=options))


def packets(r: random.Random, family: str, count: int) -> list[bytes]:
    """Packets from FROM to the firewall and through it."""
    found = []
    for _ in range(count):
        host, at = (FROM, 0) if family == "ip" else (FROM6, 1)
        to = r.choice((TO["INPUT"][at], TO["FORWARD"][at]))
        s, d = (host, to) if family == "ip" else (f"[{host}]", f"[{to}]")
        sport, dport, ttl = r.choice((1000, 40000)), r.choice(PORTS), r.choice((64, 6))
        tos = r.choice((0, 16, 1, 184))
        if r.random() < 0.1:
            found.append(_with_mss(host, to, sport, dport, r.choice((600, 1460))))
            continue
        line = r.choice((
            f"tcp {s}:{sport} > {d}:{dport} {r.choice(('S', '.', 'R', 'none', 'SF', 'F.'))} seq {r.choice((1, 1000))} ttl {ttl} tos {tos}",
            f"udp {s}:{sport} > {d}:{dport} len {r.choice((0, 10, 100))} ttl {ttl} tos {tos}",
            f'udp {s}:{sport} > {d}:{dport} data "{r.choice(("GET /", "get", "xyz GE"))}"',
            f"icmp {host} > {to} {r.choice(('echo-request', 'echo-reply'))} id {r.choice((1, 2))} ttl {ttl}",
            f"icmp {host} > {to} port-unreachable about (udp {d}:{dport} > {s}:{sport})",
            f"ip {host} > {to} proto {r.choice((47, 132, 253))} hex 0000080000000000",
        ))  # fmt: skip
        found.append(craft(line))
    return found
