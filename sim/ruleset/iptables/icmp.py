"""The names of ICMP and ICMPv6 types as iptables 1.8.9 knows them (extensions/libxt_icmp.h): name, type, lowest and highest code."""

from __future__ import annotations

from typing import NamedTuple

from sim.errors import Span
from sim.ruleset.iptables.errors import Mistake


class IcmpName(NamedTuple):
    """One name: what `--icmp-type NAME` stands for."""

    name: str
    type: int
    low: int
    high: int


def _table(text: str) -> tuple[IcmpName, ...]:
    rows = []
    for word in text.split():
        name, _, place = word.partition("=")
        kind, _, code = place.partition("/")
        rows.append(IcmpName(name, int(kind), int(code or 0), int(code) if code else 255))
    return tuple(rows)


ICMP = _table("""
    any=255 echo-reply=0 pong=0 destination-unreachable=3 network-unreachable=3/0 host-unreachable=3/1 protocol-unreachable=3/2
    port-unreachable=3/3 fragmentation-needed=3/4 source-route-failed=3/5 network-unknown=3/6 host-unknown=3/7 network-prohibited=3/9
    host-prohibited=3/10 TOS-network-unreachable=3/11 TOS-host-unreachable=3/12 communication-prohibited=3/13
    host-precedence-violation=3/14 precedence-cutoff=3/15 source-quench=4 redirect=5 network-redirect=5/0 host-redirect=5/1
    TOS-network-redirect=5/2 TOS-host-redirect=5/3 echo-request=8 ping=8 router-advertisement=9 router-solicitation=10 time-exceeded=11
    ttl-exceeded=11 ttl-zero-during-transit=11/0 ttl-zero-during-reassembly=11/1 parameter-problem=12 ip-header-bad=12/0
    required-option-missing=12/1 timestamp-request=13 timestamp-reply=14 address-mask-request=17 address-mask-reply=18
""")
ICMPV6 = _table("""
    destination-unreachable=1 no-route=1/0 communication-prohibited=1/1 beyond-scope=1/2 address-unreachable=1/3 port-unreachable=1/4
    failed-policy=1/5 reject-route=1/6 packet-too-big=2 time-exceeded=3 ttl-exceeded=3 ttl-zero-during-transit=3/0
    ttl-zero-during-reassembly=3/1 parameter-problem=4 bad-header=4/0 unknown-header-type=4/1 unknown-option=4/2 echo-request=128 ping=128
    echo-reply=129 pong=129 router-solicitation=133 router-advertisement=134 neighbour-solicitation=135 neighbor-solicitation=135
    neighbour-advertisement=136 neighbor-advertisement=136 redirect=137
""")


def parse(text: str, table: tuple[IcmpName, ...], label: str, span: Span) -> IcmpName:
    """The meaning of `--icmp-type text`: a name or an unambiguous start of one, a number, number/code. `label`: ICMP or ICMPv6."""
    near = [row for row in table if row.name.lower().startswith(text.lower())] if text else []
    exact = [row for row in near if row.name.lower() == text.lower()]
    if exact or len(near) == 1:
        return (exact or near)[0]
    if len(near) > 1:
        raise Mistake(f"Ambiguous {label} type `{text}': `{near[0].name}' or `{near[1].name}'?", span)
    kind, slash, code = text.partition("/")
    if not kind.isdecimal() or int(kind) > 255:
        raise Mistake(f"Unknown {label} type `{kind}'", span)
    if slash and (not code.isdecimal() or int(code) > 255):
        raise Mistake(f"Unknown {label} code `{text}'", span)
    return IcmpName("", int(kind), int(code or 0), int(code) if slash else 255)


def name_of(row: IcmpName, table: tuple[IcmpName, ...]) -> str:
    """The name listed for a type and its codes, or ""."""
    return next((each.name for each in table if each[1:] == row[1:]), "")
